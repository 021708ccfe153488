/* blocks_fuzz.c - what is read as a block is a network that can be written, and its value is written the same.
 *
 * Contract:  the first byte says how long the key is; whatever is refused, nothing is read past its end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/blocks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO_BUF value = BUF(64);
    AUTO_BUF text = BUF(NET_TEXT_MAX);
    char again[NET_KEY_MAX];
    struct block b;

    if (size == 0)
        return 0;
    struct str key = str_sub(in, 1, data[0]);
    if (block_read(key, str_skip(in, 1 + key.len), &b) != OK)
        return 0;
    net_write(&b.net, &text);
    block_value_write(&b, &value);
    ASSERT(str_eq(net_key(&b.net, again), key));
    ASSERT(str_eq(buf_str(&value), str_skip(in, 1 + key.len)));
    return 0;
}
