/* dmarc_report_fuzz.c - of any bytes a report is read within its bounds, and written again always the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(DMARC_REPORT_ARENA);
    AUTO_BUF xml = BUF(LIMIT_REPORT_BYTES), once = BUF(LIMIT_REPORT_BYTES),
             twice = BUF(LIMIT_REPORT_BYTES);
    struct dmarc_report r, again;

    if (dmarc_report_unpack(str_from((const char *)data, size), &xml) != OK) {
        ASSERT(xml.len == 0);
        return 0;
    }
    ASSERT(xml.len <= size * LIMIT_REPORT_RATIO);
    if (dmarc_report_read(buf_str(&xml), a, &r) != OK)
        return 0;
    size_t count = 0;
    for (const struct report_record *record = r.records; record != NULL; record = record->next)
        count++;
    ASSERT(count == r.record_count && count <= LIMIT_REPORT_RECORDS);
    ASSERT(r.org_name.len <= LIMIT_REPORT_TEXT_BYTES && r.domain.len > 0);

    dmarc_report_write(&once, &r);
    if (buf_status(&once) != OK)
        return 0;
    enum status st = dmarc_report_read(buf_str(&once), a, &again);
    ASSERT(st == OK && again.record_count == count);
    dmarc_report_write(&twice, &again);
    ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
    return 0;
}
