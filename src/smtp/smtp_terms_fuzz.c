/* smtp_terms_fuzz.c - what is taken is in range, and is taken again when it is written again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/buf.h"
#include "smtp/terms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_hold_for(struct str value)
{
    uint32_t seconds = 0, again = 0;
    char text[20];

    if (!smtp_hold_for_read(value, &seconds)) {
        ASSERT(seconds == 0);
        return;
    }
    ASSERT(seconds >= 1 && seconds <= 999999999 && value.len <= 9);
    snprintf(text, sizeof(text), "%u", seconds);
    ASSERT(str_eq(str_of(text), value)); /* one number has one form */
    ASSERT(smtp_hold_for_read(str_of(text), &again) && again == seconds);
}

static void
check_hold_until(struct str value)
{
    struct instant t = {-1}, again = {0};
    AUTO_BUF text = BUF(64);

    if (!smtp_hold_until_read(value, &t)) {
        ASSERT(t.us == -1);
        return;
    }
    ASSERT(t.us >= 0 && t.us % 1000000 == 0 && value.len >= 20 && value.len <= 30);
    smtp_date_time_write(&text, t);
    bool fits =
        t.us < INT64_C(253402300800000000); /* the year 10000 by a leap second is cut to 9999 */
    ASSERT(smtp_hold_until_read(buf_str(&text), &again) && (!fits || again.us == t.us));
}

static void
check_by(struct str value)
{
    struct smtp_by by = {.seconds = INT32_MAX}, again;
    AUTO_BUF text = BUF(64);

    if (!smtp_by_read(value, &by)) {
        ASSERT(by.seconds == INT32_MAX);
        return;
    }
    ASSERT(by.seconds >= -999999999 && by.seconds <= 999999999 && value.len <= 13);
    ASSERT(by.mode == SMTP_BY_NOTIFY || (by.mode == SMTP_BY_RETURN && by.seconds > 0));
    const struct smtp_terms t = {
        .by_mode = by.mode, .by = {by.seconds * INT64_C(1000000)}, .by_trace = by.trace};
    smtp_by_write(&text, &t, (struct instant){0});
    ASSERT(smtp_by_read(buf_str(&text), &again));
    ASSERT(again.seconds == by.seconds && again.mode == by.mode && again.trace == by.trace);
}

static void
check_priority(struct str value)
{
    int32_t n = 77;
    char text[8];

    if (!smtp_priority_read(value, &n)) {
        ASSERT(n == 77);
        return;
    }
    ASSERT(n >= -9 && n <= 9);
    snprintf(text, sizeof(text), "%d", n);
    ASSERT(str_eq(str_of(text), value)); /* one number has one form */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str value = str_from((const char *)data, size);

    check_hold_for(value);
    check_hold_until(value);
    check_by(value);
    check_priority(value);
    return 0;
}
