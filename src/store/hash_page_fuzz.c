/* hash_page_fuzz.c - a page that is read is written the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/hash_page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO_BUF value = BUF(1024);
    struct hash_page p;

    if (hash_page_read(in, &p) != OK || in.ptr == NULL)
        return 0;
    ASSERT(p.count <= HASH_PAGE_MAX);
    hash_page_write(&p, &value);
    ASSERT(str_eq(buf_str(&value), in));
    return 0;
}
