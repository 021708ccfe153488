/* admin_list.c - accounts listed and searched, a page at a time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "base/size.h"
#include "ipc/admin_serve.h"
#include "role/store/admin.h"

enum {
    ACCOUNTS_PAGE = 64, /* with everything at its longest so many fit into a reply */
    LOOK_PAGE = 512,    /* entries that are looked at between two turns of the loop */
    LOOK_PAGES = 8,     /* of them in one call: then the caller hears how far it came */
    LOOK_BYTES = 32 << 20,
};

/* One page of the directory's order that is searched. */
struct look {
    struct store *s;
    const struct admin_accounts *req;
    struct arena *a;
    struct directory_entry *found; /* copies in a */
    size_t count, max;
    struct str after;
    bool more;
};

/* What an answer needs of an entry, in its arena; the page is forgotten. */
static struct directory_entry
keep(const struct directory_entry *e, struct arena *a)
{
    struct directory_entry k = *e;
    struct str *targets = ARENA_ARRAY(a, struct str, e->forward.count + 1);
    struct str *others = ARENA_ARRAY(a, struct str, e->send_as_count + 1);

    for (size_t i = 0; i < e->forward.count; i++)
        targets[i] = arena_str(a, e->forward.targets[i]);
    for (size_t i = 0; i < e->send_as_count; i++)
        others[i] = arena_str(a, e->send_as[i]);
    k.address = arena_str(a, e->address);
    k.verifier = e->verifier.len > 0 ? STR("+") : STR_NONE; /* that there is one */
    k.invitation.hash = STR_NONE;
    k.forward.targets = targets;
    k.send_as = others;
    return k;
}

SUSPENDS static enum status
look_at_page(struct look *l)
{
    AUTO_ARENA *page_arena = arena_new(LOOK_BYTES);
    struct directory_page page = {
        .after = l->after, .max = l->req->search.len > 0 ? LOOK_PAGE : l->max, .a = page_arena};
    const struct directory_entry *list;
    size_t n;

    TRY(directory_list(l->s->directory, DIRECTORY_ACCOUNT, &page, &list, &n));
    l->more = n == page.max;
    for (size_t i = 0; i < n; i++) {
        if (l->count == l->max) {
            l->more = true;
            break;
        }
        l->after = list[i].address;
        if (l->req->search.len == 0 || str_find_nocase(list[i].address, l->req->search) >= 0)
            l->found[l->count++] = keep(&list[i], l->a);
    }
    l->after = arena_str(l->a, l->after);
    return OK;
}

SUSPENDS static enum status
look_for_many(struct look *l)
{
    for (size_t i = 0; i < LOOK_PAGES; i++) {
        TRY(look_at_page(l));
        if (!l->more || l->count == l->max)
            break;
        fiber_yield();
    }
    return OK;
}

SUSPENDS static enum status
find_one(struct look *l)
{
    enum status st = directory_find(l->s->directory, l->req->only, l->a, &l->found[0]);

    if (st == OK && l->found[0].kind != DIRECTORY_ACCOUNT)
        st = ERR_NOT_FOUND;
    TRY(store_admin_done(l->s, st, "account show", l->req->only));
    l->count = 1;
    return OK;
}

enum status
admin_serve_accounts(struct ipc_peer *from, const struct admin_accounts *req, struct arena *a,
                     struct admin_accounts_reply *rep)
{
    struct look l = {.s = store_of(from),
                     .req = req,
                     .a = a,
                     .max = req->max > 0 ? MIN(req->max, (uint32_t)ACCOUNTS_PAGE) : ACCOUNTS_PAGE,
                     .after = req->after};
    struct admin_account *list = ARENA_ARRAY(a, struct admin_account, ACCOUNTS_PAGE);

    l.found = ARENA_ARRAY(a, struct directory_entry, ACCOUNTS_PAGE);
    if (req->only.len > 0)
        TRY(find_one(&l));
    else
        TRY(store_checked(l.s, look_for_many(&l), "accounts"));
    for (size_t i = 0; i < l.count; i++)
        TRY(store_checked(l.s, store_admin_account(l.s, &l.found[i], &list[i]), "account"));
    *rep = (struct admin_accounts_reply){.accounts = list,
                                         .accounts_count = l.count,
                                         .more = l.more,
                                         .after = l.more ? l.after : STR("")};
    return OK;
}
