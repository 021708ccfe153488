/* admin_life.c - accounts suspended, deleted and brought back, for the godwit command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "ipc/admin_serve.h"
#include "role/store/admin.h"
#include "role/store/trace.h"
#include "rt/clock.h"
#include "store/account.h"
#include "store/directory_deleted.h"
#include "store/queue_verbs.h"

enum { QUEUE_ARENA = 64 << 20, QUEUE_PAGE = 8 };
#define SECOND_US INT64_C(1000000)

/* Whose mail leaves the queue. */
struct gone {
    uint64_t account;
    struct str address; /* empty: it has another owner by now */
};

SUSPENDS static enum status end_now(struct store *s, const struct directory_deleted *one,
                                    uint32_t *queued_out);
SUSPENDS static enum status drop_queued(struct store *s, const struct gone *who, uint32_t *count);
SUSPENDS static enum status drop_page(struct store *s, const struct gone *who,
                                      struct queue_page *page, uint32_t *count);
SUSPENDS static bool is_of(const struct store *s, struct str sender, struct str address);
SUSPENDS static enum status deleted_reply(struct store *s, const struct directory_deleted *d,
                                          struct admin_deleted *out);
SUSPENDS static enum status undelete(struct store *s, const struct admin_account_undelete *req,
                                     struct arena *a, struct str *as_out, struct problem *why);

enum status
admin_serve_account_suspend(struct ipc_peer *from, const struct admin_account_suspend *req,
                            struct arena *a, struct admin_account_suspend_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_entry e;

    (void)rep;
    enum status st = directory_account_suspend(s->directory, req->address, req->suspended);
    if (st == OK)
        st = directory_find(s->directory, req->address, a, &e);
    if (st == OK)
        store_admin_shut_out(s, e.account);
    return store_admin_done(s, st, req->suspended ? "account suspend" : "account resume",
                            req->address);
}

/* ---- deleted ---- */

enum status
admin_serve_account_delete(struct ipc_peer *from, const struct admin_account_delete *req,
                           struct arena *a, struct admin_account_delete_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_deleted one = {0};
    struct directory_entry e;

    enum status st = directory_find(s->directory, req->address, a, &e);
    bool live = st == OK && e.kind == DIRECTORY_ACCOUNT;
    if (live)
        st = directory_account_remove(s->directory, req->address);
    if (live && st == OK)
        store_admin_shut_out(s, e.account);
    if (st == OK && !live)
        st = ERR_NOT_FOUND; /* an alias */
    if (st == OK || (st == ERR_NOT_FOUND && req->now))
        st = directory_deleted_find(s->directory, req->address, a, &one);
    if (st == OK)
        st = deleted_reply(s, &one, &rep->deleted);
    if (st == OK && req->now)
        st = end_now(s, &one, &rep->queued);
    return store_admin_done(s, st, req->now ? "account delete now" : "account delete",
                            req->address);
}

enum status
admin_serve_account_purge(struct ipc_peer *from, const struct admin_account_purge *req,
                          struct arena *a, struct admin_account_purge_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_purged step = {0};

    (void)a;
    TRY(store_checked(s, directory_account_purge(s->directory, req->id, &step), "account purge"));
    rep->more = step.more;
    rep->messages = step.messages;
    return OK;
}

enum status
admin_serve_account_undelete(struct ipc_peer *from, const struct admin_account_undelete *req,
                             struct arena *a, struct admin_account_undelete_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_entry e;
    struct problem why = {0};
    struct str as = STR_NONE;

    enum status st =
        store_admin_done(s, undelete(s, req, a, &as, &why), "account undelete", req->address);
    if (st != OK && why.text[0] != '\0')
        ipc_fail(&why);
    TRY(st);
    TRY(store_checked(s, directory_find(s->directory, as, a, &e), "account"));
    return store_checked(s, store_admin_account(s, &e, &rep->account), "account");
}

enum status
admin_serve_deleted_accounts(struct ipc_peer *from, const struct admin_deleted_accounts *req,
                             struct arena *a, struct admin_deleted_accounts_reply *rep)
{
    struct store *s = store_of(from);
    const struct directory_deleted *found;
    struct directory_deleted_page page = {.after_s = req->after_ends / SECOND_US,
                                          .after = req->after,
                                          .max = ADMIN_DELETED_ACCOUNTS_REPLY_ACCOUNTS_MAX,
                                          .a = a};
    size_t n;

    TRY(store_checked(s, directory_deleted_list(s->directory, &page, &found, &n), "accounts"));
    struct admin_deleted *list = ARENA_ARRAY(a, struct admin_deleted, n + 1);
    for (size_t i = 0; i < n; i++)
        TRY(store_checked(s, deleted_reply(s, &found[i], &list[i]), "account"));
    rep->accounts = list;
    rep->accounts_count = n;
    rep->more = n == page.max;
    return OK;
}

/* ---- helpers ---- */

/* What it sent under any address and still waits goes too, and what the trace knows of it, unless the address has
 * another owner by now, whose lines would go with it. */
SUSPENDS static enum status
end_now(struct store *s, const struct directory_deleted *one, uint32_t *queued_out)
{
    AUTO_ARENA *a = arena_new(65536);
    struct directory_entry e;

    TRY(directory_account_expire(s->directory, one->account));
    enum status st = directory_find(s->directory, one->address, a, &e);
    if (st != OK && st != ERR_NOT_FOUND)
        return st;
    const struct gone who = {one->account, st == OK ? STR("") : one->address};
    TRY(drop_queued(s, &who, queued_out));
    if (st == OK)
        return OK;
    uint64_t lines;
    return store_trace_purge(one->address, &lines) == OK ? OK : ERR_TEMP; /* to be said again */
}

SUSPENDS static enum status
drop_queued(struct store *s, const struct gone *who, uint32_t *count)
{
    struct queue_page page = {.max = QUEUE_PAGE, .more = true};

    while (page.more)
        TRY(drop_page(s, who, &page, count));
    return OK;
}

SUSPENDS static enum status
drop_page(struct store *s, const struct gone *who, struct queue_page *page, uint32_t *count)
{
    AUTO_ARENA *a = arena_new(QUEUE_ARENA);
    const struct queue_message *found;
    uint32_t dropped;
    size_t n;

    page->a = a;
    TRY(queue_list(s->queue, page, &found, &n));
    for (size_t i = 0; i < n; i++) {
        if (found[i].account != 0 ? found[i].account != who->account
                                  : !is_of(s, found[i].sender, who->address))
            continue;
        enum status st = queue_act(s->queue, found[i].qid, QUEUE_DROP, clock_now(), &dropped);
        if (st == OK)
            (*count)++;
        else if (st != ERR_NOT_FOUND) /* sent meanwhile */
            return st;
    }
    return OK;
}

/* Of what no log-in brought, or an older version queued: the address itself, or with a tag. */
static bool
is_of(const struct store *s, struct str sender, struct str address)
{
    AUTO_ARENA *a = arena_new(8192);
    struct str canonical, domain;

    if (sender.len == 0 || address.len == 0 ||
        directory_canonical(s->directory, sender, a, &canonical, &domain) != OK)
        return false;
    ssize_t plus = str_find(canonical, '+');
    if (plus > 0)
        canonical = arena_printf(a, "%.*s@%.*s", STR_FMT(str_sub(canonical, 0, (size_t)plus)),
                                 STR_FMT(domain));
    return str_eq(canonical, address);
}

SUSPENDS static enum status
deleted_reply(struct store *s, const struct directory_deleted *d, struct admin_deleted *out)
{
    AUTO(cell_close) struct cell *cell = account_open(s->cells, d->account);
    struct account_info info = {0};

    enum status st = account_info(cell, &info);
    if (st != OK && st != ERR_NOT_FOUND) /* its end has begun: its numbers are nought */
        return st;
    *out = (struct admin_deleted){
        .address = d->address,
        .id = d->account,
        .bytes = info.bytes,
        .messages = info.messages,
        .quota_bytes = d->quota_bytes,
        .ends = d->ends_s * SECOND_US,
    };
    return OK;
}

SUSPENDS static enum status
undelete(struct store *s, const struct admin_account_undelete *req, struct arena *a,
         struct str *as_out, struct problem *why)
{
    struct directory_deleted one;
    struct str as = req->as.len > 0 ? req->as : req->address, domain;
    bool local;

    enum status st = directory_deleted_find(s->directory, req->address, a, &one);
    if (st == ERR_NOT_FOUND)
        problem_set(
            why, 0, "",
            "no account %.*s was deleted in the last %d days; godwit account list --deleted "
            "shows those that can come back",
            STR_FMT(str_sub(req->address, 0, 60)), LIMIT_UNDELETE_DAYS);
    TRY(st);
    TRY(directory_canonical(s->directory, as, a, as_out, &domain));
    TRY(directory_is_local_domain(s->directory, domain, &local));
    if (!local) {
        problem_set(why, 0, "", "the domain of %.*s is not served here; --as names another address",
                    STR_FMT(str_sub(as, 0, 80)));
        return ERR_NOT_FOUND;
    }
    st = directory_account_undelete(s->directory, one.account, *as_out);
    if (st == ERR_EXISTS)
        problem_set(why, 0, "",
                    "%.*s belongs to another account or alias by now; --as NEWADDRESS brings the "
                    "deleted one back under another address",
                    STR_FMT(str_sub(as, 0, 60)));
    return st;
}
