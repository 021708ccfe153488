/* header_test.c - walking, indexing, filtering and writing header fields.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/size.h"
#include "mail/header.h"
#include "mail/header_filter.h"
#include "mail/header_write.h"

static void
test_walk(void **state)
{
    static const char block[] = "From: a@x.org\r\n"
                                "Subject : one\r\n two\r\n\tthree\r\n"
                                "garbage without colon\r\n"
                                " its continuation\r\n"
                                "Bad name: x\r\n"
                                ": nameless\r\n"
                                "to:b@x.org\n"
                                "Empty:\r\n"
                                "\r\n"
                                "Body: not a field\r\n";
    static const struct {
        const char *name, *value;
    } want[] = {{"From", " a@x.org"},
                {"Subject", " one\r\n two\r\n\tthree"},
                {"to", "b@x.org"},
                {"Empty", ""}};
    struct header_cursor c = header_cursor_of(STR(block));
    struct header_field f;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_true(header_next(&c, &f));
        assert_true(str_eq(f.name, str_of(want[i].name)));
        assert_true(str_eq(f.value, str_of(want[i].value)));
    }
    assert_false(header_next(&c, &f));
    assert_int_equal(header_block_len(STR(block)), sizeof(block) - 1 - 19);
    assert_int_equal(header_block_len(STR("\r\nbody")), 2);
    assert_int_equal(header_block_len(STR("\nbody")), 1);
    assert_int_equal(header_block_len(STR("A: b")), 4);
    assert_int_equal(header_block_len(STR("")), 0);
    assert_true(header_find(STR(block), STR("TO"), &f));
    assert_true(str_eq(f.whole, STR("to:b@x.org\n")));
    assert_false(header_find(STR(block), STR("Body"), &f));
}

static void
test_unfold(void **state)
{
    AUTO_BUF b = BUF(100);
    (void)state;

    header_unfold(&b, STR(" one\r\n two\n\tthree \r\n"));
    assert_true(str_eq(buf_str(&b), STR("one two\tthree")));
    buf_reset(&b);
    header_unfold(&b, str_from("a\0b", 3));
    assert_true(str_eq(buf_str(&b), STR("a b")));
}

static void
test_ids(void **state)
{
    (void)state;
    for (unsigned id = 1; id < HEADER_ID_COUNT; id++) {
        struct str name = header_id_name((enum header_id)id);
        assert_true(name.len > 0 && header_name_ok(name));
        assert_int_equal(str_of(name.ptr).len, name.len); /* the table's lengths are right */
        assert_int_equal(header_id_of(name), id);
    }
    assert_int_equal(header_id_of(STR("SUBJECT")), HEADER_SUBJECT);
    assert_int_equal(header_id_of(STR("Subjecu")), HEADER_OTHER);
    assert_int_equal(header_id_of(STR("")), HEADER_OTHER);
    assert_false(header_name_ok(STR("a b")));
    assert_false(header_name_ok(STR("a\xc3")));
    assert_false(header_name_ok(STR("")));
}

static void
test_index(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct header_index x;
    (void)state;

    header_index(STR("Received: 1\r\nX: y\r\nReceived: 2\r\nSubject: s\r\n\r\n"), a, &x);
    assert_int_equal(x.count, 4);
    assert_false(x.cut);
    assert_true(str_eq(header_value(&x, HEADER_SUBJECT), STR(" s")));
    assert_int_equal(header_value(&x, HEADER_FROM).len, 0);
    const struct header_entry *e = &x.at[x.first[HEADER_RECEIVED] - 1];
    assert_true(str_eq(e->field.value, STR(" 1")));
    e = &x.at[e->next - 1];
    assert_true(str_eq(e->field.value, STR(" 2")));
    assert_int_equal(e->next, 0);
}

/* Limits: what is beyond them is not looked at, and said so. */
static void
test_limits(void **state)
{
    AUTO_ARENA *a = arena_new(4 << 20);
    AUTO_BUF b = BUF(4 << 20);
    struct header_index x;
    struct header_field f;
    (void)state;

    for (unsigned i = 0; i < HEADER_FIELDS_MAX + 10; i++)
        buf_add(&b, STR("A: b\r\n"));
    header_index(buf_str(&b), a, &x);
    assert_true(x.cut);
    assert_int_equal(x.count, HEADER_INDEX_MAX / sizeof(struct header_entry));
    struct header_cursor c = header_cursor_of(buf_str(&b));
    unsigned n = 0;
    while (header_next(&c, &f))
        n++;
    assert_int_equal(n, HEADER_FIELDS_MAX);

    buf_reset(&b);
    buf_add(&b, STR("A: "));
    while (b.len < HEADER_BYTES_MAX)
        buf_add(&b, STR("0123456789"));
    buf_add(&b, STR("\r\nSubject: s\r\n"));
    header_index(buf_str(&b), a, &x);
    assert_true(x.cut);
    assert_int_equal(x.first[HEADER_SUBJECT], 0);
}

static const struct {
    const char *in;
    const char *out; /* "|" where HEADER_END came */
    unsigned fields;
    bool dropped;
} filters[] = {
    {"From: a\r\n\r\nbody\r\n", "From: a\r\n|\r\nbody\r\n", 1, false},
    {"Bcc: x\r\n\ty\r\nTo: z\r\n\r\nBcc: b\r\n", "To: z\r\n|\r\nBcc: b\r\n", 2, true},
    {"To: z\r\n\tw\r\nBCC:\r\n\r\n", "To: z\r\n\tw\r\n|\r\n", 2, true},
    {"Resent-bcc : x\r\nBcc-Not: y\r\n\r\n", "Bcc-Not: y\r\n|\r\n", 2, true},
    {"Subject  \t: s\r\n\r\n", "Subject: s\r\n|\r\n", 1, false},
    {"From someone Mon\r\n x\r\nTo: a\r\n\r\nFrom b\r\n", "To: a\r\n|\r\nFrom b\r\n", 1, false},
    {"From : a\r\n\r\n", "From: a\r\n|\r\n", 1, false},
    {"To: a\r\nFrom b\r\n\r\n", "To: a\r\n|\r\nFrom b\r\n\r\n", 1, false},
    {"To: a\r\nnot a field\r\nX: y\r\n", "To: a\r\n|\r\nnot a field\r\nX: y\r\n", 1, false},
    {"\r\nbody", "|\r\nbody", 0, false},
    {" body\r\n", "|\r\n body\r\n", 0, false},
    {": x\r\n", "|\r\n: x\r\n", 0, false},
    {"", "|\r\n", 0, false},
    {"To: a\r\n", "To: a\r\n|\r\n", 1, false},
    {"Bcc: a\r\n", "|\r\n", 1, true},
    {"To", "|\r\nTo", 0, false},
    {"X-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789: long\r\n\r\n",
     "X-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789: long\r\n|\r\n", 1,
     false},
    {"Bcc                                                             : many\r\n",
     "|\r\nBcc                                                             : many\r\n", 0, false},
};

/* Every split in chunks of 1..n bytes gives the same. */
static void
test_filter(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        struct str in = str_of(filters[i].in);
        for (size_t step = 1; step <= in.len + 1; step++) {
            AUTO_BUF b = BUF(1000);
            struct header_filter f;
            struct str run = STR_NONE;
            enum header_event event;

            header_filter_init(&f);
            for (size_t at = 0; at < in.len; at += step) {
                struct scan s = scan_of(str_sub(in, at, step));
                while ((event = header_filter(&f, &s, &run)) != HEADER_MORE)
                    buf_add(&b, event == HEADER_END ? STR("|") : run);
                assert_true(scan_at_end(&s));
            }
            while ((event = header_filter_end(&f, &run)) != HEADER_MORE)
                buf_add(&b, event == HEADER_END ? STR("|") : run);
            if (!str_eq(buf_str(&b), str_of(filters[i].out)))
                fail_msg("row %zu, chunks of %zu: \"%.*s\"", i, step, STR_FMT(buf_str(&b)));
            assert_int_equal(f.fields, filters[i].fields);
            assert_int_equal(f.dropped, filters[i].dropped);
        }
    }
}

static void
test_filter_notes(void **state)
{
    struct header_filter f;
    struct scan s = scan_of(STR("From: a\r\nFrom: b\r\nDate: d\r\nmessage-id: <x>\r\n\r\nTo: b"));
    struct str run;
    (void)state;

    header_filter_init(&f);
    while (header_filter(&f, &s, &run) != HEADER_MORE)
        continue;
    assert_true(header_filter_saw(&f, HEADER_FROM) && header_filter_saw(&f, HEADER_DATE));
    assert_true(header_filter_saw(&f, HEADER_MESSAGE_ID));
    assert_false(header_filter_saw(&f, HEADER_TO));
    assert_int_equal(f.from_count, 2);
    assert_int_equal(f.bytes, 9 + 9 + 9 + 17 + 2);
}

/* No line passes 998 bytes, and unfolding gives the words back. */
static void
check_lines(struct str text, size_t most)
{
    struct str line;

    assert_true(str_ends(text, STR("\r\n")));
    while (str_split(&text, '\n', &line)) {
        if (line.len == 0)
            continue;
        assert_true(str_ends(line, STR("\r")));
        assert_true(line.len - 1 <= most);
        assert_true(str_trim(line).len > 0);
    }
}

static void
test_write(void **state)
{
    AUTO_BUF b = BUF(10000);
    AUTO_BUF word = BUF(5000);
    (void)state;

    header_write(&b, STR("Subject"), STR("short"));
    assert_true(str_eq(buf_str(&b), STR("Subject: short\r\n")));
    buf_reset(&b);
    header_write(&b, STR("X"), STR("a\r\nBcc: evil\r\n\r\nb"));
    assert_true(str_eq(buf_str(&b), STR("X: a Bcc: evil b\r\n")));
    buf_reset(&b);
    header_write(&b, STR("X"), STR(""));
    assert_true(str_eq(buf_str(&b), STR("X:\r\n")));
    buf_reset(&b);
    for (int i = 0; i < 60; i++)
        buf_add(&word, STR("words and "));
    header_write(&b, STR("X"), buf_str(&word));
    check_lines(buf_str(&b), 78);
    buf_reset(&b);
    buf_reset(&word);
    for (int i = 0; i < 1700; i++)
        buf_add(&word, STR("\xc3\xa9"));
    header_write(&b, STR("X"), buf_str(&word));
    check_lines(buf_str(&b), HEADER_LINE_MAX);
    assert_int_equal(str_find_str(buf_str(&b), STR("\xc3\r")), -1);
}

static void
test_received(void **state)
{
    AUTO_BUF b = BUF(5000);
    struct received r = {.helo = STR("client.example"),
                         .peer_name = STR("p.example"),
                         .peer_ip = STR("2001:db8::1"),
                         .by = STR("mx.example.org"),
                         .id = STR("4f1a"),
                         .flags = RECEIVED_ESMTP | RECEIVED_TLS | RECEIVED_AUTH,
                         .tls = STR("TLSv1.3 cipher TLS_AES_256_GCM_SHA384"),
                         .recipient = STR("b@example.org")};
    (void)state;

    header_write_received(&b, &r);
    assert_true(str_eq(
        buf_str(&b),
        STR("Received: from client.example (p.example [IPv6:2001:db8::1]) by mx.example.org\r\n"
            " with ESMTPSA (TLSv1.3 cipher TLS_AES_256_GCM_SHA384) id 4f1a for\r\n"
            " <b@example.org>; Thu, 1 Jan 1970 00:00:00 +0000\r\n")));
    buf_reset(&b);
    r = (struct received){.helo = STR("x) by evil (\r\nA: b"), .by = STR("mx")};
    header_write_received(&b, &r);
    assert_true(str_starts(buf_str(&b), STR("Received: from x??by?evil????A:?b by mx with SMTP;")));
    buf_reset(&b);
    r = (struct received){
        .by = STR("mx"), .recipient = STR("b@x.org"), .has_priority = true, .priority = -3};
    header_write_received(&b, &r); /* RFC 6710 section 7 */
    assert_true(str_starts(buf_str(&b),
                           STR("Received: by mx with SMTP for <b@x.org> PRIORITY -3; Thu, 1 Jan")));

    assert_true(str_eq(received_protocol(RECEIVED_ESMTP), STR("ESMTP")));
    assert_true(str_eq(received_protocol(RECEIVED_ESMTP | RECEIVED_TLS), STR("ESMTPS")));
    assert_true(str_eq(received_protocol(RECEIVED_LMTP), STR("LMTP")));
    assert_true(str_eq(received_protocol(RECEIVED_UTF8 | RECEIVED_ESMTP), STR("UTF8SMTP")));
    assert_true(
        str_eq(received_protocol(RECEIVED_UTF8 | RECEIVED_TLS | RECEIVED_AUTH), STR("UTF8SMTPSA")));
    assert_true(str_eq(received_protocol(0), STR("SMTP")));
    assert_true(str_eq(received_protocol(RECEIVED_HTTP | RECEIVED_AUTH), STR("HTTP")));
}

static void
test_small_fields(void **state)
{
    AUTO_BUF b = BUF(5000);
    struct path p = {.kind = PATH_MAILBOX, .local = STR("a b"), .domain = STR("x.org")};
    struct path null = {.kind = PATH_NULL};
    (void)state;

    header_write_return_path(&b, &p);
    header_write_return_path(&b, &null);
    header_write_date(&b, (struct instant){951782400000000});
    header_write_message_id(&b, STR("abc.1"), STR("x.org"));
    assert_true(str_eq(buf_str(&b), STR("Return-Path: <\"a b\"@x.org>\r\nReturn-Path: <>\r\n"
                                        "Date: Tue, 29 Feb 2000 00:00:00 +0000\r\n"
                                        "Message-ID: <abc.1@x.org>\r\n")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),         cmocka_unit_test(test_unfold),
        cmocka_unit_test(test_ids),          cmocka_unit_test(test_index),
        cmocka_unit_test(test_limits),       cmocka_unit_test(test_filter),
        cmocka_unit_test(test_filter_notes), cmocka_unit_test(test_write),
        cmocka_unit_test(test_received),     cmocka_unit_test(test_small_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
