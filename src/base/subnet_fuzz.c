/* subnet_fuzz.c - a text is no network, or is written and read again as the same one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/subnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF once = BUF(100), twice = BUF(100);
    struct subnet first, second;

    if (!subnet_read(str_from((const char *)data, size), &first))
        return 0;
    ASSERT(first.bits <= (first.six ? 128 : 32));
    subnet_write(&first, &once);
    ASSERT(once.len <= SUBNET_TEXT_MAX && subnet_read(buf_str(&once), &second));
    subnet_write(&second, &twice);
    ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
    return 0;
}
