/* hold.c - see hold.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ipc/hold.h"

#include "base/limits.h"
#include "base/size.h"
#include "rt/clock.h"

#define LOOK_MS 20

static int64_t longest_ms = INT64_MAX; /* less in tests, and at the end */

/* Waits a little; false when that was enough since *since_ms. */
static SUSPENDS bool
wait_more(int64_t *since_ms, int64_t limit_ms)
{
    int64_t now = clock_mono_ms();

    if (*since_ms == 0)
        *since_ms = MAX(now, 1);
    return now - *since_ms < MIN(limit_ms, longest_ms) && fiber_sleep(LOOK_MS) == OK;
}

struct ipc_peer *
hold_store_now(struct hold *h, struct ipc_peer *const *where)
{
    if (*where == NULL || !ipc_is_open(*where))
        return NULL;
    h->asked = ipc_incarnation(*where);
    return *where;
}

enum status
hold_store(struct hold *h, struct ipc_peer *const *where, struct ipc_peer **out)
{
    struct ipc_peer *store;

    while ((store = hold_store_now(h, where)) == NULL)
        if (!wait_more(&h->away_ms, LIMIT_STORE_HOLD_S * 1000))
            return ERR_TEMP;
    *out = store;
    return OK;
}

bool
hold_forgotten(const struct hold *h)
{
    return h->asked != h->known;
}

bool
hold_write_again(struct hold *h, enum status e)
{
    if (e == ERR_CLOSED || e == ERR_TEMP || e == ERR_CANCELLED)
        return false; /* says nothing of the session */
    h->away_ms = 0;
    if (e == ERR_DENIED && hold_forgotten(h))
        return wait_more(&h->denied_ms, LIMIT_STORE_GRANT_S * 1000);
    h->denied_ms = 0;
    h->known = h->asked;
    return false;
}

bool
hold_read_again(struct hold *h, enum status e)
{
    return e == ERR_CLOSED ? wait_more(&h->away_ms, LIMIT_STORE_HOLD_S * 1000)
                           : hold_write_again(h, e);
}

void
hold_end(void)
{
    longest_ms = 0;
}

void
hold_testing(int64_t ms)
{
    longest_ms = ms;
}
