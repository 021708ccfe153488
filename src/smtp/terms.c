/* terms.c - see terms.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/terms.h"

#include "base/size.h"

enum { SECONDS_MAX = 999999999, DIGITS_MAX = 9, FRACTION_MAX = 9 };

/* future-release-integer = %x31-39 *8DIGIT */
bool
smtp_hold_for_read(struct str value, uint32_t *seconds_out)
{
    struct scan s = scan_of(value);
    uint32_t n;

    if (value.len == 0 || value.ptr[0] == '0' || !scan_u32(&s, SECONDS_MAX, &n) || !scan_at_end(&s))
        return false;
    *seconds_out = n;
    return true;
}

/* So many digits, a number in this range. */
static bool
scan_part(struct scan *s, size_t digits, uint32_t least, uint32_t most, int *out)
{
    struct str bytes;
    uint32_t n;

    if (!scan_take(s, digits, &bytes))
        return false;
    struct scan in = scan_of(bytes);
    if (!scan_u32(&in, most, &n) || !scan_at_end(&in) || n < least)
        return false;
    *out = (int)n; /* at most 9999 */
    return true;
}

static uint32_t
days_of(int year, int month)
{
    static const uint32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* full-date = date-fullyear "-" date-month "-" date-mday      RFC 3339 section 5.6 */
static bool
scan_full_date(struct scan *s, struct civil *c)
{
    return scan_part(s, 4, 1970, 9999, &c->year) && scan_char(s, '-') &&
           scan_part(s, 2, 1, 12, &c->month) && scan_char(s, '-') &&
           scan_part(s, 2, 1, days_of(c->year, c->month), &c->day);
}

/* partial-time = time-hour ":" time-minute ":" time-second ["." 1*DIGIT]; a fraction counts as a whole second: what
 * waits until a time does not go before it. */
static bool
scan_partial_time(struct scan *s, struct civil *c)
{
    struct str fraction;

    if (!scan_part(s, 2, 0, 23, &c->hour) || !scan_char(s, ':') ||
        !scan_part(s, 2, 0, 59, &c->minute) || !scan_char(s, ':') ||
        !scan_part(s, 2, 0, 60, &c->second))
        return false;
    if (!scan_char(s, '.'))
        return true;
    if (!scan_while(s, ascii_is_digit, FRACTION_MAX, &fraction))
        return false;
    for (size_t i = 0; i < fraction.len; i++) {
        if (fraction.ptr[i] == '0')
            continue;
        c->second++;
        break;
    }
    return true;
}

bool
smtp_hold_until_read(struct str value, struct instant *out)
{
    struct scan s = scan_of(value);
    struct civil c = {0};

    if (!scan_full_date(&s, &c) || !(scan_char(&s, 'T') || scan_char(&s, 't')) ||
        !scan_partial_time(&s, &c) || !(scan_char(&s, 'Z') || scan_char(&s, 'z')) ||
        !scan_at_end(&s))
        return false;
    *out = (struct instant){unix_from_civil(&c) * 1000000};
    return true;
}

/* by-value = ["-" / "+"] 1*9digit ";" ("N" / "R") ["T"]      RFC 2852 section 4 */
bool
smtp_by_read(struct str value, struct smtp_by *out)
{
    struct scan s = scan_of(value);
    struct smtp_by by = {.mode = SMTP_BY_NOTIFY};
    bool minus = scan_char(&s, '-');
    struct str digits;
    uint32_t n;

    if (!minus)
        (void)scan_char(&s, '+');
    if (!scan_while(&s, ascii_is_digit, DIGITS_MAX, &digits) || !scan_char(&s, ';'))
        return false;
    struct scan number = scan_of(digits);
    if (!scan_u32(&number, SECONDS_MAX, &n))
        return false;
    by.seconds = minus ? -(int32_t)n : (int32_t)n; /* of nine digits */
    if (scan_str_nocase(&s, STR("R")))
        by.mode = SMTP_BY_RETURN;
    else if (!scan_str_nocase(&s, STR("N")))
        return false;
    by.trace = scan_str_nocase(&s, STR("T"));
    if (!scan_at_end(&s) || (by.mode == SMTP_BY_RETURN && by.seconds <= 0))
        return false;
    *out = by;
    return true;
}

int32_t
smtp_by_left(const struct smtp_terms *t, struct instant now)
{
    int64_t left = (t->by.us - now.us) / 1000000;

    return (int32_t)MAX(MIN(left, (int64_t)SECONDS_MAX), -(int64_t)SECONDS_MAX);
}

void
smtp_by_write(struct buf *b, const struct smtp_terms *t, struct instant now)
{
    ASSERT(t->by_mode != SMTP_BY_NONE);
    buf_addf(b, "%d;%c%s", smtp_by_left(t, now), t->by_mode == SMTP_BY_RETURN ? 'R' : 'N',
             t->by_trace ? "T" : "");
}

/* priority-value = (["-"] NZDIGIT) / "0"      RFC 6710 section 7 */
bool
smtp_priority_read(struct str value, int32_t *out)
{
    struct scan s = scan_of(value);
    bool minus = scan_char(&s, '-');
    char digit;

    if (scan_left(&s) != 1 || !scan_peek(&s, &digit) || !ascii_is_digit(digit) ||
        (minus && digit == '0'))
        return false;
    *out = minus ? '0' - digit : digit - '0';
    return true;
}

void
smtp_date_time_write(struct buf *b, struct instant t)
{
    AUTO_BUF text = BUF(32);

    buf_add_iso8601(&text, t);
    buf_add(b, str_sub(buf_str(&text), 0, 19));
    buf_add_char(b, 'Z');
}
