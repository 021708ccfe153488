/* greylist.c - see greylist.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/greylist.h"

#include "base/aged.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"

struct contact {
    struct aged_node node;
    char key[8];
    int64_t first_ms;
};
struct greylist {
    struct aged contacts; /* by their first attempt */
    int64_t wait_ms;
};
static const int64_t keep_ms = LIMIT_GREYLIST_KEEP_S * INT64_C(1000);

static struct contact *contact_of(struct aged_node *n);
static void drop(struct greylist *g, struct contact *c);
static bool make_room(struct greylist *g, int64_t now_ms);

struct greylist *
greylist_new(size_t max)
{
    struct greylist *g = MEM_NEW(struct greylist);

    aged_init(&g->contacts, max);
    g->wait_ms = LIMIT_GREYLIST_WAIT_S * INT64_C(1000);
    return g;
}

void
greylist_set_wait(struct greylist *g, uint32_t s)
{
    g->wait_ms = s * INT64_C(1000);
}

void
greylist_free(struct greylist **g)
{
    struct aged_node *n;

    if (*g == NULL)
        return;
    while ((n = aged_oldest(&(*g)->contacts)) != NULL)
        drop(*g, contact_of(n));
    aged_release(&(*g)->contacts);
    mem_free(*g);
    *g = NULL;
}

bool
greylist_waits(struct greylist *g, uint64_t hash, int64_t now_ms)
{
    char key[8];

    be64_put(key, hash);
    struct aged_node *n = aged_get(&g->contacts, str_from(key, sizeof(key)));
    if (n != NULL) {
        struct contact *c = contact_of(n);
        int64_t age = now_ms - c->first_ms;
        if (age >= 0 && age < keep_ms)
            return age < g->wait_ms;
        drop(g, c); /* too long ago, or the clock was set back */
    }
    if (!make_room(g, now_ms))
        return false;
    struct contact *c = MEM_NEW(struct contact);
    mem_copy(c->key, key, sizeof(key));
    c->first_ms = now_ms;
    aged_add(&g->contacts, &c->node, str_from(c->key, sizeof(c->key)));
    return true;
}

size_t
greylist_count(const struct greylist *g)
{
    return map_count(g->contacts.by_key);
}

/* False: everybody in it waits still. */
static bool
make_room(struct greylist *g, int64_t now_ms)
{
    struct aged_node *n = aged_oldest(&g->contacts);

    if (!aged_is_full(&g->contacts))
        return true;
    int64_t age = now_ms - contact_of(n)->first_ms;
    if (age >= 0 && age < g->wait_ms)
        return false;
    drop(g, contact_of(n));
    return true;
}

static struct contact *
contact_of(struct aged_node *n)
{
    return AGED_ENTRY(n, struct contact, node);
}

static void
drop(struct greylist *g, struct contact *c)
{
    aged_take(&g->contacts, &c->node);
    mem_free(c);
}
