/* stats_test.c - sums over processes that come and go.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "role/store/stats.h"

static void
tell(uint32_t index, uint64_t incarnation, uint64_t logins, int64_t now_ms)
{
    struct store_process p = {
        .role = ROLE_USER, .index = index, .pid = 7, .open = 3, .incarnation = incarnation};

    p.values[STAT_LOGINS_GOOD] = logins;
    store_stats_hear(&p, now_ms);
}

static const struct {
    uint32_t index;
    uint64_t incarnation, logins;
    int64_t now_ms;
    uint64_t all, recent;
    uint32_t recent_s, processes;
} steps[] = {
    {0, 1, 5, 1000, 5, 5, 0, 1}, /* counted before we were there: it began with the first sample */
    {0, 1, 7, 3000, 7, 7, 2, 1},
    {1, 2, 10, 3000, 17, 17, 2, 2},
    {0, 1, 6, 4000, 17, 17, 3, 2}, /* nothing counts down */
    {0, 9, 0, 5000, 17, 17, 4, 2}, /* another process in its place */
    {0, 9, 3, 61000, 20, 20, 60, 2},
    {0, 9, 4, 121000, 21, 21, 120, 2},
    {0, 9, 5, 181000, 22, 22, 180, 2},
    {0, 9, 6, 241000, 23, 23, 240, 2},
    {0, 9, 7, 301000, 24, 24, 300, 2},
    {0, 9, 8, 361000, 25, 8, 300, 2}, /* the first sample has gone: 17 were there by then */
    {0, 9, 9, 421000, 26, 6, 300, 2},
};

static void
test_sums(void **state)
{
    struct store_totals t;

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        tell(steps[i].index, steps[i].incarnation, steps[i].logins, steps[i].now_ms);
        store_stats_sum(steps[i].now_ms, &t);
        ROW(i, t.all[STAT_LOGINS_GOOD] == steps[i].all);
        ROW(i, t.recent[STAT_LOGINS_GOOD] == steps[i].recent);
        ROW(i, t.recent_s == steps[i].recent_s && t.process_count == steps[i].processes);
        ROW(i, t.processes[0].pid == 7 && t.processes[0].open == 3);
    }
    stat_add(STAT_LOGINS_GOOD); /* and what this process counts itself */
    store_stats_sum(421000, &t);
    assert_int_equal(t.all[STAT_LOGINS_GOOD], 27);
}

static void
test_replies(void **state)
{
    (void)state;
    stat_add_reply(STAT_IN_ACCEPTED, 250);
    stat_add_reply(STAT_IN_ACCEPTED, 451);
    stat_add_reply(STAT_IN_ACCEPTED, 452);
    stat_add_reply(STAT_IN_ACCEPTED, 550);
    assert_int_equal(stat_values[STAT_IN_ACCEPTED], 1);
    assert_int_equal(stat_values[STAT_IN_DEFERRED], 2);
    assert_int_equal(stat_values[STAT_IN_REFUSED], 1);
}

/* Rows of one name stand together and have one help; Prometheus refuses anything else. */
static void
test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < STAT_COUNT; i++) {
        bool first = i == 0 || strcmp(stats[i].name, stats[i - 1].name) != 0;
        ROW(i, first == (stats[i].help[0] != '\0'));
        for (size_t k = 0; first && k + 1 < i; k++)
            ROW(i, strcmp(stats[i].name, stats[k].name) != 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
