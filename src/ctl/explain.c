/* explain.c - `godwit explain`: what would happen to a recipient, to a log-in, to mail for a domain, and why.
 *
 * Exit status: 0 it would work, 1 it would be refused, 3 cannot be told now.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/size.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "smtp/plan.h"
#include "store/directory_explain.h"

enum { EXPLAIN_YES = CTL_OK, EXPLAIN_NO = CTL_FAILED, EXPLAIN_UNKNOWN = 3 };

static struct {
    const char *from, *ip; /* NULL = not given */
    uint64_t size;
} typed;

static const char *const verdicts[] = {
    [EXPLAIN_YES] = "yes", [EXPLAIN_NO] = "no", [EXPLAIN_UNKNOWN] = "unknown"};

/* Both forms of an answer: a verdict, why, and what led there. */
static int
finish(struct ctl *c, int verdict, const char *why, json_t *j)
{
    if (c->json) {
        json_object_set_new(j, "verdict", json_string(verdicts[verdict]));
        json_object_set_new(j, "why", json_string(why));
        (void)ctl_print_json(j);
    } else {
        printf("%s\n", why);
        json_decref(j);
    }
    return verdict;
}

/* The server does not answer a question that is none, or cannot now. */
static int
failed(const struct ctl *c, enum status e)
{
    int usual = ctl_fail(c, e);

    return e == ERR_SYNTAX || e == ERR_LIMIT ? usual : EXPLAIN_UNKNOWN;
}

static bool
is_address_of_host(const char *text)
{
    unsigned char raw[16];

    return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

/* ---- rcpt ---- */

static const char *
step_words(const struct admin_explain_step *s)
{
    bool itself = str_eq(s->address, s->entry);
    bool catch_all = s->entry.len > 0 && s->entry.ptr[0] == '@';

    switch (s->found) {
    case DIRECTORY_FOUND_FOREIGN: return "is elsewhere: mail to it leaves this server";
    case DIRECTORY_FOUND_NOBODY: return "is nobody: no account, no alias, no catch-all";
    case DIRECTORY_FOUND_ACCOUNT:
        return itself ? "is an account" : "is, without its tag, the account";
    case DIRECTORY_FOUND_DISABLED: return "is an account that is disabled: it takes no mail";
    case DIRECTORY_FOUND_ALIAS:
        return itself      ? "is an alias of"
               : catch_all ? "is taken by the catch-all"
                           : "is, without its tag, the alias";
    case DIRECTORY_FOUND_FORWARD:
        return itself ? "is an account that sends its mail on"
                      : "is, without its tag, the account, whose mail is sent on,";
    case DIRECTORY_FOUND_KEEP:
        return itself ? "is an account that keeps its mail and sends it on"
                      : "is, without its tag, the account, which keeps its mail and sends it on,";
    default: return "leads on, but too many levels deep: it is not followed";
    }
}

/* What follows is its. */
static bool
leads_on(const struct admin_explain_step *s)
{
    return s->found == DIRECTORY_FOUND_FORWARD || s->found == DIRECTORY_FOUND_KEEP ||
           (s->found == DIRECTORY_FOUND_ALIAS && str_eq(s->address, s->entry));
}

static void
print_step(struct ctl *c, const struct admin_explain_step *s)
{
    char used[32], quota[32];

    printf("%*s%s %s", 2 * (int)s->depth, "", ctl_text(c, s->address), step_words(s));
    if (s->entry.len > 0 && !str_eq(s->address, s->entry))
        printf(" %s", ctl_text(c, s->entry));
    if (s->found == DIRECTORY_FOUND_ACCOUNT || s->found == DIRECTORY_FOUND_KEEP)
        printf(", %s of %s used", ctl_size_text(s->used_bytes, used, sizeof(used)),
               s->quota_bytes == 0 ? "no limit"
                                   : ctl_size_text(s->quota_bytes, quota, sizeof(quota)));
    printf("%s\n", leads_on(s) ? ":" : "");
}

static json_t *
step_json(const struct admin_explain_step *s)
{
    static const char *const names[] = {"foreign", "nobody",   "account", "disabled",
                                        "alias",   "too-deep", "forward", "keep"};

    return json_pack("{s:i, s:o, s:o, s:s, s:I, s:I}", "depth", (int)s->depth, "address",
                     ctl_json_str(s->address), "entry", ctl_json_str(s->entry), "found",
                     names[MIN((size_t)s->found, COUNT_OF(names) - 1)], "used",
                     (json_int_t)s->used_bytes, "quota", (json_int_t)s->quota_bytes);
}

struct verdict {
    int exit;
    const char *why;
};

/* In the order of the checks of SMTP; for strangers on port 25. */
static struct verdict
judge_rcpt(const struct admin_explain_rcpt_reply *r)
{
    if (r->class == DIRECTORY_FOREIGN && !r->set_up)
        return (struct verdict){EXPLAIN_NO,
                                "refused for now with 451: no domain is set up here yet"};
    if (r->class == DIRECTORY_FOREIGN)
        return (struct verdict){EXPLAIN_NO,
                                "refused with 554 5.7.1: its domain is not served here; a "
                                "user who logged in may send to it, see explain route"};
    if (r->cut)
        return (struct verdict){EXPLAIN_NO,
                                "refused with 550 5.1.1: its aliases lead to too many addresses"};
    if (r->class == DIRECTORY_NO_USER)
        return (struct verdict){EXPLAIN_NO,
                                "refused with 550 5.1.1: there is no such address here"};
    if (r->class == DIRECTORY_DISABLED)
        return (struct verdict){EXPLAIN_NO, "refused with 550 5.2.1: the account is disabled"};
    if (r->class == DIRECTORY_OVER_QUOTA)
        return (struct verdict){EXPLAIN_NO, "refused for now with 452 4.2.2: the mailbox is full"};
    if (r->disk_full)
        return (struct verdict){EXPLAIN_NO,
                                "refused for now with 452 4.3.1: the disk is nearly full"};
    return (struct verdict){
        EXPLAIN_YES, r->relayed ? "accepted; some of it is sent on to other servers" : "accepted"};
}

/* Neither decides anything at present; wrong ones are wrong all the same. */
static bool
client_is_one(void)
{
    if (typed.ip == NULL || is_address_of_host(typed.ip))
        return true;
    fprintf(stderr, "godwit explain: read --ip \"%s\", expected an address such as 192.0.2.1\n",
            typed.ip);
    return false;
}

static bool
sender_is_one(struct str sender)
{
    ssize_t at = str_rfind(sender, '@');

    return sender.len == 0 || str_eq(sender, STR("<>")) ||
           (at > 0 && (size_t)at + 1 < sender.len && sender.len <= LIMIT_SMTP_PATH_BYTES);
}

static SUSPENDS int
explain_rcpt(struct ctl *c)
{
    struct admin_explain_rcpt req = {0};
    struct admin_explain_rcpt_reply rep;

    if (!client_is_one())
        return CTL_USAGE;
    req.address = ctl_address(c, 0);
    req.size = typed.size;
    enum status e = admin_explain_rcpt_call(c->store, &req, c->arena, &rep);
    json_t *j = json_pack("{s:o}", "address", ctl_json_str(req.address));
    if (e == ERR_SYNTAX)
        return finish(c, EXPLAIN_NO, "refused: this is no address", j);
    if (e != OK) {
        json_decref(j);
        return failed(c, e);
    }
    json_t *steps = json_array();
    for (size_t i = 0; i < rep.steps_count; i++) {
        json_array_append_new(steps, step_json(&rep.steps[i]));
        if (!c->json)
            print_step(c, &rep.steps[i]);
    }
    json_object_set_new(j, "steps", steps);
    struct verdict v = judge_rcpt(&rep);
    if (v.exit == EXPLAIN_YES && typed.from != NULL && !sender_is_one(str_of(typed.from)))
        v = (struct verdict){EXPLAIN_NO, "refused with 501 5.1.7: the sender is no address"};
    if (!c->json && (typed.from != NULL || typed.ip != NULL))
        printf("the sender and the address of a client decide nothing else at present\n");
    return finish(c, v.exit, v.why, j);
}

/* ---- login ---- */

static struct verdict
judge_login(const struct admin_explain_login_reply *r)
{
    if (!r->found)
        return (struct verdict){EXPLAIN_NO,
                                "refused: nobody has this name; neither a tag nor a "
                                "catch-all nor an alias of several leads to an account"};
    if (r->disabled)
        return (struct verdict){EXPLAIN_NO, "refused: the account is disabled"};
    if (r->suspended)
        return (struct verdict){EXPLAIN_NO, "refused: the account is suspended"};
    if (!r->has_password)
        return (struct verdict){EXPLAIN_NO, "refused: the account has no password"};
    if (!r->known)
        return (struct verdict){EXPLAIN_UNKNOWN, "not now: role auth, which checks passwords, does "
                                                 "not answer"};
    if (r->wait_s > 0)
        return (struct verdict){EXPLAIN_NO, "refused for now: too many wrong log-ins from there"};
    return (struct verdict){EXPLAIN_YES, "accepted, with the right password"};
}

static void
print_login(struct ctl *c, const struct admin_explain_login_reply *r)
{
    printf("%s %s", ctl_text(c, ctl_arg(c, 0)), r->found ? "is the account" : "is read as");
    printf(" %s%s\n", ctl_text(c, r->address), r->by_alias ? ", by way of an alias" : "");
    printf("under TLS by SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN, LOGIN; without TLS %s\n",
           c->config->plaintext_loopback ? "the same but -PLUS, from this machine only"
                                         : "not at all");
    if (typed.ip != NULL)
        printf("the network of %s had %u wrong log-ins lately; the next one is looked at %s\n",
               typed.ip, r->wrong, r->wait_s == 0 ? "at once" : "after a pause");
    if (r->wait_s > 0)
        printf("the pause ends in %u s\n", r->wait_s);
}

static SUSPENDS int
explain_login(struct ctl *c)
{
    struct admin_explain_login req = {.peer = STR("")};
    struct admin_explain_login_reply rep;

    if (!client_is_one())
        return CTL_USAGE;
    req.name = ctl_address(c, 0);
    req.peer = typed.ip != NULL ? str_of(typed.ip) : STR("");
    enum status e = admin_explain_login_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return failed(c, e);
    if (!c->json)
        print_login(c, &rep);
    struct verdict v = judge_login(&rep);
    return finish(c, v.exit, v.why,
                  json_pack("{s:b, s:o, s:b, s:b, s:b, s:i, s:i}", "found", (int)rep.found,
                            "address", ctl_json_str(rep.address), "by_alias", (int)rep.by_alias,
                            "disabled", (int)rep.disabled, "has_password", (int)rep.has_password,
                            "wrong", (int)rep.wrong, "wait_s", (int)rep.wait_s));
}

/* ---- route ---- */

static struct verdict
judge_route(const struct admin_explain_route_reply *r)
{
    size_t found = 0, unknown = 0;

    if (r->local)
        return (struct verdict){EXPLAIN_YES, "stays here: the domain is served by this server"};
    for (size_t i = 0; i < r->plan.hosts_count; i++) {
        found += r->plan.hosts[i].state == PLAN_HOST_FOUND;
        unknown += r->plan.hosts[i].state == PLAN_HOST_UNKNOWN;
    }
    switch ((enum plan_kind)r->plan.kind) {
    case PLAN_NULL_MX:
        return (struct verdict){EXPLAIN_NO, "returned: the domain takes no mail (null MX)"};
    case PLAN_NO_DOMAIN: return (struct verdict){EXPLAIN_NO, "returned: there is no such domain"};
    case PLAN_TO_US:
        return (struct verdict){EXPLAIN_NO,
                                "returned: its MX is this server, which does not serve it"};
    case PLAN_NONE:
        return (struct verdict){EXPLAIN_NO,
                                "returned: outbound none, and no route for this domain"};
    case PLAN_UNKNOWN:
        return (struct verdict){EXPLAIN_UNKNOWN, "waits: the domain cannot be looked up now"};
    case PLAN_ROUTE:
    case PLAN_MX:
    case PLAN_IMPLICIT: break;
    }
    if (found > 0)
        return (struct verdict){EXPLAIN_YES, "tried at these hosts, in this order"};
    if (unknown > 0)
        return (struct verdict){EXPLAIN_UNKNOWN, "waits: the hosts cannot be looked up now"};
    return (struct verdict){EXPLAIN_NO, r->plan.kind == PLAN_ROUTE
                                            ? "waits: the host of the route has no address"
                                            : "returned: none of its hosts has an address"};
}

static void
print_host(struct ctl *c, const struct admin_route_host *h, bool by_mx)
{
    static const char *const states[] = {"", "has no address", "cannot be looked up now"};

    if (by_mx)
        printf("%5u  ", h->preference);
    printf("%s port %u  %s", ctl_text(c, h->name), h->port,
           states[MIN((size_t)h->state, COUNT_OF(states) - 1)]);
    for (size_t i = 0; i < h->addresses_count; i++)
        printf("%s%s", i > 0 ? ", " : "", ctl_text(c, h->addresses[i]));
    printf("%s\n", h->secure ? "  (DNSSEC)" : "");
}

static void
print_plan(struct ctl *c, const struct admin_route_plan *p)
{
    static const char *const kinds[] = {
        [PLAN_ROUTE] = "a route of the configuration leads to this host",
        [PLAN_MX] = "MX records",
        [PLAN_IMPLICIT] = "no MX record: the domain itself is the host",
        [PLAN_NULL_MX] = "a null MX record",
        [PLAN_TO_US] = "MX records",
    };
    const char *kind = p->kind < COUNT_OF(kinds) ? kinds[p->kind] : NULL;

    if (kind != NULL)
        printf("%s%s\n", kind, p->secure ? " (DNSSEC)" : "");
    for (size_t i = 0; i < p->hosts_count; i++)
        print_host(c, &p->hosts[i], p->kind != PLAN_ROUTE);
    if (p->hosts_count > 0)
        printf("%s\n", p->login ? "only with TLS, the certificate checked, and with a log-in"
                       : p->tls_required ? "only with TLS"
                                         : "with TLS where it is offered, else without");
}

static json_t *
plan_json(const struct admin_route_plan *p)
{
    static const char *const kinds[] = {"route",     "mx",    "implicit", "null-mx",
                                        "no-domain", "to-us", "none",     "unknown"};
    static const char *const states[] = {"found", "nowhere", "unknown"};
    json_t *hosts = json_array();

    for (size_t i = 0; i < p->hosts_count; i++) {
        const struct admin_route_host *h = &p->hosts[i];
        json_t *addresses = json_array();
        for (size_t k = 0; k < h->addresses_count; k++)
            json_array_append_new(addresses, ctl_json_str(h->addresses[k]));
        json_array_append_new(hosts, json_pack("{s:o, s:i, s:i, s:s, s:o, s:b}", "name",
                                               ctl_json_str(h->name), "preference",
                                               (int)h->preference, "port", (int)h->port, "state",
                                               states[MIN((size_t)h->state, COUNT_OF(states) - 1)],
                                               "addresses", addresses, "secure", (int)h->secure));
    }
    return json_pack("{s:s, s:o, s:s, s:b}", "kind",
                     kinds[MIN((size_t)p->kind, COUNT_OF(kinds) - 1)], "hosts", hosts, "tls",
                     p->login          ? "verified"
                     : p->tls_required ? "required"
                                       : "offered",
                     "secure", (int)p->secure);
}

static SUSPENDS int
explain_route(struct ctl *c)
{
    struct admin_explain_route req;
    struct admin_explain_route_reply rep;
    ssize_t at = str_rfind(ctl_arg(c, 0), '@');

    if (at >= 0)
        c->argv[0] += at + 1;
    req.domain = ctl_domain(c, 0);
    enum status e = admin_explain_route_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return failed(c, e);
    json_t *j = rep.local ? json_pack("{s:s}", "kind", "local") : plan_json(&rep.plan);
    json_object_set_new(j, "domain", ctl_json_str(req.domain));
    struct verdict v = judge_route(&rep);
    if (!c->json && !rep.local)
        print_plan(c, &rep.plan);
    return finish(c, v.exit, v.why, j);
}

static const struct ctl_verb explain_verbs[] = {
    {"rcpt", 1, 1, "ADDRESS [--size SIZE] [--from SENDER] [--ip IP]", explain_rcpt,
     "mail to an address here", EXPLAIN_UNKNOWN},
    {"route", 1, 1, "DOMAIN|ADDRESS", explain_route, "mail to other servers", EXPLAIN_UNKNOWN},
    {"login", 1, 1, "NAME [--ip IP]", explain_login, "a log-in, without its password",
     EXPLAIN_UNKNOWN},
    {0},
};

static const struct ctl_option explain_options[] = {
    {"--from", CTL_TEXT, &typed.from},
    {"--ip", CTL_TEXT, &typed.ip},
    {"--size", CTL_SIZE, &typed.size},
    {0},
};

int
explain_command(int argc, char **argv)
{
    return ctl_main(argc, argv, explain_verbs, explain_options);
}
