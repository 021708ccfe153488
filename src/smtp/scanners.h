/* scanners.h - spamd, clamd and rspamd at the end of a message: what they say, and what becomes of it.
 *
 * Promises:  each sees the whole message, with our trace fields, as the milters left it.  Nothing is promised to the
 *            client before all have judged.  The field X-Spam-Status is ours alone: others of that name go.
 *            A scanner that cannot judge is logged, and its line of the configuration says what becomes of the mail.
 *            LMTP is not judged: its client did so before.
 * Limits:    as milters.h.
 * Suspends:  while they think.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_SCANNERS_H
#define SMTP_SCANNERS_H

#include "smtp/judge.h"

/* The message of the session has to be in a spool until smtp_scanners_end() was there. */
bool smtp_is_scanned(const struct smtp_session *s);
/* Code 0: go on.  A failure is that of the store, or of a limit. */
MUST_USE SUSPENDS enum status smtp_scanners_end(struct smtp_session *s, struct smtp_reply *out);

#endif
