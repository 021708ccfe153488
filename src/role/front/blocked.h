/* blocked.h - the networks that may not connect, as a worker asks for each connection.
 *
 * Owns:      a set that is filled once and then asked; a look-up costs one step per length of prefix in it.
 * Never:     suspends, logs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_FRONT_BLOCKED_H
#define ROLE_FRONT_BLOCKED_H

#include "base/subnet.h"
#include "base/time.h"

struct blocked;
struct blocked *blocked_new(void);
void blocked_free(struct blocked **b);
void blocked_add(struct blocked *b, const struct subnet *net,
                 struct instant until); /* 0 = for good */
bool blocked_has(const struct blocked *b, const struct subnet *address, struct instant now);

#endif
