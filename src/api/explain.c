/* explain.c - what would happen, and why; nothing is changed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"
#include "base/limits.h"
#include "mail/names.h"

#define AGE_MAX_S (100ull * 366 * 86400)

static SUSPENDS void
tell(struct api_call *c, json_t *j, struct view_judgement v)
{
    view_set_judgement(j, v);
    api_json(c, 200, j);
}

static SUSPENDS bool
wanted(struct api_call *c, const char *name, struct str *out)
{
    if (!api_query(c, name, out))
        return false;
    if (out->len == 0)
        api_problem(c->x, 422, "syntax", arena_printf(c->a, "The query lacks \"%s\"", name));
    return out->len > 0;
}

/* An address of a client, or none. */
static SUSPENDS bool
take_ip(struct api_call *c, struct str *out)
{
    if (!api_query(c, "ip", out))
        return false;
    if (out->len == 0 || api_is_ip(*out))
        return true;
    api_problem(c->x, 422, "syntax", STR("\"ip\" is an address such as 192.0.2.1"));
    return false;
}

SUSPENDS void
api_explain_rcpt(struct api_call *c)
{
    struct admin_explain_rcpt req = {0};
    struct admin_explain_rcpt_reply rep = {0};

    if (!wanted(c, "address", &req.address) || !api_query_u64(c, "size", INT64_MAX, &req.size) ||
        !api_query(c, "from", &req.sender) || !take_ip(c, &req.peer))
        return;
    req.address = api_address(c, req.address);
    enum status e = admin_explain_rcpt_call(api_world->store, &req, c->a, &rep);
    if (e == ERR_SYNTAX)
        tell(c, view_explain_rcpt(req.address, &rep),
             (struct view_judgement){VIEW_NO, "refused: this is no address"});
    else if (e != OK)
        api_fail(c, e);
    else
        tell(c, view_explain_rcpt(req.address, &rep), view_judge_rcpt(&rep, req.sender));
}

SUSPENDS void
api_explain_login(struct api_call *c)
{
    struct admin_explain_login req = {0};
    struct admin_explain_login_reply rep;

    if (!wanted(c, "name", &req.name) || !take_ip(c, &req.peer))
        return;
    req.name = api_address(c, req.name);
    enum status e = admin_explain_login_call(api_world->store, &req, c->a, &rep);
    if (e != OK)
        api_fail(c, e);
    else
        tell(c, view_explain_login(&rep), view_judge_login(&rep));
}

SUSPENDS void
api_explain_route(struct api_call *c)
{
    struct admin_explain_route req = {.route = STR("")};
    struct admin_explain_route_reply rep;
    uint64_t tries = 0;

    if (!wanted(c, "domain", &req.domain) || !api_query(c, "from", &req.sender) ||
        !api_query_u64(c, "tries", UINT32_MAX, &tries) ||
        !api_query_u64(c, "age_s", AGE_MAX_S, &req.age_s))
        return;
    req.tries = (uint32_t)tries; /* bounded above */
    if (str_eq(req.sender, STR("<>")))
        req.sender = STR("");
    ssize_t at = str_rfind(req.domain, '@');
    req.domain = name_domain(str_skip(req.domain, (size_t)(at + 1)), c->a); /* 0 without "@" */
    enum status e = admin_explain_route_call(api_world->store, &req, c->a, &rep);
    if (e != OK)
        api_fail(c, e);
    else
        tell(c, view_explain_route(req.domain, &rep), view_judge_route(&rep));
}
