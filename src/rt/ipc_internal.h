/* ipc_internal.h - one channel, as its three sources share it: ipc.c (life, bytes), ipc_call.c, ipc_serve.c.
 *
 * Frame:     struct ipc_frame, then `length` bytes of payload.  The tag is the low half of the schema's hash: a
 *            request that was encoded from another schema is never decoded.
 * Kinds:     HELLO first, once; CALL answered by REPLY with the same call id; NOTE.
 * A failing REPLY carries a struct problem instead of the reply struct, or nothing.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_IPC_INTERNAL_H
#define RT_IPC_INTERNAL_H

#include <assert.h>

#include "base/limits.h"
#include "rt/ipc.h"
#include "rt/ipc_codec.h"
#include "rt/loop.h"

#define IPC_PROTOCOL 1u
/* Callers and handlers wait while more output than this waits for the peer. */
#define IPC_OUT_HIGH   (1u << 20)
#define IPC_OUT_MAX    (IPC_OUT_HIGH + 8u * LIMIT_IPC_FRAME_BYTES)
#define IPC_READ_BYTES 65536u
/* Call id: slot in the low bits, how often the slot was used above. */
#define IPC_SLOT_BITS 12u
static_assert(LIMIT_IPC_IN_FLIGHT <= 1 << IPC_SLOT_BITS, "a slot for every call in flight");

enum ipc_kind { IPC_HELLO, IPC_CALL, IPC_REPLY, IPC_NOTE };
struct ipc_frame {
    uint32_t length;
    uint32_t tag;
    uint32_t call;
    uint32_t ring_bytes; /* of bulk fields, taken from the ring in order of the frames */
    uint16_t id;
    uint8_t kind;
    uint8_t status;
};
static_assert(sizeof(struct ipc_frame) == 20, "no padding");

struct ipc_waiting; /* a caller, on its own stack */
struct ipc_slot {
    struct ipc_waiting *waiting; /* NULL with call != NULL: the caller gave up */
    const struct ipc_call *call; /* NULL = free */
    uint32_t uses;
    uint32_t next_free; /* index + 1 */
};
struct ipc_known { /* a service of the peer */
    const char *name;
    uint64_t hash;
};

struct ipc_peer {
    struct watch watch; /* must be first: watch.fd is the socket, -1 = closed */
    struct deferred turn_end;
    struct timer retry;
    struct list node; /* among the ended ones */
    struct ipc_options o;
    const struct ipc_service *serves[IPC_SERVICES_MAX];
    struct ring_pair rings; /* base NULL = none */
    bool open, hello_seen, hello_checked, paused, deaf, ended;
    uint32_t watched; /* epoll events */
    const char *violation;
    uint32_t refs; /* fibers that are inside a call or a handler */

    struct buf in, out;
    size_t out_sent, frame_start;

    /* caller's side */
    struct ipc_slot *slots;
    uint32_t slot_count, slot_free, in_flight;
    struct fiber_queue room; /* for a slot or for output */
    char peer_names[IPC_SERVICES_MAX][32];
    struct ipc_known peer_serves[IPC_SERVICES_MAX];
    size_t peer_serve_count;
    const struct ipc_service *used[IPC_SERVICES_MAX]; /* called by us so far */
    size_t used_count;

    /* server's side */
    size_t arena_budget;
    struct list spare;   /* requests to use again, each with its arena */
    struct list backlog; /* no fiber was free */
    uint32_t spare_count, calls_served, notes_served;
};

/* ipc.c */
void ipc_break(struct ipc_peer *p, const char *violation); /* NULL = simply lost */
bool ipc_out_is_high(const struct ipc_peer *p);
/* Starts a frame; the writer appends to p->out. */
struct ipc_writer ipc_frame_begin(struct ipc_peer *p);
/* Completes it: length and ring_bytes of f are filled in.  Takes it back and says false when !ok or too long. */
bool ipc_frame_end(struct ipc_peer *p, const struct ipc_writer *w, struct ipc_frame *f, bool ok);
/* A reader of a received frame: payload copied into a.  False (bad, over) when a is too small. */
bool ipc_reader_init(struct ipc_reader *r, struct ipc_peer *p, const struct ipc_frame *f,
                     const char *payload, struct arena *a);
void ipc_read_again(struct ipc_peer *p);
void ipc_problem_put(struct buf *b, const struct problem *why);
bool ipc_problem_get(struct str payload, struct problem *out);

/* ipc_call.c: false = violation */
bool ipc_on_reply(struct ipc_peer *p, const struct ipc_frame *f, const char *payload);
void ipc_fail_callers(struct ipc_peer *p);
bool ipc_knows(struct ipc_peer *p, const struct ipc_service *s);

/* ipc_serve.c: false = violation */
bool ipc_on_request(struct ipc_peer *p, const struct ipc_frame *f, const char *payload);
void ipc_start_backlog(struct timer *t);
void ipc_drop_requests(struct ipc_peer *p);

#endif
