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
    uint64_t tries;
    int64_t age_us;
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

/* postmaster or abuse of a domain that has none: found at another address than itself, itself without its tag, and the
 * catch-all. */
static bool
is_caretaker(const struct admin_explain_step *s)
{
    ssize_t plus = str_find(s->address, '+'), at = str_rfind(s->address, '@');

    if (s->entry.len == 0 || s->entry.ptr[0] == '@' || str_eq(s->address, s->entry))
        return false;
    return plus < 0 || plus > at;
}

static const char *
step_words(const struct admin_explain_step *s)
{
    bool itself = str_eq(s->address, s->entry);
    bool catch_all = s->entry.len > 0 && s->entry.ptr[0] == '@';

    if (is_caretaker(s))
        return "has no account and no alias of its own, so it is, by the default domain,";
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

/* To other servers, on port 25. */
static struct verdict
judge_relay(const struct admin_explain_rcpt_reply *r)
{
    if (!r->listed)
        return (struct verdict){EXPLAIN_NO,
                                "refused with 554 5.7.1: its domain is not served here; a "
                                "user who logged in may send to it, see explain route"};
    if (typed.from == NULL)
        return (struct verdict){EXPLAIN_YES,
                                "accepted and sent on for a network of relay-from, with a sender "
                                "of a domain served here or none"};
    if (!r->sender_ours)
        return (struct verdict){EXPLAIN_NO,
                                "refused with 553 5.7.1: for a network of relay-from, but with a "
                                "sender of a domain that is not served here"};
    return (struct verdict){EXPLAIN_YES, "accepted and sent on: the client is of a network of "
                                         "relay-from; see explain route"};
}

/* Classes of rewritten senders behind those of the directory, as in store.ipc. */
enum { CLASS_FORGED = DIRECTORY_DISABLED + 1, CLASS_REPORTS_ONLY, CLASS_TOO_MANY };

static struct verdict
judge_return(const struct admin_explain_rcpt_reply *r)
{
    if (r->class == CLASS_FORGED)
        return (struct verdict){EXPLAIN_NO, "refused with 550 5.7.1: this return address (SRS) was "
                                            "not made here, or has expired"};
    if (r->class == CLASS_REPORTS_ONLY)
        return (struct verdict){EXPLAIN_NO, "refused with 550 5.7.1: only reports (MAIL FROM:<>) "
                                            "go to a return address (SRS)"};
    return (struct verdict){EXPLAIN_NO, "refused for now with 451 4.7.1: too many reports to this "
                                        "return address (SRS)"};
}

/* In the order of the checks of SMTP. */
static struct verdict
judge_rcpt(const struct admin_explain_rcpt_reply *r)
{
    if (r->class >= CLASS_FORGED)
        return judge_return(r);
    if (r->class == DIRECTORY_FOREIGN && !r->set_up)
        return (struct verdict){EXPLAIN_NO,
                                "refused for now with 451: no domain is set up here yet"};
    if (r->class == DIRECTORY_FOREIGN)
        return judge_relay(r);
    if (r->cut)
        return (struct verdict){EXPLAIN_NO,
                                "refused with 550 5.1.1: its aliases lead to too many addresses"};
    if (r->class == DIRECTORY_NO_USER)
        return (struct verdict){EXPLAIN_NO,
                                "refused with 550 5.1.1: there is no such address here"};
    if (r->class == DIRECTORY_DISABLED)
        return (struct verdict){EXPLAIN_NO, "refused with 550 5.2.1: the account is disabled"};
    if (r->class == DIRECTORY_OVER_QUOTA && r->lasting)
        return (struct verdict){
            EXPLAIN_NO, "refused with 552 5.2.2: the mailbox is full, and has been for days"};
    if (r->class == DIRECTORY_OVER_QUOTA)
        return (struct verdict){EXPLAIN_NO, "refused for now with 452 4.2.2: the mailbox is full"};
    if (r->disk_full)
        return (struct verdict){EXPLAIN_NO,
                                "refused for now with 452 4.3.1: the disk is nearly full"};
    if (r->returns.len > 0 && typed.from == NULL)
        return (struct verdict){EXPLAIN_YES, "accepted, when it is a report (MAIL FROM:<>)"};
    return (struct verdict){
        EXPLAIN_YES, r->relayed ? "accepted; some of it is sent on to other servers" : "accepted"};
}

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
    req.sender = typed.from != NULL ? str_of(typed.from) : STR("");
    req.peer = typed.ip != NULL ? str_of(typed.ip) : STR("");
    enum status e = admin_explain_rcpt_call(c->store, &req, c->arena, &rep);
    json_t *j = json_pack("{s:o}", "address", ctl_json_str(req.address));
    if (e == ERR_SYNTAX)
        return finish(c, EXPLAIN_NO, "refused: this is no address", j);
    if (e != OK) {
        json_decref(j);
        return failed(c, e);
    }
    if (rep.returns.len > 0 && !c->json)
        printf("%s is a return address (SRS) of\n", ctl_text(c, req.address));
    json_object_set_new(j, "returns_to",
                        rep.returns.len > 0 ? ctl_json_str(rep.returns) : json_null());
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
        printf("%u wrong log-ins lately count against %s: from there, from its network, or to this "
               "account; the next one is looked at %s\n",
               r->wrong, typed.ip, r->wait_s == 0 ? "at once" : "after a pause");
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
        found += r->plan.hosts[i].state == PLAN_HOST_FOUND ||
                 r->plan.hosts[i].state == PLAN_HOST_OF_PROXY;
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
    case PLAN_NO_ROUTE:
        return (struct verdict){EXPLAIN_NO, "waits: the configuration has no route of this name"};
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
    static const char *const states[] = {"", "has no address", "cannot be looked up now",
                                         "the proxy looks it up"};

    if (by_mx)
        printf("%5u  ", h->preference);
    printf("%s port %u  %s", ctl_text(c, h->name), h->port,
           states[MIN((size_t)h->state, COUNT_OF(states) - 1)]);
    for (size_t i = 0; i < h->addresses_count; i++)
        printf("%s%s", i > 0 ? ", " : "", ctl_text(c, h->addresses[i]));
    printf("%s\n", h->secure ? "  (DNSSEC)" : "");
}

static void
print_manner(struct ctl *c, const struct admin_route_manner *m)
{
    static const char *const tls[] = {"with TLS where it is offered, else without", "only with TLS",
                                      "only with TLS, the certificate checked", "without TLS"};

    printf("%s%s\n", tls[MIN((size_t)m->tls, COUNT_OF(tls) - 1)],
           m->login ? ", and with a log-in" : "");
    if (m->socks.len > 0)
        printf("by the SOCKS proxy %s\n", ctl_text(c, m->socks));
    if (m->source4.len > 0)
        printf("IPv4 from %s\n", ctl_text(c, m->source4));
    if (m->source6.len > 0)
        printf("IPv6 from %s\n", ctl_text(c, m->source6));
    if (m->ehlo.len > 0)
        printf("as %s\n", ctl_text(c, m->ehlo));
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
        print_manner(c, &p->manner);
}

static json_t *
plan_json(const struct admin_route_plan *p)
{
    static const char *const kinds[] = {"route", "mx",   "implicit", "null-mx", "no-domain",
                                        "to-us", "none", "unknown",  "no-route"};
    static const char *const states[] = {"found", "nowhere", "unknown", "proxy"};
    static const char *const tls[] = {"offered", "required", "verified", "never"};
    const struct admin_route_manner *m = &p->manner;
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
    return json_pack("{s:s, s:o, s:s, s:b, s:b, s:o, s:o, s:b, s:o, s:o, s:o}", "kind",
                     kinds[MIN((size_t)p->kind, COUNT_OF(kinds) - 1)], "hosts", hosts, "tls",
                     tls[MIN((size_t)m->tls, COUNT_OF(tls) - 1)], "secure", (int)p->secure, "login",
                     (int)m->login, "route", ctl_json_str(m->title), "socks",
                     ctl_json_str(m->socks), "socks_names", (int)m->socks_names, "source4",
                     ctl_json_str(m->source4), "source6", ctl_json_str(m->source6), "ehlo",
                     ctl_json_str(m->ehlo));
}

/* Without the brackets of none. */
static struct str
sender_typed(void)
{
    return typed.from == NULL || strcmp(typed.from, "<>") == 0 ? STR("") : str_of(typed.from);
}

static SUSPENDS int
explain_route(struct ctl *c)
{
    struct admin_explain_route req;
    struct admin_explain_route_reply rep;
    ssize_t at = str_rfind(ctl_arg(c, 0), '@');

    if (at >= 0)
        c->argv[0] += at + 1;
    req = (struct admin_explain_route){.domain = ctl_domain(c, 0),
                                       .sender = sender_typed(),
                                       .tries = (uint32_t)MIN(typed.tries, (uint64_t)UINT32_MAX),
                                       .age_s = (uint64_t)(typed.age_us / 1000000)};
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
    {"route", 1, 1, "DOMAIN|ADDRESS [--from SENDER] [--tries N] [--age TIME]", explain_route,
     "mail to other servers", EXPLAIN_UNKNOWN},
    {"login", 1, 1, "NAME [--ip IP]", explain_login, "a log-in, without its password",
     EXPLAIN_UNKNOWN},
    {0},
};

static const struct ctl_option explain_options[] = {
    {"--from", CTL_TEXT, &typed.from},      {"--ip", CTL_TEXT, &typed.ip},
    {"--size", CTL_SIZE, &typed.size},      {"--tries", CTL_SIZE, &typed.tries},
    {"--age", CTL_DURATION, &typed.age_us}, {0},
};

int
explain_command(int argc, char **argv)
{
    return ctl_main(argc, argv, explain_verbs, explain_options);
}
