/* maildir_write.c - Maildir++ written, so that Dovecot and maildir_folder_read() find the same mailbox.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "migrate/maildir.h"
#include "rt/disk.h"

enum { LIST_BYTES_MAX = LIMIT_IMPORT_FILE_BYTES, LINE_MAX_BYTES = 256 };

static enum status make_dirs(const char *path);
static uint32_t letters_of(struct maildir_writer *w, const struct migrate_new *m);
static enum status write_file(const char *path, struct str text, struct instant received);

enum status
maildir_writer_begin(struct maildir_writer *w, const char *path, bool root,
                     const struct uidlist *head)
{
    char mark[MIGRATE_PATH_BYTES];

    *w = (struct maildir_writer){
        .path = path, .list = BUF(LIST_BYTES_MAX), .file = BUF(LINE_MAX_BYTES + 8)};
    TRY(make_dirs(path));
    buf_addf(&w->list, "3 V%u N%u\n", head->uidvalidity, head->uidnext);
    if (root)
        return OK;
    migrate_path(mark, "%s/maildirfolder", path); /* that it is one, says Maildir++ */
    return write_file(mark, STR_NONE, (struct instant){0});
}

enum status
maildir_write(struct maildir_writer *w, const struct migrate_new *m)
{
    AUTO_BUF text = BUF(LIMIT_MESSAGE_BYTES);
    AUTO_BUF name = BUF(LINE_MAX_BYTES);
    char path[MIGRATE_PATH_BYTES];

    migrate_lf(m->body, &text);
    TRY(buf_status(&text));
    buf_addf(&name, "%lld.M%06lldP%llu.godwit,S=%zu,W=%zu", (long long)(m->received.us / 1000000),
             (long long)(m->received.us % 1000000), (unsigned long long)m->number, text.len,
             m->body.len);
    buf_addf(&w->list, "%u ", m->uid);
    if (m->uidl.len > 0)
        buf_addf(&w->list, "P%.*s ", STR_FMT(m->uidl));
    buf_addf(&w->list, ":%.*s\n", STR_FMT(buf_str(&name)));
    maildir_info_write(m->flags, letters_of(w, m), &name);
    TRY(buf_status(&name));
    TRY(buf_status(&w->list));
    buf_reset(&w->file);
    buf_addf(&w->file, "/cur/%.*s", STR_FMT(buf_str(&name)));
    migrate_path(path, "%s%.*s", w->path, STR_FMT(buf_str(&w->file)));
    return write_file(path, buf_str(&text), m->received);
}

enum status
maildir_writer_end(struct maildir_writer *w)
{
    AUTO_BUF words = BUF(MAILDIR_LETTERS * (LIMIT_KEYWORD_BYTES + 8));
    char path[MIGRATE_PATH_BYTES];

    if (w->word_count > 0) {
        for (size_t i = 0; i < w->word_count; i++)
            buf_addf(&words, "%zu %.*s\n", i, STR_FMT(w->words[i]));
        migrate_path(path, "%s/dovecot-keywords", w->path);
        TRY(migrate_file_write(path, buf_str(&words)));
    }
    migrate_path(path, "%s/dovecot-uidlist", w->path);
    return migrate_file_write(path, buf_str(&w->list));
}

void
maildir_writer_release(struct maildir_writer *w)
{
    buf_release(&w->list);
    buf_release(&w->file);
}

static enum status
make_dirs(const char *path)
{
    static const char *const subs[] = {"cur", "new", "tmp"};
    char sub[MIGRATE_PATH_BYTES];

    if (mkdir(path, 0700) != 0)
        return errno == EEXIST ? ERR_EXISTS : ERR_IO;
    for (size_t i = 0; i < COUNT_OF(subs); i++) {
        migrate_path(sub, "%s/%s", path, subs[i]);
        if (mkdir(sub, 0700) != 0)
            return ERR_IO;
    }
    return OK;
}

/* A word of the mailbox's table has the same storage for as long as the writer works. */
static uint32_t
letters_of(struct maildir_writer *w, const struct migrate_new *m)
{
    uint32_t letters = 0;

    for (size_t k = 0; k < m->keyword_count; k++) {
        size_t i = 0;
        while (i < w->word_count && !str_eq_nocase(w->words[i], m->keywords[k]))
            i++;
        if (i == MAILDIR_LETTERS) {
            w->lost++;
            continue;
        }
        if (i == w->word_count)
            w->words[w->word_count++] = m->keywords[k];
        letters |= 1u << i;
    }
    return letters;
}

static enum status
write_file(const char *path, struct str text, struct instant received)
{
    const struct iovec part = {(void *)(uintptr_t)text.ptr, text.len}; /* is only read */
    AUTO(fd_close) int fd = -1;

    TRY(disk_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd));
    if (text.len > 0)
        TRY(disk_write_at(fd, &part, 1, 0));
    if (received.us == 0)
        return OK;
    const struct timespec t = {.tv_sec = received.us / 1000000,
                               .tv_nsec = received.us % 1000000 * 1000};
    const struct timespec times[2] = {t, t};
    return futimens(fd, times) == 0 ? OK : ERR_IO;
}
