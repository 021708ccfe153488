/* front.c - TLS contexts and listeners of the workers that face the network.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/front.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "ipc/keys_ipc.h"
#include "rt/logger.h"
#include "rt/tls.h"

enum {
    PROTOCOLS_MAX = 4,
    CERTS_MAX = 16,
    CERTS_BYTES = 2u << 20,
    KEYS_WAIT_MS = 10000,
    BLOCKS_WAIT_MS = 1000
};

struct protocol {
    const char *alpn;
    struct tls_server *tls;
};
static struct protocol protocols[PROTOCOLS_MAX];
static size_t protocol_count;

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
    p->alpn = alpn;
    protocol_count++;
    *out = p->tls;
    return OK;
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
    };
    static const enum event events_of[] = {
        [REFUSED_FULL] = EVENT_CONN_SHED,       [REFUSED_ADDRESS] = EVENT_CONN_SHED,
        [REFUSED_SLOW] = EVENT_CONN_SHED,       [REFUSED_HANDSHAKE] = EVENT_TLS_FAIL,
        [REFUSED_BLOCKED] = EVENT_CONN_BLOCKED,
    };
    AUTO(logger_send) struct log_line line;

    if (!event_begin(&line, events_of[what]))
        return;
    log_str(&line, "proto", str_of(service_name((enum service)l->kind)));
    log_str(&line, "peer", peer);
    if (what == REFUSED_BLOCKED)
        return;
    log_str(&line, "reason", what == REFUSED_HANDSHAKE ? why : reasons[what]);
}

static const struct front_service *
find_service(const struct front_service *table, enum service s)
{
    for (; table->ops != NULL; table++)
        if (table->service == s)
            return table;
    return NULL;
}

static enum status
start_listener(const struct role_start *s, const struct role_listener *from,
               const struct front_service *how)
{
    struct listener *l = MEM_NEW(struct listener);

    *l = (struct listener){
        .fd = from->fd,
        .ops = how->ops,
        .implicit_tls = service_is_tls(from->service),
        .conns_max = LIMIT_CONNS_PER_WORKER,
        .per_address_max =
            s->config->plaintext_loopback ? LIMIT_CONNS_PER_WORKER : LIMIT_CONNS_PER_ADDRESS,
        .per_network_max = s->config->plaintext_loopback || service_of_mx(from->service)
                               ? 0
                               : LIMIT_CONNS_PER_NETWORK,
        .admits = front_admits,
        .shed_line = how->shed_line,
        .kind = (int)from->service,
        .refused = on_refused,
    };
    if (s->config->tls_count > 0)
        TRY(protocol_tls(how->alpn, &l->tls));
    return listener_start(l); /* lives as long as the process */
}

enum status
front_begin(const struct role_start *s, const struct front_service *table, struct problem *why)
{
    front_blocks_wait(BLOCKS_WAIT_MS);
    for (size_t i = 0; i < s->listener_count; i++) {
        const struct front_service *how = find_service(table, s->listeners[i].service);
        if (how == NULL || start_listener(s, &s->listeners[i], how) != OK) {
            problem_set(why, 0, "", "cannot serve %s", service_name(s->listeners[i].service));
            return ERR_IO;
        }
    }
    if (protocol_count > 0 && role_peer_wait(ROLE_KEYS, KEYS_WAIT_MS) != NULL)
        front_certs_changed();
    return OK;
}
