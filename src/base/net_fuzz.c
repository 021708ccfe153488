/* net_fuzz.c - what is read as a network is written as a text that reads as the same.
 *
 * Contract:  the text is stable; a wider network has the narrower one; nothing else has a key like it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF text = BUF(NET_TEXT_MAX);
    struct net n, again;
    char key[NET_KEY_MAX], other[NET_KEY_MAX];

    if (!net_read(str_from((const char *)data, size), &n))
        return 0;
    net_write(&n, &text);
    ASSERT(buf_status(&text) == OK && net_read(buf_str(&text), &again));
    ASSERT(str_eq(net_key(&n, key), net_key(&again, other)));
    for (unsigned bits = 0; bits <= n.bits; bits++) {
        struct net wider = net_wider(&n, bits);
        ASSERT(wider.bits == bits && net_has(&wider, &n));
        ASSERT(net_has(&n, &wider) == (bits == n.bits));
    }
    return 0;
}
