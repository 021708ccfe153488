/* buf.c - growth, numbers and binary records of bounded buffers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/size.h"

enum { FIRST_CAP = 64, PRINTF_MAX = 1024, VARINT_MAX = 10, DECIMAL_MAX = 20 };

static size_t varint_put(char *to, uint64_t v);

void
buf_init(struct buf *b, size_t max)
{
    *b = BUF(max);
}

void
buf_release(struct buf *b)
{
    mem_free(b->ptr);
    *b = BUF(b->max);
}

void
buf_reset(struct buf *b)
{
    b->len = 0;
    b->over = false;
}

void
buf_shrink(struct buf *b, size_t keep)
{
    if (b->cap > keep)
        buf_release(b);
    else
        buf_reset(b);
}

enum status
buf_status(const struct buf *b)
{
    return b->over ? ERR_LIMIT : OK;
}

struct str
buf_take(struct buf *b)
{
    struct str taken = buf_str(b);

    *b = BUF(b->max);
    return taken;
}

bool
buf_more(struct buf *b, size_t extra)
{
    size_t need;

    ASSERT(b->len <= b->cap && b->cap <= b->max);
    if (b->over || !size_add(b->len, extra, &need) || need > b->max) {
        b->over = true;
        return false;
    }
    size_t cap = MAX(b->cap, (size_t)FIRST_CAP);
    while (cap < need)
        cap = cap <= b->max / 2 ? cap * 2 : b->max;
    cap = MIN(cap, b->max);
    b->ptr = mem_regrow(b->ptr, cap);
    b->cap = cap;
    return true;
}

char *
buf_tail(struct buf *b, size_t extra)
{
    static char nowhere; /* an empty buffer has no memory, yet NULL means over */

    if (!buf_reserve(b, extra))
        return NULL;
    return b->ptr != NULL ? b->ptr + b->len : &nowhere;
}

void
buf_grew(struct buf *b, size_t n)
{
    ASSERT(n <= b->cap - b->len);
    b->len += n;
}

void
buf_add_u64(struct buf *b, uint64_t v)
{
    char digits[DECIMAL_MAX];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    buf_add(b, str_from(digits + at, sizeof(digits) - at));
}

void
buf_add_i64(struct buf *b, int64_t v)
{
    if (v >= 0) {
        buf_add_u64(b, (uint64_t)v);
        return;
    }
    char digits[1 + DECIMAL_MAX];
    size_t at = sizeof(digits);
    uint64_t left = 0 - (uint64_t)v; /* INT64_MIN has no positive twin */
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    digits[--at] = '-';
    buf_add(b, str_from(digits + at, sizeof(digits) - at));
}

void
buf_addf(struct buf *b, const char *format, ...)
{
    char text[PRINTF_MAX + 1];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    ASSERT(n >= 0);
    if (n > PRINTF_MAX)
        b->over = true;
    else
        buf_add(b, str_from(text, (size_t)n));
}

void
buf_consume(struct buf *b, size_t n)
{
    ASSERT(n <= b->len);
    if (n == 0)
        return;
    b->len -= n;
    memmove(b->ptr, b->ptr + n, b->len);
}

void
buf_add_varint(struct buf *b, uint64_t v)
{
    char bytes[VARINT_MAX];

    buf_add(b, str_from(bytes, varint_put(bytes, v)));
}

/* Small numbers of either sign become small unsigned ones: 0, -1, 1, -2 -> 0, 1, 2, 3. */
void
buf_add_zigzag(struct buf *b, int64_t v)
{
    buf_add_varint(b, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void
buf_add_be32(struct buf *b, uint32_t v)
{
    char bytes[4];

    be32_put(bytes, v);
    buf_add(b, str_from(bytes, sizeof(bytes)));
}

void
buf_add_be64(struct buf *b, uint64_t v)
{
    char bytes[8];

    be64_put(bytes, v);
    buf_add(b, str_from(bytes, sizeof(bytes)));
}

void
buf_add_bytes(struct buf *b, struct str s)
{
    char prefix[VARINT_MAX];
    size_t prefix_len = varint_put(prefix, s.len);
    size_t total;

    if (!size_add(prefix_len, s.len, &total)) {
        b->over = true;
        return;
    }
    if (buf_reserve(b, total)) { /* both or nothing */
        buf_add(b, str_from(prefix, prefix_len));
        buf_add(b, s);
    }
}

static size_t
varint_put(char *to, uint64_t v)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        to[n++] = (char)(v | 0x80);
    to[n++] = (char)v;
    return n;
}
