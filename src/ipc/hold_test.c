/* hold_test.c - which calls are made again, and which never.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ipc/hold.h"

#include "base/size.h"
#include "base/testing.h"
#include "ipc/test_channel.h"

static struct ipc_peer *store; /* of now */

/* Both ends in one loop; the far one never says a word. */
static struct ipc_peer *
life(uint64_t incarnation)
{
    struct ipc_channel_end ends[2];
    struct ipc_options near = probe_options(ROLE_USER, ROLE_STORE, false);
    struct ipc_options far = probe_options(ROLE_STORE, ROLE_USER, true);
    struct ipc_peer *n, *f;

    near.peer_incarnation = incarnation;
    assert_int_equal(ipc_pair(0, ends), OK);
    assert_int_equal(ipc_attach(&ends[0], &near, &n), OK);
    assert_int_equal(ipc_attach(&ends[1], &far, &f), OK);
    return n;
}

/* As role_user.peer_gone() and peer_arrived(). */
FIBER_ENTRY static void
next_life(uint64_t incarnation)
{
    if (store != NULL)
        ipc_close(store);
    for (int i = 0; i < 100 && store != NULL && ipc_is_open(store); i++)
        fiber_yield();
    for (int i = 0; i < 10; i++) /* the far end hears of it, and ends as well */
        fiber_yield();
    store = incarnation == 0 ? NULL : life(incarnation);
}

FIBER_ENTRY static void
ask(struct hold *h)
{
    struct ipc_peer *found;

    assert_int_equal(hold_store(h, &store, &found), OK);
    assert_ptr_equal(found, store);
}

/* What follows a call, by its outcome. */
static const struct {
    enum status e;
    bool new_store; /* and it has not answered yet */
    bool read_again, write_again;
} outcomes[] = {
    {OK, false, false, false},           {OK, true, false, false},
    {ERR_CLOSED, false, true, false},    {ERR_CLOSED, true, true, false},
    {ERR_DENIED, false, false, false},   {ERR_DENIED, true, true, true},
    {ERR_NOT_FOUND, true, false, false}, {ERR_TEMP, true, false, false},
    {ERR_IO, true, false, false},        {ERR_CANCELLED, true, false, false},
};

FIBER_ENTRY static void
check_outcomes(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        for (int write = 0; write < 2; write++) {
            struct hold h = {0};
            next_life(1);
            ask(&h);
            ROW(i, !hold_read_again(&h, OK) && !hold_forgotten(&h));
            if (outcomes[i].new_store)
                next_life(2);
            ask(&h);
            bool again =
                write ? hold_write_again(&h, outcomes[i].e) : hold_read_again(&h, outcomes[i].e);
            ROW(i, again == (write ? outcomes[i].write_again : outcomes[i].read_again));
        }
    }
    next_life(0);
}

static void
test_outcomes(void **state)
{
    (void)state;
    hold_testing(INT64_MAX);
    probe_run(check_outcomes, NULL);
}

FIBER_ENTRY static void
check_patience(void *arg)
{
    struct hold h = {0};
    struct ipc_peer *found;

    (void)arg;
    next_life(1);
    ask(&h);
    next_life(0);
    assert_int_equal(hold_store(&h, &store, &found), ERR_TEMP);
    int64_t since = h.away_ms;
    assert_true(since > 0);
    assert_int_equal(hold_store(&h, &store, &found), ERR_TEMP);
    assert_false(hold_read_again(&h, ERR_CLOSED));
    assert_false(hold_read_again(&h, ERR_TEMP)); /* of a store that answers, but not yet */
    assert_true(h.away_ms == since);             /* one outage is waited for once */
    next_life(2);
    ask(&h);
    assert_false(hold_read_again(&h, ERR_DENIED));
    assert_true(hold_forgotten(&h)); /* so the refusal is not about what was asked */
    assert_false(hold_read_again(&h, OK));
    assert_true(h.away_ms == 0 && h.denied_ms == 0 && !hold_forgotten(&h));
    next_life(0);
}

static void
test_patience_ends(void **state)
{
    (void)state;
    hold_testing(0);
    probe_run(check_patience, NULL);
}

FIBER_ENTRY static void
arrive(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10; i++)
        fiber_yield();
    next_life(7);
}

FIBER_ENTRY static void
check_arrival(void *arg)
{
    struct hold h = {0};
    struct ipc_peer *old = life(6), *found = NULL;

    (void)arg;
    store = old;
    ipc_close(old); /* what its role does not know yet is no store all the same */
    assert_int_equal(fiber_go(arrive, NULL), OK);
    for (int i = 0; i < 100 && ipc_is_open(old); i++)
        fiber_yield();
    assert_int_equal(hold_store(&h, &store, &found), OK);
    assert_ptr_not_equal(found, old);
    assert_true(ipc_incarnation(found) == 7);
    next_life(0);
}

static void
test_a_store_that_comes(void **state)
{
    (void)state;
    hold_testing(INT64_MAX);
    probe_run(check_arrival, NULL);
}

FIBER_ENTRY static void
end_it(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10; i++)
        fiber_yield();
    hold_end();
}

FIBER_ENTRY static void
check_end(void *arg)
{
    struct hold h = {0};
    struct ipc_peer *found = NULL;

    (void)arg;
    assert_int_equal(fiber_go(end_it, NULL), OK);
    assert_int_equal(hold_store(&h, &store, &found), ERR_TEMP);
}

/* Without the end it would wait for ever: the test would not return. */
static void
test_the_end_is_not_waited_for(void **state)
{
    (void)state;
    hold_testing(INT64_MAX);
    probe_run(check_end, NULL);
    hold_testing(INT64_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_patience_ends),
        cmocka_unit_test(test_a_store_that_comes),
        cmocka_unit_test(test_the_end_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
