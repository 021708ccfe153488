/* encode_test.c - RFC 4648 vectors, and everything that strict decoders refuse.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"

#include "base/scan.h"
#include "base/size.h"
#include "base/testing.h"

static const struct {
    struct str plain, base64, hex;
} pairs[] = {
    {STR_NONE, STR(""), STR("")},
    {STR("f"), STR("Zg=="), STR("66")}, /* RFC 4648 section 10 */
    {STR("fo"), STR("Zm8="), STR("666f")},
    {STR("foo"), STR("Zm9v"), STR("666f6f")},
    {STR("foob"), STR("Zm9vYg=="), STR("666f6f62")},
    {STR("fooba"), STR("Zm9vYmE="), STR("666f6f6261")},
    {STR("foobar"), STR("Zm9vYmFy"), STR("666f6f626172")},
    {STR("\0"), STR("AA=="), STR("00")},
    {STR("\0\0\0"), STR("AAAA"), STR("000000")},
    {STR("\xff\xff\xff"), STR("////"), STR("ffffff")},
    {STR("\xfb\xef\xbe"), STR("++++"), STR("fbefbe")},
    {STR("\0user\0pass"), STR("AHVzZXIAcGFzcw=="), STR("00757365720070617373")},
};

static void
both_ways(void **state)
{
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        AUTO_BUF b = BUF(1 + pairs[i].base64.len);
        AUTO_BUF back = BUF(1 + pairs[i].plain.len);

        buf_add_char(&b, '>');
        buf_add_base64(&b, pairs[i].plain);
        ROW(i, buf_status(&b) == OK && str_eq(str_skip(buf_str(&b), 1), pairs[i].base64));
        buf_add_char(&back, '>');
        ROW(i, base64_decode(pairs[i].base64, &back) == OK);
        ROW(i, back.ptr[0] == '>' && str_eq(str_skip(buf_str(&back), 1), pairs[i].plain));

        b.max = 1 + pairs[i].hex.len;
        b.cap = MIN(b.cap, b.max);
        buf_reset(&b);
        buf_add_char(&b, '>');
        buf_add_hex(&b, pairs[i].plain);
        ROW(i, buf_status(&b) == OK && str_eq(str_skip(buf_str(&b), 1), pairs[i].hex));
        back.len = 1;
        ROW(i, hex_decode(pairs[i].hex, &back) == OK);
        ROW(i, str_eq(str_skip(buf_str(&back), 1), pairs[i].plain));
    }
}

static void
limits_give_nothing_at_all(void **state)
{
    for (size_t i = 1; i < COUNT_OF(pairs); i++) {
        AUTO_BUF b = BUF(pairs[i].base64.len - 1);
        AUTO_BUF h = BUF(pairs[i].hex.len - 1);
        AUTO_BUF p = BUF(pairs[i].plain.len - 1);

        buf_add_base64(&b, pairs[i].plain);
        ROW(i, buf_status(&b) == ERR_LIMIT && b.len == 0);
        buf_add_hex(&h, pairs[i].plain);
        ROW(i, buf_status(&h) == ERR_LIMIT && h.len == 0);
        ROW(i, base64_decode(pairs[i].base64, &p) == ERR_LIMIT && p.len == 0);
        ROW(i, base64_decode(STR(""), &p) == ERR_LIMIT); /* the error sticks */
        buf_reset(&p);
        ROW(i, hex_decode(pairs[i].hex, &p) == ERR_LIMIT && p.len == 0);
        ROW(i, hex_decode(STR(""), &p) == ERR_LIMIT);
    }
}

static const struct str bad_base64[] = {
    STR("Z"),
    STR("Zg"),
    STR("Zg="),
    STR("Zm8"),
    STR("="),
    STR("=="),
    STR("==="),
    STR("===="),
    STR("Z==="),
    STR("=g=="),
    STR("Zg=a"),
    STR("Zg==Zg=="),
    STR("Zm8=Zm8="),
    STR("Zm9v="),
    STR("Zm9vYg=="
        "="),
    STR("Zh=="),
    STR("Zm9="),
    STR("Z/=="), /* bits left over */
    STR("Zm9v\r\n"),
    STR("Zm9v\nYg="),
    STR(" Zm9"),
    STR("Zm 9"),
    STR("Zm9-"),
    STR("Zm9_"),
    STR("Zm\0v"),
    STR("Zm\xc3\xa4"),
    STR("Zm9\xff"),
    STR("Zm9@"),
    STR("Zm9["),
    STR("Zm9`"),
    STR("Zm9{"),
    STR("Zm9:"),
    STR("Zm9."),
    STR("@@@@Zg=="),
    STR("Zg==Zm9v"),
    STR("Zm9v*g=="),
    STR("Zm9vZ*=="),
    STR("Zm9vZm*="),
};

static const struct str bad_hex[] = {
    STR("0"),
    STR("000"),
    STR("0g"),
    STR("g0"),
    STR("0G"),
    STR("0/"),
    STR("0:"),
    STR("0@"),
    STR("0`"),
    STR(" 0"),
    STR("0 "),
    STR("00 00"),
    STR("0x"),
    STR("\0"
        "0"),
    STR("0\xff"),
    STR("00\r\n"),
    STR("0000zz"),
    STR("zz0000"),
};

static void
what_is_not_strict_is_refused(void **state)
{
    AUTO_BUF b = BUF(100);

    buf_add_char(&b, '>');
    for (size_t i = 0; i < COUNT_OF(bad_base64); i++)
        ROW(i, base64_decode(bad_base64[i], &b) == ERR_SYNTAX && b.len == 1);
    for (size_t i = 0; i < COUNT_OF(bad_hex); i++)
        ROW(i, hex_decode(bad_hex[i], &b) == ERR_SYNTAX && b.len == 1);
    assert_int_equal(buf_status(&b), OK);
    assert_int_equal(hex_decode(STR("aBcDeF09"), &b), OK); /* either case */
    assert_str(buf_str(&b), STR(">\xab\xcd\xef\x09"));
}

static const struct {
    struct str in;
    bool ok;
    uint32_t want;
} utf8_rows[] = {
    {STR("\0"), true, 0},
    {STR("\x7f"), true, 0x7f},
    {STR("\xc2\x80"), true, 0x80},
    {STR("\xdf\xbf"), true, 0x7ff},
    {STR("\xe0\xa0\x80"), true, 0x800},
    {STR("\xed\x9f\xbf"), true, 0xd7ff},
    {STR("\xee\x80\x80"), true, 0xe000},
    {STR("\xef\xbf\xbf"), true, 0xffff},
    {STR("\xf0\x90\x80\x80"), true, 0x10000},
    {STR("\xf4\x8f\xbf\xbf"), true, 0x10ffff},
    {STR_NONE, false, 0},
    {STR("\xc0\x80"), false, 0}, /* longer forms */
    {STR("\xc1\xbf"), false, 0},
    {STR("\xe0\x80\x80"), false, 0},
    {STR("\xe0\x9f\xbf"), false, 0},
    {STR("\xf0\x80\x80\x80"), false, 0},
    {STR("\xf0\x8f\xbf\xbf"), false, 0},
    {STR("\xed\xa0\x80"), false, 0}, /* surrogates */
    {STR("\xed\xbf\xbf"), false, 0},
    {STR("\xf4\x90\x80\x80"), false, 0}, /* past U+10FFFF */
    {STR("\xf5\x80\x80\x80"), false, 0},
    {STR("\xf8\x88\x80\x80\x80"), false, 0},
    {STR("\xfe"), false, 0},
    {STR("\xff"), false, 0},
    {STR("\x80"), false, 0}, /* nothing to continue */
    {STR("\xbf"), false, 0},
    {STR("\xc3"), false, 0}, /* cut off */
    {STR("\xe2\x82"), false, 0},
    {STR("\xf0\x9f\x93"), false, 0},
    {STR("\xc3("), false, 0}, /* broken off */
    {STR("\xe2(\xa1"), false, 0},
    {STR("\xe2\x82("), false, 0},
    {STR("\xf0(\x8c\xbc"), false, 0},
    {STR("\xf0\x9f(\xbc"), false, 0},
    {STR("\xf0\x9f\x93("), false, 0},
    {STR("\xc3\xc3"), false, 0},
};

static void
utf8_is_strict(void **state)
{
    for (size_t i = 0; i < COUNT_OF(utf8_rows); i++) {
        struct str in = utf8_rows[i].in;
        struct scan s = scan_of(in);
        uint32_t v = 77;

        ROW(i, scan_utf8(&s, &v) == utf8_rows[i].ok);
        ROW(i, v == (utf8_rows[i].ok ? utf8_rows[i].want : 77));
        ROW(i, s.pos == in.ptr + (utf8_rows[i].ok ? in.len : 0));
        /* Wherever it stands among ASCII, whose eight bytes a step must not pass over it. */
        for (size_t before = 0; before < 20; before++) {
            AUTO_BUF b = BUF(64);
            buf_add(&b, str_sub(STR("abcdefghijklmnopqrst"), 0, before));
            buf_add(&b, in);
            buf_add(&b, STR("uvwxyz"));
            ROW(i, utf8_valid(buf_str(&b)) == (utf8_rows[i].ok || in.len == 0));
            ROW(i, str_is_ascii(buf_str(&b)) ==
                       (in.len == 0 || (in.len == 1 && (unsigned char)in.ptr[0] < 0x80)));
        }
        AUTO_BUF b = BUF(4);
        buf_add_utf8(&b, utf8_rows[i].want);
        ROW(i, !utf8_rows[i].ok || str_eq(buf_str(&b), in));
    }
}

static void
utf8_of_every_code_point(void **state)
{
    for (uint32_t v = 0; v <= 0x110100; v++) {
        AUTO_BUF b = BUF(4);
        bool scalar = v <= 0x10ffff && (v < 0xd800 || v > 0xdfff);
        uint32_t back = 1;

        buf_add_utf8(&b, v);
        struct scan s = scan_of(buf_str(&b));
        ROW(v, scan_utf8(&s, &back) && scan_at_end(&s) && back == (scalar ? v : 0xfffd));
    }
    AUTO_BUF tight = BUF(3);
    buf_add_utf8(&tight, 0x10000);
    assert_int_equal(buf_status(&tight), ERR_LIMIT);
    assert_int_equal(tight.len, 0);
    buf_reset(&tight);
    buf_add_utf8(&tight, UINT32_MAX);
    assert_str(buf_str(&tight), STR("\xef\xbf\xbd"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(limits_give_nothing_at_all),
        cmocka_unit_test(what_is_not_strict_is_refused),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(utf8_of_every_code_point),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
