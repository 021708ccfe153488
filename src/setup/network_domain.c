/* network_domain.c - the DNS records of one of our domains, as the world reads them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "setup/network_internal.h"

enum { VALUE_MAX = 2048 };

static SUSPENDS struct record_seen see_mx(struct network *n, const struct record *r);
static SUSPENDS struct record_seen see_spf(struct network *n, const struct record *r);
static SUSPENDS struct record_seen see_dkim(struct network *n, const struct record *r);
static SUSPENDS struct record_seen see_dmarc(struct network *n, const struct record *r);
static SUSPENDS struct record_seen see_tls_rpt(struct network *n, const struct record *r);
static SUSPENDS struct record_seen see_mta_sts(struct network *n, const struct record *r);

const char *
record_state_name(enum record_state s)
{
    static const char *const names[RECORD_STATES] = {"ok", "missing", "different", "unknown",
                                                     "later"};

    return names[s];
}

struct record_seen
network_check_record(struct network *n, const struct record *r)
{
    switch (r->kind) {
    case RECORD_ADDRESS: return network_see_address(n, r);
    case RECORD_REVERSE: return network_see_reverse(n, r);
    case RECORD_MX: return see_mx(n, r);
    case RECORD_SPF: return see_spf(n, r);
    case RECORD_DKIM: return see_dkim(n, r);
    case RECORD_DMARC: return see_dmarc(n, r);
    case RECORD_TLSA: return network_see_tlsa(n, r);
    case RECORD_TLS_RPT: return see_tls_rpt(n, r);
    case RECORD_MTA_STS: return see_mta_sts(n, r);
    case RECORD_SRV: return network_see_service(n, r);
    case RECORD_WEB: return network_see_web(n, r);
    }
    UNREACHABLE();
}

/* What is looked at for a domain, and not for the host once. */
static bool
is_of_domain(const struct network *n, enum record_kind kind)
{
    switch (kind) {
    case RECORD_MX:
    case RECORD_SPF:
    case RECORD_DKIM:
    case RECORD_DMARC: return true;
    case RECORD_TLS_RPT:
    case RECORD_MTA_STS: return n->deep;
    default: return false;
    }
}

void
network_check_domain(struct network *n, const struct records_domain *d)
{
    struct records all;

    if (n->resolver == NULL)
        return;
    records_make(n->config, d, n->a, &all);
    for (size_t i = 0; i < all.count; i++)
        if (is_of_domain(n, all.at[i].kind))
            (void)network_check_record(n, &all.at[i]);
    if (n->deep)
        network_check_services(n, &all);
}

struct record_seen
network_unknown(const struct network *n, const char *topic, struct str name)
{
    finding_add(n->f, FINDING_NOTE, topic, "The records of %.*s could not be looked up now.",
                STR_FMT(name));
    return (struct record_seen){.state = RECORD_UNKNOWN, .seen = STR("")};
}

static struct record_seen
seen(enum record_state state, struct str what)
{
    return (struct record_seen){state, what};
}

static struct record_seen
see_mx(struct network *n, const struct record *r)
{
    struct str host = n->config->host, domain = r->name, found = STR("");
    struct dns_mx mx;
    enum status e = resolver_mx(n->resolver, domain, n->a, &mx);

    if (e != OK && e != ERR_NOT_FOUND)
        return network_unknown(n, "MX", domain);
    if (e == ERR_NOT_FOUND || mx.implicit || mx.null_mx) {
        bool null = e == OK && mx.null_mx;
        finding_add(n->f, FINDING_MEND, "MX",
                    "%.*s has no MX record, so its mail does not come here: set %.*s. IN MX 10 "
                    "%.*s.",
                    STR_FMT(domain), STR_FMT(domain), STR_FMT(host));
        return null ? seen(RECORD_DIFFERENT, STR("0 .")) : seen(RECORD_MISSING, STR(""));
    }
    for (size_t i = 0; i < mx.count; i++)
        found = arena_printf(n->a, "%.*s%s%u %.*s.", STR_FMT(found), i > 0 ? ", " : "",
                             mx.hosts[i].preference, STR_FMT(mx.hosts[i].name));
    for (size_t i = 0; i < mx.count; i++)
        if (str_eq_nocase(mx.hosts[i].name, host)) {
            finding_add(n->f, FINDING_OK, "MX", "Mail of %.*s comes here.", STR_FMT(domain));
            return seen(RECORD_FINE, found);
        }
    finding_add(
        n->f, FINDING_MEND, "MX",
        "The MX record of %.*s names %.*s, so its mail goes there: set %.*s. IN MX 10 %.*s.",
        STR_FMT(domain), STR_FMT(mx.hosts[0].name), STR_FMT(domain), STR_FMT(host));
    return seen(RECORD_DIFFERENT, found);
}

/* The one text that begins with the version tag; how many do. */
static SUSPENDS enum status
find_version(struct network *n, struct str name, struct str version, struct str *out, size_t *count)
{
    struct dns_texts texts;
    enum status e = resolver_texts(n->resolver, name, n->a, &texts);

    *count = 0;
    *out = STR("");
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    for (size_t i = 0; i < texts.count; i++)
        if (str_starts_nocase(texts.text[i], version)) {
            *out = texts.text[i];
            ++*count;
        }
    return OK;
}

/* Some mechanism that can match us: what others behind an include say is theirs to keep right. */
static bool
spf_names_us(const struct network *n, struct str spf)
{
    struct str word;

    while (str_split(&spf, ' ', &word)) {
        if (str_starts(word, STR("+")))
            word = str_skip(word, 1);
        if (str_eq_nocase(word, STR("mx")) || str_starts_nocase(word, STR("mx:")) ||
            str_starts_nocase(word, STR("include:")) || str_starts_nocase(word, STR("redirect=")))
            return true;
        if (str_starts_nocase(word, STR("a:")) && str_eq_nocase(str_skip(word, 2), n->config->host))
            return true;
        for (size_t i = 0; i < n->address_count; i++)
            if (str_starts_nocase(word, STR("ip")) && str_ends_nocase(word, n->addresses[i]))
                return true;
    }
    return false;
}

/* RFC 7208 section 4.6.2: without a sign it is +. */
static bool
spf_lets_all(struct str spf)
{
    struct str word;

    while (str_split(&spf, ' ', &word))
        if (str_eq_nocase(word, STR("all")) || str_eq_nocase(word, STR("+all")))
            return true;
    return false;
}

static struct record_seen
see_spf(struct network *n, const struct record *r)
{
    struct str spf, domain = r->name;
    size_t count;

    if (find_version(n, domain, STR("v=spf1"), &spf, &count) != OK)
        return network_unknown(n, "SPF", domain);
    if (count == 0) {
        finding_add(
            n->f, FINDING_MEND, "SPF",
            "%.*s has no SPF record, so many servers take its mail for spam: set %.*s. IN TXT "
            "\"%.*s\".",
            STR_FMT(domain), STR_FMT(domain), STR_FMT(r->value));
        return seen(RECORD_MISSING, spf);
    }
    if (count == 1 && !spf_lets_all(spf) && spf_names_us(n, spf)) {
        finding_add(n->f, FINDING_OK, "SPF", "%.*s lets this server send for it.", STR_FMT(domain));
        return seen(RECORD_FINE, spf);
    }
    if (count > 1)
        finding_add(n->f, FINDING_MEND, "SPF",
                    "%.*s has %zu SPF records, which makes all of them void (RFC 7208): keep one.",
                    STR_FMT(domain), count);
    else if (spf_lets_all(spf))
        finding_add(n->f, FINDING_MEND, "SPF",
                    "The SPF record of %.*s lets the whole world send for it, so it is as good as "
                    "none, and forgers use that: end it with -all or ~all instead of +all.",
                    STR_FMT(domain));
    else
        finding_add(
            n->f, FINDING_MEND, "SPF",
            "The SPF record of %.*s does not name this server, so its mail counts as forged: "
            "add mx to \"%.*s\".",
            STR_FMT(domain), STR_FMT(spf));
    return seen(RECORD_DIFFERENT, spf);
}

/* Value of the tag p, blanks taken out (RFC 6376 section 3.2 allows them anywhere inside). */
static void
key_of(struct str record, struct buf *b)
{
    struct str tag;

    while (str_split(&record, ';', &tag)) {
        tag = str_trim(tag);
        if (!str_starts(tag, STR("p")) || str_find(tag, '=') < 0)
            continue;
        for (size_t i = (size_t)str_find(tag, '=') + 1; i < tag.len; i++)
            if (!ascii_is_space(tag.ptr[i]))
                buf_add_char(b, tag.ptr[i]);
        return;
    }
}

/* example.org of "_dmarc.example.org", "sel._domainkey.example.org". */
static struct str
domain_of(const struct record *r, struct str after)
{
    ssize_t at = str_find_str(r->name, after);

    ASSERT(at >= 0); /* records.c made it */
    return str_skip(r->name, (size_t)at + after.len);
}

static void
say_unpublished(const struct network *n, const struct record *r, struct str domain)
{
    if (r->waits)
        finding_add(n->f, FINDING_NOTE, "DKIM",
                    "The key %.*s is not published, so it does not sign yet: set the TXT record "
                    "that godwit domain show %.*s prints.",
                    STR_FMT(r->name), STR_FMT(domain));
    else
        finding_add(
            n->f, FINDING_MEND, "DKIM",
            "The key %.*s is not published, so signatures of %.*s prove nothing: set the TXT "
            "record that godwit domain show %.*s prints.",
            STR_FMT(r->name), STR_FMT(domain), STR_FMT(domain));
}

static void
say_published(const struct network *n, const struct record *r, struct str domain)
{
    if (r->waits)
        finding_add(n->f, FINDING_OK, "DKIM",
                    "The key %.*s is published, and signs within the hour; godwit domain keys "
                    "%.*s has it sign at once.",
                    STR_FMT(r->name), STR_FMT(domain));
    else
        finding_add(n->f, FINDING_OK, "DKIM", "The key %.*s is published.", STR_FMT(r->name));
}

static void
say_other_key(const struct network *n, const struct record *r, struct str domain)
{
    if (r->waits)
        finding_add(n->f, FINDING_MEND, "DKIM",
                    "The key published at %.*s is not ours, so ours does not sign: set the TXT "
                    "record that godwit domain show %.*s prints, and no other.",
                    STR_FMT(r->name), STR_FMT(domain));
    else
        finding_add(
            n->f, FINDING_MEND, "DKIM",
            "The key published at %.*s is not the one that signs, so every signature by it fails: "
            "set the TXT record that godwit domain show %.*s prints, and no other.",
            STR_FMT(r->name), STR_FMT(domain));
}

static struct record_seen
see_dkim(struct network *n, const struct record *r)
{
    AUTO_BUF ours = BUF(VALUE_MAX);
    AUTO_BUF theirs = BUF(VALUE_MAX);
    struct str domain = domain_of(r, STR("._domainkey."));
    struct dns_texts texts;
    enum status e = resolver_texts(n->resolver, r->name, n->a, &texts);

    if (e != OK && e != ERR_NOT_FOUND)
        return network_unknown(n, "DKIM", r->name);
    if (e == ERR_NOT_FOUND) {
        say_unpublished(n, r, domain);
        return seen(RECORD_MISSING, STR(""));
    }
    key_of(r->value, &ours);
    key_of(texts.text[0], &theirs);
    if (texts.count == 1 && str_eq(buf_str(&ours), buf_str(&theirs))) {
        say_published(n, r, domain);
        return seen(RECORD_FINE, texts.text[0]);
    }
    say_other_key(n, r, domain);
    return seen(RECORD_DIFFERENT, texts.text[0]);
}

static struct record_seen
see_dmarc(struct network *n, const struct record *r)
{
    struct str domain = domain_of(r, STR("_dmarc.")), dmarc;
    size_t count;

    if (find_version(n, r->name, STR("v=DMARC1"), &dmarc, &count) != OK)
        return network_unknown(n, "DMARC", r->name);
    if (count == 1) {
        finding_add(n->f, FINDING_OK, "DMARC", "%.*s has a DMARC record.", STR_FMT(domain));
        return seen(RECORD_FINE, dmarc);
    }
    finding_add(n->f, FINDING_MEND, "DMARC",
                "%.*s has %s DMARC record, so big providers distrust its mail: set _dmarc.%.*s. "
                "IN TXT \"%.*s\".",
                STR_FMT(domain), count == 0 ? "no" : "more than one", STR_FMT(domain),
                STR_FMT(r->value));
    return seen(count == 0 ? RECORD_MISSING : RECORD_DIFFERENT, dmarc);
}

/* RFC 8460: nobody needs it. */
static struct record_seen
see_tls_rpt(struct network *n, const struct record *r)
{
    struct str domain = domain_of(r, STR("_smtp._tls.")), text;
    size_t count;

    if (find_version(n, r->name, STR("v=TLSRPTv1"), &text, &count) != OK)
        return network_unknown(n, "TLS-RPT", r->name);
    if (count == 1 && str_find_nocase(text, STR("rua=")) >= 0) {
        finding_add(n->f, FINDING_OK, "TLS-RPT", "%.*s asks for reports about TLS.",
                    STR_FMT(domain));
        return seen(RECORD_FINE, text);
    }
    if (count == 0)
        finding_add(n->f, FINDING_NOTE, "TLS-RPT",
                    "%.*s does not ask for reports about TLS, so nobody tells you when other "
                    "servers fail to use it: set %.*s. IN TXT \"%.*s\".",
                    STR_FMT(domain), STR_FMT(r->name), STR_FMT(r->value));
    else
        finding_add(n->f, FINDING_MEND, "TLS-RPT",
                    "The TLS-RPT record of %.*s is void, because there are several, or it names "
                    "nobody (RFC 8460): set %.*s. IN TXT \"%.*s\", and no other.",
                    STR_FMT(domain), STR_FMT(r->name), STR_FMT(r->value));
    return seen(count == 0 ? RECORD_MISSING : RECORD_DIFFERENT, text);
}

/* RFC 8461: a domain needs none, but other servers look for the policy of one that says it has. */
static struct record_seen
see_mta_sts(struct network *n, const struct record *r)
{
    struct str domain = domain_of(r, STR("_mta-sts.")), name = r->name, sts;
    struct str host = arena_printf(n->a, "mta-sts.%.*s", STR_FMT(domain));
    struct dns_addresses found;
    size_t count;

    if (find_version(n, name, STR("v=STSv1"), &sts, &count) != OK)
        return network_unknown(n, "MTA-STS", name);
    if (count == 0) {
        finding_add(n->f, FINDING_OK, "MTA-STS", "%.*s does not announce MTA-STS, and need not.",
                    STR_FMT(domain));
        return seen(RECORD_WAITS, STR(""));
    }
    enum status e = resolver_addresses(n->resolver, host, DNS_IPV4 | DNS_IPV6, n->a, &found);
    if (count > 1)
        finding_add(n->f, FINDING_MEND, "MTA-STS",
                    "%.*s has %zu MTA-STS records, which makes all of them void (RFC 8461): keep "
                    "one.",
                    STR_FMT(domain), count);
    else if (str_find_nocase(sts, STR("id=")) < 0)
        finding_add(n->f, FINDING_MEND, "MTA-STS",
                    "The MTA-STS record of %.*s has no id, so nobody heeds it: make it \"v=STSv1; "
                    "id=1;\".",
                    STR_FMT(domain));
    else if (e == ERR_NOT_FOUND)
        finding_add(n->f, FINDING_MEND, "MTA-STS",
                    "%.*s announces MTA-STS, but %.*s, where its policy is looked for, has no "
                    "address: set one, or take away the TXT record %.*s.",
                    STR_FMT(domain), STR_FMT(host), STR_FMT(name));
    else {
        finding_add(n->f, FINDING_OK, "MTA-STS", "%.*s announces MTA-STS.", STR_FMT(domain));
        return seen(RECORD_FINE, sts);
    }
    return seen(RECORD_DIFFERENT, sts);
}
