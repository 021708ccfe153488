/* testkit_internal.h - how the tests of the store open an engine, run inside a fiber, and deliver.
 *
 * Checks are ASSERT(): cmocka's own would jump off the fiber's stack.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_TESTKIT_INTERNAL_H
#define STORE_TESTKIT_INTERNAL_H

#include "base/testing.h"
#include "engine/engine_faults.h"
#include "rt/loop.h"
#include "rt/random.h"
#include "store/account.h"
#include "store/mailbox.h"
#include "store/message.h"
#include "store/store_watch.h"
#include "store/work.h"

enum { KIT_MEM = 1, KIT_CLUSTER = 2, KIT_ROCKS = 4, KIT_ALL = KIT_MEM | KIT_CLUSTER | KIT_ROCKS };

struct kit {
    int profile; /* one of the bits */
    char path[200];
    struct engine *e;
    struct cells *cs;
    struct arena *a;
    struct instant now;
};
struct kit_row {
    const char *name;
    void (*run)(struct kit *k);
    int where;
};
/* main() of a test: PROGRAM [SUBSTRING]. */
int kit_main(const char *group, const struct kit_row *rows, size_t n, char **argv);

SUSPENDS void kit_open(struct kit *k);
SUSPENDS void kit_close(struct kit *k);
SUSPENDS void kit_reopen(struct kit *k);
/* A new account; cell_close() it. */
SUSPENDS struct cell *kit_account(struct kit *k, uint64_t id);
SUSPENDS struct blob_id kit_blob(struct kit *k, struct str bytes);
/* A message of this many bytes with this message-id hash. */
SUSPENDS struct message_new kit_message(struct kit *k, size_t size, uint64_t hash);
SUSPENDS struct message_place kit_add(struct kit *k, struct cell *account, uint32_t mailbox,
                                      size_t size);
SUSPENDS struct mailbox_info kit_box(struct kit *k, struct cell *account, uint32_t id);
struct kit_entry {
    uint32_t uid, flags;
    uint64_t modseq, mid;
};
struct kit_view {
    uint64_t modseq;
    struct kit_entry *entries;
    size_t count;
};
SUSPENDS struct kit_view kit_view(struct kit *k, struct cell *account, uint32_t mailbox);
struct kit_view kit_unpack(struct kit *k, struct str entries);
/* Counters against places, quota against messages, all of an account. */
SUSPENDS void kit_check(struct kit *k, struct cell *account);

/* Fibers of a case: each calls kit_left() last; kit_wait() waits for all. */
void kit_go(void (*entry)(void *arg), void *arg);
void kit_left(void);
SUSPENDS void kit_wait(void);

#endif
