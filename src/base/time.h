/* time.h - times as values.  Reading a clock is rt's business (rt/clock.h).
 *
 * Units:     struct instant is int64 microseconds since 1970-01-01 UTC; intervals carry their unit
 *            in the name (_ms, _s).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdint.h>

#include "base/buf.h"

struct instant {
    int64_t us;
};
struct civil { /* a Gregorian date and time of day, in the zone that the caller means */
    int year, month, day, hour, minute, second; /* month 1-12, day 1-31, second 0-60 */
    int weekday;                                /* 0 = Sunday */
};

/* years beyond +-1,000 million are clamped to that */
struct civil civil_from_unix(int64_t seconds);
/* fields are normalised by range checks of the caller */
int64_t unix_from_civil(const struct civil *c);
/* 2026-11-23T22:31:12.123456Z, always 27 bytes: clamped to the years 0000 to 9999 */
void buf_add_iso8601(struct buf *b, struct instant t);

#endif
