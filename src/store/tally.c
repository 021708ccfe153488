/* tally.c - see tally.h.  Which groups there are is in memory, from one walk at the first use; their rows are not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "store/tally.h"

enum {
    VERSION = 1,
    BATCH = 256, /* rows of one commit */
    PAGE_BYTES = 262144,
    PAGE_ARENA = 4 << 20,
    DOMAIN_BYTES = 253,
    PREFIX_MAX = 6 + DOMAIN_BYTES,
    HASH_BYTES = 8,
    VALUE_MAX = LIMIT_TALLY_ROW_BYTES + 32,
};
#define DAY_US INT64_C(86400000000)
/* Behind every hash. */
#define PAST_HASHES "\xff\xff\xff\xff\xff\xff\xff\xff\xff"

struct group {
    size_t rows;
    size_t fresh; /* rows of the commit that is being made */
};
struct waiting { /* its key in the map: the group, then the row */
    uint64_t count;
    size_t prefix;
};
struct tally {
    struct cell *cell;
    struct tally_options options;
    struct map *groups; /* by the first part of their keys */
    struct map *waiting;
    size_t rows;
    uint64_t dropped;
    bool loaded;
    struct fiber_lock lock; /* one writes */
};
/* A row that is to be written. */
struct change {
    struct str name, key; /* of the group; of the entry */
    struct tally_row row;
    bool is_new, done;
};

SUSPENDS static enum status write_waiting(struct tally *t, struct map *waiting);
SUSPENDS static enum status add_all(struct tally *t, struct change *c, size_t n);
SUSPENDS static enum status add_once(struct tally *t, struct change *c, size_t n);
SUSPENDS static enum status add_row(struct tally *t, struct tx *tx, struct change *c);
static void settle(struct tally *t, struct change *c, size_t n, bool good);
SUSPENDS static enum status drop_once(struct tally *t, struct change *c, size_t n);
SUSPENDS static enum status load(struct tally *t);
SUSPENDS static enum status locked(struct tally *t);
static struct group *group_of(struct tally *t, struct str name);
static void lose_row(struct tally *t, struct str name);
static void free_all(struct map **m);
static bool is_group(const struct tally_group *g);
static void prefix_write(const struct tally_group *g, struct buf *b);

struct tally *
tally_new(struct cells *c, const struct tally_options *o)
{
    struct tally *t = MEM_NEW(struct tally);

    t->cell = cell_open(c, (struct cell_id){.kind = 'c', .id = o->cell});
    t->options = *o;
    t->groups = map_new();
    t->waiting = map_new();
    fiber_lock_init(&t->lock);
    return t;
}

void
tally_free(struct tally **t)
{
    if (*t == NULL)
        return;
    free_all(&(*t)->groups);
    free_all(&(*t)->waiting);
    cell_close(&(*t)->cell);
    mem_free(*t);
    *t = NULL;
}

uint32_t
tally_day(struct instant at)
{
    return (uint32_t)MAX(at.us / DAY_US, 0); /* of a year far beyond 9999 it is another day */
}

/* ---- counting ---- */

void
tally_count(struct tally *t, const struct tally_group *g, const struct tally_row *row)
{
    AUTO_BUF key = BUF(PREFIX_MAX + LIMIT_TALLY_ROW_BYTES);

    if (!is_group(g) || row->bytes.len > LIMIT_TALLY_ROW_BYTES) {
        t->dropped += row->count;
        return;
    }
    prefix_write(g, &key);
    size_t prefix = key.len;
    buf_add(&key, row->bytes);
    struct waiting *w = map_get(t->waiting, buf_str(&key));
    if (w == NULL && map_count(t->waiting) >= t->options.waiting_max) {
        t->dropped += row->count;
        return;
    }
    if (w == NULL) {
        w = MEM_NEW(struct waiting);
        w->prefix = prefix;
        map_put(t->waiting, buf_str(&key), w);
    }
    w->count += MIN(row->count, UINT64_MAX - w->count);
}

uint64_t
tally_dropped(const struct tally *t)
{
    return t->dropped;
}

enum status
tally_write(struct tally *t)
{
    struct map *waiting;
    enum status st;

    if (map_count(t->waiting) == 0)
        return OK;
    TRY(locked(t));
    waiting = t->waiting; /* what is counted from here on waits for the next time */
    t->waiting = map_new();
    st = write_waiting(t, waiting);
    fiber_lock_give(&t->lock);
    free_all(&waiting);
    return st;
}

SUSPENDS static enum status
write_waiting(struct tally *t, struct map *waiting)
{
    struct change *c = MEM_ARRAY(struct change, map_count(waiting) + 1);
    size_t n = 0, cursor = 0;
    struct str key;
    void *value;

    while (map_next(waiting, &cursor, &key, &value)) {
        const struct waiting *w = value;
        c[n++] = (struct change){.name = str_sub(key, 0, w->prefix),
                                 .row = {.bytes = str_skip(key, w->prefix), .count = w->count}};
    }
    enum status st = add_all(t, c, n);
    for (size_t i = 0; i < n; i++) {
        struct tally_group g = {.kind = (uint8_t)c[i].name.ptr[0],
                                .day = be32_get(c[i].name.ptr + 1),
                                .domain = str_skip(c[i].name, 6)};
        if (!c[i].done && st != ERR_IO)
            tally_count(t, &g, &c[i].row);
    }
    mem_free(c);
    return st;
}

SUSPENDS static enum status
add_all(struct tally *t, struct change *c, size_t n)
{
    enum status st;

    for (size_t i = 0; i < n; i += BATCH) {
        size_t step = MIN(n - i, (size_t)BATCH);
        while ((st = add_once(t, c + i, step)) == ERR_CONFLICT)
            settle(t, c + i, step, false);
        settle(t, c + i, step, st == OK);
        TRY(st);
    }
    return OK;
}

static struct str
entry_key(struct arena *a, struct str name, struct str row)
{
    char hash[HASH_BYTES];
    AUTO_BUF b = BUF(TALLY_KEY_MAX);

    be64_put(hash, hash_stable(row));
    buf_add(&b, name);
    buf_add(&b, str_from(hash, sizeof(hash)));
    return arena_str(a, buf_str(&b));
}

SUSPENDS static enum status
add_once(struct tally *t, struct change *c, size_t n)
{
    AUTO(tx_abort) struct tx *tx = NULL;

    TRY(tx_begin(t->cell, &tx));
    struct str *keys = ARENA_ARRAY(tx_arena(tx), struct str, n);
    for (size_t i = 0; i < n; i++)
        keys[i] = c[i].key = entry_key(tx_arena(tx), c[i].name, c[i].row.bytes);
    TRY(tx_load(tx, keys, n));
    for (size_t i = 0; i < n; i++)
        TRY(add_row(t, tx, &c[i]));
    return tx_commit(&tx);
}

/* Another row with the same hash keeps its place. */
SUSPENDS static enum status
add_row(struct tally *t, struct tx *tx, struct change *c)
{
    AUTO_BUF value = BUF(VALUE_MAX);
    struct tally_group g;
    struct tally_row row = c->row, there = {0};
    struct str old;

    TRY(tx_get(tx, c->key, &old));
    if (old.ptr != NULL && tally_read(c->key, old, &g, &there) == OK) {
        if (!str_eq(there.bytes, row.bytes)) {
            t->dropped += row.count;
            return OK;
        }
        row.count += MIN(there.count, UINT64_MAX - row.count);
    } else { /* also in the place of one that cannot be read, which nobody counted */
        struct group *in = t->rows >= t->options.rows_max ? NULL : group_of(t, c->name);
        if (in == NULL || in->rows + in->fresh >= t->options.group_max) {
            t->dropped += row.count;
            return OK;
        }
        c->is_new = true;
        in->fresh++;
        t->rows++;
    }
    tally_value_write(&row, &value);
    tx_put(tx, c->key, buf_str(&value));
    return OK;
}

/* What was taken for new of a commit that failed was not. */
static void
settle(struct tally *t, struct change *c, size_t n, bool good)
{
    for (size_t i = 0; i < n; i++) {
        if (c[i].is_new) {
            struct group *in = group_of(t, c[i].name);
            in->fresh--;
            in->rows += good;
            t->rows -= !good;
        }
        c[i].is_new = false;
        c[i].done = good;
    }
}

/* ---- telling ---- */

static int
by_day(const void *one, const void *other)
{
    const struct tally_group *a = one, *b = other;

    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    return a->kind != b->kind ? (int)a->kind - (int)b->kind : str_cmp(a->domain, b->domain);
}

enum status
tally_groups(struct tally *t, const struct tally_span *span, struct arena *a,
             const struct tally_group **out, size_t *n_out)
{
    struct tally_group *list;
    size_t n = 0, cursor = 0;
    struct str name;
    void *value;

    TRY(locked(t));
    list = ARENA_ARRAY(a, struct tally_group, map_count(t->groups) + 1);
    while (map_next(t->groups, &cursor, &name, &value)) {
        const struct group *in = value;
        struct tally_group g = {.kind = (uint8_t)name.ptr[0], .day = be32_get(name.ptr + 1)};
        if (in->rows == 0 || g.day < span->from || g.day >= span->to ||
            (span->kind != 0 && g.kind != span->kind))
            continue;
        g.domain = arena_str(a, str_skip(name, 6));
        list[n++] = g;
    }
    fiber_lock_give(&t->lock);
    qsort(list, n, sizeof(*list), by_day);
    *out = list;
    *n_out = n;
    return OK;
}

struct reading {
    struct arena *a;
    struct tally_row *list;
    size_t n, max;
};

SUSPENDS static enum status
read_rows(struct tally *t, struct cell_walk *w, struct reading *r)
{
    const struct cell_entry *entries;
    struct tally_group g;
    struct tally_row row;
    size_t n = 0;

    for (;;) {
        AUTO_ARENA *page = arena_new(PAGE_ARENA);
        enum status st = cell_walk_page(t->cell, w, page, &entries, &n);
        if (st == ERR_NOT_FOUND || (st == OK && n == 0))
            return OK;
        TRY(st);
        for (size_t i = 0; i < n && r->n < r->max; i++) {
            if (tally_read(entries[i].key, entries[i].value, &g, &row) != OK)
                continue;
            row.bytes = arena_str(r->a, row.bytes);
            r->list[r->n++] = row;
        }
    }
}

enum status
tally_rows(struct tally *t, const struct tally_group *g, struct arena *a,
           const struct tally_row **out, size_t *n_out)
{
    AUTO_BUF lo = BUF(TALLY_KEY_MAX);
    AUTO_BUF hi = BUF(TALLY_KEY_MAX);
    struct reading r = {.a = a, .max = t->options.group_max};
    enum status st;

    prefix_write(g, &lo);
    prefix_write(g, &hi);
    buf_add(&hi, STR(PAST_HASHES));
    r.list = ARENA_ARRAY(a, struct tally_row, r.max);
    do { /* a walk that another commit disturbs starts again */
        struct cell_walk w = {.cell = cell_id_of(t->cell),
                              .lo = buf_str(&lo),
                              .hi = buf_str(&hi),
                              .bytes_max = PAGE_BYTES};
        r.n = 0;
        st = read_rows(t, &w, &r);
        cell_walk_end(t->cell, &w);
    } while (st == ERR_CONFLICT);
    TRY(st);
    *out = r.list;
    *n_out = r.n;
    return OK;
}

enum status
tally_drop(struct tally *t, const struct tally_group *g, const struct tally_row *rows, size_t n)
{
    AUTO_BUF name = BUF(PREFIX_MAX);
    AUTO_ARENA *a = arena_new(sizeof(struct change) * (BATCH + 1));
    struct change *c = ARENA_ARRAY(a, struct change, BATCH);
    enum status st = OK;

    prefix_write(g, &name);
    TRY(locked(t));
    for (size_t i = 0; i < n && st == OK; i += BATCH) {
        size_t step = MIN(n - i, (size_t)BATCH);
        for (size_t j = 0; j < step; j++)
            c[j] = (struct change){.name = buf_str(&name), .row = rows[i + j]};
        while ((st = drop_once(t, c, step)) == ERR_CONFLICT)
            ;
        for (size_t j = 0; j < step && st == OK; j++)
            if (c[j].done)
                lose_row(t, c[j].name);
    }
    fiber_lock_give(&t->lock);
    return st;
}

SUSPENDS static enum status
drop_once(struct tally *t, struct change *c, size_t n)
{
    AUTO(tx_abort) struct tx *tx = NULL;
    struct str old;

    TRY(tx_begin(t->cell, &tx));
    struct str *keys = ARENA_ARRAY(tx_arena(tx), struct str, n);
    for (size_t i = 0; i < n; i++)
        keys[i] = c[i].key = entry_key(tx_arena(tx), c[i].name, c[i].row.bytes);
    TRY(tx_load(tx, keys, n));
    for (size_t i = 0; i < n; i++) {
        AUTO_BUF value = BUF(VALUE_MAX);
        struct tally_group g;
        struct tally_row there;
        TRY(tx_get(tx, c[i].key, &old));
        c[i].done = false;
        if (old.ptr == NULL || tally_read(c[i].key, old, &g, &there) != OK ||
            !str_eq(there.bytes, c[i].row.bytes))
            continue;
        c[i].done = there.count <= c[i].row.count;
        if (c[i].done) {
            tx_del(tx, c[i].key);
            continue;
        }
        there.count -= c[i].row.count;
        tally_value_write(&there, &value);
        tx_put(tx, c[i].key, buf_str(&value));
    }
    return tx_commit(&tx);
}

enum status
tally_forget(struct tally *t, const struct tally_group *g)
{
    AUTO_ARENA *a = arena_new(TALLY_GROUP_ARENA(t->options.group_max));
    const struct tally_row *rows;
    size_t n;

    TRY(tally_rows(t, g, a, &rows, &n));
    return tally_drop(t, g, rows, n);
}

/* ---- what is known ---- */

/* The lock, and then the groups are known. */
SUSPENDS static enum status
locked(struct tally *t)
{
    enum status st = OK;

    TRY(fiber_lock_take(&t->lock));
    if (!t->loaded)
        st = load(t);
    if (st != OK)
        fiber_lock_give(&t->lock);
    return st;
}

SUSPENDS static enum status
load_pages(struct tally *t, struct cell_walk *w)
{
    const struct cell_entry *entries;
    struct tally_group g;
    struct tally_row row;
    size_t n = 0;

    for (;;) {
        AUTO_ARENA *page = arena_new(PAGE_ARENA);
        enum status st = cell_walk_page(t->cell, w, page, &entries, &n);
        if (st == ERR_NOT_FOUND || (st == OK && n == 0))
            return OK;
        TRY(st);
        for (size_t i = 0; i < n; i++) {
            if (tally_read(entries[i].key, entries[i].value, &g, &row) != OK)
                continue;
            group_of(t, str_sub(entries[i].key, 0, entries[i].key.len - HASH_BYTES))->rows++;
            t->rows++;
        }
    }
}

SUSPENDS static enum status
load(struct tally *t)
{
    enum status st;

    do {
        struct cell_walk w = {.cell = cell_id_of(t->cell),
                              .lo = STR("\x01"),
                              .hi = STR("\xff"),
                              .bytes_max = PAGE_BYTES};
        free_all(&t->groups);
        t->groups = map_new();
        t->rows = 0;
        st = load_pages(t, &w);
        cell_walk_end(t->cell, &w);
    } while (st == ERR_CONFLICT);
    t->loaded = st == OK;
    return st;
}

static struct group *
group_of(struct tally *t, struct str name)
{
    struct group *in = map_get(t->groups, name);

    if (in == NULL) {
        in = MEM_NEW(struct group);
        map_put(t->groups, name, in);
    }
    return in;
}

static void
lose_row(struct tally *t, struct str name)
{
    struct group *in = group_of(t, name);

    ASSERT(in->rows > 0 && t->rows > 0);
    in->rows--;
    t->rows--;
    if (in->rows == 0) {
        map_del(t->groups, name);
        mem_free(in);
    }
}

static void
free_all(struct map **m)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    while (map_next(*m, &cursor, &key, &value))
        mem_free(value);
    map_free(m);
}

/* ---- as it is kept ---- */

static bool
is_group(const struct tally_group *g)
{
    return g->kind > 0 && g->kind < 0xff && g->domain.len > 0 && g->domain.len <= DOMAIN_BYTES;
}

static void
prefix_write(const struct tally_group *g, struct buf *b)
{
    ASSERT(is_group(g));
    buf_add_char(b, (char)g->kind);
    buf_add_be32(b, g->day);
    buf_add_char(b, (char)g->domain.len); /* <= 253 */
    buf_add(b, g->domain);
}

void
tally_key_write(const struct tally_group *g, struct str row, struct buf *key)
{
    prefix_write(g, key);
    buf_add_be64(key, hash_stable(row));
}

void
tally_value_write(const struct tally_row *row, struct buf *value)
{
    buf_add_char(value, VERSION);
    buf_add_varint(value, row->count);
    buf_add(value, row->bytes);
}

enum status
tally_read(struct str key, struct str value, struct tally_group *g_out, struct tally_row *row_out)
{
    struct scan k = scan_of(key), v = scan_of(value);
    struct tally_group g = {0};
    struct tally_row row = {0};
    uint8_t len, version;
    uint64_t hash;

    if (!scan_u8(&k, &g.kind) || !scan_be32(&k, &g.day) || !scan_u8(&k, &len) ||
        !scan_take(&k, len, &g.domain) || !is_group(&g) || !scan_be64(&k, &hash) ||
        !scan_at_end(&k))
        return ERR_CORRUPT;
    if (!scan_u8(&v, &version) || version != VERSION || !scan_varint(&v, UINT64_MAX, &row.count) ||
        row.count == 0)
        return ERR_CORRUPT;
    row.bytes = scan_rest(&v);
    if (row.bytes.len > LIMIT_TALLY_ROW_BYTES || hash_stable(row.bytes) != hash)
        return ERR_CORRUPT;
    *g_out = g;
    *row_out = row;
    return OK;
}
