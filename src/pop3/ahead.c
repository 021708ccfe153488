/* ahead.c - one call of the store for several messages: between two processes the way costs more than the bodies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "pop3/ahead.h"

#include "base/size.h"
#include "pop3/session.h"
#include "rt/clock.h"

#define AHEAD_BYTES     (160u * 1024)
#define AHEAD_ALL_BYTES ((size_t)32 << 20)
#define AHEAD_MS        5000

static struct list holding = {&holding, &holding}; /* sessions, oldest first */
static size_t held;                                /* bytes */

static void
let_go(struct pop3_ahead *h)
{
    ASSERT(h->a != NULL && held >= h->bytes && !h->busy);
    held -= h->bytes;
    list_remove(&h->node);
    arena_free(&h->a);
    *h = (struct pop3_ahead){.next = h->next};
}

static void
let_old_go(int64_t now_ms)
{
    list_each_safe(node, after, &holding)
    {
        struct pop3_ahead *h = LIST_ENTRY(node, struct pop3_ahead, node);
        if (now_ms - h->since_ms < AHEAD_MS)
            return;
        if (!h->busy)
            let_go(h);
    }
}

/* The messages from i on that would be fetched together. */
static size_t
choose(const struct pop3_session *s, size_t i, uint64_t *mids, size_t *bytes_out)
{
    size_t n = 0, bytes = 0;

    for (; i < s->count && n < STORE_BODIES_MIDS_MAX; i++) {
        const struct pop3_message *m = &s->messages[i];
        if (m->deleted)
            continue;
        if (m->size > STORE_WHOLE_BODY_BYTES_MAX || bytes + m->size > AHEAD_BYTES)
            break;
        mids[n++] = m->mid;
        bytes += m->size;
    }
    *bytes_out = bytes;
    return n;
}

static SUSPENDS enum status
ask_store(struct pop3_session *s, const struct store_bodies *req, struct arena *a,
          struct store_bodies_reply *rep)
{
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(hold_store(&s->hold, &pop3_world->store, &store));
        e = store_bodies_call(store, req, a, rep);
    } while (hold_read_again(&s->hold, e));
    return e;
}

static SUSPENDS void
fetch(struct pop3_session *s, size_t i)
{
    struct pop3_ahead *h = &s->ahead;
    uint64_t mids[STORE_BODIES_MIDS_MAX];
    size_t bytes;
    struct store_bodies_reply rep;

    size_t n = choose(s, i, mids, &bytes);
    let_old_go(clock_mono_ms());
    if (n < 2 || held + bytes > AHEAD_ALL_BYTES)
        return;
    held += bytes; /* before others look, while this one waits */
    struct store_bodies req = {.session = s->id, .mids = mids, .mids_count = n, .max = AHEAD_BYTES};
    AUTO_ARENA *a = arena_new(AHEAD_BYTES + 16384);
    if (ask_store(s, &req, a, &rep) != OK || rep.bodies_count == 0) {
        held -= bytes;
        return;
    }
    *h = (struct pop3_ahead){
        .a = a, .rep = rep, .bytes = bytes, .next = h->next, .since_ms = clock_mono_ms()};
    a = NULL;
    list_push(&holding, &h->node);
}

bool
pop3_ahead_take(struct pop3_session *s, size_t i, struct str *body_out)
{
    struct pop3_ahead *h = &s->ahead;
    bool in_order = i == h->next && i > 0;

    h->next = i + 1;
    while (h->next < s->count && s->messages[h->next].deleted)
        h->next++;
    if (h->a != NULL && (h->rep.bodies[h->at].mid != s->messages[i].mid ||
                         clock_mono_ms() - h->since_ms >= AHEAD_MS))
        let_go(h);
    if (h->a == NULL && in_order)
        fetch(s, i);
    if (h->a == NULL || h->rep.bodies[h->at].mid != s->messages[i].mid)
        return false;
    *body_out = h->rep.bodies[h->at++].bytes;
    h->busy = true;
    return true;
}

void
pop3_ahead_done(struct pop3_session *s)
{
    struct pop3_ahead *h = &s->ahead;

    h->busy = false;
    if (h->a != NULL && h->at == h->rep.bodies_count)
        let_go(h);
}

void
pop3_ahead_end(struct pop3_session *s)
{
    s->ahead.busy = false;
    if (s->ahead.a != NULL)
        let_go(&s->ahead);
}
