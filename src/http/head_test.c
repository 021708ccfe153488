/* head_test.c - heads of requests: what is taken, and which status refuses the rest.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/size.h"
#include "http/head.h"

#define HOST "Host: a.example\r\n"
#define GET  "GET / HTTP/1.1\r\n" HOST

static const struct row {
    struct str text;
    unsigned status; /* 0 = taken */
    enum http_framing framing;
    uint64_t length;
    bool close, expects;
} rows[] = {
    {STR(GET "\r\n"), 0, HTTP_EMPTY, 0, false, false},
    {STR("GET / HTTP/1.0\r\n\r\n"), 0, HTTP_EMPTY, 0, true, false},
    {STR("GET / HTTP/1.7\r\n" HOST "\r\n"), 0, HTTP_EMPTY, 0, false, false},
    {STR("POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"), 0, HTTP_LENGTH, 5, false, false},
    {STR("POST /x HTTP/1.1\r\n" HOST "content-length:0\r\n\r\n"), 0, HTTP_EMPTY, 0, false, false},
    {STR("POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"), 0, HTTP_CHUNKED, 0,
     false, false},
    {STR(GET "Connection: x, Close\r\n\r\n"), 0, HTTP_EMPTY, 0, true, false},
    {STR(GET "Connection: keep-alive\r\n\r\n"), 0, HTTP_EMPTY, 0, false, false},
    {STR(GET "Expect: 100-Continue\r\n\r\n"), 0, HTTP_EMPTY, 0, false, true},
    {STR("GET http://a.example/x?y HTTP/1.1\r\n" HOST "\r\n"), 0, HTTP_EMPTY, 0, false, false},
    {STR("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 0, HTTP_EMPTY, 0, false, false},
    {STR(GET "X: a\tb \xc3\xa9 \r\n\r\n"), 0, HTTP_EMPTY, 0, false, false},
    {STR(GET "X:\r\n\r\n"), 0, HTTP_EMPTY, 0, false, false},
    /* the request line */
    {STR(""), 400, 0, 0, 0, 0},
    {STR("\r\n"), 400, 0, 0, 0, 0},
    {STR("GET / HTTP/1.1"), 400, 0, 0, 0, 0},
    {STR("GET / HTTP/1.1\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET  / HTTP/1.1\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET /  HTTP/1.1\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET\t/ HTTP/1.1\r\n" HOST "\r\n"), 501, 0, 0, 0, 0},
    {STR(" GET / HTTP/1.1\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET / HTTP/1.1 \r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET / http/1.1\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET / HTTP/2.0\r\n" HOST "\r\n"), 505, 0, 0, 0, 0},
    {STR("GET / HTTP/1.10\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET /\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET x HTTP/1.1\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET http:///x HTTP/1.1\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET /a#b HTTP/1.1\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET /a\x80 HTTP/1.1\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("MORETHANSIXTEENLETTERS / HTTP/1.1\r\n" HOST "\r\n"), 400, 0, 0, 0, 0},
    /* fields */
    {STR("GET / HTTP/1.1\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET HOST "\r\n"), 400, 0, 0, 0, 0},
    {STR("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "X : y\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET " X: y\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "X: y\r\n z\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "X\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET ": y\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "X: a\x01z\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "X: a\x7fz\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "X: a\rb\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "X: a\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "X: y\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "\r\nmore"), 400, 0, 0, 0, 0},
    {STR(GET "Expect: cake\r\n\r\n"), 417, 0, 0, 0, 0},
    /* what could be read in two ways */
    {STR(GET "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "Content-Length: 5, 5\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "Content-Length: +5\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "Content-Length: 0x5\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "Content-Length: \r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "Content-Length: 9223372036854775808\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR(GET "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501, 0, 0, 0, 0},
    {STR(GET "Transfer-Encoding: chunked, chunked\r\n\r\n"), 501, 0, 0, 0, 0},
    {STR(GET "Transfer-Encoding: identity\r\n\r\n"), 501, 0, 0, 0, 0},
    {STR(GET "Transfer-Encoding : chunked\r\n\r\n"), 400, 0, 0, 0, 0},
    {STR("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400, 0, 0, 0, 0},
};

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct http_head h = {.length = 77};
        const struct row *r = &rows[i];
        struct http_refusal got = http_head_read(r->text, a, &h);
        if (got.status != r->status || (got.why != NULL) != (r->status != 0))
            fail_msg("row %zu is %u: %.*s", i, got.status, STR_FMT(r->text));
        if (r->status != 0) {
            assert_int_equal(h.length, 77);
            continue;
        }
        assert_int_equal(h.framing, r->framing);
        assert_int_equal(h.length, r->length);
        assert_int_equal(h.close, r->close);
        assert_int_equal(h.expects, r->expects);
    }
}

static void
test_parts(void **state)
{
    AUTO_ARENA *a = arena_new(65536);
    struct http_head h;

    (void)state;
    assert_int_equal(http_head_read(STR("PUT https://b.example:1/x%20y/?a=b?c HTTP/1.1\r\n"
                                        "HOST:  a.example:8 \r\nX-One: 1\r\nx-one: 2\r\n\r\n"),
                                    a, &h)
                         .status,
                     0);
    assert_true(str_eq(h.method, STR("PUT")) && str_eq(h.path, STR("/x%20y/")));
    assert_true(str_eq(h.query, STR("a=b?c")) && str_eq(h.host, STR("a.example:8")));
    assert_true(str_eq(http_head_field(&h, STR("X-ONE")), STR("1")));
    assert_null(http_head_field(&h, STR("X-Two")).ptr);
}

static void
test_limits(void **state)
{
    (void)state;
    for (unsigned more = 0; more < 2; more++) {
        AUTO_ARENA *a = arena_new(65536);
        AUTO_BUF many = BUF(LIMIT_HTTP_HEAD_BYTES + 1000);
        AUTO_BUF wide = BUF(LIMIT_HTTP_HEAD_BYTES + 1000);
        struct http_head h;
        buf_add_z(&many, GET);
        for (unsigned i = 1; i < LIMIT_HTTP_FIELDS + more; i++)
            buf_add_z(&many, "X: y\r\n");
        buf_add_z(&many, "\r\n");
        assert_int_equal(http_head_read(buf_str(&many), a, &h).status, more > 0 ? 431 : 0);
        buf_add_z(&wide, "GET /");
        for (unsigned i = 1; i < LIMIT_HTTP_TARGET_BYTES + more; i++)
            buf_add_char(&wide, 'x');
        buf_add_z(&wide, " HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(http_head_read(buf_str(&wide), a, &h).status, more > 0 ? 414 : 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
