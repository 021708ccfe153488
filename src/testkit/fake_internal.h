/* fake_internal.h - what the files of the fake store share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTKIT_FAKE_INTERNAL_H
#define TESTKIT_FAKE_INTERNAL_H

#include "base/buf.h"
#include "base/limits.h"
#include "testkit/fake_store.h"

#define FAKE_MAILBOXES 600u
#define FAKE_ACCOUNT   7u
#define FAKE_HANDLES   8u

struct fake_message {
    uint32_t uid, flags;
    uint64_t modseq, mid;
    int64_t received;
    struct str body, uidl;
    bool unread; /* there is no record of it */
};
struct fake_vanished {
    uint32_t uid;
    uint64_t modseq;
};
struct fake_mailbox {
    struct str name; /* NULL: free */
    uint32_t uidvalidity, uidnext, special;
    uint64_t modseq;
    bool subscribed, selectable;
    struct fake_message *messages;
    size_t count;
    struct fake_vanished *vanished;
    size_t vanished_count;
    struct str keywords[LIMIT_KEYWORDS];
    size_t keyword_count;
};
struct fake {
    const struct fake_protocol *protocol;
    struct config config;
    struct fake_world world;
    struct ipc_peer *store, *watch; /* both ends of the store's channel: ours, the server's */
    struct ipc_peer *auth, *auth_far;
    struct fake_mailbox boxes[FAKE_MAILBOXES]; /* id is index + 1 */
    uint32_t next_validity;
    uint64_t lives;  /* of the store */
    bool comes_back; /* as soon as it is gone */
    uint64_t modseq, next_mid;
    struct str fail_verb;
    enum status fail_status;
    bool fail_dies;
    struct str envelope; /* of the last message that SMTP gave us, fake_smtp.c */
    struct buf blobs[FAKE_HANDLES];
    bool blob_open[FAKE_HANDLES];
    size_t gone;
    uint32_t quota_bytes, quota_messages;
    uint64_t scram_session; /* whose exchange is open; 0: nobody's */
    bool scram_known;
    bool auth_returns;      /* as soon as it is gone */
    uint64_t ended_session; /* the last one that the store was told of */
    uint32_t ended;         /* how many */
};
extern struct fake fake;

struct fake_mailbox *fake_find(struct str name);
struct fake_mailbox *fake_by_id(uint32_t id);
uint32_t fake_id(const struct fake_mailbox *m);
struct fake_mailbox *fake_make(struct str name, uint32_t special); /* NULL: too many */
void fake_unmake(struct fake_mailbox *m);
bool fake_is_below(struct str name, struct str parent);
bool fake_has_children(const struct fake_mailbox *m);
void fake_touch(struct fake_mailbox *m);      /* a new modseq */
void fake_tell(const struct fake_mailbox *m); /* the server learns that it changed */
struct fake_message *fake_add(struct fake_mailbox *m, struct str body, uint32_t flags);
void fake_take_out(struct fake_mailbox *m, size_t i);
uint32_t fake_keyword_bit(struct fake_mailbox *m, struct str word); /* 0: too many */
void fake_blob_forget(uint32_t handle);
/* The body that a call names: in the blob, or in the call itself.  False: there is no such blob. */
bool fake_body(uint32_t handle, struct str body, struct str *out);
MUST_USE enum status fake_obey(struct ipc_peer *from, const char *verb); /* fails when ordered to */

#endif
