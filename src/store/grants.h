/* grants.h - which session may work on which account.
 *
 * A session is (incarnation of its worker, number).  Role auth grants after a log-in; the store looks the account of
 * every call up here and nowhere else.
 * Owns:      the grants, in memory only: after a restart of the store auth replays the live ones.
 * Promises:  at most LIMIT_SESSIONS_PER_ACCOUNT sessions an account; an expired or revoked grant is never found.
 * Never:     suspends.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_GRANTS_H
#define STORE_GRANTS_H

#include "base/limits.h"
#include "base/status.h"
#include "base/time.h"

struct grants;
struct grant {
    uint64_t incarnation, session;
    uint64_t account;
    uint32_t rights;
    struct instant expires;
    /* for those who look at the sessions */
    struct instant since, asked; /* asked: of the last grants_find() */
    uint8_t protocol;
    char peer[65], tls_version[17]; /* ended by a zero byte */
    uint64_t app;                   /* id of the app password that it logged in with, or 0 */
};

struct grants *grants_new(void);
void grants_free(struct grants **g);
size_t grants_count(const struct grants *g);

/* A grant of the same session for the same account is renewed; for another one: ERR_EXISTS.  ERR_LIMIT: the
 * account has too many sessions.  ERR_DENIED: the worker said that the session is over, before auth's word came. */
MUST_USE enum status grants_add(struct grants *g, const struct grant *new_grant);
/* ERR_DENIED: none, or expired. */
MUST_USE enum status grants_find(struct grants *g, uint64_t incarnation, uint64_t session,
                                 struct instant now, struct grant *out);
/* The worker says so; it never uses the number again. */
void grants_end(struct grants *g, uint64_t incarnation, uint64_t session);
/* The worker is gone. */
void grants_end_incarnation(struct grants *g, uint64_t incarnation);
/* incarnation 0 = any, session 0 = all: ends them; returns how many. */
size_t grants_revoke(struct grants *g, uint64_t incarnation, uint64_t session, uint64_t account);
/* Ends expired ones, a bounded step. */
void grants_expire(struct grants *g, struct instant now);

/* The sessions of one account, at most max (LIMIT_SESSIONS_PER_ACCOUNT is all); returns how many. */
size_t grants_of(const struct grants *g, uint64_t account, struct grant *out, size_t max);

/* Sessions after one (0, 0 = from the start) in the order of their incarnations and numbers, at most max of them. */
struct grants_page {
    uint64_t account; /* 0 = of all */
    uint64_t incarnation, session;
    size_t max;
};
size_t grants_list(const struct grants *g, const struct grants_page *p, struct grant *out);

#endif
