/* directory_reap.c - notes of what may have to be dropped, and dropping it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"
#include "base/size.h"
#include "store/account.h"
#include "store/directory_internal.h"

enum {
    REAP_KEY = 17,
    GONE_KEY = 9,
    REAP_STEP = 16,     /* accounts looked at in one step */
    NOTE_OF_MAKING = 1, /* versions */
    NOTE_OF_REMOVAL = 2,
};
#define SECOND_US INT64_C(1000000)

struct settled { /* keys of notes that can go */
    char keys[DIRECTORY_SETTLED_MAX][REAP_KEY];
    size_t count;
};

SUSPENDS static enum status note_once(struct directory *d, const struct directory_reap_note *r,
                                      bool add, const struct settled *old);
SUSPENDS static enum status note_removal(struct tx *tx, const struct directory_reap_note *r,
                                         bool add);
SUSPENDS static enum status reap_one(struct directory *d, const struct directory_reap_note *r);
SUSPENDS static enum status reap_in_hand(struct directory *d, const struct directory_reap_note *r);
SUSPENDS static enum status is_stale(struct directory *d, const struct directory_reap_note *r,
                                     bool *out);
static void note_write(const struct directory_reap_note *r, struct buf *b);
static enum status due_read(struct str value, int64_t *due_s_out);
static bool reap_read(const struct cell_entry *e, struct directory_reap_note *out);
static void key_of(const struct directory_reap_note *r, char *key);
static void gone_key(uint64_t account, char *key);

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
        struct directory_reap_note r;
        if (!reap_read(&entries[i], &r))
            return ERR_CORRUPT;
        TRY(reap_one(d, &r));
    }
    return OK;
}

enum status
directory_reap_note(struct directory *d, const struct directory_reap_note *r, bool add)
{
    struct settled old = {.count = d->settled_count};
    enum status st;

    for (size_t i = 0; i < old.count; i++)
        key_of(&d->settled[i], old.keys[i]);
    d->settled_count = 0; /* should this fail, the reaper finds them */
    while ((st = note_once(d, r, add, &old)) == ERR_CONFLICT)
        ;
    return st;
}

enum status
directory_reap_find(struct directory *d, uint64_t account, struct arena *a,
                    struct directory_reap_note *out)
{
    struct directory_reap_note note = {.account = account};
    char gone[GONE_KEY], key[REAP_KEY];
    struct cell_entry e = {.key = str_from(key, sizeof(key))};
    struct str value;

    gone_key(account, gone);
    TRY(cell_get(directory_domains_cell(d), str_from(gone, sizeof(gone)), a, &value));
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(due_read(value, &note.due_s));
    key_of(&note, key);
    TRY(cell_get(directory_domains_cell(d), e.key, a, &e.value));
    if (e.value.ptr == NULL)
        return ERR_NOT_FOUND;
    return reap_read(&e, out) && out->entry.len > 0 ? OK : ERR_CORRUPT;
}

enum status
directory_reap_notes(struct directory *d, const struct directory_reap_note *after, struct arena *a,
                     struct directory_reap_note **out, size_t *n_out)
{
    const struct cell_entry *entries;
    char lo[REAP_KEY + 1] = {0}; /* the first key after it: itself and a zero byte */
    size_t n = 0;

    key_of(after, lo);
    struct cell_walk w = {
        .cell = cell_id_of(directory_domains_cell(d)),
        .lo = str_from(lo, sizeof(lo)),
        .hi = STR("s"),
        .bytes_max = 65536,
    };
    enum status st = cell_walk_page(directory_domains_cell(d), &w, a, &entries, &n);
    cell_walk_end(directory_domains_cell(d), &w);
    if (st == ERR_NOT_FOUND) /* there is no cell yet */
        n = 0;
    else
        TRY(st);
    *out = ARENA_ARRAY(a, struct directory_reap_note, n + 1);
    for (size_t i = 0; i < n; i++)
        if (!reap_read(&entries[i], &(*out)[i]))
            return ERR_CORRUPT;
    *n_out = n;
    return OK;
}

/* By its old address, or by the one that it was brought back to. */
enum status
directory_reap_is_named(struct directory *d, const struct directory_reap_note *r, bool *out)
{
    AUTO_ARENA *a = arena_new(4 * DIRECTORY_VALUE_MAX);
    struct directory_entry e;
    char id[8];

    be64_put(id, r->account);
    directory_forget(d, DIRECTORY_TAG_ADDRESS, r->address);
    directory_forget(d, DIRECTORY_TAG_ID, str_from(id, sizeof(id)));
    enum status st = directory_find(d, r->address, a, &e);
    if (st == OK && (e.kind != DIRECTORY_ACCOUNT || e.account != r->account))
        st = ERR_NOT_FOUND;
    if (st == ERR_NOT_FOUND)
        st = directory_by_id(d, r->account, a, &e);
    if (st != OK && st != ERR_NOT_FOUND)
        return st;
    *out = st == OK;
    return OK;
}

void
directory_reap_settled(struct directory *d, int64_t due_s, uint64_t account)
{
    if (due_s != 0 && d->settled_count < COUNT_OF(d->settled))
        d->settled[d->settled_count++] =
            (struct directory_reap_note){.due_s = due_s, .account = account};
}

SUSPENDS static enum status
note_once(struct directory *d, const struct directory_reap_note *r, bool add,
          const struct settled *old)
{
    AUTO_BUF value = BUF(2 * DIRECTORY_VALUE_MAX);
    AUTO(tx_abort) struct tx *tx = NULL;
    char key[REAP_KEY];

    key_of(r, key);
    TRY(tx_begin(directory_domains_cell(d), &tx));
    for (size_t i = 0; i < old->count; i++)
        tx_del(tx, str_from(old->keys[i], REAP_KEY));
    if (r->entry.len > 0)
        TRY(note_removal(tx, r, add));
    if (add) {
        note_write(r, &value);
        TRY(buf_status(&value));
        tx_put(tx, str_from(key, sizeof(key)), buf_str(&value));
    } else {
        tx_del(tx, str_from(key, sizeof(key)));
    }
    return tx_commit(&tx);
}

/* Which note is the one of the removal: an earlier one, that a crash left behind, must not end the account early. */
SUSPENDS static enum status
note_removal(struct tx *tx, const struct directory_reap_note *r, bool add)
{
    struct directory_reap_note old = {.account = r->account};
    char key[GONE_KEY], due[1 + 8], note[REAP_KEY];
    struct str value;

    gone_key(r->account, key);
    TRY(tx_get(tx, str_from(key, sizeof(key)), &value));
    if (value.ptr != NULL)
        TRY(due_read(value, &old.due_s));
    if (!add) {
        if (value.ptr != NULL && old.due_s == r->due_s)
            tx_del(tx, str_from(key, sizeof(key)));
        return OK;
    }
    if (value.ptr != NULL) {
        key_of(&old, note);
        tx_del(tx, str_from(note, sizeof(note)));
    }
    due[0] = 1;
    be64_put(due + 1, (uint64_t)r->due_s); /* a time after 1970 */
    tx_put(tx, str_from(key, sizeof(key)), str_from(due, sizeof(due)));
    return OK;
}

SUSPENDS static enum status
reap_one(struct directory *d, const struct directory_reap_note *r)
{
    if (directory_take_in_hand(d, r->account) != OK)
        return OK; /* the next step comes back to it */
    enum status st = reap_in_hand(d, r);
    directory_let_go(d, r->account);
    return st;
}

SUSPENDS static enum status
reap_in_hand(struct directory *d, const struct directory_reap_note *r)
{
    bool named, stale;

    TRY(directory_reap_is_named(d, r, &named));
    TRY(is_stale(d, r, &stale));
    if (!named && !stale) {
        TRY(directory_drop_cell(d, r->account));
        TRY(directory_id_put(d, r->account, STR_NONE));
    }
    return directory_reap_note(d, r, false);
}

/* The account was removed, and has until the time that another note says: this one is of its making. */
SUSPENDS static enum status
is_stale(struct directory *d, const struct directory_reap_note *r, bool *out)
{
    AUTO_ARENA *a = arena_new(4096);
    char key[GONE_KEY];
    struct str value;
    int64_t due_s = r->due_s;

    gone_key(r->account, key);
    TRY(cell_get(directory_domains_cell(d), str_from(key, sizeof(key)), a, &value));
    if (value.ptr != NULL)
        TRY(due_read(value, &due_s));
    *out = due_s != r->due_s;
    return OK;
}

enum status
directory_drop_cell(struct directory *d, uint64_t account)
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

static void
note_write(const struct directory_reap_note *r, struct buf *b)
{
    buf_add_char(b, r->entry.len > 0 ? NOTE_OF_REMOVAL : NOTE_OF_MAKING);
    buf_add_bytes(b, r->address);
    if (r->entry.len > 0)
        buf_add_bytes(b, r->entry);
}

static bool
reap_read(const struct cell_entry *e, struct directory_reap_note *out)
{
    struct scan s = scan_of(e->value);
    struct str address, entry = STR_NONE;
    uint8_t version;

    if (e->key.len != REAP_KEY || !scan_u8(&s, &version) || version < NOTE_OF_MAKING ||
        version > NOTE_OF_REMOVAL || !scan_bytes(&s, DIRECTORY_ADDRESS_MAX, &address) ||
        (version == NOTE_OF_REMOVAL &&
         (!scan_bytes(&s, DIRECTORY_VALUE_MAX, &entry) || entry.len == 0)) ||
        !scan_at_end(&s))
        return false;
    out->due_s = (int64_t)be64_get(e->key.ptr + 1); /* as written */
    out->account = be64_get(e->key.ptr + 9);
    out->address = address;
    out->entry = entry;
    return true;
}

static enum status
due_read(struct str value, int64_t *due_s_out)
{
    if (value.len != 1 + 8 || value.ptr[0] != 1)
        return ERR_CORRUPT;
    *due_s_out = (int64_t)be64_get(value.ptr + 1); /* as written */
    return OK;
}

static void
key_of(const struct directory_reap_note *r, char *key)
{
    key[0] = DIRECTORY_TAG_REAP;
    be64_put(key + 1, (uint64_t)r->due_s); /* a time after 1970 */
    be64_put(key + 9, r->account);
}

static void
gone_key(uint64_t account, char *key)
{
    key[0] = DIRECTORY_TAG_GONE;
    be64_put(key + 1, account);
}
