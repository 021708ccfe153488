/* scan.c - tokens, numbers and binary records under a cursor.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"

#include "base/size.h"

bool
scan_str(struct scan *s, struct str token)
{
    if (!str_starts(scan_rest(s), token))
        return false;
    if (token.len > 0)
        s->pos += token.len;
    return true;
}

bool
scan_str_nocase(struct scan *s, struct str token)
{
    if (!str_starts_nocase(scan_rest(s), token))
        return false;
    if (token.len > 0)
        s->pos += token.len;
    return true;
}

bool
scan_until(struct scan *s, char stop, struct str *out)
{
    ssize_t at = str_find(scan_rest(s), stop);

    return at >= 0 && scan_take(s, (size_t)at, out);
}

bool
scan_while(struct scan *s, bool (*accept)(char), size_t max, struct str *out)
{
    const char *p = s->pos;

    while (p != s->end && accept(*p)) {
        if ((size_t)(p - s->pos) >= max)
            return false;
        p++;
    }
    return p != s->pos && scan_take(s, (size_t)(p - s->pos), out);
}

bool
scan_u32(struct scan *s, uint32_t max, uint32_t *out)
{
    uint64_t v;

    if (!scan_u64(s, max, &v))
        return false;
    *out = (uint32_t)v;
    return true;
}

bool
scan_u64(struct scan *s, uint64_t max, uint64_t *out)
{
    const char *p = s->pos;
    uint64_t v = 0;

    for (; p != s->end && ascii_is_digit(*p); p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (p == s->pos)
        return false;
    s->pos = p;
    *out = v;
    return true;
}

bool
scan_spaces(struct scan *s)
{
    const char *from = s->pos;

    scan_skip_spaces(s);
    return s->pos != from;
}

void
scan_skip_spaces(struct scan *s)
{
    while (s->pos != s->end && ascii_is_space(*s->pos))
        s->pos++;
}

bool
scan_u8(struct scan *s, uint8_t *out)
{
    if (s->pos == s->end)
        return false;
    *out = (uint8_t)*s->pos++;
    return true;
}

/* LEB128: seven bits a byte, lowest first, the top bit says that more follow. */
bool
scan_varint(struct scan *s, uint64_t max, uint64_t *out)
{
    const char *p = s->pos;
    uint64_t v = 0;

    for (unsigned int shift = 0; p != s->end && shift < 64; shift += 7) {
        uint64_t byte = (unsigned char)*p++;
        if (shift == 63 && byte > 1)
            return false; /* more than 64 bits */
        v |= (byte & 0x7f) << shift;
        if (byte >= 0x80)
            continue;
        if ((byte == 0 && shift > 0) || v > max)
            return false;
        s->pos = p;
        *out = v;
        return true;
    }
    return false;
}

bool
scan_zigzag(struct scan *s, int64_t *out)
{
    uint64_t v;

    if (!scan_varint(s, UINT64_MAX, &v))
        return false;
    *out = (int64_t)(v >> 1 ^ (0 - (v & 1)));
    return true;
}

bool
scan_be32(struct scan *s, uint32_t *out)
{
    struct str bytes;

    if (!scan_take(s, 4, &bytes))
        return false;
    *out = be32_get(bytes.ptr);
    return true;
}

bool
scan_be64(struct scan *s, uint64_t *out)
{
    struct str bytes;

    if (!scan_take(s, 8, &bytes))
        return false;
    *out = be64_get(bytes.ptr);
    return true;
}

bool
scan_bytes(struct scan *s, size_t max, struct str *out)
{
    struct scan t = *s;
    uint64_t len;

    if (!scan_varint(&t, max, &len) || !scan_take(&t, (size_t)len, out))
        return false;
    *s = t;
    return true;
}
