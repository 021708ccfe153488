/* compose_test.c - what programs hand to sendmail, and what becomes of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/size.h"
#include "mail/compose.h"

#define FROM "From: Anna Example <anna@example.org>\r\n"

static struct compose
sample(void)
{
    return (struct compose){.from = STR("anna@example.org"),
                            .name = STR("Anna Example"),
                            .domain = STR("example.org"),
                            .now = {INT64_C(1795467672000000)}};
}

static void
check(struct str in, const struct compose *c, const char *want)
{
    AUTO_BUF b = BUF(65536);

    assert_int_equal(compose_write(in, c, &b), OK);
    if (!str_eq(buf_str(&b), str_of(want)))
        fail_msg("%.*s\nbecame\n%.*s", STR_FMT(in), STR_FMT(buf_str(&b)));
}

static void
test_headers(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", FROM "\r\n"},
        {"\nhi\n", FROM "\nhi\n"},
        {"hi\n", FROM "\r\nhi\n"}, /* no header at all */
        {"hi there: you\nno\n", FROM "\r\nhi there: you\nno\n"},
        {"Subject: x\n\nhi\n", "Subject: x\n" FROM "\nhi\n"},
        {"Subject: x\r\n\r\nhi\r\n", "Subject: x\r\n" FROM "\r\nhi\r\n"},
        {"Subject: x", "Subject: x\r\n" FROM "\r\n"},
        {"Subject: x\n y\nhi\n",
         "Subject: x\n y\n" FROM "\r\nhi\n"}, /* ended by a line that is none */
        {"From: b@x\nTo: c@x\n\n.\n", "From: b@x\nTo: c@x\n\n.\n"},
        {"FROM : b@x\n\n", "FROM : b@x\n\n"},
        {"From: root (Cron Daemon)\nTo: anna\nCc: bob@x\n\nx\n",
         "From: root@example.org (Cron Daemon)\r\nTo: anna@example.org\r\nCc: bob@x\n\nx\n"},
        {"To: anna, bob\nFrom: John Smith\nSender: a\n\n", /* a list and a phrase stay */
         "To: anna, bob\nFrom: John Smith\nSender: a@example.org\r\n\n"},
        {"To: root (a\n\tb)\nFrom: a@b\n\n", "To: root (a\n\tb)\nFrom: a@b\n\n"},
        {"Bcc: secret@x\n second@x\nTo: a@x\nBCC:\nFrom: b@x\nResent-Bcc: c@x\nResent-From: d@x\n"
         "Resent-Date: now\n\n",
         "To: a@x\nFrom: b@x\nResent-From: d@x\nResent-Date: now\n\n"},
        {"Resent-To: c@x\nFrom: b@x\n\nx\n",
         "Resent-Date: Mon, 23 Nov 2026 21:01:12 +0000\r\nResent-From: Anna Example "
         "<anna@example.org>\r\nResent-To: c@x\nFrom: b@x\n\nx\n"},
    };
    const struct compose c = sample();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check(str_of(rows[i].in), &c, rows[i].out);
}

static void
test_names(void **state)
{
    static const struct {
        const char *name, *from;
    } rows[] = {
        {"", "From: anna@example.org\r\n"},
        {"Anna", "From: Anna <anna@example.org>\r\n"},
        {"A. \"B\" C\\", "From: \"A. \\\"B\\\" C\\\\\" <anna@example.org>\r\n"},
        {"Anna (work)", "From: \"Anna (work)\" <anna@example.org>\r\n"},
        {"J\303\274rgen", "From: =?UTF-8?B?SsO8cmdlbg==?= <anna@example.org>\r\n"},
        {"a\r\nBcc: x@y", "From: \"a Bcc: x@y\" <anna@example.org>\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF want = BUF(4096);
        struct compose c = sample();
        c.name = str_of(rows[i].name);
        buf_add_z(&want, rows[i].from);
        buf_add_z(&want, "\nx\n");
        buf_add_char(&want, '\0');
        check(STR("\nx\n"), &c, want.ptr);
    }
    struct compose c = sample();
    c.from = STR("");
    check(STR("\nx\n"), &c, "\nx\n");
    AUTO_BUF small = BUF(10);
    assert_int_equal(compose_write(STR("Subject: long enough\n\n"), &c, &small), ERR_LIMIT);
}

static void
test_cut(void **state)
{
    static const struct {
        const char *in;
        bool dot_ends;
        const char *out;
    } rows[] = {
        {"a\n.\nb\n", true, "a\n"},
        {"a\n.\nb\n", false, "a\n.\nb\n"},
        {".\nb\n", true, ""},
        {"a\r\n.\r\nb", true, "a\r\n"},
        {"a\n..\nb", true, "a\n..\nb"},
        {"a\n.", true, "a\n"},
        {"a\n.b\n", true, "a\n.b\n"},
        {"", true, ""},
        {"From anna Mon\nTo: x\n", false, "To: x\n"},
        {"From x", false, ""},
        {"From: x\n", false, "From: x\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str got = compose_cut(str_of(rows[i].in), rows[i].dot_ends);
        if (!str_eq(got, str_of(rows[i].out)))
            fail_msg("row %zu: %.*s", i, STR_FMT(got));
    }
}

static void
test_recipients(void **state)
{
    static const struct {
        const char *message;
        const char *want; /* with spaces between */
    } rows[] = {
        {"To: a@x.org\n\nTo: no@x.org\n", "a@x.org"},
        {"To: Anna <a@x.org>, b@x.org\nCc: c\nBcc: A <a@x.org>,\n d@x.org\n\n",
         "a@x.org b@x.org c@example.org d@x.org"},
        {"To: friends: a@x.org, b@x.org;, c@x.org\n\n", "a@x.org b@x.org c@x.org"},
        {"To: undisclosed-recipients:;\nBcc: a@x.org\n\n", "a@x.org"},
        {"To: \"a b\"@x.org (c@x.org)\n\n", "\"a b\"@x.org"},
        {"To: a@x.org\nResent-To: r@x.org\nCc: b@x.org\nResent-Bcc: s@x.org\n\n",
         "r@x.org s@x.org"},
        {"Subject: To: a@x.org\n\n", ""},
        {"To: j\303\274rgen@b\303\274cher.example\n\n", "j\303\274rgen@xn--bcher-kva.example"},
        {"To: a@x.org>\n NOTIFY=never\n\n", "a@x.org"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1u << 20);
        AUTO_BUF got = BUF(4096);
        struct compose_rcpts r = {.domain = STR("example.org"), .arena = a};
        enum status st = compose_rcpts_find(&r, str_of(rows[i].message));
        for (size_t k = 0; k < r.count; k++) {
            buf_add_z(&got, k > 0 ? " " : "");
            buf_add(&got, r.list[k]);
        }
        if (!str_eq(buf_str(&got), str_of(rows[i].want)))
            fail_msg("row %zu: %.*s", i, STR_FMT(buf_str(&got)));
        assert_true(st == OK || i == 8);
    }
}

static void
test_bad_recipients(void **state)
{
    static const struct {
        const char *list, *bad;
    } rows[] = {
        {"a@x.org, b@", NULL},  {"a@b@c.org", "a@b@c.org"},        {"a@b_c..org", "a@b_c..org"},
        {"a@[bad]", "a@[bad]"}, {"a@x.org, b@-x.org", "b@-x.org"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1u << 20);
        struct compose_rcpts r = {.domain = STR("example.org"), .arena = a};
        enum status st = compose_rcpts_add(&r, str_of(rows[i].list));
        assert_int_equal(st, rows[i].bad == NULL ? OK : ERR_SYNTAX);
        if (rows[i].bad != NULL)
            assert_true(str_eq(r.bad, str_of(rows[i].bad)));
    }
    AUTO_ARENA *a = arena_new(8u << 20);
    AUTO_BUF many = BUF(1u << 20);
    struct compose_rcpts r = {.domain = STR("example.org"), .arena = a};
    for (int i = 0; i < LIMIT_SUBMIT_RCPTS; i++)
        buf_addf(&many, "u%d@x.org, ", i);
    assert_int_equal(compose_rcpts_add(&r, buf_str(&many)), OK);
    assert_int_equal(r.count, LIMIT_SUBMIT_RCPTS);
    assert_int_equal(compose_rcpts_add(&r, STR("u0@x.org")), OK); /* is there */
    assert_int_equal(compose_rcpts_add(&r, STR("one@too.many")), ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_recipients),
        cmocka_unit_test(test_bad_recipients),
    };

    return cmocka_run_group_tests_name("mail: messages of programs", tests, NULL, NULL);
}
