/* logview.h - lines of the log for people: which ones are wanted, and how they look.
 *
 * Promises:  what it writes holds printable ASCII only: nothing that was logged, or written to the file by
 *            anybody else, reaches the terminal as a control sequence.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_LOGVIEW_H
#define SETUP_LOGVIEW_H

#include "base/buf.h"
#include "base/time.h"

struct logview_filter { /* empty: no condition */
    struct str event;   /* "smtp.rcpt", or "smtp" for all that begin so */
    struct str user;    /* an address, or what stands before its @ */
    struct str since;   /* beginning of a time as in the log, of logview_since() */
    struct str level;   /* of logview_level_exists(): this one, or a graver one */
    const char *const *texts;
    size_t text_count; /* all of them must be in the line, whatever their case */
};
/* "2026-11-23", "2026-11-23 22:31", "today", "yesterday", "30s", "10m", "2h", "3d": the time as the log writes it. */
MUST_USE bool logview_since(struct str text, struct instant now, struct buf *b);
/* Is there such an event, or such a family? */
bool logview_event_exists(struct str name);
bool logview_level_exists(struct str name);
bool logview_wants(const struct logview_filter *f, struct str line);
/* With LF: time, level when it matters, event, fields.  A line of another form is shown as it is, made harmless. */
void logview_write(struct str line, struct buf *b);

#endif
