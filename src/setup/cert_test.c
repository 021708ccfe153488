/* cert_test.c - certificates that we make, and what is said about them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/size.h"
#include "rt/clock.h"
#include "setup/cert.h"

enum { PEM_MAX = 16384, DAY_S = 86400 };

static struct cert_facts
make(struct arena *a, int64_t days_ago, bool loopback, struct buf *cert, struct buf *key)
{
    struct cert_request r = {.host = STR("mail.example.org"),
                             .loopback = loopback,
                             .now_s = clock_now().us / 1000000 - days_ago * DAY_S};
    struct cert_facts f;

    assert_int_equal(cert_make(&r, cert, key), OK);
    assert_int_equal(cert_read(buf_str(cert), buf_str(key), a, &f), OK);
    return f;
}

static const struct {
    int64_t days_ago, left_min, left_max;
    bool not_yet;
} ages[] = {
    {0, CERT_DAYS - 2, CERT_DAYS - 1, false},
    {CERT_DAYS - 14, 12, 13, false},
    {CERT_DAYS, -2, -1, false},
    {CERT_DAYS + 10, -12, -11, false},
    {-30, CERT_DAYS + 27, CERT_DAYS + 30, true},
};

static void
test_ages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ages); i++) {
        AUTO_ARENA *a = arena_new(1 << 20);
        AUTO_BUF cert = BUF(PEM_MAX);
        AUTO_BUF key = BUF(PEM_MAX);
        struct cert_facts f = make(a, ages[i].days_ago, false, &cert, &key);

        assert_true(f.days_left >= ages[i].left_min && f.days_left <= ages[i].left_max);
        assert_int_equal(f.not_yet, ages[i].not_yet);
        assert_true(f.self_signed && f.mismatch == NULL);
        assert_int_equal(f.sha256.len, 32 * 3 - 1);
    }
}

static void
test_names(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF cert = BUF(PEM_MAX);
    AUTO_BUF key = BUF(PEM_MAX);
    struct cert_facts f = make(a, 0, false, &cert, &key);

    (void)state;
    assert_true(cert_covers(&f, STR("MAIL.example.ORG")));
    assert_false(cert_covers(&f, STR("localhost")));
    assert_false(cert_covers(&f, STR("example.org")));
    buf_reset(&cert);
    buf_reset(&key);
    f = make(a, 0, true, &cert, &key);
    assert_true(cert_covers(&f, STR("localhost")) && cert_covers(&f, STR("mail.example.org")));
}

static void
test_wildcards(void **state)
{
    const struct str names[] = {STR("*.example.org"), STR("other.example")};
    const struct cert_facts f = {.names = names, .name_count = COUNT_OF(names)};

    (void)state;
    assert_true(cert_covers(&f, STR("mail.example.org")));
    assert_true(cert_covers(&f, STR("other.example")));
    assert_false(cert_covers(&f, STR("a.mail.example.org")));
    assert_false(cert_covers(&f, STR("example.org")));
    assert_false(cert_covers(&f, STR("mail.other.example")));
    assert_false(cert_covers(&f, STR("*.org")));
}

static void
test_mismatches(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF cert = BUF(PEM_MAX);
    AUTO_BUF key = BUF(PEM_MAX);
    AUTO_BUF cert2 = BUF(PEM_MAX);
    AUTO_BUF key2 = BUF(PEM_MAX);
    struct cert_facts f;

    (void)state;
    (void)make(a, 0, false, &cert, &key);
    (void)make(a, 0, false, &cert2, &key2);
    assert_int_equal(cert_read(buf_str(&cert), buf_str(&key2), a, &f), OK);
    assert_string_equal(f.mismatch, "is not the key of this certificate");
    assert_int_equal(cert_read(buf_str(&cert), STR("nothing"), a, &f), OK);
    assert_string_equal(f.mismatch, "holds no PEM private key without a password");
    assert_int_equal(cert_read(STR("nothing"), buf_str(&key), a, &f), ERR_SYNTAX);
    assert_int_equal(cert_read(STR(""), STR(""), a, &f), ERR_SYNTAX);
    assert_int_equal(cert_read(buf_str(&key), buf_str(&key), a, &f), ERR_SYNTAX);
}

/* "3 1 1 HEX" as bytes. */
static size_t
hash_of(struct str record, unsigned char out[32])
{
    struct str hex = str_skip(record, 6);

    for (size_t i = 0; i < 32 && 2 * i + 1 < hex.len; i++) {
        static const struct str digits = STR("0123456789abcdef");
        out[i] = (unsigned char)(str_find(digits, hex.ptr[2 * i]) * 16 +
                                 str_find(digits, hex.ptr[2 * i + 1]));
    }
    return hex.len / 2;
}

static void
test_tlsa(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF cert = BUF(PEM_MAX);
    AUTO_BUF other = BUF(PEM_MAX);
    AUTO_BUF key = BUF(PEM_MAX);
    AUTO_BUF both = BUF(2 * PEM_MAX);
    unsigned char hash[32], others[32];

    (void)state;
    (void)make(a, 0, false, &cert, &key);
    (void)make(a, 0, false, &other, &key);
    buf_add(&both, buf_str(&cert));
    buf_add(&both, buf_str(&other));
    struct str record = cert_make_tlsa(buf_str(&cert), a);
    assert_true(str_starts(record, STR("3 1 1 ")));
    assert_int_equal(hash_of(record, hash), 32);
    assert_int_equal(hash_of(cert_make_tlsa(buf_str(&other), a), others), 32);
    const struct {
        struct cert_tlsa t;
        bool fits;
    } rows[] = {
        {{3, 1, 1, str_from((char *)hash, 32)}, true},
        {{2, 1, 1, str_from((char *)hash, 32)}, true},
        {{3, 1, 1, str_from((char *)others, 32)}, false}, /* not the first of the file */
        {{2, 1, 1, str_from((char *)others, 32)}, true},  /* but an authority of it */
        {{1, 1, 1, str_from((char *)hash, 32)}, false},
        {{0, 1, 1, str_from((char *)hash, 32)}, false},
        {{3, 0, 1, str_from((char *)hash, 32)}, false}, /* of the whole certificate: another */
        {{3, 1, 2, str_from((char *)hash, 32)}, false},
        {{3, 1, 0, str_from((char *)hash, 32)}, false},
        {{3, 2, 1, str_from((char *)hash, 32)}, false},
        {{3, 1, 3, str_from((char *)hash, 32)}, false},
        {{3, 1, 1, str_from((char *)hash, 31)}, false},
        {{3, 1, 1, STR("")}, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (cert_fits_tlsa(buf_str(&both), &rows[i].t) != rows[i].fits)
            fail_msg("row %zu", i);
    assert_int_equal(cert_make_tlsa(STR("nothing"), a).len, 0);
    assert_false(cert_fits_tlsa(STR("nothing"), &rows[0].t));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ages),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_wildcards), cmocka_unit_test(test_mismatches),
        cmocka_unit_test(test_tlsa),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
