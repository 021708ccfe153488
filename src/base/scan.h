/* scan.h - a cursor over bytes.  Every scan_* takes its limit and consumes nothing on failure.
 *
 * Owns:      nothing.
 * Promises:  never reads at or past end; *out untouched on failure.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include "base/str.h"

struct scan {
    const char *pos;
    const char *end;
};

static inline struct scan
scan_of(struct str s)
{
    return (struct scan){s.ptr, s.len > 0 ? s.ptr + s.len : s.ptr};
}

static inline bool
scan_at_end(const struct scan *s)
{
    return s->pos == s->end;
}

static inline size_t
scan_left(const struct scan *s)
{
    return (size_t)(s->end - s->pos);
}

static inline struct str
scan_rest(const struct scan *s)
{
    return str_from(s->pos, scan_left(s));
}

/* Text. */
static inline bool
scan_char(struct scan *s, char c)
{
    if (s->pos == s->end || *s->pos != c)
        return false;
    s->pos++;
    return true;
}

static inline bool
scan_peek(const struct scan *s, char *out)
{
    if (s->pos == s->end)
        return false;
    *out = *s->pos;
    return true;
}

bool scan_str(struct scan *s, struct str token);        /* exact bytes */
bool scan_str_nocase(struct scan *s, struct str token); /* ASCII case ignored */
/* up to stop, which is not consumed; false if absent */
bool scan_until(struct scan *s, char stop, struct str *out);
/* the whole run of accepted bytes, 1..max of them; false when it is longer */
bool scan_while(struct scan *s, bool (*accept)(char), size_t max, struct str *out);
/* decimal digits, leading zeros allowed, value <= max */
bool scan_u32(struct scan *s, uint32_t max, uint32_t *out);
bool scan_u64(struct scan *s, uint64_t max, uint64_t *out);
bool scan_spaces(struct scan *s); /* one or more SP / TAB */
void scan_skip_spaces(struct scan *s);

/* Binary records, the readers of buf_add_varint and its friends. */
bool scan_u8(struct scan *s, uint8_t *out);
/* shortest form only, so that one value has one encoding */
bool scan_varint(struct scan *s, uint64_t max, uint64_t *out);
bool scan_zigzag(struct scan *s, int64_t *out);
bool scan_be32(struct scan *s, uint32_t *out);
bool scan_be64(struct scan *s, uint64_t *out);
static inline bool
scan_take(struct scan *s, size_t n, struct str *out)
{
    if (n > scan_left(s))
        return false;
    *out = str_from(s->pos, n);
    if (n > 0)
        s->pos += n;
    return true;
}

/* varint length <= max, then bytes */
bool scan_bytes(struct scan *s, size_t max, struct str *out);

#endif
