/* read_test.c - objects that somebody wrote.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "api/read.h"
#include "base/size.h"

static void
test_rows(void **state)
{
    static const struct {
        const char *text;
        const char *says; /* part of the sentence; NULL: it is taken */
    } rows[] = {
        {"{\"name\": \"x\"}", NULL},
        {"{\"name\": \"x\", \"many\": [\"a\", \"b\"], \"yes\": true, \"n\": 5}", NULL},
        {"{\"name\": \"x\", \"many\": null}", NULL},
        {"{\"name\": \"\"}", NULL},
        {"{}", "\"name\" is missing"},
        {"{\"name\": null}", "\"name\" is missing"},
        {"{\"name\": 5}", "\"name\" is a string"},
        {"{\"name\": \"x\", \"many\": \"a\"}", "array of strings"},
        {"{\"name\": \"x\", \"many\": [1]}", "array of strings"},
        {"{\"name\": \"x\", \"yes\": 1}", "true or false"},
        {"{\"name\": \"x\", \"n\": -1}", "not negative"},
        {"{\"name\": \"x\", \"n\": 1.5}", "not negative"},
        {"{\"name\": \"x\", \"nmae\": 1}", "no member \"nmae\""},
        {"[]", "object is expected"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct api_strings many = {0};
        struct str name = STR("");
        uint64_t n = 0;
        bool yes = false;
        json_error_t why;
        const struct api_member members[] = {{"name", API_STR, &name, true},
                                             {"many", API_STRS, &many, false},
                                             {"yes", API_BOOL, &yes, false},
                                             {"n", API_U64, &n, false}};
        json_t *j = read_json(str_of(rows[i].text), &why);
        assert_non_null(j);
        const char *wrong = api_read(j, members, COUNT_OF(members), a);
        json_decref(j);
        if (rows[i].says == NULL ? wrong != NULL
                                 : wrong == NULL || strstr(wrong, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].text, wrong != NULL ? wrong : "taken");
    }
}

static void
test_what_is_no_json(void **state)
{
    static const char *const rows[] = {"",     "{",    "{\"a\": 1, \"a\": 2}",
                                       "{} x", "\xff", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]"};
    static const char *const good[] = {"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
                                       "[\"[[[[[[[[[[[[[[[[[[[\"]",
                                       "[\"\\\"[[[[[[[[[[[[[[[[[[[\"]"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        json_error_t why = {.text = ""};
        assert_null(read_json(str_of(rows[i]), &why));
        assert_int_not_equal(why.text[0], '\0');
    }
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        json_error_t why;
        json_t *j = read_json(str_of(good[i]), &why);
        assert_non_null(j);
        json_decref(j);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_what_is_no_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
