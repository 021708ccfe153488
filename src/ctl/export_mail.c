/* export_mail.c - godwit export: the mail of an account as files that other mail servers, and godwit import, read.
 *
 * The unique ids of POP3 are written out for every message of INBOX, so that they are the same wherever it goes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/size.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "mail/names.h"
#include "migrate/maildir.h"

enum { REPLY_ARENA = 8 << 20, SYSTEM_FLAGS = 31, KEYWORD_SHIFT = 5 };

static struct {
    const char *account, *to;
} typed;

struct export
{
    struct ctl *c;
    uint64_t account;
    struct buf subscribed;
    uint64_t messages, bytes, mailboxes, lost;
    const char *wrong; /* what failed, for people */
};
struct exporting { /* of one mailbox */
    struct export *x;
    const struct admin_mail_box *box;
    struct maildir_writer w;
};

static SUSPENDS enum status export_all(struct export *x);
static SUSPENDS enum status export_box(struct export *x, const struct admin_mail_box *box);
static SUSPENDS enum status export_messages(struct exporting *e);
static SUSPENDS enum status export_one(struct exporting *e, const struct admin_mail_item *m);
static SUSPENDS enum status load_body(struct exporting *e, uint64_t mid, struct buf *out);
static void add_subscription(struct export *x, struct str name);

static SUSPENDS int
export_maildir(struct ctl *c)
{
    struct export x = {.c = c, .subscribed = BUF(LIMIT_IMPORT_FILE_BYTES)};
    const struct admin_accounts req = {
        .after = STR(""),
        .only = name_address(str_of(typed.account != NULL ? typed.account : ""), c->arena)};
    struct admin_accounts_reply rep;

    if (typed.account == NULL || typed.to == NULL) {
        fprintf(stderr, "usage: godwit export maildir --account ADDRESS --to FOLDER\n");
        return CTL_USAGE;
    }
    enum status s = admin_accounts_call(c->store, &req, c->arena, &rep);
    if (s != OK)
        return ctl_fail(c, s);
    x.account = rep.accounts_count == 1 ? rep.accounts[0].id : 0;
    s = export_all(&x);
    buf_release(&x.subscribed);
    if (s != OK && x.wrong != NULL) {
        fprintf(stderr, "godwit export: %s: %s\n", x.wrong,
                s == ERR_EXISTS ? "it is there already; the export needs a new folder"
                                : status_name(s));
        return CTL_FAILED;
    }
    if (s != OK)
        return ctl_fail(c, s);
    if (c->json)
        return ctl_print_json(json_pack("{s:I, s:I, s:I, s:I}", "mailboxes",
                                        (json_int_t)x.mailboxes, "messages", (json_int_t)x.messages,
                                        "bytes", (json_int_t)x.bytes, "lost_keywords",
                                        (json_int_t)x.lost));
    char size[32];
    printf("%llu mailboxes, %llu messages, %s\n", (unsigned long long)x.mailboxes,
           (unsigned long long)x.messages, ctl_size_text(x.bytes, size, sizeof(size)));
    if (x.lost > 0)
        printf("%llu keywords were left out: a Maildir has 26 for each folder\n",
               (unsigned long long)x.lost);
    return CTL_OK;
}

static const struct ctl_verb export_verbs[] = {
    {"maildir", 0, 0, "--account ADDRESS --to FOLDER", export_maildir,
     "with UIDs, flags, dates and subscriptions"},
    {0},
};

static const struct ctl_option export_options[] = {
    {"--account", CTL_TEXT, &typed.account},
    {"--to", CTL_TEXT, &typed.to},
    {0},
};

int
export_command(int argc, char **argv)
{
    return ctl_main(argc, argv, export_verbs, export_options);
}

/* ---- mailboxes ---- */

/* INBOX, which is the folder itself, is the first: its id is the lowest. */
static enum status
export_all(struct export *x)
{
    struct admin_mail_boxes req = {.account = x->account};
    struct admin_mail_boxes_reply rep = {.more = true};
    char path[MIGRATE_PATH_BYTES];

    while (rep.more) {
        AUTO_ARENA *a = arena_new(REPLY_ARENA);
        TRY(admin_mail_boxes_call(x->c->store, &req, a, &rep));
        for (size_t i = 0; i < rep.boxes_count; i++) {
            if (rep.boxes[i].subscribed)
                add_subscription(x, rep.boxes[i].name);
            if (rep.boxes[i].selectable)
                TRY(export_box(x, &rep.boxes[i]));
            req.after = rep.boxes[i].id;
        }
    }
    migrate_path(path, "%s/subscriptions", typed.to);
    x->wrong = typed.to;
    return migrate_file_write(path, buf_str(&x->subscribed));
}

/* As Dovecot 2.3 does: levels with TABs between them, for they may have dots. */
static void
add_subscription(struct export *x, struct str name)
{
    AUTO_BUF dir = BUF(8192);

    if (x->subscribed.len == 0)
        buf_add(&x->subscribed, STR("V\t2\n\n"));
    maildir_folder_dir(name, &dir);
    for (size_t i = 1; i < dir.len; i++) /* the first is a dot */
        buf_add_char(&x->subscribed, dir.ptr[i] == '.' ? '\t' : dir.ptr[i]);
    buf_add_char(&x->subscribed, '\n');
}

static enum status
export_box(struct export *x, const struct admin_mail_box *box)
{
    AUTO_BUF dir = BUF(8192);
    char path[MIGRATE_PATH_BYTES];
    bool root = str_eq(box->name, STR("INBOX"));
    const struct uidlist head = {.uidvalidity = box->uidvalidity, .uidnext = box->uidnext};
    struct exporting e = {.x = x, .box = box};

    maildir_folder_dir(box->name, &dir);
    if (root)
        migrate_path(path, "%s", typed.to);
    else
        migrate_path(path, "%s/%.*s", typed.to, STR_FMT(buf_str(&dir)));
    x->wrong = arena_z(x->c->arena, str_of(path));
    TRY(maildir_writer_begin(&e.w, path, root, &head));
    enum status s = export_messages(&e);
    if (s == OK)
        s = maildir_writer_end(&e.w);
    x->lost += e.w.lost;
    x->mailboxes++;
    maildir_writer_release(&e.w);
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
            enum status s = export_one(e, &rep.items[i]);
            if (s != ERR_NOT_FOUND) /* removed meanwhile */
                TRY(s);
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

    TRY(load_body(e, m->mid, &body));
    n.body = buf_str(&body);
    for (size_t i = 0; i < e->box->keywords_count && i < LIMIT_KEYWORDS; i++)
        if (m->flags >> (KEYWORD_SHIFT + i) & 1)
            words[n.keyword_count++] = e->box->keywords[i];
    if (n.uidl.len == 0 && str_eq(e->box->name, STR("INBOX"))) { /* as pop3/messages.c says it */
        snprintf(uidl, sizeof(uidl), "%08x%08x", e->box->uidvalidity, m->uid);
        n.uidl = str_of(uidl);
    }
    TRY(maildir_write(&e->w, &n));
    e->x->messages++;
    e->x->bytes += body.len;
    return OK;
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
