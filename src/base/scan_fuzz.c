/* scan_fuzz.c - a program of scanner calls run over the rest of the input.
 *
 * Input:     one byte says how many calls, then one byte per call (which one) and one for its limit;
 *            what follows is scanned.
 * Contract:  success advances and keeps the limit, and what was read is written back to the same
 *            bytes; failure moves nothing and writes nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/scan.h"
#include "base/size.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KINDS = 13 };

/* What a call found; each starts as a mark that no call may leave changed when it fails. */
struct found {
    uint64_t u64;
    uint32_t u32;
    int64_t i64;
    uint8_t u8;
    struct str str;
};

static const struct found untouched = {77, 77, 77, 77, {NULL, 77}};

static bool
found_eq(const struct found *a, const struct found *b)
{
    return a->u64 == b->u64 && a->u32 == b->u32 && a->i64 == b->i64 && a->u8 == b->u8 &&
           a->str.ptr == b->str.ptr && a->str.len == b->str.len;
}

/* Limits of every magnitude from one byte. */
static uint64_t
limit_of(uint8_t code)
{
    return code == 255 ? UINT64_MAX : ((uint64_t)1 << code % 64) - (code & 64 ? 1 : 0);
}

static bool
call(struct scan *s, unsigned int kind, uint64_t max, struct found *f)
{
    switch (kind) {
    case 0: return scan_varint(s, max, &f->u64);
    case 1: return scan_zigzag(s, &f->i64);
    case 2: return scan_bytes(s, max, &f->str);
    case 3: return scan_u64(s, max, &f->u64);
    case 4: return scan_u32(s, (uint32_t)max, &f->u32);
    case 5: return scan_be32(s, &f->u32);
    case 6: return scan_be64(s, &f->u64);
    case 7: return scan_u8(s, &f->u8);
    case 8: return scan_take(s, max, &f->str);
    case 9: return scan_until(s, (char)max, &f->str);
    case 10: return scan_while(s, ascii_is_alnum, max, &f->str);
    case 11: return scan_spaces(s);
    default: return scan_char(s, (char)max);
    }
}

/* parse, print: the same bytes */
static void
check_written_back(unsigned int kind, const struct found *f, struct str used)
{
    AUTO_BUF b = BUF(used.len);

    switch (kind) {
    case 0: buf_add_varint(&b, f->u64); break;
    case 1: buf_add_zigzag(&b, f->i64); break;
    case 2: buf_add_bytes(&b, f->str); break;
    case 3:
        while (used.len > 1 && used.ptr[0] == '0') /* not kept by a number */
            used = str_skip(used, 1);
        buf_add_u64(&b, f->u64);
        break;
    case 5: buf_add_be32(&b, f->u32); break;
    case 6: buf_add_be64(&b, f->u64); break;
    case 7: buf_add_char(&b, (char)f->u8); break;
    case 8:
    case 9:
    case 10: buf_add(&b, f->str); break;
    default: return;
    }
    ASSERT(buf_status(&b) == OK && str_eq(buf_str(&b), used));
}

static void
check_limit(unsigned int kind, const struct found *f, uint64_t max)
{
    switch (kind) {
    case 0:
    case 3: ASSERT(f->u64 <= max); break;
    case 4: ASSERT(f->u32 <= (uint32_t)max); break;
    case 2: ASSERT(f->str.len <= max); break;
    case 8: ASSERT(f->str.len == max); break;
    case 10: ASSERT(f->str.len >= 1 && f->str.len <= max); break;
    default: break;
    }
}

static void
step(struct scan *s, unsigned int kind, uint64_t max)
{
    struct scan before = *s;
    struct found f = untouched;

    if (!call(s, kind, max, &f)) {
        ASSERT(s->pos == before.pos && s->end == before.end);
        ASSERT(found_eq(&f, &untouched));
        return;
    }
    ASSERT(s->end == before.end && s->pos >= before.pos && s->pos <= s->end);
    ASSERT(s->pos > before.pos || (kind == 8 && max == 0) || kind == 9);
    check_limit(kind, &f, max);
    check_written_back(kind, &f, str_from(before.pos, (size_t)(s->pos - before.pos)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scan program = {(const char *)data, (const char *)data + size};
    uint8_t count = 0;
    struct str steps;

    if (!scan_u8(&program, &count) || !scan_take(&program, (size_t)count * 2, &steps))
        return 0;
    struct scan s = program;
    struct scan codes = scan_of(steps);
    uint8_t kind, limit;
    while (scan_u8(&codes, &kind) && scan_u8(&codes, &limit))
        step(&s, kind % KINDS, limit_of(limit));
    return 0;
}
