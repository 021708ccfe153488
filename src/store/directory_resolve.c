/* directory_resolve.c - from an address to the accounts and foreign addresses behind it.
 *
 * A work list instead of recursion: every address enters it once, so loops end by themselves and a group of groups
 * costs what it has distinct addresses.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/mem.h"
#include "store/directory_internal.h"

struct item {
    struct str address; /* canonical */
    uint64_t hash;
    uint32_t depth;
};
struct expansion {
    struct directory *d;
    struct arena *a;
    struct item *items; /* all ever seen; `next` is the first not yet looked at */
    size_t count, room, next;
    struct directory_target *targets;
    size_t target_count, target_room;
    bool relayed, disabled;
    struct directory_steps *steps; /* NULL: nobody wants to know */
    struct str avoid; /* look-up of this address ends everything with ERR_EXISTS; empty = of none */
};

SUSPENDS static enum status expand(struct expansion *x, const struct item *item);
SUSPENDS static enum status find_best(const struct expansion *x, struct str address,
                                      struct directory_entry *out);
SUSPENDS static enum status find_one(const struct expansion *x, struct str address,
                                     struct directory_entry *out);
SUSPENDS static enum status resolve(struct expansion *x, struct str address,
                                    struct directory_resolution *out);
static void step(struct expansion *x, const struct item *item, enum directory_found found,
                 const struct directory_entry *e);
static enum status see(struct expansion *x, struct str address, uint32_t depth);
static void add_target(struct expansion *x, struct str address, uint64_t account);
static void *grown(struct arena *a, void *old, size_t count, size_t *room, size_t size);

enum status
directory_resolve(struct directory *d, struct str address, struct arena *a,
                  struct directory_resolution *out)
{
    struct expansion x = {.d = d, .a = a};

    return resolve(&x, address, out);
}

enum status
directory_explain(struct directory *d, struct str address, struct arena *a,
                  struct directory_resolution *out, struct directory_steps *steps_out)
{
    struct expansion x = {.d = d, .a = a, .steps = steps_out};

    *steps_out = (struct directory_steps){0};
    return resolve(&x, address, out);
}

SUSPENDS static enum status
resolve(struct expansion *x, struct str address, struct directory_resolution *out)
{
    struct str canonical, domain;
    bool local;

    TRY(directory_canonical(x->d, address, x->a, &canonical, &domain));
    TRY(x->d->source->has_domain(x->d, domain, &local));
    if (!local) {
        const struct item item = {.address = canonical};
        step(x, &item, DIRECTORY_FOUND_FOREIGN, NULL);
        add_target(x, canonical, 0);
        *out = (struct directory_resolution){
            .class = DIRECTORY_FOREIGN, .targets = x->targets, .count = 1};
        return OK;
    }
    TRY(see(x, canonical, 0));
    while (x->next < x->count) {
        struct item item = x->items[x->next++];
        enum status st = expand(x, &item);
        if (st == ERR_LIMIT) { /* half a group is worse than none: the sender would not know */
            if (x->steps != NULL)
                x->steps->cut = true;
            *out = (struct directory_resolution){.class = DIRECTORY_NO_USER};
            return OK;
        }
        TRY(st);
    }
    enum directory_class none = x->disabled ? DIRECTORY_DISABLED : DIRECTORY_NO_USER;
    *out = (struct directory_resolution){
        .class = x->target_count > 0 ? DIRECTORY_LOCAL : none,
        .relayed = x->relayed,
        .targets = x->targets,
        .count = x->target_count,
    };
    return OK;
}

static void
step(struct expansion *x, const struct item *item, enum directory_found found,
     const struct directory_entry *e)
{
    struct directory_steps *s = x->steps;

    if (s == NULL)
        return;
    if (s->count == s->room)
        s->list = grown(x->a, s->list, s->count, &s->room, sizeof(*s->list));
    s->list[s->count++] = (struct directory_step){
        .address = item->address,
        .entry = e != NULL ? e->address : STR(""),
        .found = found,
        .account = e != NULL && e->kind == DIRECTORY_ACCOUNT ? e->account : 0,
        .depth = item->depth,
    };
}

enum status
directory_login(struct directory *d, struct str login, struct arena *a, struct directory_entry *out)
{
    struct directory_resolution r;
    struct directory_entry e;
    struct str canonical, domain;

    if (directory_canonical(d, login, a, &canonical, &domain) != OK)
        return ERR_NOT_FOUND;
    TRY(d->source->find(d, canonical, a, &e));
    if (e.kind == DIRECTORY_ALIAS) {
        TRY(directory_resolve(d, canonical, a, &r));
        if (r.class != DIRECTORY_LOCAL || r.count != 1 || r.relayed)
            return ERR_NOT_FOUND;
        TRY(d->source->find(d, r.targets[0].address, a, &e));
        if (e.kind != DIRECTORY_ACCOUNT) /* changed meanwhile */
            return ERR_TEMP;
    }
    *out = e;
    return OK;
}

enum status
directory_may_send_as(struct directory *d, uint64_t account, struct str address, bool *out)
{
    AUTO_ARENA *a = arena_new(8 << 20);
    struct directory_resolution r;
    bool may = false;

    enum status st = directory_resolve(d, address, a, &r);
    if (st == ERR_SYNTAX) {
        *out = false;
        return OK;
    }
    TRY(st);
    for (size_t i = 0; r.class == DIRECTORY_LOCAL && i < r.count; i++)
        may = may || r.targets[i].account == account;
    *out = may;
    return OK;
}

enum status
directory_leads_to(struct directory *d, const struct directory_entry *alias, bool *out)
{
    AUTO_ARENA *a = arena_new(8 << 20);
    struct expansion x = {.d = d, .a = a, .avoid = alias->address};
    enum status st = OK;

    for (size_t i = 0; i < alias->target_count; i++)
        TRY(see(&x, alias->targets[i], 0));
    while (x.next < x.count && st == OK) {
        struct item item = x.items[x.next++];
        st = expand(&x, &item);
    }
    if (st != OK && st != ERR_EXISTS &&
        st != ERR_LIMIT) /* what is too wide is not resolved either */
        return st;
    *out = st == ERR_EXISTS;
    return OK;
}

SUSPENDS static enum status
expand(struct expansion *x, const struct item *item)
{
    struct directory_entry e;
    bool local;

    struct str domain = str_skip(item->address, (size_t)str_rfind(item->address, '@') + 1);
    TRY(x->d->source->has_domain(x->d, domain, &local));
    if (!local) {
        step(x, item, DIRECTORY_FOUND_FOREIGN, NULL);
        add_target(x, item->address, 0);
        x->relayed = true;
        return x->target_count > LIMIT_ALIAS_EXPANSION ? ERR_LIMIT : OK;
    }
    enum status st = find_best(x, item->address, &e);
    if (st == ERR_NOT_FOUND) { /* one dead target does not stop the others */
        step(x, item, DIRECTORY_FOUND_NOBODY, NULL);
        return OK;
    }
    TRY(st);
    if (e.kind == DIRECTORY_ACCOUNT) {
        step(x, item, e.disabled ? DIRECTORY_FOUND_DISABLED : DIRECTORY_FOUND_ACCOUNT, &e);
        if (e.disabled)
            x->disabled = true;
        else
            add_target(x, e.address, e.account);
        return OK;
    }
    bool too_deep = item->depth == LIMIT_ALIAS_DEPTH && x->avoid.len == 0;
    step(x, item, too_deep ? DIRECTORY_FOUND_TOO_DEEP : DIRECTORY_FOUND_ALIAS, &e);
    if (too_deep)
        return OK;
    for (size_t i = 0; i < e.target_count; i++) {
        struct str canonical, unused;
        if (directory_canonical(x->d, e.targets[i], x->a, &canonical, &unused) == OK)
            TRY(see(x, canonical, item->depth + 1));
    }
    return OK;
}

/* The address itself, then without its tag, then the catch-all of its domain. */
SUSPENDS static enum status
find_best(const struct expansion *x, struct str address, struct directory_entry *out)
{
    size_t at = (size_t)str_rfind(address, '@'); /* canonical: there is one */
    struct str local = str_sub(address, 0, at), domain = str_skip(address, at);
    ssize_t plus = str_find(local, '+');

    enum status st = find_one(x, address, out);
    if (st == ERR_NOT_FOUND && plus > 0) {
        struct str base = str_sub(local, 0, (size_t)plus);
        st = find_one(x, arena_printf(x->a, "%.*s%.*s", STR_FMT(base), STR_FMT(domain)), out);
    }
    if (st == ERR_NOT_FOUND)
        st = find_one(x, domain, out);
    return st;
}

SUSPENDS static enum status
find_one(const struct expansion *x, struct str address, struct directory_entry *out)
{
    if (x->avoid.len > 0 && str_eq(address, x->avoid))
        return ERR_EXISTS;
    return x->d->source->find(x->d, address, x->a, out);
}

static enum status
see(struct expansion *x, struct str address, uint32_t depth)
{
    uint64_t hash = hash_seeded(address);

    for (size_t i = 0; i < x->count; i++) {
        if (x->items[i].hash == hash && str_eq(x->items[i].address, address))
            return OK;
    }
    if (x->count == LIMIT_ALIAS_EXPANSION)
        return ERR_LIMIT;
    if (x->count == x->room)
        x->items = grown(x->a, x->items, x->count, &x->room, sizeof(*x->items));
    x->items[x->count++] = (struct item){.address = address, .hash = hash, .depth = depth};
    return OK;
}

static void
add_target(struct expansion *x, struct str address, uint64_t account)
{
    for (size_t i = 0; account != 0 && i < x->target_count; i++) {
        if (x->targets[i].account == account)
            return;
    }
    if (x->target_count == x->target_room)
        x->targets = grown(x->a, x->targets, x->target_count, &x->target_room, sizeof(*x->targets));
    x->targets[x->target_count++] =
        (struct directory_target){.address = address, .account = account};
}

/* Doubles an array of the arena. */
static void *
grown(struct arena *a, void *old, size_t count, size_t *room, size_t size)
{
    *room = *room == 0 ? 4 : *room * 2;
    void *p = arena_array(a, *room, size);
    mem_copy(p, old, count * size);
    return p;
}
