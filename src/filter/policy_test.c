/* policy_test.c - a row for every action, and for every way to get one wrong; what a request looks like.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/policy.h"

#include "base/size.h"
#include "base/testing.h"

static const struct {
    struct str value;
    enum status e;
    enum policy_verb verb;
    int code;
    const char *enhanced;
    struct str text;
} rows[] = {
    {STR("DUNNO"), OK, POLICY_DUNNO, 0, "", STR("")},
    {STR("dunno"), OK, POLICY_DUNNO, 0, "", STR("")},
    {STR(" DUNNO "), OK, POLICY_DUNNO, 0, "", STR("")},
    {STR("OK"), OK, POLICY_OK, 0, "", STR("")},
    {STR("1234"), OK, POLICY_OK, 0, "", STR("")},
    {STR("250 fine"), OK, POLICY_OK, 0, "", STR("")},
    {STR("REJECT"), OK, POLICY_REFUSE, 554, "5.7.1", STR("Access denied")},
    {STR("REJECT go away"), OK, POLICY_REFUSE, 554, "5.7.1", STR("go away")},
    {STR("REJECT 5.7.23 SPF"), OK, POLICY_REFUSE, 554, "5.7.23", STR("SPF")},
    {STR("REJECT 4.7.1 x"), OK, POLICY_REFUSE, 554, "5.7.1", STR("4.7.1 x")},
    {STR("DEFER"), OK, POLICY_REFUSE, 450, "4.7.1", STR("Not now, try again later")},
    {STR("DEFER 4.2.0 later"), OK, POLICY_REFUSE, 450, "4.2.0", STR("later")},
    {STR("DEFER_IF_PERMIT greylisted"), OK, POLICY_DEFER_IF_PERMIT, 450, "4.7.1",
     STR("greylisted")},
    {STR("defer_if_reject"), OK, POLICY_DEFER_IF_REJECT, 450, "4.7.1",
     STR("Not now, try again later")},
    {STR("450 4.2.0 wait"), OK, POLICY_REFUSE, 450, "4.2.0", STR("wait")},
    {STR("421"), OK, POLICY_REFUSE, 421, "4.7.1", STR("Not now, try again later")},
    {STR("599 x"), OK, POLICY_REFUSE, 599, "5.7.1", STR("x")},
    {STR("550 5.1.1"), OK, POLICY_REFUSE, 550, "5.1.1", STR("Access denied")},
    {STR("550 5.1.1x no"), OK, POLICY_REFUSE, 550, "5.7.1", STR("5.1.1x no")},
    {STR("550 5.1.1000 no"), OK, POLICY_REFUSE, 550, "5.7.1", STR("5.1.1000 no")},
    {STR("554 a\x07"
         "b\xff"),
     OK, POLICY_REFUSE, 554, "5.7.1", STR("a?b?")},
    {STR("PREPEND X-Seen: yes"), OK, POLICY_PREPEND, 0, "", STR("X-Seen: yes")},
    {STR("PREPEND Received-SPF:pass"), OK, POLICY_PREPEND, 0, "", STR("Received-SPF:pass")},
    {STR("PREPEND"), ERR_SYNTAX, 0, 0, "", STR("")},
    {STR("PREPEND no field"), ERR_SYNTAX, 0, 0, "", STR("")},
    {STR("PREPEND a b: c"), ERR_SYNTAX, 0, 0, "", STR("")},
    {STR("PREPEND : c"), ERR_SYNTAX, 0, 0, "", STR("")},
    {STR("WARN look at this"), OK, POLICY_WARN, 0, "", STR("look at this")},
    {STR("HOLD"), OK, POLICY_HOLD, 0, "", STR("")},
    {STR("DISCARD spam"), OK, POLICY_DISCARD, 0, "", STR("spam")},
    {STR("FILTER smtp:[127.0.0.1]"), ERR_SYNTAX, 0, 0, "", STR("")},
    {STR("REDIRECT a@b.example"), ERR_SYNTAX, 0, 0, "", STR("")},
    {STR("permit_mynetworks"), ERR_SYNTAX, 0, 0, "", STR("")},
    {STR("4500 x"), OK, POLICY_OK, 0, "", STR("")},
    {STR("45a x"), ERR_SYNTAX, 0, 0, "", STR("")},
    {STR(""), ERR_SYNTAX, 0, 0, "", STR("")},
    {STR("   "), ERR_SYNTAX, 0, 0, "", STR("")},
    {STR("OK\0"), ERR_SYNTAX, 0, 0, "", STR("")},
};

static void
test_actions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct policy_action got = {.code = -1};
        ROW(i, policy_action_read(rows[i].value, a, &got) == rows[i].e);
        if (rows[i].e != OK) {
            ROW(i, got.code == -1);
            continue;
        }
        ROW(i, got.verb == rows[i].verb && got.code == rows[i].code);
        ROW(i, str_eq(str_of(got.enhanced), str_of(rows[i].enhanced)));
        ROW(i, str_eq(got.text, rows[i].text));
    }
}

static void
test_long_text_is_cut(void **state)
{
    AUTO_ARENA *a = arena_new(65536);
    char text[2000] = "REJECT ";
    struct policy_action got;

    (void)state;
    memset(text + 7, 'x', sizeof(text) - 7);
    assert_int_equal(policy_action_read(str_from(text, sizeof(text)), a, &got), OK);
    assert_int_equal(got.text.len, POLICY_TEXT_MAX);
}

static void
test_request(void **state)
{
    AUTO_BUF b = BUF(4096);
    const struct policy_request r = {.state = STR("RCPT"),
                                     .protocol = STR("ESMTP"),
                                     .helo = STR("a\nrecipient=x"),
                                     .sender = STR("a@b.example"),
                                     .recipient = STR("c@d.example"),
                                     .client_address = STR("192.0.2.1"),
                                     .client_port = 4711,
                                     .size = 12,
                                     .instance = STR("7"),
                                     .context = STR("here")};

    (void)state;
    policy_request_write(&b, &r);
    assert_int_equal(buf_status(&b), OK);
    assert_true(str_starts(buf_str(&b), STR("request=smtpd_access_policy\nprotocol_state=RCPT\n"
                                            "protocol_name=ESMTP\nhelo_name=a?recipient=x\n")));
    assert_true(str_find_str(buf_str(&b), STR("\nsender=a@b.example\nrecipient=c@d.example\n"
                                              "recipient_count=0\nclient_address=192.0.2.1\n")) >
                0);
    assert_true(str_find_str(buf_str(&b), STR("\nclient_port=4711\n")) > 0);
    assert_true(str_find_str(buf_str(&b), STR("\nsize=12\n")) > 0);
    assert_true(str_ends(buf_str(&b), STR("\npolicy_context=here\n\n")));
    /* The only empty line is the last. */
    assert_int_equal(str_find_str(buf_str(&b), STR("\n\n")), b.len - 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_long_text_is_cut),
        cmocka_unit_test(test_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
