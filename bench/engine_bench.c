/* engine_bench.c - what a durable delivery costs in the engine alone.
 *
 *   engine_bench DIRECTORY [SECONDS [FIBERS BODY]]
 *
 * Each fiber owns a cell and commits as fast as it is answered: one body, five small keys, one reference.
 * Printed per row: commits a second, CPU of the whole process and disk flushes (of the device that holds
 * the directory, so of everything that runs on it) per commit, commits per sync, body bytes a second.  The
 * last row is the disk itself: 1 MiB writes into a preallocated file with one sync at the end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "engine/engine.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "rt/loop.h"
#include "rt/random.h"

#define RAW_MIB 512u

struct row {
    uint32_t fibers;
    uint32_t body;
};
static const struct row rows[] = {
    {1, 2048},   {10, 2048},   {50, 2048},    {1, 20480},     {10, 20480},
    {50, 20480}, {10, 102400}, {4, 1u << 20}, {16, 1u << 20},
};

struct run {
    const char *path;
    int64_t seconds;
    struct row one; /* instead of the table */
    struct engine *e;
    const char *body;
    struct row row;
    int64_t until_us;
    uint64_t commits;
    uint32_t left;
    struct fiber *waiter;
};

static uint64_t
cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Field 16 of the block device's stat: flush requests. */
static uint64_t
flushes(const char *path)
{
    char name[64], text[512] = "";
    AUTO(fd_close) int fd = -1;
    struct stat st;
    uint64_t value = 0;

    if (stat(path, &st) != 0)
        return 0;
    snprintf(name, sizeof(name), "/sys/dev/block/%u:%u/stat", major(st.st_dev), minor(st.st_dev));
    if (disk_open(name, O_RDONLY, 0, &fd) != OK)
        return 0;
    size_t n = 0;
    while (n + 1 < sizeof(text) && disk_read_at(fd, text + n, 1, n) == OK)
        n++;
    struct scan s = scan_of(str_from(text, n));
    for (int i = 0; i < 16; i++) {
        scan_skip_spaces(&s);
        if (!scan_u64(&s, UINT64_MAX, &value))
            return 0;
    }
    return value;
}

static SUSPENDS enum status
deliver(struct run *r, struct cell_id c, struct cell_version *v, struct arena *a)
{
    static const size_t sizes[5] = {120, 90, 400, 160, 130};
    struct batch *b = batch_new(a);
    struct blob_writer *w;
    struct blob_id id;
    char key[16];

    TRY(engine_blob_new(r->e, r->row.body, &w));
    for (size_t done = 0; done < r->row.body; done += 65536) {
        size_t n = MIN(65536u, r->row.body - done);
        TRY(engine_blob_add(w, str_from(r->body + done, n)));
    }
    TRY(engine_blob_end(&w, &id));
    for (uint32_t i = 0; i < 5; i++) {
        key[0] = (char)('A' + i);
        be64_put(key + 1, i < 2 ? 0 : v->v / 64);
        batch_put(b, str_from(key, 9), str_from(r->body + i, sizes[i]));
    }
    batch_ref_add(b, id);
    return engine_commit(r->e, c, *v, b, v);
}

static FIBER_ENTRY void
worker(void *arg)
{
    struct run *r = arg;
    struct arena *a = arena_new(1u << 20);
    struct cell_id c = {'b', random_u64()};
    struct cell_version v = CELL_ABSENT;

    while (clock_mono_us() < r->until_us) {
        enum status s = deliver(r, c, &v, a);
        if (s != OK) {
            printf("stopped: %s\n", status_name(s));
            break;
        }
        r->commits++;
        arena_reset(a);
    }
    arena_free(&a);
    if (--r->left == 0)
        fiber_wake(r->waiter);
}

static SUSPENDS void
row_run(struct run *r)
{
    struct engine_counters before = engine_counters(r->e), after;
    uint64_t cpu = cpu_us(), flushed = flushes(r->path);
    int64_t start = clock_mono_us();

    r->commits = 0;
    r->until_us = start + r->seconds * 1000000;
    r->left = r->row.fibers;
    r->waiter = fiber_self();
    for (uint32_t i = 0; i < r->row.fibers; i++)
        ASSERT(fiber_go(worker, r) == OK);
    int64_t next_upkeep = start;
    while (r->left > 0) {
        if (fiber_park(1000) == OK || clock_mono_us() < next_upkeep)
            continue;
        ASSERT(engine_upkeep(r->e) == OK);
    }
    double seconds = (double)(clock_mono_us() - start) / 1e6;
    double commits = (double)MAX(r->commits, 1u);
    after = engine_counters(r->e);
    double groups = (double)MAX(after.groups - before.groups, 1u);
    printf("%6u %8u %10.0f %9.3f %9.2f %9.1f %9.1f\n", r->row.fibers, r->row.body,
           commits / seconds, (double)(cpu_us() - cpu) / 1000 / commits,
           (double)(flushes(r->path) - flushed) / commits, commits / groups,
           commits * r->row.body / seconds / 1e6);
    fflush(stdout);
}

/* Five keys of one cell, and the newest body, read again and again: what answers on the loop costs. */
static SUSPENDS void
reads_run(struct run *r)
{
    enum { ROUNDS = 200000 };
    struct arena *a = arena_new(1u << 20);
    struct cell_id c = {'b', random_u64()};
    struct cell_version v = CELL_ABSENT;
    struct str keys[5], values[5];
    char room[5][9] = {{0}};

    for (uint32_t i = 0; i < 5; i++) {
        room[i][0] = (char)('A' + i);
        keys[i] = str_from(room[i], 9);
    }
    r->row.body = 2048;
    for (int i = 0; i < 3; i++)
        ASSERT(deliver(r, c, &v, a) == OK);
    struct engine_counters before = engine_counters(r->e);
    uint64_t cpu = cpu_us();
    for (int i = 0; i < ROUNDS; i++) {
        ASSERT(engine_get(r->e, c, keys, 5, a, values, &v) == OK && values[0].ptr);
        arena_reset(a);
    }
    printf("reads of five keys: %.2f us CPU each, %llu of %d went to the pool\n",
           (double)(cpu_us() - cpu) / ROUNDS,
           (unsigned long long)(engine_counters(r->e).read_offloads - before.read_offloads),
           ROUNDS);
    arena_free(&a);
}

/* Resident memory of the process, from its status. */
static void
memory_print(const char *when)
{
    char text[2048] = "";
    AUTO(fd_close) int fd = -1;
    size_t n = 0;

    if (disk_open("/proc/self/status", O_RDONLY, 0, &fd) != OK)
        return;
    while (n + 1 < sizeof(text) && disk_read_at(fd, text + n, 1, n) == OK)
        n++;
    struct str rest = str_from(text, n), line;
    while (str_split(&rest, '\n', &line))
        if (str_starts(line, STR("VmRSS")) || str_starts(line, STR("RssAnon")))
            printf("%s %.*s\n", when, STR_FMT(line));
}

static void
raw_run(const char *path, const char *bytes)
{
    char name[512];
    AUTO(fd_close) int fd = -1;

    snprintf(name, sizeof(name), "%s/raw.tmp", path);
    if (disk_open(name, O_RDWR | O_CREAT | O_TRUNC, 0600, &fd) != OK ||
        disk_allocate(fd, (uint64_t)RAW_MIB << 20) != OK)
        return;
    int64_t start = clock_mono_us();
    for (uint64_t i = 0; i < RAW_MIB; i++) {
        struct iovec part = {(char *)(uintptr_t)bytes, 1u << 20};
        if (disk_write_at(fd, &part, 1, i << 20) != OK)
            return;
    }
    if (disk_sync(fd) != OK || disk_unlink(name) != OK)
        return;
    printf("   raw  1048576 %60.1f\n",
           RAW_MIB * 1.048576 / ((double)(clock_mono_us() - start) / 1e6));
}

static FIBER_ENTRY void
bench_fiber(void *arg)
{
    struct run *r = arg;
    struct engine_options o = {.kind = "rocks", .path = r->path};
    struct problem why = {0};
    char *body = mem_alloc(1u << 20);

    random_fill(body, 1u << 20);
    r->body = body;
    if (engine_open(&o, &r->e, &why) == OK) {
        memory_print("opened:");
        printf("fibers     body  commits/s    cpu ms   flushes  commits/sync   MB/s\n");
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            r->row = r->one.fibers ? r->one : rows[i];
            row_run(r);
            if (r->one.fibers)
                break;
        }
        reads_run(r);
        memory_print("worked:");
        engine_close(&r->e);
        raw_run(r->path, body);
    } else {
        printf("%s\n", why.text);
    }
    mem_free(body);
    loop_stop();
}

static uint32_t
number(const char *z)
{
    struct scan s = scan_of(str_of(z));
    uint32_t n = 0;

    return scan_u32(&s, UINT32_MAX, &n) ? n : 0;
}

int
main(int argc, char **argv)
{
    struct run r = {.seconds = 5};

    if (argc != 2 && argc != 3 && argc != 5) {
        printf("usage: engine_bench DIRECTORY [SECONDS [FIBERS BODY]]\n");
        return 2;
    }
    r.path = argv[1];
    if (argc >= 3)
        r.seconds = number(argv[2]);
    if (argc == 5)
        r.one = (struct row){number(argv[3]), MIN(number(argv[4]), 1u << 20)};
    loop_init();
    if (fiber_go(bench_fiber, &r) != OK)
        return 1;
    loop_run();
    loop_release();
    return 0;
}
