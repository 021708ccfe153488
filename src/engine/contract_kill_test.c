/* contract_kill_test.c - a process that writes is killed, and everything it was told is there must be.
 *
 * The child tells every acknowledgement through a pipe before it goes on; the parent kills it at a random
 * moment, or lets a call to the disk end it, opens the data and compares.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scan.h"
#include "engine/contract_internal.h"
#include "rt/disk.h"
#include "rt/loop.h"
#include "rt/random.h"

enum { CELLS = 6, KEPT = 5 };

struct ack {
    uint32_t cell, step;
};

static SUSPENDS void state_check(struct subject *s, uint32_t acked[CELLS]);

/* ---- the child ---- */
static size_t
body_size(uint64_t cell, uint32_t step)
{
    static const size_t sizes[] = {700, 5000, 30000, 200000};

    return sizes[(cell + step) % COUNT_OF(sizes)] + step % 97;
}

static struct str
body_of(struct arena *a, uint64_t cell, uint32_t step)
{
    return pattern(a, body_size(cell, step), cell * 1000003 + step);
}

static uint32_t
step_of(struct str value)
{
    return value.ptr ? be32_get(value.ptr) : 0;
}

/* Step n puts its number, its body in slot n mod KEPT, and drops the body that was there. */
static SUSPENDS uint32_t
child_step(struct subject *s, uint64_t cell)
{
    struct batch *b = batch_new(s->a);
    uint32_t step = step_of(get_ok(s, CELL(cell), STR("step"))) + 1;
    struct str slot = arena_printf(s->a, "slot%u", step % KEPT), old;
    struct cell_version v = version_ok(s, CELL(cell));
    char number[4];
    struct blob_id id;

    be32_put(number, step);
    batch_put(b, STR("step"), str_from(number, sizeof(number)));
    old = get_ok(s, CELL(cell), slot);
    if (old.ptr) {
        mem_copy(id.bytes, old.ptr, sizeof(id.bytes));
        batch_ref_drop(b, id);
    }
    struct str body = body_of(s->a, cell, step);
    id = step % 3 ? blob_ok(s, body, 50000) : blob_headed_ok(s, body, 600, 50000);
    batch_put(b, slot, blob_key(&id));
    batch_ref_add(b, id);
    batch_record_put(b, step % 10, str_from(number, sizeof(number)));
    ASSERT(engine_commit(s->e, CELL(cell), v, b, &v) == OK);
    return step;
}

static FIBER_ENTRY void
child_fiber(void *arg)
{
    struct worker_of_child {
        struct subject *s;
        uint32_t cell;
    } const *w = arg;

    for (;;) {
        struct subject mine = *w->s;
        mine.a = arena_new(16u << 20);
        struct ack ack = {w->cell, child_step(&mine, w->cell)};
        ASSERT(write(STDOUT_FILENO, &ack, sizeof(ack)) == sizeof(ack));
        arena_free(&mine.a);
    }
}

static FIBER_ENTRY void
child_upkeep(void *arg)
{
    struct subject *s = arg;

    for (;;) {
        ASSERT(engine_upkeep(s->e) == OK);
        ASSERT(fiber_sleep(3) == OK);
    }
}

static uint64_t child_cut; /* the call to the disk that ends the process */

static FIBER_ENTRY void
child_main(void *arg)
{
    static struct {
        struct subject *s;
        uint32_t cell;
    } workers[CELLS];
    struct subject *s = arg;

    s->a = arena_new(16u << 20);
    disk_fault_for_tests(child_cut, DISK_FAULT_CRASH);
    subject_open(s);
    for (uint32_t i = 0; i < CELLS; i++) {
        workers[i].s = s;
        workers[i].cell = i;
        ASSERT(fiber_go(child_fiber, &workers[i]) == OK);
    }
    ASSERT(fiber_go(child_upkeep, s) == OK);
}

static FIBER_ENTRY void
sample_main(void *arg)
{
    struct subject *s = arg;

    s->a = arena_new(16u << 20);
    subject_open(s);
    contract_sample_make(s);
    engine_close(&s->e);
    arena_free(&s->a);
    loop_stop();
}

static uint32_t check_acked[CELLS];

/* What was acknowledged is there, and the work goes on from it. */
static FIBER_ENTRY void
check_main(void *arg)
{
    struct subject *s = arg;

    s->a = arena_new(16u << 20);
    subject_open(s);
    state_check(s, check_acked);
    for (uint32_t c = 0; c < CELLS; c++)
        ASSERT(child_step(s, c) == check_acked[c] + 1);
    ASSERT(engine_upkeep(s->e) == OK);
    state_check(s, check_acked);
    engine_close(&s->e);
    arena_free(&s->a);
    loop_stop();
}

static void
child_arguments(int argc, char **argv, bool check)
{
    uint64_t number;

    for (int i = 3; i < argc && i - 3 < CELLS; i++) {
        struct scan in = scan_of(str_of(argv[i]));
        ASSERT(scan_u64(&in, check ? UINT32_MAX : UINT64_MAX, &number));
        if (check)
            check_acked[i - 3] = (uint32_t)number;
        else
            child_cut = number;
    }
}

int
contract_child(int argc, char **argv)
{
    static struct subject s = {.kind = "rocks"};
    bool sample = str_eq(str_of(argv[1]), STR("--sample"));
    bool check = str_eq(str_of(argv[1]), STR("--check"));

    if (argc < 3 || !str_to_z(str_of(argv[2]), s.path, sizeof(s.path)))
        return 2;
    child_arguments(argc, argv, check);
    loop_init();
    ASSERT(fiber_go(sample ? sample_main : check ? check_main : child_main, &s) == OK);
    loop_run();
    loop_release();
    return 0;
}

/* ---- the parent ---- */
struct child {
    pid_t pid;
    int out;
};

static struct child
child_start(const struct subject *s, uint64_t cut)
{
    char number[24], path[sizeof(s->path)];
    struct child c;
    int ends[2];

    snprintf(number, sizeof(number), "%llu", (unsigned long long)cut);
    snprintf(path, sizeof(path), "%s", s->path);
    char *arguments[] = {(char *)(uintptr_t) "contract_test", (char *)(uintptr_t) "--child", path,
                         number, NULL};
    ASSERT(pipe(ends) == 0);
    c.pid = fork();
    ASSERT(c.pid >= 0);
    if (c.pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv("/proc/self/exe", arguments);
        _exit(127);
    }
    close(ends[1]);
    c.out = ends[0];
    return c;
}

/* Reads acknowledgements until n came or the child is gone. */
static void
child_listen(struct child *c, uint64_t n, uint32_t acked[CELLS])
{
    struct ack ack;

    while (n-- > 0 && read(c->out, &ack, sizeof(ack)) == sizeof(ack)) {
        ASSERT(ack.cell < CELLS && ack.step > acked[ack.cell]);
        acked[ack.cell] = ack.step;
    }
}

static SUSPENDS void
state_check(struct subject *s, uint32_t acked[CELLS])
{
    struct str bytes, record;
    struct blob_id id;

    for (uint32_t c = 0; c < CELLS; c++) {
        uint32_t step = step_of(get_ok(s, CELL(c), STR("step")));
        ASSERT(step == acked[c] || step == acked[c] + 1);
        acked[c] = step; /* true from now on, whether it was acknowledged or not */
        for (uint32_t n = step; n > 0 && n + KEPT > step; n--) {
            struct str slot = get_ok(s, CELL(c), arena_printf(s->a, "slot%u", n % KEPT));
            ASSERT(slot.len == sizeof(id.bytes));
            mem_copy(id.bytes, slot.ptr, sizeof(id.bytes));
            ASSERT(blob_get(s, id, &bytes) == OK && str_eq(bytes, body_of(s->a, c, n)));
            uint64_t number = n % 10;
            ASSERT(engine_records(s->e, CELL(c), &number, 1, s->a, &record) == OK);
            ASSERT(step_of(record) == n);
        }
    }
    arena_reset(s->a);
}

/* kill -9 at random moments, again and again on the same data. */
void
contract_rocks_kill(struct subject *s)
{
    uint32_t acked[CELLS] = {0};
    int status;

    for (int round = 0; round < 6; round++) {
        engine_close(&s->e);
        struct child c = child_start(s, 0);
        child_listen(&c, 20 + random_below(200), acked);
        ASSERT(kill(c.pid, SIGKILL) == 0);
        child_listen(&c, UINT64_MAX, acked);
        ASSERT(waitpid(c.pid, &status, 0) == c.pid && WIFSIGNALED(status));
        close(c.out);
        subject_open(s);
        state_check(s, acked);
    }
}

/* The process ends at the n-th call to the disk: in the middle of making a data directory, a segment,
 * a mark, a move. */
void
contract_rocks_cut(struct subject *s)
{
    static const uint64_t cuts[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                    11, 12, 13, 14, 16, 19, 23, 30, 45, 80};
    int status;

    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        uint32_t acked[CELLS] = {0};
        for (int again = 0; again < 2; again++) {
            engine_close(&s->e);
            if (again == 0)
                tree_remove(s->path);
            struct child c = child_start(s, cuts[i]);
            child_listen(&c, UINT64_MAX, acked);
            close(c.out);
            ASSERT(waitpid(c.pid, &status, 0) == c.pid);
            ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == DISK_CRASH_EXIT);
            subject_open(s);
            state_check(s, acked);
        }
    }
}
