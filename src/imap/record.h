/* record.h - what is known of a message: from its record, or from its body where that fails.
 *
 * Suspends:  all do.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_RECORD_H
#define IMAP_RECORD_H

#include "imap/session.h"
#include "mail/record.h"

/* More is never read into memory for one message. */
#define IMAP_BODY_MAX (64u << 20)

struct store_record;
struct store_records_reply;
/* The records of the first of these messages, rep->done of them: at least one, and as many as fit. */
MUST_USE SUSPENDS enum status imap_records(struct imap_session *s, const uint64_t *mids,
                                           size_t count, struct arena *a,
                                           struct store_records_reply *rep);
/* All size bytes of a message.  ERR_LIMIT: more than *body takes; ERR_NOT_FOUND: it is gone. */
MUST_USE SUSPENDS enum status imap_read_body(struct imap_session *s, uint64_t mid, uint64_t size,
                                             struct buf *body);
/* Opens the record that came with r; *out points into r, or into *made (of RECORD_MAX) when it had to be made anew. */
MUST_USE SUSPENDS enum status imap_record(struct imap_session *s, const struct store_record *r,
                                          struct buf *made, struct record *out);

#endif
