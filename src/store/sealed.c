/* sealed.c - see sealed.h.  Value: version byte, then the bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/sealed.h"

#include "base/mem.h"

enum { VERSION = 1, CELL = 1, PAGE_BYTES = 65536, TOTAL_MAX = 1 << 20, ARENA_BYTES = 4 << 20 };

struct sealed {
    struct cell *cell;
};
struct sealed_key {
    size_t len;
    char bytes[1 + SEALED_KIND_MAX + 1 + SEALED_NAME_MAX];
};

SUSPENDS static enum status has_room(struct sealed *s, const struct sealed_query *q, size_t bytes);
SUSPENDS static enum status get_one(struct sealed *s, struct str key, struct arena *a,
                                    struct str *value_out);
SUSPENDS static enum status get_all(struct sealed *s, struct str prefix, struct arena *a,
                                    struct sealed_record *out, size_t *n_out);
SUSPENDS static enum status walk_all(struct sealed *s, struct cell_walk *w, struct arena *a,
                                     struct sealed_record *out, size_t *n_out);
SUSPENDS static enum status put_once(struct sealed *s, struct str key, struct str bytes);
static enum status make_key(enum role owner, struct str kind, struct str name,
                            struct sealed_key *out);
static struct str key_str_of(const struct sealed_key *k);
static struct str prefix_end(struct str prefix, struct arena *a);

struct sealed *
sealed_new(struct cells *c)
{
    struct sealed *s = MEM_NEW(struct sealed);

    s->cell = cell_open(c, (struct cell_id){.kind = 'c', .id = CELL});
    return s;
}

void
sealed_free(struct sealed **s)
{
    if (*s == NULL)
        return;
    cell_close(&(*s)->cell);
    mem_free(*s);
    *s = NULL;
}

enum status
sealed_get(struct sealed *s, const struct sealed_query *q, struct arena *a,
           const struct sealed_record **out, size_t *n_out)
{
    struct sealed_record *records;
    struct sealed_key key;
    struct str value;
    size_t n = 0;

    TRY(make_key(q->owner, q->kind, q->name, &key));
    if (q->name.len > 0) {
        records = ARENA_NEW(a, struct sealed_record);
        TRY(get_one(s, key_str_of(&key), a, &value));
        if (value.ptr != NULL) {
            records[0] = (struct sealed_record){arena_str(a, q->name), str_skip(value, 1)};
            n = 1;
        }
    } else {
        records = ARENA_ARRAY(a, struct sealed_record, SEALED_RECORDS_MAX);
        TRY(get_all(s, key_str_of(&key), a, records, &n));
    }
    *out = records;
    *n_out = n;
    return OK;
}

enum status
sealed_put(struct sealed *s, const struct sealed_query *q, struct str bytes)
{
    struct sealed_key key;
    enum status st;

    if (q->name.len == 0)
        return ERR_SYNTAX;
    if (bytes.len > SEALED_BYTES_MAX)
        return ERR_LIMIT;
    TRY(make_key(q->owner, q->kind, q->name, &key));
    if (bytes.len > 0)
        TRY(has_room(s, q, bytes.len));
    while ((st = put_once(s, key_str_of(&key), bytes)) == ERR_CONFLICT)
        ;
    return st;
}

/* What sealed_get() gives at once is bounded here.  Two puts at the same time may pass it by one: nothing breaks. */
SUSPENDS static enum status
has_room(struct sealed *s, const struct sealed_query *q, size_t bytes)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct sealed_query all = {.owner = q->owner, .kind = q->kind};
    const struct sealed_record *records;
    size_t n, total = bytes;
    bool is_new = true;

    TRY(sealed_get(s, &all, a, &records, &n));
    for (size_t i = 0; i < n; i++) {
        bool same = str_eq(records[i].name, q->name);
        is_new = is_new && !same;
        total += same ? 0 : records[i].bytes.len;
    }
    return total > TOTAL_MAX || (is_new && n >= SEALED_RECORDS_MAX - 1) ? ERR_LIMIT : OK;
}

SUSPENDS static enum status
get_one(struct sealed *s, struct str key, struct arena *a, struct str *value_out)
{
    struct str value;

    enum status st = cell_get(s->cell, key, a, &value);
    if (st == ERR_NOT_FOUND) { /* no cell yet */
        *value_out = STR_NONE;
        return OK;
    }
    TRY(st);
    if (value.ptr != NULL && (value.len < 2 || value.ptr[0] != VERSION))
        return ERR_CORRUPT;
    *value_out = value;
    return OK;
}

/* A walk that another process's commit disturbs starts again. */
SUSPENDS static enum status
get_all(struct sealed *s, struct str prefix, struct arena *a, struct sealed_record *out,
        size_t *n_out)
{
    enum status st;

    do {
        struct cell_walk w = {
            .cell = cell_id_of(s->cell),
            .lo = prefix,
            .hi = prefix_end(prefix, a),
            .bytes_max = PAGE_BYTES,
        };
        st = walk_all(s, &w, a, out, n_out);
        cell_walk_end(s->cell, &w);
    } while (st == ERR_CONFLICT);
    return st;
}

SUSPENDS static enum status
walk_all(struct sealed *s, struct cell_walk *w, struct arena *a, struct sealed_record *out,
         size_t *n_out)
{
    const struct cell_entry *entries;
    size_t n = 0, total = 0;

    for (;;) {
        enum status st = cell_walk_page(s->cell, w, a, &entries, &n);
        if (st == ERR_NOT_FOUND || (st == OK && n == 0))
            break;
        TRY(st);
        for (size_t i = 0; i < n; i++) {
            if (total == SEALED_RECORDS_MAX || entries[i].value.len < 2 ||
                entries[i].value.ptr[0] != VERSION)
                return ERR_CORRUPT;
            ssize_t zero = str_find(entries[i].key, '\0');
            out[total++] = (struct sealed_record){
                .name = str_skip(entries[i].key, (size_t)(zero + 1)), /* the prefix has one */
                .bytes = str_skip(entries[i].value, 1),
            };
        }
    }
    *n_out = total;
    return OK;
}

SUSPENDS static enum status
put_once(struct sealed *s, struct str key, struct str bytes)
{
    AUTO_BUF value = BUF(SEALED_BYTES_MAX + 1);
    AUTO(tx_abort) struct tx *tx = NULL;
    struct str old;

    TRY(tx_begin(s->cell, &tx));
    TRY(tx_get(tx, key, &old));
    if (bytes.len == 0) {
        if (old.ptr == NULL)
            return OK;
        tx_del(tx, key);
        return tx_commit(&tx);
    }
    buf_add_char(&value, VERSION);
    buf_add(&value, bytes);
    tx_put(tx, key, buf_str(&value));
    return tx_commit(&tx);
}

static enum status
make_key(enum role owner, struct str kind, struct str name, struct sealed_key *out)
{
    if (kind.len == 0 || kind.len > SEALED_KIND_MAX || name.len > SEALED_NAME_MAX ||
        str_find(kind, '\0') >= 0)
        return ERR_SYNTAX;
    char *p = out->bytes;
    *p++ = (char)('A' + (int)owner); /* a few roles */
    mem_copy(p, kind.ptr, kind.len);
    p += kind.len;
    *p++ = '\0';
    mem_copy(p, name.ptr, name.len);
    out->len = 2 + kind.len + name.len;
    return OK;
}

static struct str
key_str_of(const struct sealed_key *k)
{
    return str_from(k->bytes, k->len);
}

/* The first key after all that begin with prefix, whose last byte is 0. */
static struct str
prefix_end(struct str prefix, struct arena *a)
{
    char *p = arena_dup(a, prefix.ptr, prefix.len);

    p[prefix.len - 1] = 1;
    return str_from(p, prefix.len);
}
