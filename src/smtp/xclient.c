/* xclient.c - see xclient.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/xclient.h"

#include <arpa/inet.h>

#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/address.h"

struct attribute {
    struct str name;
    bool (*read)(struct str value, struct xclient *x);
};

static bool
is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_is_alnum(s.ptr[i]) && str_find(STR("-._[]:"), s.ptr[i]) < 0)
            return false;
    return s.len > 0 && s.len <= 255;
}

/* 192.0.2.1, or IPV6:2001:db8::1 */
static bool
read_addr(struct str value, struct xclient *x)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    bool is_six = value.len > 5 && str_eq_nocase(str_sub(value, 0, 5), STR("IPV6:"));
    char z[INET6_ADDRSTRLEN];

    if (!str_to_z(is_six ? str_skip(value, 5) : value, z, sizeof(z)) ||
        inet_pton(is_six ? AF_INET6 : AF_INET, z,
                  is_six ? (void *)&six.sin6_addr : (void *)&four.sin_addr) != 1)
        return false;
    x->addr = (struct sockaddr_storage){0};
    mem_copy(&x->addr, is_six ? (const void *)&six : (const void *)&four,
             is_six ? sizeof(six) : sizeof(four));
    x->has |= XCLIENT_ADDR;
    return true;
}

static bool
is_port(struct str value, uint16_t *out)
{
    struct scan s = scan_of(value);
    uint32_t v;

    if (!scan_u32(&s, 65535, &v) || !scan_at_end(&s))
        return false;
    *out = (uint16_t)v; /* at most 65535 */
    return true;
}

static bool
read_port(struct str value, struct xclient *x)
{
    if (!is_port(value, &x->port))
        return false;
    x->has |= XCLIENT_PORT;
    return true;
}

static bool
read_proto(struct str value, struct xclient *x)
{
    x->esmtp = str_eq_nocase(value, STR("ESMTP"));
    x->has |= XCLIENT_PROTO;
    return x->esmtp || str_eq_nocase(value, STR("SMTP"));
}

static bool
read_helo(struct str value, struct xclient *x)
{
    x->helo = value;
    x->has |= XCLIENT_HELO;
    return is_name(value);
}

/* Nothing here goes by the name that somebody else looked up. */
static bool
read_name(struct str value, struct xclient *x)
{
    (void)x;
    return is_name(value);
}

static bool
read_login(struct str value, struct xclient *x)
{
    (void)value, (void)x;
    return false;
}

static bool
read_dest_addr(struct str value, struct xclient *x)
{
    struct xclient ignored = *x;

    return read_addr(value, &ignored);
}

static bool
read_dest_port(struct str value, struct xclient *x)
{
    uint16_t ignored;

    (void)x;
    return is_port(value, &ignored);
}

static const struct attribute attributes[] = {
    {STR("NAME"), read_name},          {STR("ADDR"), read_addr},
    {STR("PORT"), read_port},          {STR("PROTO"), read_proto},
    {STR("HELO"), read_helo},          {STR("LOGIN"), read_login},
    {STR("DESTADDR"), read_dest_addr}, {STR("DESTPORT"), read_dest_port},
};

static bool
read_one(struct str word, struct arena *a, struct xclient *x, uint32_t *seen)
{
    AUTO_BUF value = BUF(256);
    ssize_t equals = str_find(word, '=');

    if (equals < 0)
        return false;
    struct str name = str_sub(word, 0, (size_t)equals);
    struct str text = str_skip(word, (size_t)equals + 1);
    for (size_t i = 0; i < COUNT_OF(attributes); i++) {
        if (!str_eq_nocase(name, attributes[i].name))
            continue;
        if ((*seen & 1u << i) != 0)
            return false;
        *seen |= 1u << i;
        if (str_eq_nocase(text, STR("[UNAVAILABLE]")) || str_eq_nocase(text, STR("[TEMPUNAVAIL]")))
            return true;
        return xtext_decode(text, &value) == OK &&
               attributes[i].read(arena_str(a, buf_str(&value)), x);
    }
    return false;
}

MUST_USE enum status
xclient_read(struct str args, struct arena *a, struct xclient *out)
{
    struct xclient x = {.helo = STR("")};
    struct str word;
    uint32_t seen = 0;

    while (str_split(&args, ' ', &word))
        if (word.len > 0 && !read_one(word, a, &x, &seen))
            return ERR_SYNTAX;
    if (seen == 0)
        return ERR_SYNTAX;
    *out = x;
    return OK;
}
