/* auth_internal.h - what auth's two ways of logging in share: the look-up of a name, the grant, the brake.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_AUTH_INTERNAL_H
#define ROLE_AUTH_INTERNAL_H

#include "auth/attempts.h"
#include "auth/cache.h"
#include "auth/exchanges.h"
#include "auth/seal.h"
#include "ipc/auth_ipc.h"

#define AUTH_RIGHTS_ALL UINT32_MAX

extern struct attempts *auth_attempts;
extern struct exchanges *auth_exchanges;

/* Who has a name, and the opened verifier; the verifier is empty when nobody may log in with it. */
struct auth_found {
    struct auth_known who; /* of nobody: account 0, and the canonical name */
    bool disabled;
    struct buf verifier;
};
MUST_USE SUSPENDS enum status auth_find(struct str login, struct arena *a, struct auth_found *out);
void auth_found_release(struct auth_found *f);
#define AUTO_FOUND AUTO(auth_found_release) struct auth_found

struct auth_session {
    uint64_t session, account;
    /* for those who look at the sessions */
    uint8_t protocol;
    struct str peer, tls_version;
};
/* Tells the store.  ERR_LIMIT: too many sessions; ERR_TEMP: cannot now. */
MUST_USE SUSPENDS enum status auth_grant(struct ipc_peer *worker, const struct auth_session *s);

/* auth_scram.c */
MUST_USE enum status auth_scram_begin(const struct seal *seal);

#endif
