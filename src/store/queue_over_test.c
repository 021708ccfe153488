/* queue_over_test.c - lines of messages that are held because their accounts sent too much.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_over.h"

#include "base/size.h"
#include "store/queue_verbs.h"
#include "store/testkit_internal.h"

#define MINUTE INT64_C(60000000)

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

/* Each a second later than the one before. */
static SUSPENDS uint64_t
add(struct kit *k, uint64_t account, bool over)
{
    struct queue_rcpt rcpt = {.address = STR("a@x.example"), .original = STR("a@x.example")};
    const struct queue_message m = {.sender = STR("s@here.example"),
                                    .body = kit_blob(k, STR("Subject: x\r\n\r\nbody\r\n")),
                                    .size = 22,
                                    .header_bytes = 14,
                                    .account = account,
                                    .held = true,
                                    .over = over,
                                    .rcpts = &rcpt,
                                    .rcpt_count = 1};
    uint64_t qid;

    now.us += 1000000;
    ASSERT(queue_add(q, &m, STR("facts"), now, &qid) == OK);
    return qid;
}

static SUSPENDS void
act(uint64_t qid, enum queue_verb v)
{
    uint32_t n;

    ASSERT(queue_act(q, qid, v, now, &n) == OK && n == 1);
}

static bool
next_is(uint64_t account, uint64_t qid)
{
    struct queue_over one;

    return queue_over_next(q, now, &one) && one.account == account && one.qid == qid;
}

static bool
none(void)
{
    struct queue_over one;

    return !queue_over_next(q, now, &one);
}

static SUSPENDS void
test_lines(struct kit *k)
{
    open_queue(k);
    uint64_t a1 = add(k, 7, true), a2 = add(k, 7, true), b1 = add(k, 8, true);
    ASSERT(add(k, 9, false) != 0 && queue_over_has(q, 7) && queue_over_has(q, 8));
    ASSERT(!queue_over_has(q, 9) && !queue_over_has(q, 0));
    for (int i = 0; i < 2; i++) { /* the first of each */
        ASSERT(next_is(7, a1) && next_is(8, b1) && none());
        now.us += MINUTE - 1;
        ASSERT(none());
        now.us++;
    }
    ASSERT(next_is(7, a1) && next_is(8, b1));
    queue_over_now(q);
    ASSERT(next_is(7, a1) && next_is(8, b1) && none());
    act(a1, QUEUE_RELEASE); /* then the next one at once */
    ASSERT(next_is(7, a2) && none());
    act(a2, QUEUE_HOLD); /* an operator's word */
    act(b1, QUEUE_DROP);
    ASSERT(!queue_over_has(q, 7) && !queue_over_has(q, 8));
    now.us += MINUTE;
    ASSERT(none());
    queue_free(&q);
}

static SUSPENDS void
test_after_a_restart(struct kit *k)
{
    uint64_t qids[5];

    open_queue(k);
    for (int i = 0; i < 5; i++)
        qids[i] = add(k, 7, true);
    ASSERT(add(k, 8, false) != 0);
    act(qids[3], QUEUE_HOLD);
    reopen(k);
    ASSERT(queue_over_has(q, 7) && !queue_over_has(q, 8));
    act(qids[1], QUEUE_DROP); /* not the first: no other is looked at for that */
    ASSERT(next_is(7, qids[0]) && none());
    act(qids[0], QUEUE_RELEASE);
    ASSERT(next_is(7, qids[2]));
    queue_over_forget(q, &(struct queue_over){7, qids[2]});
    ASSERT(next_is(7, qids[4]) && none());
    queue_over_forget(q, &(struct queue_over){7, qids[2]}); /* not there any more */
    queue_over_forget(q, &(struct queue_over){9, qids[4]});
    ASSERT(none() && queue_over_has(q, 7));
    queue_over_forget(q, &(struct queue_over){7, qids[4]});
    ASSERT(!queue_over_has(q, 7));
    queue_free(&q);
}

struct race {
    uint64_t qid;
    enum status released;
};

FIBER_ENTRY static void
release_one(void *arg)
{
    struct race *r = arg;

    r->released = queue_over_release(q, r->qid, now);
    kit_left();
}

/* An operator's hold is never undone by what looked at the message before. */
static SUSPENDS void
test_an_operator_was_first(struct kit *k)
{
    struct queue_message m;
    struct race r;

    open_queue(k);
    r.qid = add(k, 7, true);
    kit_go(release_one, &r);
    act(r.qid, QUEUE_HOLD); /* both are under way at once */
    kit_wait();
    ASSERT(queue_get(q, r.qid, k->a, &m) == OK && m.held && !m.over);
    ASSERT(queue_remote_ready(q) == 0 || r.released == OK);
    ASSERT(queue_over_release(q, r.qid, now) == ERR_NOT_FOUND);
    ASSERT(queue_get(q, r.qid, k->a, &m) == OK && m.held && !queue_over_has(q, 7));
    ASSERT(queue_over_release(q, add(k, 7, false), now) == ERR_NOT_FOUND); /* a milter's */
    uint64_t qid = add(k, 7, true);
    ASSERT(queue_over_release(q, qid, now) == OK && !queue_over_has(q, 7));
    ASSERT(queue_get(q, qid, k->a, &m) == OK && !m.held && queue_remote_ready(q) > 0);
    act(qid, QUEUE_DROP);
    ASSERT(queue_over_release(q, qid, now) == ERR_NOT_FOUND);
    queue_free(&q);
}

/* Nothing goes before all are known: the first may be in the last cell. */
static SUSPENDS void
test_before_the_load(struct kit *k)
{
    open_queue(k);
    uint64_t qid = add(k, 7, true);
    queue_free(&q);
    kit_reopen(k);
    ASSERT(queue_open(k->cs, &q) == OK);
    ASSERT(add(k, 7, true) > qid && none());
    ASSERT(queue_load(q, now) == OK);
    ASSERT(next_is(7, qid) && none());
    queue_free(&q);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"lines", test_lines, KIT_ALL},
        {"after a restart", test_after_a_restart, KIT_ALL},
        {"an operator was first", test_an_operator_was_first, KIT_ALL},
        {"before the load", test_before_the_load, KIT_MEM},
    };

    (void)argc;
    return kit_main("queue_over", rows, COUNT_OF(rows), argv);
}
