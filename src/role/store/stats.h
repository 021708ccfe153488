/* stats.h - the counters of all processes, added up.
 *
 * Owns:      the last figures of each process, what ended ones had counted, and those of some minutes ago.
 * Promises:  a sum never falls while this process lives; with a new one it begins anew, and Prometheus sees that.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_STATS_H
#define ROLE_STORE_STATS_H

#include "config/stats.h"
#include "rt/ipc.h"

struct store_process {
    enum role role;
    uint32_t index, pid, open; /* open: connections */
    uint64_t incarnation, memory;
    uint64_t values[STAT_COUNT];
};
struct store_totals {
    uint64_t all[STAT_COUNT], recent[STAT_COUNT];
    uint32_t recent_s; /* how long ago the beginning of `recent` is */
    const struct store_process *processes;
    size_t process_count;
};
void store_stats_hear(const struct store_process *told, int64_t now_ms);
void store_stats_sum(int64_t now_ms, struct store_totals *out);

#endif
