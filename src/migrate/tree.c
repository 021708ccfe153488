/* tree.c - folders, subscriptions and links as they are found.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "base/size.h"
#include "migrate/migrate.h"
#include "rt/disk.h"

/* The last wall: more than one more of anything takes, with its list made larger. */
enum { KEPT_ROOM = 16 << 20 };

struct list {
    struct str **at;
    size_t *count, *room;
};

/* Whoever owns the folders must not be able to end the whole command. */
static bool
has_room(struct migrate_finding *f, size_t count)
{
    f->over = f->over || count >= LIMIT_MAILBOXES || arena_left(f->a) < KEPT_ROOM;
    return !f->over;
}

static void
add_str(struct migrate_finding *f, struct list l, struct str s)
{
    if (!has_room(f, *l.count))
        return;
    if (*l.count == *l.room) {
        *l.room = MAX(*l.room * 2, 16);
        struct str *more = ARENA_ARRAY(f->a, struct str, *l.room);
        if (*l.count > 0)
            mem_copy(more, *l.at, *l.count * sizeof(*more));
        *l.at = more;
    }
    (*l.at)[(*l.count)++] = arena_str(f->a, s);
}

void
migrate_found_folder(struct migrate_finding *f, struct str name, struct str path)
{
    struct migrate_tree *t = f->t;

    if (!has_room(f, t->count))
        return;
    if (t->count == f->room) {
        f->room = MAX(f->room * 2, 16);
        struct migrate_folder *more = ARENA_ARRAY(f->a, struct migrate_folder, f->room);
        if (t->count > 0)
            mem_copy(more, t->folders, t->count * sizeof(*more));
        t->folders = more;
    }
    t->folders[t->count++] =
        (struct migrate_folder){.name = arena_str(f->a, name),
                                .path = arena_z(f->a, path),
                                .below = path.len - strlen(f->l->path) + f->l->below,
                                .quoting = f->l->quoting};
}

void
migrate_found_link(struct migrate_finding *f, struct str file)
{
    add_str(f, (struct list){&f->t->links, &f->t->link_count, &f->link_room}, file);
}

void
migrate_found_subscribed(struct migrate_finding *f, struct str name)
{
    add_str(f, (struct list){&f->t->subscribed, &f->t->subscribed_count, &f->subscribed_room},
            name);
}

void
migrate_look_later(struct migrate_finding *f, struct str below)
{
    add_str(f, (struct list){&f->waiting, &f->waiting_count, &f->waiting_room}, below);
}

static int
by_name(const void *a, const void *b)
{
    const struct migrate_folder *x = a, *y = b;
    bool x_first = str_eq(x->name, STR("INBOX")), y_first = str_eq(y->name, STR("INBOX"));

    return x_first != y_first ? (int)y_first - (int)x_first : str_cmp(x->name, y->name);
}

/* One name in two ways: each would remove from the mailbox what the other brought. */
void
migrate_found_all(struct migrate_finding *f)
{
    struct migrate_tree *t = f->t;
    size_t n = 0;

    if (t->count > 0)
        qsort(t->folders, t->count, sizeof(t->folders[0]), by_name);
    for (size_t i = 0; i < t->count; i++) {
        if (n > 0 && str_eq(t->folders[n - 1].name, t->folders[i].name))
            t->skipped++;
        else
            t->folders[n++] = t->folders[i];
    }
    t->count = n;
}

enum status
migrate_dir_list(const struct migrate_finding *f, struct str below, DIR **d_out)
{
    size_t more = below.len > 0 ? below.len + 1 : 0;
    char path[MIGRATE_PATH_BYTES];
    int fd = -1;

    migrate_path(path, "%s%s%.*s", f->l->path, more > 0 ? "/" : "", STR_FMT(below));
    if (path[0] == '\0')
        return ERR_IO;
    TRY(migrate_dir_open(path, f->l->below + more, &fd));
    *d_out = fdopendir(fd);
    if (*d_out == NULL)
        fd_close(&fd);
    return *d_out == NULL ? ERR_IO : OK;
}
