/* export_account.c - godwit account export: all that is kept about an account, as one JSON file, and its mail beside.
 *
 * Lines of the trace are those that name the address, not the whole lives of messages: what others did is theirs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/size.h"
#include "ctl/account.h"
#include "ctl/export_index.h"
#include "ctl/export_mail.h"
#include "ctl/queue.h"
#include "rt/disk.h"
#include "trace/reader.h"

enum { PAGE_BYTES = 64 << 20, PATH_BYTES = 4096 };

struct person {
    struct ctl *c;
    struct str address;
    uint64_t id, bytes;
    bool deleted; /* and kept for some days */
    json_t *all;
};

static SUSPENDS enum status find(struct person *p);
static SUSPENDS enum status find_deleted(struct person *p);
static SUSPENDS enum status gather(const struct person *p);
static json_t *about(const struct admin_account *a);
static SUSPENDS enum status gather_aliases(struct ctl *c, struct str address, json_t *all);
static SUSPENDS enum status gather_apps(struct ctl *c, struct str address, json_t *all);
static SUSPENDS enum status gather_sessions(struct ctl *c, struct str address, json_t *all);
static SUSPENDS enum status gather_queue(struct ctl *c, const struct admin_selection *select,
                                         json_t *all);
static enum status gather_trace(const struct ctl *c, struct str address, json_t *all);
static int write_down(const json_t *all, const char *folder);
static bool has_room(const struct person *p, const char *folder);
static SUSPENDS int write_mail(const struct person *p, struct export_mail *x);
static void tell(const struct person *p, const struct export_mail *x, int exit);

/* What mail becomes: enum export_kind, or nothing. */
static bool
read_kind(enum export_kind *kind, bool *none)
{
    const char *mail = account_options.mail;

    *none = mail != NULL && strcmp(mail, "none") == 0;
    *kind = mail != NULL && strcmp(mail, "mbox") == 0 ? EXPORT_MBOX : EXPORT_MAILDIR;
    return mail == NULL || *none || *kind == EXPORT_MBOX || strcmp(mail, "maildir") == 0;
}

int
ctl_account_export(struct ctl *c)
{
    struct person p = {.c = c, .address = ctl_address(c, 0)};
    struct export_mail x = {.c = c};
    const char *folder = account_options.to;
    bool none;

    if (folder == NULL || !read_kind(&x.kind, &none)) {
        fprintf(stderr, "godwit account export: expected --to FOLDER, which it makes; "
                        "--mail is maildir, mbox or none\n");
        return CTL_USAGE;
    }
    enum status e = find(&p);
    if (e != OK)
        return ctl_fail(c, e);
    e = gather(&p);
    int exit = e != OK ? ctl_fail(c, e) : CTL_OK;
    if (exit == CTL_OK && !none && !has_room(&p, folder))
        exit = CTL_FAILED;
    if (exit == CTL_OK)
        exit = write_down(p.all, folder);
    bool began = exit == CTL_OK;
    if (began && !none)
        exit = write_mail(&p, &x);
    if (began)
        tell(&p, &x, exit);
    json_decref(p.all);
    return exit;
}

/* ---- whose ---- */

/* One that is deleted only where no other has the address by now, or where it is asked for. */
static enum status
find(struct person *p)
{
    const struct admin_accounts req = {.only = p->address};
    struct admin_accounts_reply rep;

    if (account_options.deleted)
        return find_deleted(p);
    enum status e = admin_accounts_call(p->c->store, &req, p->c->arena, &rep);
    if (e == ERR_NOT_FOUND || (e == OK && rep.accounts_count != 1))
        return find_deleted(p);
    TRY(e);
    p->id = rep.accounts[0].id;
    p->address = rep.accounts[0].address;
    p->bytes = rep.accounts[0].bytes;
    p->all = about(&rep.accounts[0]);
    return OK;
}

/* Of several the one that was deleted last, as account undelete takes it: it is kept the longest. */
static enum status
find_deleted(struct person *p)
{
    struct admin_deleted_accounts req = {0};
    struct admin_deleted_accounts_reply rep;
    const struct admin_deleted *last = NULL;

    do {
        TRY(admin_deleted_accounts_call(p->c->store, &req, p->c->arena, &rep));
        for (size_t i = 0; i < rep.accounts_count; i++) {
            const struct admin_deleted *d = &rep.accounts[i];
            if (str_eq_nocase(d->address, p->address) && (last == NULL || d->ends >= last->ends))
                last = d;
            req.after_ends = d->ends;
            req.after = d->id;
        }
    } while (rep.more && rep.accounts_count > 0);
    if (last == NULL)
        return ERR_NOT_FOUND;
    p->id = last->id;
    p->bytes = last->bytes;
    p->deleted = true;
    p->all = view_deleted(last);
    json_object_set_new(p->all, "deleted", json_true());
    return OK;
}

/* ---- what is known ---- */

/* App passwords and sessions went with the account when it was deleted. */
static SUSPENDS enum status
gather(const struct person *p)
{
    const struct admin_selection from = {.sender = p->address}, to = {.recipient = p->address};
    json_t *queue = json_array(), *received = json_array(), *aliases = json_array();
    json_t *apps = json_array(), *sessions = json_array(), *trace = json_array();
    struct ctl *c = p->c;

    json_object_set_new(p->all, "aliases", aliases);
    json_object_set_new(p->all, "app_passwords", apps);
    json_object_set_new(p->all, "sessions", sessions);
    json_object_set_new(p->all, "queue_sent", queue);
    json_object_set_new(p->all, "queue_received", received);
    json_object_set_new(p->all, "trace", trace);
    TRY(gather_aliases(c, p->address, aliases));
    if (!p->deleted) {
        TRY(gather_apps(c, p->address, apps));
        TRY(gather_sessions(c, p->address, sessions));
    }
    TRY(gather_queue(c, &from, queue));
    TRY(gather_queue(c, &to, received));
    return gather_trace(c, p->address, trace);
}

static json_t *
about(const struct admin_account *a)
{
    json_t *j = view_account(a);

    json_object_set_new(j, "created_us", json_integer((json_int_t)a->created));
    return j;
}

static SUSPENDS enum status
gather_aliases(struct ctl *c, struct str address, json_t *all)
{
    AUTO_BUF after = BUF(1024);
    bool more = true;

    while (more) {
        AUTO_ARENA *page = arena_new(PAGE_BYTES);
        const struct admin_aliases req = {.after = buf_str(&after)};
        struct admin_aliases_reply rep;
        TRY(admin_aliases_call(c->store, &req, page, &rep));
        for (size_t i = 0; i < rep.aliases_count; i++) {
            bool leads_here = false;
            for (size_t k = 0; k < rep.aliases[i].targets_count; k++)
                leads_here = leads_here || str_eq_nocase(rep.aliases[i].targets[k], address);
            if (leads_here)
                json_array_append_new(all, view_str(rep.aliases[i].address));
        }
        more = rep.more && rep.aliases_count > 0;
        buf_reset(&after);
        if (more)
            buf_add(&after, rep.aliases[rep.aliases_count - 1].address);
    }
    return OK;
}

static SUSPENDS enum status
gather_apps(struct ctl *c, struct str address, json_t *all)
{
    static const char *const words[] = {"imap", "pop3", "submission"}; /* bits of admin.ipc */
    const struct admin_app_passwords req = {.address = address};
    struct admin_app_passwords_reply rep;

    TRY(admin_app_passwords_call(c->store, &req, c->arena, &rep));
    for (size_t i = 0; i < rep.app_passwords_count; i++) {
        const struct admin_app_password *p = &rep.app_passwords[i];
        json_t *protocols = json_array();
        for (size_t k = 0; k < COUNT_OF(words); k++)
            if ((p->protocols >> k & 1u) != 0)
                json_array_append_new(protocols, json_string(words[k]));
        json_array_append_new(
            all, json_pack("{s:o, s:o, s:I, s:I, s:I}", "name", view_str(p->name), "protocols",
                           protocols, "created_us", (json_int_t)p->created, "expires_us",
                           (json_int_t)p->expires, "used_day", (json_int_t)p->used_day));
    }
    return OK;
}

static SUSPENDS enum status
gather_sessions(struct ctl *c, struct str address, json_t *all)
{
    static const char *const protocols[] = {"imap", "pop3", "submission", "web"};
    struct admin_sessions req = {.only = address};
    bool more = true;

    while (more) {
        AUTO_ARENA *page = arena_new(PAGE_BYTES);
        struct admin_sessions_reply rep;
        TRY(admin_sessions_call(c->store, &req, page, &rep));
        for (size_t i = 0; i < rep.sessions_count; i++) {
            const struct admin_session *s = &rep.sessions[i];
            json_array_append_new(
                all, json_pack("{s:s, s:o, s:o, s:o, s:I, s:I}", "protocol",
                               protocols[s->protocol & 3], "peer", view_str(s->peer), "tls",
                               view_str(s->tls_version), "app", view_str(s->app), "since_us",
                               (json_int_t)s->since, "asked_us", (json_int_t)s->asked));
            req.after_incarnation = s->incarnation;
            req.after_number = s->number;
        }
        more = rep.more && rep.sessions_count > 0;
    }
    return OK;
}

static SUSPENDS enum status
gather_queue(struct ctl *c, const struct admin_selection *select, json_t *all)
{
    struct admin_queue req = {.select = *select};
    bool more = true;

    while (more) {
        AUTO_ARENA *page = arena_new(PAGE_BYTES);
        struct admin_queue_reply rep;
        TRY(admin_queue_call(c->store, &req, page, &rep));
        for (size_t i = 0; i < rep.messages_count; i++)
            json_array_append_new(all, view_queued(&rep.messages[i]));
        more = rep.more && rep.after > req.after;
        req.after = rep.after;
    }
    return OK;
}

/* Where there is no trace, nothing is kept there. */
static enum status
gather_trace(const struct ctl *c, struct str address, json_t *all)
{
    struct trace_reader *r = NULL;
    AUTO_BUF dir = BUF(PATH_BYTES);
    AUTO_ARENA *a = arena_new(PAGE_BYTES);
    struct trace_hit hit;

    buf_add(&dir, c->config->data_dir);
    buf_add_z(&dir, "/" TRACE_FOLDER);
    buf_add_char(&dir, '\0');
    TRY(buf_status(&dir));
    enum status e = trace_reader_open(dir.ptr, &r);
    if (e != OK)
        return e == ERR_NOT_FOUND ? OK : e;
    struct trace_cursor cursor = trace_find(r, trace_hash(TRACE_ADDRESS, address), false);
    for (; trace_next(&cursor, a, &hit); arena_reset(a))
        if (str_find_nocase(hit.line, address) >= 0)
            json_array_append_new(all, ctl_json_line(hit.line));
    trace_reader_free(&r);
    return OK;
}

/* For nobody's eyes but those of who asked for it; what is there is not written over. */
static int
write_down(const json_t *all, const char *folder)
{
    AUTO(fd_close) int fd = -1;
    AUTO_BUF path = BUF(PATH_BYTES);
    char why[128];

    buf_addf(&path, "%s/account.json", folder);
    buf_add_char(&path, '\0');
    errno = ENAMETOOLONG;
    if (buf_status(&path) == OK && mkdir(folder, 0700) == 0 &&
        disk_open(path.ptr, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd) == OK &&
        json_dumpfd(all, fd, JSON_INDENT(2)) == 0 && disk_sync(fd) == OK)
        return CTL_OK;
    fprintf(stderr, "godwit account export: %s: %s\n", folder, strerror_r(errno, why, sizeof(why)));
    return CTL_FAILED;
}

/* ---- mail ---- */

/* Before anything is made; what comes meanwhile may still fill the disk. */
static bool
has_room(const struct person *p, const char *folder)
{
    AUTO_BUF parent = BUF(PATH_BYTES);
    ssize_t slash = str_rfind(str_of(folder), '/');
    char have[32], need[32];
    uint64_t free, total;

    buf_add(&parent, slash > 0    ? str_from(folder, (size_t)slash) /* found: not negative */
                     : slash == 0 ? STR("/")
                                  : STR("."));
    buf_add_char(&parent, '\0');
    if (buf_status(&parent) != OK || disk_free_space(parent.ptr, &free, &total) != OK)
        return true; /* making the folder will say what is wrong */
    if (p->bytes < free)
        return true;
    fprintf(stderr, "godwit account export: %s: its mail takes %s, and there is room for %s\n",
            folder, ctl_size_text(p->bytes, need, sizeof(need)),
            ctl_size_text(free, have, sizeof(have)));
    return false;
}

static int
write_mail(const struct person *p, struct export_mail *x)
{
    struct export_index index = {.fd = -1};
    struct arena *a = p->c->arena;

    x->account = p->id;
    x->to = arena_printf(a, "%s/mail", account_options.to).ptr;
    x->index = &index;
    x->link_from = strlen(account_options.to) + 1;
    const char *path = arena_printf(a, "%s/index.html", account_options.to).ptr;
    x->wrong = path;
    enum status s = export_index_begin(&index, path, p->address);
    if (s == OK)
        s = export_mail(x);
    if (s == OK)
        x->wrong = path;
    if (s == OK)
        s = export_index_end(&index);
    export_index_release(&index);
    x->index = NULL;
    return s == OK ? export_mail_losses(x) : export_mail_fail(x, "account export", s);
}

static void
tell(const struct person *p, const struct export_mail *x, int exit)
{
    const char *folder = account_options.to;

    if (p->c->json) {
        ctl_print_json(json_pack("{s:s, s:s, s:I, s:I, s:I}", "result",
                                 exit == CTL_OK ? "ok" : "incomplete", "folder", folder,
                                 "mailboxes", (json_int_t)x->mailboxes, "messages",
                                 (json_int_t)x->messages, "bytes", (json_int_t)x->bytes));
        return;
    }
    printf("what is kept about %s is in %s/account.json\n", ctl_text(p->c, p->address), folder);
    if (x->to != NULL)
        printf("its mail, %llu messages in %llu mailboxes, is in %s%s; %s/index.html lists it\n",
               (unsigned long long)x->messages, (unsigned long long)x->mailboxes, x->to,
               exit == CTL_OK ? "" : ", but not all of it", folder);
}
