/* user.c - the table of accounts with sessions here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/user.h"

#include "base/map.h"
#include "base/mem.h"

static struct map *users;

static struct str
key_of(const uint64_t *account)
{
    return str_from((const char *)account, sizeof(*account));
}

struct imap_user *
imap_user_find(uint64_t account)
{
    return users == NULL ? NULL : map_get(users, key_of(&account));
}

struct imap_user *
imap_user_take(uint64_t account)
{
    struct imap_user *u = imap_user_find(account);

    if (u != NULL)
        return u;
    if (users == NULL)
        users = map_new();
    u = MEM_NEW(struct imap_user);
    u->account = account;
    list_init(&u->sessions);
    list_init(&u->boxes);
    map_put(users, key_of(&account), u);
    return u;
}

void
imap_user_drop(struct imap_user *u)
{
    if (!list_empty(&u->sessions) || !list_empty(&u->boxes))
        return;
    map_del(users, key_of(&u->account));
    mem_free(u);
    if (map_count(users) == 0)
        map_free(&users);
}

struct imap_user *
imap_user_next(size_t *cursor)
{
    struct str key;
    void *value;

    return users != NULL && map_next(users, cursor, &key, &value) ? value : NULL;
}
