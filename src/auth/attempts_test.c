/* attempts_test.c - who is slowed by wrong log-ins, for how long, and who is not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "auth/attempts.h"
#include "base/limits.h"
#include "base/size.h"
#include "rt/clock_testing.h"

#define HOME STR("192.0.2.1")
#define ANNA STR("anna@a.example")
#define BEN  STR("ben@a.example")

static bool
may(struct attempts *t, struct str peer, struct str name)
{
    const struct attempt a = {peer, name};

    return attempts_try(t, &a);
}

static void
wrong(struct attempts *t, struct str peer, struct str name)
{
    const struct attempt a = {peer, name};

    attempts_wrong(t, &a);
}

static void
right(struct attempts *t, struct str peer, struct str name)
{
    const struct attempt a = {peer, name};

    attempts_right(t, &a);
}

/* Wrong ones from there, each of another account, so that only address and network count. */
static void
guess_around(struct attempts *t, struct str peer, unsigned n)
{
    static unsigned made;
    char name[32];

    for (unsigned i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "u%u@a.example", made++);
        wrong(t, peer, str_of(name));
    }
}

/* Wrong ones for one account, each from another network. */
static void
guess_from_everywhere(struct attempts *t, struct str name, unsigned n)
{
    static unsigned made;
    char peer[32];

    for (unsigned i = 0; i < n; i++) {
        made++;
        snprintf(peer, sizeof(peer), "10.%u.%u.1", made >> 8 & 255, made & 255);
        wrong(t, str_of(peer), name);
    }
}

static void
test_an_address_waits_longer_and_longer(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();

    (void)state;
    for (unsigned i = 0; i < LIMIT_LOGIN_WRONG_ADDRESS; i++) {
        ROW(i, may(t, HOME, BEN));
        guess_around(t, HOME, 1);
    }
    for (unsigned step = 0; step < 6; step++) { /* a minute in all: nothing leaks yet */
        int64_t wait = 1000LL << step;
        ROW(step, !may(t, HOME, BEN));
        test_clock_pass(wait - 1);
        ROW(step, !may(t, HOME, BEN));
        test_clock_pass(1);
        ROW(step, may(t, HOME, BEN));
        ROW(step, !may(t, HOME, BEN)); /* one a time, however many came at once */
        guess_around(t, HOME, 1);
    }
    assert_true(may(t, STR("192.0.2.2"), BEN)); /* a neighbour is not slowed */
    guess_around(t, HOME, 30);
    test_clock_pass(256 * 1000 - 1);
    assert_false(may(t, HOME, BEN));
    test_clock_pass(1);
    assert_true(may(t, HOME, BEN));
}

/* One is forgiven each two minutes, and not more. */
static void
test_an_address_is_forgiven_in_time(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();

    (void)state;
    guess_around(t, HOME, LIMIT_LOGIN_WRONG_ADDRESS + 30);
    test_clock_pass(30 * 120 * 1000LL);
    assert_true(may(t, HOME, BEN)); /* the interval is long over; this was the one try */
    assert_false(may(t, HOME, BEN));
    test_clock_pass(120 * 1000);
    assert_true(may(t, HOME, BEN) && may(t, HOME, BEN));
    guess_around(t, HOME, 1);
    assert_false(may(t, HOME, BEN));
    test_clock_pass((LIMIT_LOGIN_WRONG_ADDRESS + 1) * 120 * 1000LL);
    guess_around(t, HOME, LIMIT_LOGIN_WRONG_ADDRESS - 1);
    assert_true(may(t, HOME, BEN) && may(t, HOME, BEN));
    guess_around(t, HOME, 1);
    assert_false(may(t, HOME, BEN));
}

static void
test_what_counts_as_one(void **state)
{
    static const struct {
        const char *wrong, *asks;
        unsigned n;
        bool slowed;
    } rows[] = {
        {"192.0.2.1", "192.0.2.2", LIMIT_LOGIN_WRONG_ADDRESS, false},
        {"192.0.2.1", "192.0.2.2", LIMIT_LOGIN_WRONG_NETWORK - 1, false},
        {"192.0.2.1", "192.0.2.2", LIMIT_LOGIN_WRONG_NETWORK, true},
        {"192.0.2.1", "192.0.3.1", LIMIT_LOGIN_WRONG_NETWORK, false},
        {"192.0.2.1", "::ffff:192.0.2.1", LIMIT_LOGIN_WRONG_ADDRESS, true},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", LIMIT_LOGIN_WRONG_ADDRESS, false},
        {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", LIMIT_LOGIN_WRONG_ADDRESS, true},
        {"2001:db8::1", "2001:db8:0:1::1", LIMIT_LOGIN_WRONG_ADDRESS, false},
        {"2001:db8::1", "2001:db8:0:1::1", LIMIT_LOGIN_WRONG_NETWORK, true},
        {"2001:db8::1", "2001:db8:1::1", LIMIT_LOGIN_WRONG_NETWORK, false},
        {"::1", "127.0.0.1", LIMIT_LOGIN_WRONG_NETWORK, false},
        {"nonsense", "", LIMIT_LOGIN_WRONG_ADDRESS, true},
        {"nonsense", "::1", LIMIT_LOGIN_WRONG_NETWORK, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(attempts_free) struct attempts *t = attempts_new();
        guess_around(t, str_of(rows[i].wrong), rows[i].n);
        ROW(i, may(t, str_of(rows[i].asks), BEN) && may(t, str_of(rows[i].asks), BEN)
                   ? !rows[i].slowed
                   : rows[i].slowed);
    }
}

/* The owner's devices and the office are not touched by who guesses his password from many places. */
static void
test_one_account_from_everywhere(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();

    (void)state;
    right(t, HOME, ANNA);
    right(t, STR("198.51.100.1"), BEN); /* an address that is vouched for, not by anna */
    guess_from_everywhere(t, ANNA, LIMIT_LOGIN_WRONG_ACCOUNT + 20);
    for (int i = 0; i < 3; i++) {
        ROW(i, !may(t, STR("203.0.113.1"), ANNA));
        ROW(i, may(t, STR("203.0.113.1"), BEN));
        ROW(i, may(t, HOME, ANNA));
        ROW(i, may(t, STR("198.51.100.1"), ANNA));
    }
    test_clock_pass(64 * 1000);
    assert_true(may(t, STR("203.0.113.1"), ANNA));
    assert_false(may(t, STR("203.0.113.2"), ANNA)); /* somebody had the try of this interval */
}

static void
test_a_device_is_counted_apart(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();

    (void)state;
    right(t, HOME, ANNA);
    guess_around(t, HOME, ATTEMPTS_VOUCHED * LIMIT_LOGIN_WRONG_ADDRESS);
    assert_false(may(t, HOME, BEN)); /* behind the same address, and never seen */
    for (unsigned i = 0; i < LIMIT_LOGIN_WRONG_DEVICE; i++) {
        ROW(i, may(t, HOME, ANNA));
        wrong(t, HOME, ANNA);
    }
    assert_false(may(t, HOME, ANNA));
    assert_true(may(t, STR("192.0.2.2"), ANNA)); /* its wrong ones count nowhere else */
    test_clock_pass(1000);
    assert_true(may(t, HOME, ANNA));
    right(t, HOME, ANNA); /* and are gone with the right one */
    assert_true(may(t, HOME, ANNA) && may(t, HOME, ANNA));
    test_clock_pass(LIMIT_LOGIN_KNOWN_S * 1000LL);
    guess_around(t, HOME, LIMIT_LOGIN_WRONG_ADDRESS); /* nobody knows it any more */
    assert_false(may(t, HOME, ANNA));
}

static void
test_a_good_one_vouches(void **state)
{
    static const struct str office = STR("192.0.2.9");
    AUTO(attempts_free) struct attempts *t = attempts_new();

    (void)state;
    guess_around(t, office, LIMIT_LOGIN_WRONG_ADDRESS);
    assert_false(may(t, office, BEN));
    right(t, office, ANNA);
    assert_true(may(t, office, BEN));
    guess_around(t, office, (ATTEMPTS_VOUCHED - 1) * LIMIT_LOGIN_WRONG_ADDRESS - 1);
    assert_true(may(t, office, BEN) && may(t, office, BEN));
    right(t, office, ANNA); /* which is no pardon */
    guess_around(t, office, 1);
    assert_false(may(t, office, BEN));
    /* 100 of the network are long reached; it is vouched for as well */
    assert_true(may(t, STR("192.0.2.77"), BEN) && may(t, STR("192.0.2.77"), BEN));
    test_clock_pass(LIMIT_LOGIN_VOUCH_S * 1000LL - 1);
    guess_around(t, office, LIMIT_LOGIN_WRONG_ADDRESS);
    assert_true(may(t, office, BEN) && may(t, office, BEN));
    test_clock_pass(1);
    assert_false(may(t, office, BEN));
}

/* Who comes from many networks pushes out his own oldest, not the one who is guessing right now, and no good one. */
static void
test_tables_are_bounded(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();
    char peer[64];

    (void)state;
    right(t, HOME, ANNA);
    guess_around(t, STR("198.51.100.1"), 1);
    for (unsigned i = 0; i < LIMIT_LOGIN_COUNTS - 1; i++) {
        snprintf(peer, sizeof(peer), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
        guess_around(t, str_of(peer), 1);
    }
    guess_around(t, STR("198.51.100.1"), LIMIT_LOGIN_WRONG_ADDRESS - 1);
    assert_false(may(t, STR("198.51.100.1"), BEN));
    guess_around(t, STR("203.0.113.1"), 1);
    assert_false(may(t, STR("198.51.100.1"), BEN));
    guess_around(t, HOME, LIMIT_LOGIN_WRONG_ADDRESS);
    assert_true(may(t, HOME, ANNA) && may(t, HOME, BEN) && may(t, HOME, BEN));
}

static void
test_good_ones_are_bounded(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();
    char peer[64];

    (void)state;
    right(t, HOME, ANNA);
    for (unsigned i = 0; i < LIMIT_LOGIN_KNOWN; i++) {
        snprintf(peer, sizeof(peer), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
        right(t, str_of(peer), BEN);
    }
    guess_around(t, HOME, LIMIT_LOGIN_WRONG_ADDRESS);
    assert_false(may(t, HOME, ANNA));
    guess_around(t, str_of(peer), LIMIT_LOGIN_WRONG_ADDRESS);
    assert_true(may(t, str_of(peer), BEN) && may(t, str_of(peer), ANNA));
}

static void
test_penalties_are_listed_and_forgiven(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();
    AUTO_ARENA *a = arena_new(65536);
    struct attempts_penalty p[8];
    const struct attempt home = {HOME, BEN};

    (void)state;
    guess_around(t, HOME, LIMIT_LOGIN_WRONG_ADDRESS - 1);
    assert_int_equal(attempts_penalties(t, a, p, COUNT_OF(p)), 0);
    assert_false(attempts_are_slow(t, &home));
    guess_around(t, HOME, 3);
    assert_true(attempts_are_slow(t, &home));
    guess_from_everywhere(t, ANNA, LIMIT_LOGIN_WRONG_ACCOUNT);
    assert_int_equal(attempts_penalties(t, a, p, COUNT_OF(p)), 2);
    assert_int_equal(p[0].kind, ATTEMPT_ADDRESS);
    assert_str(p[0].what, HOME);
    assert_int_equal(p[0].wrong, LIMIT_LOGIN_WRONG_ADDRESS + 2);
    assert_int_equal(p[0].next_s, 4);
    assert_int_equal(p[0].ends_s, 3 * 120);
    assert_int_equal(p[1].kind, ATTEMPT_ACCOUNT);
    assert_str(p[1].what, ANNA);
    assert_int_equal(p[1].next_s, 1);
    assert_int_equal(attempts_penalties(t, a, p, 1), 1);

    assert_int_equal(attempts_forgive(t, STR("192.0.3.0/24")), 0);
    assert_int_equal(attempts_forgive(t, STR("ANNA@a.example")), 1);
    assert_true(may(t, STR("203.0.113.1"), ANNA) && may(t, STR("203.0.113.1"), ANNA));
    assert_int_equal(attempts_forgive(t, HOME), 2); /* and its network */
    assert_true(may(t, HOME, BEN) && may(t, HOME, BEN));
    guess_around(t, STR("2001:db8:1:2::3"), LIMIT_LOGIN_WRONG_ADDRESS);
    assert_int_equal(attempts_penalties(t, a, p, COUNT_OF(p)), 1);
    assert_str(p[0].what, STR("2001:db8:1:2::/64"));
    assert_int_equal(attempts_forgive(t, STR("2001:db8::/32")), 2);

    right(t, HOME, ANNA);
    for (unsigned i = 0; i < LIMIT_LOGIN_WRONG_DEVICE; i++)
        wrong(t, HOME, ANNA);
    assert_int_equal(attempts_penalties(t, a, p, COUNT_OF(p)), 1);
    assert_int_equal(p[0].kind, ATTEMPT_DEVICE);
    assert_str(p[0].what, STR("192.0.2.1 anna@a.example"));
    assert_int_equal(attempts_forgive(t, ANNA), 1);
    assert_int_equal(attempts_penalties(t, a, p, COUNT_OF(p)), 0);
}

/* Else whoever sends bad tokens would slow all who log in by a token without a name. */
static void
test_no_name_is_no_account(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();

    (void)state;
    guess_from_everywhere(t, STR(""), 2 * LIMIT_LOGIN_WRONG_ACCOUNT);
    for (unsigned i = 0; i < 3; i++)
        ROW(i, may(t, HOME, STR("")));
    for (unsigned i = 0; i < LIMIT_LOGIN_WRONG_ADDRESS; i++)
        wrong(t, HOME, STR(""));
    assert_false(may(t, HOME, STR(""))); /* the address counts */
}

/* Tries in the air count; who waits gets in when one of them was right, and is slowed when they were wrong. */
static void
test_a_burst_is_a_row(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();
    const struct attempt anna = {HOME, ANNA}, ben = {HOME, BEN};
    unsigned counted[LIMIT_LOGIN_WRONG_ADDRESS], more = 0;

    (void)state;
    for (unsigned i = 0; i < LIMIT_LOGIN_WRONG_ADDRESS; i++)
        ROW(i, attempts_begin(t, &anna, &counted[i]) == ATTEMPT_MAY);
    assert_int_equal(attempts_begin(t, &ben, &more), ATTEMPT_WAIT);
    assert_true(may(t, HOME, BEN));       /* what is judged at once looks at known ones alone */
    attempts_known(t, &anna, counted[0]); /* nobody could tell: as if it had not been */
    assert_int_equal(attempts_begin(t, &ben, &counted[0]), ATTEMPT_MAY);
    assert_int_equal(attempts_begin(t, &ben, &more), ATTEMPT_WAIT);
    attempts_known(t, &ben, counted[0]);
    for (unsigned i = 1; i < LIMIT_LOGIN_WRONG_ADDRESS; i++) {
        attempts_wrong(t, &anna);
        attempts_known(t, &anna, counted[i]);
    }
    assert_int_equal(attempts_begin(t, &ben, &counted[0]), ATTEMPT_MAY); /* the twentieth */
    assert_int_equal(attempts_begin(t, &ben, &more), ATTEMPT_WAIT);
    attempts_wrong(t, &ben);
    attempts_known(t, &ben, counted[0]);
    assert_int_equal(attempts_begin(t, &ben, &more), ATTEMPT_SLOWED);
    test_clock_pass(1000);
    assert_int_equal(attempts_begin(t, &ben, &more), ATTEMPT_MAY); /* one an interval */
    assert_int_equal(attempts_begin(t, &ben, &counted[0]), ATTEMPT_SLOWED);
    attempts_known(t, &ben, more);
}

static void
test_right_ones_leave_nothing(void **state)
{
    AUTO(attempts_free) struct attempts *t = attempts_new();
    const struct attempt anna = {HOME, ANNA};
    struct attempts_penalty p[4];
    AUTO_ARENA *a = arena_new(4096);
    unsigned counted;

    (void)state;
    for (unsigned i = 0; i < 3 * LIMIT_LOGIN_WRONG_NETWORK; i++) {
        ROW(i, attempts_begin(t, &anna, &counted) == ATTEMPT_MAY);
        attempts_right(t, &anna);
        attempts_known(t, &anna, counted);
    }
    assert_int_equal(attempts_penalties(t, a, p, COUNT_OF(p)), 0);
    assert_int_equal(attempts_forgive(t, ANNA) + attempts_forgive(t, HOME), 0);
    /* It became a known device while others of it were in the air: each count gets its own back. */
    struct attempts *fresh = attempts_new();
    unsigned first, second;
    assert_int_equal(attempts_begin(fresh, &anna, &first), ATTEMPT_MAY);
    attempts_right(fresh, &anna);
    assert_int_equal(attempts_begin(fresh, &anna, &second), ATTEMPT_MAY);
    assert_int_not_equal(first, second);
    attempts_known(fresh, &anna, first);
    attempts_known(fresh, &anna, second);
    assert_int_equal(attempts_forgive(fresh, ANNA) + attempts_forgive(fresh, HOME), 0);
    attempts_free(&fresh);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_address_waits_longer_and_longer),
        cmocka_unit_test(test_an_address_is_forgiven_in_time),
        cmocka_unit_test(test_what_counts_as_one),
        cmocka_unit_test(test_one_account_from_everywhere),
        cmocka_unit_test(test_a_device_is_counted_apart),
        cmocka_unit_test(test_a_good_one_vouches),
        cmocka_unit_test(test_tables_are_bounded),
        cmocka_unit_test(test_good_ones_are_bounded),
        cmocka_unit_test(test_no_name_is_no_account),
        cmocka_unit_test(test_penalties_are_listed_and_forgiven),
        cmocka_unit_test(test_a_burst_is_a_row),
        cmocka_unit_test(test_right_ones_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
