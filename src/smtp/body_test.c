/* body_test.c - bytes after DATA, cut anywhere: what is kept, what is refused, and what is the next command.
 *
 * No body here is larger than a piece, so nothing suspends, and no fiber is needed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/limits.h"
#include "base/size.h"
#include "smtp/body.h"

#define FIELDS "Date: d\r\nMessage-ID: m\r\n"
#define BINARY "MIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n"
#define BASE64 "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n"

enum {
    REFUSE,
    FILTER,
    FROM,  /* FILTER, and a From to fill in */
    GUARD, /* REFUSE, and no forged fields */
};
#define OURS "Authentication-Results: mail.example; x=y\r\n"
static const struct {
    int policy;
    const char *in;
    enum status status;
    const char *body; /* of a good one */
    const char *rest; /* NULL: the end does not come */
} rows[] = {
    {REFUSE, "a\r\n.\r\n", OK, "a\r\n", ""},
    {REFUSE, ".\r\n", OK, "", ""},
    {REFUSE, "a\r\n.\r\nQUIT\r\n", OK, "a\r\n", "QUIT\r\n"},
    {REFUSE, "\r\n.\r\n", OK, "\r\n", ""},
    {REFUSE, "..\r\n.\r\n", OK, ".\r\n", ""},
    {REFUSE, ".a\r\n.\r\n", OK, "a\r\n", ""},
    {REFUSE, "a.\r\n.\r\n", OK, "a.\r\n", ""},
    {REFUSE, "a\r\n..\r\n...\r\n.\r\n", OK, "a\r\n.\r\n..\r\n", ""},
    {REFUSE, "a\r\n. \r\n.\r\n", OK, "a\r\n \r\n", ""},
    {REFUSE, "\xff\xfe\r\n.\r\n", OK, "\xff\xfe\r\n", ""},
    {REFUSE, "a\r\n.", OK, NULL, NULL},
    {REFUSE, "a\r\n.\r", OK, NULL, NULL},
    {REFUSE, "a.\r\n", OK, NULL, NULL},
    /* smuggling: no other end than CRLF "." CRLF, and never a message with such bytes */
    {REFUSE, "a\n.\n", OK, NULL, NULL},
    {REFUSE, "a\n.\r\n", OK, NULL, NULL},
    {REFUSE, "a\r.\r\n", OK, NULL, NULL},
    {REFUSE, "a\r\n.\n", OK, NULL, NULL},
    {REFUSE, "a\r\n.\r", OK, NULL, NULL},
    {REFUSE, "\n.\r\n", OK, NULL, NULL},
    {REFUSE, "a\n.\nMAIL FROM:<>\r\n.\r\nx", ERR_SYNTAX, NULL, "x"},
    {REFUSE, "a\n.\r\nb\r\n.\r\nx", ERR_SYNTAX, NULL, "x"},
    {REFUSE, "a\r\n.\nb\r\n.\r\nx", ERR_SYNTAX, NULL, "x"},
    {REFUSE, "a\r\n.\rb\r\n.\r\nx", ERR_SYNTAX, NULL, "x"},
    {REFUSE, "a\r.\rb\r\n.\r\nx", ERR_SYNTAX, NULL, "x"},
    {REFUSE, "a\r\r\n.\r\nx", ERR_SYNTAX, NULL, "x"},
    {REFUSE, "a\r\n.\r\r\n.\r\nx", ERR_SYNTAX, NULL, "x"},
    /* submission: mended, completed, and still no other end */
    {FILTER, "Subject: s\r\n\r\na\r\n.\r\n", OK, "Subject: s\r\n" FIELDS "\r\na\r\n", ""},
    {FILTER, "Date: x\r\nMessage-ID: y\r\n\r\n.\r\n", OK, "Date: x\r\nMessage-ID: y\r\n\r\n", ""},
    {FILTER, "Subject: s\nBcc: b\n\na\n.\nb\r\n.\r\nx", OK,
     "Subject: s\r\n" FIELDS "\r\na\r\n\r\nb\r\n", "x"},
    {FILTER, "Subject: s\r\nBcc: a,\r\n b\r\nTo: t\r\n\r\n.\r\n", OK,
     "Subject: s\r\nTo: t\r\n" FIELDS "\r\n", ""},
    {FILTER, "S: s\r\n\r\na\rb\r\n.\r\n", OK, "S: s\r\n" FIELDS "\r\na b\r\n", ""},
    {FILTER, "S: s\r\n\r\na\n.\r\n", OK, NULL, NULL},
    {REFUSE, OURS "\r\n.\r\n", OK, OURS "\r\n", ""},
    {GUARD, OURS "A: b\r\n" OURS "\r\n" OURS ".\r\nx", OK, "A: b\r\n\r\n" OURS, "x"},
    {GUARD, OURS ".\r\n", OK, "", ""},
    {GUARD, "A: b\r\nAuthentication-Results: far.example; x=y\r\n.\r\n", OK,
     "A: b\r\nAuthentication-Results: far.example; x=y\r\n", ""},
    {GUARD, OURS "A: b\n\r\n.\r\n", ERR_SYNTAX, NULL, ""},
    /* From: what is missing, or names nobody */
    {FROM, "A: b\r\n\r\n.\r\n", OK, "A: b\r\nFrom: f\r\n" FIELDS "\r\n", ""},
    {FROM, "\r\n.\r\n", OK, "From: f\r\n" FIELDS "\r\n", ""},
    {FROM, "From:\r\nA: b\r\n\r\n.\r\n", OK, "From: f\r\nA: b\r\n" FIELDS "\r\n", ""},
    {FROM, "A: b\r\nFrom: x\r\n y\r\n\r\n.\r\n", OK, "A: b\r\nFrom: f\r\n" FIELDS "\r\n", ""},
    {FROM, "From: <>\r\n\r\n.\r\n", OK, "From: f\r\n" FIELDS "\r\n", ""},
    {FROM, "From: (a@b)\r\nBcc: x\r\n\r\n.\r\n", OK, "From: f\r\n" FIELDS "\r\n", ""},
    {FROM, "From : x,\r\n\ty@z\r\nA: b\r\n\r\n.\r\n", OK,
     "From: x,\r\n\ty@z\r\nA: b\r\n" FIELDS "\r\n", ""},
    {FROM, "From: x@y\r\nno field\r\n.\r\n", OK, "From: x@y\r\n" FIELDS "\r\nno field\r\n", ""},
    {FROM, "A: b\r\n\r\nFrom: body\r\n.\r\n", OK, "A: b\r\nFrom: f\r\n" FIELDS "\r\nFrom: body\r\n",
     ""},
};

/* Feeds the input in pieces of step bytes; how much was consumed. */
FIBER_ENTRY static size_t
feed(struct smtp_body *b, struct str in, size_t step)
{
    size_t at = 0;

    while (at < in.len && !b->complete) {
        struct scan s = scan_of(str_sub(in, at, step));
        smtp_body_feed(b, &s);
        at = (size_t)(s.pos - in.ptr);
    }
    return at;
}

static struct smtp_body *
new_body(int policy, struct str prefix, uint64_t max)
{
    static const struct smtp_body_fields fields = {.date = STR("Date: d\r\n"),
                                                   .message_id = STR("Message-ID: m\r\n")};
    struct smtp_body_fields all = fields;

    all.from = STR("From: f\r\n");
    struct smtp_body *b = smtp_body_new(NULL, prefix, max,
                                        policy == FILTER ? &fields
                                        : policy == FROM ? &all
                                                         : NULL);
    if (policy == GUARD)
        smtp_body_guard(b, STR("mail.example"));
    return b;
}

FIBER_ENTRY static void
test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t step = 1; step < 8; step++) {
            struct str in = str_of(rows[i].in);
            AUTO(smtp_body_free) struct smtp_body *b = new_body(rows[i].policy, STR("P\r\n"), 1000);
            size_t used = feed(b, in, step);

            ROW(i, b->complete == (rows[i].rest != NULL));
            if (!b->complete)
                continue;
            ROW(i, str_eq(str_skip(in, used), str_of(rows[i].rest)));
            ROW(i, smtp_body_finish(b) == rows[i].status);
            if (rows[i].status != OK)
                continue;
            ROW(i, b->handle == 0 && str_starts(buf_str(&b->piece), STR("P\r\n")));
            ROW(i, str_eq(str_skip(buf_str(&b->piece), 3), str_of(rows[i].body)));
        }
    }
}

FIBER_ENTRY static void
test_nul(void **state)
{
    AUTO(smtp_body_free) struct smtp_body *b = new_body(REFUSE, STR(""), 1000);

    (void)state;
    assert_int_equal(feed(b, STR("a\0b\r\n.\r\n"), 100), 8);
    assert_int_equal(smtp_body_finish(b), ERR_SYNTAX);
}

/* The limit counts what the sender gave, after unstuffing; the session stays in step all the same. */
FIBER_ENTRY static void
test_size(void **state)
{
    static const struct {
        uint64_t max;
        const char *in;
        enum status status;
    } sizes[] = {
        {4, "ab\r\n.\r\nx", OK},
        {3, "ab\r\n.\r\nx", ERR_LIMIT},
        {4, "..b\r\n.\r\nx", OK},
        {3, "..b\r\n.\r\nx", ERR_LIMIT},
        {0, ".\r\nx", OK},
        {0, "\r\n.\r\nx", ERR_LIMIT},
        {1, "a\n\r\n.\r\nx", ERR_SYNTAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct str in = str_of(sizes[i].in);
        AUTO(smtp_body_free)
        struct smtp_body *b = new_body(REFUSE, STR("a prefix does not count"), sizes[i].max);

        ROW(i, feed(b, in, 100) == in.len - 1 && b->complete);
        ROW(i, smtp_body_finish(b) == sizes[i].status);
    }
}

FIBER_ENTRY static void
test_what_is_taken_out_counts(void **state)
{
    struct str in = STR(OURS OURS "\r\n.\r\n");

    (void)state;
    for (size_t less = 0; less <= 1; less++) {
        AUTO(smtp_body_free)
        struct smtp_body *b = new_body(GUARD, STR(""), 2 * STR(OURS).len + 2 - less);

        ROW(less, feed(b, in, 100) == in.len && b->size == 2);
        ROW(less, smtp_body_finish(b) == (less == 0 ? OK : ERR_LIMIT));
    }
}

/* The From field is held until it is whole, so it has a limit of its own. */
FIBER_ENTRY static void
test_from_is_bounded(void **state)
{
    (void)state;
    for (size_t more = 0; more <= 1; more++) {
        AUTO(smtp_body_free) struct smtp_body *b = new_body(FROM, STR(""), 1u << 20);
        size_t n = sizeof("From:") - 1;

        feed(b, STR("From:"), 100);
        for (; n + 8 < LIMIT_WRITERS_BYTES; n += 6)
            feed(b,
                 STR(" a@b,"
                     "\t"),
                 100);
        for (; n + 2 < LIMIT_WRITERS_BYTES + more; n++)
            feed(b, STR(" "), 100);
        feed(b, STR("\r\n\r\n.\r\n"), 100);
        ROW(more, smtp_body_finish(b) == (more == 0 ? OK : ERR_LIMIT));
    }
}

FIBER_ENTRY static void
test_field_count(void **state)
{
    (void)state;
    for (size_t n = LIMIT_HEADER_FIELDS; n <= LIMIT_HEADER_FIELDS + 1u; n++) {
        AUTO(smtp_body_free) struct smtp_body *b = new_body(FILTER, STR(""), 1u << 20);

        for (size_t i = 0; i < n; i++)
            feed(b, STR("a: b\r\n"), 100);
        feed(b, STR("\r\n.\r\n"), 100);
        ROW(n, smtp_body_finish(b) == (n <= LIMIT_HEADER_FIELDS ? OK : ERR_LIMIT));
    }
}

/* What is signed and kept is what the next server may get. */
FIBER_ENTRY static void
test_long_lines(void **state)
{
    char line[2 * FOLD_LINE_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(line); i++)
        line[i] = 'x';
    for (int policy = REFUSE; policy <= FILTER; policy++) {
        AUTO(smtp_body_free) struct smtp_body *b = new_body(policy, STR(""), 1u << 20);
        struct str head = STR("Date: x\r\nMessage-ID: y\r\n\r\n");

        feed(b, head, 100);
        feed(b, str_from(line, sizeof(line)), 700);
        feed(b, STR("\r\n.\r\n"), 100);
        assert_int_equal(smtp_body_finish(b), OK);
        struct str body = str_skip(buf_str(&b->piece), head.len);
        ssize_t end = str_find(body, '\r');
        assert_int_equal(end, policy == FILTER ? FOLD_LINE_MAX : sizeof(line));
        assert_int_equal(body.len, sizeof(line) + (policy == FILTER ? 2 * 3 + 2 : 2));
    }
}

/* What BODY=BINARYMIME brought goes through the same stages as other mail, and the limit is of what is kept. */
FIBER_ENTRY static void
test_binary(void **state)
{
    static const struct {
        int policy;
        struct str in;
        uint64_t max;
        enum status status;
        struct str body;
    } binaries[] = {
        {REFUSE, STR("A: b\r\n\r\nc"), 1000, OK, STR("A: b\r\n\r\nc\r\n")},
        {REFUSE, STR(BINARY "\r\n\0\n"), 1000, OK, STR(BASE64 "\r\nAAo=\r\n")},
        {REFUSE, STR(BINARY "\r\n.\r\n"), 1000, OK, STR(BASE64 "\r\nLg0K\r\n")},
        {REFUSE, STR(BINARY "\r\n\0\n"), sizeof(BASE64 "\r\nAAo=\r\n") - 1, OK,
         STR(BASE64 "\r\nAAo=\r\n")},
        {REFUSE, STR(BINARY "\r\n\0\n"), sizeof(BASE64 "\r\nAAo=\r\n") - 2, ERR_LIMIT, STR_NONE},
        {REFUSE, STR("A: b\r\n\r\nc\n"), 1000, ERR_SYNTAX, STR_NONE},
        {REFUSE, STR("A: b\r\n\r\nc\r"), 1000, ERR_SYNTAX, STR_NONE},
        {FILTER, STR("A: b\r\n\r\nc\n"), 1000, ERR_SYNTAX, STR_NONE},
        {FILTER, STR("Bcc: x\r\n" BINARY "\r\n\0\n"), 1000, OK, STR(BASE64 FIELDS "\r\nAAo=\r\n")},
        {FROM, STR(BINARY), 1000, OK, STR(BASE64 "From: f\r\n" FIELDS "\r\n")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(binaries); i++) {
        for (size_t step = 1; step < 8; step++) {
            AUTO(smtp_body_free)
            struct smtp_body *b = new_body(binaries[i].policy, STR(""), binaries[i].max);

            smtp_body_binary(b);
            ROW(i, feed(b, binaries[i].in, step) == binaries[i].in.len && !b->complete);
            smtp_body_last(b);
            ROW(i, smtp_body_finish(b) == binaries[i].status);
            ROW(i, binaries[i].status != OK || str_eq(buf_str(&b->piece), binaries[i].body));
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_what_is_taken_out_counts),
        cmocka_unit_test(test_from_is_bounded),
        cmocka_unit_test(test_field_count),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_binary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
