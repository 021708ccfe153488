/* value.c - single values of the configuration text: addresses, sizes, names, paths.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/scan.h"
#include "base/size.h"
#include "config/config_internal.h"

enum status
config_expected(const struct config_line *l, struct str was, const char *expected)
{
    problem_set(l->why, 0, "", "%s:%u: read \"%.*s\", expected %s", l->name, l->number,
                (int)(was.len > 60 ? 60 : was.len), was.ptr != NULL ? was.ptr : "", expected);
    return ERR_SYNTAX;
}

static bool
is_numeric_address(struct str host)
{
    char z[64];
    unsigned char raw[16];

    return str_to_z(host, z, sizeof(z)) &&
           (inet_pton(AF_INET, z, raw) == 1 || inet_pton(AF_INET6, z, raw) == 1);
}

enum status
config_word_source(const struct config_line *l, struct str word, int family, struct str *out)
{
    char z[64];
    unsigned char raw[16];

    if (!str_eq(word, STR("none")) &&
        (!str_to_z(word, z, sizeof(z)) || inet_pton(family, z, raw) != 1))
        return config_expected(l, word,
                               family == AF_INET ? "an IPv4 address such as 192.0.2.25, or none"
                                                 : "an IPv6 address such as 2001:db8::25, or none");
    *out = arena_str(l->arena, word);
    return OK;
}

/* host ":" port, with brackets around an IPv6 address. */
static bool
split_host_port(struct str word, struct str *host_out, struct str *port_out)
{
    ssize_t colon = str_rfind(word, ':');

    if (word.len > 0 && word.ptr[0] == '[') {
        ssize_t close = str_find(word, ']');
        if (close < 0)
            return false;
        *host_out = str_sub(word, 1, (size_t)close - 1);
        struct str rest = str_skip(word, (size_t)close + 1);
        *port_out = rest.len > 0 && rest.ptr[0] == ':' ? str_skip(rest, 1) : STR_NONE;
        return rest.len == 0 || rest.ptr[0] == ':';
    }
    *host_out = colon < 0 ? word : str_sub(word, 0, (size_t)colon);
    *port_out = colon < 0 ? STR_NONE : str_skip(word, (size_t)colon + 1);
    return true;
}

static bool
scan_port(struct str text, uint16_t *out)
{
    struct scan s = scan_of(text);
    uint32_t v;

    if (!scan_u32(&s, 65535, &v) || !scan_at_end(&s) || v == 0)
        return false;
    *out = (uint16_t)v;
    return true;
}

enum status
config_word_address(const struct config_line *l, struct str word, struct config_address *out)
{
    struct str host, port;
    uint16_t number;

    if (!split_host_port(word, &host, &port) || !scan_port(port, &number) ||
        (!str_eq(host, STR("*")) && !is_numeric_address(host)))
        return config_expected(l, word, "ADDRESS:PORT such as *:25, 192.0.2.1:25 or [::1]:25");
    *out = (struct config_address){.host = arena_str(l->arena, host), .port = number};
    return OK;
}

static bool
is_host_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '.' || c == '_';
}

static bool
is_host_name(struct str s)
{
    if (s.len == 0 || s.len > 253 || s.ptr[0] == '.' || s.ptr[0] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_host_char(s.ptr[i]) || (s.ptr[i] == '.' && i > 0 && s.ptr[i - 1] == '.'))
            return false;
    return true;
}

enum status
config_word_host(const struct config_line *l, struct str word, struct str *host_out,
                 uint16_t *port_out)
{
    struct str host, port;
    uint16_t number = 25;

    if (!split_host_port(word, &host, &port) || (port.ptr != NULL && !scan_port(port, &number)) ||
        (!is_numeric_address(host) && !is_host_name(host)))
        return config_expected(l, word, "HOST or HOST:PORT");
    *host_out = arena_str(l->arena, host);
    *port_out = number;
    return OK;
}

static bool
is_loopback(struct str host)
{
    struct subnet address, local;

    return str_eq_nocase(host, STR("localhost")) ||
           (subnet_read(host, &address) && subnet_is_address(&address) &&
            ((subnet_read(STR("127.0.0.0/8"), &local) && subnet_covers(&local, &address)) ||
             (subnet_read(STR("::1"), &local) && subnet_covers(&local, &address))));
}

enum status
config_word_url(const struct config_line *l, struct str word, struct config_introspection *out)
{
    static const char form[] = "https://HOST/PATH, or http:// to a loopback address";
    struct scan s = scan_of(word);
    struct str host, port;

    bool tls = scan_str_nocase(&s, STR("https://"));
    if (!tls && !scan_str_nocase(&s, STR("http://")))
        return config_expected(l, word, form);
    struct str rest = scan_rest(&s);
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    struct str authority = str_sub(rest, 0, end), path = str_skip(rest, end);
    uint16_t number = tls ? 443 : 80;
    if (!split_host_port(authority, &host, &port) ||
        (port.ptr != NULL && !scan_port(port, &number)) || str_find(path, '#') >= 0 ||
        (tls ? !is_host_name(host) || is_numeric_address(host) : !is_loopback(host)))
        return config_expected(l, word, form);
    out->url = arena_str(l->arena, word);
    out->tls = tls;
    out->host = arena_str(l->arena, host);
    out->port = number;
    out->authority = arena_str(l->arena, authority);
    out->path = path.len == 0        ? STR("/")
                : path.ptr[0] == '/' ? arena_str(l->arena, path)
                                     : arena_printf(l->arena, "/%.*s", STR_FMT(path));
    return OK;
}

enum status
config_word_networks(const struct config_line *l, size_t first, const struct subnet **list_out,
                     size_t *count_out)
{
    struct subnet *list = ARENA_ARRAY(l->arena, struct subnet, CONFIG_WORDS_MAX);
    size_t n = 0;

    for (size_t i = first; i < l->count; i++) {
        if (!subnet_read(l->words[i], &list[n]))
            return config_expected(l, l->words[i],
                                   "a network such as 192.0.2.0/24, 192.0.2.7 or 2001:db8::/64");
        if (list[n++].bits == 0)
            return config_expected(l, l->words[i], "a network that is not the whole Internet");
    }
    if (n == 0)
        return config_expected(l, l->words[l->count - 1], "a network such as 192.0.2.0/24");
    *list_out = list;
    *count_out = n;
    return OK;
}

static bool
overlap(const struct subnet *a, const struct subnet *b)
{
    return a->bits < b->bits ? subnet_covers(a, b) : subnet_covers(b, a);
}

enum status
config_relay_subnet(const struct config_line *l, struct str word, const struct subnet *n)
{
    static const struct str loopback[] = {STR("127.0.0.0/8"), STR("::1")};
    static const struct str ranges[] = {STR("10.0.0.0/8"), STR("172.16.0.0/12"),
                                        STR("192.168.0.0/16"), STR("100.64.0.0/10"),
                                        STR("fc00::/7")};
    struct subnet other;

    for (size_t i = 0; i < COUNT_OF(loopback); i++)
        if (subnet_read(loopback[i], &other) && overlap(n, &other))
            return config_expected(l, word,
                                   "a network without this machine itself: its programs send by a "
                                   "log-in, or by a Unix socket");
    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        if (subnet_read(ranges[i], &other) && n->bits <= other.bits && overlap(n, &other))
            return config_expected(l, word,
                                   "the network of those machines, not a whole range of private "
                                   "addresses");
    return OK;
}

enum status
config_word_number(const struct config_line *l, struct str word, uint32_t max, uint32_t *out)
{
    struct scan s = scan_of(word);
    uint32_t v;

    if (!scan_u32(&s, max, &v) || !scan_at_end(&s)) {
        char text[48];
        snprintf(text, sizeof(text), "a number from 0 to %u", max);
        return config_expected(l, word, text);
    }
    *out = v;
    return OK;
}

enum status
config_word_bytes(const struct config_line *l, struct str word, uint64_t *out)
{
    struct scan s = scan_of(word);
    uint64_t v, unit = 1;

    if (!scan_u64(&s, UINT64_MAX >> 31, &v))
        return config_expected(l, word, "a size such as 50M");
    if (scan_char(&s, 'K'))
        unit = 1024;
    else if (scan_char(&s, 'M'))
        unit = 1024 * 1024;
    else if (scan_char(&s, 'G'))
        unit = 1024 * 1024 * 1024;
    if (!scan_at_end(&s))
        return config_expected(l, word, "a size such as 50M");
    *out = v * unit;
    return OK;
}

enum status
config_word_name(const struct config_line *l, struct str word, struct str *out)
{
    if (!is_host_name(word) || str_find(word, '.') < 0)
        return config_expected(l, word, "a full name such as mail.example.org");
    *out = arena_str(l->arena, word);
    return OK;
}

enum status
config_word_path(const struct config_line *l, struct str word, struct str *out)
{
    if (word.len == 0 || word.len > 4000 || word.ptr[0] != '/')
        return config_expected(l, word, "a path that begins with /");
    *out = arena_str(l->arena, word);
    return OK;
}
