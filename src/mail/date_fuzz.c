/* date_fuzz.c - an accepted date is in range and reads back as it is written, in both forms.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct mail_date d)
{
    AUTO_BUF b = BUF(64);
    struct mail_date again = {.zone_min = 0};

    date_write(&b, d);
    /* A leap second of the last year rolls over into year 10000, which no form can write. */
    if (str_find_str(buf_str(&b), STR(" 10000 ")) >= 0)
        return;
    ASSERT(date_parse(buf_str(&b), &again) == OK);
    ASSERT(again.time.us == d.time.us && again.zone_min == d.zone_min);
    buf_reset(&b);
    date_internal_write(&b, d);
    ASSERT(date_internal_parse(str_sub(buf_str(&b), 1, b.len - 2), &again) == OK);
    ASSERT(again.time.us == d.time.us && again.zone_min == d.zone_min);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    struct mail_date d = {.zone_min = 0};
    struct instant t = {0};

    if (date_parse(in, &d) == OK)
        check(d);
    if (date_internal_parse(in, &d) == OK)
        check(d);
    if (date_day_parse(in, &t) == OK)
        ASSERT(t.us % 86400000000 == 0);
    return 0;
}
