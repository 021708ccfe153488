/* time.c - the proleptic Gregorian calendar in integers.
 *
 * Years are counted from March, so that the leap day is the last one of its year, and in eras of 400
 * years, which all have the same number of days.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include "base/size.h"
#include "base/status.h"

enum {
    DAY_S = 86400,
    ERA_DAYS = 146097,     /* 400 years */
    CENTURY_DAYS = 36524,  /* without the leap day that ends each fourth */
    FOUR_YEAR_DAYS = 1461, /* with its leap day */
    EPOCH_DAYS = 719468,   /* from 0000-03-01 to 1970-01-01 */
    EPOCH_WEEKDAY = 4,     /* a Thursday */
};

#define SECONDS_CLAMP (1000000000LL * 31556952LL)
#define INSTANT_LEAST (-62167219200LL * 1000000LL)
#define INSTANT_MOST  (253402300799LL * 1000000LL + 999999LL)
#define US_PER_S      1000000LL

static int64_t floor_div(int64_t a, int64_t b);
static char *put_decimal(char *to, int width, int64_t v);

struct civil
civil_from_unix(int64_t seconds)
{
    int64_t s = MAX(MIN(seconds, SECONDS_CLAMP), -SECONDS_CLAMP);
    int64_t days = floor_div(s, DAY_S);
    int in_day = (int)(s - days * DAY_S);
    int64_t since = days + EPOCH_DAYS;
    int64_t era = floor_div(since, ERA_DAYS);
    int day = (int)(since - era * ERA_DAYS);

    /* The last day of an era, and of four years, belongs to the century or year before it. */
    int century = MIN(day / CENTURY_DAYS, 3);
    day -= century * CENTURY_DAYS;
    int four = day / FOUR_YEAR_DAYS;
    day -= four * FOUR_YEAR_DAYS;
    int one = MIN(day / 365, 3);
    day -= one * 365;

    /* From March on, five months have 153 days: 31, 30, 31, 30, 31. */
    int month = (5 * day + 2) / 153;
    int year = (int)(era * 400) + century * 100 + four * 4 + one + (month >= 10);
    return (struct civil){
        .year = year,
        .month = month < 10 ? month + 3 : month - 9,
        .day = day - (153 * month + 2) / 5 + 1,
        .hour = in_day / 3600,
        .minute = in_day / 60 % 60,
        .second = in_day % 60,
        .weekday = (int)(days + EPOCH_WEEKDAY - floor_div(days + EPOCH_WEEKDAY, 7) * 7),
    };
}

int64_t
unix_from_civil(const struct civil *c)
{
    ASSERT(c->month >= 1 && c->month <= 12);
    int64_t year = (int64_t)c->year - (c->month <= 2);
    int64_t month = c->month > 2 ? c->month - 3 : c->month + 9;
    int64_t era = floor_div(year, 400);
    int64_t in_era = year - era * 400;
    int64_t days = era * ERA_DAYS + in_era * 365 + in_era / 4 - in_era / 100 +
                   (153 * month + 2) / 5 + c->day - 1 - EPOCH_DAYS;

    return days * DAY_S + c->hour * 3600LL + c->minute * 60LL + c->second;
}

/* RFC 3339 section 5.6 */
void
buf_add_iso8601(struct buf *b, struct instant t)
{
    char text[] = "0000-00-00T00:00:00.000000Z";
    int64_t us = MAX(MIN(t.us, INSTANT_MOST), INSTANT_LEAST);
    int64_t seconds = floor_div(us, US_PER_S);
    struct civil c = civil_from_unix(seconds);

    char *p = put_decimal(text, 4, c.year);
    p = put_decimal(p + 1, 2, c.month);
    p = put_decimal(p + 1, 2, c.day);
    p = put_decimal(p + 1, 2, c.hour);
    p = put_decimal(p + 1, 2, c.minute);
    p = put_decimal(p + 1, 2, c.second);
    put_decimal(p + 1, 6, us - seconds * US_PER_S);
    buf_add(b, str_from(text, sizeof(text) - 1));
}

/* Rounds down, also below zero. */
static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static char *
put_decimal(char *to, int width, int64_t v)
{
    for (int i = width - 1; i >= 0; i--, v /= 10)
        to[i] = (char)('0' + v % 10);
    return to + width;
}
