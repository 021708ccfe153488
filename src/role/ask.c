/* ask.c - asks the issuer of tokens about them (RFC 7662), for role auth.
 *
 * May touch:  the network as a client, the resolver's files, the secret and the authority of `oauth-introspection` that
 *             boss opened, a channel to auth.  No listeners, no mail, no keys.
 * One question is one connection, ended within LIMIT_INTROSPECTION_S.  It is a process of its own, so that neither who
 * judges log-ins reads from the network nor who talks to any mail server says who may log in
 * (docs/decisions/who-asks-the-issuer.md).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/http_reply.h"
#include "auth/introspection.h"
#include "auth/jwt_read.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "dns/resolver.h"
#include "ipc/ask_serve.h"
#include "role/resolving.h"
#include "role/role.h"
#include "rt/clock.h"
#include "rt/conn.h"
#include "rt/logger.h"
#include "rt/random.h"
#include "rt/tls.h"

enum {
    ADDRESSES_MAX = 4,
    CONNECT_MS = 3000,
    LOOK_MS = 50,
    REQUEST_BYTES = 32768,
    REPLY_BYTES = LIMIT_ASK_HEAD_BYTES * 2 + LIMIT_ASK_BODY_BYTES * 2,
    ARENA_BYTES = 1 << 20,
    AUTHORITY_BYTES = 65536,
};

/* What questions go by: of today's configuration; older ones live until their questions are answered. */
struct terms {
    const struct config_introspection *where;
    struct resolver *resolver;
    struct tls_client *tls;
    struct secret secret;
    uint32_t users;
};
static struct terms *terms;
static uint32_t under_way;
static uint32_t
    newest; /* number of the configuration that came last: earlier ones may take longer */

/* One question, and the fiber that asks it: who waits for it may stop it. */
struct question {
    const struct terms *terms;
    struct str token;
    struct arena *arena;
    int64_t until_ms;
    struct fiber *fiber;
    struct fiber_queue waiting;
    bool done;
    enum status result;
    const char *why; /* for the log, of what went wrong */
    struct introspection answer;
};

static SUSPENDS enum status ask(struct question *q);

/* ---- configuration ---- */

static void
let_go(struct terms *t)
{
    if (--t->users > 0)
        return;
    resolver_free(&t->resolver);
    tls_client_free(&t->tls);
    secret_wipe(&t->secret);
    mem_free(t);
}

static enum status
read_secret(const struct role_start *s, struct secret *out, struct problem *why)
{
    AUTO_BUF text = BUF(SECRET_MAX);
    struct str file = s->config->introspection.secret_file;
    enum status e = role_file_read(s, file, &text);

    if (e == OK && !secret_set(out, str_trim(buf_str(&text))))
        e = ERR_LIMIT;
    if (text.cap > 0)
        mem_wipe(text.ptr, text.cap);
    if (e != OK)
        problem_set(why, 0, "", "the secret of oauth-introspection, %.*s, cannot be read",
                    STR_FMT(file));
    return e;
}

static enum status
trust(const struct role_start *s, struct tls_client *tls, struct problem *why)
{
    AUTO_BUF pem = BUF(AUTHORITY_BYTES);
    struct str file = s->config->introspection.authority_file;

    if (file.len == 0)
        return OK;
    enum status e = role_file_read(s, file, &pem);
    if (e == OK)
        e = tls_client_trust(tls, buf_str(&pem));
    if (e != OK)
        problem_set(why, 0, "", "the authority of oauth-introspection, %.*s, cannot be read",
                    STR_FMT(file));
    return e;
}

static SUSPENDS enum status
fill(const struct role_start *s, struct terms *t, struct problem *why)
{
    if (s->config->introspection.url.len == 0)
        return OK; /* nobody asks */
    TRY(read_secret(s, &t->secret, why));
    TRY(tls_client_new(TLS_VERIFY_NAME, &t->tls));
    TRY(trust(s, t->tls, why));
    return role_resolver_new(s->config, &t->resolver, why);
}

static SUSPENDS enum status
make_terms(const struct role_start *s, struct problem *why)
{
    struct terms *fresh = MEM_NEW(struct terms);

    uint32_t mine = ++newest;
    *fresh = (struct terms){.where = &s->config->introspection, .users = 1};
    enum status e = fill(s, fresh, why);
    if (mine != newest || e != OK) {
        let_go(fresh);
        return mine != newest ? OK : e;
    }
    struct terms *old = terms;
    terms = fresh;
    if (old != NULL)
        let_go(old);
    return OK;
}

static void
tell_failure(const char *why)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_OAUTH_UNREACHED))
        return;
    log_str(&l, "url", role_self()->config->introspection.url);
    log_str(&l, "reason", str_of(why));
}

/* Else Jansson opens /dev/urandom when it first needs to hash a name. */
static enum status
prepare(const struct role_start *s, struct problem *why)
{
    (void)s, (void)why;
    json_object_seed((size_t)random_u64() | 1u); /* 0 would mean: do so now */
    return OK;
}

static FIBER_ENTRY enum status
begin(const struct role_start *s, struct problem *why)
{
    return make_terms(s, why);
}

static FIBER_ENTRY void
renew(void *arg)
{
    const struct role_start *s = arg;
    struct problem why = {0};

    if (make_terms(s, &why) == OK)
        return;
    tell_failure(why.text);
    struct terms *old = terms;
    terms = NULL; /* whom to ask is not what it was: nobody is asked */
    if (old != NULL)
        let_go(old);
}

static void
files_changed(const struct role_start *s)
{
    if (fiber_go(renew, (void *)(uintptr_t)s) != OK)
        role_fail("too many fibers for a new configuration");
}

/* ---- one question ---- */

static FIBER_ENTRY void
work(void *arg)
{
    struct question *q = arg;

    q->fiber = fiber_self();
    q->result = ask(q);
    q->done = true;
    fiber_queue_wake_all(&q->waiting);
}

/* It ends at its time, wherever it is. */
static SUSPENDS enum status
ask_in_time(struct question *q)
{
    fiber_queue_init(&q->waiting);
    if (fiber_go(work, q) != OK) {
        q->why = "too many at once";
        return ERR_TEMP;
    }
    while (!q->done) {
        enum status e = fiber_queue_wait(&q->waiting, MAX(q->until_ms - clock_mono_ms(), 1));
        if (e == OK || q->done)
            continue;
        if (q->fiber != NULL)
            fiber_cancel(q->fiber);
        while (!q->done) /* what waits on a thread ends with that */
            if (fiber_queue_wait(&q->waiting, LOOK_MS) == ERR_CANCELLED)
                fiber_yield();
        q->why = "it took too long";
        return ERR_TEMP;
    }
    return q->result;
}

enum status
ask_serve_token(struct ipc_peer *from, const struct ask_token *req, struct arena *a,
                struct ask_token_reply *rep)
{
    struct terms *mine = terms;
    AUTO_ARENA *room = arena_new(ARENA_BYTES);
    struct question q = {.terms = mine,
                         .token = req->token,
                         .arena = room,
                         .until_ms = clock_mono_ms() + LIMIT_INTROSPECTION_S * INT64_C(1000),
                         .why = "no answer"};

    (void)from;
    if (mine == NULL || mine->where->url.len == 0)
        return ERR_TEMP;
    if (under_way >= LIMIT_INTROSPECTIONS) {
        tell_failure("too many at once");
        return ERR_TEMP;
    }
    under_way++;
    mine->users++;
    enum status e = ask_in_time(&q);
    let_go(mine);
    under_way--;
    if (e != OK) {
        tell_failure(q.why);
        return ERR_TEMP;
    }
    struct str *audiences = ARENA_ARRAY(a, struct str, INTROSPECTION_AUDIENCES_MAX);
    for (size_t i = 0; i < q.answer.audience_count; i++)
        audiences[i] = arena_str(a, str_sub(q.answer.audiences[i], 0, 1024));
    *rep = (struct ask_token_reply){
        .active = q.answer.active,
        .issuer = arena_str(a, str_sub(q.answer.issuer, 0, 1024)),
        .address = arena_str(a, str_sub(q.answer.address, 0, 512)),
        .has_audience = q.answer.has_audience,
        .audiences = audiences,
        .audiences_count = q.answer.audience_count,
        .expires = q.answer.expires_s,
        .not_before = q.answer.not_before_s,
    };
    return OK;
}

/* ---- the conversation ---- */

/* The name that every machine has for itself is not asked of the DNS. */
static SUSPENDS enum status
find_addresses(struct question *q, struct dns_addresses *out)
{
    const struct config_introspection *w = q->terms->where;
    struct str host = w->host;

    if (!str_eq_nocase(host, STR("localhost")))
        return resolver_addresses(q->terms->resolver, host, DNS_IPV4 | DNS_IPV6, q->arena, out);
    struct sockaddr_storage *both = ARENA_ARRAY(q->arena, struct sockaddr_storage, 2);
    const struct sockaddr_in four = {.sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    mem_copy(&both[0], &four, sizeof(four));
    mem_copy(&both[1], &six, sizeof(six));
    *out = (struct dns_addresses){.at = both, .count = 2};
    return OK;
}

static SUSPENDS enum status
connect_any(struct question *q, struct conn **out)
{
    struct dns_addresses found = {0};
    enum status e = find_addresses(q, &found);

    if (e != OK || found.count == 0) {
        q->why = "its name is not found";
        return e != OK ? e : ERR_NOT_FOUND;
    }
    q->why = "no connection";
    for (size_t i = 0; i < MIN(found.count, (size_t)ADDRESSES_MAX); i++) {
        struct conn_target to = {.addr = found.at[i], .timeout_ms = CONNECT_MS};
        bool six = to.addr.ss_family == AF_INET6;
        uint16_t port = htons(q->terms->where->port);
        to.addr_len = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        if (six)
            ((struct sockaddr_in6 *)(void *)&to.addr)->sin6_port = port;
        else
            ((struct sockaddr_in *)(void *)&to.addr)->sin_port = port;
        e = conn_connect(&to, out);
        if (e == OK || e == ERR_CANCELLED)
            return e;
    }
    return e;
}

static SUSPENDS enum status
read_reply(struct question *q, struct conn *c, struct http_reply *out)
{
    AUTO_BUF got = BUF(REPLY_BYTES);

    for (;;) {
        struct str some;
        TRY(conn_read_some(c, FIBER_FOREVER, &some)); /* ask_in_time() ends it */
        bool ended = some.len == 0;
        buf_add(&got, some);
        conn_consume(c, some.len);
        TRY(buf_status(&got));
        enum status e = http_reply_read(buf_str(&got), ended, LIMIT_ASK_BODY_BYTES, q->arena, out);
        if (e == ERR_TEMP)
            continue;
        if (e == OK)
            out->body = arena_str(q->arena, out->body); /* may lie in got */
        return e;
    }
}

static SUSPENDS enum status
converse(struct question *q, struct conn *c, struct http_reply *out)
{
    const struct config_introspection *w = q->terms->where;
    const struct introspection_request r = {.host = w->authority,
                                            .path = w->path,
                                            .client = w->client,
                                            .secret = secret_str(&q->terms->secret),
                                            .token = q->token};
    AUTO_BUF request = BUF(REQUEST_BYTES);

    if (w->tls) {
        enum status e = conn_connect_tls(c, q->terms->tls, w->host);
        if (e != OK) {
            q->why = e == ERR_DENIED ? "its certificate is not to be trusted" : "no TLS";
            return e;
        }
    }
    q->why = "no answer";
    introspection_request_write(&r, &request);
    enum status e = buf_status(&request);
    if (e == OK)
        e = conn_write(c, buf_str(&request));
    mem_wipe(request.ptr, request.cap);
    TRY(e);
    TRY(conn_flush(c));
    e = read_reply(q, c, out);
    if (e == ERR_SYNTAX || e == ERR_LIMIT)
        q->why = "its answer is none of HTTP, or too long";
    return e;
}

static enum status
ask(struct question *q)
{
    struct conn *c = NULL;
    struct http_reply reply;

    TRY(connect_any(q, &c));
    enum status e = converse(q, c, &reply);
    conn_free(&c);
    TRY(e);
    if (reply.status != 200) {
        q->why = reply.status == 401 || reply.status == 403 ? "it does not take our name and secret"
                                                            : "its answer is not 200";
        return ERR_TEMP;
    }
    e = introspection_read(reply.body, role_self()->config->oauth.usernames, q->arena, &q->answer);
    if (e != OK)
        q->why = "its answer is none about a token";
    return e;
}

static const struct ipc_service *const serves[] = {&ask_service};

const struct role_verbs role_ask = {
    .serves = serves,
    .serve_count = COUNT_OF(serves),
    .prepare = prepare,
    .begin = begin,
    .files_changed = files_changed,
};
