/* maildir_folder.c - the messages of one Maildir folder, and their bodies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "migrate/maildir.h"
#include "rt/disk.h"

enum { FORWARDED = MAILDIR_LETTERS /* its place in the table of words */ };
static_assert(MIGRATE_KEYWORDS == MAILDIR_LETTERS + 1, "a word for P");

struct reading {
    struct migrate_folder *f;
    struct arena *a;
    struct str format;  /* of unique ids */
    struct map *listed; /* unique part of a name -> struct uidlist_entry */
    size_t room;
};

static void read_list(struct reading *r, struct str text);
static enum status read_lists(struct reading *r, int dir);
static enum status read_dir(struct reading *r, int dir, const char *sub);
static void add_message(struct reading *r, const char *sub, const char *file);
static void name_uidl(struct reading *r, struct migrate_message *m, struct str base);
static int by_uid(const void *a, const void *b);
static enum status open_message(const struct migrate_folder *f, const struct migrate_message *m,
                                int *fd_out);
static enum status find_again(int dir, struct str file, int *fd_out);

enum status
maildir_folder_read(struct migrate_folder *f, struct str uidl, struct arena *a)
{
    struct reading r = {.f = f, .a = a, .format = uidl};
    AUTO(fd_close) int dir = -1;

    TRY(migrate_dir_open(f->path, f->below, &dir));
    r.listed = map_new();
    enum status s = read_lists(&r, dir);
    /* In this order: messages move from new to cur, so one that moves now is in one of them or in both. */
    if (s == OK)
        s = read_dir(&r, dir, "new");
    if (s == OK)
        s = read_dir(&r, dir, "cur");
    map_free(&r.listed);
    TRY(s);
    if (f->count > 0)
        qsort(f->messages, f->count, sizeof(f->messages[0]), by_uid);
    return OK;
}

/* One that is a link is not as if there were none: all UIDs would be others. */
static enum status
read_lists(struct reading *r, int dir)
{
    static const char *const lists[] = {"dovecot-uidlist", "courierimapuiddb"};
    AUTO_BUF text = BUF(LIMIT_IMPORT_FILE_BYTES);
    AUTO_BUF words = BUF(LIMIT_IMPORT_FILE_BYTES);
    struct migrate_folder *f = r->f;
    enum status s;

    for (size_t i = 0; i < COUNT_OF(lists) && f->uidvalidity == 0; i++) {
        buf_reset(&text);
        s = migrate_file_read(dir, lists[i], &text);
        if (s == ERR_DENIED)
            return s;
        if (s == OK)
            read_list(r, buf_str(&text));
    }
    s = migrate_file_read(dir, "dovecot-keywords", &words);
    if (s == OK)
        maildir_keywords_read(arena_str(r->a, buf_str(&words)), f->words);
    f->words[FORWARDED] = STR("$Forwarded");
    return s == ERR_DENIED ? s : OK;
}

static void
read_list(struct reading *r, struct str text)
{
    struct uidlist l;
    struct uidlist_entry e;
    struct maildir_name name;

    if (!uidlist_begin(arena_str(r->a, text), &l))
        return;
    r->f->uidvalidity = l.uidvalidity;
    r->f->uidnext = l.uidnext;
    while (uidlist_next(&l, &e))
        if (maildir_name_read(e.base, &name))
            map_put(r->listed, name.unique, arena_dup(r->a, &e, sizeof(e)));
}

/* d_out owns a descriptor of its own.  ERR_NOT_FOUND, ERR_DENIED: a link. */
static enum status
list_sub(int dir, const char *sub, DIR **d_out)
{
    int fd = -1;

    TRY(migrate_sub_open(dir, sub, &fd));
    *d_out = fdopendir(fd);
    if (*d_out == NULL)
        fd_close(&fd);
    return *d_out == NULL ? ERR_IO : OK;
}

static enum status
read_dir(struct reading *r, int dir, const char *sub)
{
    const struct dirent *e;
    DIR *d;

    enum status s = list_sub(dir, sub, &d);
    if (s == ERR_NOT_FOUND) {
        r->f->missing = true;
        return OK;
    }
    TRY(s);
    for (errno = 0; (e = readdir(d)) != NULL; errno = 0)
        add_message(r, sub, e->d_name);
    s = errno != 0 ? ERR_IO : OK;
    closedir(d);
    return s;
}

static void
add_message(struct reading *r, const char *sub, const char *file)
{
    struct migrate_folder *f = r->f;
    struct maildir_name name;

    if (!maildir_name_read(str_of(file), &name))
        return;
    if (f->count == r->room) {
        size_t room = MAX(r->room * 2, 64);
        struct migrate_message *more = ARENA_ARRAY(r->a, struct migrate_message, room);
        if (f->count > 0)
            mem_copy(more, f->messages, f->count * sizeof(*more));
        f->messages = more;
        r->room = room;
    }
    struct migrate_message *m = &f->messages[f->count++];
    *m = (struct migrate_message){.flags = name.flags,
                                  .keywords = name.letters,
                                  .key = migrate_key(name.unique, r->a),
                                  .file = arena_printf(r->a, "%s/%s", sub, file)};
    if (name.passed)
        m->keywords |= 1u << FORWARDED;
    const struct uidlist_entry *e = map_get(r->listed, name.unique);
    if (e == NULL)
        return;
    m->uid = e->uid;
    m->uidl = e->uidl;
    if (m->uidl.len == 0)
        name_uidl(r, m, e->base);
}

static void
name_uidl(struct reading *r, struct migrate_message *m, struct str base)
{
    AUTO_BUF b = BUF(4096);
    const struct uidl_facts facts = {m->uid, r->f->uidvalidity, base};

    if (r->format.len > 0 && uidl_format(r->format, &facts, &b))
        m->uidl = arena_str(r->a, buf_str(&b));
}

/* Those without a UID last, in the order of their names, which begin with the time.  Of one that is there twice, that
 * in cur first, which has flags. */
static int
by_uid(const void *a, const void *b)
{
    const struct migrate_message *x = a, *y = b;
    uint32_t p = x->uid - 1, q = y->uid - 1; /* 0 becomes the highest */

    if (p != q)
        return p < q ? -1 : 1;
    int by_key = str_cmp(x->key, y->key);
    return by_key != 0 ? by_key : str_cmp(x->file, y->file);
}

/* ---- bodies ---- */

enum status
maildir_body_read(const struct migrate_folder *f, const struct migrate_message *m, struct buf *out,
                  struct instant *received_out)
{
    AUTO(fd_close) int fd = -1;
    AUTO_BUF raw = BUF(LIMIT_MESSAGE_BYTES);
    struct stat st;

    TRY(open_message(f, m, &fd));
    if (fstat(fd, &st) != 0)
        return ERR_IO;
    if (st.st_size > LIMIT_MESSAGE_BYTES)
        return ERR_LIMIT;
    size_t size = (size_t)st.st_size; /* not negative */
    if (size > 0) {
        char *at = buf_tail(&raw, size);
        TRY(buf_status(&raw));
        TRY(disk_read_at(fd, at, size, 0));
        buf_grew(&raw, size);
    }
    received_out->us = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
    return migrate_crlf(buf_str(&raw), out);
}

/* The old server may be at work: a flag that changed since is another name. */
static enum status
open_message(const struct migrate_folder *f, const struct migrate_message *m, int *fd_out)
{
    AUTO(fd_close) int dir = -1;
    AUTO(fd_close) int sub = -1;
    char name[MIGRATE_PATH_BYTES];
    struct str file = str_skip(m->file, 4); /* "cur/", "new/" */

    TRY(migrate_dir_open(f->path, f->below, &dir));
    migrate_path(name, "%.*s", STR_FMT(file));
    enum status s = migrate_sub_open(dir, str_starts(m->file, STR("cur")) ? "cur" : "new", &sub);
    if (s == OK)
        s = migrate_file_open(sub, name, fd_out);
    return s == ERR_NOT_FOUND ? find_again(dir, file, fd_out) : s;
}

static enum status
find_again(int dir, struct str file, int *fd_out)
{
    enum status s = ERR_NOT_FOUND;
    struct maildir_name was, is;
    const struct dirent *e;
    DIR *d;

    TRY(list_sub(dir, "cur", &d));
    while (s == ERR_NOT_FOUND && maildir_name_read(file, &was) && (e = readdir(d)) != NULL)
        if (maildir_name_read(str_of(e->d_name), &is) && str_eq(is.unique, was.unique))
            s = migrate_file_open(dirfd(d), e->d_name, fd_out);
    closedir(d);
    return s;
}
