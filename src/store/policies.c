/* policies.c - see policies.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/policies.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/scan.h"

enum {
    VERSION = 1,
    CELL = 8,
    PAGE_BYTES = 65536,
    VALUE_MAX = LIMIT_STS_KEPT_BYTES + 128,
    DOMAIN_MAX = 255,
    SWEEP_MAX = 256, /* names that one walk takes along */
    ARENA_BYTES = 4 << 20
};

struct policies {
    struct cell *cell;
    size_t count; /* of entries, once known */
    bool counted;
};

/* Domains that are over, and how many entries there are. */
struct sweep {
    struct instant now;
    struct str over[SWEEP_MAX];
    size_t over_count, all;
};

SUSPENDS static enum status look(struct policies *p, struct arena *a, struct sweep *s);
SUSPENDS static enum status make_room(struct policies *p, struct instant now);
SUSPENDS static enum status put_once(struct policies *p, struct str domain, struct str value);

struct policies *
policies_new(struct cells *c)
{
    struct policies *p = MEM_NEW(struct policies);

    p->cell = cell_open(c, (struct cell_id){.kind = 'c', .id = CELL});
    return p;
}

void
policies_free(struct policies **p)
{
    if (*p == NULL)
        return;
    cell_close(&(*p)->cell);
    mem_free(*p);
    *p = NULL;
}

enum status
policies_get(struct policies *p, struct str domain, struct arena *a, struct policy_kept *out)
{
    struct str value;

    if (domain.len == 0 || domain.len > DOMAIN_MAX)
        return ERR_NOT_FOUND;
    TRY(cell_get(p->cell, domain, a, &value));
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    return policy_value_read(value, out);
}

enum status
policies_put(struct policies *p, struct str domain, const struct policy_kept *one,
             struct instant now)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    AUTO_BUF value = BUF(VALUE_MAX);
    struct str old = STR_NONE;

    if (domain.len == 0 || domain.len > DOMAIN_MAX || one->id.len > POLICY_ID_MAX ||
        one->text.len > LIMIT_STS_KEPT_BYTES)
        return ERR_LIMIT;
    enum status st = cell_get(p->cell, domain, a, &old);
    if (st != OK && st != ERR_NOT_FOUND)
        return st;
    if (old.ptr == NULL)
        TRY(make_room(p, now));
    policy_value_write(one, &value);
    while ((st = put_once(p, domain, buf_str(&value))) == ERR_CONFLICT)
        ;
    if (st == OK && old.ptr == NULL)
        p->count++;
    return st;
}

/* value = version(u8) fetched(zigzag) until(zigzag) id(length, bytes) text, times in microseconds */
void
policy_value_write(const struct policy_kept *k, struct buf *b)
{
    buf_add_char(b, VERSION);
    buf_add_zigzag(b, k->fetched.us);
    buf_add_zigzag(b, k->until.us);
    buf_add_varint(b, k->id.len);
    buf_add(b, k->id);
    buf_add(b, k->text);
}

enum status
policy_value_read(struct str value, struct policy_kept *out)
{
    struct scan s = scan_of(value);
    struct policy_kept k = {0};
    uint8_t version;
    uint64_t n;

    if (!scan_u8(&s, &version) || version != VERSION || !scan_zigzag(&s, &k.fetched.us) ||
        !scan_zigzag(&s, &k.until.us) || !scan_varint(&s, POLICY_ID_MAX, &n) ||
        !scan_take(&s, (size_t)n, &k.id)) /* bounded by POLICY_ID_MAX */
        return ERR_CORRUPT;
    k.text = scan_rest(&s);
    if (k.text.len > LIMIT_STS_KEPT_BYTES)
        return ERR_CORRUPT;
    *out = k;
    return OK;
}

/* ---- room ---- */

SUSPENDS static enum status
walk(struct policies *p, struct cell_walk *w, struct arena *a, struct sweep *s)
{
    const struct cell_entry *entries;
    struct policy_kept k;
    size_t n = 0;

    for (;;) {
        AUTO_ARENA *page = arena_new(ARENA_BYTES);
        enum status st = cell_walk_page(p->cell, w, page, &entries, &n);
        if (st == ERR_NOT_FOUND || (st == OK && n == 0))
            return OK;
        TRY(st);
        for (size_t i = 0; i < n; i++) {
            s->all++;
            bool holds = policy_value_read(entries[i].value, &k) == OK && k.until.us > s->now.us;
            if (!holds && s->over_count < SWEEP_MAX)
                s->over[s->over_count++] = arena_str(a, entries[i].key);
        }
    }
}

/* A walk that another commit disturbs starts again. */
SUSPENDS static enum status
look(struct policies *p, struct arena *a, struct sweep *s)
{
    enum status st;

    do {
        struct cell_walk w = {.cell = cell_id_of(p->cell),
                              .lo = STR("\x01"),
                              .hi = STR("\xff"),
                              .bytes_max = PAGE_BYTES};
        s->all = s->over_count = 0;
        st = walk(p, &w, a, s);
        cell_walk_end(p->cell, &w);
    } while (st == ERR_CONFLICT);
    return st;
}

/* Two puts at the same time may pass the limit by one: nothing breaks. */
SUSPENDS static enum status
make_room(struct policies *p, struct instant now)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct sweep *s;
    enum status st;

    if (p->counted && p->count < LIMIT_STS_DOMAINS)
        return OK;
    s = ARENA_NEW(a, struct sweep);
    s->now = now;
    TRY(look(p, a, s));
    p->count = s->all;
    p->counted = true;
    if (p->count < LIMIT_STS_DOMAINS)
        return OK;
    for (size_t i = 0; i < s->over_count; i++) {
        while ((st = put_once(p, s->over[i], STR_NONE)) == ERR_CONFLICT)
            ;
        TRY(st);
        p->count--;
    }
    return s->over_count > 0 ? OK : ERR_LIMIT;
}

/* value empty: takes it away, if it is there. */
SUSPENDS static enum status
put_once(struct policies *p, struct str domain, struct str value)
{
    AUTO(tx_abort) struct tx *tx = NULL;
    struct str old;

    TRY(tx_begin(p->cell, &tx));
    TRY(tx_get(tx, domain, &old));
    if (value.len == 0 && old.ptr == NULL)
        return OK;
    if (value.len == 0)
        tx_del(tx, domain);
    else
        tx_put(tx, domain, value);
    return tx_commit(&tx);
}
