/* records.c - see records.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/records.h"

#include "base/size.h"
#include "dns/name.h"

enum {
    TXT_PART = 250, /* RFC 1035 section 3.3: a string has at most 255 bytes */
    NAME_WIDTH_MAX = 44,
    VALUE_MAX = 4096
};

/* A list that grows. */
struct making {
    const struct config *config;
    const struct records_domain *domain;
    struct arena *arena;
    struct record *at;
    size_t count;
};

static bool
serves(const struct config *c, enum service s)
{
    for (size_t i = 0; i < c->listen_count; i++)
        if (c->listen[i].service == s && c->listen[i].socket.path.len == 0)
            return true;
    return false;
}

/* Mail leaves by another host when the route of all domains says so. */
static bool
has_smarthost(const struct config *c)
{
    for (size_t i = 0; i < c->route_count; i++)
        if (str_eq(c->routes[i].domain, STR("*")))
            return true;
    return false;
}

void
records_spf(const struct config *c, struct buf *b)
{
    /* The addresses of a smarthost are not ours to know: mail from there must not be called forged. */
    buf_add_z(b, has_smarthost(c) ? "v=spf1 mx ?all" : "v=spf1 mx -all");
}

/* The same service at the same port of another address says nothing new, and a Unix socket is not for the world. */
static bool
is_first(const struct config *c, size_t at)
{
    if (c->listen[at].socket.path.len > 0)
        return false;
    for (size_t i = 0; i < at; i++)
        if (c->listen[i].service == c->listen[at].service &&
            c->listen[i].at.port == c->listen[at].at.port)
            return false;
    return true;
}

const char *
records_service_label(enum service s)
{
    static const char *const labels[SERVICE_COUNT] = {
        [SERVICE_SUBMISSION] = "_submission",
        [SERVICE_SUBMISSIONS] = "_submissions",
        [SERVICE_IMAP] = "_imap",
        [SERVICE_IMAPS] = "_imaps",
        [SERVICE_POP3] = "_pop3",
        [SERVICE_POP3S] = "_pop3s",
    };

    return labels[s];
}

/* ---- making ---- */

static void
add(struct making *m, const struct record *r)
{
    ASSERT(m->count < RECORDS_MAX); /* a configuration has at most 64 listeners */
    m->at[m->count++] = *r;
}

/* Is the name in the zone of the domain, as far as one can tell by its end? */
static enum record_place
place_of(struct str name, struct str domain)
{
    bool inside =
        str_eq_nocase(name, domain) || (name.len > domain.len && str_ends_nocase(name, domain) &&
                                        name.ptr[name.len - domain.len - 1] == '.');

    return inside ? RECORD_HERE : RECORD_ELSEWHERE;
}

/* Empty: no address. */
static struct str
reverse_of(struct str address, struct arena *a)
{
    AUTO_BUF b = BUF(128);

    return dns_name_reverse(address, &b) ? arena_str(a, buf_str(&b)) : STR("");
}

static struct str
dotted(const struct making *m, struct str name)
{
    return arena_printf(m->arena, "%.*s.", STR_FMT(name));
}

enum { ADDRESSES_MAX = 32 };

static void
add_addresses(struct making *m)
{
    struct str host = m->config->host;
    size_t n = MIN(m->domain->address_count, (size_t)ADDRESSES_MAX);

    for (size_t i = 0; i < n; i++) {
        struct str address = m->domain->addresses[i];
        add(m, &(struct record){.kind = RECORD_ADDRESS,
                                .place = place_of(host, m->domain->name),
                                .name = host,
                                .type = str_find(address, ':') >= 0 ? "AAAA" : "A",
                                .value = address,
                                .about = STR("Where this server is."),
                                .of_address = address});
    }
    for (size_t i = 0; i < n; i++) {
        struct str address = m->domain->addresses[i], name = reverse_of(address, m->arena);
        if (name.len > 0)
            add(m, &(struct record){.kind = RECORD_REVERSE,
                                    .place = RECORD_ELSEWHERE,
                                    .name = name,
                                    .type = "PTR",
                                    .value = dotted(m, host),
                                    .about = STR("Who gave you the address sets it: many servers "
                                                 "refuse mail from one without its name."),
                                    .of_address = address});
    }
}

static void
add_text(struct making *m, enum record_kind kind, struct str name, struct str value,
         const char *about)
{
    add(m, &(struct record){.kind = kind,
                            .place = kind == RECORD_MTA_STS ? RECORD_LATER : RECORD_HERE,
                            .name = name,
                            .type = "TXT",
                            .value = value,
                            .about = str_of(about)});
}

static void
add_key(struct making *m, const struct records_key *k)
{
    const char *about = "A key that signs the domain's mail (DKIM).";

    if (k->state == RECORDS_KEY_OLD)
        return; /* told by a remark */
    if (k->state == RECORDS_KEY_WAITS)
        about = k->first ? "A second key, Ed25519, which signs once this is seen in DNS (DKIM)."
                         : "The next key, which signs once this is seen in DNS (DKIM).";
    add(m, &(struct record){.kind = RECORD_DKIM,
                            .name = arena_printf(m->arena, "%.*s._domainkey.%.*s",
                                                 STR_FMT(k->selector), STR_FMT(m->domain->name)),
                            .type = "TXT",
                            .value = k->record,
                            .about = str_of(about),
                            .waits = k->state == RECORDS_KEY_WAITS});
}

static void
add_mail(struct making *m)
{
    struct str name = m->domain->name;
    AUTO_BUF spf = BUF(VALUE_MAX);

    if (serves(m->config, SERVICE_SMTP))
        add(m,
            &(struct record){.kind = RECORD_MX,
                             .name = name,
                             .type = "MX",
                             .value = arena_printf(m->arena, "10 %.*s.", STR_FMT(m->config->host)),
                             .about = STR("Mail for the domain comes to this server.")});
    records_spf(m->config, &spf);
    add_text(m, RECORD_SPF, name, arena_str(m->arena, buf_str(&spf)),
             has_smarthost(m->config)
                 ? "Who may send for the domain (SPF); your smarthost's manual says what to put "
                   "before ?all, such as include:..."
                 : "Who may send for the domain (SPF): the hosts of its MX record, nobody else.");
    for (size_t i = 0; i < m->domain->key_count; i++)
        add_key(m, &m->domain->keys[i]);
    add_text(m, RECORD_DMARC, arena_printf(m->arena, "_dmarc.%.*s", STR_FMT(name)),
             arena_printf(m->arena, "v=DMARC1; p=none; rua=mailto:postmaster@%.*s", STR_FMT(name)),
             "Whom others tell about mail in the domain's name, and what they do with forged mail "
             "(DMARC); p=quarantine when the reports show that yours passes.");
}

static void
add_tls(struct making *m)
{
    struct str name = m->domain->name,
               at = arena_printf(m->arena, "_25._tcp.%.*s", STR_FMT(m->config->host));

    for (size_t i = 0; i < m->domain->tlsa_count && i < RECORDS_TLSAS_MAX; i++)
        add(m,
            &(struct record){
                .kind = RECORD_TLSA,
                .place = place_of(at, name),
                .name = at,
                .type = "TLSA",
                .value = m->domain->tlsas[i],
                .about = STR("The key of this server's certificate, which others check where "
                             "the zone is signed (DANE): set the next key's a day before the "
                             "key is changed, and keep the key when a certificate is renewed.")});
    if (!serves(m->config, SERVICE_SMTP))
        return;
    add_text(m, RECORD_TLS_RPT, arena_printf(m->arena, "_smtp._tls.%.*s", STR_FMT(name)),
             arena_printf(m->arena, "v=TLSRPTv1; rua=mailto:tls-reports@%.*s", STR_FMT(name)),
             "Whom other servers tell when TLS to this one fails (TLS-RPT).");
    add_text(
        m, RECORD_MTA_STS, arena_printf(m->arena, "_mta-sts.%.*s", STR_FMT(name)),
        STR("v=STSv1; id=1;"),
        "Not yet: other servers then fetch a policy by HTTPS from mta-sts of the domain, which "
        "this server does not serve; set it when a web server of yours does (MTA-STS).");
}

static void
add_services(struct making *m)
{
    const struct config *c = m->config;

    for (size_t i = 0; i < c->listen_count; i++) {
        const struct config_listen *l = &c->listen[i];
        /* Implicit TLS first, RFC 8314 section 5.1; IMAP before POP3, RFC 6186 section 3.4. */
        unsigned priority =
            (service_is_tls(l->service) ? 0u : 1u) + (l->service >= SERVICE_POP3 ? 10u : 0u);
        const char *label = records_service_label(l->service);
        if (label == NULL || c->tls_count == 0 || !is_first(c, i))
            continue;
        add(m, &(struct record){
                   .kind = RECORD_SRV,
                   .name = arena_printf(m->arena, "%s._tcp.%.*s", label, STR_FMT(m->domain->name)),
                   .type = "SRV",
                   .value = arena_printf(m->arena, "%u 1 %u %.*s.", priority, l->at.port,
                                         STR_FMT(c->host)),
                   .about = arena_printf(m->arena, "Where mail programs find %s.", label + 1),
                   .service = l->service,
                   .port = l->at.port});
    }
}

static void
add_web(struct making *m)
{
    static const char *const names[] = {"autoconfig", "autodiscover"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        add(m,
            &(struct record){
                .kind = RECORD_WEB,
                .place = RECORD_LATER,
                .name = arena_printf(m->arena, "%s.%.*s", names[i], STR_FMT(m->domain->name)),
                .type = "CNAME",
                .value = dotted(m, m->config->host),
                .about = STR("Not yet, and nobody needs it: mail programs ask there by HTTPS for "
                             "server names, which this server does not serve.")});
}

/* Old keys, and that there are none. */
static struct str
remarks_of(const struct records_domain *d, struct arena *a)
{
    AUTO_BUF b = BUF(2 * VALUE_MAX);

    if (d->key_count == 0)
        buf_addf(&b, "no DKIM key yet: godwit domain add %.*s makes it\n", STR_FMT(d->name));
    for (size_t i = 0; i < d->key_count; i++) {
        const struct records_key *k = &d->keys[i];
        if (k->state != RECORDS_KEY_OLD)
            continue;
        buf_addf(&b, "%.*s._domainkey.%.*s. ", STR_FMT(k->selector), STR_FMT(d->name));
        if (k->may_go)
            buf_add_z(&b, "is not needed any more: remove it\n");
        else
            buf_addf(&b, "signs no more: keep it until %.*s, then remove it\n", STR_FMT(k->until));
    }
    return arena_str(a, buf_str(&b));
}

void
records_make(const struct config *c, const struct records_domain *d, struct arena *a,
             struct records *out)
{
    struct making m = {
        .config = c, .domain = d, .arena = a, .at = ARENA_ARRAY(a, struct record, RECORDS_MAX)};

    add_addresses(&m);
    add_mail(&m);
    add_tls(&m);
    add_services(&m);
    add_web(&m);
    *out = (struct records){
        .domain = d->name,
        .at = m.at,
        .count = m.count,
        .remarks = remarks_of(d, a),
        .sts_policy = arena_printf(a, "version: STSv1\nmode: testing\nmx: %.*s\nmax_age: 86400\n",
                                   STR_FMT(c->host))};
}

/* ---- writing ---- */

void
record_write_value(const struct record *r, struct buf *b)
{
    struct str value = r->value;

    if (!str_eq(str_of(r->type), STR("TXT"))) {
        buf_add(b, value);
        return;
    }
    for (bool first = true; value.len > 0; value = str_skip(value, TXT_PART), first = false)
        buf_addf(b, "%s\"%.*s\"", first ? "" : " ", STR_FMT(str_sub(value, 0, TXT_PART)));
}

static void
write_comments(struct str lines, const char *before, struct buf *b)
{
    struct str line;

    while (str_split(&lines, '\n', &line))
        if (line.len > 0)
            buf_addf(b, "; %s%.*s\n", before, STR_FMT(line));
}

static void
write_record(const struct record *r, size_t width, struct buf *b)
{
    int pad = (int)(width > r->name.len ? width - r->name.len : 0); /* NAME_WIDTH_MAX at most */

    buf_addf(b, "%s%.*s.%*s IN %-5s ", r->place == RECORD_HERE ? "" : ";", STR_FMT(r->name), pad,
             "", r->type);
    record_write_value(r, b);
    buf_add_char(b, '\n');
}

void
records_write(const struct records *all, struct buf *b)
{
    struct str said = STR("");
    size_t width = 0;

    for (size_t i = 0; i < all->count; i++)
        width = MAX(width, all->at[i].name.len);
    width = MIN(width, (size_t)NAME_WIDTH_MAX);
    buf_addf(b, "; DNS records of %.*s\n", STR_FMT(all->domain));
    write_comments(all->remarks, "", b);
    for (size_t i = 0; i < all->count; i++) {
        const struct record *r = &all->at[i];
        if (!str_eq(r->about, said))
            buf_addf(b, "; %.*s\n", STR_FMT(r->about));
        said = r->about;
        write_record(r, width, b);
        if (r->kind == RECORD_MTA_STS) {
            buf_add_z(b, ";   the text of the policy then:\n");
            write_comments(all->sts_policy, "    ", b);
        }
    }
}

void
records_clients(const struct config *c, struct str user, struct buf *b)
{
    static const struct {
        enum service service;
        const char *what, *tls;
    } rows[] = {
        {SERVICE_IMAPS, "receive (IMAP)", "SSL/TLS"},
        {SERVICE_IMAP, "receive (IMAP)", "STARTTLS"},
        {SERVICE_POP3S, "receive (POP3)", "SSL/TLS"},
        {SERVICE_POP3, "receive (POP3)", "STARTTLS"},
        {SERVICE_SUBMISSIONS, "send (SMTP)", "SSL/TLS"},
        {SERVICE_SUBMISSION, "send (SMTP)", "STARTTLS"},
    };

    for (size_t r = 0; r < COUNT_OF(rows); r++)
        for (size_t i = 0; i < c->listen_count; i++)
            if (c->listen[i].service == rows[r].service && is_first(c, i))
                buf_addf(b, "  %-15s %.*s   port %-5u  %s\n", rows[r].what, STR_FMT(c->host),
                         c->listen[i].at.port, rows[r].tls);
    buf_addf(b, "  user name       %.*s   (the whole address, both ways)\n", STR_FMT(user));
}
