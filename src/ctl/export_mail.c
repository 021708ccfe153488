/* export_mail.c - see export_mail.h.
 *
 * The unique ids of POP3 are written out for every message of INBOX, so that they are the same wherever it goes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ctl/export_mail.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/size.h"
#include "ctl/export_index.h"
#include "migrate/maildir.h"
#include "migrate/mbox.h"
#include "rt/disk.h"

enum { REPLY_ARENA = 8 << 20, SYSTEM_FLAGS = 31, KEYWORD_SHIFT = 5, NAME_BYTES = 8192 };
enum {
    PART_BYTES = 248, /* 255 for each part of a path, without ".part" */
    HEAD_BYTES = 60,  /* what a shortened name has of the real one */
    FILE_BYTES = 272  /* of a path, for what is in a Maildir */
};

struct exporting { /* one mailbox */
    struct export_mail *x;
    const struct admin_mail_box *box;
    struct maildir_writer maildir;
    struct mbox_writer mbox;
};

static SUSPENDS enum status export_boxes(struct export_mail *x, struct buf *subscribed);
static void add_subscription(const struct export_mail *x, struct str name, struct buf *to);
static bool file_of(const struct export_mail *x, struct str name, struct buf *file);
static bool fits(const struct export_mail *x, struct str file);
static SUSPENDS enum status export_box(struct export_mail *x, const struct admin_mail_box *box);
static enum status make_parents(const struct export_mail *x, char *path);
static enum status begin_box(struct exporting *e);
static enum status end_box(struct exporting *e, enum status s);
static SUSPENDS enum status export_messages(struct exporting *e);
static SUSPENDS enum status export_one(struct exporting *e, const struct admin_mail_item *m);
static enum status write_message(struct exporting *e, const struct migrate_new *m);
static SUSPENDS enum status load_body(struct exporting *e, uint64_t mid, struct buf *out);

enum status
export_mail(struct export_mail *x)
{
    AUTO_BUF subscribed = BUF(LIMIT_IMPORT_FILE_BYTES);
    char path[MIGRATE_PATH_BYTES];

    x->wrong = x->to;
    if (strlen(x->to) + FILE_BYTES >= MIGRATE_PATH_BYTES)
        return ERR_LIMIT;
    if (x->kind == EXPORT_MBOX && mkdir(x->to, 0700) != 0)
        return errno == EEXIST ? ERR_EXISTS : ERR_IO;
    x->wrong = NULL;
    TRY(export_boxes(x, &subscribed));
    migrate_path(path, "%s/%s", x->to, x->kind == EXPORT_MBOX ? ".subscriptions" : "subscriptions");
    x->wrong = x->to;
    TRY(migrate_file_write(path, buf_str(&subscribed)));
    x->wrong = NULL;
    return OK;
}

int
export_mail_fail(const struct export_mail *x, const char *command, enum status s)
{
    if (x->wrong == NULL)
        return ctl_fail(x->c, s);
    fprintf(stderr, "godwit %s: %s: %s\n", command, x->wrong,
            s == ERR_EXISTS     ? "it is there already; the export needs a new folder"
            : s == ERR_NO_SPACE ? "there is no room left on the disk; the export is not whole"
                                : status_name(s));
    return CTL_FAILED;
}

int
export_mail_losses(const struct export_mail *x)
{
    if (x->lost_keywords > 0)
        fprintf(stderr, "%llu keywords were left out: a Maildir has 26 for each folder\n",
                (unsigned long long)x->lost_keywords);
    if (x->unreadable > 0)
        fprintf(stderr, "%llu messages could not be read and are not in it\n",
                (unsigned long long)x->unreadable);
    return x->lost_keywords + x->unreadable + x->left_out > 0 ? CTL_FAILED : CTL_OK;
}

/* ---- mailboxes ---- */

/* INBOX, which is the folder itself in a Maildir, is the first: its id is the lowest. */
static enum status
export_boxes(struct export_mail *x, struct buf *subscribed)
{
    struct admin_mail_boxes req = {.account = x->account};
    struct admin_mail_boxes_reply rep = {.more = true};

    while (rep.more) {
        AUTO_ARENA *a = arena_new(REPLY_ARENA);
        TRY(admin_mail_boxes_call(x->c->store, &req, a, &rep));
        for (size_t i = 0; i < rep.boxes_count; i++) {
            if (rep.boxes[i].subscribed)
                add_subscription(x, rep.boxes[i].name, subscribed);
            if (rep.boxes[i].selectable)
                TRY(export_box(x, &rep.boxes[i]));
            req.after = rep.boxes[i].id;
        }
    }
    return OK;
}

/* As Dovecot 2.3 does: of a Maildir with TABs between levels, for they may have dots. */
static void
add_subscription(const struct export_mail *x, struct str name, struct buf *to)
{
    AUTO_BUF dir = BUF(NAME_BYTES);
    AUTO_BUF file = BUF(NAME_BYTES);

    if (file_of(x, name, &file))
        buf_addf(&dir, "%s%.*s", x->kind == EXPORT_MBOX ? "." : "", STR_FMT(buf_str(&file)));
    else
        maildir_folder_dir(name, &dir);
    if (to->len == 0 && x->kind == EXPORT_MAILDIR)
        buf_add(to, STR("V\t2\n\n"));
    for (size_t i = 1; i < dir.len; i++) /* the first is a dot */
        if (dir.ptr[i] == '.')
            buf_add_char(to, x->kind == EXPORT_MAILDIR ? '\t' : '/');
        else
            buf_add_char(to, dir.ptr[i]);
    buf_add_char(to, '\n');
}

/* Below x->to; empty = that itself.  True: its name is too long for a file system, and this is a shorter one. */
static bool
file_of(const struct export_mail *x, struct str name, struct buf *file)
{
    size_t n = 0;

    if (x->kind == EXPORT_MBOX)
        mbox_folder_file(name, file);
    else if (!str_eq(name, STR("INBOX")))
        maildir_folder_dir(name, file);
    if (buf_status(file) == OK && (file->len == 0 || fits(x, buf_str(file))))
        return false;
    while (n < name.len && n < HEAD_BYTES && ascii_is_alnum(name.ptr[n]))
        n++;
    buf_reset(file);
    buf_addf(file, "%s%.*s~%016llx", x->kind == EXPORT_MAILDIR ? "." : "",
             STR_FMT(str_sub(name, 0, n)), (unsigned long long)hash_stable(name));
    return true;
}

static bool
fits(const struct export_mail *x, struct str file)
{
    struct str part;

    if (strlen(x->to) + 1 + file.len + FILE_BYTES >= MIGRATE_PATH_BYTES)
        return false;
    while (str_split(&file, '/', &part))
        if (part.len > PART_BYTES)
            return false;
    return true;
}

/* Somebody may have given a mailbox the name that another one's shortened name is. */
static bool
is_left_out(struct export_mail *x, const struct admin_mail_box *box, struct str file)
{
    char path[MIGRATE_PATH_BYTES];

    migrate_path(path, "%s/%.*s", x->to, STR_FMT(file));
    if (fits(x, file) && access(path, F_OK) != 0)
        return false;
    fprintf(stderr, "mailbox %s: there is no room for its name; it is not in the export\n",
            ctl_text(x->c, box->name));
    x->left_out++;
    return true;
}

static enum status
export_box(struct export_mail *x, const struct admin_mail_box *box)
{
    AUTO_BUF file = BUF(NAME_BYTES);
    struct exporting e = {.x = x, .box = box};

    bool shortened = file_of(x, box->name, &file);
    if (file.len > 0 && is_left_out(x, box, buf_str(&file)))
        return OK;
    x->wrong = arena_printf(x->c->arena, "%s%s%.*s", x->to, file.len > 0 ? "/" : "",
                            STR_FMT(buf_str(&file)))
                   .ptr;
    if (shortened)
        fprintf(stderr, "mailbox %s: its name is too long for a file system; it is in %s\n",
                ctl_text(x->c, box->name), x->wrong);
    TRY(begin_box(&e));
    enum status s = end_box(&e, export_messages(&e));
    x->mailboxes += s == OK;
    return s;
}

/* "A.sbd" of "A.sbd/B" */
static enum status
make_parents(const struct export_mail *x, char *path)
{
    for (char *p = path + strlen(x->to) + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST;
        *p = '/';
        if (failed)
            return ERR_IO;
    }
    return OK;
}

static enum status
begin_box(struct exporting *e)
{
    struct export_mail *x = e->x;
    const struct admin_mail_box *b = e->box;
    const struct uidlist head = {.uidvalidity = b->uidvalidity, .uidnext = b->uidnext};
    const struct mbox_box box = {b->uidvalidity, b->uidnext, b->keywords, b->keywords_count};
    bool root = str_eq(b->name, STR("INBOX"));
    enum status s;

    if (x->kind == EXPORT_MAILDIR)
        return maildir_writer_begin(&e->maildir, x->wrong, root, &head);
    TRY(make_parents(x, arena_z(x->c->arena, str_of(x->wrong))));
    s = mbox_writer_begin(&e->mbox, x->wrong, &box);
    if (s != OK)
        mbox_writer_release(&e->mbox);
    return s;
}

static enum status
end_box(struct exporting *e, enum status s)
{
    struct export_mail *x = e->x;

    if (x->kind == EXPORT_MBOX) {
        if (s == OK)
            s = mbox_writer_end(&e->mbox);
        mbox_writer_release(&e->mbox);
    } else {
        if (s == OK)
            s = maildir_writer_end(&e->maildir);
        x->lost_keywords += e->maildir.lost;
        maildir_writer_release(&e->maildir);
    }
    if (s == OK)
        x->wrong = NULL;
    return s;
}

/* ---- messages ---- */

static enum status
export_messages(struct exporting *e)
{
    struct admin_mail_list req = {.account = e->x->account, .box = e->box->id, .from_uid = 1};
    struct admin_mail_list_reply rep = {.more = true};

    while (rep.more) {
        AUTO_ARENA *a = arena_new(REPLY_ARENA);
        TRY(admin_mail_list_call(e->x->c->store, &req, a, &rep));
        for (size_t i = 0; i < rep.items_count; i++) {
            TRY(export_one(e, &rep.items[i]));
            req.from_uid = rep.items[i].uid + 1;
        }
    }
    return OK;
}

static enum status
export_one(struct exporting *e, const struct admin_mail_item *m)
{
    AUTO_BUF body = BUF(LIMIT_MESSAGE_BYTES);
    struct str words[LIMIT_KEYWORDS];
    char uidl[20];
    struct migrate_new n = {.uid = m->uid,
                            .flags = m->flags & SYSTEM_FLAGS,
                            .keywords = words,
                            .number = m->mid,
                            .received = {m->received},
                            .uidl = m->uidl};

    enum status s = load_body(e, m->mid, &body);
    if (s == ERR_NOT_FOUND) /* removed meanwhile */
        return OK;
    e->x->unreadable += s == ERR_CORRUPT || s == ERR_IO;
    if (s == ERR_CORRUPT || s == ERR_IO)
        return OK;
    TRY(s);
    n.body = buf_str(&body);
    for (size_t i = 0; i < e->box->keywords_count && i < LIMIT_KEYWORDS; i++)
        if (m->flags >> (KEYWORD_SHIFT + i) & 1)
            words[n.keyword_count++] = e->box->keywords[i];
    if (n.uidl.len == 0 && str_eq(e->box->name, STR("INBOX"))) { /* as pop3/messages.c says it */
        snprintf(uidl, sizeof(uidl), "%08x%08x", e->box->uidvalidity, m->uid);
        n.uidl = str_of(uidl);
    }
    TRY(write_message(e, &n));
    e->x->messages++;
    e->x->bytes += body.len;
    return OK;
}

static enum status
write_message(struct exporting *e, const struct migrate_new *m)
{
    struct export_mail *x = e->x;
    struct export_row row = {.mailbox = e->box->name, .received = m->received, .message = m->body};

    TRY(x->kind == EXPORT_MBOX ? mbox_write(&e->mbox, m) : maildir_write(&e->maildir, m));
    if (x->index == NULL)
        return OK;
    AUTO_BUF file = BUF(NAME_BYTES);
    buf_add_z(&file, x->wrong + x->link_from);
    if (x->kind == EXPORT_MAILDIR)
        buf_add(&file, buf_str(&e->maildir.file));
    row.file = buf_str(&file);
    return export_index_add(x->index, &row);
}

static enum status
load_body(struct exporting *e, uint64_t mid, struct buf *out)
{
    struct admin_mail_body req = {.account = e->x->account, .mid = mid};
    struct admin_mail_body_reply rep;

    do {
        AUTO_ARENA *a = arena_new(REPLY_ARENA);
        TRY(admin_mail_body_call(e->x->c->store, &req, a, &rep));
        if (rep.bytes.len == 0 && rep.size > req.offset)
            return ERR_CORRUPT;
        buf_add(out, rep.bytes);
        TRY(buf_status(out));
        req.offset += rep.bytes.len;
    } while (req.offset < rep.size);
    return OK;
}
