/* encoded_word_fuzz.c - decoding gives valid UTF-8 on one line, and what is written is read back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO_BUF b = BUF(size * 16 + 64);
    AUTO_BUF wire = BUF(size * 4 + 64);
    AUTO_BUF back = BUF(size * 16 + 64);
    struct str name = STR_NONE;
    struct str rest = in;

    encoded_word_decode(in, &b);
    ASSERT(buf_status(&b) == OK && utf8_valid(buf_str(&b)));
    ASSERT(str_find(buf_str(&b), '\n') < 0 && str_find(buf_str(&b), '\0') < 0);
    if (utf8_valid(in) && !str_is_ascii(in) && str_find(in, '\0') < 0 && str_find(in, '\r') < 0 &&
        str_find(in, '\n') < 0) {
        encoded_word_write(&wire, in);
        encoded_word_decode(buf_str(&wire), &back);
        ASSERT(str_eq(buf_str(&back), in));
    }
    if (str_split(&rest, '\n', &name)) {
        buf_reset(&b);
        charset_to_utf8(name, rest, &b);
        ASSERT(buf_status(&b) == OK && utf8_valid(buf_str(&b)));
    }
    return 0;
}
