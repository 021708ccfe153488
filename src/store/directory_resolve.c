/* directory_resolve.c - from an address to the accounts and foreign addresses behind it.
 *
 * A work list instead of recursion: every address enters it once, so loops end by themselves and a group of groups
 * costs what it has distinct addresses.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/mem.h"
#include "store/directory_explain.h"
#include "store/directory_internal.h"

struct item {
    struct str address; /* canonical */
    struct str via;     /* what named it; empty = who asked */
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
    bool mailboxes;                /* a forwarded account is an end */
    struct directory_steps *steps; /* NULL: nobody wants to know */
    struct str avoid; /* look-up of this address ends everything with ERR_EXISTS; empty = of none */
};

SUSPENDS static enum status resolve(struct expansion *x, struct str address,
                                    struct directory_resolution *out);
SUSPENDS static enum status expand(struct expansion *x, const struct item *item);
static bool is_too_deep(const struct expansion *x, const struct item *item);
SUSPENDS static enum status expand_account(struct expansion *x, const struct item *item,
                                           const struct directory_entry *e);
SUSPENDS static enum status expand_targets(struct expansion *x, const struct item *item,
                                           const struct directory_entry *e);
SUSPENDS static enum status find_best(const struct expansion *x, struct str address,
                                      struct directory_entry *out);
SUSPENDS static enum status find_caretaker(const struct expansion *x, struct str local,
                                           struct directory_entry *out);
SUSPENDS static enum status find_one(const struct expansion *x, struct str address,
                                     struct directory_entry *out);
SUSPENDS static enum status was_given(struct directory *d, uint64_t account, struct str address,
                                      struct arena *a, bool *out);
static void step(struct expansion *x, const struct item *item, enum directory_found found,
                 const struct directory_entry *e);
static enum status see(struct expansion *x, const struct item *item);
static void add_target(struct expansion *x, const struct directory_target *t);
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

enum status
directory_resolve_mailboxes(struct directory *d, struct str address, struct arena *a,
                            struct directory_resolution *out)
{
    struct expansion x = {.d = d, .a = a, .mailboxes = true};

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
        step(x, &(struct item){.address = canonical}, DIRECTORY_FOUND_FOREIGN, NULL);
        add_target(x, &(struct directory_target){.address = canonical});
        *out = (struct directory_resolution){
            .class = DIRECTORY_FOREIGN, .targets = x->targets, .count = 1};
        return OK;
    }
    TRY(see(x, &(struct item){.address = canonical}));
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
        TRY(directory_resolve_mailboxes(d, canonical, a, &r));
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

    enum status st = directory_resolve_mailboxes(d, address, a, &r);
    if (st == ERR_SYNTAX) {
        *out = false;
        return OK;
    }
    TRY(st);
    for (size_t i = 0; r.class == DIRECTORY_LOCAL && i < r.count; i++)
        may = may || r.targets[i].account == account;
    if (!may)
        TRY(was_given(d, account, address, a, &may));
    *out = may;
    return OK;
}

/* The address, the same without its tag, or its domain. */
SUSPENDS static enum status
was_given(struct directory *d, uint64_t account, struct str address, struct arena *a, bool *out)
{
    struct directory_entry e;
    struct str whole, domain, base = STR_NONE;
    bool ours = false;

    enum status st = directory_by_id(d, account, a, &e);
    if (st == ERR_NOT_FOUND || (st == OK && e.send_as_count == 0))
        return OK;
    TRY(st);
    TRY(directory_canonical(d, address, a, &whole, &domain));
    TRY(directory_is_local_domain(d, domain, &ours));
    struct str local = str_sub(whole, 0, whole.len - domain.len - 1);
    ssize_t plus = str_find(local, '+');
    if (plus > 0)
        base =
            arena_printf(a, "%.*s@%.*s", STR_FMT(str_sub(local, 0, (size_t)plus)), STR_FMT(domain));
    for (size_t i = 0; i < e.send_as_count && ours; i++) {
        struct str given = e.send_as[i];
        bool all = given.ptr[0] == '@' && str_eq(str_skip(given, 1), domain);
        *out = *out || all || str_eq(given, whole) || str_eq(given, base);
    }
    return OK;
}

enum status
directory_leads_to(struct directory *d, const struct directory_entry *alias, bool *out)
{
    AUTO_ARENA *a = arena_new(8 << 20);
    struct expansion x = {.d = d, .a = a, .avoid = alias->address};
    enum status st = OK;

    for (size_t i = 0; i < alias->target_count; i++)
        TRY(see(&x, &(struct item){.address = alias->targets[i]}));
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
        add_target(x, &(struct directory_target){.address = item->address, .via = item->via});
        x->relayed = true;
        return x->target_count > LIMIT_ALIAS_EXPANSION ? ERR_LIMIT : OK;
    }
    enum status st = find_best(x, item->address, &e);
    if (st == ERR_NOT_FOUND) { /* one dead target does not stop the others */
        step(x, item, DIRECTORY_FOUND_NOBODY, NULL);
        return OK;
    }
    TRY(st);
    if (e.kind == DIRECTORY_ACCOUNT)
        return expand_account(x, item, &e);
    step(x, item, is_too_deep(x, item) ? DIRECTORY_FOUND_TOO_DEEP : DIRECTORY_FOUND_ALIAS, &e);
    return expand_targets(x, item, &e);
}

static bool
is_too_deep(const struct expansion *x, const struct item *item)
{
    return item->depth == LIMIT_ALIAS_DEPTH && x->avoid.len == 0;
}

static enum directory_found
found_account(const struct expansion *x, const struct item *item, const struct directory_entry *e)
{
    if (e->disabled)
        return DIRECTORY_FOUND_DISABLED;
    if (e->forward.count == 0 || x->mailboxes)
        return DIRECTORY_FOUND_ACCOUNT;
    if (is_too_deep(x, item))
        return e->forward.keep ? DIRECTORY_FOUND_ACCOUNT : DIRECTORY_FOUND_TOO_DEEP;
    return e->forward.keep ? DIRECTORY_FOUND_KEEP : DIRECTORY_FOUND_FORWARD;
}

SUSPENDS static enum status
expand_account(struct expansion *x, const struct item *item, const struct directory_entry *e)
{
    bool forward = e->forward.count > 0 && !x->mailboxes;

    step(x, item, found_account(x, item, e), e);
    if (e->disabled) {
        x->disabled = true;
        return OK;
    }
    if (!forward || e->forward.keep)
        add_target(x, &(struct directory_target){
                          .address = e->address,
                          .account = e->account,
                          .via = forward ? e->address : item->via,
                      });
    if (!forward)
        return OK;
    struct directory_entry as_alias = *e;
    as_alias.targets = e->forward.targets;
    as_alias.target_count = e->forward.count;
    return expand_targets(x, item, &as_alias);
}

/* One level deeper; what lies too deep is left out. */
SUSPENDS static enum status
expand_targets(struct expansion *x, const struct item *item, const struct directory_entry *e)
{
    if (is_too_deep(x, item))
        return OK;
    for (size_t i = 0; i < e->target_count; i++) {
        struct item next = {.via = e->address, .depth = item->depth + 1};
        if (directory_canonical(x->d, e->targets[i], x->a, &next.address, NULL) == OK)
            TRY(see(x, &next));
    }
    return OK;
}

/* RFC 5321 section 4.5.1 and RFC 2142: whoever serves a domain reads these. */
static bool
is_always_there(struct str local)
{
    return str_eq(local, STR("postmaster")) || str_eq(local, STR("abuse"));
}

/* What the default domain has for it, else its postmaster. */
SUSPENDS static enum status
find_caretaker(const struct expansion *x, struct str local, struct directory_entry *out)
{
    struct str domain = x->d->default_domain;

    if (domain.len == 0)
        return ERR_NOT_FOUND;
    enum status st =
        find_one(x, arena_printf(x->a, "%.*s@%.*s", STR_FMT(local), STR_FMT(domain)), out);
    if (st == ERR_NOT_FOUND)
        st = find_one(x, arena_printf(x->a, "postmaster@%.*s", STR_FMT(domain)), out);
    return st;
}

/* The address itself, then without its tag, then the catch-all of its domain; then for some who looks after all. */
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
    if (st == ERR_NOT_FOUND && is_always_there(local))
        st = find_caretaker(x, local, out);
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
see(struct expansion *x, const struct item *item)
{
    uint64_t hash = hash_seeded(item->address);

    for (size_t i = 0; i < x->count; i++) {
        if (x->items[i].hash == hash && str_eq(x->items[i].address, item->address))
            return OK;
    }
    if (x->count == LIMIT_ALIAS_EXPANSION)
        return ERR_LIMIT;
    if (x->count == x->room)
        x->items = grown(x->a, x->items, x->count, &x->room, sizeof(*x->items));
    x->items[x->count] = *item;
    x->items[x->count++].hash = hash;
    return OK;
}

static void
add_target(struct expansion *x, const struct directory_target *t)
{
    for (size_t i = 0; t->account != 0 && i < x->target_count; i++) {
        if (x->targets[i].account == t->account)
            return;
    }
    if (x->target_count == x->target_room)
        x->targets = grown(x->a, x->targets, x->target_count, &x->target_room, sizeof(*x->targets));
    x->targets[x->target_count++] = *t;
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
