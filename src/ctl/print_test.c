/* print_test.c - what a stranger wrote neither moves the cursor nor spoils the JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/size.h"
#include "ctl/ctl.h"

static const struct {
    struct str text;
    const char *terminal, *json;
} rows[] = {
    {STR(""), "", ""},
    {STR("anna@example.com"), "anna@example.com", "anna@example.com"},
    {STR("gr\xc3\xbc\xc3\x9f@example.com"), "gr\xc3\xbc\xc3\x9f@example.com",
     "gr\xc3\xbc\xc3\x9f@example.com"},
    {STR("\x1b]0;title\x07"), "?]0;title?", "\x1b]0;title\x07"},
    {STR("a\rb\nc\x7f"), "a?b?c?", "a\rb\nc\x7f"},
    {STR("\xc2\x9b"
         "2J"),
     "?2J",
     "\xc2\x9b"
     "2J"}, /* CSI of ISO 6429 as UTF-8 */
    {STR("\x9b"
         "2J"),
     "\xef\xbf\xbd"
     "2J",
     "\xef\xbf\xbd"
     "2J"}, /* and as a bare byte */
    {STR("\xff\xfe"), "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd"},
    {STR("cut \xe2\x82"), "cut \xef\xbf\xbd\xef\xbf\xbd", "cut \xef\xbf\xbd\xef\xbf\xbd"},
    {STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
};

static void
test_text_of_strangers(void **state)
{
    AUTO_ARENA *a = arena_new(65536);
    struct ctl c = {.arena = a};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_t *j = view_str(rows[i].text);

        assert_string_equal(ctl_text(&c, rows[i].text), rows[i].terminal);
        assert_non_null(j);
        assert_string_equal(json_string_value(j), rows[i].json);
        json_decref(j);
    }
}

/* A NUL ends nothing in JSON, and is a control character for people. */
static void
test_nul(void **state)
{
    AUTO_ARENA *a = arena_new(65536);
    struct ctl c = {.arena = a};
    json_t *j = view_str(STR("a\0b"));

    (void)state;
    assert_string_equal(ctl_text(&c, STR("a\0b")), "a?b");
    assert_int_equal(json_string_length(j), 3);
    json_decref(j);
}

static void
test_sizes_read_and_written_alike(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *again;
    } sizes[] = {
        {"none", 0, "0 bytes"},     {"1023", 1023, "1023 bytes"}, {"1K", 1024, "1.0K"},
        {"50M", 50 << 20, "50.0M"}, {"5G", 5ull << 30, "5.0G"},   {"3T", 3ull << 40, "3.0T"},
    };
    static const char *const wrong[] = {"",   "5X",  "G",        "5GG",
                                        "-1", "5 G", "9000000T", "99999999999999999999"};
    uint64_t bytes;
    char text[32];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        assert_true(ctl_read_size(sizes[i].text, &bytes));
        assert_int_equal(bytes, sizes[i].bytes);
        assert_string_equal(ctl_size_text(bytes, text, sizeof(text)), sizes[i].again);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(ctl_read_size(wrong[i], &bytes));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_of_strangers),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_sizes_read_and_written_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
