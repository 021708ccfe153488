/* token_cache_test.c - what is kept of good tokens, and for how long.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/token_cache.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/testing.h"
#include "rt/clock.h"
#include "rt/clock_testing.h"

static bool
knows(struct token_cache *c, const char *token, const char *address)
{
    AUTO_ARENA *a = arena_new(4096);
    struct str found;

    return token_cache_find(c, str_of(token), a, &found) && str_eq(found, str_of(address));
}

static void
test_its_time(void **state)
{
    AUTO(token_cache_free) struct token_cache *c = token_cache_new();
    int64_t now_s = clock_now().us / 1000000;

    (void)state;
    token_cache_add(c, STR("long"), STR("a@a"), 0);
    token_cache_add(c, STR("short"), STR("b@a"), now_s + 5);
    assert_true(knows(c, "long", "a@a") && knows(c, "short", "b@a"));
    assert_false(knows(c, "lon", "a@a"));
    test_clock_pass(4000);
    assert_true(knows(c, "short", "b@a"));
    test_clock_pass(1000);
    assert_false(knows(c, "short", "b@a"));
    assert_int_equal(token_cache_count(c), 1);
    test_clock_pass((LIMIT_INTROSPECTION_KEPT_S - 6) * INT64_C(1000));
    assert_true(knows(c, "long", "a@a")); /* and is not renewed by that */
    test_clock_pass(1000);
    assert_false(knows(c, "long", "a@a"));
    assert_int_equal(token_cache_count(c), 0);
}

static void
test_its_size(void **state)
{
    AUTO(token_cache_free) struct token_cache *c = token_cache_new();

    (void)state;
    for (unsigned i = 0; i <= LIMIT_INTROSPECTION_KEPT; i++) {
        AUTO_BUF token = BUF(20);
        buf_addf(&token, "%u", i);
        token_cache_add(c, buf_str(&token), STR("a@a"), 0);
    }
    assert_int_equal(token_cache_count(c), LIMIT_INTROSPECTION_KEPT);
    assert_false(knows(c, "0", "a@a"));
    assert_true(knows(c, "1", "a@a"));
    token_cache_add(c, STR("1"), STR("b@a"), 0);
    assert_true(knows(c, "1", "b@a"));
    assert_int_equal(token_cache_count(c), LIMIT_INTROSPECTION_KEPT);
    token_cache_clear(c);
    assert_int_equal(token_cache_count(c), 0);
    assert_false(knows(c, "2", "a@a"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_its_time),
        cmocka_unit_test(test_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
