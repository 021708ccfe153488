/* http_reply_test.c - whole replies, parts of them, and what is none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/http_reply.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

static const struct {
    struct str bytes;
    enum status open, ended; /* while more may come; after the end */
    unsigned status;
    const char *body, *content_type;
} rows[] = {
    {STR(OK_HEAD "Content-Type: application/json;charset=utf-8\r\nContent-Length: 2\r\n\r\n{}"), OK,
     OK, 200, "{}", "application/json"},
    {STR(OK_HEAD "content-length:2\r\n\r\n{}more"), OK, OK, 200, "{}", ""},
    {STR(OK_HEAD "Content-Length: 0\r\n\r\n"), OK, OK, 200, "", ""},
    {STR(OK_HEAD "Content-Length: 3\r\n\r\n{}"), ERR_TEMP, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "\r\nall"), ERR_TEMP, OK, 200, "all", ""},
    {STR("HTTP/1.0 404 \r\nX:\r\n\r\n"), ERR_TEMP, OK, 404, "", ""},
    {STR("HTTP/1.1 503\r\nContent-Length: 1\r\n\r\nx"), OK, OK, 503, "x", ""},
    {STR("HTTP/1.1 204 No Content\r\n\r\n"), OK, OK, 204, "", ""},
    {STR("HTTP/1.1 100 Continue\r\n\r\n" OK_HEAD "Content-Length: 1\r\n\r\nx"), OK, OK, 200, "x",
     ""},
    {STR("HTTP/1.1 100 Continue\r\n\r\n"), ERR_TEMP, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\n\r\n"),
     OK, OK, 200, "abc0123456789", ""},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\n\r\n"), OK, OK,
     200, "a", ""},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"), ERR_TEMP, ERR_SYNTAX, 0,
     NULL, NULL},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nabc"), ERR_TEMP, ERR_SYNTAX, 0, NULL,
     NULL},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL,
     NULL},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\nx\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n-1\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL,
     NULL},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n100000000\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0,
     NULL, NULL},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n100000\r\n"), ERR_LIMIT, ERR_LIMIT, 0, NULL,
     NULL},
    {STR(OK_HEAD "Transfer-Encoding: gzip\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), ERR_SYNTAX,
     ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX,
     0, NULL, NULL},
    {STR(OK_HEAD "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"), ERR_SYNTAX, ERR_SYNTAX, 0,
     NULL, NULL},
    {STR(OK_HEAD "Content-Length: 1, 1\r\n\r\nx"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "Content-Length: -1\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "Content-Length:\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "Content-Length: 18446744073709551616\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL,
     NULL},
    {STR(OK_HEAD "Content-Length: 1000000\r\n\r\n"), ERR_LIMIT, ERR_LIMIT, 0, NULL, NULL},
    {STR(OK_HEAD "Content-Length : 1\r\n\r\nx"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD " folded: 1\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "no colon\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "X: a\nb\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(OK_HEAD "X: a\0b\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR("HTTP/2 200 OK\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR("HTTP/1.1 20 OK\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR("HTTP/1.1 2000 OK\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR("HTTP/1.1 600 OK\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR("HTTP/1.1 200OK\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR("220 mail ESMTP\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR("\r\n\r\n"), ERR_SYNTAX, ERR_SYNTAX, 0, NULL, NULL},
    {STR(""), ERR_TEMP, ERR_SYNTAX, 0, NULL, NULL},
    {STR("HTTP/1.1 200 OK\r\nConte"), ERR_TEMP, ERR_SYNTAX, 0, NULL, NULL},
};

static void
test_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int ended = 0; ended < 2; ended++) {
            AUTO_ARENA *a = arena_new(1u << 20);
            struct http_reply r = {.status = 77};
            enum status want = ended ? rows[i].ended : rows[i].open;
            ROW(i, http_reply_read(rows[i].bytes, ended, LIMIT_ASK_BODY_BYTES, a, &r) == want);
            if (want != OK) {
                ROW(i, r.status == 77);
                continue;
            }
            ROW(i, r.status == rows[i].status && str_eq(r.body, str_of(rows[i].body)));
            ROW(i, str_eq(r.content_type, str_of(rows[i].content_type)));
        }
    }
}

static void
test_it_is_incomplete_until_its_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t n = 0; rows[i].open == OK && n < rows[i].bytes.len; n++) {
            AUTO_ARENA *a = arena_new(1u << 20);
            struct http_reply r;
            enum status e =
                http_reply_read(str_sub(rows[i].bytes, 0, n), false, LIMIT_ASK_BODY_BYTES, a, &r);
            ROW(i, e == ERR_TEMP || (e == OK && i == 1)); /* row 1 has more than its reply */
        }
    }
}

static void
test_limits(void **state)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    AUTO_BUF b = BUF(1u << 20);
    struct http_reply r;

    (void)state;
    buf_add(&b, STR(OK_HEAD));
    while (b.len < LIMIT_ASK_HEAD_BYTES)
        buf_add(&b, STR("X-Filler: 0123456789\r\n"));
    assert_int_equal(http_reply_read(buf_str(&b), false, LIMIT_ASK_BODY_BYTES, a, &r), ERR_LIMIT);
    buf_reset(&b);
    buf_add(&b, STR(OK_HEAD "\r\n"));
    for (size_t i = 0; i <= LIMIT_ASK_BODY_BYTES; i++)
        buf_add_char(&b, 'x');
    assert_int_equal(http_reply_read(buf_str(&b), false, LIMIT_ASK_BODY_BYTES, a, &r), ERR_LIMIT);
    buf_reset(&b);
    buf_add(&b, STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"));
    for (size_t i = 0; i < LIMIT_ASK_BODY_BYTES / 16 + 1; i++)
        buf_add(&b, STR("10\r\n0123456789abcdef\r\n"));
    assert_int_equal(http_reply_read(buf_str(&b), false, LIMIT_ASK_BODY_BYTES, a, &r), ERR_LIMIT);
    buf_reset(&b);
    for (size_t i = 0; i < 100; i++)
        buf_add(&b, STR("HTTP/1.1 103 Early Hints\r\n\r\n"));
    assert_int_equal(http_reply_read(buf_str(&b), false, LIMIT_ASK_BODY_BYTES, a, &r), ERR_SYNTAX);
    buf_reset(&b);
    buf_add(&b, STR(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"));
    for (size_t i = 0; i < 400; i++)
        buf_add_char(&b, '0');
    assert_int_equal(http_reply_read(buf_str(&b), false, LIMIT_ASK_BODY_BYTES, a, &r), ERR_SYNTAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_it_is_incomplete_until_its_end),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
