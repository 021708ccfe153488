/* ipc.h - typed calls and notes between roles, over Unix stream sockets and shared-memory rings.
 *
 * What may be said stands in src/ipc/NAME.ipc; tools/ipcgen.py makes from it the structs, the encoder,
 * decoder and bounds check, one client stub per call, and the verb table of the server.
 * Owns:      its socket, its ring pair and its output buffer (flushed once a loop turn: batching).
 * Promises:  the peer is hostile: every length, enum, permission and state is checked before a handler sees
 *            it; a violation closes the channel (and is counted).  Each request runs on its own fiber.
 *            A field of type bulk travels through the ring when the channel has one and it has
 *            room, else inline; the receiver copies it once into private memory before reading it.
 *            When the channel is lost, calls in flight return ERR_CLOSED: the outcome is unknown.
 * Limits:    calls in flight per channel and bytes per frame, from base/limits.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_IPC_H
#define RT_IPC_H

#include "base/arena.h"
#include "base/buf.h"
#include "rt/fiber.h"

/* ROLE_ADMIN: the godwit command, over a control socket. */
enum role {
    ROLE_BOSS,
    ROLE_MX,
    ROLE_USER,
    ROLE_KEYS,
    ROLE_AUTH,
    ROLE_STORE,
    ROLE_COOK,
    ROLE_OUT,
    ROLE_ASK,
    ROLE_API,
    ROLE_ADMIN
};
#define ROLE_COUNT (ROLE_ADMIN + 1)
const char *role_name(enum role r);

struct ipc_peer;
struct ipc_writer; /* rt/ipc_codec.h */
struct ipc_reader;

/* How a struct travels.  Generated; encode fails when a value is past its bound. */
struct ipc_codec {
    const char *name;
    size_t size; /* of the struct */
    bool (*encode)(struct ipc_writer *w, const void *value);
    bool (*decode)(struct ipc_reader *r, void *value_out);
};

/* One line of a generated verb table. */
struct ipc_verb {
    uint16_t id;
    uint16_t from;             /* bit set of 1 << enum role that may say it */
    bool is_note;              /* no reply */
    size_t req_size, rep_size; /* of the structs */
    bool (*decode)(struct ipc_reader *r, void *req_out);
    bool (*encode)(struct ipc_writer *w, const void *rep);
    /* SUSPENDS */
    enum status (*serve)(struct ipc_peer *from, const void *req, struct arena *a, void *rep);
};
struct ipc_service {
    const char *name;
    uint16_t version;
    uint64_t schema_hash;
    const struct ipc_verb *verbs; /* sorted by id */
    size_t verb_count;
    size_t arena_budget; /* per request */
};
struct ipc_channel_end { /* what boss hands out, or a test makes */
    int fd;              /* connected AF_UNIX stream socket, taken over */
    int ring_fd;         /* memfd with one ring per direction, or -1 */
    bool first;          /* which direction is ours */
};
/* Makes both ends; ring_bytes = 0 for none. */
MUST_USE enum status ipc_pair(size_t ring_bytes, struct ipc_channel_end ends_out[2]);

/* Attaches a channel.  Hello (protocol version, version and schema hash of every service served) is exchanged
 * first; a mismatch closes.  gone() runs on the loop, once, when the channel has ended for whatever
 * reason; afterwards p answers questions only until its last fiber returns. */
struct ipc_options {
    enum role own_role, peer_role;
    uint32_t peer_index;                     /* which of several workers */
    uint64_t peer_incarnation;               /* 64 random bits, new at each start of the peer */
    const struct ipc_service *const *serves; /* what this side answers; may be empty */
    size_t serve_count;                      /* at most IPC_SERVICES_MAX */
    void (*gone)(struct ipc_peer *p);        /* may be NULL */
    void *state;                             /* ipc_state() gives it back to handlers */
};
#define IPC_SERVICES_MAX 8u
/* Takes both descriptors of e over, also on failure. */
MUST_USE enum status ipc_attach(const struct ipc_channel_end *e, const struct ipc_options *o,
                                struct ipc_peer **out);
/* Ends the channel at the end of this turn, after what was said has been written as far as the kernel takes it. */
void ipc_close(struct ipc_peer *p);
void *ipc_state(const struct ipc_peer *p);
void ipc_set_state(struct ipc_peer *p, void *state);
enum role ipc_role(const struct ipc_peer *p);
uint32_t ipc_index(const struct ipc_peer *p);
uint64_t ipc_incarnation(const struct ipc_peer *p);
bool ipc_is_open(const struct ipc_peer *p);
/* For whoever keeps the pointer longer than a call: it stays good after the channel's end (calls say ERR_CLOSED). */
void ipc_ref(struct ipc_peer *p);
void ipc_unref(struct ipc_peer *p);
uint32_t ipc_in_flight(const struct ipc_peer *p); /* calls of ours that wait for their reply */
/* How the peer broke the protocol, for the log; NULL when it did not. */
const char *ipc_violation(const struct ipc_peer *p);
/* Frees what ended channels of this thread left behind; no fiber of theirs may be alive.  For tests. */
void ipc_forget(void);

/* What generated stubs call. */
struct ipc_call {
    const struct ipc_service *service; /* of the callee */
    uint16_t id;
    bool (*encode)(struct ipc_writer *w, const void *req);
    bool (*decode)(struct ipc_reader *r, void *rep_out); /* NULL for a note */
};
/* p may be NULL: no channel, ERR_CLOSED.  OK: rep is filled, its bytes live in a.  Else any status
 * the handler returned, or ERR_CLOSED (the channel was lost: the outcome is unknown), ERR_LIMIT
 * (request or reply past a bound; a too small), ERR_CANCELLED. */
MUST_USE SUSPENDS enum status ipc_call(struct ipc_peer *p, const struct ipc_call *c,
                                       const void *req, struct arena *a, void *rep_out);
/* ERR_LIMIT when too much output waits for this peer already. */
MUST_USE enum status ipc_note(struct ipc_peer *p, const struct ipc_call *c, const void *req);
/* The problem text that came with the last failed call of this fiber; empty when none. */
const struct problem *ipc_problem(void);
/* For handlers: this text goes with the failing reply. */
void ipc_fail(const struct problem *why);

#endif
