/* maildir_tree.c - the folders of a Maildir: ".A.B" beside each other, or one in the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/size.h"
#include "migrate/maildir.h"
#include "rt/disk.h"

static bool is_maildir(int dir);
static enum status look_into(struct migrate_finding *f, struct str below);
static void look_at(struct migrate_finding *f, int dir, struct str below, const char *file);
static void read_subscriptions(struct migrate_finding *f, int dir, const char *file);

enum { NAME_BYTES = 8192, FILE_ARENA = 64 << 10 };

enum status
maildir_tree(const struct migrate_layout *l, struct arena *a, struct migrate_tree *out)
{
    struct migrate_tree t = {0};
    struct migrate_finding f = {.l = l, .a = a, .t = &t};

    AUTO(fd_close) int root = -1;

    TRY(maildir_check(l));
    TRY(migrate_dir_open(l->path, l->below, &root));
    migrate_found_folder(&f, STR("INBOX"), str_of(l->path));
    TRY(look_into(&f, STR_NONE));
    for (size_t i = 0; i < f.waiting_count && !f.over; i++)
        TRY(look_into(&f, f.waiting[i]));
    migrate_found_all(&f);
    read_subscriptions(&f, root, "subscriptions");
    read_subscriptions(&f, root, "courierimapsubscribed");
    *out = t;
    return f.over ? ERR_LIMIT : OK;
}

enum status
maildir_check(const struct migrate_layout *l)
{
    AUTO(fd_close) int dir = -1;

    enum status s = migrate_dir_open(l->path, l->below, &dir);
    if (s == OK && is_maildir(dir))
        return OK;
    return s == OK || s == ERR_SYNTAX ? ERR_NOT_FOUND : s;
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

static enum status
look_into(struct migrate_finding *f, struct str below)
{
    const struct dirent *e;
    DIR *d;

    TRY(migrate_dir_list(f, below, &d));
    for (errno = 0; !f->over && (e = readdir(d)) != NULL; errno = 0)
        look_at(f, dirfd(d), below, e->d_name);
    enum status s = errno != 0 ? ERR_IO : OK;
    closedir(d);
    return s;
}

/* Of fs: a folder may have no messages, and others below it all the same. */
static void
look_at(struct migrate_finding *f, int dir, struct str below, const char *file)
{
    AUTO_ARENA *a = arena_new(FILE_ARENA);
    AUTO_BUF b = BUF(NAME_BYTES);
    struct str name;
    AUTO(fd_close) int fd = -1;
    bool own = strcmp(file, "cur") == 0 || strcmp(file, "new") == 0 || strcmp(file, "tmp") == 0;

    if (strcmp(file, ".") == 0 || strcmp(file, "..") == 0 || own || (file[0] == '.') == f->l->fs)
        return;
    buf_addf(&b, "%.*s%s%s", STR_FMT(below), below.len > 0 ? "/" : "", file);
    struct str whole = buf_str(&b);
    enum status s = buf_status(&b) == OK ? migrate_sub_open(dir, file, &fd) : ERR_LIMIT;
    if (s == ERR_DENIED)
        migrate_found_link(f, whole);
    if (s != OK)
        return;
    if (f->l->fs)
        migrate_look_later(f, whole);
    if (!is_maildir(fd))
        return;
    if (maildir_folder_name(whole, f->l->fs ? '/' : '.', a, &name) != OK ||
        str_eq_nocase(name, STR("INBOX")))
        f->t->skipped++;
    else
        migrate_found_folder(f, name, arena_printf(a, "%s/%.*s", f->l->path, STR_FMT(whole)));
}

static void
read_subscriptions(struct migrate_finding *f, int dir, const char *file)
{
    AUTO_BUF text = BUF(LIMIT_IMPORT_FILE_BYTES);
    struct str name;

    enum status st = migrate_file_read(dir, file, &text);
    if (st == ERR_DENIED)
        migrate_found_link(f, str_of(file));
    if (st != OK)
        return;
    struct subscriptions s = subscriptions_of(buf_str(&text));
    AUTO_ARENA *a = arena_new(FILE_ARENA);
    for (; !f->over && subscriptions_next(&s, a, &name); arena_reset(a))
        migrate_found_subscribed(f, name);
}
