/* life.h - all that is known of one message, and the list of an address's messages.
 *
 * A transaction's lines have its tid; the queue entry made from it has a qid, and one line that has both; a report to
 * the sender is a queue entry of its own that one line of its message names.  From the mailbox on a message is its
 * account, mailbox and UID, which moves lead on from.
 * Promises:  bounded: of a longer life the beginning is told, and that it is cut.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_LIFE_H
#define TRACE_LIFE_H

#include "trace/reader.h"

#define TRACE_STEPS_MAX 4000u /* of one message: a thousand recipients, each tried some times */
#define TRACE_ID_BYTES  16u

struct trace_life {
    struct trace_hit *steps; /* by time */
    size_t count;
    bool cut;
};
/* id: 16 hex digits, of a transaction or a queue entry. */
void trace_life(struct trace_reader *r, struct str id, struct arena *a, struct trace_life *out);

/* The transactions (or queue entries without one) whose lines have a key; distinct, newest first. */
struct trace_query {
    enum trace_kind kind;
    struct str value;
    struct str since; /* beginning of a time as in the log, or empty */
    size_t max;
    struct str after; /* the newest ones up to this id are left out; empty: none is */
};
struct trace_ids {
    struct str *list; /* in the arena */
    size_t count;
    bool more;
};
void trace_ids(struct trace_reader *r, const struct trace_query *q, struct arena *a,
               struct trace_ids *out);

/* Lines of invitations, which belong to no message: the newest of an address, by time. */
void trace_invitations(struct trace_reader *r, const struct trace_query *q, struct arena *a,
                       struct trace_life *out);

/* What a word leads to: looked for as a message id, as an id (with or without its leading zeros), as an address.
 * FOUND_MESSAGES: lives of their own, of one message id or one id; of an address there may be invitations alone. */
enum trace_found { TRACE_FOUND_NOTHING, TRACE_FOUND_MESSAGES, TRACE_FOUND_ADDRESS };
struct trace_answer {
    enum trace_found found;
    struct trace_ids ids;          /* newest first */
    struct trace_life invitations; /* of an address */
};
/* kind of q does not count. */
void trace_look(struct trace_reader *r, const struct trace_query *q, struct arena *a,
                struct trace_answer *out);

/* What became of it, from the lines of its life. */
struct trace_summary {
    struct str time, message_id, size;
    const char
        *result; /* "delivered", "refused", "waiting", "failed", "partly delivered", "accepted" */
    struct str code; /* of a refusal */
};
struct trace_summary trace_summary(const struct trace_life *l, struct arena *a);

/* Is a UID among "5:9,12"?  n_out: in which range, and how far into it. */
bool trace_uids_have(struct str ranges, uint32_t uid, size_t *range_out, uint32_t *offset_out);
/* The UID so far into that range of another list. */
bool trace_uid_at(struct str ranges, size_t range, uint32_t offset, uint32_t *uid_out);

#endif
