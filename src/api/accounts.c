/* accounts.c - accounts: listed, shown, changed, deleted and brought back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"
#include "base/mem.h"
#include "base/size.h"
#include "mail/names.h"
#include "setup/options.h"

enum { PAGE_BYTES = 5 << 20, PURGE_AGAIN_MS = 200, DAYS_MAX = 36600 };

/* ---- lists ---- */

static SUSPENDS enum status
add_page(struct admin_accounts *req, json_t *all, struct arena *a, bool *more_out)
{
    AUTO_ARENA *page = arena_new(PAGE_BYTES);
    struct admin_accounts_reply rep;

    TRY(admin_accounts_call(api_world->store, req, page, &rep));
    for (size_t i = 0; i < rep.accounts_count; i++)
        json_array_append_new(all, view_account(&rep.accounts[i]));
    *more_out = rep.more;
    req->after = arena_str(a, rep.after);
    return OK;
}

static SUSPENDS void
list_deleted(struct api_call *c)
{
    struct admin_deleted_accounts req = {0};
    struct admin_deleted_accounts_reply rep = {.more = true};
    json_t *all = json_array();

    while (rep.more) {
        AUTO_ARENA *page = arena_new(PAGE_BYTES);
        enum status e = admin_deleted_accounts_call(api_world->store, &req, page, &rep);
        if (e != OK) {
            json_decref(all);
            api_fail(c, e);
            return;
        }
        for (size_t i = 0; i < rep.accounts_count; i++) {
            json_array_append_new(all, view_deleted(&rep.accounts[i]));
            req.after_ends = rep.accounts[i].ends;
            req.after = rep.accounts[i].id;
        }
        rep.more = rep.more && rep.accounts_count > 0;
    }
    api_json(c, 200, json_pack("{s:o}", "accounts", all));
}

SUSPENDS void
api_accounts(struct api_call *c)
{
    struct admin_accounts req = {0};
    bool deleted, more = true;
    uint64_t limit;

    if (!api_limit(c, &limit) || !api_query_bool(c, "deleted", &deleted) ||
        !api_query(c, "after", &req.after) || !api_query(c, "search", &req.search))
        return;
    if (deleted) {
        list_deleted(c);
        return;
    }
    json_t *all = json_array();
    while (more && json_array_size(all) < limit) {
        req.max = (uint32_t)(limit - json_array_size(all)); /* at most 1,000 */
        enum status e = add_page(&req, all, c->a, &more);
        if (e != OK) {
            json_decref(all);
            api_fail(c, e);
            return;
        }
    }
    json_t *j = json_pack("{s:o}", "accounts", all);
    if (more)
        json_object_set_new(j, "next", view_str(req.after));
    api_json(c, 200, j);
}

static SUSPENDS void
show(struct api_call *c, unsigned status, struct str address)
{
    struct admin_accounts req = {.only = address};
    struct admin_accounts_reply rep;
    enum status e = admin_accounts_call(api_world->store, &req, c->a, &rep);

    if (e != OK)
        api_fail(c, e);
    else
        api_json(c, status, view_account(&rep.accounts[0]));
}

SUSPENDS void
api_account_show(struct api_call *c)
{
    show(c, 200, api_address(c, c->at[1]));
}

/* ---- changes ---- */

/* Each member is a verb of its own: what came before one that fails stays done, and the answer names the failure. */
SUSPENDS void
api_account_change(struct api_call *c)
{
    struct str address = api_address(c, c->at[1]);
    struct admin_account_quota quota = {.address = address, .quota_bytes = UINT64_MAX};
    struct admin_account_disable disable = {.address = address};
    struct admin_account_suspend suspend = {.address = address};
    const struct api_member members[] = {{"quota_bytes", API_U64, &quota.quota_bytes, false},
                                         {"disabled", API_BOOL, &disable.disabled, false},
                                         {"suspended", API_BOOL, &suspend.suspended, false}};
    struct admin_account_quota_reply quota_rep;
    struct admin_account_disable_reply disable_rep;
    struct admin_account_suspend_reply suspend_rep;
    enum status e = OK;

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    if (quota.quota_bytes != UINT64_MAX)
        e = admin_account_quota_call(api_world->store, &quota, c->a, &quota_rep);
    if (e == OK && json_object_get(c->in, "disabled") != NULL)
        e = admin_account_disable_call(api_world->store, &disable, c->a, &disable_rep);
    if (e == OK && json_object_get(c->in, "suspended") != NULL)
        e = admin_account_suspend_call(api_world->store, &suspend, c->a, &suspend_rep);
    if (e != OK)
        api_fail(c, e);
    else
        show(c, 200, address);
}

static SUSPENDS void
done(struct api_call *c, enum status e)
{
    if (e != OK)
        api_fail(c, e);
    else
        api_done(c);
}

/* Given, or made here and shown this once. */
SUSPENDS void
api_account_password(struct api_call *c)
{
    AUTO_BUF made = BUF(SECRET_MAX);
    struct admin_account_password req = {.address = api_address(c, c->at[1])};
    struct admin_account_password_reply rep;
    bool generate = false;
    const struct api_member members[] = {{"password", API_STR, &req.password, false},
                                         {"password_hash", API_STR, &req.hash, false},
                                         {"generate", API_BOOL, &generate, false}};

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    if ((req.password.len > 0) + (req.hash.len > 0) + generate != 1) {
        api_problem(c->x, 422, "syntax",
                    STR("One of \"password\", \"password_hash\" and \"generate\" is expected"));
        return;
    }
    if (generate) {
        options_make_password(&made);
        req.password = buf_str(&made);
    }
    enum status e = admin_account_password_call(api_world->store, &req, c->a, &rep);
    if (e != OK || !generate)
        done(c, e);
    else
        api_json(c, 200,
                 json_pack("{s:s, s:o}", "result", "ok", "password", view_str(req.password)));
    if (made.ptr != NULL)
        mem_wipe(made.ptr, made.cap);
}

static SUSPENDS void
set_suspended(struct api_call *c, bool suspended)
{
    struct admin_account_suspend req = {.address = api_address(c, c->at[1]),
                                        .suspended = suspended};
    struct admin_account_suspend_reply rep;

    done(c, admin_account_suspend_call(api_world->store, &req, c->a, &rep));
}

SUSPENDS void
api_account_suspend(struct api_call *c)
{
    set_suspended(c, true);
}

SUSPENDS void
api_account_resume(struct api_call *c)
{
    set_suspended(c, false);
}

SUSPENDS void
api_account_forward(struct api_call *c)
{
    struct admin_account_forward req = {.address = api_address(c, c->at[1]), .keep = true};
    struct admin_account_forward_reply rep;
    struct api_strings targets = {0};
    const struct api_member members[] = {{"targets", API_STRS, &targets, true},
                                         {"keep", API_BOOL, &req.keep, false}};

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    for (size_t i = 0; i < targets.count; i++)
        targets.list[i] = api_address(c, targets.list[i]);
    req.targets = targets.list;
    req.targets_count = targets.count;
    done(c, admin_account_forward_call(api_world->store, &req, c->a, &rep));
}

SUSPENDS void
api_account_forward_off(struct api_call *c)
{
    struct admin_account_forward req = {.address = api_address(c, c->at[1])};
    struct admin_account_forward_reply rep;

    done(c, admin_account_forward_call(api_world->store, &req, c->a, &rep));
}

SUSPENDS void
api_account_send_as(struct api_call *c)
{
    struct admin_account_send_as req = {.address = api_address(c, c->at[1])};
    struct admin_account_send_as_reply rep;
    struct api_strings others = {0};
    const struct api_member members[] = {{"addresses", API_STRS, &others, true}};

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    for (size_t i = 0; i < others.count; i++)
        others.list[i] = api_address(c, others.list[i]);
    req.others = others.list;
    req.others_count = others.count;
    done(c, admin_account_send_as_call(api_world->store, &req, c->a, &rep));
}

/* One, or all. */
SUSPENDS void
api_account_send_as_remove(struct api_call *c)
{
    struct admin_account_send_as req = {.address = api_address(c, c->at[1]), .remove = true};
    struct admin_account_send_as_reply rep;
    struct str one;

    if (!api_query(c, "address", &one))
        return;
    one = api_address(c, one);
    req.others = &one;
    req.others_count = one.len > 0 ? 1 : 0;
    done(c, admin_account_send_as_call(api_world->store, &req, c->a, &rep));
}

/* ---- the end, and back ---- */

/* The server goes on by itself; who waits hears when nothing is left. */
static SUSPENDS enum status
purge(struct api_call *c, uint64_t id)
{
    const struct admin_account_purge req = {.id = id};
    struct admin_account_purge_reply rep = {.more = true};
    enum status e = OK;

    while (e == OK && rep.more) {
        e = admin_account_purge_call(api_world->store, &req, c->a, &rep);
        if (e == ERR_TEMP) {
            e = fiber_sleep(PURGE_AGAIN_MS);
            rep.more = true;
        }
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

SUSPENDS void
api_account_delete(struct api_call *c)
{
    struct admin_account_delete req = {.address = api_address(c, c->at[1])};
    struct admin_account_delete_reply rep;

    if (!api_query_bool(c, "now", &req.now))
        return;
    enum status e = admin_account_delete_call(api_world->store, &req, c->a, &rep);
    if (e == OK && req.now)
        e = purge(c, rep.deleted.id);
    if (e != OK) {
        api_fail(c, e);
        return;
    }
    json_t *j = view_deleted(&rep.deleted);
    json_object_set_new(j, "queued", json_integer((json_int_t)rep.queued));
    if (req.now)
        json_object_del(j, "ends");
    api_json(c, 200, j);
}

SUSPENDS void
api_account_undelete(struct api_call *c)
{
    struct admin_account_undelete req = {.address = api_address(c, c->at[1]), .as = STR("")};
    struct admin_account_undelete_reply rep;
    const struct api_member members[] = {{"as", API_STR, &req.as, false}};

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    req.as = api_address(c, req.as);
    enum status e = admin_account_undelete_call(api_world->store, &req, c->a, &rep);
    if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 200, view_account(&rep.account));
}

/* ---- app passwords ---- */

SUSPENDS void
api_app_passwords(struct api_call *c)
{
    struct admin_app_passwords req = {.address = api_address(c, c->at[1])};
    struct admin_app_passwords_reply rep;
    enum status e = admin_app_passwords_call(api_world->store, &req, c->a, &rep);

    if (e != OK) {
        api_fail(c, e);
        return;
    }
    json_t *all = json_array();
    for (size_t i = 0; i < rep.app_passwords_count; i++)
        json_array_append_new(all, view_app_password(&rep.app_passwords[i]));
    api_json(c, 200, json_pack("{s:o}", "app_passwords", all));
}

static bool
read_protocols(const struct api_strings *words, uint32_t *out)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < words->count; i++) {
        size_t k = 0;
        while (k < COUNT_OF(view_app_protocols) &&
               !str_eq(words->list[i], str_of(view_app_protocols[k])))
            k++;
        if (k == COUNT_OF(view_app_protocols))
            return false;
        bits |= 1u << k;
    }
    *out = bits;
    return bits != 0;
}

SUSPENDS void
api_app_password_add(struct api_call *c)
{
    struct admin_app_password_add req = {.address = api_address(c, c->at[1]), .protocols = 7};
    struct admin_app_password_add_reply rep;
    struct api_strings protocols = {0};
    uint64_t days = 0;
    const struct api_member members[] = {{"name", API_STR, &req.name, true},
                                         {"protocols", API_STRS, &protocols, false},
                                         {"expires_days", API_U64, &days, false}};

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    if ((protocols.list != NULL && !read_protocols(&protocols, &req.protocols)) ||
        days > DAYS_MAX) {
        api_problem(c->x, 422, "syntax",
                    STR("\"protocols\" are some of imap, pop3, submission; \"expires_days\" is "
                        "at most 36600"));
        return;
    }
    req.expires_days = (uint32_t)days;
    enum status e = admin_app_password_add_call(api_world->store, &req, c->a, &rep);
    if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 201,
                 json_pack("{s:o, s:o, s:o}", "address", view_str(req.address), "name",
                           view_str(req.name), "password", view_str(rep.password)));
}

SUSPENDS void
api_app_password_remove(struct api_call *c)
{
    struct admin_app_password_remove req = {.address = api_address(c, c->at[1]), .name = c->at[3]};
    struct admin_app_password_remove_reply rep;

    done(c, admin_app_password_remove_call(api_world->store, &req, c->a, &rep));
}
