/* arena_test.c - zeroing, alignment, budgets and blocks of arenas.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/size.h"
#include "base/testing.h"

static bool
is_zero(const void *p, size_t n)
{
    const unsigned char *bytes = p;

    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

/* Sizes around every boundary: alignment, first block, largest block, block of its own. */
static const size_t sizes[] = {0,     1,     15,    16,    17,    900,   960,   1008,
                               1024,  1025,  2032,  2048,  16383, 16384, 16385, 32768,
                               65504, 65519, 65520, 65535, 65536, 65537, 200000};

static void
memory_is_zeroed_aligned_and_apart(void **state)
{
    AUTO_ARENA *a = arena_new(4 << 20);
    char *given[2][COUNT_OF(sizes)];

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            char *p = given[round][i] = arena_alloc(a, sizes[i]);

            ROW(i, p != NULL && (uintptr_t)p % _Alignof(max_align_t) == 0);
            ROW(i, is_zero(p, sizes[i]));
            memset(p, (int)(i + 1), sizes[i]);
        }
    }
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            for (size_t j = 0; j < sizes[i]; j++)
                ROW(i, given[round][i][j] == (char)(i + 1));
        }
    }
    size_t used = arena_used(a);
    arena_reset(a);
    assert_int_equal(arena_used(a), 0);
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        ROW(i, is_zero(arena_alloc(a, sizes[i]), sizes[i])); /* also after reuse */
    assert_int_equal(arena_used(a), used / 2);
}

static void
whatever_is_left_fits(void **state)
{
    static const size_t budgets[] = {1, 15, 16, 17, 1000, 1024, 5000, 65536, 100000, 300000};

    for (size_t i = 0; i < COUNT_OF(budgets); i++) {
        AUTO_ARENA *a = arena_new(budgets[i]);

        ROW(i, arena_left(a) >= budgets[i] && arena_left(a) < budgets[i] + 16);
        for (size_t size = 1; arena_left(a) > size; size += 7)
            memset(arena_alloc(a, size), 0xff, size);
        size_t left = arena_left(a), used = arena_used(a);
        if (left > 0)
            memset(arena_alloc(a, left), 0xff, left);
        ROW(i, arena_left(a) == 0 && arena_used(a) == used + left);
        arena_reset(a);
        ROW(i, arena_left(a) == used + left);
        memset(arena_alloc(a, budgets[i]), 0xff, budgets[i]);
    }
}

static void
one_byte_too_many(void)
{
    AUTO_ARENA *a = arena_new(1024);

    (void)arena_alloc(a, 1025);
}

static void
last_byte_gone(void)
{
    AUTO_ARENA *a = arena_new(64);

    for (int i = 0; i < 5; i++)
        (void)arena_alloc(a, 16);
}

static void
size_that_wraps_when_rounded(void)
{
    AUTO_ARENA *a = arena_new(1024);

    (void)arena_alloc(a, SIZE_MAX);
}

static void
array_that_wraps(void)
{
    AUTO_ARENA *a = arena_new(1024);

    (void)arena_array(a, (size_t)1 << 32, (size_t)1 << 32);
}

static void
string_that_does_not_fit(void)
{
    AUTO_ARENA *a = arena_new(16);

    (void)arena_str(a, STR("0123456789abcdef")); /* its NUL is the 17th byte */
}

static void
no_budget(void)
{
    AUTO_ARENA *a = arena_new(0);

    (void)a;
}

static void
passing_the_budget_aborts(void **state)
{
    assert_true(aborts(one_byte_too_many));
    assert_true(aborts(last_byte_gone));
    assert_true(aborts(size_that_wraps_when_rounded));
    assert_true(aborts(array_that_wraps));
    assert_true(aborts(string_that_does_not_fit));
    assert_true(aborts(no_budget));
}

static void
copies_are_whole(void **state)
{
    AUTO_ARENA *a = arena_new(100000);
    static const struct str rows[] = {STR_NONE, STR(""), STR("a"), STR("a\0b"),
                                      STR("0123456789abcdef")};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str copy = arena_str(a, rows[i]);
        char *z = arena_z(a, rows[i]);
        char *dup = arena_dup(a, rows[i].ptr, rows[i].len);

        ROW(i, str_eq(copy, rows[i]) && copy.ptr[copy.len] == '\0');
        ROW(i, copy.ptr != NULL && copy.ptr != rows[i].ptr && z != copy.ptr && dup != z);
        ROW(i, str_eq(str_from(z, rows[i].len), rows[i]) && z[rows[i].len] == '\0');
        ROW(i, dup != NULL && str_eq(str_from(dup, rows[i].len), rows[i]));
    }
    uint32_t *numbers = ARENA_ARRAY(a, uint32_t, 10);
    assert_true(is_zero(numbers, 40));
    assert_non_null(ARENA_ARRAY(a, uint32_t, 0));
    assert_true(is_zero(ARENA_NEW(a, struct str), sizeof(struct str)));
}

static void
formatting_has_any_length(void **state)
{
    AUTO_ARENA *a = arena_new(100000);
    static char text[20001];
    static const size_t lengths[] = {0, 1, 254, 255, 256, 257, 1000, 20000};

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        memset(text, 'a', lengths[i]);
        text[lengths[i]] = '\0';
        struct str made = arena_printf(a, "%s%d", text, 7);
        ROW(i, made.len == lengths[i] + 1 && made.ptr[made.len] == '\0');
        ROW(i, made.ptr[lengths[i]] == '7' && memcmp(made.ptr, text, lengths[i]) == 0);
    }
    assert_str(arena_printf(a, "%s", ""), STR(""));
}

static void
freeing_is_safe_twice(void **state)
{
    struct arena *a = arena_new(10);

    arena_free(&a);
    assert_null(a);
    arena_free(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(whatever_is_left_fits),
        cmocka_unit_test(passing_the_budget_aborts),
        cmocka_unit_test(copies_are_whole),
        cmocka_unit_test(formatting_has_any_length),
        cmocka_unit_test(freeing_is_safe_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
