/* maildir_tree.c - the folders of a Maildir: ".A.B" beside each other, or one in the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/size.h"
#include "migrate/maildir.h"
#include "rt/disk.h"

struct finding {
    const struct maildir_layout *l;
    struct arena *a;
    struct migrate_tree *t;
    size_t room, subscribed_room;
    /* of fs: folders still to be looked into, below the root */
    struct str *waiting;
    size_t waiting_count, waiting_room;
};

static bool is_maildir(const char *path);
static void add_folder(struct finding *f, struct str name, struct str path);
static enum status look_into(struct finding *f, struct str below);
static void look_at(struct finding *f, struct str below, const char *file);
static void read_subscriptions(struct finding *f, const char *file);
static int by_name(const void *a, const void *b);

enum status
maildir_tree(const struct maildir_layout *l, struct arena *a, struct migrate_tree *out)
{
    struct migrate_tree t = {0};
    struct finding f = {.l = l, .a = a, .t = &t};

    if (!is_maildir(l->path))
        return ERR_NOT_FOUND;
    add_folder(&f, STR("INBOX"), str_of(l->path));
    TRY(look_into(&f, STR_NONE));
    for (size_t i = 0; i < f.waiting_count; i++)
        TRY(look_into(&f, f.waiting[i]));
    qsort(t.folders + 1, t.count - 1, sizeof(t.folders[0]), by_name);
    read_subscriptions(&f, "subscriptions");
    read_subscriptions(&f, "courierimapsubscribed");
    *out = t;
    return OK;
}

static bool
is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool
is_maildir(const char *path)
{
    char sub[MIGRATE_PATH_BYTES];

    migrate_path(sub, "%s/cur", path);
    if (is_dir(sub))
        return true;
    migrate_path(sub, "%s/new", path);
    return is_dir(sub);
}

static void
add_folder(struct finding *f, struct str name, struct str path)
{
    struct migrate_tree *t = f->t;

    if (t->count == f->room) {
        f->room = MAX(f->room * 2, 16);
        struct migrate_folder *more = ARENA_ARRAY(f->a, struct migrate_folder, f->room);
        if (t->count > 0)
            mem_copy(more, t->folders, t->count * sizeof(*more));
        t->folders = more;
    }
    t->folders[t->count++] = (struct migrate_folder){.name = name, .path = arena_z(f->a, path)};
}

static enum status
look_into(struct finding *f, struct str below)
{
    char path[MIGRATE_PATH_BYTES];
    const struct dirent *e;

    migrate_path(path, "%s/%.*s", f->l->path, STR_FMT(below));
    DIR *d = opendir(path);
    if (d == NULL)
        return ERR_IO;
    for (errno = 0; (e = readdir(d)) != NULL; errno = 0)
        look_at(f, below, e->d_name);
    enum status s = errno != 0 ? ERR_IO : OK;
    closedir(d);
    return s;
}

/* Of fs: a folder may have no messages, and others below it all the same. */
static void
look_at(struct finding *f, struct str below, const char *file)
{
    struct str dir = str_of(file), name;
    bool own = strcmp(file, "cur") == 0 || strcmp(file, "new") == 0 || strcmp(file, "tmp") == 0;

    if (strcmp(file, ".") == 0 || strcmp(file, "..") == 0 || own || (file[0] == '.') == f->l->fs)
        return;
    struct str whole =
        below.len > 0 ? arena_printf(f->a, "%.*s/%s", STR_FMT(below), file) : arena_str(f->a, dir);
    struct str path = arena_printf(f->a, "%s/%.*s", f->l->path, STR_FMT(whole));
    if (!is_dir(path.ptr))
        return;
    if (f->l->fs) {
        if (f->waiting_count == f->waiting_room) {
            f->waiting_room = MAX(f->waiting_room * 2, 16);
            struct str *more = ARENA_ARRAY(f->a, struct str, f->waiting_room);
            if (f->waiting_count > 0)
                mem_copy(more, f->waiting, f->waiting_count * sizeof(*more));
            f->waiting = more;
        }
        f->waiting[f->waiting_count++] = whole;
    }
    if (!is_maildir(path.ptr))
        return;
    if (maildir_folder_name(whole, f->l->fs ? '/' : '.', f->a, &name) != OK ||
        str_eq_nocase(name, STR("INBOX")))
        f->t->skipped++;
    else
        add_folder(f, name, path);
}

static void
read_subscriptions(struct finding *f, const char *file)
{
    AUTO_BUF text = BUF(LIMIT_IMPORT_FILE_BYTES);
    struct migrate_tree *t = f->t;
    char path[MIGRATE_PATH_BYTES];
    struct str name;

    migrate_path(path, "%s/%s", f->l->path, file);
    if (maildir_file_read(path, &text) != OK)
        return;
    struct subscriptions s = subscriptions_of(buf_str(&text));
    while (subscriptions_next(&s, f->a, &name)) {
        if (t->subscribed_count == f->subscribed_room) {
            f->subscribed_room = MAX(f->subscribed_room * 2, 16);
            struct str *more = ARENA_ARRAY(f->a, struct str, f->subscribed_room);
            if (t->subscribed_count > 0)
                mem_copy(more, t->subscribed, t->subscribed_count * sizeof(*more));
            t->subscribed = more;
        }
        t->subscribed[t->subscribed_count++] = name;
    }
}

static int
by_name(const void *a, const void *b)
{
    const struct migrate_folder *x = a, *y = b;

    return str_cmp(x->name, y->name);
}
