/* conn_internal.h - the body of a connection, shared by the conn_*.c files and listener.c.
 *
 * Phases:    [PROXY ->] [PAUSE ->] HANDSHAKE -> GREETING -> OPEN -> DRAIN -> LINGER -> freed.  STARTTLS goes back
 *            from OPEN to HANDSHAKE.  Client connections are always OPEN.
 * Rules:     while it is `busy`, callbacks of the loop only note flags; whoever works looks at them.
 *            Only conn_retire() ends a connection, on the loop's stack, and never while it is busy.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_CONN_INTERNAL_H
#define RT_CONN_INTERNAL_H

#include <arpa/inet.h>

#include "base/limits.h"
#include "rt/conn.h"
#include "rt/iobuf.h"
#include "rt/loop.h"

struct ssl_st;

/* Output that waits below this does not keep the session from its next unit. */
#define CONN_OUTPUT_LOW 16384u
/* How long a farewell may take to leave, and how long to wait for the peer's end after it. */
#define CONN_DRAIN_MS  10000
#define CONN_LINGER_MS 2000
/* Read in one wake, so that one fast sender does not hold the loop. */
#define CONN_FILL_BYTES 262144u
/* Wakes in a row before the loop gets its turn. */
#define CONN_WAKES_IN_ROW 32u
#define CONN_TLS_NAME     48

enum conn_phase {
    CONN_PROXY, /* the header of a listed proxy comes first */
    CONN_PAUSE, /* nothing may come yet */
    CONN_HANDSHAKE,
    CONN_GREETING,
    CONN_OPEN,
    CONN_DRAIN,
    CONN_LINGER,
};

struct conn {
    struct watch watch; /* first: a watch is its connection */
    struct timer timer;
    struct list order;           /* among its listener's connections, slowest first */
    struct list pending;         /* to be settled on the loop's stack, or waiting for a fiber */
    struct listener_state *home; /* NULL: client */
    void *session;
    struct fiber *fiber; /* who works for it, once it runs */
    struct ssl_st *ssl;
    struct iobuf in, out;
    uint32_t line_max;
    uint32_t scanned;   /* bytes of `in` known to hold no LF */
    uint32_t line_len;  /* of the complete line at the front, with its LF; 0 = unknown */
    uint32_t fill_left; /* of CONN_FILL_BYTES */
    uint32_t wakes;
    enum conn_phase phase;
    enum rest rest;
    enum wake last_wake;
    bool busy;               /* a fiber works for it, or will in this turn; always, for a client */
    bool readable, writable; /* the kernel has not said "would block" since */
    bool hangup;             /* the peer's end was announced: a short read is not the last one */
    bool eof, eof_told;
    bool broken;  /* nothing more can be sent or received */
    bool closing; /* conn_close() was called */
    bool note, timed_out, waiting, wait_done;
    bool stalled; /* the last wake took nothing: the same bytes wake no more */
    uint64_t consumed;
    bool in_bulk;  /* the last read took all that there was room for */
    bool skipping; /* inside a line that was too long */
    bool authenticated;
    bool is_unix;
    bool counted;     /* among the connections of its address */
    bool spoken_for;  /* a proxy or XCLIENT said who the client is: its loopback is not ours */
    bool tls_pending; /* the TLS layer holds bytes that the kernel does not */
    bool tls_wants_write, tls_done, tls_shut;
    bool tls_judged;        /* as a client: whose certificate it is was looked at */
    const char *tls_reason; /* as a client: why the handshake failed; a constant, or NULL */
    int64_t deadline_ms;    /* FIBER_FOREVER or an interval ... */
    int64_t unit_ms;        /* ... from here */
    int64_t phase_until_ms;
    int64_t out_since_ms; /* output waits since; 0 = none does */
    int64_t body_since_ms;
    uint64_t out_sent, body_got; /* in this window of the floor */
    uint64_t id;
    struct sockaddr_storage peer;
    char peer_text[INET6_ADDRSTRLEN], local_text[INET6_ADDRSTRLEN];
    char tls_name[CONN_TLS_NAME];
};

/* The window in which the progress floors are judged; tests shorten it. */
extern int64_t conn_floor_window_ms;
extern int64_t conn_proxy_ms;     /* LIMIT_PROXY_S; tests shorten it, too */
extern int64_t conn_handshake_ms; /* LIMIT_TLS_HANDSHAKE_S; tests shorten it, too */

/* conn.c */
struct conn *conn_new(int fd);
MUST_USE enum status conn_watch(struct conn *c);
void conn_settle(struct conn *c);  /* at rest, on the loop's stack: what is next? */
void conn_pending(struct conn *c); /* settle it at the end of this turn */
void conn_break(struct conn *c);   /* the transport failed */
void conn_arm(struct conn *c);
void conn_set_peer(struct conn *c, const struct sockaddr_storage *a);
void conn_set_local(struct conn *c, const struct sockaddr_storage *a);
void conn_release(struct conn *c); /* descriptor, TLS, buffers and the struct */
/* Parks until something happened on the descriptor. */
MUST_USE SUSPENDS enum status conn_wait(struct conn *c, int64_t timeout_ms);

/* conn_input.c */
bool conn_pull(struct conn *c); /* reads once; true when bytes came */
bool conn_unit_ready(struct conn *c);

/* conn_output.c */
void conn_push(struct conn *c); /* writes what the kernel takes */

/* conn_tls.c: sizes as of read(2) and write(2), -1 = nothing now (or conn_break() was called). */
ssize_t conn_tls_read(struct conn *c, char *p, size_t n);
ssize_t conn_tls_write(struct conn *c, const char *p, size_t n);
/* OK, ERR_TEMP (wait for the peer), or the handshake failed. */
MUST_USE SUSPENDS enum status conn_tls_shake(struct conn *c);
void conn_tls_shut(struct conn *c); /* sends close_notify, once, if it can */

/* conn_early.c */
/* In PROXY or PAUSE: false when that is over; the phase says what is next. */
bool conn_early_wait(struct conn *c);

/* listener.c */
void listener_active(struct conn *c); /* a unit was complete: no longer the slowest */
void listener_forget(struct conn *c); /* the connection is gone */
void listener_handshake_failed(const struct conn *c, const char *why);
/* Ends a connection that has no session yet. */
void listener_refuse(struct conn *c, enum refusal what, const char *why, struct str line);
/* Its address is known: may it come in?  Sets the phase that comes next; false: it was refused. */
bool listener_admit(struct conn *c);
void listener_begin(struct conn *c);           /* the handshake or the greeting is next */
bool listener_is_ending(const struct conn *c); /* listener_drain(): it takes no further unit */
void listener_farewell(struct conn *c);        /* the server goes, and it is not at work */

#endif
