/* milters.h - the milters of one transaction: what they hear while it goes on, and the message at its end.
 *
 * Owns:      from MAIL on, one connection to each milter that is asked (filter/milter.h).
 * Promises:  each milter sees the message as those before it left it, without our own trace fields, and before it is
 *            signed.  Nothing is promised to the client before all have judged.  A message is read from its spool in
 *            pieces; only its header is in memory, at most LIMIT_HEADER_BYTES.
 *            A body that a milter writes has CRLF at its line ends, and no bare CR, bare LF or NUL.
 *            A milter that fails is logged, and its line of the configuration says what becomes of the mail; of what it
 *            wanted changed in the message before that, nothing is.
 * Limits:    strangers of one address (a /32 or /64) hold LIMIT_FILTER_HOLDERS connections to each milter.  A client
 *            that is silent for MILTERS_PATIENCE times as long as a milter may be holds none: when it goes on, the
 *            milters hear all that was said as if it were new.
 * Suspends:  while milters think (all but smtp_milters_drop()).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_MILTERS_H
#define SMTP_MILTERS_H

#include "smtp/judge.h"

/* Replies of code 0: go on.  args: of the MAIL command, which was accepted. */
MUST_USE SUSPENDS struct smtp_reply smtp_milters_mail(struct smtp_session *s, struct str args);
MUST_USE SUSPENDS struct smtp_reply smtp_milters_rcpt(struct smtp_session *s, struct str rcpt);
/* A recipient was refused, by us or another filter. */
SUSPENDS void smtp_milters_refused(struct smtp_session *s, struct str rcpt,
                                   const struct smtp_reply *no);
MUST_USE SUSPENDS struct smtp_reply smtp_milters_data(struct smtp_session *s);
/* The message is in its spool, and becomes another one if milters change it.  A failure is that of the store, or of a
 * limit. */
MUST_USE SUSPENDS enum status smtp_milters_end(struct smtp_session *s, struct smtp_reply *out);
/* How long the client may be silent before smtp_milters_park(), in ms; 0: no connection is held. */
#define MILTERS_PATIENCE 3
int64_t smtp_milters_patience(const struct smtp_session *s);
/* Between two commands: gives the connections back until the client goes on. */
SUSPENDS void smtp_milters_park(struct smtp_session *s);
/* The transaction is over: their connections may be used again. */
SUSPENDS void smtp_milters_done(struct smtp_session *s);
void smtp_milters_drop(struct smtp_session *s);

#endif
