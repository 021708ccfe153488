/* exchanges.c - see exchanges.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/exchanges.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/size.h"
#include "rt/clock.h"

enum { KEY_BYTES = 16, MESSAGE_MAX = 3 * LIMIT_SASL_BYTES };

struct exchanges {
    size_t entries_max;
    struct map *by_session;
    struct list by_age;
};

static struct str
key_of(uint64_t incarnation, uint64_t session, char *key)
{
    be64_put(key, incarnation);
    be64_put(key + 8, session);
    return str_from(key, KEY_BYTES);
}

void
exchange_free(struct exchange **x)
{
    if (*x == NULL)
        return;
    buf_release(&(*x)->message);
    mem_str_free(&(*x)->address);
    mem_wipe(*x, sizeof(**x));
    mem_free(*x);
    *x = NULL;
}

struct exchanges *
exchanges_new(size_t entries_max)
{
    struct exchanges *t = MEM_NEW(struct exchanges);

    ASSERT(entries_max > 0);
    t->entries_max = entries_max;
    t->by_session = map_new();
    list_init(&t->by_age);
    return t;
}

static struct exchange *
oldest(struct exchanges *t)
{
    return LIST_ENTRY(t->by_age.next, struct exchange, node);
}

static void
drop(struct exchanges *t, struct exchange *x)
{
    char key[KEY_BYTES];

    map_del(t->by_session, key_of(x->incarnation, x->session, key));
    list_remove(&x->node);
    exchange_free(&x);
}

void
exchanges_free(struct exchanges **t)
{
    if (*t == NULL)
        return;
    while (!list_empty(&(*t)->by_age))
        drop(*t, oldest(*t));
    map_free(&(*t)->by_session);
    mem_free(*t);
    *t = NULL;
}

/* All live equally long, so the front of the list is who must go first. */
static void
drop_stale(struct exchanges *t)
{
    while (!list_empty(&t->by_age) && clock_mono_ms() >= oldest(t)->until_ms)
        drop(t, oldest(t));
}

struct exchange *
exchanges_begin(struct exchanges *t, uint64_t incarnation, uint64_t session)
{
    char key[KEY_BYTES];
    struct exchange *x = map_get(t->by_session, key_of(incarnation, session, key));

    if (x != NULL)
        drop(t, x);
    drop_stale(t);
    if (map_count(t->by_session) >= t->entries_max)
        drop(t, oldest(t));
    x = MEM_NEW(struct exchange);
    x->incarnation = incarnation;
    x->session = session;
    x->message = BUF(MESSAGE_MAX);
    x->until_ms = clock_mono_ms() + LIMIT_SCRAM_S * 1000;
    list_push(&t->by_age, &x->node);
    map_put(t->by_session, str_from(key, KEY_BYTES), x);
    return x;
}

struct exchange *
exchanges_take(struct exchanges *t, uint64_t incarnation, uint64_t session)
{
    char key[KEY_BYTES];

    drop_stale(t);
    struct exchange *x = map_del(t->by_session, key_of(incarnation, session, key));
    if (x != NULL)
        list_remove(&x->node);
    return x;
}

void
exchanges_forget_account(struct exchanges *t, uint64_t account)
{
    list_each_safe(node, after, &t->by_age)
    {
        struct exchange *x = LIST_ENTRY(node, struct exchange, node);
        if (x->may && x->account == account)
            drop(t, x);
    }
}

void
exchanges_forget_worker(struct exchanges *t, uint64_t incarnation)
{
    list_each_safe(node, after, &t->by_age)
    {
        struct exchange *x = LIST_ENTRY(node, struct exchange, node);
        if (x->incarnation == incarnation)
            drop(t, x);
    }
}

size_t
exchanges_count(const struct exchanges *t)
{
    return map_count(t->by_session);
}
