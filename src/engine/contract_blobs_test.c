/* contract_blobs_test.c - the promises about blobs and references.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/contract_internal.h"
#include "rt/random.h"

/* Around the borders of the engines: inline bodies, chunks, and several chunks. */
static const size_t sizes[] = {0,      1,      100,    16383,  16384,  16385,    65536,
                               131071, 131072, 131073, 262144, 400001, 1u << 20, (5u << 20) + 7};

static SUSPENDS void
check_ranges(struct subject *s, struct blob_id id, struct str whole)
{
    struct str part;

    for (int i = 0; i < 12; i++) {
        uint64_t from = random_below(whole.len + 10);
        size_t max = (size_t)random_below(whole.len + 10);
        ASSERT(engine_blob_read(s->e, id, from, max, s->a, &part) == OK);
        ASSERT(str_eq(part, str_sub(whole, MIN((size_t)from, whole.len), max)));
    }
    ASSERT(engine_blob_read(s->e, id, whole.len, 10, s->a, &part) == OK && part.len == 0);
    ASSERT(engine_blob_read(s->e, id, UINT64_MAX, SIZE_MAX, s->a, &part) == OK && part.len == 0);
    ASSERT(engine_blob_read(s->e, id, 0, SIZE_MAX, s->a, &part) == OK && str_eq(part, whole));
}

void
contract_blob_sizes(struct subject *s)
{
    static const size_t pieces[] = {1000, 65536, 300001};
    struct blob_id ids[COUNT_OF(sizes)];
    struct str bodies[COUNT_OF(sizes)];
    uint64_t size;

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        bodies[i] = pattern(s->a, sizes[i], i);
        ids[i] = blob_ok(s, bodies[i], pieces[i % COUNT_OF(pieces)]);
        check_ranges(s, ids[i], bodies[i]); /* already before the commit */
        ref_ok(s, CELL(i % 3), ids[i], true);
    }
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            ASSERT(engine_blob_size(s->e, ids[i], &size) == OK && size == sizes[i]);
            check_ranges(s, ids[i], bodies[i]);
        }
        if (round == 0)
            subject_reopen(s);
        for (int i = 0; i < 4; i++)
            ASSERT(engine_upkeep(s->e) == OK);
    }
}

/* A head of each size in front of bodies around the same borders: ends of chunk 0, and what is held back for it. */
void
contract_blob_heads(struct subject *s)
{
    static const size_t heads[] = {0, 1, 500, 16000, ENGINE_HEAD_MAX - 1, ENGINE_HEAD_MAX};
    static const size_t rests[] = {0,     1,      15884,  16384,  65535,  65536,  65537,
                                   98304, 130572, 131072, 196607, 196608, 196609, (1u << 20) + 3};
    static const size_t pieces[] = {999, 65536, 300001};
    struct blob_id ids[COUNT_OF(heads)][COUNT_OF(rests)];
    uint64_t size;

    for (int round = 0; round < 3; round++) {
        for (size_t h = 0; h < COUNT_OF(heads); h++) {
            for (size_t r = 0; r < COUNT_OF(rests); r++) {
                AUTO_ARENA *a = arena_new(32u << 20);
                struct subject mine = *s;
                mine.a = a;
                struct str body = pattern(a, heads[h] + rests[r], h * 100 + r);
                if (round == 0) {
                    ids[h][r] =
                        blob_headed_ok(&mine, body, heads[h], pieces[(h + r) % COUNT_OF(pieces)]);
                    check_ranges(&mine, ids[h][r], body); /* already before the commit */
                    ref_ok(&mine, CELL(h), ids[h][r], true);
                }
                ASSERT(engine_blob_size(s->e, ids[h][r], &size) == OK && size == body.len);
                check_ranges(&mine, ids[h][r], body);
            }
        }
        if (round == 0)
            subject_reopen(s);
        for (int i = 0; i < 4; i++)
            ASSERT(engine_upkeep(s->e) == OK);
    }
    /* Every offset near the end of the head, and near that of the first chunk. */
    static const size_t borders[] = {700, 700 + 65536};
    struct str body = pattern(s->a, 400000, 4), part;
    struct blob_id id = blob_headed_ok(s, body, 700, 70000);
    for (size_t b = 0; b < COUNT_OF(borders); b++) {
        for (size_t from = borders[b] - 9; from < borders[b] + 9; from++) {
            AUTO_ARENA *a = arena_new(1u << 20);
            for (size_t n = 0; n < 20; n++) {
                ASSERT(engine_blob_read(s->e, id, from, n, a, &part) == OK);
                ASSERT(str_eq(part, str_sub(body, from, n)));
            }
        }
    }
}

/* What a writer with a head refuses, and what it costs to drop one at any point. */
void
contract_blob_head_rules(struct subject *s)
{
    static const size_t rests[] = {0, 10, 70000, 200000, 1u << 20};
    struct str long_head = pattern(s->a, ENGINE_HEAD_MAX + 1, 1), bytes;
    struct blob_writer *w;
    struct blob_id id;

    ASSERT(engine_blob_new_headed(s->e, 10, &w) == OK);
    ASSERT(engine_blob_head(w, long_head) == ERR_LIMIT);
    ASSERT(engine_blob_head(w, STR("head ")) == OK); /* may come before the rest */
    ASSERT(engine_blob_add(w, STR("and body")) == OK);
    ASSERT(engine_blob_end(&w, &id) == OK);
    ASSERT(blob_get(s, id, &bytes) == OK && str_eq(bytes, STR("head and body")));
    engine_blob_forget(s->e, id);
    ASSERT(blob_get(s, id, &bytes) == ERR_NOT_FOUND);
    for (size_t i = 0; i < COUNT_OF(rests); i++) {
        struct str body = pattern(s->a, rests[i] + 1, 2);
        for (int with_head = 0; with_head < 2; with_head++) {
            ASSERT(engine_blob_new_headed(s->e, rests[i], &w) == OK);
            ASSERT(engine_blob_add(w, str_skip(body, 1)) == OK);
            if (with_head)
                ASSERT(engine_blob_head(w, str_sub(long_head, 0, 5000)) == OK);
            engine_blob_drop(&w);
        }
        id = blob_headed_ok(s, body, 1, 65536);
        engine_blob_forget(s->e, id);
        ASSERT(blob_get(s, id, &bytes) == ERR_NOT_FOUND);
        id = blob_headed_ok(s, body, 1, 65536);
        ref_ok(s, CELL(1), id, true);
        ref_ok(s, CELL(1), id, false);
        ASSERT(blob_get(s, id, &bytes) == ERR_NOT_FOUND);
    }
    ASSERT(!engine_failed(s->e));
    subject_reopen(s);
}

void
contract_blob_unknown(struct subject *s)
{
    struct batch *b = batch_new(s->a);
    struct blob_id id = blob_id_random();
    struct cell_version v = {0};
    uint64_t size;
    struct str bytes;

    ASSERT(engine_blob_read(s->e, id, 0, 10, s->a, &bytes) == ERR_NOT_FOUND);
    ASSERT(engine_blob_size(s->e, id, &size) == ERR_NOT_FOUND);
    batch_put(b, STR("k"), STR("x"));
    batch_ref_add(b, id);
    ASSERT(commit_retry(s, CELL(1), CELL_ABSENT, b, &v) == ERR_NOT_FOUND);
    ASSERT(version_ok(s, CELL(1)).v == 0 && v.v == 0);
    ref_ok(s, CELL(1), id, false); /* dropping what is not there does nothing */
    ASSERT(blob_get(s, id, &bytes) == ERR_NOT_FOUND);
    engine_blob_forget(s->e, id);
}

void
contract_blob_refs(struct subject *s)
{
    static const size_t two[] = {2000, 200000};
    struct str body, bytes;

    for (size_t i = 0; i < COUNT_OF(two); i++) {
        body = pattern(s->a, two[i], 3);
        struct blob_id id = blob_ok(s, body, 5000);
        ref_ok(s, CELL(1), id, true);
        ref_ok(s, CELL(2), id, true);
        ref_ok(s, CELL(2), id, true);
        ref_ok(s, CELL(2), id, false);
        ref_ok(s, CELL(1), id, false);
        engine_blob_forget(s->e, id); /* it has a reference: nothing happens */
        ASSERT(blob_get(s, id, &bytes) == OK && str_eq(bytes, body));
        subject_reopen(s);
        ASSERT(blob_get(s, id, &bytes) == OK && str_eq(bytes, body));
        ref_ok(s, CELL(2), id, false);
        ASSERT(blob_get(s, id, &bytes) == ERR_NOT_FOUND);
        ref_ok(s, CELL(2), id, false);

        /* One batch may add and drop: only the sum counts. */
        id = blob_ok(s, body, 5000);
        struct batch *b = batch_new(s->a);
        struct cell_version v;
        batch_ref_add(b, id);
        batch_ref_drop(b, id);
        batch_ref_add(b, id);
        ASSERT(commit_retry(s, CELL(3), version_ok(s, CELL(3)), b, &v) == OK);
        b = batch_new(s->a);
        batch_ref_drop(b, id);
        batch_ref_add(b, id);
        ASSERT(commit_retry(s, CELL(3), v, b, &v) == OK);
        ASSERT(blob_get(s, id, &bytes) == OK && str_eq(bytes, body));
        ref_ok(s, CELL(3), id, false);
        ASSERT(blob_get(s, id, &bytes) == ERR_NOT_FOUND);
        subject_reopen(s);
        ASSERT(blob_get(s, id, &bytes) == ERR_NOT_FOUND);
    }
}

/* What no commit refers to does not outlive the engine; a writer may be dropped at any point. */
void
contract_blob_pending(struct subject *s)
{
    struct str body = pattern(s->a, 50000, 1), small = pattern(s->a, 50, 1), bytes;
    struct blob_writer *w;

    for (size_t i = 0; i < 2; i++) {
        struct str content = i ? body : small;
        struct blob_id kept = blob_ok(s, content, 4096), forgotten = blob_ok(s, content, 4096);
        ASSERT(blob_get(s, kept, &bytes) == OK && str_eq(bytes, content));
        engine_blob_forget(s->e, forgotten);
        ASSERT(blob_get(s, forgotten, &bytes) == ERR_NOT_FOUND);
        subject_reopen(s);
        ASSERT(blob_get(s, kept, &bytes) == ERR_NOT_FOUND);
    }
    ASSERT(engine_blob_new(s->e, 10, &w) == OK);
    engine_blob_drop(&w);
    ASSERT(w == NULL);
    engine_blob_drop(&w);
    ASSERT(engine_blob_new(s->e, 0, &w) == OK);
    for (int i = 0; i < 8; i++)
        ASSERT(engine_blob_add(w, body) == OK);
    engine_blob_drop(&w);
    ASSERT(engine_blob_new(s->e, (uint64_t)ENGINE_BLOB_MAX + 1, &w) == ERR_LIMIT);
    ASSERT(!engine_failed(s->e));
}

/* A commit that lost changes no reference; the blob waits for the next try. */
void
contract_blob_conflict(struct subject *s)
{
    static const size_t two[] = {3000, 150000};
    struct str bytes;

    for (size_t i = 0; i < COUNT_OF(two); i++) {
        struct str body = pattern(s->a, two[i], 8);
        struct blob_id id = blob_ok(s, body, 70000);
        struct batch *b = batch_new(s->a);
        struct cell_version v = put_ok(s, CELL(1), STR("k"), STR("x")), now;
        batch_ref_add(b, id);
        put_ok(s, CELL(1), STR("k"), STR("y"));
        ASSERT(engine_commit(s->e, CELL(1), v, b, &now) == ERR_CONFLICT);
        ASSERT(blob_get(s, id, &bytes) == OK && str_eq(bytes, body));
        ASSERT(commit_retry(s, CELL(1), version_ok(s, CELL(1)), b, &now) == OK);
        subject_reopen(s);
        ASSERT(blob_get(s, id, &bytes) == OK && str_eq(bytes, body));
        b = batch_new(s->a);
        batch_ref_drop(b, id);
        ASSERT(engine_commit(s->e, CELL(1), v, b, &now) == ERR_CONFLICT);
        ASSERT(blob_get(s, id, &bytes) == OK);
        ref_ok(s, CELL(1), id, false);
        ASSERT(blob_get(s, id, &bytes) == ERR_NOT_FOUND);
    }
}

/* ---- a crowd with upkeep beside it ---- */
enum { KEEP = 6 };
struct author {
    struct subject *s;
    uint64_t cell;
    struct blob_id kept[KEEP];
    uint64_t seed[KEEP];
    size_t size[KEEP];
    size_t *left;
};

static FIBER_ENTRY void
author_fiber(void *arg)
{
    struct author *w = arg;

    for (size_t i = 0; i < 18; i++) {
        AUTO_ARENA *a = arena_new(64u << 20);
        struct subject mine = *w->s;
        struct str bytes;
        mine.a = a;
        if (i >= KEEP) {
            size_t old = i % KEEP;
            ASSERT(blob_get(&mine, w->kept[old], &bytes) == OK);
            ASSERT(str_eq(bytes, pattern(a, w->size[old], w->seed[old])));
            ref_ok(&mine, CELL(w->cell), w->kept[old], false);
            ASSERT(blob_get(&mine, w->kept[old], &bytes) == ERR_NOT_FOUND);
        }
        w->seed[i % KEEP] = random_u64();
        w->size[i % KEEP] = (size_t)random_below(random_below(2) ? 20000 : 600000);
        struct str body = pattern(a, w->size[i % KEEP], w->seed[i % KEEP]);
        size_t head = (size_t)random_below(MIN(body.len, (size_t)ENGINE_HEAD_MAX) + 1);
        w->kept[i % KEEP] = random_below(2)
                                ? blob_ok(&mine, body, 1 + random_below(100000))
                                : blob_headed_ok(&mine, body, head, 1 + random_below(100000));
        ref_ok(&mine, CELL(w->cell), w->kept[i % KEEP], true);
    }
    --*w->left;
    crowd_left();
}

static FIBER_ENTRY void
upkeep_fiber(void *arg)
{
    struct author *w = arg;

    while (*w->left > 0) {
        ASSERT(engine_upkeep(w->s->e) == OK);
        fiber_yield();
    }
    crowd_left();
}

void
contract_blob_crowd(struct subject *s)
{
    enum { AUTHORS = 10 };
    struct author authors[AUTHORS];
    struct str bytes;
    size_t left = AUTHORS;

    for (size_t i = 0; i < AUTHORS; i++) {
        authors[i] = (struct author){.s = s, .cell = i % 7, .left = &left};
        crowd_go(author_fiber, &authors[i]);
    }
    crowd_go(upkeep_fiber, &authors[0]);
    crowd_wait();
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < AUTHORS; i++)
            for (size_t k = 0; k < KEEP; k++) {
                const struct author *w = &authors[i];
                ASSERT(blob_get(s, w->kept[k], &bytes) == OK);
                ASSERT(str_eq(bytes, pattern(s->a, w->size[k], w->seed[k])));
            }
        subject_reopen(s);
        for (int i = 0; i < 10; i++)
            ASSERT(engine_upkeep(s->e) == OK);
    }
}

void
contract_space(struct subject *s)
{
    struct blob_writer *w;

    ASSERT(engine_space(s->e) == SPACE_PLENTY);
    engine_space_for_tests(s->e, SPACE_LOW);
    ASSERT(engine_space(s->e) == SPACE_LOW);
    ASSERT(engine_blob_new(s->e, 10, &w) == ERR_NO_SPACE);
    put_ok(s, CELL(1), STR("k"), STR("flags may still change"));
    engine_space_for_tests(s->e, SPACE_PLENTY);
    ASSERT(engine_blob_new(s->e, 10, &w) == OK);
    engine_blob_drop(&w);
}
