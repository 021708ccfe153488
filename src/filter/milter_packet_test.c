/* milter_packet_test.c - a row for every answer of a filter, and for every way to get one wrong; what we write.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/milter_packet.h"

#include "base/size.h"
#include "base/testing.h"

static const struct {
    struct str packet;
    enum status e;
    struct str name, value;
    uint32_t index;
    int code;
    const char *text;
} rows[] = {
    {STR("c"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("a"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("r"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("t"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("d"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("s"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("p"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("f"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("4"), OK, STR(""), STR(""), 0, 0, ""},
    {STR(""), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("cx"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("Z"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("b"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("bany \0 bytes"), OK, STR(""), STR("any \0 bytes"), 0, 0, ""},
    {STR("hName\0Value\0"), OK, STR("Name"), STR("Value"), 0, 0, ""},
    {STR("hName\0\0"), OK, STR("Name"), STR(""), 0, 0, ""},
    {STR("hName\0Value"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("hName\0"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("hName\0Value\0more"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("i\0\0\0\1Name\0Value\0"), OK, STR("Name"), STR("Value"), 1, 0, ""},
    {STR("i\0\0\1"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("m\0\0\1\2N\0\0"), OK, STR("N"), STR(""), 258, 0, ""},
    {STR("m\0\0\0\1N\0"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("+<a@b.example>\0"), OK, STR(""), STR("<a@b.example>"), 0, 0, ""},
    {STR("+<a@b.example>"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("+\0\0"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("-a@b.example\0"), OK, STR(""), STR("a@b.example"), 0, 0, ""},
    {STR("2a@b.example\0NOTIFY=NEVER\0"), OK, STR("NOTIFY=NEVER"), STR("a@b.example"), 0, 0, ""},
    {STR("2a@b.example\0"), OK, STR(""), STR("a@b.example"), 0, 0, ""},
    {STR("ea@b.example\0\0"), OK, STR(""), STR("a@b.example"), 0, 0, ""},
    {STR("ea\0b\0c\0"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("qwhy\0"), OK, STR(""), STR("why"), 0, 0, ""},
    {STR("y550 5.7.1 go away\0"), OK, STR(""), STR(""), 0, 550, "5.7.1|go away"},
    {STR("y451 later\0"), OK, STR(""), STR(""), 0, 451, "|later"},
    {STR("y550 4.7.1 x\0"), OK, STR(""), STR(""), 0, 550, "|4.7.1 x"},
    {STR("y550\0"), OK, STR(""), STR(""), 0, 550, "|"},
    {STR("y550-5.7.1 one\r\n550 5.7.1 two\0"), OK, STR(""), STR(""), 0, 550, "5.7.1|one"},
    {STR("y550 100%% sure\0"), OK, STR(""), STR(""), 0, 550, "|100% sure"},
    {STR("y550 a\x07"
         "b\0"),
     OK, STR(""), STR(""), 0, 550, "|a?b"},
    {STR("y250 ok\0"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("y55\0"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("y5x0 a\0"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("y5500 a\0"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("y550 x"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("O\0\0\0\6\0\0\0\1\0\0\0\2"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("O\0\0\0\6\0\0\0\1\0\0\0\2\0\0\0\0i j\0"), OK, STR(""), STR(""), 0, 0, ""},
    {STR("O\0\0\0\1\0\0\0\1\0\0\0\2"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("O\0\0\0\7\0\0\0\1\0\0\0\2"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("O\0\0\0\6\0\0\1\0\0\0\0\2"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("O\0\0\0\6\0\0\0\1\x10\0\0\2"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
    {STR("O\0\0\0\6\0\0\0\1\0\0\0"), ERR_SYNTAX, STR(""), STR(""), 0, 0, ""},
};

static void
test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct milter_said got = {.code = -1};
        char text[sizeof(got.text) + sizeof(got.enhanced) + 1];
        ROW(i, milter_read(rows[i].packet, &got) == rows[i].e);
        if (rows[i].e != OK) {
            ROW(i, got.code == -1);
            continue;
        }
        ROW(i, (char)got.what == rows[i].packet.ptr[0]);
        ROW(i, str_eq(got.name, rows[i].name) && str_eq(got.value, rows[i].value));
        ROW(i, got.index == rows[i].index && got.code == rows[i].code);
        snprintf(text, sizeof(text), "%s|%s", got.enhanced, got.text);
        ROW(i, got.code == 0 || str_eq(str_of(text), str_of(rows[i].text)));
    }
}

static void
test_lengths(void **state)
{
    (void)state;
    assert_int_equal(milter_length(STR("\0\0\0\1"), 10), 1);
    assert_int_equal(milter_length(STR("\0\0\0\12"), 10), 10);
    assert_int_equal(milter_length(STR("\0\0\0\13"), 10), 0);
    assert_int_equal(milter_length(STR("\xff\xff\xff\xff"), 10), 0);
    assert_int_equal(milter_length(STR("\0\0\0\0"), 10), 0);
    assert_int_equal(milter_length(STR("\0\0\0"), 10), 0);
}

static void
test_commands(void **state)
{
    AUTO_BUF b = BUF(4096);
    const struct str words[] = {STR("a"), STR("b\0c")};
    const struct milter_client client = {STR("[192.0.2.1]"), STR("192.0.2.1"), '4', 0x1234};
    const struct milter_client unknown = {.name = STR("x"), .family = 'U'};

    (void)state;
    milter_write(&b, MILTER_HEADER, words, 2);
    assert_str(buf_str(&b), STR("\0\0\0\5La\0b\0"));
    buf_reset(&b);
    milter_write(&b, MILTER_DATA, NULL, 0);
    assert_str(buf_str(&b), STR("\0\0\0\1T"));
    buf_reset(&b);
    milter_write_connect(&b, &client);
    assert_str(buf_str(&b), STR("\0\0\0\x1a"
                                "C[192.0.2.1]\0"
                                "4\x12\x34"
                                "192.0.2.1\0"));
    buf_reset(&b);
    milter_write_connect(&b, &unknown);
    assert_str(buf_str(&b), STR("\0\0\0\4Cx\0U"));
    buf_reset(&b);
    milter_write_terms(&b, MILTER_ACTIONS, MILTER_STEPS);
    assert_str(buf_str(&b), STR("\0\0\0\15O\0\0\0\6\0\0\0\xff\0\x1f\xff\xff"));
    buf_reset(&b);
    milter_write_bytes(&b, MILTER_BODY, STR("a\0b"));
    assert_str(buf_str(&b), STR("\0\0\0\4Ba\0b"));
}

static const struct {
    struct str name, value;
    bool leading_space;
    enum status e;
    struct str field;
} fields[] = {
    {STR("X-A"), STR("b"), false, OK, STR("X-A: b\r\n")},
    {STR("X-A"), STR(" b"), true, OK, STR("X-A: b\r\n")},
    {STR("X-A"), STR("b"), true, OK, STR("X-A:b\r\n")},
    {STR("X-A"), STR(""), false, OK, STR("X-A: \r\n")},
    {STR("X-A"), STR("b\n\tc"), false, OK, STR("X-A: b\r\n\tc\r\n")},
    {STR("X-A"), STR("b\r\n c"), false, OK, STR("X-A: b\r\n c\r\n")},
    {STR("X-A"), STR("b\nX-B: c"), false, OK, STR("X-A: b\r\n\tX-B: c\r\n")},
    {STR("X-A"), STR("b\n\nbody"), false, OK, STR("X-A: b\r\n\tbody\r\n")},
    {STR("X-A"), STR("b\n \t\nbody"), false, OK, STR("X-A: b\r\n\tbody\r\n")},
    {STR("X-A"), STR("b\rX: c"), false, OK, STR("X-A: b X: c\r\n")},
    {STR("X-A"), STR("b\n"), false, OK, STR("X-A: b\r\n")},
    {STR("X A"), STR("b"), false, ERR_SYNTAX, STR("")},
    {STR("X-A:"), STR("b"), false, ERR_SYNTAX, STR("")},
    {STR(""), STR("b"), false, ERR_SYNTAX, STR("")},
    {STR("X\n"), STR("b"), false, ERR_SYNTAX, STR("")},
};

static void
test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        AUTO_BUF b = BUF(4096);
        ROW(i, milter_field_in(&b, fields[i].name, fields[i].value, fields[i].leading_space) ==
                   fields[i].e);
        ROW(i, str_eq(buf_str(&b), fields[i].field));
    }
    AUTO_BUF out = BUF(4096);
    milter_value_out(&out, STR(" a\r\n\tb\r c\0"), false);
    assert_str(buf_str(&out), STR("a\n\tb\r c "));
    buf_reset(&out);
    milter_value_out(&out, STR(" a"), true);
    assert_str(buf_str(&out), STR(" a"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
