/* exchanges.c - see exchanges.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/exchanges.h"

#include "base/limits.h"
#include "base/size.h"
#include "rt/clock.h"

enum { KEY_BYTES = 16, MESSAGE_MAX = 3 * LIMIT_SASL_BYTES };

struct exchanges {
    struct aged by_session;
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
    mem_str_free(&(*x)->login);
    mem_wipe(*x, sizeof(**x));
    mem_free(*x);
    *x = NULL;
}

struct exchanges *
exchanges_new(size_t entries_max)
{
    struct exchanges *t = MEM_NEW(struct exchanges);

    aged_init(&t->by_session, entries_max);
    return t;
}

static struct exchange *
entry_of(struct aged_node *n)
{
    return n == NULL ? NULL : AGED_ENTRY(n, struct exchange, node);
}

static struct exchange *
oldest(const struct exchanges *t)
{
    return entry_of(aged_oldest(&t->by_session));
}

static void
drop(struct exchanges *t, struct exchange *x)
{
    aged_take(&t->by_session, &x->node);
    exchange_free(&x);
}

void
exchanges_free(struct exchanges **t)
{
    if (*t == NULL)
        return;
    for (struct exchange *x; (x = oldest(*t)) != NULL;)
        drop(*t, x);
    aged_release(&(*t)->by_session);
    mem_free(*t);
    *t = NULL;
}

/* All live equally long, so the front of the list is who must go first. */
static void
drop_stale(struct exchanges *t)
{
    for (struct exchange *x; (x = oldest(t)) != NULL && clock_mono_ms() >= x->until_ms;)
        drop(t, x);
}

struct exchange *
exchanges_begin(struct exchanges *t, uint64_t incarnation, uint64_t session)
{
    char key[KEY_BYTES];
    struct exchange *x = entry_of(aged_get(&t->by_session, key_of(incarnation, session, key)));

    if (x != NULL)
        drop(t, x);
    drop_stale(t);
    if (aged_is_full(&t->by_session))
        drop(t, oldest(t));
    x = MEM_NEW(struct exchange);
    x->incarnation = incarnation;
    x->message = BUF(MESSAGE_MAX);
    x->until_ms = clock_mono_ms() + LIMIT_SCRAM_S * 1000;
    aged_add(&t->by_session, &x->node, key_of(incarnation, session, x->key));
    return x;
}

struct exchange *
exchanges_take(struct exchanges *t, uint64_t incarnation, uint64_t session)
{
    char key[KEY_BYTES];

    drop_stale(t);
    struct exchange *x = entry_of(aged_get(&t->by_session, key_of(incarnation, session, key)));
    if (x != NULL)
        aged_take(&t->by_session, &x->node);
    return x;
}

void
exchanges_forget_account(struct exchanges *t, uint64_t account)
{
    for (struct exchange *x = oldest(t), *after; x != NULL; x = after) {
        after = entry_of(aged_after(&t->by_session, &x->node));
        if (x->may && x->account == account)
            drop(t, x);
    }
}

void
exchanges_forget_worker(struct exchanges *t, uint64_t incarnation)
{
    for (struct exchange *x = oldest(t), *after; x != NULL; x = after) {
        after = entry_of(aged_after(&t->by_session, &x->node));
        if (x->incarnation == incarnation)
            drop(t, x);
    }
}

size_t
exchanges_count(const struct exchanges *t)
{
    return map_count(t->by_session.by_key);
}
