/* services_test.c - SRV and TLSA in their wire form: whole, cut, with names that are none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/size.h"
#include "dns/services.h"

#define HEAD "\0\1\0\2\3\341" /* priority 1, weight 2, port 993 */
static const struct {
    struct str wire;
    bool good;
    const char *target;
} services[] = {
    {STR(HEAD "\4Mail\7example\3org\0"), true, "mail.example.org"},
    {STR(HEAD "\0"), true, ""},
    {STR(HEAD), false, NULL},
    {STR("\0\1\0\2\3"), false, NULL},
    {STR(""), false, NULL},
    {STR(HEAD "\4mail"), false, NULL},     /* no end */
    {STR(HEAD "\5mail"), false, NULL},     /* a label beyond the end */
    {STR(HEAD "\100mail\0"), false, NULL}, /* more than 63 */
    {STR(HEAD "\4ma l\0"), false, NULL},
    {STR(HEAD "\4ma\nl\0"), false, NULL},
};

static void
test_services(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(services); i++) {
        AUTO_ARENA *a = arena_new(1 << 16);
        struct dns_service s = {.port = 77};
        bool good = dns_service_read(services[i].wire, a, &s);
        if (good != services[i].good || (!good && s.port != 77))
            fail_msg("row %zu", i);
        if (good && (s.priority != 1 || s.weight != 2 || s.port != 993 ||
                     !str_eq(s.target, str_of(services[i].target))))
            fail_msg("row %zu: %u %u %u %.*s", i, s.priority, s.weight, s.port, STR_FMT(s.target));
    }
}

static const struct {
    struct str wire;
    bool good;
    struct str data;
} tlsas[] = {
    {STR("\3\1\2abc"), true, STR("abc")},
    {STR("\3\1\2\0"), true, STR("\0")},
    {STR("\3\1\2"), false, STR("")},
    {STR("\3"), false, STR("")},
    {STR(""), false, STR("")},
};

static void
test_tlsas(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(tlsas); i++) {
        AUTO_ARENA *a = arena_new(1 << 16);
        struct dns_tlsa t;
        bool good = dns_tlsa_read(tlsas[i].wire, a, &t);
        if (good != tlsas[i].good)
            fail_msg("row %zu", i);
        if (good &&
            (t.usage != 3 || t.selector != 1 || t.matching != 2 || !str_eq(t.data, tlsas[i].data)))
            fail_msg("row %zu", i);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_services),
                                       cmocka_unit_test(test_tlsas)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
