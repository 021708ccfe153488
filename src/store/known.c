/* known.c - see known.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/known.h"

#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "store/hash_page.h"

enum { CELL = 3, PAGE_SHIFT = 54, NETWORK4 = 24, NETWORK6 = 64, NAME_MAX_BYTES = 1024 };
static_assert(HASH_PAGE_MAX * KNOWN_PAGES == LIMIT_KNOWN_SENDERS,
              "the pages hold what the table of limits says");

struct known {
    struct cell *cell;
};
struct page_key {
    char bytes[3];
};

SUSPENDS static enum status load(struct known *k, uint64_t hash, struct hash_page *out);
SUSPENDS static enum status add_once(struct known *k, uint64_t hash, struct instant now);
static struct page_key key_of(uint64_t hash);

struct known *
known_new(struct cells *c)
{
    struct known *k = MEM_NEW(struct known);

    k->cell = cell_open(c, (struct cell_id){.kind = 'c', .id = CELL});
    return k;
}

void
known_free(struct known **k)
{
    if (*k == NULL)
        return;
    cell_close(&(*k)->cell);
    mem_free(*k);
    *k = NULL;
}

uint64_t
known_hash(const struct subnet *client, struct str domain)
{
    AUTO_BUF name = BUF(NAME_MAX_BYTES);
    char key[SUBNET_KEY_MAX];
    struct subnet net = subnet_wider(client, client->size == 4 ? NETWORK4 : NETWORK6);

    buf_add(&name, subnet_key(&net, key));
    for (size_t i = 0; i < domain.len; i++)
        buf_add_char(&name, ascii_lower(domain.ptr[i]));
    return hash_stable(buf_str(&name));
}

enum status
known_has(struct known *k, uint64_t hash, bool *out)
{
    struct hash_page p;

    TRY(load(k, hash, &p));
    *out = hash_page_has(&p, hash);
    return OK;
}

enum status
known_add(struct known *k, uint64_t hash, struct instant now)
{
    struct hash_page p;
    enum status st;

    TRY(load(k, hash, &p));
    if (!hash_page_add(&p, hash, now)) /* nearly always, and without a transaction */
        return OK;
    while ((st = add_once(k, hash, now)) == ERR_CONFLICT)
        ;
    return st;
}

SUSPENDS static enum status
load(struct known *k, uint64_t hash, struct hash_page *out)
{
    AUTO_ARENA *a = arena_new(4 * (size_t)HASH_PAGE_BYTES);
    struct page_key key = key_of(hash);
    struct str value;

    TRY(cell_get(k->cell, str_from(key.bytes, sizeof(key.bytes)), a, &value));
    return hash_page_read(value, out);
}

SUSPENDS static enum status
add_once(struct known *k, uint64_t hash, struct instant now)
{
    AUTO(tx_abort) struct tx *tx = NULL;
    AUTO_BUF bytes = BUF(HASH_PAGE_BYTES);
    struct page_key key = key_of(hash);
    struct hash_page p;
    struct str value;

    TRY(tx_begin(k->cell, &tx));
    TRY(tx_get(tx, str_from(key.bytes, sizeof(key.bytes)), &value));
    TRY(hash_page_read(value, &p));
    if (!hash_page_add(&p, hash, now))
        return OK;
    hash_page_write(&p, &bytes);
    TRY(buf_status(&bytes));
    tx_put(tx, str_from(key.bytes, sizeof(key.bytes)), buf_str(&bytes));
    return tx_commit(&tx);
}

static struct page_key
key_of(uint64_t hash)
{
    struct page_key k = {{'K'}};

    be16_put(k.bytes + 1, (uint16_t)(hash >> PAGE_SHIFT));
    return k;
}
