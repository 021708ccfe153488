/* changes.c - what changed in a mailbox since a modseq.
 *
 * Recent changes come from the change log, which is cached by those who wrote it.  Older ones are found by reading all
 * places and the records of vanished UIDs; still older ones not at all: the asker reads the view anew.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/work.h"

#define LOG_STEP        32u  /* log entries read at once */
#define LOG_STEPS_MAX   128u /* further back than this, reading all places is cheaper */
#define PAGES_STEP      32u
#define WALK_PAGE_BYTES (256u << 10)
#define VANISHED_MAX    65536u /* ranges of one reply */

struct catching_up {
    struct cell *account;
    uint32_t mailbox;
    uint64_t since;
    struct arena *a;
    struct buf *entries;
    struct head_value head;
    struct mailbox_value box;
    struct uid_list changed, vanished; /* as they come: any order */
    uint64_t changed_count;
    uint64_t done; /* log entries up to here are in the lists */
    bool full;
};

static SUSPENDS enum status from_log(struct catching_up *c);
static SUSPENDS enum status read_log(struct catching_up *c, uint64_t first, uint32_t n);
static enum status take_log(struct catching_up *c, struct str value, struct arena *scratch,
                            bool *fits_out);
static enum status count_log(struct catching_up *c, struct str value, struct arena *scratch,
                             uint64_t *changed_out, uint64_t *vanished_out);
static SUSPENDS enum status read_places(struct catching_up *c, struct uid_set uids);
static SUSPENDS enum status read_pages(struct catching_up *c, const uint32_t *pages, size_t n,
                                       struct uid_set uids);
static enum status add_places(struct catching_up *c, struct str value, uint32_t page,
                              const struct uid_set *uids);
static SUSPENDS enum status from_places(struct catching_up *c);
static SUSPENDS enum status walk_places(struct catching_up *c);
static SUSPENDS enum status walk_vanished(struct catching_up *c);

enum status
message_changes(struct cell *account, const struct changes_request *r, struct arena *a,
                struct buf *entries, struct changes_reply *out)
{
    AUTO_ARENA *scratch = arena_new(ARENA_WORK);
    struct catching_up c = {.account = account,
                            .mailbox = r->mailbox,
                            .since = r->since,
                            .a = scratch,
                            .entries = entries};
    size_t before = entries->len;

    TRY(head_load(account, scratch, &c.head));
    TRY(box_load(account, r->mailbox, scratch, &c.box));
    if (!box_is_live(&c.box))
        return ERR_NOT_FOUND;
    c.done = c.head.modseq;
    if (r->since > c.head.modseq) {
        c.full = true;
    } else if (r->since < c.box.modseq) {
        if (r->since >= c.head.log_floor && c.head.modseq - r->since <= LOG_STEP * LOG_STEPS_MAX)
            TRY(from_log(&c));
        else
            TRY(from_places(&c));
    }
    struct uid_set vanished = uid_set_normal(c.vanished.ranges, c.vanished.count, a);
    if (c.full || vanished.count > VANISHED_MAX) {
        entries->len = before;
        entries->over = false;
        *out = (struct changes_reply){.modseq = c.head.modseq, .full = true};
        return OK;
    }
    *out = (struct changes_reply){.modseq = c.done,
                                  .more = c.done < c.head.modseq,
                                  .vanished = vanished.ranges,
                                  .vanished_count = vanished.count};
    return OK;
}

/* ---- by the log ---- */

static enum status
from_log(struct catching_up *c)
{
    struct head_value now;
    uint64_t from = c->since;

    c->done = c->since;
    while (c->done == from && from < c->head.modseq && !c->full) {
        uint32_t n = (uint32_t)MIN(c->head.modseq - from, LOG_STEP);
        TRY(read_log(c, from + 1, n));
        from += n;
    }
    /* Entries that are not there were never written, unless the floor has passed them meanwhile. */
    TRY(head_load(c->account, c->a, &now));
    if (now.log_floor > c->since)
        c->full = true;
    if (c->full)
        return OK;
    return read_places(c, uid_set_normal(c->changed.ranges, c->changed.count, c->a));
}

static enum status
read_log(struct catching_up *c, uint64_t first, uint32_t n)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct key keys[LOG_STEP];
    struct str names[LOG_STEP] = {0}, values[LOG_STEP];
    bool fits = true;

    for (uint32_t i = 0; i < n; i++) {
        keys[i] = key_u64(KEY_LOG, first + i);
        names[i] = key_str(&keys[i]);
    }
    TRY(cell_get_many(c->account, names, n, a, values));
    for (uint32_t i = 0; i < n; i++) {
        if (values[i].ptr != NULL)
            TRY(take_log(c, values[i], a, &fits));
        if (!fits)
            return OK;
        c->done = first + i;
    }
    return OK;
}

/* Takes an entry when what it names fits into the reply; the first one that does not and is alone is too much. */
static enum status
take_log(struct catching_up *c, struct str value, struct arena *scratch, bool *fits_out)
{
    uint64_t changed = 0, vanished = 0;
    struct log_change change;
    int64_t time_us;
    struct scan s;
    enum status st;

    TRY(count_log(c, value, scratch, &changed, &vanished));
    if (c->changed_count + changed > (c->entries->max - c->entries->len) / VIEW_ENTRY_BYTES ||
        c->vanished.count + vanished > VANISHED_MAX) {
        c->full = c->done == c->since;
        *fits_out = false;
        return OK;
    }
    c->changed_count += changed;
    TRY(log_scan(value, &time_us, &s));
    while ((st = log_next(&s, scratch, &change)) == OK) {
        if (change.mailbox != c->mailbox)
            continue;
        struct uid_list *l = change.op == LOG_REMOVED ? &c->vanished : &c->changed;
        for (size_t i = 0; i < change.uids.count; i++)
            uid_list_add(l, c->a, change.uids.ranges[i].first, change.uids.ranges[i].last);
    }
    return st == ERR_NOT_FOUND ? OK : st;
}

static enum status
count_log(struct catching_up *c, struct str value, struct arena *scratch, uint64_t *changed_out,
          uint64_t *vanished_out)
{
    struct log_change change;
    int64_t time_us;
    struct scan s;
    enum status st;

    TRY(log_scan(value, &time_us, &s));
    while ((st = log_next(&s, scratch, &change)) == OK) {
        if (change.mailbox != c->mailbox)
            continue;
        if (change.op == LOG_REMOVED)
            *vanished_out += change.uids.count;
        for (size_t i = 0; change.op != LOG_REMOVED && i < change.uids.count; i++)
            *changed_out += (uint64_t)change.uids.ranges[i].last - change.uids.ranges[i].first + 1;
    }
    return st == ERR_NOT_FOUND ? OK : st;
}

static enum status
read_places(struct catching_up *c, struct uid_set uids)
{
    uint32_t pages[PAGES_STEP];
    uint32_t uid = 0;
    size_t n = 0;

    while (uid_set_floor(uids, uid, &uid) && uid < c->box.uidnext) {
        pages[n++] = uid >> PAGE_BITS;
        uid = (pages[n - 1] + 1) << PAGE_BITS;
        if (n == PAGES_STEP || uid == 0) {
            TRY(read_pages(c, pages, n, uids));
            n = 0;
        }
        if (uid == 0)
            break;
    }
    return read_pages(c, pages, n, uids);
}

static enum status
read_pages(struct catching_up *c, const uint32_t *pages, size_t n, struct uid_set uids)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct key keys[PAGES_STEP];
    struct str names[PAGES_STEP] = {0}, values[PAGES_STEP];

    for (size_t i = 0; i < n; i++) {
        keys[i] = key_places(c->mailbox, pages[i]);
        names[i] = key_str(&keys[i]);
    }
    if (n > 0)
        TRY(cell_get_many(c->account, names, n, a, values));
    for (size_t i = 0; i < n; i++)
        TRY(add_places(c, values[i], pages[i], &uids));
    return OK;
}

/* uids NULL: those with a modseq above since. */
static enum status
add_places(struct catching_up *c, struct str value, uint32_t page, const struct uid_set *uids)
{
    uint32_t count;

    TRY(places_check(value, &count));
    for (uint32_t i = 0; i < count; i++) {
        struct place p = place_read(page << PAGE_BITS, value.ptr + 1 + i * PLACE_BYTES);
        if (p.uid >= c->box.uidnext || (uids == NULL && p.modseq <= c->since) ||
            (uids != NULL && !uid_set_has(*uids, p.uid)))
            continue;
        char *at = buf_tail(c->entries, VIEW_ENTRY_BYTES);
        if (at == NULL) {
            c->full = true;
            return OK;
        }
        view_entry_write(&p, at);
        buf_grew(c->entries, VIEW_ENTRY_BYTES);
    }
    return OK;
}

/* ---- by the places ---- */

static enum status
from_places(struct catching_up *c)
{
    enum status s;
    int tries = 0;
    size_t before = c->entries->len;

    if (c->since < c->box.vanish_floor) {
        c->full = true;
        return OK;
    }
    do {
        c->entries->len = before;
        s = walk_places(c);
    } while (work_again(&s, &tries));
    TRY(s);
    tries = 0;
    do {
        c->vanished.count = 0;
        s = walk_vanished(c);
    } while (work_again(&s, &tries));
    TRY(s);
    /* Trimmed while they were read? */
    struct mailbox_value now;
    TRY(box_load(c->account, c->mailbox, c->a, &now));
    c->full = c->full || c->since < now.vanish_floor;
    return OK;
}

static enum status
walk_places(struct catching_up *c)
{
    struct key lo = key_places(c->mailbox, 0), hi = key_places(c->mailbox, UINT32_MAX);
    struct cell_walk w = {.cell = cell_id_of(c->account),
                          .lo = key_str(&lo),
                          .hi = key_str(&hi),
                          .bytes_max = WALK_PAGE_BYTES};
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    const struct cell_entry *e;
    uint32_t mailbox, page;
    enum status s;
    size_t n;

    do {
        arena_reset(a);
        s = cell_walk_page(c->account, &w, a, &e, &n);
        for (size_t i = 0; s == OK && i < n && !c->full; i++) {
            s = ERR_CORRUPT;
            if (key_read_u32_u32(e[i].key, KEY_PLACES, &mailbox, &page))
                s = add_places(c, e[i].value, page, NULL);
        }
    } while (s == OK && n > 0 && !c->full);
    cell_walk_end(c->account, &w);
    return s;
}

static enum status
walk_vanished(struct catching_up *c)
{
    struct key lo = key_u32_u64(KEY_VANISHED, c->mailbox, c->since + 1);
    struct key hi = key_u32_u64(KEY_VANISHED, c->mailbox, UINT64_MAX);
    struct cell_walk w = {.cell = cell_id_of(c->account),
                          .lo = key_str(&lo),
                          .hi = key_str(&hi),
                          .bytes_max = WALK_PAGE_BYTES};
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    const struct cell_entry *e;
    struct uid_set uids;
    enum status s;
    size_t n;

    do {
        arena_reset(a);
        s = cell_walk_page(c->account, &w, a, &e, &n);
        for (size_t i = 0; s == OK && i < n && !c->full; i++) {
            s = vanished_read(e[i].value, a, &uids);
            for (size_t j = 0; s == OK && j < uids.count; j++)
                uid_list_add(&c->vanished, c->a, uids.ranges[j].first, uids.ranges[j].last);
            c->full = c->vanished.count > VANISHED_MAX;
        }
    } while (s == OK && n > 0 && !c->full);
    cell_walk_end(c->account, &w);
    return s;
}
