/* store_upkeep.c - what is done by the clock: queue timers, expired grants, reaping, the engine's own work.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "role/store_dkim.h"
#include "role/store_outbound.h"
#include "role/store_report.h"
#include "role/store_trace.h"
#include "rt/clock.h"
#include "store/account.h"
#include "store/directory_deleted.h"

enum {
    PERIOD_MS = 1000,
    TALLY_EVERY = 60,
    REAP_EVERY = 60, /* periods between two steps over removed accounts */
    KEYS_FIRST = 30, /* periods until DKIM keys are looked after, and between two looks */
    KEYS_EVERY = 3600,
    REAP_PAGE = 16,   /* whose lines of the trace go in one step */
    CARE_STEP = 32,   /* accounts looked after in one period */
    CARE_DELAY_S = 5, /* not in the middle of a log-in */
    CARE_AGAIN_S = 3600,
    ROUND_STEP = 64, /* accounts of the directory added in one period, while few wait */
    ROUND_S = 86400,
};
#define SECOND_US INT64_C(1000000)

struct care {
    uint64_t account;
    int64_t due_us;
    bool idle; /* looked after; only remembered so as not to look again too soon */
};

FIBER_ENTRY static void upkeep(void *arg);
SUSPENDS static void period(struct store *s, uint32_t n);
FIBER_ENTRY static void reap(void *arg);
SUSPENDS static enum status forget_traces(struct store *s, int64_t now_s);
SUSPENDS static void look_after_some(struct store *s);
SUSPENDS static enum status walk_round(struct store *s);
static void hurry(struct store *s);
static size_t waiting(const struct store *s);
SUSPENDS static enum status look_after(struct store *s, uint64_t account, bool *more_out,
                                       bool *later_out);
static void care_soon(struct store *s, uint64_t account, int64_t delay_us);

enum status
store_upkeep_start(struct store *s)
{
    s->care = map_new();
    TRY(fiber_go(upkeep, s));
    s->fibers++;
    return OK;
}

void
store_care(struct store *s, uint64_t account)
{
    care_soon(s, account, CARE_DELAY_S * SECOND_US);
}

static void
care_soon(struct store *s, uint64_t account, int64_t delay_us)
{
    char key[8];

    be64_put(key, account);
    if (map_get(s->care, str_from(key, sizeof(key))) != NULL)
        return;
    struct care *c = MEM_NEW(struct care);
    c->account = account;
    c->due_us = clock_now().us + delay_us;
    map_put(s->care, str_from(key, sizeof(key)), c);
}

FIBER_ENTRY static void
upkeep(void *arg)
{
    struct store *s = arg;
    size_t cursor = 0;
    struct str key;
    void *value;

    for (uint32_t n = 0; !s->stopping; n++) {
        period(s, n);
        for (int i = 0; i < PERIOD_MS / 20 && !s->stopping; i++) {
            if (fiber_sleep(20) != OK)
                s->stopping = true;
        }
    }
    while (map_next(s->care, &cursor, &key, &value))
        mem_free(value);
    map_free(&s->care);
    mem_str_free(&s->round.after);
    s->fibers--;
}

SUSPENDS static void
period(struct store *s, uint32_t n)
{
    struct instant now = clock_now();

    queue_tick(s->queue, now);
    store_out_work(s);
    grants_expire(s->grants, now);
    /* A step that fails without harm is tried again in the next period. */
    if (store_checked(s, engine_upkeep(s->engine), "upkeep") != OK)
        return;
    enum status walked = store_checked(s, walk_round(s), "the round of accounts");
    (void)walked; /* the next period tries again */
    look_after_some(s);
    if (n % KEYS_EVERY == KEYS_FIRST)
        store_dkim_round(s);
    store_outbound_go(s);
    store_report_period(s);
    if (n % TALLY_EVERY == TALLY_EVERY - 1)
        store_tally_write(s);
    if (n % REAP_EVERY == REAP_EVERY - 1 && !s->reaping && fiber_go(reap, s) == OK) {
        s->reaping = true;
        s->fibers++;
    }
}

/* Beside the rest: a large trace takes its time. */
FIBER_ENTRY static void
reap(void *arg)
{
    struct store *s = arg;
    struct instant now = clock_now();

    /* First, while the address is known.  What fails is old in some days, and goes then. */
    enum status st = forget_traces(s, now.us / SECOND_US);
    if (st != ERR_CANCELLED)
        st = store_checked(s, directory_reap(s->directory, now), "removed accounts");
    s->reaping = false;
    s->fibers--;
}

/* Of accounts whose last day has come, unless the address has another owner by now. */
SUSPENDS static enum status
forget_traces(struct store *s, int64_t now_s)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct directory_deleted_page page = {.max = REAP_PAGE, .a = a};
    const struct directory_deleted *list;
    struct directory_entry e;
    uint64_t lines;
    size_t n;

    if (!store_trace_is_on())
        return OK;
    TRY(directory_deleted_list(s->directory, &page, &list, &n));
    for (size_t i = 0; i < n && list[i].ends_s <= now_s; i++) {
        enum status st = directory_find(s->directory, list[i].address, a, &e);
        if (st == ERR_NOT_FOUND)
            st = store_trace_purge(list[i].address, &lines);
        TRY(st);
    }
    return OK;
}

SUSPENDS static void
look_after_some(struct store *s)
{
    uint64_t due[CARE_STEP];
    size_t n = 0, cursor = 0;
    struct str key;
    void *value;
    int64_t now = clock_now().us;

    while (n < CARE_STEP && map_next(s->care, &cursor, &key, &value)) {
        struct care *c = value;
        if (c->due_us > now)
            continue;
        if (!c->idle) {
            due[n++] = c->account;
            continue;
        }
        map_del(s->care, key);
        mem_free(c);
    }
    for (size_t i = 0; i < n; i++) {
        char id[8];
        bool more = false, later = false;
        enum status st = store_checked(s, look_after(s, due[i], &more, &later), "reaping");
        be64_put(id, due[i]);
        struct care *c = map_get(s->care, str_from(id, sizeof(id)));
        if (c == NULL)
            continue;
        c->due_us = st == OK && more ? now : now + CARE_AGAIN_S * SECOND_US;
        c->idle = st != OK || (!more && !later);
    }
}

/* Nobody may ever log in again to an account whose deleted mail is due, so once a day, and when the disk is about to be
 * full, all accounts are looked at. */
SUSPENDS static enum status
walk_round(struct store *s)
{
    AUTO_ARENA *a = arena_new(16 << 20);
    struct directory_page p = {.after = s->round.after, .max = ROUND_STEP, .a = a};
    const struct directory_entry *list;
    int64_t now = clock_now().us;
    bool critical = engine_space(s->engine) == SPACE_CRITICAL;
    size_t n;

    if (critical && !s->round.was_critical) {
        hurry(s);
        mem_str_free(&s->round.after);
        s->round.next_us = 0;
    }
    s->round.was_critical = critical;
    if (now < s->round.next_us || waiting(s) > CARE_STEP)
        return OK;
    TRY(directory_list(s->directory, DIRECTORY_ACCOUNT, &p, &list, &n));
    for (size_t i = 0; i < n; i++)
        care_soon(s, list[i].account, 0);
    mem_str_free(&s->round.after);
    if (n < ROUND_STEP)
        s->round.next_us = now + ROUND_S * SECOND_US;
    else
        s->round.after = mem_str(list[n - 1].address);
    return OK;
}

/* Without room nothing is kept for those who regret: who waits, waits no longer. */
static void
hurry(struct store *s)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    while (map_next(s->care, &cursor, &key, &value)) {
        struct care *c = value;
        c->due_us = 0;
        c->idle = false;
    }
}

/* Accounts that are due. */
static size_t
waiting(const struct store *s)
{
    size_t n = 0, cursor = 0;
    struct str key;
    void *value;
    int64_t now = clock_now().us;

    while (map_next(s->care, &cursor, &key, &value)) {
        const struct care *c = value;
        n += !c->idle && c->due_us <= now;
    }
    return n;
}

SUSPENDS static enum status
look_after(struct store *s, uint64_t account, bool *more_out, bool *later_out)
{
    AUTO(cell_close) struct cell *cell = account_open(s->cells, account);
    struct account_info info;

    TRY(account_info(cell, &info));
    *later_out = info.has_work;
    store_quota_tell(s, cell, info.notice);
    return account_reap(cell, clock_now(), more_out);
}
