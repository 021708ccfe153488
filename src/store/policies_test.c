/* policies_test.c - policies of other domains: kept over a restart, replaced, over, too many; values that are none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/policies.h"

#include "base/limits.h"
#include "base/size.h"
#include "store/testkit_internal.h"

static SUSPENDS enum status
put(struct policies *p, struct str domain, struct str text, int64_t until, int64_t now)
{
    const struct policy_kept one = {
        .id = STR("id1"), .text = text, .fetched = {now}, .until = {until}};

    return policies_put(p, domain, &one, (struct instant){now});
}

static SUSPENDS void
test_they_are_kept(struct kit *k)
{
    struct policies *p = policies_new(k->cs);
    struct policy_kept got;

    ASSERT(policies_get(p, STR("a.example"), k->a, &got) == ERR_NOT_FOUND);
    ASSERT(put(p, STR("a.example"), STR("first"), 100, 5) == OK);
    ASSERT(put(p, STR("b.example"), STR(""), 100, 5) == OK);
    ASSERT(put(p, STR("a.example"), STR("second"), 200, 6) == OK);
    policies_free(&p);
    kit_reopen(k);
    p = policies_new(k->cs);
    ASSERT(policies_get(p, STR("a.example"), k->a, &got) == OK);
    ASSERT(str_eq(got.text, STR("second")) && str_eq(got.id, STR("id1")));
    ASSERT(got.fetched.us == 6 && got.until.us == 200);
    ASSERT(policies_get(p, STR("b.example"), k->a, &got) == OK && got.text.len == 0);
    ASSERT(policies_get(p, STR("c.example"), k->a, &got) == ERR_NOT_FOUND);
    ASSERT(policies_get(p, STR(""), k->a, &got) == ERR_NOT_FOUND);
    policies_free(&p);
}

static SUSPENDS void
test_there_are_so_many(struct kit *k)
{
    struct policies *p = policies_new(k->cs);
    struct policy_kept got;
    char name[32];
    size_t held = 0;

    for (unsigned i = 0; i < LIMIT_STS_DOMAINS; i++) {
        snprintf(name, sizeof(name), "d%u.example", i);
        ASSERT(put(p, str_of(name), STR("x"), i < 2 ? 50 : 1000, 1) == OK);
    }
    ASSERT(put(p, STR("more.example"), STR("x"), 1000, 2) == ERR_LIMIT);
    ASSERT(put(p, STR("d9.example"), STR("y"), 1000, 2) == OK); /* this one is there already */
    policies_free(&p);
    p = policies_new(k->cs); /* which has to count them first */
    ASSERT(put(p, STR("more.example"), STR("x"), 1000, 2) == ERR_LIMIT);
    ASSERT(put(p, STR("more.example"), STR("x"), 1000, 50) == OK); /* by now two are over */
    ASSERT(policies_get(p, STR("d0.example"), k->a, &got) == ERR_NOT_FOUND);
    ASSERT(put(p, STR("last.example"), STR("x"), 1000, 50) == OK);
    ASSERT(put(p, STR("none.example"), STR("x"), 1000, 50) == ERR_LIMIT);
    for (unsigned i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "d%u.example", i);
        held += policies_get(p, str_of(name), k->a, &got) == OK;
    }
    ASSERT(held == 8);
    policies_free(&p);
}

static SUSPENDS void
test_bounds(struct kit *k)
{
    static char text[LIMIT_STS_KEPT_BYTES + 1], domain[256];
    struct policies *p = policies_new(k->cs);

    memset(text, 'x', sizeof(text));
    memset(domain, 'd', sizeof(domain));
    ASSERT(put(p, str_from(domain, 255), str_from(text, LIMIT_STS_KEPT_BYTES), 9, 1) == OK);
    ASSERT(put(p, str_from(domain, 256), STR("x"), 9, 1) == ERR_LIMIT);
    ASSERT(put(p, STR("a"), str_from(text, sizeof(text)), 9, 1) == ERR_LIMIT);
    ASSERT(put(p, STR(""), STR("x"), 9, 1) == ERR_LIMIT);
    policies_free(&p);
}

static SUSPENDS void
test_what_is_no_value(struct kit *k)
{
    static const struct {
        struct str value;
        enum status status;
    } rows[] = {
        {STR("\1\2\4\3abctext"), OK},
        {STR("\1\2\4\0"), OK},
        {STR("\2\2\4\3abctext"), ERR_CORRUPT},
        {STR("\1\2\4\3ab"), ERR_CORRUPT},
        {STR("\1\2\4\x21xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), ERR_CORRUPT},
        {STR("\1\2"), ERR_CORRUPT},
        {STR("\1"), ERR_CORRUPT},
        {STR(""), ERR_CORRUPT},
    };
    struct policy_kept got;

    (void)k;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ASSERT(policy_value_read(rows[i].value, &got) == rows[i].status);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"they are kept", test_they_are_kept, KIT_ALL},
        {"there are so many", test_there_are_so_many, KIT_MEM},
        {"bounds", test_bounds, KIT_ALL},
        {"what is no value", test_what_is_no_value, KIT_MEM},
    };

    (void)argc;
    return kit_main("policies", rows, COUNT_OF(rows), argv);
}
