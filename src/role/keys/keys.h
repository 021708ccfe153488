/* keys.h - the keys that role keys holds.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_KEYS_KEYS_H
#define ROLE_KEYS_KEYS_H

#include "auth/seal.h"
#include "ipc/keys_ipc.h"
#include "role/keys/dkim_ring.h"
#include "role/role.h"

/* ---- certificates (role/keys/tls.c) ---- */
/* Reads all certificates and keys of the configuration.  One that cannot be used is told in the log and left out; an
 * older one of the same files stays in use.  Says whether anything is different from before. */
bool keys_tls_load(const struct role_start *s);
/* Tells which certificates end soon: for once a day; a fresh one is looked at when it comes. */
void keys_tls_check_ends(void);

/* ---- DKIM (role/keys/dkim.c) ---- */
void keys_dkim_begin(const struct seal *seal);
/* Good until the next call that suspends.  ERR_NOT_FOUND: the domain has no keys. */
MUST_USE SUSPENDS enum status keys_dkim_find(struct str domain, struct dkim_ring **out);

/* ---- marks (role/keys/mark.c) ---- */
MUST_USE enum status keys_mark_begin(const struct seal *seal);

#endif
