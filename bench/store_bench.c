/* store_bench.c - what mail costs in the store: deliveries into accounts, a view of a very large mailbox.
 *
 *   store_bench ENGINE DIRECTORY [SECONDS [FIBERS]]       ENGINE: rocks or mem
 *
 * Deliveries: each fiber adds 2,048-byte messages with a record of 500 bytes to the inboxes of 100 accounts in turn, as
 * fast as they are acknowledged.  Printed: deliveries a second; CPU of the whole process and of the loop's thread
 * alone (all of the store's own work, without the engine's threads) per delivery; syncs and engine reads per delivery.
 * Bulk: 50,000 small messages added, flagged, copied and expunged by one call each.
 * View: a mailbox of 1,000,000 is filled with the places alone and listed in pages of 1 MiB.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/size.h"
#include "rt/clock.h"
#include "rt/loop.h"
#include "rt/random.h"
#include "store/account.h"
#include "store/work.h"

#define ACCOUNTS     100u
#define BODY_BYTES   2048u
#define RECORD_BYTES 500u
#define VIEW_UIDS    1000000u
#define BULK         50000u
#define BULK_STEP    500u
#define VIEW_STEP    (64u * 1024u)

struct bench {
    const char *engine, *path;
    int64_t seconds;
    uint32_t only; /* this many fibers instead of the table */
    struct engine *e;
    struct cells *cs;
    struct cell *accounts[ACCOUNTS];
    struct str body, record, sort;
    int64_t until_us;
    uint64_t done, turn;
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

static int64_t
cpu_us(int who)
{
    struct rusage u;

    getrusage(who, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static SUSPENDS void
deliver(struct bench *b)
{
    struct blob_writer *w;
    struct message_place place;
    struct message_new m = {.size = b->body.len,
                            .received = clock_now(),
                            .record = b->record,
                            .sort = b->sort,
                            .message_id_hash = random_u64()};

    must(engine_blob_new(b->e, b->body.len, &w), "blob");
    must(engine_blob_add(w, b->body), "blob");
    must(engine_blob_end(&w, &m.blob), "blob");
    struct cell *account = b->accounts[b->turn++ % ACCOUNTS];
    must(message_add(account, MAILBOX_INBOX, &m, clock_now(), &place), "message_add");
}

static FIBER_ENTRY void
deliverer(void *arg)
{
    struct bench *b = arg;

    while (clock_mono_us() < b->until_us) {
        deliver(b);
        b->done++;
    }
    if (--b->left == 0)
        fiber_wake(b->waiter);
}

static SUSPENDS void
run_deliveries(struct bench *b, uint32_t fibers)
{
    struct engine_counters before = engine_counters(b->e);
    int64_t start = clock_mono_us(), cpu = cpu_us(RUSAGE_SELF), loop = cpu_us(RUSAGE_THREAD);

    b->done = 0;
    b->left = fibers;
    b->until_us = start + b->seconds * 1000000;
    b->waiter = fiber_self();
    for (uint32_t i = 0; i < fibers; i++)
        must(fiber_go(deliverer, b), "fiber_go");
    while (b->left > 0)
        must(fiber_park(FIBER_FOREVER), "park");
    struct engine_counters after = engine_counters(b->e);
    double n = (double)b->done;
    printf("%3u fibers: %7.0f deliveries/s  cpu %6.1f us (loop thread %5.1f us)  syncs %5.3f  "
           "reads %5.3f  commits %5.3f  log bytes %5.0f\n",
           fibers, n * 1e6 / (double)(clock_mono_us() - start),
           (double)(cpu_us(RUSAGE_SELF) - cpu) / n, (double)(cpu_us(RUSAGE_THREAD) - loop) / n,
           (double)(after.syncs - before.syncs) / n, (double)(after.reads - before.reads) / n,
           (double)(after.commits - before.commits) / n,
           (double)(after.commit_bytes - before.commit_bytes) / n);
}

/* The places of a large mailbox, written directly: the messages themselves do not matter to a view. */
static SUSPENDS void
fill_places(struct bench *b, struct cell *account)
{
    for (uint32_t uid = 1; uid <= VIEW_UIDS;) {
        struct work w;
        struct work_box *box;
        struct places p;
        must(work_begin(&w, account, clock_now()), "begin");
        must(work_box_live(&w, MAILBOX_INBOX, &box), "box");
        uint32_t end = MIN(uid + VIEW_STEP, VIEW_UIDS + 1);
        while (uid < end) {
            uint32_t page = uid >> PAGE_BITS;
            must(work_places(&w, MAILBOX_INBOX, page, &p), "places");
            for (; uid < end && uid >> PAGE_BITS == page; uid++)
                places_add(&p, &(struct place){uid, FLAG_SEEN, uid, uid});
            work_places_put(&w, MAILBOX_INBOX, page, &p);
        }
        box->v.uidnext = uid;
        work_box_touch(&w, box);
        must(work_commit(&w), "commit");
        work_end(&w);
    }
    (void)b;
}

static SUSPENDS void
run_view(struct bench *b, struct cell *account)
{
    AUTO_BUF entries = BUF(1u << 20);
    struct view_request r = {MAILBOX_INBOX, 1, UINT32_MAX};
    struct view_reply reply;
    int64_t start = clock_mono_us(), cpu = cpu_us(RUSAGE_SELF);
    uint64_t count = 0;

    do {
        buf_reset(&entries);
        must(message_view(account, &r, &entries, &reply), "view");
        count += reply.count;
        r.from_uid = (uint32_t)count + 1;
    } while (reply.more);
    printf("view of %llu entries: %.1f ms, cpu %.1f ms\n", (unsigned long long)count,
           (double)(clock_mono_us() - start) / 1000, (double)(cpu_us(RUSAGE_SELF) - cpu) / 1000);
    (void)b;
}

/* Work on many messages at once, per message. */
static SUSPENDS void
run_bulk(struct bench *b)
{
    static const struct uid_range all = {1, UINT32_MAX};
    struct cell *account = account_open(b->cs, 2000);
    AUTO_ARENA *a = arena_new((size_t)256 << 20);
    AUTO_BUF entries = BUF((size_t)64 << 20);
    struct message_new *m = ARENA_ARRAY(a, struct message_new, BULK_STEP);
    struct message_place *places = ARENA_ARRAY(a, struct message_place, BULK_STEP);
    int64_t cpu[5];

    must(account_create(account, (struct account_quota){0}, clock_now()), "account");
    cpu[0] = cpu_us(RUSAGE_THREAD);
    for (uint32_t i = 0; i < BULK; i += BULK_STEP) {
        for (uint32_t j = 0; j < BULK_STEP; j++) {
            struct blob_writer *w;
            m[j] = (struct message_new){
                .size = 100, .record = STR("r"), .sort = b->sort, .message_id_hash = random_u64()};
            must(engine_blob_new(b->e, 100, &w), "blob");
            must(engine_blob_add(w, str_sub(b->body, 0, 100)), "blob");
            must(engine_blob_end(&w, &m[j].blob), "blob");
        }
        struct message_batch batch = {MAILBOX_INBOX, m, BULK_STEP};
        must(message_add_all(account, &batch, clock_now(), places), "add");
    }
    cpu[1] = cpu_us(RUSAGE_THREAD);
    struct flags_request fr = {MAILBOX_INBOX, {&all, 1}, FLAGS_ADD,    FLAG_DELETED,
                               NULL,          0,         UNCHANGED_ANY};
    struct flags_reply f;
    must(message_flags(account, &fr, a, &entries, &f), "flags");
    cpu[2] = cpu_us(RUSAGE_THREAD);
    struct copy_request cr = {MAILBOX_INBOX, MAILBOX_INBOX + 1, {&all, 1}, false};
    struct copy_reply c;
    must(message_copy(account, &cr, clock_now(), a, &c), "copy");
    cpu[3] = cpu_us(RUSAGE_THREAD);
    struct expunge_request xr = {MAILBOX_INBOX, {&all, 1}, true};
    struct expunge_reply x;
    must(message_expunge(account, &xr, clock_now(), a, &x), "expunge");
    xr = (struct expunge_request){MAILBOX_INBOX + 1, {&all, 1}, false};
    must(message_expunge(account, &xr, clock_now(), a, &x), "expunge");
    cpu[4] = cpu_us(RUSAGE_THREAD);
    printf("%u at once, loop thread per message: add %.2f us, flags %.2f us, copy %.2f us, expunge "
           "%.2f us\n",
           BULK, (double)(cpu[1] - cpu[0]) / BULK, (double)(cpu[2] - cpu[1]) / BULK,
           (double)(cpu[3] - cpu[2]) / BULK, (double)(cpu[4] - cpu[3]) / BULK / 2);
    cell_close(&account);
}

static SUSPENDS void
open_store(struct bench *b)
{
    struct engine_options o = {.kind = b->engine, .path = b->path, .cache_bytes = 64u << 20};
    struct problem why = {0};

    if (engine_open(&o, &b->e, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    b->cs = cells_new(b->e, LIMIT_CELL_CACHE_BYTES);
    for (uint64_t i = 0; i < ACCOUNTS; i++)
        b->accounts[i] = account_open(b->cs, i + 1);
}

static SUSPENDS void
close_store(struct bench *b)
{
    for (uint64_t i = 0; i < ACCOUNTS; i++)
        cell_close(&b->accounts[i]);
    cells_free(&b->cs);
    engine_close(&b->e);
}

static FIBER_ENTRY void
bench_fiber(void *arg)
{
    static const uint32_t table[] = {1, 10, 50};
    struct bench *b = arg;
    struct cell *large;

    open_store(b);
    for (uint64_t i = 0; i < ACCOUNTS; i++)
        must(account_create(b->accounts[i], (struct account_quota){0}, clock_now()), "account");
    for (uint64_t i = 0; i < ACCOUNTS * 10; i++)
        deliver(b);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (b->only == 0 || i == 0)
            run_deliveries(b, b->only ? b->only : table[i]);
    }
    run_bulk(b);
    large = account_open(b->cs, 1000);
    must(account_create(large, (struct account_quota){0}, clock_now()), "account");
    fill_places(b, large);
    run_view(b, large);
    cell_close(&large);
    if (str_eq(str_of(b->engine), STR("rocks"))) {
        close_store(b);
        open_store(b);
        large = account_open(b->cs, 1000);
        printf("after opening anew: ");
        run_view(b, large);
        run_view(b, large);
        cell_close(&large);
    }
    close_store(b);
    loop_stop();
}

int
main(int argc, char **argv)
{
    static char body[BODY_BYTES], record[RECORD_BYTES], sort[100];
    struct bench b = {.seconds = 5};

    if (argc < 3) {
        fprintf(stderr, "store_bench ENGINE DIRECTORY [SECONDS [FIBERS]]\n");
        return 2;
    }
    b.engine = argv[1];
    b.path = argv[2];
    if (argc > 3)
        b.seconds = (int)strtol(argv[3], NULL, 10);
    if (argc > 4)
        b.only = (uint32_t)strtoul(argv[4], NULL, 10);
    loop_init();
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = i % 64 == 63 ? '\n' : (char)('a' + random_below(26));
    random_fill(record, sizeof(record));
    random_fill(sort, sizeof(sort));
    b.body = str_from(body, sizeof(body));
    b.record = str_from(record, sizeof(record));
    b.sort = str_from(sort, sizeof(sort));
    must(fiber_go(bench_fiber, &b), "fiber_go");
    loop_run();
    loop_release();
    return 0;
}
