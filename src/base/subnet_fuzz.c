/* subnet_fuzz.c - what is read as a network is written as a text that reads as the same.
 *
 * Contract:  the text is stable, and the same to both readers; what the strict one takes the other takes as it is; a
 *            wider network has the narrower one; nothing else has a key like it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/subnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_same(const struct subnet *a, const struct subnet *b)
{
    char x[SUBNET_KEY_MAX], y[SUBNET_KEY_MAX];

    return str_eq(subnet_key(a, x), subnet_key(b, y));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO_BUF text = BUF(SUBNET_TEXT_MAX);
    struct subnet n, strict, again;
    bool clean = subnet_read(in, &strict);

    if (!subnet_read_around(in, &n)) {
        ASSERT(!clean);
        return 0;
    }
    ASSERT((n.size == 4 || n.size == 16) && n.bits <= n.size * 8 && subnet_is_clean(&n));
    ASSERT(!clean || is_same(&n, &strict));
    subnet_write(&n, &text);
    ASSERT(buf_status(&text) == OK && subnet_read_around(buf_str(&text), &again));
    ASSERT(is_same(&n, &again));
    ASSERT(!clean || (subnet_read(buf_str(&text), &again) && is_same(&n, &again)));
    for (unsigned bits = 0; bits <= n.bits; bits++) {
        struct subnet wider = subnet_wider(&n, bits);
        ASSERT(wider.bits == bits && subnet_covers(&wider, &n));
        ASSERT(subnet_covers(&n, &wider) == (bits == n.bits));
    }
    return 0;
}
