/* spf_match.c - does one mechanism match the client?  What it asks for that (RFC 7208 section 5).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "policy/iprev.h"
#include "policy/spf_internal.h"
#include "rt/clock.h"

static bool is_v4(const struct spf_check *c);

enum status
spf_ask(struct spf_check *c, struct str name, enum dns_type type, struct dns_records *out)
{
    struct dns_query q = {.name = name, .type = type};

    *out = (struct dns_records){0};
    q.timeout_ms = MIN(c->until_ms - clock_mono_ms(), (int64_t)LIMIT_DNS_TIMEOUT_S * 1000);
    if (q.timeout_ms <= 0) {
        problem_set(&c->why, 0, "", "the look-ups took too long");
        return ERR_TEMP;
    }
    ASSERT(arena_left(c->a) >= RESOLVER_RECORDS_ARENA);
    enum status e = resolver_records(c->resolver, &q, c->a, out);
    if (e == ERR_NOT_FOUND) /* no such name can be, so nobody was asked */
        return OK;
    if (e == ERR_LIMIT)
        problem_set(&c->why, 0, "", "%.*s has more than %u records of one type", STR_FMT(name),
                    (unsigned)LIMIT_DNS_RECORDS);
    if (e == ERR_TEMP)
        problem_set(&c->why, 0, "", "DNS has no answer about %.*s now", STR_FMT(name));
    c->secure = (c->secure || !c->asked) && e == OK && out->secure;
    c->asked = true;
    return e;
}

/* RFC 7208 section 4.6.4. */
enum status
spf_count_term(struct spf_check *c)
{
    if (++c->terms <= LIMIT_SPF_TERMS)
        return OK;
    problem_set(&c->why, 0, "", "more than %u terms of the record ask DNS",
                (unsigned)LIMIT_SPF_TERMS);
    return ERR_LIMIT;
}

/* A look-up that a term begins with.  Those that find nothing are counted: RFC 7208 section 11.1. */
static SUSPENDS enum status
ask_first(struct spf_check *c, struct str name, enum dns_type type, struct dns_records *out)
{
    TRY(spf_ask(c, name, type, out));
    if (out->count > 0 || ++c->voids <= LIMIT_SPF_VOIDS)
        return OK;
    problem_set(&c->why, 0, "", "more than %u terms of the record ask for what does not exist",
                (unsigned)LIMIT_SPF_VOIDS);
    return ERR_LIMIT;
}

static bool
is_v4(const struct spf_check *c)
{
    return c->values.client.size == 4;
}

static enum dns_type
address_type(const struct spf_check *c)
{
    return is_v4(c) ? DNS_TYPE_A : DNS_TYPE_AAAA;
}

/* Does one of them have the client's leading bits? */
static bool
has_client(const struct spf_check *c, const struct dns_records *found, unsigned bits)
{
    struct subnet around = subnet_wider(&c->values.client, bits);

    for (size_t i = 0; i < found->count; i++) {
        struct subnet n = {.size = c->values.client.size, .bits = c->values.client.bits};
        ASSERT(found->data[i].len == n.size);
        mem_copy(n.bytes, found->data[i].ptr, n.size);
        if (subnet_covers(&around, &n))
            return true;
    }
    return false;
}

static unsigned
bits_of(const struct spf_check *c, const struct spf_term *t)
{
    return is_v4(c) ? t->bits4 : t->bits6;
}

static SUSPENDS enum status
match_a(struct spf_check *c, const struct spf_term *t, struct str target, bool *out)
{
    struct dns_records found;

    TRY(ask_first(c, target, address_type(c), &found));
    *out = has_client(c, &found, bits_of(c, t));
    return OK;
}

/* RFC 7208 section 5.4: without MX there is no host.  More than ten names are an error of the domain. */
static SUSPENDS enum status
match_mx(struct spf_check *c, const struct spf_term *t, struct str target, bool *out)
{
    struct dns_records hosts, found;

    TRY(ask_first(c, target, DNS_TYPE_MX, &hosts));
    if (hosts.count > LIMIT_SPF_NAMES) {
        problem_set(&c->why, 0, "", "%.*s has more than %u MX records", STR_FMT(target),
                    (unsigned)LIMIT_SPF_NAMES);
        return ERR_LIMIT;
    }
    *out = false;
    for (size_t i = 0; i < hosts.count && !*out; i++) {
        if (hosts.data[i].len == 0)
            continue; /* RFC 7505: no mail there */
        TRY(spf_ask(c, hosts.data[i], address_type(c), &found));
        *out = has_client(c, &found, bits_of(c, t));
    }
    return OK;
}

static SUSPENDS enum status
match_exists(struct spf_check *c, struct str target, bool *out)
{
    struct dns_records found;

    TRY(ask_first(c, target, DNS_TYPE_A, &found));
    *out = found.count > 0;
    return OK;
}

/* ---- the client's names ---- */

/* RFC 7208 section 5.5: no error of these look-ups is one of the check, since a stranger to the domain may own the
 * address. */
enum status
spf_client_names(struct spf_check *c)
{
    AUTO_BUF name = BUF(80);
    struct dns_records names, found;

    if (c->asked_names)
        return OK;
    c->asked_names = true;
    iprev_name(&c->values.client, &name);
    enum status e = spf_ask(c, arena_str(c->a, buf_str(&name)), DNS_TYPE_PTR, &names);
    if (e != OK)
        return e == ERR_CANCELLED ? e : OK;
    for (size_t i = 0; i < names.count && i < LIMIT_SPF_NAMES; i++) {
        e = spf_ask(c, names.data[i], address_type(c), &found);
        if (e == ERR_CANCELLED)
            return e;
        if (e == OK && has_client(c, &found, c->values.client.bits))
            c->names[c->name_count++] = names.data[i];
    }
    return OK;
}

static bool
is_below(struct str name, struct str domain)
{
    return name.len > domain.len && str_ends_nocase(name, domain) &&
           name.ptr[name.len - domain.len - 1] == '.';
}

/* A name of an address is nothing that the domain publishes: it does not count among what does not exist. */
static SUSPENDS enum status
match_ptr(struct spf_check *c, struct str target, bool *out)
{
    TRY(spf_client_names(c));
    *out = false;
    for (size_t i = 0; i < c->name_count && !*out; i++)
        *out = str_eq_nocase(c->names[i], target) || is_below(c->names[i], target);
    return OK;
}

/* RFC 7208 section 7.3: the domain itself, else one below it, else any. */
enum status
spf_fill_validated(struct spf_check *c, struct str text, bool counted)
{
    struct str domain = c->values.domain;
    size_t best = 0;

    c->values.validated = STR("");
    if (!spf_macro_has(text, 'p'))
        return OK;
    if (counted && !c->asked_names)
        TRY(spf_count_term(c));
    TRY(spf_client_names(c));
    for (size_t i = c->name_count; i-- > 0;)
        if (is_below(c->names[i], domain))
            best = i;
    for (size_t i = c->name_count; i-- > 0;)
        if (str_eq_nocase(c->names[i], domain))
            best = i;
    if (c->name_count > 0)
        c->values.validated = c->names[best];
    return OK;
}

enum status
spf_match(struct spf_check *c, const struct spf_term *t, bool *out)
{
    struct str target;

    if (t->mechanism == SPF_ALL) {
        *out = true;
        return OK;
    }
    if (t->mechanism == SPF_IP4 || t->mechanism == SPF_IP6) {
        *out = subnet_covers(&t->network, &c->values.client);
        return OK;
    }
    TRY(spf_count_term(c));
    TRY(spf_target(c, t->domain, &target));
    switch (t->mechanism) {
    case SPF_A: return match_a(c, t, target, out);
    case SPF_MX: return match_mx(c, t, target, out);
    case SPF_PTR: return match_ptr(c, target, out);
    default: ASSERT(t->mechanism == SPF_EXISTS); return match_exists(c, target, out);
    }
}
