/* iprev_test.c - names of addresses: those that lead back, and those that do not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/iprev.h"

#include "base/size.h"
#include "base/testing.h"

enum { HOSTS_MAX = 16, ADDRESSES = 4 };

static struct subnet
address_of(struct str text)
{
    struct subnet n = {.size = 0};

    assert_true(subnet_read_around(text, &n));
    return n;
}

static void
names_are_made(void **state)
{
    static const struct {
        struct str address, name;
    } rows[] = {
        {STR("192.0.2.1"), STR("1.2.0.192.in-addr.arpa")},
        {STR("::ffff:192.0.2.1"), STR("1.2.0.192.in-addr.arpa")},
        {STR("2001:db8::567:89ab"),
         STR("b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa")},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF got = BUF(256);
        struct subnet a = address_of(rows[i].address);
        iprev_name(&a, &got);
        ROW(i, str_eq(buf_str(&got), rows[i].name));
    }
    (void)state;
}

/* hosts: "name address address, name ?, name" */
static size_t
read_hosts(struct str text, struct iprev_host *hosts, struct subnet (*at)[ADDRESSES])
{
    struct str one, word;
    size_t n = 0;

    while (text.len > 0 && str_split(&text, ',', &one)) {
        struct iprev_host *h = &hosts[n];
        assert_true(n < HOSTS_MAX);
        *h = (struct iprev_host){.found = IPREV_ABSENT, .addresses = at[n]};
        assert_true(str_split(&one, ' ', &h->name));
        while (one.len > 0 && str_split(&one, ' ', &word)) {
            h->found = str_eq(word, STR("?")) ? IPREV_UNKNOWN : IPREV_FOUND;
            if (h->found == IPREV_FOUND)
                at[n][h->count++] = address_of(word);
        }
        n++;
    }
    return n;
}

static void
addresses_are_judged(void **state)
{
    static const struct {
        const char *address, *hosts, *want;
        enum iprev_found names;
    } rows[] = {
        {"192.0.2.1", "a.example 192.0.2.1", "pass a.example"},
        {"192.0.2.1", "a.example 192.0.2.2,b.example 192.0.2.3 192.0.2.1", "pass b.example"},
        {"192.0.2.1", "a.example ?,b.example 192.0.2.1", "pass b.example"},
        {"2001:db8::1", "a.example 192.0.2.1 2001:db8::1", "pass a.example"},
        {"192.0.2.1", "a.example 192.0.2.2", "fail a.example"},
        {"192.0.2.1", "a.example", "fail a.example"},
        {"192.0.2.1", "a.example 2001:db8::1", "fail a.example"},
        {"192.0.2.1", "a.example 192.0.2.0/24", "fail a.example"},
        {"192.0.2.1", "a.example 192.0.2.2,b.example ?", "temperror a.example"},
        {"192.0.2.1", "", "temperror ", IPREV_UNKNOWN},
        {"192.0.2.1", "", "permerror ", IPREV_ABSENT},
        /* of many names only the first are looked at */
        {"192.0.2.1", "1 ,2 ,3 ,4 ,5 ,6 ,7 ,8 ,9 ,10 192.0.2.1", "pass 10"},
        {"192.0.2.1", "1 ,2 ,3 ,4 ,5 ,6 ,7 ,8 ,9 ,10 ,11 192.0.2.1", "fail 1"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF got = BUF(256);
        struct iprev_host hosts[HOSTS_MAX];
        struct subnet at[HOSTS_MAX][ADDRESSES];
        struct subnet a = address_of(str_of(rows[i].address));
        struct str name;
        size_t n = read_hosts(str_of(rows[i].hosts), hosts, at);
        enum iprev_result r = iprev_judge(&a, rows[i].names, hosts, n, &name);

        buf_addf(&got, "%s %.*s", iprev_result_name(r), STR_FMT(name));
        if (!str_eq(buf_str(&got), str_of(rows[i].want)))
            FAIL_AND_STOP("row %zu: %.*s", i, STR_FMT(buf_str(&got)));
    }
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_made),
        cmocka_unit_test(addresses_are_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
