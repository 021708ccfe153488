/* queue_cells_test.c - messages over many cells, and data of the time when there was one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_internal.h"
#include "store/queue_summary.h"
#include "store/queue_verbs.h"
#include "store/testkit_internal.h"

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
    open_queue(k);
}

static SUSPENDS struct queue_message
message(struct kit *k, const char *to)
{
    struct queue_rcpt *r = ARENA_NEW(k->a, struct queue_rcpt);

    r->address = r->original = str_of(to);
    return (struct queue_message){.body = kit_blob(k, STR("Subject: x\r\n\r\nbody\r\n")),
                                  .size = 9,
                                  .arrived = k->now,
                                  .rcpts = r,
                                  .rcpt_count = 1};
}

/* As the first version wrote it: one cell, a head of version 1, no index. */
static SUSPENDS void
write_old(struct kit *k, uint64_t first, uint64_t n)
{
    struct cell *cell = cell_open(k->cs, (struct cell_id){.kind = 'q', .id = 1});
    AUTO_BUF head = BUF(64);
    struct tx *tx;

    buf_add_char(&head, 1);
    buf_add_be64(&head, first + n);
    for (uint64_t qid = first; qid < first + n; qid++) {
        AUTO_BUF value = BUF(QUEUE_VALUE_MAX);
        struct queue_key key = queue_key_of('E', qid);
        struct queue_message m = message(k, qid % 2 == 0 ? "a@even.example" : "a@odd.example");
        enum status st = ERR_CONFLICT;
        m.held = qid % 10 == 0;
        queue_message_write(&m, &value);
        while (st == ERR_CONFLICT) {
            ASSERT(tx_begin(cell, &tx) == OK);
            tx_put(tx, queue_key_str(&key), buf_str(&value));
            tx_put(tx, STR("H"), buf_str(&head));
            tx_ref_add(tx, m.body);
            st = tx_commit(&tx);
        }
        ASSERT(st == OK);
    }
    cell_close(&cell);
}

static SUSPENDS uint64_t
add(struct kit *k, const char *to)
{
    const struct queue_message m = message(k, to);
    uint64_t qid = 0;

    ASSERT(queue_add(q, &m, STR("facts"), now, &qid) == OK);
    return qid;
}

static SUSPENDS enum status
deliver(struct kit *k, const struct queue_job *job)
{
    const struct queue_result r = {.index = 0, .state = QUEUE_DELIVERED};
    const struct queue_outcome o = {&r, 1, now};
    struct queue_message m;

    ASSERT(queue_read(q, job, now, k->a, &m) == OK);
    return queue_results(q, job, &o, k->a, &m);
}

static SUSPENDS void
test_data_of_one_cell(struct kit *k)
{
    const struct queue_message *list;
    struct queue_job job;
    struct queue_page p = {.max = 1000, .a = k->a};
    uint32_t count;
    size_t n;

    write_old(k, 8150, 100); /* beyond the first block */
    open_queue(k);
    ASSERT(queue_length(q) == 100 && queue_remote_ready(q) == 90);
    uint64_t fresh = add(k, "b@new.example");
    ASSERT(fresh >= 8250 && queue_cell_of(q, fresh) == 0);
    reopen(k);
    ASSERT(queue_length(q) == 101 && queue_remote_ready(q) == 91);
    ASSERT(queue_list(q, &p, &list, &n) == OK && n == 101 && !p.more);
    ASSERT(list[0].qid == 8150 && list[100].qid == fresh && list[0].held);
    ASSERT(queue_act(q, 0, QUEUE_RELEASE, now, &count) == OK && count == 101);
    for (int i = 0; i < 101; i++)
        ASSERT(queue_take_remote(q, 1, &job) && deliver(k, &job) == OK);
    ASSERT(queue_length(q) == 0 && !queue_take_remote(q, 1, &job));
    reopen(k);
    ASSERT(queue_length(q) == 0 && add(k, "c@new.example") > fresh);
    queue_free(&q);
}

/* The power goes while the index is made: it is made again. */
static SUSPENDS void
test_crash_while_indexing(struct kit *k)
{
    for (uint64_t call = 1;; call++) {
        ASSERT(call < 400);
        if (call == 1)
            write_old(k, 1, 30);
        const struct engine_faults cut = {.crash_call = call}, none = {0};
        engine_mem_faults(k->e, &cut);
        enum status st = queue_open(k->cs, &q);
        engine_mem_faults(k->e, &none);
        ASSERT(st == OK || st == ERR_IO);
        if (st == OK) {
            ASSERT(queue_load(q, k->now) == OK && queue_length(q) == 30);
            ASSERT(queue_remote_ready(q) == 27);
            queue_free(&q);
            return;
        }
        kit_reopen(k);
    }
}

/* The next block of qids is of the next cell; a listing and a restart find all. */
static SUSPENDS void
test_blocks(struct kit *k)
{
    const struct queue_message *list;
    struct queue_job job;
    size_t n, total = 0;

    open_queue(k);
    q->at[0].next = q->at[0].load_below = QUEUE_BLOCK - 2; /* as if it had been used up to here */
    enum status st = ERR_CONFLICT;
    while (st == ERR_CONFLICT) {
        struct tx *tx;
        ASSERT(tx_begin(q->at[0].cell, &tx) == OK);
        queue_head_put(tx, &(struct queue_head){.next = QUEUE_BLOCK - 2});
        st = tx_commit(&tx);
    }
    ASSERT(st == OK);
    static const uint64_t want[] = {QUEUE_BLOCK - 2, QUEUE_BLOCK - 1, QUEUE_BLOCK, QUEUE_BLOCK + 1};
    for (size_t i = 0; i < COUNT_OF(want); i++)
        ASSERT(add(k, "a@x.example") == want[i]);
    ASSERT(q->at[0].count == 2 && q->at[1].count == 2);
    ASSERT(q->at[0].next == (uint64_t)QUEUE_BLOCK * QUEUE_CELLS);
    reopen(k);
    ASSERT(queue_length(q) == 4 && queue_remote_ready(q) == 4);
    struct queue_page p = {.max = 1, .a = k->a, .more = true};
    while (p.more) {
        ASSERT(queue_list(q, &p, &list, &n) == OK && n <= 1);
        ASSERT(n == 0 || list[0].qid == want[total]);
        total += n;
    }
    ASSERT(total == 4);
    q->at[1].count += LIMIT_QUEUE_CELL_MESSAGES; /* full: the block after it is the next */
    ASSERT(add(k, "a@x.example") == 2 * QUEUE_BLOCK);
    q->at[1].count -= LIMIT_QUEUE_CELL_MESSAGES;
    ASSERT(add(k, "a@x.example") == QUEUE_BLOCK + 2);
    for (int i = 0; i < 6; i++)
        ASSERT(queue_take_remote(q, 1, &job) && deliver(k, &job) == OK);
    reopen(k);
    ASSERT(queue_length(q) == 0 && queue_remote_ready(q) == 0);
    queue_free(&q);
}

/* What comes and goes while the index is read is neither lost nor doubled. */
static SUSPENDS void
test_work_before_it_is_loaded(struct kit *k)
{
    struct queue_message m;
    struct queue_job job;
    uint32_t count;

    open_queue(k);
    uint64_t held = add(k, "a@x.example"), dropped = add(k, "a@x.example"),
             kept = add(k, "a@x.example");
    queue_free(&q);
    kit_reopen(k);
    ASSERT(queue_open(k->cs, &q) == OK && queue_length(q) == 3 && queue_remote_ready(q) == 0);
    uint64_t added = add(k, "a@x.example");
    ASSERT(queue_act(q, held, QUEUE_HOLD, now, &count) == OK);
    ASSERT(queue_act(q, dropped, QUEUE_DROP, now, &count) == OK);
    ASSERT(queue_act(q, 0, QUEUE_RETRY, now, &count) == OK && count == 3);
    ASSERT(queue_remote_ready(q) == 2); /* the one that is known, and kept */
    ASSERT(queue_load(q, now) == OK && queue_length(q) == 3);
    ASSERT(queue_take_remote(q, 1, &job) && job.qid == kept && deliver(k, &job) == OK);
    ASSERT(queue_take_remote(q, 1, &job) && job.qid == added && deliver(k, &job) == OK);
    while (queue_take_remote(q, 1, &job)) /* came to mind twice: nothing is left to do */
        ASSERT(queue_read(q, &job, now, k->a, &m) == ERR_NOT_FOUND);
    ASSERT(queue_length(q) == 1 && map_count(q->entries) == 0);
    queue_free(&q);
}

/* Of a later version, or damaged: neither its index nor itself hides another message. */
static SUSPENDS void
test_one_unreadable(struct kit *k)
{
    static const char *const to[] = {"a@x.example", "a@y.example", "a@z.example"};
    static const char tags[] = {'I', 'E'};
    AUTO_ARENA *a = arena_new(64 << 20);
    const struct queue_message *list;
    struct queue_page page = {.max = 10, .a = a};
    uint64_t qids[3], first = 0;
    struct queue_summary sum;
    struct queue_job job;
    size_t n;

    open_queue(k);
    for (size_t i = 0; i < COUNT_OF(qids); i++)
        qids[i] = add(k, to[i]);
    ASSERT(queue_unreadable(q, &first) == 0);
    for (size_t i = 0; i < COUNT_OF(tags); i++) {
        AUTO(tx_abort) struct tx *tx = NULL;
        struct queue_key key = queue_key_of(tags[i], qids[i]);
        ASSERT(tx_begin(q->at[queue_cell_of(q, qids[i])].cell, &tx) == OK);
        tx_put(tx, queue_key_str(&key), STR("\x01\xff unheard of"));
        ASSERT(tx_commit(&tx) == OK);
    }
    queue_free(&q);
    kit_reopen(k);
    ASSERT(queue_open(k->cs, &q) == OK && queue_load(q, now) == OK);
    ASSERT(queue_length(q) == 3 && queue_unreadable(q, &first) == 1 && first == qids[0]);
    ASSERT(queue_list(q, &page, &list, &n) == OK && n == 2 && !page.more);
    ASSERT(queue_summarize(q, now, 10, a, &sum) == OK && sum.all.messages == 2);
    ASSERT(list[0].qid == qids[0] && list[1].qid == qids[2]);
    ASSERT(queue_remote_ready(q) == 2); /* who takes the second finds out */
    ASSERT(queue_take_remote(q, 1, &job) && queue_take_remote(q, 1, &job));
    ASSERT(job.qid == qids[2] && deliver(k, &job) == OK);
    queue_free(&q);
}

/* One second's share of put-offs, then the others of the destination wait for the next. */
static SUSPENDS void
test_put_offs_are_few(struct kit *k)
{
    const struct queue_result r = {.index = 0, .state = QUEUE_WAITING, .untried = true};
    uint32_t n = 0;

    open_queue(k);
    for (uint32_t i = 0; i < LIMIT_QUEUE_PUT_OFFS + 50; i++)
        add(k, "a@dead.example");
    uint64_t other = add(k, "a@x.example");
    for (uint32_t i = 0; i < LIMIT_QUEUE_PUT_OFFS + 51; i++) {
        const struct queue_outcome o = {&r, 1, now};
        struct queue_message m;
        struct queue_job job;
        if (!queue_take_remote(q, 1, &job))
            break;
        n += job.qid != other ? 1u : 0u;
        ASSERT(job.qid != other || i == 1);
        ASSERT(queue_results(q, &job, &o, k->a, &m) == OK);
    }
    ASSERT(n == LIMIT_QUEUE_PUT_OFFS && queue_remote_ready(q) == 50);
    struct queue_job job;
    queue_tick(q, now);
    ASSERT(queue_take_remote(q, 1, &job));
    queue_free(&q);
}

/* New mail goes before what was deferred, but one in four is of the old. */
static SUSPENDS void
test_fresh_first(struct kit *k)
{
    const struct queue_result later = {.index = 0, .state = QUEUE_WAITING};
    uint64_t old[3], fresh[5], order[8];
    struct queue_job job;
    struct queue_message m;

    open_queue(k);
    const struct queue_outcome o = {&later, 1, now};
    for (size_t i = 0; i < COUNT_OF(old); i++) {
        old[i] = add(k, "a@x.example");
        ASSERT(queue_take_remote(q, 1, &job) && queue_results(q, &job, &o, k->a, &m) == OK);
    }
    for (size_t i = 0; i < COUNT_OF(fresh); i++)
        fresh[i] = add(k, "b@x.example");
    now.us += INT64_C(7200000000);
    queue_tick(q, now);
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        ASSERT(queue_take_remote(q, 1, &job) && deliver(k, &job) == OK);
        order[i] = job.qid;
    }
    ASSERT(order[0] == fresh[0] && order[1] == fresh[1] && order[2] == fresh[2]);
    ASSERT(order[3] >= old[0] && order[3] <= old[2]); /* jitter decides which */
    ASSERT(order[4] == fresh[3] && order[5] == fresh[4] && order[7] <= old[2]);
    queue_free(&q);
}

/* A destination for which very many come due at once keeps no other waiting, and gets all of them. */
static SUSPENDS void
test_many_due_at_once(struct kit *k)
{
    enum { MANY = 1000 };
    const struct queue_result later = {.index = 0, .state = QUEUE_WAITING, .code = 451};
    struct queue_message m;
    struct queue_job job;
    size_t many = 0;

    open_queue(k);
    const struct queue_outcome o = {&later, 1, now};
    for (size_t i = 0; i < MANY; i++) {
        add(k, "a@many.example");
        ASSERT(queue_take_remote(q, 1, &job) && queue_results(q, &job, &o, k->a, &m) == OK);
    }
    add(k, "a@x.example");
    ASSERT(queue_take_remote(q, 1, &job) && queue_results(q, &job, &o, k->a, &m) == OK);
    now.us += INT64_C(7200000000);
    queue_tick(q, now);
    ASSERT(queue_remote_ready(q) < MANY / 2);
    while (queue_take_remote(q, 1, &job)) {
        bool is_many = str_eq(job.domain, STR("many.example"));
        ASSERT(is_many || many <= 1); /* in its turn */
        many += is_many ? 1 : 0;
        ASSERT(deliver(k, &job) == OK);
    }
    ASSERT(many == MANY && queue_length(q) == 0 && map_count(q->lanes) == 0);
    queue_free(&q);
}

/* What an operator pauses stays so, and mail for it is kept. */
static SUSPENDS void
test_pauses(struct kit *k)
{
    const struct queue_paused *list;
    struct queue_job job;
    size_t n;

    open_queue(k);
    add(k, "a@x.example");
    ASSERT(queue_pause(q, STR("x.example"), true, now) == OK);
    ASSERT(queue_pause(q, STR("x.example"), true, now) == ERR_EXISTS);
    ASSERT(queue_pause(q, STR("y.example"), false, now) == ERR_NOT_FOUND);
    ASSERT(queue_pause(q, STR("y.example"), true, now) == OK);
    add(k, "b@x.example");
    add(k, "c@z.example");
    ASSERT(queue_remote_ready(q) == 1);
    reopen(k);
    ASSERT(queue_remote_ready(q) == 1 && queue_is_paused(q, STR("x.example")));
    ASSERT(queue_take_remote(q, 1, &job) && str_eq(job.domain, STR("z.example")));
    ASSERT(!queue_take_remote(q, 1, &job));
    ASSERT(queue_pauses(q, k->a, &list, &n) == OK && n == 2);
    ASSERT(str_eq(list[0].domain, STR("x.example")) && list[0].since.us == now.us);
    ASSERT(queue_pause(q, STR(""), true, now) == OK && queue_is_paused(q, STR("")));
    ASSERT(queue_pause(q, STR("x.example"), false, now) == OK && !queue_take_remote(q, 1, &job));
    reopen(k);
    ASSERT(!queue_take_remote(q, 1, &job) && queue_remote_ready(q) == 0);
    ASSERT(queue_pause(q, STR(""), false, now) == OK && queue_remote_ready(q) == 3);
    ASSERT(queue_take_remote(q, 1, &job) && queue_pause(q, STR("x.example"), true, now) == OK);
    queue_put_back(q, &job, now, 0); /* to a lane that was paused meanwhile */
    ASSERT(queue_pause(q, STR("x.example"), false, now) == OK && queue_remote_ready(q) == 3);
    queue_free(&q);
}

struct selection_row {
    const char *domain, *sender, *recipient;
    int64_t before;
    bool want;
};
static const struct selection_row selection_rows[] = {
    {"", "", "", 0, true},
    {"x.example", "", "", 0, true},
    {"X.Example", "", "", 0, true},
    {"example", "", "", 0, false},
    {"done.example", "", "", 0, false}, /* nobody of it waits */
    {"", "s@here.example", "", 0, true},
    {"", "S@Here.Example", "", 0, true},
    {"", "<>", "", 0, false},
    {"", "", "a@x.example", 0, true},
    {"", "", "written@x.example", 0, true},
    {"", "", "d@done.example", 0, false},
    {"y.example", "", "a@x.example", 0, false}, /* one recipient must fit in all */
    {"", "", "", 1000, false},
    {"", "", "", 1001, true},
    {"x.example", "s@here.example", "a@x.example", 1001, true},
};

static SUSPENDS void
test_selection(struct kit *k)
{
    struct queue_rcpt rcpts[] = {
        {.address = STR("d@done.example"),
         .original = STR("d@done.example"),
         .state = QUEUE_FAILED},
        {.address = STR("a@x.example"), .original = STR("written@x.example")},
        {.address = STR("b@y.example"), .original = STR("b@y.example")}};
    struct queue_message m = {
        .sender = STR("s@here.example"), .arrived = {1000}, .rcpts = rcpts, .rcpt_count = 3};
    const struct queue_selection null_sender = {.sender = STR("<>")};

    (void)k;
    for (size_t i = 0; i < COUNT_OF(selection_rows); i++) {
        const struct selection_row *row = &selection_rows[i];
        const struct queue_selection s = {str_of(row->domain), str_of(row->sender),
                                          str_of(row->recipient), row->before};
        ASSERT(queue_selects(&s, &m) == row->want);
    }
    m.sender = STR("");
    ASSERT(queue_selects(&null_sender, &m));
}

static const struct {
    int64_t minutes;
    size_t want;
} ages[] = {{0, 0},   {4, 0},   {5, 1},    {9, 1},    {10, 2},
            {639, 7}, {640, 8}, {1279, 8}, {1280, 9}, {9999, 9}};

static SUSPENDS void
test_summary(struct kit *k)
{
    struct queue_summary sum;
    uint32_t count;

    for (size_t i = 0; i < COUNT_OF(ages); i++)
        ASSERT(queue_age_class(ages[i].minutes * INT64_C(60000000)) == ages[i].want);
    open_queue(k);
    uint64_t held = add(k, "a@x.example");
    now.us += INT64_C(700) * 60000000;
    add(k, "b@x.example");
    add(k, "c@y.example");
    struct queue_rcpt both[] = {{.address = STR("u@here.example"), .account = 3},
                                {.address = STR("d@x.example")}};
    both[0].original = both[0].address;
    both[1].original = both[1].address;
    struct queue_message m = message(k, "");
    m.rcpts = both;
    m.rcpt_count = 2;
    uint64_t qid;
    ASSERT(queue_add(q, &m, STR("facts"), now, &qid) == OK);
    ASSERT(queue_act(q, held, QUEUE_HOLD, now, &count) == OK);
    ASSERT(queue_pause(q, STR("z.example"), true, now) == OK);
    ASSERT(queue_summarize(q, now, 2, k->a, &sum) == OK);
    ASSERT(sum.destinations == 4 && sum.count == 2 && sum.all.messages == 4 && sum.all.held == 1);
    ASSERT(sum.all.ages[0] == 3 && sum.all.ages[8] == 1);
    ASSERT(str_eq(sum.tallies[0].domain, STR("x.example")) && sum.tallies[0].messages == 3);
    ASSERT(sum.tallies[0].held == 1 && sum.tallies[0].oldest.us == k->now.us);
    ASSERT(sum.tallies[1].domain.len == 0 && sum.tallies[1].messages == 1); /* mailboxes here */
    ASSERT(queue_summarize(q, now, 9, k->a, &sum) == OK && sum.count == 4);
    ASSERT(str_eq(sum.tallies[3].domain, STR("z.example")) && sum.tallies[3].paused &&
           sum.tallies[3].messages == 0 && !sum.tallies[2].paused);
    queue_free(&q);
}

static const struct kit_row rows[] = {
    {"summary", test_summary, KIT_ALL},
    {"data_of_one_cell", test_data_of_one_cell, KIT_ALL},
    {"crash_while_indexing", test_crash_while_indexing, KIT_MEM},
    {"blocks", test_blocks, KIT_ALL},
    {"work_before_it_is_loaded", test_work_before_it_is_loaded, KIT_ALL},
    {"one_unreadable", test_one_unreadable, KIT_MEM},
    {"put_offs_are_few", test_put_offs_are_few, KIT_MEM},
    {"fresh_first", test_fresh_first, KIT_MEM},
    {"many_due_at_once", test_many_due_at_once, KIT_MEM},
    {"pauses", test_pauses, KIT_ALL},
    {"selection", test_selection, KIT_MEM},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return kit_main("queue_cells", rows, COUNT_OF(rows), argv);
}
