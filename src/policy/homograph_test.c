/* homograph_test.c - names that look like another one, and names that only are of another alphabet.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/homograph.h"

#include "base/size.h"
#include "base/testing.h"

static void
domains_that_look_like_others(void **state)
{
    static const struct {
        struct str domain;
        enum homograph what;
    } rows[] = {
        {STR("example.org"), HOMOGRAPH_NONE},
        {STR("paypa1.example"), HOMOGRAPH_NONE}, /* plain ASCII is what it is */
        {STR("m\xc3\xbcller.example"), HOMOGRAPH_NONE},
        {STR("xn--mller-kva.example"), HOMOGRAPH_NONE},
        {STR("stra\xc3\x9f"
             "e.example"),
         HOMOGRAPH_NONE},
        /* Cyrillic a in a Latin name, in U-labels and A-labels */
        {STR("p\xd0\xb0ypal.example"), HOMOGRAPH_MIXED},
        {STR("xn--pypal-4ve.example"), HOMOGRAPH_MIXED},
        {STR("mail.p\xd0\xb0ypal.example"), HOMOGRAPH_MIXED},
        /* Greek omicron in a Latin name */
        {STR("g\xce\xbfogle.example"), HOMOGRAPH_MIXED},
        /* Cyrillic all over: every letter looks Latin */
        {STR("\xd0\xb0\xd1\x80\xd1\x80\xd3\x8f\xd0\xb5.com"), HOMOGRAPH_LATIN},
        {STR("xn--80ak6aa92e.com"), HOMOGRAPH_LATIN},
        /* Russian, with letters that look like none */
        {STR("\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0.com"), HOMOGRAPH_NONE},
        /* all Cyrillic, with its top level: that is a name of its own */
        {STR("\xd1\x81\xd0\xbe\xd1\x80.xn--p1ai"), HOMOGRAPH_NONE},
        /* Japanese in its three alphabets, with Latin: a way to write */
        {STR("\xe3\x81\x82\xe3\x82\xa2\xe6\xbc\xa2"
             "abc.example"),
         HOMOGRAPH_NONE},
        /* no domains */
        {STR(""), HOMOGRAPH_NONE},
        {STR("..."), HOMOGRAPH_NONE},
        {STR("\xff\xfe.example"), HOMOGRAPH_NONE},
        {STR("xn--.example"), HOMOGRAPH_NONE},
        {STR("[192.0.2.1]"), HOMOGRAPH_NONE},
    };

    (void)state;
    assert_true(homograph_open());
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (homograph_of(rows[i].domain) != rows[i].what)
            fail_msg("%.*s: %s", STR_FMT(rows[i].domain),
                     homograph_name(homograph_of(rows[i].domain)));
}

static void
names_that_look_alike(void **state)
{
    (void)state;
    assert_true(homograph_alike(STR("paypal.example"), STR("p\xd0\xb0ypal.example")));
    assert_true(homograph_alike(STR("coca.com"), STR("\xd1\x81\xd0\xbe\xd1\x81\xd0\xb0.com")));
    assert_true(homograph_alike(STR("paypal.example"), STR("paypa1.example")));
    assert_true(homograph_alike(STR("modern.example"), STR("rnodern.example")));
    assert_false(homograph_alike(STR("paypal.example"), STR("PayPal.example"))); /* the same */
    assert_false(homograph_alike(STR("m\xc3\xbcller.example"), STR("muller.example")));
    assert_false(homograph_alike(STR("paypal.example"), STR("paypal.example.org")));
    assert_false(homograph_alike(STR(""), STR("")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_that_look_like_others),
        cmocka_unit_test(names_that_look_alike),
    };

    return cmocka_run_group_tests_name("policy: homographs", tests, NULL, NULL);
}
