/* intake_internal.h - shared by intake.c (handles) and intake_cook.c (cooks).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_INTAKE_INTERNAL_H
#define ROLE_INTAKE_INTERNAL_H

#include "base/limits.h"
#include "base/list.h"
#include "role/intake.h"

#define INTAKE_WHOLE_MAX 262144u /* body of cook's call "whole", and a slice of "add" */

struct intake {
    struct engine *engine;
    struct list cooks; /* of struct cook */
    uint64_t last_serial;
    struct fiber_queue arrivals;
    uint64_t buffered; /* bytes of small bodies in memory */
    uint32_t cooking;  /* messages that wait for a cook's answer */
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
