/* random.h - the seam for randomness: the kernel's generator, buffered, or a seeded one in simulations.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_RANDOM_H
#define RT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_fill(void *p, size_t n);
uint64_t random_u64(void);
uint64_t random_below(uint64_t bound);                 /* uniform in [0, bound); bound > 0 */
uint32_t random_jitter(uint32_t ms, uint32_t percent); /* ms +- percent */
void random_seed_for_tests(uint64_t seed);             /* deterministic from now on */

#endif
