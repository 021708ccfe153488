/* body.h - a message on its way from the wire to the store.
 *
 * Owns:      at most one piece of BODY_PIECE_MAX bytes, and a blob handle in the store once there is more.
 *            Of a submission also From and Sender, at most LIMIT_WRITERS_BYTES.
 * Promises:  takes everything up to CRLF "." CRLF even after a failure, so that the session stays in step;
 *            the first failure is kept and told at the end.  Never more than size_max bytes go on.
 *            What BDAT brought (RFC 3030) is held to the same line ends; binary parts of BODY=BINARYMIME become base64
 *            first (mail/unbinary.h), so that sizes, signatures and copies are of what is kept.
 * Suspends:  while a full piece is handed to the store.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_BODY_H
#define SMTP_BODY_H

#include "mail/header_filter.h"
#include "mail/line.h"
#include "mail/unbinary.h"
#include "rt/ipc.h"
#include "smtp/fold.h"
#include "smtp/forged.h"

#define BODY_PIECE_MAX (256u * 1024)

/* Header fields that a submission must have (RFC 6409 section 8). */
struct smtp_body_fields {
    struct str date; /* complete fields with CRLF, added when the message has none */
    struct str message_id;
    struct str from; /* also instead of one that names nobody */
};
struct smtp_body {
    struct ipc_peer *store; /* the channel that the handle is of */
    uint32_t handle;        /* 0 = everything is still here */
    struct buf piece;
    uint64_t size, size_max;
    uint64_t prefix; /* bytes of trace fields before them */
    struct line_decoder lines;
    struct unbinary *unbinary; /* owned; NULL: not of BODY=BINARYMIME */
    bool filtered; /* submission: clean the header, fold long lines before anything is signed */
    struct header_filter filter;
    struct fold fold; /* of a submission */
    bool guarded;     /* fields that only we may write are taken out */
    struct forged forged;
    struct smtp_body_fields add;
    struct buf from;    /* the From field under way: it goes on when it is whole */
    struct buf writers; /* From and Sender as they went on, for whoever judges them */
    enum status failed;
    bool complete;
    bool spool; /* what the store has of it is read again, and not delivered */
};

/* prefix: trace fields that go first.  fields: NULL for mail from strangers. */
struct smtp_body *smtp_body_new(struct ipc_peer *store, struct str prefix, uint64_t size_max,
                                const struct smtp_body_fields *fields);
/* Before the first byte: they are counted, and the caller says which is the last. */
void smtp_body_count(struct smtp_body *b);
/* The same, and wrong line ends and NUL are put right as in a submission. */
void smtp_body_mend(struct smtp_body *b);
/* The same, and it may have binary parts (BODY=BINARYMIME). */
void smtp_body_binary(struct smtp_body *b);
/* Before the first byte: it is from others, who must not write what only this host may (forged.h).  What the prefix and
 * smtp_body_put() bring stays. */
void smtp_body_guard(struct smtp_body *b, struct str host);
/* Before the first byte: it will be read by smtp_body_read(), not delivered; but for one that is still here. */
void smtp_body_spool(struct smtp_body *b);
/* Bytes that are right already. */
SUSPENDS void smtp_body_put(struct smtp_body *b, struct str bytes);
/* After smtp_body_finish(): at most max bytes from there, empty at the end. */
MUST_USE SUSPENDS enum status smtp_body_read(const struct smtp_body *b, uint64_t offset,
                                             uint32_t max, struct arena *a, struct str *out);
void smtp_body_free(struct smtp_body **b); /* drops the handle unless smtp_body_taken() */
/* Consumes from *in up to the end of the message; b->complete says whether it was seen. */
SUSPENDS void smtp_body_feed(struct smtp_body *b, struct scan *in);
/* The end of a counted one.  A last line without its end gets one. */
SUSPENDS void smtp_body_last(struct smtp_body *b);
/* What is known to be wrong with the message already; OK so far otherwise. */
enum status smtp_body_fault(const struct smtp_body *b);
/* After the end: the last piece is in b->piece (handle 0) or sent (handle > 0). */
MUST_USE SUSPENDS enum status smtp_body_finish(struct smtp_body *b);
void smtp_body_taken(struct smtp_body *b); /* the store's by now */

#endif
