/* encode.c - base64, hex and UTF-8.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"

#include "base/scan.h"
#include "base/size.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/* Value + 1 of each digit; 0 for what is none. */
static const unsigned char base64_values[256] = {
    ['A'] = 1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,         12,         13,
    14,         15, 16, 17, 18, 19, 20, 21, 22, 23, 24,         25,         26,
    ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,         38,         39,
    40,         41, 42, 43, 44, 45, 46, 47, 48, 49, 50,         51,         52,
    ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64,
};
static const char hex_digits[] = "0123456789abcdef";

static int hex_value(char c);
static bool base64_groups(char *to, const char *from, size_t groups);
static bool base64_last(char *to, const char *from, size_t digits);
static size_t ascii_run(const char *p, size_t n);

/* RFC 4648 section 4 */
void
buf_add_base64(struct buf *b, struct str s)
{
    size_t size;

    if (!size_mul(s.len / 3 + (s.len % 3 > 0), 4, &size)) {
        b->over = true;
        return;
    }
    char *to = buf_tail(b, size);
    if (to == NULL || s.len == 0)
        return;
    const unsigned char *p = (const unsigned char *)s.ptr;
    for (size_t left = s.len; left > 0;) {
        uint32_t bits = (uint32_t)p[0] << 16;
        if (left > 1)
            bits |= (uint32_t)p[1] << 8;
        if (left > 2)
            bits |= p[2];
        to[0] = base64_digits[bits >> 18];
        to[1] = base64_digits[bits >> 12 & 63];
        to[2] = left > 1 ? base64_digits[bits >> 6 & 63] : '=';
        to[3] = left > 2 ? base64_digits[bits & 63] : '=';
        to += 4;
        p += 3;
        left -= MIN(left, (size_t)3);
    }
    buf_grew(b, size);
}

enum status
base64_decode(struct str s, struct buf *b)
{
    if (s.len % 4 != 0)
        return ERR_SYNTAX;
    if (s.len == 0)
        return buf_status(b);
    size_t padding = s.ptr[s.len - 1] != '=' ? 0 : s.ptr[s.len - 2] != '=' ? 1 : 2;
    size_t size = s.len / 4 * 3 - padding;
    char *to = buf_tail(b, size);
    if (to == NULL)
        return ERR_LIMIT;
    size_t whole = s.len / 4 - 1;
    if (!base64_groups(to, s.ptr, whole) ||
        !base64_last(to + whole * 3, s.ptr + whole * 4, 4 - padding))
        return ERR_SYNTAX;
    buf_grew(b, size);
    return OK;
}

void
buf_add_hex(struct buf *b, struct str s)
{
    size_t size;

    if (!size_mul(s.len, 2, &size)) {
        b->over = true;
        return;
    }
    char *to = buf_tail(b, size);
    if (to == NULL)
        return;
    for (size_t i = 0; i < s.len; i++) {
        *to++ = hex_digits[(unsigned char)s.ptr[i] >> 4];
        *to++ = hex_digits[(unsigned char)s.ptr[i] & 15];
    }
    buf_grew(b, size);
}

enum status
hex_decode(struct str s, struct buf *b)
{
    if (s.len % 2 != 0)
        return ERR_SYNTAX;
    char *to = buf_tail(b, s.len / 2);
    if (to == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < s.len; i += 2) {
        int high = hex_value(s.ptr[i]);
        int low = hex_value(s.ptr[i + 1]);
        if (high < 0 || low < 0)
            return ERR_SYNTAX;
        *to++ = (char)(high << 4 | low);
    }
    buf_grew(b, s.len / 2);
    return OK;
}

bool
utf8_valid(struct str s)
{
    struct scan at = scan_of(s);
    uint32_t code_point;

    for (;;) {
        size_t run = ascii_run(at.pos, scan_left(&at));
        if (run > 0)
            at.pos += run;
        if (scan_at_end(&at))
            return true;
        if (!scan_utf8(&at, &code_point))
            return false;
    }
}

/* RFC 3629 section 4.  The least value of each length keeps out the longer forms. */
bool
scan_utf8(struct scan *s, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t left = scan_left(s);

    if (left == 0)
        return false;
    const unsigned char *p = (const unsigned char *)s->pos;
    if (p[0] < 0x80) {
        *out = p[0];
        s->pos++;
        return true;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return false;
    size_t len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < len)
        return false;
    uint32_t v = p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return false;
        v = v << 6 | (p[i] & 0x3f);
    }
    if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        return false;
    *out = v;
    s->pos += len;
    return true;
}

void
buf_add_utf8(struct buf *b, uint32_t v)
{
    char bytes[4];
    size_t len = 0;

    if (v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        v = 0xfffd;
    if (v < 0x80) {
        bytes[len++] = (char)v;
    } else if (v < 0x800) {
        bytes[len++] = (char)(0xc0 | v >> 6);
        bytes[len++] = (char)(0x80 | (v & 0x3f));
    } else if (v < 0x10000) {
        bytes[len++] = (char)(0xe0 | v >> 12);
        bytes[len++] = (char)(0x80 | (v >> 6 & 0x3f));
        bytes[len++] = (char)(0x80 | (v & 0x3f));
    } else {
        bytes[len++] = (char)(0xf0 | v >> 18);
        bytes[len++] = (char)(0x80 | (v >> 12 & 0x3f));
        bytes[len++] = (char)(0x80 | (v >> 6 & 0x3f));
        bytes[len++] = (char)(0x80 | (v & 0x3f));
    }
    buf_add(b, str_from(bytes, len));
}

bool
str_is_ascii(struct str s)
{
    return ascii_run(s.ptr, s.len) == s.len;
}

/* -1 for what is no digit. */
static int
hex_value(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Four digits into three bytes, so many times; false on a bad digit. */
static bool
base64_groups(char *to, const char *from, size_t groups)
{
    const unsigned char *p = (const unsigned char *)from;

    for (; groups > 0; groups--, p += 4, to += 3) {
        uint32_t a = base64_values[p[0]], b = base64_values[p[1]];
        uint32_t c = base64_values[p[2]], d = base64_values[p[3]];
        if (a == 0 || b == 0 || c == 0 || d == 0)
            return false;
        uint32_t bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
        to[0] = (char)(bits >> 16);
        to[1] = (char)(bits >> 8);
        to[2] = (char)bits;
    }
    return true;
}

/* The last two to four digits; false also when bits are left over that should be zero. */
static bool
base64_last(char *to, const char *from, size_t digits)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        uint32_t v = i < digits ? base64_values[(unsigned char)from[i]] : 1;
        if (v == 0)
            return false;
        bits = bits << 6 | (v - 1);
    }
    if (bits & ((1u << 8 * (4 - digits)) - 1))
        return false;
    for (size_t i = 0; i + 1 < digits; i++)
        to[i] = (char)(bits >> (16 - 8 * i));
    return true;
}

/* How many bytes at p are below 0x80. */
static size_t
ascii_run(const char *p, size_t n)
{
    size_t i = 0;
    uint64_t w;

    for (; n - i >= sizeof(w); i += sizeof(w)) {
        memcpy(&w, p + i, sizeof(w));
        if (w & 0x8080808080808080u)
            break;
    }
    while (i < n && (unsigned char)p[i] < 0x80)
        i++;
    return i;
}
