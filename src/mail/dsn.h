/* dsn.h - delivery status notifications: multipart/report of RFC 6522 with RFC 3464 fields, for mail that failed,
 * is late, or arrived where the sender asked to be told (RFC 3461).
 *
 * Promises:  text of others (addresses, replies of servers) cannot break out of its field or its part.
 *            Lines never pass 998 bytes.  Internationalised addresses are kept (RFC 6533).
 * Use:       dsn_begin(); then the original message or its header, as the caller streams it; dsn_end().
 *            Or dsn_write() with the original in memory.  The envelope sender of a DSN is "<>".
 * Never:     decides whether a DSN may be sent: none to "<>", none for NOTIFY=NEVER.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include "base/buf.h"
#include "base/time.h"

enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED };
#define DSN_ACTION_COUNT (DSN_EXPANDED + 1)

struct dsn_recipient {
    struct str address;  /* local@domain as it was tried */
    struct str original; /* ORCPT, xtext decoded: "rfc822;a@x.org"; or empty */
    enum dsn_action action;
    struct str status;           /* "5.1.1" */
    struct str remote;           /* the server that said so, or empty */
    struct str diagnostic;       /* its words: "550 5.1.1 no such user"; or our own; or empty */
    bool own_words;              /* diagnostic is not what remote said */
    struct instant last_attempt; /* 0 = none */
    struct instant retry_until;  /* for DSN_DELAYED; 0 = unknown */
};

enum dsn_original { DSN_HEADER_ONLY, DSN_WHOLE_MESSAGE, DSN_NO_ORIGINAL };

struct dsn {
    struct str host;   /* our name, in normal form */
    struct str domain; /* where the postmaster is who answers replies */
    struct str sender; /* who is told: local@domain */
    struct str
        unique; /* 16 or more dot-atom bytes from the random source: Message-ID and boundary */
    struct str envelope_id; /* ENVID, xtext decoded, or empty */
    struct str subject;     /* of the original: raw field value, or empty */
    struct str message_id;  /* of the original without brackets, or empty */
    struct instant now;
    struct instant arrival;
    struct str future_release; /* "for;60" or "until;" time, RFC 4865 section 5.1.2; or empty */
    struct instant deliver_by; /* RFC 2852 section 5; 0 = not asked */
    enum dsn_original original;
    bool original_utf8; /* the original's header is not ASCII */
    const struct dsn_recipient *recipients;
    uint32_t count;
};

/* Everything up to where the original stands. */
void dsn_begin(struct buf *b, const struct dsn *d);
void dsn_end(struct buf *b, const struct dsn *d);
/* All of it; original is the message, its header block, or empty (DSN_NO_ORIGINAL). */
MUST_USE enum status dsn_write(struct buf *b, const struct dsn *d, struct str original);

/* What a status code means, in words for the sender; never empty.  RFC 3463. */
struct str dsn_explain(struct str status);

#endif
