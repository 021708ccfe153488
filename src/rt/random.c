/* random.c - the kernel's generator behind a small buffer per thread.
 *
 * Bytes handed out are wiped from the buffer at once, and a child process starts with an empty one, so
 * that no byte is ever given twice.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/random.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/status.h"

#define POOL_BYTES 512u

static _Thread_local struct {
    unsigned char bytes[POOL_BYTES];
    size_t left; /* unused bytes, at the end */
    bool seeded; /* a simulation: state replaces the kernel */
    uint64_t state;
} pool;

static void refill(void *p, size_t n);
static uint64_t seeded_next(void);
static void seeded_fill(unsigned char *p, size_t n);
static void forget_in_child(void);
static void register_child_handler(void);

void
random_fill(void *p, size_t n)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    ASSERT(p != NULL || n == 0);
    if (pool.seeded) {
        seeded_fill(p, n);
        return;
    }
    if (n > POOL_BYTES / 4) {
        refill(p, n);
        return;
    }
    pthread_once(&once, register_child_handler);
    if (pool.left < n) {
        refill(pool.bytes, POOL_BYTES);
        pool.left = POOL_BYTES;
    }
    unsigned char *from = pool.bytes + POOL_BYTES - pool.left;
    mem_copy(p, from, n);
    mem_wipe(from, n);
    pool.left -= n;
}

uint64_t
random_u64(void)
{
    uint64_t v;

    random_fill(&v, sizeof(v));
    return v;
}

uint64_t
random_below(uint64_t bound)
{
    ASSERT(bound > 0);
    /* The first 2^64 mod bound values would make the low results more likely: draw again. */
    uint64_t uneven = (0 - bound) % bound;
    uint64_t v;
    do {
        v = random_u64();
    } while (v < uneven);
    return v % bound;
}

uint32_t
random_jitter(uint32_t ms, uint32_t percent)
{
    ASSERT(percent <= 100);
    uint64_t span = (uint64_t)ms * percent / 100;
    uint64_t v = ms - span + random_below(2 * span + 1);
    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

void
random_seed_for_tests(uint64_t seed)
{
    pool.seeded = true;
    pool.state = seed;
}

static void
refill(void *p, size_t n)
{
    unsigned char *to = p;

    while (n > 0) {
        ssize_t got = getrandom(to, n, 0);
        ASSERT(got > 0 || errno == EINTR);
        if (got > 0) {
            to += got;
            n -= (size_t)got;
        }
    }
}

/* SplitMix64: every seed gives a full-period sequence, which is all that a simulation asks. */
static uint64_t
seeded_next(void)
{
    uint64_t z = (pool.state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void
seeded_fill(unsigned char *p, size_t n)
{
    while (n > 0) {
        uint64_t v = seeded_next();
        size_t part = n < sizeof(v) ? n : sizeof(v);
        mem_copy(p, &v, part);
        p += part;
        n -= part;
    }
}

static void
forget_in_child(void)
{
    mem_wipe(pool.bytes, sizeof(pool.bytes));
    pool.left = 0;
}

static void
register_child_handler(void)
{
    ASSERT(pthread_atfork(NULL, NULL, forget_in_child) == 0);
}
