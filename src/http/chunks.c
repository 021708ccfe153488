/* chunks.c - see chunks.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/chunks.h"

#include "base/limits.h"
#include "base/size.h"

enum { DIGITS_MAX = 8 };

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_text(char c)
{
    unsigned char u = (unsigned char)c;

    return u == '\t' || (u >= ' ' && u != 0x7f);
}

/* chunk-size = 1*HEXDIG */
static bool
size_char(struct http_chunks *c, char byte)
{
    int digit = hex_value(byte);

    if (digit >= 0) {
        c->left = c->left * 16 + (uint64_t)digit; /* not negative: asked above */
        return ++c->digits <= DIGITS_MAX;
    }
    if (c->digits == 0)
        return false;
    if (byte == ';')
        c->at = HTTP_CHUNK_EXTENSION;
    else
        c->at = HTTP_CHUNK_SIZE_LF;
    return byte == ';' || byte == '\r';
}

/* An extension or a trailer field: neither means anything here. */
static bool
extra_char(struct http_chunks *c, char byte, enum http_chunk_at after_cr)
{
    if (byte == '\r') {
        c->at = after_cr;
        return true;
    }
    return is_text(byte) && ++c->extra <= LIMIT_HTTP_CHUNK_EXTRA_BYTES;
}

static bool
lf(struct http_chunks *c, char byte, enum http_chunk_at next)
{
    c->at = next;
    return byte == '\n';
}

/* Any byte that is not data. */
static bool
frame_char(struct http_chunks *c, char byte)
{
    switch (c->at) {
    case HTTP_CHUNK_SIZE: return size_char(c, byte);
    case HTTP_CHUNK_EXTENSION: return extra_char(c, byte, HTTP_CHUNK_SIZE_LF);
    case HTTP_CHUNK_SIZE_LF: return lf(c, byte, c->left > 0 ? HTTP_CHUNK_DATA : HTTP_CHUNK_TRAILER);
    case HTTP_CHUNK_DATA_CR: c->at = HTTP_CHUNK_DATA_LF; return byte == '\r';
    case HTTP_CHUNK_DATA_LF: c->digits = 0; return lf(c, byte, HTTP_CHUNK_SIZE);
    case HTTP_CHUNK_TRAILER:
        if (byte == '\r') {
            c->at = HTTP_CHUNK_LAST_LF;
            return true;
        }
        c->at = HTTP_CHUNK_FIELD;
        return byte != ' ' && byte != '\t' && extra_char(c, byte, HTTP_CHUNK_FIELD_LF);
    case HTTP_CHUNK_FIELD: return extra_char(c, byte, HTTP_CHUNK_FIELD_LF);
    case HTTP_CHUNK_FIELD_LF: return lf(c, byte, HTTP_CHUNK_TRAILER);
    case HTTP_CHUNK_LAST_LF: return lf(c, byte, HTTP_CHUNK_END);
    case HTTP_CHUNK_DATA:
    case HTTP_CHUNK_END: break;
    }
    UNREACHABLE();
}

MUST_USE enum status
http_chunks_next(struct http_chunks *c, struct scan *in, struct str *piece_out)
{
    while (c->at != HTTP_CHUNK_END && !scan_at_end(in)) {
        if (c->at == HTTP_CHUNK_DATA) {
            size_t n = MIN(scan_left(in), c->left);
            bool taken = scan_take(in, n, piece_out);
            ASSERT(taken);
            c->left -= n;
            if (c->left == 0)
                c->at = HTTP_CHUNK_DATA_CR;
            return OK;
        }
        if (!frame_char(c, *in->pos++))
            return ERR_SYNTAX;
    }
    if (c->at != HTTP_CHUNK_END)
        return ERR_TEMP;
    *piece_out = STR("");
    return OK;
}
