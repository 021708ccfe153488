/* blocks.c - see blocks.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/blocks.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/scan.h"

enum { VERSION = 1, CELL = 2, PAGE_BYTES = 65536, VALUE_MAX = 64, ARENA_BYTES = 4 << 20 };

struct blocks {
    struct cell *cell;
};

SUSPENDS static enum status read_all(struct blocks *b, struct arena *a, struct block *out,
                                     size_t *n_out);
SUSPENDS static enum status walk_all(struct blocks *b, struct cell_walk *w, struct arena *a,
                                     struct block *out, size_t *n_out);
SUSPENDS static enum status make_room(struct blocks *b, const struct block *one);
SUSPENDS static enum status put_once(struct blocks *b, struct str key, struct str value);
static bool holds(const struct block *one, struct instant now);

struct blocks *
blocks_new(struct cells *c)
{
    struct blocks *b = MEM_NEW(struct blocks);

    b->cell = cell_open(c, (struct cell_id){.kind = 'c', .id = CELL});
    return b;
}

void
blocks_free(struct blocks **b)
{
    if (*b == NULL)
        return;
    cell_close(&(*b)->cell);
    mem_free(*b);
    *b = NULL;
}

enum status
blocks_add(struct blocks *b, const struct block *one)
{
    AUTO_BUF value = BUF(VALUE_MAX);
    char key[NET_KEY_MAX];
    enum status st;

    TRY(make_room(b, one));
    block_value_write(one, &value);
    while ((st = put_once(b, net_key(&one->net, key), buf_str(&value))) == ERR_CONFLICT)
        ;
    return st;
}

enum status
blocks_remove(struct blocks *b, const struct net *net, struct instant now)
{
    AUTO_ARENA *a = arena_new(4096);
    char key[NET_KEY_MAX];
    struct block old;
    struct str value;
    enum status st;

    st = cell_get(b->cell, net_key(net, key), a, &value);
    if (st == OK && value.ptr == NULL)
        st = ERR_NOT_FOUND;
    TRY(st);
    TRY(block_read(net_key(net, key), value, &old));
    while ((st = put_once(b, net_key(net, key), STR_NONE)) == ERR_CONFLICT)
        ;
    return st == OK && !holds(&old, now) ? ERR_NOT_FOUND : st;
}

enum status
blocks_list(struct blocks *b, struct instant now, struct arena *a, const struct block **out,
            size_t *n_out)
{
    struct block *all = ARENA_ARRAY(a, struct block, LIMIT_BLOCKS);
    size_t n, kept = 0;

    TRY(read_all(b, a, all, &n));
    for (size_t i = 0; i < n; i++)
        if (holds(&all[i], now))
            all[kept++] = all[i];
    *out = all;
    *n_out = kept;
    return OK;
}

/* value = version(u8) since(zigzag) until(zigzag), in microseconds */
void
block_value_write(const struct block *b, struct buf *value)
{
    buf_add_char(value, VERSION);
    buf_add_zigzag(value, b->since.us);
    buf_add_zigzag(value, b->until.us);
}

enum status
block_read(struct str key, struct str value, struct block *out)
{
    struct scan k = scan_of(key), v = scan_of(value);
    struct block b = {0};
    struct str bytes;
    uint8_t version;

    if (!scan_u8(&k, &b.net.size) || (b.net.size != 4 && b.net.size != 16) ||
        !scan_u8(&k, &b.net.bits) || b.net.bits > b.net.size * 8 ||
        !scan_take(&k, b.net.size, &bytes) || !scan_at_end(&k))
        return ERR_CORRUPT;
    mem_copy(b.net.bytes, bytes.ptr, bytes.len);
    if (!net_is_clean(&b.net))
        return ERR_CORRUPT;
    if (!scan_u8(&v, &version) || version != VERSION || !scan_zigzag(&v, &b.since.us) ||
        !scan_zigzag(&v, &b.until.us) || !scan_at_end(&v))
        return ERR_CORRUPT;
    *out = b;
    return OK;
}

static bool
holds(const struct block *one, struct instant now)
{
    return one->until.us == 0 || one->until.us > now.us;
}

/* What is over goes now; then there is room, or not.  Two at the same time may pass the limit by one: then the list
 * shows all but the last, and its next change mends it. */
SUSPENDS static enum status
make_room(struct blocks *b, const struct block *one)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct block *all = ARENA_ARRAY(a, struct block, LIMIT_BLOCKS);
    char key[NET_KEY_MAX], other[NET_KEY_MAX];
    size_t n, kept = 0;
    enum status st;

    TRY(read_all(b, a, all, &n));
    for (size_t i = 0; i < n; i++) {
        if (holds(&all[i], one->since)) {
            if (str_eq(net_key(&all[i].net, key), net_key(&one->net, other)))
                return OK;
            kept++;
            continue;
        }
        while ((st = put_once(b, net_key(&all[i].net, key), STR_NONE)) == ERR_CONFLICT)
            ;
        TRY(st);
    }
    return kept < LIMIT_BLOCKS ? OK : ERR_LIMIT;
}

/* A walk that another commit disturbs starts again. */
SUSPENDS static enum status
read_all(struct blocks *b, struct arena *a, struct block *out, size_t *n_out)
{
    enum status st;

    do {
        struct cell_walk w = {
            .cell = cell_id_of(b->cell),
            .lo = STR("\x04"),
            .hi = STR("\x11"),
            .bytes_max = PAGE_BYTES,
        };
        st = walk_all(b, &w, a, out, n_out);
        cell_walk_end(b->cell, &w);
    } while (st == ERR_CONFLICT);
    return st;
}

SUSPENDS static enum status
walk_all(struct blocks *b, struct cell_walk *w, struct arena *a, struct block *out, size_t *n_out)
{
    const struct cell_entry *entries;
    size_t n = 0, total = 0;

    for (;;) {
        enum status st = cell_walk_page(b->cell, w, a, &entries, &n);
        if (st == ERR_NOT_FOUND || (st == OK && n == 0))
            break;
        TRY(st);
        for (size_t i = 0; i < n && total < LIMIT_BLOCKS; i++)
            TRY(block_read(entries[i].key, entries[i].value, &out[total++]));
    }
    *n_out = total;
    return OK;
}

/* value empty: takes it away, if it is there. */
SUSPENDS static enum status
put_once(struct blocks *b, struct str key, struct str value)
{
    AUTO(tx_abort) struct tx *tx = NULL;
    struct str old;

    TRY(tx_begin(b->cell, &tx));
    TRY(tx_get(tx, key, &old));
    if (value.len == 0 && old.ptr == NULL)
        return OK;
    if (value.len == 0)
        tx_del(tx, key);
    else
        tx_put(tx, key, value);
    return tx_commit(&tx);
}
