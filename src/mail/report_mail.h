/* report_mail.h - a machine's report to the owner of another domain, as a message: a few words, and the packed report.
 *
 * Promises:  a whole message, lines of at most 78 columns where words allow it, every line ended by CRLF.  It says that
 *            a program wrote it (Auto-Submitted, RFC 3834).
 * Never:     decides who gets it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_REPORT_MAIL_H
#define MAIL_REPORT_MAIL_H

#include "base/buf.h"
#include "base/time.h"

struct report_mail {
    struct str host;   /* our name */
    struct str from;   /* an address of ours */
    struct str to;     /* an address, as it stands in a field */
    struct str unique; /* 16 or more dot-atom bytes from the random source: Message-ID, boundary */
    struct instant now;
    struct str subject;
    struct str fields;    /* further header fields, each with its line end; may be empty */
    struct str multipart; /* "mixed", "report; report-type=tlsrpt" */
    struct str text;      /* lines ended by CRLF, ASCII */
    struct str type;      /* of the attachment, "application/gzip" */
    struct str filename;  /* without quotes and backslashes in it */
    struct str attachment;
};
MUST_USE enum status report_mail_write(struct buf *b, const struct report_mail *m);

#endif
