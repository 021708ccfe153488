/* relay_test.c - mail to anywhere without a log-in: for listed addresses, in our name, signed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "role/store/testkit_store.h"

/* Of role/role.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

static struct subnet listed[2];

static void
list_printers(void)
{
    static struct config with;

    ASSERT(subnet_read(STR("192.0.2.7"), &listed[0]));
    ASSERT(subnet_read(STR("2001:db8::/64"), &listed[1]));
    with = *town.store->config;
    with.relay_from = listed;
    with.relay_from_count = COUNT_OF(listed);
    town.store->config = &with;
}

struct letter {
    const char *peer, *sender, *from;
};

static SUSPENDS enum status
relay(const struct letter *l, struct store_relay_reply *rep)
{
    const struct str to = STR("x@far.example");
    struct store_relay req = {
        .body = arena_printf(town.a, "From: %s\r\nSubject: hi\r\n\r\nText\r\n", l->from),
        .sender = str_of(l->sender),
        .rcpts = &to,
        .rcpts_count = 1,
        .peer = str_of(l->peer),
    };

    return store_relay_call(town.mx, &req, town.a, rep);
}

/* The DKIM field of the message that waits, and an end of it. */
static SUSPENDS struct str
signature_of(uint64_t qid)
{
    const struct store_queue_lease req = {.max = 10};
    struct store_queue_lease_reply rep;
    struct store_queue_result_reply ended;

    ASSERT(store_queue_lease_call(town.out, &req, town.a, &rep) == OK && rep.attempts_count == 1);
    const struct store_attempt *at = &rep.attempts[0];
    ASSERT(at->qid == qid && str_eq(at->domain, STR("far.example")));
    const struct store_rcpt_result r = {.index = at->rcpts[0].index, .state = 0, .code = 250};
    const struct store_queue_result done = {
        .qid = at->qid, .lease = at->lease, .results = &r, .results_count = 1};
    ASSERT(store_queue_result_call(town.out, &done, town.a, &ended) == OK);
    return at->prepend;
}

static SUSPENDS void
test_who_may(void)
{
    static const struct letter refused[] = {
        {"192.0.2.8", "scan@here.example", "scan@here.example"},
        {"127.0.0.1", "scan@here.example", "scan@here.example"},
        {"", "scan@here.example", "scan@here.example"},
        {"192.0.2.7 ", "scan@here.example", "scan@here.example"},
        {"192.0.2.7", "ceo@bank.example", "scan@here.example"},
    };
    static const struct letter mine = {"192.0.2.7", "scan@here.example", "scan@here.example"};
    struct store_relay_reply rep;

    town_people();
    ASSERT(relay(&mine, &rep) == ERR_DENIED); /* nobody is listed */
    list_printers();
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        ASSERT(relay(&refused[i], &rep) == ERR_DENIED);
    ASSERT(relay(&mine, &rep) == OK && rep.qid != 0);
}

static SUSPENDS void
test_signed(void)
{
    static const struct {
        struct letter l;
        struct str signature;
    } letters[] = {
        {{"192.0.2.7", "scan@here.example", "scan@here.example"},
         STR("DKIM-Signature: d=here.example\r\n")},
        {{"2001:db8::9", "scan@here.example", "ceo@bank.example"},
         STR("DKIM-Signature: d=here.example\r\n")},
        {{"192.0.2.7", "", "scan@here.example"}, STR("DKIM-Signature: d=here.example\r\n")},
        {{"192.0.2.7", "", "ceo@bank.example"}, STR("")},
    };

    town_people();
    list_printers();
    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        struct store_relay_reply rep;
        ASSERT(relay(&letters[i].l, &rep) == OK);
        ASSERT(str_eq(signature_of(rep.qid), letters[i].signature));
    }
}

static const struct town_row rows[] = {
    {"who_may", test_who_may},
    {"signed", test_signed},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return town_main("store_relay", rows, COUNT_OF(rows), argv);
}
