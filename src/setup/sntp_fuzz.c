/* sntp_fuzz.c - an answer of any bytes is judged without arithmetic that overflows, and counts only with our question
 * in it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/sntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int64_t now = INT64_C(1796000000000000);
    unsigned char question[SNTP_BYTES];
    unsigned char bytes[SNTP_BYTES] = {0};
    int64_t by = 0;

    sntp_ask(now, question);
    /* Half of the inputs have the question in them, else nothing beyond it would ever be reached. */
    for (size_t i = 0; i < size && i < SNTP_BYTES; i++)
        bytes[i] = size % 2 == 0 && i >= 24 && i < 32 ? question[i + 16] : data[i];
    struct str answer = str_from((const char *)bytes, size < SNTP_BYTES ? size : SNTP_BYTES);
    enum status e = sntp_read(answer, now, now + 1000, &by);
    ASSERT(e == OK || by == 0);
    ASSERT(e != OK || size >= SNTP_BYTES);
    return 0;
}
