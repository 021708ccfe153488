/* cache_test.c - answers that are kept: what is handed out, for how long, and how much of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/cache.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"

static struct dns_name
named(const char *text)
{
    struct dns_name n;

    assert_true(dns_name_read(str_of(text), &n));
    return n;
}

static const struct str two[] = {STR("\xc0\0\2\1"), STR("")};
static const struct dns_cached none = {.exists = false, .secure = true};
static const struct dns_cached some = {.exists = true, .count = 2, .data = two};

static void
test_keeps_what_it_got(void **state)
{
    AUTO(dns_cache_free) struct dns_cache *c = dns_cache_new(1 << 16);
    struct dns_name a = named("A.example"), lower = named("a.example."), b = named("b.example");

    assert_null(dns_cache_get(c, &a, DNS_TYPE_A, 0));
    dns_cache_put(c, &a, DNS_TYPE_A, &some, 1000);
    dns_cache_put(c, &a, DNS_TYPE_TXT, &none, 1000);
    const struct dns_cached *got = dns_cache_get(c, &lower, DNS_TYPE_A, 999);
    assert_non_null(got);
    assert_true(got->exists && !got->secure && got->count == 2);
    assert_str(got->data[0], two[0]);
    assert_str(got->data[1], two[1]);
    dns_cached_let_go(got);
    got = dns_cache_get(c, &a, DNS_TYPE_TXT, 0);
    assert_true(got != NULL && !got->exists && got->secure && got->count == 0 &&
                got->canonical.ptr == NULL);
    dns_cached_let_go(got);
    struct dns_cached alias = some;
    alias.canonical = dns_name_str(&b);
    dns_cache_put(c, &a, DNS_TYPE_MX, &alias, 1000);
    got = dns_cache_get(c, &a, DNS_TYPE_MX, 0);
    assert_non_null(got);
    assert_str(got->canonical, dns_name_str(&b));
    assert_str(got->data[0], two[0]);
    dns_cached_let_go(got);
    assert_null(dns_cache_get(c, &a, DNS_TYPE_AAAA, 0));
    assert_null(dns_cache_get(c, &b, DNS_TYPE_A, 0));
}

static void
test_ends_in_time(void **state)
{
    AUTO(dns_cache_free) struct dns_cache *c = dns_cache_new(1 << 16);
    struct dns_name a = named("a.example");

    dns_cache_put(c, &a, DNS_TYPE_A, &some, 1000);
    const struct dns_cached *held = dns_cache_get(c, &a, DNS_TYPE_A, 999);
    assert_non_null(held);
    assert_null(dns_cache_get(c, &a, DNS_TYPE_A, 1000)); /* asked again ... */
    assert_int_equal(dns_cache_bytes(c), 0);
    assert_str(held->data[0], two[0]); /* ... and good for who has it */
    dns_cached_let_go(held);
    dns_cache_put(c, &a, DNS_TYPE_A, &none, 3000);
    dns_cache_put(c, &a, DNS_TYPE_A, &some, 2000); /* takes its place */
    held = dns_cache_get(c, &a, DNS_TYPE_A, 1999);
    assert_true(held != NULL && held->count == 2);
    dns_cached_let_go(held);
    assert_null(dns_cache_get(c, &a, DNS_TYPE_A, 2000));
}

static void
test_ttl_has_bounds(void **state)
{
    static const struct {
        const struct dns_cached *answer;
        int64_t ttl_s, until_ms;
    } rows[] = {
        {&some, 0, 7},
        {&some, -1, 7},
        {&some, 1, 1007},
        {&some, LIMIT_DNS_CACHE_S, 7 + LIMIT_DNS_CACHE_S * 1000},
        {&some, INT32_MAX, 7 + LIMIT_DNS_CACHE_S * 1000},
        {&none, 1, 1007},
        {&none, LIMIT_DNS_CACHE_S, 7 + LIMIT_DNS_CACHE_NONE_S * 1000},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ROW(i, dns_cache_until(rows[i].answer, rows[i].ttl_s, 7) == rows[i].until_ms);
}

/* A million names, as a spammer has them: what was used lately stays, the rest is bounded. */
static void
test_memory_is_bounded(void **state)
{
    enum { ROOM = 1 << 18, NAMES = 1000000 };
    AUTO(dns_cache_free) struct dns_cache *c = dns_cache_new(ROOM);
    struct dns_name dear = named("dear.example"), first = named("0.example");
    char text[64];

    dns_cache_put(c, &dear, DNS_TYPE_A, &some, 1000);
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(text, sizeof(text), "%u.example", i);
        struct dns_name n = named(text);
        dns_cache_put(c, &n, DNS_TYPE_A, &some, 1000);
        assert_true(dns_cache_bytes(c) <= ROOM);
        const struct dns_cached *got = dns_cache_get(c, &dear, DNS_TYPE_A, 0);
        assert_non_null(got);
        dns_cached_let_go(got);
    }
    assert_true(dns_cache_bytes(c) > ROOM / 2);
    assert_null(dns_cache_get(c, &first, DNS_TYPE_A, 0));
}

static void
test_one_that_is_too_large_is_not_kept(void **state)
{
    enum { ROOM = 1 << 16 };
    AUTO(dns_cache_free) struct dns_cache *c = dns_cache_new(ROOM);
    struct dns_name a = named("a.example");
    static char large[ROOM / 16];
    const struct str data = {large, sizeof(large)};
    const struct dns_cached answer = {.exists = true, .count = 1, .data = &data};

    dns_cache_put(c, &a, DNS_TYPE_TXT, &some, 1000);
    dns_cache_put(c, &a, DNS_TYPE_TXT, &answer, 1000);
    assert_null(dns_cache_get(c, &a, DNS_TYPE_TXT, 0)); /* nor what was there before */
    assert_int_equal(dns_cache_bytes(c), 0);
}

/* Whoever holds an answer may outlive the cache. */
static void
test_outlives_the_cache(void **state)
{
    struct dns_cache *c = dns_cache_new(1 << 16);
    struct dns_name a = named("a.example");

    dns_cache_put(c, &a, DNS_TYPE_A, &some, 1000);
    const struct dns_cached *held = dns_cache_get(c, &a, DNS_TYPE_A, 0);
    dns_cache_free(&c);
    assert_str(held->data[0], two[0]);
    dns_cached_let_go(held);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_what_it_got),
        cmocka_unit_test(test_ends_in_time),
        cmocka_unit_test(test_ttl_has_bounds),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_one_that_is_too_large_is_not_kept),
        cmocka_unit_test(test_outlives_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
