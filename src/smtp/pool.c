/* pool.c - see pool.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/pool.h"

#include "base/limits.h"
#include "base/mem.h"

struct kept {
    struct list of_pool; /* oldest first */
    struct str name;     /* owned */
    struct smtp_client *client;
    int64_t until_ms;
};
struct pool {
    struct list all;
    uint32_t count;
};

static struct smtp_client *
unlink_kept(struct pool *p, struct kept *k)
{
    struct smtp_client *c = k->client;

    list_remove(&k->of_pool);
    mem_str_free(&k->name);
    mem_free(k);
    p->count--;
    return c;
}

static SUSPENDS void
part(struct smtp_client *c)
{
    smtp_client_bye(c);
    smtp_client_free(&c);
}

struct pool *
pool_new(void)
{
    struct pool *p = MEM_NEW(struct pool);

    list_init(&p->all);
    return p;
}

void
pool_free(struct pool **p)
{
    if (*p == NULL)
        return;
    while (!list_empty(&(*p)->all))
        part(unlink_kept(*p, LIST_ENTRY((*p)->all.next, struct kept, of_pool)));
    mem_free(*p);
    *p = NULL;
}

struct smtp_client *
pool_take(struct pool *p, struct str name)
{
    struct list *before;

    for (struct list *l = p->all.prev; l != &p->all; l = before) {
        struct kept *k = LIST_ENTRY(l, struct kept, of_pool);
        before = l->prev;
        if (!str_eq(k->name, name))
            continue;
        struct smtp_client *c = unlink_kept(p, k);
        if (smtp_client_is_idle(c))
            return c;
        smtp_client_free(&c);
    }
    return NULL;
}

void
pool_keep(struct pool *p, struct str name, struct smtp_client **c, int64_t now_ms)
{
    struct smtp_client *one = *c;

    *c = NULL;
    if (!smtp_client_is_idle(one) || smtp_client_messages(one) >= LIMIT_OUT_KEEP_MESSAGES ||
        now_ms - smtp_client_opened_ms(one) >= LIMIT_OUT_KEEP_MAX_S * INT64_C(1000) ||
        p->count >= LIMIT_OUT_CONNS) {
        part(one);
        return;
    }
    struct kept *k = MEM_NEW(struct kept);
    k->name = mem_str(name);
    k->client = one;
    k->until_ms = now_ms + LIMIT_OUT_KEEP_S * INT64_C(1000);
    list_push(&p->all, &k->of_pool);
    p->count++;
}

void
pool_sweep(struct pool *p, int64_t now_ms)
{
    while (!list_empty(&p->all)) {
        struct kept *k = LIST_ENTRY(p->all.next, struct kept, of_pool);
        if (k->until_ms > now_ms)
            return;
        part(unlink_kept(p, k));
    }
}
