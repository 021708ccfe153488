/* hosts.c - who takes the mail of a domain, and where those hosts are.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "dns/resolver_internal.h"
#include "rt/random.h"

enum { NAME_TEXT_MAX = 256, ADDRESSES_MAX = 16, NAMES_BYTES = 2 * NAME_TEXT_MAX };

/* ---- MX ---- */

static bool
is_host_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_';
}

/* False also for what is no name of a host: it would stand in logs, reports and questions. */
bool
resolver_read_name(struct str wire, struct arena *a, struct str *out)
{
    char text[NAME_TEXT_MAX];
    size_t at = 0, n = 0;

    for (;;) {
        if (at >= wire.len)
            return false;
        size_t label = (unsigned char)wire.ptr[at++];
        if (label == 0)
            break;
        if (label > 63 || at + label > wire.len || n + label + 1 > sizeof(text))
            return false;
        if (n > 0)
            text[n++] = '.';
        for (size_t i = 0; i < label; i++) {
            if (!is_host_char(wire.ptr[at + i]))
                return false;
            text[n++] = ascii_lower(wire.ptr[at + i]);
        }
        at += label;
    }
    *out = n == 0 ? STR("") : arena_str(a, str_from(text, n));
    return true;
}

/* The best hosts so far.  Equal preferences stand in random order (RFC 5321 section 5.1). */
struct ranking {
    struct dns_host *hosts;
    uint64_t order[LIMIT_MX_HOSTS]; /* preference, then random bits */
    size_t count;
};

static void
rank_host(struct ranking *r, struct dns_host host)
{
    uint64_t order = (uint64_t)host.preference << 32 | random_below(UINT32_MAX);
    size_t at = r->count;

    if (at == LIMIT_MX_HOSTS && order >= r->order[at - 1])
        return;
    if (at < LIMIT_MX_HOSTS)
        r->count++;
    else
        at--;
    for (; at > 0 && r->order[at - 1] > order; at--) {
        r->order[at] = r->order[at - 1];
        r->hosts[at] = r->hosts[at - 1];
    }
    r->order[at] = order;
    r->hosts[at] = host;
}

/* RFC 7505: the root as the only host says that there is none; beside others it means nothing. */
static void
read_hosts(struct dns_answer *w, struct arena *a, struct dns_mx *mx)
{
    struct ranking r = {.hosts = ARENA_ARRAY(a, struct dns_host, LIMIT_MX_HOSTS)};
    struct str wire;
    bool root = false;

    while (dns_answer_next(w, &wire)) {
        struct dns_host host = {0};
        if (arena_left(a) < NAMES_BYTES || wire.len < 3 ||
            !resolver_read_name(str_skip(wire, 2), a, &host.name))
            continue;
        host.preference = be16_get(wire.ptr);
        root |= host.name.len == 0;
        if (host.name.len > 0)
            rank_host(&r, host);
    }
    mx->hosts = r.hosts;
    mx->count = r.count;
    mx->null_mx = r.count == 0 && root;
}

enum status
resolver_mx(struct resolver *r, struct str domain, struct arena *a, struct dns_mx *out)
{
    AUTO_ANSWER w = {0};
    struct dns_mx mx = {0};

    TRY(resolver_ask(r, domain, DNS_TYPE_MX, RESOLVER_PATIENCE_MS, &w));
    if (!w.exists)
        return ERR_NOT_FOUND;
    mx.secure = w.secure;
    if (w.count > 0) {
        read_hosts(&w, a, &mx);
        if (mx.count == 0 && !mx.null_mx)
            return ERR_NOT_FOUND; /* RFC 5321 section 5.1: MX without a usable one is an error */
    } else {
        struct dns_host *self = ARENA_NEW(a, struct dns_host);
        self->name = arena_str(a, domain);
        mx.hosts = self;
        mx.count = 1;
        mx.implicit = true;
    }
    *out = mx;
    return OK;
}

/* ---- addresses ---- */

static bool
read_numeric(struct str host, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;
    char text[NAME_TEXT_MAX];

    if (!str_to_z(host, text, sizeof(text)))
        return false;
    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        return true;
    }
    return false;
}

static void
add_addresses(struct dns_answer *w, enum dns_type type, struct sockaddr_storage *to, size_t *n)
{
    struct str data;

    while (*n < ADDRESSES_MAX && dns_answer_next(w, &data)) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&to[*n];
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&to[*n];
        if (type == DNS_TYPE_A && data.len == 4) {
            v4->sin_family = AF_INET;
            mem_copy(&v4->sin_addr, data.ptr, 4);
            (*n)++;
        } else if (type == DNS_TYPE_AAAA && data.len == 16) {
            v6->sin6_family = AF_INET6;
            mem_copy(&v6->sin6_addr, data.ptr, 16);
            (*n)++;
        }
    }
}

/* One family's addresses. */
struct family {
    struct sockaddr_storage at[ADDRESSES_MAX];
    size_t count;
    enum status status; /* ERR_NOT_FOUND also when it is not asked for */
    bool secure;
    struct str canonical;
};

/* A name that is none of a host is as good as none: TLSA records are looked for under the alias alone. */
static struct str
canonical_name(const struct dns_answer *w, struct arena *a)
{
    AUTO_BUF text = BUF(NAME_TEXT_MAX);

    if (!w->aliased || !dns_name_write(&w->canonical, &text) || text.len == 0)
        return STR("");
    for (size_t i = 0; i < text.len; i++)
        if (!is_host_char(text.ptr[i]) && text.ptr[i] != '.')
            return STR("");
    return arena_str(a, buf_str(&text));
}

static SUSPENDS enum status
add_family(struct resolver *r, struct str host, enum dns_type type, struct arena *a,
           struct family *f)
{
    AUTO_ANSWER w = {0};

    TRY(resolver_ask(r, host, type, RESOLVER_PATIENCE_MS, &w));
    if (!w.exists)
        return ERR_NOT_FOUND;
    add_addresses(&w, type, f->at, &f->count);
    f->secure = w.secure;
    f->canonical = canonical_name(&w, a);
    return OK;
}

/* IPv6, IPv4, IPv6 ...: one dead family then costs one connection attempt, not all. */
static size_t
interleave(const struct family *six, const struct family *four, struct sockaddr_storage *to)
{
    size_t n = 0;

    for (size_t i = 0; i < MAX(six->count, four->count); i++) {
        if (i < six->count)
            to[n++] = six->at[i];
        if (i < four->count)
            to[n++] = four->at[i];
    }
    return n;
}

enum status
resolver_addresses(struct resolver *r, struct str host, unsigned families, struct arena *a,
                   struct dns_addresses *out)
{
    struct sockaddr_storage *all = ARENA_ARRAY(a, struct sockaddr_storage, 2 * ADDRESSES_MAX);
    struct family *six = ARENA_NEW(a, struct family), *four = ARENA_NEW(a, struct family);

    if (read_numeric(host, &all[0])) {
        *out = (struct dns_addresses){.at = all, .count = 1};
        return OK;
    }
    six->status = four->status = ERR_NOT_FOUND;
    if ((families & DNS_IPV6) != 0)
        six->status = add_family(r, host, DNS_TYPE_AAAA, a, six);
    if ((families & DNS_IPV4) != 0)
        four->status = add_family(r, host, DNS_TYPE_A, a, four);
    if (six->count + four->count == 0) {
        /* Whatever kept us from knowing is not the same as that there is nothing. */
        if (four->status != OK && four->status != ERR_NOT_FOUND)
            return four->status;
        return six->status == OK ? ERR_NOT_FOUND : six->status;
    }
    *out = (struct dns_addresses){.at = all,
                                  .count = interleave(six, four, all),
                                  .secure = (six->count == 0 || six->secure) &&
                                            (four->count == 0 || four->secure),
                                  .canonical = six->count > 0 ? six->canonical : four->canonical};
    return OK;
}
