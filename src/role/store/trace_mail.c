/* trace_mail.c - what happens to messages in mailboxes, for the trace.
 *
 * One line tells of many messages, by ranges of UIDs; `godwit trace` finds the one it looks for among them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "config/events.h"
#include "role/store/trace.h"
#include "rt/logger.h"
#include "store/mailbox.h"

enum {
    LINE_RANGES = 20, /* of the longest kind they fill a value of LOG_VALUE_MAX */
    LINES_MAX = 64,   /* of one call: the rest is not told */
    ARENA_BYTES = 131072,
};

/* Where runs of UIDs stand in two lists of the same order. */
struct run {
    uint32_t from, into, count;
};
struct runs {
    const struct uid_range *from, *into; /* into: NULL when there is one list */
    size_t from_count, into_count;
    size_t from_at, into_at;
    uint32_t from_done, into_done; /* of the present ranges */
};

static bool
next_run(struct runs *r, struct run *out)
{
    if (r->from_at == r->from_count || (r->into != NULL && r->into_at == r->into_count))
        return false;
    const struct uid_range *f = &r->from[r->from_at];
    *out = (struct run){.from = f->first + r->from_done,
                        .count = f->last - f->first + 1 - r->from_done};
    if (r->into != NULL) {
        const struct uid_range *i = &r->into[r->into_at];
        out->into = i->first + r->into_done;
        out->count = MIN(out->count, i->last - i->first + 1 - r->into_done);
        r->into_done += out->count;
        if (r->into_done == i->last - i->first + 1) {
            r->into_at++;
            r->into_done = 0;
        }
    }
    r->from_done += out->count;
    if (r->from_done == f->last - f->first + 1) {
        r->from_at++;
        r->from_done = 0;
    }
    return true;
}

static void
add_range(struct buf *b, uint32_t first, uint32_t count)
{
    if (b->len > 0)
        buf_add_char(b, ',');
    buf_add_u64(b, first);
    if (count > 1) {
        buf_add_char(b, ':');
        buf_add_u64(b, (uint64_t)first + count - 1);
    }
}

struct str
store_trace_name(struct cell *account, uint32_t mailbox, struct arena *a)
{
    struct mailbox_info info;

    return store_trace_is_on() && mailbox_get(account, mailbox, a, &info) == OK ? info.name
                                                                                : STR("");
}

struct telling {
    enum event event;
    uint64_t account;
    uint32_t box, target; /* target 0: they are gone */
    struct str name, target_name;
};

static bool
tell_line(const struct telling *t, struct runs *runs)
{
    AUTO_BUF uids = BUF(LOG_VALUE_MAX);
    AUTO_BUF into = BUF(LOG_VALUE_MAX);
    struct run run;

    for (int i = 0; i < LINE_RANGES && next_run(runs, &run); i++) {
        add_range(&uids, run.from, run.count);
        if (t->target != 0)
            add_range(&into, run.into, run.count);
    }
    if (uids.len == 0)
        return false;
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, t->event))
        return false;
    log_u64(&l, "aid", t->account);
    log_u64(&l, "box", t->box);
    log_str(&l, "uids", buf_str(&uids));
    if (t->target != 0) {
        log_u64(&l, "target", t->target);
        log_str(&l, "into", buf_str(&into));
    }
    log_str(&l, "name", t->name);
    if (t->target != 0)
        log_str(&l, "target_name", t->target_name);
    return true;
}

static void
tell(const struct telling *t, struct runs *runs)
{
    for (int i = 0; i < LINES_MAX && tell_line(t, runs); i++)
        ;
}

void
store_trace_expunge(struct cell *account, const struct expunge_request *r,
                    const struct expunge_reply *x)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct runs runs = {.from = x->vanished, .from_count = x->vanished_count};

    if (x->vanished_count == 0 || !store_trace_is_on())
        return;
    const struct telling t = {.event = EVENT_MAIL_EXPUNGE,
                              .account = cell_id_of(account).id,
                              .box = r->mailbox,
                              .name = store_trace_name(account, r->mailbox, a)};
    tell(&t, &runs);
}

void
store_trace_copy(struct cell *account, const struct copy_request *r, const struct copy_reply *c)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct runs runs = {
        .from = c->from, .from_count = c->from_count, .into = c->into, .into_count = c->into_count};

    if (c->from_count == 0 || !store_trace_is_on())
        return;
    const struct telling t = {.event = r->move ? EVENT_MAIL_MOVE : EVENT_MAIL_COPY,
                              .account = cell_id_of(account).id,
                              .box = r->mailbox,
                              .target = r->to,
                              .name = store_trace_name(account, r->mailbox, a),
                              .target_name = store_trace_name(account, r->to, a)};
    tell(&t, &runs);
}

void
store_trace_drop(struct cell *account, uint32_t mailbox, struct str name)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_MAIL_DROP))
        return;
    log_u64(&l, "aid", cell_id_of(account).id);
    log_u64(&l, "box", mailbox);
    log_str(&l, "name", name);
}
