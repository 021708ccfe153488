/* network_services.c - what DNS says about services and certificates of this server, and whom it asks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "dns/services.h"
#include "setup/cert.h"
#include "setup/machine.h"
#include "setup/network.h"

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

static struct str
ought_tlsa(const struct network *n)
{
    AUTO_BUF pem = BUF(2 * CERT_FILE_MAX);

    if (n->config->tls_count == 0 || machine_read_file(n->config->tls[0].cert_file, &pem) != OK)
        return STR("");
    return cert_make_tlsa(buf_str(&pem), n->a);
}

static void
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

struct looked {
    struct buf *missing; /* names of records */
    size_t here, wrong, unknown;
};

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

static SUSPENDS void
look_at_service(struct network *n, struct str domain, const struct config_listen *l,
                struct looked *out)
{
    const char *label = records_service_label(l->service);
    struct str name = arena_printf(n->a, "%s._tcp.%.*s", label, STR_FMT(domain));
    struct dns_services found;
    enum status e = resolver_services(n->resolver, name, n->a, &found);

    if (e == ERR_NOT_FOUND)
        buf_addf(out->missing, "%s%s", out->missing->len > 0 ? ", " : "", label);
    else if (e != OK)
        out->unknown++;
    if (e != OK)
        return;
    for (size_t i = 0; i < found.count; i++)
        if (str_eq_nocase(found.at[i].target, n->config->host) &&
            listens(n->config, l->service, found.at[i].port)) {
            out->here++;
            return;
        }
    out->wrong++;
    finding_add(n->f, FINDING_MEND, "SRV",
                "The SRV record of %.*s leads mail programs to %.*s:%u, where this server is not: "
                "set %.*s. IN SRV 0 1 %u %.*s.",
                STR_FMT(name),
                STR_FMT(found.at[0].target.len > 0 ? found.at[0].target : STR("(nowhere)")),
                found.at[0].port, STR_FMT(name), l->at.port, STR_FMT(n->config->host));
}

static bool
is_first(const struct config *c, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (c->listen[i].service == c->listen[at].service && c->listen[i].socket.path.len == 0)
            return false;
    return c->listen[at].socket.path.len == 0;
}

static SUSPENDS void
check_services(struct network *n, struct str domain)
{
    AUTO_BUF missing = BUF(MISSING_MAX);
    struct looked all = {.missing = &missing};

    for (size_t i = 0; i < n->config->listen_count && n->config->tls_count > 0; i++)
        if (records_service_label(n->config->listen[i].service) != NULL && is_first(n->config, i))
            look_at_service(n, domain, &n->config->listen[i], &all);
    if (missing.len > 0)
        finding_add(n->f, FINDING_NOTE, "SRV",
                    "%.*s has no SRV records for %.*s, so mail programs that look for them guess: "
                    "godwit domain show %.*s prints them.",
                    STR_FMT(domain), STR_FMT(buf_str(&missing)), STR_FMT(domain));
    else if (all.here > 0 && all.wrong == 0 && all.unknown == 0)
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
name_missing(struct network *n, struct str domain)
{
    static const char *const names[] = {"autoconfig", "autodiscover", "mta-sts"};
    AUTO_BUF missing = BUF(MISSING_MAX);

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct str name = arena_printf(n->a, "%s.%.*s", names[i], STR_FMT(domain));
        if (lacks(n, name))
            buf_addf(&missing, "%s%.*s", missing.len > 0 ? ", " : "", STR_FMT(name));
    }
    if (missing.len > 0)
        finding_add(n->f, FINDING_NOTE, "other names",
                    "There is no %.*s: nobody needs them, but mail programs ask the first two for "
                    "server names, and other servers the last for the promise of TLS (MTA-STS); "
                    "a web server of yours may answer there.",
                    STR_FMT(buf_str(&missing)));
}

void
network_check_services(struct network *n, struct str domain)
{
    if (n->resolver == NULL)
        return;
    check_services(n, domain);
    name_missing(n, domain);
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
