/* xclient_test.c - a row for every attribute, and for every way to get one wrong.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/size.h"
#include "smtp/xclient.h"

static const struct {
    struct str args;
    enum status e;
    unsigned has;
} rows[] = {
    {STR("ADDR=192.0.2.1"), OK, XCLIENT_ADDR},
    {STR("addr=192.0.2.1 port=25"), OK, XCLIENT_ADDR | XCLIENT_PORT},
    {STR("ADDR=IPV6:2001:db8::1 NAME=[UNAVAILABLE]"), OK, XCLIENT_ADDR},
    {STR("ADDR=IPv6:2001:db8::1"), OK, XCLIENT_ADDR},
    {STR("ADDR=192.0.2.+31"), OK, XCLIENT_ADDR}, /* xtext of "1" */
    {STR("ADDR=[UNAVAILABLE] NAME=[TEMPUNAVAIL]"), OK, 0},
    {STR("NAME=host.example"), OK, 0},
    {STR("LOGIN=[UNAVAILABLE]"), OK, 0},
    {STR("PROTO=ESMTP HELO=c.example"), OK, XCLIENT_PROTO | XCLIENT_HELO},
    {STR("PROTO=smtp  DESTADDR=192.0.2.2 DESTPORT=25"), OK, XCLIENT_PROTO},
    {STR("HELO=[192.0.2.1]"), OK, XCLIENT_HELO},
    {STR("PORT=0"), OK, XCLIENT_PORT},
    {STR("PORT=65535"), OK, XCLIENT_PORT},
    {STR(""), ERR_SYNTAX, 0},
    {STR(" "), ERR_SYNTAX, 0},
    {STR("ADDR"), ERR_SYNTAX, 0},
    {STR("ADDR="), ERR_SYNTAX, 0},
    {STR("ADDR=192.0.2"), ERR_SYNTAX, 0},
    {STR("ADDR=192.0.2.256"), ERR_SYNTAX, 0},
    {STR("ADDR=2001:db8::1"), ERR_SYNTAX, 0},
    {STR("ADDR=IPV6:"), ERR_SYNTAX, 0},
    {STR("ADDR=IPV6:192.0.2.1"), ERR_SYNTAX, 0},
    {STR("ADDR=192.0.2.1+00"), ERR_SYNTAX, 0},
    {STR("ADDR=192.0.2.+3"), ERR_SYNTAX, 0},
    {STR("ADDR=192.0.2.1 ADDR=192.0.2.1"), ERR_SYNTAX, 0},
    {STR("PORT=65536"), ERR_SYNTAX, 0},
    {STR("PORT=-1"), ERR_SYNTAX, 0},
    {STR("PROTO=LMTP"), ERR_SYNTAX, 0},
    {STR("HELO=a b"), ERR_SYNTAX, 0},
    {STR("HELO=a+20b"), ERR_SYNTAX, 0},
    {STR("HELO=a+0D+0Ab"), ERR_SYNTAX, 0},
    {STR("NAME=a+00"), ERR_SYNTAX, 0},
    {STR("LOGIN=anna"), ERR_SYNTAX, 0},
    {STR("DESTADDR=x"), ERR_SYNTAX, 0},
    {STR("DESTPORT=x"), ERR_SYNTAX, 0},
    {STR("COLOUR=red"), ERR_SYNTAX, 0},
    {STR("=x"), ERR_SYNTAX, 0},
};

static void
test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct xclient x = {.has = 99};
        enum status e = xclient_read(rows[i].args, a, &x);
        if (e != rows[i].e || x.has != (e == OK ? rows[i].has : 99))
            fail_msg("%.*s: %s, %u", STR_FMT(rows[i].args), status_name(e), x.has);
    }
}

static void
test_values(void **state)
{
    AUTO_ARENA *a = arena_new(65536);
    char name[300];
    struct xclient x;

    (void)state;
    assert_int_equal(
        xclient_read(STR("ADDR=IPV6:2001:db8::1 PORT=4711 PROTO=SMTP HELO=c.example"), a, &x), OK);
    assert_int_equal(x.addr.ss_family, AF_INET6);
    assert_int_equal(x.port, 4711);
    assert_false(x.esmtp);
    assert_true(str_eq(x.helo, STR("c.example")));
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = 'a';
    for (size_t n = 0; n < 5; n++)
        name[n] = "HELO="[n];
    assert_int_equal(xclient_read(str_from(name, 260), a, &x), OK);
    assert_int_equal(x.helo.len, 255);
    assert_int_equal(xclient_read(str_from(name, 261), a, &x), ERR_SYNTAX);
    assert_int_equal(xclient_read(str_from(name, 300), a, &x), ERR_SYNTAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
