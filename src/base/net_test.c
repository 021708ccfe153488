/* net_test.c - what is a network, how it is written, what lies in it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/net.h"

#include "base/size.h"
#include "base/testing.h"

static void
test_read_and_write(void **state)
{
    static const struct {
        struct str text;
        const char *written; /* NULL: it is none */
    } rows[] = {
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

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF text = BUF(NET_TEXT_MAX);
        struct net n;
        bool is = net_read(rows[i].text, &n);
        ROW(i, is == (rows[i].written != NULL));
        if (!is)
            continue;
        net_write(&n, &text);
        ROW(i, str_eq(buf_str(&text), str_of(rows[i].written)));
        ROW(i, net_is_address(&n) == (str_find(buf_str(&text), '/') < 0));
    }
}

static struct net
net_of(const char *z)
{
    struct net n = {0};

    assert_true(net_read(str_of(z), &n));
    return n;
}

static void
test_what_lies_in_it(void **state)
{
    static const struct {
        const char *outer, *inner;
        bool has;
    } rows[] = {
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

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct net outer = net_of(rows[i].outer), inner = net_of(rows[i].inner);
        ROW(i, net_has(&outer, &inner) == rows[i].has);
    }
}

static void
test_keys_sort(void **state)
{
    static const char *const sorted[] = {"0.0.0.0/0",   "10.0.0.0/8", "11.0.0.0/8", "192.0.2.0/24",
                                         "10.0.0.0/32", "::/0",       "::/48",      "::1/128"};
    char a[NET_KEY_MAX], b[NET_KEY_MAX];

    (void)state;
    for (size_t i = 1; i < COUNT_OF(sorted); i++) {
        struct net x = net_of(sorted[i - 1]), y = net_of(sorted[i]);
        ROW(i, str_cmp(net_key(&x, a), net_key(&y, b)) < 0);
    }
    struct net v4 = net_of("1.2.3.4"), again = net_wider(&v4, 64);
    assert_int_equal(again.bits, 32);
    assert_int_equal(net_key(&v4, a).len, 6);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_and_write),
        cmocka_unit_test(test_what_lies_in_it),
        cmocka_unit_test(test_keys_sort),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
