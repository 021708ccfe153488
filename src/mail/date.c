/* date.c - dates of messages and of IMAP.  See date.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/date.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/header.h"

/* RFC 5322 lets comments nest; this deep is already silly. */
enum { ZONE_MAX_MIN = 5999 };

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "SunMonTueWedThuFriSat";

static int
days_in_month(int year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return lengths[month - 1] + (month == 2 && leap);
}

/* One of the three-letter names at the cursor, case ignored; its number from 0, or -1. */
static int
scan_name(struct scan *s, struct str table)
{
    for (size_t i = 0; i + 3 <= table.len; i += 3) {
        if (scan_str_nocase(s, str_sub(table, i, 3))) {
            while (s->pos < s->end && ascii_is_alpha(*s->pos)) /* "September" */
                s->pos++;
            return (int)(i / 3);
        }
    }
    return -1;
}

/* 1 to most digits; the count of them goes to *digits_out. */
static bool
scan_number(struct scan *s, int most, int *out, int *digits_out)
{
    struct scan t = *s;
    int value = 0;
    int count = 0;

    while (count < most && t.pos < t.end && ascii_is_digit(*t.pos)) {
        value = value * 10 + (*t.pos++ - '0');
        count++;
    }
    if (count == 0 || (t.pos < t.end && ascii_is_digit(*t.pos)))
        return false;
    *out = value;
    *digits_out = count;
    *s = t;
    return true;
}

/* year = 4*DIGIT; obs-year = 2*DIGIT: 00-49 is 20xx, 50-99 and three digits count from 1900 (section 4.3) */
static bool
scan_year(struct scan *s, int *year_out)
{
    int year = 0;
    int digits = 0;

    if (!scan_number(s, 4, &year, &digits) || digits == 1)
        return false;
    if (digits == 2)
        year += year < 50 ? 2000 : 1900;
    else if (digits == 3)
        year += 1900;
    *year_out = year;
    return year > 0;
}

/* time-of-day = hour ":" minute [ ":" second ]; a dot for the colon and fractions are seen too */
static bool
scan_time(struct scan *s, struct civil *c)
{
    int n = 0;

    if (!scan_number(s, 2, &c->hour, &n))
        return false;
    header_skip_cfws(s);
    if (!scan_char(s, ':') && !scan_char(s, '.'))
        return false;
    header_skip_cfws(s);
    if (!scan_number(s, 2, &c->minute, &n))
        return false;
    header_skip_cfws(s);
    if (scan_char(s, ':') || scan_char(s, '.')) {
        header_skip_cfws(s);
        if (!scan_number(s, 2, &c->second, &n))
            return false;
        if (scan_char(s, '.') || scan_char(s, ','))
            while (s->pos < s->end && ascii_is_digit(*s->pos))
                s->pos++;
    }
    return c->hour < 24 && c->minute < 60 && c->second <= 60;
}

/* obs-zone = "UT" / "GMT" / "EST" / ... / military letters, which mean nothing (section 4.3) */
static int
named_zone(struct str name)
{
    static const struct {
        struct str name;
        int minutes;
    } zones[] = {
        {{"EST", 3}, -300}, {{"EDT", 3}, -240}, {{"CST", 3}, -360}, {{"CDT", 3}, -300},
        {{"MST", 3}, -420}, {{"MDT", 3}, -360}, {{"PST", 3}, -480}, {{"PDT", 3}, -420},
        {{"CET", 3}, 60},   {{"CEST", 4}, 120}, {{"MET", 3}, 60},   {{"MEST", 4}, 120},
        {{"EET", 3}, 120},  {{"EEST", 4}, 180}, {{"BST", 3}, 60},   {{"JST", 3}, 540},
    };

    for (size_t i = 0; i < COUNT_OF(zones); i++)
        if (str_eq_nocase(zones[i].name, name))
            return zones[i].minutes;
    return 0;
}

/* ("+" / "-") 4DIGIT, at the cursor; also "+hh:mm" */
static bool
scan_offset(struct scan *s, int *minutes_out)
{
    struct scan t = *s;
    bool east = scan_char(&t, '+');
    int hours = 0;
    int minutes = 0;
    int digits = 0;

    if (!east && !scan_char(&t, '-'))
        return false;
    if (!scan_number(&t, 4, &hours, &digits))
        return false;
    if (digits == 4) {
        minutes = hours % 100;
        hours /= 100;
    } else if (digits != 2 || !scan_char(&t, ':') || !scan_number(&t, 2, &minutes, &digits)) {
        return false;
    }
    if (minutes > 59 || hours > 99)
        return false;
    *minutes_out = (hours * 60 + minutes) * (east ? 1 : -1);
    *s = t;
    return true;
}

/* A zone after the time; "GMT+0100" names a zone and then says what it means.  A missing or an unknown one is
 * UTC, as RFC 5322 says of -0000. */
static int
scan_zone(struct scan *s)
{
    int minutes = 0;

    header_skip_cfws(s);
    const char *from = s->pos;
    while (s->pos < s->end && ascii_is_alpha(*s->pos))
        s->pos++;
    minutes = named_zone(str_from(from, (size_t)(s->pos - from)));
    header_skip_cfws(s);
    (void)scan_offset(s, &minutes);
    return minutes;
}

static bool
in_range(const struct civil *c)
{
    return c->month >= 1 && c->month <= 12 && c->year >= 1 && c->year <= 9999 && c->day >= 1 &&
           c->day <= days_in_month(c->year, c->month);
}

static struct mail_date
date_of(const struct civil *c, int zone_min)
{
    int64_t seconds = unix_from_civil(c) - (int64_t)zone_min * 60;

    return (struct mail_date){.time = {seconds * 1000000}, .zone_min = zone_min};
}

/* "Nov 23 22:31:12 2026", the day name being read already */
static bool
scan_asctime(struct scan *s, struct civil *c)
{
    int n = 0;

    c->month = scan_name(s, STR(months)) + 1;
    header_skip_cfws(s);
    if (!scan_number(s, 2, &c->day, &n))
        return false;
    header_skip_cfws(s);
    if (!scan_time(s, c))
        return false;
    header_skip_cfws(s);
    while (s->pos < s->end && ascii_is_alpha(*s->pos)) /* a zone name stands before the year */
        s->pos++;
    header_skip_cfws(s);
    return scan_year(s, &c->year);
}

/* date = day month year, with "-" between them or not; then the time */
static bool
scan_date_time(struct scan *s, struct civil *c)
{
    int n = 0;

    if (!scan_number(s, 2, &c->day, &n))
        return false;
    header_skip_cfws(s);
    scan_char(s, '-');
    header_skip_cfws(s);
    c->month = scan_name(s, STR(months)) + 1;
    header_skip_cfws(s);
    scan_char(s, '-');
    scan_char(s, '.');
    header_skip_cfws(s);
    if (!scan_year(s, &c->year))
        return false;
    header_skip_cfws(s);
    scan_char(s, ',');
    header_skip_cfws(s);
    return scan_time(s, c);
}

/* date-time = [ day-of-week "," ] date time [CFWS]      RFC 5322 section 3.3 */
enum status
date_parse(struct str text, struct mail_date *out)
{
    struct scan s = scan_of(str_sub(text, 0, 1000));
    struct civil c = {.year = 0};
    bool ok = false;

    header_skip_cfws(&s);
    if (scan_name(&s, STR(days)) >= 0) {
        header_skip_cfws(&s);
        scan_char(&s, ',');
        scan_char(&s, '.');
        header_skip_cfws(&s);
    }
    if (scan_left(&s) > 0 && ascii_is_digit(*s.pos))
        ok = scan_date_time(&s, &c);
    else
        ok = scan_asctime(&s, &c);
    if (!ok || !in_range(&c))
        return ERR_SYNTAX;
    *out = date_of(&c, scan_zone(&s));
    return OK;
}

/* date-day "-" date-month "-" date-year */
static bool
scan_day(struct scan *s, struct civil *c)
{
    int n = 0;

    if (!scan_number(s, 2, &c->day, &n) || !scan_char(s, '-'))
        return false;
    const char *from = s->pos;
    c->month = scan_name(s, STR(months)) + 1;
    if (s->pos - from != 3 || !scan_char(s, '-') || !scan_number(s, 4, &c->year, &n) || n != 4)
        return false;
    return in_range(c);
}

enum status
date_internal_parse(struct str text, struct mail_date *out)
{
    struct scan s = scan_of(text);
    struct civil c = {.year = 0};
    int zone = 0;

    /* date-day-fixed = (SP DIGIT) / 2DIGIT; clients also send one digit alone */
    scan_char(&s, ' ');
    if (!scan_day(&s, &c) || !scan_char(&s, ' '))
        return ERR_SYNTAX;
    if (!scan_time(&s, &c) || !scan_char(&s, ' '))
        return ERR_SYNTAX;
    if (!scan_offset(&s, &zone) || !scan_at_end(&s))
        return ERR_SYNTAX;
    *out = date_of(&c, zone);
    return OK;
}

enum status
date_day_parse(struct str text, struct instant *out)
{
    struct scan s = scan_of(text);
    struct civil c = {.year = 0};

    if (!scan_day(&s, &c) || !scan_at_end(&s))
        return ERR_SYNTAX;
    *out = date_of(&c, 0).time;
    return OK;
}

/* The fields as they read in the date's own zone.  Floor division: times before 1970 are negative. */
static struct civil
local_fields(struct mail_date d)
{
    int64_t seconds = d.time.us / 1000000 - (d.time.us % 1000000 < 0);

    ASSERT(d.zone_min >= -ZONE_MAX_MIN && d.zone_min <= ZONE_MAX_MIN);
    return civil_from_unix(seconds + (int64_t)d.zone_min * 60);
}

static void
add_zone(struct buf *b, int zone_min)
{
    int size = zone_min < 0 ? -zone_min : zone_min;

    buf_addf(b, "%c%02d%02d", zone_min < 0 ? '-' : '+', size / 60, size % 60);
}

void
date_write(struct buf *b, struct mail_date d)
{
    struct civil c = local_fields(d);

    ASSERT(c.weekday >= 0 && c.weekday < 7 && c.month >= 1 && c.month <= 12);
    buf_addf(b, "%.3s, %d %.3s %04d %02d:%02d:%02d ", days + (ptrdiff_t)c.weekday * 3, c.day,
             months + ((ptrdiff_t)c.month - 1) * 3, c.year, c.hour, c.minute, c.second);
    add_zone(b, d.zone_min);
}

void
date_internal_write(struct buf *b, struct mail_date d)
{
    struct civil c = local_fields(d);

    ASSERT(c.month >= 1 && c.month <= 12);
    buf_addf(b, "\"%02d-%.3s-%04d %02d:%02d:%02d ", c.day, months + ((ptrdiff_t)c.month - 1) * 3,
             c.year, c.hour, c.minute, c.second);
    add_zone(b, d.zone_min);
    buf_add_char(b, '"');
}
