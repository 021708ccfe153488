/* mem_fault.c - the failures that a test asked for, and the time that calls take.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/mem/mem_internal.h"

#include "rt/random.h"

static void mem_crash(struct mem_engine *m);

void
engine_mem_faults(struct engine *e, const struct engine_faults *f)
{
    struct mem_engine *m = mem_of(e);

    m->faults = *f;
    m->fault_base = m->calls;
    e->space = f->full ? SPACE_CRITICAL : SPACE_PLENTY;
}

uint64_t
engine_mem_calls(const struct engine *e)
{
    ASSERT(e->ops == &engine_mem_ops);
    return ((const struct mem_engine *)e)->calls;
}

void
engine_mem_damage(struct engine *e, struct blob_id id)
{
    struct mem_blob *blob = mem_blob_find(mem_of(e)->world, id);

    ASSERT(blob != NULL);
    blob->damaged = true;
}

bool
mem_chance(uint32_t percent)
{
    return percent > 0 && random_below(100) < percent;
}

enum status
mem_call(struct mem_engine *m)
{
    uint64_t nth = ++m->calls - m->fault_base;

    if (nth == m->faults.io_error_call) {
        m->base.failed = true;
        return ERR_IO;
    }
    if (nth == m->faults.crash_call) {
        mem_crash(m);
        return ERR_IO;
    }
    return OK;
}

/* On one machine a read is answered at once and a commit takes a turn of the loop, so that others come
 * between; in a cluster both take a random time and overtake each other. */
void
mem_delay(struct mem_engine *m, bool commit)
{
    if (m->faults.delay_max_ms > 0)
        engine_pause((int64_t)random_below(m->faults.delay_max_ms + 1));
    else if (commit || m->cluster)
        engine_pause(0);
}

/* Power cut: what nobody refers to is gone, what was in flight is there or not, each by itself. */
static void
mem_crash(struct mem_engine *m)
{
    m->base.failed = true;
    mem_commit_cut(m);
    mem_blobs_forget(m);
}
