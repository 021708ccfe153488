/* import_maildir.c - godwit import maildir and mbox: of one account, or of a tree with a folder for each.
 *
 * A few fibers take folder after folder; an account is opened when its first folder is due.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/size.h"
#include "ctl/import_mail.h"
#include "mail/names.h"
#include "migrate/maildir.h"
#include "migrate/mbox.h"
#include "rt/clock.h"
#include "rt/disk.h"

enum { WORKERS = 4, TREE_ARENA = 256 << 20, WRONG_BYTES = 300 };

struct import_mail_options import_mail_typed;

static const struct import_reader maildir_reader = {
    .name = "maildir",
    .nothing = "this is no Maildir",
    .link = "a link stands in the place of cur, new or a list of it",
    .ends = {"", "/Maildir"},
    .check = maildir_check,
    .tree = maildir_tree,
    .folder = maildir_folder_read,
    .body = maildir_body_read,
};
static const struct import_reader mbox_reader = {
    .name = "mbox",
    .nothing = "this is no mbox",
    .link = "a link, or no file",
    .ends = {"/mail", ""},
    .check = mbox_check,
    .tree = mbox_tree,
    .folder = mbox_folder_read,
    .body = mbox_body_read,
};

struct place { /* an account and its mail */
    const char *path;
    size_t below; /* maildir.h */
    struct str address;
    struct place *next;
};
struct opened {
    struct import_account acc;
    struct arena *a;
    size_t next;  /* folder */
    size_t users; /* folders under way, and whoever gives them out */
};
struct run {
    struct import_mail im;
    const struct import_reader *reader;
    enum migrate_quoting quoting;
    struct arena *a;
    struct place *places, **last;
    struct opened *open;
    struct fiber_lock turn;
    struct fiber *waiter;
    size_t workers;
    bool done;
};

static enum status find_places(struct run *r, const char *root);
static enum status find_users(struct run *r, const char *root, const char *domain);
static void find_user(struct run *r, struct str dir, const char *domain, const char *user);
static void add_place(struct run *r, const struct migrate_layout *l, struct str address);
static void tell_link(const struct run *r, const char *path);
static void work(void *arg);
static SUSPENDS bool next_folder(struct run *r, struct opened **o_out,
                                 struct migrate_folder **f_out);
static SUSPENDS struct opened *open_account(struct run *r, const struct place *p);
static SUSPENDS const char *prepare(struct run *r, const struct place *p, struct opened *o);
static void leave(struct opened *o);

/* Of a Maildir --layout, of an mbox --quoting. */
static bool
read_words(struct run *r)
{
    static const char *const quotings[] = {"mboxrd", "mboxo", "none"}; /* enum migrate_quoting */
    const struct import_mail_options *o = &import_mail_typed;
    bool is_mbox = r->reader == &mbox_reader, good = (o->account != NULL) != o->all;
    size_t i = 0;

    if (o->layout != NULL)
        good = good && !is_mbox &&
               (strcmp(o->layout, "fs") == 0 || strcmp(o->layout, "maildir++") == 0);
    if (o->quoting != NULL) {
        while (i < COUNT_OF(quotings) && strcmp(quotings[i], o->quoting) != 0)
            i++;
        good = good && is_mbox && i < COUNT_OF(quotings);
        r->quoting = (enum migrate_quoting)i; /* one of them, or not used */
    }
    if (!good)
        fprintf(stderr, "godwit import %s: expected --account ADDRESS or --all; %s\n",
                r->reader->name,
                is_mbox ? "--quoting is mboxrd, mboxo or none" : "--layout is fs or maildir++");
    return good;
}

static SUSPENDS int
import_from(struct ctl *c, const struct import_reader *reader)
{
    const struct import_mail_options *o = &import_mail_typed;
    AUTO_ARENA *a = arena_new(TREE_ARENA);
    struct run r = {.im = {.c = c}, .reader = reader, .a = a, .waiter = fiber_self()};
    int64_t began = clock_mono_ms();

    r.last = &r.places;
    if (!read_words(&r))
        return CTL_USAGE;
    if (o->account != NULL)
        add_place(&r, &(const struct migrate_layout){.path = c->argv[0]},
                  name_address(str_of(o->account), c->arena));
    else if (find_places(&r, c->argv[0]) != OK || r.places == NULL) {
        fprintf(stderr, "godwit import %s: %s: there is no DOMAIN/USER with mail of this kind\n",
                reader->name, c->argv[0]);
        return CTL_FAILED;
    }
    r.im.told = c->json ? json_array() : NULL;
    fiber_lock_init(&r.turn);
    for (size_t i = 0; i < WORKERS; i++)
        r.workers += fiber_go(work, &r) == OK;
    if (r.workers > 0 && fiber_park_for(&r.done, FIBER_FOREVER, true) != OK)
        return CTL_FAILED;
    return import_mail_end(&r.im, began);
}

int
ctl_import_maildir(struct ctl *c)
{
    return import_from(c, &maildir_reader);
}

int
ctl_import_mbox(struct ctl *c)
{
    return import_from(c, &mbox_reader);
}

/* ---- whose mail ---- */

/* root/DOMAIN/USER, with what the reader knows behind it */
static enum status
find_places(struct run *r, const char *root)
{
    const struct dirent *e;

    DIR *d = opendir(root);
    if (d == NULL)
        return ERR_NOT_FOUND;
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.' && strchr(e->d_name, '.') != NULL)
            (void)!find_users(r, root, e->d_name); /* a file, or not for us: no account */
    closedir(d);
    return OK;
}

static enum status
find_users(struct run *r, const char *root, const char *domain)
{
    struct str dir = arena_printf(r->a, "%s/%s", root, domain);
    const struct dirent *e;
    int fd = -1;

    enum status s = migrate_dir_open(dir.ptr, strlen(domain) + 1, &fd);
    if (s == ERR_DENIED)
        tell_link(r, dir.ptr);
    TRY(s);
    DIR *d = fdopendir(fd);
    if (d == NULL) {
        fd_close(&fd);
        return ERR_IO;
    }
    while ((e = readdir(d)) != NULL)
        if (e->d_name[0] != '.')
            find_user(r, dir, domain, e->d_name);
    closedir(d);
    return OK;
}

static void
find_user(struct run *r, struct str dir, const char *domain, const char *user)
{
    const char *const *ends = r->reader->ends;
    enum status s = ERR_NOT_FOUND;

    for (size_t i = 0; i < COUNT_OF(r->reader->ends) && s == ERR_NOT_FOUND; i++) {
        struct str path = arena_printf(r->a, "%.*s/%s%s", STR_FMT(dir), user, ends[i]);
        const struct migrate_layout l = {.path = path.ptr,
                                         .below = strlen(domain) + 1 + path.len - dir.len};
        s = r->reader->check(&l);
        if (s != ERR_NOT_FOUND && s != ERR_DENIED) /* what cannot be read is told as it is opened */
            add_place(r, &l, name_address(arena_printf(r->a, "%s@%s", user, domain), r->a));
        if (s == ERR_DENIED)
            tell_link(r, l.path);
    }
}

static void
add_place(struct run *r, const struct migrate_layout *l, struct str address)
{
    struct place *p = ARENA_NEW(r->a, struct place);

    *p = (struct place){.path = l->path, .below = l->below, .address = address};
    *r->last = p;
    r->last = &p->next;
}

/* Whoever owns a folder could have any file of the machine imported. */
static void
tell_link(const struct run *r, const char *path)
{
    fprintf(stderr, "godwit import: %s: a link is not followed\n", ctl_text(r->im.c, str_of(path)));
}

/* ---- fibers ---- */

static FIBER_ENTRY void
work(void *arg)
{
    struct run *r = arg;
    struct migrate_folder *f;
    struct opened *o;

    while (next_folder(r, &o, &f)) {
        import_mail_folder(&r->im, &o->acc, f);
        leave(o);
    }
    if (--r->workers == 0)
        fiber_done(r->waiter, &r->done);
}

static bool
next_folder(struct run *r, struct opened **o_out, struct migrate_folder **f_out)
{
    bool found = false;

    if (fiber_lock_take(&r->turn) != OK)
        return false;
    while (r->im.broken == OK && !found) {
        struct opened *o = r->open;
        if (o != NULL && o->next < o->acc.tree.count) {
            o->users++;
            *o_out = o;
            *f_out = &o->acc.tree.folders[o->next++];
            found = true;
            continue;
        }
        if (o != NULL)
            leave(o);
        r->open = NULL;
        if (r->places == NULL)
            break;
        r->open = open_account(r, r->places);
        r->places = r->places->next;
    }
    fiber_lock_give(&r->turn);
    return found;
}

static void
leave(struct opened *o)
{
    if (--o->users > 0)
        return;
    struct arena *a = o->a; /* o lives in it */
    arena_free(&a);
}

/* ---- an account ---- */

/* NULL: it was said why not. */
static struct opened *
open_account(struct run *r, const struct place *p)
{
    struct arena *a = arena_new(TREE_ARENA);
    struct opened *o = ARENA_NEW(a, struct opened);
    const struct import_counts none = {0};

    o->a = a;
    o->users = 1;
    o->acc.address = p->address;
    r->im.accounts++;
    const char *wrong = prepare(r, p, o);
    if (wrong == NULL)
        return o;
    r->im.failed++;
    import_mail_tell(&r->im, &o->acc, str_of(p->path), &none, wrong);
    leave(o);
    return NULL;
}

static uint32_t
source_of(struct arena *a, const char *path)
{
    const char *name = import_mail_typed.source;
    char *real = arena_alloc(a, PATH_MAX);

    if (name == NULL)
        name = realpath(path, real) != NULL ? real : path;
    return (uint32_t)hash_stable(str_of(name)); /* half of it will do */
}

/* NULL, or what is wrong. */
static const char *
prepare(struct run *r, const struct place *p, struct opened *o)
{
    const struct import_mail_options *opt = &import_mail_typed;
    const struct migrate_layout layout = {.path = p->path,
                                          .below = p->below,
                                          .fs = opt->layout != NULL && opt->layout[0] == 'f',
                                          .quoting = r->quoting};

    const char *wrong = import_account_open(&r->im, &o->acc, o->a);
    if (wrong != NULL)
        return wrong;
    o->acc.source = source_of(o->a, p->path);
    o->acc.uidl = opt->uidl == NULL                ? UIDL_DOVECOT
                  : strcmp(opt->uidl, "none") == 0 ? STR_NONE
                                                   : str_of(opt->uidl);
    o->acc.reader = r->reader;
    enum status s = r->reader->tree(&layout, o->a, &o->acc.tree);
    if (s != OK)
        return s == ERR_NOT_FOUND ? r->reader->nothing
               : s == ERR_LIMIT   ? "it has too many folders, links or subscriptions"
                                  : "it cannot be read";
    for (size_t i = 0; i < o->acc.tree.link_count; i++)
        tell_link(r, arena_printf(o->a, "%s/%.*s", p->path, STR_FMT(o->acc.tree.links[i])).ptr);
    s = import_account_subscribe(&r->im, &o->acc, o->a);
    if (s != OK)
        return status_name(s);
    if (o->acc.tree.skipped > 0)
        fprintf(stderr, "godwit import: %.*s: %zu folders have names that no mailbox can have\n",
                STR_FMT(p->address), o->acc.tree.skipped);
    if (o->acc.tree.other > 0)
        fprintf(stderr, "godwit import: %.*s: %zu files are no mbox and were passed over\n",
                STR_FMT(p->address), o->acc.tree.other);
    return NULL;
}
