/* fold_fuzz.c - at whatever chunk borders, no line is too long, and unfolding gives back what went in.
 *
 * The first byte seeds the borders.  The rest is text: LF becomes CRLF, and a byte from 0x0e to 0x1f stands for a run
 * of letters, so that small inputs reach the limit.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/size.h"
#include "base/status.h"
#include "smtp/fold.h"

enum { TEXT_MAX = 1 << 17, RUN_FIRST = 0x0e, RUN_LAST = 0x1f, RUN_STEP = 61 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
add_text(struct buf *text, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size && text->len < TEXT_MAX; i++) {
        if (data[i] == '\n')
            buf_add_char(text, '\r');
        if (data[i] >= RUN_FIRST && data[i] <= RUN_LAST)
            for (size_t n = (size_t)(data[i] - RUN_FIRST + 1) * RUN_STEP; n > 0; n--)
                buf_add_char(text, 'a');
        else if (data[i] != '\r') /* only before LF, as everything that was taken in has it */
            buf_add_char(text, (char)data[i]);
    }
}

static void
fold_all(struct str text, uint32_t seed, struct buf *out)
{
    static const uint32_t longest[] = {1, 3, 1000, 1 << 18};
    struct fold f = {0};

    while (text.len > 0) {
        seed = seed * 1103515245u + 12345u;
        size_t n = MIN(text.len, 1 + (seed >> 8) % longest[(seed >> 4) % COUNT_OF(longest)]);
        struct scan in = scan_of(str_sub(text, 0, n));
        struct str run;
        while (fold_next(&f, &in, &run)) {
            ASSERT(run.len > 0);
            buf_add(out, run);
        }
        ASSERT(scan_at_end(&in));
        text = str_skip(text, n);
    }
}

static void
check_lengths(struct str folded)
{
    size_t column = 0;

    for (size_t i = 0; i < folded.len; i++) {
        column = folded.ptr[i] == '\n' ? 0 : column + (folded.ptr[i] != '\r');
        ASSERT(column <= FOLD_LINE_MAX);
    }
}

/* What differs is a line end that was put in, before something that is not one, in a line that needs it. */
static void
check_unfolding(struct str folded, struct str text)
{
    size_t at = 0, line = 0;

    for (size_t i = 0; i < folded.len; i++) {
        if (at < text.len && folded.ptr[i] == text.ptr[at]) {
            at++;
            if (folded.ptr[i] == '\n')
                line = at;
            continue;
        }
        ASSERT(str_starts(str_skip(folded, i), STR("\r\n ")) && at < text.len);
        ssize_t len = str_find(str_skip(text, line), '\r');
        ASSERT(len < 0 ? text.len - line > FOLD_LINE_MAX : (size_t)len > FOLD_LINE_MAX);
        i += 2;
    }
    ASSERT(at == text.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF text = BUF(2 * TEXT_MAX);
    AUTO_BUF folded = BUF(4 * TEXT_MAX);

    if (size == 0)
        return 0;
    add_text(&text, data + 1, size - 1);
    fold_all(buf_str(&text), data[0], &folded);
    ASSERT(buf_status(&text) == OK && buf_status(&folded) == OK);
    check_lengths(buf_str(&folded));
    check_unfolding(buf_str(&folded), buf_str(&text));
    return 0;
}
