/* front_blocks.c - the block list in a worker: fetched from the store, asked at every accept.
 *
 * While the store is away the list of before holds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ipc/store_ipc.h"
#include "role/front/blocked.h"
#include "role/front/front.h"
#include "rt/clock.h"

enum { LIST_BYTES = 2 << 20, LOOK_MS = 10 };

static struct blocked *blocked; /* NULL: none was fetched yet */
/* One fetch a time, so that an older answer never takes the place of a newer one. */
static struct {
    uint32_t asked, fetched;
    bool running;
} turns;

static SUSPENDS void
fetch_once(void)
{
    AUTO_ARENA *a = arena_new(LIST_BYTES);
    struct store_blocks ask = {0};
    struct store_blocks_reply answer;
    struct subnet net;

    if (store_blocks_call(role_peer(ROLE_STORE), &ask, a, &answer) != OK)
        return; /* who is away comes back: then it is asked again */
    struct blocked *now = blocked_new();
    for (size_t i = 0; i < answer.blocks_count; i++)
        if (subnet_read_around(answer.blocks[i].network, &net))
            blocked_add(now, &net, (struct instant){answer.blocks[i].until});
    blocked_free(&blocked);
    blocked = now;
}

static FIBER_ENTRY void
fetch(void *arg)
{
    (void)arg;
    while (turns.fetched != turns.asked) {
        uint32_t turn = turns.asked;
        fetch_once();
        turns.fetched = turn;
    }
    turns.running = false;
}

void
front_blocks_changed(void)
{
    turns.asked++;
    if (turns.running)
        return;
    turns.running = true;
    if (fiber_go(fetch, NULL) != OK)
        turns.running = false; /* no fiber is left: the next change fetches this one too */
}

void
front_blocks_wait(int64_t ms)
{
    for (int64_t end = clock_mono_ms() + ms; blocked == NULL && clock_mono_ms() < end;)
        if (fiber_sleep(LOOK_MS) != OK)
            return;
}

bool
front_admits(const struct listener *l, const struct sockaddr_storage *peer)
{
    struct subnet n;

    (void)l;
    return blocked == NULL || !subnet_of(peer, &n) || !blocked_has(blocked, &n, clock_now());
}
