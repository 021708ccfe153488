/* directory_account.c - accounts come and go, over two cells each.
 *
 * There is no transaction over the account's cell and the directory's shard.  A reap note, written first, makes every
 * unfinished step harmless: at its time the reaper drops an account cell that no directory entry names.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"
#include "base/size.h"
#include "rt/clock.h"
#include "store/account.h"
#include "store/directory_internal.h"

enum {
    REAP_KEY = 17,
    REAP_STEP = 16,       /* accounts looked at in one step */
    CREATE_GRACE_S = 3600 /* an account that is being made has this long */
};
#define SECOND_US INT64_C(1000000)

struct reap {
    int64_t due_s;
    uint64_t account;
    struct str address;
};
enum edit_kind { EDIT_VERIFIER, EDIT_DISABLE, EDIT_ENABLE, EDIT_QUOTA };
struct edit {
    enum edit_kind kind;
    struct str verifier;
    uint64_t quota_bytes;
};

SUSPENDS static enum status make(struct directory *d, const struct directory_new_account *n,
                                 const struct reap *note);
SUSPENDS static enum status enter(struct directory *d, const struct directory_entry *e);
SUSPENDS static enum status enter_once(struct directory *d, const struct directory_entry *e);
SUSPENDS static enum status edit(struct directory *d, struct str address, const struct edit *how);
SUSPENDS static enum status edit_once(struct directory *d, struct str address,
                                      const struct edit *how);
SUSPENDS static enum status remove_entry(struct directory *d, struct str address, uint64_t account);
SUSPENDS static enum status remove_once(struct directory *d, struct str address, uint64_t account);
SUSPENDS static enum status reap_note(struct directory *d, const struct reap *r, bool add);
SUSPENDS static enum status reap_note_once(struct directory *d, const struct reap *r, bool add);
SUSPENDS static enum status reap_one(struct directory *d, const struct reap *r);
/* From the account to its address; empty = forget it. */
SUSPENDS static enum status id_put(struct directory *d, uint64_t account, struct str address);
SUSPENDS static enum status id_put_once(struct directory *d, struct str id, struct str address);
SUSPENDS static enum status drop_cell(struct directory *d, uint64_t account);
static bool reap_read(const struct cell_entry *e, struct reap *out);
static enum status read_account(struct str value, struct arena *a, struct directory_entry *out);

enum status
directory_account_add(struct directory *d, const struct directory_new_account *n)
{
    AUTO_ARENA *a = arena_new(65536);
    struct directory_new_account new_account = *n;
    struct directory_entry old;
    struct str domain;
    bool local;

    ASSERT(n->account != 0);
    if (d->source != &directory_built_in)
        return ERR_DENIED;
    if (n->verifier.len > DIRECTORY_VERIFIER_MAX)
        return ERR_LIMIT;
    TRY(directory_canonical(d, n->address, a, &new_account.address, &domain));
    TRY(directory_is_local_domain(d, domain, &local));
    if (!local)
        return ERR_NOT_FOUND;
    enum status st = d->source->find(d, new_account.address, a, &old);
    if (st != ERR_NOT_FOUND)
        return st == OK ? ERR_EXISTS : st;
    struct reap note = {
        .due_s = clock_now().us / SECOND_US + CREATE_GRACE_S,
        .account = n->account,
        .address = new_account.address,
    };
    TRY(reap_note(d, &note, true));
    TRY(make(d, &new_account, &note));
    return reap_note(d, &note, false);
}

enum status
directory_account_remove(struct directory *d, struct str address)
{
    AUTO_ARENA *a = arena_new(65536);
    struct directory_entry e;

    if (d->source != &directory_built_in)
        return ERR_DENIED;
    TRY(directory_find(d, address, a, &e));
    if (e.kind != DIRECTORY_ACCOUNT)
        return ERR_NOT_FOUND;
    struct reap note = {
        .due_s = clock_now().us / SECOND_US + (int64_t)LIMIT_UNDELETE_DAYS * 86400,
        .account = e.account,
        .address = e.address,
    };
    TRY(reap_note(d, &note, true));
    return remove_entry(d, e.address, e.account);
}

enum status
directory_account_verifier(struct directory *d, struct str address, struct str verifier)
{
    struct edit how = {.kind = EDIT_VERIFIER, .verifier = verifier};

    return verifier.len > DIRECTORY_VERIFIER_MAX ? ERR_LIMIT : edit(d, address, &how);
}

enum status
directory_account_disable(struct directory *d, struct str address, bool disabled)
{
    struct edit how = {.kind = disabled ? EDIT_DISABLE : EDIT_ENABLE};

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
directory_reap(struct directory *d, struct instant now)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    const struct cell_entry *entries;
    char end[9] = {DIRECTORY_TAG_REAP};
    size_t n = 0;

    if (d->source != &directory_built_in || now.us <= 0)
        return OK;
    be64_put(end + 1, (uint64_t)(now.us / SECOND_US)); /* positive, as asked above */
    struct cell_walk w = {
        .cell = cell_id_of(directory_domains_cell(d)),
        .lo = STR("r"),
        .hi = str_from(end, sizeof(end)),
        .bytes_max = 16384,
    };
    enum status st = cell_walk_page(directory_domains_cell(d), &w, a, &entries, &n);
    cell_walk_end(directory_domains_cell(d), &w);
    if (st == ERR_NOT_FOUND || st == ERR_CONFLICT) /* no cell yet; or busy: the next step will do */
        return OK;
    TRY(st);
    for (size_t i = 0; i < n && i < REAP_STEP; i++) {
        struct reap r;
        if (!reap_read(&entries[i], &r))
            return ERR_CORRUPT;
        TRY(reap_one(d, &r));
    }
    return OK;
}

/* ---- making ---- */

SUSPENDS static enum status
make(struct directory *d, const struct directory_new_account *n, const struct reap *note)
{
    struct directory_entry e = {
        .kind = DIRECTORY_ACCOUNT,
        .address = n->address,
        .account = n->account,
        .epoch = 1,
        .quota_bytes = n->quota_bytes,
        .created = clock_now(),
        .verifier = n->verifier,
    };

    AUTO(cell_close) struct cell *cell = account_open(d->cells, n->account);
    TRY(account_create(cell, (struct account_quota){.bytes = n->quota_bytes}, e.created));
    TRY(id_put(d, n->account, n->address));
    enum status st = enter(d, &e);
    if (st != ERR_EXISTS && st != ERR_LIMIT)
        return st;
    /* Someone took the address meanwhile: the reap note stays until the cell is gone. */
    TRY(drop_cell(d, n->account));
    TRY(id_put(d, n->account, STR_NONE));
    TRY(reap_note(d, note, false));
    return st;
}

SUSPENDS static enum status
enter(struct directory *d, const struct directory_entry *e)
{
    enum status st;

    while ((st = enter_once(d, e)) == ERR_CONFLICT)
        ;
    directory_forget(d, DIRECTORY_TAG_ADDRESS, e->address);
    return st;
}

SUSPENDS static enum status
enter_once(struct directory *d, const struct directory_entry *e)
{
    AUTO_BUF value = BUF(DIRECTORY_VALUE_MAX);
    AUTO(tx_abort) struct tx *tx = NULL;
    struct directory_key key;
    struct str old;

    TRY(directory_key_make(DIRECTORY_TAG_ADDRESS, e->address, &key));
    TRY(tx_begin(directory_shard(d, e->address), &tx));
    TRY(tx_get(tx, directory_key_str(&key), &old));
    if (old.ptr != NULL)
        return ERR_EXISTS;
    directory_entry_write(e, &value);
    TRY(buf_status(&value));
    tx_put(tx, directory_key_str(&key), buf_str(&value));
    return tx_commit(&tx);
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
    TRY(read_account(old, tx_arena(tx), &e));
    switch (how->kind) {
    case EDIT_VERIFIER: e.verifier = how->verifier; break;
    case EDIT_DISABLE: e.disabled = true; break;
    case EDIT_ENABLE: e.disabled = false; break;
    case EDIT_QUOTA: e.quota_bytes = how->quota_bytes; break;
    }
    if (how->kind != EDIT_QUOTA)
        e.epoch++;
    directory_entry_write(&e, &value);
    TRY(buf_status(&value));
    tx_put(tx, directory_key_str(&key), buf_str(&value));
    return tx_commit(&tx);
}

SUSPENDS static enum status
remove_entry(struct directory *d, struct str address, uint64_t account)
{
    enum status st;

    while ((st = remove_once(d, address, account)) == ERR_CONFLICT)
        ;
    directory_forget(d, DIRECTORY_TAG_ADDRESS, address);
    return st;
}

SUSPENDS static enum status
remove_once(struct directory *d, struct str address, uint64_t account)
{
    AUTO(tx_abort) struct tx *tx = NULL;
    struct directory_key key;
    struct directory_entry e;
    struct str old;

    TRY(directory_key_make(DIRECTORY_TAG_ADDRESS, address, &key));
    TRY(tx_begin(directory_shard(d, address), &tx));
    TRY(tx_get(tx, directory_key_str(&key), &old));
    TRY(read_account(old, tx_arena(tx), &e));
    if (e.account != account) /* removed and made anew meanwhile */
        return ERR_NOT_FOUND;
    tx_del(tx, directory_key_str(&key));
    return tx_commit(&tx);
}

static enum status
read_account(struct str value, struct arena *a, struct directory_entry *out)
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

/* ---- reaping ---- */

SUSPENDS static enum status
reap_note(struct directory *d, const struct reap *r, bool add)
{
    enum status st;

    while ((st = reap_note_once(d, r, add)) == ERR_CONFLICT)
        ;
    return st;
}

SUSPENDS static enum status
reap_note_once(struct directory *d, const struct reap *r, bool add)
{
    AUTO_BUF value = BUF(1024);
    AUTO(tx_abort) struct tx *tx = NULL;
    char key[REAP_KEY] = {DIRECTORY_TAG_REAP};

    be64_put(key + 1, (uint64_t)r->due_s); /* a time after 1970 */
    be64_put(key + 9, r->account);
    TRY(tx_begin(directory_domains_cell(d), &tx));
    if (add) {
        buf_add_char(&value, 1);
        buf_add_bytes(&value, r->address);
        tx_put(tx, str_from(key, sizeof(key)), buf_str(&value));
    } else {
        tx_del(tx, str_from(key, sizeof(key)));
    }
    return tx_commit(&tx);
}

SUSPENDS static enum status
reap_one(struct directory *d, const struct reap *r)
{
    AUTO_ARENA *a = arena_new(65536);
    struct directory_entry e;

    directory_forget(d, DIRECTORY_TAG_ADDRESS, r->address);
    enum status st = directory_find(d, r->address, a, &e);
    bool named = st == OK && e.kind == DIRECTORY_ACCOUNT && e.account == r->account;
    if (st != OK && st != ERR_NOT_FOUND)
        return st;
    if (!named) {
        TRY(drop_cell(d, r->account));
        TRY(id_put(d, r->account, STR_NONE));
    }
    return reap_note(d, r, false);
}

SUSPENDS static enum status
drop_cell(struct directory *d, uint64_t account)
{
    AUTO(cell_close) struct cell *cell = account_open(d->cells, account);
    enum status st = OK;
    bool more = true;

    while (more && st == OK) {
        more = false;
        st = account_drop(cell, &more);
        fiber_yield();
    }
    return st == ERR_NOT_FOUND ? OK : st; /* gone already */
}

SUSPENDS static enum status
id_put(struct directory *d, uint64_t account, struct str address)
{
    enum status st;
    char id[8];

    be64_put(id, account);
    while ((st = id_put_once(d, str_from(id, sizeof(id)), address)) == ERR_CONFLICT)
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

static bool
reap_read(const struct cell_entry *e, struct reap *out)
{
    struct scan s = scan_of(e->value);
    uint8_t version;
    struct str address;

    if (e->key.len != REAP_KEY || !scan_u8(&s, &version) || version != 1 ||
        !scan_bytes(&s, DIRECTORY_ADDRESS_MAX, &address) || !scan_at_end(&s))
        return false;
    out->due_s = (int64_t)be64_get(e->key.ptr + 1); /* as written */
    out->account = be64_get(e->key.ptr + 9);
    out->address = address;
    return true;
}
