/* guard.c - see guard.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/guard.h"

#include "base/encode.h"
#include "base/size.h"
#include "dns/services.h"

/* What came of looking for the TLSA records of one name. */
enum found { NO_RECORDS, UNUSABLE, USABLE, CANNOT_TELL };

/* ---- what a report says of it ---- */

/* RFC 8460 section 4.5: the fields of each record as RFC 6698 section 2.2 presents them. */
static void
name_records(const struct dns_tlsas *all, struct str base, struct arena *a, struct guard *g)
{
    AUTO_BUF text = BUF(LIMIT_TLS_FACT_TEXT_BYTES);

    for (size_t i = 0; i < all->count; i++) {
        const struct dns_tlsa *t = &all->at[i];
        size_t before = text.len;
        buf_addf(&text, "%s%u %u %u ", i > 0 ? "\n" : "", t->usage, t->selector, t->matching);
        buf_add_hex(&text, t->data);
        if (buf_status(&text) == OK)
            continue;
        text.len = before; /* half a record would be another one */
        break;
    }
    g->policy = TLS_POLICY_TLSA;
    g->policy_domain = base;
    g->policy_text = arena_str(a, buf_str(&text));
}

static void
name_policy(const struct guard_ask *ask, struct arena *a, struct guard *g)
{
    AUTO_BUF text = BUF(LIMIT_STS_KEPT_BYTES);

    sts_policy_write(ask->sts, &text);
    g->policy = TLS_POLICY_STS;
    g->policy_domain = ask->domain;
    g->policy_text = arena_str(a, str_trim(buf_str(&text)));
    g->trouble =
        sts_covers(ask->sts, ask->host) ? TLS_RESULT_SUCCESS : TLS_RESULT_VALIDATION_FAILURE;
    g->trouble_why = g->trouble == TLS_RESULT_SUCCESS ? "" : "the policy does not name this host";
}

/* ---- DANE ---- */

/* RFC 7672 section 2.2.3.  The records of one candidate for the TLSA base domain. */
static SUSPENDS enum found
look_under(const struct guard_ask *ask, struct str base, struct arena *a, struct guard *g)
{
    struct str name = arena_printf(a, "_%u._tcp.%.*s", ask->port, STR_FMT(base));
    struct dns_tlsas all;
    enum status e = resolver_tlsas(ask->resolver, name, a, &all);

    if (e == ERR_NOT_FOUND || (e == OK && !all.secure))
        return NO_RECORDS;
    if (e != OK) {
        g->barred = true;
        g->policy = TLS_POLICY_TLSA;
        g->policy_domain = base;
        g->trouble = TLS_RESULT_DNSSEC_INVALID;
        problem_set(&g->why, 0, "4.7.5",
                    "DANE: the TLSA records of %.*s cannot be looked up now, so nothing proves it",
                    STR_FMT(base));
        return CANNOT_TELL;
    }
    struct tls_dane_record *usable = ARENA_ARRAY(a, struct tls_dane_record, all.count + 1);
    size_t n = 0;
    for (size_t i = 0; i < all.count; i++) {
        usable[n] = (struct tls_dane_record){all.at[i].usage, all.at[i].selector,
                                             all.at[i].matching, all.at[i].data};
        n += tls_dane_is_usable(&usable[n]) ? 1 : 0;
    }
    g->kind = n > 0 ? GUARD_DANE : GUARD_TLS;
    g->trouble = n > 0 ? TLS_RESULT_SUCCESS : TLS_RESULT_TLSA_INVALID;
    name_records(&all, base, a, g);
    g->dane = (struct tls_dane){.base = base, .domain = ask->domain, .records = usable, .count = n};
    if (n > 0)
        problem_set(&g->why, 0, "", "DANE: %zu TLSA record%s of %.*s", n, n == 1 ? "" : "s",
                    STR_FMT(name));
    else
        problem_set(
            &g->why, 0, "",
            "DANE: no TLSA record of %.*s can be used, so TLS is required, of whoever answers",
            STR_FMT(name));
    return n > 0 ? USABLE : UNUSABLE;
}

/* The alias itself, though what it leads to is not. */
static SUSPENDS bool
is_secure_alias(const struct guard_ask *ask, struct arena *a)
{
    const struct dns_query q = {.name = ask->host, .type = DNS_TYPE_CNAME};
    struct dns_records found;

    return resolver_records(ask->resolver, &q, a, &found) == OK && found.count > 0 && found.secure;
}

/* RFC 7672 section 2.2.2. */
static SUSPENDS enum found
look_for_dane(const struct guard_ask *ask, struct arena *a, struct guard *g)
{
    struct dns_addresses at;

    if (!ask->listed)
        return NO_RECORDS;
    enum status e = resolver_addresses(ask->resolver, ask->host, ask->families, a, &at);
    if (e == ERR_NOT_FOUND && ask->by_proxy)
        return NO_RECORDS;
    if (e != OK) {
        /* Not "unprotected": the next look-up may find it, when whoever disturbed this one lets it pass. */
        g->barred = true;
        g->nowhere = e == ERR_NOT_FOUND;
        problem_set(&g->why, 0, g->nowhere ? "4.4.4" : "4.4.3", "the host %.*s %s",
                    STR_FMT(ask->host), g->nowhere ? "has no address" : "cannot be looked up now");
        return CANNOT_TELL;
    }
    bool alias = at.canonical.len > 0;
    if (!at.secure && !(alias && is_secure_alias(ask, a)))
        return NO_RECORDS;
    if (alias && at.secure) {
        enum found f = look_under(ask, at.canonical, a, g);
        if (f != NO_RECORDS)
            return f;
    }
    return look_under(ask, ask->host, a, g);
}

/* RFC 8461 section 4.1. */
static void
apply_policy(const struct guard_ask *ask, struct arena *a, struct guard *g)
{
    if (ask->sts == NULL || ask->sts->mode == STS_NONE)
        return;
    if (ask->sts->mode == STS_ENFORCE || g->kind == GUARD_NONE)
        name_policy(ask, a, g);
    bool covers = sts_covers(ask->sts, ask->host);
    if (ask->sts->mode == STS_TESTING && g->kind == GUARD_NONE)
        problem_set(&g->why, 0, "", "MTA-STS: the policy of %.*s is for testing and %s this host",
                    STR_FMT(ask->domain), covers ? "names" : "does not name");
    if (ask->sts->mode != STS_ENFORCE)
        return;
    g->barred = !covers;
    g->kind = GUARD_STS;
    if (covers)
        problem_set(&g->why, 0, "", "MTA-STS: the policy of %.*s, in force, names this host",
                    STR_FMT(ask->domain));
    else
        problem_set(&g->why, 0, "4.7.5",
                    "MTA-STS: the policy of %.*s does not name the host %.*s, which DNS names",
                    STR_FMT(ask->domain), STR_FMT(ask->host));
}

void
guard_find(const struct guard_ask *ask, struct arena *a, struct guard *out)
{
    struct guard g = {.kind = GUARD_NONE, .policy_domain = ask->domain, .trouble_why = ""};

    problem_set(&g.why, 0, "", "%s",
                ask->listed ? "neither TLSA records (DANE) nor a policy of MTA-STS"
                            : "no proof of its name (DNSSEC), and no policy of MTA-STS");
    enum found f = look_for_dane(ask, a, &g);
    if (f == NO_RECORDS || f == UNUSABLE)
        apply_policy(ask, a, &g);
    *out = g;
}
