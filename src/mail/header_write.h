/* header_write.h - the header fields that Godwit itself writes.
 *
 * Promises:  lines are folded at 78 columns where there is white space, and never pass 998 bytes (RFC 5322
 *            section 2.1.1): a longer word is broken.  No value can end a field: CR, LF and NUL in it
 *            become spaces.  Every field ends with CRLF.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_HEADER_WRITE_H
#define MAIL_HEADER_WRITE_H

#include "base/buf.h"
#include "base/time.h"
#include "mail/address.h"

/* name ": " value CRLF; value is text without folding. */
void header_write(struct buf *b, struct str name, struct str value);
void header_write_date(struct buf *b, struct instant t);
/* <unique@host>; unique comes from the caller's random source and is of dot-atom bytes. */
void header_write_message_id(struct buf *b, struct str unique, struct str host);
/* Return-Path of RFC 5321 section 4.4; reverse may be the null path. */
void header_write_return_path(struct buf *b, const struct path *reverse);

enum received_flag {
    RECEIVED_ESMTP = 1, /* EHLO, not HELO */
    RECEIVED_TLS = 2,
    RECEIVED_AUTH = 4,
    RECEIVED_LMTP = 8,
    RECEIVED_UTF8 = 16,  /* SMTPUTF8 was used, RFC 6531 section 4.3 */
    RECEIVED_HTTP = 32,  /* submitted by JMAP or webmail */
    RECEIVED_RELAY = 64, /* to elsewhere, without a log-in: the client is of a listed network */
};
/* "ESMTPSA" and its like: RFC 3848 and RFC 6531. */
struct str received_protocol(unsigned flags);

/* Empty strings are left out.  Everything of the peer's is cleaned to what the grammar allows. */
struct received {
    struct str helo;      /* as the peer said */
    struct str peer_name; /* verified reverse name, or empty */
    struct str peer_ip;   /* 192.0.2.1 or 2001:db8::1 */
    struct str by;        /* our host name */
    struct str id;        /* our id of this message */
    unsigned flags;       /* enum received_flag */
    struct str tls;       /* "TLSv1.3 cipher TLS_AES_256_GCM_SHA384" */
    struct str recipient; /* only when there is exactly one: more would tell on Bcc */
    struct instant time;
    bool has_priority; /* MT-PRIORITY was said; RFC 6710 section 4.1 */
    int priority;
};
void header_write_received(struct buf *b, const struct received *r);

#endif
