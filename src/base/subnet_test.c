/* subnet_test.c - what is a network, and who is of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "base/size.h"
#include "base/subnet.h"

static const struct {
    struct str text;
    const char *written; /* NULL: no network */
} texts[] = {
    {STR("192.0.2.1"), "192.0.2.1"},
    {STR("192.0.2.1/32"), "192.0.2.1"},
    {STR("192.0.2.0/24"), "192.0.2.0/24"},
    {STR("192.0.2.128/25"), "192.0.2.128/25"},
    {STR("0.0.0.0/0"), "0.0.0.0/0"},
    {STR("::/0"), "::/0"},
    {STR("2001:DB8::/32"), "2001:db8::/32"},
    {STR("2001:db8:0::1"), "2001:db8::1"},
    {STR("2001:db8::1/128"), "2001:db8::1"},
    {STR("::1"), "::1"},
    {STR("192.0.2.1/24"), NULL}, /* an address, and not the network */
    {STR("192.0.2.128/24"), NULL},
    {STR("192.0.2.128/0"), NULL},
    {STR("2001:db8::1/127"), NULL},
    {STR("192.0.2.0/33"), NULL},
    {STR("2001:db8::/129"), NULL},
    {STR("192.0.2.0/"), NULL},
    {STR("192.0.2.0/24 "), NULL},
    {STR("192.0.2.0/+24"), NULL},
    {STR("192.0.2/24"), NULL},
    {STR("192.0.2.0/255.255.255.0"), NULL},
    {STR("::ffff:192.0.2.1"), NULL},
    {STR("::ffff:0:0/96"), NULL},
    {STR("/24"), NULL},
    {STR(""), NULL},
    {STR("*"), NULL},
    {STR("localhost"), NULL},
    {STR("192.0.2.1\0"), NULL},
    {STR("1111:1111:1111:1111:1111:1111:1111:1111111111111111"), NULL},
};

static void
test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO_BUF b = BUF(100);
        struct subnet n;
        bool good = subnet_read(texts[i].text, &n);
        if (good != (texts[i].written != NULL))
            fail_msg("%.*s", STR_FMT(texts[i].text));
        if (!good)
            continue;
        subnet_write(&n, &b);
        if (!str_eq(buf_str(&b), str_of(texts[i].written)))
            fail_msg("%.*s is written %.*s", STR_FMT(texts[i].text), STR_FMT(buf_str(&b)));
    }
}

static const struct {
    const char *network, *address;
    bool in;
} members[] = {
    {"192.0.2.0/24", "192.0.2.0", true},
    {"192.0.2.0/24", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.0/24", "192.0.1.255", false},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.128/25", "192.0.2.128", true},
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.0", false},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "::1", false},
    {"::/0", "127.0.0.1", false},
    {"2001:db8::/33", "2001:db8:7fff:ffff::1", true},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"::1", "::1", true},
    {"::1", "::2", false},
};

static void
test_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct sockaddr_storage a = {0};
        struct sockaddr_in four = {.sin_family = AF_INET};
        struct sockaddr_in6 six = {.sin6_family = AF_INET6};
        struct subnet n;
        assert_true(subnet_read(str_of(members[i].network), &n));
        if (inet_pton(AF_INET, members[i].address, &four.sin_addr) == 1)
            memcpy(&a, &four, sizeof(four));
        else if (inet_pton(AF_INET6, members[i].address, &six.sin6_addr) == 1)
            memcpy(&a, &six, sizeof(six));
        if (subnet_has(&n, 1, &a) != members[i].in)
            fail_msg("%s, %s", members[i].network, members[i].address);
        assert_false(subnet_has(&n, 0, &a));
    }
    struct subnet all[2];
    assert_true(subnet_read(STR("0.0.0.0/0"), &all[0]));
    assert_true(subnet_read(STR("::/0"), &all[1]));
    struct sockaddr_storage local = {.ss_family = AF_UNIX};
    assert_false(subnet_has(all, 2, &local));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
