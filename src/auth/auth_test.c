/* auth_test.c - seals, verifiers, the cache of good log-ins and the brake on wrong ones.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "auth/attempts.h"
#include "auth/cache.h"
#include "auth/seal.h"
#include "auth/verifier.h"

static struct secret
secret_of(const char *z)
{
    struct secret s = {0};

    assert_true(secret_set(&s, str_of(z)));
    return s;
}

static void
test_seal_opens_only_what_it_made(void **state)
{
    AUTO(seal_free) struct seal *s = NULL;
    AUTO(seal_free) struct seal *other = NULL;
    AUTO_BUF sealed = BUF(4096);
    AUTO_BUF plain = BUF(4096);

    (void)state;
    assert_int_equal(seal_new(STR("0123456789abcdef0123456789abcdef"), &s), OK);
    assert_int_equal(seal_new(STR("0123456789abcdef0123456789abcdeF"), &other), OK);
    assert_int_equal(seal_new(STR("short"), &other), ERR_SYNTAX);
    assert_int_equal(seal_make(s, STR("dkim"), STR("a.example"), STR("the key"), &sealed), OK);
    assert_int_equal(sealed.len, 7 + SEAL_OVERHEAD);
    assert_int_equal(seal_open(s, STR("dkim"), STR("a.example"), buf_str(&sealed), &plain), OK);
    assert_true(str_eq(buf_str(&plain), STR("the key")));
    assert_int_equal(seal_open(s, STR("dkim"), STR("b.example"), buf_str(&sealed), &plain),
                     ERR_CORRUPT);
    assert_int_equal(seal_open(s, STR("tls"), STR("a.example"), buf_str(&sealed), &plain),
                     ERR_CORRUPT);
    assert_int_equal(seal_open(other, STR("dkim"), STR("a.example"), buf_str(&sealed), &plain),
                     ERR_CORRUPT);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.ptr[i] ^= 1;
        assert_int_equal(seal_open(s, STR("dkim"), STR("a.example"), buf_str(&sealed), &plain),
                         ERR_CORRUPT);
        sealed.ptr[i] ^= 1;
    }
    for (size_t n = 0; n < SEAL_OVERHEAD; n++)
        assert_int_equal(
            seal_open(s, STR("dkim"), STR("a.example"), str_sub(buf_str(&sealed), 0, n), &plain),
            ERR_CORRUPT);
    assert_int_equal(plain.len, 7);
}

static void
test_verifier(void **state)
{
    AUTO_BUF v = BUF(VERIFIER_MAX);
    struct secret right = secret_of("correct horse"), wrong = secret_of("correct hors");

    (void)state;
    assert_int_equal(verifier_make(&right, &v), OK);
    assert_int_equal(verifier_check(buf_str(&v), &right), OK);
    assert_int_equal(verifier_check(buf_str(&v), &wrong), ERR_DENIED);
    for (size_t n = 0; n < v.len; n += 7)
        assert_int_equal(verifier_check(str_sub(buf_str(&v), 0, n), &right), ERR_CORRUPT);
}

static void
test_cache_knows_good_ones_only(void **state)
{
    AUTO(auth_cache_free) struct auth_cache *c = auth_cache_new(3);
    AUTO_ARENA *a = arena_new(65536);
    struct secret p = secret_of("p"), q = secret_of("q");
    struct auth_known known;

    (void)state;
    auth_cache_add(c, STR("anna"), &p, 7, STR("anna@a.example"));
    assert_true(auth_cache_find(c, STR("anna"), &p, a, &known));
    assert_int_equal(known.account, 7);
    assert_true(str_eq(known.address, STR("anna@a.example")));
    assert_false(auth_cache_find(c, STR("anna"), &q, a, &known));
    assert_false(auth_cache_find(c, STR("ann"), &p, a, &known));
    auth_cache_add(c, STR("b"), &p, 8, STR("b"));
    auth_cache_add(c, STR("c"), &p, 9, STR("c"));
    auth_cache_add(c, STR("d"), &p, 10, STR("d")); /* the oldest goes */
    assert_int_equal(auth_cache_count(c), 3);
    assert_false(auth_cache_find(c, STR("anna"), &p, a, &known));
    auth_cache_forget(c, 9);
    assert_false(auth_cache_find(c, STR("c"), &p, a, &known));
    assert_true(auth_cache_find(c, STR("d"), &p, a, &known));
}

static void
test_attempts_brake_one_network(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();

    (void)state;
    for (unsigned i = 0; i < ATTEMPTS_FREE; i++) {
        assert_true(attempts_allowed(t, STR("2001:db8::1")));
        attempts_wrong(t, STR("2001:db8::1"));
    }
    assert_false(attempts_allowed(t, STR("2001:db8::2"))); /* the same /64 */
    assert_true(attempts_allowed(t, STR("2001:db8:0:1::1")));
    assert_true(attempts_allowed(t, STR("192.0.2.1")));
    attempts_right(t, STR("2001:db8::3"));
    assert_true(attempts_allowed(t, STR("2001:db8::1")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seal_opens_only_what_it_made),
        cmocka_unit_test(test_verifier),
        cmocka_unit_test(test_cache_knows_good_ones_only),
        cmocka_unit_test(test_attempts_brake_one_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
