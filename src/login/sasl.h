/* sasl.h - one SASL exchange (RFC 4422) of a session, the same for IMAP, POP3 and SMTP.
 *
 * Use:       sasl_begin() for the command, then sasl_line() for each line of the client while the answer is
 *            SASL_CHALLENGE.  A protocol sends the challenges and says the rest in its own words.
 * Owns:      what an exchange needs to remember between two lines; nothing between exchanges.
 * Promises:  mechanisms SCRAM-SHA-256-PLUS, SCRAM-SHA-256, PLAIN, LOGIN, and OAUTHBEARER and XOAUTH2 after
 *            sasl_take_tokens(); the first only where TLS can be bound to
 *            (RFC 9266), and where it is listed who says that we do not offer it is refused.  For submission it is
 *            taken but not listed (docs/decisions/scram-plus-unlisted.md).  Only SASL_DONE leaves a grant.
 * Suspends:  sasl_begin() and sasl_line(), while auth works.
 * RFC:       4422, 4616, 5802, 7628, 7677, 9266; LOGIN as in draft-murchison-sasl-login, XOAUTH2 as Google and
 *            Microsoft document it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LOGIN_SASL_H
#define LOGIN_SASL_H

#include "login/login.h"

enum sasl_verdict {
    SASL_CHALLENGE, /* send it, rest for a line */
    SASL_DONE,      /* logged in as account */
    SASL_CANCELLED, /* the client said "*" */
    SASL_MALFORMED, /* no response of this mechanism */
    SASL_UNKNOWN,   /* no such mechanism, here and now */
    SASL_OTHER,     /* it asks to act as somebody else */
    SASL_FAILED,    /* see status: DENIED, LIMIT, or cannot tell now */
};
struct sasl_answer {
    enum sasl_verdict verdict;
    enum status status;           /* of SASL_FAILED */
    struct str challenge;         /* base64, in the arena */
    struct login_account account; /* strings in the arena */
};

struct sasl_scram;
/* At rest all zero. */
struct sasl {
    uint8_t step;             /* sasl.c: what the next line is; 0 = none is expected */
    struct str name;          /* owned; of LOGIN */
    struct sasl_scram *scram; /* owned */
};
/* Offers OAUTHBEARER and XOAUTH2; the issuer is told to who has no good token, and outlives all sessions.  Empty:
 * offers neither. */
void sasl_take_tokens(struct str issuer);
/* Names of the mechanisms to tell this connection of, each behind before: " AUTH=", " ". */
void sasl_list(const struct conn *c, enum login_protocol p, struct str before, struct buf *out);
/* As the command had them.  "" for initial: there was none, "=": an empty one (RFC 4954 section 4). */
struct sasl_begin {
    struct str mechanism, initial;
};
/* *f->session is another number afterwards when the old one cannot be used again. */
MUST_USE SUSPENDS struct sasl_answer sasl_begin(struct sasl *x, const struct login_from *f,
                                                const struct sasl_begin *how, struct arena *a);
MUST_USE SUSPENDS struct sasl_answer sasl_line(struct sasl *x, const struct login_from *f,
                                               struct str line, struct arena *a);
/* Gives an exchange up, if there is one: the line was broken, TLS begins, the session ends.  f as above. */
void sasl_end(struct sasl *x, const struct login_from *f);

#endif
