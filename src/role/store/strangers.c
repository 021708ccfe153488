/* strangers.c - see strangers.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/strangers.h"

#include "base/hash.h"
#include "base/mem.h"
#include "config/events.h"
#include "ipc/store_ipc.h"
#include "policy/spf_record.h"
#include "role/store/greylist.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "store/account.h"
#include "store/correspondents.h"
#include "store/known.h"

enum { NETWORK4 = 24, NETWORK6 = 64, NAMES_ARENA = 16384 };
/* What is counted.  The first two hurt nobody but the network itself, and hold for everybody. */
enum kind { OF_NETWORK, OF_PAIR, OF_DOMAIN, OF_RECIPIENT, KINDS };
struct strangers {
    struct rates *rates[KINDS], *told;
    struct greylist *greylist;
    struct known *known;
};
/* Who comes to whom. */
struct contact {
    struct subnet client;
    struct str sender, rcpt;
    bool proven; /* the domain of the sender says by SPF that it is its mail */
};
struct bound {
    struct str name; /* empty: this kind does not count */
    uint32_t most;   /* 0: no limit */
};

static void limits_of(const struct config *c, const struct contact *who, struct arena *a,
                      struct bound *out);
static bool is_over(struct strangers *t, const struct bound *limits, enum kind first,
                    enum kind last);
static void count(struct strangers *t, const struct bound *limits, enum kind first, enum kind last);
SUSPENDS static enum status is_known(struct store *s, const struct store_rcpt *req,
                                     const struct subnet *client,
                                     const struct directory_resolution *to, bool *out);
static uint64_t contact_hash(const struct store_rcpt *req, const struct subnet *client);

struct strangers *
strangers_new(struct cells *c)
{
    struct strangers *t = MEM_NEW(struct strangers);

    for (size_t i = 0; i < KINDS; i++)
        t->rates[i] = rates_new();
    t->told = rates_new();
    t->greylist = greylist_new(LIMIT_GREYLIST_CONTACTS);
    t->known = known_new(c);
    return t;
}

void
strangers_free(struct strangers **t)
{
    if (*t == NULL)
        return;
    for (size_t i = 0; i < KINDS; i++)
        rates_free(&(*t)->rates[i]);
    rates_free(&(*t)->told);
    greylist_free(&(*t)->greylist);
    known_free(&(*t)->known);
    mem_free(*t);
    *t = NULL;
}

/* Nothing is added before all limits were looked at: who comes too often by one uses up no other.  Who is known here is
 * not held to what all strangers together may send, so that they cannot keep him out. */
enum status
strangers_judge(struct store *s, const struct store_rcpt *req,
                const struct directory_resolution *to, uint8_t *class_out)
{
    AUTO_ARENA *a = arena_new(NAMES_ARENA);
    struct strangers *t = s->strangers;
    struct contact who = {.sender = req->sender, .proven = req->proven};
    struct bound limits[KINDS];
    bool known = false;

    *class_out = DIRECTORY_LOCAL;
    if (!subnet_read_around(req->client, &who.client))
        return OK; /* no stranger */
    who.rcpt = to->targets[0].address;
    limits_of(s->config, &who, a, limits);
    bool doubtful = s->config->greylist_s != 0 && req->doubtful && req->sender.len > 0;
    bool crowded = is_over(t, limits, OF_DOMAIN, OF_RECIPIENT);
    if (doubtful || (crowded && !req->allowed))
        TRY(is_known(s, req, &who.client, to, &known));
    if (is_over(t, limits, OF_NETWORK, OF_PAIR) || (crowded && !known && !req->allowed)) {
        *class_out = STORE_CLASS_TOO_OFTEN;
        return OK;
    }
    count(t, limits, OF_NETWORK, OF_NETWORK);
    greylist_set_wait(t->greylist, s->config->greylist_s);
    if (doubtful && !known &&
        greylist_waits(t->greylist, contact_hash(req, &who.client), clock_now().us / 1000))
        *class_out = STORE_CLASS_GREYLISTED;
    return OK;
}

/* Whoever names a recipient and sends nothing takes nobody else's place. */
void
strangers_count(struct store *s, const struct store_deliver *req, const struct store_rcpts *all)
{
    const struct store_checks *c = &req->checks;
    AUTO_ARENA *a = arena_new(NAMES_ARENA);
    struct contact who = {.sender = req->sender, .proven = c->spf == SPF_PASS && !c->spf_helo};
    struct bound limits[KINDS];

    if (!req->stranger || !subnet_read_around(req->peer, &who.client))
        return;
    for (size_t i = 0; i < all->count; i++) {
        if (all->list[i].state != QUEUE_WAITING)
            continue;
        who.rcpt = all->list[i].address;
        limits_of(s->config, &who, a, limits);
        count(s->strangers, limits, OF_PAIR, OF_RECIPIENT);
        arena_reset(a);
    }
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

/* A domain that did not prove itself counts with the network alone: anybody can write its name. */
static struct str
domain_name(const struct contact *who, struct str network, struct arena *a)
{
    AUTO_BUF name = BUF(NAMES_ARENA / 4);
    struct str domain = store_domain_of(who->sender);

    if (domain.len == 0)
        return STR("");
    if (!who->proven)
        buf_addf(&name, "%.*s ", STR_FMT(network));
    for (size_t i = 0; i < domain.len; i++)
        buf_add_char(&name, ascii_lower(domain.ptr[i]));
    return arena_str(a, buf_str(&name));
}

static void
limits_of(const struct config *c, const struct contact *who, struct arena *a, struct bound *out)
{
    struct subnet net = subnet_wider(&who->client, who->client.size == 4 ? NETWORK4 : NETWORK6);
    AUTO_BUF text = BUF(SUBNET_TEXT_MAX);

    subnet_write(&net, &text);
    struct str network = arena_str(a, buf_str(&text));
    struct str pair = arena_printf(a, "%.*s %.*s", STR_FMT(network), STR_FMT(who->rcpt));
    uint32_t share = LIMIT_INBOUND_NETWORK_SHARE;
    out[OF_NETWORK] = (struct bound){network, c->inbound_network};
    out[OF_PAIR] = (struct bound){pair, (c->inbound_recipient + share - 1) / share};
    out[OF_DOMAIN] = (struct bound){domain_name(who, network, a), c->inbound_domain};
    out[OF_RECIPIENT] = (struct bound){who->rcpt, c->inbound_recipient};
}

/* The first time in an hour is told. */
static void
tell(struct strangers *t, enum kind kind, struct str name, int64_t now_ms)
{
    static const char *const kinds[KINDS] = {"network", "pair", "domain", "recipient"};
    AUTO_BUF told = BUF(NAMES_ARENA / 4);

    buf_addf(&told, "%s %.*s", kinds[kind], STR_FMT(name));
    if (rates_count(t->told, buf_str(&told), now_ms) > 0)
        return;
    rates_add(t->told, buf_str(&told), now_ms);
    AUTO(logger_send) struct log_line l;
    if (event_begin(&l, EVENT_INBOUND_LIMIT)) {
        log_str(&l, "kind", str_of(kinds[kind]));
        log_str(&l, "name", name);
    }
}

static bool
is_over(struct strangers *t, const struct bound *limits, enum kind first, enum kind last)
{
    int64_t now_ms = clock_now().us / 1000;

    for (enum kind k = first; k <= last; k++) {
        const struct bound *l = &limits[k];
        if (l->most == 0 || l->name.len == 0 || rates_count(t->rates[k], l->name, now_ms) < l->most)
            continue;
        tell(t, k, l->name, now_ms);
        return true;
    }
    return false;
}

static void
count(struct strangers *t, const struct bound *limits, enum kind first, enum kind last)
{
    for (enum kind k = first; k <= last; k++)
        if (limits[k].most != 0 && limits[k].name.len > 0)
            rates_add(t->rates[k], limits[k].name, clock_now().us / 1000);
}

/* ---- first contacts ---- */

/* Its mail was taken before, or it answers whom the recipient wrote to. */
SUSPENDS static enum status
is_known(struct store *s, const struct store_rcpt *req, const struct subnet *client,
         const struct directory_resolution *to, bool *out)
{
    bool known = false;

    *out = false;
    if (req->sender.len == 0)
        return OK;
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
    AUTO_BUF name = BUF(NAMES_ARENA / 4);

    buf_add_be64(&name, known_hash(client, req->sender));
    buf_add(&name, req->address);
    return hash_seeded(buf_str(&name));
}
