/* aged_test.c - who is the oldest, and what a full map does.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/aged.h"

#include "base/size.h"
#include "base/testing.h"

struct thing {
    int number;
    struct aged_node node; /* not the first member: the macro must find the entry */
    char key[2];
};

static int
number_of(struct aged_node *n)
{
    return n == NULL ? -1 : AGED_ENTRY(n, struct thing, node)->number;
}

static void
add(struct aged *t, struct thing *x, char key)
{
    x->number = (unsigned char)key;
    x->key[0] = key;
    aged_add(t, &x->node, str_from(x->key, 1));
}

static void
test_order_and_bound(void **state)
{
    struct aged t;
    struct thing x[3];

    (void)state;
    aged_init(&t, COUNT_OF(x));
    assert_int_equal(number_of(aged_oldest(&t)), -1);
    for (size_t i = 0; i < COUNT_OF(x); i++) {
        assert_false(aged_is_full(&t));
        add(&t, &x[i], (char)('a' + i));
    }
    assert_true(aged_is_full(&t));
    assert_int_equal(number_of(aged_get(&t, STR("b"))), 'b');
    assert_null(aged_get(&t, STR("d")));
    assert_int_equal(number_of(aged_oldest(&t)), 'a');
    aged_renew(&t, &x[0].node);
    assert_int_equal(number_of(aged_oldest(&t)), 'b');
    assert_int_equal(number_of(aged_after(&t, &x[1].node)), 'c');
    assert_int_equal(number_of(aged_after(&t, &x[2].node)), 'a');
    assert_null(aged_after(&t, &x[0].node));
    assert_int_equal(number_of(aged_youngest(&t)), 'a');
    assert_int_equal(number_of(aged_before(&t, &x[0].node)), 'c');
    assert_null(aged_before(&t, &x[1].node));
    aged_take(&t, &x[1].node);
    assert_null(aged_get(&t, STR("b")));
    assert_false(aged_is_full(&t));
    assert_int_equal(number_of(aged_oldest(&t)), 'c');
    add(&t, &x[1], 'd');
    assert_int_equal(number_of(aged_after(&t, &x[0].node)), 'd');
    for (size_t i = 0; i < COUNT_OF(x); i++)
        aged_take(&t, &x[i].node);
    assert_null(aged_oldest(&t));
    assert_null(aged_youngest(&t));
    aged_release(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order_and_bound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
