/* config.c - reads godwit.conf: a table of settings, one function per setting.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <sys/socket.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/config_internal.h"

/* The struct under construction, with room for what repeats. */
struct reader {
    struct config c;
    struct config_listen listen[CONFIG_LISTEN_MAX];
    struct config_tls tls[CONFIG_TLS_MAX];
    struct config_route routes[CONFIG_ROUTES_MAX];
    struct config_address forward[CONFIG_FORWARD_MAX];
    struct subnet relay_from[CONFIG_SUBNETS_MAX];
    struct subnet proxy_from[CONFIG_SUBNETS_MAX];
    struct subnet xclient_from[CONFIG_SUBNETS_MAX];
    struct config_filter filters[CONFIG_FILTERS_MAX];
    struct config_list lists[CONFIG_LISTS_MAX];
    struct str trusted[CONFIG_TRUSTED_MAX];
    struct config_dmarc dmarc[CONFIG_DMARC_MAX];
    struct config_bounce bounces[CONFIG_BOUNCES_MAX];
    bool catch_all_route;
};
struct config_file {
    struct config c; /* first: struct config * is the address of the whole */
    struct arena *arena;
};
enum { OAUTH_WORD_MAX = 512 };
struct setting {
    struct str name;
    bool repeats;
    enum status (*read)(struct reader *r, const struct config_line *l);
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static_assert(COUNT_OF(level_names) == LOG_ERROR + 1, "a name for every level");

static struct str
word(const struct config_line *l, size_t i)
{
    return i < l->count ? l->words[i] : STR_NONE;
}

static enum status
want_count(const struct config_line *l, size_t count, const char *form)
{
    return l->count == count ? OK : config_expected(l, word(l, l->count - 1), form);
}

static enum status
read_host(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "host NAME"));
    return config_word_name(l, l->words[1], &r->c.host);
}

static enum status
read_domain(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "domain NAME"));
    return config_word_name(l, l->words[1], &r->c.domain);
}

static enum status
read_data(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "data DIRECTORY"));
    return config_word_path(l, l->words[1], &r->c.data_dir);
}

static enum status
read_run_dir(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "run-dir DIRECTORY"));
    return config_word_path(l, l->words[1], &r->c.run_dir);
}

static enum status
read_user(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "user NAME"));
    r->c.user = arena_str(l->arena, l->words[1]);
    return OK;
}

static enum status
read_engine(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "engine rocks"));
    if (!str_eq(l->words[1], STR("rocks")) && !str_eq(l->words[1], STR("mem")))
        return config_expected(l, l->words[1],
                               "rocks (or mem, for tests: mail is lost at the end)");
    r->c.engine = arena_str(l->arena, l->words[1]);
    return OK;
}

static enum status
read_listen(struct reader *r, const struct config_line *l)
{
    size_t s = 0;

    if (l->count < 3)
        return config_expected(l, word(l, l->count - 1), "listen SERVICE ADDRESS:PORT");
    while (s < SERVICE_COUNT && !str_eq(l->words[1], str_of(service_name((enum service)s))))
        s++;
    if (s == SERVICE_COUNT)
        return config_expected(
            l, l->words[1],
            "one of smtp, submission, submissions, imap, imaps, pop3, pop3s, lmtp, sendmail, api, "
            "metrics");
    if (s == SERVICE_API && l->count == 3 && str_eq(l->words[2], STR("none"))) {
        r->c.api_none = true;
        return OK;
    }
    if (r->c.listen_count == CONFIG_LISTEN_MAX)
        return config_expected(l, l->words[1], "at most 64 listen lines");
    struct config_listen *n = &r->listen[r->c.listen_count];
    n->service = (enum service)s;
    TRY(config_listen_words(l, n));
    r->c.listen_count++;
    return OK;
}

static enum status
read_tls(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 5, "tls cert FILE key FILE"));
    if (!str_eq(l->words[1], STR("cert")) || !str_eq(l->words[3], STR("key")))
        return config_expected(l, l->words[1], "tls cert FILE key FILE");
    if (r->c.tls_count == CONFIG_TLS_MAX)
        return config_expected(l, l->words[1], "at most 16 tls lines");
    struct config_tls *t = &r->tls[r->c.tls_count];
    TRY(config_word_path(l, l->words[2], &t->cert_file));
    TRY(config_word_path(l, l->words[4], &t->key_file));
    r->c.tls_count++;
    return OK;
}

static enum status
read_workers(struct reader *r, const struct config_line *l)
{
    static const char *const names[] = {"mx", "user", "cook", "out"};
    uint32_t *const counts[] = {&r->c.mx_workers, &r->c.user_workers, &r->c.cook_workers,
                                &r->c.out_workers};
    uint32_t n;

    TRY(want_count(l, 3, "workers ROLE COUNT"));
    TRY(config_word_number(l, l->words[2], CONFIG_WORKERS_MAX, &n));
    if (n == 0)
        return config_expected(l, l->words[2], "a number from 1 to 10");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_eq(l->words[1], str_of(names[i]))) {
            *counts[i] = n;
            return OK;
        }
    }
    return config_expected(l, l->words[1], "one of mx, user, cook, out");
}

/* resolver system | recursive | ADDRESS:PORT ... [no-dnssec] */
static enum status
read_resolver(struct reader *r, const struct config_line *l)
{
    size_t end = l->count;

    if (end >= 2 && str_eq(l->words[end - 1], STR("no-dnssec"))) {
        r->c.resolver.dnssec = false;
        end--;
    }
    if (end < 2)
        return config_expected(l, word(l, l->count - 1),
                               "resolver system, recursive or ADDRESS:PORT");
    if (end == 2 && str_eq(l->words[1], STR("system"))) {
        r->c.resolver.kind = RESOLVER_SYSTEM;
        return OK;
    }
    if (end == 2 && str_eq(l->words[1], STR("recursive"))) {
        r->c.resolver.kind = RESOLVER_RECURSIVE;
        return OK;
    }
    r->c.resolver.kind = RESOLVER_FORWARD;
    for (size_t i = 1; i < end; i++) {
        if (r->c.resolver.forward_count == CONFIG_FORWARD_MAX)
            return config_expected(l, l->words[i], "at most 8 addresses");
        TRY(config_word_address(l, l->words[i], &r->forward[r->c.resolver.forward_count]));
        r->c.resolver.forward_count++;
    }
    return OK;
}

static enum status
add_route(struct reader *r, const struct config_line *l, struct str domain, size_t host_word)
{
    if (r->c.route_count == CONFIG_ROUTES_MAX)
        return config_expected(l, l->words[0], "at most 256 routes");
    struct config_route *route = &r->routes[r->c.route_count];
    route->domain = arena_str(l->arena, domain);
    TRY(config_route_words(l, host_word, route));
    for (size_t i = 0; i < r->c.route_count && route->name.len > 0; i++)
        if (str_eq(r->routes[i].name, route->name))
            return config_expected(l, route->name, "a name that no other route has");
    r->c.route_count++;
    return OK;
}

static enum status
read_route(struct reader *r, const struct config_line *l)
{
    if (l->count < 3)
        return config_expected(l, word(l, l->count - 1), "route DOMAIN HOST:PORT");
    return add_route(r, l, l->words[1], 2);
}

static enum status
read_smarthost(struct reader *r, const struct config_line *l)
{
    if (l->count < 2)
        return config_expected(l, word(l, 0), "smarthost HOST:PORT user NAME password-file FILE");
    return add_route(r, l, STR("*"), 1);
}

/* sendmail-trust LOGIN ... */
static enum status
read_sendmail_trust(struct reader *r, const struct config_line *l)
{
    if (l->count < 2)
        return config_expected(l, word(l, 0), "sendmail-trust LOGIN ...");
    for (size_t i = 1; i < l->count; i++) {
        if (r->c.trusted_count == CONFIG_TRUSTED_MAX)
            return config_expected(l, l->words[i], "at most 64 logins");
        if (l->words[i].len == 0 || l->words[i].len > LIMIT_LOGIN_NAME_BYTES)
            return config_expected(l, l->words[i], "the login of a user of this machine");
        r->trusted[r->c.trusted_count++] = arena_str(l->arena, l->words[i]);
    }
    return OK;
}

static enum status
read_dmarc(struct reader *r, const struct config_line *l)
{
    return config_dmarc_words(l, r->dmarc, &r->c.dmarc_domain_count, &r->c.dmarc);
}

static enum status
read_outbound(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "outbound all, or outbound none"));
    r->c.outbound_none = str_eq(l->words[1], STR("none"));
    if (!r->c.outbound_none && !str_eq(l->words[1], STR("all")))
        return config_expected(l, l->words[1], "all or none");
    return OK;
}

/* Adds what the line lists to what earlier lines did. */
static enum status
add_subnets(const struct config_line *l, struct subnet *list, size_t *count)
{
    const struct subnet *more;
    size_t n;

    TRY(config_word_networks(l, 1, &more, &n));
    if (n > CONFIG_SUBNETS_MAX - *count)
        return config_expected(l, l->words[0], "at most 64 networks");
    mem_copy(list + *count, more, n * sizeof(*more));
    *count += n;
    return OK;
}

static enum status
read_relay_from(struct reader *r, const struct config_line *l)
{
    size_t before = r->c.relay_from_count;

    TRY(add_subnets(l, r->relay_from, &r->c.relay_from_count));
    for (size_t i = before; i < r->c.relay_from_count; i++)
        TRY(config_relay_subnet(l, l->words[1 + i - before], &r->relay_from[i]));
    return OK;
}

static enum status
read_proxy_from(struct reader *r, const struct config_line *l)
{
    return add_subnets(l, r->proxy_from, &r->c.proxy_from_count);
}

static enum status
read_xclient_from(struct reader *r, const struct config_line *l)
{
    return add_subnets(l, r->xclient_from, &r->c.xclient_from_count);
}

static enum status
add_filter(struct reader *r, const struct config_line *l, enum filter_kind kind)
{
    if (r->c.filter_count == CONFIG_FILTERS_MAX)
        return config_expected(l, l->words[0], "at most 8 policy servers, milters and scanners");
    struct config_filter *f = &r->filters[r->c.filter_count];
    *f = (struct config_filter){.kind = kind};
    TRY(config_filter_words(l, f));
    r->c.filter_count++;
    return OK;
}

static enum status
read_policy(struct reader *r, const struct config_line *l)
{
    return add_filter(r, l, FILTER_POLICY);
}

static enum status
read_milter(struct reader *r, const struct config_line *l)
{
    return add_filter(r, l, FILTER_MILTER);
}

static enum status
read_spamd(struct reader *r, const struct config_line *l)
{
    return add_filter(r, l, FILTER_SPAMD);
}

static enum status
read_clamd(struct reader *r, const struct config_line *l)
{
    return add_filter(r, l, FILTER_CLAMD);
}

static enum status
read_rspamd(struct reader *r, const struct config_line *l)
{
    return add_filter(r, l, FILTER_RSPAMD);
}

static enum status
read_checks(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "checks on, or checks off"));
    r->c.checks = str_eq(l->words[1], STR("on"));
    if (!r->c.checks && !str_eq(l->words[1], STR("off")))
        return config_expected(l, l->words[1], "on or off");
    return OK;
}

static enum status
read_reports(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "reports on, or reports off"));
    r->c.reports = str_eq(l->words[1], STR("on"));
    if (!r->c.reports && !str_eq(l->words[1], STR("off")))
        return config_expected(l, l->words[1], "on or off");
    return OK;
}

static enum status
add_list(struct reader *r, const struct config_line *l, bool good)
{
    struct config_list list = {.good = good};

    if (r->c.list_count == CONFIG_LISTS_MAX)
        return config_expected(l, l->words[0], "at most 16 lists in DNS");
    TRY(config_list_words(l, &list));
    for (size_t i = 0; i < r->c.list_count; i++)
        if (str_eq(r->lists[i].zone, list.zone))
            return config_expected(l, l->words[1], "a list that no other line has");
    r->lists[r->c.list_count++] = list;
    return OK;
}

static enum status
read_dnsbl(struct reader *r, const struct config_line *l)
{
    return add_list(r, l, false);
}

static enum status
read_dnswl(struct reader *r, const struct config_line *l)
{
    return add_list(r, l, true);
}

static enum status
read_outbound_limits(struct reader *r, const struct config_line *l)
{
    return config_outbound_words(l, &r->c);
}

static enum status
read_inbound_limits(struct reader *r, const struct config_line *l)
{
    return config_inbound_words(l, &r->c);
}

static enum status
read_greylist(struct reader *r, const struct config_line *l)
{
    return config_greylist_words(l, &r->c);
}

static enum status
read_bounce_signing(struct reader *r, const struct config_line *l)
{
    return config_bounce_words(l, r->bounces, &r->c.bounce_count);
}

static enum status
read_source(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 3, "source ipv4 ADDRESS, or source ipv6 ADDRESS"));
    if (str_eq(l->words[1], STR("ipv4")))
        return config_word_source(l, l->words[2], AF_INET, &r->c.source4);
    if (str_eq(l->words[1], STR("ipv6")))
        return config_word_source(l, l->words[2], AF_INET6, &r->c.source6);
    return config_expected(l, l->words[1], "ipv4 or ipv6");
}

/* Words that stand in JSON and in the log as they are. */
static bool
is_plain(struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] <= ' ' || word.ptr[i] > '~' || word.ptr[i] == '"' || word.ptr[i] == '\\')
            return false;
    return word.len > 0 && word.len <= OAUTH_WORD_MAX;
}

static enum status
read_oauth_issuer(struct reader *r, const struct config_line *l)
{
    static const char form[] = "oauth-issuer URL audience NAME, and perhaps keys FILE, username";
    bool usernames = l->count > 4 && str_eq(l->words[l->count - 1], STR("username"));
    size_t count = l->count - (usernames ? 1 : 0);

    if (count != 4 && count != 6)
        return config_expected(l, l->words[l->count - 1], form);
    if (!str_eq(l->words[2], STR("audience")) || (count == 6 && !str_eq(l->words[4], STR("keys"))))
        return config_expected(l, l->words[2], form);
    if (!str_starts(l->words[1], STR("https://")) || !is_plain(l->words[1]))
        return config_expected(l, l->words[1],
                               "the issuer's URL as its tokens have it, https://...");
    if (!is_plain(l->words[3]))
        return config_expected(l, l->words[3], "the audience that tokens for this server name");
    r->c.oauth.issuer = arena_str(l->arena, l->words[1]);
    r->c.oauth.audience = arena_str(l->arena, l->words[3]);
    r->c.oauth.usernames = usernames;
    return count == 6 ? config_word_path(l, l->words[5], &r->c.oauth.keys_file) : OK;
}

static enum status
read_oauth_introspection(struct reader *r, const struct config_line *l)
{
    static const char form[] = "oauth-introspection URL client NAME secret FILE, and perhaps "
                               "authority FILE";
    struct config_introspection *i = &r->c.introspection;

    if ((l->count != 6 && l->count != 8) || !str_eq(l->words[2], STR("client")) ||
        !str_eq(l->words[4], STR("secret")) ||
        (l->count == 8 && !str_eq(l->words[6], STR("authority"))))
        return config_expected(l, l->words[l->count - 1], form);
    if (!is_plain(l->words[1]))
        return config_expected(l, l->words[1], "the URL of the endpoint");
    TRY(config_word_url(l, l->words[1], i));
    if (!is_plain(l->words[3]))
        return config_expected(l, l->words[3], "the name of this server as a client there");
    i->client = arena_str(l->arena, l->words[3]);
    TRY(config_word_path(l, l->words[5], &i->secret_file));
    return l->count == 8 ? config_word_path(l, l->words[7], &i->authority_file) : OK;
}

static enum status
read_client_certificates(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "client-certificates FILE"));
    return config_word_path(l, l->words[1], &r->c.client_certificates);
}

static enum status
read_plaintext_login(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "plaintext-login never, or plaintext-login loopback"));
    r->c.plaintext_loopback = str_eq(l->words[1], STR("loopback"));
    if (!r->c.plaintext_loopback && !str_eq(l->words[1], STR("never")))
        return config_expected(l, l->words[1], "never or loopback");
    return OK;
}

static enum status
read_pop3_login_delay(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "pop3-login-delay SECONDS"));
    return config_word_number(l, l->words[1], LIMIT_POP3_LOGIN_DELAY_S, &r->c.pop3_login_delay_s);
}

static enum status
read_message_size(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "message-size SIZE"));
    TRY(config_word_bytes(l, l->words[1], &r->c.message_bytes_max));
    if (r->c.message_bytes_max < 65536 || r->c.message_bytes_max > 1024u * 1024 * 1024)
        return config_expected(l, l->words[1], "a size from 64K to 1G");
    return OK;
}

static enum status
read_cache(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "cache SIZE"));
    return config_word_bytes(l, l->words[1], &r->c.cache_bytes);
}

static enum status
read_trace_days(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "trace-days NUMBER"));
    return config_word_number(l, l->words[1], LIMIT_TRACE_DAYS, &r->c.trace_days);
}

static enum status
read_trace_size(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "trace-size SIZE"));
    TRY(config_word_bytes(l, l->words[1], &r->c.trace_bytes));
    if (r->c.trace_bytes < 16u * 1024 * 1024)
        return config_expected(l, l->words[1], "a size of at least 16M");
    return OK;
}

static enum status
read_log(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "log stderr, or log FILE"));
    if (str_eq(l->words[1], STR("stderr"))) {
        r->c.log_file = STR("stderr");
        return OK;
    }
    return config_word_path(l, l->words[1], &r->c.log_file);
}

static enum status
read_log_level(struct reader *r, const struct config_line *l)
{
    TRY(want_count(l, 2, "log-level debug, info, warn or error"));
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (str_eq(l->words[1], str_of(level_names[i]))) {
            r->c.log_level = (enum log_level)i;
            return OK;
        }
    }
    return config_expected(l, l->words[1], "debug, info, warn or error");
}

static const struct setting settings[] = {
    {STR("host"), false, read_host},
    {STR("domain"), false, read_domain},
    {STR("data"), false, read_data},
    {STR("run-dir"), false, read_run_dir},
    {STR("user"), false, read_user},
    {STR("engine"), false, read_engine},
    {STR("listen"), true, read_listen},
    {STR("tls"), true, read_tls},
    {STR("workers"), true, read_workers},
    {STR("resolver"), false, read_resolver},
    {STR("route"), true, read_route},
    {STR("smarthost"), false, read_smarthost},
    {STR("relay-from"), true, read_relay_from},
    {STR("proxy-from"), true, read_proxy_from},
    {STR("xclient-from"), true, read_xclient_from},
    {STR("sendmail-trust"), true, read_sendmail_trust},
    {STR("policy"), true, read_policy},
    {STR("milter"), true, read_milter},
    {STR("dmarc"), true, read_dmarc},
    {STR("spamd"), true, read_spamd},
    {STR("clamd"), true, read_clamd},
    {STR("rspamd"), true, read_rspamd},
    {STR("checks"), false, read_checks},
    {STR("reports"), false, read_reports},
    {STR("dnsbl"), true, read_dnsbl},
    {STR("dnswl"), true, read_dnswl},
    {STR("outbound"), false, read_outbound},
    {STR("outbound-limits"), false, read_outbound_limits},
    {STR("bounce-signing"), true, read_bounce_signing},
    {STR("greylist"), false, read_greylist},
    {STR("inbound-limits"), false, read_inbound_limits},
    {STR("source"), true, read_source},
    {STR("oauth-issuer"), false, read_oauth_issuer},
    {STR("oauth-introspection"), false, read_oauth_introspection},
    {STR("client-certificates"), false, read_client_certificates},
    {STR("plaintext-login"), false, read_plaintext_login},
    {STR("pop3-login-delay"), false, read_pop3_login_delay},
    {STR("message-size"), false, read_message_size},
    {STR("cache"), false, read_cache},
    {STR("log"), false, read_log},
    {STR("log-level"), false, read_log_level},
    {STR("trace-days"), false, read_trace_days},
    {STR("trace-size"), false, read_trace_size},
};
static_assert(COUNT_OF(settings) <= 64, "the set of seen settings is 64 bits");

static void
reader_defaults(struct reader *r)
{
    r->c.data_dir = STR("/var/lib/godwit");
    r->c.run_dir = STR("/run/godwit");
    r->c.engine = STR("rocks");
    r->c.mx_workers = r->c.user_workers = r->c.cook_workers = r->c.out_workers = 1;
    r->c.resolver = (struct config_resolver){.kind = RESOLVER_SYSTEM, .dnssec = true};
    r->c.checks = true;
    r->c.reports = true;
    r->c.message_bytes_max = LIMIT_MESSAGE_BYTES;
    config_abuse_defaults(&r->c);
    r->c.cache_bytes = 16u * 1024 * 1024;
    r->c.log_file = STR("stderr");
    r->c.log_level = LOG_INFO;
    r->c.trace_days = 30;
    r->c.trace_bytes = 2ull << 30;
}

static enum status
read_line(struct reader *r, const struct config_line *l, uint64_t *seen)
{
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        if (!str_eq(l->words[0], settings[i].name))
            continue;
        if (!settings[i].repeats && (*seen & (UINT64_C(1) << i)) != 0)
            return config_expected(l, l->words[0], "this setting only once");
        *seen |= UINT64_C(1) << i;
        return settings[i].read(r, l);
    }
    return config_expected(l, l->words[0],
                           "a setting of godwit.conf(5), such as host, listen or tls");
}

static enum status
check_whole(const struct reader *r, const char *name, struct problem *why)
{
    const char *missing = NULL;

    if (r->c.host.len == 0)
        missing = "host mail.example.org";
    else if (r->c.domain.len == 0)
        missing = "domain example.org";
    else if (r->c.listen_count == 0)
        missing = "listen smtp *:25";
    for (size_t i = 0; missing == NULL && i < r->c.listen_count; i++)
        if (service_is_tls(r->listen[i].service) && r->c.tls_count == 0)
            missing = "tls cert FILE key FILE";
    if (missing == NULL && r->c.oauth.issuer.len > 0 && r->c.oauth.keys_file.len == 0 &&
        r->c.introspection.url.len == 0)
        missing = "oauth-introspection URL client NAME secret FILE";
    if (missing == NULL && r->c.oauth.issuer.len == 0 && r->c.introspection.url.len > 0)
        missing = "oauth-issuer URL audience NAME";
    if (missing == NULL)
        return OK;
    problem_set(why, 0, "", "%s: a line is missing, expected something like \"%s\"", name, missing);
    return ERR_SYNTAX;
}

/* The API's own socket, for who starts the server, unless there is another line about the API. */
static void
add_api(struct reader *r, struct arena *a)
{
    struct config_socket socket = {
        .path = arena_printf(a, "%.*s/" CONFIG_API_SOCKET, STR_FMT(r->c.run_dir)), .mode = 0600};

    for (size_t i = 0; i < r->c.listen_count; i++) {
        if (r->listen[i].service == SERVICE_API && r->listen[i].socket.path.len > 0)
            return;
    }
    if (r->c.api_none || r->c.listen_count == CONFIG_LISTEN_MAX ||
        socket.path.len > CONFIG_SOCKET_MAX)
        return;
    r->listen[r->c.listen_count++] =
        (struct config_listen){.service = SERVICE_API, .at = {.host = STR("")}, .socket = socket};
}

static struct config *
reader_finish(struct reader *r, struct arena *a)
{
    struct config_file *f = ARENA_NEW(a, struct config_file);

    f->c = r->c;
    f->arena = a;
    if (r->c.listen_count > 0)
        f->c.listen = arena_dup(a, r->listen, r->c.listen_count * sizeof(r->listen[0]));
    if (r->c.tls_count > 0)
        f->c.tls = arena_dup(a, r->tls, r->c.tls_count * sizeof(r->tls[0]));
    if (r->c.route_count > 0)
        f->c.routes = arena_dup(a, r->routes, r->c.route_count * sizeof(r->routes[0]));
    if (r->c.relay_from_count > 0)
        f->c.relay_from =
            arena_dup(a, r->relay_from, r->c.relay_from_count * sizeof(r->relay_from[0]));
    if (r->c.proxy_from_count > 0)
        f->c.proxy_from =
            arena_dup(a, r->proxy_from, r->c.proxy_from_count * sizeof(r->proxy_from[0]));
    if (r->c.xclient_from_count > 0)
        f->c.xclient_from =
            arena_dup(a, r->xclient_from, r->c.xclient_from_count * sizeof(r->xclient_from[0]));
    if (r->c.filter_count > 0)
        f->c.filters = arena_dup(a, r->filters, r->c.filter_count * sizeof(r->filters[0]));
    if (r->c.list_count > 0)
        f->c.lists = arena_dup(a, r->lists, r->c.list_count * sizeof(r->lists[0]));
    if (r->c.trusted_count > 0)
        f->c.trusted = arena_dup(a, r->trusted, r->c.trusted_count * sizeof(r->trusted[0]));
    if (r->c.dmarc_domain_count > 0)
        f->c.dmarc_domains = arena_dup(a, r->dmarc, r->c.dmarc_domain_count * sizeof(r->dmarc[0]));
    if (r->c.bounce_count > 0)
        f->c.bounces = arena_dup(a, r->bounces, r->c.bounce_count * sizeof(r->bounces[0]));
    if (r->c.resolver.forward_count > 0)
        f->c.resolver.forward =
            arena_dup(a, r->forward, r->c.resolver.forward_count * sizeof(r->forward[0]));
    return &f->c;
}

static enum status
read_text(struct str text, struct config_line *l, struct reader *r)
{
    struct str row;
    uint64_t seen = 0;

    while (str_split(&text, '\n', &row)) {
        l->number++;
        TRY(config_line_split(str_trim(row), l));
        if (l->count > 0)
            TRY(read_line(r, l, &seen));
    }
    return check_whole(r, l->name, l->why);
}

enum status
config_read(struct str text, const char *name, struct config **out, struct problem *why)
{
    if (text.len > CONFIG_TEXT_MAX) {
        problem_set(why, 0, "", "%s: longer than 256 KiB", name);
        return ERR_LIMIT;
    }
    struct arena *a = arena_new(4u * CONFIG_TEXT_MAX);
    struct reader *r = ARENA_NEW(a, struct reader);
    struct config_line line = {.name = name, .arena = a, .why = why};

    reader_defaults(r);
    enum status s = read_text(text, &line, r);
    if (s != OK) {
        arena_free(&a);
        return s;
    }
    add_api(r, a);
    *out = reader_finish(r, a);
    return OK;
}

void
config_free(struct config **c)
{
    if (*c == NULL)
        return;
    struct config_file *f = (struct config_file *)(void *)*c;
    struct arena *a = f->arena;
    *c = NULL;
    arena_free(&a);
}
