/* adopt_test.c - hashes of other systems: which are taken, and that they are good for their password.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "auth/adopt.h"
#include "auth/verifier.h"
#include "base/size.h"

/* Of "secret", made by argon2id_hash_encoded() of libargon2, which PHP's and Python's libraries call. */
#define SALT "c29tZXNhbHRzb21lc2FsdA"
#define HASH "pclxcsa4X0bZ5lu7Vy5h3p7EU7VbuW7pGRWETxHuU0c"

static const struct row {
    struct str text;
    enum status wanted;
} rows[] = {
    {STR("$argon2id$v=19$m=64,t=1,p=1$" SALT "$" HASH), OK},
    {STR("{ARGON2ID}$argon2id$v=19$m=64,t=1,p=1$" SALT "$" HASH), OK},
    {STR("{argon2id}$argon2id$v=19$m=64,t=1,p=1$" SALT "$" HASH), OK},
    {STR(""), ERR_SYNTAX},
    {STR("secret"), ERR_SYNTAX},
    {STR("$1$abcdefgh$0123456789012345678901"), ERR_SYNTAX},
    {STR("$argon2i$v=19$m=64,t=1,p=1$" SALT "$" HASH), ERR_SYNTAX},
    {STR("$argon2id$v=16$m=64,t=1,p=1$" SALT "$" HASH), ERR_SYNTAX},
    {STR("$argon2id$m=64,t=1,p=1$" SALT "$" HASH), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=64,t=1$" SALT "$" HASH), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=64,t=1,p=1$" SALT), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=64,t=1,p=1$" SALT "$"), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=64,t=1,p=1$" SALT "$" HASH "A"), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=64,t=1,p=1$" SALT "$" HASH " "), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=64,t=1,p=1$c2hvcnQ$" HASH), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=64,t=1,p=4$" SALT "$" HASH), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=7,t=1,p=1$" SALT "$" HASH), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=262144,t=16,p=1$" SALT "$" HASH), OK}, /* exactly the most */
    {STR("$argon2id$v=19$m=262145,t=1,p=1$" SALT "$" HASH), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=64,t=17,p=1$" SALT "$" HASH), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=64,t=0,p=1$" SALT "$" HASH), ERR_SYNTAX},
    {STR("$argon2id$v=19$m=4294967296,t=1,p=1$" SALT "$" HASH), ERR_SYNTAX},
};

static void
test_which_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF out = BUF(VERIFIER_MAX);
        const char *why = NULL;
        if (verifier_take(rows[i].text, &out, &why) != rows[i].wanted || why == NULL)
            fail_msg("row %zu: %.*s", i, STR_FMT(rows[i].text));
        assert_int_equal(out.len > 0, rows[i].wanted == OK);
    }
}

static void
test_good_for_its_password(void **state)
{
    AUTO_BUF out = BUF(VERIFIER_MAX);
    struct secret right = {0}, wrong = {0};
    struct scram_keys keys;
    const char *why;

    (void)state;
    assert_true(secret_set(&right, STR("secret")) && secret_set(&wrong, STR("Secret")));
    assert_int_equal(verifier_take(rows[0].text, &out, &why), OK);
    assert_int_equal(verifier_check(buf_str(&out), &right), OK);
    assert_int_equal(verifier_check(buf_str(&out), &wrong), ERR_DENIED);
    assert_int_equal(verifier_scram(buf_str(&out), &keys), ERR_CORRUPT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_are_taken),
        cmocka_unit_test(test_good_for_its_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
