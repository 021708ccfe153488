/* queue_values.h - what stands in the queue cell.
 *
 *     'H'          head: the next qid
 *     'E' qid(8)   struct queue_message with its recipients
 *     record qid   cook's facts of the body, opaque
 * Values begin with a version byte.  Readers refuse what the writers cannot have written.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_QUEUE_VALUES_H
#define STORE_QUEUE_VALUES_H

#include "store/queue.h"

#define QUEUE_CELL        1u
#define QUEUE_RCPTS_MAX   LIMIT_SUBMIT_RCPTS
#define QUEUE_VALUE_MAX   (3u << 20) /* a thousand recipients with everything at its longest fit */
#define QUEUE_TEXT_MAX    512u
#define QUEUE_REMOTE_MAX  255u
#define QUEUE_ORCPT_MAX   600u
#define QUEUE_ENVID_MAX   128u
#define QUEUE_PREPEND_MAX 8192u

/* qid is the caller's: it stands in the key. */
void queue_message_write(const struct queue_message *m, struct buf *b);
/* Strings borrow from value; the recipients live in a. */
MUST_USE enum status queue_message_read(struct str value, struct arena *a,
                                        struct queue_message *out);
void queue_head_write(uint64_t next_qid, struct buf *b);
MUST_USE enum status queue_head_read(struct str value, uint64_t *next_qid_out);

#endif
