/* link.h - one connection to a policy server, milter or scanner, and those that wait for their next use.
 *
 * Owns:      the connections of this process that nobody uses: at most LIMIT_FILTER_KEPT to one filter, each for
 *            LIMIT_FILTER_KEEP_S.
 * Promises:  never more than LIMIT_FILTER_CONNS to one filter.  What the other side sends is taken in bounded pieces.
 *            One that the other side closed, or wrote to unasked, is not used again.
 *            ERR_LIMIT is a limit of our own and says nothing of the filter; what the filter overdoes is ERR_SYNTAX.
 * Suspends:  while it connects, reads and writes; every wait has an end.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FILTER_LINK_H
#define FILTER_LINK_H

#include "config/config.h"
#include "rt/conn.h"

struct link;

/* What the process gives: a stream socket to config_filter.where, connected or about to be. */
struct link_verbs {
    /* SUSPENDS.  ERR_LIMIT: nothing was tried. */
    enum status (*dial)(struct str where, int64_t timeout_ms, int *fd_out);
};
/* Once per process; v NULL: no filter can be reached. */
void link_init(const struct link_verbs *v);

/* fresh: none that waited.  ERR_TEMP, ERR_TIMEOUT: there is nobody; ERR_LIMIT: we have, or ask for, too many. */
MUST_USE SUSPENDS enum status link_take(const struct config_filter *f, bool fresh,
                                        struct link **out);
bool link_was_kept(const struct link *l);                           /* it had an earlier use */
int64_t link_until(const struct config_filter *f, uint32_t factor); /* now and its time limit */
/* What was agreed on when it was new, as its protocol has it; version 0: nothing yet. */
struct link_terms {
    uint32_t version, actions, steps;
};
struct link_terms *link_terms(struct link *l);
MUST_USE SUSPENDS enum status link_write(struct link *l, struct str bytes);
MUST_USE SUSPENDS enum status link_flush(struct link *l); /* reading does this as well */
const char *link_words(enum status st);                   /* of a failure, for the log */
/* A line without its end, CRLF or LF.  ERR_SYNTAX: with a NUL or CR inside, or too long. */
MUST_USE SUSPENDS enum status link_line(struct link *l, int64_t until_ms, struct str *line_out);
/* Exactly n bytes more, at the end of b. */
MUST_USE SUSPENDS enum status link_read(struct link *l, size_t n, int64_t until_ms, struct buf *b);
/* All that comes until the other side ends; what is too much for b is ERR_SYNTAX. */
MUST_USE SUSPENDS enum status link_rest(struct link *l, int64_t until_ms, struct buf *b);
void link_keep(struct link **l); /* for the next use; nothing of this one is left in it */
void link_drop(struct link **l); /* fits AUTO() */
void link_forget_all(void);      /* closes what waits: for tests */

#endif
