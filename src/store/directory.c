/* directory.c - canonical addresses, the cache, and the built-in source.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/directory_internal.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"

enum {
    CACHE_BYTES_MAX = 8 << 20,
    CACHE_OVERHEAD = 160, /* of one entry: struct, key copies, map slot */
    CACHE_AGE_MS = 60000, /* notes of other processes may be lost: nothing is believed for longer */
};

struct cached {
    struct list recent;
    struct str key; /* owned */
    int64_t loaded_ms;
    struct str value; /* owned; ptr NULL = absent */
};

SUSPENDS static enum status built_in_has_domain(struct directory *d, struct str domain, bool *out);
SUSPENDS static enum status built_in_find(struct directory *d, struct str address, struct arena *a,
                                          struct directory_entry *out);
static bool unquote(struct str local, struct arena *a, struct str *out);
static bool valid_bytes(struct str s);
static struct str lower(struct str s, struct arena *a);
static struct cached *cache_find(struct directory *d, struct str key);
static void cache_add(struct directory *d, const struct directory_key *key, struct str value);
static void cache_drop(struct directory *d, struct cached *c);
static size_t cache_cost(const struct cached *c);

const struct directory_source directory_built_in = {
    .name = "built-in",
    .has_domain = built_in_has_domain,
    .find = built_in_find,
};

struct directory *
directory_new(struct cells *c, struct str default_domain, const struct directory_source *source)
{
    struct directory *d = MEM_NEW(struct directory);

    ASSERT(source != NULL && source->has_domain != NULL && source->find != NULL);
    d->cells = c;
    d->source = source;
    d->cache = map_new();
    list_init(&d->recent);
    directory_default_domain(d, default_domain);
    return d;
}

void
directory_default_domain(struct directory *d, struct str name)
{
    char *domain = mem_alloc(name.len + 1);

    for (size_t i = 0; i < name.len; i++)
        domain[i] = ascii_lower(name.ptr[i]);
    mem_str_free(&d->default_domain);
    d->default_domain = str_from(domain, name.len);
}

void
directory_free(struct directory **d)
{
    if (*d == NULL)
        return;
    directory_changed(*d);
    map_free(&(*d)->cache);
    for (size_t i = 0; i <= DIRECTORY_SHARDS; i++) {
        if ((*d)->shards[i] != NULL)
            cell_close(&(*d)->shards[i]);
    }
    mem_str_free(&(*d)->default_domain);
    mem_free(*d);
    *d = NULL;
}

void
directory_changed(struct directory *d)
{
    struct list *l;

    d->generation++;
    while ((l = d->recent.next) != &d->recent)
        cache_drop(d, LIST_ENTRY(l, struct cached, recent));
}

enum status
directory_canonical(const struct directory *d, struct str address, struct arena *a,
                    struct str *address_out, struct str *domain_out)
{
    struct str canonical, domain;

    TRY(directory_canonical_key(d, address, a, &canonical, &domain));
    if (canonical.ptr[0] == '@')
        return ERR_SYNTAX;
    *address_out = canonical;
    if (domain_out != NULL)
        *domain_out = domain;
    return OK;
}

enum status
directory_canonical_key(const struct directory *d, struct str address, struct arena *a,
                        struct str *address_out, struct str *domain_out)
{
    ssize_t at = str_rfind(address, '@');
    struct str local = at < 0 ? address : str_sub(address, 0, (size_t)at);
    struct str domain = at < 0 ? d->default_domain : str_skip(address, (size_t)at + 1);

    if (domain.len > 1 && str_ends(domain, STR(".")))
        domain.len--;
    if (domain.len == 0 || address.len == 0 || local.len + 1 + domain.len >= DIRECTORY_ADDRESS_MAX)
        return ERR_SYNTAX;
    if (local.len > 0 && local.ptr[0] == '"' && !unquote(local, a, &local))
        return ERR_SYNTAX;
    if (!valid_bytes(local) || !valid_bytes(domain) || str_find(domain, ' ') >= 0)
        return ERR_SYNTAX;
    struct str whole = lower(arena_printf(a, "%.*s@%.*s", STR_FMT(local), STR_FMT(domain)), a);
    *address_out = whole;
    *domain_out = str_skip(whole, local.len + 1);
    return OK;
}

enum status
directory_canonical_domain(struct str domain, struct arena *a, struct str *out)
{
    if (domain.len > 1 && str_ends(domain, STR(".")))
        domain.len--;
    if (domain.len == 0 || domain.len > 255 || !valid_bytes(domain) || str_find(domain, '@') >= 0 ||
        str_find(domain, ' ') >= 0)
        return ERR_SYNTAX;
    *out = lower(domain, a);
    return OK;
}

enum status
directory_is_local_domain(struct directory *d, struct str domain, bool *out)
{
    return d->source->has_domain(d, domain, out);
}

enum status
directory_find(struct directory *d, struct str address, struct arena *a,
               struct directory_entry *out)
{
    struct str canonical, domain;

    TRY(directory_canonical_key(d, address, a, &canonical, &domain));
    return d->source->find(d, canonical, a, out);
}

enum status
directory_by_id(struct directory *d, uint64_t account, struct arena *a, struct directory_entry *out)
{
    struct directory_entry e;
    struct str address;
    char id[8];

    be64_put(id, account);
    TRY(directory_value(d, DIRECTORY_TAG_ID, str_from(id, sizeof(id)), a, &address));
    if (address.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(d->source->find(d, str_skip(address, 1), a, &e)); /* after the version byte */
    if (e.kind != DIRECTORY_ACCOUNT || e.account != account)
        return ERR_NOT_FOUND;
    *out = e;
    return OK;
}

/* ---- cells and values ---- */

enum status
directory_key_make(enum directory_tag tag, struct str name, struct directory_key *out)
{
    if (name.len > DIRECTORY_ADDRESS_MAX - 1) /* the engine's keys hold 512 bytes */
        return ERR_SYNTAX;
    out->bytes[0] = (char)tag;
    mem_copy(out->bytes + 1, name.ptr, name.len);
    out->len = name.len + 1;
    return OK;
}

struct str
directory_key_str(const struct directory_key *k)
{
    return str_from(k->bytes, k->len);
}

struct cell *
directory_cell(struct directory *d, uint32_t index)
{
    ASSERT(index <= DIRECTORY_DOMAIN_CELL);
    if (d->shards[index] == NULL)
        d->shards[index] = cell_open(d->cells, (struct cell_id){.kind = 'd', .id = index});
    return d->shards[index];
}

struct cell *
directory_shard(struct directory *d, struct str address)
{
    return directory_cell(d, (uint32_t)(hash_stable(address) % DIRECTORY_SHARDS));
}

struct cell *
directory_domains_cell(struct directory *d)
{
    return directory_cell(d, DIRECTORY_DOMAIN_CELL);
}

enum status
directory_value(struct directory *d, enum directory_tag tag, struct str name, struct arena *a,
                struct str *value_out)
{
    struct directory_key key;
    struct str value;

    TRY(directory_key_make(tag, name, &key));
    struct cached *c = cache_find(d, directory_key_str(&key));
    if (c != NULL) {
        *value_out = c->value.ptr == NULL ? STR_NONE : arena_str(a, c->value);
        return OK;
    }
    uint64_t generation = d->generation;
    struct cell *cell =
        tag == DIRECTORY_TAG_DOMAIN ? directory_domains_cell(d) : directory_shard(d, name);
    enum status st = cell_get(cell, directory_key_str(&key), a, &value);
    if (st == ERR_NOT_FOUND) { /* the cell does not exist yet */
        value = STR_NONE;
        st = OK;
    }
    TRY(st);
    if (generation == d->generation)
        cache_add(d, &key, value);
    *value_out = value;
    return OK;
}

void
directory_forget(struct directory *d, enum directory_tag tag, struct str name)
{
    struct directory_key key;

    d->generation++;
    if (directory_key_make(tag, name, &key) != OK)
        return;
    struct cached *c = map_get(d->cache, directory_key_str(&key));
    if (c != NULL)
        cache_drop(d, c);
}

/* ---- the built-in source ---- */

SUSPENDS static enum status
built_in_has_domain(struct directory *d, struct str domain, bool *out)
{
    AUTO_ARENA *a = arena_new(8192);
    struct str name, value;

    if (directory_canonical_domain(domain, a, &name) != OK) {
        *out = false;
        return OK;
    }
    TRY(directory_value(d, DIRECTORY_TAG_DOMAIN, name, a, &value));
    *out = value.ptr != NULL;
    return OK;
}

SUSPENDS static enum status
built_in_find(struct directory *d, struct str address, struct arena *a, struct directory_entry *out)
{
    struct directory_entry e;
    struct str value;

    TRY(directory_value(d, DIRECTORY_TAG_ADDRESS, address, a, &value));
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(directory_entry_read(value, a, &e));
    e.address = arena_str(a, address);
    *out = e;
    return OK;
}

/* ---- text ---- */

/* Quoted-string = the same mailbox without quotes when it needs none, RFC 5321 section 4.1.2. */
static bool
unquote(struct str local, struct arena *a, struct str *out)
{
    char *plain = arena_alloc(a, local.len);
    size_t n = 0, i = 1;

    for (; i < local.len && local.ptr[i] != '"'; i++) {
        if (local.ptr[i] == '\\' && ++i == local.len)
            return false;
        plain[n++] = local.ptr[i];
    }
    if (i + 1 != local.len)
        return false;
    struct str s = str_from(plain, n);
    bool needless = n > 0;
    for (size_t k = 0; k < n; k++)
        needless = needless && str_find(STR(" \t\"\\@,;:<>()[]"), s.ptr[k]) < 0;
    *out = needless ? s : local;
    return true;
}

static bool
valid_bytes(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return false;
    }
    return true;
}

static struct str
lower(struct str s, struct arena *a)
{
    char *p = arena_alloc(a, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        p[i] = ascii_lower(s.ptr[i]);
    return str_from(p, s.len);
}

/* ---- cache ---- */

static struct cached *
cache_find(struct directory *d, struct str key)
{
    struct cached *c = map_get(d->cache, key);

    if (c == NULL)
        return NULL;
    if (clock_mono_ms() - c->loaded_ms > CACHE_AGE_MS) {
        cache_drop(d, c);
        return NULL;
    }
    list_remove(&c->recent);
    list_push(&d->recent, &c->recent);
    return c;
}

static void
cache_add(struct directory *d, const struct directory_key *key, struct str value)
{
    struct cached *old = map_get(d->cache, directory_key_str(key));

    if (old != NULL) /* another fiber read it meanwhile */
        cache_drop(d, old);
    struct cached *c = MEM_NEW(struct cached);
    c->key = mem_str(directory_key_str(key));
    c->loaded_ms = clock_mono_ms();
    if (value.ptr != NULL)
        c->value = mem_str(value);
    list_push(&d->recent, &c->recent);
    map_put(d->cache, c->key, c);
    d->cache_bytes += cache_cost(c);
    while (d->cache_bytes > CACHE_BYTES_MAX)
        cache_drop(d, LIST_ENTRY(d->recent.next, struct cached, recent));
}

static void
cache_drop(struct directory *d, struct cached *c)
{
    d->cache_bytes -= cache_cost(c);
    map_del(d->cache, c->key);
    list_remove(&c->recent);
    mem_str_free(&c->key);
    mem_str_free(&c->value);
    mem_free(c);
}

static size_t
cache_cost(const struct cached *c)
{
    return sizeof(*c) + 2 * c->key.len + c->value.len + CACHE_OVERHEAD;
}
