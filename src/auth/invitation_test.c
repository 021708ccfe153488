/* invitation_test.c - what is made, what has its form, and whose hash is whose.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "auth/app_password.h"
#include "auth/invitation.h"
#include "base/size.h"

#define WORD "abcdefghijkmnpqrstuvwxyz2345"

static void
test_what_has_the_form(void **state)
{
    static const struct {
        struct str given;
        bool is;
    } rows[] = {
        {STR(WORD), true},
        {STR("ABCD-efgh-ijkm-npqr-stuv-wxyz-2345"), true},
        {STR(" abcd efgh ijkm--npqrstuvwxyz 2345-"), true},
        {STR("abcdefghijkmnpqrstuvwxyz234"), false},   /* one too few */
        {STR("abcdefghijkmnpqrstuvwxyz23456"), false}, /* one too many */
        {STR("abcdefghijkmnpqrstuvwxyz"), false},      /* an app password */
        {STR("abcdefghijkmnpqrstuvwxyz234l"), false},  /* looks like 1 */
        {STR("abcdefghijkmnpqrstuvwxyz234o"), false},
        {STR("abcdefghijkmnpqrstuvwxyz2340"), false},
        {STR("abcdefghijkmnpqrstuvwxyz2341"), false},
        {STR("abcdefghijkmnpqrstuvwxyz234\0"), false},
        {STR("abcdefghijkmnpqrstuvwxyz234\xc3"), false},
        {STR("----------------------------"), false},
        {STR(""), false},
    };
    char letters[INVITATION_LETTERS];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ROW(i, invitation_read(rows[i].given, letters) == rows[i].is);
    assert_true(invitation_read(STR("Abcd-EFGH ijkm-npqr-stuv-wxyz-2345"), letters));
    assert_str(str_from(letters, sizeof(letters)), STR(WORD));
}

static void
test_what_is_made(void **state)
{
    char first[INVITATION_TEXT], text[INVITATION_TEXT], letters[INVITATION_LETTERS];
    unsigned seen[256] = {0};
    size_t kinds = 0;

    (void)state;
    invitation_make(first);
    for (size_t i = 0; i < 200; i++) {
        invitation_make(text);
        ROW(i, invitation_read(str_from(text, sizeof(text)), letters));
        ROW(i, !app_password_read(str_from(text, sizeof(text)), letters));
        ROW(i, text[4] == '-' && text[29] == '-');
        ROW(i, memcmp(text, first, sizeof(text)) != 0);
        for (size_t k = 0; k < sizeof(text); k++)
            seen[(unsigned char)text[k]]++;
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        kinds += seen[i] > 0 ? 1 : 0;
    assert_int_equal(kinds, 33); /* all 32 letters, and the dash */
}

static void
test_hashes(void **state)
{
    static const unsigned char key[32] = "k", other[32] = "K";
    unsigned char h[INVITATION_HASH], again[INVITATION_HASH];

    (void)state;
    assert_int_equal(invitation_hash(key, 7, WORD, h), OK);
    assert_int_equal(invitation_hash(key, 7, WORD, again), OK);
    assert_memory_equal(h, again, sizeof(h));
    assert_int_equal(invitation_hash(key, 8, WORD, again), OK);
    assert_memory_not_equal(h, again, sizeof(h));
    assert_int_equal(invitation_hash(other, 7, WORD, again), OK);
    assert_memory_not_equal(h, again, sizeof(h));
    assert_int_equal(invitation_hash(key, 7, "bbcdefghijkmnpqrstuvwxyz2345", again), OK);
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
