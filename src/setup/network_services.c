/* network_services.c - what DNS says about services and certificates of this server, and whom it asks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "dns/services.h"
#include "setup/cert.h"
#include "setup/machine.h"
#include "setup/network_internal.h"

enum { MISSING_MAX = 1024 };

/* ---- TLSA ---- */

static bool
is_ours(const struct config *c, const struct cert_tlsa *t)
{
    for (size_t i = 0; i < c->tls_count; i++) {
        AUTO_BUF pem = BUF(2 * CERT_FILE_MAX);
        if (machine_read_file(c->tls[i].cert_file, &pem) == OK && cert_fits_tlsa(buf_str(&pem), t))
            return true;
    }
    return false;
}

size_t
network_own_tlsas(const struct config *c, struct arena *a, struct str *out, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < c->tls_count && count < max; i++) {
        AUTO_BUF pem = BUF(2 * CERT_FILE_MAX);
        if (machine_read_file(c->tls[i].cert_file, &pem) != OK)
            continue;
        struct str text = cert_make_tlsa(buf_str(&pem), a);
        bool known = text.len == 0;
        for (size_t k = 0; k < count; k++)
            known = known || str_eq(out[k], text);
        if (!known)
            out[count++] = text;
    }
    return count;
}

static struct str
ought_tlsa(const struct network *n)
{
    struct str text;

    return network_own_tlsas(n->config, n->a, &text, 1) == 1 ? text : STR("");
}

static enum record_state
judge_tlsas(struct network *n, struct str name, const struct dns_tlsas *all)
{
    size_t good = 0;

    for (size_t i = 0; i < all->count; i++) {
        const struct cert_tlsa t = {all->at[i].usage, all->at[i].selector, all->at[i].matching,
                                    all->at[i].data};
        good += is_ours(n->config, &t) ? 1 : 0;
    }
    if (good == 0)
        finding_add(n->f, FINDING_MEND, "TLSA",
                    "No TLSA record of %.*s fits a certificate of this server, so servers that "
                    "check them (DANE) send it no mail: set %.*s. IN TLSA %.*s, or take the "
                    "records away.",
                    STR_FMT(name), STR_FMT(name), STR_FMT(ought_tlsa(n)));
    else if (!all->secure && n->config->resolver.dnssec)
        finding_add(n->f, FINDING_NOTE, "TLSA",
                    "The TLSA records of %.*s fit, but are not signed (DNSSEC), so nobody heeds "
                    "them: have the zone signed.",
                    STR_FMT(name));
    else
        finding_add(n->f, FINDING_OK, "TLSA", "The TLSA records of %.*s fit our certificate.",
                    STR_FMT(name));
    return good > 0 ? RECORD_FINE : RECORD_DIFFERENT;
}

static struct str
tlsa_text(const struct dns_tlsa *t, struct arena *a)
{
    AUTO_BUF b = BUF(1024);

    buf_addf(&b, "%u %u %u ", t->usage, t->selector, t->matching);
    for (size_t i = 0; i < t->data.len && i < 128; i++)
        buf_addf(&b, "%02x", (unsigned char)t->data.ptr[i]);
    return arena_str(a, buf_str(&b));
}

struct record_seen
network_see_tlsa(struct network *n, const struct record *r)
{
    struct record_seen out = {.state = RECORD_MISSING, .seen = STR("")};
    struct dns_tlsas found;
    enum status e = resolver_tlsas(n->resolver, r->name, n->a, &found);
    bool exact = false;

    if (e != OK && e != ERR_NOT_FOUND)
        return network_unknown(n, "TLSA", r->name);
    for (size_t i = 0; e == OK && i < found.count; i++) {
        struct str one = tlsa_text(&found.at[i], n->a);
        exact = exact || str_eq(one, r->value);
        out.seen =
            arena_printf(n->a, "%.*s%s%.*s", STR_FMT(out.seen), i > 0 ? ", " : "", STR_FMT(one));
    }
    if (e == OK && (exact || n->config->tls_count == 1)) {
        out.state = judge_tlsas(n, r->name, &found);
        return out;
    }
    out.state = e == OK ? RECORD_DIFFERENT : RECORD_MISSING;
    finding_add(
        n->f, FINDING_NOTE, "TLSA",
        "%.*s has no such TLSA record: servers that check certificates by DNS (DANE) cannot; "
        "set it where the zone is signed (DNSSEC).",
        STR_FMT(r->name));
    return out;
}

void
network_check_tlsa(struct network *n)
{
    struct str name = arena_printf(n->a, "_25._tcp.%.*s", STR_FMT(n->config->host));
    struct dns_tlsas found;

    if (n->resolver == NULL)
        return;
    enum status e = resolver_tlsas(n->resolver, name, n->a, &found);
    if (e == OK)
        judge_tlsas(n, name, &found);
    else if (e != ERR_NOT_FOUND) /* nobody has to publish any */
        finding_add(n->f, FINDING_NOTE, "TLSA", "The records of %.*s could not be looked up now.",
                    STR_FMT(name));
}

/* ---- SRV, and other names ---- */

/* Some listener of the service has the port. */
static bool
listens(const struct config *c, enum service s, uint16_t port)
{
    for (size_t i = 0; i < c->listen_count; i++)
        if (c->listen[i].service == s && c->listen[i].at.port == port &&
            c->listen[i].socket.path.len == 0)
            return true;
    return false;
}

/* Says what is wrong, and nothing of what is right or missing. */
static SUSPENDS struct record_seen
look_at_service(struct network *n, const struct record *r)
{
    struct record_seen out = {.state = RECORD_DIFFERENT, .seen = STR("")};
    struct dns_services found;
    enum status e = resolver_services(n->resolver, r->name, n->a, &found);

    if (e != OK) {
        out.state = e == ERR_NOT_FOUND ? RECORD_MISSING : RECORD_UNKNOWN;
        return out;
    }
    for (size_t i = 0; i < found.count; i++) {
        const struct dns_service *s = &found.at[i];
        if (str_eq_nocase(s->target, n->config->host) && listens(n->config, r->service, s->port))
            out.state = RECORD_FINE;
        out.seen = arena_printf(n->a, "%.*s%s%u %u %u %.*s.", STR_FMT(out.seen), i > 0 ? ", " : "",
                                s->priority, s->weight, s->port, STR_FMT(s->target));
    }
    if (out.state == RECORD_DIFFERENT)
        finding_add(
            n->f, FINDING_MEND, "SRV",
            "The SRV record of %.*s leads mail programs to %.*s:%u, where this server is not: "
            "set %.*s. IN SRV 0 1 %u %.*s.",
            STR_FMT(r->name),
            STR_FMT(found.at[0].target.len > 0 ? found.at[0].target : STR("(nowhere)")),
            found.at[0].port, STR_FMT(r->name), r->port, STR_FMT(n->config->host));
    return out;
}

struct record_seen
network_see_service(struct network *n, const struct record *r)
{
    struct record_seen out = look_at_service(n, r);

    if (out.state == RECORD_UNKNOWN)
        return network_unknown(n, "SRV", r->name);
    if (out.state == RECORD_MISSING)
        finding_add(n->f, FINDING_NOTE, "SRV",
                    "There is no %.*s, so mail programs that look for it guess: set it as godwit "
                    "domain show prints it.",
                    STR_FMT(r->name));
    else if (out.state == RECORD_FINE)
        finding_add(n->f, FINDING_OK, "SRV", "%.*s leads mail programs here.", STR_FMT(r->name));
    return out;
}

static bool
is_first(const struct records *all, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (all->at[i].kind == RECORD_SRV && all->at[i].service == all->at[at].service)
            return false;
    return all->at[at].kind == RECORD_SRV;
}

static SUSPENDS void
check_services(struct network *n, const struct records *all)
{
    AUTO_BUF missing = BUF(MISSING_MAX);
    size_t count[RECORD_STATES] = {0};
    struct str domain = all->domain;

    for (size_t i = 0; i < all->count; i++) {
        if (!is_first(all, i))
            continue;
        enum record_state s = look_at_service(n, &all->at[i]).state;
        count[s]++;
        if (s == RECORD_MISSING)
            buf_addf(&missing, "%s%s", missing.len > 0 ? ", " : "",
                     records_service_label(all->at[i].service));
    }
    if (missing.len > 0)
        finding_add(n->f, FINDING_NOTE, "SRV",
                    "%.*s has no SRV records for %.*s, so mail programs that look for them guess: "
                    "godwit domain show %.*s prints them.",
                    STR_FMT(domain), STR_FMT(buf_str(&missing)), STR_FMT(domain));
    else if (count[RECORD_FINE] > 0 && count[RECORD_DIFFERENT] == 0 && count[RECORD_UNKNOWN] == 0)
        finding_add(n->f, FINDING_OK, "SRV", "The SRV records of %.*s lead mail programs here.",
                    STR_FMT(domain));
}

/* True when the name certainly is not there. */
static SUSPENDS bool
lacks(struct network *n, struct str name)
{
    struct dns_addresses found;

    return resolver_addresses(n->resolver, name, DNS_IPV4 | DNS_IPV6, n->a, &found) ==
           ERR_NOT_FOUND;
}

static SUSPENDS void
name_missing(struct network *n, const struct records *all)
{
    AUTO_BUF missing = BUF(MISSING_MAX);

    for (size_t i = 0; i < all->count; i++)
        if (all->at[i].kind == RECORD_WEB && lacks(n, all->at[i].name))
            buf_addf(&missing, "%.*s, ", STR_FMT(all->at[i].name));
    struct str sts = arena_printf(n->a, "mta-sts.%.*s", STR_FMT(all->domain));
    if (lacks(n, sts))
        buf_addf(&missing, "%.*s, ", STR_FMT(sts));
    if (missing.len > 0)
        finding_add(
            n->f, FINDING_NOTE, "other names",
            "There is no %.*s: nobody needs them, but mail programs ask autoconfig and "
            "autodiscover for server names, and other servers mta-sts for the promise of TLS "
            "(MTA-STS); a web server of yours may answer there.",
            STR_FMT(str_sub(buf_str(&missing), 0, missing.len - 2)));
}

struct record_seen
network_see_web(struct network *n, const struct record *r)
{
    bool no = lacks(n, r->name);

    finding_add(n->f, FINDING_OK, "other names",
                no ? "There is no %.*s, and nobody needs it." : "There is a %.*s.",
                STR_FMT(r->name));
    return (struct record_seen){.state = no ? RECORD_WAITS : RECORD_FINE, .seen = STR("")};
}

void
network_check_services(struct network *n, const struct records *all)
{
    if (n->resolver == NULL)
        return;
    check_services(n, all);
    name_missing(n, all);
}

/* ---- whom we ask ---- */

static bool
is_public(struct str address)
{
    static const struct str known[] = {
        STR("8.8.8.8"),
        STR("8.8.4.4"),
        STR("2001:4860:4860::8888"),
        STR("2001:4860:4860::8844"),
        STR("1.1.1.1"),
        STR("1.0.0.1"),
        STR("2606:4700:4700::1111"),
        STR("2606:4700:4700::1001"),
        STR("9.9.9.9"),
        STR("149.112.112.112"),
        STR("2620:fe::fe"),
        STR("2620:fe::9"),
        STR("208.67.222.222"),
        STR("208.67.220.220"),
        STR("64.6.64.6"),
        STR("64.6.65.6"),
        STR("4.2.2.1"),
        STR("4.2.2.2"),
    };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_nocase(known[i], address))
            return true;
    return false;
}

static void
judge_one(struct str address, struct findings *f)
{
    if (is_public(address))
        finding_add(f, FINDING_NOTE, "resolver",
                    "%.*s is a resolver that everybody asks, and block lists in DNS refuse such "
                    "ones or answer them falsely, so filters that ask by it judge wrong: make the "
                    "line resolver recursive, or put unbound on this machine.",
                    STR_FMT(address));
}

void
network_judge_resolvers(const struct config *c, struct str resolv_conf, struct findings *f)
{
    struct str line, word;

    if (c->outbound_none || c->resolver.kind == RESOLVER_RECURSIVE)
        return;
    for (size_t i = 0; i < c->resolver.forward_count; i++)
        judge_one(c->resolver.forward[i].host, f);
    while (c->resolver.forward_count == 0 && str_split(&resolv_conf, '\n', &line)) {
        line = str_trim(line);
        if (str_split(&line, ' ', &word) && str_eq(word, STR("nameserver")) && line.ptr != NULL)
            judge_one(str_trim(line), f);
    }
}
