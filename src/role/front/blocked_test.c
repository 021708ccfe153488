/* blocked_test.c - which address is in which blocked network, and for how long.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/front/blocked.h"

#include "base/size.h"
#include "base/testing.h"

static struct subnet
net_of(const char *z)
{
    struct subnet n = {0};

    assert_true(subnet_read_around(str_of(z), &n));
    return n;
}

static void
test_who_is_blocked(void **state)
{
    static const struct {
        const char *net;
        int64_t until;
    } blocks[] = {
        {"192.0.2.0/24", 0}, {"198.51.100.7", 0},  {"203.0.113.0/24", 10}, {"203.0.113.9", 20},
        {"10.0.0.0/8", 5},   {"2001:db8::/32", 0}, {"2001:db9::1", 0},     {"192.0.2.0/24", 0},
    };
    static const struct {
        const char *address;
        int64_t now;
        bool blocked;
    } rows[] = {
        {"192.0.2.0", 1, true},     {"192.0.2.255", 1, true},   {"192.0.3.0", 1, false},
        {"198.51.100.7", 1, true},  {"198.51.100.8", 1, false}, {"203.0.113.1", 9, true},
        {"203.0.113.1", 10, false}, {"203.0.113.9", 10, true},  {"203.0.113.9", 20, false},
        {"10.1.2.3", 4, true},      {"10.1.2.3", 5, false},     {"2001:db8:1::", 1, true},
        {"2001:db9::1", 1, true},   {"2001:db9::2", 1, false},  {"::192.0.2.1", 1, false},
    };
    AUTO(blocked_free) struct blocked *b = blocked_new();

    (void)state;
    struct subnet any = net_of("192.0.2.1");
    assert_false(blocked_has(b, &any, (struct instant){1}));
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        struct subnet n = net_of(blocks[i].net);
        blocked_add(b, &n, (struct instant){blocks[i].until});
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct subnet n = net_of(rows[i].address);
        ROW(i, blocked_has(b, &n, (struct instant){rows[i].now}) == rows[i].blocked);
    }
}

static void
test_all_there_is(void **state)
{
    AUTO(blocked_free) struct blocked *b = blocked_new();
    struct subnet all = net_of("0.0.0.0/0"), v4 = net_of("192.0.2.1"), v6 = net_of("::1");

    (void)state;
    blocked_add(b, &all, (struct instant){0});
    assert_true(blocked_has(b, &v4, (struct instant){1}));
    assert_false(blocked_has(b, &v6, (struct instant){1}));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_blocked),
        cmocka_unit_test(test_all_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
