/* stats.c - the table of counters as data, and the counters.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/stats.h"

#define STAT_AS_INFO(constant, name, labels, help) {name, labels, help},
const struct stat_info stats[STAT_COUNT] = {STATS(STAT_AS_INFO)};
uint64_t stat_values[STAT_COUNT];
