/* store_queue_test.c - leases, results and reports when something goes wrong between the store and role out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "role/testkit_store.h"
#include "rt/clock.h"

/* Of role/role.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

static SUSPENDS uint64_t
submit(const char *to)
{
    uint64_t qid = 0;

    ASSERT(town_submit(11, "anna@here.example", to, &qid) == OK && qid != 0);
    return qid;
}

static SUSPENDS struct store_queue_lease_reply
lease(uint32_t max)
{
    const struct store_queue_lease req = {.max = max};
    struct store_queue_lease_reply rep;

    ASSERT(store_queue_lease_call(town.out, &req, town.a, &rep) == OK);
    return rep;
}

static SUSPENDS enum status
delivered(const struct store_attempt *at)
{
    const struct store_rcpt_result r = {.index = at->rcpts[0].index, .state = 0, .code = 250};
    const struct store_queue_result req = {
        .qid = at->qid, .lease = at->lease, .results = &r, .results_count = 1};
    struct store_queue_result_reply rep;

    return store_queue_result_call(town.out, &req, town.a, &rep);
}

/* What the operator drops while it is under way still counts in its destination's share until out is done with it. */
static SUSPENDS void
test_dropped_under_way(void)
{
    uint32_t count;

    town_people();
    for (uint32_t i = 0; i < LIMIT_OUT_PER_DOMAIN; i++)
        submit("x@far.example");
    struct store_queue_lease_reply all = lease(LIMIT_OUT_PER_DOMAIN + 1);
    ASSERT(all.attempts_count == LIMIT_OUT_PER_DOMAIN);
    ASSERT(queue_act(town.store->queue, 0, QUEUE_DROP, clock_now(), &count) == OK &&
           count == LIMIT_OUT_PER_DOMAIN);
    uint64_t qid = submit("x@far.example");
    ASSERT(lease(1).attempts_count == 0);
    const struct store_queue_body part = {.qid = all.attempts[0].qid, .max = 4};
    struct store_queue_body_reply body;
    ASSERT(store_queue_body_call(town.out, &part, town.a, &body) == ERR_DENIED);
    for (uint32_t i = 0; i < LIMIT_OUT_PER_DOMAIN; i++)
        ASSERT(delivered(&all.attempts[i]) == ERR_NOT_FOUND);
    struct store_queue_lease_reply next = lease(1);
    ASSERT(next.attempts_count == 1 && next.attempts[0].qid == qid);
    ASSERT(delivered(&next.attempts[0]) == OK && queue_length(town.store->queue) == 0);
}

static const struct town_row rows[] = {
    {"dropped_under_way", test_dropped_under_way},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return town_main("store_queue", rows, COUNT_OF(rows), argv);
}
