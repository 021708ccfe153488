/* status.h - the one closed set of results, assertions, and the detail that goes with a failure.
 *
 * Promises:  OK is 0.  An out-parameter is written only when the function returns OK.
 * Never:     maps to protocol text; each protocol directory does that for itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include "base/attr.h"

enum status {
    OK = 0,
    ERR_SYNTAX,    /* the input breaks its grammar */
    ERR_LIMIT,     /* a limit of the limits table was reached */
    ERR_NOT_FOUND, /* no such thing */
    ERR_EXISTS,    /* it is there already */
    ERR_DENIED,    /* not allowed, or wrong credentials */
    ERR_CONFLICT,  /* someone changed it first: read again and retry */
    ERR_TEMP,      /* nothing happened; may work later */
    ERR_TIMEOUT,   /* a deadline or a progress floor was missed */
    ERR_CLOSED,    /* the peer or the session is gone */
    ERR_CANCELLED, /* the fiber was told to stop */
    ERR_NO_SPACE,  /* the disk is full */
    ERR_IO,        /* the system failed; the outcome may be unknown */
    ERR_CORRUPT,   /* stored data fails its check */
    ERR_QUOTA,     /* the account's own limit is reached */
};
#define STATUS_COUNT (ERR_QUOTA + 1)

/* Lower-case name for logs: "ok", "syntax", "limit" ... */
const char *status_name(enum status s);

/* Returns e's status from the calling function unless it is OK.  The only macro that hides control flow. */
#define TRY(e)                         \
    do {                               \
        enum status try_status_ = (e); \
        if (try_status_ != OK)         \
            return try_status_;        \
    } while (0)

/* What to tell the peer or the operator about a failure; optional, filled where it happened. */
struct problem {
    int reply;         /* SMTP reply code, or 0 */
    char enhanced[12]; /* RFC 3463 code such as "5.1.1", or "" */
    char text[200];    /* one sentence without CR, LF or NUL inside */
};
/* p may be NULL.  Control bytes become '?', text that does not fit is cut. */
void problem_set(struct problem *p, int reply, const char *enhanced, const char *format, ...)
    PRINTF(4, 5);

/* Assertions stay on in release builds.  Never on input. */
#define ASSERT(c)                                  \
    do {                                           \
        if (__builtin_expect(!(c), 0))             \
            assert_failed(#c, __FILE__, __LINE__); \
    } while (0)
#define UNREACHABLE() assert_failed("unreachable", __FILE__, __LINE__)
NORETURN void assert_failed(const char *what, const char *file, int line);

#endif
