/* engine_faults.h - what tests may do to an engine: failures, crashes, a full disk, damaged bytes.
 *
 * Owns:      nothing.  Faults are counted from the call that sets them.
 * Promises:  the same random seed (rt/random.h) and the same calls give the same failures.
 * Never:     used outside tests.
 *
 * A mem engine with a path belongs to a *world*: cells and blobs that outlive engine_close(), so that a
 * test can crash an engine and open what a power cut would have left.  With cluster_profile several
 * engines may have one world open at a time, as several nodes share a cluster.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ENGINE_FAULTS_H
#define ENGINE_ENGINE_FAULTS_H

#include "engine/engine.h"

struct engine_faults {
    /* The n-th call from now, counting every suspending call; 0 = never. */
    uint64_t
        io_error_call;   /* says ERR_IO: the engine has failed; the call may have happened or not */
    uint64_t crash_call; /* power is cut: each commit in flight survives or is lost by itself */
    uint64_t conflict_call; /* a commit says ERR_CONFLICT; other calls are not touched */
    /* Chances of each commit. */
    uint32_t conflict_percent; /* ERR_CONFLICT although nobody else wrote */
    uint32_t
        ambiguous_percent; /* the answer is lost; the engine finds the outcome by the version */
    uint32_t temp_percent; /* ERR_TEMP, nothing changed */
    uint32_t publish_lost_percent;
    uint32_t delay_max_ms; /* of reads and commits */
    bool full;             /* no room: new bodies and commits with puts say ERR_NO_SPACE */
};

/* mem only */
void engine_mem_faults(struct engine *e, const struct engine_faults *f);
uint64_t engine_mem_calls(const struct engine *e); /* since it was opened */
void engine_mem_forget(const char *path);          /* ends a world that no engine has open */
void engine_mem_damage(struct engine *e, struct blob_id id); /* its next reads say ERR_CORRUPT */

/* any engine */
void engine_space_for_tests(struct engine *e, enum engine_space space); /* until the next upkeep */

#endif
