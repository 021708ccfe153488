/* clock_testing.h - a clock that stands until a test moves it; linked in place of rt/clock.c.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_CLOCK_TESTING_H
#define RT_CLOCK_TESTING_H

#include <stdint.h>

void test_clock_pass(int64_t ms);

#endif
