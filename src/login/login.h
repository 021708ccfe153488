/* login.h - what all protocols share of logging in: SASL words, the question to role auth, the log line.
 *
 * Owns:      nothing.
 * Promises:  a password is wiped when its scope ends; the answer does not tell a wrong name from a wrong password;
 *            one auth.login event per attempt, good or bad.
 * Suspends:  login_check() does, while auth works.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef LOGIN_LOGIN_H
#define LOGIN_LOGIN_H

#include "base/arena.h"
#include "base/mem.h"
#include "rt/conn.h"
#include "rt/ipc.h"

enum login_protocol {
    LOGIN_IMAP,
    LOGIN_POP3,
    LOGIN_SUBMISSION,
    LOGIN_WEB
}; /* enum<3> of auth.ipc */

/* Buffers that held a secret are wiped before they are freed. */
void login_wipe(struct buf *b);
#define AUTO_SECRET_BUF AUTO(login_wipe) struct buf

/* base64 of [authzid] NUL authcid NUL passwd (RFC 4616).  name_out points into decoded.  ERR_SYNTAX: it is not that;
 * ERR_DENIED: it asks to act as somebody else. */
MUST_USE enum status login_plain_read(struct str base64, struct buf *decoded, struct str *name_out,
                                      struct secret *password_out);
/* One answer of the LOGIN mechanism: base64, "=" for nothing. */
MUST_USE enum status login_word_read(struct str base64, struct buf *decoded);

/* A number for a new session of this worker, whatever its protocol; never 0, never used twice. */
uint64_t login_session_new(void);

struct login_from {
    struct ipc_peer *auth; /* NULL: it is away */
    enum login_protocol protocol;
    uint64_t *
        session; /* where the session keeps its number in this worker: an exchange that fails may change it */
    const struct conn *conn;
    struct ipc_peer *store; /* NULL: it is away; only asked to forget a grant */
};
struct login_account {
    uint64_t account;
    struct str address; /* in the arena */
    uint32_t rights;
};
/* OK: the store knows the session as this account's.  ERR_DENIED: wrong.  ERR_LIMIT: too many attempts.
 * Others: cannot tell now.  Auth may end after it has told the store: then the number of the session is renewed. */
MUST_USE SUSPENDS enum status login_check(const struct login_from *f, struct str name,
                                          const struct secret *password, struct arena *a,
                                          struct login_account *out);
/* "TLSv1.3"; empty without TLS. */
struct str login_tls_version(const struct conn *c);
/* The line auth.login of an attempt that login_check() did not make.  app: the app password, if it was one. */
void login_log(const struct login_from *f, struct str name, enum status e, struct str app);
/* The session is over: tells auth and the store (either may be NULL). */
void login_end(struct ipc_peer *auth, struct ipc_peer *store, uint64_t session);
/* Auth, the store or both may know something under the session's number: they are told that it is over, and
 * *f->session is a new one. */
void login_renew(const struct login_from *f);
/* May a password be asked for on this connection? */
bool login_is_safe(const struct conn *c, bool plaintext_loopback);

#endif
