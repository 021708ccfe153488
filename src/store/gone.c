/* gone.c - placements taken from messages.
 *
 * A message without placements no longer counts and has left its thread, but its entry and its body stay for
 * LIMIT_UNDELETE_DAYS; a G entry says when the reaper takes them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "store/work.h"

#define DAY_S         86400u
#define VANISHED_TRIM 256u

static int by_mid(const void *a, const void *b);
static SUSPENDS enum status gone_one(struct work *w, struct gone *g);
static void placement_remove(struct message_value *m, struct placement p);
static SUSPENDS enum status trim_vanished(struct work *w, struct work_box *b);
static enum status keep_until(struct work *w, const struct id_list *mids);

enum status
work_gone(struct work *w, struct gone *g, size_t n)
{
    qsort(g, n, sizeof(*g), by_mid);
    for (size_t i = 0; i < n; i++) {
        TRY(gone_one(w, &g[i]));
        if (g[i].destroyed)
            id_list_add(&w->destroyed, w->a, g[i].mid);
    }
    return OK;
}

enum status
work_gone_end(struct work *w)
{
    const struct id_list *d = &w->destroyed;
    struct log_change c = {LOG_DESTROYED, .mids = d->ranges, .mid_count = d->count};

    if (d->count == 0)
        return OK;
    work_log(w, &c);
    return keep_until(w, d);
}

enum status
work_vanished(struct work *w, struct work_box *b, struct uid_set uids, const struct id_list *mids)
{
    struct log_change c = {LOG_REMOVED, b->id, uids, mids->ranges, mids->count};
    struct key k = key_u32_u64(KEY_VANISHED, b->id, w->modseq);

    if (uids.count == 0)
        return OK;
    work_box_touch(w, b);
    work_log(w, &c);
    buf_reset(&w->entry);
    buf_add_char(&w->entry, VALUE_VERSION);
    uid_ranges_write(uids.ranges, uids.count, &w->entry);
    TRY(buf_status(&w->entry));
    work_put(w, &k, buf_str(&w->entry));
    b->v.vanish_count++;
    return b->v.vanish_count > LIMIT_VANISHED_RECORDS ? trim_vanished(w, b) : OK;
}

/* The oldest records go, and the floor rises over them. */
static enum status
trim_vanished(struct work *w, struct work_box *b)
{
    struct key lo = key_u32_u64(KEY_VANISHED, b->id, 0);
    struct key hi = key_u32_u64(KEY_VANISHED, b->id, w->modseq);
    const struct cell_entry *e;
    uint32_t mailbox;
    size_t n;

    TRY(tx_range(w->tx, (struct tx_span){key_str(&lo), key_str(&hi), VANISHED_TRIM}, &e, &n));
    for (size_t i = 0; i < n; i++) {
        if (!key_read_u32_u64(e[i].key, KEY_VANISHED, &mailbox, &b->v.vanish_floor))
            return ERR_CORRUPT;
        tx_del(w->tx, e[i].key);
    }
    b->v.vanish_count -= (uint32_t)n;
    return OK;
}

static enum status
gone_one(struct work *w, struct gone *g)
{
    struct message_value m;
    struct key k = key_messages(g->mid);
    struct str body;

    enum status s = work_entry(w, &k, g->mid % PAGE_ENTRIES, &body);
    if (s == ERR_NOT_FOUND)
        return ERR_CORRUPT; /* a place without its message */
    TRY(s);
    TRY(message_entry_read(body, &m));
    uint32_t before = m.count;
    placement_remove(&m, g->place);
    g->size = m.size;
    g->destroyed = before > 0 && m.count == 0;
    buf_reset(&w->entry);
    message_entry_write(&m, &w->entry);
    TRY(work_entry_put(w, &k, false, g->mid % PAGE_ENTRIES, buf_str(&w->entry)));
    if (!g->destroyed)
        return OK;
    if (w->head.bytes < m.size || w->head.messages == 0)
        return ERR_CORRUPT;
    w->head.bytes -= m.size;
    w->head.messages--;
    w->head_dirty = true;
    return thread_leave(w, m.tid, g->mid);
}

static void
placement_remove(struct message_value *m, struct placement p)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (m->places[i].mailbox == p.mailbox && m->places[i].uid == p.uid) {
            m->places[i] = m->places[--m->count];
            return;
        }
    }
}

static enum status
keep_until(struct work *w, const struct id_list *mids)
{
    uint32_t due = (uint32_t)(w->now.us / 1000000) + LIMIT_UNDELETE_DAYS * DAY_S;
    struct key k = key_u32_u64(KEY_GONE, due, w->modseq);

    buf_reset(&w->entry);
    buf_add_char(&w->entry, VALUE_VERSION);
    id_ranges_write(mids->ranges, mids->count, &w->entry);
    TRY(buf_status(&w->entry));
    work_put(w, &k, buf_str(&w->entry));
    if (w->head.next_due == 0 || due < w->head.next_due)
        w->head.next_due = due;
    w->head_dirty = true;
    return OK;
}

static int
by_mid(const void *a, const void *b)
{
    const struct gone *x = a, *y = b;

    return (x->mid > y->mid) - (x->mid < y->mid);
}
