/* cache.c - good log-ins by the keyed hash of name and password, oldest first out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/cache.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "rt/clock.h"
#include "rt/random.h"

enum { KEY_BYTES = 32 };

struct entry {
    struct list node; /* by age */
    char hash[KEY_BYTES];
    uint64_t account;
    struct str address; /* owned */
    int64_t until_ms;
};
struct auth_cache {
    unsigned char key[KEY_BYTES];
    size_t entries_max;
    struct map *by_hash;
    struct list by_age;
};

struct auth_cache *
auth_cache_new(size_t entries_max)
{
    struct auth_cache *c = MEM_NEW(struct auth_cache);

    ASSERT(entries_max > 0);
    random_fill(c->key, sizeof(c->key));
    c->entries_max = entries_max;
    c->by_hash = map_new();
    list_init(&c->by_age);
    return c;
}

static void
drop(struct auth_cache *c, struct entry *e)
{
    map_del(c->by_hash, str_from(e->hash, KEY_BYTES));
    list_remove(&e->node);
    mem_str_free(&e->address);
    mem_wipe(e, sizeof(*e));
    mem_free(e);
}

void
auth_cache_free(struct auth_cache **c)
{
    if (*c == NULL)
        return;
    while (!list_empty(&(*c)->by_age))
        drop(*c, LIST_ENTRY((*c)->by_age.next, struct entry, node));
    map_free(&(*c)->by_hash);
    mem_wipe(*c, sizeof(**c));
    mem_free(*c);
    *c = NULL;
}

/* Name and password with their border; a name holds no NUL by the time it comes here, a password may. */
static bool
hash_of(const struct auth_cache *c, struct str login, const struct secret *password, char *hash_out)
{
    AUTO_BUF text = BUF(2048);
    unsigned n = 0;

    buf_add_bytes(&text, login);
    buf_add(&text, secret_str(password));
    bool ok = buf_status(&text) == OK &&
              HMAC(EVP_sha256(), c->key, KEY_BYTES, (const unsigned char *)text.ptr, text.len,
                   (unsigned char *)hash_out, &n) != NULL;
    if (text.ptr != NULL)
        mem_wipe(text.ptr, text.cap);
    return ok && n == KEY_BYTES;
}

bool
auth_cache_find(struct auth_cache *c, struct str login, const struct secret *password,
                struct arena *a, struct auth_known *out)
{
    char hash[KEY_BYTES];

    if (!hash_of(c, login, password, hash))
        return false;
    struct entry *e = map_get(c->by_hash, str_from(hash, KEY_BYTES));
    if (e == NULL)
        return false;
    if (clock_mono_ms() >= e->until_ms) {
        drop(c, e);
        return false;
    }
    *out = (struct auth_known){.account = e->account, .address = arena_str(a, e->address)};
    return true;
}

void
auth_cache_add(struct auth_cache *c, struct str login, const struct secret *password,
               uint64_t account, struct str address)
{
    struct entry *e = MEM_NEW(struct entry);

    if (!hash_of(c, login, password, e->hash)) {
        mem_free(e);
        return;
    }
    struct entry *old = map_get(c->by_hash, str_from(e->hash, KEY_BYTES));
    if (old != NULL)
        drop(c, old);
    if (map_count(c->by_hash) >= c->entries_max)
        drop(c, LIST_ENTRY(c->by_age.next, struct entry, node));
    e->account = account;
    e->address = mem_str(address);
    e->until_ms = clock_mono_ms() + LIMIT_AUTH_CACHE_S * 1000;
    list_push(&c->by_age, &e->node);
    map_put(c->by_hash, str_from(e->hash, KEY_BYTES), e);
}

void
auth_cache_forget(struct auth_cache *c, uint64_t account)
{
    list_each_safe(node, after, &c->by_age)
    {
        struct entry *e = LIST_ENTRY(node, struct entry, node);
        if (e->account == account)
            drop(c, e);
    }
}

size_t
auth_cache_count(const struct auth_cache *c)
{
    return map_count(c->by_hash);
}
