/* front.c - TLS contexts and listeners of the workers that face the network.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/front/front.h"

#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "config/stats.h"
#include "ipc/hold.h"
#include "ipc/keys_ipc.h"
#include "role/auth/client_trust.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "rt/logger.h"
#include "rt/loop.h"
#include "rt/tls.h"

enum {
    PROTOCOLS_MAX = 4,
    CERTS_MAX = 16,
    CERTS_BYTES = 2u << 20,
    KEYS_WAIT_MS = 10000,
    BLOCKS_WAIT_MS = 1000
};
enum { LOOK_MS = 10, HURRY_MS = 1000 };

struct protocol {
    const char *alpn;
    struct tls_server *tls;
};
static struct protocol protocols[PROTOCOLS_MAX];
static size_t protocol_count;
static struct client_trust clients;

struct served {
    struct list of_all;
    struct listener listener;
    const struct front_service *how;
    uint32_t number;       /* of struct role_listener */
    struct subnet *prompt; /* owned, the listener's */
};
static struct list all = {&all, &all};
static struct list ended = {&ended,
                            &ended}; /* a configuration took them away; their connections go on */

static void count(const struct list *served, uint64_t *taken, uint32_t *open);

/* A signature of a handshake, on its fiber (rt/tls.h). */
static FIBER_ENTRY enum status
sign(void *arg, const struct tls_sign_request *req, struct buf *sig_out)
{
    AUTO_ARENA *a = arena_new(8192);
    struct keys_tls_sign ask = {
        .key_id = req->key_id,
        .scheme = (uint8_t)req->scheme,
        .digest_nid = (uint32_t)req->digest_nid,
        .digest = req->digest,
    };
    struct keys_tls_sign_reply answer;

    (void)arg;
    TRY(keys_tls_sign_call(role_peer(ROLE_KEYS), &ask, a, &answer));
    buf_add(sig_out, answer.signature);
    return buf_status(sig_out);
}

static enum status
protocol_tls(const char *alpn, struct tls_server **out)
{
    for (size_t i = 0; i < protocol_count; i++) {
        if (str_eq(str_of(protocols[i].alpn), str_of(alpn))) {
            *out = protocols[i].tls;
            return OK;
        }
    }
    ASSERT(protocol_count < PROTOCOLS_MAX);
    struct protocol *p = &protocols[protocol_count];
    TRY(tls_server_new(str_of(alpn), sign, NULL, &p->tls));
    tls_server_ask_clients(p->tls, clients.trust);
    p->alpn = alpn;
    protocol_count++;
    *out = p->tls;
    return OK;
}

void
front_trust_clients(const struct role_start *s)
{
    struct tls_trust *old;

    client_trust_renew(&clients, s, &old);
    for (size_t i = 0; i < protocol_count; i++)
        tls_server_ask_clients(protocols[i].tls, clients.trust);
    tls_trust_free(&old);
}

static void
log_failure(const char *what, const char *reason)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_TLS_FAIL))
        return;
    log_str(&l, "proto", str_of(what));
    log_str(&l, "peer", STR_NONE);
    log_str(&l, "reason", str_of(reason));
}

void
front_certs_changed(void)
{
    AUTO_ARENA *a = arena_new(CERTS_BYTES);
    struct keys_certs ask = {0};
    struct keys_certs_reply answer;
    struct tls_cert certs[CERTS_MAX];

    if (keys_certs_call(role_peer(ROLE_KEYS), &ask, a, &answer) != OK) {
        log_failure("certificates", "role keys did not answer");
        return;
    }
    size_t n = MIN(answer.certs_count, (size_t)CERTS_MAX);
    for (size_t i = 0; i < n; i++)
        certs[i] = (struct tls_cert){.key_id = answer.certs[i].key_id,
                                     .chain_pem = answer.certs[i].chain,
                                     .names = answer.certs[i].names,
                                     .name_count = answer.certs[i].names_count};
    for (size_t i = 0; n > 0 && i < protocol_count; i++) {
        struct problem why = {0};
        if (tls_server_set(protocols[i].tls, certs, n, &why) != OK)
            log_failure(protocols[i].alpn, why.text);
    }
}

/* A peer that never got a session is seen by nobody else. */
static void
on_refused(const struct listener *l, struct str peer, enum refusal what, struct str why)
{
    static const struct str reasons[] = {
        [REFUSED_FULL] = STR("full"),
        [REFUSED_ADDRESS] = STR("too many of one address"),
        [REFUSED_SLOW] = STR("slow, and connections run short"),
        [REFUSED_HANDSHAKE] = STR("handshake"),
        [REFUSED_STRANGER] = STR("not of a listed network"),
        [REFUSED_EARLY] = STR("spoke before the greeting"),
        [REFUSED_PROXY] = STR("a proxy"),
        [REFUSED_BLOCKED] = STR(""),
    };
    stat_add(what == REFUSED_HANDSHAKE ? STAT_TLS_FAILED : STAT_CONNS_SHED);
    AUTO(logger_send) struct log_line line;
    if (!event_begin(&line, what == REFUSED_HANDSHAKE ? EVENT_TLS_FAIL
                            : what == REFUSED_BLOCKED ? EVENT_CONN_BLOCKED
                                                      : EVENT_CONN_SHED))
        return;
    log_str(&line, "proto", str_of(service_name((enum service)l->kind)));
    log_str(&line, "peer", peer);
    if (what != REFUSED_BLOCKED)
        log_str(&line, "reason", why.len > 0 ? why : reasons[what]);
}

static const struct front_service *
find_service(const struct front_service *table, enum service s)
{
    for (; table->ops != NULL; table++)
        if (table->service == s)
            return table;
    return NULL;
}

/* Whom the pause before the greeting of port 25 is not for: this machine, and the machines of the house. */
static struct subnet *
prompt_networks(const struct config *c, size_t *count_out)
{
    struct subnet *list = MEM_ARRAY(struct subnet, c->relay_from_count + c->xclient_from_count + 2);
    size_t n = 0;

    for (size_t i = 0; i < c->relay_from_count; i++)
        list[n++] = c->relay_from[i];
    for (size_t i = 0; i < c->xclient_from_count; i++)
        list[n++] = c->xclient_from[i];
    n += subnet_read(STR("127.0.0.0/8"), &list[n]);
    n += subnet_read(STR("::1"), &list[n]);
    *count_out = n;
    return list;
}

/* What of the configuration a listener goes by. */
static enum status
configure(struct served *v, const struct config *c, const struct role_listener *from)
{
    struct listener *l = &v->listener;
    const struct config_listen *line = &c->listen[from->line];

    l->per_address_max = c->plaintext_loopback ? LIMIT_CONNS_PER_WORKER : LIMIT_CONNS_PER_ADDRESS;
    l->per_network_max =
        c->plaintext_loopback || service_of_mx(from->service) ? 0 : LIMIT_CONNS_PER_NETWORK;
    l->proxies = c->proxy_from;
    l->proxy_count = c->proxy_from_count;
    l->from = line->from;
    l->from_count = line->from_count;
    if (from->service == SERVICE_SMTP || from->service == SERVICE_SUBMISSION) {
        l->speakers = c->xclient_from;
        l->speaker_count = c->xclient_from_count;
    }
    if (from->service == SERVICE_SMTP) {
        mem_free(v->prompt);
        v->prompt = prompt_networks(c, &l->prompt_count);
        l->prompt = v->prompt;
    }
    if (c->tls_count == 0 || service_is_unix(from->service) || service_of_api(from->service))
        return OK;
    return protocol_tls(v->how->alpn, &l->tls);
}

static enum status
make_listener(const struct role_start *s, const struct role_listener *from,
              const struct front_service *table, struct served **out)
{
    const struct front_service *how = find_service(table, from->service);

    if (how == NULL)
        return ERR_NOT_FOUND;
    struct served *v = MEM_NEW(struct served);
    v->how = how;
    v->number = from->number;
    v->listener = (struct listener){
        .fd = from->fd,
        .ops = how->ops,
        .implicit_tls = service_is_tls(from->service),
        .conns_max = LIMIT_CONNS_PER_WORKER,
        .admits = front_admits,
        .shed_line = how->shed_line,
        .farewell = how->farewell,
        .kind = (int)from->service,
        .refused = on_refused,
    };
    if (from->service == SERVICE_SMTP) {
        v->listener.pause_ms = LIMIT_SMTP_PAUSE_MS;
        v->listener.early_line = STR("554 5.5.1 You spoke before you were greeted\r\n");
    }
    list_push(&all, &v->of_all);
    *out = v;
    return configure(v, s->config, from);
}

static enum status
failed(enum service what, struct problem *why)
{
    problem_set(why, 0, "", "cannot serve %s", service_name(what));
    return ERR_IO;
}

uint32_t
front_count(void)
{
    uint64_t taken[SERVICE_COUNT] = {0};
    uint32_t open = 0;

    count(&all, taken, &open);
    count(&ended, taken, &open);
    static_assert(STAT_CONNS_METRICS - STAT_CONNS_SMTP + 1 == SERVICE_COUNT, "in their order");
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        stat_values[STAT_CONNS_SMTP + i] = taken[i];
    return open;
}

static void
count(const struct list *served, uint64_t *taken, uint32_t *open)
{
    list_each (l, served) {
        const struct listener *at = &LIST_ENTRY(l, struct served, of_all)->listener;
        struct listener_counts n = listener_counts(at);
        taken[at->kind] += n.accepted;
        *open += n.open;
    }
}

enum status
front_begin(const struct role_start *s, const struct front_service *table, struct problem *why)
{
    front_blocks_wait(BLOCKS_WAIT_MS);
    for (size_t i = 0; i < s->listener_count; i++) {
        struct served *v;
        if (make_listener(s, &s->listeners[i], table, &v) != OK)
            return failed(s->listeners[i].service, why);
    }
    /* Who connects meanwhile waits, rather than to be told that there is no certificate. */
    if (protocol_count > 0 && role_peer_wait(ROLE_KEYS, KEYS_WAIT_MS) != NULL)
        front_certs_changed();
    list_each (l, &all) {
        struct listener *ready = &LIST_ENTRY(l, struct served, of_all)->listener;
        if (listener_start(ready) != OK)
            return failed((enum service)ready->kind, why);
    }
    return OK;
}

/* ---- a new configuration ---- */

static const struct role_listener *
find_named(const struct role_start *s, uint32_t number)
{
    for (size_t i = 0; i < s->listener_count; i++)
        if (s->listeners[i].number == number)
            return &s->listeners[i];
    return NULL;
}

static bool
is_served(uint32_t number)
{
    list_each (l, &all) {
        if (LIST_ENTRY(l, struct served, of_all)->number == number)
            return true;
    }
    return false;
}

void
front_config_changed(const struct role_start *s, const struct front_service *table)
{
    list_each_safe(l, after, &all)
    {
        struct served *v = LIST_ENTRY(l, struct served, of_all);
        const struct role_listener *named = find_named(s, v->number);
        if (named != NULL) {
            if (configure(v, s->config, named) != OK)
                log_failure(v->how->alpn, "no context for TLS");
            continue;
        }
        listener_stop(&v->listener);
        fd_close(&v->listener.fd);
        list_remove(&v->of_all); /* it stays in memory for the connections it has */
        list_push(&ended, &v->of_all);
    }
    for (size_t i = 0; i < s->listener_count; i++) {
        struct served *v;
        if (!is_served(s->listeners[i].number) &&
            (make_listener(s, &s->listeners[i], table, &v) != OK ||
             listener_start(&v->listener) != OK))
            role_fail("cannot serve what the new configuration names");
    }
}

/* ---- the end ---- */

static struct {
    struct timer look;
    int64_t hurry_ms, end_ms;
} leaving;

static void
drain(enum drain how)
{
    list_each (l, &all)
        listener_drain(&LIST_ENTRY(l, struct served, of_all)->listener, how);
    list_each (l, &ended)
        listener_drain(&LIST_ENTRY(l, struct served, of_all)->listener, how);
}

static void
on_look(struct timer *t)
{
    int64_t now = clock_mono_ms();

    if (now >= leaving.end_ms)
        drain(DRAIN_ALL);
    if (front_count() == 0 || now >= leaving.end_ms)
        role_stopped();
    if (now >= leaving.hurry_ms) {
        leaving.hurry_ms = leaving.end_ms;
        drain(DRAIN_BODIES);
    }
    timer_set(t, LOOK_MS);
}

void
front_stop(void)
{
    leaving.hurry_ms = clock_mono_ms() + LIMIT_DRAIN_S * INT64_C(1000);
    leaving.end_ms = leaving.hurry_ms + HURRY_MS;
    leaving.look.fire = on_look;
    hold_end();
    drain(DRAIN_RESTING);
    timer_set(&leaving.look, 0);
}
