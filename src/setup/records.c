/* records.c - see records.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/records.h"

#include "base/size.h"

enum { TXT_PART = 250 }; /* RFC 1035 section 3.3: a string has at most 255 bytes */

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

static void
add_txt(struct str value, struct buf *b)
{
    for (; value.len > 0; value = str_skip(value, TXT_PART))
        buf_addf(b, " \"%.*s\"", STR_FMT(str_sub(value, 0, TXT_PART)));
    buf_add_char(b, '\n');
}

/* Another key followed. */
static void
add_old(const struct records_domain *d, const struct records_key *k, struct buf *b)
{
    buf_addf(b, "; %.*s._domainkey.%.*s. ", STR_FMT(k->selector), STR_FMT(d->name));
    if (k->may_go)
        buf_add_z(b, "is not needed any more: remove it\n");
    else
        buf_addf(b, "signs no more: keep it until %.*s, then remove it\n", STR_FMT(k->until));
}

static void
add_dkim(const struct records_domain *d, struct buf *b)
{
    if (d->key_count == 0)
        buf_addf(b, "; no DKIM key yet: godwit domain add %.*s makes it\n", STR_FMT(d->name));
    for (size_t i = 0; i < d->key_count; i++) {
        const struct records_key *k = &d->keys[i];
        if (k->state == RECORDS_KEY_OLD) {
            add_old(d, k, b);
            continue;
        }
        if (k->state == RECORDS_KEY_WAITS)
            buf_addf(b, "; %s: it signs once this is seen in DNS\n",
                     k->first ? "a second key, Ed25519" : "the next key");
        buf_addf(b, "%.*s._domainkey.%.*s. IN TXT", STR_FMT(k->selector), STR_FMT(d->name));
        add_txt(k->record, b);
    }
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

static void
add_services(const struct config *c, struct str name, struct buf *b)
{
    for (size_t i = 0; i < c->listen_count; i++) {
        const struct config_listen *l = &c->listen[i];
        /* Implicit TLS first, RFC 8314 section 5.1; IMAP before POP3, RFC 6186 section 3.4. */
        unsigned priority =
            (service_is_tls(l->service) ? 0u : 1u) + (l->service >= SERVICE_POP3 ? 10u : 0u);
        const char *label = records_service_label(l->service);
        if (label != NULL && c->tls_count > 0 && is_first(c, i))
            buf_addf(b, "%s._tcp.%.*s. IN SRV %u 1 %u %.*s.\n", label, STR_FMT(name), priority,
                     l->at.port, STR_FMT(c->host));
    }
}

void
records_write(const struct config *c, const struct records_domain *d, struct buf *b)
{
    buf_addf(b, "; DNS records of %.*s\n", STR_FMT(d->name));
    for (size_t i = 0; i < d->address_count; i++)
        buf_addf(b, "%.*s. IN %s %.*s\n", STR_FMT(c->host),
                 str_find(d->addresses[i], ':') >= 0 ? "AAAA" : "A", STR_FMT(d->addresses[i]));
    if (serves(c, SERVICE_SMTP))
        buf_addf(b, "%.*s. IN MX 10 %.*s.\n", STR_FMT(d->name), STR_FMT(c->host));
    if (has_smarthost(c))
        buf_add_z(b,
                  "; your smarthost's manual says what to put before ?all, such as include:...\n");
    buf_addf(b, "%.*s. IN TXT \"", STR_FMT(d->name));
    records_spf(c, b);
    buf_add_z(b, "\"\n");
    add_dkim(d, b);
    buf_addf(b, "_dmarc.%.*s. IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@%.*s\"\n",
             STR_FMT(d->name), STR_FMT(d->name));
    add_services(c, d->name, b);
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
