/* blocked.c - see blocked.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/front/blocked.h"

#include "base/map.h"
#include "base/mem.h"

enum { BITS_MAX = 128 };

struct entry {
    char key[SUBNET_KEY_MAX];
    struct instant until;
};
struct blocked {
    struct map *by_net;
    bool lengths[2][BITS_MAX + 1]; /* IPv4, IPv6: of prefixes that are there */
};

struct blocked *
blocked_new(void)
{
    struct blocked *b = MEM_NEW(struct blocked);

    b->by_net = map_new();
    return b;
}

void
blocked_free(struct blocked **b)
{
    size_t cursor = 0;
    struct str key;
    void *entry;

    if (*b == NULL)
        return;
    while (map_next((*b)->by_net, &cursor, &key, &entry))
        mem_free(map_del((*b)->by_net, key));
    map_free(&(*b)->by_net);
    mem_free(*b);
    *b = NULL;
}

void
blocked_add(struct blocked *b, const struct subnet *net, struct instant until)
{
    struct entry *e = MEM_NEW(struct entry);

    e->until = until;
    b->lengths[net->size == 4 ? 0 : 1][net->bits] = true;
    mem_free(map_put(b->by_net, subnet_key(net, e->key), e));
}

bool
blocked_has(const struct blocked *b, const struct subnet *address, struct instant now)
{
    const bool *lengths = b->lengths[address->size == 4 ? 0 : 1];
    char key[SUBNET_KEY_MAX];

    for (unsigned bits = 0; bits <= address->bits; bits++) {
        if (!lengths[bits])
            continue;
        struct subnet around = subnet_wider(address, bits);
        const struct entry *e = map_get(b->by_net, subnet_key(&around, key));
        if (e != NULL && (e->until.us == 0 || e->until.us > now.us))
            return true;
    }
    return false;
}
