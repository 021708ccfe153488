/* flags.c - flags and keywords of messages set, added, removed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/spam.h"

struct flagging {
    struct cell *account;
    const struct flags_request *r;
    struct arena *a;
    struct buf *entries;
    struct uid_list refused;
    uint64_t modseq;
    uint32_t next; /* first UID not yet done; 0 = all done */
    bool truncated, lesson;
};
/* One commit of it: what it found, kept only when it succeeds. */
struct flag_step {
    struct flagging *f;
    struct work w;
    struct work_box *box;
    struct arena *a; /* of the lists, which outlive the transaction */
    uint32_t bits;   /* of the request */
    struct uid_list uids, refused;
    struct id_list mids;
    uint32_t next;
    bool truncated;
};

static SUSPENDS enum status flags_once(struct flagging *f);
static SUSPENDS enum status flags_pages(struct flag_step *st);
static bool flags_page(struct flag_step *st, struct places *p);
static uint32_t flags_after(const struct flags_request *r, uint32_t before, uint32_t bits);
static void step_end(struct flag_step *st);

enum status
message_flags(struct cell *account, const struct flags_request *r, struct arena *a,
              struct buf *entries, struct flags_reply *out)
{
    struct flagging f = {.account = account, .r = r, .a = a, .entries = entries, .next = 1};

    ASSERT((r->flags & ~FLAGS_SYSTEM) == 0);
    while (f.next != 0) {
        enum status s;
        int tries = 0;
        do {
            s = flags_once(&f);
        } while (work_again(&s, &tries));
        TRY(s);
    }
    *out = (struct flags_reply){.modseq = f.modseq,
                                .truncated = f.truncated,
                                .refused = f.refused.ranges,
                                .refused_count = f.refused.count,
                                .lesson = f.lesson};
    return OK;
}

static enum status
flags_once(struct flagging *f)
{
    AUTO(step_end) struct flag_step st = {.f = f, .a = arena_new(ARENA_WORK)};
    const struct flags_request *r = f->r;
    struct keyword_list keywords = {r->keywords, r->keyword_count};
    size_t before = f->entries->len;
    bool lesson = false;

    TRY(work_begin(&st.w, f->account, (struct instant){0}));
    TRY(work_box_live(&st.w, r->mailbox, &st.box));
    TRY(work_box_keywords(&st.w, st.box, keywords,
                          r->op == FLAGS_REMOVE ? KEYWORDS_KNOWN : KEYWORDS_ALL, &st.bits));
    st.bits |= r->flags;
    enum status s = flags_pages(&st);
    if (s == OK && st.uids.count > 0) {
        struct log_change c = {LOG_FLAGS, r->mailbox, uid_list_set(&st.uids), st.mids.ranges,
                               st.mids.count};
        work_box_touch(&st.w, st.box);
        work_log(&st.w, &c);
    }
    if (s == OK && r->op != FLAGS_REMOVE)
        s = spam_teach(&st.w, spam_kind_of_keywords(r->keywords, r->keyword_count), &st.mids,
                       &lesson);
    if (s == OK)
        s = work_commit(&st.w);
    if (s != OK) {
        f->entries->len = before;
        return s;
    }
    uid_list_join(&f->refused, &st.refused, f->a);
    f->modseq = st.w.modseq;
    f->truncated |= st.truncated;
    f->lesson |= lesson;
    f->next = st.next;
    return OK;
}

static enum status
flags_pages(struct flag_step *st)
{
    const struct flags_request *r = st->f->r;
    struct place_pages it = {.w = &st->w,
                             .mailbox = r->mailbox,
                             .uidnext = st->box->v.uidnext,
                             .uids = r->uids,
                             .next = st->f->next};
    struct places p;
    enum status s = OK;

    while (tx_group_bytes(st->w.tx) < WORK_STEP_BYTES && (s = place_pages_next(&it, &p)) == OK) {
        if (flags_page(st, &p))
            work_places_put(&st->w, r->mailbox, p.base >> PAGE_BITS, &p);
    }
    st->next = it.next;
    return s == ERR_NOT_FOUND ? OK : s;
}

/* True when it changed something. */
static bool
flags_page(struct flag_step *st, struct places *p)
{
    const struct flags_request *r = st->f->r;
    bool changed = false;

    for (uint32_t i = 0; i < p->count; i++) {
        struct place e = places_get(p, i);
        if (e.uid >= st->box->v.uidnext || !uid_set_has(r->uids, e.uid))
            continue;
        if (r->unchanged_since != UNCHANGED_ANY && e.modseq > r->unchanged_since) {
            uid_list_add(&st->refused, st->a, e.uid, e.uid);
            continue;
        }
        uint32_t flags = flags_after(r, e.flags, st->bits);
        if (flags == e.flags)
            continue;
        box_count_flags(&st->box->v, e.flags, flags);
        e.flags = flags;
        e.modseq = st->w.modseq;
        places_set(p, i, &e);
        changed = true;
        uid_list_add(&st->uids, st->a, e.uid, e.uid);
        id_list_add(&st->mids, st->a, e.mid);
        char *at = st->truncated ? NULL : buf_tail(st->f->entries, VIEW_ENTRY_BYTES);
        if (at == NULL) {
            st->truncated = true;
            st->f->entries->over = false;
            continue;
        }
        view_entry_write(&e, at);
        buf_grew(st->f->entries, VIEW_ENTRY_BYTES);
    }
    return changed;
}

static uint32_t
flags_after(const struct flags_request *r, uint32_t before, uint32_t bits)
{
    switch (r->op) {
    case FLAGS_SET: return bits;
    case FLAGS_ADD: return before | bits;
    case FLAGS_REMOVE: return before & ~bits;
    }
    UNREACHABLE();
}

static void
step_end(struct flag_step *st)
{
    work_end(&st->w);
    arena_free(&st->a);
}
