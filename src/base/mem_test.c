/* mem_test.c - zeroed memory, checked products, secrets that leave no trace.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include "base/size.h"
#include "base/testing.h"

static bool
is_all(const void *p, size_t n, unsigned char value)
{
    const unsigned char *bytes = p;

    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != value)
            return false;
    }
    return true;
}

static void
memory_is_zeroed(void **state)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 1 << 20};

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char *p = mem_alloc(sizes[i]);

        ROW(i, p != NULL && is_all(p, sizes[i], 0));
        memset(p, 0xaa, sizes[i]); /* what malloc may hand out next */
        mem_free(p);
    }
    uint64_t *array = MEM_ARRAY(uint64_t, 100);
    assert_true(is_all(array, 800, 0));
    mem_free(array);
    mem_free(NULL);
}

static void
resizing_keeps_and_zeroes(void **state)
{
    static const struct {
        size_t from, to;
    } rows[] = {{0, 10}, {10, 10}, {10, 0}, {10, 11}, {10, 100000}, {100000, 10}, {1, 0}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *p = rows[i].from > 0 ? mem_alloc(rows[i].from) : NULL;

        mem_copy(p, NULL, 0);
        if (rows[i].from > 0)
            memset(p, 'x', rows[i].from);
        p = mem_resize(p, rows[i].from, rows[i].to);
        size_t kept = MIN(rows[i].from, rows[i].to);
        ROW(i, is_all(p, kept, 'x') && is_all(p + kept, rows[i].to - kept, 0));
        mem_free(p);
    }
}

static void
array_that_wraps(void)
{
    mem_free(mem_array(SIZE_MAX / 2 + 1, 2));
}

static void
array_that_wraps_to_zero(void)
{
    mem_free(mem_array((size_t)1 << 32, (size_t)1 << 32));
}

static volatile size_t too_much = SIZE_MAX / 4;

static void
more_than_there_is(void)
{
    mem_free(mem_alloc(too_much));
}

static void
growth_to_more_than_there_is(void)
{
    mem_free(mem_regrow(mem_alloc(1), too_much));
}

static void
resize_of_nothing_that_was_something(void)
{
    mem_free(mem_resize(NULL, 10, 20));
}

static void
exhaustion_and_overflow_abort(void **state)
{
    assert_true(aborts(array_that_wraps));
    assert_true(aborts(array_that_wraps_to_zero));
    assert_true(aborts(resize_of_nothing_that_was_something));
    assert_true(aborts(more_than_there_is)); /* under sanitizers: their abort, of the same kind */
    assert_true(aborts(growth_to_more_than_there_is));
}

static void
strings_are_copied(void **state)
{
    static const struct str rows[] = {STR_NONE, STR(""), STR("a"), STR("a\0b"),
                                      STR("0123456789012345678901234567890123456789")};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str copy = mem_str(rows[i]);

        ROW(i, str_eq(copy, rows[i]) && copy.ptr != rows[i].ptr);
        ROW(i, copy.ptr[copy.len] == '\0');
        mem_str_free(&copy);
        ROW(i, copy.ptr == NULL && copy.len == 0);
        mem_str_free(&copy);
    }
}

static void
moving_overlaps(void **state)
{
    char text[] = "abcdef";

    mem_move(text + 1, text, 5);
    assert_string_equal(text, "aabcde");
    mem_move(text, text + 2, 4);
    assert_string_equal(text, "bcdede");
    mem_copy(text, text + 4, 2);
    assert_string_equal(text, "dedede");
    mem_move(NULL, NULL, 0);
    mem_copy(NULL, NULL, 0);
    mem_wipe(NULL, 0);
}

static void
equality_looks_at_every_byte(void **state)
{
    unsigned char a[65], b[65];

    memset(a, 7, sizeof(a));
    memset(b, 7, sizeof(b));
    assert_true(mem_eq_const_time(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(a); i++) {
        for (int bit = 0; bit < 8; bit++) {
            b[i] ^= (unsigned char)(1 << bit);
            ROW(i, !mem_eq_const_time(a, b, sizeof(a)));
            ROW(i, mem_eq_const_time(a, b, i)); /* not what follows */
            b[i] ^= (unsigned char)(1 << bit);
        }
    }
    assert_true(mem_eq_const_time(NULL, NULL, 0));
}

static void
secrets_are_bounded_and_wiped(void **state)
{
    static char longest[SECRET_MAX + 1];
    AUTO_SECRET s = {0};

    memset(longest, 'p', sizeof(longest));
    assert_str(secret_str(&s), STR(""));
    assert_true(secret_set(&s, str_from(longest, SECRET_MAX)));
    assert_int_equal(secret_str(&s).len, SECRET_MAX);
    assert_false(secret_set(&s, str_from(longest, SECRET_MAX + 1)));
    assert_int_equal(secret_str(&s).len, SECRET_MAX); /* untouched */
    assert_true(secret_set(&s, STR("short")));
    assert_str(secret_str(&s), STR("short"));
    assert_true(is_all(s.bytes + 5, SECRET_MAX - 5, 0)); /* nothing left of the longer one */
    assert_true(secret_set(&s, STR_NONE));
    assert_str(secret_str(&s), STR(""));
    assert_true(secret_set(&s, STR("again")));
    secret_wipe(&s);
    assert_true(is_all(&s, sizeof(s), 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed),
        cmocka_unit_test(resizing_keeps_and_zeroes),
        cmocka_unit_test(exhaustion_and_overflow_abort),
        cmocka_unit_test(strings_are_copied),
        cmocka_unit_test(moving_overlaps),
        cmocka_unit_test(equality_looks_at_every_byte),
        cmocka_unit_test(secrets_are_bounded_and_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
