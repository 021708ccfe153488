/* grants_test.c - sessions and what they may reach.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/grants.h"

#include "base/testing.h"

static struct grant
grant_of(uint64_t incarnation, uint64_t session, uint64_t account)
{
    return (struct grant){incarnation, session, account, 1, {1000}};
}

static void
add(struct grants *g, uint64_t incarnation, uint64_t session, uint64_t account)
{
    struct grant n = grant_of(incarnation, session, account);

    assert_int_equal(grants_add(g, &n), OK);
}

static bool
found(struct grants *g, uint64_t incarnation, uint64_t session, int64_t now)
{
    struct grant out;

    return grants_find(g, incarnation, session, (struct instant){now}, &out) == OK;
}

static void
test_session_finds_its_account(void **state)
{
    AUTO(grants_free) struct grants *g = grants_new();
    struct grant out;

    add(g, 7, 1, 100);
    add(g, 7, 2, 200);
    add(g, 8, 1, 300);
    assert_int_equal(grants_find(g, 7, 1, (struct instant){0}, &out), OK);
    assert_int_equal(out.account, 100);
    assert_int_equal(grants_find(g, 8, 1, (struct instant){0}, &out), OK);
    assert_int_equal(out.account, 300);
    assert_int_equal(grants_find(g, 8, 2, (struct instant){0}, &out), ERR_DENIED);
    assert_int_equal(grants_find(g, 9, 1, (struct instant){0}, &out), ERR_DENIED);
}

/* A worker that lost auth in the middle of a log-in says that the session is over; auth's word may come after it. */
static void
test_session_that_ended_before_its_grant(void **state)
{
    AUTO(grants_free) struct grants *g = grants_new();
    struct grant late = grant_of(7, 2, 100);

    grants_end(g, 7, 2);
    assert_int_equal(grants_add(g, &late), ERR_DENIED);
    assert_int_equal(grants_count(g), 0);
    add(g, 7, 3, 100);
    add(g, 8, 2, 100); /* of another worker */
    grants_end(g, 7, 3);
    grants_end(g, 8, 2);
    assert_int_equal(grants_count(g), 0);
}

/* Pages meet every session that is there all the time, once, though others come and go between them. */
static void
test_pages(void **state)
{
    AUTO(grants_free) struct grants *g = grants_new();
    struct grants_page p = {.max = 7};
    struct grant out[7];
    size_t n, seen = 0;

    for (uint64_t i = 1; i <= 50; i++)
        add(g, 1 + i % 3, 51 - i, 100 + i % 5);
    do {
        n = grants_list(g, &p, out);
        assert_true(n <= 7);
        for (size_t i = 0; i < n; i++) {
            bool later = out[i].incarnation > p.incarnation ||
                         (out[i].incarnation == p.incarnation && out[i].session > p.session);
            assert_true(later);
            p.incarnation = out[i].incarnation;
            p.session = out[i].session;
            seen += out[i].session <= 50;
        }
        grants_expire(g, (struct instant){0}); /* turns the list that it looks at */
        add(g, 1, 1000 + p.session, 100);
        add(g, 3, 2000 + p.session, 100);
    } while (n == 7);
    assert_int_equal(seen, 50);
    p = (struct grants_page){.account = 103, .max = 7};
    assert_int_equal(grants_list(g, &p, out), 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(out[i].account, 103);
    p.incarnation = out[6].incarnation;
    p.session = out[6].session;
    assert_int_equal(grants_list(g, &p, out), 3);
    p.account = 999;
    assert_int_equal(grants_list(g, &p, out), 0);
    assert_int_equal(grants_find(g, 1, 48, (struct instant){77}, &out[0]), OK);
    assert_int_equal(out[0].asked.us, 77);
}

static void
test_session_cannot_change_its_account(void **state)
{
    AUTO(grants_free) struct grants *g = grants_new();
    struct grant other = grant_of(7, 1, 200), same = grant_of(7, 1, 100), out;

    add(g, 7, 1, 100);
    assert_int_equal(grants_add(g, &other), ERR_EXISTS);
    same.expires.us = 5000;
    assert_int_equal(grants_add(g, &same), OK); /* renewed */
    assert_int_equal(grants_find(g, 7, 1, (struct instant){4000}, &out), OK);
    assert_int_equal(grants_count(g), 1);
}

static void
test_expiry(void **state)
{
    AUTO(grants_free) struct grants *g = grants_new();

    add(g, 7, 1, 100);
    assert_true(found(g, 7, 1, 999));
    assert_false(found(g, 7, 1, 1000));
    grants_expire(g, (struct instant){999});
    assert_int_equal(grants_count(g), 1);
    grants_expire(g, (struct instant){1000});
    assert_int_equal(grants_count(g), 0);
}

static void
test_limit_of_an_account(void **state)
{
    AUTO(grants_free) struct grants *g = grants_new();
    struct grant more = grant_of(7, 5000, 100), all[LIMIT_SESSIONS_PER_ACCOUNT + 1];

    for (uint64_t i = 1; i <= LIMIT_SESSIONS_PER_ACCOUNT; i++)
        add(g, 7, i, 100);
    assert_int_equal(grants_add(g, &more), ERR_LIMIT);
    assert_int_equal(grants_of(g, 100, all, LIMIT_SESSIONS_PER_ACCOUNT + 1),
                     LIMIT_SESSIONS_PER_ACCOUNT);
    assert_int_equal(grants_of(g, 100, all, 3), 3);
    grants_end(g, 7, 50);
    assert_int_equal(grants_add(g, &more), OK);
    add(g, 7, 6000, 101); /* another account has its own */
}

static void
test_revoke(void **state)
{
    AUTO(grants_free) struct grants *g = grants_new();
    struct grant left[4];

    for (int again = 0; again < 2; again++) {
        add(g, 7, 1, 100);
        add(g, 7, 2, 100);
        add(g, 8, 1, 100);
        add(g, 8, 2, 200);
        assert_int_equal(grants_revoke(g, 7, 1, 100), 1);
        assert_int_equal(grants_revoke(g, 7, 1, 100), 0);
        assert_int_equal(grants_revoke(g, 8, 0, 100), 1);
        assert_int_equal(grants_of(g, 100, left, 4), 1);
        assert_int_equal(left[0].session, 2);
        assert_int_equal(grants_revoke(g, 0, 0, 100), 1);
        assert_int_equal(grants_of(g, 100, left, 4), 0);
        assert_true(found(g, 8, 2, 0));
        grants_end(g, 8, 2);
        assert_int_equal(grants_count(g), 0);
    }
}

static void
test_worker_gone(void **state)
{
    AUTO(grants_free) struct grants *g = grants_new();

    for (uint64_t i = 1; i <= 20; i++)
        add(g, 7 + i % 2, i, 100 + i);
    grants_end_incarnation(g, 7);
    assert_int_equal(grants_count(g), 10);
    assert_false(found(g, 7, 2, 0));
    assert_true(found(g, 8, 1, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_finds_its_account),
        cmocka_unit_test(test_session_that_ended_before_its_grant),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_session_cannot_change_its_account),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_limit_of_an_account),
        cmocka_unit_test(test_revoke),
        cmocka_unit_test(test_worker_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
