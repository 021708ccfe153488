/* app_password_test.c - what is made, what has its form, and whose hash is whose.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "auth/app_password.h"
#include "base/size.h"

#define WORD "abcdefghijkmnpqrstuvwxyz"

static void
test_what_has_the_form(void **state)
{
    static const struct {
        struct str given;
        bool is;
    } rows[] = {
        {STR(WORD), true},
        {STR("ABCDefghijkmnpqrstuvwxyz"), true},
        {STR("abcd-efgh-ijkm-npqr-stuv-wxyz"), true},
        {STR(" abcd efgh  ijkm-npqr--stuvwxyz- "), true},
        {STR("222222222222222222222222"), true},
        {STR("abcdefghijkmnpqrstuvwxy"), false},   /* one too few */
        {STR("abcdefghijkmnpqrstuvwxyz2"), false}, /* one too many */
        {STR("abcdefghijkmnpqrstuvwxyz "), true},
        {STR("abcdefghijkmnpqrstuvwxyl"), false}, /* looks like 1 */
        {STR("abcdefghijkmnpqrstuvwxyo"), false},
        {STR("abcdefghijkmnpqrstuvwxy0"), false},
        {STR("abcdefghijkmnpqrstuvwxy1"), false},
        {STR("abcdefghijkmnpqrstuvwxy_"), false},
        {STR("abcdefghijkmnpqrstuvwxy\0"), false},
        {STR("abcdefghijkmnpqrstuvwxy\t"), false},
        {STR("abcdefghijkmnpqrstuvwx\xc3\xa4"), false},
        {STR(""), false},
        {STR("------------------------"), false},
        {STR("abcdefghijkmnpqrstuvwxyz                                                             "
             "   "),
         true}, /* 64 blanks */
        {STR("abcdefghijkmnpqrstuvwxyz                                                             "
             "    "),
         false},
    };
    char letters[APP_PASSWORD_LETTERS];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ROW(i, app_password_read(rows[i].given, letters) == rows[i].is);
    assert_true(app_password_read(STR("Abcd-EFGH ijkm-npqr-stuv-wxyz"), letters));
    assert_str(str_from(letters, sizeof(letters)), STR(WORD));
}

static void
test_what_is_made(void **state)
{
    char first[APP_PASSWORD_TEXT], text[APP_PASSWORD_TEXT], letters[APP_PASSWORD_LETTERS];

    (void)state;
    app_password_make(first);
    for (size_t i = 0; i < 100; i++) {
        app_password_make(text);
        ROW(i, app_password_read(str_from(text, sizeof(text)), letters));
        ROW(i, text[4] == '-' && text[24] == '-');
        ROW(i, memcmp(text, first, sizeof(text)) != 0);
    }
}

static void
test_hashes(void **state)
{
    static const unsigned char key[32] = "k", other[32] = "K";
    unsigned char h[APP_PASSWORD_HASH], again[APP_PASSWORD_HASH];

    (void)state;
    assert_int_equal(app_password_hash(key, 7, WORD, h), OK);
    assert_int_equal(app_password_hash(key, 7, WORD, again), OK);
    assert_memory_equal(h, again, sizeof(h));
    assert_int_equal(app_password_hash(key, 8, WORD, again), OK);
    assert_memory_not_equal(h, again, sizeof(h));
    assert_int_equal(app_password_hash(other, 7, WORD, again), OK);
    assert_memory_not_equal(h, again, sizeof(h));
    assert_int_equal(app_password_hash(key, 7, "bbcdefghijkmnpqrstuvwxyz", again), OK);
    assert_memory_not_equal(h, again, sizeof(h));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_has_the_form),
        cmocka_unit_test(test_what_is_made),
        cmocka_unit_test(test_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
