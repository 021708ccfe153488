/* fetch_test.c - one GET from a server that answers well, badly, too much, or not at all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/fetch.h"

#include "base/size.h"
#include "role/testkit_web.h"
#include "rt/loop.h"

#define HEAD    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n\r\n"

enum { BODY_MAX = 16, PATIENCE_MS = 60000, SOON_MS = 200 };

static const char zone[] = "web.example A 127.0.0.1\nother.example A 127.0.0.1\n"
                           "late.example A TIMEOUT\n";

static const struct {
    const char *answer;
    enum status e;
    unsigned status;
    const char *body, *type, *why;
} rows[] = {
    {HEAD "Content-Length: 5\r\n\r\nhello", OK, 200, "hello", "text/plain", NULL},
    {HEAD "\r\nuntil the end", OK, 200, "until the end", "text/plain", NULL},
    {HEAD "Content-Length: 0\r\n\r\n", OK, 200, "", "text/plain", NULL},
    {HEAD CHUNKED "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", OK, 200, "hello", "text/plain", NULL},
    {"HTTP/1.1 301 Moved\r\nLocation: https://other.example/\r\nContent-Length: 0\r\n\r\n", OK, 301,
     "", "", NULL},
    {"HTTP/1.1 404 No\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno", OK, 404, "no",
     "text/html", NULL},
    {HEAD "Content-Length: 16\r\n\r\n0123456789abcdef", OK, 200, "0123456789abcdef", "text/plain",
     NULL},
    {HEAD "Content-Length: 17\r\n\r\n0123456789abcdefg", ERR_LIMIT, 0, NULL, NULL,
     "its answer is none of HTTP, or too long"},
    {HEAD "\r\n0123456789abcdefg", ERR_LIMIT, 0, NULL, NULL,
     "its answer is none of HTTP, or too long"},
    {HEAD CHUNKED "8\r\n01234567\r\n9\r\n89abcdefg\r\n0\r\n\r\n", ERR_LIMIT, 0, NULL, NULL,
     "its answer is none of HTTP, or too long"},
    {HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", ERR_SYNTAX, 0, NULL, NULL,
     "its answer is none of HTTP, or too long"},
    {HEAD "Content-Length: 9\r\n\r\nhello", ERR_SYNTAX, 0, NULL, NULL, /* cut short */
     "its answer is none of HTTP, or too long"},
    {HEAD CHUNKED "5\r\nhello\r\n", ERR_SYNTAX, 0, NULL, NULL,
     "its answer is none of HTTP, or too long"},
    {"220 mail.example ESMTP\r\n", ERR_SYNTAX, 0, NULL, NULL,
     "its answer is none of HTTP, or too long"},
};

static struct test_identity id;
static struct resolver *resolver;
static struct tls_client *trusts, *strange;

static struct fetch
fetch_of(const char *host)
{
    return (struct fetch){.resolver = resolver,
                          .tls = trusts,
                          .host = str_of(host),
                          .path = STR("/a.txt"),
                          .port = web.port,
                          .body_max = BODY_MAX,
                          .timeout_ms = PATIENCE_MS};
}

static SUSPENDS void
check_row(size_t i)
{
    AUTO_ARENA *a = arena_new(65536);
    struct fetch f = fetch_of("web.example");
    struct http_reply got = {0};

    web.answer = str_of(rows[i].answer);
    enum status e = fetch_get(&f, a, &got);
    ROW(i, e == rows[i].e);
    if (e != OK) {
        ROW(i, str_eq(str_of(f.why), str_of(rows[i].why)));
        return;
    }
    ROW(i, got.status == rows[i].status && str_eq(got.body, str_of(rows[i].body)));
    ROW(i, str_eq(got.content_type, str_of(rows[i].type)));
}

static SUSPENDS void
expect(struct fetch f, enum status e, const char *why)
{
    AUTO_ARENA *a = arena_new(65536);
    struct http_reply got;

    assert_int_equal(fetch_get(&f, a, &got), e);
    assert_str(str_of(f.why), str_of(why));
}

FIBER_ENTRY static void
ask_rows(void *arg)
{
    (void)arg;
    web_begin(&id);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_row(i);
    assert_int_equal(web.asked, COUNT_OF(rows)); /* a redirect is not followed */
    assert_str(str_of(web.request), STR("GET /a.txt HTTP/1.1|Host: web.example|User-Agent: Godwit|"
                                        "Accept: text/plain|Connection: close|"));
    web_end();
    loop_stop();
}

/* Who does not prove its name is asked nothing. */
FIBER_ENTRY static void
ask_others(void *arg)
{
    struct fetch f;

    (void)arg;
    web_begin(&id);
    web.answer = STR(HEAD "\r\nhello");
    expect(fetch_of("other.example"), ERR_DENIED, "its certificate is not to be trusted");
    f = fetch_of("web.example");
    f.tls = strange;
    expect(f, ERR_DENIED, "its certificate is not to be trusted");
    expect(fetch_of("none.example"), ERR_NOT_FOUND, "its name is not found");
    expect(fetch_of("late.example"), ERR_TEMP, "its name is not found");
    assert_int_equal(web.asked, 0);
    web.answer = STR(""); /* it takes the question, and says nothing */
    f = fetch_of("web.example");
    f.timeout_ms = SOON_MS;
    expect(f, ERR_TIMEOUT, "no answer in time");
    web_end();
    loop_stop();
}

FIBER_ENTRY static void
ask_in_clear(void *arg)
{
    AUTO_ARENA *a = arena_new(65536);
    struct http_reply got;

    (void)arg;
    web_begin(NULL);
    web.answer = STR(HEAD "\r\nhello");
    struct fetch f = fetch_of("web.example");
    assert_int_not_equal(fetch_get(&f, a, &got), OK);
    assert_str(str_of(f.why), STR("no TLS"));
    assert_int_equal(web.asked, 0);
    web_end();
    loop_stop();
}

static FIBER_ENTRY void
begin(void *arg)
{
    const struct resolver_options o = {.zone = STR(zone)};
    struct problem why;

    assert_int_equal(resolver_new(&o, &resolver, &why), OK);
    assert_int_equal(fiber_go((void (*)(void *))(uintptr_t)arg, NULL), OK);
}

static void
run(void (*entry)(void *))
{
    web_identity(&id, "DNS:web.example");
    assert_int_equal(tls_client_new(TLS_VERIFY_NAME, &trusts), OK);
    assert_int_equal(tls_client_new(TLS_VERIFY_NAME, &strange), OK);
    assert_int_equal(tls_client_trust(trusts, str_of(id.cert_pem)), OK);
    loop_init();
    assert_int_equal(fiber_go(begin, (void *)(uintptr_t)entry), OK);
    loop_run();
    resolver_free(&resolver);
    loop_release();
    tls_client_free(&trusts);
    tls_client_free(&strange);
    test_identity_release(&id);
}

static void
test_answers(void **state)
{
    (void)state;
    run(ask_rows);
}

static void
test_who_proves_nothing(void **state)
{
    (void)state;
    run(ask_others);
}

static void
test_in_clear(void **state)
{
    (void)state;
    run(ask_in_clear);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_who_proves_nothing),
        cmocka_unit_test(test_in_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
