/* transfer.c - base64 and quoted-printable.  See transfer.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/encode.h"
#include "base/size.h"
#include "mail/transfer.h"

enum { NOT_BASE64 = 64, PAD = 65, LINE_COLUMNS = 76 };

#define NO NOT_BASE64
/* RFC 2045 section 6.8: all else is skipped. */
static const unsigned char sextets[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,  NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,  NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, PAD, NO, NO, NO, 0,  1,  2,  3,  4,  5,  6,
    7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,  21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,  39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,  NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,  NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,  NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,  NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,  NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,  NO, NO};
#undef NO

static void decode_quoted(struct transfer_decoder *d, struct str chunk, struct buf *out);

enum transfer
transfer_of(struct str value)
{
    static const struct {
        struct str name;
        enum transfer kind;
    } kinds[] = {
        {{"7bit", 4}, TRANSFER_IDENTITY},
        {{"8bit", 4}, TRANSFER_IDENTITY},
        {{"binary", 6}, TRANSFER_IDENTITY},
        {{"base64", 6}, TRANSFER_BASE64},
        {{"quoted-printable", 16}, TRANSFER_QUOTED_PRINTABLE},
    };
    struct str token = str_trim(value);
    size_t n = 0;

    while (n < token.len && (ascii_is_alnum(token.ptr[n]) || token.ptr[n] == '-'))
        n++;
    token.len = n;
    if (n == 0)
        return value.len == 0 || str_trim(value).len == 0 ? TRANSFER_IDENTITY : TRANSFER_UNKNOWN;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_eq_nocase(kinds[i].name, token))
            return kinds[i].kind;
    return TRANSFER_UNKNOWN;
}

void
transfer_decoder_init(struct transfer_decoder *d, enum transfer kind)
{
    d->kind = kind;
    d->bits = d->held = 0;
}

/* Writes the whole bytes of a quantum that ends early. */
static void
flush_bits(struct transfer_decoder *d, struct buf *out)
{
    if (d->held >= 2)
        buf_add_char(out, (char)(d->bits >> (d->held * 6 - 8) & 0xff));
    if (d->held == 3)
        buf_add_char(out, (char)(d->bits >> 2 & 0xff));
    d->held = d->bits = 0;
}

static void
decode_base64(struct transfer_decoder *d, struct str chunk, struct buf *out)
{
    char block[768];
    size_t n = 0;

    for (size_t i = 0; i < chunk.len; i++) {
        unsigned v = sextets[(unsigned char)chunk.ptr[i]];

        if (v == NOT_BASE64)
            continue;
        if (v == PAD) {
            buf_add(out, str_from(block, n));
            n = 0;
            flush_bits(d, out);
            continue;
        }
        d->bits = d->bits << 6 | v;
        if (++d->held < 4)
            continue;
        block[n++] = (char)(d->bits >> 16 & 0xff);
        block[n++] = (char)(d->bits >> 8 & 0xff);
        block[n++] = (char)(d->bits & 0xff);
        d->held = d->bits = 0;
        if (n == sizeof(block)) {
            buf_add(out, str_from(block, n));
            n = 0;
        }
    }
    buf_add(out, str_from(block, n));
}

void
transfer_decode(struct transfer_decoder *d, struct str chunk, struct buf *out)
{
    ASSERT(out != NULL);
    switch (d->kind) {
    case TRANSFER_BASE64: decode_base64(d, chunk, out); break;
    case TRANSFER_QUOTED_PRINTABLE: decode_quoted(d, chunk, out); break;
    case TRANSFER_IDENTITY:
    case TRANSFER_UNKNOWN: buf_add(out, chunk); break;
    }
}

void
transfer_decode_end(struct transfer_decoder *d, struct buf *out)
{
    ASSERT(out != NULL);
    if (d->kind == TRANSFER_BASE64)
        flush_bits(d, out);
    if (d->kind == TRANSFER_QUOTED_PRINTABLE) {
        /* White space at the very end belongs to transport; a cut escape stays. */
        struct str held = str_from(d->hold, d->held);
        if (held.len > 0 && held.ptr[0] == '=' && str_trim(held).len > 1)
            buf_add(out, held);
        d->held = 0;
    }
}

static int
hex_digit(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
flush_hold(struct transfer_decoder *d, struct buf *out)
{
    buf_add(out, str_from(d->hold, d->held));
    d->held = 0;
}

/* One byte after "=", which is in hold with what followed it.  RFC 2045 section 6.7. */
static void
escape_byte(struct transfer_decoder *d, char c, struct buf *out)
{
    bool blank_so_far = d->held == 1 || ascii_is_space(d->hold[1]) || d->hold[1] == '\r';

    d->hold[d->held++] = c;
    if (c == '\n' && blank_so_far) {
        d->held = 0; /* soft line break, transport padding before it included */
        return;
    }
    if (d->held == 3 && hex_digit(d->hold[1]) >= 0 && hex_digit(c) >= 0) {
        buf_add_char(out, (char)(hex_digit(d->hold[1]) * 16 + hex_digit(c)));
        d->held = 0;
        return;
    }
    bool blank = ascii_is_space(c) || c == '\r';
    bool first_hex = d->held == 2 && hex_digit(c) >= 0;
    if ((!(blank && blank_so_far) && !first_hex) || d->held == TRANSFER_HOLD_MAX)
        flush_hold(d, out);
}

/* White space at the end of a line is dropped (rule 3), so it is held until the line goes on. */
static void
blank_byte(struct transfer_decoder *d, char c, struct buf *out)
{
    if (c == '\r' || c == '\n') {
        if (c == '\r' && d->held > 0 && d->hold[d->held - 1] == '\r')
            flush_hold(d, out);
        if (c == '\n') {
            bool cr = d->held > 0 && d->hold[d->held - 1] == '\r';
            d->held = 0;
            buf_add(out, cr ? STR("\r\n") : STR("\n"));
            return;
        }
    }
    if (d->held == TRANSFER_HOLD_MAX)
        flush_hold(d, out);
    d->hold[d->held++] = c;
}

static void
decode_quoted(struct transfer_decoder *d, struct str chunk, struct buf *out)
{
    size_t i = 0;

    while (i < chunk.len) {
        char c = chunk.ptr[i];
        if (d->held > 0 && d->hold[0] == '=') {
            escape_byte(d, c, out);
            i++;
        } else if (c == '=') {
            flush_hold(d, out);
            d->hold[d->held++] = c;
            i++;
        } else if (ascii_is_space(c) || c == '\r' || c == '\n') {
            blank_byte(d, c, out);
            i++;
        } else {
            size_t from = i;
            flush_hold(d, out);
            while (i < chunk.len && chunk.ptr[i] != '=' && chunk.ptr[i] != '\r' &&
                   chunk.ptr[i] != '\n' && !ascii_is_space(chunk.ptr[i]))
                i++;
            buf_add(out, str_sub(chunk, from, i - from));
        }
    }
}

void
transfer_write_base64(struct buf *b, struct str bytes)
{
    ASSERT(b != NULL);
    for (size_t at = 0; at < bytes.len; at += LINE_COLUMNS / 4 * 3) {
        buf_add_base64(b, str_sub(bytes, at, LINE_COLUMNS / 4 * 3));
        buf_add(b, STR("\r\n"));
    }
}

void
transfer_write_quoted_printable(struct buf *b, struct str text)
{
    size_t column = 0;

    ASSERT(b != NULL);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool line_end = c == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n';
        bool last = i + 1 == text.len || text.ptr[i + 1] == '\r' || text.ptr[i + 1] == '\n';

        if (line_end) {
            buf_add(b, STR("\r\n"));
            column = 0;
            i++;
            continue;
        }
        bool plain = (c > ' ' && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last);
        size_t width = plain ? 1 : 3;
        if (column + width > LINE_COLUMNS - 1) {
            buf_add(b, STR("=\r\n"));
            column = 0;
        }
        if (plain)
            buf_add_char(b, (char)c);
        else
            buf_addf(b, "=%02X", (unsigned)c);
        column += width;
    }
}
