/* conn.c - the life of a connection: settling at rest, working on a fiber, retiring.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/conn_internal.h"
#include "rt/fiber_internal.h"
#include "rt/tls_internal.h"

/* How often those who found no fiber try again by themselves. */
#define STARVED_RETRY_MS 50

int64_t conn_floor_window_ms = 60000;
int64_t conn_handshake_ms = LIMIT_TLS_HANDSHAKE_S * INT64_C(1000);

/* Connections that need the loop's stack, and those that found no free fiber. */
static _Thread_local struct {
    struct list pending, starved;
    struct deferred settle;
    struct timer retry;
    bool ready;
} here;

static void conn_event(struct watch *w, uint32_t events);
static void conn_timer(struct timer *t);
static void settle_pending(struct deferred *d);
static void fiber_freed(void);
static void retry_starved(struct timer *t);
static void launch(struct conn *c);
static void work(void *arg);
static bool step(struct conn *c);
static bool next_wake(struct conn *c, enum wake *why);
static void wake_session(struct conn *c, enum wake why);
static void open_session(struct conn *c);
static void shake(struct conn *c);
static bool handshake_can_go_on(const struct conn *c);
static void retire(struct conn *c);
static bool discard_input(struct conn *c);
static void check_output_floor(struct conn *c, int64_t now);
static void check_deadlines(struct conn *c, int64_t now);

/* Making and ending. */

struct conn *
conn_new(int fd)
{
    static uint64_t last_id;

    if (!here.ready) {
        list_init(&here.pending);
        list_init(&here.starved);
        here.settle.run = settle_pending;
        here.retry.fire = retry_starved;
        here.ready = true;
    }
    struct conn *c = MEM_NEW(struct conn);
    c->watch = (struct watch){.fd = fd, .ready = conn_event};
    c->timer.fire = conn_timer;
    list_init(&c->order);
    list_init(&c->pending);
    c->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    c->line_max = 512;
    c->deadline_ms = FIBER_FOREVER;
    c->unit_ms = clock_mono_ms();
    return c;
}

enum status
conn_watch(struct conn *c)
{
    /* Once for the connection's whole life: edges set flags, and reading and writing clear them. */
    return watch_start(&c->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

void
conn_release(struct conn *c)
{
    ASSERT(!c->busy || c->home == NULL);
    timer_stop(&c->timer);
    list_remove(&c->pending);
    watch_stop(&c->watch);
    close(c->watch.fd);
    tls_ssl_free(&c->ssl);
    iobuf_release(&c->in);
    iobuf_release(&c->out);
    mem_free(c);
}

void
conn_break(struct conn *c)
{
    c->broken = c->eof = true;
    c->readable = c->writable = c->tls_pending = false;
    iobuf_release(&c->out);
    c->out_since_ms = 0;
    if (c->waiting)
        fiber_done(c->fiber, &c->wait_done);
    else if (!c->busy)
        conn_pending(c);
}

void
conn_close(struct conn *c)
{
    ASSERT(c->home != NULL); /* clients: conn_free() */
    c->closing = true;
    if (!c->busy)
        conn_pending(c);
}

uint64_t
conn_id(const struct conn *c)
{
    return c->id;
}

void
conn_note(struct conn *c)
{
    c->note = true;
    if (!c->busy)
        conn_pending(c);
}

void
conn_rest(struct conn *c, enum rest unit)
{
    if (unit == REST_BYTES && c->rest != REST_BYTES) {
        c->body_since_ms = clock_mono_ms();
        c->body_got = 0;
    }
    c->rest = unit;
}

void
conn_deadline(struct conn *c, int64_t ms)
{
    ASSERT(ms >= 0 || ms == FIBER_FOREVER);
    c->deadline_ms = ms;
    if (!c->busy)
        conn_arm(c);
}

/* Events. */

static void
conn_event(struct watch *w, uint32_t events)
{
    struct conn *c = (struct conn *)(void *)w;

    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->readable = !c->broken;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->hangup = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        c->writable = !c->broken;
    if (c->waiting)
        fiber_done(c->fiber, &c->wait_done);
    else if (!c->busy)
        conn_settle(c);
}

void
conn_pending(struct conn *c)
{
    if (c->pending.next != &c->pending)
        return;
    list_push(&here.pending, &c->pending);
    loop_defer(&here.settle);
}

static void
settle_pending(struct deferred *d)
{
    struct list *node;

    (void)d;
    while ((node = list_pop(&here.pending)) != NULL) {
        list_init(node);
        struct conn *c = LIST_ENTRY(node, struct conn, pending);
        if (!c->busy)
            conn_settle(c);
    }
}

/* A fiber ended: its place goes to who waited for one. */
static void
fiber_freed(void)
{
    struct list *node = list_pop(&here.starved);

    if (node == NULL)
        return;
    list_push(&here.pending, node);
    loop_defer(&here.settle);
}

/* In case those who were let in had no use for a fiber any more, and so none ended after them. */
static void
retry_starved(struct timer *t)
{
    struct list *node;

    (void)t;
    while ((node = list_pop(&here.starved)) != NULL) {
        list_push(&here.pending, node);
        loop_defer(&here.settle);
    }
}

void
conn_settle(struct conn *c)
{
    enum wake why;

    ASSERT(!c->busy);
    if (c->home == NULL || c->pending.next != &c->pending)
        return; /* a client's fiber comes back by itself; the other is settled at the end of the turn */
    if (listener_is_ending(c))
        listener_farewell(c);
    if ((c->closing || (c->broken && c->session == NULL)) && c->phase < CONN_DRAIN) {
        c->phase = CONN_DRAIN;
        c->phase_until_ms = clock_mono_ms() + CONN_DRAIN_MS;
    }
    if (c->phase >= CONN_DRAIN) {
        retire(c);
        return;
    }
    if (c->phase < CONN_HANDSHAKE && conn_early_wait(c))
        return;
    conn_push(c);
    if (c->phase == CONN_GREETING || (c->phase == CONN_HANDSHAKE && handshake_can_go_on(c))) {
        launch(c);
        return;
    }
    bool work_waits = next_wake(c, &why);
    /* Edges come once: a unit larger than one read is read on until nothing is left. */
    for (bool more = true; !work_waits && more; work_waits = next_wake(c, &why))
        more = conn_pull(c); /* false may have found the end */
    if (work_waits) {
        launch(c);
        return;
    }
    iobuf_rest(&c->in);
    conn_arm(c);
}

static void
launch(struct conn *c)
{
    if (fiber_go(work, c) == OK) {
        c->busy = true;
        return;
    }
    /* The pool is at its cap: bytes wait here and in the kernel, which is the back-pressure. */
    fiber_on_end(fiber_freed);
    list_push(&here.starved, &c->pending);
    if (!timer_is_set(&here.retry))
        timer_set(&here.retry, STARVED_RETRY_MS);
}

/* Work, on a fiber. */

static FIBER_ENTRY void
work(void *arg)
{
    struct conn *c = arg;

    c->fiber = fiber_self();
    c->wakes = 0;
    c->fill_left = CONN_FILL_BYTES;
    c->in_bulk = false;
    fiber_context()->session = c->id;
    while (step(c)) {
    }
    c->fiber = NULL;
    c->busy = false;
    if (c->closing || c->broken || listener_is_ending(c)) {
        conn_pending(c);
        return;
    }
    iobuf_rest(&c->in);
    conn_arm(c);
}

/* One piece of work; false when there is none. */
static FIBER_ENTRY bool
step(struct conn *c)
{
    enum wake why;

    if (c->closing || (c->broken && c->session == NULL) || listener_is_ending(c))
        return false;
    switch (c->phase) {
    case CONN_HANDSHAKE:
        if (!handshake_can_go_on(c))
            return false;
        shake(c);
        return true;
    case CONN_GREETING: open_session(c); return true;
    case CONN_OPEN: break;
    case CONN_PROXY:
    case CONN_PAUSE:
    case CONN_DRAIN:
    case CONN_LINGER: UNREACHABLE();
    }
    if (!next_wake(c, &why)) {
        conn_push(c);
        return (conn_pull(c) || next_wake(c, &why)) && !c->closing;
    }
    if (++c->wakes % CONN_WAKES_IN_ROW == 0 || c->fill_left == 0) {
        conn_push(c);
        fiber_yield();
    }
    wake_session(c, why);
    return true;
}

static void
wake_session(struct conn *c, enum wake why)
{
    int64_t start = clock_mono_ms();
    uint64_t consumed = c->consumed;

    c->fill_left = CONN_FILL_BYTES;
    c->last_wake = why;
    if (why == WAKE_NOTE)
        c->note = false;
    if (why == WAKE_TIMEOUT)
        c->timed_out = false;
    conn_listener(c)->ops->wake(c->session, why);
    int64_t now = clock_mono_ms();
    /* Time that we took is not held against the peer. */
    c->body_since_ms += now - start;
    if (why != WAKE_NOTE)
        c->unit_ms = now;
    c->stalled = why == WAKE_INPUT && c->consumed == consumed;
    if (why == WAKE_INPUT) {
        c->timed_out = false;
        listener_active(c);
    }
    if (why == WAKE_EOF)
        c->eof_told = c->closing = true;
}

static void
open_session(struct conn *c)
{
    c->phase = CONN_OPEN;
    c->session = conn_listener(c)->ops->opened(c);
    c->unit_ms = clock_mono_ms();
    if (c->session == NULL)
        c->closing = true;
}

static FIBER_ENTRY void
shake(struct conn *c)
{
    switch (conn_tls_shake(c)) {
    case OK:
        c->phase = c->session == NULL ? CONN_GREETING : CONN_OPEN;
        c->unit_ms = clock_mono_ms();
        break;
    case ERR_TEMP: break;
    default: c->closing = true; break;
    }
}

static bool
handshake_can_go_on(const struct conn *c)
{
    return c->broken || c->readable || (c->tls_wants_write && c->writable);
}

/* What the session is to be woken for.  Input goes first, but never twice while a note waits. */
static bool
next_wake(struct conn *c, enum wake *why)
{
    if (c->phase != CONN_OPEN || c->closing || c->session == NULL ||
        iobuf_size(&c->out) > CONN_OUTPUT_LOW)
        return false;
    bool unit = conn_unit_ready(c);
    if (unit && !(c->note && c->last_wake == WAKE_INPUT))
        *why = WAKE_INPUT;
    else if (c->note)
        *why = WAKE_NOTE;
    else if (c->eof && !c->tls_pending)
        *why = WAKE_EOF;
    else if (c->timed_out)
        *why = WAKE_TIMEOUT;
    else
        return false;
    return true;
}

enum status
conn_wait(struct conn *c, int64_t timeout_ms)
{
    ASSERT(c->fiber == fiber_self() && !c->waiting);
    conn_arm(c);
    c->waiting = true;
    c->wait_done = false;
    enum status s = fiber_park_for(&c->wait_done, timeout_ms, false);
    c->waiting = false;
    return s;
}

/* Retiring, on the loop's stack. */

static void
retire(struct conn *c)
{
    void *session = c->session;

    c->session = NULL;
    if (session != NULL)
        conn_listener(c)->ops->closed(session);
    if (c->phase == CONN_DRAIN) {
        conn_push(c);
        if (iobuf_size(&c->out) > 0 && clock_mono_ms() < c->phase_until_ms) {
            conn_arm(c);
            return;
        }
        conn_tls_shut(c);
        /* Closing with unread input makes the kernel send a reset, which would overtake our farewell. */
        if (!c->broken && !c->eof && (c->readable || iobuf_size(&c->in) > 0)) {
            (void)shutdown(c->watch.fd, SHUT_WR);
            c->phase = CONN_LINGER;
            c->phase_until_ms = clock_mono_ms() + CONN_LINGER_MS;
        }
    }
    if (c->phase == CONN_LINGER && discard_input(c) && clock_mono_ms() < c->phase_until_ms) {
        conn_arm(c);
        return;
    }
    listener_forget(c);
    conn_release(c);
}

/* False when the peer has ended. */
static bool
discard_input(struct conn *c)
{
    char nothing[2048];

    iobuf_release(&c->in);
    for (int i = 0; i < 16 && c->readable; i++) {
        ssize_t n = recv(c->watch.fd, nothing, sizeof(nothing), MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        c->readable = n > 0;
    }
    return !c->broken;
}

/* Time. */

/* The timer is only ever set to the earliest of what may come; firing too early costs one look. */
void
conn_arm(struct conn *c)
{
    int64_t due = INT64_MAX;

    if (c->phase != CONN_OPEN && c->phase != CONN_GREETING && !(c->busy && c->closing))
        due = c->phase_until_ms;
    if (c->out_since_ms != 0)
        due = MIN(due, c->out_since_ms + conn_floor_window_ms);
    if (c->phase == CONN_OPEN && !c->busy && c->home != NULL) {
        if (c->deadline_ms != FIBER_FOREVER)
            due = MIN(due, c->unit_ms + c->deadline_ms);
        if (c->rest == REST_BYTES)
            due = MIN(due, c->body_since_ms + conn_floor_window_ms);
    }
    if (due != INT64_MAX)
        timer_set_at(&c->timer, due);
}

static void
conn_timer(struct timer *t)
{
    struct conn *c = (struct conn *)(void *)((char *)t - offsetof(struct conn, timer));
    int64_t now = clock_mono_ms();

    check_output_floor(c, now);
    if (c->phase == CONN_HANDSHAKE && now >= c->phase_until_ms && c->home != NULL) {
        if (!c->closing)
            listener_handshake_failed(c, "it took too long");
        c->closing = true;
        /* It may be inside the signer's call; the fiber comes back by itself and sees `closing`. */
        if (c->fiber != NULL)
            fiber_cancel(c->fiber);
    }
    if (c->busy) {
        conn_arm(c);
        return;
    }
    check_deadlines(c, now);
    conn_settle(c);
}

static void
check_output_floor(struct conn *c, int64_t now)
{
    if (c->out_since_ms == 0 || now - c->out_since_ms < conn_floor_window_ms)
        return;
    if (c->out_sent < (uint64_t)(LIMIT_CONN_FLOOR_BYTES_S * conn_floor_window_ms / 1000)) {
        conn_break(c);
        return;
    }
    c->out_since_ms = now;
    c->out_sent = 0;
}

static void
check_deadlines(struct conn *c, int64_t now)
{
    if (c->phase != CONN_OPEN)
        return;
    if (c->deadline_ms != FIBER_FOREVER && now >= c->unit_ms + c->deadline_ms)
        c->timed_out = true;
    if (c->rest == REST_BYTES && now - c->body_since_ms >= conn_floor_window_ms) {
        if (c->body_got < (uint64_t)(LIMIT_BODY_FLOOR_BYTES_S * conn_floor_window_ms / 1000))
            c->timed_out = true;
        c->body_since_ms = now;
        c->body_got = 0;
    }
}
