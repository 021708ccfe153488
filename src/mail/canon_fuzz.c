/* canon_fuzz.c - chunks do not matter, and canonical text is its own canonical form.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/canon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
canonical(enum canon_kind kind, struct str in, size_t step, struct buf *out)
{
    struct canon_body c;
    struct str run;

    canon_body_init(&c, kind);
    for (size_t at = 0; at < in.len; at += step) {
        struct scan s = scan_of(str_sub(in, at, step));
        while (canon_body(&c, &s, &run) == CANON_RUN)
            buf_add(out, run);
        ASSERT(scan_at_end(&s));
    }
    while (canon_body_end(&c, &run) == CANON_RUN)
        buf_add(out, run);
    ASSERT(buf_status(out) == OK && c.size == out->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum canon_kind kind = (data[0] & 1) != 0 ? CANON_RELAXED : CANON_SIMPLE;
    struct str in = str_from((const char *)data + 2, size - 2);
    AUTO_BUF whole = BUF(size + 2);
    AUTO_BUF parts = BUF(size + 2);
    AUTO_BUF again = BUF(size + 2);
    AUTO_BUF field = BUF(size + 4);
    AUTO_BUF field_again = BUF(size + 4);
    AUTO_BUF names = BUF(4096);
    AUTO_BUF input = BUF(size * 20 + 64);
    AUTO_ARENA *a = arena_new((1 << 20) + size * 4);

    canonical(kind, in, in.len + 1, &whole);
    canonical(kind, in, 1 + data[1] % 29u, &parts);
    ASSERT(str_eq(buf_str(&whole), buf_str(&parts)));
    canonical(kind, buf_str(&whole), 1 + data[1] % 7u, &again);
    ASSERT(str_eq(buf_str(&whole), buf_str(&again)));
    canon_header(&field, CANON_RELAXED, in);
    canon_header(&field_again, CANON_RELAXED, buf_str(&field));
    ASSERT(str_eq(buf_str(&field), buf_str(&field_again)));
    dkim_names_write(in, a, &names);
    dkim_header_input(in, buf_str(&names), STR("DKIM-Signature: v=1; b="), &input);
    ASSERT(buf_status(&names) == OK && buf_status(&input) == OK);
    return 0;
}
