/* cook.c - reads messages for the store, which never does.
 *
 * May touch:  memory, and channels to the store.  No files, no network, nothing from one message to the next.
 * After LIMIT_COOK_MESSAGES the store closes the channel when nothing is under way; then the process ends, and
 * boss starts a fresh one: whatever a message did to it does not last, and no answer is lost with it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "cook/facts.h"
#include "ipc/cook_serve.h"
#include "mail/charset.h"
#include "mail/fold.h"
#include "policy/arc_seal.h"
#include "role/role.h"
#include "rt/clock.h"

enum { HANDLES_MAX = 64 };

/* A larger message on its way in. */
struct pot {
    uint32_t handle;
    uint64_t incarnation; /* of the store that fills it */
    bool want_dkim;
    struct buf bytes;
};
static struct pot pots[HANDLES_MAX];
static uint32_t handles_made;
static uint32_t cooked;

static enum status
prepare(const struct role_start *s, struct problem *why)
{
    (void)s, (void)why;
    charset_preload();
    fold_preload();
    return OK;
}

static FIBER_ENTRY enum status
begin(const struct role_start *s, struct problem *why)
{
    (void)s, (void)why;
    return OK;
}

static struct cook_dkim_facts
copy_dkim(const struct cook_dkim_facts *d, struct arena *a)
{
    if (d->body_hash.len == 0)
        return (struct cook_dkim_facts){
            .headers = STR(""), .header_names = STR(""), .body_hash = STR("")};
    return (struct cook_dkim_facts){.headers = arena_str(a, d->headers),
                                    .header_names = arena_str(a, d->header_names),
                                    .body_hash = arena_str(a, d->body_hash)};
}

static struct str
copy(struct str s, struct arena *a)
{
    return s.len == 0 ? STR("") : arena_str(a, s);
}

static const uint64_t *
copy_hashes(const uint64_t *hashes, size_t n, struct arena *a)
{
    return n == 0 ? NULL : arena_dup(a, hashes, n * sizeof(hashes[0]));
}

/* The parsing has an arena of its own: what it takes must not count against the reply. */
static void
cook(struct str message, bool want_dkim, struct arena *a, struct cook_facts *out)
{
    AUTO_ARENA *own = arena_new(FACTS_ARENA_MAX);
    struct cook_facts f;

    facts_find(message, want_dkim, clock_now(), own, &f);
    *out = f;
    out->record = copy(f.record, a);
    out->sort = copy(f.sort, a);
    out->from_domain = copy(f.from_domain, a);
    out->message_id = copy(f.message_id, a);
    out->dkim = copy_dkim(&f.dkim, a);
    out->reference_hashes = copy_hashes(f.reference_hashes, f.reference_hashes_count, a);
    out->forward_marks = copy_hashes(f.forward_marks, f.forward_marks_count, a);
}

enum status
cook_serve_whole(struct ipc_peer *from, const struct cook_whole *req, struct arena *a,
                 struct cook_whole_reply *rep)
{
    (void)from;
    cook(req->body, req->want_dkim, a, &rep->facts);
    cooked++;
    return OK;
}

/* ---- piece by piece ---- */

static struct pot *
find(const struct ipc_peer *from, uint32_t handle)
{
    for (size_t i = 0; handle != 0 && i < HANDLES_MAX; i++)
        if (pots[i].handle == handle && pots[i].incarnation == ipc_incarnation(from))
            return &pots[i];
    return NULL;
}

static void
empty(struct pot *p)
{
    buf_release(&p->bytes);
    *p = (struct pot){0};
}

enum status
cook_serve_begin(struct ipc_peer *from, const struct cook_begin *req, struct arena *a,
                 struct cook_begin_reply *rep)
{
    uint64_t max = role_self()->config->message_bytes_max + LIMIT_HEADER_BYTES;

    (void)a;
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        if (pots[i].handle != 0)
            continue;
        handles_made += handles_made == UINT32_MAX ? 2 : 1;
        pots[i] = (struct pot){.handle = handles_made,
                               .incarnation = ipc_incarnation(from),
                               .want_dkim = req->want_dkim,
                               .bytes = BUF((size_t)max)};
        if (req->size_hint <= max)
            buf_reserve(&pots[i].bytes, (size_t)req->size_hint);
        rep->handle = pots[i].handle;
        return OK;
    }
    return ERR_LIMIT;
}

enum status
cook_serve_add(struct ipc_peer *from, const struct cook_add *req, struct arena *a,
               struct cook_add_reply *rep)
{
    struct pot *p = find(from, req->handle);

    (void)a, (void)rep;
    if (p == NULL)
        return ERR_NOT_FOUND;
    buf_add(&p->bytes, req->body);
    return buf_status(&p->bytes);
}

enum status
cook_serve_end(struct ipc_peer *from, const struct cook_end *req, struct arena *a,
               struct cook_end_reply *rep)
{
    struct pot *p = find(from, req->handle);

    if (p == NULL)
        return ERR_NOT_FOUND;
    enum status e = buf_status(&p->bytes);
    if (e == OK)
        cook(buf_str(&p->bytes), p->want_dkim, a, &rep->facts);
    empty(p);
    cooked++;
    return e;
}

enum status
cook_serve_seal(struct ipc_peer *from, const struct cook_seal *req, struct arena *a,
                struct cook_seal_reply *rep)
{
    AUTO_ARENA *own = arena_new(ARC_TO_SEAL_ARENA);
    struct pot *p = find(from, req->handle);
    struct arc_to_seal f = {0};

    if (p == NULL)
        return ERR_NOT_FOUND;
    enum status e = buf_status(&p->bytes);
    if (e == OK)
        arc_to_seal(buf_str(&p->bytes), req->authserv_id, own, &f);
    rep->arc = (struct cook_arc_facts){.instance = f.instance,
                                       .chain = (uint8_t)f.chain, /* a small enum */
                                       .results = copy(f.results, a),
                                       .headers = copy(f.headers, a),
                                       .header_names = copy(f.names, a),
                                       .body_hash = copy(f.body_hash, a),
                                       .sets = copy(f.sets, a)};
    empty(p);
    cooked++;
    return e;
}

void
cook_serve_drop(struct ipc_peer *from, const struct cook_drop *req, struct arena *a)
{
    struct pot *p = find(from, req->handle);

    (void)a;
    if (p != NULL)
        empty(p);
}

static void
peer_gone(struct ipc_peer *p)
{
    for (size_t i = 0; i < HANDLES_MAX; i++)
        if (pots[i].handle != 0 && pots[i].incarnation == ipc_incarnation(p))
            empty(&pots[i]);
    if (cooked >= LIMIT_COOK_MESSAGES)
        role_stopped();
}

static const struct ipc_service *const serves[] = {&cook_service};

const struct role_verbs role_cook = {
    .serves = serves,
    .serve_count = COUNT_OF(serves),
    .prepare = prepare,
    .begin = begin,
    .peer_gone = peer_gone,
};
