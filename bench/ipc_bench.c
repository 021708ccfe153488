/* ipc_bench.c - what a channel between two processes costs: a call cold, calls in flight, bulk by ring and inline.
 *
 * Use:       ipc_bench [CALLS]
 * Prints one line per case: microseconds a call, calls a second, CPU of both processes a call.  It asserts nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "ipc/test_channel.h"
#include "rt/clock.h"
#include "rt/loop.h"

#define CALLS 200000u

struct run {
    const char *name;
    size_t ring, body;
    uint32_t in_flight, calls;
    /* under way */
    struct ipc_peer *p;
    struct fiber *waiter;
    uint32_t left, working;
};

static int64_t
cpu_us(int who)
{
    struct rusage u;

    getrusage(who, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static void
on_gone(struct ipc_peer *p)
{
    (void)p;
    loop_stop();
}

static void
serve(const struct ipc_channel_end *e)
{
    struct ipc_options o = probe_options(ROLE_STORE, ROLE_USER, true);
    struct ipc_peer *p;

    loop_init();
    o.gone = on_gone;
    ASSERT(ipc_attach(e, &o, &p) == OK);
    loop_run();
    ipc_forget();
    loop_release();
}

FIBER_ENTRY static void
worker(void *arg)
{
    struct run *r = arg;
    struct arena *a = arena_new(4u << 20);
    char *bytes = mem_alloc(r->body + 1);

    while (r->left > 0) {
        struct probe_echo req = {
            .number = r->left--, .text = STR("user@example.org"), .body = str_from(bytes, r->body)};
        struct probe_echo_reply rep;
        ASSERT(probe_echo_call(r->p, &req, a, &rep) == OK);
        ASSERT(rep.number == req.number && rep.body.len == r->body);
        arena_reset(a);
    }
    mem_free(bytes);
    arena_free(&a);
    if (--r->working == 0)
        fiber_wake(r->waiter);
}

FIBER_ENTRY static void
client(void *arg)
{
    struct run *r = arg;

    r->waiter = fiber_self();
    r->left = r->calls;
    r->working = r->in_flight;
    int64_t start = clock_mono_us(), cpu = cpu_us(RUSAGE_SELF);
    for (uint32_t i = 0; i < r->in_flight; i++)
        ASSERT(fiber_go(worker, r) == OK);
    while (r->working > 0)
        ASSERT(fiber_park(FIBER_FOREVER) == OK);
    double took = (double)(clock_mono_us() - start);
    cpu = cpu_us(RUSAGE_SELF) - cpu;
    printf("%-28s %8.2f us/call %10.0f calls/s %8.2f us CPU (caller)", r->name, took / r->calls,
           r->calls * 1e6 / took, (double)cpu / r->calls);
    ipc_close(r->p);
}

static void
measure(struct run *r)
{
    struct ipc_channel_end ends[2];
    struct ipc_options o = probe_options(ROLE_USER, ROLE_STORE, false);
    struct rusage before, after;

    getrusage(RUSAGE_CHILDREN, &before);
    ASSERT(ipc_pair(r->ring, ends) == OK);
    fflush(stdout);
    pid_t pid = fork();
    ASSERT(pid >= 0);
    if (pid == 0) {
        close(ends[0].fd);
        close(ends[0].ring_fd);
        serve(&ends[1]);
        _exit(0);
    }
    close(ends[1].fd);
    close(ends[1].ring_fd);
    loop_init();
    o.gone = on_gone;
    ASSERT(ipc_attach(&ends[0], &o, &r->p) == OK && fiber_go(client, r) == OK);
    loop_run();
    ipc_forget();
    loop_release();
    waitpid(pid, NULL, 0);
    getrusage(RUSAGE_CHILDREN, &after);
    double served = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1e6 +
                    (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1e6 +
                    (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) +
                    (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec);
    printf(" %8.2f (server)\n", served / r->calls);
}

int
main(int argc, char **argv)
{
    uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : CALLS;
    struct run runs[] = {
        {.name = "call, cold", .in_flight = 1, .calls = n},
        {.name = "call, 32 in flight", .in_flight = 32, .calls = n},
        {.name = "2 KiB by ring, cold", .ring = 1 << 20, .body = 2048, .in_flight = 1, .calls = n},
        {.name = "2 KiB inline, cold", .body = 2048, .in_flight = 1, .calls = n},
        {.name = "2 KiB by ring, 32", .ring = 1 << 20, .body = 2048, .in_flight = 32, .calls = n},
        {.name = "2 KiB inline, 32", .body = 2048, .in_flight = 32, .calls = n},
        {.name = "64 KiB by ring, cold",
         .ring = 1 << 20,
         .body = 65536,
         .in_flight = 1,
         .calls = n / 10},
        {.name = "64 KiB inline, cold", .body = 65536, .in_flight = 1, .calls = n / 10},
        {.name = "64 KiB by ring, 8",
         .ring = 1 << 20,
         .body = 65536,
         .in_flight = 8,
         .calls = n / 10},
        {.name = "64 KiB inline, 8", .body = 65536, .in_flight = 8, .calls = n / 10},
    };

    for (size_t i = 0; i < COUNT_OF(runs); i++)
        measure(&runs[i]);
    return 0;
}
