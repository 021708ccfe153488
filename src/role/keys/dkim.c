/* dkim.c - DKIM keys: RSA-2048 and Ed25519 of each domain, sealed in the store (RFC 6376, RFC 8463).
 *
 * The store says what DNS says of them; role/keys/dkim_ring.h, which key signs when; role/keys/sign.c signs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/rsa.h>

#include "base/map.h"
#include "base/size.h"
#include "config/events.h"
#include "ipc/store_ipc.h"
#include "role/keys/keys.h"
#include "rt/clock.h"
#include "rt/fiber.h"
#include "rt/logger.h"
#include "rt/offload.h"

#define KEYS_SERVE_HANDLERS_ONLY
#include "ipc/keys_serve.h"

/* The ring, and beside it the one key that programs before rings knew. */
#define RING_KIND   STR("dkim ring")
#define SINGLE_KIND STR("dkim")
enum { RSA_BITS = 2048, RECORD_MAX = 1024 };
static_assert((int)LIMIT_DKIM_KEYS == (int)KEYS_DKIM_MAKE_REPLY_KEYS_MAX,
              "all of a domain are told");
static_assert((int)RING_OLD == (int)KEYS_DKIM_KEY_STATE_MAX &&
                  (int)RING_ALGORITHMS - 1 == (int)KEYS_DKIM_KEY_ALGORITHM_MAX,
              "states and algorithms");

static const struct seal *seal;
static struct map *by_domain; /* of struct dkim_ring; never shrinks: one per domain of ours */
static struct offload_pool *making;
static struct fiber_queue changes; /* one change at a time, or one of two could be lost */
static bool changing;

void
keys_dkim_begin(const struct seal *with)
{
    seal = with;
    by_domain = map_new();
    fiber_queue_init(&changes);
    if (offload_new("dkim", 1, 64, &making) != OK)
        role_fail("cannot start the thread that makes DKIM keys");
}

/* ---- keeping ---- */

/* The text has its whole size at once: growing would leave copies of keys behind. */
static bool
reserve(struct buf *plain)
{
    return buf_reserve(plain, RING_BYTES_MAX);
}

static SUSPENDS enum status
load(struct str domain, struct str kind, struct dkim_ring **out)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF plain = BUF(RING_BYTES_MAX);
    struct store_sealed_get req = {.kind = kind, .name = domain};
    struct store_sealed_get_reply rep;

    TRY(store_sealed_get_call(role_peer(ROLE_STORE), &req, a, &rep));
    if (rep.records_count == 0)
        return ERR_NOT_FOUND;
    if (!reserve(&plain))
        return ERR_LIMIT;
    TRY(seal_open(seal, kind, domain, rep.records[0].bytes, &plain));
    enum status e = str_eq(kind, RING_KIND) ? ring_read(buf_str(&plain), out)
                                            : ring_read_single(buf_str(&plain), out);
    mem_wipe(plain.ptr, plain.cap);
    return e;
}

enum status
keys_dkim_find(struct str domain, struct dkim_ring **out)
{
    struct dkim_ring *r = map_get(by_domain, domain);

    if (r == NULL) {
        enum status e = load(domain, RING_KIND, &r);
        if (e == ERR_NOT_FOUND)
            e = load(domain, SINGLE_KIND, &r);
        TRY(e);
        struct dkim_ring *meanwhile = map_get(by_domain, domain);
        if (meanwhile != NULL) { /* maybe newer */
            ring_free(&r);
            r = meanwhile;
        } else {
            map_put(by_domain, domain, r);
        }
    }
    *out = r;
    return OK;
}

static SUSPENDS enum status
keep_as(struct str domain, struct str kind, const struct dkim_ring *r)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF plain = BUF(RING_BYTES_MAX);
    AUTO_BUF sealed = BUF(RING_BYTES_MAX + SEAL_OVERHEAD);
    struct store_sealed_put_reply rep;

    if (!reserve(&plain))
        return ERR_LIMIT;
    enum status e = str_eq(kind, RING_KIND) ? ring_write(r, &plain) : ring_write_single(r, &plain);
    if (e == OK)
        e = seal_make(seal, kind, domain, buf_str(&plain), &sealed);
    mem_wipe(plain.ptr, plain.cap);
    TRY(e);
    struct store_sealed_put req = {.kind = kind, .name = domain, .bytes = buf_str(&sealed)};
    return store_sealed_put_call(role_peer(ROLE_STORE), &req, a, &rep);
}

/* Takes the ring: it is in use once it is kept.  After a failure what is kept is read again. */
static SUSPENDS enum status
keep(struct str domain, struct dkim_ring *r)
{
    enum status e = keep_as(domain, RING_KIND, r);

    if (e == OK)
        e = keep_as(domain, SINGLE_KIND, r);
    struct dkim_ring *before = e == OK ? map_put(by_domain, domain, r) : map_del(by_domain, domain);
    ring_free(&before);
    if (e != OK)
        ring_free(&r);
    return e;
}

static SUSPENDS enum status
begin_change(void)
{
    while (changing)
        TRY(fiber_queue_wait(&changes, FIBER_FOREVER));
    changing = true;
    return OK;
}

static void
end_change(void)
{
    changing = false;
    fiber_queue_wake_all(&changes);
}

/* ---- making ---- */

static void
make_rsa(void *arg)
{
    EVP_PKEY **key = arg;

    *key = EVP_RSA_gen(RSA_BITS);
}

static SUSPENDS enum status
make_key(enum ring_algorithm algorithm, EVP_PKEY **out)
{
    EVP_PKEY *key = NULL;

    if (algorithm == RING_RSA)
        TRY(rt_offload(making, make_rsa, &key));
    else
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); /* at once */
    *out = key;
    return key != NULL ? OK : ERR_TEMP;
}

/* What is missing; with next also what is to follow those that sign. */
static SUSPENDS enum status
fill(struct dkim_ring *r, bool next, bool *made_out)
{
    int64_t now_s = clock_now().us / 1000000;

    for (int i = 0; i < RING_ALGORITHMS; i++) {
        enum ring_algorithm algorithm = (enum ring_algorithm)i; /* each of them */
        bool signs = ring_find(r, algorithm, RING_SIGNS) != NULL;
        EVP_PKEY *key = NULL;
        if (ring_find(r, algorithm, RING_WAITS) != NULL || (signs && !next))
            continue;
        TRY(make_key(algorithm, &key));
        ring_add(r, algorithm, key, now_s);
        *made_out = true;
    }
    return OK;
}

static SUSPENDS enum status
make_missing(struct str domain, bool next)
{
    struct dkim_ring *r = NULL;
    bool made = false;

    enum status e = keys_dkim_find(domain, &r);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    r = e == OK ? ring_copy(r) : MEM_NEW(struct dkim_ring);
    e = fill(r, next, &made);
    if (e == OK && made)
        return keep(domain, r);
    ring_free(&r);
    return e;
}

/* ---- telling ---- */

static enum status
list_keys(const struct dkim_ring *r, struct arena *a, const struct keys_dkim_key **out,
          size_t *count_out)
{
    struct keys_dkim_key *list = ARENA_ARRAY(a, struct keys_dkim_key, r->count + 1);

    for (size_t i = 0; i < r->count; i++) {
        const struct ring_key *k = &r->at[i];
        AUTO_BUF record = BUF(RECORD_MAX);
        TRY(ring_record(k, &record));
        list[i] = (struct keys_dkim_key){.selector = arena_str(a, k->selector),
                                         .algorithm = (uint8_t)k->algorithm, /* small enums */
                                         .state = (uint8_t)k->state,
                                         .seen = k->seen,
                                         .since = k->since_s,
                                         .record = arena_str(a, buf_str(&record))};
    }
    *out = list;
    *count_out = r->count;
    return OK;
}

enum status
keys_serve_dkim_make(struct ipc_peer *from, const struct keys_dkim_make *req, struct arena *a,
                     struct keys_dkim_make_reply *rep)
{
    struct dkim_ring *r;

    (void)from;
    TRY(begin_change());
    enum status e = make_missing(req->domain, req->next);
    end_change();
    TRY(e);
    TRY(keys_dkim_find(req->domain, &r));
    return list_keys(r, a, &rep->keys, &rep->keys_count);
}

static void
log_change(struct str domain, const struct ring_key *k)
{
    static const char *const states[] = {
        [RING_WAITS] = "waits", [RING_SIGNS] = "signs", [RING_OLD] = "old"};
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_DKIM_KEY))
        return;
    log_str(&l, "domain", domain);
    log_str(&l, "selector", k->selector);
    log_str(&l, "state", str_of(states[k->state]));
}

static void
log_changes(struct str domain, const struct dkim_ring *before, const struct dkim_ring *after)
{
    for (size_t i = 0; i < after->count; i++) {
        bool same = false;
        for (size_t j = 0; j < before->count; j++)
            same = same || (str_eq(before->at[j].selector, after->at[i].selector) &&
                            before->at[j].state == after->at[i].state);
        if (!same)
            log_change(domain, &after->at[i]);
    }
}

static SUSPENDS enum status
take_news(const struct keys_dkim_seen *req)
{
    int64_t now_s = clock_now().us / 1000000;
    struct dkim_ring *r;
    bool changed = false;

    TRY(keys_dkim_find(req->domain, &r));
    struct dkim_ring *next = ring_copy(r);
    for (size_t i = 0; i < req->there_count; i++)
        changed = ring_tell(next, req->there[i], true, now_s) || changed;
    for (size_t i = 0; i < req->absent_count; i++)
        changed = ring_tell(next, req->absent[i], false, now_s) || changed;
    if (!changed) {
        ring_free(&next);
        return OK;
    }
    log_changes(req->domain, r, next);
    return keep(req->domain, next);
}

enum status
keys_serve_dkim_seen(struct ipc_peer *from, const struct keys_dkim_seen *req, struct arena *a,
                     struct keys_dkim_seen_reply *rep)
{
    struct dkim_ring *r;

    (void)from;
    TRY(begin_change());
    enum status e = take_news(req);
    end_change();
    TRY(e);
    TRY(keys_dkim_find(req->domain, &r));
    return list_keys(r, a, &rep->keys, &rep->keys_count);
}
