/* outcome.h - what became of one recipient of deliver_each (store.ipc).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IPC_OUTCOME_H
#define IPC_OUTCOME_H

enum store_outcome {
    OUTCOME_LATER,    /* not kept; may work another time.  First: what nobody set is no promise */
    OUTCOME_KEPT,     /* durable: in the mailbox, or in the queue when the address leads on */
    OUTCOME_FULL,     /* the mailbox is over its quota */
    OUTCOME_NO_SPACE, /* the disk is */
    OUTCOME_NO_USER,  /* gone since RCPT */
    OUTCOME_DISABLED, /* likewise */
    OUTCOME_DENIED,   /* not of ours */
    OUTCOME_OVERFULL, /* the mailbox is over its quota, and has been for days */
};
#define OUTCOME_COUNT (OUTCOME_OVERFULL + 1)

#endif
