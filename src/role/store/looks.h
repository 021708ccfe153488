/* looks.h - does a stranger's name look like one that its readers know?  Ours, and those they have written to.
 *
 * Owns:      what our domains look like, in memory, read anew now and then.  Of domains that an account has written to
 *            its correspondents (store/correspondents.h) have two entries: the name, and what it looks like.
 * Rule:      a name that is ours, or that one of the readers has written to, imitates nobody.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_LOOKS_H
#define ROLE_STORE_LOOKS_H

#include "role/store/store.h"

#define LOOKS_OF_ONE 2u

struct store_deliver;
struct cook_judge;
struct looks;
struct looks *looks_new(void);
void looks_free(struct looks **l);
/* Fills in what the names of a message imitate. */
MUST_USE SUSPENDS enum status store_looks_judge(struct store *s, const struct store_deliver *req,
                                                const struct intake_asks *names, struct arena *a,
                                                struct cook_judge *out);
/* Entries of the domains elsewhere that a message goes to: at most LOOKS_OF_ONE for each recipient. */
size_t looks_written(const struct queue_message *m, uint64_t *out);

#endif
