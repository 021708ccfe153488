/* import_internal.h - imports inside a change of an account.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_IMPORT_INTERNAL_H
#define STORE_IMPORT_INTERNAL_H

#include "store/import.h"
#include "store/work.h"

static inline struct key
key_imports(uint32_t mailbox, uint32_t page)
{
    struct key k = key_places(mailbox, page);

    k.bytes[0] = KEY_IMPORTED;
    return k;
}

/* Before the first message of a batch. */
MUST_USE SUSPENDS enum status import_begin(struct work *w, struct work_box *box,
                                           const struct import_batch *b);
/* Takes the box to the UID that the next message is to have. */
MUST_USE SUSPENDS enum status import_uid(struct work *w, struct work_box *box,
                                         const struct import_batch *b, size_t i);
/* The message has got the UID. */
struct import_done {
    uint32_t uid, flags;
};
MUST_USE SUSPENDS enum status import_note(struct work *w, const struct work_box *box,
                                          const struct import_origin *o,
                                          const struct import_done *done);
/* UIDNEXT rises to this. */
MUST_USE SUSPENDS enum status import_raise(struct work *w, struct work_box *box, uint32_t uidnext);
/* Some of what a mailbox that goes has of imports; false: nothing is left. */
MUST_USE SUSPENDS enum status import_forget(struct work *w, uint32_t mailbox, bool *did_out);
MUST_USE SUSPENDS enum status import_is_left(struct work *w, uint32_t mailbox, bool *out);

#endif
