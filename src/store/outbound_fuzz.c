/* outbound_fuzz.c - what is read of a day is written the same, and can be added up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/outbound.h"

#include "base/size.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO_BUF value = BUF(1024);
    struct outbound_value v, again;
    uint32_t sum = 0;

    if (outbound_value_read(in, &v) != OK || in.ptr == NULL)
        return 0;
    for (size_t i = 0; i < OUTBOUND_HOURS; i++)
        ASSERT(!__builtin_add_overflow(sum, v.at[i].recipients, &sum));
    ASSERT(v.told <= v.hour);
    outbound_value_write(&v, &value);
    ASSERT(buf_status(&value) == OK && outbound_value_read(buf_str(&value), &again) == OK);
    ASSERT(again.hour == v.hour && again.at[23].held == v.at[23].held);
    return 0;
}
