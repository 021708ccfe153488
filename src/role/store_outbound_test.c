/* store_outbound_test.c - what accounts send to other servers, from the submission to the way out of the queue.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store_outbound.h"

#include "base/size.h"
#include "role/testkit_store.h"
#include "rt/clock.h"
#include "store/queue_over.h"
#include "store/queue_verbs.h"

#define ANNA 1u

/* Of role/role.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

static void
limits(uint32_t messages, uint32_t recipients)
{
    static struct config config;

    if (town.store->config != &config)
        config = *town.store->config;
    config.outbound_messages = messages;
    config.outbound_recipients = recipients;
    town.store->config = &config;
}

/* People, and these limits for all of them. */
static SUSPENDS void
begin(uint32_t messages, uint32_t recipients)
{
    town_people();
    limits(messages, recipients);
}

static SUSPENDS uint64_t
submit(const char *rcpts)
{
    uint64_t qid = 0;

    ASSERT(town_submit(11, "anna@here.example", rcpts, &qid) == OK && qid != 0);
    return qid;
}

static SUSPENDS struct queue_message
message(uint64_t qid)
{
    struct queue_message m;

    ASSERT(queue_get(town.store->queue, qid, town.a, &m) == OK);
    return m;
}

static SUSPENDS bool
is_held(uint64_t qid)
{
    return message(qid).held;
}

static SUSPENDS void
act(uint64_t qid, enum queue_verb v)
{
    uint32_t n;

    ASSERT(queue_act(town.store->queue, qid, v, clock_now(), &n) == OK && n == 1);
}

/* As upkeep does once a minute. */
static SUSPENDS void
go(void)
{
    queue_over_now(town.store->queue);
    store_outbound_go(town.store);
}

/* What comes later does not overtake, unless it takes nothing from what is held. */
static SUSPENDS void
test_in_order(void)
{
    begin(10, 2);
    ASSERT(!is_held(submit("known@x.example")));
    uint64_t first = submit("a@x.example b@x.example c@x.example");
    uint64_t second = submit("d@x.example"), third = submit("known@x.example e@x.example");
    ASSERT(message(first).over && message(second).over && message(third).over);
    ASSERT(!is_held(submit("known@x.example")));
    go();
    ASSERT(message(first).over && message(second).over && message(third).over);
    act(first, QUEUE_RELEASE); /* the second takes what is left of the day */
    go();
    ASSERT(!is_held(second) && message(third).over && queue_over_has(town.store->queue, ANNA));
    act(third, QUEUE_DROP);
    ASSERT(!queue_over_has(town.store->queue, ANNA));
}

/* What a milter or a policy server holds is theirs, however much the account sends. */
static SUSPENDS void
test_held_already(void)
{
    const struct store_submit_rcpt to = {.address = STR("b@x.example")};
    const struct store_submit req = {
        .session = 11,
        .body = STR("From: anna@here.example\r\nSubject: hello\r\n\r\nText\r\n"),
        .sender = STR("anna@here.example"),
        .rcpts = &to,
        .rcpts_count = 1,
        .hold = true,
    };
    struct store_submit_reply rep;

    begin(0, 1);
    ASSERT(!is_held(submit("a@x.example")));
    ASSERT(store_submit_call(town.user, &req, town.a, &rep) == OK);
    ASSERT(is_held(rep.qid) && !message(rep.qid).over && town_inbox(ANNA) == 0);
    limits(0, 5);
    go();
    ASSERT(is_held(rep.qid));
    limits(0, 1);
    ASSERT(message(submit("c@x.example")).over && town_inbox(ANNA) == 1);
}

int
main(int argc, char **argv)
{
    static const struct town_row rows[] = {
        {"in order", test_in_order},
        {"held already", test_held_already},
    };

    (void)argc;
    return town_main("store_outbound", rows, COUNT_OF(rows), argv);
}
