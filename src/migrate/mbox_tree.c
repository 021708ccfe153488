/* mbox_tree.c - mbox files in folders: of Dovecot and UW IMAP "A/B", of Thunderbird "A.sbd/B".
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/size.h"
#include "imap/parse.h"
#include "migrate/maildir.h"
#include "migrate/mbox.h"
#include "rt/disk.h"

enum { NAME_BYTES = 8192, LOOK_BYTES = 1024, FILE_ARENA = 64 << 10, CHECK_ARENA = 256 << 20 };
#define BELOW STR(".sbd")
#define DOT   STR("&AC4-") /* as maildir_folder_dir() writes it, and maildir_folder_name() reads it */

static enum status look_into_all(struct migrate_finding *f);
static enum status look_into(struct migrate_finding *f, struct str below);
static void look_at(struct migrate_finding *f, int dir, struct str below, const char *file);
static void found_file(struct migrate_finding *f, int dir, struct str whole, const char *file);
static enum status name_of(struct str whole, struct arena *a, struct str *out);
static void read_subscriptions(struct migrate_finding *f, int dir, const char *file);

enum status
mbox_check(const struct migrate_layout *l)
{
    AUTO_ARENA *a = arena_new(CHECK_ARENA);
    struct migrate_tree t;

    TRY(mbox_tree(l, a, &t));
    return t.count > 0 ? OK : ERR_NOT_FOUND;
}

/* Nothing but empty lines, or a From_ line. */
static bool
is_mbox(int fd)
{
    char text[LOOK_BYTES];
    struct instant t;
    struct str line;

    ssize_t n = pread(fd, text, sizeof(text), 0);
    if (n < 0)
        return false;
    struct str rest = str_from(text, (size_t)n); /* not negative */
    while (str_split(&rest, '\n', &line)) {
        if (str_ends(line, STR("\r")))
            line.len--;
        if (line.len > 0)
            return mbox_from_read(line, &t);
    }
    return true;
}

enum status
mbox_tree(const struct migrate_layout *l, struct arena *a, struct migrate_tree *out)
{
    struct migrate_tree t = {0};
    struct migrate_finding f = {.l = l, .a = a, .t = &t};
    AUTO(fd_close) int fd = -1;

    enum status s = migrate_dir_open(l->path, l->below, &fd);
    if (s == ERR_SYNTAX) {
        s = migrate_path_open(l->path, l->below, &fd);
        if (s != OK)
            return s == ERR_SYNTAX ? ERR_NOT_FOUND : s; /* it would be below a file */
        migrate_found_folder(&f, STR("INBOX"), str_of(l->path));
        *out = t;
        return is_mbox(fd) ? OK : ERR_NOT_FOUND;
    }
    TRY(s);
    TRY(look_into_all(&f));
    migrate_found_all(&f);
    read_subscriptions(&f, fd, ".subscriptions");
    read_subscriptions(&f, fd, ".mailboxlist");
    *out = t;
    return f.over ? ERR_LIMIT : OK;
}

/* One that was removed meanwhile is nothing. */
static enum status
look_into_all(struct migrate_finding *f)
{
    TRY(look_into(f, STR_NONE));
    for (size_t i = 0; i < f->waiting_count && !f->over; i++) {
        enum status s = look_into(f, f->waiting[i]);
        if (s != OK && s != ERR_NOT_FOUND)
            return s;
    }
    return OK;
}

static enum status
look_into(struct migrate_finding *f, struct str below)
{
    const struct dirent *e;
    DIR *d;

    TRY(migrate_dir_list(f, below, &d));
    for (errno = 0; !f->over && (e = readdir(d)) != NULL; errno = 0)
        if (e->d_name[0] != '.')
            look_at(f, dirfd(d), below, e->d_name);
    enum status s = errno != 0 ? ERR_IO : OK;
    closedir(d);
    return s;
}

static void
look_at(struct migrate_finding *f, int dir, struct str below, const char *file)
{
    AUTO_BUF b = BUF(NAME_BYTES);
    struct stat st;

    buf_addf(&b, "%.*s%s%s", STR_FMT(below), below.len > 0 ? "/" : "", file);
    struct str whole = buf_str(&b);
    if (buf_status(&b) != OK || fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (S_ISLNK(st.st_mode))
        migrate_found_link(f, whole);
    else if (S_ISDIR(st.st_mode))
        migrate_look_later(f, whole);
    else
        found_file(f, dir, whole, file);
}

/* An empty file is a folder without mail, but for locks, indexes and files under way. */
static bool
is_beside(struct str file)
{
    static const char *const ends[] = {".msf", ".lock", ".part", ".dat", ".html", ".json", ".log"};

    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (str_ends(file, str_of(ends[i])))
            return true;
    return false;
}

static void
found_file(struct migrate_finding *f, int dir, struct str whole, const char *file)
{
    AUTO_ARENA *a = arena_new(FILE_ARENA);
    AUTO(fd_close) int fd = -1;
    struct str name;

    if (is_beside(whole))
        return;
    if (migrate_file_open(dir, file, &fd) != OK || !is_mbox(fd))
        f->t->other++;
    else if (name_of(whole, a, &name) != OK)
        f->t->skipped++;
    else
        migrate_found_folder(f, name, arena_printf(a, "%s/%.*s", f->l->path, STR_FMT(whole)));
}

/* In modified UTF-7 where it is, else as it stands. */
static enum status
name_of(struct str whole, struct arena *a, struct str *out)
{
    AUTO_BUF b = BUF(NAME_BYTES);
    struct str rest = whole, level;

    while (str_split(&rest, '/', &level)) {
        bool last = rest.ptr == NULL;
        if (!last && str_ends(level, BELOW) && level.len > BELOW.len)
            level.len -= BELOW.len;
        if (b.len == 0 && str_eq_nocase(level, STR("INBOX")))
            level = STR("INBOX");
        buf_add(&b, level);
        if (!last)
            buf_add_char(&b, '/');
    }
    TRY(buf_status(&b));
    if (maildir_folder_name(buf_str(&b), '/', a, out) == OK)
        return OK;
    *out = arena_str(a, buf_str(&b));
    for (size_t i = 0; i < out->len; i++)
        if ((unsigned char)out->ptr[i] < 0x20 || out->ptr[i] == 0x7f)
            return ERR_SYNTAX;
    return utf8_valid(*out) && out->len <= LIMIT_MAILBOX_NAME_BYTES ? OK : ERR_SYNTAX;
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
    if (s.sep == '.')
        s.sep = '/';
    AUTO_ARENA *a = arena_new(FILE_ARENA);
    for (; !f->over && subscriptions_next(&s, a, &name); arena_reset(a))
        migrate_found_subscribed(f, name);
}

/* ---- the other way ---- */

/* A dot where it would make the file another thing. */
static void
add_level(struct str level, struct buf *b)
{
    if (str_starts(level, STR("."))) {
        buf_add(b, DOT);
        level = str_skip(level, 1);
    }
    ssize_t dot = str_rfind(level, '.');
    if (dot >= 0 && (is_beside(level) || str_ends(level, BELOW))) {
        imap_utf7_encode(str_sub(level, 0, (size_t)dot), b); /* found: not negative */
        buf_add(b, DOT);
        level = str_skip(level, (size_t)dot + 1);
    }
    imap_utf7_encode(level, b);
}

void
mbox_folder_file(struct str name, struct buf *b)
{
    struct str level;

    while (str_split(&name, '/', &level)) {
        add_level(level, b);
        if (name.ptr != NULL) {
            buf_add(b, BELOW);
            buf_add_char(b, '/');
        }
    }
}
