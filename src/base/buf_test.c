/* buf_test.c - the maximum, the sticky error and the records of buffers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/mem.h"
#include "base/size.h"
#include "base/testing.h"

static void
empty_buffer_holds_nothing(void **state)
{
    AUTO_BUF b = BUF(100);

    assert_null(b.ptr);
    assert_int_equal(buf_status(&b), OK);
    assert_str(buf_str(&b), STR(""));
    buf_add(&b, STR_NONE);
    buf_consume(&b, 0);
    assert_null(b.ptr);
    assert_str(buf_take(&b), STR(""));
    assert_true(buf_reserve(&b, 0));
    assert_non_null(buf_tail(&b, 0));
    buf_grew(&b, 0);
    buf_release(&b);
    assert_int_equal(b.max, 100);
}

static const struct {
    size_t max, first, second; /* two appends of so many bytes */
    bool first_fits, second_fits;
} max_rows[] = {
    {0, 0, 0, true, true},        {0, 1, 0, false, false},      {1, 1, 1, true, false},
    {63, 63, 1, true, false},     {64, 64, 0, true, true},      {64, 65, 1, false, false},
    {65, 64, 1, true, true},      {65, 64, 2, true, false},     {100, 60, 40, true, true},
    {100, 60, 41, true, false},   {100, 101, 1, false, false},  {5000, 1, 4999, true, true},
    {5000, 1, 5000, true, false}, {5000, 4999, 2, true, false},
};

static void
maximum_is_exact_and_failure_sticks(void **state)
{
    static const char bytes[5001] = "start";

    for (size_t i = 0; i < COUNT_OF(max_rows); i++) {
        AUTO_BUF b = BUF(max_rows[i].max);
        size_t len = max_rows[i].first_fits ? max_rows[i].first : 0;

        buf_add(&b, str_from(bytes, max_rows[i].first));
        ROW(i, (buf_status(&b) == OK) == max_rows[i].first_fits && b.len == len);
        buf_add(&b, str_from(bytes, max_rows[i].second));
        len += max_rows[i].second_fits ? max_rows[i].second : 0;
        ROW(i, (buf_status(&b) == OK) == max_rows[i].second_fits && b.len == len);
        ROW(i, b.cap <= b.max && b.len <= b.cap);
        if (max_rows[i].second_fits)
            continue;
        ROW(i, buf_status(&b) == ERR_LIMIT);
        ROW(i, buf_tail(&b, 0) == NULL && !buf_reserve(&b, 0));
        buf_add_char(&b, 'x'); /* small enough, but too late */
        ROW(i, b.len == len && buf_status(&b) == ERR_LIMIT);
        buf_reset(&b);
        ROW(i, b.len == 0 && buf_status(&b) == OK);
    }
}

static void
huge_requests_fail(void **state)
{
    AUTO_BUF b = BUF(SIZE_MAX);

    buf_add(&b, STR("abc"));
    assert_false(buf_reserve(&b, SIZE_MAX)); /* len + extra wraps */
    assert_int_equal(buf_status(&b), ERR_LIMIT);
    assert_str(buf_str(&b), STR("abc"));
    buf_reset(&b);
    b.max = 10000;
    assert_null(buf_tail(&b, SIZE_MAX));
}

static void
growth_is_geometric(void **state)
{
    AUTO_BUF b = BUF(1 << 20);
    size_t grown = 0, cap = 0;

    for (size_t i = 0; i < 1 << 20; i++) {
        buf_add_char(&b, (char)i);
        grown += b.cap != cap;
        cap = b.cap;
    }
    assert_int_equal(buf_status(&b), OK);
    assert_in_range(grown, 2, 20);
    for (size_t i = 0; i < b.len; i++)
        ROW(i, b.ptr[i] == (char)i);
}

static void
shrinking_empties(void **state)
{
    AUTO_BUF b = BUF(10000);

    buf_add(&b, STR("abc"));
    buf_shrink(&b, b.cap); /* as much as may be kept */
    assert_non_null(b.ptr);
    assert_int_equal(b.len, 0);
    assert_non_null(buf_tail(&b, 5000));
    buf_shrink(&b, b.cap - 1);
    assert_null(b.ptr);
    assert_int_equal(b.cap, 0);
    assert_int_equal(b.max, 10000);
    assert_false(buf_reserve(&b, 10001));
    buf_shrink(&b, 1000);
    assert_int_equal(buf_status(&b), OK);
}

static void
taking_moves_the_bytes(void **state)
{
    AUTO_BUF b = BUF(10);

    buf_add(&b, STR("abc"));
    struct str taken = buf_take(&b);
    assert_int_equal(b.cap, 0);
    buf_add(&b, STR("0123456789"));
    assert_int_equal(buf_status(&b), OK);
    assert_str(taken, STR("abc"));
    mem_free(taken.ptr);
}

static void
consuming_drops_the_front(void **state)
{
    AUTO_BUF b = BUF(10);

    buf_add(&b, STR("abcdef"));
    buf_consume(&b, 0);
    assert_str(buf_str(&b), STR("abcdef"));
    buf_consume(&b, 2);
    assert_str(buf_str(&b), STR("cdef"));
    buf_add(&b, STR("012345"));
    assert_str(buf_str(&b), STR("cdef012345"));
    buf_consume(&b, 10);
    assert_str(buf_str(&b), STR(""));
}

static void
consume_too_much(void)
{
    AUTO_BUF b = BUF(10);

    buf_add(&b, STR("abc"));
    buf_consume(&b, 4);
}

static void
grow_too_far(void)
{
    AUTO_BUF b = BUF(1000);

    char *tail = buf_tail(&b, 10);
    if (tail != NULL)
        buf_grew(&b, b.cap + 1);
}

static void
misuse_aborts(void **state)
{
    assert_true(aborts(consume_too_much));
    assert_true(aborts(grow_too_far));
}

static const struct {
    int64_t v;
    const char *want;
} i64_rows[] = {
    {0, "0"},
    {9, "9"},
    {10, "10"},
    {-1, "-1"},
    {-10, "-10"},
    {1234567890123456789, "1234567890123456789"},
    {INT64_MAX, "9223372036854775807"},
    {INT64_MIN, "-9223372036854775808"},
};

static void
numbers_are_decimal(void **state)
{
    for (size_t i = 0; i < COUNT_OF(i64_rows); i++) {
        struct str want = str_of(i64_rows[i].want);
        AUTO_BUF b = BUF(want.len);
        AUTO_BUF tight = BUF(want.len - 1);

        buf_add_i64(&b, i64_rows[i].v);
        ROW(i, buf_status(&b) == OK && str_eq(buf_str(&b), want));
        buf_add_i64(&tight, i64_rows[i].v);
        ROW(i, buf_status(&tight) == ERR_LIMIT && tight.len == 0);
        if (i64_rows[i].v < 0)
            continue;
        buf_reset(&b);
        buf_add_u64(&b, (uint64_t)i64_rows[i].v);
        ROW(i, buf_status(&b) == OK && str_eq(buf_str(&b), want));
    }
    AUTO_BUF most = BUF(20);
    buf_add_u64(&most, UINT64_MAX);
    assert_str(buf_str(&most), STR("18446744073709551615"));
}

static void
formats_have_a_limit(void **state)
{
    AUTO_BUF b = BUF(4000);
    static char text[1026];

    buf_addf(&b, "%d-%s", 42, "x");
    buf_addf(&b, "%s", "");
    assert_str(buf_str(&b), STR("42-x"));
    memset(text, 'a', 1024);
    buf_addf(&b, "%s", text);
    assert_int_equal(buf_status(&b), OK);
    assert_int_equal(b.len, 4 + 1024);
    text[1024] = 'a';
    buf_addf(&b, "%s", text);
    assert_int_equal(buf_status(&b), ERR_LIMIT);
    assert_int_equal(b.len, 4 + 1024);

    AUTO_BUF tight = BUF(4);
    buf_addf(&tight, "%s", "12345");
    assert_int_equal(buf_status(&tight), ERR_LIMIT);
    assert_int_equal(tight.len, 0);
}

static const struct {
    uint64_t v;
    struct str want;
} varint_rows[] =
    {
        {0, STR("\0")},
        {1, STR("\x01")},
        {127, STR("\x7f")},
        {128, STR("\x80\x01")},
        {300, STR("\xac\x02")},
        {16383, STR("\xff\x7f")},
        {16384, STR("\x80\x80\x01")},
        {UINT32_MAX, STR("\xff\xff\xff\xff\x0f")},
        {INT64_MAX, STR("\xff\xff\xff\xff\xff\xff\xff\xff\x7f")},
        {UINT64_MAX, STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
},
  zigzag_rows[] = {
      /* v is read as int64_t */
      {0, STR("\0")},
      {(uint64_t)-1, STR("\x01")},
      {1, STR("\x02")},
      {(uint64_t)-2, STR("\x03")},
      {63, STR("\x7e")},
      {(uint64_t)-64, STR("\x7f")},
      {64, STR("\x80\x01")},
      {INT64_MAX, STR("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
      {(uint64_t)INT64_MIN, STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")},
};

static void
varints_are_shortest(void **state)
{
    for (size_t i = 0; i < COUNT_OF(varint_rows); i++) {
        AUTO_BUF b = BUF(varint_rows[i].want.len);
        AUTO_BUF tight = BUF(varint_rows[i].want.len - 1);

        buf_add_varint(&b, varint_rows[i].v);
        ROW(i, buf_status(&b) == OK && str_eq(buf_str(&b), varint_rows[i].want));
        buf_add_varint(&tight, varint_rows[i].v);
        ROW(i, buf_status(&tight) == ERR_LIMIT && tight.len == 0);
    }
    for (size_t i = 0; i < COUNT_OF(zigzag_rows); i++) {
        AUTO_BUF b = BUF(zigzag_rows[i].want.len);

        buf_add_zigzag(&b, (int64_t)zigzag_rows[i].v);
        ROW(i, buf_status(&b) == OK && str_eq(buf_str(&b), zigzag_rows[i].want));
    }
}

static void
records_are_whole_or_absent(void **state)
{
    AUTO_BUF b = BUF(17);

    buf_add_be32(&b, 0x01020304);
    buf_add_be64(&b, 0x05060708090a0b0cu);
    buf_add_bytes(&b, STR("abcd"));
    assert_int_equal(buf_status(&b), OK);
    assert_str(buf_str(&b), STR("\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\x4"
                                "abcd"));
    buf_reset(&b);
    buf_add(&b, STR("0123456789"));
    buf_add_bytes(&b, STR("1234567")); /* the bytes fit, their length does not */
    assert_int_equal(buf_status(&b), ERR_LIMIT);
    assert_int_equal(b.len, 10);
    buf_reset(&b);
    buf_add_bytes(&b, STR_NONE);
    assert_str(buf_str(&b), STR("\0"));
    buf_add(&b, STR("0123456789ab"));
    buf_add_be64(&b, 1);
    assert_int_equal(b.len, 13);
    buf_add_be32(&b, 1); /* would fit, had the one before it not failed */
    assert_int_equal(b.len, 13);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_buffer_holds_nothing),
        cmocka_unit_test(maximum_is_exact_and_failure_sticks),
        cmocka_unit_test(huge_requests_fail),
        cmocka_unit_test(growth_is_geometric),
        cmocka_unit_test(shrinking_empties),
        cmocka_unit_test(taking_moves_the_bytes),
        cmocka_unit_test(consuming_drops_the_front),
        cmocka_unit_test(misuse_aborts),
        cmocka_unit_test(numbers_are_decimal),
        cmocka_unit_test(formats_have_a_limit),
        cmocka_unit_test(varints_are_shortest),
        cmocka_unit_test(records_are_whole_or_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
