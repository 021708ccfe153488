/* contract_test.c - one suite for every engine: each promise of engine.h, on each profile.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/contract_internal.h"
#include "rt/loop.h"
#include "rt/random.h"

enum { MEM = 1, CLUSTER = 2, ROCKS = 4, ALL = MEM | CLUSTER | ROCKS };

struct profile {
    const char *name, *kind;
    int bit;
};
static const struct profile profiles[] = {
    {"mem", "mem", MEM},
    {"cluster", "mem", CLUSTER},
    {"rocks", "rocks", ROCKS},
};

struct row {
    const char *name;
    void (*run)(struct subject *s);
    int where;
};
static const struct row rows[] = {
    {"absent", contract_absent, ALL},
    {"commit", contract_commit, ALL},
    {"conflict", contract_conflict, ALL},
    {"order", contract_order, ALL},
    {"keys", contract_keys, ALL},
    {"limits", contract_limits, ALL},
    {"walk", contract_walk, ALL},
    {"walk_pinned", contract_walk_pinned, ALL},
    {"atomic", contract_atomic, ALL},
    {"counter", contract_counter, ALL},
    {"records", contract_records, ALL},
    {"drop", contract_drop, ALL},
    {"cancel", contract_cancel, ALL},
    {"publish", contract_publish, ALL},
    {"model", contract_model, ALL},
    {"blob_sizes", contract_blob_sizes, ALL},
    {"blob_heads", contract_blob_heads, ALL},
    {"blob_head_rules", contract_blob_head_rules, ALL},
    {"blob_unknown", contract_blob_unknown, ALL},
    {"blob_refs", contract_blob_refs, ALL},
    {"blob_pending", contract_blob_pending, ALL},
    {"blob_conflict", contract_blob_conflict, ALL},
    {"blob_crowd", contract_blob_crowd, ALL},
    {"space", contract_space, ALL},
    {"reopen", contract_reopen, ALL},
    {"crash", contract_mem_crash, MEM | CLUSTER},
    {"faults", contract_mem_faults, MEM},
    {"shared", contract_mem_shared, CLUSTER},
    {"faults", contract_rocks_faults, ROCKS},
    {"compact", contract_rocks_compact, ROCKS},
    {"checkpoint", contract_rocks_checkpoint, ROCKS},
    {"mark", contract_rocks_mark, ROCKS},
    {"log", contract_rocks_log, ROCKS},
    {"damage", contract_rocks_damage, ROCKS},
    {"lost_place", contract_rocks_lost_place, ROCKS},
    {"format", contract_rocks_format, ROCKS},
    {"sample", contract_rocks_sample, ROCKS},
    {"watermarks", contract_rocks_space, ROCKS},
    {"failed", contract_rocks_failed, ROCKS},
    {"kill", contract_rocks_kill, ROCKS},
    {"cut", contract_rocks_cut, ROCKS},
};

struct job {
    const struct profile *profile;
    const struct row *row;
    char name[64];
};

static FIBER_ENTRY void
job_fiber(void *arg)
{
    const struct job *job = arg;
    struct subject s = {.kind = job->profile->kind, .cluster = job->profile->bit == CLUSTER};
    const char *tmp = getenv("TMPDIR");

    snprintf(s.path, sizeof(s.path), "%s/godwit-engine.%d.%s.%s", tmp ? tmp : "/tmp", getpid(),
             job->profile->name, job->row->name);
    s.a = arena_new((size_t)1 << 30);
    subject_open(&s);
    job->row->run(&s);
    engine_close(&s.e);
    arena_free(&s.a);
    if (subject_is_rocks(&s))
        tree_remove(s.path);
    else
        engine_mem_forget(s.path);
    loop_stop();
}

static void
job_run(void **state)
{
    loop_init();
    assert_int_equal(fiber_go(job_fiber, *state), OK);
    loop_run();
    loop_release();
}

/* contract_test [SUBSTRING]: only the cases whose name holds it. */
int
main(int argc, char **argv)
{
    static struct job jobs[COUNT_OF(profiles) * COUNT_OF(rows)];
    static struct CMUnitTest tests[COUNT_OF(jobs)];
    size_t n = 0;

    if (argc > 1 && argv[1][0] == '-')
        return contract_child(argc, argv);
    for (size_t p = 0; p < COUNT_OF(profiles); p++) {
        for (size_t r = 0; r < COUNT_OF(rows); r++) {
            struct job *job = &jobs[n];
            *job = (struct job){.profile = &profiles[p], .row = &rows[r]};
            snprintf(job->name, sizeof(job->name), "%s.%s", profiles[p].name, rows[r].name);
            if (!(rows[r].where & profiles[p].bit) ||
                (argc > 1 && str_find_str(str_of(job->name), str_of(argv[1])) < 0))
                continue;
            tests[n] = (struct CMUnitTest){job->name, job_run, NULL, NULL, job};
            n++;
        }
    }
    return _cmocka_run_group_tests("engine contract", tests, n, NULL, NULL);
}
