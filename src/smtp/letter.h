/* letter.h - a whole message while filters judge and change it: its header here, its body in a spool.
 *
 * Owns:      the body that it reads where that is not the session's own.
 * Promises:  what nobody changed is written as it came.  Only the header is in memory, at most LIMIT_HEADER_BYTES.
 * Suspends:  reading and writing, for the store.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_LETTER_H
#define SMTP_LETTER_H

#include "filter/fields.h"
#include "smtp/session.h"

#define LETTER_ARENA (16u << 20)
#define LETTER_PIECE 65536u

/* The message as it is now. */
struct letter {
    struct smtp_session *s;
    struct arena *arena;
    struct fields fields;
    struct smtp_body *body;    /* where the bytes of its body are ... */
    uint64_t at;               /* ... from here on */
    struct smtp_body *renewed; /* a body that a milter has begun to write, or NULL */
    bool changed;
    uint32_t changes; /* of the milter at work */
};
/* A list of {.s, .arena, .body}.  ERR_LIMIT: 552. */
MUST_USE SUSPENDS enum status letter_read(struct letter *l);
/* 552, if that is what it is. */
enum status letter_too_large(struct letter *l, enum status st);
/* Of all that letter_renew() would write. */
uint64_t letter_size(const struct letter *l);
/* The session's message is what the letter says.  spool: it is read once more, and not delivered yet. */
MUST_USE SUSPENDS enum status letter_renew(struct letter *l, bool spool);
void letter_release(struct letter *l);

#endif
