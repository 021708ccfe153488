/* scanner_fuzz.c - whatever a scanner answers, it is a wish with harmless texts, or refused whole.
 *
 * The first byte chooses whose answer it is.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "filter/scanner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(struct str s, size_t max)
{
    ASSERT(s.len <= max);
    for (size_t i = 0; i < s.len; i++)
        ASSERT(s.ptr[i] >= ' ' && s.ptr[i] <= '~');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    struct scanner_answer out = {.score = -1};
    enum status e;

    if (size == 0)
        return 0;
    struct str in = str_from((const char *)data + 1, MIN(size - 1, (size_t)65536));
    if (data[0] % 3 == 0)
        e = spamd_answer_read(in, a, &out);
    else
        e = data[0] % 3 == 1 ? clamd_answer_read(in, a, &out) : rspamd_answer_read(in, a, &out);
    ASSERT(e == OK || e == ERR_SYNTAX || e == ERR_NOT_FOUND);
    if (e == ERR_SYNTAX) {
        ASSERT(out.score == -1 && out.text.ptr == NULL);
        return 0;
    }
    ASSERT(out.wish < SCANNER_WISHES);
    ASSERT(out.score > -SCANNER_POINTS_MAX && out.score < SCANNER_POINTS_MAX);
    ASSERT(out.required > -SCANNER_POINTS_MAX && out.required < SCANNER_POINTS_MAX);
    check_text(out.text, SCANNER_TEXT_MAX);
    check_text(out.tests, SCANNER_TESTS_MAX);
    return 0;
}
