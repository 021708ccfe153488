/* prvs_test.c - what is signed is read back, and what is not, or not any more, is not believed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/prvs.h"

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"

static const char mac_bytes[32] = "\xab\xcd\xef";
#define MAC str_from(mac_bytes, sizeof(mac_bytes))
#define DAY 20990 /* 990 */

static void
senders_are_wrapped(void **state)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF text = BUF(PRVS_SIGNED_MAX);
    struct prvs p, back;

    (void)state;
    assert_int_equal(prvs_wrap(STR("Anna@example.org"), DAY, a, &p), OK);
    struct str address = prvs_write(&p, MAC, a);
    assert_true(str_eq(address, STR("prvs=0011abcdef=Anna@example.org")));
    assert_int_equal(prvs_read(STR("PRVS=0011ABCDEF=anna@EXAMPLE.org"), a, &back), OK);
    prvs_signed(&back, &text);
    assert_true(str_eq(buf_str(&text), STR("0011anna@example.org")));
    assert_true(prvs_is_signed(&back, MAC));
    assert_true(str_eq(back.address, STR("anna@EXAMPLE.org")));
    for (int64_t day = DAY; day <= DAY + LIMIT_PRVS_DAYS; day++)
        assert_true(prvs_is_fresh(&back, day));
    assert_false(prvs_is_fresh(&back, DAY - 1));
    assert_false(prvs_is_fresh(&back, DAY + LIMIT_PRVS_DAYS + 1));
    assert_int_equal(prvs_read(STR("prvs=0011abcdee=anna@example.org"), a, &back), OK);
    assert_false(prvs_is_signed(&back, MAC));
    assert_int_equal(prvs_read(STR("prvs=1011abcdef=anna@example.org"), a, &back), OK);
    assert_false(prvs_is_fresh(&back, DAY)); /* of a key that we do not have */
}

static void
what_is_none(void **state)
{
    static const struct {
        struct str address;
        enum status status;
    } rows[] = {
        {STR("anna@example.org"), ERR_NOT_FOUND},
        {STR("xprvs=0011abcdef=anna@example.org"), ERR_NOT_FOUND},
        {STR(""), ERR_NOT_FOUND},
        {STR("prvs="), ERR_SYNTAX},
        {STR("prvs=0011abcdef="), ERR_SYNTAX},
        {STR("prvs=0011abcdef=@"), ERR_SYNTAX},
        {STR("prvs=0011abcdef=@example.org"), ERR_SYNTAX},
        {STR("prvs=0011abcdef=anna"), ERR_SYNTAX},
        {STR("prvs=0x04abcdef=anna@example.org"), ERR_SYNTAX},
        {STR("prvs=0011abcdefanna@example.org"), ERR_SYNTAX},
        {STR("prvs=0011@example.org=anna@example.org"), ERR_SYNTAX},
        {STR("prvs=0011abcdef=a@b"), OK},
    };
    static const struct str not_wrapped[] = {STR(""), STR("anna"), STR("@example.org"),
                                             STR("\"a b\"@example.org"),
                                             STR("prvs=0011abcdef=anna@example.org")};
    AUTO_ARENA *a = arena_new(65536);
    struct prvs p;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(prvs_read(rows[i].address, a, &p), rows[i].status);
    for (size_t i = 0; i < COUNT_OF(not_wrapped); i++)
        assert_int_equal(prvs_wrap(not_wrapped[i], DAY, a, &p), ERR_NOT_FOUND);
    char *lengthy = arena_alloc(a, 300);
    for (size_t i = 0; i < 300; i++)
        lengthy[i] = i == 200 ? '@' : 'x';
    assert_int_equal(prvs_wrap(str_from(lengthy, LIMIT_SRS_BYTES - 16), DAY, a, &p), OK);
    assert_int_equal(prvs_wrap(str_from(lengthy, LIMIT_SRS_BYTES - 15), DAY, a, &p), ERR_NOT_FOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(senders_are_wrapped),
        cmocka_unit_test(what_is_none),
    };

    return cmocka_run_group_tests_name("mail: signed bounce addresses", tests, NULL, NULL);
}
