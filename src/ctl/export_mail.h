/* export_mail.h - the mail of an account written to a new folder: a Maildir++, or an mbox for each mailbox.
 *
 * Promises:  what cannot be read is counted, and the rest goes on; what cannot be written ends it.  A mailbox whose
 *            name is too long for a file system gets a shorter one, or is left out alone: both are told on stderr.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_EXPORT_MAIL_H
#define CTL_EXPORT_MAIL_H

#include "ctl/ctl.h"

struct export_index;
enum export_kind { EXPORT_MAILDIR, EXPORT_MBOX };
struct export_mail {
    struct ctl *c;
    uint64_t account;
    enum export_kind kind;
    const char *to;             /* it must not be there */
    struct export_index *index; /* NULL: none is written */
    size_t link_from;           /* so many bytes of a path are left out of its links */
    uint64_t mailboxes, messages, bytes;
    uint64_t lost_keywords;
    uint64_t unreadable; /* messages that the store could not give */
    uint64_t left_out;   /* mailboxes for whose names there was no room */
    const char *wrong;   /* the file or folder that failed; NULL = none of these */
};
MUST_USE SUSPENDS enum status export_mail(struct export_mail *x);
/* What failed, on stderr; CTL_FAILED. */
int export_mail_fail(const struct export_mail *x, const char *command, enum status s);
/* What it is not whole for, on stderr; CTL_OK: nothing. */
int export_mail_losses(const struct export_mail *x);

#endif
