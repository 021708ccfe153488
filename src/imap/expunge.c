/* expunge.c - EXPUNGE, UID EXPUNGE.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/commands.h"
#include "ipc/store_ipc.h"

#define EXPUNGE_ARENA (1u << 20)

enum status
imap_expunge(struct imap_session *s, const struct store_range *uids, size_t n)
{
    AUTO_ARENA *a = arena_new(EXPUNGE_ARENA);
    struct store_expunge req = {.session = s->id,
                                .mailbox = s->box->mailbox,
                                .uids = uids,
                                .uids_count = n,
                                .deleted_only = true};
    struct store_expunge_reply rep;
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(imap_store(s, &store));
        e = store_expunge_call(store, &req, a, &rep);
    } while (hold_write_again(&s->hold, e));
    TRY(e);
    imap_changed(s->account, rep.modseq, &req.mailbox, 1);
    return OK;
}

/* The EXPUNGE replies come from imap_ok(), as those for what others removed. */
SUSPENDS enum status
imap_cmd_expunge(struct imap_cmd *c)
{
    const struct store_range all = {.first = 1, .last = UINT32_MAX};
    const struct store_range *uids = &all;
    struct imap_set set;
    size_t n = 1;

    if (c->uid && (!imap_scan_sp(&c->in) || !imap_scan_set(&c->in, c->arena, &set)))
        return imap_bad(c, "Expected UID EXPUNGE and a set of UIDs");
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "EXPUNGE takes no argument");
    if (c->s->read_only)
        return imap_no(c, "READ-ONLY", "The mailbox was opened to look only");
    if (c->uid && !imap_uids(c, &set, &uids, &n))
        return imap_bad(c, "That set cannot be used");
    enum status e = n == 0 ? OK : imap_expunge(c->s, uids, n);
    return e == OK ? imap_ok(c, NULL, "Expunged") : imap_write_failed(c, e);
}
