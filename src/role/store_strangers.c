/* store_strangers.c - see store_strangers.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store_strangers.h"

#include "base/hash.h"
#include "base/mem.h"
#include "config/events.h"
#include "ipc/store_ipc.h"
#include "role/greylist.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "store/account.h"
#include "store/correspondents.h"
#include "store/known.h"

enum { NETWORK4 = 24, NETWORK6 = 64, NAME_MAX_BYTES = 2048 };
struct strangers {
    struct rates *networks, *domains, *recipients;
    struct greylist *greylist;
    struct known *known;
};

static bool is_over(struct rates *r, struct str name, uint32_t most, const char *kind);
static bool comes_too_often(struct store *s, const struct store_rcpt *req,
                            const struct subnet *client, const struct directory_resolution *to);
SUSPENDS static enum status is_known(struct store *s, const struct store_rcpt *req,
                                     const struct subnet *client,
                                     const struct directory_resolution *to, bool *out);
static uint64_t contact_hash(const struct store_rcpt *req, const struct subnet *client);

struct strangers *
strangers_new(struct cells *c)
{
    struct strangers *t = MEM_NEW(struct strangers);

    t->networks = rates_new();
    t->domains = rates_new();
    t->recipients = rates_new();
    t->greylist = greylist_new(LIMIT_GREYLIST_CONTACTS);
    t->known = known_new(c);
    return t;
}

void
strangers_free(struct strangers **t)
{
    if (*t == NULL)
        return;
    rates_free(&(*t)->networks);
    rates_free(&(*t)->domains);
    rates_free(&(*t)->recipients);
    greylist_free(&(*t)->greylist);
    known_free(&(*t)->known);
    mem_free(*t);
    *t = NULL;
}

enum status
strangers_judge(struct store *s, const struct store_rcpt *req,
                const struct directory_resolution *to, uint8_t *class_out)
{
    struct subnet client;
    bool known = true;

    *class_out = DIRECTORY_LOCAL;
    if (!subnet_read_around(req->client, &client))
        return OK; /* no stranger */
    if (comes_too_often(s, req, &client, to)) {
        *class_out = STORE_CLASS_TOO_OFTEN;
        return OK;
    }
    if (s->config->greylist_s == 0 || !req->doubtful || req->sender.len == 0)
        return OK;
    TRY(is_known(s, req, &client, to, &known));
    greylist_set_wait(s->strangers->greylist, s->config->greylist_s);
    if (!known &&
        greylist_waits(s->strangers->greylist, contact_hash(req, &client), clock_now().us / 1000))
        *class_out = STORE_CLASS_GREYLISTED;
    return OK;
}

void
strangers_taken(struct store *s, const struct store_deliver *req)
{
    struct subnet client;

    if (!req->checks.on || req->sender.len == 0 || !subnet_read_around(req->checks.client, &client))
        return;
    uint64_t hash = known_hash(&client, store_domain_of(req->sender));
    enum status st =
        store_checked(s, known_add(s->strangers->known, hash, clock_now()), "known senders");
    (void)st; /* it is asked to come again once more, at worst */
}

/* ---- how often ---- */

static bool
comes_too_often(struct store *s, const struct store_rcpt *req, const struct subnet *client,
                const struct directory_resolution *to)
{
    struct strangers *t = s->strangers;
    const struct config *c = s->config;
    struct subnet net = subnet_wider(client, client->size == 4 ? NETWORK4 : NETWORK6);
    struct str domain = store_domain_of(req->sender);
    AUTO_BUF text = BUF(SUBNET_TEXT_MAX);
    AUTO_BUF name = BUF(NAME_MAX_BYTES);

    subnet_write(&net, &text);
    if (is_over(t->networks, buf_str(&text), c->inbound_network, "network"))
        return true;
    for (size_t i = 0; i < domain.len; i++)
        buf_add_char(&name, ascii_lower(domain.ptr[i]));
    if (domain.len > 0 && is_over(t->domains, buf_str(&name), c->inbound_domain, "domain"))
        return true;
    return is_over(t->recipients, to->targets[0].address, c->inbound_recipient, "recipient");
}

/* The first time in an hour is told. */
static bool
is_over(struct rates *r, struct str name, uint32_t most, const char *kind)
{
    int64_t now_ms = clock_now().us / 1000;
    uint32_t n = rates_count(r, name, now_ms);

    if (most == 0 || n > most)
        return most != 0;
    rates_add(r, name, now_ms);
    if (n < most)
        return false;
    AUTO(logger_send) struct log_line l;
    if (event_begin(&l, EVENT_INBOUND_LIMIT)) {
        log_str(&l, "kind", str_of(kind));
        log_str(&l, "name", name);
    }
    return true;
}

/* ---- first contacts ---- */

/* Its mail was taken before, or it answers whom the recipient wrote to. */
SUSPENDS static enum status
is_known(struct store *s, const struct store_rcpt *req, const struct subnet *client,
         const struct directory_resolution *to, bool *out)
{
    bool known = false;

    TRY(known_has(s->strangers->known, known_hash(client, store_domain_of(req->sender)), &known));
    if (!known && to->count == 1 && to->targets[0].account != 0) {
        AUTO(cell_close) struct cell *account = account_open(s->cells, to->targets[0].account);
        TRY(correspondents_has(account, correspondent_hash(req->sender), &known));
    }
    *out = known;
    return OK;
}

/* Network, sender and recipient, as they came. */
static uint64_t
contact_hash(const struct store_rcpt *req, const struct subnet *client)
{
    AUTO_BUF name = BUF(NAME_MAX_BYTES);

    buf_add_be64(&name, known_hash(client, req->sender));
    buf_add(&name, req->address);
    return hash_seeded(buf_str(&name));
}
