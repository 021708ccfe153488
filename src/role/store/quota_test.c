/* quota_test.c - mailboxes that fill up, as their owners, strangers and the queue see it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "ipc/admin_ipc.h"
#include "ipc/outcome.h"
#include "role/store/mail.h"
#include "role/store/testkit_store.h"
#include "rt/clock.h"
#include "store/queue_verbs.h"
#include "store/quota.h"

#define BERT        2u
#define LETTER_SIZE 1000u
#define DAY_US      INT64_C(86400000000)

/* Of role/role.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

static struct str
letter(size_t size)
{
    AUTO_BUF b = BUF(1u << 20);

    buf_add_z(&b, "From: s@far.example\r\nSubject: letter\r\n\r\n");
    while (b.len < size - 2)
        buf_add_char(&b, 'x');
    buf_add_z(&b, "\r\n");
    ASSERT(b.len == size);
    return arena_str(town.a, buf_str(&b));
}

static SUSPENDS enum status
deliver(size_t size)
{
    struct store_deliver_reply rep;

    return town_deliver("bert@here.example", letter(size), &rep);
}

static SUSPENDS struct account_info
bert(void)
{
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, BERT);
    struct account_info info;

    ASSERT(account_info(account, &info) == OK);
    return info;
}

static SUSPENDS void
set_quota(uint64_t bytes)
{
    const struct admin_account_quota req = {.address = STR("bert@here.example"),
                                            .quota_bytes = bytes};
    struct admin_account_quota_reply rep;

    ASSERT(admin_account_quota_call(town.admin, &req, town.a, &rep) == OK);
}

static SUSPENDS void
expunge(uint32_t first, uint32_t last)
{
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, BERT);
    struct uid_range range = {first, last};
    const struct expunge_request r = {MAILBOX_INBOX, {&range, 1}, false};
    struct expunge_reply x;

    ASSERT(message_expunge(account, &r, clock_now(), town.a, &x) == OK);
}

static SUSPENDS bool
newest_says(const char *what)
{
    return str_find_str(town_newest(BERT), str_of(what)) >= 0;
}

/* As if the first refusal had been some days ago. */
static SUSPENDS void
refused_for(int64_t us)
{
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, BERT);
    struct instant since;

    ASSERT(account_refused(account, (struct instant){clock_now().us - us}, &since) == OK);
}

static SUSPENDS void
test_notices(void)
{
    town_people();
    set_quota(10 * LETTER_SIZE);
    for (int i = 1; i <= 7; i++)
        ASSERT(deliver(LETTER_SIZE) == OK && town_inbox(BERT) == (uint64_t)i);
    ASSERT(deliver(LETTER_SIZE) == OK && town_inbox(BERT) == 9);
    ASSERT(newest_says("Subject: Your mailbox is filling up (80 %)\r\n"));
    ASSERT(newest_says("From: Postmaster <postmaster@here.example>\r\n"));
    ASSERT(newest_says("To: <bert@here.example>\r\n") && bert().notice == QUOTA_FINE);
    uint64_t notice = bert().bytes - (uint64_t)8 * LETTER_SIZE;
    ASSERT(deliver(1980 - notice) == OK && town_inbox(BERT) == 11); /* two at once do not come */
    ASSERT(newest_says("Subject: Your mailbox is nearly full (99 %)\r\n"));
    ASSERT(bert().bytes > bert().quota.bytes); /* it came all the same */
    ASSERT(deliver(LETTER_SIZE) == ERR_QUOTA && town_inbox(BERT) == 11);
    expunge(1, 11);
    ASSERT(deliver(8300) == OK && town_inbox(BERT) == 2);
    ASSERT(newest_says("filling up (83 %)"));
}

/* Saved by the owner, or by a smaller quota: a notice as well. */
static SUSPENDS void
test_other_ways(void)
{
    struct store_append req = {.session = 12, .mailbox = MAILBOX_INBOX};
    struct store_append_reply rep;

    town_people();
    req.body = letter(LETTER_SIZE);
    ASSERT(store_append_call(town.user, &req, town.a, &rep) == OK && town_inbox(BERT) == 1);
    set_quota(LETTER_SIZE + 100);
    ASSERT(town_inbox(BERT) == 3 &&
           newest_says("Your mailbox is full")); /* 90 %, then by the notice */
    ASSERT(store_append_call(town.user, &req, town.a, &rep) == ERR_QUOTA);
    ASSERT(bert().full_since.us == 0); /* nobody was told to come again */
    set_quota(0);
    ASSERT(store_append_call(town.user, &req, town.a, &rep) == OK && town_inbox(BERT) == 4);
    expunge(1, 4);
    set_quota((uint64_t)2 * LETTER_SIZE);
    req.body = letter(1700);
    ASSERT(store_append_call(town.user, &req, town.a, &rep) == OK &&
           newest_says("Your mailbox is f"));
}

/* What is told already is not told again; what was missed is told when upkeep comes by. */
static SUSPENDS void
test_notice_later(void)
{
    town_people();
    set_quota(10 * LETTER_SIZE);
    ASSERT(deliver((size_t)7 * LETTER_SIZE) == OK);
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, BERT);
    set_quota(8700); /* 80 % */
    ASSERT(town_inbox(BERT) == 2);
    expunge(2, 2);
    store_quota_look(town.store, account);
    ASSERT(town_inbox(BERT) == 1); /* told already */
    ASSERT(directory_account_quota(town.store->directory, STR("bert"), UINT64_C(7100)) == OK);
    ASSERT(bert().notice == QUOTA_URGENT && town_inbox(BERT) == 1);
    town.store->round.next_us = 0; /* upkeep comes by */
    TOWN_UNTIL(town_inbox(BERT) == 2);
    ASSERT(newest_says("Your mailbox is nearly full (98 %)"));
}

static SUSPENDS void
test_refusals(void)
{
    const struct store_rcpt ask = {.address = STR("bert@here.example"), .size = LETTER_SIZE};
    struct store_rcpt_reply rcpt;

    town_people();
    set_quota(LETTER_SIZE);
    ASSERT(store_rcpt_call(town.mx, &ask, town.a, &rcpt) == OK && rcpt.class == DIRECTORY_LOCAL);
    ASSERT(deliver(LETTER_SIZE) == OK && bert().full_since.us == 0);
    ASSERT(deliver(LETTER_SIZE) == ERR_QUOTA && ipc_problem()->reply == 0);
    struct instant since = bert().full_since;
    ASSERT(since.us != 0 && since.us <= clock_now().us);
    ASSERT(store_rcpt_call(town.mx, &ask, town.a, &rcpt) == OK);
    ASSERT(rcpt.class == DIRECTORY_OVER_QUOTA && !rcpt.lasting);
    ASSERT(bert().full_since.us == since.us);
    expunge(1, 1);
    expunge(2, 2); /* the notice */
    ASSERT(bert().full_since.us == 0 && deliver(LETTER_SIZE) == OK);
    refused_for(LIMIT_QUOTA_FULL_DAYS * DAY_US - 1000000000);
    ASSERT(deliver(LETTER_SIZE) == ERR_QUOTA && ipc_problem()->reply == 0);
    set_quota(LETTER_SIZE + 1);
    ASSERT(bert().full_since.us == 0);
    refused_for(LIMIT_QUOTA_FULL_DAYS * DAY_US);
    ASSERT(deliver(LETTER_SIZE) == ERR_QUOTA && ipc_problem()->reply == 552);
    ASSERT(str_eq(str_of(ipc_problem()->enhanced), STR("5.2.2")));
    ASSERT(store_rcpt_call(town.mx, &ask, town.a, &rcpt) == OK);
    ASSERT(rcpt.class == DIRECTORY_OVER_QUOTA && rcpt.lasting);
    set_quota(UINT64_C(100) * LETTER_SIZE);
    ASSERT(store_rcpt_call(town.mx, &ask, town.a, &rcpt) == OK && rcpt.class == DIRECTORY_LOCAL);
    ASSERT(deliver(LETTER_SIZE) == OK);
}

/* LMTP has an answer for each recipient, and it is the same. */
static SUSPENDS unsigned
outcome_of_each(void)
{
    struct str to = STR("bert@here.example");
    const struct store_deliver_each req = {
        .body = STR("Subject: hi\r\n\r\nText\r\n"), .rcpts = &to, .rcpts_count = 1};
    struct store_deliver_each_reply rep;

    ASSERT(store_deliver_each_call(town.mx, &req, town.a, &rep) == OK && rep.outcomes_count == 1);
    return rep.outcomes[0];
}

static SUSPENDS void
test_lmtp(void)
{
    town_people();
    set_quota(1);
    ASSERT(outcome_of_each() == OUTCOME_FULL);
    set_quota(2); /* a higher one forgets since when */
    refused_for(LIMIT_QUOTA_FULL_DAYS * DAY_US - 1000000000);
    ASSERT(outcome_of_each() == OUTCOME_FULL);
    set_quota(3);
    refused_for(LIMIT_QUOTA_FULL_DAYS * DAY_US);
    ASSERT(outcome_of_each() == OUTCOME_OVERFULL);
}

static SUSPENDS struct admin_queued
queued(uint64_t qid)
{
    const struct admin_queue req = {.only = qid};
    struct admin_queue_reply rep;

    ASSERT(admin_queue_call(town.admin, &req, town.a, &rep) == OK && rep.messages_count == 1);
    return rep.messages[0];
}

static SUSPENDS bool
is_refused_now(uint64_t qid)
{
    struct admin_queued m = queued(qid);

    for (size_t i = 0; i < m.rcpts_count; i++)
        if (m.rcpts[i].code == 452 && m.rcpts[i].state == QUEUE_WAITING && m.rcpts[i].tries > 0)
            return str_eq(m.rcpts[i].text, STR("The mailbox is full"));
    return false;
}

/* From the queue: later at first, then a report that says so. */
static SUSPENDS void
test_queue(void)
{
    const struct admin_queue_act retry = {.verb = QUEUE_RETRY};
    struct admin_queue_act_reply acted;
    uint64_t qid = 0;

    town_people();
    set_quota(LETTER_SIZE);
    ASSERT(deliver(LETTER_SIZE) == OK);
    refused_for(DAY_US);
    ASSERT(town_submit(11, "anna@here.example", "team@here.example", &qid) == OK && qid != 0);
    TOWN_UNTIL(town_inbox(1) == 1 && is_refused_now(qid));
    expunge(2, 2); /* room, but not enough */
    ASSERT(bert().full_since.us == 0);
    refused_for(LIMIT_QUOTA_FULL_DAYS * DAY_US);
    ASSERT(admin_queue_act_call(town.admin, &retry, town.a, &acted) == OK && acted.count == 1);
    TOWN_UNTIL(town_inbox(1) == 2);
    struct str report = town_newest(1);
    ASSERT(str_find_str(report, STR("Status: 5.2.2")) > 0);
    ASSERT(str_find_str(report, STR("552 5.2.2 The mailbox is full, and has been for days")) > 0);
    ASSERT(str_find_str(report, STR("team@here.example")) > 0); /* as anna wrote it */
}

static const struct town_row rows[] = {
    {"notices", test_notices},
    {"other ways", test_other_ways},
    {"notice later", test_notice_later},
    {"refusals", test_refusals},
    {"queue", test_queue},
    {"lmtp", test_lmtp},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return town_main("store: quotas", rows, COUNT_OF(rows), argv);
}
