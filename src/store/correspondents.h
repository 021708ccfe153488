/* correspondents.h - whom an account has written to: keys C of its cell.
 *
 * An address is kept as the hash of its canonical form, on one of 256 pages that the hash chooses, with the day on
 * which it was last written to.  Nobody can read the addresses out of it, only ask about one.
 *
 * Promises:  at most LIMIT_CORRESPONDENTS (hash_page.h: which one goes).  What is written to every day costs no commit.
 * Suspends:  all calls marked so.  ERR_NOT_FOUND: no such account.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_CORRESPONDENTS_H
#define STORE_CORRESPONDENTS_H

#include "base/time.h"
#include "store/cell.h"

#define CORRESPONDENTS_PAGES 256u

/* Of an address as directory_canonical() gives it; the case of its local part makes no difference. */
uint64_t correspondent_hash(struct str address);
/* Did this account write to it? */
MUST_USE SUSPENDS enum status correspondents_has(struct cell *account, uint64_t hash, bool *out);
/* Durable when it returns; without a commit when all of them are there. */
MUST_USE SUSPENDS enum status correspondents_add(struct cell *account, const uint64_t *hashes,
                                                 size_t n, struct instant now);

/* ---- inside a change of the account ---- */
struct work;
/* How many of them it never wrote to. */
MUST_USE SUSPENDS enum status correspondents_count_new(struct work *w, const uint64_t *hashes,
                                                       size_t n, uint32_t *out);
MUST_USE SUSPENDS enum status correspondents_enter(struct work *w, const uint64_t *hashes, size_t n,
                                                   bool *changed_out);

#endif
