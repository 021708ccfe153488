/* clock.c - reads the kernel's clocks, at most once per turn where a loop runs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/clock.h"

#include <stdbool.h>
#include <time.h>

#include "base/status.h"

/* The time of this loop's turn.  Threads without a loop never fill it and read afresh. */
static _Thread_local struct {
    bool held;
    int64_t mono_ms;
    struct instant now;
} turn;

static int64_t read_us(clockid_t clock);

struct instant
clock_now(void)
{
    return turn.held ? turn.now : (struct instant){.us = read_us(CLOCK_REALTIME)};
}

int64_t
clock_mono_ms(void)
{
    return turn.held ? turn.mono_ms : clock_mono_us() / 1000;
}

int64_t
clock_mono_us(void)
{
    return read_us(CLOCK_BOOTTIME);
}

void
clock_refresh(void)
{
    turn.mono_ms = clock_mono_us() / 1000;
    turn.now.us = read_us(CLOCK_REALTIME);
    turn.held = true;
}

void
clock_forget(void)
{
    turn.held = false;
}

static int64_t
read_us(clockid_t clock)
{
    struct timespec t;

    ASSERT(clock_gettime(clock, &t) == 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
