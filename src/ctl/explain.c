/* explain.c - `godwit explain`: what would happen to a recipient, to a log-in, to mail for a domain, and why.
 *
 * Exit status: 0 it would work, 1 it would be refused, 3 cannot be told now.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>

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

/* Both forms of an answer: a verdict, why, and what led there. */
static int
finish(struct ctl *c, struct view_judgement v, json_t *j)
{
    static const int exits[] = {
        [VIEW_YES] = EXPLAIN_YES, [VIEW_NO] = EXPLAIN_NO, [VIEW_UNKNOWN] = EXPLAIN_UNKNOWN};

    if (c->json) {
        view_set_judgement(j, v);
        (void)ctl_print_json(j);
    } else {
        printf("%s\n", v.why);
        json_decref(j);
    }
    return exits[v.verdict];
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

/* Both decide only about mail for other servers; wrong ones are wrong all the same. */
static bool
client_is_one(void)
{
    if (typed.ip == NULL || is_address_of_host(typed.ip))
        return true;
    fprintf(stderr, "godwit explain: read --ip \"%s\", expected an address such as 192.0.2.1\n",
            typed.ip);
    return false;
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
    if (e == ERR_SYNTAX)
        return finish(c, (struct view_judgement){VIEW_NO, "refused: this is no address"},
                      json_pack("{s:o}", "address", view_str(req.address)));
    if (e != OK)
        return failed(c, e);
    if (rep.returns.len > 0 && !c->json)
        printf("%s is a return address (SRS) of\n", ctl_text(c, req.address));
    for (size_t i = 0; !c->json && i < rep.steps_count; i++)
        print_step(c, &rep.steps[i]);
    return finish(c, view_judge_rcpt(&rep, req.sender), view_explain_rcpt(req.address, &rep));
}

/* ---- login ---- */

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
    struct view_judgement v = view_judge_login(&rep);
    return finish(c, v, view_explain_login(&rep));
}

/* ---- route ---- */

static void
print_host(struct ctl *c, const struct admin_route_host *h, bool by_mx)
{
    static const char *const states[] = {"", "has no address", "cannot be looked up now",
                                         "the proxy looks it up"};
    static const char *const guards[] = {
        [GUARD_NONE] = "TLS is not proven: ",
        [GUARD_TLS] = "only with TLS; ",
        [GUARD_STS] = "only with TLS, its certificate for this name; ",
        [GUARD_DANE] = "only with TLS, its certificate one of DNS; ",
    };

    if (by_mx)
        printf("%5u  ", h->preference);
    printf("%s port %u  %s", ctl_text(c, h->name), h->port,
           states[MIN((size_t)h->state, COUNT_OF(states) - 1)]);
    for (size_t i = 0; i < h->addresses_count; i++)
        printf("%s%s", i > 0 ? ", " : "", ctl_text(c, h->addresses[i]));
    printf("%s\n", h->secure ? "  (DNSSEC)" : "");
    if (h->why.len > 0)
        printf("%s%s%s\n", by_mx ? "       " : "  ",
               h->barred ? "gets nothing now: "
                         : guards[MIN((size_t)h->guard, COUNT_OF(guards) - 1)],
               ctl_text(c, h->why));
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
    struct view_judgement v = view_judge_route(&rep);
    if (!c->json && !rep.local)
        print_plan(c, &rep.plan);
    return finish(c, v, view_explain_route(req.domain, &rep));
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
