/* directory_deleted.c - what becomes of removed accounts.
 *
 * What is known of them stands in the notes of their removal (directory_reap.c).  An account that is being brought back
 * or dropped is in one hand at a time: a name for a cell that is half dropped would be mail lost.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/directory_deleted.h"

#include "base/size.h"
#include "rt/clock.h"
#include "store/account.h"
#include "store/directory_internal.h"

#define SECOND_US INT64_C(1000000)

SUSPENDS static enum status page_add(struct directory *d, const struct directory_reap_note *r,
                                     struct arena *a, struct directory_deleted *list, size_t *n);
SUSPENDS static enum status bring_back(struct directory *d, uint64_t account, struct str as);
SUSPENDS static enum status purge(struct directory *d, uint64_t account,
                                  struct directory_purged *out);

enum status
directory_deleted_list(struct directory *d, const struct directory_deleted_page *p,
                       const struct directory_deleted **out, size_t *n_out)
{
    struct directory_deleted *list = ARENA_ARRAY(p->a, struct directory_deleted, p->max);
    struct directory_reap_note after = {.due_s = p->after_s, .account = p->after};
    size_t n = 0;

    ASSERT(p->max > 0);
    if (d->source != &directory_built_in)
        return ERR_DENIED;
    while (n < p->max) {
        AUTO_ARENA *a = arena_new(1 << 20);
        struct directory_reap_note *notes;
        size_t count;
        TRY(directory_reap_notes(d, &after, a, &notes, &count));
        if (count == 0)
            break;
        for (size_t i = 0; i < count && n < p->max; i++)
            TRY(page_add(d, &notes[i], p->a, list, &n));
        after = (struct directory_reap_note){.due_s = notes[count - 1].due_s,
                                             .account = notes[count - 1].account};
    }
    *out = list;
    *n_out = n;
    return OK;
}

enum status
directory_deleted_find(struct directory *d, struct str address, struct arena *a,
                       struct directory_deleted *out)
{
    struct str canonical;
    bool found = false;
    size_t n;
    struct directory_deleted_page p = {.max = 256};

    TRY(directory_canonical(d, address, a, &canonical, NULL));
    do {
        AUTO_ARENA *page = arena_new(1 << 20);
        const struct directory_deleted *list;
        p.a = page;
        TRY(directory_deleted_list(d, &p, &list, &n));
        for (size_t i = 0; i < n; i++) {
            if (!str_eq(list[i].address, canonical))
                continue;
            *out = list[i]; /* the last one to end was the last one to be deleted */
            out->address = canonical;
            found = true;
        }
        if (n > 0) {
            p.after_s = list[n - 1].ends_s;
            p.after = list[n - 1].account;
        }
    } while (n == p.max);
    return found ? OK : ERR_NOT_FOUND;
}

enum status
directory_deleted_by_id(struct directory *d, uint64_t account, struct arena *a,
                        struct directory_deleted *out)
{
    struct directory_reap_note note;
    size_t n = 0;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_reap_find(d, account, a, &note));
    TRY(page_add(d, &note, a, out, &n));
    return n == 1 ? OK : ERR_NOT_FOUND;
}

enum status
directory_account_undelete(struct directory *d, uint64_t account, struct str as)
{
    AUTO_ARENA *a = arena_new(8192);
    struct str address;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_canonical(d, as, a, &address, NULL));
    TRY(directory_take_in_hand(d, account));
    enum status st = bring_back(d, account, address);
    directory_let_go(d, account);
    return st;
}

enum status
directory_account_expire(struct directory *d, uint64_t account)
{
    AUTO_ARENA *a = arena_new(4 * DIRECTORY_VALUE_MAX);
    struct directory_reap_note note;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_take_in_hand(d, account));
    enum status st = directory_reap_find(d, account, a, &note);
    if (st == OK) {
        note.due_s = MIN(note.due_s, clock_now().us / SECOND_US);
        st = directory_reap_note(d, &note, true);
    }
    directory_let_go(d, account);
    return st;
}

enum status
directory_account_purge(struct directory *d, uint64_t account, struct directory_purged *out)
{
    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_take_in_hand(d, account));
    enum status st = purge(d, account, out);
    directory_let_go(d, account);
    return st;
}

/* ---- in one hand ---- */

enum status
directory_take_in_hand(struct directory *d, uint64_t account)
{
    uint64_t *free = NULL;

    for (size_t i = 0; i < COUNT_OF(d->in_hand); i++) {
        if (d->in_hand[i] == account)
            return ERR_TEMP;
        if (d->in_hand[i] == 0)
            free = &d->in_hand[i];
    }
    if (free == NULL)
        return ERR_TEMP;
    *free = account;
    return OK;
}

void
directory_let_go(struct directory *d, uint64_t account)
{
    for (size_t i = 0; i < COUNT_OF(d->in_hand); i++)
        if (d->in_hand[i] == account)
            d->in_hand[i] = 0;
}

/* ---- statics ---- */

SUSPENDS static enum status
page_add(struct directory *d, const struct directory_reap_note *r, struct arena *a,
         struct directory_deleted *list, size_t *n)
{
    AUTO_ARENA *tmp = arena_new(4 * DIRECTORY_VALUE_MAX);
    struct directory_entry e;
    bool named;

    if (r->entry.len == 0) /* it is being made */
        return OK;
    TRY(directory_reap_is_named(d, r, &named));
    if (named) /* the removal did not get that far, or was undone */
        return OK;
    TRY(directory_entry_read(r->entry, tmp, &e));
    list[(*n)++] = (struct directory_deleted){
        .address = arena_str(a, r->address),
        .account = r->account,
        .quota_bytes = e.quota_bytes,
        .created = e.created,
        .shut = e.disabled || e.suspended,
        .ends_s = r->due_s,
    };
    return OK;
}

SUSPENDS static enum status
bring_back(struct directory *d, uint64_t account, struct str as)
{
    AUTO_ARENA *a = arena_new(4 * DIRECTORY_VALUE_MAX);
    struct directory_reap_note note;
    struct directory_entry e;
    struct account_info info;
    bool named;

    TRY(directory_reap_find(d, account, a, &note));
    TRY(directory_reap_is_named(d, &note, &named));
    if (named)
        return ERR_NOT_FOUND; /* it is not deleted */
    AUTO(cell_close) struct cell *cell = account_open(d->cells, account);
    TRY(account_info(cell, &info)); /* ERR_NOT_FOUND: its end has begun */
    TRY(directory_entry_read(note.entry, a, &e));
    e.address = as;
    e.epoch++;
    e.invitation = (struct directory_invitation){.hash = STR_NONE}; /* its removal was its end */
    TRY(directory_entry_put_back(d, &e));
    return directory_reap_note(d, &note, false);
}

SUSPENDS static enum status
purge(struct directory *d, uint64_t account, struct directory_purged *out)
{
    AUTO_ARENA *a = arena_new(4 * DIRECTORY_VALUE_MAX);
    struct directory_reap_note note;
    bool named, more = true;

    TRY(directory_reap_find(d, account, a, &note));
    TRY(directory_reap_is_named(d, &note, &named));
    if (named)
        return ERR_EXISTS;
    if (note.due_s > clock_now().us / SECOND_US) /* directory_account_expire() comes first */
        return ERR_DENIED;
    AUTO(cell_close) struct cell *cell = account_open(d->cells, account);
    int64_t until = clock_mono_ms() + DIRECTORY_PURGE_MS;
    do {
        enum status st = account_drop(cell, &more);
        if (st == ERR_NOT_FOUND)
            more = false; /* gone already */
        else
            TRY(st);
        fiber_yield();
    } while (more && clock_mono_ms() < until);
    out->more = more;
    if (more)
        return account_left(cell, &out->messages);
    out->messages = 0;
    TRY(directory_id_put(d, account, STR_NONE));
    return directory_reap_note(d, &note, false);
}
