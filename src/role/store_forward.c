/* store_forward.c - mail that is sent on: whose envelope sender becomes ours, and the way back of what answers it.
 *
 * What strangers send leaves us only by way of an address of ours that names a foreign one.  Its sender is rewritten
 * when it goes out (mail/srs.h), not when it comes in: reports of our own go to who wrote it, and one message may leave
 * by way of several domains.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/events.h"
#include "ipc/keys_ipc.h"
#include "ipc/store_ipc.h"
#include "mail/srs.h"
#include "role/store.h"
#include "rt/clock.h"
#include "rt/logger.h"

#define DAY_US INT64_C(86400000000)
enum { RESOLVE_ARENA = 8 << 20 };
/* keys_mark.purpose */
enum forward_mark { MARK_RETURN };

SUSPENDS static enum status mark(struct store *s, const struct keys_mark *req, struct arena *a,
                                 struct str *mac_out);
SUSPENDS static enum status mac_of(struct store *s, const struct srs *parts, struct arena *a,
                                   struct str *mac_out);
static const struct queue_rcpt *first_forward(const struct queue_message *m,
                                              const struct store_attempt *at);
SUSPENDS static enum status domain_for(struct store *s, const struct queue_rcpt *r, struct arena *a,
                                       struct str *out);
static struct str via_of(const struct directory_resolution *found, const struct queue_rcpt *r);
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
store_forward(struct store *s, const struct queue_message *m, struct arena *a,
              struct store_attempt *at)
{
    const struct queue_rcpt *r = first_forward(m, at);
    struct str domain, mac;
    struct srs parts;
    bool ours = false;

    if (r == NULL || m->sender.len == 0)
        return OK;
    TRY(directory_is_local_domain(s->directory, domain_of(m->sender), &ours));
    if (ours || srs_wrap(m->sender, clock_now().us / DAY_US, a, &parts) != OK)
        return OK;
    enum status st = domain_for(s, r, a, &domain);
    if (st == ERR_NOT_FOUND) /* the domain went since */
        return OK;
    TRY(st);
    TRY(mac_of(s, &parts, a, &mac));
    st = srs_write(&parts, mac, domain, a, &at->sender);
    if (st == ERR_LIMIT) /* too long: it goes as it came, which only SPF may mind */
        return OK;
    TRY(st);
    log_rewritten(m, at);
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
    return mark(s, &req, a, mac_out);
}

/* While role keys is started again nobody can tell: ERR_TEMP. */
SUSPENDS static enum status
mark(struct store *s, const struct keys_mark *req, struct arena *a, struct str *mac_out)
{
    struct keys_mark_reply rep;

    if (keys_mark_call(store_peer_of(s, ROLE_KEYS), req, a, &rep) != OK ||
        rep.mac.len != SRS_MAC_BYTES)
        return ERR_TEMP;
    *mac_out = rep.mac;
    return OK;
}

/* ---- the way out ---- */

/* What was asked for as it stands is not sent on.  Of one attempt either all are or none is, but for users who write to
 * such an address of ours and to others of its destination at once: their own sender stays. */
static const struct queue_rcpt *
first_forward(const struct queue_message *m, const struct store_attempt *at)
{
    for (size_t i = 0; i < at->rcpts_count; i++) {
        const struct queue_rcpt *r = &m->rcpts[at->rcpts[i].index];
        if (!str_eq_nocase(r->address, r->original))
            return r;
    }
    return NULL;
}

/* The domain of the address that names the foreign one.  ERR_NOT_FOUND: it is ours no more. */
SUSPENDS static enum status
domain_for(struct store *s, const struct queue_rcpt *r, struct arena *a, struct str *out)
{
    AUTO_ARENA *own = arena_new(RESOLVE_ARENA);
    struct directory_resolution found;

    TRY(directory_resolve(s->directory, r->original, own, &found));
    struct str via = via_of(&found, r);
    if (via.len == 0) { /* the alias was changed since */
        bool ours = false;
        via = r->original;
        TRY(directory_is_local_domain(s->directory, domain_of(via), &ours));
        if (!ours)
            return ERR_NOT_FOUND;
    }
    *out = arena_str(a, domain_of(via));
    return OK;
}

static struct str
via_of(const struct directory_resolution *found, const struct queue_rcpt *r)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->targets[i].account == 0 && str_eq(found->targets[i].address, r->address))
            return found->targets[i].via;
    return STR_NONE;
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
