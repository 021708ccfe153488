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
    struct list strangers; /* not authenticated, the slowest first */
    struct list members;
    struct listener_counts counts;
    bool stopped;
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
static void address_text(const struct sockaddr_storage *a, char text[INET6_ADDRSTRLEN]);
static void plain_ipv4(struct sockaddr_storage *a);
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
        mem_free(s);
        l->state = NULL;
    }
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

static void
accept_one(struct listener_state *s, int fd, const struct sockaddr_storage *peer)
{
    struct listener *l = s->listener;
    struct sockaddr_storage address = *peer;

    plain_ipv4(&address);
    if (l->admits != NULL && !l->admits(l, &address)) {
        s->counts.refused_blocked++;
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
    if (!count_address(s, &address)) {
        s->counts.refused_address++;
        refuse(s, fd, &address, REFUSED_ADDRESS);
        return;
    }
    struct conn *c = conn_new(fd);
    conn_set_peer(c, &address);
    if (s->local_fixed)
        mem_copy(c->local_text, s->local_text, sizeof(c->local_text));
    else
        learn_local(fd, c->local_text);
    c->home = s;
    c->counted = key_of(&address).len > 0;
    c->writable = true;
    c->phase = l->implicit_tls ? CONN_HANDSHAKE : CONN_GREETING;
    c->phase_until_ms = clock_mono_ms() + conn_handshake_ms;
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
    if (line.len > 0 && !s->listener->implicit_tls && what != REFUSED_BLOCKED)
        (void)!send(fd, line.ptr, line.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
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

/* ::ffff:192.0.2.1, as a listener on [::] sees IPv4 peers, is that IPv4 address to everybody else. */
static void
plain_ipv4(struct sockaddr_storage *a)
{
    struct sockaddr_in6 in6;

    if (a->ss_family != AF_INET6)
        return;
    mem_copy(&in6, a, sizeof(in6));
    if (!IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
        return;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = in6.sin6_port};
    mem_copy(&in.sin_addr, &in6.sin6_addr.s6_addr[12], 4);
    memset(a, 0, sizeof(*a));
    mem_copy(a, &in, sizeof(in));
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
    plain_ipv4(&a);
    address_text(&a, text);
}

/* A Unix socket is this machine talking to itself. */
void
conn_set_peer(struct conn *c, const struct sockaddr_storage *a)
{
    c->peer = *a;
    if (a->ss_family != AF_INET && a->ss_family != AF_INET6) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        memset(&c->peer, 0, sizeof(c->peer));
        mem_copy(&c->peer, &in, sizeof(in));
    }
    address_text(&c->peer, c->peer_text);
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

bool
conn_peer_is_loopback(const struct conn *c)
{
    if (c->peer.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(
            &((const struct sockaddr_in6 *)(const void *)&c->peer)->sin6_addr);
    uint32_t a = ntohl(((const struct sockaddr_in *)(const void *)&c->peer)->sin_addr.s_addr);
    return a >> 24 == 127;
}
