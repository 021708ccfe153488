/* line_fuzz.c - the split of the input does not matter, and what comes out is clean.
 *
 * The first byte is the policy (bit 0) and whether the bytes are counted (bit 1), the second the size of the chunks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/size.h"
#include "mail/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything the decoder gives when fed in chunks of step bytes. */
static struct line_decoder
decode(struct str in, size_t step, unsigned way, struct buf *out)
{
    struct line_decoder d;
    struct str run;

    enum line_policy policy = (way & 1) != 0 ? LINE_NORMALISE : LINE_REFUSE;

    if ((way & 2) != 0)
        line_decoder_init_counted(&d, policy);
    else
        line_decoder_init(&d, policy);
    for (size_t at = 0; at < in.len; at += step) {
        struct scan s = scan_of(str_sub(in, at, step));
        enum line_event event;
        while ((event = line_decode(&d, &s, &run)) == LINE_RUN)
            buf_add(out, run);
        if (event == LINE_END)
            break;
        ASSERT(scan_at_end(&s));
    }
    if (d.counted)
        buf_add(out, line_decode_end(&d));
    return d;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    unsigned way = data[0] & 3u;
    struct str in = str_from((const char *)data + 2, size - 2);
    AUTO_BUF whole = BUF(size * 2 + 16);
    AUTO_BUF parts = BUF(size * 2 + 16);
    AUTO_BUF wire = BUF(size * 4 + 16);
    AUTO_BUF again = BUF(size * 4 + 16);

    struct line_decoder a = decode(in, in.len + 1, way, &whole);
    struct line_decoder b = decode(in, 1 + data[1] % 61u, way, &parts);
    ASSERT(str_eq(buf_str(&whole), buf_str(&parts)) && a.faults == b.faults);
    ASSERT(a.size == whole.len && a.longest == b.longest && a.lines == b.lines);
    if ((way & 2) != 0 && a.faults == 0 && in.len > 0) /* every dot stays */
        ASSERT(str_starts(buf_str(&whole), in) && str_ends(buf_str(&whole), STR("\r\n")));
    for (size_t i = 0; i < whole.len; i++) {
        ASSERT(whole.ptr[i] != '\0');
        ASSERT(whole.ptr[i] != '\n' || (i > 0 && whole.ptr[i - 1] == '\r'));
        ASSERT(whole.ptr[i] != '\r' || (i + 1 < whole.len && whole.ptr[i + 1] == '\n'));
    }

    /* Encoding what came out and decoding it changes nothing but an unfinished last line. */
    struct line_encoder e;
    struct str run;
    struct scan s = scan_of(buf_str(&whole));
    line_encoder_init(&e);
    while (line_encode(&e, &s, &run) == LINE_RUN)
        buf_add(&wire, run);
    buf_add(&wire, line_encode_end(&e));
    struct line_decoder c = decode(buf_str(&wire), 7, 0, &again);
    ASSERT(c.faults == 0 && str_starts(buf_str(&again), buf_str(&whole)));
    ASSERT(again.len - whole.len <= 2);
    return 0;
}
