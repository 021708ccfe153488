/* message.c - adding messages: the hot path of the store.
 *
 * One small delivery reads head, mailbox, the last pages of places, messages, sort entries and threads, and one
 * bucket of the index, all cached when the account is warm; a page that the numbers say is new is not asked for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/message.h"

#include "store/import_internal.h"
#include "store/quota_internal.h"

struct adding {
    struct work *w;
    struct work_box *box;
    const struct message_new *m;
    uint32_t flags;
    struct message_place *place;
    bool jumped; /* over UIDs, perhaps into a page that is there */
};

static SUSPENDS enum status add_once(struct cell *account, const struct message_batch *b,
                                     struct instant now, struct message_place *places);
static SUSPENDS enum status was_delivered(struct work *w, const struct message_new *m,
                                          struct message_place *place);
static SUSPENDS enum status is_due(struct work *w, uint8_t notice, struct message_place *place);
static enum status has_room(const struct work *w, const struct work_box *box,
                            const struct message_batch *b);
static SUSPENDS enum status add_imported(struct adding *ad, const struct import_batch *b, size_t i);
static SUSPENDS enum status add_one(struct adding *ad);
static SUSPENDS enum status put_place(struct adding *ad);
static SUSPENDS enum status put_message(struct adding *ad);
static void log_created(struct work *w, uint32_t mailbox, const struct message_place *first,
                        const struct message_place *last);

enum status
message_add(struct cell *account, uint32_t mailbox, const struct message_new *m, struct instant now,
            struct message_place *out)
{
    struct message_batch b = {mailbox, m, 1, NULL};

    return message_add_all(account, &b, now, out);
}

enum status
message_add_all(struct cell *account, const struct message_batch *b, struct instant now,
                struct message_place *places_out)
{
    enum status s;
    int tries = 0;

    ASSERT(b->count > 0);
    TRY(work_may_grow(account, GROWS_A_BODY));
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct message_place *places = ARENA_ARRAY(a, struct message_place, b->count);
    do {
        s = add_once(account, b, now, places);
    } while (work_again(&s, &tries));
    if (s == OK)
        mem_copy(places_out, places, b->count * sizeof(*places));
    return s;
}

enum status
message_forget_qid(struct cell *account, uint64_t qid, uint32_t rcpt)
{
    struct key k = key_delivered(qid, rcpt);
    enum status s;
    int tries = 0;

    do {
        AUTO(tx_abort) struct tx *t = NULL;
        s = tx_begin(account, &t);
        if (s == OK) {
            tx_del(t, key_str(&k));
            s = tx_commit(&t);
        }
    } while (work_again(&s, &tries));
    return s;
}

static enum status
add_once(struct cell *account, const struct message_batch *b, struct instant now,
         struct message_place *places)
{
    AUTO(work_end) struct work w;
    struct adding ad = {.w = &w};

    TRY(work_begin(&w, account, now));
    if (b->messages[0].qid != 0) {
        TRY(was_delivered(&w, &b->messages[0], &places[0]));
        if (places[0].was_here)
            return work_commit(&w);
    }
    if (b->messages[0].notice != QUOTA_FINE) {
        TRY(is_due(&w, b->messages[0].notice, &places[0]));
        if (places[0].was_here)
            return OK;
    }
    TRY(work_box_live(&w, b->mailbox, &ad.box));
    TRY(b->import != NULL ? import_begin(&w, ad.box, b->import) : has_room(&w, ad.box, b));
    if (b->count > UINT32_MAX - ad.box->v.uidnext)
        return ERR_LIMIT;
    for (size_t i = 0; i < b->count; i++) {
        ad.m = &b->messages[i];
        ad.place = &places[i];
        struct keyword_list l = {ad.m->keywords, ad.m->keyword_count};
        TRY(work_box_keywords(&w, ad.box, l, KEYWORDS_SOME, &ad.flags));
        ad.flags |= ad.m->flags & FLAGS_SYSTEM;
        TRY(b->import != NULL ? add_imported(&ad, b->import, i) : add_one(&ad));
    }
    if (b->import == NULL) /* a notice would be new mail, in the midst of the old */
        TRY(quota_due(&w, &places[0].notice));
    work_box_touch(&w, ad.box);
    log_created(&w, b->mailbox, &places[0], &places[b->count - 1]);
    return work_commit(&w);
}

static enum status
was_delivered(struct work *w, const struct message_new *m, struct message_place *place)
{
    struct key k = key_delivered(m->qid, m->rcpt);
    struct str value;
    uint64_t mid;

    *place = (struct message_place){0};
    TRY(work_peek(w, &k, &value));
    if (value.ptr == NULL)
        return OK;
    TRY(number_read(value, ID48_MAX, &mid));
    *place = (struct message_place){.modseq = w->head.modseq, .mid = mid, .was_here = true};
    return OK;
}

static enum status
is_due(struct work *w, uint8_t notice, struct message_place *place)
{
    bool due;

    TRY(quota_told(w, notice, &due));
    *place = (struct message_place){.modseq = w->head.modseq, .was_here = !due};
    return OK;
}

static enum status
has_room(const struct work *w, const struct work_box *box, const struct message_batch *b)
{
    const unsigned saved = 1u << SPECIAL_SENT | 1u << SPECIAL_DRAFTS;
    struct quota_more more = {.messages = b->count, .grace = (saved >> box->v.special & 1) != 0};

    if (b->messages[0].notice != QUOTA_FINE) /* bounded by there being two */
        return OK;
    for (size_t i = 0; i < b->count; i++) {
        if (__builtin_add_overflow(more.bytes, b->messages[i].size, &more.bytes))
            return ERR_LIMIT;
    }
    return quota_has_room(&w->head, &more);
}

static enum status
add_imported(struct adding *ad, const struct import_batch *b, size_t i)
{
    uint32_t before = ad->box->v.uidnext;

    TRY(import_uid(ad->w, ad->box, b, i));
    if (ad->box->v.uidnext == UINT32_MAX)
        return ERR_LIMIT;
    ad->jumped = ad->box->v.uidnext != before;
    TRY(add_one(ad));
    const struct import_done done = {ad->place->uid, ad->flags};
    return import_note(ad->w, ad->box, &b->origins[i], &done);
}

static enum status
add_one(struct adding *ad)
{
    struct work *w = ad->w;
    const struct message_new *m = ad->m;
    uint64_t mid = w->head.next_mid;

    ASSERT(m->record.len <= LIMIT_RECORD_BYTES && m->sort.len <= SORT_ENTRY_MAX);
    if (mid > ID48_MAX - 1)
        return ERR_LIMIT;
    *ad->place = (struct message_place){.uidvalidity = ad->box->v.uidvalidity,
                                        .uid = ad->box->v.uidnext,
                                        .modseq = w->modseq,
                                        .mid = mid};
    TRY(thread_join(w, m, mid, &ad->place->tid));
    TRY(put_place(ad));
    TRY(put_message(ad));
    if (m->sort.len > 0) {
        struct key k = key_sort(mid);
        uint8_t low = mid % (1u << SORT_PAGE_BITS);
        TRY(work_entry_put(w, &k, low == 0, low, m->sort));
    }
    if (m->qid != 0) {
        struct key k = key_delivered(m->qid, m->rcpt);
        char number[NUMBER_BYTES];
        work_put(w, &k, number_write(mid, number));
    }
    tx_ref_add(w->tx, m->blob);
    if (m->record.len > 0)
        tx_record_put(w->tx, mid, m->record);
    ad->box->v.uidnext++;
    box_count_add(&ad->box->v, ad->flags, m->size);
    w->head.next_mid++;
    w->head.messages++;
    w->head.bytes += m->size;
    return OK;
}

static enum status
put_place(struct adding *ad)
{
    uint32_t uid = ad->place->uid, page = uid >> PAGE_BITS;
    struct places p = {.base = page << PAGE_BITS, .bytes = {PAGE_VERSION}};
    struct place place = {uid, ad->flags, ad->w->modseq, ad->place->mid};

    if (uid % PAGE_ENTRIES != 0 || ad->jumped)
        TRY(work_places(ad->w, ad->box->id, page, &p));
    if (p.count > 0 && places_get(&p, p.count - 1).uid >= uid)
        return ERR_CORRUPT;
    places_add(&p, &place);
    work_places_put(ad->w, ad->box->id, page, &p);
    return OK;
}

static enum status
put_message(struct adding *ad)
{
    uint64_t mid = ad->place->mid;
    struct key k = key_messages(mid);
    struct message_value v = {
        .blob = ad->m->blob,
        .size = ad->m->size,
        .tid = ad->place->tid,
        .received_us = ad->m->received.us,
        .saved_us = ad->w->now.us,
        .count = 1,
    };

    v.places[0] = (struct placement){ad->box->id, ad->place->uid};
    buf_reset(&ad->w->entry);
    message_entry_write(&v, &ad->w->entry);
    return work_entry_put(ad->w, &k, mid % PAGE_ENTRIES == 0, mid % PAGE_ENTRIES,
                          buf_str(&ad->w->entry));
}

static void
log_created(struct work *w, uint32_t mailbox, const struct message_place *first,
            const struct message_place *last)
{
    struct uid_range uids = {first->uid, last->uid};
    struct id_range mids = {first->mid, last->mid};
    struct log_change c = {LOG_CREATED, mailbox, {&uids, 1}, &mids, 1};

    work_log(w, &c);
}
