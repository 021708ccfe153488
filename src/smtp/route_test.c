/* route_test.c - which line of the configuration a message goes by, and what is counted together.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/size.h"
#include "smtp/route.h"

#define CONFIG                                                                   \
    "host mail.example.org\ndomain example.org\nlisten smtp *:25\n"              \
    "route - spare.example name spare\n"                                         \
    "route far.example two.example name far2 after 3 tries after 4 hours\n"      \
    "route far.example boss.example from boss@example.org\n"                     \
    "route far.example dept.example from dept.example.org\n"                     \
    "route far.example null.example from <>\n"                                   \
    "route far.example one.example:26\n"                                         \
    "route late.example late.example after 1 hours\n"                            \
    "route near.example mx\n"                                                    \
    "route odd.example mx source ipv4 192.0.2.9 ehlo odd.example.org name odd\n" \
    "route by.example one.example:26 socks 192.0.2.1:1080\n"

static const struct {
    const char *domain, *sender, *name;
    uint32_t tries;
    int64_t age_s;
    const char *destination; /* empty: the name is missing; the domain: by MX */
} rows[] = {
    {"far.example", "a@example.org", "", 0, 0, "one.example:26"},
    {"FAR.example", "a@example.org", "", 0, 0, "one.example:26"},
    {"sub.far.example", "a@example.org", "", 0, 0, "sub.far.example"},
    {"far.example", "", "", 0, 0, "null.example:25"},
    {"far.example", "Boss@Example.org", "", 0, 0, "boss.example:25"},
    {"far.example", "x@DEPT.example.org", "", 0, 0, "dept.example:25"},
    {"far.example", "x@y.dept.example.org", "", 0, 0, "one.example:26"},
    {"far.example", "boss@example.org", "", 2, 4 * 3600 - 1, "boss.example:25"},
    {"far.example", "boss@example.org", "", 3, 0, "two.example:25"},
    {"far.example", "boss@example.org", "", 0, 4 * 3600, "two.example:25"},
    {"late.example", "", "", 100, 3599, "late.example"},
    {"late.example", "", "", 0, 3600, "late.example:25"},
    {"near.example", "", "", 0, 0, "near.example"}, /* as without a route */
    {"odd.example", "", "", 0, 0, "odd.example:25 from 192.0.2.9  as odd.example.org"},
    {"by.example", "", "", 0, 0, "one.example:26 by 192.0.2.1:1080 as "},
    {"any.example", "", "spare", 0, 0, "spare.example:25"},
    {"far.example", "", "far2", 0, 0, "two.example:25"}, /* chosen: no condition counts */
    {"any.example", "", "odd", 0, 0, "any.example:25 from 192.0.2.9  as odd.example.org"},
    {"far.example", "", "gone", 0, 0, ""},
    {"none.example", "", "", 0, 0, "none.example"},
};

static void
test_choice(void **state)
{
    AUTO(config_free) struct config *c = NULL;
    AUTO_ARENA *a = arena_new(65536);
    struct problem why = {0};

    (void)state;
    assert_int_equal(config_read(STR(CONFIG), "t", &c, &why), OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct route_ask ask = {str_of(rows[i].domain), str_of(rows[i].sender),
                                      str_of(rows[i].name), rows[i].tries, rows[i].age_s};
        struct route_choice way = route_choose(c, &ask);
        struct str got =
            way.missing ? STR("") : route_destination(way.route, str_of(rows[i].domain), a);
        if (!str_eq(got, str_of(rows[i].destination)))
            fail_msg("row %zu, %s: \"%.*s\"", i, rows[i].domain, STR_FMT(got));
        assert_true(way.route == NULL || &c->routes[way.index] == way.route);
    }
}

static void
test_title(void **state)
{
    const struct config_route named = {.name = STR("x"), .host = STR("h.example"), .port = 25};
    const struct config_route plain = {.host = STR("h.example"), .port = 587};
    AUTO_ARENA *a = arena_new(65536);

    (void)state;
    assert_true(str_eq(route_title(&named, a), STR("x")));
    assert_true(str_eq(route_title(&plain, a), STR("h.example:587")));
    assert_true(str_eq(route_title(NULL, a), STR("")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_title),
    };

    return cmocka_run_group_tests_name("smtp: routes", tests, NULL, NULL);
}
