/* login_test.c - tables of SASL words; who logs in is for the transcripts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/size.h"
#include "login/login.h"

#define PLAIN_MAX 1400u

static const struct {
    struct str plain; /* before base64 */
    enum status status;
    const char *name, *password;
} plains[] = {
    {STR("\0u\0p"), OK, "u", "p"},
    {STR("u\0u\0p"), OK, "u", "p"},
    {STR("U\0u\0p"), OK, "u", "p"},
    {STR("\0u@a.example\0 p "), OK, "u@a.example", " p "},
    {STR("\0u\0"), OK, "u", ""},
    {STR("\0\xc3\xa4\0\xff"), OK, "\xc3\xa4", "\xff"},
    {STR("v\0u\0p"), ERR_DENIED, NULL, NULL},
    {STR("v\0u\0"), ERR_DENIED, NULL, NULL},
    {STR(""), ERR_SYNTAX, NULL, NULL},
    {STR("\0"), ERR_SYNTAX, NULL, NULL},
    {STR("\0\0"), ERR_SYNTAX, NULL, NULL},
    {STR("\0\0p"), ERR_SYNTAX, NULL, NULL},
    {STR("u"), ERR_SYNTAX, NULL, NULL},
    {STR("u\0p"), ERR_SYNTAX, NULL, NULL}, /* one NUL: no password, not an empty one */
    {STR("u\0u"), ERR_SYNTAX, NULL, NULL},
    {STR("\0u\0p\0"), ERR_SYNTAX, NULL, NULL},
    {STR("\0u\0p\0q"), ERR_SYNTAX, NULL, NULL},
};

static void
test_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(plains); i++) {
        AUTO_BUF base64 = BUF(4096);
        AUTO_SECRET_BUF decoded = BUF(PLAIN_MAX);
        AUTO_SECRET password = {0};
        struct str name = STR("untouched");

        buf_add_base64(&base64, plains[i].plain);
        enum status e = login_plain_read(buf_str(&base64), &decoded, &name, &password);
        ROW(i, e == plains[i].status);
        ROW(i, str_eq(name, e == OK ? str_of(plains[i].name) : STR("untouched")));
        ROW(i, e != OK || str_eq(secret_str(&password), str_of(plains[i].password)));
    }
}

static void
test_plain_that_is_no_base64(void **state)
{
    static const char *const bad[] = {"=", "!", "A", "AHUAcA=", "AHUAcA", "AHUA cA==", "AHUAcA==x"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO_SECRET_BUF decoded = BUF(PLAIN_MAX);
        AUTO_SECRET password = {0};
        struct str name;
        ROW(i, login_plain_read(str_of(bad[i]), &decoded, &name, &password) != OK);
    }
}

/* The longest password, and one byte more. */
static void
test_plain_limit(void **state)
{
    (void)state;
    for (size_t n = LIMIT_PASSWORD_BYTES; n <= LIMIT_PASSWORD_BYTES + 1u; n++) {
        AUTO_BUF plain = BUF(4096);
        AUTO_BUF base64 = BUF(4096);
        AUTO_SECRET_BUF decoded = BUF(PLAIN_MAX);
        AUTO_SECRET password = {0};
        struct str name;

        buf_add(&plain, STR("\0u\0"));
        for (size_t i = 0; i < n; i++)
            buf_add_char(&plain, 'p');
        buf_add_base64(&base64, buf_str(&plain));
        enum status e = login_plain_read(buf_str(&base64), &decoded, &name, &password);
        ROW(n, e == (n <= LIMIT_PASSWORD_BYTES ? OK : ERR_SYNTAX));
    }
}

static void
test_word(void **state)
{
    static const struct {
        const char *in;
        bool good;
        const char *out;
    } words[] = {
        {"dQ==", true, "u"},  {"=", true, ""},    {"", true, ""},     {"==", false, NULL},
        {"dQ=", false, NULL}, {"d", false, NULL}, {"*", false, NULL}, {"dQ==dQ==", false, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        AUTO_BUF out = BUF(64);
        enum status e = login_word_read(str_of(words[i].in), &out);
        ROW(i, (e == OK) == words[i].good);
        ROW(i, e != OK || str_eq(buf_str(&out), str_of(words[i].out)));
    }
    AUTO_BUF small = BUF(2);
    assert_int_equal(login_word_read(STR("dXU="), &small), OK);
    AUTO_BUF smaller = BUF(1);
    assert_int_equal(login_word_read(STR("dXU="), &smaller), ERR_LIMIT);
}

static void
test_session_numbers(void **state)
{
    uint64_t first = login_session_new();

    (void)state;
    assert_true(first != 0 && login_session_new() != first);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),           cmocka_unit_test(test_plain_that_is_no_base64),
        cmocka_unit_test(test_plain_limit),     cmocka_unit_test(test_word),
        cmocka_unit_test(test_session_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
