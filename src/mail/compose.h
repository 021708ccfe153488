/* compose.h - a message as programs hand it to the sendmail command: its header completed, its recipients found.
 *
 * Promises:  takes any bytes, with LF or CRLF at line ends; fields that are there stay as they are, but for Bcc, which
 *            goes, and bare names ("root") of senders and recipients, which get the domain.  Added are From, or what a
 *            Resent- block lacks; Date and Message-ID are added by the server, as to every submission.
 *            No recipient can leave its SMTP command: each is an address of mail/address.h.
 * RFC:       5322 sections 3.6.2, 3.6.3 and 3.6.6.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_COMPOSE_H
#define MAIL_COMPOSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"

/* Without a mbox "From " line; and, when a line of one dot ends the message, up to there. */
struct str compose_cut(struct str message, bool dot_ends);

struct compose {
    struct str from;   /* local@domain, for a From that is missing; empty: none is added */
    struct str name;   /* of who sends, UTF-8, or empty */
    struct str domain; /* of names without one */
    struct instant now;
};
/* The whole message; ERR_LIMIT: larger than out may be. */
MUST_USE enum status compose_write(struct str message, const struct compose *c, struct buf *out);

/* Addresses without brackets, each once, at most LIMIT_SUBMIT_RCPTS. */
struct compose_rcpts {
    struct str domain;
    struct arena *arena;
    struct str *list;
    size_t count;
    struct str bad; /* what is no address, after ERR_SYNTAX */
};
/* Of a list such as "anna, Bert <bert@example.org>", as on a command line or in a field. */
MUST_USE enum status compose_rcpts_add(struct compose_rcpts *r, struct str list);
/* Of To, Cc and Bcc; of Resent-To, Resent-Cc and Resent-Bcc alone when there is any of them. */
MUST_USE enum status compose_rcpts_find(struct compose_rcpts *r, struct str message);

#endif
