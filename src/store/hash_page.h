/* hash_page.h - a bounded page of things that were seen: the hash of each, and the day on which it was seen last.
 *
 * Promises:  at most HASH_PAGE_MAX; when it is full the one goes that was seen longest ago.  The day is brought up to
 *            date when it is HASH_PAGE_FRESH_DAYS old, so that what is seen every day costs no commit.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_HASH_PAGE_H
#define STORE_HASH_PAGE_H

#include "base/buf.h"
#include "base/time.h"

#define HASH_PAGE_MAX        64u
#define HASH_PAGE_FRESH_DAYS 30u
#define HASH_PAGE_BYTES      1024u /* of one, as it is kept, at the most */

struct hash_page {
    struct hash_seen {
        uint64_t hash;
        uint16_t day; /* since 1970 */
    } at[HASH_PAGE_MAX];
    size_t count;
};
bool hash_page_has(const struct hash_page *p, uint64_t hash);
/* False: nothing changed. */
bool hash_page_add(struct hash_page *p, uint64_t hash, struct instant now);
/* False: it was not there. */
bool hash_page_del(struct hash_page *p, uint64_t hash);
void hash_page_write(const struct hash_page *p, struct buf *b);
/* value.ptr NULL: an empty one. */
MUST_USE enum status hash_page_read(struct str value, struct hash_page *out);

#endif
