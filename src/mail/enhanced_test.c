/* enhanced_test.c - enhanced status codes, and what only looks like one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/size.h"
#include "mail/enhanced.h"

static const struct {
    const char *text;
    int code;
    const char *enhanced; /* NULL: none, and the text stays */
    const char *rest;
} rows[] = {
    {"5.1.1 no such user", 550, "5.1.1", "no such user"},
    {"5.1.1", 550, "5.1.1", ""},
    {"5.1.1 ", 550, "5.1.1", ""},
    {"5.1.1 \t x", 550, "5.1.1", "x"},
    {"2.0.0 fine", 250, "2.0.0", "fine"},
    {"4.7.1 x", 451, "4.7.1", "x"},
    {"5.999.999 x", 599, "5.999.999", "x"},
    {"5.001.010 x", 550, "5.1.10", "x"}, /* against RFC 3463 section 2, and clear */
    {"5.000.0 x", 550, "5.0.0", "x"},
    /* of another class, or of none */
    {"4.1.1 x", 550, NULL, NULL},
    {"5.1.1 x", 450, NULL, NULL},
    {"3.1.1 x", 354, NULL, NULL},
    {"1.1.1 x", 150, NULL, NULL},
    {"0.1.1 x", 50, NULL, NULL},
    {"9.1.1 x", 950, NULL, NULL},
    {"5.1.1 x", 0, NULL, NULL},
    /* of other digits */
    {"05.1.1 x", 550, NULL, NULL},
    {"55.1.1 x", 550, NULL, NULL},
    {"5.1000.1 x", 550, NULL, NULL},
    {"5.1.1000 x", 550, NULL, NULL},
    {"5.0001.1 x", 550, NULL, NULL},
    {"5.1.0000000000000000000001 x", 550, NULL, NULL},
    {"5.-1.1 x", 550, NULL, NULL},
    {"5.+1.1 x", 550, NULL, NULL},
    {"5.a.1 x", 550, NULL, NULL},
    /* cut off, or going on */
    {"", 550, NULL, NULL},
    {"5", 550, NULL, NULL},
    {"5.", 550, NULL, NULL},
    {"5.1", 550, NULL, NULL},
    {"5.1.", 550, NULL, NULL},
    {"5..1 x", 550, NULL, NULL},
    {"5.1.1.1 x", 550, NULL, NULL},
    {"5.1.1x", 550, NULL, NULL},
    {"5.1.1, x", 550, NULL, NULL},
    {"5. 1.1 x", 550, NULL, NULL},
    {" 5.1.1 x", 550, NULL, NULL},
    {"#5.1.1 x", 550, NULL, NULL},
    {"5,1,1 x", 550, NULL, NULL},
};

static void
test_take(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str text = str_of(rows[i].text);
        char got[ENHANCED_BYTES] = "before";
        bool found = enhanced_take(&text, rows[i].code, got);

        ROW(i, found == (rows[i].enhanced != NULL));
        ROW(i, strcmp(got, found ? rows[i].enhanced : "before") == 0);
        ROW(i, str_eq(text, str_of(found ? rows[i].rest : rows[i].text)));
    }
}

/* The same grammar without a reply code; what follows is the caller's. */
static void
test_scan(void **state)
{
    struct scan s = scan_of(STR("2.6.10x")), no = scan_of(STR("6.6.1"));
    char got[ENHANCED_BYTES];

    (void)state;
    assert_true(scan_enhanced(&s, got));
    assert_string_equal(got, "2.6.10");
    assert_true(str_eq(scan_rest(&s), STR("x")));
    assert_false(scan_enhanced(&no, got));
    assert_true(str_eq(scan_rest(&no), STR("6.6.1")));
    assert_string_equal(got, "2.6.10");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_take), cmocka_unit_test(test_scan)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
