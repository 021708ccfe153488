/* imap_source.h - mail that another server has, read over IMAP.
 *
 * Owns:      one connection, made when it is needed, and made anew when it was lost.
 * Promises:  changes nothing there: folders are opened with EXAMINE, bodies asked for with BODY.PEEK.  What the server
 *            says is bounded (LIMIT_IMPORT_*); one body at a time is in memory, and up to 16 are on their way.
 *            A list of messages that is shorter than the folder is a failure: what lacks is not gone.
 * Suspends:  all calls marked so, within LIMIT_IMPORT_REPLY_S for each answer.  A connection that was lost is tried
 *            again with growing pauses.  ERR_TEMP: it stayed so.  ERR_DENIED: not let in, or a certificate that proves
 *            nothing.  ERR_SYNTAX: what is said is not IMAP.  imap_source_wrong() has it in words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MIGRATE_IMAP_SOURCE_H
#define MIGRATE_IMAP_SOURCE_H

#include "migrate/migrate.h"
#include "migrate/pop3_uidls.h"
#include "migrate/remote.h"

struct imap_source;
/* Server and login outlive it.  number: of its own, in the keys of messages. */
struct imap_source *imap_source_new(const struct remote_server *server,
                                    const struct remote_login *login, uint32_t number);
void imap_source_free(struct imap_source **s);
/* What POP3 calls the messages of INBOX; outlives it. */
void imap_source_uidls(struct imap_source *s, const struct pop3_list *list);
/* Of the last failure. */
const char *imap_source_wrong(const struct imap_source *s);
const char *imap_source_folder_wrong(const struct migrate_folder *f);
bool imap_source_is_dead(const struct imap_source *s);
/* How the server calls itself; empty = it did not say. */
struct str imap_source_program(const struct imap_source *s);

/* The folders of the user's own namespaces, without what other users share. */
MUST_USE SUSPENDS enum status imap_source_tree(struct imap_source *s, struct arena *a,
                                               struct migrate_tree *out);
/* Fills f, whose name, path and imap are given.  uidl: format of unique ids, empty = none.  ERR_NOT_FOUND: it cannot be
 * opened. */
MUST_USE SUSPENDS enum status imap_source_folder(struct migrate_folder *f, struct str uidl,
                                                 struct arena *a);
/* One message of it; to be called in the order of the list for those that are wanted.  ERR_NOT_FOUND: it is gone.
 * ERR_LIMIT: larger than the buffer.  ERR_IO: the server does not give it.  ERR_CONFLICT: the folder cannot be
 * opened any more, or its UIDVALIDITY is another than in the list: it is to be listed anew. */
MUST_USE SUSPENDS enum status imap_source_body(const struct migrate_folder *f,
                                               const struct migrate_message *m, struct buf *out,
                                               struct instant *received_out);

#endif
