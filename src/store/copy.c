/* copy.c - COPY and MOVE inside an account: the same message in one more, or another, mailbox.
 *
 * No body is touched, the mid stays (RFC 8474 section 5.1), quota does not change.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/copy_internal.h"
#include "store/spam.h"

#define YIELD_MESSAGES 256u /* so many, and then others run */

static SUSPENDS enum status copy_once(const struct copying *c, bool *too_many_out,
                                      struct copy_reply *out);
static SUSPENDS enum status write_places(struct work *w, const struct copy_target *t,
                                         struct copied_list *list);
static SUSPENDS enum status write_message(struct work *w, const struct copy_target *t,
                                          const struct placement *old, struct copied *item);
static SUSPENDS enum status teach(struct work *w, const struct copy_request *r,
                                  const struct copied_list *list, bool *out);
static enum status collect_page(const struct places *p, const struct work_box *from,
                                const struct copy_request *r, struct work *w,
                                struct copied_list *list);

enum status
message_copy(struct cell *account, const struct copy_request *r, struct instant now,
             struct arena *a, struct copy_reply *out)
{
    struct copying c = {account, r, now, a};
    bool too_many = false;
    enum status s;
    int tries = 0;

    TRY(work_may_grow(account, GROWS_A_LITTLE));
    do {
        s = copy_once(&c, &too_many, out);
    } while (work_again(&s, &tries));
    if (s == OK && too_many)
        return copy_staged(&c, out);
    return s;
}

static enum status
copy_once(const struct copying *c, bool *too_many_out, struct copy_reply *out)
{
    AUTO(work_end) struct work w;
    struct work_box *from, *to;
    struct copied_list list = {.max = COPY_DIRECT_MAX};
    struct copy_reply reply;
    uint32_t next = 1;

    TRY(work_begin(&w, c->account, c->now));
    TRY(work_box_live(&w, c->r->mailbox, &from));
    TRY(work_box_live(&w, c->r->to, &to));
    TRY(copy_collect(&w, from, c->r, &list, &next));
    *too_many_out = next != 0;
    if (next != 0)
        return OK;
    if (list.count > UINT32_MAX - to->v.uidnext)
        return ERR_LIMIT;
    TRY(copy_keywords(&w, from, to, &list));
    struct copy_target t = {to, to->v.uidnext, w.modseq};
    TRY(copy_write(&w, &t, from->id, c->r->move, &list));
    *too_many_out = tx_group_bytes(w.tx) > LIMIT_COMMIT_BYTES / 2;
    if (*too_many_out)
        return OK;
    to->v.uidnext += (uint32_t)list.count;
    if (list.count > 0)
        copy_enter(&w, to, &list);
    if (c->r->move)
        TRY(copy_take_away(&w, from, &list));
    copy_answer(&list, to->v.uidvalidity, w.changed ? w.modseq : w.head.modseq, c->a, &reply);
    TRY(teach(&w, c->r, &list, &reply.lesson));
    TRY(work_commit(&w));
    *out = reply;
    return OK;
}

/* What a move to or from the mailbox for junk says.  Copies that need several commits are no judgement. */
static enum status
teach(struct work *w, const struct copy_request *r, const struct copied_list *list, bool *out)
{
    const struct spam_move m = {r->mailbox, r->to};
    struct id_list mids = {0};

    for (size_t i = 0; i < list->count; i++)
        id_list_add(&mids, w->a, list->items[i].mid);
    return spam_teach(w, spam_kind_of_move(w, &m), &mids, out);
}

enum status
copy_collect(struct work *w, const struct work_box *from, const struct copy_request *r,
             struct copied_list *list, uint32_t *next)
{
    struct place_pages it = {
        .w = w, .mailbox = from->id, .uidnext = from->v.uidnext, .uids = r->uids, .next = *next};
    struct places p;
    enum status s = OK;

    while (list->count + PAGE_ENTRIES <= list->max && (s = place_pages_next(&it, &p)) == OK)
        TRY(collect_page(&p, from, r, w, list));
    *next = it.next;
    return s == ERR_NOT_FOUND ? OK : s;
}

static enum status
collect_page(const struct places *p, const struct work_box *from, const struct copy_request *r,
             struct work *w, struct copied_list *list)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct place e = places_get(p, i);
        if (e.uid >= from->v.uidnext || !uid_set_has(r->uids, e.uid))
            continue;
        copied_add(list, w->a,
                   &(struct copied){.from = e.uid, .flags_before = e.flags, .mid = e.mid});
    }
    return OK;
}

void
copied_add(struct copied_list *l, struct arena *a, const struct copied *item)
{
    if (l->count == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : PAGE_ENTRIES;
        struct copied *more = ARENA_ARRAY(a, struct copied, cap);
        mem_copy(more, l->items, l->count * sizeof(*more));
        l->items = more;
        l->cap = cap;
    }
    l->items[l->count++] = *item;
}

/* Keywords are bits of a mailbox's own table.  Those that find no room in the target's are lost. */
enum status
copy_keywords(struct work *w, const struct work_box *from, struct work_box *to,
              struct copied_list *list)
{
    uint32_t bit_of[LIMIT_KEYWORDS] = {0};
    uint32_t used = 0;

    for (size_t i = 0; i < list->count; i++)
        used |= list->items[i].flags_before;
    for (uint32_t k = 0; k < from->v.keyword_count; k++) {
        struct str name = from->v.keywords[k];
        if (used & 1u << (FLAG_KEYWORD_SHIFT + k))
            TRY(work_box_keywords(w, to, (struct keyword_list){&name, 1}, KEYWORDS_SOME,
                                  &bit_of[k]));
    }
    for (size_t i = 0; i < list->count; i++) {
        struct copied *c = &list->items[i];
        c->flags = c->flags_before & FLAGS_SYSTEM;
        for (uint32_t k = 0; k < from->v.keyword_count; k++) {
            if (c->flags_before & 1u << (FLAG_KEYWORD_SHIFT + k))
                c->flags |= bit_of[k];
        }
    }
    return OK;
}

enum status
copy_write(struct work *w, const struct copy_target *t, uint32_t from, bool replace,
           struct copied_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct copied *c = &list->items[i];
        struct placement old = {from, c->from};
        c->into = t->uid + (uint32_t)i;
        if (i % YIELD_MESSAGES == YIELD_MESSAGES - 1)
            fiber_yield();
        TRY(write_message(w, t, replace ? &old : NULL, c));
    }
    return write_places(w, t, list);
}

static enum status
write_message(struct work *w, const struct copy_target *t, const struct placement *old,
              struct copied *item)
{
    struct key k = key_messages(item->mid);
    struct message_value v;
    struct str body;
    uint32_t at = 0;

    enum status s = work_entry(w, &k, item->mid % PAGE_ENTRIES, &body);
    if (s != OK)
        return s == ERR_NOT_FOUND ? ERR_CORRUPT : s;
    TRY(message_entry_read(body, &v));
    while (at < v.count &&
           (old == NULL || v.places[at].mailbox != old->mailbox || v.places[at].uid != old->uid))
        at++;
    if (at == LIMIT_PLACEMENTS)
        return ERR_LIMIT;
    v.places[at] = (struct placement){t->box->id, item->into};
    v.count = MAX(v.count, at + 1);
    item->size = v.size;
    buf_reset(&w->entry);
    message_entry_write(&v, &w->entry);
    return work_entry_put(w, &k, false, item->mid % PAGE_ENTRIES, buf_str(&w->entry));
}

static enum status
write_places(struct work *w, const struct copy_target *t, struct copied_list *list)
{
    struct places p;
    uint32_t page = UINT32_MAX;

    for (size_t i = 0; i < list->count; i++) {
        const struct copied *c = &list->items[i];
        struct place e = {c->into, c->flags, t->modseq, c->mid};
        if (c->into >> PAGE_BITS != page) {
            if (page != UINT32_MAX)
                work_places_put(w, t->box->id, page, &p);
            page = c->into >> PAGE_BITS;
            TRY(work_places(w, t->box->id, page, &p));
            if (p.count > 0 && places_get(&p, p.count - 1).uid >= c->into)
                return ERR_CORRUPT;
        }
        places_add(&p, &e);
    }
    if (page != UINT32_MAX)
        work_places_put(w, t->box->id, page, &p);
    return OK;
}

/* Places that others removed since are passed over.  The messages' own entries are not touched: copy_write() or
 * stage_sweep() has done that. */
enum status
copy_take_away(struct work *w, struct work_box *from, const struct copied_list *list)
{
    struct uid_list uids = {0};
    struct id_list mids = {0};
    struct places p = {0};
    uint32_t page = UINT32_MAX;

    for (size_t i = 0; i < list->count; i++) {
        const struct copied *c = &list->items[i];
        if (c->from >> PAGE_BITS != page) {
            if (page != UINT32_MAX)
                work_places_put(w, from->id, page, &p);
            page = c->from >> PAGE_BITS;
            TRY(work_places(w, from->id, page, &p));
        }
        uint32_t at = places_floor(&p, c->from);
        if (at == p.count || places_get(&p, at).uid != c->from)
            continue;
        box_count_remove(&from->v, places_get(&p, at).flags, c->size);
        places_remove(&p, at);
        uid_list_add(&uids, w->a, c->from, c->from);
        id_list_add(&mids, w->a, c->mid);
    }
    if (page != UINT32_MAX)
        work_places_put(w, from->id, page, &p);
    return work_vanished(w, from, uid_list_set(&uids), &mids);
}

void
copy_enter(struct work *w, struct work_box *to, const struct copied_list *list)
{
    struct uid_range uids = {list->items[0].into, list->items[list->count - 1].into};
    struct id_list mids = {0};

    for (size_t i = 0; i < list->count; i++) {
        box_count_add(&to->v, list->items[i].flags, list->items[i].size);
        id_list_add(&mids, w->a, list->items[i].mid);
    }
    work_box_touch(w, to);
    work_log(w, &(struct log_change){LOG_ADDED, to->id, {&uids, 1}, mids.ranges, mids.count});
}

void
copy_answer(const struct copied_list *list, uint32_t uidvalidity, uint64_t modseq, struct arena *a,
            struct copy_reply *out)
{
    struct uid_list from = {0}, into = {0};

    for (size_t i = 0; i < list->count; i++) {
        uid_list_add(&from, a, list->items[i].from, list->items[i].from);
        uid_list_add(&into, a, list->items[i].into, list->items[i].into);
    }
    *out = (struct copy_reply){.modseq = modseq,
                               .uidvalidity = uidvalidity,
                               .from = from.ranges,
                               .into = into.ranges,
                               .from_count = from.count,
                               .into_count = into.count};
}
