/* contract_help_test.c - the helpers of the contract suite.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "engine/contract_internal.h"

static struct {
    size_t left;
    struct fiber *waiter;
} crowd_state;

void
subject_open(struct subject *s)
{
    struct problem why = {0};
    struct engine_options o = {
        .kind = s->kind,
        .path = s->path,
        .cache_bytes = 4u << 20,
        .inline_max = s->inline_max,
        .threads = 2,
        .cluster_profile = s->cluster,
    };

    enum status status = engine_open(&o, &s->e, &why);
    if (status != OK)
        fprintf(stderr, "engine_open: %s: %s\n", status_name(status), why.text);
    ASSERT(status == OK);
}

void
subject_reopen(struct subject *s)
{
    engine_close(&s->e);
    subject_open(s);
}

bool
subject_is_rocks(const struct subject *s)
{
    return str_eq(str_of(s->kind), STR("rocks"));
}

static int
tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void
tree_remove(const char *path)
{
    nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

enum status
commit_retry(struct subject *s, struct cell_id c, struct cell_version expect, struct batch *b,
             struct cell_version *now_out)
{
    for (int i = 0;; i++) {
        enum status status = engine_commit(s->e, c, expect, b, now_out);
        if (status != ERR_CONFLICT || !s->cluster || i > 100)
            return status;
        if (version_ok(s, c).v != expect.v)
            return status;
    }
}

/* Whatever the version is, also while others commit to the cell. */
static SUSPENDS void
commit_ok(struct subject *s, struct cell_id c, struct batch *b, struct cell_version *now_out)
{
    enum status status;

    while ((status = engine_commit(s->e, c, version_ok(s, c), b, now_out)) == ERR_CONFLICT)
        continue;
    ASSERT(status == OK);
}

struct cell_version
put_ok(struct subject *s, struct cell_id c, struct str key, struct str value)
{
    struct batch *b = batch_new(s->a);
    struct cell_version now;

    batch_put(b, key, value);
    commit_ok(s, c, b, &now);
    return now;
}

struct str
get_ok(struct subject *s, struct cell_id c, struct str key)
{
    struct cell_version v;
    struct str value;

    ASSERT(engine_get(s->e, c, &key, 1, s->a, &value, &v) == OK);
    return value;
}

struct cell_version
version_ok(struct subject *s, struct cell_id c)
{
    struct cell_version v;

    ASSERT(engine_version(s->e, c, &v) == OK);
    return v;
}

static SUSPENDS enum status
blob_add_all(struct blob_writer *w, struct str bytes, size_t piece)
{
    while (bytes.len > 0) {
        TRY(engine_blob_add(w, str_sub(bytes, 0, piece)));
        bytes = str_skip(bytes, piece);
    }
    return OK;
}

struct blob_id
blob_ok(struct subject *s, struct str bytes, size_t piece)
{
    struct blob_writer *w;
    struct blob_id id;

    ASSERT(engine_blob_new(s->e, bytes.len, &w) == OK);
    ASSERT(blob_add_all(w, bytes, piece) == OK);
    ASSERT(engine_blob_end(&w, &id) == OK && w == NULL);
    ASSERT(!blob_id_is_none(id));
    return id;
}

struct blob_id
blob_headed_ok(struct subject *s, struct str bytes, size_t head, size_t piece)
{
    struct blob_writer *w;
    struct blob_id id;

    ASSERT(engine_blob_new_headed(s->e, bytes.len, &w) == OK);
    ASSERT(blob_add_all(w, str_skip(bytes, head), piece) == OK);
    if (head > 0)
        ASSERT(engine_blob_head(w, str_sub(bytes, 0, head)) == OK);
    ASSERT(engine_blob_end(&w, &id) == OK && w == NULL);
    ASSERT(!blob_id_is_none(id));
    return id;
}

void
ref_ok(struct subject *s, struct cell_id c, struct blob_id id, bool add)
{
    struct batch *b = batch_new(s->a);
    struct cell_version now;

    if (add)
        batch_ref_add(b, id);
    else
        batch_ref_drop(b, id);
    commit_ok(s, c, b, &now);
}

enum status
blob_get(struct subject *s, struct blob_id id, struct str *out)
{
    uint64_t size;

    TRY(engine_blob_size(s->e, id, &size));
    return engine_blob_read(s->e, id, 0, (size_t)size + 1, s->a, out);
}

struct str
pattern(struct arena *a, size_t size, uint64_t seed)
{
    char *p = arena_alloc(a, size + 1);
    uint64_t x = seed * 2 + 1;

    for (size_t i = 0; i < size; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        p[i] = (char)(x >> 56);
    }
    return str_from(p, size);
}

void
crowd_go(void (*entry)(void *arg), void *arg)
{
    crowd_state.left++;
    ASSERT(fiber_go(entry, arg) == OK);
}

void
crowd_left(void)
{
    ASSERT(crowd_state.left > 0);
    crowd_state.left--;
    if (crowd_state.left == 0 && crowd_state.waiter)
        fiber_wake(crowd_state.waiter);
}

void
crowd_wait(void)
{
    crowd_state.waiter = fiber_self();
    while (crowd_state.left > 0)
        ASSERT(fiber_park(FIBER_FOREVER) == OK);
    crowd_state.waiter = NULL;
}

/* Some bodies travel in the commit, some in segments; half of them have a head. */
static size_t
ledger_size(const struct ledger *l)
{
    return l->cell % 2 ? 3000 : 140000;
}

enum { LEDGER_HEAD = 1000 };

static SUSPENDS enum status
ledger_step(struct ledger *l, struct arena *a)
{
    struct batch *b = batch_new(a);
    struct cell_version v;
    struct blob_writer *w = NULL;
    struct blob_id id;
    struct str body = pattern(a, ledger_size(l), l->cell);
    bool headed = l->cell >= WRITERS / 2;

    TRY(engine_version(l->s->e, CELL(l->cell), &v));
    TRY(headed ? engine_blob_new_headed(l->s->e, 0, &w) : engine_blob_new(l->s->e, 0, &w));
    enum status status = engine_blob_add(w, headed ? str_skip(body, LEDGER_HEAD) : body);
    if (status == OK && headed)
        status = engine_blob_head(w, str_sub(body, 0, LEDGER_HEAD));
    if (status == OK)
        status = engine_blob_end(&w, &id);
    engine_blob_drop(&w);
    TRY(status);
    batch_put(b, STR("step"), arena_printf(a, "%d", l->acked + 1));
    batch_put(b, arena_printf(a, "body%d", l->acked), blob_key(&id));
    batch_ref_add(b, id);
    TRY(engine_commit(l->s->e, CELL(l->cell), v, b, &v));
    l->body[l->acked++] = id;
    return OK;
}

static FIBER_ENTRY void
ledger_fiber(void *arg)
{
    struct ledger *l = arg;

    while (l->acked < STEPS) {
        AUTO_ARENA *a = arena_new(1u << 20);
        l->last = ledger_step(l, a);
        if (l->last == OK || l->last == ERR_CONFLICT)
            continue;
        ASSERT(l->last == ERR_NO_SPACE || (l->last == ERR_IO && engine_failed(l->s->e)));
        break;
    }
    crowd_left();
}

/* Everything acknowledged is there; at most one step more, whole or not at all; bodies with it. */
void
ledger_check(struct subject *s, const struct ledger *l)
{
    struct str step = get_ok(s, CELL(l->cell), STR("step"));
    int found = step.ptr ? step.ptr[0] - '0' : 0;
    struct blob_id id;
    struct str bytes;

    ASSERT(found == l->acked || (found == l->acked + 1 && l->last == ERR_IO));
    for (int i = 0; i < STEPS; i++) {
        struct str key = arena_printf(s->a, "body%d", i);
        struct str value = get_ok(s, CELL(l->cell), key);
        ASSERT((value.ptr != NULL) == (i < found));
        if (i >= found)
            continue;
        mem_copy(id.bytes, value.ptr, sizeof(id.bytes));
        ASSERT(i >= l->acked || blob_id_eq(id, l->body[i]));
        ASSERT(blob_get(s, id, &bytes) == OK &&
               str_eq(bytes, pattern(s->a, ledger_size(l), l->cell)));
    }
}

void
ledger_run(struct subject *s, struct ledger ledgers[WRITERS])
{
    for (size_t i = 0; i < WRITERS; i++) {
        ledgers[i] = (struct ledger){.s = s, .cell = i};
        crowd_go(ledger_fiber, &ledgers[i]);
    }
    crowd_wait();
}
