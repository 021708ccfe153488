/* fold_test.c - lines around the limit, cut into chunks everywhere.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <string.h>

#include "base/buf.h"
#include "base/size.h"
#include "smtp/fold.h"

static struct buf
folded(struct str text, size_t chunk)
{
    struct buf out = BUF(1 << 20);
    struct fold f = {0};

    for (size_t at = 0; at < text.len; at += chunk) {
        struct scan in = scan_of(str_sub(text, at, chunk));
        struct str run;
        while (fold_next(&f, &in, &run)) {
            assert_true(run.len > 0);
            buf_add(&out, run);
        }
    }
    return out;
}

static void
check_lines(struct str text)
{
    struct str line;

    while (str_split(&text, '\n', &line)) {
        assert_true(line.len <= FOLD_LINE_MAX + 1); /* with CR */
        assert_true(line.len == 0 || (line.ptr[0] & 0xc0) != 0x80);
    }
}

/* A line of n bytes: first, then as many of fill as fit. */
static void
add_line(struct buf *b, size_t n, const char *fill)
{
    size_t len = strlen(fill), left = n;

    for (; left >= len; left -= len)
        buf_add_z(b, fill);
    for (; left > 0; left--)
        buf_add_char(b, 'x');
    buf_add_z(b, "\r\n");
}

static const struct {
    size_t len;
    const char *fill;
    size_t lines; /* that it becomes */
} rows[] = {
    {0, "a", 1},
    {1, "a", 1},
    {997, "a", 1},
    {998, "a", 1},
    {999, "a", 2},
    {1000, "a", 2},
    {1995, "a", 2},
    {1996, "a", 3},
    {100000, "a", 101},
    {998, ".", 1},
    {999, ".", 2},
    {998, "\xc3\xa4", 1},
    {999, "\xc3\xa4", 2},
    {1001, "\xe2\x82\xac", 2},
    {5000, "\xf0\x9f\x93\xa7", 6},
    {1500, "\xff", 2},
};

static void
test_lengths(void **state)
{
    static const size_t chunks[] = {1, 2, 3, 997, 998, 999, 1000, 4096, 1 << 20};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF text = BUF(1 << 20);
        add_line(&text, 5, "b");
        add_line(&text, rows[i].len, rows[i].fill);
        add_line(&text, 5, "b");
        for (size_t k = 0; k < COUNT_OF(chunks); k++) {
            AUTO(buf_release) struct buf out = folded(buf_str(&text), chunks[k]);
            size_t lines = 0;
            for (size_t n = 0; n < out.len; n++)
                lines += out.ptr[n] == '\n';
            ROW(i, lines == rows[i].lines + 2);
            ROW(i, rows[i].lines > 1 || str_eq(buf_str(&out), buf_str(&text)));
            if (chunks[k] > 3)
                check_lines(buf_str(&out));
        }
    }
}

/* Nothing is lost: without what was put in it is the text. */
static void
test_nothing_is_lost(void **state)
{
    AUTO_BUF text = BUF(65536);
    AUTO_BUF back = BUF(65536);
    (void)state;

    add_line(&text, 3000, "abcdefg");
    AUTO(buf_release) struct buf out = folded(buf_str(&text), 100);
    for (size_t i = 0; i < out.len; i++) {
        if (str_starts(str_skip(buf_str(&out), i), STR("\r\n ")))
            i += 2;
        else
            buf_add_char(&back, out.ptr[i]);
    }
    assert_true(str_eq(buf_str(&back), buf_str(&text)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
