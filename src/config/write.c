/* write.c - a configuration back as text: boss hands it to the roles so.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/config_internal.h"

void
config_address_write(struct buf *b, struct str host, uint16_t port)
{
    bool brackets = str_find(host, ':') >= 0;

    buf_addf(b, "%s%.*s%s:%u", brackets ? "[" : "", STR_FMT(host), brackets ? "]" : "", port);
}

static void
add_setting(struct buf *b, const char *name, struct str value)
{
    if (value.len > 0)
        buf_addf(b, "%s \"%.*s\"\n", name, STR_FMT(value));
}

static void
add_oauth(struct buf *b, const struct config *c)
{
    const struct config_introspection *i = &c->introspection;

    if (c->oauth.issuer.len > 0) {
        buf_addf(b, "oauth-issuer \"%.*s\" audience \"%.*s\"", STR_FMT(c->oauth.issuer),
                 STR_FMT(c->oauth.audience));
        if (c->oauth.keys_file.len > 0)
            buf_addf(b, " keys \"%.*s\"", STR_FMT(c->oauth.keys_file));
        if (c->oauth.usernames)
            buf_add_z(b, " username");
        buf_add_char(b, '\n');
    }
    if (i->url.len == 0)
        return;
    buf_addf(b, "oauth-introspection \"%.*s\" client \"%.*s\"", STR_FMT(i->url),
             STR_FMT(i->client));
    buf_addf(b, " secret \"%.*s\"", STR_FMT(i->secret_file));
    if (i->authority_file.len > 0)
        buf_addf(b, " authority \"%.*s\"", STR_FMT(i->authority_file));
    buf_add_char(b, '\n');
}

static void
add_resolver(struct buf *b, const struct config_resolver *r)
{
    buf_add_z(b, "resolver");
    if (r->kind == RESOLVER_SYSTEM)
        buf_add_z(b, " system");
    if (r->kind == RESOLVER_RECURSIVE)
        buf_add_z(b, " recursive");
    for (size_t i = 0; i < r->forward_count; i++) {
        buf_add_char(b, ' ');
        config_address_write(b, r->forward[i].host, r->forward[i].port);
    }
    buf_add_z(b, r->dnssec ? "\n" : " no-dnssec\n");
}

static void
add_limits(struct buf *b, const struct config *c)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};

    buf_addf(b, "workers mx %u\nworkers user %u\nworkers cook %u\nworkers out %u\n", c->mx_workers,
             c->user_workers, c->cook_workers, c->out_workers);
    buf_addf(b, "message-size %llu\ncache %llu\n", (unsigned long long)c->message_bytes_max,
             (unsigned long long)c->cache_bytes);
    buf_addf(b, "outbound %s\n", c->outbound_none ? "none" : "all");
    config_abuse_write(c, b);
    buf_addf(b, "plaintext-login %s\n", c->plaintext_loopback ? "loopback" : "never");
    buf_addf(b, "log-level %s\n", levels[c->log_level]);
    buf_addf(b, "pop3-login-delay %u\n", c->pop3_login_delay_s);
    buf_addf(b, "trace-days %u\ntrace-size %llu\n", c->trace_days,
             (unsigned long long)c->trace_bytes);
}

static void
add_subnets(struct buf *b, const char *name, const struct subnet *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_addf(b, "%s ", name);
        subnet_write(&list[i], b);
        buf_add_char(b, '\n');
    }
}

void
config_write(const struct config *c, struct buf *b)
{
    add_setting(b, "host", c->host);
    add_setting(b, "domain", c->domain);
    add_setting(b, "data", c->data_dir);
    add_setting(b, "run-dir", c->run_dir);
    add_setting(b, "user", c->user);
    add_setting(b, "engine", c->engine);
    for (size_t i = 0; i < c->listen_count; i++)
        config_listen_write(&c->listen[i], b);
    if (c->api_none)
        buf_add_z(b, "listen api none\n");
    for (size_t i = 0; i < c->tls_count; i++)
        buf_addf(b, "tls cert \"%.*s\" key \"%.*s\"\n", STR_FMT(c->tls[i].cert_file),
                 STR_FMT(c->tls[i].key_file));
    add_resolver(b, &c->resolver);
    for (size_t i = 0; i < c->route_count; i++)
        config_route_write(&c->routes[i], b);
    add_subnets(b, "relay-from", c->relay_from, c->relay_from_count);
    add_subnets(b, "proxy-from", c->proxy_from, c->proxy_from_count);
    add_subnets(b, "xclient-from", c->xclient_from, c->xclient_from_count);
    for (size_t i = 0; i < c->filter_count; i++)
        config_filter_write(&c->filters[i], b);
    buf_addf(b, "checks %s\n", c->checks ? "on" : "off");
    buf_addf(b, "reports %s\n", c->reports ? "on" : "off");
    for (size_t i = 0; i < c->list_count; i++)
        config_list_write(&c->lists[i], b);
    for (size_t i = 0; i < c->trusted_count; i++)
        buf_addf(b, "sendmail-trust \"%.*s\"\n", STR_FMT(c->trusted[i]));
    config_dmarc_write(c, b);
    if (c->source4.len > 0)
        buf_addf(b, "source ipv4 \"%.*s\"\n", STR_FMT(c->source4));
    if (c->source6.len > 0)
        buf_addf(b, "source ipv6 \"%.*s\"\n", STR_FMT(c->source6));
    add_oauth(b, c);
    add_setting(b, "client-certificates", c->client_certificates);
    add_setting(b, "log", c->log_file);
    add_limits(b, c);
}
