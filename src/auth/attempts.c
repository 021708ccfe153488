/* attempts.c - wrong log-ins per network.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/attempts.h"

#include <arpa/inet.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"

enum { PREFIX_MAX = 16, DECAY_MS = 600 * 1000, WAIT_STEPS = 6 };

struct prefix {
    struct list node; /* by the last wrong log-in */
    char key[PREFIX_MAX];
    size_t key_len;
    unsigned wrong;
    int64_t last_ms;
};
struct attempts {
    struct map *by_key;
    struct list by_age;
};

struct attempts *
attempts_new(void)
{
    struct attempts *t = MEM_NEW(struct attempts);

    t->by_key = map_new();
    list_init(&t->by_age);
    return t;
}

static void
drop(struct attempts *t, struct prefix *p)
{
    map_del(t->by_key, str_from(p->key, p->key_len));
    list_remove(&p->node);
    mem_free(p);
}

void
attempts_free(struct attempts **t)
{
    if (*t == NULL)
        return;
    while (!list_empty(&(*t)->by_age))
        drop(*t, LIST_ENTRY((*t)->by_age.next, struct prefix, node));
    map_free(&(*t)->by_key);
    mem_free(*t);
    *t = NULL;
}

/* The network that an address is counted under; what is no address counts as one network.  An IPv4 address written
 * as IPv6 counts as IPv4: else all of IPv4 would be one /64. */
static size_t
prefix_of(struct str peer, char *key_out)
{
    static const char mapped[12] = "\0\0\0\0\0\0\0\0\0\0\xff\xff";
    char z[64];

    if (!str_to_z(peer, z, sizeof(z)))
        return 0;
    if (inet_pton(AF_INET, z, key_out) == 1)
        return 4;
    if (inet_pton(AF_INET6, z, key_out) != 1)
        return 0;
    if (!str_eq(str_from(key_out, sizeof(mapped)), str_from(mapped, sizeof(mapped))))
        return 8;
    mem_move(key_out, key_out + sizeof(mapped), 4);
    return 4;
}

static struct prefix *
find(struct attempts *t, struct str peer)
{
    char key[PREFIX_MAX];
    size_t n = prefix_of(peer, key);
    struct prefix *p = map_get(t->by_key, str_from(key, n));

    if (p != NULL && clock_mono_ms() - p->last_ms > DECAY_MS) {
        drop(t, p);
        return NULL;
    }
    return p;
}

unsigned
attempts_state(struct attempts *t, struct str peer, int64_t *wait_ms_out)
{
    const struct prefix *p = find(t, peer);

    *wait_ms_out = 0;
    if (p == NULL || p->wrong < ATTEMPTS_FREE)
        return p == NULL ? 0 : p->wrong;
    unsigned step = MIN(p->wrong - ATTEMPTS_FREE, (unsigned)WAIT_STEPS);
    *wait_ms_out = MAX((1000LL << step) - (clock_mono_ms() - p->last_ms), 0LL);
    return p->wrong;
}

bool
attempts_allowed(struct attempts *t, struct str peer)
{
    int64_t wait_ms;

    (void)attempts_state(t, peer, &wait_ms);
    return wait_ms == 0;
}

void
attempts_wrong(struct attempts *t, struct str peer)
{
    struct prefix *p = find(t, peer);

    if (p == NULL) {
        if (map_count(t->by_key) >= ATTEMPTS_ENTRIES)
            drop(t, LIST_ENTRY(t->by_age.next, struct prefix, node));
        p = MEM_NEW(struct prefix);
        p->key_len = prefix_of(peer, p->key);
        map_put(t->by_key, str_from(p->key, p->key_len), p);
    } else {
        list_remove(&p->node);
    }
    list_push(&t->by_age, &p->node);
    p->wrong++;
    p->last_ms = clock_mono_ms();
}

void
attempts_right(struct attempts *t, struct str peer)
{
    struct prefix *p = find(t, peer);

    if (p != NULL)
        drop(t, p);
}
