/* queue_bench.c - a queue of very many deferred messages: building, a restart, memory, and what a dead destination that
 * holds most of them costs the others.
 *
 *   queue_bench DIRECTORY [MESSAGES [SECONDS]]       DIRECTORY is made; 1,000,000 messages; 10 s
 *
 * Nine of ten messages are for one domain, the others for 1,000 domains.  All are added and deferred once through
 * the queue's own calls, without syncs; then the engine is opened anew, with them.  Draining: everything is due; fibers
 * take jobs as role out does; what is for the dead domain is put off, the rest delivered; once with the dead domain
 * paused, once without.  No network is in it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/loop.h"
#include "store/queue.h"

enum { FIBERS = 200, DOMAINS = 1000, TICK_MS = 1000 };
#define DEAD STR("dead.example")

struct bench {
    const char *path;
    uint64_t messages, begun, deferred;
    int64_t seconds;
    struct engine *e;
    struct cells *cs;
    struct queue *q;
    struct blob_id body;
    struct instant now;
    int64_t until_us;
    uint64_t delivered, put_off;
    uint32_t left;
    struct fiber *waiter;
};

static void
must(enum status s, const char *what)
{
    if (s != OK) {
        fprintf(stderr, "%s: %s\n", what, status_name(s));
        exit(1);
    }
}

static long
rss_kb(void)
{
    char line[200];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "re");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    if (f != NULL)
        fclose(f);
    return kb;
}

static double
ms_since(int64_t us)
{
    return (double)(clock_mono_us() - us) / 1000;
}

static SUSPENDS void
open_engine(struct bench *b, bool sync)
{
    const struct engine_options o = {
        .kind = "rocks", .path = b->path, .cache_bytes = 64u << 20, .no_sync_for_tests = !sync};
    struct problem why = {0};

    if (engine_open(&o, &b->e, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    b->cs = cells_new(b->e, 32u << 20);
}

static SUSPENDS void
close_engine(struct bench *b)
{
    queue_free(&b->q);
    cells_free(&b->cs);
    engine_close(&b->e);
}

static void
ends(struct bench *b)
{
    if (--b->left == 0)
        fiber_wake(b->waiter);
}

static SUSPENDS void
run(struct bench *b, void (*entry)(void *arg))
{
    b->left = FIBERS;
    b->waiter = fiber_self();
    for (int i = 0; i < FIBERS; i++)
        must(fiber_go(entry, b), "fiber_go");
    while (b->left > 0)
        must(fiber_park(FIBER_FOREVER), "park");
}

/* ---- building ---- */

static SUSPENDS void
add(struct bench *b, uint64_t i)
{
    AUTO_ARENA *a = arena_new(65536);
    struct queue_rcpt r = {
        .address = i % 10 == 0 ? arena_printf(a, "user%lu@d%lu.example", i, i / 10 % DOMAINS)
                               : arena_printf(a, "user%lu@dead.example", i)};
    const struct queue_message m = {
        .sender = STR("someone@here.example"),
        .body = b->body,
        .size = 2000,
        .header_bytes = 500,
        .prepend = STR("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=here.example;\r\n"),
        .rcpts = &r,
        .rcpt_count = 1};
    uint64_t qid;

    r.original = r.address;
    must(queue_add(b->q, &m, STR("what role cook found out"), b->now, &qid), "queue_add");
}

static SUSPENDS void
answer(struct bench *b, const struct queue_job *job, enum queue_state state, bool untried)
{
    AUTO_ARENA *a = arena_new(8u << 20);
    const struct queue_result r = {.index = 0,
                                   .state = state,
                                   .untried = untried,
                                   .enhanced = STR("4.4.1"),
                                   .text = STR("connection timed out"),
                                   .remote = STR("mx.dead.example")};
    const struct queue_outcome o = {&r, 1, b->now};
    struct queue_message m;

    if (queue_read(b->q, job, b->now, a, &m) == OK)
        must(queue_results(b->q, job, &o, a, &m), "queue_results");
}

static FIBER_ENTRY void
builder(void *arg)
{
    struct bench *b = arg;
    struct queue_job job;

    while (b->begun < b->messages) {
        add(b, b->begun++);
        while (queue_take_remote(b->q, 1, &job)) {
            answer(b, &job, QUEUE_WAITING, false);
            b->deferred++;
        }
    }
    ends(b);
}

static SUSPENDS void
build(struct bench *b)
{
    int64_t began = clock_mono_us();
    struct blob_writer *w;

    open_engine(b, false);
    must(queue_open(b->cs, &b->q), "queue_open");
    must(engine_blob_new(b->e, 2000, &w), "blob");
    must(engine_blob_add(w, STR("Subject: x\r\n\r\nbody\r\n")), "blob");
    must(engine_blob_end(&w, &b->body), "blob");
    run(b, builder);
    printf("%lu messages added and %lu deferred in %.0f s\n", b->messages, b->deferred,
           ms_since(began) / 1000);
    close_engine(b);
}

/* ---- a restart ---- */

static SUSPENDS void
restart(struct bench *b)
{
    struct queue_job job;
    int64_t began = clock_mono_us();

    open_engine(b, true);
    long before = rss_kb();
    printf("engine open: %.0f ms\n", ms_since(began));
    began = clock_mono_us();
    must(queue_open(b->cs, &b->q), "queue_open");
    printf("queue_open: %.1f ms, %lu messages\n", ms_since(began), queue_length(b->q));
    began = clock_mono_us();
    add(b, 0);
    printf("first message accepted after %.1f ms", ms_since(began));
    must(queue_take_remote(b->q, 1, &job) ? OK : ERR_NOT_FOUND, "take");
    answer(b, &job, QUEUE_DELIVERED, false);
    printf(", sent after %.1f ms\n", ms_since(began));
    began = clock_mono_us();
    must(queue_load(b->q, b->now), "queue_load");
    printf("queue_load: %.0f ms; resident memory grew by %.1f MiB\n", ms_since(began),
           (double)(rss_kb() - before) / 1024);
}

/* ---- draining ---- */

static FIBER_ENTRY void
ticker(void *arg)
{
    struct bench *b = arg;

    while (fiber_sleep(TICK_MS) == OK && clock_mono_us() < b->until_us) {
        b->now.us += TICK_MS * 1000;
        queue_tick(b->q, b->now);
    }
}

static FIBER_ENTRY void
sender(void *arg)
{
    struct bench *b = arg;
    struct queue_job job;

    while (clock_mono_us() < b->until_us) {
        if (!queue_take_remote(b->q, 1, &job)) {
            must(fiber_sleep(5), "sleep");
            continue;
        }
        bool dead = str_eq(job.domain, DEAD);
        answer(b, &job, dead ? QUEUE_WAITING : QUEUE_DELIVERED, dead);
        b->delivered += dead ? 0 : 1;
        b->put_off += dead ? 1 : 0;
    }
    ends(b);
}

static SUSPENDS void
drain(struct bench *b, const char *what)
{
    int64_t began = clock_mono_us();

    b->delivered = b->put_off = 0;
    b->until_us = began + b->seconds * 1000000;
    must(fiber_go(ticker, b), "fiber_go");
    run(b, sender);
    printf("%s: %.0f delivered a second, %.0f put off\n", what,
           (double)b->delivered * 1000 / ms_since(began),
           (double)b->put_off * 1000 / ms_since(began));
}

static FIBER_ENTRY void
everything(void *arg)
{
    struct bench *b = arg;

    b->now = clock_now();
    build(b);
    restart(b);
    b->now.us += INT64_C(7200000000);
    int64_t began = clock_mono_us();
    queue_tick(b->q, b->now);
    printf("a tick that makes many ready: %.0f ms; %u ready\n", ms_since(began),
           queue_remote_ready(b->q));
    must(queue_pause(b->q, DEAD, true, b->now), "pause");
    drain(b, "the dead domain paused    ");
    must(queue_pause(b->q, DEAD, false, b->now), "resume");
    drain(b, "the dead domain in its turn");
    close_engine(b);
    loop_stop();
}

int
main(int argc, char **argv)
{
    struct bench b = {.messages = 1000000, .seconds = 10};

    if (argc < 2) {
        fprintf(stderr, "usage: queue_bench DIRECTORY [MESSAGES [SECONDS]]\n");
        return 2;
    }
    b.path = argv[1];
    if (argc > 2)
        b.messages = strtoull(argv[2], NULL, 10);
    if (argc > 3)
        b.seconds = strtol(argv[3], NULL, 10);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    loop_init();
    must(fiber_go(everything, &b), "fiber_go");
    loop_run();
    return 0;
}
