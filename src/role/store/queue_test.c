/* queue_test.c - leases, results and reports when something goes wrong between the store and role out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "engine/engine_faults.h"
#include "role/store/testkit_store.h"
#include "rt/clock.h"
#include "store/queue_verbs.h"

#define LETTER STR("From: s@far.example\r\nSubject: hi\r\n\r\nText\r\n")

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
    submit("x@far.example");
    struct store_queue_lease_reply all = lease(2);
    ASSERT(all.attempts_count == 1); /* the share of a destination that has not answered yet */
    ASSERT(queue_act(town.store->queue, 0, QUEUE_DROP, clock_now(), &count) == OK && count == 1);
    uint64_t qid = submit("x@far.example");
    ASSERT(lease(1).attempts_count == 0);
    const struct store_queue_body part = {.qid = all.attempts[0].qid, .max = 4};
    struct store_queue_body_reply body;
    ASSERT(store_queue_body_call(town.out, &part, town.a, &body) == ERR_DENIED);
    ASSERT(delivered(&all.attempts[0]) == ERR_NOT_FOUND);
    struct store_queue_lease_reply next = lease(1);
    ASSERT(next.attempts_count == 1 && next.attempts[0].qid == qid);
    ASSERT(delivered(&next.attempts[0]) == OK && queue_length(town.store->queue) == 0);
}

static FIBER_ENTRY void
lease_in_vain(void *arg)
{
    const struct store_queue_lease req = {.max = 10};
    struct store_queue_lease_reply rep;
    bool *over = arg;

    ASSERT(store_queue_lease_call(town.out, &req, town.a, &rep) == ERR_CLOSED);
    *over = true;
}

/* Reading takes its time, and out dies meanwhile: nothing more is taken for it. */
static SUSPENDS void
test_out_is_lost_while_it_leases(void)
{
    const struct engine_faults slow = {.delay_max_ms = 40}, none = {0};
    static bool over;

    town_people();
    for (int i = 0; i < 10; i++) {
        const struct store_submit_rcpt to = {.address = STR("x@far.example")};
        const struct store_submit req = {
            .session = 11,
            .body = STR("From: anna@here.example\r\n\r\nj\xc3\xb6rg\r\n"),
            .sender = STR("anna@here.example"),
            .rcpts = &to,
            .rcpts_count = 1,
            .smtputf8 = true, /* its header is read for the lease */
        };
        struct store_submit_reply rep;
        ASSERT(store_submit_call(town.user, &req, town.a, &rep) == OK);
    }
    engine_mem_faults(town.store->engine, &slow);
    ASSERT(fiber_go(lease_in_vain, &over) == OK);
    TOWN_UNTIL(queue_remote_ready(town.store->queue) < 10);
    ASSERT(queue_remote_ready(town.store->queue) > 0);
    ipc_close(town.out);
    TOWN_UNTIL(over && queue_remote_ready(town.store->queue) == 10);
    engine_mem_faults(town.store->engine, &none);
    ASSERT(fiber_sleep(200) == OK); /* the handler's last read has ended */
    ASSERT(queue_remote_ready(town.store->queue) == 10);
}

/* Of no use to anybody: nobody waits for it, and nobody may be told. */
static SUSPENDS void
test_nobody_left(void)
{
    struct str gone = STR("who@here.example");
    const struct store_deliver from_null = {.body = LETTER, .rcpts = &gone, .rcpts_count = 1};
    struct store_submit_rcpt to = {.address = gone, .notify = QUEUE_NOTIFY_NEVER};
    const struct store_submit never = {.session = 11,
                                       .body = LETTER,
                                       .sender = STR("anna@here.example"),
                                       .rcpts = &to,
                                       .rcpts_count = 1};
    struct store_deliver_reply delivered_to;
    struct store_submit_reply submitted;

    town_people();
    ASSERT(store_deliver_call(town.mx, &from_null, town.a, &delivered_to) == ERR_NOT_FOUND);
    ASSERT(store_submit_call(town.user, &never, town.a, &submitted) == ERR_NOT_FOUND);
    ASSERT(queue_length(town.store->queue) == 0);
    to.notify = QUEUE_NOTIFY_FAILURE; /* somebody wants to know */
    ASSERT(store_submit_call(town.user, &never, town.a, &submitted) == OK && submitted.qid != 0);
    TOWN_UNTIL(town_inbox(1) == 1 && queue_length(town.store->queue) == 0);
}

static SUSPENDS struct store_attempt
one_lease(void)
{
    struct store_queue_lease_reply rep;

    TOWN_UNTIL(queue_remote_ready(town.store->queue) > 0);
    rep = lease(1);
    ASSERT(rep.attempts_count == 1);
    return rep.attempts[0];
}

static SUSPENDS enum status
answer(const struct store_attempt *at, uint32_t index, uint8_t state)
{
    const struct store_rcpt_result r = {.index = index,
                                        .state = state,
                                        .code = state == 2 ? 550 : 0,
                                        .enhanced = state == 2 ? STR("5.1.1") : STR("4.4.1"),
                                        .text = STR("so it was")};
    const struct store_queue_result req = {
        .qid = at->qid, .lease = at->lease, .results = &r, .results_count = 1};
    struct store_queue_result_reply rep;

    return store_queue_result_call(town.out, &req, town.a, &rep);
}

/* The sender hears of a failure also when nothing of the message can be read. */
static SUSPENDS void
test_report_without_the_original(void)
{
    struct queue_message m;

    town_people();
    uint64_t qid = submit("x@far.example");
    struct store_attempt at = one_lease();
    ASSERT(queue_get(town.store->queue, qid, town.a, &m) == OK);
    engine_mem_damage(town.store->engine, m.body);
    ASSERT(answer(&at, 0, 2) == OK);
    TOWN_UNTIL(town_inbox(1) == 1 && queue_length(town.store->queue) == 0);
    struct str report = town_newest(1);
    ASSERT(str_find_str(report, STR("Final-Recipient: rfc822; x@far.example\r\nAction: failed")) >=
           0);
    ASSERT(str_find_str(report, STR("cannot read your message any more")) >= 0);
    ASSERT(str_find_str(report, STR("rfc822-headers")) < 0);
}

/* An answer that cannot be kept leaves the message with the queue, not with out. */
static SUSPENDS void
test_what_was_taken_comes_back(void)
{
    uint32_t count;

    town_people();
    uint64_t qid = submit("x@far.example");
    struct store_attempt at = one_lease();
    ASSERT(answer(&at, 7, 0) == ERR_SYNTAX); /* there is no such recipient */
    ASSERT(!queue_is_leased(town.store->queue, qid, ipc_incarnation(town.out)));
    ASSERT(answer(&at, 0, 0) == ERR_NOT_FOUND && lease(1).attempts_count == 0);
    ASSERT(queue_act(town.store->queue, qid, QUEUE_RETRY, clock_now(), &count) == OK);
    at = one_lease();
    ASSERT(at.qid == qid && at.hurry && answer(&at, 0, 0) == OK);
    ASSERT(queue_length(town.store->queue) == 0);
}

static SUSPENDS void
test_put_off_is_no_try(void)
{
    struct queue_message m;

    town_people();
    uint64_t qid = submit("x@far.example");
    struct store_attempt at = one_lease();
    ASSERT(answer(&at, 0, 3) == OK && queue_get(town.store->queue, qid, town.a, &m) == OK);
    ASSERT(m.rcpts[0].state == QUEUE_WAITING && m.rcpts[0].tries == 0 &&
           str_eq(m.rcpts[0].text, STR("so it was")));
}

static const struct town_row rows[] = {
    {"report_without_the_original", test_report_without_the_original},
    {"what_was_taken_comes_back", test_what_was_taken_comes_back},
    {"put_off_is_no_try", test_put_off_is_no_try},
    {"nobody_left", test_nobody_left},
    {"out_is_lost_while_it_leases", test_out_is_lost_while_it_leases},
    {"dropped_under_way", test_dropped_under_way},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return town_main("store_queue", rows, COUNT_OF(rows), argv);
}
