/* directory_admin.c - domains, aliases and listings of the built-in directory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/mem.h"
#include "base/size.h"
#include "store/directory_internal.h"

enum { PAGE_BYTES = 65536, PAGE_ARENA = 16 << 20 };

struct tally { /* accounts by domain */
    struct directory_domain *domains;
    size_t count;
};
struct listing {
    struct directory *d;
    enum directory_kind kind;
    struct arena *a;
    struct directory_entry *out;
    size_t n, max;
};
struct domain_walk {
    struct directory *d;
    struct str domain;
    enum directory_kind kind;
    bool remove; /* the aliases, instead of counting */
    size_t count;
    struct directory_domain_use use;
    struct arena *a; /* of use */
};
/* RFC 5321 section 4.5.1, RFC 2142 section 2 and 4, RFC 8460 section 3. */
static const struct str role_addresses[] = {STR("postmaster"), STR("abuse"), STR("tls-reports")};

struct shard_page {
    struct cell_entry
        *entries; /* whole keys and values of a shard after a key, in the caller's arena */
    size_t n;
};

SUSPENDS static enum status domain_put(struct directory *d, struct str name,
                                       const struct directory_domain_value *dkim);
SUSPENDS static enum status domain_put_once(struct directory *d, struct str name,
                                            const struct directory_domain_value *dkim);
SUSPENDS static enum status domain_del_once(struct directory *d, struct str name);
SUSPENDS static enum status add_role_alias(struct directory *d, struct str local, struct str domain,
                                           struct str admin);
SUSPENDS static enum status alias_put(struct directory *d, const struct directory_entry *e,
                                      bool only_new);
SUSPENDS static enum status alias_put_once(struct directory *d, const struct directory_entry *e,
                                           bool only_new);
SUSPENDS static enum status shard_read(struct directory *d, uint32_t index, struct str after,
                                       struct arena *a, struct shard_page *out);
SUSPENDS static enum status list_shard(struct listing *l, uint32_t index, struct str after);
SUSPENDS static enum status domain_entries(struct domain_walk *w);
SUSPENDS static enum status domain_entry(struct domain_walk *w, const struct directory_entry *e);
static bool is_role_address(struct str address);
SUSPENDS static enum status count_accounts(struct directory *d, struct tally *t);
SUSPENDS static enum status count_shard(struct directory *d, uint32_t index, struct tally *t);
static struct str domain_of(struct str address);
static void copy_targets(struct arena *a, struct directory_entry *e);
static const struct str *copied(struct arena *a, const struct str *list, size_t n);

enum status
directory_domain_add(struct directory *d, struct str name, struct str admin)
{
    AUTO_ARENA *a = arena_new(65536);
    struct str domain, unused, target = STR_NONE;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_canonical_domain(name, a, &domain));
    if (admin.len > 0)
        TRY(directory_canonical(d, admin, a, &target, &unused));
    TRY(domain_put(d, domain, NULL));
    if (target.len == 0)
        return OK;
    for (size_t i = 0; i < COUNT_OF(role_addresses); i++)
        TRY(add_role_alias(d, role_addresses[i], domain, target));
    return OK;
}

enum status
directory_domain_use(struct directory *d, struct str name, struct arena *a,
                     struct directory_domain_use *out)
{
    struct domain_walk w = {.d = d, .a = a, .kind = DIRECTORY_ACCOUNT};

    TRY(directory_canonical_domain(name, a, &w.domain));
    TRY(domain_entries(&w));
    w.use.accounts = w.count;
    w.kind = DIRECTORY_ALIAS;
    TRY(domain_entries(&w));
    w.use.aliases = w.count;
    *out = w.use;
    return OK;
}

enum status
directory_domain_remove(struct directory *d, struct str name)
{
    AUTO_ARENA *a = arena_new(65536);
    struct domain_walk w = {.d = d, .a = a, .kind = DIRECTORY_ALIAS, .remove = true};
    struct directory_domain_use use;
    enum status st;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_canonical_domain(name, a, &w.domain));
    TRY(directory_domain_use(d, w.domain, a, &use));
    if (use.accounts + use.aliases > 0)
        return ERR_EXISTS;
    while ((st = domain_del_once(d, w.domain)) == ERR_CONFLICT)
        ;
    directory_forget(d, DIRECTORY_TAG_DOMAIN, w.domain);
    TRY(st);
    return domain_entries(&w);
}

enum status
directory_domain_dkim(struct directory *d, struct str name, struct str selector, struct str record)
{
    AUTO_ARENA *a = arena_new(65536);
    struct directory_domain_value v = {.selector = selector, .dkim_record = record};
    struct str domain;
    bool local;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    if (selector.len > 64 || record.len > 1024)
        return ERR_LIMIT;
    TRY(directory_canonical_domain(name, a, &domain));
    TRY(directory_is_local_domain(d, domain, &local));
    return local ? domain_put(d, domain, &v) : ERR_NOT_FOUND;
}

enum status
directory_domains(struct directory *d, const struct directory_page *p,
                  const struct directory_domain **out, size_t *n_out)
{
    struct tally t = {.domains = ARENA_ARRAY(p->a, struct directory_domain, p->max)};
    const struct cell_entry *entries;
    size_t n;
    AUTO_ARENA *lo = arena_new(4096);

    ASSERT(p->max > 0);
    struct cell_walk w = {
        .cell = cell_id_of(directory_domains_cell(d)),
        .lo = arena_printf(lo, "t%.*s%c", STR_FMT(str_sub(p->after, 0, 255)), 0),
        .hi = STR("u"),
        .bytes_max = PAGE_BYTES,
    };
    if (p->after.len == 0)
        w.lo = STR("t");
    enum status st = OK;
    while (t.count < p->max) {
        st = cell_walk_page(directory_domains_cell(d), &w, p->a, &entries, &n);
        if (st != OK || n == 0)
            break;
        for (size_t i = 0; i < n && t.count < p->max && st == OK; i++) {
            struct directory_domain_value v;
            st = directory_domain_read(entries[i].value, &v);
            if (st == OK)
                t.domains[t.count++] =
                    (struct directory_domain){.name = str_skip(entries[i].key, 1),
                                              .selector = v.selector,
                                              .dkim_record = v.dkim_record};
        }
        if (st != OK)
            break;
    }
    cell_walk_end(directory_domains_cell(d), &w);
    if (st != OK && st != ERR_NOT_FOUND) /* ERR_NOT_FOUND: there is no cell yet */
        return st;
    if (!p->names_only)
        TRY(count_accounts(d, &t));
    *out = t.domains;
    *n_out = t.count;
    return OK;
}

enum status
directory_alias_set(struct directory *d, struct str address, const struct str *targets, size_t n)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct directory_entry e = {.kind = DIRECTORY_ALIAS, .target_count = n};
    struct str *canonical = ARENA_ARRAY(a, struct str, n + 1);
    struct str domain, unused;
    bool local, loop = false;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    if (n > LIMIT_ALIAS_TARGETS)
        return ERR_LIMIT;
    TRY(directory_canonical_key(d, address, a, &e.address, &domain));
    TRY(directory_is_local_domain(d, domain, &local));
    if (!local)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < n; i++)
        TRY(directory_canonical(d, targets[i], a, &canonical[i], &unused));
    e.targets = canonical;
    TRY(directory_leads_to(d, &e, &loop));
    return loop ? ERR_CONFLICT : alias_put(d, &e, false);
}

enum status
directory_list(struct directory *d, enum directory_kind kind, const struct directory_page *p,
               const struct directory_entry **out, size_t *n_out)
{
    struct listing l = {.d = d, .kind = kind, .a = p->a, .max = p->max};
    uint32_t first = 0;

    ASSERT(p->max > 0);
    if (d->source != &directory_built_in)
        return ERR_DENIED;
    l.out = ARENA_ARRAY(p->a, struct directory_entry, p->max);
    if (p->after.len > 0)
        first = (uint32_t)(hash_stable(p->after) % DIRECTORY_SHARDS);
    for (uint32_t i = first; i < DIRECTORY_SHARDS && l.n < p->max; i++)
        TRY(list_shard(&l, i, i == first ? p->after : STR_NONE));
    *out = l.out;
    *n_out = l.n;
    return OK;
}

/* ---- domains ---- */

SUSPENDS static enum status
domain_put(struct directory *d, struct str name, const struct directory_domain_value *dkim)
{
    enum status st;

    while ((st = domain_put_once(d, name, dkim)) == ERR_CONFLICT)
        ;
    directory_forget(d, DIRECTORY_TAG_DOMAIN, name);
    return st;
}

/* dkim NULL: only make it exist. */
SUSPENDS static enum status
domain_put_once(struct directory *d, struct str name, const struct directory_domain_value *dkim)
{
    AUTO_BUF value = BUF(4096);
    AUTO(tx_abort) struct tx *tx = NULL;
    struct directory_domain_value v = {0};
    struct directory_key key;
    struct str old;

    TRY(directory_key_make(DIRECTORY_TAG_DOMAIN, name, &key));
    TRY(tx_begin(directory_domains_cell(d), &tx));
    TRY(tx_get(tx, directory_key_str(&key), &old));
    if (old.ptr != NULL)
        TRY(directory_domain_read(old, &v));
    if (dkim != NULL) {
        if (str_eq(v.selector, dkim->selector) && str_eq(v.dkim_record, dkim->dkim_record))
            return OK;
        v.selector = dkim->selector;
        v.dkim_record = dkim->dkim_record;
    } else if (old.ptr != NULL) {
        return OK;
    }
    directory_domain_write(&v, &value);
    tx_put(tx, directory_key_str(&key), buf_str(&value));
    return tx_commit(&tx);
}

SUSPENDS static enum status
domain_del_once(struct directory *d, struct str name)
{
    AUTO(tx_abort) struct tx *tx = NULL;
    struct directory_key key;
    struct str old;

    TRY(directory_key_make(DIRECTORY_TAG_DOMAIN, name, &key));
    TRY(tx_begin(directory_domains_cell(d), &tx));
    TRY(tx_get(tx, directory_key_str(&key), &old));
    if (old.ptr == NULL)
        return ERR_NOT_FOUND;
    tx_del(tx, directory_key_str(&key));
    return tx_commit(&tx);
}

SUSPENDS static enum status
add_role_alias(struct directory *d, struct str local, struct str domain, struct str admin)
{
    AUTO_ARENA *a = arena_new(8192);
    struct directory_entry e = {
        .kind = DIRECTORY_ALIAS,
        .address = arena_printf(a, "%.*s@%.*s", STR_FMT(local), STR_FMT(domain)),
        .targets = &admin,
        .target_count = 1,
    };

    if (str_eq(e.address, admin)) /* the administrator's account itself has this name */
        return OK;
    enum status st = alias_put(d, &e, true);
    return st == ERR_EXISTS ? OK : st;
}

/* ---- aliases ---- */

SUSPENDS static enum status
alias_put(struct directory *d, const struct directory_entry *e, bool only_new)
{
    enum status st;

    while ((st = alias_put_once(d, e, only_new)) == ERR_CONFLICT)
        ;
    directory_forget(d, DIRECTORY_TAG_ADDRESS, e->address);
    return st;
}

SUSPENDS static enum status
alias_put_once(struct directory *d, const struct directory_entry *e, bool only_new)
{
    AUTO_BUF value = BUF(DIRECTORY_VALUE_MAX);
    AUTO(tx_abort) struct tx *tx = NULL;
    struct directory_key key;
    struct directory_entry old_entry;
    struct str old;

    TRY(directory_key_make(DIRECTORY_TAG_ADDRESS, e->address, &key));
    TRY(tx_begin(directory_shard(d, e->address), &tx));
    TRY(tx_get(tx, directory_key_str(&key), &old));
    if (old.ptr != NULL) {
        TRY(directory_entry_read(old, tx_arena(tx), &old_entry));
        if (only_new || old_entry.kind != DIRECTORY_ALIAS)
            return ERR_EXISTS;
    }
    if (e->target_count == 0) {
        if (old.ptr == NULL)
            return ERR_NOT_FOUND;
        tx_del(tx, directory_key_str(&key));
        return tx_commit(&tx);
    }
    directory_entry_write(e, &value);
    TRY(buf_status(&value));
    tx_put(tx, directory_key_str(&key), buf_str(&value));
    return tx_commit(&tx);
}

/* ---- walks over shards ---- */

/* A page of a shard's address entries after an address; n = 0 at its end. */
SUSPENDS static enum status
shard_read(struct directory *d, uint32_t index, struct str after, struct arena *a,
           struct shard_page *out)
{
    struct cell *cell = directory_cell(d, index);
    const struct cell_entry *entries;
    size_t n = 0;
    /* the first key after it: itself and a zero byte */
    struct cell_walk w = {
        .cell = cell_id_of(cell),
        .lo = after.len == 0 ? STR("a") : arena_printf(a, "a%.*s%c", STR_FMT(after), 0),
        .hi = STR("b"),
        .bytes_max = PAGE_BYTES,
    };

    enum status st = cell_walk_page(cell, &w, a, &entries, &n);
    cell_walk_end(cell, &w);
    if (st == ERR_NOT_FOUND) {
        st = OK;
        n = 0;
    }
    TRY(st);
    out->entries = ARENA_ARRAY(a, struct cell_entry, n + 1);
    for (size_t i = 0; i < n; i++)
        out->entries[i] = (struct cell_entry){str_skip(entries[i].key, 1), entries[i].value};
    out->n = n;
    return OK;
}

SUSPENDS static enum status
list_shard(struct listing *l, uint32_t index, struct str after)
{
    struct str at = after;

    while (l->n < l->max) {
        AUTO_ARENA *page_arena = arena_new(PAGE_ARENA);
        struct shard_page page;
        TRY(shard_read(l->d, index, at, page_arena, &page));
        if (page.n == 0)
            return OK;
        for (size_t i = 0; i < page.n && l->n < l->max; i++) {
            struct directory_entry e;
            TRY(directory_entry_read(page.entries[i].value, page_arena, &e));
            if (e.kind != l->kind)
                continue;
            e.address = arena_str(l->a, page.entries[i].key);
            /* listings are for people, who may know that there is one */
            e.verifier = e.verifier.len > 0 ? STR("+") : STR_NONE;
            e.invitation.hash = STR_NONE;
            e.app_password_count = 0;
            copy_targets(l->a, &e);
            l->out[l->n++] = e;
        }
        at = arena_str(l->a, page.entries[page.n - 1].key);
    }
    return OK;
}

/* Counts the entries of one kind that the domain has, or removes its aliases. */
SUSPENDS static enum status
domain_entries(struct domain_walk *w)
{
    AUTO_ARENA *a = arena_new(PAGE_ARENA);
    const struct directory_entry *list;
    struct str after = STR_NONE;
    size_t n;

    w->count = 0;
    do {
        AUTO_ARENA *page = arena_new(PAGE_ARENA);
        struct directory_page p = {.after = after, .max = 256, .a = page};
        TRY(directory_list(w->d, w->kind, &p, &list, &n));
        for (size_t i = 0; i < n; i++)
            if (str_eq(domain_of(list[i].address), w->domain))
                TRY(domain_entry(w, &list[i]));
        if (n > 0) {
            arena_reset(a);
            after = arena_str(a, list[n - 1].address);
        }
    } while (n == 256);
    return OK;
}

SUSPENDS static enum status
domain_entry(struct domain_walk *w, const struct directory_entry *e)
{
    if (w->remove) {
        const struct directory_entry gone = {.kind = DIRECTORY_ALIAS, .address = e->address};
        enum status st = alias_put(w->d, &gone, false);
        return st == ERR_NOT_FOUND ? OK : st;
    }
    if (e->kind == DIRECTORY_ALIAS && is_role_address(e->address))
        return OK;
    w->count++;
    if (w->use.first.len == 0)
        w->use.first = arena_str(w->a, e->address);
    return OK;
}

/* directory_domain_add() makes these; whoever removes the domain need not know of them. */
static bool
is_role_address(struct str address)
{
    struct str local = str_sub(address, 0, (size_t)(str_rfind(address, '@') + 1));

    for (size_t i = 0; i < COUNT_OF(role_addresses); i++)
        if (str_starts(local, role_addresses[i]) && local.len == role_addresses[i].len + 1)
            return true;
    return false;
}

SUSPENDS static enum status
count_accounts(struct directory *d, struct tally *t)
{
    for (uint32_t i = 0; i < DIRECTORY_SHARDS && t->count > 0; i++)
        TRY(count_shard(d, i, t));
    return OK;
}

SUSPENDS static enum status
count_shard(struct directory *d, uint32_t index, struct tally *t)
{
    AUTO_ARENA *last = arena_new(65536);
    struct str at = STR_NONE;

    for (;;) {
        AUTO_ARENA *a = arena_new(PAGE_ARENA);
        struct shard_page page;
        TRY(shard_read(d, index, at, a, &page));
        if (page.n == 0)
            return OK;
        for (size_t i = 0; i < page.n; i++) {
            struct directory_entry e;
            TRY(directory_entry_read(page.entries[i].value, a, &e));
            for (size_t k = 0; k < t->count && e.kind == DIRECTORY_ACCOUNT; k++)
                t->domains[k].accounts +=
                    str_eq(t->domains[k].name, domain_of(page.entries[i].key)) ? 1u : 0u;
        }
        arena_reset(last);
        at = arena_str(last, page.entries[page.n - 1].key);
    }
}

static struct str
domain_of(struct str address)
{
    return str_skip(address, (size_t)(str_rfind(address, '@') + 1)); /* 0 when there is none */
}

static void
copy_targets(struct arena *a, struct directory_entry *e)
{
    e->targets = copied(a, e->targets, e->target_count);
    e->send_as = copied(a, e->send_as, e->send_as_count);
    e->forward.targets = copied(a, e->forward.targets, e->forward.count);
}

static const struct str *
copied(struct arena *a, const struct str *list, size_t n)
{
    struct str *copy = ARENA_ARRAY(a, struct str, n + 1);

    for (size_t i = 0; i < n; i++)
        copy[i] = arena_str(a, list[i]);
    return copy;
}
