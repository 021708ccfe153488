/* conn.h - a TCP or TLS connection whose session rests as data and works on a fiber.
 *
 * Life:      accept -> [header of a proxy] -> [pause of the listener] -> [TLS handshake] -> ops->opened() on a
 *            fiber -> rest.  When the unit that the session rests for is complete (a line, or any bytes),
 *            ops->wake(WAKE_INPUT) runs on a fiber; it consumes with conn_line() or conn_peek() until they say
 *            no, sets what to rest for, and returns.  Output is flushed on return.  Input that a wake left alone
 *            wakes again only together with more input, or after a note.  ops->closed() comes last, exactly once,
 *            on the loop's stack, never while a fiber of this connection runs.
 * Owns:      the descriptor, TLS state and both buffers, which hold no memory at rest when empty.
 * Promises:  one wake at a time per connection.  A line is CRLF-ended; a line past line_max makes
 *            conn_line() return ERR_LIMIT once, and the rest of that line is thrown away.
 *            Reading pauses while a fiber works and enough input is waiting.
 * Deadlines: conn_deadline() runs from the last complete unit; missing it wakes with WAKE_TIMEOUT (the
 *            session says its farewell and closes, or gets the same time again).  A peer that takes
 *            our output slower than the progress floor (base/limits.h) is closed.
 * TLS:       OpenSSL on the descriptor; TLS EOF without close_notify ends the connection, never
 *            falls back.  Bytes buffered before STARTTLS are an injection: ERR_SYNTAX.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_CONN_H
#define RT_CONN_H

#include <netinet/in.h>

#include "base/buf.h"
#include "base/subnet.h"
#include "rt/fiber.h"

struct conn;
struct listener;
struct tls_server; /* rt/tls.h */
struct tls_client;
struct tls_dane;

enum wake {
    WAKE_INPUT,   /* the awaited unit is complete */
    WAKE_TIMEOUT, /* conn_deadline() passed without one */
    WAKE_NOTE,    /* conn_note() was called */
    WAKE_EOF,     /* the peer ended its side; what was read before has been offered */
};
/* REST_LINE: a complete line.  REST_BYTES: any bytes of a literal or body; the floor BODY_FLOOR_BYTES_S
 * holds meanwhile. */
enum rest { REST_LINE, REST_BYTES };

struct conn_ops {
    /* The first two run on a fiber (SUSPENDS); opened() returns the session, or NULL to close. */
    void *(*opened)(struct conn *c);
    void (*wake)(void *session, enum wake why);
    void (*closed)(void *session);
};
enum refusal {
    REFUSED_FULL,
    REFUSED_ADDRESS,
    REFUSED_SLOW,
    REFUSED_HANDSHAKE,
    REFUSED_STRANGER,
    REFUSED_EARLY,
    REFUSED_PROXY,
    REFUSED_BLOCKED
};
struct listener {
    int fd; /* listening socket, owned by the caller */
    const struct conn_ops *ops;
    struct tls_server *tls; /* for implicit TLS and STARTTLS; NULL = none */
    bool implicit_tls;
    uint32_t conns_max; /* above 75 % the slowest unauthenticated peers are shed */
    /* Of those that are not authenticated, per /32 or /64, and per /24 or /48; 0 = any.  Ten times as many for
     * LIMIT_CONNS_VOUCH_S after one from there was.  A Unix socket has none. */
    uint32_t per_address_max, per_network_max;
    const struct subnet *from; /* who may connect by TCP; none: everybody */
    size_t from_count;
    /* A protocol in which the server speaks first waits so long with an address that it does not know (conn_did_well(),
     * or of these networks): who speaks meanwhile is told early_line and closed.  0: no wait. */
    uint32_t pause_ms;
    const struct subnet *prompt;
    size_t prompt_count;
    struct str early_line;
    /* Proxies of ours: each connection from there begins with the header of the PROXY protocol (rt/proxy.h), before any
     * TLS, and its client is who that names. */
    const struct subnet *proxies;
    size_t proxy_count;
    /* Mail programs of ours that say for whom they speak (conn_speaks_for()): no limit of connections from there. */
    const struct subnet *speakers;
    size_t speaker_count;
    struct str shed_line; /* what a shed peer is told, such as "421 ...\r\n" */
    struct str farewell;  /* what a client is told when the server goes: listener_drain() */
    int kind;             /* the caller's: which protocol and port */
    /* Optional, for the log: a peer was turned away.  why: what went wrong in its handshake, or empty.
     * Runs on any stack; must not suspend. */
    void (*refused)(const struct listener *l, struct str peer, enum refusal what, struct str why);
    /* Optional: false closes the connection at once, without a word.  As above. */
    bool (*admits)(const struct listener *l, const struct sockaddr_storage *peer);
    struct listener_state *state; /* rt's own; NULL before listener_start() */
};
/* l stays where it is until listener_stop() was called and its last connection has closed. */
MUST_USE enum status listener_start(struct listener *l);
void listener_stop(struct listener *l); /* no new ones; those that are open live on */
/* No new ones, and the end of those that are open.  RESTING: who rests between two units hears the farewell at once; a
 * body, a handshake and what is at work go on.  BODIES: these are cut off as well.  ALL: the process ends now, so that
 * also who is at work hears it. */
enum drain { DRAIN_RESTING, DRAIN_BODIES, DRAIN_ALL };
void listener_drain(struct listener *l, enum drain how);
/* Serves a connected stream socket as if l had accepted it; takes fd over.  l->fd may be -1 (tests). */
MUST_USE enum status listener_adopt(struct listener *l, int fd);
struct listener_counts {
    uint32_t open;
    uint64_t accepted, refused_address, refused_full, refused_blocked, shed;
};
struct listener_counts listener_counts(const struct listener *l);

const struct listener *conn_listener(const struct conn *c);
/* "192.0.2.1" or "2001:db8::1"; of a Unix socket 127.0.0.1, and port 0: this machine talks to itself. */
struct str conn_peer(const struct conn *c);
const struct sockaddr_storage *conn_peer_addr(const struct conn *c);
uint16_t conn_peer_port(const struct conn *c);
/* From now on the peer is this client, and counts as one of its address.  ERR_LIMIT: that has too many; ERR_DENIED: it
 * may not connect. */
MUST_USE enum status conn_speaks_for(struct conn *c, const struct sockaddr_storage *client);
struct str conn_local(const struct conn *c);
uint16_t conn_local_port(const struct conn *c); /* 0: a Unix socket */
bool
conn_peer_is_loopback(const struct conn *c); /* of this machine: never whom somebody speaks for */
bool conn_is_unix(const struct conn *c);     /* came by a Unix socket */
/* Which user of this machine connected it, as the kernel says; false: not by a Unix socket. */
MUST_USE bool conn_peer_uid(const struct conn *c, uint32_t *uid_out);
bool conn_is_tls(const struct conn *c);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384", for Received, logs */
struct str conn_tls_name(const struct conn *c);
/* What a log-in can be bound to: tls-exporter (RFC 9266), TLS_BINDING_BYTES.  false: no TLS, or TLS 1.2 without the
 * extended master secret, where it would not be this connection's alone. */
#define TLS_BINDING_BYTES 32u
MUST_USE bool conn_tls_binding(const struct conn *c, unsigned char *out);
/* Did the client show a certificate of whom its listener trusts (tls_server_ask_clients()), and that it has the key, in
 * this connection?  chain, if not NULL, gets it, and then what came behind it, in DER. */
MUST_USE bool conn_tls_client(const struct conn *c, struct buf *chain);
uint64_t conn_id(const struct conn *c);  /* unique in this process, for logs */
void conn_authenticated(struct conn *c); /* no longer shed first, nor counted by address */
void conn_did_well(struct conn *c);      /* its address does not wait for the next greeting */

/* Input, inside wake(). */
void conn_rest(struct conn *c, enum rest unit);
void conn_line_max(struct conn *c, size_t max); /* without CRLF */
/* OK: a line without its CRLF, valid until the next call for input.  ERR_TEMP: none complete: return and
 * rest.  ERR_LIMIT: too long, skipped.  ERR_SYNTAX: bare CR or NUL in it, or a bare LF ended it; line_out is
 * set all the same. */
MUST_USE enum status conn_line(struct conn *c, struct str *line_out);
/* What is buffered, at most max, without consuming it; empty = return and rest. */
struct str conn_peek(struct conn *c, size_t max);
void conn_consume(struct conn *c, size_t n);
/* Reads more into the buffer without suspending, so that a body drains in few wake-ups; false = nothing came. */
bool conn_fill(struct conn *c);
void conn_deadline(struct conn *c, int64_t ms); /* FIBER_FOREVER = none */

/* Output.  Suspends only while more than the high-water mark waits. */
MUST_USE SUSPENDS enum status conn_write(struct conn *c, struct str s);
MUST_USE SUSPENDS enum status conn_printf(struct conn *c, const char *format, ...) PRINTF(2, 3);
MUST_USE SUSPENDS enum status conn_flush(struct conn *c); /* everything reached the kernel */

/* From anywhere in the loop: wake the session with WAKE_NOTE when it next rests.  Coalesced. */
void conn_note(struct conn *c);
/* After the reply to STARTTLS was written: checks that nothing is buffered (ERR_SYNTAX) and flushes.  On OK the
 * session forgets what it knew and returns to rest: the handshake waits as data, and the next wake is
 * inside TLS.  A handshake that fails closes the connection. */
MUST_USE SUSPENDS enum status conn_starttls(struct conn *c);
/* After this wake returns, or now at rest.  Output is still flushed; no more input is offered. */
void conn_close(struct conn *c);

/* Client side (role out, tests): the caller's fiber drives; the reply to one's own command may be awaited. */
struct conn_target {
    struct sockaddr_storage addr;
    socklen_t addr_len;
    const struct sockaddr *source; /* NULL = the system's choice */
    int64_t timeout_ms;
};
MUST_USE SUSPENDS enum status conn_connect(const struct conn_target *t, struct conn **out);
/* A stream socket that somebody else connects for us, or began to; takes fd over, also on failure. */
MUST_USE SUSPENDS enum status conn_adopt(int fd, int64_t timeout_ms, struct conn **out);
/* From now on the calling fiber drives it. */
void conn_borrow(struct conn *c);
MUST_USE SUSPENDS enum status conn_read_line(struct conn *c, int64_t timeout_ms,
                                             struct str *line_out);
/* Exactly n bytes, at most CONN_READ_MAX, valid until the next call for input; what follows them stays.  ERR_CLOSED:
 * the peer ended before. */
#define CONN_READ_MAX 1024u
MUST_USE SUSPENDS enum status conn_read_bytes(struct conn *c, size_t n, int64_t timeout_ms,
                                              struct str *bytes_out);
/* What came, all that is buffered, to be consumed with conn_consume(); empty: the peer ended its side in order. */
MUST_USE SUSPENDS enum status conn_read_some(struct conn *c, int64_t timeout_ms,
                                             struct str *some_out);
/* ERR_DENIED: whose certificate it is, is not proven. */
MUST_USE SUSPENDS enum status conn_connect_tls(struct conn *c, struct tls_client *tls,
                                               struct str name);
/* With a client of TLS_VERIFY_DANE. */
MUST_USE SUSPENDS enum status conn_connect_tls_dane(struct conn *c, struct tls_client *tls,
                                                    const struct tls_dane *dane);
/* Is there neither input to be read nor the peer's end?  Asks the kernel, and takes nothing. */
bool conn_is_quiet(struct conn *c);
void conn_free(struct conn **c); /* client connections only */

#endif
