/* transfer_test.c - tables of encodings, decoded in every split.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/size.h"
#include "mail/transfer.h"

#define BLANKS "                                        " /* 40 */

static const struct {
    enum transfer kind;
    const char *in;
    const char *out;
} rows[] = {
    {TRANSFER_IDENTITY, "a=3D\r\n", "a=3D\r\n"},
    {TRANSFER_UNKNOWN, "M9&]O", "M9&]O"},
    {TRANSFER_BASE64, "aGVsbG8=", "hello"},
    {TRANSFER_BASE64, "aGVs\r\nbG8=\r\n", "hello"},
    {TRANSFER_BASE64, "aGVsbG8", "hello"},
    {TRANSFER_BASE64, "aGVsbA==aGk=", "hellhi"},
    {TRANSFER_BASE64,
     "a*G V\ts\x80"
     "bG8",
     "hello"},
    {TRANSFER_BASE64, "a", ""},
    {TRANSFER_BASE64, "====", ""},
    {TRANSFER_BASE64, "aGk=-- ", "hi"},
    {TRANSFER_BASE64, "++//", "\xfb\xef\xff"},
    {TRANSFER_QUOTED_PRINTABLE, "a=3Db", "a=b"},
    {TRANSFER_QUOTED_PRINTABLE, "a=3db", "a=b"},
    {TRANSFER_QUOTED_PRINTABLE, "a=\r\nb", "ab"},
    {TRANSFER_QUOTED_PRINTABLE, "a= \t\r\nb", "ab"},
    {TRANSFER_QUOTED_PRINTABLE, "a=\nb", "ab"},
    {TRANSFER_QUOTED_PRINTABLE, "a  \r\nb", "a\r\nb"},
    {TRANSFER_QUOTED_PRINTABLE, "a b\t\nc", "a b\nc"},
    {TRANSFER_QUOTED_PRINTABLE, "a\r\n\r\nb", "a\r\n\r\nb"},
    {TRANSFER_QUOTED_PRINTABLE, "a\rb", "a\rb"},
    {TRANSFER_QUOTED_PRINTABLE, "a=XYb", "a=XYb"},
    {TRANSFER_QUOTED_PRINTABLE, "a=4Gb", "a=4Gb"},
    {TRANSFER_QUOTED_PRINTABLE, "a=", "a"},
    {TRANSFER_QUOTED_PRINTABLE, "a=4", "a=4"},
    {TRANSFER_QUOTED_PRINTABLE, "a=  b", "a=  b"},
    {TRANSFER_QUOTED_PRINTABLE, "a=20\r\n", "a \r\n"},
    {TRANSFER_QUOTED_PRINTABLE, "=C3=BC", "\xc3\xbc"},
    {TRANSFER_QUOTED_PRINTABLE, "a  ", "a"},
    {TRANSFER_QUOTED_PRINTABLE, "a" BLANKS BLANKS BLANKS "b", "a" BLANKS BLANKS BLANKS "b"},
    {TRANSFER_QUOTED_PRINTABLE, "a=\r\r\nb", "ab"},
    {TRANSFER_QUOTED_PRINTABLE, "", ""},
};

static void
test_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str in = str_of(rows[i].in);
        for (size_t step = 1; step <= in.len + 1; step++) {
            struct transfer_decoder d;
            AUTO_BUF b = BUF(1000);

            transfer_decoder_init(&d, rows[i].kind);
            for (size_t at = 0; at < in.len; at += step)
                transfer_decode(&d, str_sub(in, at, step), &b);
            transfer_decode_end(&d, &b);
            if (!str_eq(buf_str(&b), str_of(rows[i].out)))
                fail_msg("row %zu, chunks of %zu: \"%.*s\"", i, step, STR_FMT(buf_str(&b)));
        }
    }
}

static void
test_kind(void **state)
{
    static const struct {
        const char *value;
        enum transfer kind;
    } kinds[] = {
        {"", TRANSFER_IDENTITY},
        {" 8bit", TRANSFER_IDENTITY},
        {" Base64 ", TRANSFER_BASE64},
        {" base64; x", TRANSFER_BASE64},
        {"quoted-printable (really)", TRANSFER_QUOTED_PRINTABLE},
        {"x-uuencode", TRANSFER_UNKNOWN},
        {"\"base64\"", TRANSFER_UNKNOWN},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        assert_int_equal(transfer_of(str_of(kinds[i].value)), kinds[i].kind);
}

/* What is written decodes to the same and keeps its line length. */
static void
test_encode(void **state)
{
    AUTO_BUF text = BUF(10000);
    (void)state;

    for (unsigned i = 0; i < 3000; i++) {
        if (i % 97 == 96)
            buf_add(&text, STR("\r\n"));
        buf_add_char(&text, (char)((i * 7919 + i / 5) % 251 + 3));
    }
    for (int kind = TRANSFER_BASE64; kind <= TRANSFER_QUOTED_PRINTABLE; kind++) {
        AUTO_BUF wire = BUF(20000);
        AUTO_BUF back = BUF(20000);
        struct transfer_decoder d;
        struct str rest;
        struct str line = STR_NONE;

        if (kind == TRANSFER_BASE64)
            transfer_write_base64(&wire, buf_str(&text));
        else
            transfer_write_quoted_printable(&wire, buf_str(&text));
        assert_int_equal(buf_status(&wire), OK);
        rest = buf_str(&wire);
        while (str_split(&rest, '\n', &line))
            assert_true(line.len <= 77);
        transfer_decoder_init(&d, (enum transfer)kind);
        transfer_decode(&d, buf_str(&wire), &back);
        transfer_decode_end(&d, &back);
        assert_true(str_eq(buf_str(&back), buf_str(&text)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_kind),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
