/* directory_account.c - accounts come and go, over two cells each.
 *
 * There is no transaction over the account's cell and the directory's shard.  A reap note, written first, makes every
 * unfinished step harmless: at its time the reaper drops an account cell that no directory entry names.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/clock.h"
#include "rt/random.h"
#include "store/account.h"
#include "store/directory_internal.h"
#include "store/directory_password.h"
#include "store/directory_rights.h"

enum { CREATE_GRACE_S = 3600 /* an account that is being made has this long */ };
#define SECOND_US INT64_C(1000000)

enum edit_kind {
    EDIT_VERIFIER,
    EDIT_DISABLE,
    EDIT_ENABLE,
    EDIT_SUSPEND,
    EDIT_RESUME,
    EDIT_QUOTA,
    EDIT_FORWARD,
    EDIT_SEND_AS,
    EDIT_RENEW
};
struct edit {
    enum edit_kind kind;
    struct str verifier, was;
    uint64_t quota_bytes;
    struct directory_forward forward;
    struct directory_send_as send_as;
};

SUSPENDS static enum status make(struct directory *d, struct directory_new_account *n,
                                 struct str address);
SUSPENDS static enum status enter_once(struct directory *d, const struct directory_entry *e);
SUSPENDS static enum status undo(struct directory *d, const struct directory_new_account *n,
                                 struct str address);
SUSPENDS static enum status edit(struct directory *d, struct str address, const struct edit *how);
SUSPENDS static enum status edit_once(struct directory *d, struct str address,
                                      const struct edit *how);
SUSPENDS static enum status remove_noted(struct directory *d, struct str address);
SUSPENDS static enum status remove_once(struct directory *d, struct str address, struct str entry);
SUSPENDS static enum status id_put_once(struct directory *d, struct str id, struct str address);
static enum status renew(const struct edit *how, struct directory_entry *e);
static enum status change_send_as(const struct directory_send_as *what, struct arena *a,
                                  struct directory_entry *e);
static bool contains(const struct str *list, size_t n, struct str address);
static struct str id_bytes(uint64_t account, char *id);

uint64_t
directory_account_id(struct directory *d, struct str address)
{
    AUTO_ARENA *a = arena_new(8192);
    struct str canonical = address;
    uint64_t id;
    char bytes[8];

    if (directory_canonical(d, address, a, &canonical, NULL) != OK)
        canonical = address; /* will be refused */
    do
        id = random_u64();
    while (id == 0 || directory_shard(d, id_bytes(id, bytes)) != directory_shard(d, canonical));
    return id;
}

enum status
directory_account_add(struct directory *d, const struct directory_new_account *n)
{
    struct directory_new_account both = *n;

    TRY(directory_account_prepare(d, &both));
    return directory_account_enter(d, &both);
}

enum status
directory_account_prepare(struct directory *d, struct directory_new_account *n)
{
    AUTO_ARENA *a = arena_new(65536);
    struct directory_entry old;
    struct str address, domain;
    bool local;

    ASSERT(n->account != 0);
    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_canonical(d, n->address, a, &address, &domain));
    TRY(directory_is_local_domain(d, domain, &local));
    if (!local)
        return ERR_NOT_FOUND;
    enum status st = d->source->find(d, address, a, &old);
    if (st != ERR_NOT_FOUND)
        return st == OK ? ERR_EXISTS : st;
    return make(d, n, address);
}

enum status
directory_account_enter(struct directory *d, const struct directory_new_account *n)
{
    AUTO_ARENA *a = arena_new(65536);
    struct directory_entry e = {
        .kind = DIRECTORY_ACCOUNT,
        .account = n->account,
        .epoch = 1,
        .quota_bytes = n->quota_bytes,
        .created = clock_now(),
        .verifier = n->verifier,
        .suspended = n->suspended,
        .invitation = n->invitation,
    };
    enum status st;

    TRY(directory_canonical(d, n->address, a, &e.address, NULL));
    do
        st = n->verifier.len > DIRECTORY_VERIFIER_MAX ? ERR_LIMIT : enter_once(d, &e);
    while (st == ERR_CONFLICT);
    directory_forget(d, DIRECTORY_TAG_ADDRESS, e.address);
    if (st == OK) {
        char id[8];
        directory_forget(d, DIRECTORY_TAG_ID, id_bytes(n->account, id));
        directory_reap_settled(d, n->grace_s, n->account);
    } else if (st == ERR_EXISTS || st == ERR_LIMIT) {
        /* Someone took the address meanwhile. */
        TRY(undo(d, n, e.address));
    }
    return st;
}

enum status
directory_account_abandon(struct directory *d, const struct directory_new_account *n)
{
    AUTO_ARENA *a = arena_new(65536);
    struct str address;

    TRY(directory_canonical(d, n->address, a, &address, NULL));
    return undo(d, n, address);
}

enum status
directory_account_remove(struct directory *d, struct str address)
{
    AUTO_ARENA *a = arena_new(65536);
    struct str canonical;
    enum status st;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_canonical(d, address, a, &canonical, NULL));
    while ((st = remove_noted(d, canonical)) == ERR_CONFLICT)
        ;
    directory_forget(d, DIRECTORY_TAG_ADDRESS, canonical);
    return st;
}

enum status
directory_account_verifier(struct directory *d, struct str address, struct str verifier)
{
    struct edit how = {.kind = EDIT_VERIFIER, .verifier = verifier};

    return verifier.len > DIRECTORY_VERIFIER_MAX ? ERR_LIMIT : edit(d, address, &how);
}

enum status
directory_account_renew(struct directory *d, struct str address, const struct directory_renewal *r)
{
    const struct edit how = {.kind = EDIT_RENEW, .was = r->was, .verifier = r->verifier};

    return r->verifier.len > DIRECTORY_VERIFIER_MAX ? ERR_LIMIT : edit(d, address, &how);
}

enum status
directory_account_disable(struct directory *d, struct str address, bool disabled)
{
    struct edit how = {.kind = disabled ? EDIT_DISABLE : EDIT_ENABLE};

    return edit(d, address, &how);
}

enum status
directory_account_suspend(struct directory *d, struct str address, bool suspended)
{
    struct edit how = {.kind = suspended ? EDIT_SUSPEND : EDIT_RESUME};

    return edit(d, address, &how);
}

enum status
directory_account_quota(struct directory *d, struct str address, uint64_t quota_bytes)
{
    AUTO_ARENA *a = arena_new(65536);
    struct edit how = {.kind = EDIT_QUOTA, .quota_bytes = quota_bytes};
    struct directory_entry e;

    TRY(directory_find(d, address, a, &e));
    if (e.kind != DIRECTORY_ACCOUNT)
        return ERR_NOT_FOUND;
    AUTO(cell_close) struct cell *cell = account_open(d->cells, e.account);
    TRY(account_set_quota(cell, (struct account_quota){.bytes = quota_bytes}));
    return edit(d, address, &how);
}

enum status
directory_entry_put_back(struct directory *d, const struct directory_entry *e)
{
    enum status st;
    char id[8];

    if (directory_shard(d, id_bytes(e->account, id)) != directory_shard(d, e->address))
        TRY(directory_id_put(d, e->account, e->address));
    while ((st = enter_once(d, e)) == ERR_CONFLICT)
        ;
    directory_forget(d, DIRECTORY_TAG_ADDRESS, e->address);
    directory_forget(d, DIRECTORY_TAG_ID, id_bytes(e->account, id));
    return st;
}

enum status
directory_account_forward(struct directory *d, struct str address,
                          const struct directory_forward *to)
{
    AUTO_ARENA *a = arena_new(65536);
    struct edit how = {.kind = EDIT_FORWARD, .forward.keep = to->keep};
    struct str *targets = ARENA_ARRAY(a, struct str, to->count + 1);
    struct directory_entry e;
    bool loop;

    if (to->count > LIMIT_FORWARD_TARGETS)
        return ERR_LIMIT;
    TRY(directory_find(d, address, a, &e));
    if (e.kind != DIRECTORY_ACCOUNT)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < to->count; i++) {
        TRY(directory_canonical(d, to->targets[i], a, &targets[how.forward.count], NULL));
        if (str_eq(targets[how.forward.count], e.address))
            how.forward.keep = true;
        else
            how.forward.count++;
    }
    how.forward.targets = targets;
    const struct directory_entry as_alias = {.kind = DIRECTORY_ALIAS,
                                             .address = e.address,
                                             .targets = targets,
                                             .target_count = how.forward.count};
    TRY(directory_leads_to(d, &as_alias, &loop));
    return loop ? ERR_CONFLICT : edit(d, address, &how);
}

enum status
directory_account_send_as(struct directory *d, struct str address,
                          const struct directory_send_as *what)
{
    AUTO_ARENA *a = arena_new(131072);
    struct edit how = {.kind = EDIT_SEND_AS, .send_as = *what};
    struct str *list = ARENA_ARRAY(a, struct str, what->count + 1);

    if (what->count > LIMIT_SEND_AS)
        return ERR_LIMIT;
    for (size_t i = 0; i < what->count; i++) {
        struct str domain;
        bool ours = false;
        TRY(directory_canonical_key(d, what->addresses[i], a, &list[i], &domain));
        TRY(directory_is_local_domain(d, domain, &ours));
        if (!ours && !what->remove)
            return ERR_DENIED;
    }
    how.send_as.addresses = list;
    return edit(d, address, &how);
}

/* ---- making ---- */

/* Everything but the entry, which makes it known; the mailboxes come with the cell. */
SUSPENDS static enum status
make(struct directory *d, struct directory_new_account *n, struct str address)
{
    struct instant now = clock_now();
    struct directory_reap_note note = {
        .due_s = now.us / SECOND_US + CREATE_GRACE_S,
        .account = n->account,
        .address = address,
    };
    char id[8];

    TRY(directory_reap_note(d, &note, true));
    n->grace_s = note.due_s;
    AUTO(cell_close) struct cell *cell = account_open(d->cells, n->account);
    TRY(account_create(cell, (struct account_quota){.bytes = n->quota_bytes}, now));
    if (directory_shard(d, id_bytes(n->account, id)) == directory_shard(d, address))
        return OK; /* it goes in together with the entry */
    return directory_id_put(d, n->account, address);
}

SUSPENDS static enum status
enter_once(struct directory *d, const struct directory_entry *e)
{
    AUTO_BUF value = BUF(DIRECTORY_VALUE_MAX);
    AUTO(tx_abort) struct tx *tx = NULL;
    struct directory_key key, by_id;
    struct str old;
    char id[8];

    TRY(directory_key_make(DIRECTORY_TAG_ADDRESS, e->address, &key));
    TRY(directory_key_make(DIRECTORY_TAG_ID, id_bytes(e->account, id), &by_id));
    TRY(tx_begin(directory_shard(d, e->address), &tx));
    TRY(tx_get(tx, directory_key_str(&key), &old));
    if (old.ptr != NULL)
        return ERR_EXISTS;
    directory_entry_write(e, &value);
    TRY(buf_status(&value));
    tx_put(tx, directory_key_str(&key), buf_str(&value));
    if (directory_shard(d, str_from(id, sizeof(id))) == directory_shard(d, e->address))
        tx_put(tx, directory_key_str(&by_id),
               arena_printf(tx_arena(tx), "\1%.*s", STR_FMT(e->address)));
    return tx_commit(&tx);
}

/* The reap note stays until the cell is gone. */
SUSPENDS static enum status
undo(struct directory *d, const struct directory_new_account *n, struct str address)
{
    char id[8];

    TRY(directory_drop_cell(d, n->account));
    if (directory_shard(d, id_bytes(n->account, id)) != directory_shard(d, address))
        TRY(directory_id_put(d, n->account, STR_NONE));
    directory_reap_settled(d, n->grace_s, n->account);
    return OK;
}

/* ---- changing ---- */

SUSPENDS static enum status
edit(struct directory *d, struct str address, const struct edit *how)
{
    AUTO_ARENA *a = arena_new(65536);
    struct str canonical, domain;
    enum status st;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_canonical(d, address, a, &canonical, &domain));
    while ((st = edit_once(d, canonical, how)) == ERR_CONFLICT)
        ;
    directory_forget(d, DIRECTORY_TAG_ADDRESS, canonical);
    return st;
}

SUSPENDS static enum status
edit_once(struct directory *d, struct str address, const struct edit *how)
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
    switch (how->kind) {
    case EDIT_VERIFIER: e.verifier = how->verifier; break;
    case EDIT_DISABLE: e.disabled = true; break;
    case EDIT_ENABLE: e.disabled = false; break;
    case EDIT_SUSPEND: e.suspended = true; break;
    case EDIT_RESUME: e.suspended = false; break;
    case EDIT_QUOTA: e.quota_bytes = how->quota_bytes; break;
    case EDIT_FORWARD: e.forward = how->forward; break;
    case EDIT_RENEW: TRY(renew(how, &e)); break;
    case EDIT_SEND_AS: TRY(change_send_as(&how->send_as, tx_arena(tx), &e)); break;
    }
    if (how->kind < EDIT_QUOTA) /* those end sessions */
        e.epoch++;
    if (how->kind == EDIT_VERIFIER || how->kind == EDIT_DISABLE || how->kind == EDIT_SUSPEND)
        e.invitation = (struct directory_invitation){.hash = STR_NONE};
    directory_entry_write(&e, &value);
    TRY(buf_status(&value));
    tx_put(tx, directory_key_str(&key), buf_str(&value));
    return tx_commit(&tx);
}

/* The note first.  ERR_CONFLICT: the entry is another one by now. */
SUSPENDS static enum status
remove_noted(struct directory *d, struct str address)
{
    AUTO_ARENA *a = arena_new(4 * DIRECTORY_VALUE_MAX);
    struct directory_reap_note note = {.address = address};
    struct directory_entry e;
    struct directory_key key;

    TRY(directory_key_make(DIRECTORY_TAG_ADDRESS, address, &key));
    enum status st = cell_get(directory_shard(d, address), directory_key_str(&key), a, &note.entry);
    TRY(st);
    TRY(directory_account_read(note.entry, a, &e));
    note.account = e.account;
    note.due_s = clock_now().us / SECOND_US + (int64_t)LIMIT_UNDELETE_DAYS * 86400;
    TRY(directory_reap_note(d, &note, true));
    return remove_once(d, address, note.entry);
}

SUSPENDS static enum status
remove_once(struct directory *d, struct str address, struct str entry)
{
    AUTO(tx_abort) struct tx *tx = NULL;
    struct directory_key key;
    struct str old;

    TRY(directory_key_make(DIRECTORY_TAG_ADDRESS, address, &key));
    TRY(tx_begin(directory_shard(d, address), &tx));
    TRY(tx_get(tx, directory_key_str(&key), &old));
    if (old.ptr == NULL || !str_eq(old, entry))
        return ERR_CONFLICT;
    tx_del(tx, directory_key_str(&key));
    return tx_commit(&tx);
}

static enum status
renew(const struct edit *how, struct directory_entry *e)
{
    if (!str_eq(e->verifier, how->was))
        return ERR_NOT_FOUND;
    e->verifier = how->verifier;
    return OK;
}

/* Inside the transaction: two who give rights at once both give them. */
static enum status
change_send_as(const struct directory_send_as *what, struct arena *a, struct directory_entry *e)
{
    struct str *list = ARENA_ARRAY(a, struct str, e->send_as_count + what->count + 1);
    size_t n = 0;

    for (size_t i = 0; i < e->send_as_count; i++) {
        bool named = what->count == 0 || contains(what->addresses, what->count, e->send_as[i]);
        if (!what->remove || !named)
            list[n++] = e->send_as[i];
    }
    for (size_t i = 0; !what->remove && i < what->count; i++)
        if (!contains(list, n, what->addresses[i]))
            list[n++] = what->addresses[i];
    if (n > LIMIT_SEND_AS)
        return ERR_LIMIT;
    e->send_as = list;
    e->send_as_count = n;
    return OK;
}

static bool
contains(const struct str *list, size_t n, struct str address)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], address))
            return true;
    return false;
}

enum status
directory_account_read(struct str value, struct arena *a, struct directory_entry *out)
{
    struct directory_entry e;

    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(directory_entry_read(value, a, &e));
    if (e.kind != DIRECTORY_ACCOUNT)
        return ERR_NOT_FOUND;
    *out = e;
    return OK;
}

/* ---- from the account to its address ---- */

enum status
directory_id_put(struct directory *d, uint64_t account, struct str address)
{
    enum status st;
    char id[8];

    while ((st = id_put_once(d, id_bytes(account, id), address)) == ERR_CONFLICT)
        ;
    directory_forget(d, DIRECTORY_TAG_ID, str_from(id, sizeof(id)));
    return st;
}

SUSPENDS static enum status
id_put_once(struct directory *d, struct str id, struct str address)
{
    AUTO(tx_abort) struct tx *tx = NULL;
    struct directory_key key;

    TRY(directory_key_make(DIRECTORY_TAG_ID, id, &key));
    TRY(tx_begin(directory_shard(d, id), &tx));
    if (address.len > 0)
        tx_put(tx, directory_key_str(&key), arena_printf(tx_arena(tx), "\1%.*s", STR_FMT(address)));
    else
        tx_del(tx, directory_key_str(&key));
    return tx_commit(&tx);
}

static struct str
id_bytes(uint64_t account, char *id)
{
    be64_put(id, account);
    return str_from(id, 8);
}
