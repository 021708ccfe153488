/* size.h - arithmetic on lengths that cannot wrap, and byte-order helpers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SIZE_H
#define BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* False (and *out untouched) when the result does not fit. */
MUST_USE bool size_add(size_t a, size_t b, size_t *out);
MUST_USE bool size_mul(size_t a, size_t b, size_t *out);

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)       ((a) < (b) ? (a) : (b))
#define MAX(a, b)       ((a) > (b) ? (a) : (b))

/* Big-endian, as keys and headers store them; p needs no alignment. */
uint16_t be16_get(const void *p);
uint32_t be32_get(const void *p);
uint64_t be48_get(const void *p);
uint64_t be64_get(const void *p);
void be16_put(void *p, uint16_t v);
void be32_put(void *p, uint32_t v);
void be48_put(void *p, uint64_t v);
void be64_put(void *p, uint64_t v);

#endif
