/* address.c - envelope addresses.  See address.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "base/encode.h"
#include "base/mem.h"
#include "mail/address.h"
#include "mail/domain.h"

static bool is_atext(char c);
static enum status scan_local(struct scan *s, unsigned flags, struct buf *b);
static enum status scan_domain(struct scan *s, unsigned flags, struct buf *b, bool *literal_out);

/* Mailbox = Local-part "@" ( Domain / address-literal )     RFC 5321 section 4.1.2 */
static enum status
scan_mailbox(struct scan *s, unsigned flags, struct arena *a, struct path *out)
{
    struct scan t = *s;
    AUTO_BUF local = BUF(LOCAL_MAX);
    AUTO_BUF domain = BUF(DOMAIN_MAX);
    bool literal = false;

    TRY(scan_local(&t, flags, &local));
    if (!scan_char(&t, '@'))
        return ERR_SYNTAX;
    TRY(scan_domain(&t, flags, &domain, &literal));
    *out = (struct path){.kind = PATH_MAILBOX,
                         .utf8 = !str_is_ascii(buf_str(&local)),
                         .literal = literal,
                         .local = arena_str(a, buf_str(&local)),
                         .domain = arena_str(a, buf_str(&domain))};
    *s = t;
    return OK;
}

/* A-d-l = At-domain *( "," At-domain ) ":"; what it names is ignored. */
static bool
skip_route(struct scan *s)
{
    struct scan t = *s;
    struct str host = STR_NONE;

    if (!scan_char(&t, '@'))
        return true;
    if (!scan_until(&t, ':', &host) || host.len > PATH_MAX_BYTES)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!ascii_is_alnum(c) && c != '.' && c != '-' && c != ',' && c != '@' && c != '_')
            return false;
    }
    scan_char(&t, ':');
    *s = t;
    return true;
}

/* What stands between "<" and ">". */
static enum status
scan_inside(struct scan *s, unsigned flags, struct arena *a, struct path *out)
{
    struct scan t = *s;

    if ((flags & PATH_REVERSE) == 0 && scan_str_nocase(&t, STR("postmaster"))) {
        char c = 0;
        if (!scan_peek(&t, &c) || c == '>' || ascii_is_space(c)) {
            *out = (struct path){.kind = PATH_POSTMASTER, .local = STR("postmaster")};
            *s = t;
            return OK;
        }
        t = *s;
    }
    if (!skip_route(&t))
        return ERR_SYNTAX;
    TRY(scan_mailbox(&t, flags, a, out));
    *s = t;
    return OK;
}

/* Reverse-path = Path / "<>"
 * Forward-path = Path / "<Postmaster>"         RFC 5321 section 4.1.2 */
enum status
path_scan(struct scan *s, unsigned flags, struct arena *a, struct path *out)
{
    struct scan t = *s;
    struct path p = {.kind = PATH_NULL};

    ASSERT(a != NULL);
    if ((flags & PATH_LENIENT) != 0)
        scan_skip_spaces(&t);
    bool bracket = scan_char(&t, '<');
    if (!bracket && (flags & PATH_LENIENT) == 0)
        return ERR_SYNTAX;
    if (!bracket || (flags & PATH_REVERSE) == 0 || !scan_str(&t, STR(">"))) {
        TRY(scan_inside(&t, flags, a, &p));
        if (bracket && !scan_char(&t, '>'))
            return ERR_SYNTAX;
    }
    if (scan_left(&t) > 0 && *t.pos != ' ' && *t.pos != '\t')
        return ERR_SYNTAX;
    *out = p;
    *s = t;
    return OK;
}

enum status
mailbox_parse(struct str text, unsigned flags, struct arena *a, struct path *out)
{
    struct scan s = scan_of(text);
    struct path p = {.kind = PATH_NULL};

    ASSERT(a != NULL);
    TRY(scan_mailbox(&s, flags, a, &p));
    if (!scan_at_end(&s))
        return ERR_SYNTAX;
    *out = p;
    return OK;
}

static bool
is_dot_string(struct str local)
{
    char before = '.';

    for (size_t i = 0; i < local.len; i++) {
        char c = local.ptr[i];
        if (c == '.' ? before == '.' : !is_atext(c))
            return false;
        before = c;
    }
    return local.len > 0 && before != '.';
}

void
local_write(struct buf *b, struct str local)
{
    ASSERT(b != NULL);
    if (is_dot_string(local)) {
        buf_add(b, local);
        return;
    }
    buf_add_char(b, '"');
    for (size_t i = 0; i < local.len; i++) {
        if (local.ptr[i] == '"' || local.ptr[i] == '\\')
            buf_add_char(b, '\\');
        buf_add_char(b, local.ptr[i]);
    }
    buf_add_char(b, '"');
}

void
path_write(struct buf *b, const struct path *p)
{
    ASSERT(p != NULL);
    if (p->kind == PATH_NULL)
        return;
    local_write(b, p->local);
    if (p->kind == PATH_MAILBOX) {
        buf_add_char(b, '@');
        buf_add(b, p->domain);
    }
}

bool
path_eq(const struct path *a, const struct path *b)
{
    return a->kind == b->kind && str_eq_nocase(a->local, b->local) && str_eq(a->domain, b->domain);
}

void
local_canonical(struct buf *b, struct str local)
{
    ASSERT(b != NULL);
    for (size_t i = 0; i < local.len; i++)
        buf_add_char(b, ascii_lower(local.ptr[i]));
}

bool
local_split_tag(struct str local, char separator, struct str *user_out, struct str *tag_out)
{
    ssize_t at = str_find(local, separator);

    if (at <= 0)
        return false;
    *user_out = str_sub(local, 0, (size_t)at);
    *tag_out = str_skip(local, (size_t)at + 1);
    return true;
}

/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
 * esmtp-value   = 1*(%d33-60 / %d62-126), and UTF-8 by RFC 6531 section 3.3 */
enum status
esmtp_param_scan(struct scan *s, struct esmtp_param *out)
{
    struct scan t = *s;
    struct esmtp_param p = {.has_value = false};

    bool spaced = scan_spaces(&t);
    if (scan_at_end(&t))
        return ERR_NOT_FOUND;
    const char *from = t.pos;
    while (t.pos < t.end && (ascii_is_alnum(*t.pos) || (*t.pos == '-' && t.pos > from)))
        t.pos++;
    p.key = str_from(from, (size_t)(t.pos - from));
    if (!spaced || p.key.len == 0)
        return ERR_SYNTAX;
    if (scan_char(&t, '=')) {
        from = t.pos;
        while (t.pos < t.end && (unsigned char)*t.pos > ' ' && *t.pos != '=' && *t.pos != 0x7f)
            t.pos++;
        p.value = str_from(from, (size_t)(t.pos - from));
        p.has_value = true;
        if (p.value.len == 0 || !utf8_valid(p.value))
            return ERR_SYNTAX;
    }
    if (scan_left(&t) > 0 && !ascii_is_space(*t.pos))
        return ERR_SYNTAX;
    if (p.key.len > PARAM_KEY_MAX || p.value.len > PARAM_VALUE_MAX)
        return ERR_LIMIT;
    *out = p;
    *s = t;
    return OK;
}

/* xtext = *( xchar / hexchar )
 * xchar = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="
 * hexchar = ASCII "+" immediately followed by two upper case hexadecimal digits */
enum status
xtext_decode(struct str text, struct buf *b)
{
    static const char digits[] = "0123456789ABCDEF";

    ASSERT(b != NULL);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c != '+') {
            if (c < '!' || c > '~' || c == '=')
                return ERR_SYNTAX;
            buf_add_char(b, c);
            continue;
        }
        if (text.len - i < 3)
            return ERR_SYNTAX;
        ssize_t high = str_find(str_from(digits, 16), text.ptr[i + 1]);
        ssize_t low = str_find(str_from(digits, 16), text.ptr[i + 2]);
        if (high < 0 || low < 0)
            return ERR_SYNTAX;
        buf_add_char(b, (char)(high * 16 + low));
        i += 2;
    }
    return buf_status(b);
}

void
xtext_write(struct buf *b, struct str bytes)
{
    ASSERT(b != NULL);
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (c >= '!' && c <= '~' && c != '+' && c != '=')
            buf_add_char(b, (char)c);
        else
            buf_addf(b, "+%02X", (unsigned)c);
    }
}

/* atext of RFC 5322 section 3.2.3, and UTF8-non-ascii by RFC 6531 section 3.3; validity of the UTF-8 is
 * checked over the whole local part. */
static bool
is_atext(char c)
{
    static const char specials[] = "!#$%&'*+-/=?^_`{|}~";

    return ascii_is_alnum(c) || (unsigned char)c >= 0x80 ||
           str_find(str_from(specials, sizeof(specials) - 1), c) >= 0;
}

/* Quoted-string = DQUOTE *( %d32-33 / %d35-91 / %d93-126 / "\" %d32-126 ) DQUOTE */
static enum status
scan_quoted(struct scan *s, struct buf *b)
{
    while (s->pos < s->end) {
        char c = *s->pos++;
        if (c == '"')
            return OK;
        if (c == '\\' && s->pos < s->end)
            c = *s->pos++;
        if ((unsigned char)c < ' ' || c == 0x7f)
            return ERR_SYNTAX;
        buf_add_char(b, c);
    }
    return ERR_SYNTAX;
}

/* Local-part = Dot-string / Quoted-string */
static enum status
scan_local(struct scan *s, unsigned flags, struct buf *b)
{
    struct scan t = *s;

    if (scan_char(&t, '"')) {
        TRY(scan_quoted(&t, b));
    } else {
        while (t.pos < t.end && (is_atext(*t.pos) || *t.pos == '.'))
            t.pos++;
        struct str word = str_from(s->pos, (size_t)(t.pos - s->pos));
        if (word.len > LOCAL_MAX)
            return ERR_LIMIT;
        if (!is_dot_string(word))
            return ERR_SYNTAX;
        buf_add(b, word);
    }
    TRY(buf_status(b));
    if (b->len == 0)
        return ERR_SYNTAX;
    if (!str_is_ascii(buf_str(b)) && ((flags & PATH_UTF8) == 0 || !utf8_valid(buf_str(b))))
        return ERR_SYNTAX;
    *s = t;
    return OK;
}

/* address-literal = "[" ( IPv4-address-literal / "IPv6:" IPv6-addr ) "]"; the general form names nothing that
 * is assigned, so it is refused. */
static enum status
scan_literal(struct scan *s, struct buf *b)
{
    struct scan t = *s;
    struct str inside = STR_NONE;
    unsigned char bytes[16];
    char z[INET6_ADDRSTRLEN];

    if (!scan_char(&t, '[') || !scan_until(&t, ']', &inside) || !scan_char(&t, ']'))
        return ERR_SYNTAX;
    bool six = str_starts_nocase(inside, STR("IPv6:"));
    int family = six ? AF_INET6 : AF_INET;
    if (!str_to_z(six ? str_skip(inside, 5) : inside, z, sizeof(z)) ||
        inet_pton(family, z, bytes) != 1 || inet_ntop(family, bytes, z, sizeof(z)) == NULL)
        return ERR_SYNTAX;
    buf_add_z(b, six ? "[IPv6:" : "[");
    buf_add_z(b, z);
    buf_add_char(b, ']');
    *s = t;
    return buf_status(b);
}

static enum status
scan_domain(struct scan *s, unsigned flags, struct buf *b, bool *literal_out)
{
    bool utf8 = (flags & PATH_UTF8) != 0;
    struct scan t = *s;

    if (t.pos < t.end && *t.pos == '[') {
        TRY(scan_literal(&t, b));
        *literal_out = true;
    } else {
        while (t.pos < t.end && (ascii_is_alnum(*t.pos) || *t.pos == '.' || *t.pos == '-' ||
                                 *t.pos == '_' || (utf8 && (unsigned char)*t.pos >= 0x80)))
            t.pos++;
        TRY(domain_normalise(str_from(s->pos, (size_t)(t.pos - s->pos)), b));
        *literal_out = false;
    }
    *s = t;
    return OK;
}
