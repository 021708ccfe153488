/* tally_fuzz.c - what is read as a counted row is written the same.
 *
 * Contract:  the first byte says how long the key is; whatever is refused, nothing is read past its end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/tally.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO_BUF key = BUF(TALLY_KEY_MAX);
    AUTO_BUF value = BUF(LIMIT_TALLY_ROW_BYTES + 64);
    struct tally_group g;
    struct tally_row row;

    if (size == 0)
        return 0;
    struct str key_in = str_sub(in, 1, data[0]);
    struct str rest = str_skip(in, 1 + key_in.len);
    if (tally_read(key_in, rest, &g, &row) != OK)
        return 0;
    tally_key_write(&g, row.bytes, &key);
    tally_value_write(&row, &value);
    ASSERT(str_eq(buf_str(&key), key_in));
    ASSERT(str_eq(buf_str(&value), rest));
    return 0;
}
