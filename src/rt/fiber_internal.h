/* fiber_internal.h - what the files of rt know about a fiber; nothing outside rt does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_FIBER_INTERNAL_H
#define RT_FIBER_INTERNAL_H

#include "rt/fiber.h"
#include "rt/loop.h"

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif
#ifndef FIBER_ASAN
#define FIBER_ASAN 0
#endif
#ifndef FIBER_TSAN
#define FIBER_TSAN 0
#endif

#define FIBER_CANARY      0x6b8f1d3a90c4e752u
#define FIBER_GUARD_BYTES 65536u
#if FIBER_ASAN || FIBER_TSAN
#define FIBER_STACK_BYTES 262144u
#else
#define FIBER_STACK_BYTES 65536u
#endif

enum fiber_state { FIBER_FREE, FIBER_READY, FIBER_RUNNING, FIBER_PARKED };

/* Lies at the top of its own stack's mapping, which is touched anyway; the canary is its lowest
 * field, where a frame that writes past its end arrives first. */
struct fiber {
    uint64_t canary;
    void *sp;         /* saved stack pointer while not running: the fcontext */
    char *low;        /* lowest byte of the stack; the guard ends here */
    struct list node; /* in ready, or in the pool */
    struct list all;  /* every live fiber, for tools/gdb_fibers.py */
    struct timer timer;
    void (*entry)(void *arg);
    void *arg;
    enum fiber_state state;
    bool woken, cancelled, shielded;
    bool trimmed; /* in the pool: its pages went back to the kernel */
    int error;    /* errno across a switch */
    uint32_t valgrind_id;
    void *asan_fake, *tsan;
    struct fiber_context context;
    struct problem problem; /* of the last failed ipc call */
};

/* stack.c: pooled mappings.  NULL when the kernel gives no more. */
struct fiber *stack_take(void);
void stack_give(struct fiber *f);
void stack_pool_init(void);
void stack_pool_release(void);

/* What the loop calls. */
void fibers_init(void);
void fibers_release(void);
bool fibers_run(void); /* true when some are still ready */
bool fibers_ready(void);

void offload_release(void); /* offload.c: this loop's inbox for finished jobs */
void logger_release(void);  /* logger.c: writes what this thread collected */

struct problem *fiber_problem(void); /* of this fiber; outside fibers a static one */

/* Called on the loop's stack after a fiber ended, when set: a place in the pool is free. */
void fiber_on_end(void (*hook)(void));
/* Called before each switch away from a fiber, when set: TLS asserts that its error queue is empty. */
void fiber_on_switch(void (*check)(void));

#endif
