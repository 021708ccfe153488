/* spam_values_fuzz.c - what an account learned of spam, as it is stored: of any bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/spam.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str value = str_from((const char *)data, size);
    struct spam_totals t, again;
    AUTO_BUF b = BUF(64);
    size_t n;

    if (spam_page_check(value, &n) == OK)
        for (size_t i = 1; i < n; i++)
            ASSERT(spam_page_get(value, i).hash > spam_page_get(value, i - 1).hash);
    if (spam_totals_read(value, &t) != OK)
        return 0;
    spam_totals_write(&t, &b);
    ASSERT(spam_totals_read(buf_str(&b), &again) == OK);
    ASSERT(t.version == again.version && t.wanted == again.wanted && t.unwanted == again.unwanted);
    return 0;
}
