/* tags_test.c - tag lists: what is one, what is none, and their values.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tags.h"

#include "base/size.h"
#include "base/testing.h"

#define A_8(x) x "1=;" x "2=;" x "3=;" x "4=;" x "5=;" x "6=;" x "7=;" x "8=;"
#define A_64   A_8("a") A_8("b") A_8("c") A_8("d") A_8("e") A_8("f") A_8("g") A_8("h")

static const struct {
    struct str text;
    enum status want;
    const char *tags; /* "name>value|" each */
} rows[] = {
    {STR("a=1"), OK, "a>1|"},
    {STR("a=1;"), OK, "a>1|"},
    {STR(" a = 1 ; b = 2 ; "), OK, "a>1|b>2|"},
    {STR("a=1;\r\n\tb=2\r\n 3;c="), OK, "a>1|b>2\r\n 3|c>|"},
    {STR("a_1=x=y"), OK, "a_1>x=y|"},
    {STR("a=;A=x"), OK, "a>|A>x|"},
    {STR("a=j\xc3\xb6rg"), OK, "a>j\xc3\xb6rg|"},
    {STR(A_64), OK, NULL},
    {STR(A_64 "i1="), ERR_LIMIT, NULL},
    {STR("a=1;a=2"), ERR_EXISTS, NULL},
    {STR("a=1; a =2"), ERR_EXISTS, NULL},
    {STR(""), ERR_SYNTAX, NULL},
    {STR_NONE, ERR_SYNTAX, NULL},
    {STR(" "), ERR_SYNTAX, NULL},
    {STR(";"), ERR_SYNTAX, NULL},
    {STR("a"), ERR_SYNTAX, NULL},
    {STR("a=1;b"), ERR_SYNTAX, NULL},
    {STR("a=1;;b=2"), ERR_SYNTAX, NULL},
    {STR("a=1;;"), ERR_SYNTAX, NULL},
    {STR(";a=1"), ERR_SYNTAX, NULL},
    {STR("=1"), ERR_SYNTAX, NULL},
    {STR("1a=1"), ERR_SYNTAX, NULL},
    {STR("_a=1"), ERR_SYNTAX, NULL},
    {STR("a b=1"), ERR_SYNTAX, NULL},
    {STR("a-b=1"), ERR_SYNTAX, NULL},
    {STR("a=\x01"), ERR_SYNTAX, NULL},
    {STR("a=x\0y"), ERR_SYNTAX, NULL},
    {STR("a=x\x7fy"), ERR_SYNTAX, NULL},
    {STR("a=j\xf6rg"), ERR_SYNTAX, NULL},
};

static void
lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(4096);
        struct tag_list l;

        ROW(i, tags_parse(rows[i].text, &l) == rows[i].want);
        if (rows[i].tags == NULL)
            continue;
        for (uint32_t k = 0; k < l.count; k++)
            buf_addf(&b, "%.*s>%.*s|", STR_FMT(l.at[k].name), STR_FMT(l.at[k].value));
        ROW(i, str_eq(buf_str(&b), str_of(rows[i].tags)));
    }
}

/* What is cut out where a signature covers itself: with all white space around the value. */
static void
raw_values(void **state)
{
    struct tag_list l;

    (void)state;
    assert_int_equal(tags_parse(STR("a=1; b =\r\n x y\r\n ; c=2"), &l), OK);
    assert_str(tags_find(&l, STR("b"))->raw, STR("\r\n x y\r\n "));
    assert_str(tags_value(&l, STR("c")), STR("2"));
    assert_null(tags_find(&l, STR("B")));
    assert_int_equal(tags_value(&l, STR("z")).len, 0);
}

static void
pieces(void **state)
{
    static const struct {
        struct str value, piece;
        bool has;
    } lists_of[] = {
        {STR("from:to"), STR("to"), true}, {STR("from : To\r\n :x"), STR("to"), true},
        {STR("FROM"), STR("from"), true},  {STR("from:to"), STR("fro"), false},
        {STR("from"), STR(""), false},     {STR("from:"), STR(""), true},
        {STR(""), STR("from"), false},     {STR_NONE, STR("from"), false},
        {STR("y:s"), STR("y:s"), false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists_of); i++)
        ROW(i, tags_has_piece(lists_of[i].value, lists_of[i].piece) == lists_of[i].has);
}

static void
numbers(void **state)
{
    static const struct {
        struct str value;
        bool ok;
        uint64_t want;
    } values[] = {
        {STR("0"), true, 0},
        {STR("1528637909"), true, 1528637909},
        {STR("000000000012"), true, 12},
        {STR("999999999999"), true, 999999999999},
        {STR("1000000000000"), false, 0},
        {STR(""), false, 0},
        {STR_NONE, false, 0},
        {STR("-1"), false, 0},
        {STR("1 2"), false, 0},
        {STR("12x"), false, 0},
    };
    uint64_t n = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++)
        ROW(i, tags_number(values[i].value, &n) == values[i].ok &&
                   (!values[i].ok || n == values[i].want));
}

static void
base64(void **state)
{
    static const struct {
        struct str value;
        bool ok;
        struct str want;
    } values[] = {
        {STR("YWJj"), true, STR("abc")}, {STR("Y W\r\n\tJj"), true, STR("abc")},
        {STR("YWI="), true, STR("ab")},  {STR("YQ= ="), true, STR("a")},
        {STR(""), true, STR("")},        {STR("YQ"), false, STR("")}, /* no padding */
        {STR("YR=="), false, STR("")},                                /* bits left over */
        {STR("YWJj="), false, STR("")},                               /* too much of it */
        {STR("YW!j"), false, STR("")},   {STR("=YWJ"), false, STR("")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        AUTO_BUF b = BUF(100);

        ROW(i, (tags_base64(values[i].value, &b) == OK) == values[i].ok);
        ROW(i, str_eq(buf_str(&b), values[i].want));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),   cmocka_unit_test(raw_values), cmocka_unit_test(pieces),
        cmocka_unit_test(numbers), cmocka_unit_test(base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
