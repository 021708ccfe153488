/* strangers.h - strangers at RCPT: how often they come, and whether a doubtful first contact is to come again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_STRANGERS_H
#define ROLE_STORE_STRANGERS_H

#include "role/store/store.h"

struct store_rcpt;
struct store_deliver;
struct strangers;
struct strangers *strangers_new(struct cells *c);
void strangers_free(struct strangers **s);
/* Of a recipient here: DIRECTORY_LOCAL, STORE_CLASS_TOO_OFTEN or STORE_CLASS_GREYLISTED. */
MUST_USE SUSPENDS enum status strangers_judge(struct store *s, const struct store_rcpt *req,
                                              const struct directory_resolution *to,
                                              uint8_t *class_out);
/* A message of a stranger was taken, into a mailbox or into Junk. */
void strangers_count(struct store *s, const struct store_deliver *req,
                     const struct store_rcpts *all);
/* The same, and nobody took it for junk: its sender is known from now on. */
SUSPENDS void strangers_taken(struct store *s, const struct store_deliver *req);

#endif
