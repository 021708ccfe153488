/* cache.c - good log-ins by the keyed hash of name and password, oldest first out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/cache.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/aged.h"
#include "base/limits.h"
#include "rt/clock.h"
#include "rt/random.h"

enum { KEY_BYTES = 32 };

struct entry {
    struct aged_node node;
    char hash[KEY_BYTES];
    uint64_t account;
    struct str address; /* owned */
    int64_t until_ms;
};
struct auth_cache {
    unsigned char key[KEY_BYTES];
    struct aged by_hash;
};

struct auth_cache *
auth_cache_new(size_t entries_max)
{
    struct auth_cache *c = MEM_NEW(struct auth_cache);

    random_fill(c->key, sizeof(c->key));
    aged_init(&c->by_hash, entries_max);
    return c;
}

static struct entry *
entry_of(struct aged_node *n)
{
    return n == NULL ? NULL : AGED_ENTRY(n, struct entry, node);
}

static void
drop(struct auth_cache *c, struct entry *e)
{
    aged_take(&c->by_hash, &e->node);
    mem_str_free(&e->address);
    mem_wipe(e, sizeof(*e));
    mem_free(e);
}

void
auth_cache_free(struct auth_cache **c)
{
    if (*c == NULL)
        return;
    for (struct entry *e; (e = entry_of(aged_oldest(&(*c)->by_hash))) != NULL;)
        drop(*c, e);
    aged_release(&(*c)->by_hash);
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
    struct entry *e = entry_of(aged_get(&c->by_hash, str_from(hash, KEY_BYTES)));
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
    struct entry *old = entry_of(aged_get(&c->by_hash, str_from(e->hash, KEY_BYTES)));
    if (old != NULL)
        drop(c, old);
    if (aged_is_full(&c->by_hash))
        drop(c, entry_of(aged_oldest(&c->by_hash)));
    e->account = account;
    e->address = mem_str(address);
    e->until_ms = clock_mono_ms() + LIMIT_AUTH_CACHE_S * 1000;
    aged_add(&c->by_hash, &e->node, str_from(e->hash, KEY_BYTES));
}

void
auth_cache_forget(struct auth_cache *c, uint64_t account)
{
    for (struct entry *e = entry_of(aged_oldest(&c->by_hash)), *after; e != NULL; e = after) {
        after = entry_of(aged_after(&c->by_hash, &e->node));
        if (e->account == account)
            drop(c, e);
    }
}

size_t
auth_cache_count(const struct auth_cache *c)
{
    return map_count(c->by_hash.by_key);
}
