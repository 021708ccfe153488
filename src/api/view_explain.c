/* view_explain.c - what would happen to mail and log-ins: the verdicts, and what led there as JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/view.h"
#include "base/limits.h"
#include "base/size.h"
#include "smtp/plan.h"
#include "store/directory_explain.h"

void
view_set_judgement(json_t *j, struct view_judgement v)
{
    static const char *const verdicts[] = {
        [VIEW_YES] = "yes", [VIEW_NO] = "no", [VIEW_UNKNOWN] = "unknown"};

    json_object_set_new(j, "verdict", json_string(verdicts[v.verdict]));
    json_object_set_new(j, "why", json_string(v.why));
}

static json_t *
step_json(const struct admin_explain_step *s)
{
    static const char *const names[] = {"foreign", "nobody",   "account", "disabled",
                                        "alias",   "too-deep", "forward", "keep"};

    return json_pack("{s:i, s:o, s:o, s:s, s:I, s:I}", "depth", (int)s->depth, "address",
                     view_str(s->address), "entry", view_str(s->entry), "found",
                     names[MIN((size_t)s->found, COUNT_OF(names) - 1)], "used",
                     (json_int_t)s->used_bytes, "quota", (json_int_t)s->quota_bytes);
}

static bool
sender_is_one(struct str sender)
{
    ssize_t at = str_rfind(sender, '@');

    return sender.len == 0 || str_eq(sender, STR("<>")) ||
           (at > 0 && (size_t)at + 1 < sender.len && sender.len <= LIMIT_SMTP_PATH_BYTES);
}

/* To other servers, on port 25. */
static struct view_judgement
judge_relay(const struct admin_explain_rcpt_reply *r, struct str sender)
{
    if (!r->listed)
        return (struct view_judgement){VIEW_NO,
                                       "refused with 554 5.7.1: its domain is not served here; a "
                                       "user who logged in may send to it, see explain route"};
    if (sender.len == 0)
        return (struct view_judgement){
            VIEW_YES, "accepted and sent on for a network of relay-from, with a sender "
                      "of a domain served here or none"};
    if (!r->sender_ours)
        return (struct view_judgement){
            VIEW_NO, "refused with 553 5.7.1: for a network of relay-from, but with a "
                     "sender of a domain that is not served here"};
    return (struct view_judgement){VIEW_YES, "accepted and sent on: the client is of a network of "
                                             "relay-from; see explain route"};
}

/* Classes of rewritten senders behind those of the directory, as in store.ipc. */
enum { CLASS_FORGED = DIRECTORY_DISABLED + 1, CLASS_REPORTS_ONLY, CLASS_TOO_MANY };

static struct view_judgement
judge_return(const struct admin_explain_rcpt_reply *r)
{
    if (r->class == CLASS_FORGED)
        return (struct view_judgement){VIEW_NO,
                                       "refused with 550 5.7.1: this return address (SRS) was "
                                       "not made here, or has expired"};
    if (r->class == CLASS_REPORTS_ONLY)
        return (struct view_judgement){VIEW_NO,
                                       "refused with 550 5.7.1: only reports (MAIL FROM:<>) "
                                       "go to a return address (SRS)"};
    return (struct view_judgement){VIEW_NO,
                                   "refused for now with 451 4.7.1: too many reports to this "
                                   "return address (SRS)"};
}

/* In the order of the checks of SMTP. */
static struct view_judgement
judge_rcpt(const struct admin_explain_rcpt_reply *r, struct str sender)
{
    if (r->class >= CLASS_FORGED)
        return judge_return(r);
    if (r->class == DIRECTORY_FOREIGN && !r->set_up)
        return (struct view_judgement){VIEW_NO,
                                       "refused for now with 451: no domain is set up here yet"};
    if (r->class == DIRECTORY_FOREIGN)
        return judge_relay(r, sender);
    if (r->cut)
        return (struct view_judgement){
            VIEW_NO, "refused with 550 5.1.1: its aliases lead to too many addresses"};
    if (r->class == DIRECTORY_NO_USER)
        return (struct view_judgement){VIEW_NO,
                                       "refused with 550 5.1.1: there is no such address here"};
    if (r->class == DIRECTORY_DISABLED)
        return (struct view_judgement){VIEW_NO, "refused with 550 5.2.1: the account is disabled"};
    if (r->class == DIRECTORY_OVER_QUOTA && r->lasting)
        return (struct view_judgement){
            VIEW_NO, "refused with 552 5.2.2: the mailbox is full, and has been for days"};
    if (r->class == DIRECTORY_OVER_QUOTA)
        return (struct view_judgement){VIEW_NO,
                                       "refused for now with 452 4.2.2: the mailbox is full"};
    if (r->disk_full)
        return (struct view_judgement){VIEW_NO,
                                       "refused for now with 452 4.3.1: the disk is nearly full"};
    if (r->returns.len > 0 && sender.len == 0)
        return (struct view_judgement){VIEW_YES, "accepted, when it is a report (MAIL FROM:<>)"};
    return (struct view_judgement){
        VIEW_YES, r->relayed ? "accepted; some of it is sent on to other servers" : "accepted"};
}

struct view_judgement
view_judge_rcpt(const struct admin_explain_rcpt_reply *r, struct str sender)
{
    struct view_judgement v = judge_rcpt(r, sender);

    if (v.verdict == VIEW_YES && !sender_is_one(sender))
        return (struct view_judgement){VIEW_NO, "refused with 501 5.1.7: the sender is no address"};
    return v;
}

struct view_judgement
view_judge_login(const struct admin_explain_login_reply *r)
{
    if (!r->found)
        return (struct view_judgement){VIEW_NO,
                                       "refused: nobody has this name; neither a tag nor a "
                                       "catch-all nor an alias of several leads to an account"};
    if (r->disabled)
        return (struct view_judgement){VIEW_NO, "refused: the account is disabled"};
    if (r->suspended)
        return (struct view_judgement){VIEW_NO, "refused: the account is suspended"};
    if (!r->has_password)
        return (struct view_judgement){VIEW_NO, "refused: the account has no password"};
    if (!r->known)
        return (struct view_judgement){VIEW_UNKNOWN,
                                       "not now: role auth, which checks passwords, does "
                                       "not answer"};
    if (r->wait_s > 0)
        return (struct view_judgement){VIEW_NO,
                                       "refused for now: too many wrong log-ins from there"};
    return (struct view_judgement){VIEW_YES, "accepted, with the right password"};
}

struct view_judgement
view_judge_route(const struct admin_explain_route_reply *r)
{
    size_t found = 0, unknown = 0, barred = 0;

    if (r->local)
        return (struct view_judgement){VIEW_YES, "stays here: the domain is served by this server"};
    for (size_t i = 0; i < r->plan.hosts_count; i++) {
        if (r->plan.hosts[i].barred && r->plan.hosts[i].state != PLAN_HOST_NOWHERE)
            barred++;
        else
            found += r->plan.hosts[i].state == PLAN_HOST_FOUND ||
                     r->plan.hosts[i].state == PLAN_HOST_OF_PROXY;
        unknown += r->plan.hosts[i].state == PLAN_HOST_UNKNOWN;
    }
    switch ((enum plan_kind)r->plan.kind) {
    case PLAN_NULL_MX:
        return (struct view_judgement){VIEW_NO, "returned: the domain takes no mail (null MX)"};
    case PLAN_NO_DOMAIN:
        return (struct view_judgement){VIEW_NO, "returned: there is no such domain"};
    case PLAN_TO_US:
        return (struct view_judgement){VIEW_NO,
                                       "returned: its MX is this server, which does not serve it"};
    case PLAN_NONE:
        return (struct view_judgement){VIEW_NO,
                                       "returned: outbound none, and no route for this domain"};
    case PLAN_NO_ROUTE:
        return (struct view_judgement){VIEW_NO,
                                       "waits: the configuration has no route of this name"};
    case PLAN_UNKNOWN:
        return (struct view_judgement){VIEW_UNKNOWN, "waits: the domain cannot be looked up now"};
    case PLAN_ROUTE:
    case PLAN_MX:
    case PLAN_IMPLICIT: break;
    }
    if (found > 0)
        return (struct view_judgement){VIEW_YES, "tried at these hosts, in this order"};
    if (barred > unknown)
        return (struct view_judgement){VIEW_NO, "waits: no host can prove itself now"};
    if (unknown > 0)
        return (struct view_judgement){VIEW_UNKNOWN, "waits: the hosts cannot be looked up now"};
    return (struct view_judgement){VIEW_NO, r->plan.kind == PLAN_ROUTE
                                                ? "waits: the host of the route has no address"
                                                : "returned: none of its hosts has an address"};
}

static json_t *
plan_json(const struct admin_route_plan *p)
{
    static const char *const kinds[] = {"route", "mx",   "implicit", "null-mx", "no-domain",
                                        "to-us", "none", "unknown",  "no-route"};
    static const char *const states[] = {"found", "nowhere", "unknown", "proxy"};
    static const char *const tls[] = {"offered", "required", "verified", "never"};
    static const char *const guards[] = {"none", "tls", "sts", "dane"};
    const struct admin_route_manner *m = &p->manner;
    json_t *hosts = json_array();

    for (size_t i = 0; i < p->hosts_count; i++) {
        const struct admin_route_host *h = &p->hosts[i];
        json_t *addresses = json_array();
        for (size_t k = 0; k < h->addresses_count; k++)
            json_array_append_new(addresses, view_str(h->addresses[k]));
        json_array_append_new(
            hosts,
            json_pack("{s:o, s:i, s:i, s:s, s:o, s:b, s:s, s:b, s:o}", "name", view_str(h->name),
                      "preference", (int)h->preference, "port", (int)h->port, "state",
                      states[MIN((size_t)h->state, COUNT_OF(states) - 1)], "addresses", addresses,
                      "secure", (int)h->secure, "protection",
                      guards[MIN((size_t)h->guard, COUNT_OF(guards) - 1)], "barred", (int)h->barred,
                      "protection_why", view_str(h->why)));
    }
    return json_pack("{s:s, s:o, s:s, s:b, s:b, s:o, s:o, s:b, s:o, s:o, s:o}", "kind",
                     kinds[MIN((size_t)p->kind, COUNT_OF(kinds) - 1)], "hosts", hosts, "tls",
                     tls[MIN((size_t)m->tls, COUNT_OF(tls) - 1)], "secure", (int)p->secure, "login",
                     (int)m->login, "route", view_str(m->title), "socks", view_str(m->socks),
                     "socks_names", (int)m->socks_names, "source4", view_str(m->source4), "source6",
                     view_str(m->source6), "ehlo", view_str(m->ehlo));
}

json_t *
view_explain_rcpt(struct str address, const struct admin_explain_rcpt_reply *r)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < r->steps_count; i++)
        json_array_append_new(steps, step_json(&r->steps[i]));
    return json_pack("{s:o, s:o, s:o}", "address", view_str(address), "returns_to",
                     r->returns.len > 0 ? view_str(r->returns) : json_null(), "steps", steps);
}

json_t *
view_explain_login(const struct admin_explain_login_reply *r)
{
    return json_pack("{s:b, s:o, s:b, s:b, s:b, s:i, s:i}", "found", (int)r->found, "address",
                     view_str(r->address), "by_alias", (int)r->by_alias, "disabled",
                     (int)r->disabled, "has_password", (int)r->has_password, "wrong", (int)r->wrong,
                     "wait_s", (int)r->wait_s);
}

json_t *
view_explain_route(struct str domain, const struct admin_explain_route_reply *r)
{
    json_t *j = r->local ? json_pack("{s:s}", "kind", "local") : plan_json(&r->plan);

    json_object_set_new(j, "domain", view_str(domain));
    return j;
}
