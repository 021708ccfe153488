/* imap_name_fuzz.c - modified UTF-7 both ways, and LIST patterns against a model that tries everything.
 *
 * The first byte: how long the pattern is.  The rest: the pattern, then the name.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/mem.h"
#include "base/size.h"
#include "imap/parse.h"

enum { NAME_MAX_HERE = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_utf7(struct str in)
{
    AUTO_BUF utf8 = BUF(4096);
    AUTO_BUF wire = BUF(8192);
    AUTO_BUF again = BUF(8192);

    if (utf8_valid(in) && str_find(in, '\0') < 0) {
        imap_utf7_encode(in, &wire);
        ASSERT(buf_status(&wire) == OK && str_is_ascii(buf_str(&wire)));
        bool clean = true;
        for (size_t i = 0; i < in.len; i++)
            clean = clean && (unsigned char)in.ptr[i] >= ' ' && in.ptr[i] != 0x7f;
        if (clean)
            ASSERT(imap_utf7_decode(buf_str(&wire), &again) == OK && str_eq(buf_str(&again), in));
    }
    if (imap_utf7_decode(in, &utf8) != OK)
        return;
    ASSERT(utf8_valid(buf_str(&utf8)) && str_find(buf_str(&utf8), '\0') < 0);
}

/* reach[n]: the pattern so far fits the first n bytes of the name. */
static bool
model_match(struct str pattern, struct str name)
{
    bool reach[NAME_MAX_HERE + 1] = {true};

    for (size_t p = 0; p < pattern.len; p++) {
        char c = pattern.ptr[p];
        if (c == '*' || c == '%') {
            for (size_t n = 1; n <= name.len; n++)
                reach[n] = reach[n] || (reach[n - 1] && (c == '*' || name.ptr[n - 1] != '/'));
            continue;
        }
        for (size_t n = name.len; n > 0; n--)
            reach[n] = reach[n - 1] && name.ptr[n - 1] == c;
        reach[0] = false;
    }
    return reach[name.len];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > NAME_MAX_HERE)
        return 0;
    struct str in = str_from((const char *)data + 1, size - 1);
    struct str pattern = str_sub(in, 0, MIN((size_t)data[0], in.len));
    struct str name = str_skip(in, pattern.len);

    check_utf7(in);
    ASSERT(imap_match(pattern, name) == model_match(pattern, name));
    return 0;
}
