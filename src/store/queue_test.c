/* queue_test.c - the life of messages in the queue, in a time of our own.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue.h"

#include "store/queue_values.h"
#include "store/queue_verbs.h"
#include "store/testkit_internal.h"

#define SECOND INT64_C(1000000)
#define DAY    (86400 * SECOND)

static struct queue *q;
static struct instant now;

static SUSPENDS void
open_queue(struct kit *k)
{
    now = k->now;
    ASSERT(queue_open(k->cs, &q) == OK && queue_load(q, now) == OK);
}

static SUSPENDS void
reopen(struct kit *k)
{
    queue_free(&q);
    kit_reopen(k);
    ASSERT(queue_open(k->cs, &q) == OK && queue_load(q, now) == OK);
}

static void
pass(int64_t seconds)
{
    now.us += seconds * SECOND;
    queue_tick(q, now);
}

/* "a@x.example" remote, "7" local account 7. */
static SUSPENDS uint64_t
add(struct kit *k, const char *sender, const char *to, uint32_t notify)
{
    struct queue_rcpt rcpts[16];
    struct str rest = str_of(to), one;
    size_t n = 0;
    uint64_t qid = 0;

    while (str_split(&rest, ' ', &one)) {
        bool local = ascii_is_digit(one.ptr[0]);
        rcpts[n] = (struct queue_rcpt){
            .address = local ? arena_printf(k->a, "u%.*s@here.example", STR_FMT(one)) : one,
            .account = local ? (uint64_t)(one.ptr[0] - '0') : 0,
            .notify = notify};
        rcpts[n].original = rcpts[n].address;
        n++;
    }
    const struct queue_message m = {.sender = str_of(sender),
                                    .body = kit_blob(k, STR("Subject: x\r\n\r\nbody\r\n")),
                                    .size = 22,
                                    .header_bytes = 14,
                                    .prepend = STR("DKIM-Signature: x\r\n"),
                                    .rcpts = rcpts,
                                    .rcpt_count = n};
    ASSERT(queue_add(q, &m, STR("facts"), now, &qid) == OK);
    ASSERT(qid != 0);
    return qid;
}

static SUSPENDS enum status
result(struct kit *k, const struct queue_job *job, uint32_t index, enum queue_state state)
{
    const struct queue_result r = {.index = index,
                                   .state = state,
                                   .code = state == QUEUE_DELIVERED ? 250
                                           : state == QUEUE_FAILED  ? 550
                                                                    : 451,
                                   .enhanced = state == QUEUE_FAILED ? STR("5.1.1") : STR_NONE,
                                   .text = STR("said so"),
                                   .remote = STR("mx.x.example")};
    const struct queue_outcome o = {&r, 1, now};
    struct queue_message m;

    return queue_results(q, job, &o, k->a, &m);
}

static SUSPENDS bool
has(struct kit *k, uint64_t qid)
{
    struct queue_message m;
    enum status st = queue_get(q, qid, k->a, &m);

    ASSERT(st == OK || st == ERR_NOT_FOUND);
    return st == OK;
}

static SUSPENDS void
report_without_mail(struct kit *k, const struct queue_job *job)
{
    struct queue_message m;
    uint32_t told[16];
    uint64_t qid;

    ASSERT(queue_get(q, job->qid, k->a, &m) == OK);
    for (size_t i = 0; i < m.rcpt_count; i++)
        told[i] = queue_report_due(&m, &m.rcpts[i], now);
    const struct queue_report r = {.told = told};
    ASSERT(queue_reported(q, job, &r, now, &qid) == OK && qid == 0);
}

static SUSPENDS void
test_one_domain_one_job(struct kit *k)
{
    struct queue_job job, none;
    struct queue_message m;

    open_queue(k);
    uint64_t qid = add(k, "s@here.example", "a@x.example b@y.example c@x.example 1", 0);
    ASSERT(queue_length(q) == 1 && queue_remote_ready(q) == 2);
    ASSERT(queue_take_remote(q, 5, &job) && str_eq(job.domain, STR("x.example")) && job.qid == qid);
    ASSERT(queue_is_leased(q, qid, 5) && !queue_is_leased(q, qid, 6));
    ASSERT(result(k, &job, 1, QUEUE_DELIVERED) == ERR_SYNTAX); /* of another job */
    ASSERT(result(k, &job, 9, QUEUE_DELIVERED) == ERR_SYNTAX); /* of nobody */
    ASSERT(result(k, &job, 0, QUEUE_DELIVERED) == OK);         /* nothing said of c: later */
    ASSERT(result(k, &job, 0, QUEUE_DELIVERED) == ERR_NOT_FOUND);
    ASSERT(queue_get(q, qid, k->a, &m) == OK);
    ASSERT(m.rcpts[0].state == QUEUE_DELIVERED && str_eq(m.rcpts[0].text, STR("said so")));
    ASSERT(m.rcpts[2].state == QUEUE_WAITING && m.rcpts[2].tries == 1 && m.rcpts[1].tries == 0);
    ASSERT(queue_take_remote(q, 5, &job) && str_eq(job.domain, STR("y.example")));
    ASSERT(result(k, &job, 1, QUEUE_DELIVERED) == OK);
    ASSERT(!queue_take_remote(q, 5, &none));
    ASSERT(queue_take_local(q, &job) && job.domain.len == 0);
    ASSERT(result(k, &job, 3, QUEUE_DELIVERED) == OK);
    pass(100);
    ASSERT(queue_take_remote(q, 5, &job) && result(k, &job, 2, QUEUE_DELIVERED) == OK);
    ASSERT(!has(k, qid) && queue_length(q) == 0);
    queue_free(&q);
}

/* The pauses double, with jitter, up to an hour; after five days it is over. */
static SUSPENDS void
test_retries(struct kit *k)
{
    struct queue_job job;
    int64_t pause = 60;
    int tries = 0, reports = 0;

    open_queue(k);
    uint64_t qid = add(k, "s@here.example", "a@x.example", 0);
    int64_t began = now.us;
    while (has(k, qid)) {
        if (queue_take_report(q, &job)) {
            reports++;
            report_without_mail(k, &job);
            continue;
        }
        if (!queue_take_remote(q, 5, &job)) {
            ASSERT(now.us - began < 6 * DAY);
            pass(1);
            continue;
        }
        ASSERT(result(k, &job, 0, QUEUE_WAITING) == OK);
        tries++;
        if (!has(k, qid))
            break;
        int64_t waited = now.us;
        while (queue_remote_ready(q) == 0 && now.us - waited < 2 * 3600 * SECOND) {
            pass(1);
            while (queue_take_report(q, &job)) {
                reports++;
                report_without_mail(k, &job);
            }
            if (!has(k, qid))
                break;
        }
        int64_t s = (now.us - waited) / SECOND;
        ASSERT(!has(k, qid) || (s >= pause * 79 / 100 && s <= pause * 121 / 100 + 1));
        pause = pause * 2 > 3600 ? 3600 : pause * 2;
        if (tries == 3)
            reopen(k); /* the times are kept */
    }
    ASSERT(now.us - began >= 5 * DAY && now.us - began < 5 * DAY + 3 * 3600 * SECOND);
    ASSERT(tries > 100 && tries < 200 && reports == 2); /* one of delay, one of failure */
    queue_free(&q);
}

static SUSPENDS enum status
untried(struct kit *k, const struct queue_job *job)
{
    const struct queue_result r = {.index = 0,
                                   .state = QUEUE_WAITING,
                                   .untried = true,
                                   .enhanced = STR("4.4.1"),
                                   .text = STR("connection timed out")};
    const struct queue_outcome o = {&r, 1, now};
    struct queue_message m;

    return queue_results(q, job, &o, k->a, &m);
}

/* Nobody was asked: no try, and never the end, however old it is; then it is tried in earnest. */
static SUSPENDS void
test_put_off(struct kit *k)
{
    struct queue_message m;
    struct queue_job job;
    int put_off = 0;

    open_queue(k);
    uint64_t qid = add(k, "", "a@x.example", 0);
    int64_t began = now.us;
    while (now.us - began < 5 * DAY + 3600 * SECOND) {
        if (!queue_take_remote(q, 5, &job)) {
            pass(10);
            continue;
        }
        ASSERT(!job.hurry && untried(k, &job) == OK && has(k, qid));
        put_off++;
        if (now.us - began >= 5 * DAY)
            break;
    }
    ASSERT(put_off > 100 && put_off < 200); /* about once an hour */
    ASSERT(queue_get(q, qid, k->a, &m) == OK && m.rcpts[0].tries == 0);
    ASSERT(m.rcpts[0].state == QUEUE_WAITING &&
           str_eq(m.rcpts[0].text, STR("connection timed out")));
    while (!queue_take_remote(q, 5, &job))
        pass(10);
    ASSERT(job.hurry && untried(k, &job) == OK && has(k, qid)); /* stopped, or no place */
    while (!queue_take_remote(q, 5, &job))
        pass(10);
    ASSERT(job.hurry && result(k, &job, 0, QUEUE_WAITING) == OK && !has(k, qid));
    queue_free(&q);
}

/* What the last try said becomes final: 4.7.5 of ours stays "not proven", as 5.7.5; a server's own is its reason for
 * waiting, not for refusing. */
static const struct {
    const char *enhanced;
    uint32_t code;
    const char *final;
} last_words[] = {
    {"4.7.5", 0, "5.7.5"},   {"4.7.5", 454, "4.4.7"}, {"4.4.3", 0, "4.4.7"},
    {"4.4.1", 0, "4.4.7"},   {"4.2.0", 451, "4.4.7"}, {"", 0, "4.4.7"},
    {"5.7.30", 0, "5.7.30"},
};

static SUSPENDS void
test_last_words(struct kit *k)
{
    open_queue(k);
    for (size_t i = 0; i < COUNT_OF(last_words); i++) {
        uint64_t qid = add(k, "s@here.example", "a@x.example", 0);
        struct queue_result r = {.index = 0,
                                 .state = QUEUE_WAITING,
                                 .code = last_words[i].code,
                                 .enhanced = str_of(last_words[i].enhanced),
                                 .text = STR("said so")};
        struct queue_outcome o = {&r, 1, now};
        struct queue_message m;
        struct queue_job job;
        ASSERT(queue_take_remote(q, 5, &job) && job.qid == qid);
        ASSERT(queue_results(q, &job, &o, k->a, &m) == OK && m.rcpts[0].state == QUEUE_WAITING);
        ROW(i, str_eq(m.rcpts[0].enhanced, r.enhanced)); /* as it is, until its time is over */
        pass(LIMIT_QUEUE_DAYS * INT64_C(86400) + 1);
        o.now = now;
        ASSERT(queue_take_remote(q, 5, &job) && job.qid == qid);
        ASSERT(queue_results(q, &job, &o, k->a, &m) == OK);
        ROW(i, m.rcpts[0].state == QUEUE_FAILED);
        ROW(i, str_eq(m.rcpts[0].enhanced, str_of(last_words[i].final)));
        ROW(i, str_eq(m.rcpts[0].text, STR("said so")));
        int64_t began = now.us;
        while (has(k, qid)) { /* until the sender heard of it */
            ASSERT(now.us - began < DAY);
            pass(10);
            if (queue_take_report(q, &job) && has(k, job.qid))
                report_without_mail(k, &job);
        }
    }
    queue_free(&q);
}

struct report_row {
    const char *sender;
    uint32_t notify;
    enum queue_state state;
    int64_t age_s;
    uint32_t want;
};
static const struct report_row report_rows[] = {
    {"s@h", 0, QUEUE_FAILED, 0, QUEUE_NOTIFY_FAILURE},
    {"s@h", 0, QUEUE_DELIVERED, 0, 0},
    {"s@h", 0, QUEUE_WAITING, 14399, 0},
    {"s@h", 0, QUEUE_WAITING, 14400, QUEUE_NOTIFY_DELAY},
    {"s@h", QUEUE_NOTIFY_NEVER, QUEUE_FAILED, 0, 0},
    {"s@h", QUEUE_NOTIFY_NEVER, QUEUE_WAITING, 99999, 0},
    {"s@h", QUEUE_NOTIFY_SUCCESS, QUEUE_DELIVERED, 0, QUEUE_NOTIFY_SUCCESS},
    {"s@h", QUEUE_NOTIFY_SUCCESS, QUEUE_FAILED, 0, 0},
    {"s@h", QUEUE_NOTIFY_FAILURE, QUEUE_WAITING, 99999, 0},
    {"s@h", QUEUE_NOTIFY_DELAY, QUEUE_WAITING, 99999, QUEUE_NOTIFY_DELAY},
    {"s@h", QUEUE_NOTIFY_FAILURE | QUEUE_NOTIFY_SUCCESS, QUEUE_FAILED, 0, QUEUE_NOTIFY_FAILURE},
    /* never a report on a report, RFC 5321 section 4.5.5 */
    {"", 0, QUEUE_FAILED, 0, 0},
    {"", QUEUE_NOTIFY_SUCCESS, QUEUE_DELIVERED, 0, 0},
    {"", QUEUE_NOTIFY_DELAY, QUEUE_WAITING, 99999, 0},
};

static SUSPENDS void
test_which_report(struct kit *k)
{
    (void)k;
    for (size_t i = 0; i < COUNT_OF(report_rows); i++) {
        const struct report_row *row = &report_rows[i];
        struct queue_message m = {.sender = str_of(row->sender)};
        struct queue_rcpt r = {.notify = row->notify, .state = row->state, .tries = 1};
        struct instant t = {row->age_s * SECOND};
        ASSERT(queue_report_due(&m, &r, t) == row->want);
        r.told = row->want;
        ASSERT(queue_report_due(&m, &r, t) == 0); /* once */
        r.told = 0;
        r.relayed = true;
        ASSERT(row->state != QUEUE_DELIVERED || queue_report_due(&m, &r, t) == 0);
    }
}

static SUSPENDS void
test_report_enters_with_its_mark(struct kit *k)
{
    struct queue_job job, none;
    struct queue_rcpt back = {.address = STR("s@here.example"),
                              .original = STR("s@here.example"),
                              .account = 3,
                              .notify = QUEUE_NOTIFY_NEVER};
    uint32_t told[2] = {0, QUEUE_NOTIFY_FAILURE};
    struct queue_message m;
    uint64_t qid2;

    open_queue(k);
    uint64_t qid = add(k, "s@here.example", "a@x.example b@y.example", 0);
    ASSERT(queue_take_remote(q, 5, &job) && queue_take_remote(q, 5, &job));
    ASSERT(result(k, &job, 1, QUEUE_FAILED) == OK && has(k, qid));
    ASSERT(queue_take_report(q, &job) && !queue_take_report(q, &none));
    reopen(k); /* nobody made it: it is due again */
    ASSERT(queue_take_report(q, &job) && job.qid == qid);
    const struct queue_message made = {
        .body = kit_blob(k, STR("From: x\r\n\r\n")), .size = 11, .rcpts = &back, .rcpt_count = 1};
    const struct queue_report r = {.told = told, .message = &made, .facts = STR("more facts")};
    ASSERT(queue_reported(q, &job, &r, now, &qid2) == OK && qid2 > qid);
    ASSERT(has(k, qid) && has(k, qid2) && queue_length(q) == 2);
    ASSERT(!queue_take_report(q, &none));
    reopen(k);
    ASSERT(!queue_take_report(q, &none) && queue_length(q) == 2);
    ASSERT(queue_take_local(q, &job) && job.qid == qid2);
    struct str facts;
    ASSERT(queue_facts(q, qid2, k->a, &facts) == OK && str_eq(facts, STR("more facts")));
    ASSERT(result(k, &job, 0, QUEUE_FAILED) == OK); /* a report that fails ends in silence */
    ASSERT(!has(k, qid2) && !queue_take_report(q, &none));
    ASSERT(queue_take_remote(q, 5, &job) && result(k, &job, 0, QUEUE_DELIVERED) == OK);
    ASSERT(!has(k, qid));
    ASSERT(queue_get(q, qid, k->a, &m) == ERR_NOT_FOUND);
    queue_free(&q);
}

static SUSPENDS void
test_lost_leases(struct kit *k)
{
    struct queue_job a, b, c;

    open_queue(k);
    uint64_t qid = add(k, "s@here.example", "a@x.example b@y.example", 0);
    ASSERT(queue_take_remote(q, 5, &a) && queue_take_remote(q, 6, &b));
    queue_owner_gone(q, 5, now);
    ASSERT(queue_remote_ready(q) == 1 && !queue_is_leased(q, qid, 5));
    ASSERT(result(k, &a, 0, QUEUE_DELIVERED) == ERR_NOT_FOUND); /* too late */
    ASSERT(queue_take_remote(q, 7, &c) && str_eq(c.domain, STR("x.example")) && c.lease != a.lease);
    queue_put_back(q, &c, now, 5000);
    ASSERT(!queue_take_remote(q, 7, &c));
    pass(6);
    ASSERT(queue_take_remote(q, 7, &c));
    ASSERT(result(k, &b, 1, QUEUE_DELIVERED) == OK && result(k, &c, 0, QUEUE_DELIVERED) == OK);
    ASSERT(!has(k, qid));
    queue_free(&q);
}

/* What was said of a taking before a restart says nothing of one after it. */
static SUSPENDS void
test_leases_of_another_life(struct kit *k)
{
    struct queue_job before, after;

    open_queue(k);
    uint64_t qid = add(k, "s@here.example", "a@x.example", 0);
    ASSERT(queue_take_remote(q, 5, &before));
    reopen(k);
    ASSERT(queue_take_remote(q, 5, &after) && after.qid == qid);
    ASSERT(result(k, &before, 0, QUEUE_WAITING) == ERR_NOT_FOUND);
    ASSERT(result(k, &after, 0, QUEUE_DELIVERED) == OK && !has(k, qid));
    queue_free(&q);
}

static SUSPENDS void
expect_route(struct kit *k, uint64_t qid, const char *route)
{
    struct queue_message m;

    ASSERT(queue_get(q, qid, k->a, &m) == OK && str_eq(m.route, str_of(route)));
}

/* Kept with the message, and due at once; one that is held stays held, one that is under way goes that way next. */
static SUSPENDS void
test_routes(struct kit *k)
{
    const struct queue_selection only = {.domain = STR("z.example")};
    struct queue_act_part part = {
        .only = &only, .verb = QUEUE_ROUTE, .route = STR("night"), .now = now};
    struct queue_job job, again;
    uint32_t n;

    open_queue(k);
    part.now = now;
    uint64_t one = add(k, "s@here.example", "a@x.example", 0);
    uint64_t other = add(k, "s@here.example", "b@z.example", 0);
    ASSERT(queue_reroute(q, 999, STR("spare"), now) == ERR_NOT_FOUND);
    for (int i = 0; i < 2; i++) {
        ASSERT(queue_take_remote(q, 5, &job));
        ASSERT(result(k, &job, 0, QUEUE_WAITING) == OK);
    }
    ASSERT(queue_remote_ready(q) == 0);
    ASSERT(queue_reroute(q, one, STR("spare"), now) == OK);
    ASSERT(queue_remote_ready(q) == 1 && queue_take_remote(q, 5, &job) && job.qid == one);
    ASSERT(queue_reroute(q, one, STR("other"), now) == OK && !queue_take_remote(q, 5, &again));
    ASSERT(result(k, &job, 0, QUEUE_WAITING) == OK);
    expect_route(k, one, "other");
    expect_route(k, other, "");
    ASSERT(queue_act(q, other, QUEUE_HOLD, now, &n) == OK);
    ASSERT(queue_act_some(q, &part) == OK && part.count == 1 && queue_remote_ready(q) == 0);
    reopen(k);
    expect_route(k, one, "other");
    expect_route(k, other, "night");
    ASSERT(queue_reroute(q, other, STR(""), now) == OK && queue_remote_ready(q) == 0);
    expect_route(k, other, "");
    queue_free(&q);
}

/* Whose log-in brought it stays with it, also beside a route. */
static SUSPENDS void
test_account(struct kit *k)
{
    struct queue_rcpt rcpt = {.address = STR("a@x.example"), .original = STR("a@x.example")};
    struct queue_message m = {
        .sender = STR("s@here.example"), .account = 77, .rcpts = &rcpt, .rcpt_count = 1};
    AUTO_BUF value = BUF(4096);
    struct queue_message read;

    queue_message_write(&m, &value);
    ASSERT(queue_message_read(buf_str(&value), k->a, &read) == OK);
    ASSERT(read.account == 77 && read.route.len == 0);
    buf_reset(&value);
    m.account = 0;
    queue_message_write(&m, &value);
    ASSERT(value.ptr[0] == 1); /* as versions before wrote it */
    ASSERT(queue_message_read(buf_str(&value), k->a, &read) == OK && read.account == 0);
    ASSERT(!read.junk);
    value.ptr[0] = 3;
    ASSERT(queue_message_read(buf_str(&value), k->a, &read) == ERR_CORRUPT);
    buf_reset(&value);
    m.junk = true;
    queue_message_write(&m, &value);
    ASSERT(queue_message_read(buf_str(&value), k->a, &read) == OK && read.junk && !read.held);
    value.ptr[1] |= 64; /* a flag that nobody knows */
    ASSERT(queue_message_read(buf_str(&value), k->a, &read) == ERR_CORRUPT);
}

static SUSPENDS void
test_verbs(struct kit *k)
{
    struct queue_job job, none;
    struct queue_message m;
    uint32_t n;

    open_queue(k);
    uint64_t qid = add(k, "s@here.example", "a@x.example b@y.example", 0);
    uint64_t other = add(k, "s@here.example", "c@z.example", 0);
    ASSERT(queue_act(q, 999, QUEUE_HOLD, now, &n) == ERR_NOT_FOUND);
    ASSERT(queue_take_remote(q, 5, &job));
    ASSERT(queue_act(q, qid, QUEUE_HOLD, now, &n) == OK && n == 1);
    ASSERT(queue_remote_ready(q) == 1); /* the other message's */
    ASSERT(result(k, &job, 0, QUEUE_WAITING) == OK);
    reopen(k);
    pass(7200);
    ASSERT(queue_remote_ready(q) == 1 && queue_get(q, qid, k->a, &m) == OK && m.held);
    ASSERT(queue_act(q, qid, QUEUE_RELEASE, now, &n) == OK);
    ASSERT(queue_remote_ready(q) == 3);
    for (int i = 0; i < 3; i++) {
        ASSERT(queue_take_remote(q, 5, &job));
        if (job.qid == qid)
            queue_put_back(q, &job, now, 3600000);
        else
            ASSERT(result(k, &job, 0, QUEUE_DELIVERED) == OK);
    }
    ASSERT(!has(k, other) && queue_remote_ready(q) == 0);
    ASSERT(queue_act(q, 0, QUEUE_RETRY, now, &n) == OK && n == 1 && queue_remote_ready(q) == 2);
    ASSERT(queue_take_remote(q, 5, &job));
    ASSERT(queue_act(q, 0, QUEUE_DROP, now, &n) == OK && n == 1);
    ASSERT(!has(k, qid) && queue_length(q) == 0);
    ASSERT(result(k, &job, 0, QUEUE_DELIVERED) == ERR_NOT_FOUND); /* dropped under way */
    ASSERT(!queue_take_remote(q, 5, &none));
    uint64_t next = add(k, "s@here.example", "c@z.example", 0);
    ASSERT(next > other); /* never used again */
    queue_free(&q);
}

static SUSPENDS void
test_listing(struct kit *k)
{
    const struct queue_message *list;
    struct queue_job job;
    size_t n;

    open_queue(k);
    for (int i = 0; i < 10; i++)
        add(k, "s@here.example", "a@x.example 1", 0);
    ASSERT(queue_take_local(q, &job));
    struct queue_page p = {.max = 4, .a = k->a};
    ASSERT(queue_list(q, &p, &list, &n) == OK && n == 4);
    ASSERT(list[0].rcpts[1].state == QUEUE_UNDER_WAY && list[1].rcpts[1].state == QUEUE_WAITING);
    ASSERT(str_eq(list[3].prepend, STR("DKIM-Signature: x\r\n")));
    uint64_t last = list[3].qid;
    ASSERT(p.after == last && p.more);
    p.max = 100;
    ASSERT(queue_list(q, &p, &list, &n) == OK && n == 6 && list[0].qid > last && !p.more);
    queue_free(&q);
}

/* Many jobs come due in the order of their times. */
static SUSPENDS void
test_order_of_timers(struct kit *k)
{
    struct queue_job job;
    int64_t due[40];

    open_queue(k);
    for (int i = 0; i < 40; i++)
        add(k, "", "a@x.example", 0);
    for (int i = 0; i < 40; i++) {
        ASSERT(queue_take_remote(q, 1, &job) && !job.hurry);
        due[job.qid % 40] = (int64_t)random_below(1000) + 1;
        queue_put_back(q, &job, now, due[job.qid % 40] * 1000);
    }
    size_t taken = 0;
    for (int64_t s = 0; s <= 1001; s++) {
        while (queue_take_remote(q, 1, &job)) {
            ASSERT(due[job.qid % 40] <= s && due[job.qid % 40] + 1 >= s);
            queue_put_back(q, &job, now, 86400000);
            taken++;
        }
        pass(1);
    }
    ASSERT(taken == 40);
    queue_free(&q);
}

/* Nobody answered. */
static SUSPENDS enum status
no_answer(struct kit *k, const struct queue_job *job)
{
    const struct queue_result r = {.index = 0, .state = QUEUE_WAITING, .text = STR("timed out")};
    const struct queue_outcome o = {&r, 1, now};
    struct queue_message m;

    return queue_results(q, job, &o, k->a, &m);
}

/* So many answers that the destination gets its whole share. */
static SUSPENDS void
make_known(struct kit *k, const char *rcpt)
{
    struct queue_job job;

    for (uint32_t i = 0; i < LIMIT_OUT_PER_DOMAIN; i++)
        add(k, "", rcpt, 0);
    for (uint32_t i = 0; i + 1 < LIMIT_OUT_PER_DOMAIN;
         i++) /* one stays, and with it what is known */
        ASSERT(queue_take_remote(q, 1, &job) && result(k, &job, 0, QUEUE_DELIVERED) == OK);
}

/* One attempt is under way where nobody has answered yet: the share grows with answers, and when a message is sent.
 * Where nobody answered the last time it is one again, and seldom the turn of that destination. */
static SUSPENDS void
test_silence(struct kit *k)
{
    struct queue_job jobs[3], job;
    uint32_t turn = 0;

    open_queue(k);
    for (int i = 0; i < 12; i++)
        add(k, "", "a@x.example", 0);
    ASSERT(queue_take_remote(q, 1, &jobs[0]) && !queue_take_remote(q, 1, &job));
    ASSERT(!queue_sending(q, jobs[0].qid, 2) && queue_sending(q, jobs[0].qid, 1));
    ASSERT(!queue_sending(q, jobs[0].qid, 1)); /* is known by now */
    ASSERT(queue_take_remote(q, 1, &jobs[1]) && !queue_take_remote(q, 1, &job));
    ASSERT(result(k, &jobs[0], 0, QUEUE_DELIVERED) == OK);
    ASSERT(queue_take_remote(q, 1, &jobs[0]) && queue_take_remote(q, 1, &jobs[2]));
    ASSERT(!queue_take_remote(q, 1, &job)); /* three are under way */
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        ASSERT(no_answer(k, &jobs[i]) == OK);
    ASSERT(queue_take_remote(q, 1, &job) && !queue_take_remote(q, 1, &jobs[0]));
    ASSERT(no_answer(k, &job) == OK);
    for (int i = 0; i < 32; i++)
        add(k, "", "a@y.example", 0);
    bool silent = false;
    for (; !silent && turn < 32; turn++) { /* x.example is behind, but not for ever */
        ASSERT(queue_take_remote(q, 1, &job));
        silent = str_eq(job.domain, STR("x.example"));
        ASSERT(result(k, &job, 0, QUEUE_DELIVERED) == OK);
    }
    ASSERT(turn > 2 && turn < 16);
    queue_free(&q);
}

/* Destinations in turn, each with its share at most. */
static SUSPENDS void
test_turns(struct kit *k)
{
    struct queue_job jobs[LIMIT_OUT_PER_DOMAIN + 4], job;
    uint32_t n = 0;
    uint64_t qid;

    open_queue(k);
    make_known(k, "a@dead.example");
    for (uint32_t i = 0; i < LIMIT_OUT_PER_DOMAIN + 2; i++)
        add(k, "", "a@dead.example", 0);
    add(k, "", "a@x.example", 0);
    add(k, "", "b@x.example c@y.example", 0);
    static const char *const turns[] = {"dead.example", "x.example", "y.example", "dead.example",
                                        "x.example"};
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        ASSERT(queue_take_remote(q, 1, &job) && str_eq(job.domain, str_of(turns[i])));
        if (job.domain.ptr[0] == 'd')
            jobs[n++] = job;
        else
            ASSERT(result(k, &job, i == 2 ? 1 : 0, QUEUE_DELIVERED) == OK);
    }
    while (queue_take_remote(q, 1, &jobs[n])) {
        ASSERT(str_eq(jobs[n].domain, STR("dead.example")));
        n++;
    }
    ASSERT(n == LIMIT_OUT_PER_DOMAIN && queue_remote_ready(q) == 3);
    qid = add(k, "", "z@z.example", 0); /* is not kept waiting */
    ASSERT(queue_take_remote(q, 1, &job) && job.qid == qid && !queue_take_remote(q, 1, &job));
    queue_put_back(q, &jobs[0], now, 60000);
    ASSERT(queue_take_remote(q, 1, &job) && !queue_take_remote(q, 1, &jobs[0]));
    ASSERT(!job.hurry && result(k, &job, 0, QUEUE_DELIVERED) == OK);
    uint32_t count;
    ASSERT(queue_act(q, jobs[1].qid, QUEUE_RETRY, now, &count) ==
           OK); /* under way: nothing to hurry */
    ASSERT(result(k, &jobs[1], 0, QUEUE_WAITING) == OK);
    ASSERT(queue_act(q, jobs[1].qid, QUEUE_RETRY, now, &count) == OK && count == 1);
    while (queue_take_remote(q, 1, &job) && job.qid != jobs[1].qid)
        ASSERT(!job.hurry && result(k, &job, 0, QUEUE_DELIVERED) == OK);
    ASSERT(job.qid == jobs[1].qid && job.hurry);
    queue_free(&q);
}

/* ---- local delivery, wherever the power goes ---- */

static SUSPENDS enum status
deliver_locals(struct kit *k)
{
    struct queue_job job;

    while (queue_take_local(q, &job)) {
        struct queue_result results[16];
        struct queue_message m;
        size_t n = 0;
        TRY(queue_get(q, job.qid, k->a, &m));
        for (uint32_t i = 0; i < m.rcpt_count; i++) {
            struct message_new new_message = {
                .blob = m.body, .size = m.size, .received = m.arrived, .qid = m.qid, .rcpt = i};
            struct message_place place;
            if (m.rcpts[i].state != QUEUE_WAITING)
                continue;
            AUTO(cell_close) struct cell *account = account_open(k->cs, m.rcpts[i].account);
            TRY(message_add(account, MAILBOX_INBOX, &new_message, now, &place));
            results[n++] = (struct queue_result){.index = i, .state = QUEUE_DELIVERED};
        }
        const struct queue_outcome o = {results, n, now};
        TRY(queue_results(q, &job, &o, k->a, &m));
        for (size_t i = 0; i < n; i++) {
            AUTO(cell_close) struct cell *account = account_open(k->cs, m.rcpts[i].account);
            TRY(message_forget_qid(account, m.qid, (uint32_t)i));
        }
    }
    return OK;
}

static SUSPENDS uint64_t
inbox_of(struct kit *k, uint64_t id)
{
    AUTO(cell_close) struct cell *account = account_open(k->cs, id);
    struct account_info info;

    ASSERT(account_info(account, &info) == OK);
    return info.messages;
}

static SUSPENDS void
test_crash_while_delivering(struct kit *k)
{
    uint64_t messages = 0;

    for (uint64_t id = 1; id <= 3; id++) {
        struct cell *account = kit_account(k, id);
        cell_close(&account);
    }
    for (uint64_t call = 1;; call++) {
        ASSERT(call < 200);
        open_queue(k);
        const struct engine_faults cut = {.crash_call = call}, none = {0};
        engine_mem_faults(k->e, &none);
        add(k, "s@here.example", "1 2 3", 0);
        messages++;
        engine_mem_faults(k->e, &cut);
        enum status st = deliver_locals(k);
        engine_mem_faults(k->e, &none);
        ASSERT(st == OK || st == ERR_IO);
        reopen(k);
        ASSERT(deliver_locals(k) == OK);
        ASSERT(queue_length(q) == 0);
        for (uint64_t id = 1; id <= 3; id++)
            ASSERT(inbox_of(k, id) == messages);
        queue_free(&q);
        if (st == OK)
            return;
    }
}

static const struct kit_row rows[] = {
    {"one_domain_one_job", test_one_domain_one_job, KIT_ALL},
    {"retries", test_retries, KIT_MEM},
    {"put_off", test_put_off, KIT_MEM},
    {"last_words", test_last_words, KIT_MEM},
    {"which_report", test_which_report, KIT_MEM},
    {"report_enters_with_its_mark", test_report_enters_with_its_mark, KIT_ALL},
    {"lost_leases", test_lost_leases, KIT_MEM | KIT_CLUSTER},
    {"leases_of_another_life", test_leases_of_another_life, KIT_MEM | KIT_CLUSTER},
    {"routes", test_routes, KIT_ALL},
    {"account", test_account, KIT_MEM},
    {"verbs", test_verbs, KIT_ALL},
    {"listing", test_listing, KIT_ALL},
    {"turns", test_turns, KIT_MEM},
    {"silence", test_silence, KIT_MEM},
    {"order_of_timers", test_order_of_timers, KIT_MEM},
    {"crash_while_delivering", test_crash_while_delivering, KIT_MEM},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return kit_main("queue", rows, COUNT_OF(rows), argv);
}
