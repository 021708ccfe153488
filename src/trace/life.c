/* life.c - see life.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "trace/life.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/scan.h"
#include "base/size.h"

enum {
    IDS_MAX = 64,           /* a transaction, its queue entry, reports on it */
    BOX_LINES_MAX = 100000, /* of one mailbox: a busy one of a month */
    FOLLOW_MAX = 64,        /* moves and copies */
    SCRATCH_BYTES = 64 << 20,
    SPARE_BYTES = 8 * LOG_LINE_MAX, /* what one line can need of an arena, and then some */
    SUMMARY_BYTES =
        2 * TRACE_STEPS_MAX * LOG_LINE_MAX, /* of trace_summary(), of the longest life */
    SKIPPED_MAX = 20000                     /* of an address: pages before the present one */
};

/* A message in a mailbox, and from when on. */
struct stay {
    struct str aid;
    struct str box;
    uint32_t uid;
    uint64_t since;
};
struct telling {
    struct trace_reader *r;
    struct arena *a;
    struct trace_life *life;
    struct str ids[IDS_MAX];
    size_t id_count;
    struct stay stays[FOLLOW_MAX];
    size_t stay_count;
};

static bool
id_is_one(struct str v)
{
    static const struct str none = STR("0000000000000000");

    return v.len == TRACE_ID_BYTES && !str_eq(v, none);
}

static void
add_id(struct telling *t, struct str id)
{
    if (!id_is_one(id) || t->id_count == IDS_MAX)
        return;
    for (size_t i = 0; i < t->id_count; i++)
        if (str_eq(t->ids[i], id))
            return;
    t->ids[t->id_count++] = id;
}

static bool
add_step(struct telling *t, const struct trace_hit *hit)
{
    struct trace_life *l = t->life;

    for (size_t i = l->count; i-- > 0;)
        if (l->steps[i].place == hit->place)
            return false;
    if (l->count == TRACE_STEPS_MAX) {
        l->cut = true;
        return false;
    }
    l->steps[l->count++] = *hit;
    return true;
}

static bool
read_number(struct str text, uint32_t *out)
{
    struct scan s = scan_of(text);

    return scan_u32(&s, UINT32_MAX, out) && scan_at_end(&s);
}

static void
add_stay(struct telling *t, const struct stay *s)
{
    if (t->stay_count < FOLLOW_MAX)
        t->stays[t->stay_count++] = *s;
}

/* ---- by id ---- */

static void
take_line(struct telling *t, const struct trace_hit *hit)
{
    struct stay s = {.since = hit->place};

    if (!add_step(t, hit))
        return;
    add_id(t, trace_value(hit->line, "tid", t->a));
    add_id(t, trace_value(hit->line, "qid", t->a));
    add_id(t, trace_value(hit->line, "report", t->a));
    s.aid = trace_value(hit->line, "aid", t->a);
    s.box = trace_value(hit->line, "box", t->a);
    if (s.aid.len > 0 && s.box.len > 0 && read_number(trace_value(hit->line, "uid", t->a), &s.uid))
        add_stay(t, &s);
}

static bool
has_id(struct str line, struct str id, struct arena *a)
{
    static const char *const keys[] = {"tid", "qid", "report", "object"};

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (str_eq(trace_value(line, keys[i], a), id))
            return true;
    return false;
}

/* Else the rest of the life is left out: this memory is all that there is. */
static bool
has_room(struct telling *t)
{
    if (arena_left(t->a) < SPARE_BYTES + SUMMARY_BYTES)
        t->life->cut = true;
    return !t->life->cut;
}

static void
follow_ids(struct telling *t)
{
    for (size_t i = 0; i < t->id_count; i++) {
        struct trace_cursor c = trace_find(t->r, trace_hash(TRACE_ID, t->ids[i]), false);
        struct trace_hit hit;
        while (has_room(t) && trace_next(&c, t->a, &hit))
            if (has_id(hit.line, t->ids[i], t->a))
                take_line(t, &hit);
    }
}

/* ---- by mailbox ---- */

static bool
scan_range(struct scan *s, uint32_t *first, uint32_t *last)
{
    if (!scan_u32(s, UINT32_MAX, first))
        return false;
    *last = *first;
    return !scan_char(s, ':') || scan_u32(s, UINT32_MAX, last);
}

bool
trace_uids_have(struct str ranges, uint32_t uid, size_t *range_out, uint32_t *offset_out)
{
    struct scan s = scan_of(ranges);
    uint32_t first, last;

    for (size_t i = 0; scan_range(&s, &first, &last); i++) {
        if (uid >= first && uid <= last) {
            *range_out = i;
            *offset_out = uid - first;
            return true;
        }
        if (!scan_char(&s, ','))
            return false;
    }
    return false;
}

bool
trace_uid_at(struct str ranges, size_t range, uint32_t offset, uint32_t *uid_out)
{
    struct scan s = scan_of(ranges);
    uint32_t first, last;

    for (size_t i = 0; scan_range(&s, &first, &last); i++) {
        if (i == range && last >= first && last - first >= offset) {
            *uid_out = first + offset;
            return true;
        }
        if (i >= range || !scan_char(&s, ','))
            return false;
    }
    return false;
}

/* True: it left the mailbox by this line. */
static bool
take_change(struct telling *t, const struct stay *s, const struct trace_hit *hit, struct arena *own)
{
    struct str event = trace_value(hit->line, "ev", own);
    struct stay next = {.aid = s->aid, .since = hit->place};
    size_t range = 0;
    uint32_t offset = 0;

    if (str_eq(event, STR("mail.drop"))) {
        (void)add_step(t, &(struct trace_hit){hit->place, arena_str(t->a, hit->line)});
        return true;
    }
    if (!trace_uids_have(trace_value(hit->line, "uids", own), s->uid, &range, &offset))
        return false;
    (void)add_step(t, &(struct trace_hit){hit->place, arena_str(t->a, hit->line)});
    next.box = trace_value(hit->line, "target", t->a);
    if (trace_uid_at(trace_value(hit->line, "into", own), range, offset, &next.uid))
        add_stay(t, &next);
    return !str_eq(event, STR("mail.copy"));
}

static void
follow_stay(struct telling *t, const struct stay *s)
{
    char box[64];
    AUTO_ARENA *own = arena_new(SCRATCH_BYTES);
    struct trace_hit hit;

    snprintf(box, sizeof(box), "%.*s/%.*s", STR_FMT(str_sub(s->aid, 0, 24)),
             STR_FMT(str_sub(s->box, 0, 24)));
    struct trace_cursor c = trace_find(t->r, trace_hash(TRACE_BOX, str_of(box)), false);
    for (size_t i = 0; i < BOX_LINES_MAX && trace_next(&c, own, &hit); i++) {
        bool ours = hit.place > s->since && str_eq(trace_value(hit.line, "aid", own), s->aid) &&
                    str_eq(trace_value(hit.line, "box", own), s->box);
        if (!has_room(t) || (ours && take_change(t, s, &hit, own)))
            return;
        if (arena_left(own) < SCRATCH_BYTES / 2)
            arena_reset(own);
    }
}

/* Lines of several processes arrive a moment out of order: their times decide. */
static int
compare(const void *a, const void *b)
{
    const struct trace_hit *x = a, *y = b;
    int by_time = str_cmp(str_sub(x->line, 0, 29), str_sub(y->line, 0, 29)); /* "t=" and the time */

    return by_time != 0 ? by_time : (x->place > y->place) - (x->place < y->place);
}

void
trace_life(struct trace_reader *r, struct str id, struct arena *a, struct trace_life *out)
{
    struct telling *t = ARENA_NEW(a, struct telling);

    *out = (struct trace_life){.steps = ARENA_ARRAY(a, struct trace_hit, TRACE_STEPS_MAX)};
    t->r = r;
    t->a = a;
    t->life = out;
    add_id(t, id);
    follow_ids(t);
    for (size_t i = 0; i < t->stay_count && has_room(t); i++)
        follow_stay(t, &t->stays[i]);
    out->cut = out->cut || trace_reader_is_late(r);
    if (out->count > 1)
        qsort(out->steps, out->count, sizeof(out->steps[0]), compare);
}

/* ---- lists ---- */

static bool
line_has(struct str line, const struct trace_query *q)
{
    uint64_t keys[TRACE_KEYS_MAX];
    uint64_t wanted = trace_hash(q->kind, q->value);
    size_t n = trace_keys(line, keys);

    for (size_t i = 0; i < n; i++)
        if (keys[i] == wanted)
            return true;
    return false;
}

static bool
ids_have(const struct trace_ids *ids, struct str id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (str_eq(ids->list[i], id))
            return true;
    return false;
}

void
trace_ids(struct trace_reader *r, const struct trace_query *q, struct arena *a,
          struct trace_ids *out)
{
    struct trace_cursor c = trace_find(r, trace_hash(q->kind, q->value), true);
    AUTO_ARENA *own = arena_new(SCRATCH_BYTES);
    struct trace_ids skipped = {.list = NULL};
    bool skips = q->after.len > 0;
    struct trace_hit hit;

    *out = (struct trace_ids){.list = ARENA_ARRAY(a, struct str, q->max + 1)};
    if (skips)
        skipped.list = ARENA_ARRAY(a, struct str, SKIPPED_MAX);
    while (skipped.count < SKIPPED_MAX && trace_next(&c, own, &hit)) {
        if (str_cmp(str_sub(hit.line, 2, q->since.len), q->since) < 0)
            break;
        struct str id = trace_value(hit.line, "tid", own);
        if (!id_is_one(id))
            id = trace_value(hit.line, "qid", own);
        if (skips && line_has(hit.line, q) && id_is_one(id)) {
            if (!ids_have(&skipped, id))
                skipped.list[skipped.count++] = arena_str(a, id);
            skips = !str_eq(id, q->after);
        } else if (line_has(hit.line, q) && id_is_one(id) && !ids_have(&skipped, id) &&
                   !ids_have(out, id)) {
            out->more = out->count == q->max;
            if (out->more)
                break;
            out->list[out->count++] = arena_str(a, id);
        }
        if (arena_left(own) < SCRATCH_BYTES / 2)
            arena_reset(own);
    }
}

void
trace_invitations(struct trace_reader *r, const struct trace_query *q, struct arena *a,
                  struct trace_life *out)
{
    struct trace_cursor c = trace_find(r, trace_hash(q->kind, q->value), true);
    size_t max = MIN(q->max, (size_t)TRACE_STEPS_MAX);
    AUTO_ARENA *own = arena_new(SCRATCH_BYTES);
    struct trace_hit hit;

    *out = (struct trace_life){.steps = ARENA_ARRAY(a, struct trace_hit, max + 1)};
    while (!out->cut && trace_next(&c, own, &hit)) {
        if (str_cmp(str_sub(hit.line, 2, q->since.len), q->since) < 0)
            break;
        if (line_has(hit.line, q) && str_starts(trace_value(hit.line, "ev", own), STR("invite."))) {
            out->cut = out->count == max;
            if (!out->cut)
                out->steps[out->count++] = (struct trace_hit){hit.place, arena_str(a, hit.line)};
        }
        if (arena_left(own) < SCRATCH_BYTES / 2)
            arena_reset(own);
    }
    if (out->count > 1)
        qsort(out->steps, out->count, sizeof(out->steps[0]), compare);
}

/* ---- what a word leads to ---- */

/* 1*16HEXDIG, as `queue list` and a Received field have it. */
static bool
read_id(struct str what, char *id)
{
    if (what.len == 0 || what.len > TRACE_ID_BYTES)
        return false;
    for (size_t i = 0; i < TRACE_ID_BYTES; i++) {
        size_t missing = TRACE_ID_BYTES - what.len;
        id[i] = i < missing ? '0' : ascii_lower(what.ptr[i - missing]);
        if (str_find(STR("0123456789abcdef"), id[i]) < 0)
            return false;
    }
    return true;
}

void
trace_look(struct trace_reader *r, const struct trace_query *wanted, struct arena *a,
           struct trace_answer *out)
{
    struct trace_query q = *wanted;
    char id[TRACE_ID_BYTES];

    *out = (struct trace_answer){.found = TRACE_FOUND_MESSAGES};
    q.kind = TRACE_MESSAGE_ID;
    trace_ids(r, &q, a, &out->ids);
    if (out->ids.count > 0)
        return;
    if (read_id(q.value, id) && q.after.len == 0) {
        const struct trace_query by_id = {
            .kind = TRACE_ID, .value = str_from(id, sizeof(id)), .since = q.since, .max = q.max};
        trace_ids(r, &by_id, a, &out->ids);
        if (out->ids.count > 0) { /* all of them tell the same */
            out->ids = (struct trace_ids){.list = out->ids.list, .count = 1};
            out->ids.list[0] = arena_str(a, by_id.value);
            return;
        }
    }
    out->found = TRACE_FOUND_ADDRESS;
    q.kind = TRACE_ADDRESS;
    trace_ids(r, &q, a, &out->ids);
    if (q.after.len == 0)
        trace_invitations(r, &q, a, &out->invitations);
    if (out->ids.count == 0 && out->invitations.count == 0 && q.after.len == 0)
        out->found = TRACE_FOUND_NOTHING;
}

/* ---- in one word ---- */

struct tally {
    size_t delivered, failed, waiting, refused, accepted;
};

static bool
is_drop(struct str line, struct arena *own)
{
    return str_eq(trace_value(line, "verb", own), STR("queue drop"));
}

static void
count_line(struct str line, struct arena *own, struct tally *t)
{
    struct str event = trace_value(line, "ev", own), state = trace_value(line, "state", own);
    struct str code = trace_value(line, "code", own);
    bool good = code.len > 0 && code.ptr[0] == '2';

    if (str_eq(event, STR("store.deliver"))) {
        t->delivered++;
    } else if (str_eq(event, STR("queue.result"))) {
        t->delivered += str_eq(state, STR("delivered"));
        t->failed += str_eq(state, STR("failed"));
    } else if (str_starts(event, STR("smtp.")) || str_starts(event, STR("submit."))) {
        t->accepted += good;
        t->refused += !good;
    } else if (str_eq(event, STR("queue.add"))) {
        t->waiting++;
    } else if (str_eq(event, STR("queue.done")) || is_drop(line, own)) {
        t->waiting -= t->waiting > 0;
    }
}

static const char *
result_of(const struct tally *t)
{
    if (t->waiting > 0)
        return "waiting";
    if (t->delivered > 0)
        return t->failed + t->refused > 0 ? "partly delivered" : "delivered";
    if (t->failed > 0)
        return "failed";
    return t->refused > 0 ? "refused" : "accepted";
}

struct trace_summary
trace_summary(const struct trace_life *l, struct arena *a)
{
    struct trace_summary s = {
        .result = "", .time = STR(""), .message_id = STR(""), .size = STR(""), .code = STR("")};
    struct tally t = {0};

    for (size_t i = 0; i < l->count; i++) {
        struct str line = l->steps[i].line;
        count_line(line, a, &t);
        if (s.time.len == 0)
            s.time = trace_value(line, "t", a);
        if (s.message_id.len == 0)
            s.message_id = trace_value(line, "msgid", a);
        if (s.size.len == 0)
            s.size = trace_value(line, "size", a);
        struct str code = trace_value(line, "code", a);
        if (code.len > 0 && code.ptr[0] != '2' && code.ptr[0] != '0')
            s.code = code;
    }
    s.result = result_of(&t);
    return s;
}
