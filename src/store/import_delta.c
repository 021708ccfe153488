/* import_delta.c - a source looked at again: flags that changed there, messages that are gone from it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/import_internal.h"

#define REMOVE_STEP 1024u

struct flagging {
    struct work w;
    struct work_box *box;
    struct uid_list uids;
    struct id_list mids;
};

static SUSPENDS enum status flags_once(struct cell *account, const struct import_changes *c);
static SUSPENDS enum status change_one(struct flagging *f, const struct import_change *c);
static SUSPENDS enum status flag_place(struct flagging *f, uint32_t uid, uint32_t set,
                                       uint32_t clear);
static SUSPENDS enum status drop_entries(struct cell *account, uint32_t mailbox,
                                         struct uid_set uids);
static SUSPENDS enum status drop_once(struct cell *account, uint32_t mailbox, struct uid_set uids);
static void flagging_end(struct flagging *f);

enum status
import_flags(struct cell *account, const struct import_changes *c)
{
    enum status s;
    int tries = 0;

    do {
        s = flags_once(account, c);
    } while (work_again(&s, &tries));
    return s;
}

static enum status
flags_once(struct cell *account, const struct import_changes *c)
{
    AUTO(flagging_end) struct flagging f = {0};

    TRY(work_begin(&f.w, account, (struct instant){0}));
    TRY(work_box_live(&f.w, c->mailbox, &f.box));
    for (size_t i = 0; i < c->count; i++)
        TRY(change_one(&f, &c->changes[i]));
    if (f.uids.count > 0) {
        struct log_change l = {LOG_FLAGS, c->mailbox, uid_list_set(&f.uids), f.mids.ranges,
                               f.mids.count};
        work_box_touch(&f.w, f.box);
        work_log(&f.w, &l);
    }
    return work_commit(&f.w);
}

/* Against what the source had, so that a flag which was set or cleared here alone stays so. */
static enum status
change_one(struct flagging *f, const struct import_change *c)
{
    struct work *w = &f->w;
    struct key page = key_imports(f->box->id, c->uid >> PAGE_BITS);
    struct keyword_list l = {c->keywords, c->keyword_count};
    uint8_t low = c->uid % PAGE_ENTRIES;
    struct import_entry e = {.uid = c->uid};
    struct str body;
    uint32_t bits;

    enum status s = work_entry(w, &page, low, &body);
    if (s == ERR_NOT_FOUND)
        return OK;
    TRY(s);
    body = arena_str(w->a, body);
    TRY(import_entry_read(body, &e));
    TRY(work_box_keywords(w, f->box, l, KEYWORDS_SOME, &bits));
    bits |= c->flags & FLAGS_SYSTEM;
    if (bits == e.flags)
        return OK;
    TRY(flag_place(f, c->uid, bits & ~e.flags, e.flags & ~bits));
    e.flags = bits;
    buf_reset(&w->entry);
    import_entry_write(&e, &w->entry);
    return work_entry_put(w, &page, false, low, buf_str(&w->entry));
}

static enum status
flag_place(struct flagging *f, uint32_t uid, uint32_t set, uint32_t clear)
{
    struct work *w = &f->w;
    uint32_t page = uid >> PAGE_BITS;
    struct places p;

    TRY(work_places(w, f->box->id, page, &p));
    uint32_t at = places_floor(&p, uid);
    if (at == p.count || uid >= f->box->v.uidnext)
        return OK;
    struct place e = places_get(&p, at);
    uint32_t flags = (e.flags & ~clear) | set;
    if (e.uid != uid || flags == e.flags)
        return OK;
    box_count_flags(&f->box->v, e.flags, flags);
    e.flags = flags;
    e.modseq = w->modseq;
    places_set(&p, at, &e);
    work_places_put(w, f->box->id, page, &p);
    uid_list_add(&f->uids, w->a, uid, uid);
    id_list_add(&f->mids, w->a, e.mid);
    return OK;
}

static void
flagging_end(struct flagging *f)
{
    work_end(&f->w);
}

/* The messages first: after a crash in between the entries are still there for the next time. */
enum status
import_remove(struct cell *account, const struct import_gone *g, struct instant now)
{
    struct import_page page = {.mailbox = g->mailbox, .max = REMOVE_STEP};
    struct import_list l = {.more = g->uids.count > 0};

    if (l.more)
        page.from_uid = g->uids.ranges[0].first;
    while (l.more) {
        AUTO_ARENA *a = arena_new(ARENA_WORK);
        struct uid_list uids = {0};
        struct expunge_reply gone;

        TRY(import_list(account, &page, a, &l));
        for (size_t i = 0; i < l.count; i++) {
            page.from_uid = l.entries[i].uid + 1;
            if (uid_set_has(g->uids, l.entries[i].uid))
                uid_list_add(&uids, a, l.entries[i].uid, l.entries[i].uid);
        }
        if (uids.count == 0)
            continue;
        const struct expunge_request r = {g->mailbox, uid_list_set(&uids), false};
        TRY(message_expunge(account, &r, now, a, &gone));
        TRY(drop_entries(account, g->mailbox, r.uids));
    }
    return OK;
}

static enum status
drop_entries(struct cell *account, uint32_t mailbox, struct uid_set uids)
{
    enum status s;
    int tries = 0;

    do {
        s = drop_once(account, mailbox, uids);
    } while (work_again(&s, &tries));
    return s;
}

static enum status
drop_once(struct cell *account, uint32_t mailbox, struct uid_set uids)
{
    AUTO(work_end) struct work w;
    struct str body;

    TRY(work_begin(&w, account, (struct instant){0}));
    for (size_t i = 0; i < uids.count; i++) {
        for (uint32_t uid = uids.ranges[i].first; uid <= uids.ranges[i].last; uid++) {
            struct key page = key_imports(mailbox, uid >> PAGE_BITS);
            enum status s = work_entry(&w, &page, uid % PAGE_ENTRIES, &body);
            if (s == OK)
                s = work_entry_put(&w, &page, false, uid % PAGE_ENTRIES, STR_NONE);
            if (s != ERR_NOT_FOUND)
                TRY(s);
        }
    }
    return work_commit(&w);
}
