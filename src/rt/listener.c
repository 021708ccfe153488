/* listener.c - accepting in batches, counting addresses, shedding the slowest.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/aged.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/conn_internal.h"
#include "rt/proxy.h"

#define ACCEPT_BATCH 32
/* When descriptors run out, accepting rests for so long instead of spinning. */
#define ACCEPT_PAUSE_MS 100
/* A peer is not called slow before it had this long. */
#define SHED_GRACE_MS 1000
#define SHED_PROBES   16
#define VOUCHED       10u /* times as many connections */
/* Dead peers (a phone that left the network) are noticed by the kernel after about 15 minutes. */
#define KEEPALIVE_IDLE_S     600
#define KEEPALIVE_INTERVAL_S 60
#define KEEPALIVE_PROBES     5

struct listener_state {
    struct watch watch;
    struct timer pause;
    struct listener *listener;
    struct map
        *addresses;      /* key -> number of connections that are not authenticated, as a pointer */
    struct aged vouched; /* of struct vouched: addresses and networks of those that are, or were */
    struct map *well,
        *well_before; /* keys of addresses that did well: two generations, so that it is bounded */
    struct list strangers; /* not authenticated, the slowest first */
    struct list members;
    struct listener_counts counts;
    bool stopped, draining, hurried;
    bool local_fixed; /* bound to one address: local_text holds for all */
    char local_text[INET6_ADDRSTRLEN];
};

struct address_key {
    char bytes[8];
    size_t len;
};
struct vouched {
    struct aged_node node;
    struct address_key key;
    int64_t until_ms;
};

static void accept_ready(struct watch *w, uint32_t events);
static void accept_again(struct timer *t);
static bool may_enter(struct listener_state *s, const struct sockaddr_storage *a, bool *counted,
                      enum refusal *what);
static bool is_blocked(struct listener_state *s, const struct sockaddr_storage *a);
static void pause_or_begin(struct conn *c);
static void accept_one(struct listener_state *s, int fd, const struct sockaddr_storage *peer);
static void set_socket_options(int fd);
static bool shed_slowest(struct listener_state *s);
static void refuse(struct listener_state *s, int fd, const struct sockaddr_storage *peer,
                   enum refusal what);
static void tell_refused(const struct listener *l, const char *peer, enum refusal what,
                         const char *why);
static struct address_key key_of(const struct sockaddr_storage *a);
static struct address_key network_of(const struct address_key *address);
static bool count_address(struct listener_state *s, const struct sockaddr_storage *a);
static void uncount_address(struct listener_state *s, const struct sockaddr_storage *a);
static void vouch(struct listener_state *s, const struct address_key *k);
static void forget_vouched(struct listener_state *s, struct aged_node *n);
static bool must_wait(const struct listener_state *s, const struct conn *c);
static void address_text(const struct sockaddr_storage *a, char text[INET6_ADDRSTRLEN]);
static void learn_local(int fd, char text[INET6_ADDRSTRLEN]);

enum status
listener_start(struct listener *l)
{
    ASSERT(l->state == NULL && l->ops != NULL && l->conns_max > 0);
    ASSERT(!l->implicit_tls || l->tls != NULL);
    struct listener_state *s = MEM_NEW(struct listener_state);
    s->listener = l;
    s->watch = (struct watch){.fd = l->fd, .ready = accept_ready};
    s->pause.fire = accept_again;
    s->addresses = map_new();
    aged_init(&s->vouched, LIMIT_CONNS_VOUCHED);
    s->well = map_new();
    s->well_before = map_new();
    list_init(&s->strangers);
    list_init(&s->members);
    l->state = s;
    if (l->fd < 0)
        return OK;
    set_socket_options(l->fd);
    learn_local(l->fd, s->local_text);
    s->local_fixed = s->local_text[0] != '\0' && strcmp(s->local_text, "0.0.0.0") != 0 &&
                     strcmp(s->local_text, "::") != 0;
    /* One of the processes that share the socket wakes, not all. */
    enum status r = watch_start(&s->watch, EPOLLIN | EPOLLEXCLUSIVE);
    if (r != OK)
        listener_stop(l);
    return r;
}

void
listener_stop(struct listener *l)
{
    struct listener_state *s = l->state;

    if (s == NULL || s->stopped)
        return;
    s->stopped = true;
    timer_stop(&s->pause);
    if (s->watch.fd >= 0)
        watch_stop(&s->watch);
    if (s->counts.open == 0) {
        map_free(&s->addresses);
        while (aged_oldest(&s->vouched) != NULL)
            forget_vouched(s, aged_oldest(&s->vouched));
        aged_release(&s->vouched);
        map_free(&s->well);
        map_free(&s->well_before);
        mem_free(s);
        l->state = NULL;
    }
}

static void
drain_all(struct list *conns, enum drain how)
{
    list_each (node, conns) {
        struct conn *c = LIST_ENTRY(node, struct conn, order);
        if (!c->busy) {
            conn_pending(c);
        } else if (how == DRAIN_ALL && c->phase == CONN_OPEN) {
            listener_farewell(c);
            conn_push(c);
        }
    }
}

void
listener_drain(struct listener *l, enum drain how)
{
    struct listener_state *s = l->state;

    if (s == NULL)
        return;
    s->draining = true;
    s->hurried = s->hurried || how != DRAIN_RESTING;
    drain_all(&s->strangers, how);
    drain_all(&s->members, how);
    listener_stop(l);
}

bool
listener_is_ending(const struct conn *c)
{
    const struct listener_state *s = c->home;

    if (s == NULL || !s->draining)
        return false;
    return c->phase < CONN_HANDSHAKE ||
           (c->phase == CONN_OPEN && (c->rest == REST_LINE || s->hurried));
}

/* Nothing can be said yet where TLS or a header of a proxy comes first. */
void
listener_farewell(struct conn *c)
{
    const struct listener *l = c->home->listener;

    if (c->closing || c->broken)
        return;
    bool speaks = c->phase == CONN_OPEN || (c->phase == CONN_PAUSE && !l->implicit_tls);
    char *tail = speaks && l->farewell.len > 0
                     ? iobuf_need(&c->out, (uint32_t)l->farewell.len, LIMIT_CONN_OUTPUT_HIGH)
                     : NULL;
    if (tail != NULL) {
        mem_copy(tail, l->farewell.ptr, l->farewell.len);
        iobuf_grew(&c->out, (uint32_t)l->farewell.len);
    }
    c->closing = true;
}

struct listener_counts
listener_counts(const struct listener *l)
{
    static const struct listener_counts none;

    return l->state == NULL ? none : l->state->counts;
}

/* Accepted sockets inherit these from the listening one, so that accepting costs one call.  They fail
 * on sockets that are not TCP, which tests use. */
static void
set_socket_options(int fd)
{
    const int one = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S;
    const int probes = KEEPALIVE_PROBES;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

static void
accept_ready(struct watch *w, uint32_t events)
{
    struct listener_state *s = (struct listener_state *)(void *)w;
    struct sockaddr_storage peer;

    (void)events;
    for (int i = 0; i < ACCEPT_BATCH && !s->stopped; i++) {
        socklen_t len = sizeof(peer);
        memset(&peer, 0, sizeof(peer));
        int fd = accept4(w->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(s, fd, &peer);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            watch_stop(w);
            timer_set(&s->pause, ACCEPT_PAUSE_MS);
            return;
        }
        if (errno == EAGAIN)
            return;
        /* Anything else is about that one connection, which is gone already. */
    }
}

static void
accept_again(struct timer *t)
{
    struct listener_state *s =
        (struct listener_state *)(void *)((char *)t - offsetof(struct listener_state, pause));

    if (watch_start(&s->watch, EPOLLIN | EPOLLEXCLUSIVE) != OK)
        timer_set(t, ACCEPT_PAUSE_MS);
}

enum status
listener_adopt(struct listener *l, int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);

    ASSERT(l->state != NULL && fd >= 0);
    memset(&peer, 0, sizeof(peer));
    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0) {
        close(fd);
        return ERR_CLOSED;
    }
    uint64_t before = l->state->counts.accepted;
    accept_one(l->state, fd, &peer);
    return l->state->counts.accepted > before ? OK : ERR_LIMIT;
}

/* Whether a client of this address may come in, and whether it is counted. */
static bool
may_enter(struct listener_state *s, const struct sockaddr_storage *a, bool *counted,
          enum refusal *what)
{
    const struct listener *l = s->listener;

    *counted = false;
    if (a->ss_family == AF_UNIX)
        return true;
    *what = REFUSED_STRANGER;
    if (l->from_count > 0 && !subnet_has(l->from, l->from_count, a))
        return false;
    if (subnet_has(l->speakers, l->speaker_count, a))
        return true;
    *what = REFUSED_ADDRESS;
    *counted = count_address(s, a);
    s->counts.refused_address += !*counted;
    return *counted;
}

/* Asked for whoever connects, and again for whom a proxy or a mail program of ours names. */
static bool
is_blocked(struct listener_state *s, const struct sockaddr_storage *a)
{
    bool blocked = s->listener->admits != NULL && !s->listener->admits(s->listener, a);

    s->counts.refused_blocked += blocked;
    return blocked;
}

static void
accept_one(struct listener_state *s, int fd, const struct sockaddr_storage *peer)
{
    struct listener *l = s->listener;
    struct sockaddr_storage address = *peer;
    enum refusal what;
    bool counted = false;

    proxy_plain_ipv4(&address);
    bool proxied = subnet_has(l->proxies, l->proxy_count, &address);
    if (is_blocked(s, &address)) {
        refuse(s, fd, &address, REFUSED_BLOCKED);
        return;
    }
    /* In 64 bits: conns_max * 3 must not wrap. */
    if (s->counts.open >= (uint64_t)l->conns_max * 3 / 4 && !shed_slowest(s) &&
        s->counts.open >= l->conns_max) {
        s->counts.refused_full++;
        refuse(s, fd, &address, REFUSED_FULL);
        return;
    }
    if (!proxied && !may_enter(s, &address, &counted, &what)) {
        refuse(s, fd, &address, what);
        return;
    }
    struct conn *c = conn_new(fd);
    conn_set_peer(c, &address);
    if (s->local_fixed)
        mem_copy(c->local_text, s->local_text, sizeof(c->local_text));
    else
        learn_local(fd, c->local_text);
    c->home = s;
    c->writable = true;
    c->counted = counted;
    c->phase = CONN_PROXY;
    c->phase_until_ms = clock_mono_ms() + conn_proxy_ms;
    if (!proxied)
        pause_or_begin(c);
    s->counts.open++;
    s->counts.accepted++;
    list_push(&s->strangers, &c->order);
    if (conn_watch(c) != OK) {
        c->closing = c->broken = true;
        conn_pending(c);
        return;
    }
    conn_settle(c);
}

bool
listener_admit(struct conn *c)
{
    struct listener_state *s = c->home;
    enum refusal what = REFUSED_STRANGER;

    if (c->spoken_for && is_blocked(s, &c->peer)) {
        listener_refuse(c, REFUSED_BLOCKED, "", STR(""));
        return false;
    }
    /* What the proxy says for itself, such as its checks whether we live, is not one client's. */
    bool enters = c->spoken_for
                      ? may_enter(s, &c->peer, &c->counted, &what)
                      : s->listener->from_count == 0 ||
                            subnet_has(s->listener->from, s->listener->from_count, &c->peer);
    if (!enters) {
        bool speaks = what == REFUSED_ADDRESS && !s->listener->implicit_tls;
        listener_refuse(c, what, "", speaks ? s->listener->shed_line : STR(""));
        return false;
    }
    pause_or_begin(c);
    return true;
}

static void
pause_or_begin(struct conn *c)
{
    if (!must_wait(c->home, c)) {
        listener_begin(c);
        return;
    }
    c->phase = CONN_PAUSE;
    c->phase_until_ms = clock_mono_ms() + c->home->listener->pause_ms;
}

void
listener_begin(struct conn *c)
{
    c->phase = c->home->listener->implicit_tls ? CONN_HANDSHAKE : CONN_GREETING;
    c->phase_until_ms = clock_mono_ms() + conn_handshake_ms;
}

enum status
conn_speaks_for(struct conn *c, const struct sockaddr_storage *client)
{
    struct sockaddr_storage a = *client;

    ASSERT(c->home != NULL);
    proxy_plain_ipv4(&a);
    if (is_blocked(c->home, &a))
        return ERR_DENIED;
    if (!count_address(c->home, &a))
        return ERR_LIMIT;
    if (c->counted)
        uncount_address(c->home, &c->peer);
    conn_set_peer(c, &a);
    c->counted = c->spoken_for = true;
    return OK;
}

/* Load. */

/* The peer that was served longest ago goes; false when all of those looked at are at work or new. */
static bool
shed_slowest(struct listener_state *s)
{
    int64_t before = clock_mono_ms() - SHED_GRACE_MS;
    int probes = 0;

    list_each (node, &s->strangers) {
        struct conn *c = LIST_ENTRY(node, struct conn, order);
        if (++probes > SHED_PROBES || c->unit_ms > before)
            return false;
        if (c->busy || c->closing || c->phase > CONN_OPEN)
            continue;
        struct str line = s->listener->shed_line;
        char *tail = NULL;
        if (c->phase == CONN_OPEN && line.len > 0 && line.len < CONN_OUTPUT_LOW)
            tail = iobuf_need(&c->out, (uint32_t)line.len, LIMIT_CONN_OUTPUT_HIGH);
        if (tail != NULL) {
            mem_copy(tail, line.ptr, line.len);
            iobuf_grew(&c->out, (uint32_t)line.len);
        }
        s->counts.shed++;
        tell_refused(s->listener, c->peer_text, REFUSED_SLOW, "");
        conn_close(c);
        return true;
    }
    return false;
}

static void
refuse(struct listener_state *s, int fd, const struct sockaddr_storage *peer, enum refusal what)
{
    struct str line = s->listener->shed_line;
    char text[INET6_ADDRSTRLEN];

    address_text(peer, text);
    tell_refused(s->listener, text, what, "");
    if (line.len > 0 && what != REFUSED_STRANGER && what != REFUSED_BLOCKED &&
        !s->listener->implicit_tls)
        (void)!send(fd, line.ptr, line.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

void
listener_refuse(struct conn *c, enum refusal what, const char *why, struct str line)
{
    char *tail =
        line.len > 0 ? iobuf_need(&c->out, (uint32_t)line.len, LIMIT_CONN_OUTPUT_HIGH) : NULL;

    if (tail != NULL) {
        mem_copy(tail, line.ptr, line.len);
        iobuf_grew(&c->out, (uint32_t)line.len);
    }
    tell_refused(c->home->listener, c->peer_text, what, why);
    conn_close(c);
}

void
listener_handshake_failed(const struct conn *c, const char *why)
{
    tell_refused(c->home->listener, c->peer_text, REFUSED_HANDSHAKE, why);
}

static void
tell_refused(const struct listener *l, const char *peer, enum refusal what, const char *why)
{
    if (l->refused != NULL)
        l->refused(l, str_of(peer), what, str_of(why));
}

void
listener_active(struct conn *c)
{
    list_remove(&c->order);
    list_push(c->authenticated ? &c->home->members : &c->home->strangers, &c->order);
}

void
conn_authenticated(struct conn *c)
{
    c->authenticated = true;
    if (c->home == NULL)
        return;
    struct address_key k = key_of(&c->peer), network = network_of(&k);
    vouch(c->home, &k);
    vouch(c->home, &network);
    if (c->counted)
        uncount_address(c->home, &c->peer);
    c->counted = false;
    listener_active(c);
}

void
listener_forget(struct conn *c)
{
    struct listener_state *s = c->home;

    list_remove(&c->order);
    if (c->counted)
        uncount_address(s, &c->peer);
    s->counts.open--;
    if (s->stopped && s->counts.open == 0) {
        s->stopped = false;
        struct listener *l = s->listener;
        s->watch.fd = -1;
        listener_stop(l);
    }
}

const struct listener *
conn_listener(const struct conn *c)
{
    ASSERT(c->home != NULL);
    return c->home->listener;
}

/* Addresses. */

/* A customer gets one IPv4 address or one IPv6 /64: that is what a cap must count. */
static struct address_key
key_of(const struct sockaddr_storage *a)
{
    struct address_key k = {.len = 0};

    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)a;
        k.len = 4;
        mem_copy(k.bytes, &in->sin_addr, 4);
    } else if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)a;
        k.len = 8;
        mem_copy(k.bytes, &in6->sin6_addr, 8);
    }
    return k;
}

/* And what a provider or an office has: /24 or /48. */
static struct address_key
network_of(const struct address_key *address)
{
    struct address_key k = *address;

    k.len = address->len == 4 ? 3 : address->len == 8 ? 6 : 0;
    return k;
}

static uintptr_t
count_of(const struct listener_state *s, const struct address_key *k)
{
    return (uintptr_t)map_get(s->addresses, str_from(k->bytes, k->len));
}

static void
set_count(struct listener_state *s, const struct address_key *k, uintptr_t n)
{
    if (n > 0)
        (void)map_put(s->addresses, str_from(k->bytes, k->len),
                      (void *)n); /* the number is the value */
    else
        (void)map_del(s->addresses, str_from(k->bytes, k->len));
}

static bool
is_vouched(const struct listener_state *s, const struct address_key *k)
{
    struct aged_node *n = aged_get(&s->vouched, str_from(k->bytes, k->len));

    return n != NULL && clock_mono_ms() < AGED_ENTRY(n, struct vouched, node)->until_ms;
}

static bool
has_room(const struct listener_state *s, const struct address_key *k, uint32_t max)
{
    return max == 0 || count_of(s, k) < (uint64_t)max * (is_vouched(s, k) ? VOUCHED : 1u);
}

static bool
count_address(struct listener_state *s, const struct sockaddr_storage *a)
{
    struct address_key k = key_of(a), network = network_of(&k);

    if (k.len == 0)
        return true;
    if (!has_room(s, &k, s->listener->per_address_max) ||
        !has_room(s, &network, s->listener->per_network_max))
        return false;
    set_count(s, &k, count_of(s, &k) + 1);
    set_count(s, &network, count_of(s, &network) + 1);
    return true;
}

static void
uncount_address(struct listener_state *s, const struct sockaddr_storage *a)
{
    struct address_key k = key_of(a), network = network_of(&k);

    if (k.len == 0)
        return;
    set_count(s, &k, count_of(s, &k) - 1); /* count_address() was here */
    set_count(s, &network, count_of(s, &network) - 1);
}

static void
vouch(struct listener_state *s, const struct address_key *k)
{
    struct aged_node *n = aged_get(&s->vouched, str_from(k->bytes, k->len));

    if (k->len == 0)
        return;
    if (n == NULL) {
        if (aged_is_full(&s->vouched))
            forget_vouched(s, aged_oldest(&s->vouched));
        struct vouched *v = MEM_NEW(struct vouched);
        v->key = *k;
        n = &v->node;
        aged_add(&s->vouched, n, str_from(v->key.bytes, v->key.len));
    } else {
        aged_renew(&s->vouched, n);
    }
    AGED_ENTRY(n, struct vouched, node)->until_ms = clock_mono_ms() + LIMIT_CONNS_VOUCH_S * 1000LL;
}

static void
forget_vouched(struct listener_state *s, struct aged_node *n)
{
    aged_take(&s->vouched, n);
    mem_free(AGED_ENTRY(n, struct vouched, node));
}

static bool
must_wait(const struct listener_state *s, const struct conn *c)
{
    const struct listener *l = s->listener;
    struct address_key k = key_of(&c->peer);
    struct str key = str_from(k.bytes, k.len);

    return l->pause_ms > 0 && !c->is_unix && !subnet_has(l->prompt, l->prompt_count, &c->peer) &&
           map_get(s->well, key) == NULL && map_get(s->well_before, key) == NULL;
}

void
conn_did_well(struct conn *c)
{
    struct listener_state *s = c->home;
    struct address_key k = key_of(&c->peer);

    if (s == NULL || s->listener->pause_ms == 0 || c->is_unix)
        return;
    if (map_count(s->well) >= LIMIT_PEERS_REMEMBERED / 2) {
        map_free(&s->well_before);
        s->well_before = s->well;
        s->well = map_new();
    }
    (void)map_put(s->well, str_from(k.bytes, k.len), s); /* any value */
}

static void
address_text(const struct sockaddr_storage *a, char text[INET6_ADDRSTRLEN])
{
    const void *bytes = NULL;

    text[0] = '\0';
    if (a->ss_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
    else if (a->ss_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    if (bytes != NULL)
        (void)inet_ntop(a->ss_family, bytes, text, INET6_ADDRSTRLEN);
}

static void
learn_local(int fd, char text[INET6_ADDRSTRLEN])
{
    struct sockaddr_storage a;
    socklen_t len = sizeof(a);

    memset(&a, 0, sizeof(a));
    if (getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        return;
    proxy_plain_ipv4(&a);
    address_text(&a, text);
}

/* A Unix socket is this machine talking to itself. */
void
conn_set_peer(struct conn *c, const struct sockaddr_storage *a)
{
    c->peer = *a;
    c->is_unix = a->ss_family == AF_UNIX;
    if (a->ss_family != AF_INET && a->ss_family != AF_INET6) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        memset(&c->peer, 0, sizeof(c->peer));
        mem_copy(&c->peer, &in, sizeof(in));
    }
    address_text(&c->peer, c->peer_text);
}

void
conn_set_local(struct conn *c, const struct sockaddr_storage *a)
{
    address_text(a, c->local_text);
}

struct str
conn_peer(const struct conn *c)
{
    return str_of(c->peer_text);
}

const struct sockaddr_storage *
conn_peer_addr(const struct conn *c)
{
    return &c->peer;
}

uint16_t
conn_peer_port(const struct conn *c)
{
    in_port_t port = c->peer.ss_family == AF_INET6
                         ? ((const struct sockaddr_in6 *)(const void *)&c->peer)->sin6_port
                         : ((const struct sockaddr_in *)(const void *)&c->peer)->sin_port;
    return ntohs(port);
}

struct str
conn_local(const struct conn *c)
{
    return str_of(c->local_text);
}

/* Asked for seldom: the kernel knows. */
uint16_t
conn_local_port(const struct conn *c)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof(a);
    in_port_t port = 0;

    if (getsockname(c->watch.fd, (struct sockaddr *)&a, &len) != 0)
        return 0;
    if (a.ss_family == AF_INET6)
        port = ((const struct sockaddr_in6 *)(const void *)&a)->sin6_port;
    else if (a.ss_family == AF_INET)
        port = ((const struct sockaddr_in *)(const void *)&a)->sin_port;
    return ntohs(port);
}

bool
conn_is_unix(const struct conn *c)
{
    return c->is_unix;
}

bool
conn_peer_uid(const struct conn *c, uint32_t *uid_out)
{
    struct ucred who;
    socklen_t len = sizeof(who);

    if (!c->is_unix || getsockopt(c->watch.fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
        return false;
    *uid_out = who.uid;
    return true;
}

bool
conn_peer_is_loopback(const struct conn *c)
{
    if (c->spoken_for)
        return false;
    if (c->peer.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(
            &((const struct sockaddr_in6 *)(const void *)&c->peer)->sin6_addr);
    uint32_t a = ntohl(((const struct sockaddr_in *)(const void *)&c->peer)->sin_addr.s_addr);
    return a >> 24 == 127;
}
