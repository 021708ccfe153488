/* encode_fuzz.c - round trips of base64, hex and UTF-8, and decoders on anything.
 *
 * Contract:  decode(encode(x)) = x for every x; what a strict decoder accepts is exactly what the
 *            encoder writes; a refusal leaves the buffer as it was; utf8_valid() agrees with a walk
 *            by scan_utf8(), and a walk written back gives the same bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_base64(struct str in)
{
    AUTO_BUF text = BUF(in.len / 3 * 4 + 4);
    AUTO_BUF back = BUF(in.len);

    buf_add_base64(&text, in);
    ASSERT(buf_status(&text) == OK && text.len == (in.len + 2) / 3 * 4);
    ASSERT(base64_decode(buf_str(&text), &back) == OK && str_eq(buf_str(&back), in));
}

static void
check_hex(struct str in)
{
    AUTO_BUF text = BUF(in.len * 2);
    AUTO_BUF back = BUF(in.len);

    buf_add_hex(&text, in);
    ASSERT(buf_status(&text) == OK && text.len == in.len * 2);
    ASSERT(hex_decode(buf_str(&text), &back) == OK && str_eq(buf_str(&back), in));
}

static void
check_decoders(struct str in)
{
    AUTO_BUF b = BUF(1 + in.len);
    AUTO_BUF again = BUF(in.len);

    buf_add_char(&b, '>');
    if (base64_decode(in, &b) == OK) {
        buf_add_base64(&again, str_skip(buf_str(&b), 1));
        ASSERT(buf_status(&again) == OK && str_eq(buf_str(&again), in));
    } else {
        ASSERT(b.len == 1 && buf_status(&b) == OK);
    }
    b.len = 1;
    buf_reset(&again);
    if (hex_decode(in, &b) == OK) {
        buf_add_hex(&again, str_skip(buf_str(&b), 1));
        ASSERT(buf_status(&again) == OK && str_eq_nocase(buf_str(&again), in));
    } else {
        ASSERT(b.len == 1 && buf_status(&b) == OK);
    }
}

static void
check_utf8(struct str in)
{
    AUTO_BUF again = BUF(in.len);
    struct scan s = scan_of(in);
    bool ascii = true;
    uint32_t v = 0;

    while (scan_utf8(&s, &v)) {
        ASSERT(v <= 0x10ffff && (v < 0xd800 || v > 0xdfff));
        ascii = ascii && v < 0x80;
        buf_add_utf8(&again, v);
    }
    ASSERT(buf_status(&again) == OK);
    ASSERT(str_eq(buf_str(&again), str_from(in.ptr, again.len)));
    ASSERT(scan_left(&s) == in.len - again.len);
    ASSERT(utf8_valid(in) == scan_at_end(&s));
    ASSERT(str_is_ascii(in) == (ascii && scan_at_end(&s)));
}

/* Limits below, at and above what the result needs. */
static void
check_limits(struct str in)
{
    AUTO_BUF text = BUF(in.len * 2 + 4);
    AUTO_BUF tight = BUF(in.len - 1);

    buf_add_base64(&text, in);
    ASSERT(base64_decode(buf_str(&text), &tight) == ERR_LIMIT && tight.len == 0);
    buf_reset(&text);
    buf_reset(&tight);
    buf_add_hex(&text, in);
    ASSERT(hex_decode(buf_str(&text), &tight) == ERR_LIMIT && tight.len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);

    check_base64(in);
    check_hex(in);
    check_decoders(in);
    check_utf8(in);
    if (in.len > 0)
        check_limits(in);
    return 0;
}
