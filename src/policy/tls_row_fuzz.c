/* tls_row_fuzz.c - any bytes are a row or not; one that is, is written as the same fact, and fits into a report.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tls_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF once = BUF(TLS_ROW_MAX), twice = BUF(TLS_ROW_MAX);
    struct tls_report r = {0};
    struct tls_fact f, again;

    if (tls_row_read(str_from((const char *)data, size), &f) != OK)
        return 0;
    tls_row_write(&f, &once);
    enum status st = buf_status(&once);
    ASSERT(st == OK);
    st = tls_row_read(buf_str(&once), &again);
    ASSERT(st == OK && again.result == f.result && str_eq(again.text, f.text));
    tls_row_write(&again, &twice);
    ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
    tls_row_add(&r, &f, 2, a);
    tls_row_add(&r, &again, 3, a);
    ASSERT(r.policy_count == 1 && r.policies->successes + r.policies->failures == 5);
    return 0;
}
