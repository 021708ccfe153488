/* directory_app.c - the passwords that an account has for programs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/directory_app.h"

#include "store/directory_internal.h"

enum change_kind { CHANGE_ADD, CHANGE_REMOVE, CHANGE_USED };
struct change {
    enum change_kind kind;
    const struct directory_app_password *add;
    struct str name; /* of CHANGE_REMOVE */
    uint64_t id;     /* of CHANGE_USED; afterwards of the one that was removed */
    uint32_t day;
};

SUSPENDS static enum status change(struct directory *d, struct str address, struct change *how);
SUSPENDS static enum status change_once(struct directory *d, struct str address,
                                        struct change *how);
static enum status apply(struct directory_app_password *list, size_t *n, struct change *how);

enum status
directory_app_add(struct directory *d, struct str address, const struct directory_app_password *p)
{
    struct change how = {.kind = CHANGE_ADD, .add = p};

    if (p->name.len == 0 || p->name.len > DIRECTORY_APP_NAME_MAX)
        return ERR_SYNTAX;
    return change(d, address, &how);
}

enum status
directory_app_remove(struct directory *d, struct str address, struct str name, uint64_t *id_out)
{
    struct change how = {.kind = CHANGE_REMOVE, .name = name};

    TRY(change(d, address, &how));
    *id_out = how.id;
    return OK;
}

enum status
directory_app_used(struct directory *d, struct str address, uint64_t id, uint32_t day)
{
    struct change how = {.kind = CHANGE_USED, .id = id, .day = day};
    enum status st = change(d, address, &how);

    return st == ERR_EXISTS ? OK : st;
}

SUSPENDS static enum status
change(struct directory *d, struct str address, struct change *how)
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
change_once(struct directory *d, struct str address, struct change *how)
{
    AUTO_BUF value = BUF(DIRECTORY_VALUE_MAX);
    AUTO(tx_abort) struct tx *tx = NULL;
    struct directory_app_password list[LIMIT_APP_PASSWORDS + 1];
    struct directory_key key;
    struct directory_entry e;
    struct str old;
    size_t n = 0;

    TRY(directory_key_make(DIRECTORY_TAG_ADDRESS, address, &key));
    TRY(tx_begin(directory_shard(d, address), &tx));
    TRY(tx_get(tx, directory_key_str(&key), &old));
    TRY(directory_account_read(old, tx_arena(tx), &e));
    while (n < e.app_password_count) {
        list[n] = e.app_passwords[n];
        n++;
    }
    TRY(apply(list, &n, how));
    e.app_passwords = list;
    e.app_password_count = n;
    directory_entry_write(&e, &value);
    TRY(buf_status(&value));
    tx_put(tx, directory_key_str(&key), buf_str(&value));
    return tx_commit(&tx);
}

static size_t
find(const struct directory_app_password *list, size_t n, const struct change *how)
{
    struct str name = how->kind == CHANGE_ADD ? how->add->name : how->name;
    size_t i = 0;

    while (i < n &&
           (how->kind == CHANGE_USED ? list[i].id != how->id : !str_eq(list[i].name, name)))
        i++;
    return i;
}

static enum status
apply(struct directory_app_password *list, size_t *n, struct change *how)
{
    size_t i = find(list, *n, how);

    switch (how->kind) {
    case CHANGE_ADD:
        if (i < *n)
            return ERR_EXISTS;
        if (*n == LIMIT_APP_PASSWORDS)
            return ERR_LIMIT;
        list[(*n)++] = *how->add;
        return OK;
    case CHANGE_REMOVE:
        if (i == *n)
            return ERR_NOT_FOUND;
        how->id = list[i].id;
        for ((*n)--; i < *n; i++)
            list[i] = list[i + 1];
        return OK;
    case CHANGE_USED:
        if (i == *n)
            return ERR_NOT_FOUND;
        if (list[i].used_day >= how->day)
            return ERR_EXISTS;
        list[i].used_day = how->day;
        return OK;
    }
    UNREACHABLE();
}
