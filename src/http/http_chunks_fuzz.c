/* http_chunks_fuzz.c - however a body is cut, it is the same body.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "http/chunks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status
take(struct http_chunks *c, struct scan *in, struct buf *body)
{
    struct str piece;
    enum status e;

    while ((e = http_chunks_next(c, in, &piece)) == OK && c->at != HTTP_CHUNK_END) {
        ASSERT(piece.len > 0);
        buf_add(body, piece);
    }
    return e;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    AUTO_BUF whole = BUF(size + 1);
    AUTO_BUF slow = BUF(size + 1);
    struct http_chunks c = {0}, d = {0};
    struct scan in = scan_of(text);
    enum status f = ERR_TEMP;
    size_t n = 0;

    enum status e = take(&c, &in, &whole);
    for (; n < size && f == ERR_TEMP; n++) {
        struct scan one = scan_of(str_sub(text, n, 1));
        f = take(&d, &one, &slow);
    }
    ASSERT(e == f && str_eq(buf_str(&whole), buf_str(&slow)));
    ASSERT(e != OK || (n == size - scan_left(&in) && d.at == HTTP_CHUNK_END));
    return 0;
}
