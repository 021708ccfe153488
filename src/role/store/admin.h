/* admin.h - shared by the files that answer the godwit command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_ADMIN_H
#define ROLE_STORE_ADMIN_H

#include "role/store/store.h"

/* What is answered on the control socket, and to role api; in role/store/store.c. */
extern const struct ipc_service *const store_admin_serves[1];

/* Logs what was done to what, and gives a failure its sentence; st passes through store_checked(). */
MUST_USE enum status store_admin_done(const struct store *s, enum status st, const char *verb,
                                      struct str object);

/* The same sentence, for who says several things at once. */
void store_admin_words(enum status st, const char *verb, struct str object, struct problem *why);

/* ---- role/store/admin_mail.c ---- */
/* Makes it, or nothing.  auth hashes the password while the account's cell is made. */
struct admin_new_account;
struct store_admin_made {
    struct problem why;    /* what auth says of its failure */
    struct str invitation; /* in the arena; empty: none was wanted */
    struct instant ends;
};
MUST_USE SUSPENDS enum status store_admin_make(struct store *s, const struct admin_new_account *n,
                                               struct arena *a, struct store_admin_made *out);
/* The same, and nothing is made. */
MUST_USE SUSPENDS enum status store_admin_try(struct store *s, const struct admin_new_account *n,
                                              struct arena *a, struct store_admin_made *out);
/* After a new password, or none any more: sessions end, and auth forgets what it remembers. */
void store_admin_shut_out(struct store *s, uint64_t account);
struct admin_account;
MUST_USE SUSPENDS enum status store_admin_account(struct store *s, const struct directory_entry *e,
                                                  struct admin_account *out);

/* ---- role/store/invite.c ---- */
/* A new invitation for the account of this id, good for so long (0 = as usual), and what is kept of it.  ERR_SYNTAX:
 * too long, or not long enough. */
struct store_invitation {
    struct directory_invitation kept;
    struct str shown; /* in the arena, as the hash is */
};
MUST_USE SUSPENDS enum status store_invitation_make(struct store *s, uint64_t account,
                                                    uint64_t valid_s, struct arena *a,
                                                    struct store_invitation *out);
void store_invitation_log(struct str address, struct instant ends);

/* ---- role/store/export.c ---- */
struct admin_mail_box;
struct mailbox_info;
void store_admin_box(const struct mailbox_info *i, struct admin_mail_box *out);

#endif
