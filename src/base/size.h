/* size.h - arithmetic on lengths that cannot wrap, and byte-order helpers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

/* False (and *out untouched) when the result does not fit. */
MUST_USE static inline bool
size_add(size_t a, size_t b, size_t *out)
{
    size_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

MUST_USE static inline bool
size_mul(size_t a, size_t b, size_t *out)
{
    size_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)       ((a) < (b) ? (a) : (b))
#define MAX(a, b)       ((a) > (b) ? (a) : (b))

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "be*_get and be*_put swap always");

/* Big-endian, as keys and headers store them; p needs no alignment. */
static inline uint16_t
be16_get(const void *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return __builtin_bswap16(v);
}

static inline uint32_t
be32_get(const void *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return __builtin_bswap32(v);
}

static inline uint64_t
be64_get(const void *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return __builtin_bswap64(v);
}

static inline uint64_t
be48_get(const void *p)
{
    return (uint64_t)be16_get(p) << 32 | be32_get((const char *)p + 2);
}

static inline void
be16_put(void *p, uint16_t v)
{
    v = __builtin_bswap16(v);
    memcpy(p, &v, sizeof(v));
}

static inline void
be32_put(void *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof(v));
}

static inline void
be64_put(void *p, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(p, &v, sizeof(v));
}

/* The upper 16 bits of v are dropped. */
static inline void
be48_put(void *p, uint64_t v)
{
    be16_put(p, (uint16_t)(v >> 32));
    be32_put((char *)p + 2, (uint32_t)v);
}

#endif
