/* directory_values_test.c - accounts with attributes and without, and what no writer can have written.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/directory_app.h"
#include "store/directory_values.h"

#include "base/size.h"
#include "base/testing.h"

#define ACCOUNT "\0\0\0\0\0\0\0\7\1\0\0\0\0" /* id, epoch, flags, quota, created, no verifier */

static void
an_account_without_attributes_is_of_the_first_version(void **state)
{
    AUTO_ARENA *a = arena_new(4096);
    AUTO_BUF b = BUF(256);
    struct directory_entry e = {.kind = DIRECTORY_ACCOUNT, .account = 7, .epoch = 1}, back;

    directory_entry_write(&e, &b);
    ASSERT(str_eq(buf_str(&b), STR("\1\0" ACCOUNT)));
    ASSERT(directory_entry_read(buf_str(&b), a, &back) == OK && !back.suspended);
    (void)state;
}

static void
attributes_come_back(void **state)
{
    AUTO_ARENA *a = arena_new(4096);
    AUTO_BUF b = BUF(256);
    struct directory_entry e = {.account = 7, .epoch = 1, .suspended = true}, back;

    directory_entry_write(&e, &b);
    ASSERT(str_eq(buf_str(&b), STR("\2\0" ACCOUNT "\1\0")));
    ASSERT(directory_entry_read(buf_str(&b), a, &back) == OK && back.suspended && !back.disabled);
    (void)state;
}

#define HASH "0123456789abcdef0123456789abcdef"
#define APP  "\0\0\0\0\0\0\0\3\5phone\3\12\0\0" HASH /* 50 bytes */

static void
app_passwords_come_back(void **state)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF b = BUF(8192);
    struct directory_app_password all[LIMIT_APP_PASSWORDS];
    struct directory_entry e = {.account = 7, .epoch = 1, .app_passwords = all}, back;

    for (size_t i = 0; i < LIMIT_APP_PASSWORDS; i++)
        all[i] = (struct directory_app_password){
            .id = i + 3,
            .name = i == 0 ? STR("phone")
                           : STR("0123456789012345678901234567890123456789"
                                 "012345678901234567890123"),
            .protocols = i == 0 ? 3 : 15,
            .created = {10000000},
            .expires = {i == 0 ? 0 : INT64_C(4102444800000000)},
            .used_day = i == 0 ? 0 : 20000,
            .hash = STR(HASH),
        };
    e.app_password_count = 1;
    directory_entry_write(&e, &b);
    ASSERT(str_eq(buf_str(&b), STR("\2\0" ACCOUNT "\4\62" APP)));
    buf_reset(&b);
    e.app_password_count = LIMIT_APP_PASSWORDS;
    e.suspended = true;
    directory_entry_write(&e, &b);
    ASSERT(directory_entry_read(buf_str(&b), a, &back) == OK && back.suspended);
    ASSERT(back.app_password_count == LIMIT_APP_PASSWORDS);
    for (size_t i = 0; i < LIMIT_APP_PASSWORDS; i++) {
        const struct directory_app_password *p = &back.app_passwords[i];
        ROW(i, p->id == all[i].id && str_eq(p->name, all[i].name) &&
                   p->protocols == all[i].protocols && p->created.us == all[i].created.us &&
                   p->expires.us == all[i].expires.us && p->used_day == all[i].used_day &&
                   str_eq(p->hash, all[i].hash));
    }
    (void)state;
}

static void
a_forward_comes_back(void **state)
{
    AUTO_ARENA *a = arena_new(4096);
    AUTO_BUF b = BUF(256);
    const struct str to[] = {STR("x@y"), STR("z@y")};
    struct directory_entry e = {
        .account = 7, .epoch = 1, .forward = {.targets = to, .count = 2, .keep = true}};
    struct directory_entry back;

    directory_entry_write(&e, &b);
    ASSERT(str_eq(buf_str(&b), STR("\2\0" ACCOUNT "\2\12\1\2\3x@y\3z@y")));
    ASSERT(directory_entry_read(buf_str(&b), a, &back) == OK && back.forward.keep);
    ASSERT(back.forward.count == 2 && str_eq(back.forward.targets[1], to[1]));
    (void)state;
}

static void
what_it_may_write_as_comes_back(void **state)
{
    AUTO_ARENA *a = arena_new(4096);
    AUTO_BUF b = BUF(256);
    const struct str as[] = {STR("x@y"), STR("@y")};
    struct directory_entry e = {.account = 7, .epoch = 1, .send_as = as, .send_as_count = 2}, back;

    directory_entry_write(&e, &b);
    ASSERT(str_eq(buf_str(&b), STR("\2\0" ACCOUNT "\3\10\2\3x@y\2@y")));
    ASSERT(directory_entry_read(buf_str(&b), a, &back) == OK && back.send_as_count == 2);
    ASSERT(str_eq(back.send_as[0], as[0]) && str_eq(back.send_as[1], as[1]));
    (void)state;
}

static void
an_invitation_comes_back(void **state)
{
    AUTO_ARENA *a = arena_new(4096);
    AUTO_BUF b = BUF(256);
    struct directory_entry e = {
        .account = 7, .epoch = 1, .invitation = {.hash = STR(HASH), .expires = {10000000}}};
    struct directory_entry back;

    directory_entry_write(&e, &b);
    ASSERT(str_eq(buf_str(&b), STR("\2\0" ACCOUNT "\5\41\12" HASH)));
    ASSERT(directory_entry_read(buf_str(&b), a, &back) == OK);
    ASSERT(str_eq(back.invitation.hash, STR(HASH)) && back.invitation.expires.us == 10000000);
    (void)state;
}

static void
damage_is_seen(void **state)
{
    static const struct str rows[] = {
        STR("\0\0" ACCOUNT),                   /* no such version */
        STR("\3\0" ACCOUNT "\1\0"),            /* nor this one */
        STR("\2\0" ACCOUNT),                   /* attributes, and none there */
        STR("\1\0" ACCOUNT "\1\0"),            /* none, and one there */
        STR("\2\0" ACCOUNT "\1\0\1\0"),        /* twice */
        STR("\2\0" ACCOUNT "\1\1x"),           /* it has no value */
        STR("\2\0" ACCOUNT "\377\0"),          /* unknown */
        STR("\2\0" ACCOUNT "\1"),              /* cut short */
        STR("\2\0" ACCOUNT "\3\0"),            /* no list */
        STR("\2\0" ACCOUNT "\3\1\0"),          /* an empty one */
        STR("\2\0" ACCOUNT "\3\1\101"),        /* too many */
        STR("\2\0" ACCOUNT "\3\4\1\1xy"),      /* something behind it */
        STR("\2\0" ACCOUNT "\2\0"),            /* a forward of nothing */
        STR("\2\0" ACCOUNT "\2\2\1\0"),        /* to nobody */
        STR("\2\0" ACCOUNT "\2\4\2\1\1x"),     /* neither kept nor not */
        STR("\2\0" ACCOUNT "\2\3\1\1\0"),      /* to an empty address */
        STR("\2\0" ACCOUNT "\2\5\1\1\1xy"),    /* something behind it */
        STR("\2\0" ACCOUNT "\2\2\1\21"),       /* too many */
        STR("\2\0" ACCOUNT "\2\4\1\1\1x\1\0"), /* in the wrong order */
        STR("\2\0" ACCOUNT "\4\0"),            /* app passwords, and there are none */
        STR("\2\0" ACCOUNT "\4\61" APP),       /* cut short */
        STR("\2\0" ACCOUNT "\4\62\0\0\0\0\0\0\0\0\5phone\3\12\0\0" HASH),  /* no id */
        STR("\2\0" ACCOUNT "\4\55\0\0\0\0\0\0\0\3\0\3\12\0\0" HASH),       /* no name */
        STR("\2\0" ACCOUNT "\4\62\0\0\0\0\0\0\0\3\5phone\20\12\0\0" HASH), /* no such protocol */
        STR("\2\0" ACCOUNT "\4\62" APP "\1\0"),                            /* out of order */
        STR("\2\0" ACCOUNT "\4\62" APP "\3\5\1\3x@y"),                     /* nor these */
        STR("\2\0" ACCOUNT "\5\41\0" HASH),      /* an invitation without an end */
        STR("\2\0" ACCOUNT "\5\40\12" HASH),     /* cut short */
        STR("\2\0" ACCOUNT "\5\42\12" HASH "x"), /* something behind it */
        STR("\2\0" ACCOUNT "\5\0"),              /* empty */
        STR("\2\1\1\1a"),                        /* an alias has none */
    };
    struct directory_entry e;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(4096);
        ROW(i, directory_entry_read(rows[i], a, &e) == ERR_CORRUPT);
    }
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_without_attributes_is_of_the_first_version),
        cmocka_unit_test(attributes_come_back),
        cmocka_unit_test(a_forward_comes_back),
        cmocka_unit_test(what_it_may_write_as_comes_back),
        cmocka_unit_test(app_passwords_come_back),
        cmocka_unit_test(an_invitation_comes_back),
        cmocka_unit_test(damage_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
