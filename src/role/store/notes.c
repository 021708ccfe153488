/* notes.c - tells workers what changed under their sessions, once a turn of the loop.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "ipc/out_ipc.h"
#include "ipc/watch_ipc.h"
#include "role/store/store.h"
#include "rt/loop.h"

struct pending {
    uint64_t account, modseq;
    uint32_t mailboxes[STORE_CHANGE_MAILBOXES];
    size_t count;
    bool many;
};
struct store_notes {
    struct timer timer;
    struct store *store;
    struct map *accounts; /* -> struct pending */
    bool out_work;
};

static void changed(struct store_watch *w, const struct store_change *c);
static void foreign(void *arg, struct cell_id c, uint64_t hint);
static void add(struct store_notes *n, const struct store_change *c);
static void add_mailbox(struct pending *p, uint32_t mailbox);
static void send_all(struct timer *t);
static void send_changed(struct store *s, const struct pending *p);
static void plan(struct store_notes *n);

void
store_notes_init(struct store *s)
{
    struct store_notes *n = MEM_NEW(struct store_notes);

    n->store = s;
    n->accounts = map_new();
    n->timer.fire = send_all;
    s->notes = n;
    s->watch.changed = changed;
    cells_watch(s->cells, &s->watch);
    engine_subscribe(s->engine, foreign, s);
}

void
store_notes_release(struct store *s)
{
    struct store_notes *n = s->notes;
    size_t cursor = 0;
    struct str key;
    void *value;

    cells_watch(s->cells, NULL);
    timer_stop(&n->timer);
    while (map_next(n->accounts, &cursor, &key, &value))
        mem_free(value);
    map_free(&n->accounts);
    mem_free(n);
    s->notes = NULL;
}

void
store_revoked(struct store *s, uint64_t account, uint64_t session)
{
    const struct watch_revoked note = {.account = account, .session = session};

    list_each (l, &s->peers) {
        struct ipc_peer *p = LIST_ENTRY(l, struct store_peer, in_store)->peer;
        if (ipc_role(p) == ROLE_USER && ipc_is_open(p) && watch_revoked_note(p, &note) != OK)
            ipc_close(p); /* a worker that does not listen may not keep the session */
    }
}

void
store_revoked_one(struct store *s, const struct grant *g)
{
    const struct watch_revoked note = {.account = g->account, .session = g->session};
    struct ipc_peer *p = store_worker(s, g->incarnation);

    if (p != NULL && watch_revoked_note(p, &note) != OK)
        ipc_close(p);
}

void
store_out_work(struct store *s)
{
    if (s->notes == NULL || queue_remote_ready(s->queue) == 0)
        return;
    s->notes->out_work = true;
    plan(s->notes);
}

/* ---- gathering ---- */

static void
changed(struct store_watch *w, const struct store_change *c)
{
    struct store *s = (struct store *)(void *)((char *)w - offsetof(struct store, watch));

    add(s->notes, c);
}

/* Another process of the cluster moved a cell on. */
static void
foreign(void *arg, struct cell_id c, uint64_t hint)
{
    struct store *s = arg;
    const struct store_change change = {.account = c.id, .modseq = hint, .many = true};

    if (s->notes == NULL)
        return;
    if (c.kind == 'd')
        directory_changed(s->directory);
    else if (c.kind == 'a')
        add(s->notes, &change);
}

static void
add(struct store_notes *n, const struct store_change *c)
{
    struct grant any;
    char key[8];

    if (grants_of(n->store->grants, c->account, &any, 1) == 0)
        return; /* nobody is looking */
    be64_put(key, c->account);
    struct pending *p = map_get(n->accounts, str_from(key, sizeof(key)));
    if (p == NULL) {
        p = MEM_NEW(struct pending);
        p->account = c->account;
        map_put(n->accounts, str_from(key, sizeof(key)), p);
    }
    p->modseq = MAX(p->modseq, c->modseq);
    p->many = p->many || c->many;
    for (size_t i = 0; i < c->mailbox_count; i++)
        add_mailbox(p, c->mailboxes[i]);
    plan(n);
}

static void
add_mailbox(struct pending *p, uint32_t mailbox)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->mailboxes[i] == mailbox)
            return;
    }
    if (p->count == COUNT_OF(p->mailboxes))
        p->many = true;
    else
        p->mailboxes[p->count++] = mailbox;
}

static void
plan(struct store_notes *n)
{
    if (!timer_is_set(&n->timer))
        timer_set(&n->timer, 0);
}

/* ---- sending ---- */

static void
send_all(struct timer *t)
{
    struct store_notes *n =
        (struct store_notes *)(void *)((char *)t - offsetof(struct store_notes, timer));
    size_t cursor = 0;
    struct str key;
    void *value;

    if (n->out_work) {
        const struct out_work note = {.count = queue_remote_ready(n->store->queue)};
        struct ipc_peer *out = store_peer_of(n->store, ROLE_OUT);
        n->out_work = false;
        if (out != NULL && note.count > 0 && out_work_note(out, &note) != OK)
            n->out_work = true; /* upkeep asks again */
    }
    while (map_next(n->accounts, &cursor, &key, &value)) {
        send_changed(n->store, value);
        map_del(n->accounts, key);
        mem_free(value);
    }
}

static void
send_changed(struct store *s, const struct pending *p)
{
    struct grant *grants = MEM_ARRAY(struct grant, LIMIT_SESSIONS_PER_ACCOUNT);
    size_t n = grants_of(s->grants, p->account, grants, LIMIT_SESSIONS_PER_ACCOUNT);
    const struct watch_changed note = {
        .account = p->account,
        .modseq = p->modseq,
        .mailboxes = p->mailboxes,
        .mailboxes_count = p->many ? 0 : p->count,
    };

    for (size_t i = 0; i < n; i++) {
        bool told = false;
        for (size_t k = 0; k < i; k++)
            told = told || grants[k].incarnation == grants[i].incarnation;
        struct ipc_peer *p_user = told ? NULL : store_worker(s, grants[i].incarnation);
        if (p_user != NULL && watch_changed_note(p_user, &note) != OK)
            ipc_close(p_user); /* it reads nothing: its sessions would sleep for ever */
    }
    mem_free(grants);
}

struct ipc_peer *
store_worker(const struct store *s, uint64_t incarnation)
{
    list_each (l, &s->peers) {
        struct ipc_peer *p = LIST_ENTRY(l, struct store_peer, in_store)->peer;
        if (ipc_role(p) == ROLE_USER && ipc_incarnation(p) == incarnation && ipc_is_open(p))
            return p;
    }
    return NULL;
}
