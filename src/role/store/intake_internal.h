/* intake_internal.h - shared by intake.c (handles) and intake_cook.c (cooks).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_INTAKE_INTERNAL_H
#define ROLE_STORE_INTAKE_INTERNAL_H

#include "base/limits.h"
#include "base/list.h"
#include "role/store/intake.h"

#define INTAKE_WHOLE_MAX 262144u /* body of cook's calls "whole" and "look", and a slice of "add" */

struct intake {
    struct engine *engine;
    struct list cooks; /* of struct cook */
    uint64_t last_serial;
    struct fiber_queue arrivals;
    uint64_t buffered; /* bytes of small bodies in memory */
    uint32_t cooking;  /* messages that wait for a cook's answer */
    uint32_t looked;   /* of strangers that wait for somebody else's */
    uint32_t ahead;    /* bodies that a cook has before they are whole */
};
struct cook {
    struct list in_intake;
    uint64_t serial; /* outlives the channel, which may be gone after any call */
    struct ipc_peer *peer;
    uint32_t messages; /* given to it so far */
    uint32_t open;     /* of them not yet answered */
};
/* A large body on its way through one cook.  A failure is remembered, and seen at the end. */
struct cook_stream {
    uint64_t serial; /* of the cook; 0 = none, or it failed */
    uint32_t handle;
    bool want_dkim;
};

/* A body under way, by its handle. */
struct incoming {
    struct intake *in;
    uint32_t handle;
    uint32_t users; /* calls that hold it */
    bool dead;      /* dropped, taken, or the channel is gone */
    enum status failed;
    uint64_t size, size_hint;
    struct buf small;
    struct blob_writer *writer; /* once it is large; headed where strangers' mail comes in */
    bool spool, sealed, headed;
    bool ahead;        /* in intake.ahead */
    struct blob_id id; /* of a large spool that is sealed */
    struct cook_stream cook;
    struct fiber_lock turn;
};

/* ---- role/store/intake.c ---- */
/* Takes the body of a call out of its slot when the calls before this one are through; let go of it with
 * intake_let_go(), whatever comes out.  *out stays NULL when there is no such handle. */
MUST_USE SUSPENDS enum status intake_seize(const struct intake_which *which, struct incoming **out);
void intake_let_go(struct incoming **b);

/* ---- role/store/intake_cook.c ---- */
/* Another cook than last time when there is another. */
SUSPENDS struct cook *intake_cook_pick(struct intake *in, uint64_t not_this);
struct cook *intake_cook_find(const struct intake *in, uint64_t serial); /* NULL: gone */
void intake_cook_begin_message(struct intake *in, struct cook *c);
void intake_cook_end_message(struct intake *in, uint64_t serial);
void intake_take_facts(const struct cook_facts *f, struct intake_facts *out);
/* A stored body to the stream's cook, by which it may have failed; ERR_*: it cannot be read. */
MUST_USE SUSPENDS enum status intake_cook_stream(struct intake *in, struct cook_stream *s,
                                                 struct blob_id id, uint64_t size);
MUST_USE SUSPENDS enum status intake_cook_whole(struct intake *in, struct str body, bool want_dkim,
                                                struct arena *a, struct intake_facts *out);
SUSPENDS void intake_cook_begin(struct intake *in, struct cook_stream *s, uint64_t size_hint);
SUSPENDS void intake_cook_put(struct intake *in, struct cook_stream *s, struct str bytes);
/* ERR_TEMP: the stream has failed; intake_cook_blob() is the second chance. */
MUST_USE SUSPENDS enum status intake_cook_end(struct intake *in, struct cook_stream *s,
                                              struct arena *a, struct intake_facts *out);
void intake_cook_drop(struct intake *in, struct cook_stream *s);
/* From the stored body. */
MUST_USE SUSPENDS enum status intake_cook_blob(struct intake *in, struct blob_id id, bool want_dkim,
                                               struct arena *a, struct intake_facts *out);

#endif
