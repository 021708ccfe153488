/* auth_test.c - seals, verifiers, the cache of good log-ins.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "auth/cache.h"
#include "auth/seal.h"
#include "auth/verifier.h"
#include "base/limits.h"
#include "base/size.h"
#include "rt/clock_testing.h"

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

/* Stored bytes, with one thing wrong each. */
struct stored {
    uint8_t format;
    uint64_t memory, passes;
    size_t salt, hash;
    uint64_t iterations;
    size_t scram_salt, stored_key, server_key, rest;
};
static const struct stored fine = {1, 8, 1, 8, 32, 4096, 16, 32, 32, 0};

static void
write_stored(const struct stored *v, struct buf *b)
{
    static const char bytes[128] = "";

    buf_add_char(b, (char)v->format);
    buf_add_varint(b, v->memory);
    buf_add_varint(b, v->passes);
    buf_add_bytes(b, str_from(bytes, v->salt));
    buf_add_bytes(b, str_from(bytes, v->hash));
    buf_add_varint(b, v->iterations);
    buf_add_bytes(b, str_from(bytes, v->scram_salt));
    buf_add_bytes(b, str_from(bytes, v->stored_key));
    buf_add_bytes(b, str_from(bytes, v->server_key));
    buf_add(b, str_from(bytes, v->rest));
}

static void
test_stored_verifiers(void **state)
{
    struct secret p = secret_of("p");
    const struct {
        struct stored v;
        enum status status;
    } rows[] = {
        {fine, ERR_DENIED}, /* well formed, and of another password */
        {{2, 8, 1, 8, 32, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{0, 8, 1, 8, 32, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, 0, 1, 8, 32, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, 7, 1, 8, 32, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, (1u << 20) + 1, 1, 8, 32, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, UINT64_MAX, 1, 8, 32, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, 8, 0, 8, 32, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, 8, 16, 8, 32, 4096, 16, 32, 32, 0}, ERR_DENIED},
        {{1, 8, 17, 8, 32, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, 8, 1, 7, 32, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, 8, 1, 64, 32, 4096, 16, 32, 32, 0}, ERR_DENIED},
        {{1, 8, 1, 65, 32, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, 8, 1, 8, 31, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, 8, 1, 8, 33, 4096, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, 8, 1, 8, 32, 1ull << 32, 16, 32, 32, 0}, ERR_CORRUPT},
        {{1, 8, 1, 8, 32, 4096, 65, 32, 32, 0}, ERR_CORRUPT},
        {{1, 8, 1, 8, 32, 4096, 16, 65, 32, 0}, ERR_CORRUPT},
        {{1, 8, 1, 8, 32, 4096, 16, 32, 65, 0}, ERR_CORRUPT},
        {{1, 8, 1, 8, 32, 4096, 16, 32, 32, 1}, ERR_CORRUPT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF v = BUF(VERIFIER_MAX);
        write_stored(&rows[i].v, &v);
        ROW(i, verifier_check(buf_str(&v), &p) == rows[i].status);
        for (size_t n = 0; rows[i].status == ERR_DENIED && n < v.len; n++)
            ROW(i, verifier_check(str_sub(buf_str(&v), 0, n), &p) == ERR_CORRUPT);
    }
}

static void
test_seal_sizes(void **state)
{
    AUTO(seal_free) struct seal *s = NULL;
    static char bytes[SEAL_PLAIN_MAX + 1];

    (void)state;
    assert_int_equal(seal_new(STR("0123456789abcdef0123456789abcdef"), &s), OK);
    for (size_t n = 0; n <= SEAL_PLAIN_MAX; n += SEAL_PLAIN_MAX / 4) {
        AUTO_BUF sealed = BUF(SEAL_PLAIN_MAX + 100);
        AUTO_BUF again = BUF(SEAL_PLAIN_MAX + 100);
        AUTO_BUF plain = BUF(SEAL_PLAIN_MAX + 100);
        struct str text = str_from(bytes, n);

        ROW(n, seal_make(s, STR("k"), STR(""), text, &sealed) == OK);
        ROW(n, seal_make(s, STR("k"), STR(""), text, &again) == OK);
        ROW(n, !str_eq(buf_str(&sealed), buf_str(&again))); /* another nonce each time */
        ROW(n, seal_open(s, STR("k"), STR(""), buf_str(&sealed), &plain) == OK);
        ROW(n, str_eq(buf_str(&plain), text));
    }
    AUTO_BUF sealed = BUF(2 * SEAL_PLAIN_MAX);
    assert_int_not_equal(seal_make(s, STR("k"), STR(""), str_from(bytes, sizeof(bytes)), &sealed),
                         OK);
    /* kind and name have a border: "ab" "c" is not "a" "bc" */
    buf_reset(&sealed);
    AUTO_BUF plain = BUF(100);
    assert_int_equal(seal_make(s, STR("ab"), STR("c"), STR("x"), &sealed), OK);
    assert_int_equal(seal_open(s, STR("a"), STR("bc"), buf_str(&sealed), &plain), ERR_CORRUPT);
    AUTO_BUF small = BUF(8);
    assert_int_equal(seal_open(s, STR("ab"), STR("c"), buf_str(&sealed), &small), ERR_LIMIT);
}

static void
test_cache_forgets_in_time(void **state)
{
    AUTO(auth_cache_free) struct auth_cache *c = auth_cache_new(3);
    AUTO_ARENA *a = arena_new(65536);
    struct secret p = secret_of("p");
    struct auth_known known;

    (void)state;
    auth_cache_add(c, STR("anna"), &p, 7, STR("anna@a.example"));
    test_clock_pass(LIMIT_AUTH_CACHE_S * 1000 - 1);
    assert_true(auth_cache_find(c, STR("anna"), &p, a, &known));
    test_clock_pass(1); /* finding it did not make it younger */
    assert_false(auth_cache_find(c, STR("anna"), &p, a, &known));
    assert_int_equal(auth_cache_count(c), 0);
    /* name and password have a border */
    auth_cache_add(c, STR("ab"), &p, 7, STR("x"));
    struct secret bp = secret_of("bp");
    assert_false(auth_cache_find(c, STR("a"), &bp, a, &known));
    auth_cache_add(c, STR("ab"), &p, 8, STR("y")); /* twice is once */
    assert_int_equal(auth_cache_count(c), 1);
    assert_true(auth_cache_find(c, STR("ab"), &p, a, &known) && known.account == 8);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seal_opens_only_what_it_made),
        cmocka_unit_test(test_seal_sizes),
        cmocka_unit_test(test_verifier),
        cmocka_unit_test(test_stored_verifiers),
        cmocka_unit_test(test_cache_knows_good_ones_only),
        cmocka_unit_test(test_cache_forgets_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
