/* hash_internal.h - what the tests of hash.c compare.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_INTERNAL_H
#define BASE_HASH_INTERNAL_H

#include "base/hash.h"

/* crc32c() for processors without an instruction for it; the same results. */
uint32_t crc32c_portable(uint32_t seed, const void *p, size_t n);

#endif
