/* transfer_fuzz.c - chunk borders do not matter, output is bounded, and encoding round-trips.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode(enum transfer kind, struct str in, size_t step, struct buf *out)
{
    struct transfer_decoder d;

    transfer_decoder_init(&d, kind);
    for (size_t at = 0; at < in.len; at += step)
        transfer_decode(&d, str_sub(in, at, step), out);
    transfer_decode_end(&d, out);
    ASSERT(buf_status(out) == OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum transfer kind = (data[0] & 1) != 0 ? TRANSFER_BASE64 : TRANSFER_QUOTED_PRINTABLE;
    struct str in = str_from((const char *)data + 2, size - 2);
    AUTO_BUF whole = BUF(size + 2);
    AUTO_BUF parts = BUF(size + 2);
    AUTO_BUF wire = BUF(size * 4 + 16);
    AUTO_BUF back = BUF(size * 4 + 16);

    decode(kind, in, in.len + 1, &whole);
    decode(kind, in, 1 + data[1] % 37u, &parts);
    ASSERT(str_eq(buf_str(&whole), buf_str(&parts)));
    (void)transfer_of(in);
    if (kind == TRANSFER_BASE64)
        transfer_write_base64(&wire, in);
    else
        transfer_write_quoted_printable(&wire, in);
    decode(kind, buf_str(&wire), wire.len + 1, &back);
    ASSERT(str_eq(buf_str(&back), in));
    return 0;
}
