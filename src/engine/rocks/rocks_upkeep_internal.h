/* rocks_upkeep_internal.h - what the steps of the upkeep remember between two calls.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ROCKS_ROCKS_UPKEEP_INTERNAL_H
#define ENGINE_ROCKS_ROCKS_UPKEEP_INTERNAL_H

#include "engine/rocks/rocks_internal.h"

struct rocks_upkeep {
    bool busy;
    uint64_t inline_floor, inline_seen; /* the mover's */
    uint64_t commits_seen;
    uint64_t marked;      /* sequence in the mark file */
    uint32_t reaping;     /* dropped cells may have entries left */
    uint32_t checkpoints; /* under way: no segment may go */
};

#endif
