/* scanner_test.c - answers of spamd, clamd and rspamd: as they are, and every way to get one wrong; what is asked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/scanner.h"

#include "base/size.h"
#include "base/testing.h"

#define HEAD "SPAMD/1.1 0 EX_OK\r\n"
#define HTTP "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
#define GOOD                                                                      \
    "\"score\":7.25,\"required_score\":15.0,\"symbols\":{\"A\":{\"name\":\"A\"}," \
    "\"B\":{\"options\":[\"x\"]}}"

static const struct {
    enum filter_kind kind;
    struct str bytes;
    enum status e;
    enum scanner_wish wish;
    int32_t score, required;
    struct str text, tests;
} rows[] = {
    {FILTER_SPAMD, STR(HEAD "Content-length: 8\r\nSpam: False ; 1.5 / 5.0\r\n\r\nFROM_FAR"), OK,
     SCANNER_FINE, 150, 500, STR(""), STR("FROM_FAR")},
    {FILTER_SPAMD, STR(HEAD "Spam: True ; 1001.5 / 5.0\r\n\r\nFROM_FAR,GTUBE\r\n"), OK,
     SCANNER_JUNK, 100150, 500, STR(""), STR("FROM_FAR,GTUBE")},
    {FILTER_SPAMD, STR(HEAD "spam:yes;-0.05/5\r\n\r\n"), OK, SCANNER_JUNK, -5, 500, STR(""),
     STR("")},
    {FILTER_SPAMD, STR("SPAMD/1.0 0 EX_OK\nSpam: No ; 0 / 5.019\n\nA\x01\xff"), OK, SCANNER_FINE, 0,
     501, STR(""), STR("A??")},
    {FILTER_SPAMD, STR("SPAMD/1.0 79 Timeout: (300 seconds)\r\n"), ERR_NOT_FOUND, 0, 0, 0,
     STR("Timeout: (300 seconds)"), STR("")},
    {FILTER_SPAMD, STR(HEAD "Spam: True ; 999999.0 / 5.0\r\n\r\n"), OK, SCANNER_JUNK, 99999900, 500,
     STR(""), STR("")},
    {FILTER_SPAMD, STR(HEAD "Spam: True ; 1000000.0 / 5.0\r\n\r\n"), ERR_SYNTAX, 0, 0, 0, STR(""),
     STR("")},
    {FILTER_SPAMD, STR(HEAD "Spam: True ; 1.0 / 5.0\r\nSpam: False ; 1.0 / 5.0\r\n\r\n"),
     ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_SPAMD, STR(HEAD "Spam: True ; 1.0 / 5.0\r\n"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_SPAMD, STR(HEAD "\r\nGTUBE"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_SPAMD, STR(HEAD "Spam: Perhaps ; 1.0 / 5.0\r\n\r\n"), ERR_SYNTAX, 0, 0, 0, STR(""),
     STR("")},
    {FILTER_SPAMD, STR(HEAD "Spam: True ; 1.0\r\n\r\n"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_SPAMD, STR(HEAD "Spam: True ; 1.0 / 5.0 x\r\n\r\n"), ERR_SYNTAX, 0, 0, 0, STR(""),
     STR("")},
    {FILTER_SPAMD, STR(HEAD "no field\r\n\r\n"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_SPAMD, STR("HTTP/1.1 0 EX_OK\r\n\r\n"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_SPAMD, STR("SPAMD/1.1 256 EX\r\n\r\n"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_SPAMD, STR(""), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},

    {FILTER_CLAMD, STR("stream: OK\0"), OK, SCANNER_FINE, 0, 0, STR(""), STR("")},
    {FILTER_CLAMD, STR("stream: OK\n"), OK, SCANNER_FINE, 0, 0, STR(""), STR("")},
    {FILTER_CLAMD, STR("stream: Eicar.UNOFFICIAL FOUND\0stream: OK\0"), OK, SCANNER_REFUSE, 0, 0,
     STR("Eicar.UNOFFICIAL"), STR("")},
    {FILTER_CLAMD, STR("stream: a\r\nb FOUND\0"), OK, SCANNER_REFUSE, 0, 0, STR("a??b"), STR("")},
    {FILTER_CLAMD, STR("INSTREAM size limit exceeded. ERROR\0"), ERR_NOT_FOUND, 0, 0, 0,
     STR("INSTREAM size limit exceeded."), STR("")},
    {FILTER_CLAMD, STR("stream: OK"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_CLAMD, STR("stream: ok\0"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_CLAMD, STR("stream:  FOUND\0"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_CLAMD, STR("file: OK\0"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_CLAMD, STR("PONG\0"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_CLAMD, STR("\0stream: OK\0"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},

    {FILTER_RSPAMD, STR(HTTP "91\r\n\r\n{\"action\":\"no action\"," GOOD "}"), ERR_SYNTAX, 0, 0, 0,
     STR(""), STR("")}, /* cut off */
    {FILTER_RSPAMD, STR("HTTP/1.1 200 OK\r\n\r\n{}"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_RSPAMD, STR(HTTP "2\r\n\r\n{}"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_RSPAMD, STR(HTTP "2\r\nContent-Length: 2\r\n\r\n{}"), ERR_SYNTAX, 0, 0, 0, STR(""),
     STR("")},
    {FILTER_RSPAMD, STR(HTTP "2x\r\n\r\n{}"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_RSPAMD, STR(HTTP "2\r\n\r\n[]"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_RSPAMD, STR(HTTP "3\r\n\r\n{,}"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_RSPAMD, STR("HTTP/1.1 500 no\r\nContent-Length: 4\r\n\r\noops"), ERR_NOT_FOUND, 0, 0, 0,
     STR("it answers with the code 500"), STR("")},
    {FILTER_RSPAMD,
     STR("HTTP/1.1 404 no\r\nContent-Length: 25\r\n\r\n{\"error\":\"no such thing\"}"),
     ERR_NOT_FOUND, 0, 0, 0, STR("no such thing"), STR("")},
    {FILTER_RSPAMD, STR("SPAMD/1.1 0 EX_OK\r\n\r\n"), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
    {FILTER_RSPAMD, STR("HTTP/1.1 200 OK\r\nContent-Length 2\r\n\r\n{}"), ERR_SYNTAX, 0, 0, 0,
     STR(""), STR("")},
    {FILTER_RSPAMD, STR(""), ERR_SYNTAX, 0, 0, 0, STR(""), STR("")},
};

static enum status
read_answer(enum filter_kind kind, struct str bytes, struct arena *a, struct scanner_answer *out)
{
    if (kind == FILTER_SPAMD)
        return spamd_answer_read(bytes, a, out);
    return kind == FILTER_CLAMD ? clamd_answer_read(bytes, a, out)
                                : rspamd_answer_read(bytes, a, out);
}

static void
test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct scanner_answer got = {.score = 77};
        enum status e = read_answer(rows[i].kind, rows[i].bytes, a, &got);

        ROW(i, e == rows[i].e);
        if (e == ERR_SYNTAX) {
            ROW(i, got.score == 77);
            continue;
        }
        ROW(i, got.wish == rows[i].wish && str_eq(got.text, rows[i].text));
        ROW(i, got.score == rows[i].score && got.required == rows[i].required);
        ROW(i, str_eq(got.tests, rows[i].tests));
        ROW(i, e != OK || got.has_score == (rows[i].kind != FILTER_CLAMD));
    }
}

static const struct {
    const char *action;
    enum status e;
    enum scanner_wish wish;
} actions[] = {
    {"no action", OK, SCANNER_FINE},         {"greylist", OK, SCANNER_DEFER},
    {"soft reject", OK, SCANNER_DEFER},      {"add header", OK, SCANNER_JUNK},
    {"rewrite subject", OK, SCANNER_JUNK},   {"quarantine", OK, SCANNER_HOLD},
    {"reject", OK, SCANNER_REFUSE},          {"discard", OK, SCANNER_DISCARD},
    {"Reject", ERR_NOT_FOUND, SCANNER_FINE}, {"", ERR_NOT_FOUND, SCANNER_FINE},
};

static void
test_actions_of_rspamd(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        AUTO_ARENA *a = arena_new(65536);
        AUTO_BUF body = BUF(4096);
        AUTO_BUF all = BUF(4096);
        struct scanner_answer got = {0};

        buf_addf(&body,
                 "{\"action\":\"%s\",\"messages\":{\"smtp_message\":\"go\\naway\"}," GOOD "}",
                 actions[i].action);
        buf_addf(&all, HTTP "%zu\r\n\r\n%.*s", body.len, STR_FMT(buf_str(&body)));
        ROW(i, rspamd_answer_read(buf_str(&all), a, &got) == actions[i].e);
        ROW(i, got.wish == actions[i].wish && got.score == 725 && got.required == 1500);
        ROW(i, str_eq(got.tests, STR("A,B")));
        ROW(i, actions[i].e != OK || str_eq(got.text, STR("go?away")));
        ROW(i, actions[i].e == OK || str_starts(got.text, STR("unknown action:")));
    }
}

static const struct {
    struct str text;
    bool ok;
    int32_t points;
    size_t left;
} points[] = {
    {STR("5"), true, 500, 0},
    {STR("5.1"), true, 510, 0},
    {STR("5.129"), true, 512, 0},
    {STR("-0.01"), true, -1, 0},
    {STR("5."), true, 500, 0},
    {STR("007.50x"), true, 750, 1},
    {STR("999999.99"), true, 99999999, 0},
    {STR("1000000"), false, 0, 7},
    {STR("-"), false, 0, 1},
    {STR(".5"), false, 0, 2},
    {STR("+5"), false, 0, 2},
    {STR(""), false, 0, 0},
};

static void
test_points(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(points); i++) {
        struct scan s = scan_of(points[i].text);
        int32_t got = 0;
        bool ok = scanner_points(&s, &got);

        ROW(i, ok == points[i].ok && got == points[i].points && scan_left(&s) == points[i].left);
    }
}

static void
test_heads(void **state)
{
    static const struct str two[] = {STR("anna@example.com"), STR("bert\r\nX: y@example.com")};
    static const struct str odd[] = {STR("../anna@example.com")};
    struct scanner_mail m = {.size = 12,
                             .id = STR("00a1"),
                             .client = STR("192.0.2.1"),
                             .helo = STR("a\r\nb"),
                             .sender = STR("a@far.example"),
                             .user = STR(""),
                             .rcpts = two,
                             .rcpt_count = 2};
    AUTO_BUF b = BUF(4096);

    (void)state;
    rspamd_head_write(&b, &m);
    assert_str(buf_str(&b),
               STR("POST /checkv2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   "Content-Length: 12\r\nQueue-Id: 00a1\r\nIP: 192.0.2.1\r\nHelo: a??b\r\n"
                   "From: a@far.example\r\nRcpt: anna@example.com\r\n"
                   "Rcpt: bert??X: y@example.com\r\n\r\n"));
    buf_reset(&b);
    spamd_head_write(&b, &m);
    assert_str(buf_str(&b), STR("SYMBOLS SPAMC/1.5\r\nContent-length: 12\r\n\r\n"));
    buf_reset(&b);
    m.rcpt_count = 1;
    spamd_head_write(&b, &m);
    assert_str(buf_str(&b), STR("SYMBOLS SPAMC/1.5\r\nContent-length: 12\r\n"
                                "User: anna@example.com\r\n\r\n"));
    buf_reset(&b);
    m.rcpts = odd;
    spamd_head_write(&b, &m);
    assert_str(buf_str(&b), STR("SYMBOLS SPAMC/1.5\r\nContent-length: 12\r\n\r\n"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_actions_of_rspamd),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
