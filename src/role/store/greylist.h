/* greylist.h - first contacts that are asked to come again.
 *
 * Owns:      a bounded table, in memory alone.  Whoever came again is remembered elsewhere (store/known.h), so that
 *            a new process asks nobody anew but those who wait.
 * Promises:  a contact waits for a while (LIMIT_GREYLIST_WAIT_S) from its first attempt on, and then goes through, for
 *            LIMIT_GREYLIST_KEEP_S.  When the table is full of contacts that wait still, new ones do not wait: a flood
 *            delays nobody.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_GREYLIST_H
#define ROLE_STORE_GREYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct greylist;
struct greylist *greylist_new(size_t max);
void greylist_set_wait(struct greylist *g, uint32_t s); /* else LIMIT_GREYLIST_WAIT_S */
void greylist_free(struct greylist **g);
/* hash: of the contact.  True: not yet. */
bool greylist_waits(struct greylist *g, uint64_t hash, int64_t now_ms);
size_t greylist_count(const struct greylist *g);

#endif
