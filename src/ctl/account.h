/* account.h - what the files of `godwit account` share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_ACCOUNT_H
#define CTL_ACCOUNT_H

#include "ctl/ctl.h"

/* What was typed; directory.c has the table. */
struct account_options {
    uint64_t quota;
    bool generate, invite, dry_run, now, deleted, keep, keep_not, off, remove;
    int64_t valid; /* microseconds; 0 = as usual */
    const char *as, *for_text, *expires, *to, *from, *mail;
};
extern struct account_options account_options;

/* ---- account_many.c ---- */
SUSPENDS int ctl_account_add_many(struct ctl *c); /* add --from */
/* ---- app.c ---- */
SUSPENDS int ctl_app_password(struct ctl *c);
/* ---- export_account.c ---- */
SUSPENDS int ctl_account_export(struct ctl *c);
/* ---- invite.c ---- */
/* --invite and --valid; false: they do not fit together, or with --generate, and it was said. */
MUST_USE bool ctl_invite_options(const struct ctl *c);
SUSPENDS int ctl_account_add_invited(struct ctl *c);
SUSPENDS int ctl_account_invite(struct ctl *c);
SUSPENDS int ctl_account_redeem(struct ctl *c);
/* ---- life.c: verbs of godwit account ---- */

/* Made here, with --generate; else as above. */
MUST_USE bool ctl_new_password(struct secret *out);
/* What is said of a new account or a new password; shows the password when it was made here. */
int ctl_account_ready(struct ctl *c, struct str address, const struct secret *password);
SUSPENDS int ctl_account_password(struct ctl *c);
SUSPENDS int ctl_account_suspend(struct ctl *c);
SUSPENDS int ctl_account_resume(struct ctl *c);
SUSPENDS int ctl_account_delete(struct ctl *c);
SUSPENDS int ctl_account_undelete(struct ctl *c);
SUSPENDS int ctl_account_deleted(struct ctl *c); /* list --deleted */

#endif
