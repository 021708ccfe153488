/* clock_testing.c - see clock_testing.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/clock_testing.h"

#include "rt/clock.h"

static int64_t now_ms = 1000000;

void
test_clock_pass(int64_t ms)
{
    now_ms += ms;
}

struct instant
clock_now(void)
{
    return (struct instant){now_ms * 1000};
}

int64_t
clock_mono_ms(void)
{
    return now_ms;
}

int64_t
clock_mono_us(void)
{
    return now_ms * 1000;
}

void
clock_refresh(void)
{
}

void
clock_forget(void)
{
}
