/* size_test.c - arithmetic at its limits, byte order at any address.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"

#include "base/testing.h"

static const struct {
    size_t a, b;
    bool fits;
    size_t want;
} add_rows[] =
    {
        {0, 0, true, 0},
        {1, 2, true, 3},
        {SIZE_MAX, 0, true, SIZE_MAX},
        {SIZE_MAX - 1, 1, true, SIZE_MAX},
        {SIZE_MAX, 1, false, 0},
        {1, SIZE_MAX, false, 0},
        {SIZE_MAX, SIZE_MAX, false, 0},
        {SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1, false, 0},
},
  mul_rows[] = {
      {0, 0, true, 0},
      {0, SIZE_MAX, true, 0},
      {3, 5, true, 15},
      {SIZE_MAX, 1, true, SIZE_MAX},
      {SIZE_MAX / 2, 2, true, SIZE_MAX - 1},
      {SIZE_MAX / 2 + 1, 2, false, 0},
      {(size_t)1 << 32, (size_t)1 << 32, false, 0}, /* wraps to exactly 0 */
      {SIZE_MAX, SIZE_MAX, false, 0},
};

static void
sums_and_products_never_wrap(void **state)
{
    for (size_t i = 0; i < COUNT_OF(add_rows); i++) {
        size_t out = 77;

        ROW(i, size_add(add_rows[i].a, add_rows[i].b, &out) == add_rows[i].fits);
        ROW(i, out == (add_rows[i].fits ? add_rows[i].want : 77));
    }
    for (size_t i = 0; i < COUNT_OF(mul_rows); i++) {
        size_t out = 77;

        ROW(i, size_mul(mul_rows[i].a, mul_rows[i].b, &out) == mul_rows[i].fits);
        ROW(i, out == (mul_rows[i].fits ? mul_rows[i].want : 77));
    }
}

static void
bytes_go_high_first(void **state)
{
    static const unsigned char want[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

    for (size_t shift = 0; shift < 8; shift++) {
        unsigned char room[24];

        memset(room, 0xee, sizeof(room));
        be16_put(room + shift, 0x0123);
        assert_memory_equal(room + shift, want, 2);
        assert_int_equal(be16_get(room + shift), 0x0123);
        be32_put(room + shift, 0x01234567);
        assert_memory_equal(room + shift, want, 4);
        assert_int_equal(be32_get(room + shift), 0x01234567);
        be48_put(room + shift, 0xffff0123456789abu); /* the upper 16 bits do not fit */
        assert_memory_equal(room + shift, want, 6);
        assert_true(be48_get(room + shift) == 0x0123456789abu);
        assert_int_equal(room[shift + 6], 0xee);
        be64_put(room + shift, 0x0123456789abcdefu);
        assert_memory_equal(room + shift, want, 8);
        assert_true(be64_get(room + shift) == 0x0123456789abcdefu);
        assert_int_equal(room[shift + 8], 0xee);
    }
}

static void
extremes_come_back(void **state)
{
    static const uint64_t values[] = {0,         1,         0x7f,       0x80,       0xff,
                                      0xff00,    0x8000,    0x80000000, 0xffffffff, 0x800000000000,
                                      INT64_MAX, UINT64_MAX};
    unsigned char room[8];

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        be16_put(room, (uint16_t)values[i]);
        ROW(i, be16_get(room) == (uint16_t)values[i]);
        be32_put(room, (uint32_t)values[i]);
        ROW(i, be32_get(room) == (uint32_t)values[i]);
        be48_put(room, values[i]);
        ROW(i, be48_get(room) == (values[i] & 0xffffffffffffu));
        be64_put(room, values[i]);
        ROW(i, be64_get(room) == values[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_products_never_wrap),
        cmocka_unit_test(bytes_go_high_first),
        cmocka_unit_test(extremes_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
