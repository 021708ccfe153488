/* network_domain.c - the DNS records of one of our domains, as the world reads them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "setup/network.h"

enum { VALUE_MAX = 2048 };

static SUSPENDS void check_mx(struct network *n, struct str domain);
static SUSPENDS void check_spf(struct network *n, struct str domain);
static SUSPENDS void check_dkim(struct network *n, struct str domain, const struct records_key *k);
static SUSPENDS void check_dmarc(struct network *n, struct str domain);
static SUSPENDS void check_mta_sts(struct network *n, struct str domain);

void
network_check_domain(struct network *n, const struct records_domain *d)
{
    if (n->resolver == NULL)
        return;
    check_mx(n, d->name);
    check_spf(n, d->name);
    for (size_t i = 0; i < d->key_count; i++)
        check_dkim(n, d->name, &d->keys[i]);
    check_dmarc(n, d->name);
    if (n->deep) {
        check_mta_sts(n, d->name);
        network_check_services(n, d->name);
    }
}

static void
say_unknown(const struct network *n, const char *topic, struct str name)
{
    finding_add(n->f, FINDING_NOTE, topic, "The records of %.*s could not be looked up now.",
                STR_FMT(name));
}

static SUSPENDS void
check_mx(struct network *n, struct str domain)
{
    struct str host = n->config->host;
    struct dns_mx mx;
    enum status e = resolver_mx(n->resolver, domain, n->a, &mx);

    if (e != OK && e != ERR_NOT_FOUND) {
        say_unknown(n, "MX", domain);
        return;
    }
    if (e == ERR_NOT_FOUND || mx.implicit || mx.null_mx) {
        finding_add(n->f, FINDING_MEND, "MX",
                    "%.*s has no MX record, so its mail does not come here: set %.*s. IN MX 10 "
                    "%.*s.",
                    STR_FMT(domain), STR_FMT(domain), STR_FMT(host));
        return;
    }
    for (size_t i = 0; i < mx.count; i++)
        if (str_eq_nocase(mx.hosts[i].name, host)) {
            finding_add(n->f, FINDING_OK, "MX", "Mail of %.*s comes here.", STR_FMT(domain));
            return;
        }
    finding_add(
        n->f, FINDING_MEND, "MX",
        "The MX record of %.*s names %.*s, so its mail goes there: set %.*s. IN MX 10 %.*s.",
        STR_FMT(domain), STR_FMT(mx.hosts[0].name), STR_FMT(domain), STR_FMT(host));
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

static SUSPENDS void
check_spf(struct network *n, struct str domain)
{
    AUTO_BUF ought = BUF(VALUE_MAX);
    struct str spf;
    size_t count;

    records_spf(n->config, &ought);
    if (find_version(n, domain, STR("v=spf1"), &spf, &count) != OK)
        say_unknown(n, "SPF", domain);
    else if (count == 0)
        finding_add(
            n->f, FINDING_MEND, "SPF",
            "%.*s has no SPF record, so many servers take its mail for spam: set %.*s. IN TXT "
            "\"%.*s\".",
            STR_FMT(domain), STR_FMT(domain), STR_FMT(buf_str(&ought)));
    else if (count > 1)
        finding_add(n->f, FINDING_MEND, "SPF",
                    "%.*s has %zu SPF records, which makes all of them void (RFC 7208): keep one.",
                    STR_FMT(domain), count);
    else if (spf_lets_all(spf))
        finding_add(n->f, FINDING_MEND, "SPF",
                    "The SPF record of %.*s lets the whole world send for it, so it is as good as "
                    "none, and forgers use that: end it with -all or ~all instead of +all.",
                    STR_FMT(domain));
    else if (!spf_names_us(n, spf))
        finding_add(
            n->f, FINDING_MEND, "SPF",
            "The SPF record of %.*s does not name this server, so its mail counts as forged: "
            "add mx to \"%.*s\".",
            STR_FMT(domain), STR_FMT(spf));
    else
        finding_add(n->f, FINDING_OK, "SPF", "%.*s lets this server send for it.", STR_FMT(domain));
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

/* A key that signs, and whose record is not there. */
static void
say_unpublished(const struct network *n, struct str domain, struct str name,
                const struct records_key *k)
{
    if (k->state == RECORDS_KEY_SIGNS)
        finding_add(
            n->f, FINDING_MEND, "DKIM",
            "The key %.*s is not published, so signatures of %.*s prove nothing: set the TXT "
            "record that godwit domain show %.*s prints.",
            STR_FMT(name), STR_FMT(domain), STR_FMT(domain));
    else if (k->state == RECORDS_KEY_WAITS)
        finding_add(n->f, FINDING_NOTE, "DKIM",
                    "The key %.*s is not published, so it does not sign yet: set the TXT record "
                    "that godwit domain show %.*s prints.",
                    STR_FMT(name), STR_FMT(domain));
}

static void
say_published(const struct network *n, struct str domain, struct str name,
              const struct records_key *k)
{
    if (k->state == RECORDS_KEY_SIGNS)
        finding_add(n->f, FINDING_OK, "DKIM", "The key %.*s is published.", STR_FMT(name));
    else if (k->state == RECORDS_KEY_WAITS)
        finding_add(n->f, FINDING_OK, "DKIM",
                    "The key %.*s is published, and signs within the hour; godwit domain keys "
                    "%.*s has it sign at once.",
                    STR_FMT(name), STR_FMT(domain));
    else if (k->may_go)
        finding_add(n->f, FINDING_NOTE, "DKIM",
                    "The key %.*s signs no more, and its record can be removed.", STR_FMT(name));
}

static void
say_other(const struct network *n, struct str domain, struct str name, const struct records_key *k)
{
    if (k->state == RECORDS_KEY_SIGNS)
        finding_add(
            n->f, FINDING_MEND, "DKIM",
            "The key published at %.*s is not the one that signs, so every signature by it fails: "
            "set the TXT record that godwit domain show %.*s prints, and no other.",
            STR_FMT(name), STR_FMT(domain));
    else
        finding_add(n->f, FINDING_MEND, "DKIM",
                    "The key published at %.*s is not ours, so ours does not sign: set the TXT "
                    "record that godwit domain show %.*s prints, and no other.",
                    STR_FMT(name), STR_FMT(domain));
}

static SUSPENDS void
check_dkim(struct network *n, struct str domain, const struct records_key *k)
{
    AUTO_BUF ours = BUF(VALUE_MAX);
    AUTO_BUF theirs = BUF(VALUE_MAX);
    struct dns_texts texts;
    struct str name =
        arena_printf(n->a, "%.*s._domainkey.%.*s", STR_FMT(k->selector), STR_FMT(domain));
    enum status e = resolver_texts(n->resolver, name, n->a, &texts);

    if (e == ERR_NOT_FOUND) {
        say_unpublished(n, domain, name, k);
        return;
    }
    if (e != OK) {
        say_unknown(n, "DKIM", name);
        return;
    }
    key_of(k->record, &ours);
    key_of(texts.text[0], &theirs);
    if (k->state == RECORDS_KEY_OLD ||
        (texts.count == 1 && str_eq(buf_str(&ours), buf_str(&theirs))))
        say_published(n, domain, name, k);
    else
        say_other(n, domain, name, k);
}

static SUSPENDS void
check_dmarc(struct network *n, struct str domain)
{
    struct str name = arena_printf(n->a, "_dmarc.%.*s", STR_FMT(domain)), dmarc;
    size_t count;

    if (find_version(n, name, STR("v=DMARC1"), &dmarc, &count) != OK)
        say_unknown(n, "DMARC", name);
    else if (count != 1)
        finding_add(
            n->f, FINDING_MEND, "DMARC",
            "%.*s has %s DMARC record, so big providers distrust its mail: set _dmarc.%.*s. "
            "IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@%.*s\".",
            STR_FMT(domain), count == 0 ? "no" : "more than one", STR_FMT(domain), STR_FMT(domain));
    else
        finding_add(n->f, FINDING_OK, "DMARC", "%.*s has a DMARC record.", STR_FMT(domain));
}

/* RFC 8461: a domain needs none, but other servers look for the policy of one that says it has. */
static SUSPENDS void
check_mta_sts(struct network *n, struct str domain)
{
    struct str name = arena_printf(n->a, "_mta-sts.%.*s", STR_FMT(domain)), sts;
    struct str host = arena_printf(n->a, "mta-sts.%.*s", STR_FMT(domain));
    struct dns_addresses found;
    size_t count;

    if (find_version(n, name, STR("v=STSv1"), &sts, &count) != OK || count == 0)
        return;
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
    else
        finding_add(n->f, FINDING_OK, "MTA-STS", "%.*s announces MTA-STS.", STR_FMT(domain));
}
