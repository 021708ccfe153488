/* reply_test.c - tables of what other servers answer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/buf.h"
#include "base/size.h"
#include "smtp/reply.h"

static const struct {
    const char *lines; /* with LF between them */
    int code;          /* 0: no reply */
    const char *enhanced, *text;
} replies[] = {
    {"250 2.1.0 fine", 250, "2.1.0", "fine"},
    {"250", 250, "", ""},
    {"250 ", 250, "", ""},
    {"220 mx.example ESMTP", 220, "", "mx.example ESMTP"},
    {"250-one\n250-two\n250 three", 250, "", "one two three"},
    {"250-\n250", 250, "", ""},
    {"550-5.1.1 no such\n550 5.1.1 user", 550, "5.1.1", "no such user"},
    {"550-5.1.1 no such\n550 user", 550, "5.1.1", "no such user"},
    {"550-no\n550 5.7.1 really", 550, "5.7.1", "no really"},
    /* codes */
    {"200 x", 200, "", "x"},
    {"599 x", 599, "", "x"},
    {"199 x", 0, NULL, NULL},
    {"600 x", 0, NULL, NULL},
    {"000 x", 0, NULL, NULL},
    {"25 x", 0, NULL, NULL},
    {"2500 x", 0, NULL, NULL},
    {"+50 x", 0, NULL, NULL},
    {" 250 x", 0, NULL, NULL},
    {"2 0 x", 0, NULL, NULL},
    {"", 0, NULL, NULL},
    {"HTTP/1.1 400 Bad", 0, NULL, NULL},
    {"250\tx", 0, NULL, NULL},
    {"250x", 0, NULL, NULL},
    {"250+x", 0, NULL, NULL},
    {"250-one\n550 two", 0, NULL, NULL},
    {"250-one\ntwo\n250 three", 0, NULL, NULL},
    /* enhanced codes, RFC 2034: of the same class, and well formed */
    {"550 4.1.1 x", 550, "", "4.1.1 x"},
    {"250 5.1.1 x", 250, "", "5.1.1 x"},
    {"550 5.1 x", 550, "", "5.1 x"},
    {"550 5.1.1.1 x", 550, "", "5.1.1.1 x"},
    {"550 5.1.1x", 550, "", "5.1.1x"},
    {"550 5.1.1", 550, "5.1.1", ""},
    {"550 5.999.999 x", 550, "5.999.999", "x"},
    {"550 5.1000.1 x", 550, "", "5.1000.1 x"},
    {"550 5.01.001 x", 550, "5.1.1", "x"},
    {"550 05.1.1 x", 550, "", "05.1.1 x"},
    {"550 #5.1.1 x", 550, "", "#5.1.1 x"},
    /* what must not reach a log or a report as it is */
    {"550 a\tb\x01\x7f\xc3\xa4\x1b[0m", 550, "", "a?b?????[0m"},
};

static void
test_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        struct smtp_reading r = {0};
        struct str rest = str_of(replies[i].lines), line;
        bool good = true;

        while (good && !r.complete && str_split(&rest, '\n', &line))
            good = smtp_reading_line(&r, line, NULL);
        ROW(i, (good && r.complete) == (replies[i].code != 0));
        if (replies[i].code == 0)
            continue;
        ROW(i, rest.ptr == NULL && r.answer.code == replies[i].code);
        ROW(i, strcmp(r.answer.enhanced, replies[i].enhanced) == 0);
        ROW(i, strcmp(r.answer.text, replies[i].text) == 0);
    }
}

/* As many lines as are taken, and one more; as much text as is kept. */
static void
test_limits(void **state)
{
    struct smtp_reading r = {0};
    char line[4096];

    (void)state;
    memset(line, 'a', sizeof(line));
    line[0] = '2';
    line[1] = line[2] = '5';
    line[3] = '-';
    for (unsigned i = 0; i < SMTP_REPLY_LINES_MAX; i++)
        assert_true(smtp_reading_line(&r, str_from(line, sizeof(line)), NULL));
    assert_false(r.complete);
    assert_int_equal(strlen(r.answer.text), sizeof(r.answer.text) - 1);
    assert_false(smtp_reading_line(&r, STR("255 end"), NULL));
    r.lines--;
    assert_true(smtp_reading_line(&r, STR("255 end"), NULL));
    assert_true(r.complete);
}

static const struct {
    const char *line;
    unsigned extensions;
    uint64_t size_max;
    uint32_t by_min_s;
} offers[] = {
    {"250 PIPELINING", SMTP_EXT_PIPELINING, 0},
    {"250 pipelining", SMTP_EXT_PIPELINING, 0},
    {"250 SIZE 1000", SMTP_EXT_SIZE, 1000},
    {"250 SIZE", SMTP_EXT_SIZE, 0},
    {"250 SIZE 0", SMTP_EXT_SIZE, 0},
    {"250 SIZE 18446744073709551615", SMTP_EXT_SIZE, UINT64_MAX},
    {"250 SIZE 18446744073709551616", SMTP_EXT_SIZE, 0},
    {"250 SIZE -1", SMTP_EXT_SIZE, 0},
    {"250 SIZE 10k", SMTP_EXT_SIZE, 0},
    {"250 SIZE=1000", 0, 0},
    {"250 8BITMIME", SMTP_EXT_8BITMIME, 0},
    {"250 STARTTLS", SMTP_EXT_STARTTLS, 0},
    {"250 STARTTLSX", 0, 0},
    {"250 XSTARTTLS", 0, 0},
    {"250 DSN", SMTP_EXT_DSN, 0},
    {"250 SMTPUTF8", SMTP_EXT_SMTPUTF8, 0},
    {"250 REQUIRETLS", SMTP_EXT_REQUIRETLS, 0, 0},
    {"250 MT-PRIORITY", SMTP_EXT_MT_PRIORITY, 0, 0},
    {"250 MT-PRIORITY STANAG4406", SMTP_EXT_MT_PRIORITY, 0, 0},
    {"250 DELIVERBY", SMTP_EXT_DELIVERBY, 0, 0},
    {"250 DELIVERBY 240", SMTP_EXT_DELIVERBY, 0, 240},
    {"250 deliverby 30,X=1", SMTP_EXT_DELIVERBY, 0, 30},
    {"250 DELIVERBY 999999999", SMTP_EXT_DELIVERBY, 0, 999999999},
    {"250 DELIVERBY 1000000000", SMTP_EXT_DELIVERBY, 0, 0},
    {"250 DELIVERBY 30s", SMTP_EXT_DELIVERBY, 0, 0},
    {"250 DELIVERBY -1", SMTP_EXT_DELIVERBY, 0, 0},
    {"250 AUTH PLAIN", SMTP_EXT_AUTH_PLAIN, 0},
    {"250 AUTH LOGIN plain", SMTP_EXT_AUTH_PLAIN, 0},
    {"250 AUTH XPLAIN", 0, 0},
    {"250 AUTH PLAIN-CLIENTTOKEN", 0, 0},
    {"250 AUTH", 0, 0},
    {"250 AUTH=PLAIN", 0, 0},
    {"250", 0, 0},
    {"250  SIZE 5", 0, 0},
    {"550 PIPELINING", 0, 0},
};

static void
test_offers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(offers); i++) {
        struct smtp_reading r = {0};
        struct smtp_offer o = {0};
        char greeting[] = "250-SIZE 77"; /* the first line is a name, whatever it says */

        greeting[0] = offers[i].line[0];
        ROW(i, smtp_reading_line(&r, str_of(greeting), &o) && o.extensions == 0 && o.size_max == 0);
        ROW(i, offers[i].line[0] != '2' || greeting[0] == '2');
        ROW(i, smtp_reading_line(&r, str_of(offers[i].line), &o));
        ROW(i, o.extensions == offers[i].extensions && o.size_max == offers[i].size_max);
        ROW(i, o.by_min_s == offers[i].by_min_s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_offers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
