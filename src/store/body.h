/* body.h - the bytes of messages.
 *
 * Owns:      nothing; bytes live in the caller's arena.
 * Promises:  what is given was checked against its checksum.  ERR_NOT_FOUND: no such message.
 * Suspends:  all of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_BODY_H
#define STORE_BODY_H

#include "store/message.h"

struct body_range {
    uint64_t offset;
    size_t max;
};
struct body_reply {
    uint64_t size; /* of the whole message */
    struct str bytes;
};
MUST_USE SUSPENDS enum status message_body(struct cell *account, uint64_t mid,
                                           const struct body_range *r, struct arena *a,
                                           struct body_reply *out);

#define BODIES_MAX 32u
struct bodies_range {
    const uint64_t *mids;
    size_t count; /* at most BODIES_MAX */
    size_t all;   /* bytes together */
    size_t each;
};
/* Bodies of a prefix of mids, whole; it ends before the first that is not there, is longer than each, or does not
 * fit. */
MUST_USE SUSPENDS enum status message_bodies(struct cell *account, const struct bodies_range *r,
                                             struct arena *a, struct str *bodies_out,
                                             size_t *count_out);

#endif
