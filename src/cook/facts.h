/* facts.h - what is to be known of a message, from its untrusted bytes.
 *
 * Owns:      nothing; results live in the arena, which needs FACTS_ARENA_MAX.
 * Promises:  never fails on any message; linear time; bounded by the limits of mail/.
 * Never:     does I/O, keeps anything from one message to the next.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef COOK_FACTS_H
#define COOK_FACTS_H

#include "base/arena.h"
#include "base/time.h"
#include "ipc/cook_ipc.h"

#define FACTS_ARENA_MAX (64u << 20)

/* received: the internal date that a message without a valid Date sorts by. */
void facts_find(struct str message, bool want_dkim, struct instant received, struct arena *a,
                struct cook_facts *out);

#endif
