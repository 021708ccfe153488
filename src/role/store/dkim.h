/* dkim.h - the DKIM keys of the domains here, and their records in DNS.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_DKIM_H
#define ROLE_STORE_DKIM_H

#include "role/store/store.h"

struct keys_dkim_key;
struct store_dkim {
    const struct keys_dkim_key *keys; /* in the arena */
    size_t count;
    bool looked; /* DNS answered */
};
/* The keys of a domain here, made where they are missing; next: also those that are to follow. */
MUST_USE SUSPENDS enum status store_dkim_keys(struct store *s, struct str domain, bool next,
                                              struct arena *a, struct store_dkim *out);
/* Looks for their records in DNS: those that wait and are there sign from now on. */
MUST_USE SUSPENDS enum status store_dkim_look(struct store *s, struct str domain, struct arena *a,
                                              struct store_dkim *out);
/* Beside the rest: all domains, those that are due. */
void store_dkim_round(struct store *s);

#endif
