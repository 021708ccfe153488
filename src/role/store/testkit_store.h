/* testkit_store.h - the real store role in one process with its peers: the tests play mx, user and out, and
 * stand in for cook (with the real parser), auth and keys.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_STORE_TESTKIT_STORE_H
#define ROLE_STORE_TESTKIT_STORE_H

#include "base/testing.h"
#include "ipc/store_ipc.h"
#include "role/role.h"
#include "role/store/store.h"

struct town { /* one test's world */
    struct store *store;
    struct arena *a;
    struct ipc_peer *mx, *user, *auth, *out, *keys, *cooks[2], *admin; /* the tests' ends */
    uint32_t changed, revoked, out_work;                               /* notes that came */
    struct resolver *resolver; /* of role out; NULL: it knows nothing */
    uint64_t changed_account;
    uint32_t cooked[2];
    uint32_t cook_dies;             /* the next so many calls to cooks end their channel */
    uint32_t look_dies, judge_dies; /* the same of these calls */
    uint32_t keys_refuse;           /* the next so many signatures */
};
extern struct town town;

/* main() of a test, PROGRAM [SUBSTRING]: each function runs on a fiber, in a new world. */
struct town_row {
    const char *name;
    void (*run)(void);
};
int town_main(const char *group, const struct town_row *rows, size_t n, char **argv);
/* anna 1, bert 2; "team" both, "away" elsewhere; user session 11 is anna's, 12 bert's. */
SUSPENDS void town_people(void);

SUSPENDS enum status town_deliver(const char *rcpts, struct str body,
                                  struct store_deliver_reply *rep);
SUSPENDS enum status town_submit(uint64_t session, const char *from, const char *rcpts,
                                 uint64_t *qid_out);
SUSPENDS uint64_t town_inbox(uint64_t account);
/* The newest message of the INBOX. */
SUSPENDS struct str town_newest(uint64_t account);
/* Lets the role work until the condition holds, for a long while at most. */
#define TOWN_UNTIL(condition)                             \
    do {                                                  \
        for (int i_ = 0; i_ < 6000 && !(condition); i_++) \
            ASSERT(fiber_sleep(5) == OK);                 \
        ASSERT(condition);                                \
    } while (0)

#endif
