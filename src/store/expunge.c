/* expunge.c - messages removed from a mailbox.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/work.h"

struct expunging {
    struct cell *account;
    const struct expunge_request *r;
    struct instant now;
    struct arena *a;
    struct uid_list vanished;
    uint64_t modseq;
    uint32_t next; /* first UID not yet done; 0 = all done */
};
struct expunge_step {
    struct expunging *x;
    struct work w;
    struct work_box *box;
    struct arena *a; /* of the lists, which outlive the transaction */
    struct uid_list uids;
    struct id_list kept; /* mids that are still somewhere else */
};

static SUSPENDS enum status expunge_once(struct expunging *x);
static SUSPENDS enum status expunge_pages(struct expunge_step *st, uint32_t *next_out);
static SUSPENDS enum status expunge_page(struct expunge_step *st, struct places *p);
static void step_end(struct expunge_step *st);

enum status
message_expunge(struct cell *account, const struct expunge_request *r, struct instant now,
                struct arena *a, struct expunge_reply *out)
{
    struct expunging x = {.account = account, .r = r, .now = now, .a = a, .next = 1};

    while (x.next != 0) {
        enum status s;
        int tries = 0;
        do {
            s = expunge_once(&x);
        } while (work_again(&s, &tries));
        TRY(s);
    }
    *out = (struct expunge_reply){x.modseq, x.vanished.ranges, x.vanished.count};
    return OK;
}

static enum status
expunge_once(struct expunging *x)
{
    AUTO(step_end) struct expunge_step st = {.x = x, .a = arena_new(ARENA_WORK)};
    uint32_t next = 0;

    TRY(work_begin(&st.w, x->account, x->now));
    TRY(work_box_live(&st.w, x->r->mailbox, &st.box));
    TRY(expunge_pages(&st, &next));
    TRY(work_vanished(&st.w, st.box, uid_list_set(&st.uids), &st.kept));
    TRY(work_commit(&st.w));
    uid_list_join(&x->vanished, &st.uids, x->a);
    x->modseq = st.w.modseq;
    x->next = next;
    return OK;
}

static enum status
expunge_pages(struct expunge_step *st, uint32_t *next_out)
{
    struct place_pages it = {.w = &st->w,
                             .mailbox = st->box->id,
                             .uidnext = st->box->v.uidnext,
                             .uids = st->x->r->uids,
                             .next = st->x->next};
    struct places p;
    enum status s = OK;

    while (tx_group_bytes(st->w.tx) < WORK_STEP_BYTES && (s = place_pages_next(&it, &p)) == OK)
        TRY(expunge_page(st, &p));
    *next_out = it.next;
    return s == ERR_NOT_FOUND ? OK : s;
}

static enum status
expunge_page(struct expunge_step *st, struct places *p)
{
    struct gone gone[PAGE_ENTRIES];
    const struct expunge_request *r = st->x->r;
    size_t n = 0;

    for (uint32_t i = 0; i < p->count;) {
        struct place e = places_get(p, i);
        if (e.uid >= st->box->v.uidnext || !uid_set_has(r->uids, e.uid) ||
            (r->deleted_only && (e.flags & FLAG_DELETED) == 0)) {
            i++;
            continue;
        }
        gone[n++] = (struct gone){.mid = e.mid, .place = {st->box->id, e.uid}, .flags = e.flags};
        uid_list_add(&st->uids, st->a, e.uid, e.uid);
        places_remove(p, i);
    }
    if (n == 0)
        return OK;
    work_places_put(&st->w, st->box->id, p->base >> PAGE_BITS, p);
    TRY(work_gone(&st->w, gone, n));
    for (size_t i = 0; i < n; i++) {
        box_count_remove(&st->box->v, gone[i].flags, gone[i].size);
        if (!gone[i].destroyed)
            id_list_add(&st->kept, st->a, gone[i].mid);
    }
    return OK;
}

static void
step_end(struct expunge_step *st)
{
    work_end(&st->w);
    arena_free(&st->a);
}
