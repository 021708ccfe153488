/* stats.c - see stats.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "role/store/stats.h"

#include "base/size.h"
#include "config/config.h"
#include "ipc/store_serve.h"
#include "rt/clock.h"

enum { SAMPLE_MS = 60000, SAMPLES = 6 /* the oldest is five to six minutes old */ };

struct sample {
    int64_t at_ms;
    uint64_t all[STAT_COUNT];
};
static struct {
    struct store_process processes[ROLE_COUNT * CONFIG_WORKERS_MAX];
    size_t count;
    uint64_t ended[STAT_COUNT];
    struct sample samples[SAMPLES]; /* ascending */
    size_t sample_count;
} known;

static struct store_process *
find(const struct store_process *told)
{
    for (size_t i = 0; i < known.count; i++)
        if (known.processes[i].role == told->role && known.processes[i].index == told->index)
            return &known.processes[i];
    if (known.count == COUNT_OF(known.processes))
        return NULL;
    struct store_process *p = &known.processes[known.count++];
    *p = (struct store_process){
        .role = told->role, .index = told->index, .incarnation = told->incarnation};
    return p;
}

static void
add_up(uint64_t *all)
{
    for (size_t i = 0; i < STAT_COUNT; i++) {
        all[i] = known.ended[i] + stat_values[i];
        for (size_t k = 0; k < known.count; k++)
            all[i] += known.processes[k].values[i];
    }
}

static void
take_sample(int64_t now_ms)
{
    size_t n = known.sample_count;

    if (n > 0 && now_ms - known.samples[n - 1].at_ms < SAMPLE_MS)
        return;
    if (n == SAMPLES) {
        for (size_t i = 1; i < n; i++)
            known.samples[i - 1] = known.samples[i];
        n--;
    }
    known.samples[n].at_ms = now_ms;
    add_up(known.samples[n].all);
    known.sample_count = n + 1;
}

void
store_stats_hear(const struct store_process *told, int64_t now_ms)
{
    struct store_process *p = find(told);

    if (p == NULL)
        return;
    take_sample(now_ms);
    if (p->incarnation != told->incarnation) {
        for (size_t i = 0; i < STAT_COUNT; i++) {
            known.ended[i] += p->values[i];
            p->values[i] = 0;
        }
        p->incarnation = told->incarnation;
    }
    p->pid = told->pid;
    p->open = told->open;
    p->memory = told->memory;
    for (size_t i = 0; i < STAT_COUNT; i++)
        p->values[i] =
            MAX(p->values[i], told->values[i]); /* a captured worker may lie, not count down */
}

void
store_stats_sum(int64_t now_ms, struct store_totals *out)
{
    take_sample(now_ms);
    add_up(out->all);
    const struct sample *oldest = &known.samples[0];
    for (size_t i = 0; i < STAT_COUNT; i++)
        out->recent[i] = out->all[i] - oldest->all[i];
    out->recent_s = (uint32_t)((now_ms - oldest->at_ms) / 1000);
    out->processes = known.processes;
    out->process_count = known.count;
}

void
store_serve_stats(struct ipc_peer *from, const struct store_stats *req, struct arena *a)
{
    struct store_process *told = ARENA_NEW(a, struct store_process);

    *told = (struct store_process){.role = ipc_role(from),
                                   .index = ipc_index(from),
                                   .incarnation = ipc_incarnation(from),
                                   .pid = req->pid,
                                   .open = req->open,
                                   .memory = req->memory};
    for (size_t i = 0; i < req->values_count && i < STAT_COUNT; i++)
        told->values[i] = req->values[i];
    store_stats_hear(told, clock_mono_ms());
}
