/* fiber.c - starting, switching, parking and waking.
 *
 * Switches happen only between the loop's stack and a fiber's: a fiber that wakes another puts it on
 * the ready list.  The switch itself is Boost.Context's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/limits.h"
#include "rt/clock.h"
#include "rt/fiber_internal.h"

#if FIBER_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#if FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* Boost.Context's C symbols, which it has no C header for. */
struct transfer {
    void *from; /* the context that was left */
    void *data;
};
struct transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *stack_top, size_t size, void (*entry)(struct transfer t));

/* After so many switches the descriptors get their turn. */
#define SWITCHES_PER_TURN 1024

struct fibers {
    struct list ready, yielded, all;
    struct fiber *current;
    uint32_t count, count_max;
    void (*on_end)(void);
    void (*on_switch)(void);
    void *loop_sp; /* while a fiber runs */
    const void *loop_low;
    size_t loop_size;
    void *loop_tsan;
};

static _Thread_local struct fibers here = {.count_max = LIMIT_FIBERS};

static void resume(struct fiber *f);
static void suspend(struct fiber *f);
static void fiber_main(struct transfer t);
static void make_ready(struct fiber *f);
static void timed_out(struct timer *t);
static void check_stack(const struct fiber *f);

void
fibers_init(void)
{
    list_init(&here.ready);
    list_init(&here.yielded);
    list_init(&here.all);
    here.count = 0;
    here.current = NULL;
    stack_pool_init();
}

void
fibers_release(void)
{
    struct list *node;

    while ((node = list_pop(&here.all)) != NULL) {
        struct fiber *f = LIST_ENTRY(node, struct fiber, all);
        timer_stop(&f->timer);
#if FIBER_TSAN
        __tsan_destroy_fiber(f->tsan);
#endif
        stack_give(f);
    }
    here.on_end = here.on_switch = NULL;
    here.count_max = LIMIT_FIBERS;
    stack_pool_release();
}

enum status
fiber_go(void (*entry)(void *arg), void *arg)
{
    ASSERT(entry != NULL);
    if (here.count >= here.count_max)
        return ERR_LIMIT;
    struct fiber *f = stack_take();
    if (f == NULL)
        return ERR_LIMIT;
    f->entry = entry;
    f->arg = arg;
    f->woken = f->cancelled = f->shielded = false;
    f->error = 0;
    f->timer = (struct timer){.fire = timed_out};
    f->context.session = 0;
    f->context.user[0] = '\0';
    f->problem.text[0] = '\0';
    f->asan_fake = NULL;
#if FIBER_TSAN
    f->tsan = __tsan_create_fiber(0);
#endif
    f->sp = make_fcontext(f, (size_t)((char *)f - f->low), fiber_main);
    list_push(&here.all, &f->all);
    here.count++;
    make_ready(f);
    return OK;
}

struct fiber *
fiber_self(void)
{
    return here.current;
}

uint32_t
fiber_count(void)
{
    return here.count;
}

void
fiber_pool_limit(uint32_t fibers_max)
{
    ASSERT(fibers_max > 0);
    here.count_max = fibers_max;
}

struct fiber_context *
fiber_context(void)
{
    static _Thread_local struct fiber_context outside;

    return here.current != NULL ? &here.current->context : &outside;
}

struct problem *
fiber_problem(void)
{
    static _Thread_local struct problem outside;

    return here.current != NULL ? &here.current->problem : &outside;
}

void
fiber_on_end(void (*hook)(void))
{
    here.on_end = hook;
}

void
fiber_on_switch(void (*check)(void))
{
    here.on_switch = check;
}

/* Running. */

bool
fibers_run(void)
{
    struct list *node;

    for (int i = 0; i < SWITCHES_PER_TURN && (node = list_pop(&here.ready)) != NULL; i++) {
        list_init(node);
        resume(LIST_ENTRY(node, struct fiber, node));
    }
    while ((node = list_pop(&here.yielded)) != NULL)
        list_push(&here.ready, node);
    return !list_empty(&here.ready);
}

bool
fibers_ready(void)
{
    return !list_empty(&here.ready);
}

static void
make_ready(struct fiber *f)
{
    f->state = FIBER_READY;
    list_push(&here.ready, &f->node);
}

/* On the loop's stack. */
static void
resume(struct fiber *f)
{
    void *fake UNUSED = NULL;

    check_stack(f);
    f->state = FIBER_RUNNING;
    here.current = f;
#if FIBER_ASAN
    __sanitizer_start_switch_fiber(&fake, f->low, (size_t)((char *)f - f->low));
#endif
#if FIBER_TSAN
    here.loop_tsan = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(f->tsan, 0);
#endif
    struct transfer t = jump_fcontext(f->sp, f);
#if FIBER_ASAN
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
    here.current = NULL;
    f->sp = t.from;
    check_stack(f);
    if (f->state != FIBER_FREE)
        return;
#if FIBER_TSAN
    __tsan_destroy_fiber(f->tsan);
#endif
    list_remove(&f->all);
    here.count--;
    stack_give(f);
    if (here.on_end != NULL)
        here.on_end();
}

/* On the fiber's stack; returns when the loop resumes it.  Never, when its state is FIBER_FREE. */
static void
suspend(struct fiber *f)
{
    f->error = errno;
    if (here.on_switch != NULL)
        here.on_switch();
#if FIBER_ASAN
    __sanitizer_start_switch_fiber(f->state == FIBER_FREE ? NULL : &f->asan_fake, here.loop_low,
                                   here.loop_size);
#endif
#if FIBER_TSAN
    __tsan_switch_to_fiber(here.loop_tsan, 0);
#endif
    struct transfer t = jump_fcontext(here.loop_sp, f);
#if FIBER_ASAN
    __sanitizer_finish_switch_fiber(f->asan_fake, &here.loop_low, &here.loop_size);
#endif
    here.loop_sp = t.from;
    errno = f->error;
}

static void FIBER_ENTRY
fiber_main(struct transfer t)
{
    struct fiber *f = t.data;

#if FIBER_ASAN
    __sanitizer_finish_switch_fiber(NULL, &here.loop_low, &here.loop_size);
#endif
    here.loop_sp = t.from;
    f->entry(f->arg);
    f->state = FIBER_FREE;
    suspend(f);
    UNREACHABLE();
}

/* The guard stops what walks down; this stops what jumped over it or wrote upwards. */
static void
check_stack(const struct fiber *f)
{
    ASSERT(f->canary == FIBER_CANARY);
    ASSERT((char *)f->sp > f->low && (char *)f->sp < (const char *)f);
}

/* Parking. */

static void
timed_out(struct timer *t)
{
    struct fiber *f = (struct fiber *)(void *)((char *)t - offsetof(struct fiber, timer));

    if (f->state == FIBER_PARKED)
        make_ready(f);
}

static void
park(struct fiber *f, int64_t timeout_ms)
{
    if (timeout_ms >= 0)
        timer_set(&f->timer, timeout_ms);
    f->state = FIBER_PARKED;
    suspend(f);
    timer_stop(&f->timer);
}

enum status
fiber_park(int64_t timeout_ms)
{
    struct fiber *f = here.current;

    ASSERT(f != NULL);
    if (!f->woken && !f->cancelled && timeout_ms != 0)
        park(f, timeout_ms);
    if (f->cancelled)
        return ERR_CANCELLED;
    bool woken = f->woken;
    f->woken = false;
    return woken ? OK : ERR_TIMEOUT;
}

enum status
fiber_park_for(const bool *done, int64_t timeout_ms, bool shielded)
{
    struct fiber *f = here.current;
    int64_t until = timeout_ms < 0 ? INT64_MAX : clock_mono_us() / 1000 + timeout_ms;
    enum status result = OK;

    ASSERT(f != NULL && !f->shielded);
    f->shielded = shielded;
    while (!*done) {
        if (f->cancelled && !shielded) {
            result = ERR_CANCELLED;
            break;
        }
        int64_t left = timeout_ms < 0 ? FIBER_FOREVER : until - clock_mono_us() / 1000;
        if (left <= 0 && timeout_ms >= 0) {
            result = ERR_TIMEOUT;
            break;
        }
        park(f, left);
    }
    f->shielded = false;
    return result;
}

void
fiber_done(struct fiber *f, bool *done)
{
    ASSERT(f->canary == FIBER_CANARY && f->state != FIBER_FREE);
    *done = true;
    if (f->state == FIBER_PARKED)
        make_ready(f);
}

void
fiber_wake(struct fiber *f)
{
    ASSERT(f->canary == FIBER_CANARY && f->state != FIBER_FREE);
    f->woken = true;
    if (f->state == FIBER_PARKED)
        make_ready(f);
}

void
fiber_cancel(struct fiber *f)
{
    ASSERT(f->canary == FIBER_CANARY && f->state != FIBER_FREE);
    f->cancelled = true;
    if (f->state == FIBER_PARKED && !f->shielded)
        make_ready(f);
}

enum status
fiber_sleep(int64_t ms)
{
    const bool never = false;

    ASSERT(ms >= 0);
    enum status s = fiber_park_for(&never, ms, false);
    return s == ERR_TIMEOUT ? OK : s;
}

void
fiber_yield(void)
{
    struct fiber *f = here.current;

    ASSERT(f != NULL);
    f->state = FIBER_READY;
    list_push(&here.yielded, &f->node);
    suspend(f);
}
