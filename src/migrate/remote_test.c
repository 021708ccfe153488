/* remote_test.c - who logs in, and files of accounts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "base/testing.h"
#include "migrate/remote.h"

static void
test_logins(void **state)
{
    static const struct {
        struct remote_login l;
        const char *plain, *user; /* NULL: refused */
    } rows[] = {
        {{STR("tim"), STR(""), '\0', STR("tanstaaftanstaaf")},
         "AHRpbQB0YW5zdGFhZnRhbnN0YWFm",
         "tim"},
        /* RFC 4616 section 4, with two identities */
        {{STR("Ursel"), STR("Kurt"), '\0', STR("xipj3plmq")},
         "VXJzZWwAS3VydAB4aXBqM3BsbXE=",
         "Ursel"},
        {{STR("a@b"), STR("m"), '*', STR("p")}, "AGFAYiptAHA=", "a@b*m"},
        {{STR("a\0b"), STR(""), '\0', STR("p")}, NULL, NULL},
        {{STR("a"), STR(""), '\0', STR("p\0")}, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF plain = BUF(4096);
        AUTO_BUF user = BUF(4096);
        ROW(i, remote_plain(&rows[i].l, &plain) == (rows[i].plain != NULL ? OK : ERR_SYNTAX));
        if (rows[i].plain == NULL)
            continue;
        assert_str(buf_str(&plain), str_of(rows[i].plain));
        remote_user(&rows[i].l, &user);
        assert_str(buf_str(&user), str_of(rows[i].user));
    }
}

static void
test_long_password(void **state)
{
    AUTO_BUF out = BUF(1u << 20);
    AUTO_BUF password = BUF(8192);

    (void)state;
    while (password.len < 4096)
        buf_add_char(&password, 'p');
    const struct remote_login l = {.user = STR("u"), .password = buf_str(&password)};
    assert_int_equal(remote_plain(&l, &out), ERR_LIMIT);
}

static void
test_accounts(void **state)
{
    static const struct {
        const char *text, *found; /* line=address|user|password; */
    } rows[] = {
        {"a@x,au,pw\nb@x\n", "1=a@x|au|pw;2=b@x||;"},
        {"# who\r\n\r\n  \n a@x , au , p,w \r\n", "4=a@x|au| p,w ;"},
        {"a@x\tau, b\tp w\nb@x\t\tq", "1=a@x|au, b|p w;2=b@x||q;"},
        {"a@x,au", "1=a@x|au|;"},
        {",u,p\n", "1=|u|p;"},
        {"", ""},
        {"\n\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(1024);
        struct remote_accounts l = {.in = scan_of(str_of(rows[i].text))};
        struct remote_account x;
        while (remote_account_next(&l, &x))
            buf_addf(&b, "%u=%.*s|%.*s|%.*s;", x.line, STR_FMT(x.address), STR_FMT(x.user),
                     STR_FMT(x.password));
        assert_str(buf_str(&b), str_of(rows[i].found));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_logins),
                                       cmocka_unit_test(test_long_password),
                                       cmocka_unit_test(test_accounts)};

    return cmocka_run_group_tests_name("migrate: other servers", tests, NULL, NULL);
}
