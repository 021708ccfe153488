/* bounce.c - see bounce.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/bounce.h"

#include "config/events.h"
#include "ipc/keys_ipc.h"
#include "ipc/store_ipc.h"
#include "mail/prvs.h"
#include "rt/clock.h"
#include "rt/logger.h"

#define DAY_US INT64_C(86400000000)
enum { MARK_BOUNCE = 2 /* keys_mark.purpose */ };

SUSPENDS static enum status mac_of(struct store *s, const struct prvs *p, struct arena *a,
                                   struct str *mac_out);
static const struct config_bounce *listed(const struct config *c, struct str address);
static bool is_of(struct str address, struct str who);
static void log_signed(const struct queue_message *m, const struct store_attempt *at);

enum status
store_bounce_inside(struct store *s, struct str address, struct arena *a, struct str *out)
{
    struct directory_entry e;
    struct prvs p;
    struct str mac;
    bool ours = false;

    if (!prvs_is(address))
        return ERR_NOT_FOUND;
    TRY(directory_is_local_domain(s->directory, store_domain_of(address), &ours));
    if (!ours)
        return ERR_NOT_FOUND;
    enum status st = directory_find(s->directory, address, a, &e);
    if (st == OK) /* somebody has that very name */
        return ERR_NOT_FOUND;
    if (st != ERR_NOT_FOUND && st != ERR_SYNTAX)
        return st;
    if (prvs_read(address, a, &p) != OK)
        return ERR_DENIED;
    TRY(mac_of(s, &p, a, &mac));
    if (!prvs_is_signed(&p, mac) || !prvs_is_fresh(&p, clock_now().us / DAY_US))
        return ERR_DENIED;
    *out = p.address;
    return OK;
}

bool
store_bounce_refused(const struct store *s, struct str address)
{
    const struct config_bounce *b = listed(s->config, address);

    return b != NULL && b->require;
}

/* Only what a user of ours submitted: a stranger's mail that goes on with a sender of ours proves nothing. */
enum status
store_bounce_sign(struct store *s, const struct queue_message *m, struct arena *a,
                  struct store_attempt *at)
{
    struct prvs p;
    struct str mac;

    if (m->account == 0 || !str_eq(m->sender, at->sender) || listed(s->config, m->sender) == NULL ||
        prvs_wrap(m->sender, clock_now().us / DAY_US, a, &p) != OK)
        return OK;
    TRY(mac_of(s, &p, a, &mac));
    at->sender = prvs_write(&p, mac, a);
    log_signed(m, at);
    return OK;
}

SUSPENDS static enum status
mac_of(struct store *s, const struct prvs *p, struct arena *a, struct str *mac_out)
{
    AUTO_BUF text = BUF(PRVS_SIGNED_MAX);

    prvs_signed(p, &text);
    TRY(buf_status(&text));
    const struct keys_mark req = {.purpose = MARK_BOUNCE, .data = buf_str(&text)};
    return store_mark(s, &req, a, mac_out);
}

/* The first line that names it counts. */
static const struct config_bounce *
listed(const struct config *c, struct str address)
{
    for (size_t i = 0; i < c->bounce_count; i++)
        if (is_of(address, c->bounces[i].who))
            return &c->bounces[i];
    return NULL;
}

/* An address with or without tag, or "@domain". */
static bool
is_of(struct str address, struct str who)
{
    struct str domain = store_domain_of(address);
    struct str local = str_sub(address, 0, address.len - domain.len);
    ssize_t at = str_rfind(who, '@');
    ssize_t plus = str_find(local, '+');

    if (domain.len == 0 || !str_eq_nocase(domain, str_skip(who, (size_t)(at + 1))))
        return false;
    local = str_sub(local, 0, plus > 0 ? (size_t)plus : local.len - 1);
    return at == 0 || str_eq_nocase(local, str_sub(who, 0, (size_t)at));
}

static void
log_signed(const struct queue_message *m, const struct store_attempt *at)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_QUEUE_REWRITE))
        return;
    log_hex64(&l, "qid", m->qid);
    log_str(&l, "from", m->sender);
    log_str(&l, "as", at->sender);
}
