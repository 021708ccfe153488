/* dkim_ring_fuzz.c - what can be read is written as it was read, and each key has one place.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/keys/dkim_ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO(ring_free) struct dkim_ring *r = NULL;
    AUTO(ring_free) struct dkim_ring *again = NULL;
    AUTO_BUF first = BUF(4 * RING_BYTES_MAX);
    AUTO_BUF second = BUF(4 * RING_BYTES_MAX);

    if (ring_read(in, &r) != OK && ring_read_single(in, &r) != OK)
        return 0;
    if (ring_write(r, &first) != OK)
        return 0;
    enum status e = ring_read(buf_str(&first), &again);
    ASSERT(e == OK && again->count == r->count);
    e = ring_write(again, &second);
    ASSERT(e == OK && str_eq(buf_str(&first), buf_str(&second)));
    for (int i = 0; i < RING_ALGORITHMS; i++) {
        const struct ring_key *k = ring_find(r, (enum ring_algorithm)i, RING_SIGNS);
        ASSERT(k == NULL || k->key != NULL);
    }
    return 0;
}
