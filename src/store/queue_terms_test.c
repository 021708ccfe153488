/* queue_terms_test.c - what senders asked of the delivery: as it is stored, and what the queue makes of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "store/queue_internal.h"
#include "store/testkit_internal.h"

#define SECOND INT64_C(1000000)
#define HOUR   3600
#define DAY    86400

static struct queue *q;
static struct instant now;

static SUSPENDS void
open_queue(struct kit *k)
{
    ASSERT(queue_open(k->cs, &q) == OK && queue_load(q, now) == OK);
}

static SUSPENDS void
begin(struct kit *k)
{
    now = k->now;
    open_queue(k);
}

static SUSPENDS void
reopen(struct kit *k)
{
    queue_free(&q);
    kit_reopen(k);
    open_queue(k);
}

static void
pass(int64_t seconds)
{
    now.us += seconds * SECOND;
    queue_tick(q, now);
}

/* To a@x.example, and to the mailbox of account 7. */
static SUSPENDS uint64_t
add(struct kit *k, const struct queue_terms *terms)
{
    struct queue_rcpt *r = ARENA_ARRAY(k->a, struct queue_rcpt, 2);
    uint64_t qid = 0;

    r[0].address = r[0].original = STR("a@x.example");
    r[1].address = r[1].original = STR("u7@here.example");
    r[1].account = 7;
    const struct queue_message m = {.sender = STR("s@here.example"),
                                    .body = kit_blob(k, STR("Subject: x\r\n\r\nbody\r\n")),
                                    .size = 9,
                                    .terms = *terms,
                                    .rcpts = r,
                                    .rcpt_count = 2};
    ASSERT(queue_add(q, &m, STR("facts"), now, &qid) == OK);
    return qid;
}

static SUSPENDS struct queue_message
read_message(struct kit *k, uint64_t qid)
{
    struct queue_message m;

    ASSERT(queue_get(q, qid, k->a, &m) == OK);
    return m;
}

/* Is there work on it?  What was taken is given back as it was. */
static SUSPENDS bool
is_due(struct kit *k, bool local)
{
    struct queue_message m;
    struct queue_job job;

    while (local ? queue_take_local(q, &job) : queue_take_remote(q, 1, &job)) {
        if (queue_read(q, &job, now, k->a, &m) != OK)
            continue;
        queue_put_back(q, &job, now, 0);
        return true;
    }
    return false;
}

static SUSPENDS struct queue_message
try_remote(struct kit *k, enum queue_state state)
{
    const struct queue_result r = {.index = 0, .state = state, .code = 450, .text = STR("later")};
    const struct queue_outcome o = {&r, 1, now};
    struct queue_message m;
    struct queue_job job;

    ASSERT(queue_take_remote(q, 1, &job) && queue_read(q, &job, now, k->a, &m) == OK);
    ASSERT(queue_results(q, &job, &o, k->a, &m) == OK);
    return m;
}

static struct queue_terms
hold(int64_t seconds)
{
    return (struct queue_terms){.hold_until = {now.us + seconds * SECOND},
                                .hold_asked = STR("for;1")};
}

/* ---- FUTURERELEASE ---- */

static SUSPENDS void
test_hold(struct kit *k)
{
    uint32_t count;

    begin(k);
    const struct queue_terms terms = hold(HOUR);
    uint64_t qid = add(k, &terms);
    ASSERT(!is_due(k, true) && !is_due(k, false));
    pass(HOUR - 1);
    ASSERT(!is_due(k, true) && !is_due(k, false));
    reopen(k);
    struct queue_message m = read_message(k, qid);
    ASSERT(m.terms.hold_until.us == terms.hold_until.us &&
           str_eq(m.terms.hold_asked, STR("for;1")));
    ASSERT(!is_due(k, true) && !is_due(k, false));
    /* an operator's hurry does not hurry it */
    ASSERT(queue_act(q, qid, QUEUE_RETRY, now, &count) == OK);
    ASSERT(!is_due(k, true) && !is_due(k, false));
    ASSERT(queue_act(q, 0, QUEUE_RETRY, now, &count) == OK);
    ASSERT(!is_due(k, true) && !is_due(k, false));
    pass(1);
    ASSERT(is_due(k, true) && is_due(k, false));
    reopen(k);
    ASSERT(is_due(k, true) && is_due(k, false));
    queue_free(&q);
}

static SUSPENDS void
test_hold_and_verbs(struct kit *k)
{
    uint32_t count;

    begin(k);
    const struct queue_terms terms = hold(HOUR);
    uint64_t qid = add(k, &terms), dropped = add(k, &terms);
    ASSERT(queue_act(q, qid, QUEUE_HOLD, now, &count) == OK);
    ASSERT(queue_act(q, qid, QUEUE_RELEASE, now, &count) == OK); /* of the operator's hold alone */
    ASSERT(queue_act(q, dropped, QUEUE_DROP, now, &count) == OK && queue_length(q) == 1);
    ASSERT(!is_due(k, true) && !is_due(k, false));
    ASSERT(queue_act(q, qid, QUEUE_HOLD, now, &count) == OK);
    pass(2 * HOUR);
    ASSERT(!is_due(k, true) && !is_due(k, false));
    ASSERT(queue_act(q, qid, QUEUE_RELEASE, now, &count) == OK);
    ASSERT(is_due(k, true) && is_due(k, false));
    queue_free(&q);
}

/* The sender is warned, and told the end, as of a message that came when it was let go. */
static SUSPENDS void
test_hold_and_age(struct kit *k)
{
    struct queue_job job;

    begin(k);
    const struct queue_terms terms = hold(10 * DAY);
    uint64_t qid = add(k, &terms);
    pass(10 * DAY);
    struct queue_message m = try_remote(k, QUEUE_WAITING);
    ASSERT(m.qid == qid && m.rcpts[0].state == QUEUE_WAITING);
    ASSERT(queue_report_due(&m, &m.rcpts[0], now) == 0);
    ASSERT(!queue_take_report(q, &job));
    pass(LIMIT_QUEUE_WARN_S);
    ASSERT(queue_report_due(&m, &m.rcpts[0], now) == QUEUE_NOTIFY_DELAY);
    ASSERT(queue_take_report(q, &job) && job.qid == qid);
    pass((LIMIT_QUEUE_DAYS * DAY) - LIMIT_QUEUE_WARN_S);
    m = try_remote(k, QUEUE_WAITING);
    ASSERT(m.rcpts[0].state == QUEUE_FAILED);
    queue_free(&q);
}

/* ---- as it is stored ---- */

static SUSPENDS void
test_values(struct kit *k)
{
    struct queue_rcpt r = {.address = STR("a@x.example"), .original = STR("a@x.example")};
    struct queue_message m = {
        .sender = STR("s@x.example"), .size = 9, .rcpts = &r, .rcpt_count = 1};
    AUTO_BUF plain = BUF(4096);
    AUTO_BUF value = BUF(4096);
    AUTO_BUF none = BUF(4096);
    struct queue_message got;

    queue_message_write(&m, &plain);
    ASSERT(plain.ptr[0] == 1); /* as those who know no terms wrote it */
    m.terms = (struct queue_terms){.hold_until = {5}, .hold_asked = STR("for;60")};
    queue_message_write(&m, &value);
    ASSERT(value.ptr[0] == 2);
    ASSERT(queue_message_read(buf_str(&value), k->a, &got) == OK);
    ASSERT(got.terms.hold_until.us == 5 && str_eq(got.terms.hold_asked, STR("for;60")));
    for (size_t n = 0; n < value.len; n++)
        ASSERT(queue_message_read(str_sub(buf_str(&value), 0, n), k->a, &got) == ERR_CORRUPT);
    buf_add_char(&none, 2); /* says that it has terms, and has none */
    buf_add(&none, str_skip(buf_str(&plain), 1));
    ASSERT(queue_message_read(buf_str(&none), k->a, &got) == ERR_CORRUPT);
}

static const struct {
    struct str bytes;
    bool ok;
} stored[] = {
    {STR("\x00"), true},
    {STR("\x01\x01\x01\x02"), true}, /* held until 1, no words */
    {STR("\x01\x01\x03\x02xy"), true},
    {STR("\x01\x01\x00"), false},                 /* no time */
    {STR("\x01\x01\x01\x00"), false},             /* time 0 */
    {STR("\x01\x00\x01\x02"), false},             /* tag 0 */
    {STR("\x01\x7f\x01\x02"), false},             /* an unknown tag */
    {STR("\x02\x01\x01\x02\x01\x01\x02"), false}, /* twice */
    {STR("\x01\x01\x05\x02"), false},             /* cut off */
    {STR("\x01"), false},
    {STR(""), false},
};

static SUSPENDS void
test_stored(struct kit *k)
{
    (void)k;
    for (size_t i = 0; i < COUNT_OF(stored); i++) {
        struct scan s = scan_of(stored[i].bytes);
        struct queue_terms t = {.hold_until = {77}};
        bool ok = queue_terms_read(&s, &t);

        ASSERT(ok == stored[i].ok);
        ASSERT(ok ? scan_at_end(&s)
                  : t.hold_until.us == 77 && scan_left(&s) == stored[i].bytes.len);
        AUTO_BUF again = BUF(256);
        if (!ok)
            continue;
        queue_terms_write(&t, &again);
        ASSERT(str_eq(buf_str(&again), stored[i].bytes));
    }
}

static const struct kit_row rows[] = {
    {"hold", test_hold, KIT_ALL},
    {"hold_and_verbs", test_hold_and_verbs, KIT_MEM},
    {"hold_and_age", test_hold_and_age, KIT_MEM},
    {"values", test_values, KIT_MEM},
    {"stored", test_stored, KIT_MEM},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return kit_main("queue_terms", rows, COUNT_OF(rows), argv);
}
