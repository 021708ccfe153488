/* contract_cells_test.c - the promises about cells.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "engine/contract_internal.h"
#include "rt/random.h"

void
contract_absent(struct subject *s)
{
    struct cell_walk w = {.cell = CELL(1), .bytes_max = 100};
    struct str keys[2] = {STR("a"), STR("b")}, values[2];
    const struct cell_entry *entries;
    struct cell_version v = {9};
    struct str record;
    uint64_t number = 3;
    size_t n = 9;

    ASSERT(engine_version(s->e, CELL(1), &v) == OK && v.v == 0);
    v.v = 9;
    ASSERT(engine_get(s->e, CELL(1), keys, 2, s->a, values, &v) == OK);
    ASSERT(v.v == 0 && !values[0].ptr && !values[1].ptr);
    ASSERT(engine_walk(s->e, &w, s->a, &entries, &n) == OK && n == 0);
    engine_walk_end(s->e, &w);
    ASSERT(engine_records(s->e, CELL(1), &number, 1, s->a, &record) == OK && !record.ptr);
    ASSERT(engine_drop(s->e, CELL(1), (struct cell_version){7}) == ERR_CONFLICT);
    ASSERT(!engine_failed(s->e));
}

void
contract_commit(struct subject *s)
{
    struct batch *b = batch_new(s->a);
    struct cell_version v1, v2, v;
    struct str keys[3] = {STR("k1"), STR("none"), STR("k2")}, values[3];

    ASSERT(batch_empty(b) && batch_bytes(b) == 0);
    batch_put(b, STR("k1"), STR("one"));
    batch_put(b, STR("k2"), STR(""));
    ASSERT(!batch_empty(b) && batch_bytes(b) >= 7);
    ASSERT(commit_retry(s, CELL(1), CELL_ABSENT, b, &v1) == OK && v1.v != 0);
    ASSERT(engine_get(s->e, CELL(1), keys, 3, s->a, values, &v) == OK);
    ASSERT(v.v == v1.v && str_eq(values[0], STR("one")) && !values[1].ptr);
    ASSERT(values[2].ptr && values[2].len == 0);

    /* An empty batch is a commit like any other. */
    ASSERT(commit_retry(s, CELL(1), v1, batch_new(s->a), &v2) == OK && v2.v != v1.v);
    ASSERT(version_ok(s, CELL(1)).v == v2.v);
    ASSERT(str_eq(get_ok(s, CELL(1), STR("k1")), STR("one")));
    /* Another cell of the same number but another kind is another cell. */
    ASSERT(version_ok(s, (struct cell_id){'u', 1}).v == 0);
}

void
contract_conflict(struct subject *s)
{
    struct batch *b = batch_new(s->a);
    struct cell_version v1 = put_ok(s, CELL(1), STR("k"), STR("1"));
    struct cell_version v2 = put_ok(s, CELL(1), STR("k"), STR("2")), now = {0};

    batch_put(b, STR("k"), STR("lost"));
    batch_put(b, STR("other"), STR("lost"));
    ASSERT(engine_commit(s->e, CELL(1), v1, b, &now) == ERR_CONFLICT);
    ASSERT(engine_commit(s->e, CELL(1), CELL_ABSENT, b, &now) == ERR_CONFLICT);
    ASSERT(engine_commit(s->e, CELL(1), (struct cell_version){v2.v + 1}, b, &now) == ERR_CONFLICT);
    ASSERT(engine_commit(s->e, CELL(2), v2, b, &now) == ERR_CONFLICT);
    ASSERT(now.v == 0); /* out-parameters are untouched on failure */
    ASSERT(version_ok(s, CELL(1)).v == v2.v && version_ok(s, CELL(2)).v == 0);
    ASSERT(str_eq(get_ok(s, CELL(1), STR("k")), STR("2")));
    ASSERT(!get_ok(s, CELL(1), STR("other")).ptr);
}

void
contract_order(struct subject *s)
{
    struct batch *b = batch_new(s->a);
    struct cell_version v;

    put_ok(s, CELL(1), STR("a"), STR("old"));
    batch_put(b, STR("a"), STR("x"));
    batch_del(b, STR("a"));
    batch_put(b, STR("b"), STR("x"));
    batch_del(b, STR("b"));
    batch_put(b, STR("b"), STR("last"));
    batch_del(b, STR("absent"));
    batch_put(b, STR("c"), STR("1"));
    batch_put(b, STR("c"), STR("2"));
    ASSERT(commit_retry(s, CELL(1), version_ok(s, CELL(1)), b, &v) == OK);
    ASSERT(!get_ok(s, CELL(1), STR("a")).ptr);
    ASSERT(str_eq(get_ok(s, CELL(1), STR("b")), STR("last")));
    ASSERT(str_eq(get_ok(s, CELL(1), STR("c")), STR("2")));
}

/* Every byte may stand in a key; keys and values are bytes, and batches copy them. */
void
contract_keys(struct subject *s)
{
    struct batch *b = batch_new(s->a);
    struct cell_version v;
    char key[3], value[2];
    struct str longest = pattern(s->a, ENGINE_KEY_MAX - 1, 5);
    struct str high = arena_printf(s->a, "L%.*s", 0, "");

    for (int c = 1; c < 256; c++) {
        key[0] = (char)c;
        key[1] = 0;
        key[2] = (char)(255 - c);
        value[0] = (char)c;
        value[1] = 0;
        batch_put(b, str_from(key, 3), str_from(value, 2));
    }
    struct buf name = BUF(ENGINE_KEY_MAX);
    buf_add(&name, high);
    buf_add(&name, longest);
    batch_put(b, buf_str(&name), STR("longest"));
    ASSERT(commit_retry(s, CELL(1), CELL_ABSENT, b, &v) == OK);
    for (int c = 1; c < 256; c++) {
        key[0] = (char)c;
        key[2] = (char)(255 - c);
        value[0] = (char)c;
        ASSERT(str_eq(get_ok(s, CELL(1), str_from(key, 3)), str_from(value, 2)));
    }
    ASSERT(str_eq(get_ok(s, CELL(1), buf_str(&name)), STR("longest")));
    buf_release(&name);
}

void
contract_limits(struct subject *s)
{
    struct cell_version v, now = {0};
    struct batch *b = batch_new(s->a);
    struct str long_key = pattern(s->a, ENGINE_KEY_MAX + 1, 1), value;
    struct str half = pattern(s->a, ENGINE_BATCH_MAX / 2, 2);
    struct str most = str_sub(half, 0, half.len - 1000);

    *(char *)(uintptr_t)long_key.ptr = 'k';
    batch_put(b, long_key, STR("x"));
    batch_put(b, STR("k"), STR("x"));
    ASSERT(engine_commit(s->e, CELL(1), CELL_ABSENT, b, &now) == ERR_LIMIT);
    ASSERT(engine_get(s->e, CELL(1), &long_key, 1, s->a, &value, &v) == ERR_LIMIT);

    b = batch_new(s->a);
    batch_put(b, STR("1"), half);
    batch_put(b, STR("2"), half);
    ASSERT(engine_commit(s->e, CELL(1), CELL_ABSENT, b, &now) == ERR_LIMIT);
    ASSERT(version_ok(s, CELL(1)).v == 0 && now.v == 0);

    b = batch_new(s->a);
    batch_put(b, STR("1"), most);
    batch_put(b, STR("2"), most);
    ASSERT(commit_retry(s, CELL(1), CELL_ABSENT, b, &now) == OK);
    ASSERT(str_eq(get_ok(s, CELL(1), STR("2")), most));

    struct str *keys = ARENA_ARRAY(s->a, struct str, ENGINE_GET_MAX + 1);
    struct str *values = ARENA_ARRAY(s->a, struct str, ENGINE_GET_MAX + 1);
    for (size_t i = 0; i <= ENGINE_GET_MAX; i++)
        keys[i] = STR("none");
    ASSERT(engine_get(s->e, CELL(1), keys, ENGINE_GET_MAX, s->a, values, &v) == OK);
    ASSERT(engine_get(s->e, CELL(1), keys, ENGINE_GET_MAX + 1, s->a, values, &v) == ERR_LIMIT);
    ASSERT(!engine_failed(s->e));
}

/* Walks a range in pages of bytes_max and returns the number of entries, checking order and content:
 * key "k%04d" holds the number. */
static SUSPENDS int
walk_count(struct subject *s, struct cell_id c, struct str lo, struct str hi, size_t bytes_max)
{
    struct cell_walk w = {.cell = c, .lo = lo, .hi = hi, .bytes_max = bytes_max};
    const struct cell_entry *entries;
    struct str last = STR("");
    size_t n;
    int count = 0;

    do {
        ASSERT(engine_walk(s->e, &w, s->a, &entries, &n) == OK);
        ASSERT(bytes_max > 1 || n <= 1);
        for (size_t i = 0; i < n; i++, count++) {
            ASSERT(str_cmp(last, entries[i].key) < 0);
            ASSERT(str_cmp(entries[i].key, lo) >= 0);
            ASSERT(hi.len == 0 || str_cmp(entries[i].key, hi) < 0);
            ASSERT(str_eq(str_skip(entries[i].key, 1), entries[i].value));
            last = entries[i].key;
        }
    } while (n > 0);
    /* The end stays the end. */
    ASSERT(engine_walk(s->e, &w, s->a, &entries, &n) == OK && n == 0);
    engine_walk_end(s->e, &w);
    return count;
}

static SUSPENDS void
walk_fill(struct subject *s, uint64_t cell, int n)
{
    struct batch *b = batch_new(s->a);
    struct cell_version v;

    for (int i = 0; i < n; i++) {
        struct str key = arena_printf(s->a, "k%04d", i);
        batch_put(b, key, str_skip(key, 1));
    }
    ASSERT(commit_retry(s, CELL(cell), version_ok(s, CELL(cell)), b, &v) == OK);
}

void
contract_walk(struct subject *s)
{
    /* Neighbours, so that a range that leaks out of its cell is seen. */
    walk_fill(s, 6, 20);
    walk_fill(s, 7, 300);
    walk_fill(s, 8, 20);
    put_ok(s, (struct cell_id){'u', 0}, STR("k"), STR(""));
    put_ok(s, (struct cell_id){'s', UINT64_MAX}, STR("\xff"), STR("\xff"));

    static const size_t pages[] = {1, 30, 500, 1u << 20};
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        ASSERT(walk_count(s, CELL(7), STR("k"), STR(""), pages[i]) == 300);
        ASSERT(walk_count(s, CELL(7), STR("k0100"), STR("k0200"), pages[i]) == 100);
        ASSERT(walk_count(s, CELL(7), STR("k0299"), STR(""), pages[i]) == 1);
        ASSERT(walk_count(s, CELL(7), STR("k02990"), STR(""), pages[i]) == 0);
        ASSERT(walk_count(s, CELL(7), STR("a"), STR("b"), pages[i]) == 0);
        ASSERT(walk_count(s, CELL(7), STR(""), STR(""), pages[i]) == 300);
    }
    struct cell_walk w = {.cell = CELL(7), .lo = STR("k"), .bytes_max = 10};
    const struct cell_entry *entries;
    size_t n;
    engine_walk_end(s->e, &w); /* before the first page */
    ASSERT(engine_walk(s->e, &w, s->a, &entries, &n) == OK && n >= 1);
    ASSERT(w.version.v == version_ok(s, CELL(7)).v);
    engine_walk_end(s->e, &w); /* in the middle */
}

/* Pages of one walk are of one version, or the walk says that it cannot go on. */
void
contract_walk_pinned(struct subject *s)
{
    walk_fill(s, 1, 100);
    struct cell_walk w = {.cell = CELL(1), .lo = STR("k"), .bytes_max = 50};
    const struct cell_entry *entries;
    struct batch *b = batch_new(s->a);
    struct cell_version v;
    enum status status;
    size_t n, count = 0;

    ASSERT(engine_walk(s->e, &w, s->a, &entries, &n) == OK && n > 0 && n < 50);
    struct cell_version started = w.version;
    for (int i = 0; i < 100; i += 2)
        batch_del(b, arena_printf(s->a, "k%04d", i));
    batch_put(b, STR("k0050a"), STR("new"));
    ASSERT(commit_retry(s, CELL(1), version_ok(s, CELL(1)), b, &v) == OK);
    for (count = n; (status = engine_walk(s->e, &w, s->a, &entries, &n)) == OK && n > 0;)
        count += n;
    ASSERT((status == OK && count == 100 && w.version.v == started.v) || status == ERR_CONFLICT);
    engine_walk_end(s->e, &w);
    ASSERT(get_ok(s, CELL(1), STR("k0050a")).ptr);
}

/* ---- many fibers ---- */
struct worker {
    struct subject *s;
    uint64_t cell;
    int rounds;
    bool *done;
};

/* Adds 1 to two keys at a time, reading both first: they never differ, and no addition is lost. */
static FIBER_ENTRY void
count_fiber(void *arg)
{
    struct worker *w = arg;
    struct str keys[2] = {STR("one"), STR("two")}, values[2];
    struct cell_version v, now;

    for (int i = 0; i < w->rounds;) {
        AUTO_ARENA *a = arena_new(1u << 20);
        ASSERT(engine_get(w->s->e, CELL(w->cell), keys, 2, a, values, &v) == OK);
        ASSERT((values[0].ptr == NULL) == (values[1].ptr == NULL));
        ASSERT(str_eq(values[0], values[1]) && (v.v == 0) == (values[0].ptr == NULL));
        uint64_t count = values[0].ptr ? be64_get(values[0].ptr) : 0;
        char next[8];
        be64_put(next, count + 1);
        struct batch *b = batch_new(a);
        batch_put(b, keys[0], str_from(next, 8));
        batch_put(b, keys[1], str_from(next, 8));
        enum status status = engine_commit(w->s->e, CELL(w->cell), v, b, &now);
        ASSERT(status == OK || status == ERR_CONFLICT);
        if (status == OK) {
            ASSERT(now.v > v.v);
            i++;
        }
    }
    crowd_left();
}

void
contract_counter(struct subject *s)
{
    enum { WORKERS = 24, ROUNDS = 10, CELLS = 4 };
    struct worker workers[WORKERS];

    for (size_t i = 0; i < WORKERS; i++)
        workers[i] = (struct worker){.s = s, .cell = i % CELLS, .rounds = ROUNDS};
    for (size_t i = 0; i < WORKERS; i++)
        crowd_go(count_fiber, &workers[i]);
    crowd_wait();
    for (uint64_t c = 0; c < CELLS; c++)
        ASSERT(be64_get(get_ok(s, CELL(c), STR("one")).ptr) == WORKERS / CELLS * ROUNDS);
}

static FIBER_ENTRY void
watch_fiber(void *arg)
{
    struct worker *w = arg;
    struct str keys[2] = {STR("one"), STR("two")}, values[2];
    struct cell_version v, last = {0};

    while (!*w->done) {
        AUTO_ARENA *a = arena_new(1u << 20);
        ASSERT(engine_get(w->s->e, CELL(w->cell), keys, 2, a, values, &v) == OK);
        ASSERT(str_eq(values[0], values[1]));
        ASSERT(w->s->cluster || v.v >= last.v); /* never back in time */
        last = v;
        fiber_yield();
    }
    crowd_left();
}

static FIBER_ENTRY void
once_fiber(void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < w->rounds; i++) {
        AUTO_ARENA *a = arena_new(1u << 20);
        struct subject mine = *w->s;
        mine.a = a;
        struct batch *b = batch_new(a);
        struct cell_version now;
        struct str value = arena_printf(a, "%d", i);
        batch_put(b, STR("one"), value);
        batch_put(b, STR("two"), value);
        ASSERT(commit_retry(&mine, CELL(w->cell), version_ok(&mine, CELL(w->cell)), b, &now) == OK);
        /* What was acknowledged is there. */
        ASSERT(str_eq(get_ok(&mine, CELL(w->cell), STR("one")), value));
        ASSERT(version_ok(&mine, CELL(w->cell)).v == now.v);
    }
    *w->done = true;
    crowd_left();
}

/* Readers see all of a batch or nothing, and never an older state than before. */
void
contract_atomic(struct subject *s)
{
    bool done = false;
    struct worker workers[3];

    for (size_t i = 0; i < 3; i++)
        workers[i] = (struct worker){.s = s, .cell = 5, .rounds = 60, .done = &done};
    crowd_go(watch_fiber, &workers[0]);
    crowd_go(watch_fiber, &workers[1]);
    crowd_go(once_fiber, &workers[2]);
    crowd_wait();
}

void
contract_records(struct subject *s)
{
    uint64_t numbers[4] = {1, UINT64_MAX, 77, 1};
    struct str records[4];
    struct batch *b = batch_new(s->a);
    struct cell_version v;

    put_ok(s, CELL(2), STR("k"), STR("v"));
    batch_put(b, STR("k"), STR("v"));
    batch_record_put(b, 1, STR("first"));
    batch_record_put(b, UINT64_MAX, STR(""));
    ASSERT(commit_retry(s, CELL(1), CELL_ABSENT, b, &v) == OK);
    ASSERT(engine_records(s->e, CELL(1), numbers, 4, s->a, records) == OK);
    ASSERT(str_eq(records[0], STR("first")) && str_eq(records[3], STR("first")));
    ASSERT(records[1].ptr && records[1].len == 0 && !records[2].ptr);
    ASSERT(engine_records(s->e, CELL(2), numbers, 1, s->a, records) == OK && !records[0].ptr);

    /* Never part of walks. */
    struct cell_walk w = {.cell = CELL(1), .bytes_max = 1000};
    const struct cell_entry *entries;
    size_t n;
    ASSERT(engine_walk(s->e, &w, s->a, &entries, &n) == OK && n == 1);
    engine_walk_end(s->e, &w);

    b = batch_new(s->a);
    batch_record_del(b, 1);
    batch_record_put(b, 77, STR("later"));
    ASSERT(commit_retry(s, CELL(1), v, b, &v) == OK);
    ASSERT(engine_records(s->e, CELL(1), numbers, 3, s->a, records) == OK);
    ASSERT(!records[0].ptr && str_eq(records[2], STR("later")));
}

static SUSPENDS void
check_dropped(struct subject *s, uint64_t cell)
{
    struct cell_walk w = {.cell = CELL(cell), .bytes_max = 100};
    struct str key = STR("k0001"), value;
    const struct cell_entry *entries;
    struct batch *b = batch_new(s->a);
    struct cell_version v;
    uint64_t number = 1;
    size_t n;

    ASSERT(engine_get(s->e, CELL(cell), &key, 1, s->a, &value, &v) == ERR_NOT_FOUND);
    ASSERT(engine_version(s->e, CELL(cell), &v) == ERR_NOT_FOUND);
    ASSERT(engine_walk(s->e, &w, s->a, &entries, &n) == ERR_NOT_FOUND);
    engine_walk_end(s->e, &w);
    ASSERT(engine_records(s->e, CELL(cell), &number, 1, s->a, &value) == ERR_NOT_FOUND);
    batch_put(b, key, STR("x"));
    ASSERT(engine_commit(s->e, CELL(cell), CELL_ABSENT, b, &v) != OK);
}

void
contract_drop(struct subject *s)
{
    struct batch *b = batch_new(s->a);
    struct cell_version v;
    enum status status;

    walk_fill(s, 1, 200);
    walk_fill(s, 2, 5);
    batch_record_put(b, 1, STR("record"));
    ASSERT(commit_retry(s, CELL(1), version_ok(s, CELL(1)), b, &v) == OK);
    ASSERT(engine_drop(s->e, CELL(1), (struct cell_version){v.v - 1}) == ERR_CONFLICT);
    ASSERT(get_ok(s, CELL(1), STR("k0001")).ptr);
    while ((status = engine_drop(s->e, CELL(1), v)) == ERR_CONFLICT && s->cluster)
        continue;
    ASSERT(status == OK);
    check_dropped(s, 1);
    for (int i = 0; i < 5; i++)
        ASSERT(engine_upkeep(s->e) == OK);
    check_dropped(s, 1);
    ASSERT(walk_count(s, CELL(2), STR("k"), STR(""), 100) == 5);
    subject_reopen(s);
    check_dropped(s, 1);
    ASSERT(walk_count(s, CELL(2), STR("k"), STR(""), 100) == 5);
}

/* ---- cancellation ---- */
struct cancelled {
    struct subject *s;
    struct fiber *fiber;
    bool done;
};

static FIBER_ENTRY void
cancel_fiber(void *arg)
{
    struct cancelled *c = arg;
    AUTO_ARENA *a = arena_new(1u << 20);
    struct batch *b = batch_new(a);
    struct cell_version v;
    struct blob_writer *w;
    struct blob_id id;

    c->fiber = fiber_self();
    batch_put(b, STR("k"), pattern(a, 1000, 1));
    enum status status = engine_commit(c->s->e, CELL(1), CELL_ABSENT, b, &v);
    ASSERT(status == OK || c->s->cluster);
    ASSERT(engine_blob_new(c->s->e, 0, &w) == OK);
    for (int i = 0; i < 20; i++)
        ASSERT(engine_blob_add(w, pattern(a, 40000, 1)) == OK);
    ASSERT(engine_blob_end(&w, &id) == OK);
    engine_blob_forget(c->s->e, id);
    c->done = true;
    crowd_left();
}

/* A cancelled fiber's commit is seen to its end: the batch may be in the middle of a write. */
void
contract_cancel(struct subject *s)
{
    struct cancelled c = {.s = s};

    crowd_go(cancel_fiber, &c);
    fiber_yield();
    if (!c.done)
        fiber_cancel(c.fiber);
    crowd_wait();
    ASSERT(c.done && !engine_failed(s->e));
}

static void
count_note(void *arg, struct cell_id c, uint64_t hint)
{
    int *count = arg;

    *count += c.kind == 't' && c.id == 42 && hint == 7;
}

/* A hint may be lost, late or doubled, but not every one of many. */
void
contract_publish(struct subject *s)
{
    int first = 0, second = 0;

    engine_subscribe(s->e, count_note, &first);
    engine_subscribe(s->e, count_note, &second);
    for (int i = 0; i < 200 && (first == 0 || second == 0); i++) {
        engine_publish(s->e, CELL(42), 7);
        ASSERT(fiber_sleep(5) == OK);
    }
    ASSERT(first > 0 && second > 0);
}

/* ---- against a model ---- */
enum { MODEL_CELLS = 5, MODEL_KEYS = 60 };
struct model {
    uint32_t value[MODEL_CELLS][MODEL_KEYS]; /* 0: absent */
    struct cell_version version[MODEL_CELLS];
};

static SUSPENDS void
model_check(struct subject *s, const struct model *m)
{
    for (size_t c = 0; c < MODEL_CELLS; c++) {
        struct cell_walk w = {.cell = CELL(c), .bytes_max = 1 + random_below(300)};
        const struct cell_entry *entries;
        size_t n, k = 0;

        do {
            ASSERT(engine_walk(s->e, &w, s->a, &entries, &n) == OK);
            for (size_t i = 0; i < n; i++, k++) {
                while (k < MODEL_KEYS && m->value[c][k] == 0)
                    k++;
                ASSERT(k < MODEL_KEYS);
                ASSERT(str_eq(entries[i].key, arena_printf(s->a, "%03zu", k)));
                ASSERT(str_eq(entries[i].value, arena_printf(s->a, "%u", m->value[c][k])));
            }
        } while (n > 0);
        while (k < MODEL_KEYS && m->value[c][k] == 0)
            k++;
        ASSERT(k == MODEL_KEYS && w.version.v == m->version[c].v);
        engine_walk_end(s->e, &w);
    }
}

static SUSPENDS void
model_step(struct subject *s, struct model *m)
{
    size_t c = random_below(MODEL_CELLS);
    struct batch *b = batch_new(s->a);
    struct model next = *m;

    for (uint64_t i = random_below(8); i > 0; i--) {
        size_t k = random_below(MODEL_KEYS);
        uint32_t value = random_below(3) ? (uint32_t)random_below(1000000) + 1 : 0;
        struct str key = arena_printf(s->a, "%03zu", k);
        if (value)
            batch_put(b, key, arena_printf(s->a, "%u", value));
        else
            batch_del(b, key);
        next.value[c][k] = value;
    }
    if (random_below(5) == 0) {
        struct cell_version stale = {m->version[c].v + 1};
        ASSERT(engine_commit(s->e, CELL(c), stale, b, &stale) == ERR_CONFLICT);
    } else {
        ASSERT(commit_retry(s, CELL(c), m->version[c], b, &next.version[c]) == OK);
        *m = next;
    }
}

/* Random work, compared with a model, with the engine opened anew in between. */
void
contract_model(struct subject *s)
{
    struct model m = {0};

    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 60; i++)
            model_step(s, &m);
        model_check(s, &m);
        subject_reopen(s);
        model_check(s, &m);
        ASSERT(engine_upkeep(s->e) == OK);
    }
}
