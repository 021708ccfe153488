/* event_begin.c - begins the log line of an event.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/events.h"
#include "rt/logger.h"

/* What `godwit trace` tells of: the life of each message, and invitations. */
static const bool traced[EVENT_COUNT] = {
    [EVENT_SMTP_SENDER] = true,   [EVENT_SMTP_RCPT] = true,     [EVENT_SMTP_MESSAGE] = true,
    [EVENT_SUBMIT] = true,        [EVENT_STORE_REFUSE] = true,  [EVENT_STORE_DELIVER] = true,
    [EVENT_QUEUE_ADD] = true,     [EVENT_QUEUE_RCPT] = true,    [EVENT_QUEUE_RESULT] = true,
    [EVENT_QUEUE_DONE] = true,    [EVENT_QUEUE_NOTICE] = true,  [EVENT_OUT_ATTEMPT] = true,
    [EVENT_MAIL_MOVE] = true,     [EVENT_MAIL_COPY] = true,     [EVENT_MAIL_EXPUNGE] = true,
    [EVENT_MAIL_DROP] = true,     [EVENT_ADMIN] = true,         [EVENT_QUEUE_REWRITE] = true,
    [EVENT_FORWARD_LIMIT] = true, [EVENT_OUTBOUND_HELD] = true, [EVENT_OUTBOUND_GOES] = true,
    [EVENT_INVITE_MADE] = true,   [EVENT_INVITE_USED] = true,   [EVENT_INVITE_REFUSED] = true,
    [EVENT_STORE_VERDICT] = true, [EVENT_SMTP_CHECKS] = true,
};

bool
event_begin(struct log_line *l, enum event e)
{
    ASSERT(e < EVENT_COUNT);
    if (traced[e])
        return logger_begin_kept(l, events[e].level, events[e].name);
    return event_begin_untraced(l, e);
}

bool
event_begin_untraced(struct log_line *l, enum event e)
{
    ASSERT(e < EVENT_COUNT);
    return logger_begin(l, events[e].level, events[e].name);
}

bool
event_is_traced(struct str name)
{
    for (size_t i = 0; i < EVENT_COUNT; i++)
        if (traced[i] && str_eq(name, str_of(events[i].name)))
            return true;
    return false;
}
