/* hash.h - checksums and keyed hashes that are not cryptography.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

/* Castagnoli; SSE4.2 where present; seed 0 starts */
uint32_t crc32c(uint32_t seed, const void *p, size_t n);
uint64_t siphash(const uint64_t key[2], struct str s); /* SipHash-1-3 */
/* under this process's random key */
uint64_t hash_seeded(struct str s);
uint64_t hash_stable(struct str s); /* fixed key: for stored values */

#endif
