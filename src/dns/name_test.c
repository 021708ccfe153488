/* name_test.c - names to the wire and back, at the limits of DNS.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/size.h"
#include "dns/name.h"

#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X61 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X62 X61 "x"

static const struct {
    struct str text, back; /* ptr NULL: no name */
} names[] = {
    {STR("example.org"), STR("example.org")},
    {STR("Example.ORG."), STR("example.org")},
    {STR("."), STR("")},
    {STR("a"), STR("a")},
    {STR("_dmarc.foo:bar/baz.example"), STR("_dmarc.foo:bar/baz.example")},
    {STR(X63 ".example"), STR(X63 ".example")},
    {STR(X63 "." X63 "." X63 "." X61), STR(X63 "." X63 "." X63 "." X61)}, /* 253 */
    {STR(X63 "." X63 "." X63 "." X61 "."), STR(X63 "." X63 "." X63 "." X61)},
    {STR(X63 "." X63 "." X63 "." X62), STR_NONE}, /* 254 */
    {STR("x" X63 ".example"), STR_NONE},
    {STR(""), STR_NONE},
    {STR(".."), STR_NONE},
    {STR(".example"), STR_NONE},
    {STR("a..b"), STR_NONE},
    {STR("a.b.."), STR_NONE},
};

static void
test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO_BUF back = BUF(256), wire = BUF(256);
        struct dns_name n, again;
        ROW(i, dns_name_read(names[i].text, &n) == (names[i].back.ptr != NULL));
        if (names[i].back.ptr == NULL)
            continue;
        ROW(i, dns_name_write(&n, &back) && str_eq(buf_str(&back), names[i].back));
        buf_add(&wire, dns_name_str(&n));
        buf_add_char(&wire, '\0');
        ROW(i, dns_name_read_wire(buf_str(&wire), &again));
        ROW(i, str_eq(dns_name_str(&again), dns_name_str(&n)));
    }
}

static const struct {
    struct str wire;
    bool is_name, has_text;
} wires[] = {
    {STR("\1A\0"), true, true},
    {STR("\0"), true, true},
    {STR("\3a.b\0"), true, false},
    {STR("\3a b\0"), true, false},
    {STR("\2\xc3\xa4\0"), true, false},
    {STR("\2a\\\0"), true, false},
    {STR("\1a"), false, false},
    {STR("\1"), false, false},
    {STR(""), false, false},
    {STR("\1a\0x"), false, false},   /* something behind it */
    {STR("\xc0\x0c"), false, false}, /* compressed */
};

static void
test_wire(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wires); i++) {
        AUTO_BUF text = BUF(256);
        struct dns_name n;
        ROW(i, dns_name_read_wire(wires[i].wire, &n) == wires[i].is_name);
        ROW(i, !wires[i].is_name || dns_name_write(&n, &text) == wires[i].has_text);
    }
}

static void
test_up(void **state)
{
    struct dns_name n, root;
    AUTO_BUF text = BUF(256);

    (void)state;
    assert_true(dns_name_read(STR("a.bc.d"), &n));
    assert_true(dns_name_up(&n) && dns_name_write(&n, &text));
    assert_str(buf_str(&text), STR("bc.d"));
    assert_true(dns_name_up(&n) && dns_name_up(&n));
    assert_true(dns_name_read(STR("."), &root));
    assert_str(dns_name_str(&n), dns_name_str(&root));
    assert_false(dns_name_up(&n));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_wire),
        cmocka_unit_test(test_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
