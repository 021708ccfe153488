/* cell_test.c - transactions: order, groups, abort, conflicts, failures, the cache.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/cell_internal.h"
#include "store/testkit_internal.h"

#define CELL(n) ((struct cell_id){'t', (n)})

static SUSPENDS struct str
value(struct kit *k, struct cell *c, const char *key)
{
    struct str v;
    enum status s;

    do {
        s = cell_get(c, str_of(key), k->a, &v);
    } while (s == ERR_CONFLICT);
    ASSERT(s == OK);
    return v;
}

static SUSPENDS void
put(struct cell *c, const char *key, const char *v)
{
    enum status s;

    do {
        struct tx *t;
        ASSERT(tx_begin(c, &t) == OK);
        tx_put(t, str_of(key), str_of(v));
        s = tx_commit(&t);
    } while (s == ERR_CONFLICT);
    ASSERT(s == OK);
}

static SUSPENDS void
test_basic(struct kit *k)
{
    struct cell *c = cell_open(k->cs, CELL(1)), *again = cell_open(k->cs, CELL(1));
    struct tx *t;
    struct str v;

    ASSERT(c == again && cell_exists(c) == ERR_NOT_FOUND);
    ASSERT(value(k, c, "a").ptr == NULL);
    do {
        ASSERT(tx_begin(c, &t) == OK);
        ASSERT(tx_is_new(t));
        tx_put(t, STR("a"), STR("1"));
        tx_put(t, STR("a"), STR("2"));
        tx_put(t, STR("b"), STR(""));
        ASSERT(tx_get(t, STR("a"), &v) == OK && str_eq(v, STR("2")));
        tx_del(t, STR("b"));
        ASSERT(tx_get(t, STR("b"), &v) == OK && v.ptr == NULL);
        tx_put(t, STR("b"), STR(""));
        ASSERT(value(k, c, "a").ptr == NULL); /* not committed yet */
    } while (tx_commit(&t) == ERR_CONFLICT);
    ASSERT(t == NULL && cell_exists(c) == OK);
    ASSERT(str_eq(value(k, c, "a"), STR("2")));
    v = value(k, c, "b");
    ASSERT(v.ptr != NULL && v.len == 0);
    cell_close(&again);
    cell_close(&c);
    kit_reopen(k);
    c = cell_open(k->cs, CELL(1));
    ASSERT(str_eq(value(k, c, "a"), STR("2")) && cell_exists(c) == OK);
    cell_close(&c);
}

static SUSPENDS void
test_abort(struct kit *k)
{
    struct cell *c = cell_open(k->cs, CELL(1));
    const struct cell_entry *e;
    struct tx *t = NULL;
    struct str v;
    size_t n;

    put(c, "a", "1");
    tx_abort(&t);
    ASSERT(tx_begin(c, &t) == OK);
    tx_put(t, STR("a"), STR("2"));
    tx_put(t, STR("x"), STR("3"));
    tx_del(t, STR("a"));
    tx_record_put(t, 9, STR("record"));
    ASSERT(tx_group_bytes(t) > 0);
    tx_abort(&t);
    ASSERT(tx_begin(c, &t) == OK && tx_group_bytes(t) == 0);
    ASSERT(tx_get(t, STR("a"), &v) == OK && str_eq(v, STR("1")));
    ASSERT(tx_get(t, STR("x"), &v) == OK && v.ptr == NULL);
    ASSERT(tx_range(t, (struct tx_span){STR("a"), STR("z"), 9}, &e, &n) == OK && n == 1);
    ASSERT(tx_commit(&t) == OK);
    ASSERT(str_eq(value(k, c, "a"), STR("1")));
    cell_close(&c);
}

struct adder {
    struct cell *c;
    uint32_t times, aborts;
};

/* Adds 1 to a counter again and again; now and then a transaction is given up in the middle. */
static FIBER_ENTRY void
adder(void *arg)
{
    struct adder *a = arg;

    for (uint32_t i = 0; i < a->times;) {
        struct tx *t;
        struct str v;
        char text[24];
        enum status s = tx_begin(a->c, &t);
        ASSERT(s == OK || s == ERR_CONFLICT);
        if (s == ERR_CONFLICT)
            continue;
        s = tx_get(t, STR("n"), &v);
        if (s != OK) {
            ASSERT(s == ERR_CONFLICT);
            tx_abort(&t);
            continue;
        }
        uint64_t n = v.ptr ? be64_get(v.ptr) : 0;
        be64_put(text, n + 1);
        tx_put(t, STR("n"), str_from(text, 8));
        snprintf(text, sizeof(text), "k%08u", (unsigned)n);
        tx_put(t, str_of(text), STR("x"));
        if (random_below(10) == 0) {
            a->aborts++;
            tx_abort(&t);
            continue;
        }
        s = tx_commit(&t);
        ASSERT(s == OK || s == ERR_CONFLICT);
        i += s == OK;
    }
    kit_left();
}

static SUSPENDS void
test_crowd(struct kit *k)
{
    enum { FIBERS = 20, TIMES = 30 };
    struct adder a[FIBERS];
    struct cell *c = cell_open(k->cs, CELL(1));
    const struct cell_entry *e;
    struct tx *t;
    size_t n;

    uint64_t before = engine_counters(k->e).commits;
    for (size_t i = 0; i < FIBERS; i++) {
        a[i] = (struct adder){c, TIMES, 0};
        kit_go(adder, &a[i]);
    }
    kit_wait();
    uint64_t commits = engine_counters(k->e).commits - before;
    struct str v = value(k, c, "n");
    ASSERT(v.ptr != NULL && be64_get(v.ptr) == FIBERS * TIMES);
    /* The combiner: many transactions, few commits. */
    ASSERT(commits < FIBERS * TIMES / 2);
    ASSERT(tx_begin(c, &t) == OK);
    ASSERT(tx_range(t, (struct tx_span){STR("k"), STR("l"), 10000}, &e, &n) == OK);
    ASSERT(n == FIBERS * TIMES);
    for (size_t i = 1; i < n; i++)
        ASSERT(str_cmp(e[i - 1].key, e[i].key) < 0);
    tx_abort(&t);
    cell_close(&c);
}

/* A transaction sees what the group in flight and the group being built wrote. */
struct overlay {
    struct kit *k;
    struct cell *c;
};

static FIBER_ENTRY void
overlay_writer(void *arg)
{
    struct overlay *o = arg;

    put(o->c, "b", "flight");
    kit_left();
}

static SUSPENDS void
test_overlay(struct kit *k)
{
    struct cell *c = cell_open(k->cs, CELL(1));
    struct overlay o = {k, c};
    const struct cell_entry *e;
    struct engine_faults f = {.delay_max_ms = 20};
    struct tx *t;
    struct str v;
    size_t n;

    put(c, "a", "1");
    put(c, "b", "2");
    put(c, "c", "3");
    engine_mem_faults(k->e, &f);
    kit_go(overlay_writer, &o);
    fiber_yield(); /* it commits */
    ASSERT(tx_begin(c, &t) == OK);
    ASSERT(tx_get(t, STR("b"), &v) == OK && str_eq(v, STR("flight")));
    tx_del(t, STR("a"));
    tx_put(t, STR("d"), STR("4"));
    enum status s = tx_range(t, (struct tx_span){STR("a"), STR("z"), 9}, &e, &n);
    ASSERT(s == OK && n == 3);
    ASSERT(str_eq(e[0].key, STR("b")) && str_eq(e[0].value, STR("flight")));
    ASSERT(str_eq(e[1].key, STR("c")) && str_eq(e[2].key, STR("d")));
    ASSERT(tx_range(t, (struct tx_span){STR("a"), STR("z"), 1}, &e, &n) == OK && n == 1);
    s = tx_commit(&t);
    ASSERT(s == OK);
    kit_wait();
    ASSERT(value(k, c, "a").ptr == NULL);
    cell_close(&c);
}

/* Two stores on one set of cells: nothing is lost, each sees the other's changes. */
static SUSPENDS void
test_two_nodes(struct kit *k)
{
    struct kit other = *k;
    enum { TIMES = 40 };

    kit_open(&other);
    struct cell *c = cell_open(k->cs, CELL(1)), *d = cell_open(other.cs, CELL(1));
    struct adder a[4] = {{c, TIMES, 0}, {c, TIMES, 0}, {d, TIMES, 0}, {d, TIMES, 0}};
    for (size_t i = 0; i < COUNT_OF(a); i++)
        kit_go(adder, &a[i]);
    kit_wait();
    struct cell *fresh = NULL;
    cell_close(&c);
    cell_close(&d);
    kit_close(&other);
    kit_reopen(k);
    fresh = cell_open(k->cs, CELL(1));
    struct str v = value(k, fresh, "n");
    ASSERT(v.ptr != NULL && be64_get(v.ptr) == 4 * TIMES);
    cell_close(&fresh);
}

/* What one member of a group asks for in vain does not fail the others. */
struct neighbour {
    struct cell *c;
    bool bad;
    enum status last;
};

static FIBER_ENTRY void
neighbour(void *arg)
{
    struct neighbour *n = arg;
    char key[2] = {'n', n->bad ? 'b' : 'g'};
    struct tx *t;

    do {
        ASSERT(tx_begin(n->c, &t) == OK);
        tx_put(t, str_from(key, sizeof(key)), STR("x"));
        if (n->bad)
            tx_ref_add(t, (struct blob_id){{1}});
        n->last = tx_commit(&t);
    } while (n->last == ERR_CONFLICT);
    kit_left();
}

static SUSPENDS void
test_bad_neighbour(struct kit *k)
{
    struct cell *c = cell_open(k->cs, CELL(1));
    struct neighbour all[5] = {
        {c, false, OK}, {c, false, OK}, {c, true, OK}, {c, false, OK}, {c, true, OK}};

    put(c, "a", "1");
    for (size_t i = 0; i < COUNT_OF(all); i++)
        kit_go(neighbour, &all[i]);
    kit_wait();
    for (size_t i = 0; i < COUNT_OF(all); i++)
        ASSERT(all[i].last == (all[i].bad ? ERR_NOT_FOUND : OK));
    ASSERT(str_eq(value(k, c, "ng"), STR("x")) && value(k, c, "nb").ptr == NULL);
    cell_close(&c);
}

static SUSPENDS void
test_fail(struct kit *k)
{
    struct cell *c = cell_open(k->cs, CELL(1));
    struct engine_faults none = {0}, temp = {.temp_percent = 100}, io = {.io_error_call = 1},
                         full = {.full = true}, conflict = {.conflict_call = 1};
    struct tx *t;
    struct str v;

    put(c, "a", "1");
    engine_mem_faults(k->e, &temp);
    ASSERT(tx_begin(c, &t) == OK);
    tx_put(t, STR("a"), STR("2"));
    ASSERT(tx_commit(&t) == ERR_TEMP);
    engine_mem_faults(k->e, &full);
    ASSERT(tx_begin(c, &t) == OK);
    tx_put(t, STR("a"), STR("2"));
    ASSERT(tx_commit(&t) == ERR_NO_SPACE);
    engine_mem_faults(k->e, &conflict);
    ASSERT(tx_begin(c, &t) == OK);
    tx_put(t, STR("a"), STR("2"));
    ASSERT(tx_commit(&t) == ERR_CONFLICT);
    engine_mem_faults(k->e, &none);
    ASSERT(str_eq(value(k, c, "a"), STR("1")));
    engine_mem_faults(k->e, &io);
    ASSERT(tx_begin(c, &t) == OK);
    tx_put(t, STR("a"), STR("2"));
    ASSERT(tx_commit(&t) == ERR_IO);
    ASSERT(tx_begin(c, &t) == ERR_IO);
    ASSERT(cell_get(c, STR("a"), k->a, &v) == ERR_IO);
    cell_close(&c);
}

/* A small cache gives right answers, and stays small. */
static SUSPENDS void
test_evict(struct kit *k)
{
    struct cells *small = cells_new(k->e, 10000);
    char key[16], v[200] = "";

    for (uint64_t i = 0; i < 300; i++) {
        struct cell *c = cell_open(small, CELL(i % 7));
        snprintf(key, sizeof(key), "k%u", (unsigned)i);
        snprintf(v, sizeof(v), "%0150u", (unsigned)i);
        put(c, key, v);
        cell_close(&c);
        ASSERT(small->bytes <= 10000);
    }
    for (uint64_t i = 0; i < 300; i++) {
        struct cell *c = cell_open(small, CELL(i % 7));
        snprintf(key, sizeof(key), "k%u", (unsigned)i);
        snprintf(v, sizeof(v), "%0150u", (unsigned)i);
        ASSERT(str_eq(value(k, c, key), str_of(v)));
        cell_close(&c);
        ASSERT(small->bytes <= 10000);
    }
    cells_free(&small);
}

static SUSPENDS void
test_limit(struct kit *k)
{
    struct cell *c = cell_open(k->cs, CELL(1));
    size_t size = LIMIT_COMMIT_BYTES / 8;
    char *bytes = arena_alloc(k->a, size), key[2] = "a";
    struct tx *t;

    ASSERT(tx_begin(c, &t) == OK);
    for (int i = 0; i < 9; i++, key[0]++)
        tx_put(t, str_of(key), str_from(bytes, size));
    ASSERT(tx_commit(&t) == ERR_LIMIT);
    ASSERT(value(k, c, "a").ptr == NULL);
    put(c, "a", "1");
    cell_close(&c);
}

static SUSPENDS void
test_drop(struct kit *k)
{
    struct cell *c = cell_open(k->cs, CELL(1));
    enum status s;
    struct tx *t;

    put(c, "a", "1");
    do {
        s = cell_drop(c);
    } while (s == ERR_CONFLICT);
    ASSERT(s == OK);
    ASSERT(tx_begin(c, &t) == OK);
    tx_put(t, STR("a"), STR("2"));
    s = tx_commit(&t);
    ASSERT(s == ERR_NOT_FOUND || s == ERR_CONFLICT);
    cell_close(&c);
}

/* Cancelled while it waits: nobody else is harmed. */
struct cancelled {
    struct cell *c;
    struct fiber *fiber;
    enum status status;
};

static FIBER_ENTRY void
cancelled(void *arg)
{
    struct cancelled *x = arg;
    struct tx *t;

    x->fiber = fiber_self();
    x->status = tx_begin(x->c, &t);
    if (x->status == OK) {
        tx_put(t, STR("b"), STR("2"));
        x->status = tx_commit(&t);
    }
    kit_left();
}

static SUSPENDS void
test_cancel(struct kit *k)
{
    struct cell *c = cell_open(k->cs, CELL(1));
    struct engine_faults slow = {.delay_max_ms = 20};
    struct overlay o = {k, c};
    struct cancelled x = {.c = c}, y = {.c = c};

    put(c, "a", "1");
    engine_mem_faults(k->e, &slow);
    kit_go(overlay_writer, &o);
    fiber_yield();
    kit_go(cancelled, &x);
    kit_go(cancelled, &y);
    fiber_yield();
    fiber_cancel(x.fiber);
    kit_wait();
    ASSERT(x.status == ERR_CANCELLED || x.status == OK);
    ASSERT(y.status == OK);
    ASSERT(str_eq(value(k, c, "b"), STR("2")));
    cell_close(&c);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"basic", test_basic, KIT_ALL},
        {"abort", test_abort, KIT_ALL},
        {"crowd", test_crowd, KIT_ALL},
        {"overlay", test_overlay, KIT_MEM},
        {"two_nodes", test_two_nodes, KIT_CLUSTER},
        {"bad_neighbour", test_bad_neighbour, KIT_ALL},
        {"fail", test_fail, KIT_MEM},
        {"evict", test_evict, KIT_ALL},
        {"limit", test_limit, KIT_ALL},
        {"drop", test_drop, KIT_ALL},
        {"cancel", test_cancel, KIT_MEM},
    };

    (void)argc;
    return kit_main("cells", rows, COUNT_OF(rows), argv);
}
