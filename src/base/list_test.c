/* list_test.c - rings: order, removal while walking, emptiness.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include "base/size.h"
#include "base/testing.h"

struct item {
    long before;
    struct list node; /* not first: LIST_ENTRY() has to count */
    char name;
};

static struct item items[4];

/* The names in the list, forwards; fails when the way back differs. */
static const char *
names(struct list *head)
{
    static char text[16];
    size_t n = 0;

    list_each (node, head)
        text[n++] = LIST_ENTRY(node, struct item, node)->name;
    text[n] = '\0';
    for (struct list *node = head->prev; node != head; node = node->prev)
        assert_int_equal(LIST_ENTRY(node, struct item, node)->name, text[--n]);
    assert_int_equal(n, 0);
    assert_int_equal(list_count(head), strlen(text));
    assert_int_equal(list_empty(head), text[0] == '\0');
    return text;
}

static int
fill(void **state)
{
    static struct list head;

    list_init(&head);
    for (size_t i = 0; i < COUNT_OF(items); i++) {
        items[i].name = (char)('a' + i);
        list_push(&head, &items[i].node);
    }
    *state = &head;
    return 0;
}

static void
order_is_kept(void **state)
{
    struct list *head = *state;

    assert_string_equal(names(head), "abcd");
    list_remove(&items[3].node);
    list_push_front(head, &items[3].node);
    assert_string_equal(names(head), "dabc");
    list_remove(&items[0].node);
    list_push(head, &items[0].node);
    assert_string_equal(names(head), "dbca");
}

static void
removal_is_safe_twice(void **state)
{
    struct list *head = *state;

    for (int i = 0; i < 2; i++) {
        list_remove(&items[1].node);
        assert_string_equal(names(head), "acd");
        assert_true(list_empty(&items[1].node));
    }
    list_remove(&items[0].node);
    assert_string_equal(names(head), "cd");
    list_remove(&items[3].node);
    assert_string_equal(names(head), "c");
    list_remove(&items[2].node);
    assert_string_equal(names(head), "");
    list_remove(head); /* an empty ring is its own */
    assert_string_equal(names(head), "");
}

static void
popping_takes_the_first(void **state)
{
    struct list *head = *state;

    for (size_t i = 0; i < COUNT_OF(items); i++) {
        assert_ptr_equal(list_pop(head), &items[i].node);
        assert_true(list_empty(&items[i].node));
        assert_int_equal(list_count(head), COUNT_OF(items) - 1 - i);
    }
    assert_null(list_pop(head));
    assert_null(list_pop(head));
}

/* Every subset of the entries is removed while the walk goes on. */
static void
walk_survives_removal(void **state)
{
    for (unsigned int mask = 0; mask < 16; mask++) {
        char visited[8] = "", want[8] = "";
        size_t n = 0, kept = 0;

        fill(state);
        struct list *head = *state;
        list_each_safe(node, after, head)
        {
            visited[n] = LIST_ENTRY(node, struct item, node)->name;
            if (mask & 1u << n)
                list_remove(node);
            else
                want[kept++] = visited[n];
            n++;
        }
        ROW(mask, strcmp(visited, "abcd") == 0 && strcmp(names(head), want) == 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(order_is_kept, fill),
        cmocka_unit_test_setup(removal_is_safe_twice, fill),
        cmocka_unit_test_setup(popping_takes_the_first, fill),
        cmocka_unit_test_setup(walk_survives_removal, fill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
