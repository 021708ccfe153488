/* subnet_test.c - what is a network, and who is of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/subnet.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/size.h"
#include "base/testing.h"

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

/* By subnet_read_around(). */
static const struct {
    struct str text;
    const char *written; /* NULL: it is none */
} arounds[] = {
    {STR("192.0.2.1"), "192.0.2.1"},
    {STR("192.0.2.1/32"), "192.0.2.1"},
    {STR("192.0.2.77/24"), "192.0.2.0/24"},
    {STR("192.0.2.255/25"), "192.0.2.128/25"},
    {STR("255.255.255.255/1"), "128.0.0.0/1"},
    {STR("192.0.2.1/0"), "0.0.0.0/0"},
    {STR("192.0.2.1/08"), "192.0.0.0/8"},
    {STR("2001:db8::1"), "2001:db8::1"},
    {STR("2001:DB8::1/128"), "2001:db8::1"},
    {STR("2001:db8:1:2:3::/48"), "2001:db8:1::/48"},
    {STR("2001:db8:ffff::/33"), "2001:db8:8000::/33"},
    {STR("::/0"), "::/0"},
    {STR("::ffff:192.0.2.1"), "192.0.2.1"},
    {STR("::ffff:192.0.2.1/120"), "192.0.2.0/24"},
    {STR("::ffff:192.0.2.1/96"), "0.0.0.0/0"},
    {STR("::ffff:192.0.2.1/95"), "::fffe:0:0/95"},
    {STR(""), NULL},
    {STR("/"), NULL},
    {STR("/24"), NULL},
    {STR("192.0.2.1/"), NULL},
    {STR("192.0.2.1/33"), NULL},
    {STR("192.0.2.1/-1"), NULL},
    {STR("192.0.2.1/24x"), NULL},
    {STR("192.0.2.1/24/24"), NULL},
    {STR("192.0.2.1/4294967304"), NULL},
    {STR("2001:db8::/129"), NULL},
    {STR("192.0.2"), NULL},
    {STR("192.0.2.256"), NULL},
    {STR(" 192.0.2.1"), NULL},
    {STR("192.0.2.1\0"), NULL},
    {STR("fe80::1%eth0"), NULL},
    {STR("[::1]"), NULL},
    {STR("mail.example.org"), NULL},
    {STR("00000000000000000000000000000000000000000000000000000000000000000001::"), NULL},
};

static void
test_arounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(arounds); i++) {
        AUTO_BUF text = BUF(SUBNET_TEXT_MAX);
        struct subnet n;
        bool is = subnet_read_around(arounds[i].text, &n);
        ROW(i, is == (arounds[i].written != NULL));
        if (!is)
            continue;
        subnet_write(&n, &text);
        ROW(i, str_eq(buf_str(&text), str_of(arounds[i].written)));
        ROW(i, subnet_is_address(&n) == (str_find(buf_str(&text), '/') < 0));
    }
}

static struct subnet
around(const char *z)
{
    struct subnet n = {0};

    assert_true(subnet_read_around(str_of(z), &n));
    return n;
}

static const struct {
    const char *outer, *inner;
    bool covers;
} pairs[] = {
    {"192.0.2.0/24", "192.0.2.200", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.0/24", "192.0.2.0/24", true},
    {"192.0.2.0/24", "192.0.2.0/25", true},
    {"192.0.2.0/25", "192.0.2.0/24", false},
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"0.0.0.0/0", "255.1.2.3", true},
    {"0.0.0.0/0", "::", false},
    {"::/0", "0.0.0.0", false},
    {"::/0", "ff02::1", true},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::", false},
    {"2001:db8::/127", "2001:db8::1", true},
    {"2001:db8::/127", "2001:db8::2", false},
};

static void
test_what_covers_what(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct subnet outer = around(pairs[i].outer), inner = around(pairs[i].inner);
        ROW(i, subnet_covers(&outer, &inner) == pairs[i].covers);
    }
}

static void
test_keys_sort(void **state)
{
    static const char *const sorted[] = {"0.0.0.0/0",   "10.0.0.0/8", "11.0.0.0/8", "192.0.2.0/24",
                                         "10.0.0.0/32", "::/0",       "::/48",      "::1/128"};
    char a[SUBNET_KEY_MAX], b[SUBNET_KEY_MAX];

    (void)state;
    for (size_t i = 1; i < COUNT_OF(sorted); i++) {
        struct subnet x = around(sorted[i - 1]), y = around(sorted[i]);
        ROW(i, str_cmp(subnet_key(&x, a), subnet_key(&y, b)) < 0);
    }
    struct subnet v4 = around("1.2.3.4"), again = subnet_wider(&v4, 64);
    assert_int_equal(again.bits, 32);
    assert_int_equal(subnet_key(&v4, a).len, 6);
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
        cmocka_unit_test(test_texts),     cmocka_unit_test(test_members),
        cmocka_unit_test(test_arounds),   cmocka_unit_test(test_what_covers_what),
        cmocka_unit_test(test_keys_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
