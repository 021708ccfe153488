/* directory_invitation.c - see directory_invitation.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/directory_invitation.h"

#include "base/mem.h"
#include "store/directory_internal.h"

struct change { /* one of both */
    const struct directory_invitation *made;
    const struct directory_redemption *used;
};

SUSPENDS static enum status change(struct directory *d, struct str address,
                                   const struct change *how);
SUSPENDS static enum status change_once(struct directory *d, struct str address,
                                        const struct change *how);
static enum status redeem(const struct directory_redemption *r, struct directory_entry *e);

enum status
directory_invite(struct directory *d, struct str address, const struct directory_invitation *i)
{
    const struct change how = {.made = i};

    ASSERT(i->hash.len == DIRECTORY_INVITATION_HASH);
    return change(d, address, &how);
}

enum status
directory_redeem(struct directory *d, struct str address, const struct directory_redemption *r)
{
    const struct change how = {.used = r};

    if (r->verifier.len == 0 || r->verifier.len > DIRECTORY_VERIFIER_MAX)
        return ERR_LIMIT;
    return change(d, address, &how);
}

SUSPENDS static enum status
change(struct directory *d, struct str address, const struct change *how)
{
    AUTO_ARENA *a = arena_new(65536);
    struct str canonical, domain;
    enum status st;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_canonical(d, address, a, &canonical, &domain));
    while ((st = change_once(d, canonical, how)) == ERR_CONFLICT)
        ;
    directory_forget(d, DIRECTORY_TAG_ADDRESS, canonical);
    return st;
}

SUSPENDS static enum status
change_once(struct directory *d, struct str address, const struct change *how)
{
    AUTO_BUF value = BUF(DIRECTORY_VALUE_MAX);
    AUTO(tx_abort) struct tx *tx = NULL;
    struct directory_key key;
    struct directory_entry e;
    struct str old;

    TRY(directory_key_make(DIRECTORY_TAG_ADDRESS, address, &key));
    TRY(tx_begin(directory_shard(d, address), &tx));
    TRY(tx_get(tx, directory_key_str(&key), &old));
    TRY(directory_account_read(old, tx_arena(tx), &e));
    if (how->used != NULL)
        TRY(redeem(how->used, &e));
    else if (e.disabled || e.suspended)
        return ERR_DENIED;
    else
        e.invitation = *how->made;
    directory_entry_write(&e, &value);
    TRY(buf_status(&value));
    tx_put(tx, directory_key_str(&key), buf_str(&value));
    return tx_commit(&tx);
}

static enum status
redeem(const struct directory_redemption *r, struct directory_entry *e)
{
    if (e->invitation.hash.len == 0 || e->invitation.hash.len != r->hash.len ||
        !mem_eq_const_time(e->invitation.hash.ptr, r->hash.ptr, r->hash.len) ||
        r->now.us >= e->invitation.expires.us || e->disabled || e->suspended)
        return ERR_NOT_FOUND;
    e->verifier = r->verifier;
    e->invitation = (struct directory_invitation){.hash = STR_NONE};
    e->epoch++;
    return OK;
}
