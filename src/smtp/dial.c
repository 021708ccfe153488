/* dial.c - see dial.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/dial.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"

/* Shared by the caller and the attempts; the last one frees it. */
struct race {
    struct fiber_queue news;
    uint32_t users;
    size_t ended; /* attempts that failed */
    bool over;    /* the caller has left, or has its connection */
    struct conn *conn;
    size_t index;
    enum status failed[DIAL_MAX];
};
struct runner {
    struct race *race;
    struct conn_target target;
    struct sockaddr_storage source;
    size_t index;
};

static void
leave(struct race *r)
{
    if (--r->users == 0)
        mem_free(r);
}

/* That this process has no descriptor to spare is not the other side's fault: the time to connect is long enough for
 * others to end. */
static SUSPENDS enum status
connect_patiently(const struct runner *me, struct conn **out)
{
    int64_t end_ms = clock_mono_ms() + me->target.timeout_ms;
    enum status e;

    while ((e = conn_connect(&me->target, out)) == ERR_LIMIT && !me->race->over) {
        if (clock_mono_ms() >= end_ms)
            return ERR_TIMEOUT;
        TRY(fiber_sleep(LIMIT_OUT_STAGGER_MS));
    }
    return e;
}

static FIBER_ENTRY void
run(void *arg)
{
    struct runner *me = arg;
    struct race *r = me->race;
    struct conn *c = NULL;

    enum status e = connect_patiently(me, &c);
    if (e != OK) {
        if (e != ERR_CANCELLED)
            r->failed[me->index] = e == ERR_TIMEOUT ? ERR_TIMEOUT : ERR_CLOSED;
        r->ended++;
    } else if (r->over) {
        conn_free(&c);
    } else {
        r->conn = c;
        r->index = me->index;
        r->over = true;
    }
    fiber_queue_wake_all(&r->news);
    leave(r);
    mem_free(me);
}

/* On a fiber of its own, so that others can begin before it has ended.  Where there are no others, or no fiber is to be
 * had, on the caller's. */
static SUSPENDS void
start(struct race *r, const struct conn_target *t, size_t index, bool alone)
{
    struct runner *me = MEM_NEW(struct runner);

    me->race = r;
    me->target = *t;
    me->index = index;
    if (t->source != NULL) { /* may outlive the caller's */
        mem_copy(&me->source, t->source,
                 t->source->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                  : sizeof(struct sockaddr_in));
        me->target.source = (const struct sockaddr *)&me->source;
    }
    r->users++;
    if (alone || fiber_go(run, me) != OK)
        run(me);
}

static enum status
result_of(const struct race *r, size_t n)
{
    enum status e = ERR_CLOSED;

    for (size_t i = 0; i < n; i++)
        e = r->failed[i] == ERR_TIMEOUT ? ERR_TIMEOUT : e;
    return e;
}

enum status
dial(const struct conn_target *targets, size_t n, struct dialled *out, enum status *failed_out)
{
    struct race *r = MEM_NEW(struct race);
    size_t started = 0;

    ASSERT(n > 0 && n <= DIAL_MAX);
    fiber_queue_init(&r->news);
    r->users = 1;
    while (r->conn == NULL && r->ended < n) {
        if (started < n) {
            start(r, &targets[started], started, n == 1);
            started++;
        }
        size_t before = r->ended;
        enum status e = OK;
        while (e == OK && r->conn == NULL && r->ended == before && r->ended < n)
            e = fiber_queue_wait(&r->news, started < n ? LIMIT_OUT_STAGGER_MS : FIBER_FOREVER);
        if (e == ERR_CANCELLED)
            break;
    }
    r->over = true;
    mem_copy(failed_out, r->failed, n * sizeof(*failed_out));
    enum status st = r->conn != NULL ? OK : result_of(r, n);
    if (st == OK)
        *out = (struct dialled){r->conn, r->index};
    leave(r);
    return st;
}
