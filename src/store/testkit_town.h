/* testkit_town.h - a directory to test with: a small town and its people.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_TESTKIT_TOWN_H
#define STORE_TESTKIT_TOWN_H

#include "store/directory.h"
#include "store/testkit_internal.h"

#define HERE STR("example.org")

struct directory *town_open(struct kit *k); /* of HERE */
SUSPENDS void town_account(struct directory *d, struct str address, uint64_t id);
/* targets: with blanks between. */
SUSPENDS void town_alias(struct directory *d, const char *address, const char *targets);
/* Past the check of directory_alias_set(): two who set aliases at the same time can make a loop. */
SUSPENDS void town_alias_unchecked(struct directory *d, const char *address, const char *targets);
/* anna 1, bert 2, carl 3 (disabled), postmaster and the rest -> anna; other.example besides. */
SUSPENDS struct directory *town_small(struct kit *k);
SUSPENDS size_t town_reap_notes(struct kit *k);

#endif
