/* blocks.c - the block list: for the godwit command, and for the workers that accept connections.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#define STORE_SERVE_HANDLERS_ONLY
#include "base/limits.h"
#include "base/mem.h"
#include "ipc/admin_serve.h"
#include "ipc/auth_ipc.h"
#include "ipc/blockwatch_ipc.h"
#include "ipc/store_serve.h"
#include "role/store/admin.h"
#include "rt/clock.h"

enum { IPV4_BITS_MIN = 8, IPV6_BITS_MIN = 16, FOR_MAX_S = 10 * 366 * 86400 };

static void tell_workers(struct store *s);
SUSPENDS static enum status remove_block(struct store *s, struct str what, bool *was_out);
static struct str text_of(const struct subnet *n, struct arena *a);

enum status
admin_serve_block_add(struct ipc_peer *from, const struct admin_block_add *req, struct arena *a,
                      struct admin_block_add_reply *rep)
{
    struct store *s = store_of(from);
    struct block b = {.since = clock_now()};

    if (!subnet_read_around(req->network, &b.net) || req->for_s > FOR_MAX_S ||
        b.net.bits < (b.net.size == 4 ? IPV4_BITS_MIN : IPV6_BITS_MIN))
        return store_admin_done(s, ERR_SYNTAX, "block add", req->network);
    if (req->for_s > 0)
        b.until.us = b.since.us + (int64_t)req->for_s * 1000000; /* bounded above */
    rep->network = text_of(&b.net, a);
    TRY(store_admin_done(s, blocks_add(s->blocks, &b), "block add", rep->network));
    tell_workers(s);
    return OK;
}

enum status
admin_serve_block_remove(struct ipc_peer *from, const struct admin_block_remove *req,
                         struct arena *a, struct admin_block_remove_reply *rep)
{
    struct store *s = store_of(from);
    const struct auth_forgive ask = {.what = req->what};
    struct auth_forgive_reply answer = {0};

    enum status st = remove_block(s, req->what, &rep->blocked);
    if (st == OK && auth_forgive_call(store_peer_of(s, ROLE_AUTH), &ask, a, &answer) == OK)
        rep->forgiven = answer.count; /* who is away has forgotten them anyway */
    if (st == OK && !rep->blocked && rep->forgiven == 0)
        st = ERR_NOT_FOUND;
    TRY(store_admin_done(s, st, "block remove", req->what));
    if (rep->blocked)
        tell_workers(s);
    return OK;
}

enum status
admin_serve_blocks(struct ipc_peer *from, const struct admin_blocks *req, struct arena *a,
                   struct admin_blocks_reply *rep)
{
    struct store *s = store_of(from);
    const struct auth_penalties ask = {0};
    struct auth_penalties_reply slowed = {0};
    const struct block *found;
    size_t n;

    (void)req;
    TRY(store_checked(s, blocks_list(s->blocks, clock_now(), a, &found, &n), "blocks"));
    struct admin_block *list = ARENA_ARRAY(a, struct admin_block, n + 1);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct admin_block){.network = text_of(&found[i].net, a),
                                       .since = found[i].since.us,
                                       .until = found[i].until.us};
    rep->blocks = list;
    rep->blocks_count = n;
    if (auth_penalties_call(store_peer_of(s, ROLE_AUTH), &ask, a, &slowed) != OK)
        slowed.penalties_count = 0; /* who is away slows nobody */
    struct admin_penalty *penalties =
        ARENA_ARRAY(a, struct admin_penalty, slowed.penalties_count + 1);
    for (size_t i = 0; i < slowed.penalties_count; i++)
        penalties[i] = (struct admin_penalty){.kind = slowed.penalties[i].kind,
                                              .what = slowed.penalties[i].what,
                                              .wrong = slowed.penalties[i].wrong,
                                              .next_s = slowed.penalties[i].next_s,
                                              .ends_s = slowed.penalties[i].ends_s};
    rep->penalties = penalties;
    rep->penalties_count = slowed.penalties_count;
    return OK;
}

enum status
store_serve_blocks(struct ipc_peer *from, const struct store_blocks *req, struct arena *a,
                   struct store_blocks_reply *rep)
{
    struct store *s = store_of(from);
    const struct block *found;
    size_t n;

    (void)req;
    TRY(store_checked(s, blocks_list(s->blocks, clock_now(), a, &found, &n), "blocks"));
    struct store_blocked *list = ARENA_ARRAY(a, struct store_blocked, n + 1);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct store_blocked){.network = text_of(&found[i].net, a),
                                         .until = found[i].until.us};
    rep->blocks = list;
    rep->blocks_count = n;
    return OK;
}

static void
tell_workers(struct store *s)
{
    const struct blockwatch_blocks_changed note = {0};

    list_each (l, &s->peers) {
        struct ipc_peer *p = LIST_ENTRY(l, struct store_peer, in_store)->peer;
        if (ipc_role(p) != ROLE_MX && ipc_role(p) != ROLE_USER && ipc_role(p) != ROLE_API)
            continue;
        enum status st = blockwatch_blocks_changed_note(p, &note);
        (void)st; /* whose channel is gone asks when it is back */
    }
}

/* What is no network is a name, and has no block. */
SUSPENDS static enum status
remove_block(struct store *s, struct str what, bool *was_out)
{
    struct subnet net;

    *was_out = false;
    if (!subnet_read_around(what, &net))
        return OK;
    enum status st = blocks_remove(s->blocks, &net, clock_now());
    *was_out = st == OK;
    return st == ERR_NOT_FOUND ? OK : st;
}

static struct str
text_of(const struct subnet *n, struct arena *a)
{
    AUTO_BUF b = BUF(SUBNET_TEXT_MAX);

    subnet_write(n, &b);
    return arena_str(a, buf_str(&b));
}
