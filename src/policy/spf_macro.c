/* spf_macro.c - see spf_macro.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/spf_macro.h"

#include "base/limits.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/domain.h"

enum { PARTS_MANY = 1000, VALUE_MAX = LIMIT_SPF_VALUE_BYTES };

/* One byte that stands for itself, or a macro. */
struct piece {
    struct str literal; /* empty: a macro */
    char letter;        /* lower case */
    bool escaped;       /* written in upper case: for URLs */
    bool split;         /* a transformer or a delimiter is there */
    bool reversed;
    uint32_t parts; /* from the right; 0 = all */
    struct str delimiters;
};

/* ---- reading ---- */

static bool
is_delimiter(char c)
{
    return str_find(STR(".-+,/_="), c) >= 0;
}

/* transformers = *DIGIT ["r"], RFC 7208 section 7.1; section 7.3: a number is not zero. */
static bool
scan_transformers(struct scan *s, struct piece *p)
{
    bool digits = false;
    char c;

    while (scan_peek(s, &c) && ascii_is_digit(c)) {
        p->parts = MIN(p->parts * 10 + (uint32_t)(c - '0'), PARTS_MANY); /* a digit */
        digits = true;
        s->pos++;
    }
    if (digits && p->parts == 0)
        return false;
    p->reversed = scan_char(s, 'r') || scan_char(s, 'R');
    const char *from = s->pos;
    while (scan_peek(s, &c) && is_delimiter(c))
        s->pos++;
    p->delimiters = str_from(from, (size_t)(s->pos - from)); /* not negative */
    p->split = digits || p->reversed || p->delimiters.len > 0;
    return true;
}

/* macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-" */
static bool
scan_macro(struct scan *s, struct piece *out)
{
    struct piece p = {0};
    struct scan t = *s;
    char c;

    if (!scan_char(&t, '%') || !scan_peek(&t, &c))
        return false;
    t.pos++;
    switch (c) {
    case '%': p.literal = STR("%"); break;
    case '_': p.literal = STR(" "); break;
    case '-': p.literal = STR("%20"); break;
    case '{':
        if (!scan_peek(&t, &c) || str_find(STR("slodiphcrtv"), ascii_lower(c)) < 0)
            return false;
        t.pos++;
        p.letter = ascii_lower(c);
        p.escaped = c != p.letter;
        if (!scan_transformers(&t, &p) || !scan_char(&t, '}'))
            return false;
        break;
    default: return false;
    }
    *s = t;
    *out = p;
    return true;
}

static bool
scan_piece(struct scan *s, bool spaces, struct piece *out)
{
    char c;

    if (!scan_peek(s, &c))
        return false;
    if (c == '%')
        return scan_macro(s, out);
    if (c > '~' || c < ' ' || (c == ' ' && !spaces))
        return false;
    *out = (struct piece){.literal = str_from(s->pos, 1)};
    s->pos++;
    return true;
}

static bool
is_of_pieces(struct str text, bool spaces)
{
    struct scan s = scan_of(text);
    struct piece p;

    while (scan_piece(&s, spaces, &p))
        ;
    return scan_at_end(&s);
}

bool
spf_macro_is_string(struct str text)
{
    return is_of_pieces(text, false);
}

bool
spf_macro_is_text(struct str text)
{
    return is_of_pieces(text, true);
}

bool
spf_macro_has(struct str text, char letter)
{
    struct scan s = scan_of(text);
    struct piece p;

    while (scan_piece(&s, true, &p))
        if (p.literal.len == 0 && p.letter == letter)
            return true;
    return false;
}

/* toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum ) */
static bool
is_top_label(struct str label)
{
    bool good = false;

    if (label.len == 0 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.ptr[i];
        if (!ascii_is_alnum(c) && c != '-')
            return false;
        good |= !ascii_is_digit(c);
    }
    return good;
}

/* domain-end = ( "." toplabel [ "." ] ) / macro-expand */
bool
spf_macro_is_domain(struct str text)
{
    struct scan s = scan_of(text);
    struct piece p = {0};
    bool macro = false;

    while (!scan_at_end(&s)) {
        const char *from = s.pos;
        if (!scan_piece(&s, false, &p))
            return false;
        macro = *from == '%';
        if (p.literal.len == 0 && str_find(STR("crt"), p.letter) >= 0)
            return false;
    }
    if (macro)
        return true;
    if (str_ends(text, STR(".")))
        text.len--;
    ssize_t dot = str_rfind(text, '.');
    return dot >= 0 && is_top_label(str_skip(text, (size_t)dot + 1)); /* not negative */
}

/* ---- expanding ---- */

/* RFC 7208 section 7.3: an IPv6 address in half bytes with dots between. */
static void
add_dotted(struct buf *b, const struct subnet *client)
{
    static const char digits[] = "0123456789ABCDEF";

    if (client->size == 4) {
        subnet_write(client, b);
        return;
    }
    for (unsigned i = 0; i < client->size; i++) {
        unsigned char byte = (unsigned char)client->bytes[i];
        buf_addf(b, "%s%c.%c", i > 0 ? "." : "", digits[byte >> 4], digits[byte & 15]);
    }
}

static void
add_value(struct buf *b, char letter, const struct spf_values *v)
{
    switch (letter) {
    case 's':
        buf_add(b, v->local);
        buf_add_char(b, '@');
        buf_add(b, v->sender_domain);
        break;
    case 'l': buf_add(b, v->local); break;
    case 'o': buf_add(b, v->sender_domain); break;
    case 'd': buf_add(b, v->domain); break;
    case 'i': add_dotted(b, &v->client); break;
    case 'c': subnet_write(&v->client, b); break;
    case 'v': buf_add_z(b, v->client.size == 4 ? "in-addr" : "ip6"); break;
    case 'h': buf_add(b, v->helo); break;
    case 'p': buf_add(b, v->validated.len > 0 ? v->validated : STR("unknown")); break;
    case 'r': buf_add(b, v->host.len > 0 ? v->host : STR("unknown")); break;
    case 't': buf_add_i64(b, v->now_s); break;
    default: UNREACHABLE();
    }
}

/* RFC 3986 section 2.3: what need not be escaped. */
static void
add_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (ascii_is_alnum(c) || (c != '\0' && str_find(STR("-._~"), c) >= 0))
            buf_add_char(b, c);
        else
            buf_addf(b, "%%%02X", (unsigned char)c);
    }
}

static void
add_part(struct buf *b, struct str part, bool escaped)
{
    if (escaped)
        add_escaped(b, part);
    else
        buf_add(b, part);
}

/* RFC 7208 section 7.3: parts are reversed first, then those on the right are taken; "." joins them. */
static void
add_parts(struct buf *b, struct str value, const struct piece *p)
{
    struct str delimiters = p->delimiters.len > 0 ? p->delimiters : STR(".");
    uint16_t begins[VALUE_MAX + 2];
    size_t count = 0;

    begins[count++] = 0;
    for (size_t i = 0; i < value.len; i++)
        if (str_find(delimiters, value.ptr[i]) >= 0)
            begins[count++] = (uint16_t)(i + 1); /* at most VALUE_MAX */
    begins[count] = (uint16_t)(value.len + 1);
    size_t first = p->parts > 0 && p->parts < count ? count - p->parts : 0;
    for (size_t i = first; i < count; i++) {
        size_t at = p->reversed ? count - 1 - i : i;
        if (i > first)
            buf_add_char(b, '.');
        unsigned from = begins[at], to = begins[at + 1];
        add_part(b, str_sub(value, from, to - from - 1), p->escaped);
    }
}

enum status
spf_macro_expand(struct str text, const struct spf_values *v, struct buf *b)
{
    struct scan s = scan_of(text);
    struct piece p;

    while (!b->over && scan_piece(&s, true, &p)) {
        AUTO_BUF value = BUF(VALUE_MAX);
        if (p.literal.len > 0) {
            buf_add(b, p.literal);
            continue;
        }
        add_value(&value, p.letter, v);
        TRY(buf_status(&value));
        if (p.split)
            add_parts(b, buf_str(&value), &p);
        else
            add_part(b, buf_str(&value), p.escaped);
    }
    return buf_status(b);
}

enum status
spf_macro_target(struct str text, const struct spf_values *v, struct arena *a, struct str *out)
{
    AUTO_BUF b = BUF(LIMIT_SPF_EXPANDED_BYTES);

    TRY(spf_macro_expand(text, v, &b));
    struct str name = buf_str(&b);
    if (str_ends(name, STR(".")))
        name.len--;
    while (name.len > DOMAIN_MAX) {
        ssize_t dot = str_find(name, '.');
        if (dot < 0)
            break;
        name = str_skip(name, (size_t)dot + 1); /* not negative */
    }
    *out = name.len == 0 ? STR("") : arena_str(a, name);
    return OK;
}
