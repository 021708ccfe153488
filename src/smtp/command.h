/* command.h - the lines of SMTP commands as structs: the grammar, and nothing of a session.
 *
 * Owns:      nothing; results point into the line or live in the arena.
 * Promises:  an address is in normal form, at most LIMIT_SMTP_PATH_BYTES as written again; no parameter came twice;
 *            ENVID and ORCPT are xtext of printable ASCII, or ORCPT is of type utf-8 where that was asked for.
 *            What is held (FUTURERELEASE) is held until a time after now, LIMIT_FUTURE_RELEASE_S at the most.
 *            A message that comes back when its time is over (BY) has LIMIT_DELIVER_BY_MIN_S at least.
 *            Addresses are ASCII unless the transaction is of SMTPUTF8; domains are A-labels always.
 *            On failure *out is untouched and why holds the reply.
 * Never:     suspends, knows who may send what to whom.
 * RFC:       5321 section 4.1, 1870, 6152, 2852, 3030, 3461, 4865, 4954, 6531, 6533 section 3, 6710, 8689.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include "base/arena.h"
#include "base/status.h"
#include "smtp/terms.h"

/* "VERB SP arguments": arguments without the blanks around them, empty when there are none. */
void smtp_line_split(struct str line, struct str *verb_out, struct str *args_out);

struct smtp_dialect {
    bool submission;   /* RFC 6409: lenient about the path; RFC 3461 and 4865 are announced */
    bool utf8;         /* of RCPT: the MAIL before it said SMTPUTF8 */
    struct str domain; /* of a postmaster without one */
    struct instant now;
    bool tls;  /* RFC 8689 is announced */
    bool ours; /* users, programs and networks of ours: RFC 2852 is announced */
};
/* What MAIL says. */
struct smtp_mail {
    struct str sender; /* as mail/address.h writes it; empty for "<>" */
    uint64_t size;     /* SIZE=, 0 = not said */
    bool full_return;  /* RET=FULL */
    bool binary;       /* BODY=BINARYMIME, RFC 3030 section 3 */
    bool smtputf8;     /* RFC 6531 */
    struct str envid;  /* xtext as it came, or empty */
    struct smtp_terms terms;
};
MUST_USE enum status smtp_mail_read(struct str args, const struct smtp_dialect *d, struct arena *a,
                                    struct smtp_mail *out, struct problem *why);
/* Bits of store.ipc's notify. */
enum smtp_notify { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };
/* What RCPT says. */
struct smtp_rcpt {
    struct str address; /* as mail/address.h writes it */
    uint32_t notify;    /* of enum smtp_notify, 0 = not said */
    struct str orcpt;   /* "rfc822;" and xtext, or "utf-8;" and text, as it came, or empty */
};
MUST_USE enum status smtp_rcpt_read(struct str args, const struct smtp_dialect *d, struct arena *a,
                                    struct smtp_rcpt *out, struct problem *why);

/* "BDAT" SP chunk-size [ SP "LAST" ]      RFC 3030 section 2 */
MUST_USE enum status smtp_bdat_read(struct str args, uint64_t *size_out, bool *last_out);

#endif
