/* contract_internal.h - the harness of the contract suite: one engine under test, and short ways to use it.
 *
 * Every case runs inside a fiber, on each profile of the table in contract_test.c.  Checks are ASSERT():
 * cmocka's own would jump off the fiber's stack.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONTRACT_INTERNAL_H
#define ENGINE_CONTRACT_INTERNAL_H

#include "base/mem.h"
#include "base/size.h"
#include "engine/engine_faults.h"
#include "engine/engine_internal.h"

struct subject {
    const char *kind;
    bool cluster;
    uint32_t inline_max;
    char path[200]; /* world or data directory, fresh for each case */
    struct engine *e;
    struct arena *a;
};

/* contract_test.c */
SUSPENDS void subject_open(struct subject *s);
SUSPENDS void subject_reopen(struct subject *s); /* closes first */
bool subject_is_rocks(const struct subject *s);
/* Removes a directory tree that a test made. */
void tree_remove(const char *path);
/* Commits; on a profile with spurious conflicts again and again while the version is still expect. */
SUSPENDS enum status commit_retry(struct subject *s, struct cell_id c, struct cell_version expect,
                                  struct batch *b, struct cell_version *now_out);
SUSPENDS struct cell_version put_ok(struct subject *s, struct cell_id c, struct str key,
                                    struct str value);
SUSPENDS struct str get_ok(struct subject *s, struct cell_id c, struct str key);
SUSPENDS struct cell_version version_ok(struct subject *s, struct cell_id c);
SUSPENDS struct blob_id blob_ok(struct subject *s, struct str bytes, size_t piece);
/* By a headed writer: the first bytes (head of them) come last.  As blob_ok() else. */
SUSPENDS struct blob_id blob_headed_ok(struct subject *s, struct str bytes, size_t head,
                                       size_t piece);
SUSPENDS void ref_ok(struct subject *s, struct cell_id c, struct blob_id id, bool add);
SUSPENDS enum status blob_get(struct subject *s, struct blob_id id, struct str *out);
struct str pattern(struct arena *a, size_t size, uint64_t seed); /* repeatable noise */
/* Fibers of a case: each calls crowd_left() last; crowd_wait() waits for all of them. */
void crowd_go(void (*entry)(void *arg), void *arg);
void crowd_left(void);
SUSPENDS void crowd_wait(void);

/* A piece of work whose every acknowledged step must be found again. */
enum { WRITERS = 4, STEPS = 5 };
struct ledger {
    struct subject *s;
    uint64_t cell;
    int acked;                  /* steps acknowledged */
    struct blob_id body[STEPS]; /* of the acknowledged ones */
    enum status last;
};
/* Until done, or until the engine fails or is full. */
SUSPENDS void ledger_run(struct subject *s, struct ledger ledgers[WRITERS]);
SUSPENDS void ledger_check(struct subject *s, const struct ledger *l);

#define CELL(number) ((struct cell_id){'t', (number)})

/* The cases. */
SUSPENDS void contract_absent(struct subject *s);
SUSPENDS void contract_commit(struct subject *s);
SUSPENDS void contract_conflict(struct subject *s);
SUSPENDS void contract_order(struct subject *s);
SUSPENDS void contract_keys(struct subject *s);
SUSPENDS void contract_limits(struct subject *s);
SUSPENDS void contract_walk(struct subject *s);
SUSPENDS void contract_walk_pinned(struct subject *s);
SUSPENDS void contract_atomic(struct subject *s);
SUSPENDS void contract_counter(struct subject *s);
SUSPENDS void contract_records(struct subject *s);
SUSPENDS void contract_drop(struct subject *s);
SUSPENDS void contract_cancel(struct subject *s);
SUSPENDS void contract_publish(struct subject *s);
SUSPENDS void contract_model(struct subject *s);
SUSPENDS void contract_blob_sizes(struct subject *s);
SUSPENDS void contract_blob_heads(struct subject *s);
SUSPENDS void contract_blob_head_rules(struct subject *s);
SUSPENDS void contract_blob_unknown(struct subject *s);
SUSPENDS void contract_blob_refs(struct subject *s);
SUSPENDS void contract_blob_pending(struct subject *s);
SUSPENDS void contract_blob_conflict(struct subject *s);
SUSPENDS void contract_blob_crowd(struct subject *s);
SUSPENDS void contract_space(struct subject *s);
SUSPENDS void contract_reopen(struct subject *s);
SUSPENDS void contract_mem_crash(struct subject *s);
SUSPENDS void contract_mem_faults(struct subject *s);
SUSPENDS void contract_mem_shared(struct subject *s);
SUSPENDS void contract_rocks_faults(struct subject *s);
SUSPENDS void contract_rocks_compact(struct subject *s);
SUSPENDS void contract_rocks_checkpoint(struct subject *s);
SUSPENDS void contract_rocks_mark(struct subject *s);
SUSPENDS void contract_rocks_log(struct subject *s);
SUSPENDS void contract_rocks_damage(struct subject *s);
SUSPENDS void contract_rocks_lost_place(struct subject *s);
SUSPENDS void contract_rocks_format(struct subject *s);
SUSPENDS void contract_rocks_sample(struct subject *s);
SUSPENDS void contract_rocks_space(struct subject *s);
SUSPENDS void contract_rocks_failed(struct subject *s);
SUSPENDS void contract_rocks_kill(struct subject *s);
SUSPENDS void contract_rocks_cut(struct subject *s);

/* contract_kill_test.c: `contract_test --child ...`, started by the cases above. */
int contract_child(int argc, char **argv);
/* `contract_test --sample DIRECTORY` makes what tests/formats/ holds; `--check DIRECTORY STEP...` judges what `--child
 * DIRECTORY` left, given the last step of each cell that it acknowledged (tests/crash/power/). */
SUSPENDS void contract_sample_make(struct subject *s);

#endif
