/* sendmail_test.c - the command line of sendmail, and what replies mean to who called.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/size.h"
#include "ctl/sendmail.h"

/* Of role/role.c, which this program does without. */
void role_stopped(void);

void
role_stopped(void)
{
    UNREACHABLE();
}

/* argv from words with spaces between. */
static bool
read_words(const char *text, struct arena *a, struct sendmail_options *o, struct problem *why)
{
    char *argv[32] = {0};
    struct str rest = str_of(text), word;
    int argc = 0;

    while (str_split(&rest, ' ', &word))
        argv[argc++] = arena_z(a, word);
    return sendmail_read_options(argc, argv, a, o, why);
}

static void
test_good_words(void **state)
{
    static const struct {
        const char *words;
        enum sendmail_mode mode;
        bool find, keep;
        const char *sender, *rcpt; /* NULL: none */
        int rcpts;
    } rows[] = {
        {"sendmail a@b", SENDMAIL_DELIVER, false, false, NULL, "a@b", 1},
        {"sendmail -t -i", SENDMAIL_DELIVER, true, true, NULL, NULL, 0},
        {"sendmail -ti -fme@x a b", SENDMAIL_DELIVER, true, true, "me@x", "a", 2},
        {"sendmail -it -f me@x", SENDMAIL_DELIVER, true, true, "me@x", NULL, 0},
        {"sendmail -oi -oem -odb -f me@x -- a", SENDMAIL_DELIVER, false, true, "me@x", "a", 1},
        {"sendmail -r me@x -- -f", SENDMAIL_DELIVER, false, false, "me@x", "-f", 1},
        {"sendmail a -t", SENDMAIL_DELIVER, false, false, NULL, "a", 2}, /* a stranger's address */
        {"sendmail -FCronDaemon -i -B8BITMIME -oem root", SENDMAIL_DELIVER, false, true, NULL,
         "root", 1},
        {"sendmail -B 7BIT -O Timeout=1 -p x -X /log -L tag -h 3 -d0.1 -G -U -m -s -n -A c -e m a",
         SENDMAIL_DELIVER, false, false, NULL, "a", 1},
        {"sendmail -bs", SENDMAIL_SMTP, false, false, NULL, NULL, 0},
        {"sendmail -bp", SENDMAIL_LIST, false, false, NULL, NULL, 0},
        {"mailq", SENDMAIL_LIST, false, false, NULL, NULL, 0},
        {"mailq -v", SENDMAIL_LIST, false, false, NULL, NULL, 0},
        {"sendmail -q", SENDMAIL_RUN, false, false, NULL, NULL, 0},
        {"sendmail -q15m", SENDMAIL_RUN, false, false, NULL, NULL, 0},
        {"sendmail -bi", SENDMAIL_ALIASES, false, false, NULL, NULL, 0},
        {"newaliases", SENDMAIL_ALIASES, false, false, NULL, NULL, 0},
        {"sendmail -bm a", SENDMAIL_DELIVER, false, false, NULL, "a", 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct sendmail_options o;
        struct problem why = {0};
        if (!read_words(rows[i].words, a, &o, &why))
            fail_msg("%s: %s", rows[i].words, why.text);
        assert_int_equal(o.mode, rows[i].mode);
        assert_int_equal(o.find_rcpts, rows[i].find);
        assert_int_equal(o.keep_dots, rows[i].keep);
        assert_int_equal(o.has_sender, rows[i].sender != NULL);
        if (rows[i].sender != NULL)
            assert_true(str_eq(o.sender, str_of(rows[i].sender)));
        assert_int_equal(o.rcpt_count, rows[i].rcpts);
        if (rows[i].rcpt != NULL)
            assert_string_equal(o.rcpts[0], rows[i].rcpt);
    }
}

static void
test_reports(void **state)
{
    AUTO_ARENA *a = arena_new(65536);
    struct sendmail_options o;
    struct problem why = {0};

    (void)state;
    assert_true(read_words("sendmail -N success,delay -R full -V a=b+c x", a, &o, &why));
    assert_true(str_eq(o.notify, STR(" NOTIFY=success,delay")) && str_eq(o.ret, STR(" RET=FULL")));
    assert_true(str_eq(o.envid, STR(" ENVID=a+3Db+2Bc")));
    assert_true(read_words("sendmail -N never -Rhdrs -v -C /x x", a, &o, &why));
    assert_true(str_eq(o.notify, STR(" NOTIFY=never")) && str_eq(o.ret, STR(" RET=HDRS")));
    assert_true(o.verbose);
    assert_string_equal(o.config, "/x");
}

static void
test_bad_words(void **state)
{
    static const char *const rows[] = {
        "sendmail",
        "sendmail -i",
        "sendmail -bd",
        "sendmail -bv a",
        "sendmail -bt",
        "sendmail -bpx",
        "sendmail -Z a",
        "sendmail -f",
        "sendmail -N x a",
        "sendmail -N never,delay a",
        "sendmail -R x a",
        "sendmail -V  a",
        "sendmail -N failure,,delay a",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct sendmail_options o;
        struct problem why = {0};
        if (read_words(rows[i], a, &o, &why))
            fail_msg("%s was taken", rows[i]);
        assert_true(why.text[0] != '\0');
    }
}

static void
test_exits(void **state)
{
    static const struct {
        int code;
        const char *enhanced;
        int exit;
    } rows[] = {
        {550, "5.1.1", EX_NOUSER},      {550, "5.1.2", EX_NOHOST},   {501, "5.1.3", EX_DATAERR},
        {550, "5.6.0", EX_DATAERR},     {553, "5.7.1", EX_NOPERM},   {552, "5.2.2", EX_UNAVAILABLE},
        {552, "5.3.4", EX_UNAVAILABLE}, {554, "", EX_UNAVAILABLE},   {452, "4.2.2", EX_TEMPFAIL},
        {421, "4.3.0", EX_TEMPFAIL},    {451, "4.1.1", EX_TEMPFAIL}, {-1, "", EX_TEMPFAIL},
        {550, "5.1.10", EX_NOUSER}, /* no mail there at all */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(sendmail_exit_of(rows[i].code, str_of(rows[i].enhanced)), rows[i].exit);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_words),
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_bad_words),
        cmocka_unit_test(test_exits),
    };

    return cmocka_run_group_tests_name("sendmail: words and exit statuses", tests, NULL, NULL);
}
