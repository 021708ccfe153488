/* header_fuzz.c - fields lie in the block, the filter does not mind the split, no Bcc is left, and written
 * fields cannot be broken out of.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/header.h"
#include "mail/header_filter.h"
#include "mail/header_write.h"
#include "mail/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_walk(struct str in)
{
    struct header_cursor c = header_cursor_of(in);
    struct header_field f;
    const char *before = in.ptr;
    AUTO_BUF b = BUF(in.len + 1);

    while (header_next(&c, &f)) {
        ASSERT(f.name.ptr >= before && f.value.ptr > f.name.ptr);
        ASSERT(f.value.ptr + f.value.len <= f.whole.ptr + f.whole.len);
        ASSERT(f.whole.ptr + f.whole.len <= in.ptr + in.len && header_name_ok(f.name));
        before = f.whole.ptr + f.whole.len;
        buf_reset(&b);
        header_unfold(&b, f.value);
        ASSERT(b.len <= f.value.len && str_find(buf_str(&b), '\n') < 0);
    }
    ASSERT(header_block_len(in) <= in.len);
}

static unsigned
filter(struct str in, size_t step, struct buf *out)
{
    struct header_filter f;
    struct str run = STR_NONE;
    enum header_event event;
    unsigned ends = 0;

    header_filter_init(&f);
    for (size_t at = 0; at < in.len; at += step) {
        struct scan s = scan_of(str_sub(in, at, step));
        while ((event = header_filter(&f, &s, &run)) != HEADER_MORE) {
            ends += event == HEADER_END;
            if (event == HEADER_RUN)
                buf_add(out, run);
        }
        ASSERT(scan_at_end(&s));
    }
    while ((event = header_filter_end(&f, &run)) != HEADER_MORE) {
        ends += event == HEADER_END;
        if (event == HEADER_RUN)
            buf_add(out, run);
    }
    return ends;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct str in = str_from((const char *)data + 1, size - 1);
    AUTO_BUF clean = BUF(size * 2 + 2);
    AUTO_BUF whole = BUF(size * 2 + 8);
    AUTO_BUF parts = BUF(size * 2 + 8);
    AUTO_BUF written = BUF(size * 3 + 64);
    struct line_encoder e;
    struct scan s = scan_of(in);
    struct str run;
    struct header_field f;

    check_walk(in);
    line_encoder_init(&e);
    while (line_encode(&e, &s, &run) == LINE_RUN)
        buf_add(&clean, run);
    buf_add(&clean, STR("\r\n"));
    ASSERT(filter(buf_str(&clean), clean.len, &whole) == 1);
    ASSERT(filter(buf_str(&clean), 1 + data[0] % 40u, &parts) == 1);
    ASSERT(str_eq(buf_str(&whole), buf_str(&parts)));
    ASSERT(!header_find(buf_str(&whole), STR("Bcc"), &f));

    header_write(&written, STR("X-Test"), in);
    ASSERT(buf_status(&written) == OK);
    struct header_cursor c = header_cursor_of(buf_str(&written));
    if (written.len <= HEADER_BYTES_MAX) {
        ASSERT(header_next(&c, &f) && f.whole.len == written.len);
        ASSERT(!header_next(&c, &f));
    }
    return 0;
}
