/* copy_internal.h - copying: what the direct way and the staged way share.
 *
 * Direct: one commit.  Staged, for very many messages: several commits write the new places at UIDs beyond the
 * target's uidnext, where nobody sees them; the last commit raises uidnext, and takes the source's places away when
 * it is a move.  A job says that the work is under way; the reaper undoes what a crash cut off.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_COPY_INTERNAL_H
#define STORE_COPY_INTERNAL_H

#include "store/work.h"

#define COPY_DIRECT_MAX   4096u  /* messages in one commit */
#define COPY_STAGED_STEP  512u   /* messages in one commit of the staged way */
#define STAGE_UID_GAP     65536u /* UIDs left to those who deliver meanwhile */
#define STAGE_MODSEQ_GAP  4096u  /* changes that others may make meanwhile */
#define STAGE_ABANDONED_S 3600u  /* another store process is thought dead after that */

struct copied {
    uint32_t from, into;
    uint32_t flags; /* in the target's table */
    uint32_t flags_before;
    uint64_t mid, size;
};
struct copied_list {
    struct copied *items;
    size_t count, cap;
    size_t max; /* for copy_collect() */
};
struct copying {
    struct cell *account;
    const struct copy_request *r;
    struct instant now;
    struct arena *a; /* of the reply */
};
/* Source places of the set from UID *next on, at most list->max; *next 0 = no more.  into is not set. */
MUST_USE SUSPENDS enum status copy_collect(struct work *w, const struct work_box *from,
                                           const struct copy_request *r, struct copied_list *list,
                                           uint32_t *next);
void copied_add(struct copied_list *l, struct arena *a, const struct copied *item);
/* flags from flags_before. */
MUST_USE SUSPENDS enum status copy_keywords(struct work *w, const struct work_box *from,
                                            struct work_box *to, struct copied_list *list);
struct copy_target {
    struct work_box *box;
    uint32_t uid;    /* of the first */
    uint64_t modseq; /* of the new places */
};
/* Writes the new places, and enters them in the messages (in place of the old ones when replace). */
MUST_USE SUSPENDS enum status copy_write(struct work *w, const struct copy_target *t, uint32_t from,
                                         bool replace, struct copied_list *list);
/* Takes the source's places of list away, those that are still there. */
MUST_USE SUSPENDS enum status copy_take_away(struct work *w, struct work_box *from,
                                             const struct copied_list *list);
/* Counts and logs what came into the target. */
void copy_enter(struct work *w, struct work_box *to, const struct copied_list *list);
void copy_answer(const struct copied_list *list, uint32_t uidvalidity, uint64_t modseq,
                 struct arena *a, struct copy_reply *out);

MUST_USE SUSPENDS enum status copy_staged(const struct copying *c, struct copy_reply *out);
/* One step of undoing a staged copy (job JOB_STAGED).  ERR_TEMP: it is under way. */
MUST_USE SUSPENDS enum status stage_undo(struct work *w, uint64_t id, const struct job_value *job);
/* For tests: this process is another one from now on. */
void stage_forget_process(void);
/* One step of JOB_LEFT. */
MUST_USE SUSPENDS enum status stage_sweep(struct work *w, uint64_t id, const struct job_value *job);

#endif
