/* cache.c - see cache.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/cache.h"

#include "base/aged.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"

enum { KEY_MAX = DNS_NAME_MAX + 2, INDEX_BYTES = 96 /* of an entry in the map, about */ };

/* One allocation: the entry, its strs, its key, the bytes of the records. */
struct entry {
    struct dns_cached shown; /* first: what callers hold */
    struct aged_node node;
    int64_t until_ms;
    uint32_t holders;
    bool gone; /* out of the cache: the last holder frees it */
    size_t bytes;
};
struct dns_cache {
    struct aged entries;
    size_t bytes, bytes_max;
};

static struct str
write_key(const struct dns_name *name, enum dns_type type, char *key)
{
    struct str n = dns_name_str(name);

    key[0] = (char)((unsigned)type >> 8);
    key[1] = (char)((unsigned)type & 0xff);
    mem_copy(key + 2, n.ptr, n.len);
    return str_from(key, n.len + 2);
}

static struct entry *
entry_of(const struct dns_cached *shown)
{
    return (struct entry *)(uintptr_t)shown; /* its first member */
}

static void
forget(struct dns_cache *c, struct entry *e)
{
    aged_take(&c->entries, &e->node);
    c->bytes -= e->bytes;
    e->gone = true;
    if (e->holders == 0)
        mem_free(e);
}

struct dns_cache *
dns_cache_new(size_t bytes_max)
{
    struct dns_cache *c = MEM_NEW(struct dns_cache);

    c->bytes_max = bytes_max;
    aged_init(&c->entries, bytes_max / sizeof(struct entry) + 1); /* bytes end it first */
    return c;
}

void
dns_cache_free(struct dns_cache **c)
{
    if (*c == NULL)
        return;
    for (struct aged_node *n; (n = aged_oldest(&(*c)->entries)) != NULL;)
        forget(*c, AGED_ENTRY(n, struct entry, node));
    aged_release(&(*c)->entries);
    mem_free(*c);
    *c = NULL;
}

size_t
dns_cache_bytes(const struct dns_cache *c)
{
    return c->bytes;
}

const struct dns_cached *
dns_cache_get(struct dns_cache *c, const struct dns_name *name, enum dns_type type, int64_t now_ms)
{
    char key[KEY_MAX];
    struct aged_node *n = aged_get(&c->entries, write_key(name, type, key));

    if (n == NULL)
        return NULL;
    struct entry *e = AGED_ENTRY(n, struct entry, node);
    if (e->until_ms <= now_ms) {
        forget(c, e);
        return NULL;
    }
    aged_renew(&c->entries, n);
    e->holders++;
    return &e->shown;
}

void
dns_cached_let_go(const struct dns_cached *held)
{
    struct entry *e = entry_of(held);

    ASSERT(e->holders > 0);
    e->holders--;
    if (e->holders == 0 && e->gone)
        mem_free(e);
}

static struct entry *
copy(const struct dns_cached *from, struct str key)
{
    size_t bytes = key.len + from->canonical.len;

    for (size_t i = 0; i < from->count; i++)
        bytes += from->data[i].len;
    size_t head = sizeof(struct entry) + from->count * sizeof(struct str);
    struct entry *e = mem_alloc(head + bytes);
    struct str *data = (struct str *)(void *)(e + 1);
    char *at = (char *)e + head;

    mem_copy(at, key.ptr, key.len);
    e->node.key = str_from(at, key.len);
    at += key.len;
    for (size_t i = 0; i < from->count; i++) {
        mem_copy(at, from->data[i].ptr, from->data[i].len);
        data[i] = str_from(at, from->data[i].len);
        at += from->data[i].len;
    }
    e->shown = *from;
    e->shown.data = data;
    if (from->canonical.ptr != NULL) {
        mem_copy(at, from->canonical.ptr, from->canonical.len);
        e->shown.canonical = str_from(at, from->canonical.len);
    }
    e->bytes = head + bytes + key.len + INDEX_BYTES;
    return e;
}

int64_t
dns_cache_until(const struct dns_cached *answer, int64_t ttl_s, int64_t now_ms)
{
    int64_t most = answer->count > 0 ? LIMIT_DNS_CACHE_S : LIMIT_DNS_CACHE_NONE_S;

    return now_ms + MIN(MAX(ttl_s, 0), most) * 1000;
}

/* One that alone would take a good part of the room is not worth it. */
void
dns_cache_put(struct dns_cache *c, const struct dns_name *name, enum dns_type type,
              const struct dns_cached *answer, int64_t until_ms)
{
    char room[KEY_MAX];
    struct str key = write_key(name, type, room);
    struct aged_node *before = aged_get(&c->entries, key);
    struct entry *e = copy(answer, key);

    if (before != NULL)
        forget(c, AGED_ENTRY(before, struct entry, node));
    if (e->bytes > c->bytes_max / 16) {
        mem_free(e);
        return;
    }
    e->until_ms = until_ms;
    while (c->bytes + e->bytes > c->bytes_max || aged_is_full(&c->entries))
        forget(c, AGED_ENTRY(aged_oldest(&c->entries), struct entry, node));
    aged_add(&c->entries, &e->node, e->node.key);
    c->bytes += e->bytes;
}
