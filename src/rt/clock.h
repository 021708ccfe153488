/* clock.h - the seam for time.
 *
 * Promises:  clock_mono_ms() never goes back and counts while the machine sleeps (CLOCK_BOOTTIME).
 *            Inside a loop turn both are read once: cheap to call.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_CLOCK_H
#define RT_CLOCK_H

#include "base/time.h"

struct instant clock_now(void); /* wall clock, for stored times and log lines */
int64_t clock_mono_ms(void);    /* for deadlines and intervals */
int64_t clock_mono_us(void);    /* read afresh, for measuring */
void clock_refresh(void);       /* the loop calls it once a turn */
void clock_forget(void);        /* no loop any more: read afresh again */

#endif
