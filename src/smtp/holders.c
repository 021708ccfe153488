/* holders.c - see holders.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/holders.h"

#include "base/map.h"

const struct smtp_reply smtp_holders_full = {
    451, "4.3.2", "Too much mail of yours is judged now, try again later"};

static struct map *holders; /* client -> how many messages of it are before filters */

static size_t
held_by(struct str client)
{
    return holders == NULL ? 0 : (size_t)(uintptr_t)map_get(holders, client);
}

static void
set_held(struct str client, size_t n)
{
    if (holders == NULL)
        holders = map_new();
    if (n > 0)
        (void)map_put(holders, client, (void *)(uintptr_t)n); /* the number is the value */
    else
        (void)map_del(holders, client);
}

bool
smtp_holder_take(const struct smtp_session *s, struct smtp_holder *h)
{
    struct subnet n;

    ASSERT(h->len == 0);
    if (smtp_is_submission(s) || smtp_may_relay(s) || !subnet_of(conn_peer_addr(s->conn), &n))
        return true;
    n = subnet_wider(&n, n.size == 4 ? 32 : 64);
    struct str key = subnet_key(&n, h->client);
    size_t held = held_by(key);
    if (held >= LIMIT_FILTER_HOLDERS)
        return false;
    set_held(key, held + 1);
    h->len = key.len;
    return true;
}

void
smtp_holder_release(struct smtp_holder *h)
{
    struct str key = str_from(h->client, h->len);

    if (key.len > 0)
        set_held(key, held_by(key) - 1);
    h->len = 0;
}
