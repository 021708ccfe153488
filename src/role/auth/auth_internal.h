/* auth_internal.h - what auth's ways of logging in share: the look-up of a name, the grant, the brake.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_AUTH_AUTH_INTERNAL_H
#define ROLE_AUTH_AUTH_INTERNAL_H

#include "auth/cache.h"
#include "auth/exchanges.h"
#include "auth/seal.h"
#include "ipc/auth_ipc.h"
#include "ipc/store_ipc.h"

#define AUTH_RIGHTS_ALL UINT32_MAX

extern struct exchanges *auth_exchanges;

/* Why a log-in is refused, for the log. */
enum auth_reason {
    AUTH_SLOWED,
    AUTH_UNKNOWN,
    AUTH_PASSWORD,
    AUTH_DISABLED,
    AUTH_PROTOCOL, /* an app password of another protocol */
    AUTH_EXPIRED,
    AUTH_TOKEN,
    AUTH_FOREIGN, /* SCRAM, of which the hash of another server has no keys */
    AUTH_CERTIFICATE,
    /* of invitations */
    AUTH_NONE,
    AUTH_WRONG,
};

/* Who has a name, and the opened verifier; the verifier is empty when nobody may log in with it. */
struct auth_found {
    struct auth_known who; /* of nobody: account 0, and the canonical name */
    bool disabled;
    struct buf verifier;
    struct str sealed;                     /* the same as the store has it, in the arena */
    const struct store_app_password *apps; /* in the arena */
    size_t app_count;
    struct str invitation; /* the hash of one, in the arena; empty: none */
    int64_t invitation_ends;
};
MUST_USE SUSPENDS enum status auth_find(struct str login, struct arena *a, struct auth_found *out);
void auth_found_release(struct auth_found *f);
/* If it is. */
enum auth_reason auth_reason_of(const struct auth_found *f);
#define AUTO_FOUND AUTO(auth_found_release) struct auth_found

/* Before a look-up, and after it: what was found may not hold any more. */
uint64_t auth_changes(void);
bool auth_has_changed(uint64_t account, uint64_t since);

struct auth_session {
    uint64_t session, account;
    uint64_t app; /* the app password, or 0 */
    /* for those who look at the sessions */
    uint8_t protocol;
    struct str peer, tls_version;
};
/* Tells the store.  ERR_LIMIT: too many sessions; ERR_TEMP: cannot now. */
MUST_USE SUSPENDS enum status auth_grant(struct ipc_peer *worker, const struct auth_session *s);

/* The sealed verifier of a password; or of the hash of another server, if there is one: ERR_SYNTAX: *why not. */
struct auth_password {
    uint64_t account;
    const struct secret *password; /* prepared; of any length */
    struct str hash;
};
MUST_USE SUSPENDS enum status auth_make_verifier(const struct auth_password *p, struct buf *sealed,
                                                 const char **why);

/* ---- role/auth/renew.c ---- */
/* Later, and if nothing else comes between: the store gets a verifier of our own for this password. */
void auth_renew(const struct auth_found *f, const struct secret *password);

/* ---- role/auth/brake.c ---- */
/* Who wants to log in. */
struct auth_asked {
    struct str peer, login; /* the login as it was written */
    uint8_t protocol;       /* enum<3> of auth.ipc */
    bool invitation;        /* not to log in, but to set a password with one */
};
void auth_brake_begin(void);
/* ERR_LIMIT: not now; said to the log.  For what is judged without waiting. */
MUST_USE enum status auth_brake_try(const struct auth_asked *q);
/* The same for what takes its time: until it is released it counts as wrong, and others may have to wait for it.
 * ERR_TEMP: too many wait. */
struct auth_try {
    const struct auth_asked *asked; /* NULL: none is under way; stays where it is meanwhile */
    unsigned counted;
};
MUST_USE SUSPENDS enum status auth_try_begin(const struct auth_asked *q, struct auth_try *out);
void auth_try_end(struct auth_try *t);
#define AUTO_TRY AUTO(auth_try_end) struct auth_try
/* Would auth_brake_try() use up an interval? */
bool auth_brake_is_slow(const struct auth_asked *q);
/* Counts and logs it; the status to answer with. */
MUST_USE enum status auth_brake_refuse(const struct auth_asked *q, enum auth_reason why);
void auth_brake_right(const struct auth_asked *q);

/* ---- role/auth/app.c ---- */
/* How a check went. */
struct auth_checked {
    struct auth_known who;
    enum auth_reason why; /* of ERR_DENIED */
    uint64_t app;         /* 0: by the account's own password */
    struct str app_name;
};
MUST_USE enum status auth_app_begin(const struct seal *seal);
/* ERR_NOT_FOUND: it is no app password of this account.  ERR_DENIED: it is, and not for this, or not any more. */
MUST_USE enum status auth_app_check(const struct auth_found *f, const struct secret *password,
                                    uint8_t protocol, struct auth_checked *out);

/* ---- role/auth/oauth.c ---- */
void auth_oauth_prepare(void); /* before the jail */
/* Reads the issuer's keys, if there is an issuer. */
struct role_start;
void auth_oauth_keys(const struct role_start *s);

/* ---- role/auth/ask.c ---- */
void
auth_ask_renew(const struct role_start *s); /* first of all, and when the configuration changed */
/* ERR_DENIED: the issuer says that it is no good token, or another's.  ERR_TEMP: nobody knows. */
struct jwt_wanted;
MUST_USE SUSPENDS enum status auth_ask(struct str token, const struct jwt_wanted *w,
                                       struct arena *a, struct str *address_out);

/* ---- role/auth/external.c ---- */
/* Reads the authorities of client certificates, if there are any. */
void auth_external_trust(const struct role_start *s);

/* ---- role/auth/invite.c ---- */
MUST_USE enum status auth_invite_begin(const struct seal *seal);

/* ---- role/auth/scram.c ---- */
MUST_USE enum status auth_scram_begin(const struct seal *seal);

#endif
