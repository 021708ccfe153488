/* scan_test.c - each scanner at its limits; whatever fails consumes nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"

#include "base/buf.h"
#include "base/size.h"
#include "base/testing.h"

static const struct {
    struct str in;
    uint64_t max;
    bool ok;
    uint64_t want;
    size_t used;
} number_rows[] = {
    {STR("0"), 0, true, 0, 1},
    {STR("7x"), 9, true, 7, 1},
    {STR("007"), 9, true, 7, 3},
    {STR("00000000000000000000000000000001"), 1, true, 1, 32},
    {STR("100"), 100, true, 100, 3}, /* exactly the limit */
    {STR("101"), 100, false, 0, 0},  /* one past it */
    {STR("1000"), 100, false, 0, 0},
    {STR("9"), 5, false, 0, 0},
    {STR("1"), 0, false, 0, 0},
    {STR("4294967295"), UINT32_MAX, true, UINT32_MAX, 10},
    {STR("4294967296"), UINT32_MAX, false, 0, 0},
    {STR("18446744073709551615"), UINT64_MAX, true, UINT64_MAX, 20},
    {STR("18446744073709551616"), UINT64_MAX, false, 0, 0}, /* 2^64: must not wrap */
    {STR("18446744073709551620"), UINT64_MAX, false, 0, 0},
    {STR("99999999999999999999"), UINT64_MAX, false, 0, 0},
    {STR("184467440737095516150"), UINT64_MAX, false, 0, 0},
    {STR_NONE, 9, false, 0, 0},
    {STR(""), 9, false, 0, 0},
    {STR("x"), 9, false, 0, 0},
    {STR("-1"), 9, false, 0, 0},
    {STR("+1"), 9, false, 0, 0},
    {STR(" 1"), 9, false, 0, 0},
    {STR("\0"), 9, false, 0, 0},
    {STR("/"), 9, false, 0, 0}, /* the neighbours of the digits */
    {STR(":"), 9, false, 0, 0},
    {STR("\xb1"), 9, false, 0, 0},
};

static void
numbers_stop_at_their_limit(void **state)
{
    for (size_t i = 0; i < COUNT_OF(number_rows); i++) {
        struct scan s = scan_of(number_rows[i].in);
        uint64_t v = 77;

        ROW(i, scan_u64(&s, number_rows[i].max, &v) == number_rows[i].ok);
        ROW(i, v == (number_rows[i].ok ? number_rows[i].want : 77));
        ROW(i, s.pos == number_rows[i].in.ptr + number_rows[i].used);
        if (number_rows[i].max > UINT32_MAX)
            continue;
        uint32_t narrow = 77;
        s = scan_of(number_rows[i].in);
        ROW(i, scan_u32(&s, (uint32_t)number_rows[i].max, &narrow) == number_rows[i].ok);
        ROW(i, narrow == (number_rows[i].ok ? number_rows[i].want : 77));
        ROW(i, s.pos == number_rows[i].in.ptr + number_rows[i].used);
    }
}

static const struct {
    struct str in, token;
    bool exact, nocase;
} token_rows[] = {
    {STR("OK done"), STR("OK"), true, true}, {STR("ok done"), STR("OK"), false, true},
    {STR("OK"), STR("OK"), true, true},      {STR("OK"), STR_NONE, true, true},
    {STR_NONE, STR_NONE, true, true},        {STR("O"), STR("OK"), false, false},
    {STR_NONE, STR("OK"), false, false},     {STR(" OK"), STR("OK"), false, false},
    {STR("O\0K"), STR("O\0K"), true, true},  {STR("O\0k"), STR("O\0K"), false, true},
    {STR("[x"), STR("{x"), false, false},
};

static void
tokens_match_whole(void **state)
{
    for (size_t i = 0; i < COUNT_OF(token_rows); i++) {
        struct str in = token_rows[i].in;
        struct scan s = scan_of(in), t = s;
        size_t len = token_rows[i].token.len;

        ROW(i, scan_str(&s, token_rows[i].token) == token_rows[i].exact);
        ROW(i, scan_left(&s) == in.len - (token_rows[i].exact ? len : 0));
        ROW(i, scan_str_nocase(&t, token_rows[i].token) == token_rows[i].nocase);
        ROW(i, scan_left(&t) == in.len - (token_rows[i].nocase ? len : 0));
    }
}

static const struct {
    struct str in;
    size_t max;
    bool ok;
    struct str want;
} while_rows[] = {
    {STR("123x"), 3, true, STR("123")},
    {STR("123"), 9, true, STR("123")},
    {STR("1"), 1, true, STR("1")},
    {STR("1234x"), 3, false, STR("")}, /* longer than the limit: not split */
    {STR("1"), 0, false, STR("")},
    {STR("x1"), 3, false, STR("")},
    {STR("x"), 0, false, STR("")},
    {STR_NONE, 3, false, STR("")},
    {STR(""), 3, false, STR("")},
};

static void
runs_are_bounded(void **state)
{
    for (size_t i = 0; i < COUNT_OF(while_rows); i++) {
        struct scan s = scan_of(while_rows[i].in);
        struct str out = STR("untouched");
        bool ok = while_rows[i].ok;

        ROW(i, scan_while(&s, ascii_is_digit, while_rows[i].max, &out) == ok);
        ROW(i, str_eq(out, ok ? while_rows[i].want : STR("untouched")));
        ROW(i, scan_left(&s) == while_rows[i].in.len - while_rows[i].want.len);
    }
}

static const struct {
    struct str in;
    bool ok;
    struct str want;
} until_rows[] = {
    {STR("a b;c"), true, STR("a b")}, {STR(";"), true, STR("")},      {STR(";;"), true, STR("")},
    {STR("abc"), false, STR("")},     {STR(""), false, STR("")},      {STR_NONE, false, STR("")},
    {STR("a\0;"), true, STR("a\0")},  {STR("a\xbb"), false, STR("")},
};

static void
stops_must_be_there(void **state)
{
    for (size_t i = 0; i < COUNT_OF(until_rows); i++) {
        struct scan s = scan_of(until_rows[i].in);
        struct str out = STR("untouched");
        char next = 0;

        ROW(i, scan_until(&s, ';', &out) == until_rows[i].ok);
        ROW(i, str_eq(out, until_rows[i].ok ? until_rows[i].want : STR("untouched")));
        ROW(i, scan_left(&s) == until_rows[i].in.len - until_rows[i].want.len);
        ROW(i, !until_rows[i].ok || (scan_peek(&s, &next) && next == ';'));
    }
}

static void
single_bytes(void **state)
{
    struct scan s = scan_of(STR("a\xff"));
    struct scan none = scan_of(STR_NONE);
    uint8_t byte = 7;
    char c = 'z';

    assert_true(scan_peek(&s, &c) && c == 'a');
    assert_false(scan_char(&s, 'b'));
    assert_int_equal(scan_left(&s), 2);
    assert_true(scan_char(&s, 'a'));
    assert_true(scan_u8(&s, &byte) && byte == 0xff);
    assert_true(scan_at_end(&s));
    assert_false(scan_u8(&s, &byte) || scan_peek(&s, &c) || scan_char(&s, '\0'));
    assert_true(byte == 0xff && c == 'a');
    assert_true(scan_at_end(&none) && scan_left(&none) == 0);
    assert_false(scan_u8(&none, &byte) || scan_peek(&none, &c) || scan_char(&none, '\0'));
    assert_str(scan_rest(&none), STR(""));
}

static void
spaces_are_sp_and_tab(void **state)
{
    struct scan s = scan_of(STR(" \t x\r\n"));
    struct scan none = scan_of(STR_NONE);

    assert_true(scan_spaces(&s));
    assert_str(scan_rest(&s), STR("x\r\n"));
    assert_false(scan_spaces(&s));
    assert_true(scan_char(&s, 'x'));
    assert_false(scan_spaces(&s)); /* CR is none */
    scan_skip_spaces(&s);
    assert_str(scan_rest(&s), STR("\r\n"));
    assert_false(scan_spaces(&none));
    scan_skip_spaces(&none);
}

static const struct {
    struct str in;
    uint64_t max;
    bool ok;
    uint64_t want;
} varint_rows[] = {
    {STR("\0"), 0, true, 0},
    {STR("\x7f"), 127, true, 127},
    {STR("\x7f"), 126, false, 0}, /* over the limit */
    {STR("\x01"), 0, false, 0},
    {STR("\x80\x01"), 128, true, 128},
    {STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), UINT64_MAX, true, UINT64_MAX},
    {STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), UINT64_MAX - 1, false, 0},
    {STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), UINT64_MAX, false, 0}, /* 65 bits */
    {STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x03"), UINT64_MAX, false, 0},
    {STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\0"), UINT64_MAX, false, 0},
    {STR("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), UINT64_MAX, false, 0},
    {STR("\x80\0"), 9, false, 0}, /* longer than need be */
    {STR("\x81\0"), 9, false, 0},
    {STR("\x80\x80\0"), 9, false, 0},
    {STR("\x80\x80\x80\x80\x80\x80\x80\x80\x80\0"), UINT64_MAX, false, 0},
    {STR("\x80"), 999, false, 0}, /* cut off */
    {STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), UINT64_MAX, false, 0},
    {STR(""), 9, false, 0},
    {STR_NONE, 9, false, 0},
};

static void
varints_have_one_form(void **state)
{
    for (size_t i = 0; i < COUNT_OF(varint_rows); i++) {
        struct scan s = scan_of(varint_rows[i].in);
        uint64_t v = 77;

        ROW(i, scan_varint(&s, varint_rows[i].max, &v) == varint_rows[i].ok);
        ROW(i, v == (varint_rows[i].ok ? varint_rows[i].want : 77));
        ROW(i, varint_rows[i].ok ? scan_at_end(&s) : s.pos == varint_rows[i].in.ptr);
    }
}

static const struct {
    struct str in;
    size_t max;
    bool ok;
    struct str want;
} bytes_rows[] = {
    {STR("\0"), 0, true, STR("")},
    {STR("\x03"
         "abcd"),
     3, true, STR("abc")},
    {STR("\x03"
         "abc"),
     2, false, STR("")}, /* over the limit */
    {STR("\x03"
         "ab"),
     9, false, STR("")}, /* cut off */
    {STR("\x03"), 9, false, STR("")},
    {STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
         "abc"),
     SIZE_MAX, false, STR("")}, /* pos + length wraps */
    {STR("\x83\0"
         "abc"),
     9, false, STR("")},
    {STR(""), 9, false, STR("")},
    {STR_NONE, 0, false, STR("")},
};

static void
lengths_are_checked_before_bytes(void **state)
{
    for (size_t i = 0; i < COUNT_OF(bytes_rows); i++) {
        struct scan s = scan_of(bytes_rows[i].in);
        struct str out = STR("untouched");
        bool ok = bytes_rows[i].ok;

        ROW(i, scan_bytes(&s, bytes_rows[i].max, &out) == ok);
        ROW(i, str_eq(out, ok ? bytes_rows[i].want : STR("untouched")));
        ROW(i, scan_left(&s) == bytes_rows[i].in.len - (ok ? 1 + bytes_rows[i].want.len : 0));
    }
}

static void
fixed_width(void **state)
{
    struct scan s = scan_of(STR("\1\2\3\4\5\6\7\x8\x9\xa\xb\xc"));
    uint32_t narrow = 77;
    uint64_t wide = 77;
    struct str out = STR("untouched");

    assert_true(scan_be32(&s, &narrow) && narrow == 0x01020304);
    assert_true(scan_be64(&s, &wide) && wide == 0x05060708090a0b0cu);
    assert_true(scan_at_end(&s));

    static const struct str tails[] = {STR_NONE, STR("1"), STR("123"), STR("1234567")};
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        s = scan_of(tails[i]);
        wide = narrow = 77;
        ROW(i, !scan_be64(&s, &wide) && wide == 77 && scan_left(&s) == tails[i].len);
        ROW(i, scan_be32(&s, &narrow) == (tails[i].len >= 4));
        ROW(i, (narrow == 77) == (tails[i].len < 4));
        s = scan_of(tails[i]);
        ROW(i, !scan_take(&s, tails[i].len + 1, &out) && !scan_take(&s, SIZE_MAX, &out));
        ROW(i, str_eq(out, STR("untouched")) && scan_left(&s) == tails[i].len);
        ROW(i, scan_take(&s, 0, &out) && out.len == 0 && scan_left(&s) == tails[i].len);
        ROW(i, scan_take(&s, tails[i].len, &out) && str_eq(out, tails[i]) && scan_at_end(&s));
        out = STR("untouched");
    }
}

static void
records_come_back(void **state)
{
    static const int64_t values[] = {0,         1,         -1,        63,        -64,      64,
                                     INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1LL << 35};

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        AUTO_BUF b = BUF(100);
        uint64_t u;
        int64_t v;
        struct str bytes;

        buf_add_zigzag(&b, values[i]);
        buf_add_varint(&b, (uint64_t)values[i]);
        buf_add_bytes(&b, STR("a\0b"));
        struct scan s = scan_of(buf_str(&b));
        ROW(i, scan_zigzag(&s, &v) && v == values[i]);
        ROW(i, scan_varint(&s, UINT64_MAX, &u) && u == (uint64_t)values[i]);
        ROW(i, scan_bytes(&s, 3, &bytes) && str_eq(bytes, STR("a\0b")) && scan_at_end(&s));
        ROW(i, !scan_zigzag(&s, &v) && v == values[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_stop_at_their_limit),
        cmocka_unit_test(tokens_match_whole),
        cmocka_unit_test(runs_are_bounded),
        cmocka_unit_test(stops_must_be_there),
        cmocka_unit_test(single_bytes),
        cmocka_unit_test(spaces_are_sp_and_tab),
        cmocka_unit_test(varints_have_one_form),
        cmocka_unit_test(lengths_are_checked_before_bytes),
        cmocka_unit_test(fixed_width),
        cmocka_unit_test(records_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
