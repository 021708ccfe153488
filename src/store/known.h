/* known.h - whose mail was taken before: a client's network together with the domain of a sender.
 *
 * Owns:      cell 'c' 3: K page2 -> one of 1024 pages (hash_page.h), which the hash chooses.
 * Promises:  at most LIMIT_KNOWN_SENDERS.  An entry is durable when known_add() returns; who comes every day costs no
 *            commit.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_KNOWN_H
#define STORE_KNOWN_H

#include "base/subnet.h"
#include "base/time.h"
#include "store/cell.h"

#define KNOWN_PAGES 1024u

struct known;
struct known *known_new(struct cells *c);
void known_free(struct known **k);
/* Of the /24 or /64 around the client. */
uint64_t known_hash(const struct subnet *client, struct str domain);
MUST_USE SUSPENDS enum status known_has(struct known *k, uint64_t hash, bool *out);
MUST_USE SUSPENDS enum status known_add(struct known *k, uint64_t hash, struct instant now);

#endif
