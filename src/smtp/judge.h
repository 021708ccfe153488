/* judge.h - what policy servers say of a transaction.
 *
 * Owns:      nothing; what was decided is in the transaction (struct smtp_judgement).
 * Promises:  a filter that cannot be asked is logged, and its line of the configuration says what becomes of the mail.
 *            When it is not asked because of a limit of our own, the answer is 451 whatever that line says.
 *            LMTP is not judged: its client did so before.
 * Suspends:  while a filter thinks, each at most its time limit.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_JUDGE_H
#define SMTP_JUDGE_H

#include "smtp/session.h"

/* Code 0: go on.  The texts of the reply live until the next judgement of the session. */
MUST_USE SUSPENDS struct smtp_reply smtp_judge_rcpt(struct smtp_session *s, struct str rcpt);
/* The message is in, and nobody has promised anything. */
MUST_USE SUSPENDS struct smtp_reply smtp_judge_end(struct smtp_session *s);
/* Is any filter of this kind for the session's service? */
bool smtp_is_judged(const struct smtp_session *s, enum filter_kind kind);
bool smtp_filter_applies(const struct smtp_session *s, const struct config_filter *f);
/* Puts a reply into the session, where it lives on. */
struct smtp_reply smtp_verdict(struct smtp_session *s, int code, const char *enhanced,
                               struct str text);
/* The reply while a filter cannot be asked; code 0: the mail goes on without it.  ERR_LIMIT: because of us, not the
 * filter; then the mail never goes on.  Logs that. */
struct smtp_reply smtp_judge_absent(struct smtp_session *s, const struct config_filter *f,
                                    const char *stage, enum status st, const char *why);

/* Of a verdict, for the log. */
struct smtp_judged {
    const struct config_filter *filter;
    const char *stage, *action;
    int code;
    struct str text, rcpt;
};
void smtp_log_judged(const struct smtp_session *s, const struct smtp_judged *j);

#endif
