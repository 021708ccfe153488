/* dnsbl_test.c - what is asked of lists in DNS, and what their answers mean.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dnsbl.h"

#include "base/size.h"
#include "base/testing.h"

#define ZONE STR("list.example")

static struct subnet
address_of(struct str text)
{
    struct subnet n = {.size = 0};

    assert_true(subnet_read(text, &n));
    return n;
}

static void
names_are_made(void **state)
{
    static const struct {
        struct str address, name;
    } rows[] = {
        {STR("192.0.2.99"), STR("99.2.0.192.list.example")},
        {STR("255.0.10.1"), STR("1.10.0.255.list.example")},
        {STR("2001:db8:1:2:3:4:567:89ab"),
         STR("b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.list.example")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF got = BUF(1024);
        struct subnet a = address_of(rows[i].address);
        ROW(i, dnsbl_address_name(&a, ZONE, &got) == OK && str_eq(buf_str(&got), rows[i].name));
    }
    (void)state;
}

static void
names_have_a_longest_length(void **state)
{
    AUTO_BUF zone = BUF(1024), got = BUF(1024);
    struct subnet v6 = address_of(STR("2001:db8::1"));

    while (zone.len < 253 - 64)
        buf_add_char(&zone, 'z');
    assert_int_equal(dnsbl_address_name(&v6, buf_str(&zone), &got), OK);
    assert_int_equal(got.len, 253);
    buf_add_char(&zone, 'z');
    buf_reset(&got);
    assert_int_equal(dnsbl_address_name(&v6, buf_str(&zone), &got), ERR_LIMIT);
    assert_int_equal(got.len, 0);
    while (zone.len < 253 - 5)
        buf_add_char(&zone, 'z');
    assert_int_equal(dnsbl_domain_name(STR("a.de"), buf_str(&zone), &got), OK);
    buf_reset(&got);
    assert_int_equal(dnsbl_domain_name(STR("ab.de"), buf_str(&zone), &got), ERR_LIMIT);
    assert_int_equal(dnsbl_domain_name(STR("example.com"), ZONE, &got), OK);
    assert_str(buf_str(&got), STR("example.com.list.example"));
    (void)state;
}

static void
answers_are_judged(void **state)
{
    static const struct {
        const char *answers, *want; /* judgement and code */
    } rows[] = {
        {"", "clear"},
        {"127.0.0.2", "listed 127.0.0.2"},
        {"127.0.0.4 127.0.0.2", "listed 127.0.0.4"},
        {"127.0.1.2", "listed 127.0.1.2"},
        {"127.255.254.1", "listed 127.255.254.1"},
        {"127.0.0.255", "listed 127.0.0.255"},
        /* it does not answer us */
        {"127.255.255.254", "refused"},
        {"127.255.255.0", "refused"},
        {"127.0.0.1", "refused"},
        {"127.0.0.2 127.255.255.252", "refused"},
        /* nobody's list */
        {"192.0.2.1", "alien"},
        {"127.0.0.2 192.0.2.1", "alien"},
        {"126.255.255.255", "alien"},
        {"128.0.0.2", "alien"},
        {"0.0.0.0", "alien"},
        {"2001:db8::1", "alien"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF got = BUF(256);
        struct subnet at[4], code;
        struct str words = str_of(rows[i].answers), word;
        size_t n = 0;

        while (words.len > 0 && str_split(&words, ' ', &word))
            at[n++] = address_of(word);
        enum dnsbl_judgement j = dnsbl_judge(at, n, &code);
        buf_add_z(&got, dnsbl_judgement_name(j));
        if (j == DNSBL_LISTED) {
            buf_add_char(&got, ' ');
            subnet_write(&code, &got);
        }
        ROW(i, str_eq(buf_str(&got), str_of(rows[i].want)));
    }
    (void)state;
}

static void
lists_test_themselves(void **state)
{
    static const struct {
        struct str has, has_not;
    } names[] = {
        [DNSBL_IPV4] = {STR("2.0.0.127.list.example"), STR("1.0.0.127.list.example")},
        [DNSBL_IPV6] = {STR("2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
                            "list.example"),
                        STR("1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
                            "list.example")},
        [DNSBL_DOMAIN] = {STR("test.list.example"), STR("invalid.list.example")},
    };
    static const struct {
        enum dnsbl_judgement has, has_not;
        const char *health;
    } rows[] = {
        {DNSBL_LISTED, DNSBL_CLEAR, "well"},
        {DNSBL_CLEAR, DNSBL_CLEAR, "empty"},
        {DNSBL_LISTED, DNSBL_LISTED, "lists-all"},
        {DNSBL_CLEAR, DNSBL_LISTED, "lists-all"},
        {DNSBL_REFUSED, DNSBL_CLEAR, "does-not-hear"},
        {DNSBL_REFUSED, DNSBL_REFUSED, "does-not-hear"},
        {DNSBL_LISTED, DNSBL_ALIEN, "does-not-hear"},
        {DNSBL_ALIEN, DNSBL_ALIEN, "does-not-hear"},
    };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        AUTO_BUF has = BUF(1024), has_not = BUF(1024);
        ROW(i, dnsbl_test_names((enum dnsbl_kind)i, ZONE, &has, &has_not) == OK);
        assert_str(buf_str(&has), names[i].has);
        assert_str(buf_str(&has_not), names[i].has_not);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum dnsbl_health h = dnsbl_test(rows[i].has, rows[i].has_not);
        ROW(i, str_eq(str_of(dnsbl_health_name(h)), str_of(rows[i].health)));
    }
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_made),
        cmocka_unit_test(names_have_a_longest_length),
        cmocka_unit_test(answers_are_judged),
        cmocka_unit_test(lists_test_themselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
