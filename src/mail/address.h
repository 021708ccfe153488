/* address.h - addresses of the envelope (RFC 5321) and their parameters.
 *
 * Promises:  a struct path is complete: local part unquoted, domain in normal form (domain.h) or an
 *            address literal in canonical text; nobody needs to validate it again.
 *            path_write() of any path is scanned back as the same path.
 * Never:     decides whether an address exists or may be relayed to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/scan.h"

/* RFC 5321 section 4.5.3.1.1 says 64, but VERP and SRS senders pass that every day. */
#define LOCAL_MAX ((uint32_t)LIMIT_LOCAL_PART_BYTES)
/* Quoted and with domain, literal and brackets. */
#define PATH_MAX_BYTES  1024u
#define PARAM_KEY_MAX   32u
#define PARAM_VALUE_MAX ((uint32_t)LIMIT_SMTP_PARAM_BYTES)

enum path_kind {
    PATH_NULL, /* "<>": the sender of bounces */
    PATH_POSTMASTER, /* "<postmaster>" without a domain, RFC 5321 section 4.1.1.3; local is "postmaster" */
    PATH_MAILBOX,
};

enum path_flag {
    PATH_REVERSE = 1, /* MAIL FROM: "<>" is allowed, a bare postmaster is not */
    PATH_UTF8 = 2,    /* RFC 6531 was announced and asked for, or is taken for granted */
    PATH_LENIENT = 4, /* submission: spaces before the path and a path without "<" ">" */
};

struct path {
    enum path_kind kind;
    bool utf8;         /* the local part is not ASCII: only an SMTPUTF8 hop can take it */
    bool literal;      /* domain is "[192.0.2.1]" or "[IPv6:2001:db8::1]" */
    struct str local;  /* unquoted, case kept; never CR, LF or NUL */
    struct str domain; /* empty unless kind is PATH_MAILBOX */
};

/* Reverse-path or Forward-path with its brackets; source routes are read and ignored (RFC 5321 appendix C).
 * Stops after ">"; flags are of enum path_flag.  ERR_SYNTAX or ERR_LIMIT consume nothing. */
MUST_USE enum status path_scan(struct scan *s, unsigned flags, struct arena *a, struct path *out);
/* The whole of text is one Mailbox "local@domain" without brackets, as in configuration and commands. */
MUST_USE enum status mailbox_parse(struct str text, unsigned flags, struct arena *a,
                                   struct path *out);
/* local@domain without brackets, quoted where it must be; nothing for PATH_NULL. */
void path_write(struct buf *b, const struct path *p);
/* A local part as text, quoted where it must be (RFC 5321 Local-part). */
void local_write(struct buf *b, struct str local);
bool path_eq(const struct path *a, const struct path *b); /* local parts without regard to case */

/* The key under which directories hold a local part: ASCII lower case.  Other letters stay, since no rule for
 * them is common to all. */
void local_canonical(struct buf *b, struct str local);
/* "user+tag": true, and the parts, when separator stands inside with a user before it. */
bool local_split_tag(struct str local, char separator, struct str *user_out, struct str *tag_out);

/* One parameter of MAIL or RCPT.  RFC 5321 section 4.1.2 Mail-parameters. */
struct esmtp_param {
    struct str key;   /* 1 to PARAM_KEY_MAX; compare without regard to case */
    struct str value; /* empty when absent */
    bool has_value;
};
/* The next parameter and the spaces before it.  ERR_NOT_FOUND at the end of the line. */
MUST_USE enum status esmtp_param_scan(struct scan *s, struct esmtp_param *out);

/* xtext of RFC 3461 section 4, as in ENVID, ORCPT and AUTH. */
MUST_USE enum status xtext_decode(struct str text, struct buf *b);
void xtext_write(struct buf *b, struct str bytes);

#endif
