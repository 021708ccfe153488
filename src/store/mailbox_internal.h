/* mailbox_internal.h - mailboxes inside a change.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MAILBOX_INTERNAL_H
#define STORE_MAILBOX_INTERNAL_H

#include "store/work.h"

#define MAILBOX_NEVER UINT32_MAX /* no mailbox has this id */
#define CLIMB_MAX     128u /* levels; names are held to LIMIT_MAILBOX_DEPTH where they are made */

struct new_mailbox {
    uint32_t parent;
    struct str level; /* checked */
    enum mailbox_special special;
    bool subscribed;
};
/* A mailbox under this parent, which does not have one of that name. */
MUST_USE SUSPENDS enum status mailbox_make(struct work *w, const struct new_mailbox *n,
                                           uint32_t *id_out);
/* ERR_NOT_FOUND: the parent has no such child. */
MUST_USE SUSPENDS enum status mailbox_child(struct work *w, uint32_t parent, struct str level,
                                            uint32_t *id_out);
/* Parents of a checked name, made where missing; what is left is its last level. */
MUST_USE SUSPENDS enum status mailbox_parents(struct work *w, struct str name, uint32_t not_below,
                                              uint32_t *parent_out, struct str *level_out);
/* Name with all levels. */
MUST_USE SUSPENDS enum status mailbox_path(struct work *w, const struct work_box *b,
                                           struct str *out);
/* The entry of a subscribed name without a mailbox. */
MUST_USE SUSPENDS enum status wish_find(struct work *w, struct str name, struct work_box **out);
MUST_USE SUSPENDS enum status wish_make(struct work *w, struct str name);
void wish_remove(struct work *w, struct work_box *wish);
void mailbox_set_parent(struct work *w, struct work_box *b, uint32_t parent, struct str level);
void mailbox_log(struct work *w, struct work_box *b);
MUST_USE SUSPENDS enum status mailbox_take_special(struct work *w, struct work_box *b,
                                                   enum mailbox_special special);
void mailbox_info_of(uint32_t id, const struct mailbox_value *v, struct str name, struct arena *a,
                     struct mailbox_info *out);
MUST_USE SUSPENDS enum status mailbox_subtree_fits(struct cell *account, uint32_t id,
                                                   struct str name);
bool name_is_inbox(struct str level);

#endif
