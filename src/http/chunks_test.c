/* chunks_test.c - bodies in chunks, whole and byte by byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/size.h"
#include "http/chunks.h"

static const struct row {
    struct str text;
    enum status wanted; /* OK: it ends; ERR_TEMP: more is to come */
    struct str body;
    size_t rest; /* bytes after the end */
} rows[] = {
    {STR("0\r\n\r\n"), OK, STR(""), 0},
    {STR("5\r\nhello\r\n0\r\n\r\n"), OK, STR("hello"), 0},
    {STR("5\r\nhello\r\n06\r\n world\r\n0\r\n\r\nGET"), OK, STR("hello world"), 3},
    {STR("A;name=\"v\"\r\n0123456789\r\n0;x\r\n\r\n"), OK, STR("0123456789"), 0},
    {STR("1\r\na\r\n00000000\r\nX: y\r\nZ: w\r\n\r\n"), OK, STR("a"), 0},
    {STR("2\r\n\r\n\r\n0\r\n\r\n"), OK, STR("\r\n"), 0},
    {STR(""), ERR_TEMP, STR(""), 0},
    {STR("5\r\nhel"), ERR_TEMP, STR("hel"), 0},
    {STR("5\r\nhello\r\n0\r\n"), ERR_TEMP, STR("hello"), 0},
    {STR("\r\n"), ERR_SYNTAX, STR(""), 0},
    {STR("x\r\n"), ERR_SYNTAX, STR(""), 0},
    {STR("-1\r\n"), ERR_SYNTAX, STR(""), 0},
    {STR("0x5\r\nhello"), ERR_SYNTAX, STR(""), 0},
    {STR(" 5\r\nhello"), ERR_SYNTAX, STR(""), 0},
    {STR("5 \r\nhello"), ERR_SYNTAX, STR(""), 0},
    {STR("5\nhello\n0\n\n"), ERR_SYNTAX, STR(""), 0},
    {STR("5\r\nhello0\r\n\r\n"), ERR_SYNTAX, STR("hello"), 0},
    {STR("5\r\nhello\n0\r\n\r\n"), ERR_SYNTAX, STR("hello"), 0},
    {STR("5;a\rb\r\nhello"), ERR_SYNTAX, STR(""), 0},
    {STR("5;a\x01\r\nhello"), ERR_SYNTAX, STR(""), 0},
    {STR("000000005\r\nhello"), ERR_SYNTAX, STR(""), 0},
    {STR("0\r\nX: y\n\r\n"), ERR_SYNTAX, STR(""), 0},
    {STR("0\r\n X: y\r\n\r\n"), ERR_SYNTAX, STR(""), 0},
    {STR("0\r\n\rx"), ERR_SYNTAX, STR(""), 0},
};

static enum status
take(struct http_chunks *c, struct scan *in, struct buf *body)
{
    struct str piece;
    enum status e;

    while ((e = http_chunks_next(c, in, &piece)) == OK && c->at != HTTP_CHUNK_END)
        buf_add(body, piece);
    return e;
}

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF whole = BUF(1000);
        AUTO_BUF slow = BUF(1000);
        struct http_chunks c = {0}, d = {0};
        struct scan in = scan_of(rows[i].text);
        enum status e = take(&c, &in, &whole), f = ERR_TEMP;
        for (size_t n = 0; n < rows[i].text.len && f == ERR_TEMP; n++) {
            struct scan one = scan_of(str_sub(rows[i].text, n, 1));
            f = take(&d, &one, &slow);
        }
        if (e != rows[i].wanted || f != e || !str_eq(buf_str(&whole), rows[i].body) ||
            !str_eq(buf_str(&slow), rows[i].body) || (e == OK && scan_left(&in) != rows[i].rest))
            fail_msg("row %zu", i);
    }
}

static void
test_what_is_thrown_away_has_a_bound(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        AUTO_BUF text = BUF(LIMIT_HTTP_CHUNK_EXTRA_BYTES + 100);
        AUTO_BUF body = BUF(10);
        struct http_chunks c = {0};
        buf_add_z(&text, "1;");
        for (size_t i = 0; i < LIMIT_HTTP_CHUNK_EXTRA_BYTES / 2; i++)
            buf_add_char(&text, 'x');
        buf_add_z(&text, "\r\na\r\n0\r\n");
        for (size_t i = 0; i < LIMIT_HTTP_CHUNK_EXTRA_BYTES / 2 + more; i++)
            buf_add_char(&text, 'x');
        buf_add_z(&text, "\r\n\r\n");
        struct scan in = scan_of(buf_str(&text));
        assert_int_equal(take(&c, &in, &body), more > 0 ? ERR_SYNTAX : OK);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_what_is_thrown_away_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
