/* each.c - answers mx for LMTP: one message, and for each recipient what became of it.
 *
 * The mailboxes share the body.  A recipient whose address leads to one mailbox has the message there; one that leads
 * on (an alias of several, a forward) has it in the queue.  An account that several addresses lead to gets one copy,
 * and they all get its answer: so mailboxes come first, and then what goes to the queue without those.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "ipc/outcome.h"
#include "ipc/store_serve.h"
#include "role/store/store.h"
#include "store/account.h"

struct each {
    struct store *store;
    const struct store_deliver_each *req;
    const struct intake_body *body;
    struct arena *arena;
    uint64_t *accounts; /* that an outcome is known of */
    enum store_outcome *known;
    size_t known_count, known_max;
    bool kept;       /* some commit refers to the body */
    enum status why; /* or not: what stood in the way */
};

static enum store_outcome
outcome_of(enum status st, bool kept_before)
{
    switch (st) {
    case OK: return OUTCOME_KEPT;
    case ERR_QUOTA: return OUTCOME_FULL;
    case ERR_NO_SPACE: return OUTCOME_NO_SPACE;
    case ERR_DENIED: return OUTCOME_DENIED;
    /* Of a body that was there a moment ago and is expunged everywhere by now it would be the same. */
    case ERR_NOT_FOUND: return kept_before ? OUTCOME_LATER : OUTCOME_NO_USER;
    default: return OUTCOME_LATER;
    }
}

SUSPENDS static enum status
send_to(struct each *e, const struct store_rcpts *to, bool queued)
{
    struct queue_message m = {
        .sender = e->req->sender,
        .smtputf8 = e->req->smtputf8,
        .terms = store_terms(&e->req->terms),
        .rcpts = to->list,
        .rcpt_count = to->count,
    };
    struct store_sent sent;

    enum status st = store_send_shared(e->store, &m, e->body, queued, &sent);
    if (st != OK)
        e->why = st;
    e->kept = e->kept || st == OK;
    return st;
}

/* False: it is not known yet. */
static bool
is_known(const struct each *e, uint64_t account, enum store_outcome *out)
{
    for (size_t i = 0; i < e->known_count; i++) {
        if (e->accounts[i] == account) {
            *out = e->known[i];
            return true;
        }
    }
    return false;
}

/* Past the room the worst is a second copy. */
static void
remember(struct each *e, uint64_t account, enum store_outcome o)
{
    if (e->known_count == e->known_max)
        return;
    e->accounts[e->known_count] = account;
    e->known[e->known_count++] = o;
}

/* As at SMTP: for some days it may become better. */
SUSPENDS static enum store_outcome
how_full(const struct each *e, uint64_t account)
{
    AUTO(cell_close) struct cell *cell = account_open(e->store->cells, account);
    bool lasting = false;

    return store_quota_refused(e->store, cell, &lasting) == OK && lasting ? OUTCOME_OVERFULL
                                                                          : OUTCOME_FULL;
}

SUSPENDS static enum store_outcome
send_to_account(struct each *e, const struct store_rcpts *to)
{
    enum store_outcome o;

    if (is_known(e, to->list[0].account, &o))
        return o;
    o = outcome_of(send_to(e, to, false), e->kept);
    if (o == OUTCOME_FULL)
        o = how_full(e, to->list[0].account);
    remember(e, to->list[0].account, o);
    return o;
}

SUSPENDS static enum store_outcome
send_to_several(struct each *e, struct store_rcpts *to)
{
    size_t n = 0;

    for (size_t i = 0; i < to->count; i++) {
        const struct queue_rcpt *r = &to->list[i];
        enum store_outcome o;
        if (r->account == 0 || !is_known(e, r->account, &o) || o != OUTCOME_KEPT)
            to->list[n++] = to->list[i];
    }
    to->count = n;
    if (n == 0)
        return OUTCOME_KEPT;
    enum store_outcome o = outcome_of(send_to(e, to, true), true);
    for (size_t i = 0; i < n && o == OUTCOME_KEPT; i++)
        if (to->list[i].account != 0)
            remember(e, to->list[i].account, o);
    return o;
}

/* Where the address leads; false: nowhere, and the outcome is known. */
SUSPENDS static bool
resolve(struct each *e, struct str address, struct store_rcpts *to, enum store_outcome *outcome_out)
{
    struct queue_rcpt asked = {.original = address};

    *outcome_out = OUTCOME_LATER;
    enum status st =
        store_checked(e->store, store_expand(e->store, &asked, e->arena, to), "look-up");
    if (st != OK || to->count == 0)
        return false;
    if (to->list[0].state == QUEUE_FAILED) {
        bool disabled = str_eq(to->list[0].enhanced, STR("5.2.1"));
        *outcome_out = disabled ? OUTCOME_DISABLED : OUTCOME_NO_USER;
        return false;
    }
    /* What came in goes out only by way of an alias of ours. */
    for (size_t i = 0; i < to->count; i++) {
        if (to->list[i].account == 0 && str_eq_nocase(to->list[i].address, address)) {
            *outcome_out = OUTCOME_DENIED;
            e->why = ERR_DENIED;
            return false;
        }
    }
    return true;
}

/* One round: those of one mailbox, or the others. */
SUSPENDS static void
deliver_round(struct each *e, bool several, uint8_t *outcomes)
{
    for (size_t i = 0; i < e->req->rcpts_count; i++) {
        struct store_rcpts to = {0};
        enum store_outcome o;
        bool leads = resolve(e, e->req->rcpts[i], &to, &o);
        if ((leads && (to.count != 1 || to.list[0].account == 0)) != several)
            continue;
        if (leads)
            o = several ? send_to_several(e, &to) : send_to_account(e, &to);
        outcomes[i] = (uint8_t)o; /* a small enum */
    }
}

enum status
store_serve_deliver_each(struct ipc_peer *from, const struct store_deliver_each *req,
                         struct arena *a, struct store_deliver_each_reply *rep)
{
    struct intake_which which = {.source = store_source_of(from),
                                 .handle = req->handle,
                                 .bytes = req->body,
                                 .tid = req->trace};
    struct each e = {.store = store_of(from), .req = req, .arena = a, .why = ERR_NOT_FOUND};
    struct intake_body body;

    if (req->rcpts_count == 0)
        return ERR_SYNTAX;
    TRY(store_take(from, &which, a, &body));
    e.body = &body;
    e.known_max = req->rcpts_count + LIMIT_ALIAS_EXPANSION;
    e.accounts = ARENA_ARRAY(a, uint64_t, e.known_max);
    e.known = ARENA_ARRAY(a, enum store_outcome, e.known_max);
    uint8_t *outcomes = ARENA_ARRAY(a, uint8_t, req->rcpts_count); /* OUTCOME_LATER */
    deliver_round(&e, false, outcomes);
    deliver_round(&e, true, outcomes);
    if (!e.kept)
        store_refused(e.store, &body, e.why);
    rep->outcomes = outcomes;
    rep->outcomes_count = req->rcpts_count;
    return OK;
}
