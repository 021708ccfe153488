/* remote.h - another server that mail is read from: where it is, how it is trusted, who logs in there.
 *
 * Promises:  a password leaves only under TLS with a certificate that proves the name, or, REMOTE_PLAIN, to whom the
 *            caller has looked at.
 * Suspends:  remote_connect() and remote_secure().  ERR_TEMP: nobody answers, another time may do.  ERR_DENIED: the
 *            certificate does not prove the name.  why is filled on failure.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MIGRATE_REMOTE_H
#define MIGRATE_REMOTE_H

#include "base/scan.h"
#include "rt/conn.h"
#include "rt/tls.h"

enum remote_mode { REMOTE_TLS, REMOTE_STARTTLS, REMOTE_PLAIN };
struct remote_server {
    struct str name;                   /* that its certificate must prove */
    const struct conn_target *targets; /* tried in turn */
    size_t target_count;
    enum remote_mode mode;
    struct tls_client *tls; /* NULL: REMOTE_PLAIN */
};
struct remote_login {
    struct str user;   /* whose mail */
    struct str master; /* who logs in in his place; empty = he himself */
    char separator; /* between the two in one name; 0: as the identities of SASL PLAIN (RFC 4616) */
    struct str password;
};
/* With TLS for REMOTE_TLS. */
MUST_USE SUSPENDS enum status remote_connect(const struct remote_server *r, struct conn **out,
                                             struct problem *why);
/* After STARTTLS was agreed on. */
MUST_USE SUSPENDS enum status remote_secure(const struct remote_server *r, struct conn *c,
                                            struct problem *why);
/* Appends the message of SASL PLAIN in base64; ERR_LIMIT: too long, ERR_SYNTAX: NUL in it. */
MUST_USE enum status remote_plain(const struct remote_login *l, struct buf *out);
/* Appends the name for a command that takes a name and a password. */
void remote_user(const struct remote_login *l, struct buf *out);

/* ---- a file of accounts: lines "address TAB user there TAB password" or with commas; the last two may lack ---- */

struct remote_account {
    uint32_t line;
    struct str address;
    struct str user;     /* empty = the address */
    struct str password; /* empty = none; commas may be in it */
};
struct remote_accounts {
    struct scan in;
    uint32_t line;
};
/* Empty lines and those that begin with "#" are passed over. */
bool remote_account_next(struct remote_accounts *l, struct remote_account *out);

#endif
