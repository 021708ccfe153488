/* dmarc_row_fuzz.c - what is read as a counted record is written the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF b = BUF(LIMIT_TALLY_ROW_BYTES);
    struct str row = str_from((const char *)data, size);
    struct dmarc_report policy;
    struct report_record r;

    if (size > LIMIT_TALLY_ROW_BYTES || dmarc_row_read(row, a, &policy, &r) != OK)
        return 0;
    dmarc_row_write(&policy, &r, &b);
    ASSERT(buf_status(&b) == OK && b.len <= LIMIT_TALLY_ROW_BYTES);
    struct report_record again;
    ASSERT(dmarc_row_read(buf_str(&b), a, &policy, &again) == OK);
    ASSERT(str_eq(again.source_ip, r.source_ip));
    return 0;
}
