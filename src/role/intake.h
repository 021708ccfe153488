/* intake.h - message bodies on their way in: from a worker, through a cook, to a blob.
 *
 * Owns:      the blob handles of each channel, and the channels to the cooks.
 * Promises:  a body is copied once into private memory; cook and engine see that copy.  The least busy cook gets
 *            a message; a cook that fails gets one more chance in another; then ERR_TEMP.  Handles and
 *            buffered bytes are bounded (ERR_LIMIT).  A body that is dropped or taken leaves nothing behind.
 * Never:     parses a body.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_INTAKE_H
#define ROLE_INTAKE_H

#include "engine/engine.h"
#include "ipc/cook_ipc.h"
#include "rt/ipc.h"

struct intake;
struct intake_source; /* one channel that sends bodies */

/* What cook said of a body (ipc/cook.ipc, facts). */
struct intake_facts {
    struct str record, sort;
    uint64_t message_id_hash;
    const uint64_t *reference_hashes;
    size_t reference_count;
    struct str from_domain;
    struct str message_id; /* for the log; not kept in the queue */
    uint32_t received_count;
    uint64_t header_bytes;
    bool eight_bit;
    const uint64_t *forward_marks; /* known while it comes in, and not stored */
    size_t forward_mark_count;
    struct str dkim_headers, dkim_names, dkim_body_hash; /* empty unless asked for */
};
struct intake_body {
    struct blob_id id; /* engine_blob_forget() it unless a commit refers to it */
    uint64_t size;
    uint64_t tid; /* of its transaction, for the log; 0 = none */
    struct intake_facts facts;
};

struct intake *intake_new(struct engine *e);
void intake_free(struct intake **in);

void intake_cook_add(struct intake *in, struct ipc_peer *cook);
void intake_cook_gone(struct intake *in, struct ipc_peer *cook);
size_t intake_cooks(const struct intake *in);

/* want_dkim: large bodies of this channel may be submissions. */
struct intake_source *intake_source_new(struct intake *in, bool want_dkim);
void intake_source_free(struct intake_source **s);
/* spool: for intake_read(), not for intake_take(). */
MUST_USE enum status intake_open(struct intake_source *s, uint64_t size_hint, bool spool,
                                 uint32_t *handle_out);
/* In the order of the calls.  After a failure the handle stays until dropped or taken, and refuses the rest. */
MUST_USE SUSPENDS enum status intake_add(struct intake_source *s, uint32_t handle,
                                         struct str bytes);
/* Of a spool, which is complete from then on.  At most IPC's bulk of bytes, empty at the end. */
struct intake_range {
    uint64_t offset;
    uint32_t max;
};
MUST_USE SUSPENDS enum status intake_read(struct intake_source *s, uint32_t handle,
                                          const struct intake_range *r, struct arena *a,
                                          struct str *out);
void intake_drop(struct intake_source *s, uint32_t handle);

/* Which body a call means: a handle of its channel, or 0 and the bytes. */
struct intake_which {
    struct intake_source *source;
    uint32_t handle;
    struct str bytes;
    bool want_dkim;
    uint64_t tid; /* of the transaction, for the log */
};
/* Ends the handle, whatever comes out.  ERR_LIMIT: larger than LIMIT_MESSAGE_BYTES.  ERR_TEMP: no cook could
 * do it.  ERR_SYNTAX: no such handle.  Strings live in a. */
MUST_USE SUSPENDS enum status intake_take(struct intake *in, const struct intake_which *which,
                                          struct arena *a, struct intake_body *out);
/* The same in three steps for what strangers send: looked at; judged, when DNS has answered; kept, with the field of
 * the judge in front.  A cook that fails in between gets one more chance in another.  At most LIMIT_COOK_KEPT are
 * between the steps: ERR_TEMP.  which, its bytes, who and a must outlive it. */
struct intake_look;
struct intake_asks { /* of DNS */
    const struct str *names, *exists;
    size_t name_count, exists_count;
};
struct intake_judged {
    struct str field;
    struct cook_verdict verdict;
    struct intake_facts facts; /* of field and message */
};
MUST_USE SUSPENDS enum status intake_look(struct intake *in, const struct intake_which *which,
                                          const struct cook_stranger *who, struct arena *a,
                                          struct intake_look **out);
void intake_look_free(struct intake_look **l);
const struct intake_asks *intake_look_asks(const struct intake_look *l);
/* answers: its handle is filled in here. */
MUST_USE SUSPENDS enum status intake_judge(struct intake_look *l, const struct cook_judge *answers,
                                           struct arena *a, struct intake_judged *out);
/* Once; without it nothing of the message stays. */
MUST_USE SUSPENDS enum status intake_keep(struct intake_look *l, const struct intake_judged *j,
                                          struct intake_body *out);
/* A body of our own (reports). */
MUST_USE SUSPENDS enum status intake_make(struct intake *in, struct str bytes, struct arena *a,
                                          struct intake_body *out);
/* The same, with what DKIM signs of it. */
MUST_USE SUSPENDS enum status intake_make_signed(struct intake *in, struct str bytes,
                                                 struct arena *a, struct intake_body *out);
/* The facts of a stored body once more. */
MUST_USE SUSPENDS enum status intake_facts_again(struct intake *in, struct blob_id id,
                                                 struct arena *a, struct intake_facts *out);

/* What a set of ARC on a stored body is made of.  ERR_NOT_FOUND: nothing of ours stands on top of it that could be
 * repeated, or it must not be sealed. */
struct cook_arc_facts;
MUST_USE SUSPENDS enum status intake_arc(struct intake *in, struct blob_id id,
                                         struct str authserv_id, struct arena *a,
                                         struct cook_arc_facts *out);

/* As stored beside a queue entry. */
void intake_facts_write(const struct intake_facts *f, struct buf *b);
MUST_USE enum status intake_facts_read(struct str bytes, struct arena *a, struct intake_facts *out);

#endif
