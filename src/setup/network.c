/* network.c - the resolver, port 25, host name and reverse names.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/network_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/scan.h"
#include "base/size.h"
#include "rt/disk.h"

enum { DIAL_MS = 10000, GREETING_MS = 30000, FORWARD_MAX = 8, FORWARD_TEXT = 80 };
#define BIG_PROVIDERS                        \
    {                                        \
        STR("gmail.com"), STR("outlook.com") \
    }

/* ---- the resolver ---- */

/* "192.0.2.1:53" and "[::1]:53" as unbound writes them: "192.0.2.1@53". */
static struct str
forward_text(struct str wanted, struct arena *a)
{
    ssize_t colon = str_rfind(wanted, ':');
    struct str host = colon < 0 ? wanted : str_sub(wanted, 0, (size_t)colon);
    struct str port = colon < 0 ? STR("53") : str_skip(wanted, (size_t)colon + 1);

    if (host.len > 2 && host.ptr[0] == '[')
        host = str_sub(host, 1, host.len - 2);
    return arena_printf(a, "%.*s@%.*s", STR_FMT(host), STR_FMT(port));
}

/* Does it answer, and is the answer proven?  The resolver stays with n when it answers. */
static SUSPENDS bool
try_resolver(struct network *n, const struct resolver_options *o, bool *secure_out)
{
    struct problem why = {0};
    struct resolver *r;

    *secure_out = false;
    if (resolver_new(o, &r, &why) != OK || resolver_probe(r, secure_out) != OK)
        return false;
    n->resolver = r;
    return true;
}

static bool
has_anchor(void)
{
    return access(RESOLVER_ANCHOR_FILE, R_OK) == 0;
}

/* With proofs when they come through, else without.  The suffix for the setting, NULL = no answer at all. */
static SUSPENDS const char *
try_both(struct network *n, struct resolver_options o)
{
    bool secure = false;

    o.dnssec = has_anchor();
    if (o.dnssec && try_resolver(n, &o, &secure) && secure)
        return "";
    o.dnssec = false;
    return try_resolver(n, &o, &secure) ? " no-dnssec" : NULL;
}

/* A datagram socket that is connected has asked the routing table, and sent nothing. */
static bool
has_route(void)
{
    struct sockaddr_in root = {.sin_family = AF_INET, .sin_port = htons(53)};
    AUTO(fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    return inet_pton(AF_INET, "198.41.0.4", &root.sin_addr) == 1 && fd >= 0 &&
           connect(fd, (const struct sockaddr *)&root, sizeof(root)) == 0;
}

static void
say_resolver(const struct network *n, const char *name, const char *suffix)
{
    if (suffix[0] == '\0')
        finding_add(n->f, FINDING_OK, "resolver",
                    "%s answers, and its answers are proven (DNSSEC).", name);
    else if (has_anchor())
        finding_add(n->f, FINDING_NOTE, "resolver",
                    "%s answers, but lets no proofs (DNSSEC) through, so forged answers cannot be "
                    "told: the configuration says no-dnssec; a resolver such as unbound on this "
                    "machine mends it.",
                    name);
    else
        finding_add(
            n->f, FINDING_NOTE, "resolver",
            "%s answers, but the root key to prove answers with (DNSSEC) is missing, so the "
            "configuration says no-dnssec: apt install dns-root-data, and take that word "
            "out.",
            name);
}

static void
take_resolver(const struct network *n, const char *words, const char *suffix,
              struct network_resolver *out)
{
    out->words = arena_printf(n->a, "%s%s", words, suffix);
}

void
network_find_resolver(struct network *n, struct str wanted, struct network_resolver *out)
{
    struct str forward = wanted.len > 0 ? forward_text(wanted, n->a) : STR_NONE;
    const char *suffix;

    *out =
        (struct network_resolver){STR("recursive"), STR("asked from the root on; not tried yet")};
    if (wanted.len > 0) {
        const char *name = arena_z(n->a, wanted);
        suffix = try_both(n, (struct resolver_options){.forward = &forward, .forward_count = 1});
        take_resolver(n, name, suffix != NULL ? suffix : "", out);
        out->why = STR("the resolver that was named to setup");
        if (suffix != NULL)
            say_resolver(n, arena_printf(n->a, "The resolver %s", name).ptr, suffix);
        else
            finding_add(n->f, FINDING_MEND, "resolver",
                        "The resolver %s does not answer, so no mail can leave: start it, or name "
                        "another with --resolver.",
                        name);
        return;
    }
    if (!has_route()) {
        finding_add(n->f, FINDING_NOTE, "resolver",
                    "This machine has no way to the Internet now, so names and port 25 were not "
                    "looked at: run godwit check when it has.");
        return;
    }
    suffix = try_both(n, (struct resolver_options){.recursive = true});
    if (suffix != NULL) {
        take_resolver(n, "recursive", suffix, out);
        out->why = STR("asked from the root on, which needs nobody else");
        say_resolver(n, "Asking from the root on works: it", suffix);
        return;
    }
    suffix = try_both(n, (struct resolver_options){0});
    take_resolver(n, "system", suffix != NULL ? suffix : " no-dnssec", out);
    out->why = STR("port 53 is blocked here, so the machine's own resolver is asked");
    if (suffix != NULL)
        say_resolver(n,
                     "Port 53 is blocked on the way out, so the resolver of /etc/resolv.conf is "
                     "asked: it",
                     suffix);
    else
        finding_add(n->f, FINDING_MEND, "resolver",
                    "Neither the root servers nor the resolver of /etc/resolv.conf answer, so no "
                    "mail can leave: let port 53 out, or name a resolver with --resolver.");
}

void
network_use_config(struct network *n)
{
    const struct config_resolver *c = &n->config->resolver;
    struct str forward[FORWARD_MAX];
    size_t count = MIN(c->forward_count, (size_t)FORWARD_MAX);
    bool secure = false;

    for (size_t i = 0; i < count; i++)
        forward[i] = arena_printf(n->a, "%.*s@%u", STR_FMT(c->forward[i].host), c->forward[i].port);
    struct resolver_options o = {.forward = forward,
                                 .forward_count = count,
                                 .recursive = c->kind == RESOLVER_RECURSIVE,
                                 .dnssec = c->dnssec};
    if (c->dnssec && !has_anchor()) {
        finding_add(
            n->f, FINDING_MEND, "resolver",
            "The root key %s is missing, so no answer can be proven and no mail leaves: apt "
            "install dns-root-data, or add no-dnssec to the line resolver.",
            RESOLVER_ANCHOR_FILE);
        o.dnssec = false; /* so that the rest can be looked at */
        (void)try_resolver(n, &o, &secure);
        return;
    }
    if (!try_resolver(n, &o, &secure))
        finding_add(n->f, FINDING_MEND, "resolver",
                    "The resolver of the configuration does not answer%s, so mail to others waits, "
                    "and DNS records were not looked at: correct the line resolver.",
                    c->dnssec ? " with proofs (DNSSEC)" : "");
    else
        finding_add(n->f, FINDING_OK, "resolver", "The resolver answers%s.",
                    secure ? ", with proofs (DNSSEC)" : "");
}

/* ---- port 25 ---- */

static SUSPENDS bool
greets(int fd)
{
    char text[4] = "";
    size_t n = 0;

    while (n < 3) {
        if (fiber_wait_fd(fd, EPOLLIN, GREETING_MS) != OK)
            return false;
        ssize_t got = read(fd, text + n, 3 - n);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        n += got > 0 ? (size_t)got : 0;
    }
    return str_eq(str_from(text, 3), STR("220"));
}

static SUSPENDS bool
dial(struct sockaddr_storage at, uint16_t port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&at;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&at;
    AUTO(fd_close) int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0;
    socklen_t len = sizeof(error);

    if (at.ss_family == AF_INET)
        v4->sin_port = htons(port);
    else
        v6->sin6_port = htons(port);
    if (fd < 0 ||
        (connect(fd, (const struct sockaddr *)&at,
                 at.ss_family == AF_INET ? (socklen_t)sizeof(*v4) : (socklen_t)sizeof(*v6)) != 0 &&
         errno != EINPROGRESS))
        return false;
    return fiber_wait_fd(fd, EPOLLOUT, DIAL_MS) == OK &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0 && greets(fd);
}

static SUSPENDS enum network_mail
dial_host(struct network *n, struct str host, uint16_t port)
{
    struct dns_addresses found;
    unsigned char raw[16];
    char z[64];
    bool numeric = str_to_z(host, z, sizeof(z)) &&
                   (inet_pton(AF_INET, z, raw) == 1 || inet_pton(AF_INET6, z, raw) == 1);

    if ((n->resolver == NULL && !numeric) ||
        resolver_addresses(n->resolver, host, DNS_IPV4 | DNS_IPV6, n->a, &found) != OK)
        return MAIL_UNKNOWN;
    for (size_t i = 0; i < found.count; i++)
        if (dial(found.at[i], port))
            return MAIL_LEAVES;
    return MAIL_BLOCKED;
}

static void
say_outbound(const struct network *n, enum network_mail mail, struct str host, uint16_t port)
{
    if (mail == MAIL_LEAVES)
        finding_add(n->f, FINDING_OK, "port 25 out", "Mail can leave: %.*s answers on port %u.",
                    STR_FMT(host), port);
    else if (mail == MAIL_BLOCKED)
        finding_add(
            n->f, FINDING_MEND, "port 25 out",
            "%.*s does not answer on port %u: your provider lets no mail out, as many do, so "
            "what you send will wait; ask them to open port 25, or send by a smarthost with "
            "--smarthost HOST:587.",
            STR_FMT(host), port);
    else
        finding_add(n->f, FINDING_NOTE, "port 25 out",
                    "Whether mail can leave was not found out, since %.*s could not be looked up.",
                    STR_FMT(host));
}

static SUSPENDS enum network_mail
probe_named(struct network *n, struct str probe)
{
    ssize_t colon = str_rfind(probe, ':');
    struct str host = colon > 0 ? str_sub(probe, 0, (size_t)colon) : probe;
    struct scan s = scan_of(colon > 0 ? str_skip(probe, (size_t)colon + 1) : STR(""));
    uint32_t port = 25;

    if (colon > 0 && (!scan_u32(&s, 65535, &port) || !scan_at_end(&s)))
        port = 25;
    enum network_mail mail = dial_host(n, host, (uint16_t)port);
    say_outbound(n, mail, host, (uint16_t)port);
    return mail;
}

enum network_mail
network_check_outbound(struct network *n, struct str probe)
{
    static const struct str providers[] = BIG_PROVIDERS;
    enum network_mail mail = MAIL_UNKNOWN;
    struct str host = providers[0];

    if (probe.len > 0)
        return probe_named(n, probe);
    if (n->resolver == NULL)
        return MAIL_UNKNOWN; /* which was said with the resolver */
    for (size_t i = 0; mail != MAIL_LEAVES && i < COUNT_OF(providers); i++) {
        struct dns_mx mx;
        if (resolver_mx(n->resolver, providers[i], n->a, &mx) != OK || mx.count == 0)
            continue;
        enum network_mail one = dial_host(n, mx.hosts[0].name, 25);
        if (one != MAIL_UNKNOWN) {
            mail = one;
            host = mx.hosts[0].name;
        }
    }
    say_outbound(n, mail, host, 25);
    return mail;
}

/* ---- names ---- */

static bool
same_address(const struct sockaddr_storage *at, struct str text)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)at;
    unsigned char raw[16];
    char z[64];

    if (!str_to_z(text, z, sizeof(z)))
        return false;
    if (at->ss_family == AF_INET)
        return inet_pton(AF_INET, z, raw) == 1 &&
               str_eq(str_from((const char *)raw, 4), str_from((const char *)&v4->sin_addr, 4));
    return inet_pton(AF_INET6, z, raw) == 1 &&
           str_eq(str_from((const char *)raw, 16), str_from((const char *)&v6->sin6_addr, 16));
}

static bool
leads_here(const struct network *n, const struct dns_addresses *found)
{
    for (size_t i = 0; i < found->count; i++)
        for (size_t k = 0; k < n->address_count; k++)
            if (same_address(&found->at[i], n->addresses[k]))
                return true;
    return n->address_count == 0; /* behind NAT: nobody told */
}

void
network_check_host(struct network *n)
{
    struct str host = n->config->host;
    struct dns_addresses found;

    if (n->resolver == NULL)
        return;
    enum status e = resolver_addresses(n->resolver, host, DNS_IPV4 | DNS_IPV6, n->a, &found);
    if (e == ERR_NOT_FOUND)
        finding_add(n->f, FINDING_MEND, "host name",
                    "%.*s has no address in DNS, so nobody finds this server: set %.*s. IN A %.*s.",
                    STR_FMT(host), STR_FMT(host),
                    STR_FMT(n->address_count > 0 ? n->addresses[0] : STR("(its address)")));
    else if (e != OK)
        finding_add(n->f, FINDING_NOTE, "host name", "%.*s could not be looked up now.",
                    STR_FMT(host));
    else if (!leads_here(n, &found))
        finding_add(n->f, FINDING_MEND, "host name",
                    "%.*s leads to another address than this server's (%.*s), so mail goes there: "
                    "correct its A and AAAA records.",
                    STR_FMT(host), STR_FMT(n->addresses[0]));
    else
        finding_add(n->f, FINDING_OK, "host name", "%.*s leads here.", STR_FMT(host));
}

static struct str
address_text(const struct sockaddr_storage *at, struct arena *a)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)at;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)at;
    char z[INET6_ADDRSTRLEN] = "";

    if (at->ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &v4->sin_addr, z, sizeof(z));
    else
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, z, sizeof(z));
    return arena_str(a, str_of(z));
}

struct record_seen
network_see_address(struct network *n, const struct record *r)
{
    unsigned family = str_eq(str_of(r->type), STR("A")) ? DNS_IPV4 : DNS_IPV6;
    struct record_seen out = {.state = RECORD_DIFFERENT, .seen = STR("")};
    struct dns_addresses found;
    enum status e = resolver_addresses(n->resolver, r->name, family, n->a, &found);

    if (e != OK && e != ERR_NOT_FOUND)
        return network_unknown(n, "host name", r->name);
    for (size_t i = 0; e == OK && i < found.count; i++) {
        struct str text = address_text(&found.at[i], n->a);
        if (same_address(&found.at[i], r->of_address))
            out.state = RECORD_FINE;
        out.seen =
            arena_printf(n->a, "%.*s%s%.*s", STR_FMT(out.seen), i > 0 ? ", " : "", STR_FMT(text));
    }
    if (out.state == RECORD_FINE) {
        finding_add(n->f, FINDING_OK, "host name", "%.*s leads to %.*s.", STR_FMT(r->name),
                    STR_FMT(r->of_address));
    } else if (e == ERR_NOT_FOUND) {
        out.state = RECORD_MISSING;
        finding_add(n->f, FINDING_MEND, "host name",
                    "%.*s has no %s record, so nobody finds this server there: set %.*s. IN %s "
                    "%.*s.",
                    STR_FMT(r->name), r->type, STR_FMT(r->name), r->type, STR_FMT(r->value));
    } else {
        finding_add(n->f, FINDING_MEND, "host name",
                    "%.*s leads to %.*s and not to this server's %.*s: correct its %s records, or "
                    "say --address if the world reaches it there.",
                    STR_FMT(r->name), STR_FMT(out.seen), STR_FMT(r->of_address), r->type);
    }
    return out;
}

/* OK: the name is the host's; ERR_NOT_FOUND: none or another; else unknown. */
static SUSPENDS enum status
reverse_is_host(struct network *n, struct str address, struct str *is_out)
{
    struct dns_texts names;

    TRY(resolver_reverse(n->resolver, address, n->a, &names));
    *is_out = names.text[0];
    for (size_t i = 0; i < names.count; i++)
        if (str_eq_nocase(names.text[i], n->config->host))
            return OK;
    return ERR_NOT_FOUND;
}

struct record_seen
network_see_reverse(struct network *n, const struct record *r)
{
    struct str host = n->config->host, is = STR_NONE, address = r->of_address;
    enum status e = reverse_is_host(n, address, &is);
    bool six = str_find(address, ':') >= 0;

    if (e == OK)
        finding_add(n->f, FINDING_OK, "reverse name", "%.*s has the reverse name %.*s.",
                    STR_FMT(address), STR_FMT(host));
    else if (e != ERR_NOT_FOUND)
        finding_add(n->f, FINDING_NOTE, "reverse name",
                    "The reverse name of %.*s could not be looked up now.", STR_FMT(address));
    else if (is.len == 0)
        finding_add(
            n->f, FINDING_MEND, "reverse name",
            "%.*s has no reverse name (PTR), so many servers refuse mail from it: %sask your "
            "provider to set it to %.*s.",
            STR_FMT(address), six ? "send by IPv4 only (source ipv6 none) until then, and " : "",
            STR_FMT(host));
    else
        finding_add(n->f, FINDING_MEND, "reverse name",
                    "%.*s has the reverse name %.*s and not %.*s, so some servers refuse mail from "
                    "it: ask your provider to change it.",
                    STR_FMT(address), STR_FMT(is), STR_FMT(host));
    if (e != OK && e != ERR_NOT_FOUND)
        return (struct record_seen){.state = RECORD_UNKNOWN};
    enum record_state not = is.len == 0 ? RECORD_MISSING : RECORD_DIFFERENT;
    return (struct record_seen){e == OK ? RECORD_FINE : not, is};
}

bool
network_check_reverse(struct network *n)
{
    bool four = false, six_lacks = false;

    for (size_t i = 0; n->resolver != NULL && i < n->address_count; i++) {
        bool six = str_find(n->addresses[i], ':') >= 0;
        if (six && str_eq(n->config->source6, STR("none")))
            continue; /* nothing leaves from there */
        const struct record r = {.kind = RECORD_REVERSE, .of_address = n->addresses[i]};
        enum record_state is = network_see_reverse(n, &r).state;
        bool good = is == RECORD_FINE || is == RECORD_UNKNOWN;
        four = four || !six;
        six_lacks = six_lacks || (six && !good);
    }
    return six_lacks && four;
}
