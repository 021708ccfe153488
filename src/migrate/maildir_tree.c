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
    size_t room, subscribed_room, link_room;
    /* of fs: folders still to be looked into, below the root */
    struct str *waiting;
    size_t waiting_count, waiting_room;
};

static bool is_maildir(int dir);
static void add_folder(struct finding *f, struct str name, struct str path);
static enum status look_into(struct finding *f, struct str below);
static void look_at(struct finding *f, int dir, struct str below, const char *file);
static void read_subscriptions(struct finding *f, int dir, const char *file);
static int by_name(const void *a, const void *b);

enum status
maildir_tree(const struct maildir_layout *l, struct arena *a, struct migrate_tree *out)
{
    struct migrate_tree t = {0};
    struct finding f = {.l = l, .a = a, .t = &t};

    AUTO(fd_close) int root = -1;

    TRY(maildir_check(l));
    TRY(maildir_dir_open(l->path, l->below, &root));
    add_folder(&f, STR("INBOX"), str_of(l->path));
    TRY(look_into(&f, STR_NONE));
    for (size_t i = 0; i < f.waiting_count; i++)
        TRY(look_into(&f, f.waiting[i]));
    qsort(t.folders + 1, t.count - 1, sizeof(t.folders[0]), by_name);
    read_subscriptions(&f, root, "subscriptions");
    read_subscriptions(&f, root, "courierimapsubscribed");
    *out = t;
    return OK;
}

enum status
maildir_check(const struct maildir_layout *l)
{
    AUTO(fd_close) int dir = -1;

    enum status s = maildir_dir_open(l->path, l->below, &dir);
    if (s == OK && is_maildir(dir))
        return OK;
    return s == ERR_DENIED ? s : ERR_NOT_FOUND;
}

/* Where cur is a link it is said when the folder is read. */
static bool
is_maildir(int dir)
{
    static const char *const subs[] = {"cur", "new"};
    struct stat st;

    for (size_t i = 0; i < COUNT_OF(subs); i++)
        if (fstatat(dir, subs[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)))
            return true;
    return false;
}

static void
add_str(struct finding *f, struct str **list, size_t *count, size_t *room, struct str s)
{
    if (*count == *room) {
        *room = MAX(*room * 2, 16);
        struct str *more = ARENA_ARRAY(f->a, struct str, *room);
        if (*count > 0)
            mem_copy(more, *list, *count * sizeof(*more));
        *list = more;
    }
    (*list)[(*count)++] = s;
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
    t->folders[t->count++] =
        (struct migrate_folder){.name = name,
                                .path = arena_z(f->a, path),
                                .below = path.len - strlen(f->l->path) + f->l->below};
}

static enum status
look_into(struct finding *f, struct str below)
{
    size_t more = below.len > 0 ? below.len + 1 : 0;
    char path[MIGRATE_PATH_BYTES];
    const struct dirent *e;
    int fd = -1;

    migrate_path(path, "%s%s%.*s", f->l->path, more > 0 ? "/" : "", STR_FMT(below));
    if (path[0] == '\0')
        return ERR_IO;
    TRY(maildir_dir_open(path, f->l->below + more, &fd));
    DIR *d = fdopendir(fd);
    if (d == NULL) {
        fd_close(&fd);
        return ERR_IO;
    }
    for (errno = 0; (e = readdir(d)) != NULL; errno = 0)
        look_at(f, fd, below, e->d_name);
    enum status s = errno != 0 ? ERR_IO : OK;
    closedir(d);
    return s;
}

/* Of fs: a folder may have no messages, and others below it all the same. */
static void
look_at(struct finding *f, int dir, struct str below, const char *file)
{
    struct str name;
    struct migrate_tree *t = f->t;
    AUTO(fd_close) int fd = -1;
    bool own = strcmp(file, "cur") == 0 || strcmp(file, "new") == 0 || strcmp(file, "tmp") == 0;

    if (strcmp(file, ".") == 0 || strcmp(file, "..") == 0 || own || (file[0] == '.') == f->l->fs)
        return;
    struct str whole = below.len > 0 ? arena_printf(f->a, "%.*s/%s", STR_FMT(below), file)
                                     : arena_str(f->a, str_of(file));
    enum status s = maildir_sub_open(dir, file, &fd);
    if (s == ERR_DENIED)
        add_str(f, &t->links, &t->link_count, &f->link_room, whole);
    if (s != OK)
        return;
    if (f->l->fs)
        add_str(f, &f->waiting, &f->waiting_count, &f->waiting_room, whole);
    if (!is_maildir(fd))
        return;
    if (maildir_folder_name(whole, f->l->fs ? '/' : '.', f->a, &name) != OK ||
        str_eq_nocase(name, STR("INBOX")))
        t->skipped++;
    else
        add_folder(f, name, arena_printf(f->a, "%s/%.*s", f->l->path, STR_FMT(whole)));
}

static void
read_subscriptions(struct finding *f, int dir, const char *file)
{
    AUTO_BUF text = BUF(LIMIT_IMPORT_FILE_BYTES);
    struct migrate_tree *t = f->t;
    struct str name;

    enum status st = maildir_file_read(dir, file, &text);
    if (st == ERR_DENIED)
        add_str(f, &t->links, &t->link_count, &f->link_room, str_of(file));
    if (st != OK)
        return;
    struct subscriptions s = subscriptions_of(buf_str(&text));
    while (subscriptions_next(&s, f->a, &name))
        add_str(f, &t->subscribed, &t->subscribed_count, &f->subscribed_room, name);
}

static int
by_name(const void *a, const void *b)
{
    const struct migrate_folder *x = a, *y = b;

    return str_cmp(x->name, y->name);
}
