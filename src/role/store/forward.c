/* forward.c - mail that is sent on: whose envelope sender becomes ours, and the way back of what answers it.
 *
 * What strangers send leaves us only by way of an address of ours that names a foreign one.  Its sender is rewritten
 * when it goes out (mail/srs.h), not when it comes in: reports of our own go to who wrote it, and one message may leave
 * by way of several domains.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "config/events.h"
#include "ipc/cook_ipc.h"
#include "ipc/keys_ipc.h"
#include "ipc/store_ipc.h"
#include "mail/header.h"
#include "mail/srs.h"
#include "role/store/bounce.h"
#include "rt/clock.h"
#include "rt/logger.h"

#define DAY_US INT64_C(86400000000)
enum { RESOLVE_ARENA = 8 << 20, SEAL_ARENA = 4 << 20, VIAS_MAX = 16, PREPEND_MAX = 24576 };
/* keys_mark.purpose */
enum forward_mark { MARK_RETURN, MARK_FORWARD };

/* The addresses here by way of which an attempt leaves; nearly always one. */
struct vias {
    struct str at[VIAS_MAX];
    size_t count;
    bool first; /* some recipient is tried for the first time */
};

SUSPENDS static enum status mac_of(struct store *s, const struct srs *parts, struct arena *a,
                                   struct str *mac_out);
SUSPENDS static enum status mark_of(struct store *s, struct str via, uint64_t *out);
SUSPENDS static enum status find_vias(struct store *s, const struct queue_message *m,
                                      const struct store_attempt *at, struct arena *a,
                                      struct vias *out);
SUSPENDS static enum status find_via(struct store *s, const struct queue_rcpt *r, struct arena *a,
                                     struct str *out);
static void add_via(struct vias *v, struct str via);
static bool is_over(struct store *s, const struct queue_message *m, const struct vias *v);
SUSPENDS static enum status rewrite(struct store *s, const struct queue_message *m,
                                    struct str domain, struct arena *a, struct store_attempt *at);
SUSPENDS static enum status seal(struct store *s, const struct queue_message *m, struct str domain,
                                 struct arena *a, struct store_attempt *at);
SUSPENDS static enum status add_marks(struct store *s, const struct vias *v, struct arena *a,
                                      struct store_attempt *at);
static struct str domain_of(struct str address);
static void log_rewritten(const struct queue_message *m, const struct store_attempt *at);

enum status
store_return(struct store *s, struct str address, struct arena *a, struct str *out)
{
    struct directory_entry e;
    struct srs parts;
    struct str mac;
    bool ours = false;

    if (!srs_is(address))
        return ERR_NOT_FOUND;
    TRY(directory_is_local_domain(s->directory, domain_of(address), &ours));
    if (!ours)
        return ERR_NOT_FOUND;
    enum status st = directory_find(s->directory, address, a, &e);
    if (st == OK) /* somebody has that very name */
        return ERR_NOT_FOUND;
    if (st != ERR_NOT_FOUND && st != ERR_SYNTAX)
        return st;
    if (srs_read(address, a, &parts) != OK)
        return ERR_DENIED;
    TRY(mac_of(s, &parts, a, &mac));
    if (!srs_is_signed(&parts, mac) || !srs_is_fresh(&parts, clock_now().us / DAY_US))
        return ERR_DENIED;
    return srs_target(&parts, a, out);
}

enum status
store_forwarded(struct store *s, struct str via, struct store_rcpts *all, bool *out)
{
    *out = false;
    if (all->facts == NULL || all->facts->forward_mark_count == 0)
        return OK;
    if (!str_eq(all->last.via, via)) {
        TRY(mark_of(s, via, &all->last.mark));
        all->last.via = via;
    }
    for (size_t i = 0; i < all->facts->forward_mark_count; i++)
        *out = *out || all->facts->forward_marks[i] == all->last.mark;
    return OK;
}

enum status
store_forward(struct store *s, const struct queue_message *m, struct arena *a,
              struct store_attempt *at)
{
    struct vias v = {0};

    TRY(find_vias(s, m, at, a, &v));
    if (v.count == 0)
        return OK;
    if (v.first && is_over(s, m, &v))
        return ERR_QUOTA;
    TRY(rewrite(s, m, domain_of(v.at[0]), a, at));
    TRY(seal(s, m, domain_of(v.at[0]), a, at));
    TRY(add_marks(s, &v, a, at));
    for (size_t i = 0; v.first && i < v.count; i++)
        rates_add(s->forwards, v.at[i], clock_now().us / 1000);
    return OK;
}

/* ---- marks ---- */

SUSPENDS static enum status
mac_of(struct store *s, const struct srs *parts, struct arena *a, struct str *mac_out)
{
    AUTO_BUF text = BUF(SRS_SIGNED_MAX);

    srs_signed(parts, &text);
    TRY(buf_status(&text));
    const struct keys_mark req = {.purpose = MARK_RETURN, .data = buf_str(&text)};
    return store_mark(s, &req, a, mac_out);
}

/* Of an address that sends mail on. */
SUSPENDS static enum status
mark_of(struct store *s, struct str via, uint64_t *out)
{
    AUTO_ARENA *a = arena_new(4096);
    const struct keys_mark req = {.purpose = MARK_FORWARD, .data = via};
    struct str mac;

    TRY(store_mark(s, &req, a, &mac));
    *out = be64_get(mac.ptr);
    return OK;
}

enum status
store_mark(struct store *s, const struct keys_mark *req, struct arena *a, struct str *mac_out)
{
    struct keys_mark_reply rep;

    if (keys_mark_call(store_peer_of(s, ROLE_KEYS), req, a, &rep) != OK ||
        rep.mac.len != SRS_MAC_BYTES)
        return ERR_TEMP;
    *mac_out = rep.mac;
    return OK;
}

/* ---- the way out ---- */

/* A recipient that is asked for as it stands leaves by way of nobody, and so does what goes back to a rewritten
 * sender. */
SUSPENDS static enum status
find_vias(struct store *s, const struct queue_message *m, const struct store_attempt *at,
          struct arena *a, struct vias *out)
{
    for (size_t i = 0; i < at->rcpts_count; i++) {
        const struct queue_rcpt *r = &m->rcpts[at->rcpts[i].index];
        struct str via = STR_NONE;
        if (str_eq_nocase(r->address, r->original) || srs_is(r->original))
            continue;
        TRY(find_via(s, r, a, &via));
        if (via.len == 0)
            continue;
        add_via(out, via);
        out->first = out->first || r->tries == 0;
    }
    return OK;
}

/* Looked up again: the queue keeps what was asked for and where that leads.  Empty: by way of none. */
SUSPENDS static enum status
find_via(struct store *s, const struct queue_rcpt *r, struct arena *a, struct str *out)
{
    AUTO_ARENA *own = arena_new(RESOLVE_ARENA);
    struct directory_resolution found;
    struct str address, domain;
    bool ours = false;

    enum status st = directory_resolve(s->directory, r->original, own, &found);
    if (st == ERR_SYNTAX) /* the default domain is another by now */
        return OK;
    TRY(st);
    for (size_t i = 0; i < found.count; i++) {
        if (found.targets[i].account == 0 && str_eq(found.targets[i].address, r->address)) {
            *out = arena_str(a, found.targets[i].via);
            return OK;
        }
    }
    /* it leads elsewhere by now */
    TRY(directory_canonical(s->directory, r->original, own, &address, &domain));
    TRY(directory_is_local_domain(s->directory, domain, &ours));
    if (ours)
        *out = arena_str(a, address);
    return OK;
}

/* Those beyond the first VIAS_MAX go without a mark: there, Received fields end a loop. */
static void
add_via(struct vias *v, struct str via)
{
    for (size_t i = 0; i < v->count; i++)
        if (str_eq(v->at[i], via))
            return;
    if (v->count < VIAS_MAX)
        v->at[v->count++] = via;
}

/* The first time in an hour is told. */
static bool
is_over(struct store *s, const struct queue_message *m, const struct vias *v)
{
    int64_t now_ms = clock_now().us / 1000;

    for (size_t i = 0; i < v->count; i++) {
        uint32_t n = rates_count(s->forwards, v->at[i], now_ms);
        if (n < LIMIT_FORWARDS_PER_HOUR)
            continue;
        if (n > LIMIT_FORWARDS_PER_HOUR)
            return true;
        rates_add(s->forwards, v->at[i], now_ms);
        AUTO(logger_send) struct log_line l;
        if (event_begin(&l, EVENT_FORWARD_LIMIT)) {
            log_hex64(&l, "qid", m->qid);
            log_str(&l, "by", v->at[i]);
        }
        return true;
    }
    return false;
}

SUSPENDS static enum status
rewrite(struct store *s, const struct queue_message *m, struct str domain, struct arena *a,
        struct store_attempt *at)
{
    struct srs parts;
    struct str mac;
    bool ours = false;

    if (m->sender.len == 0)
        return OK;
    TRY(directory_is_local_domain(s->directory, domain_of(m->sender), &ours));
    if (ours || srs_wrap(m->sender, clock_now().us / DAY_US, a, &parts) != OK)
        return OK;
    TRY(mac_of(s, &parts, a, &mac));
    enum status st = srs_write(&parts, mac, domain, a, &at->sender);
    if (st == ERR_LIMIT) /* too long: it goes as it came, which only SPF may mind */
        return OK;
    TRY(st);
    log_rewritten(m, at);
    return OK;
}

/* A set of ARC (RFC 8617) for mail of strangers: who gets it can see what was found out when it came here, for SPF
 * says nothing of it any more.  Only what has results of ours on top is sealed; where that fails it goes without. */
SUSPENDS static enum status
seal(struct store *s, const struct queue_message *m, struct str domain, struct arena *a,
     struct store_attempt *at)
{
    AUTO_ARENA *own = arena_new(SEAL_ARENA);
    struct cook_arc_facts f;
    struct keys_arc_seal_reply rep;

    if (m->account != 0 || at->prepend.len > 0)
        return OK;
    enum status st = intake_arc(s->intake, m->body, s->config->host, own, &f);
    if (st != OK)
        return st == ERR_CANCELLED ? st : OK;
    const struct keys_arc_seal req = {.domain = domain,
                                      .instance = f.instance,
                                      .chain = f.chain,
                                      .results = f.results,
                                      .headers = f.headers,
                                      .header_names = f.header_names,
                                      .body_hash = f.body_hash,
                                      .sets = f.sets,
                                      .time = clock_now().us / 1000000};
    st = keys_arc_seal_call(store_peer_of(s, ROLE_KEYS), &req, own, &rep);
    if (st == ERR_CLOSED) /* it is being started again */
        return ERR_TEMP;
    if (st == OK)
        at->prepend = arena_str(a, rep.fields);
    return st == ERR_CANCELLED ? st : OK;
}

SUSPENDS static enum status
add_marks(struct store *s, const struct vias *v, struct arena *a, struct store_attempt *at)
{
    AUTO_BUF fields = BUF(PREPEND_MAX);

    for (size_t i = 0; i < v->count; i++) {
        uint64_t of = 0;
        TRY(mark_of(s, v->at[i], &of));
        buf_addf(&fields, HEADER_FORWARDED ": %016llx\r\n", (unsigned long long)of);
    }
    buf_add(&fields, at->prepend);
    TRY(buf_status(&fields));
    at->prepend = arena_str(a, buf_str(&fields));
    return OK;
}

static struct str
domain_of(struct str address)
{
    return str_skip(address, (size_t)(str_rfind(address, '@') + 1)); /* 0 when there is none */
}

static void
log_rewritten(const struct queue_message *m, const struct store_attempt *at)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_QUEUE_REWRITE))
        return;
    log_hex64(&l, "qid", m->qid);
    log_str(&l, "from", m->sender);
    log_str(&l, "as", at->sender);
}
