/* path_test.c - paths and queries.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/buf.h"
#include "base/size.h"
#include "http/path.h"

static void
test_paths(void **state)
{
    static const struct {
        struct str path;
        enum status wanted;
        const char *segments; /* "|" between */
    } rows[] = {
        {STR("/"), OK, ""},
        {STR("/v1/accounts"), OK, "v1|accounts|"},
        {STR("/v1/accounts/"), OK, "v1|accounts|"},
        {STR("/a%40b%2Fc/%41"), OK, "a@b/c|A|"},
        {STR("/a+b"), OK, "a+b|"},
        {STR("/../x"), OK, "..|x|"},
        {STR("//x"), OK, "|x|"},
        {STR("/1/2/3/4"), OK, "1|2|3|4|"},
        {STR("/1/2/3/4/5"), ERR_LIMIT, NULL},
        {STR("/%"), ERR_SYNTAX, NULL},
        {STR("/%4"), ERR_SYNTAX, NULL},
        {STR("/%zz"), ERR_SYNTAX, NULL},
        {STR("/%00"), ERR_SYNTAX, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        AUTO_BUF b = BUF(1000);
        struct str segments[4];
        size_t n = 0;
        if (http_path_split(rows[i].path, a, segments, COUNT_OF(segments), &n) != rows[i].wanted)
            fail_msg("row %zu", i);
        for (size_t k = 0; k < n; k++) {
            buf_add(&b, segments[k]);
            buf_add_char(&b, '|');
        }
        if (rows[i].wanted == OK && !str_eq(buf_str(&b), str_of(rows[i].segments)))
            fail_msg("row %zu: %.*s", i, STR_FMT(buf_str(&b)));
    }
}

static void
test_queries(void **state)
{
    static const struct {
        struct str query;
        enum status wanted;
        struct str value; /* of "a" */
    } rows[] = {
        {STR("a=1"), OK, STR("1")},
        {STR("b=2&a=x+y%2B&c"), OK, STR("x y+")},
        {STR("&&a=&"), OK, STR("")},
        {STR("a"), OK, STR("")},
        {STR(""), ERR_NOT_FOUND, STR("")},
        {STR("aa=1"), ERR_NOT_FOUND, STR("")},
        {STR("a=1&a=2"), ERR_SYNTAX, STR("")},
        {STR("a=%0"), ERR_SYNTAX, STR("")},
    };
    const struct str names[] = {STR("a"), STR("b")};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct str value = STR("");
        if (http_query_get(rows[i].query, STR("a"), a, &value) != rows[i].wanted ||
            !str_eq(value, rows[i].value))
            fail_msg("row %zu", i);
    }
    assert_int_equal(http_query_stranger(STR("b=1&a"), names, COUNT_OF(names)).len, 0);
    assert_true(str_eq(http_query_stranger(STR("b=1&c=2"), names, COUNT_OF(names)), STR("c")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
