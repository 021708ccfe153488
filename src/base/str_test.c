/* str_test.c - comparing, finding and splitting; empty strings in every place.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/size.h"
#include "base/testing.h"

static int
sign(int n)
{
    return (n > 0) - (n < 0);
}

static const struct {
    struct str a, b;
    int order, order_nocase;
} cmp_rows[] = {
    {STR(""), STR(""), 0, 0},
    {STR_NONE, STR(""), 0, 0},
    {STR_NONE, STR("a"), -1, -1},
    {STR("abc"), STR("abc"), 0, 0},
    {STR("abc"), STR("ABC"), 1, 0},
    {STR("ab"), STR("abc"), -1, -1},
    {STR("AB"), STR("abc"), -1, -1},
    {STR("b"), STR("abc"), 1, 1},
    {STR("a\0b"), STR("a\0c"), -1, -1}, /* NUL is a byte like any other */
    {STR("a\0b"), STR("a"), 1, 1},
    {STR("\x7f"), STR("\x80"), -1, -1}, /* bytes are unsigned */
    {STR("\xff"), STR("a"), 1, 1},
    {STR("\xc3\x84"), STR("\xc3\xa4"), -1, -1}, /* nocase means ASCII only */
    {STR("@"), STR("`"), -1, -1},               /* neighbours of the letters stay apart */
    {STR("["), STR("{"), -1, -1},
    {STR("["), STR("a"), -1, -1},
    {STR("Z["), STR("z{"), -1, -1},
    {STR("_"), STR("A"), 1, -1}, /* letters compare as lower case */
};

static void
comparisons_agree(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cmp_rows); i++) {
        struct str a = cmp_rows[i].a, b = cmp_rows[i].b;

        ROW(i, sign(str_cmp(a, b)) == cmp_rows[i].order);
        ROW(i, sign(str_cmp(b, a)) == -cmp_rows[i].order);
        ROW(i, str_eq(a, b) == (cmp_rows[i].order == 0));
        ROW(i, sign(str_cmp_nocase(a, b)) == cmp_rows[i].order_nocase);
        ROW(i, sign(str_cmp_nocase(b, a)) == -cmp_rows[i].order_nocase);
        ROW(i, str_eq_nocase(a, b) == (cmp_rows[i].order_nocase == 0));
    }
}

static const struct {
    struct str s, part;
    bool starts, starts_nocase, ends, ends_nocase;
    ssize_t found, found_nocase;
} part_rows[] = {
    {STR_NONE, STR_NONE, true, true, true, true, 0, 0},
    {STR("abc"), STR_NONE, true, true, true, true, 0, 0},
    {STR_NONE, STR("a"), false, false, false, false, -1, -1},
    {STR("abc"), STR("abc"), true, true, true, true, 0, 0},
    {STR("abc"), STR("ABC"), false, true, false, true, -1, 0},
    {STR("abc"), STR("abcd"), false, false, false, false, -1, -1},
    {STR("abcab"), STR("ab"), true, true, true, true, 0, 0},
    {STR("xabab"), STR("aB"), false, false, false, true, -1, 1},
    {STR("xxab"), STR("ab"), false, false, true, true, 2, 2},
    {STR("aaab"), STR("aab"), false, false, true, true, 1, 1}, /* overlapping start */
    {STR("aAab"), STR("AAB"), false, false, false, true, -1, 1},
    {STR("a\0b"), STR("\0b"), false, false, true, true, 1, 1},
    {STR("ab"), STR("b\0"), false, false, false, false, -1, -1},
    {STR("xay"), STR("a"), false, false, false, false, 1, 1},
    {STR("xa"), STR("ab"), false, false, false, false, -1, -1}, /* cut off at the end */
    {STR("\xc3\xa4"), STR("\xc3\x84"), false, false, false, false, -1, -1},
};

static void
parts_are_found(void **state)
{
    for (size_t i = 0; i < COUNT_OF(part_rows); i++) {
        struct str s = part_rows[i].s, part = part_rows[i].part;

        ROW(i, str_starts(s, part) == part_rows[i].starts);
        ROW(i, str_starts_nocase(s, part) == part_rows[i].starts_nocase);
        ROW(i, str_ends(s, part) == part_rows[i].ends);
        ROW(i, str_ends_nocase(s, part) == part_rows[i].ends_nocase);
        ROW(i, str_find_str(s, part) == part_rows[i].found);
        ROW(i, str_find_nocase(s, part) == part_rows[i].found_nocase);
    }
}

static const struct {
    struct str s;
    char c;
    ssize_t first, last;
} find_rows[] = {
    {STR_NONE, 'a', -1, -1},     {STR_NONE, '\0', -1, -1},  {STR(""), 'a', -1, -1},
    {STR("abca"), 'a', 0, 3},    {STR("abca"), 'b', 1, 1},  {STR("abca"), 'A', -1, -1},
    {STR("abca"), '\0', -1, -1}, {STR("a\0b"), '\0', 1, 1}, {STR("a\xff\xff"), '\xff', 1, 2},
};

static void
bytes_are_found(void **state)
{
    for (size_t i = 0; i < COUNT_OF(find_rows); i++) {
        ROW(i, str_find(find_rows[i].s, find_rows[i].c) == find_rows[i].first);
        ROW(i, str_rfind(find_rows[i].s, find_rows[i].c) == find_rows[i].last);
    }
}

static const struct {
    struct str s;
    size_t from, n;
    struct str sub, skipped;
} sub_rows[] = {
    {STR("abcdef"), 0, 6, STR("abcdef"), STR("abcdef")},
    {STR("abcdef"), 2, 2, STR("cd"), STR("cdef")},
    {STR("abcdef"), 2, 0, STR(""), STR("cdef")},
    {STR("abcdef"), 5, 9, STR("f"), STR("f")},
    {STR("abcdef"), 6, 1, STR(""), STR("")},
    {STR("abcdef"), 7, 1, STR(""), STR("")},
    {STR("abcdef"), 1, SIZE_MAX, STR("bcdef"), STR("bcdef")}, /* from + n wraps */
    {STR("abcdef"), SIZE_MAX, SIZE_MAX, STR(""), STR("")},
    {STR_NONE, 0, 0, STR(""), STR("")},
    {STR_NONE, 1, SIZE_MAX, STR(""), STR("")},
};

static void
parts_are_clamped(void **state)
{
    for (size_t i = 0; i < COUNT_OF(sub_rows); i++) {
        struct str s = sub_rows[i].s;
        struct str sub = str_sub(s, sub_rows[i].from, sub_rows[i].n);
        struct str skipped = str_skip(s, sub_rows[i].from);

        ROW(i, str_eq(sub, sub_rows[i].sub) && str_eq(skipped, sub_rows[i].skipped));
        ROW(i, sub.ptr == skipped.ptr && skipped.ptr + skipped.len == s.ptr + s.len);
    }
}

static const struct {
    struct str s, want;
} trim_rows[] = {
    {STR_NONE, STR("")},
    {STR(""), STR("")},
    {STR(" \t\r\n"), STR("")},
    {STR("a"), STR("a")},
    {STR("  a b\r\n"), STR("a b")},
    {STR("\ta"), STR("a")},
    {STR("a\v"), STR("a\v")},
    {STR("\0a\0"), STR("\0a\0")},
    {STR("\xc2\xa0"), STR("\xc2\xa0")},
};

static void
white_space_is_trimmed(void **state)
{
    for (size_t i = 0; i < COUNT_OF(trim_rows); i++)
        ROW(i, str_eq(str_trim(trim_rows[i].s), trim_rows[i].want));
}

static const struct {
    struct str s;
    const char *pieces[5]; /* up to NULL */
} split_rows[] = {
    {STR_NONE, {NULL}},
    {STR(""), {"", NULL}},
    {STR("a"), {"a", NULL}},
    {STR("a,b"), {"a", "b", NULL}},
    {STR("a,,b"), {"a", "", "b", NULL}},
    {STR(","), {"", "", NULL}},
    {STR("a,"), {"a", "", NULL}}, /* a strict parser wants to see the empty last one */
    {STR(",a"), {"", "a", NULL}},
    {STR("a;b"), {"a;b", NULL}},
    {STR(",,,"), {"", "", "", "", NULL}},
};

static void
splitting_finds_every_piece(void **state)
{
    for (size_t i = 0; i < COUNT_OF(split_rows); i++) {
        struct str left = split_rows[i].s, piece = STR("untouched");
        size_t n = 0;

        while (n < 5 && str_split(&left, ',', &piece)) {
            ROW(i, split_rows[i].pieces[n] != NULL);
            ROW(i, str_eq(piece, str_of(split_rows[i].pieces[n])));
            n++;
        }
        ROW(i, n < 5 && split_rows[i].pieces[n] == NULL);
        ROW(i, left.ptr == NULL && left.len == 0);
    }
}

static const struct {
    struct str s;
    size_t size;
    bool fits;
} z_rows[] = {
    {STR("abc"), 4, true},  {STR("abc"), 8, true},   {STR_NONE, 1, true},     {STR(""), 1, true},
    {STR_NONE, 0, false},   {STR("abc"), 3, false}, /* no room for NUL */
    {STR("abc"), 0, false}, {STR("a\0c"), 8, false}, {STR("ab\0"), 8, false}, {STR("\0"), 8, false},
};

static void
system_calls_get_whole_strings(void **state)
{
    for (size_t i = 0; i < COUNT_OF(z_rows); i++) {
        char z[8] = "#######";
        bool fits = str_to_z(z_rows[i].s, z, z_rows[i].size);

        ROW(i, fits == z_rows[i].fits);
        ROW(i, str_eq(str_of(z), fits ? z_rows[i].s : STR("#######")));
    }
}

static void
classes_of_all_bytes(void **state)
{
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool upper = i >= 65 && i <= 90, lower = i >= 97 && i <= 122, digit = i >= 48 && i <= 57;

        ROW(i, ascii_is_alpha(c) == (upper || lower));
        ROW(i, ascii_is_digit(c) == digit);
        ROW(i, ascii_is_alnum(c) == (upper || lower || digit));
        ROW(i, ascii_is_space(c) == (i == 32 || i == 9));
        ROW(i, ascii_lower(c) == (upper ? (char)(i + 32) : c));
        ROW(i, ascii_upper(c) == (lower ? (char)(i - 32) : c));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_agree),
        cmocka_unit_test(parts_are_found),
        cmocka_unit_test(bytes_are_found),
        cmocka_unit_test(parts_are_clamped),
        cmocka_unit_test(white_space_is_trimmed),
        cmocka_unit_test(splitting_finds_every_piece),
        cmocka_unit_test(system_calls_get_whole_strings),
        cmocka_unit_test(classes_of_all_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
