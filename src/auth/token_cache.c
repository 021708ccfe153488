/* token_cache.c - see token_cache.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/token_cache.h"

#include <openssl/sha.h>

#include "base/aged.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"

struct entry {
    struct aged_node node;
    char key[SHA256_DIGEST_LENGTH];
    struct str address; /* owned */
    int64_t until_ms;   /* of the clock that only goes forward */
    int64_t expires_s;  /* since 1970; 0 = not said */
};
struct token_cache {
    struct aged by_token;
};

static struct str
key_of(struct str token, char *key)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)token.ptr, token.len, digest);
    mem_copy(key, digest, sizeof(digest));
    return str_from(key, sizeof(digest));
}

static void
drop(struct token_cache *c, struct aged_node *n)
{
    struct entry *e = AGED_ENTRY(n, struct entry, node);

    aged_take(&c->by_token, n);
    mem_str_free(&e->address);
    mem_free(e);
}

struct token_cache *
token_cache_new(void)
{
    struct token_cache *c = MEM_NEW(struct token_cache);

    aged_init(&c->by_token, LIMIT_INTROSPECTION_KEPT);
    return c;
}

void
token_cache_clear(struct token_cache *c)
{
    for (struct aged_node *n; (n = aged_oldest(&c->by_token)) != NULL;)
        drop(c, n);
}

void
token_cache_free(struct token_cache **c)
{
    if (*c == NULL)
        return;
    token_cache_clear(*c);
    aged_release(&(*c)->by_token);
    mem_free(*c);
    *c = NULL;
}

bool
token_cache_find(struct token_cache *c, struct str token, struct arena *a, struct str *address_out)
{
    char key[SHA256_DIGEST_LENGTH];
    struct aged_node *n = aged_get(&c->by_token, key_of(token, key));

    if (n == NULL)
        return false;
    const struct entry *e = AGED_ENTRY(n, struct entry, node);
    if (clock_mono_ms() >= e->until_ms ||
        (e->expires_s != 0 && clock_now().us / 1000000 >= e->expires_s)) {
        drop(c, n);
        return false;
    }
    *address_out = arena_str(a, e->address);
    return true;
}

void
token_cache_add(struct token_cache *c, struct str token, struct str address, int64_t expires_s)
{
    char key[SHA256_DIGEST_LENGTH];
    struct aged_node *before = aged_get(&c->by_token, key_of(token, key));

    if (before != NULL)
        drop(c, before);
    else if (aged_is_full(&c->by_token))
        drop(c, aged_oldest(&c->by_token));
    struct entry *e = MEM_NEW(struct entry);
    e->address = mem_str(address);
    e->until_ms = clock_mono_ms() + LIMIT_INTROSPECTION_KEPT_S * INT64_C(1000);
    e->expires_s = expires_s;
    mem_copy(e->key, key, sizeof(key));
    aged_add(&c->by_token, &e->node, str_from(e->key, sizeof(e->key)));
}

size_t
token_cache_count(const struct token_cache *c)
{
    return map_count(c->by_token.by_key);
}
