/* directory_app.h - the passwords that an account has for programs; the address is the account's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DIRECTORY_APP_H
#define STORE_DIRECTORY_APP_H

#include "store/directory.h"

#define DIRECTORY_APP_NAME_MAX 64u
#define DIRECTORY_APP_HASH     32u

/* A password of one program (auth/app_password.h). */
struct directory_app_password {
    uint64_t id; /* never 0, never used again */
    struct str name;
    uint32_t protocols;     /* bit of each enum login_protocol that it is good for */
    struct instant created; /* whole seconds, like the next */
    struct instant expires; /* 0: never */
    uint32_t used_day;      /* days since 1970; 0: not yet */
    struct str hash;        /* keyed; only auth can compare it */
};

/* ERR_EXISTS: there is one of this name.  ERR_LIMIT: there are LIMIT_APP_PASSWORDS. */
MUST_USE SUSPENDS enum status directory_app_add(struct directory *d, struct str address,
                                                const struct directory_app_password *p);
/* id_out: of the one that is gone. */
MUST_USE SUSPENDS enum status directory_app_remove(struct directory *d, struct str address,
                                                   struct str name, uint64_t *id_out);
/* It was used on that day; no news when it is known. */
MUST_USE SUSPENDS enum status directory_app_used(struct directory *d, struct str address,
                                                 uint64_t id, uint32_t day);

#endif
