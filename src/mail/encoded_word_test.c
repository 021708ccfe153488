/* encoded_word_test.c - RFC 2047 words and the charsets behind them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
#include "base/size.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"

static const struct {
    const char *in;
    const char *out;
} words[] = {
    {"plain text", "plain text"},
    {" folded\r\n text ", "folded text"},
    /* the table of RFC 2047 section 8 */
    {"(=?ISO-8859-1?Q?a?=)", "(a)"},
    {"(=?ISO-8859-1?Q?a?= b)", "(a b)"},
    {"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"},
    {"(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"},
    {"(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)"},
    {"(=?ISO-8859-1?Q?a_b?=)", "(a b)"},
    {"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"},
    {"=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>",
     "Keld J\xc3\xb8rn Simonsen <keld@dkuug.dk>"},
    {"=?iso-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFt"
     "cGxlLg==?=",
     "If you can read this you understand the example."},
    {"=?utf-8*de?Q?=C3=BC?=", "\xc3\xbc"},
    {"=?UTF-8?b?w7w=?=", "\xc3\xbc"},
    /* a character torn between two words */
    {"=?utf-8?Q?a=C3?= =?utf-8?Q?=BCb?=", "a\xc3\xbc"
                                          "b"},
    {"=?utf-8?B?4oI=?=\r\n =?UTF-8?B?rA==?=", "\xe2\x82\xac"},
    {"=?utf-8?Q?a=C3?= x =?utf-8?Q?=BCb?=", "a\xef\xbf\xbd x \xef\xbf\xbd"
                                            "b"},
    /* other alphabets */
    {"=?koi8-r?B?8NLJ18XU?=", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"},
    {"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
    {"=?Shift_JIS?B?k/qWew==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
    {"=?gb2312?B?1tDOxA==?=", "\xe4\xb8\xad\xe6\x96\x87"},
    {"=?windows-1252?Q?=80?=", "\xe2\x82\xac"},
    {"=?iso-8859-15?Q?=A4?=", "\xe2\x82\xac"},
    {"=?x-none-such?Q?=FC?=", "\xc3\xbc"},
    {"=?x-none-such?Q?=C3=BC?=", "\xc3\xbc"},
    {"=?utf-8?Q?=FC?=", "\xef\xbf\xbd"},
    {"=?koi8-r?Q?=00?=", "\xef\xbf\xbd"},
    {"=?utf-8?Q?a=0D=0AEvil:_x?=", "a  Evil: x"},
    /* not encoded words */
    {"=?utf-8?X?a?=", "=?utf-8?X?a?="},
    {"=?utf-8?Q?a", "=?utf-8?Q?a"},
    {"=?utf-8?Q", "=?utf-8?Q"},
    {"=??Q?a?=", "=??Q?a?="},
    {"=?u f?Q?a?=", "=?u f?Q?a?="},
    {"=?", "=?"},
    {"=?utf-8?Q?"
     "?= b",
     " b"},
    {"=?utf-8?Q?a=4?=", "a=4"},
    {"=?=?utf-8?Q?a?=", "=?a"},
    /* words inside words, blanks in Q text, raw bytes */
    {"a=?utf-8?Q?b?=c", "abc"},
    {"=?utf-8?Q?a b?=", "a b"},
    {"raw \xc3\xbc", "raw \xc3\xbc"},
    {"raw \xfc", "raw \xc3\xbc"},
    {"", ""},
};

static void
test_decode(void **state)
{
    (void)state;
    assert_int_equal(charset_preload(), 0);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        AUTO_BUF b = BUF(1000);
        encoded_word_decode(str_of(words[i].in), &b);
        if (!str_eq(buf_str(&b), str_of(words[i].out)))
            fail_msg("\"%s\": \"%.*s\"", words[i].in, STR_FMT(buf_str(&b)));
    }
    charset_unload();
}

static void
test_write(void **state)
{
    AUTO_BUF text = BUF(5000);
    AUTO_BUF b = BUF(10000);
    AUTO_BUF back = BUF(10000);
    (void)state;

    encoded_word_write(&b, STR("plain text"));
    assert_true(str_eq(buf_str(&b), STR("plain text")));
    buf_reset(&b);
    for (int i = 0; i < 300; i++)
        buf_add(&text, i % 3 == 0 ? STR("\xf0\x9f\x93\xa7") : STR("\xc3\xbc "));
    encoded_word_write(&b, str_trim(buf_str(&text)));
    struct str rest = buf_str(&b);
    struct str word = STR_NONE;
    assert_true(str_is_ascii(rest));
    while (str_split(&rest, ' ', &word))
        assert_true(word.len > 0 && word.len <= 75);
    encoded_word_decode(buf_str(&b), &back);
    assert_true(str_eq(buf_str(&back), str_trim(buf_str(&text))));
    buf_reset(&b);
    encoded_word_write(&b, STR("=?utf-8?Q?a?="));
    buf_reset(&back);
    encoded_word_decode(buf_str(&b), &back);
    assert_true(str_eq(buf_str(&back), STR("=?utf-8?Q?a?=")));
}

/* Any bytes in any charset give valid UTF-8 within the promised size. */
static void
test_charsets(void **state)
{
    static const char *const names[] = {"utf-8",  "us-ascii", "iso-8859-1",  "koi8-r",
                                        "utf-16", "utf-7",    "iso-2022-jp", "gb18030",
                                        "euc-tw", "tis-620",  "x-unknown"};
    char bytes[512];
    (void)state;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 167 + i / 256);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO_BUF b = BUF(10000);
        charset_to_utf8(str_of(names[i]), str_from(bytes, sizeof(bytes)), &b);
        assert_true(utf8_valid(buf_str(&b)) && b.len > 0);
        assert_true(b.len <= 3 * sizeof(bytes) + 16);
        assert_int_equal(str_find(buf_str(&b), '\0'), -1);
    }
    assert_true(charset_known(STR("KOI8-R")) && charset_known(STR("latin1")));
    assert_false(charset_known(STR("x-unknown")));
    charset_unload();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_charsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
