/* commands.h - the commands, by the file that has them, and what they share.
 *
 * A command has its arguments in c->in, answers with exactly one tagged reply (imap_ok, imap_no, imap_bad, imap_failed
 * or imap_write_failed), and returns OK unless the connection failed.  imap_ok and imap_no tell what is new in the
 * selected mailbox first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_COMMANDS_H
#define IMAP_COMMANDS_H

#include "imap/parse.h"
#include "imap/session.h"

/* auth.c */
SUSPENDS enum status imap_cmd_capability(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_noop(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_logout(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_id(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_enable(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_namespace(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_starttls(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_login(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_authenticate(struct imap_cmd *c);
/* The answer to a "+" of AUTHENTICATE. */
MUST_USE SUSPENDS enum status imap_sasl_line(struct imap_session *s, struct str line);

/* mailbox.c */
SUSPENDS enum status imap_cmd_create(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_delete(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_rename(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_subscribe(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_unsubscribe(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_status(struct imap_cmd *c);

/* quota.c */
SUSPENDS enum status imap_cmd_getquota(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_getquotaroot(struct imap_cmd *c);

/* list.c */
SUSPENDS enum status imap_cmd_list(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_lsub(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_xlist(struct imap_cmd *c);

/* select.c */
SUSPENDS enum status imap_cmd_select(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_examine(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_close(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_unselect(struct imap_cmd *c);

/* idle.c */
SUSPENDS enum status imap_cmd_idle(struct imap_cmd *c);
MUST_USE SUSPENDS enum status imap_idle_line(struct imap_session *s, struct str line);
MUST_USE SUSPENDS enum status imap_idle_news(struct imap_session *s);
MUST_USE SUSPENDS enum status imap_idle_timeout(struct imap_session *s);

/* append.c */
SUSPENDS enum status imap_cmd_append(struct imap_cmd *c);
/* Is head, which ends with this literal, an APPEND up to its message?  Then *taken_out, and the session rests for the
 * message or was told NO. */
MUST_USE SUSPENDS enum status imap_append_begin(struct imap_session *s, struct str head,
                                                const struct imap_literal *lit, bool *taken_out);
MUST_USE SUSPENDS enum status imap_append_bytes(struct imap_session *s, bool *more_out);
MUST_USE SUSPENDS enum status imap_append_line(struct imap_session *s, struct str line);
void imap_append_free(struct imap_append **a);
void imap_append_store_lost(struct imap_append *a);

/* store.c, copy.c, expunge.c */
SUSPENDS enum status imap_cmd_store(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_copy(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_move(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_expunge(struct imap_cmd *c);

/* fetch.c, search.c */
SUSPENDS enum status imap_cmd_fetch(struct imap_cmd *c);
SUSPENDS enum status imap_cmd_search(struct imap_cmd *c);

/* ---- shared ---- */
/* The store's channel, waited for while it is away, up to 10 s; then ERR_TEMP. */
MUST_USE SUSPENDS enum status imap_store(struct imap_session *s, struct ipc_peer **out);
/* ERR_NOT_FOUND also for a name without a mailbox.  m_out lives in a. */
struct store_mailbox;
MUST_USE SUSPENDS enum status imap_find_mailbox(struct imap_session *s, struct str name,
                                                struct arena *a, struct store_mailbox *m_out);
/* The reply to a failed change: BYE when nobody knows whether it happened. */
MUST_USE SUSPENDS enum status imap_write_failed(struct imap_cmd *c, enum status e);
/* Numbers or UIDs as the client wrote them, to what is there: uids_out ascend.  False: a number that is none. */
struct store_range;
MUST_USE bool imap_uids(struct imap_cmd *c, struct imap_set *set,
                        const struct store_range **uids_out, size_t *n_out);
/* Removes those of the uids that have \Deleted from the selected mailbox; tells nobody. */
MUST_USE SUSPENDS enum status imap_expunge(struct imap_session *s, const struct store_range *uids,
                                           size_t n);
void imap_go_rest(struct imap_session *s, enum imap_rest rest);

#endif
