/* map_test.c - maps against a plain array as the model; walks that delete.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include "base/size.h"
#include "base/testing.h"

enum { KEYS = 600, STEPS = 200000 };

static char values[KEYS]; /* their addresses are the values */
static uint64_t random_state;

static size_t
random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

static struct str
key_of(size_t i)
{
    static char text[32];

    return str_from(text, (size_t)snprintf(text, sizeof(text), "key-%zu", i));
}

static void
empty_map(void **state)
{
    struct map *m = map_new();
    size_t cursor = 0;
    struct str key = STR("untouched");
    void *value = values;

    assert_int_equal(map_count(m), 0);
    assert_null(map_get(m, STR("a")));
    assert_null(map_get(m, STR_NONE));
    assert_null(map_del(m, STR("a")));
    assert_false(map_next(m, &cursor, &key, &value));
    assert_str(key, STR("untouched"));
    assert_ptr_equal(value, values);
    map_free(&m);
    assert_null(m);
    map_free(&m);
}

static void
keys_are_bytes(void **state)
{
    static const struct str keys[] = {
        STR(""),     STR("a"),  STR("A"),  STR("a\0"),  STR("a\0b"),
        STR("a\0c"), STR("\0"), STR("aa"), STR("\xff"), STR("0123456789abcdef0123456789abcdef"),
    };
    struct map *m = map_new();

    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        char copy[64];

        memcpy(copy, keys[i].ptr, keys[i].len);
        ROW(i, map_put(m, str_from(copy, keys[i].len), &values[i]) == NULL);
        memset(copy, 'x', sizeof(copy)); /* the map has its own copy */
    }
    assert_int_equal(map_count(m), COUNT_OF(keys));
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        ROW(i, map_get(m, keys[i]) == &values[i]);
    assert_ptr_equal(map_get(m, STR_NONE), &values[0]); /* empty is empty */
    assert_null(map_get(m, STR("b")));
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        ROW(i, map_put(m, keys[i], &values[100 + i]) == &values[i]);
        ROW(i, map_get(m, keys[i]) == &values[100 + i]);
    }
    assert_int_equal(map_count(m), COUNT_OF(keys));
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        ROW(i, map_del(m, keys[i]) == &values[100 + i]);
        ROW(i, map_del(m, keys[i]) == NULL && map_get(m, keys[i]) == NULL);
        ROW(i, map_count(m) == COUNT_OF(keys) - 1 - i);
    }
    map_free(&m);
}

static void
random_steps_agree_with_the_model(void **state)
{
    struct map *m = map_new();
    void *model[KEYS] = {0};
    size_t count = 0;

    random_state = 0x123456789abcdefu;
    for (size_t step = 0; step < STEPS; step++) {
        /* The range of keys swells and shrinks, so that the table grows and gives back. */
        size_t phase = step / (STEPS / 8) % 4;
        size_t i = random_below(phase == 2 ? 20 : KEYS);
        bool put = phase == 3 ? random_below(20) == 0 : random_below(3) > 0;
        void *value = put ? &values[random_below(KEYS)] : NULL;
        void *old = put ? map_put(m, key_of(i), value) : map_del(m, key_of(i));

        ROW(step, old == model[i]);
        count += (value != NULL) - (size_t)(old != NULL);
        model[i] = value;
        ROW(step, map_count(m) == count);
        size_t other = random_below(KEYS);
        ROW(step, map_get(m, key_of(other)) == model[other]);
    }
    for (size_t i = 0; i < KEYS; i++)
        ROW(i, map_get(m, key_of(i)) == model[i]);
    map_free(&m);
}

/* Walks over n entries and deletes those that the mode says: 0 none, 1 all, 2 at random, 3 all
 * visited so far whenever it likes.  Each entry is seen exactly once. */
static void
walk(size_t n, int mode)
{
    struct map *m = map_new();
    unsigned char seen[KEYS] = {0};
    bool gone[KEYS] = {0};
    size_t cursor = 0, deleted = 0;
    struct str key;
    void *value;

    for (size_t i = 0; i < n; i++)
        map_put(m, key_of(i), &values[i]);
    while (map_next(m, &cursor, &key, &value)) {
        size_t i = (size_t)((char *)value - values);

        ROW(n, i < n && str_eq(key, key_of(i)) && seen[i]++ == 0);
        if (mode == 1 || (mode == 2 && random_below(2) == 0)) {
            ROW(n, map_del(m, key) == value); /* with the map's own copy of the key */
            gone[i] = true;
            deleted++;
        }
        for (size_t j = 0; mode == 3 && random_below(4) == 0 && j < n; j++) {
            if (seen[j] && !gone[j]) {
                ROW(n, map_del(m, key_of(j)) == &values[j]);
                gone[j] = true;
                deleted++;
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        ROW(n, seen[i] == 1 && map_get(m, key_of(i)) == (gone[i] ? NULL : &values[i]));
    ROW(n, map_count(m) == n - deleted);
    ROW(n, !map_next(m, &cursor, &key, &value)); /* the end stays the end */
    map_free(&m);
}

static void
walks_see_each_entry_once(void **state)
{
    random_state = 0xfedcba987654321u;
    for (size_t n = 0; n < 100; n++) {
        for (int mode = 0; mode < 4; mode++) {
            for (int round = 0; round < 5; round++)
                walk(n, mode);
        }
    }
    for (int mode = 0; mode < 4; mode++)
        walk(KEYS, mode);
}

static void
put_nothing(void)
{
    struct map *m = map_new();

    (void)map_put(m, STR("a"), NULL);
}

static void
null_is_no_value(void **state)
{
    assert_true(aborts(put_nothing));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_map),
        cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(random_steps_agree_with_the_model),
        cmocka_unit_test(walks_see_each_entry_once),
        cmocka_unit_test(null_is_no_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
