/* scanner.h - programs that are shown a whole message and say what it is: spamd, clamd, rspamd.
 *
 * Life:      scanner_begin(), scanner_bytes() for each piece, scanner_end() for the answer; each message on a
 *            connection of its own, as these protocols want it.
 * Promises:  an answer has at most LIMIT_SCANNER_ANSWER_BYTES; what it says is printable ASCII and bounded.  A
 *            failure has words for the log.
 *            The message is as long as was said before, or the scanner is not believed.
 * Suspends:  while it connects, writes and reads; the answer takes at most the time limit of the filter.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FILTER_SCANNER_H
#define FILTER_SCANNER_H

#include "base/arena.h"
#include "base/scan.h"
#include "filter/link.h"

/* What a scanner wants done, rising. */
enum scanner_wish {
    SCANNER_FINE,
    SCANNER_JUNK,
    SCANNER_HOLD,
    SCANNER_DEFER,
    SCANNER_REFUSE,
    SCANNER_DISCARD,
};
#define SCANNER_WISHES    (SCANNER_DISCARD + 1)
#define SCANNER_TEXT_MAX  200u
#define SCANNER_TESTS_MAX 600u
struct scanner_answer {
    enum scanner_wish wish;
    bool has_score;
    int32_t score, required; /* in hundredths of a point */
    struct str text;         /* for the client: a virus's name, or why; may be empty */
    struct str tests;        /* names of what fits, with commas between them */
};
struct scanner_mail {
    uint64_t size; /* of all that will be shown */
    struct str id, client, helo, sender, user;
    const struct str *rcpts;
    size_t rcpt_count;
};
struct scanner {
    const struct config_filter *filter;
    struct link *link;
    uint64_t left; /* of the size */
    bool deaf;     /* it reads no more, and perhaps has answered */
    const char *why;
};
MUST_USE SUSPENDS enum status scanner_begin(struct scanner *s, const struct config_filter *f,
                                            const struct scanner_mail *m);
MUST_USE SUSPENDS enum status scanner_bytes(struct scanner *s, struct str piece);
/* ERR_NOT_FOUND: it says that it cannot judge this message; its words are s->why, which lives in a. */
MUST_USE SUSPENDS enum status scanner_end(struct scanner *s, struct arena *a,
                                          struct scanner_answer *out);
void scanner_drop(struct scanner *s); /* safe twice */

/* ---- the protocols: what goes before the message, and what comes ---- */

/* spamd.c: SPAMC/1.5.  The one recipient's address is its user. */
void spamd_head_write(struct buf *b, const struct scanner_mail *m);
/* rspamd.c: POST /checkv2. */
void rspamd_head_write(struct buf *b, const struct scanner_mail *m);
/* bytes: all that came.  ERR_SYNTAX: it is no answer.  ERR_NOT_FOUND: out->text says why there is no judgement. */
MUST_USE enum status spamd_answer_read(struct str bytes, struct arena *a,
                                       struct scanner_answer *out);
MUST_USE enum status rspamd_answer_read(struct str bytes, struct arena *a,
                                        struct scanner_answer *out);
MUST_USE enum status clamd_answer_read(struct str bytes, struct arena *a,
                                       struct scanner_answer *out);

/* Without what a client or a header could take for more than a text: at most max bytes of printable ASCII. */
struct str scanner_text(struct str s, size_t max, struct arena *a);
/* points = [ "-" ] 1*DIGIT [ "." *DIGIT ], in hundredths, below SCANNER_POINTS_MAX; further digits are cut. */
#define SCANNER_POINTS_MAX 100000000
MUST_USE bool scanner_points(struct scan *s, int32_t *out);

#endif
