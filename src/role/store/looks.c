/* looks.c - see looks.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/looks.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "ipc/store_ipc.h"
#include "mail/domain.h"
#include "policy/homograph.h"
#include "rt/clock.h"
#include "store/account.h"
#include "store/correspondents.h"

enum { PAGE = 256, READERS_MAX = 16, NAMES_ARENA = 16 << 20, RESOLVE_ARENA = 1 << 20 };
#define AGAIN_US INT64_C(300000000)

struct looks {
    struct arena *arena;
    struct map *ours; /* what it looks like -> struct str, one of our domains */
    int64_t next_us;
    bool reading;
};
struct look_key {
    char bytes[8];
};
/* Whose mailboxes a message goes to. */
struct readers {
    uint64_t accounts[READERS_MAX];
    size_t count;
};

SUSPENDS static enum status read_ours(struct store *s);
SUSPENDS static enum status find_readers(struct store *s, const struct store_deliver *req,
                                         struct readers *out);
SUSPENDS static enum status is_familiar(struct store *s, const struct readers *r,
                                        const struct cook_look_of *n, bool *out);
SUSPENDS static enum status is_like(struct store *s, const struct readers *r,
                                    const struct cook_look_of *n, struct str *like_out,
                                    bool *found_out);
static struct look_key key_of(uint64_t look);
static uint64_t name_entry(struct str domain);
static uint64_t look_entry(uint64_t look);

struct looks *
looks_new(void)
{
    struct looks *l = MEM_NEW(struct looks);

    l->arena = arena_new(NAMES_ARENA);
    l->ours = map_new();
    return l;
}

void
looks_free(struct looks **l)
{
    if (*l == NULL)
        return;
    map_free(&(*l)->ours);
    arena_free(&(*l)->arena);
    mem_free(*l);
    *l = NULL;
}

enum status
store_looks_judge(struct store *s, const struct store_deliver *req, const struct intake_asks *names,
                  struct arena *a, struct cook_judge *out)
{
    struct cook_imitated *list = ARENA_ARRAY(a, struct cook_imitated, names->look_count + 1);
    struct readers readers = {0};
    size_t n = 0;

    if (names->look_count == 0)
        return OK;
    TRY(read_ours(s));
    TRY(find_readers(s, req, &readers));
    for (size_t i = 0; i < names->look_count; i++) {
        bool familiar = true, found = false;
        struct str like = STR("");
        TRY(is_familiar(s, &readers, &names->looks[i], &familiar));
        if (!familiar)
            TRY(is_like(s, &readers, &names->looks[i], &like, &found));
        if (found) /* the domains are read anew while others wait */
            list[n++] =
                (struct cook_imitated){.which = (uint8_t)i, /* below IMITATION_NAMES */
                                       .like = like.len == 0 ? STR("") : arena_str(a, like)};
    }
    out->imitates = list;
    out->imitates_count = n;
    return OK;
}

size_t
looks_written(const struct queue_message *m, uint64_t *out)
{
    AUTO_BUF normal = BUF(DOMAIN_MAX);
    struct str last = STR_NONE;
    size_t n = 0;

    for (size_t i = 0; i < m->rcpt_count; i++) {
        const struct queue_rcpt *r = &m->rcpts[i];
        struct str domain = store_domain_of(r->address);
        if (r->account != 0 || r->state == QUEUE_FAILED || str_eq_nocase(domain, last))
            continue;
        last = domain;
        buf_reset(&normal);
        if (domain_normalise(domain, &normal) != OK)
            continue;
        out[n++] = name_entry(buf_str(&normal));
        out[n++] = look_entry(homograph_look(buf_str(&normal)));
    }
    return n;
}

/* ---- our domains ---- */

SUSPENDS static enum status
add_page(struct store *s, struct looks *l, struct str *after)
{
    AUTO_ARENA *a = arena_new(NAMES_ARENA);
    const struct directory_page page = {.after = *after, .max = PAGE, .a = a, .names_only = true};
    const struct directory_domain *found;
    size_t n;

    TRY(directory_domains(s->directory, &page, &found, &n));
    *after = STR("");
    for (size_t i = 0; i < n && map_count(l->ours) < LIMIT_LOOK_DOMAINS; i++) {
        struct str *name = ARENA_NEW(l->arena, struct str);
        struct look_key key = key_of(homograph_look(found[i].name));
        *name = arena_str(l->arena, found[i].name);
        (void)map_put(l->ours, str_from(key.bytes, sizeof(key.bytes)), name);
        if (i + 1 == PAGE)
            *after = *name;
    }
    return OK;
}

/* Whoever comes while that is done compares with those of before. */
SUSPENDS static enum status
read_ours(struct store *s)
{
    struct looks *fresh;
    struct str after = STR("");
    enum status st;

    if (s->looks->reading || clock_mono_us() < s->looks->next_us)
        return OK;
    s->looks->reading = true;
    fresh = looks_new();
    do {
        st = add_page(s, fresh, &after);
    } while (st == OK && after.len > 0);
    s->looks->reading = false;
    if (st == OK) {
        looks_free(&s->looks);
        fresh->next_us = clock_mono_us() + AGAIN_US;
        s->looks = fresh;
        return OK;
    }
    looks_free(&fresh);
    return st;
}

/* ---- who reads it ---- */

SUSPENDS static enum status
find_readers(struct store *s, const struct store_deliver *req, struct readers *out)
{
    for (size_t i = 0; i < req->rcpts_count && out->count < READERS_MAX; i++) {
        AUTO_ARENA *a = arena_new(RESOLVE_ARENA);
        struct directory_resolution found = {.count = 0};
        enum status st = directory_resolve_mailboxes(s->directory, req->rcpts[i], a, &found);
        if (st != OK && st != ERR_SYNTAX && st != ERR_LIMIT)
            return st;
        for (size_t t = 0; t < found.count && out->count < READERS_MAX; t++)
            if (found.targets[t].account != 0)
                out->accounts[out->count++] = found.targets[t].account;
    }
    return OK;
}

SUSPENDS static enum status
one_has(struct store *s, const struct readers *r, uint64_t entry, bool *out)
{
    *out = false;
    for (size_t i = 0; i < r->count && !*out; i++) {
        AUTO(cell_close) struct cell *account = account_open(s->cells, r->accounts[i]);
        enum status st = correspondents_has(account, entry, out);
        if (st != OK && st != ERR_NOT_FOUND)
            return st;
    }
    return OK;
}

SUSPENDS static enum status
is_familiar(struct store *s, const struct readers *r, const struct cook_look_of *n, bool *out)
{
    const struct str names[] = {n->domain, n->parent};

    *out = false;
    for (size_t i = 0; i < COUNT_OF(names) && !*out; i++) {
        if (names[i].len == 0)
            continue;
        TRY(directory_is_local_domain(s->directory, names[i], out));
        if (!*out)
            TRY(one_has(s, r, name_entry(names[i]), out));
    }
    return OK;
}

SUSPENDS static enum status
is_like(struct store *s, const struct readers *r, const struct cook_look_of *n,
        struct str *like_out, bool *found_out)
{
    const uint64_t looks[] = {n->look, n->parent_look};

    for (size_t i = 0; i < COUNT_OF(looks) && !*found_out; i++) {
        if (looks[i] == 0)
            continue;
        struct look_key key = key_of(looks[i]);
        const struct str *ours = map_get(s->looks->ours, str_from(key.bytes, sizeof(key.bytes)));
        *found_out = ours != NULL;
        if (ours != NULL)
            *like_out = *ours;
        else
            TRY(one_has(s, r, look_entry(looks[i]), found_out));
    }
    return OK;
}

/* ---- entries ---- */

static struct look_key
key_of(uint64_t look)
{
    struct look_key k;

    be64_put(k.bytes, look);
    return k;
}

/* No address begins so. */
static uint64_t
name_entry(struct str domain)
{
    AUTO_BUF b = BUF(DOMAIN_MAX + 1);

    buf_add_char(&b, '@');
    buf_add(&b, domain);
    return hash_stable(buf_str(&b));
}

static uint64_t
look_entry(uint64_t look)
{
    AUTO_BUF b = BUF(16);

    buf_add_z(&b, "@ look ");
    buf_add_be64(&b, look);
    return hash_stable(buf_str(&b));
}
