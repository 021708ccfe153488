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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ages),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_mismatches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
