/* canon_test.c - canonical forms in every split, and the signature field.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/size.h"
#include "mail/canon.h"
#include "mail/header.h"

static const struct {
    const char *in;
    const char *simple;
    const char *relaxed;
} bodies[] = {
    /* RFC 6376 section 3.4.5 */
    {" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
    {"", "\r\n", ""},
    {"\r\n", "\r\n", ""},
    {"\r\n\r\n\r\n", "\r\n", ""},
    {" \t\r\n\r\n", " \t\r\n", ""},
    {"a", "a\r\n", "a\r\n"},
    {"a\r\n", "a\r\n", "a\r\n"},
    {"\r\n\r\na\r\n", "\r\n\r\na\r\n", "\r\n\r\na\r\n"},
    {"a b  c\td \r\n\r\n e\r\n \r\n", "a b  c\td \r\n\r\n e\r\n \r\n", "a b c d\r\n\r\n e\r\n"},
    {"a ", "a \r\n", "a\r\n"},
    {"a\rb\nc", "a\rb\nc\r\n", "a\rb\nc\r\n"},
    {"a\r", "a\r\r\n", "a\r\r\n"},
    {"a \r", "a \r\r\n", "a \r\r\n"},
    {"a\r\r\n", "a\r\r\n", "a\r\r\n"},
};

static void
test_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct str in = str_of(bodies[i].in);
        for (int kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
            const char *want = kind == CANON_SIMPLE ? bodies[i].simple : bodies[i].relaxed;
            for (size_t step = 1; step <= in.len + 1; step++) {
                AUTO_BUF b = BUF(1000);
                struct canon_body c;
                struct str run;

                canon_body_init(&c, (enum canon_kind)kind);
                for (size_t at = 0; at < in.len; at += step) {
                    struct scan s = scan_of(str_sub(in, at, step));
                    while (canon_body(&c, &s, &run) == CANON_RUN)
                        buf_add(&b, run);
                    assert_true(scan_at_end(&s));
                }
                while (canon_body_end(&c, &run) == CANON_RUN)
                    buf_add(&b, run);
                if (!str_eq(buf_str(&b), str_of(want)))
                    fail_msg("row %zu kind %d, chunks of %zu: \"%.*s\"", i, kind, step,
                             STR_FMT(buf_str(&b)));
                assert_int_equal(c.size, b.len);
            }
        }
    }
}

static void
test_many_breaks(void **state)
{
    struct canon_body c;
    struct scan s;
    struct str run;
    uint64_t total = 0;
    (void)state;

    canon_body_init(&c, CANON_RELAXED);
    for (int i = 0; i < 100000; i++) {
        s = scan_of(STR("\r\n"));
        assert_int_equal(canon_body(&c, &s, &run), CANON_MORE);
    }
    s = scan_of(STR("x"));
    while (canon_body(&c, &s, &run) == CANON_RUN)
        total += run.len;
    assert_int_equal(total, 200001);
}

static void
test_headers(void **state)
{
    AUTO_BUF b = BUF(1000);
    (void)state;

    /* RFC 6376 section 3.4.5 */
    canon_header(&b, CANON_RELAXED, STR("A: X\r\n"));
    canon_header(&b, CANON_RELAXED, STR("B : Y\t\r\n\tZ  \r\n"));
    canon_header(&b, CANON_RELAXED, STR("Empty:\r\n"));
    canon_header(&b, CANON_SIMPLE, STR("B : Y\t\r\n\tZ  \r\n"));
    assert_true(str_eq(buf_str(&b), STR("a:X\r\nb:Y Z\r\nempty:\r\nB : Y\t\r\n\tZ  \r\n")));
}

static const char header[] = "Received: x\r\n"
                             "From: Joe <joe@x.org>\r\n"
                             "To: a@x.org\r\n"
                             "Subject:  one\r\n two\r\n"
                             "To: b@x.org\r\n"
                             "List-Id: <l.x.org>\r\n"
                             "X-Other: y\r\n\r\n";

static void
test_signature(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF names = BUF(2000);
    AUTO_BUF field = BUF(4000);
    AUTO_BUF input = BUF(8000);
    struct header_field f;
    struct dkim_signature s = {.algorithm = STR("rsa-sha256"),
                               .domain = STR("x.org"),
                               .selector = STR("s2026"),
                               .body_hash = STR("0123456789abcdef0123456789abcdef"),
                               .time = {INT64_C(1795467672000000)}};
    (void)state;

    dkim_names_write(STR(header), a, &names);
    assert_true(str_eq(buf_str(&names),
                       STR("from:from:to:to:to:cc:subject:subject:date:reply-to:message-id:"
                           "mime-version:content-type:list-id")));
    dkim_header_write(&field, &s, buf_str(&names));
    dkim_header_input(STR(header), buf_str(&names), buf_str(&field), &input);
    assert_true(str_eq(
        buf_str(&input),
        STR("from:Joe <joe@x.org>\r\nto:b@x.org\r\nto:a@x.org\r\nsubject:one two\r\n"
            "list-id:<l.x.org>\r\n"
            "dkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; d=x.org; s=s2026; t=1795467672; "
            "h=from:from:to:to:to:cc:subject:subject:date:reply-to:message-id: mime-version:"
            "content-type:list-id; bh=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=; b=")));

    dkim_header_finish(&field, STR(header)); /* any long bytes for a signature */
    assert_true(header_find(buf_str(&field), STR("DKIM-Signature"), &f));
    assert_int_equal(f.whole.len, field.len);
    struct str rest = buf_str(&field);
    struct str line = STR_NONE;
    while (str_split(&rest, '\n', &line))
        assert_true(line.len <= 79);
}

/* The message of RFC 8463 appendix A.3: what follows is what its two signatures were made of. */
static void
test_rfc8463(void **state)
{
    static const char message[] =
        "From: Joe SixPack <joe@football.example.com>\r\n"
        "To: Suzie Q <suzie@shopping.example.net>\r\n"
        "Subject: Is dinner ready?\r\n"
        "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
        "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n";
    static const char field[] = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                                " d=football.example.com; i=@football.example.com;\r\n"
                                " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
                                " date : message-id : from : subject : date;\r\n"
                                " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=";
    static const char want[] =
        "from:Joe SixPack <joe@football.example.com>\r\n"
        "to:Suzie Q <suzie@shopping.example.net>\r\n"
        "subject:Is dinner ready?\r\n"
        "date:Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
        "message-id:<20030712040037.46341.5F8J@football.example.com>\r\n"
        "dkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; d=football.example.com; "
        "i=@football.example.com; q=dns/txt; s=test; t=1528637909; h=from : to : subject : date : "
        "message-id : from : subject : date; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b=";
    AUTO_BUF input = BUF(8000);
    (void)state;

    dkim_header_input(STR(message),
                      STR("from : to : subject : date : message-id : from : subject : date"),
                      STR(field), &input);
    assert_true(str_eq(buf_str(&input), STR(want)));
}

/* A field repeated without end is named a bounded number of times. */
/* How to leave a list (RFC 8058 section 4): covered, and none can be added; what is not there may be. */
static void
test_lists(void **state)
{
    static const struct {
        const char *fields, *end;
    } rows[] = {
        {"", "content-type"},
        {"List-Id: <l>\r\nList-Post: <p>\r\n", "content-type:list-id:list-post"},
        {"List-Unsubscribe: <https://x.org/u>\r\n",
         "content-type:list-unsubscribe:list-unsubscribe"},
        {"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Unsubscribe: "
         "<https://x.org/u>\r\n",
         "content-type:list-unsubscribe:list-unsubscribe:list-unsubscribe-post:list-unsubscribe-"
         "post"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1 << 20);
        AUTO_BUF names = BUF(2000);
        dkim_names_write(arena_printf(a, "From: a@x.org\r\n%s\r\n", rows[i].fields), a, &names);
        if (!str_ends(buf_str(&names), str_of(rows[i].end)))
            fail_msg("%s: %.*s", rows[i].fields, STR_FMT(buf_str(&names)));
    }
}

static void
test_many_fields(void **state)
{
    AUTO_ARENA *a = arena_new(4 << 20);
    AUTO_BUF block = BUF(1 << 20);
    AUTO_BUF names = BUF(2000);
    (void)state;

    for (int i = 0; i < 4000; i++)
        buf_add(&block, STR("Subject: x\r\n"));
    dkim_names_write(buf_str(&block), a, &names);
    assert_int_equal(buf_status(&names), OK);
    assert_true(names.len < 400);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),      cmocka_unit_test(test_many_breaks),
        cmocka_unit_test(test_headers),     cmocka_unit_test(test_signature),
        cmocka_unit_test(test_many_fields), cmocka_unit_test(test_rfc8463),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
