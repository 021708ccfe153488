/* queue_terms_test.c - what senders asked of the delivery: as it is stored, and what the queue makes of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "store/queue_internal.h"
#include "store/queue_verbs.h"
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

/* ---- DELIVERBY ---- */

static struct queue_terms
by(int64_t seconds, enum queue_by_mode mode)
{
    return (struct queue_terms){.by_mode = mode, .by = {now.us + seconds * SECOND}};
}

/* As role store does it; tells which reports were made, of both recipients. */
static SUSPENDS uint32_t
run_report(struct kit *k)
{
    struct queue_message m;
    struct queue_job job;
    uint32_t told[2];
    uint64_t qid;

    if (!queue_take_report(q, &job) || queue_read(q, &job, now, k->a, &m) != OK)
        return 0;
    if (queue_terms_is_over(&m.terms, now) && queue_expire(q, &job, now, k->a, &m) != OK)
        return 0;
    for (size_t i = 0; i < 2; i++)
        told[i] = queue_report_due(&m, &m.rcpts[i], now);
    const struct queue_report r = {.told = told};
    ASSERT(queue_reported(q, &job, &r, now, &qid) == OK);
    return told[0] | told[1] << 8;
}

enum { BOTH_FAILED = QUEUE_NOTIFY_FAILURE | QUEUE_NOTIFY_FAILURE << 8 };
enum { BOTH_LATE = QUEUE_NOTIFY_DELAY | QUEUE_NOTIFY_DELAY << 8 };

static SUSPENDS void
test_return(struct kit *k)
{
    uint32_t count;

    begin(k);
    const struct queue_terms terms = by(100, QUEUE_BY_RETURN);
    uint64_t qid = add(k, &terms);
    struct queue_message m = try_remote(k, QUEUE_WAITING);
    pass(99);
    ASSERT(is_due(k, false) && is_due(k, true) && run_report(k) == 0);
    reopen(k);
    pass(1);
    ASSERT(queue_act(q, qid, QUEUE_RETRY, now, &count) == OK); /* nothing more is tried */
    ASSERT(!is_due(k, false) && !is_due(k, true));
    ASSERT(run_report(k) == BOTH_FAILED);
    ASSERT(queue_get(q, qid, k->a, &m) == ERR_NOT_FOUND && queue_length(q) == 0);
    ASSERT(run_report(k) == 0);
    queue_free(&q);
}

/* The state and the words that go into the report; a paused destination is no way out. */
static SUSPENDS void
test_return_says_so(struct kit *k)
{
    struct queue_message m;
    struct queue_job job;

    begin(k);
    ASSERT(queue_pause(q, STR("x.example"), true, now) == OK);
    const struct queue_terms terms = by(100, QUEUE_BY_RETURN);
    add(k, &terms);
    pass(100);
    ASSERT(queue_take_report(q, &job) && queue_read(q, &job, now, k->a, &m) == OK);
    ASSERT(queue_expire(q, &job, now, k->a, &m) == OK);
    for (size_t i = 0; i < 2; i++) {
        ASSERT(m.rcpts[i].state == QUEUE_FAILED && str_eq(m.rcpts[i].enhanced, STR("5.4.7")));
        ASSERT(m.rcpts[i].code == 0 && m.rcpts[i].text.len > 0);
    }
    queue_free(&q);
}

/* Who was asked a moment before may still say yes; no second answer is given meanwhile. */
static SUSPENDS void
test_return_under_way(struct kit *k)
{
    static const struct {
        enum queue_state said, want;
        bool untried;
    } answers[] = {{QUEUE_DELIVERED, QUEUE_DELIVERED, false},
                   {QUEUE_WAITING, QUEUE_FAILED, false},
                   {QUEUE_WAITING, QUEUE_FAILED, true}};
    struct queue_message m;
    struct queue_job job;

    begin(k);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        const struct queue_terms terms = by(100, QUEUE_BY_RETURN);
        const struct queue_result r = {
            .index = 0, .state = answers[i].said, .untried = answers[i].untried};
        add(k, &terms);
        ASSERT(queue_take_remote(q, 1, &job) && queue_read(q, &job, now, k->a, &m) == OK);
        pass(101);
        ASSERT(run_report(k) == QUEUE_NOTIFY_FAILURE << 8); /* the mailbox here alone */
        ASSERT(run_report(k) == 0);
        const struct queue_outcome o = {&r, 1, now};
        ASSERT(queue_results(q, &job, &o, k->a, &m) == OK && m.rcpts[0].state == answers[i].want);
        ASSERT(run_report(k) == (answers[i].want == QUEUE_FAILED ? QUEUE_NOTIFY_FAILURE : 0));
        ASSERT(queue_length(q) == 0);
    }
    /* nobody said anything: the lease ends with its channel */
    const struct queue_terms terms = by(100, QUEUE_BY_RETURN);
    add(k, &terms);
    ASSERT(queue_take_remote(q, 1, &job) && queue_read(q, &job, now, k->a, &m) == OK);
    pass(101);
    ASSERT(run_report(k) == QUEUE_NOTIFY_FAILURE << 8);
    queue_owner_gone(q, 1, now);
    ASSERT(!is_due(k, false) && run_report(k) == QUEUE_NOTIFY_FAILURE && queue_length(q) == 0);
    queue_free(&q);
}

/* Nobody wants to hear of it: it is over all the same. */
static SUSPENDS void
test_return_in_silence(struct kit *k)
{
    struct queue_rcpt r = {.address = STR("a@x.example"), .notify = QUEUE_NOTIFY_NEVER};
    uint64_t qid;

    begin(k);
    r.original = r.address;
    const struct queue_message m = {.sender = STR("s@here.example"),
                                    .body = kit_blob(k, STR("Subject: x\r\n\r\n")),
                                    .size = 14,
                                    .terms = by(100, QUEUE_BY_RETURN),
                                    .rcpts = &r,
                                    .rcpt_count = 1};
    ASSERT(queue_add(q, &m, STR("facts"), now, &qid) == OK);
    pass(100);
    ASSERT(run_report(k) == 0 && queue_length(q) == 0);
    queue_free(&q);
}

static SUSPENDS void
test_notify(struct kit *k)
{
    begin(k);
    const struct queue_terms terms = by(100, QUEUE_BY_NOTIFY);
    uint64_t qid = add(k, &terms);
    pass(99);
    ASSERT(run_report(k) == 0);
    pass(1);
    ASSERT(run_report(k) == BOTH_LATE); /* tried or not */
    ASSERT(run_report(k) == 0);
    ASSERT(is_due(k, false) && is_due(k, true));
    pass(LIMIT_QUEUE_WARN_S);
    ASSERT(run_report(k) == 0); /* it was told */
    struct queue_message m = try_remote(k, QUEUE_WAITING);
    ASSERT(m.qid == qid && m.rcpts[0].state == QUEUE_WAITING);
    queue_free(&q);
}

/* It came too late already: whoever sent it here knows, unless it stays here. */
static SUSPENDS void
test_notify_of_the_past(struct kit *k)
{
    begin(k);
    const struct queue_terms terms = by(-100, QUEUE_BY_NOTIFY);
    add(k, &terms);
    ASSERT(run_report(k) == 0);
    try_remote(k, QUEUE_WAITING);
    ASSERT(run_report(k) == QUEUE_NOTIFY_DELAY);
    queue_free(&q);
}

/* RFC 2852 section 4.1.4: "relayed", though success was not asked for and the next host would tell of it. */
static const struct {
    uint32_t notify;
    bool announce, relayed;
    uint32_t want;
} announced[] = {
    {0, false, false, 0},
    {0, true, false, QUEUE_NOTIFY_SUCCESS},
    {QUEUE_NOTIFY_FAILURE, true, true, QUEUE_NOTIFY_SUCCESS},
    {QUEUE_NOTIFY_SUCCESS, true, true, QUEUE_NOTIFY_SUCCESS},
    {QUEUE_NOTIFY_SUCCESS, false, true, 0},
    {QUEUE_NOTIFY_NEVER, true, false, 0},
};

static SUSPENDS void
test_announce(struct kit *k)
{
    (void)k;
    for (size_t i = 0; i < COUNT_OF(announced); i++) {
        struct queue_rcpt r = {.address = STR("a@x.example"),
                               .original = STR("a@x.example"),
                               .state = QUEUE_DELIVERED,
                               .notify = announced[i].notify,
                               .announce = announced[i].announce,
                               .relayed = announced[i].relayed};
        const struct queue_message m = {.sender = STR("s@x.example"), .rcpts = &r, .rcpt_count = 1};
        AUTO_BUF value = BUF(4096);
        struct queue_message got;

        ASSERT(queue_report_due(&m, &r, now) == announced[i].want);
        queue_message_write(&m, &value);
        ASSERT(queue_message_read(buf_str(&value), k->a, &got) == OK);
        ASSERT(got.rcpts[0].announce == r.announce && got.rcpts[0].relayed == r.relayed);
    }
}

/* ---- MT-PRIORITY ---- */

static SUSPENDS uint64_t
add_of_priority(struct kit *k, const char *to, int32_t priority)
{
    struct queue_rcpt r = {.address = str_of(to), .original = str_of(to)};
    const struct queue_message m = {.body = kit_blob(k, STR("Subject: x\r\n\r\n")),
                                    .size = 14,
                                    .terms = {.priority = priority},
                                    .rcpts = &r,
                                    .rcpt_count = 1};
    uint64_t qid = 0;

    ASSERT(queue_add(q, &m, STR("facts"), now, &qid) == OK);
    return qid;
}

static const struct {
    int32_t priority;
    enum queue_class class;
} classes[] = {{-9, QUEUE_LOW},   {-4, QUEUE_LOW},   {-3, QUEUE_NORMAL}, {0, QUEUE_NORMAL},
               {1, QUEUE_URGENT}, {4, QUEUE_URGENT}, {5, QUEUE_URGENT},  {9, QUEUE_URGENT}};

static SUSPENDS uint64_t
next_remote(struct kit *k)
{
    struct queue_message m;
    struct queue_job job;

    ASSERT(queue_take_remote(q, 1, &job) && queue_read(q, &job, now, k->a, &m) == OK);
    const struct queue_result r = {.index = 0, .state = QUEUE_DELIVERED};
    const struct queue_outcome o = {&r, 1, now};
    ASSERT(queue_results(q, &job, &o, k->a, &m) == OK);
    return m.qid;
}

/* Within a destination and among them; also after a restart, and after a try. */
static SUSPENDS void
test_priorities(struct kit *k)
{
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        const struct queue_terms t = {.priority = classes[i].priority};
        ASSERT(queue_terms_class(&t) == classes[i].class);
    }
    begin(k);
    for (int tried = 0; tried < 2; tried++) {
        uint64_t low = add_of_priority(k, "a@x.example", -5);
        uint64_t normal = add_of_priority(k, "a@y.example", -1);
        uint64_t urgent = add_of_priority(k, "b@x.example", 3);
        uint64_t last = add_of_priority(k, "c@x.example", -9);
        reopen(k);
        for (int i = 0; tried == 1 && i < 4; i++)
            try_remote(k, QUEUE_WAITING);
        pass(DAY / 2);
        ASSERT(next_remote(k) == urgent && next_remote(k) == normal);
        uint64_t third = next_remote(k), fourth = next_remote(k); /* pauses have jitter */
        ASSERT((third == low && fourth == last) || (tried == 1 && third == last && fourth == low));
        ASSERT(queue_length(q) == 0);
    }
    queue_free(&q);
}

/* However much is urgent, the rest goes on. */
static SUSPENDS void
test_priorities_starve_nobody(struct kit *k)
{
    static const char *const to[] = {"a@x.example", "a@y.example"};

    begin(k);
    for (size_t same = 0; same < 2; same++) {
        uint64_t usual = add_of_priority(k, "y@x.example", 0);
        uint64_t low = 0;
        size_t seen = 0;
        for (int i = 0; i < 4; i++)
            low = add_of_priority(k, "z@x.example", -9);
        for (int i = 0; i < 80; i++)
            add_of_priority(k, to[same], 9);
        for (int i = 0; i < 60; i++) {
            uint64_t qid = next_remote(k);
            seen += qid == usual || qid == low;
        }
        ASSERT(seen == 2); /* neither, and not the one because of the other */
        while (queue_length(q) > 0)
            next_remote(k);
    }
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
    {STR("\x01\x01\x00"), false},                     /* no time */
    {STR("\x01\x01\x01\x00"), false},                 /* time 0 */
    {STR("\x01\x00\x01\x02"), false},                 /* tag 0 */
    {STR("\x01\x7f\x01\x02"), false},                 /* an unknown tag */
    {STR("\x02\x01\x01\x02\x01\x01\x02"), false},     /* twice */
    {STR("\x01\x01\x05\x02"), false},                 /* cut off */
    {STR("\x01\x02\x02\x00\x00"), true},              /* BY=...;N at 0 */
    {STR("\x01\x02\x02\x03\x04"), true},              /* BY=...;RT */
    {STR("\x02\x01\x01\x02\x02\x02\x01\x04"), true},  /* held as well */
    {STR("\x02\x02\x02\x01\x04\x01\x01\x02"), false}, /* in the wrong order */
    {STR("\x01\x02\x02\x04\x04"), false},             /* an unknown flag */
    {STR("\x01\x02\x01\x01"), false},                 /* no time */
    {STR("\x01\x02\x03\x01\x04\x04"), false},         /* more than a time */
    {STR("\x01\x03\x01\x12"), true},                  /* priority 9 */
    {STR("\x01\x03\x01\x11"), true},                  /* -9 */
    {STR("\x01\x03\x01\x14"), false},                 /* 10 */
    {STR("\x01\x03\x01\x00"), false},                 /* 0 is not written */
    {STR("\x01\x03\x02\x12\x12"), false},
    {STR("\x01\x04\x00"), true}, /* TLS */
    {STR("\x01\x04\x01\x01"), false},
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
    {"return", test_return, KIT_ALL},
    {"return_says_so", test_return_says_so, KIT_MEM},
    {"return_under_way", test_return_under_way, KIT_MEM},
    {"return_in_silence", test_return_in_silence, KIT_MEM},
    {"notify", test_notify, KIT_MEM},
    {"notify_of_the_past", test_notify_of_the_past, KIT_MEM},
    {"announce", test_announce, KIT_MEM},
    {"priorities", test_priorities, KIT_ALL},
    {"priorities_starve_nobody", test_priorities_starve_nobody, KIT_MEM},
    {"values", test_values, KIT_MEM},
    {"stored", test_stored, KIT_MEM},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return kit_main("queue_terms", rows, COUNT_OF(rows), argv);
}
