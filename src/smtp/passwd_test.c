/* passwd_test.c - tables of users, good and bad.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/size.h"
#include "smtp/passwd.h"

static void
test_names(void **state)
{
    static const char table[] = "root:x:0:0:root:/root:/bin/bash\n"
                                "\n"
                                "# a comment\n"
                                "broken\n"
                                "half:x\n"
                                "nouid:x::0::/:\n"
                                "toor:x:0:0::/root:/bin/sh\n"
                                "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
                                "a b:x:40:40::/:\n"
                                ".dot:x:41:41::/:\n"
                                "do..t:x:42:42::/:\n"
                                "\"q\"@x:x:43:43::/:\n"
                                ":x:44:44::/:\n"
                                "wide:x:4294967297:1::/:\n"
                                "neg:x:-1:1::/:\n"
                                "most:x:4294967295:1::/:\n"
                                "j.doe_2:x:1000:1000:J,,,:/home/j:/bin/sh";
    static const struct {
        uint32_t uid;
        const char *name; /* NULL: none */
    } rows[] = {
        {0, "root"}, {33, "www-data"}, {1000, "j.doe_2"}, {UINT32_MAX, "most"},
        {1, NULL},   {40, NULL},       {41, NULL},        {42, NULL},
        {43, NULL},  {44, NULL},       {5, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str name = STR("");
        bool found = passwd_name(str_of(table), rows[i].uid, &name);
        assert_int_equal(found, rows[i].name != NULL);
        if (found)
            assert_true(str_eq(name, str_of(rows[i].name)));
    }
    struct str name;
    assert_false(passwd_name(STR(""), 0, &name));
    assert_false(passwd_name(STR_NONE, 0, &name));
}

static void
test_length(void **state)
{
    char line[80] = {0};
    struct str name;

    (void)state;
    for (size_t n = 63; n <= 65; n++) {
        for (size_t i = 0; i < n; i++)
            line[i] = 'n';
        line[n] = ':', line[n + 1] = ':', line[n + 2] = '7';
        assert_int_equal(passwd_name(str_from(line, n + 3), 7, &name), n <= 64);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_length)};

    return cmocka_run_group_tests_name("smtp: users of the machine", tests, NULL, NULL);
}
