/* route.c - route and smarthost: which way mail goes to other servers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "base/limits.h"
#include "base/size.h"
#include "config/config_internal.h"

enum { SOCKS_PORT = 1080, TRIES_MAX = 1000, HOURS_MAX = 24 * LIMIT_QUEUE_DAYS };

struct option {
    const char *name;
    size_t words; /* that follow it */
    const char *form;
    enum status (*read)(const struct config_line *l, const struct str *words,
                        struct config_route *r);
};

static enum status
read_from(const struct config_line *l, const struct str *words, struct config_route *r)
{
    ssize_t at = str_rfind(words[0], '@');

    if (str_eq(words[0], STR("<>")))
        r->sender = STR("<>");
    else if (words[0].len == 0 || words[0].len > LIMIT_SMTP_PATH_BYTES ||
             (size_t)(at + 1) == words[0].len)
        return config_expected(l, words[0], "an address, a domain, or <>");
    else
        r->sender = arena_str(l->arena, at == 0 ? str_skip(words[0], 1) : words[0]);
    return OK;
}

static enum status
read_after(const struct config_line *l, const struct str *words, struct config_route *r)
{
    if (str_eq(words[1], STR("tries")))
        return config_word_number(l, words[0], TRIES_MAX, &r->after_tries);
    if (str_eq(words[1], STR("hours")))
        return config_word_number(l, words[0], HOURS_MAX, &r->after_hours);
    return config_expected(l, words[1], "after NUMBER tries, or after NUMBER hours");
}

static enum status
read_name(const struct config_line *l, const struct str *words, struct config_route *r)
{
    struct str w = words[0];

    for (size_t i = 0; i < w.len; i++)
        if (!ascii_is_alnum(w.ptr[i]) && w.ptr[i] != '-' && w.ptr[i] != '_' && w.ptr[i] != '.')
            return config_expected(l, w, "a name of letters, digits, and - _ .");
    if (w.len == 0 || w.len > LIMIT_ROUTE_NAME_BYTES || str_eq(w, STR("default")))
        return config_expected(l, w, "a name of at most 32 bytes, and not \"default\"");
    r->name = arena_str(l->arena, w);
    return OK;
}

static enum status
read_tls(const struct config_line *l, const struct str *words, struct config_route *r)
{
    (void)l, (void)words;
    r->tls = MAX(r->tls, ROUTE_TLS_REQUIRED);
    return OK;
}

static enum status
read_tls_verified(const struct config_line *l, const struct str *words, struct config_route *r)
{
    (void)l, (void)words;
    r->tls = ROUTE_TLS_VERIFIED;
    return OK;
}

static enum status
read_tls_never(const struct config_line *l, const struct str *words, struct config_route *r)
{
    (void)l, (void)words;
    r->tls_never = true;
    return OK;
}

/* No password without TLS to the server that it is for. */
static enum status
read_user(const struct config_line *l, const struct str *words, struct config_route *r)
{
    if (words[0].len == 0 || !str_eq(words[1], STR("password-file")))
        return config_expected(l, words[1], "user NAME password-file FILE");
    r->user = arena_str(l->arena, words[0]);
    r->tls = ROUTE_TLS_VERIFIED;
    return config_word_path(l, words[2], &r->password_file);
}

static enum status
read_socks(const struct config_line *l, const struct str *words, struct config_route *r)
{
    TRY(config_word_host(l, words[0], &r->socks.host, &r->socks.port));
    if (words[0].len == r->socks.host.len || str_ends(words[0], STR("]"))) /* no port */
        r->socks.port = SOCKS_PORT;
    return OK;
}

static enum status
read_socks_user(const struct config_line *l, const struct str *words, struct config_route *r)
{
    if (words[0].len == 0 || words[0].len > 255 || !str_eq(words[1], STR("password-file")))
        return config_expected(l, words[1], "socks-user NAME password-file FILE");
    r->socks.user = arena_str(l->arena, words[0]);
    return config_word_path(l, words[2], &r->socks.password_file);
}

static enum status
read_socks_names(const struct config_line *l, const struct str *words, struct config_route *r)
{
    (void)l, (void)words;
    r->socks.names = true;
    return OK;
}

static enum status
read_source(const struct config_line *l, const struct str *words, struct config_route *r)
{
    if (str_eq(words[0], STR("ipv4")))
        return config_word_source(l, words[1], AF_INET, &r->source4);
    if (str_eq(words[0], STR("ipv6")))
        return config_word_source(l, words[1], AF_INET6, &r->source6);
    return config_expected(l, words[0], "ipv4 or ipv6");
}

static enum status
read_ehlo(const struct config_line *l, const struct str *words, struct config_route *r)
{
    return config_word_name(l, words[0], &r->ehlo);
}

static const struct option options[] = {
    {"from", 1, "from ADDRESS, DOMAIN or <>", read_from},
    {"after", 2, "after NUMBER tries, or after NUMBER hours", read_after},
    {"name", 1, "name NAME", read_name},
    {"tls", 0, "", read_tls},
    {"tls-verified", 0, "", read_tls_verified},
    {"tls-never", 0, "", read_tls_never},
    {"user", 3, "user NAME password-file FILE", read_user},
    {"socks", 1, "socks HOST:PORT", read_socks},
    {"socks-user", 3, "socks-user NAME password-file FILE", read_socks_user},
    {"socks-names", 0, "", read_socks_names},
    {"source", 2, "source ipv4 ADDRESS, or source ipv6 ADDRESS", read_source},
    {"ehlo", 1, "ehlo NAME", read_ehlo},
};

/* What does not go together. */
static enum status
check(const struct config_line *l, const struct config_route *r)
{
    if (r->tls_never && r->tls != ROUTE_TLS_OFFERED)
        return config_expected(l, STR("tls-never"),
                               "no other word about TLS, and no log-in, beside it");
    if (r->socks.host.len == 0 && (r->socks.user.len > 0 || r->socks.names))
        return config_expected(l, STR("socks-user, socks-names"), "socks HOST:PORT beside it");
    if (str_eq(r->domain, STR("-")) && r->name.len == 0)
        return config_expected(l, r->domain, "a name for a route that is of no domain");
    if (r->by_mx && r->user.len > 0)
        return config_expected(l, STR("mx"), "a host, when there is a log-in");
    return OK;
}

enum status
config_route_words(const struct config_line *l, size_t from, struct config_route *r)
{
    TRY(config_word_host(l, l->words[from], &r->host, &r->port));
    r->by_mx = str_eq(r->host, STR("mx"));
    for (size_t i = from + 1; i < l->count;) {
        size_t k = 0;
        while (k < COUNT_OF(options) && !str_eq(l->words[i], str_of(options[k].name)))
            k++;
        if (k == COUNT_OF(options))
            return config_expected(l, l->words[i],
                                   "an option of route, such as tls, or user NAME password-file "
                                   "FILE; see godwit.conf(5)");
        if (i + options[k].words >= l->count)
            return config_expected(l, l->words[l->count - 1], options[k].form);
        TRY(options[k].read(l, &l->words[i + 1], r));
        i += 1 + options[k].words;
    }
    return check(l, r);
}

/* ---- back as text ---- */

static void
add(struct buf *b, const char *name, struct str value)
{
    if (value.len > 0)
        buf_addf(b, " %s \"%.*s\"", name, STR_FMT(value));
}

static void
add_socks(struct buf *b, const struct config_socks *s)
{
    if (s->host.len == 0)
        return;
    buf_add_z(b, " socks ");
    config_address_write(b, s->host, s->port);
    add(b, "socks-user", s->user);
    add(b, "password-file", s->password_file);
    if (s->names)
        buf_add_z(b, " socks-names");
}

void
config_route_write(const struct config_route *r, struct buf *b)
{
    static const char *const tls[] = {"", " tls", " tls-verified"};

    buf_addf(b, "route \"%.*s\" ", STR_FMT(r->domain));
    config_address_write(b, r->host, r->port);
    add(b, "from", r->sender);
    if (r->after_tries > 0)
        buf_addf(b, " after %u tries", r->after_tries);
    if (r->after_hours > 0)
        buf_addf(b, " after %u hours", r->after_hours);
    add(b, "name", r->name);
    buf_add_z(b, r->user.len > 0 ? "" : tls[r->tls]); /* the log-in says so too */
    if (r->tls_never)
        buf_add_z(b, " tls-never");
    add(b, "user", r->user);
    add(b, "password-file", r->password_file);
    add_socks(b, &r->socks);
    add(b, "source ipv4", r->source4);
    add(b, "source ipv6", r->source6);
    add(b, "ehlo", r->ehlo);
    buf_add_char(b, '\n');
}
