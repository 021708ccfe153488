/* name.c - mailbox names: modified UTF-7 both ways, and LIST patterns.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "imap/parse.h"

/* base64 of RFC 3501 section 5.1.3: "," for "/". */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int
digit_value(char c)
{
    ssize_t at =
        str_find(STR("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"), c);

    return (int)at;
}

/* The UTF-16 units of one shifted run. */
struct units {
    uint32_t bits;
    unsigned count;
    uint32_t high; /* first half of a surrogate pair, 0 = none */
};

static bool
unit_add(struct units *u, struct buf *out, uint32_t unit)
{
    if (u->high != 0) {
        if (unit < 0xdc00 || unit > 0xdfff)
            return false;
        buf_add_utf8(out, 0x10000 + ((u->high - 0xd800) << 10) + (unit - 0xdc00));
        u->high = 0;
        return true;
    }
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return false;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        u->high = unit;
        return true;
    }
    if (unit <=
        0x7f) /* controls; and what is printable in ASCII stands for itself: one spelling for a name */
        return false;
    buf_add_utf8(out, unit);
    return true;
}

/* After "&": up to and with "-". */
static bool
decode_run(struct scan *s, struct buf *out)
{
    struct units u = {0};

    if (scan_char(s, '-')) {
        buf_add_char(out, '&');
        return true;
    }
    while (!scan_at_end(s) && *s->pos != '-') {
        int v = digit_value(*s->pos++);
        if (v < 0)
            return false;
        u.bits = (u.bits << 6) | (uint32_t)v;
        u.count += 6;
        if (u.count < 16)
            continue;
        u.count -= 16;
        if (!unit_add(&u, out, (u.bits >> u.count) & 0xffff))
            return false;
        u.bits &= (1u << u.count) - 1;
    }
    return scan_char(s, '-') && u.high == 0 && u.count < 6 && u.bits == 0;
}

enum status
imap_utf7_decode(struct str text, struct buf *utf8_out)
{
    struct scan s = scan_of(text);

    while (!scan_at_end(&s)) {
        unsigned char c = (unsigned char)*s.pos++;
        if (c < 0x20 || c > 0x7e)
            return ERR_SYNTAX;
        if (c != '&')
            buf_add_char(utf8_out, (char)c);
        else if (!decode_run(&s, utf8_out))
            return ERR_SYNTAX;
    }
    return buf_status(utf8_out);
}

struct encoder {
    struct buf *out;
    uint32_t bits;
    unsigned count;
    bool shifted;
};

static void
put_unit(struct encoder *e, uint32_t unit)
{
    if (!e->shifted) {
        buf_add_char(e->out, '&');
        e->shifted = true;
    }
    e->bits = (e->bits << 16) | unit;
    e->count += 16;
    while (e->count >= 6) {
        e->count -= 6;
        buf_add_char(e->out, alphabet[(e->bits >> e->count) & 63]);
    }
    e->bits &= (1u << e->count) - 1;
}

static void
end_run(struct encoder *e)
{
    if (!e->shifted)
        return;
    if (e->count > 0)
        buf_add_char(e->out, alphabet[(e->bits << (6 - e->count)) & 63]);
    buf_add_char(e->out, '-');
    *e = (struct encoder){.out = e->out};
}

void
imap_utf7_encode(struct str utf8, struct buf *out)
{
    struct encoder e = {.out = out};
    struct scan s = scan_of(utf8);
    uint32_t c;

    while (scan_utf8(&s, &c)) {
        if (c >= 0x20 && c <= 0x7e) {
            end_run(&e);
            buf_add_char(out, (char)c);
            if (c == '&')
                buf_add_char(out, '-');
        } else if (c > 0xffff) {
            put_unit(&e, 0xd800 + ((c - 0x10000) >> 10));
            put_unit(&e, 0xdc00 + ((c - 0x10000) & 0x3ff));
        } else {
            put_unit(&e, c);
        }
    }
    end_run(&e);
}

/* How much of a name has no case: INBOX as its first level (RFC 3501 section 5.1). */
static size_t
inbox_len(struct str name)
{
    struct str inbox = STR("INBOX");

    if (!str_starts(name, inbox))
        return 0;
    return name.len == inbox.len || name.ptr[inbox.len] == '/' ? inbox.len : 0;
}

/* Wildcards as in RFC 3501 section 6.3.8: "*" any run, "%" any run without a separator.  Goes back only to the last "*"
 * and the last "%" after it, so the work is at most pattern times name. */
bool
imap_match(struct str pattern, struct str name)
{
    const size_t fold = inbox_len(name);
    size_t p = 0, n = 0;
    size_t star_p = SIZE_MAX, star_n = 0, part_p = SIZE_MAX, part_n = 0;

    for (;;) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star_p = ++p;
            star_n = n;
            part_p = SIZE_MAX;
        } else if (p < pattern.len && pattern.ptr[p] == '%') {
            part_p = ++p;
            part_n = n;
        } else if (p < pattern.len && n < name.len &&
                   (n < fold ? ascii_upper(pattern.ptr[p]) : pattern.ptr[p]) == name.ptr[n]) {
            p++;
            n++;
        } else if (p == pattern.len && n == name.len) {
            return true;
        } else if (part_p != SIZE_MAX && part_n < name.len && name.ptr[part_n] != '/') {
            n = ++part_n;
            p = part_p;
        } else if (star_p != SIZE_MAX && star_n < name.len) {
            n = ++star_n;
            p = star_p;
            part_p = SIZE_MAX;
        } else {
            return false;
        }
    }
}
