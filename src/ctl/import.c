/* import.c - godwit import: its verbs; aliases and forwards that another mail server had.
 *
 * What stands in the file wins over what is there; the same file a second time changes nothing.  A line that has a
 * target which is not served here is left out as a whole: half a list would look like one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "ctl/command.h"
#include "ctl/import.h"
#include "ctl/import_mail.h"
#include "mail/address.h"
#include "mail/names.h"
#include "role/role.h"
#include "rt/disk.h"

enum { FILE_BYTES_MAX = 4 << 20, FORWARD_MAX = 16, WHY_MAX = 200 };

struct import_options import_options;

static SUSPENDS enum status load(struct import *im);
static SUSPENDS enum status load_aliases(struct import *im);
static SUSPENDS void import_text(struct import *im, struct str text);
static SUSPENDS void import_entry(struct import *im, const struct alias_entry *e,
                                  struct import_wish *w);
static const char *read_wish(const struct import *im, const struct alias_entry *e,
                             struct import_wish *w, char *why);
static const char *read_target(const struct import *im, const struct alias_target *t,
                               struct import_wish *w, char *why);
static const char *obstacle(const struct import *im, const struct import_wish *w,
                            const struct admin_account *account);
static bool is_so(const struct import *im, const struct import_wish *w,
                  const struct admin_account *account);
static SUSPENDS void fulfil(struct import *im, const struct import_wish *w);
static SUSPENDS enum status set_forward(struct import *im, const struct import_wish *w);
static SUSPENDS enum status set_alias(struct import *im, const struct import_wish *w);
static bool same_addresses(const struct str *a, size_t n, const struct import_wish *w);

enum status
ctl_import_read(struct import *im, struct buf *text)
{
    AUTO(fd_close) int fd = -1;

    im->path = im->c->argv[0];
    if (disk_open(im->path, O_RDONLY, 0, &fd) == OK && role_fd_read(fd, text) == OK)
        return OK;
    fprintf(stderr, "godwit import: %s: cannot be read, or is larger than %zuM\n", im->path,
            text->max >> 20);
    return ERR_IO;
}

enum status
ctl_import_begin(struct import *im)
{
    im->aliases = map_new();
    im->accounts = map_new();
    im->domains = map_new();
    im->all = im->c->json ? json_array() : NULL;
    return load(im);
}

int
ctl_import_end(struct import *im, enum status e)
{
    struct ctl *c = im->c;

    map_free(&im->aliases);
    map_free(&im->accounts);
    map_free(&im->domains);
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        ctl_print_json(im->all);
    else
        printf("%zu %s, %zu unchanged, %zu left out\n", im->counts[IMPORT_SET],
               import_options.dry_run ? "to be set" : "set", im->counts[IMPORT_SAME],
               im->counts[IMPORT_LEFT_OUT]);
    return im->counts[IMPORT_LEFT_OUT] == 0 ? CTL_OK : CTL_FAILED;
}

static SUSPENDS int
import_file(struct import *im)
{
    AUTO_BUF text = BUF(FILE_BYTES_MAX);

    if (ctl_import_read(im, &text) != OK)
        return CTL_FAILED;
    enum status e = ctl_import_begin(im);
    if (e == OK)
        import_text(im, buf_str(&text));
    return ctl_import_end(im, e);
}

static SUSPENDS int
import_aliases(struct ctl *c)
{
    struct import im = {.c = c, .syntax = ALIAS_SENDMAIL};

    return import_file(&im);
}

static SUSPENDS int
import_virtual(struct ctl *c)
{
    struct import im = {.c = c, .syntax = ALIAS_VIRTUAL};

    return import_file(&im);
}

static SUSPENDS int
import_forward(struct ctl *c)
{
    struct import im = {.c = c, .syntax = ALIAS_FORWARD};

    im.account = ctl_import_address(&im, ctl_arg(c, 1));
    return import_file(&im);
}

static const struct ctl_verb import_verbs[] = {
    {"accounts", 1, 1, "FILE [--update] [--domain NAME]", ctl_import_accounts,
     "as in a passwd-file of Dovecot, CSV, or a dump of SQL"},
    {"aliases", 1, 1, "FILE [--domain NAME]", import_aliases, "as /etc/aliases is written"},
    {"virtual", 1, 1, "FILE [--domain NAME]", import_virtual, "as a virtual map of Postfix is"},
    {"forward", 2, 2, "FILE ADDRESS", import_forward, "a .forward, for that account"},
    {"imap", 1, 1, "HOST[:PORT] --account ADDRESS | --accounts FILE", ctl_import_imap,
     "mail of another server, over IMAP"},
    {"maildir", 1, 1, "FOLDER --account ADDRESS | --all", ctl_import_maildir,
     "mail of Dovecot or Courier, with its UIDs"},
    {"mbox", 1, 1, "FILE | FOLDER --account ADDRESS | --all", ctl_import_mbox,
     "mail of Dovecot, UW IMAP, mutt, Thunderbird ..."},
    {0},
};

static const struct ctl_option import_table[] = {
    {"--domain", CTL_TEXT, &import_options.domain},
    {"--dry-run", CTL_FLAG, &import_options.dry_run},
    {"--update", CTL_FLAG, &import_options.update},
    {"--account", CTL_TEXT, &import_mail_typed.account},
    {"--all", CTL_FLAG, &import_mail_typed.all},
    {"--layout", CTL_TEXT, &import_mail_typed.layout},
    {"--quoting", CTL_TEXT, &import_mail_typed.quoting},
    {"--uidl", CTL_TEXT, &import_mail_typed.uidl},
    {"--source", CTL_TEXT, &import_mail_typed.source},
    {"--no-delete", CTL_FLAG, &import_mail_typed.no_delete},
    {"--accounts", CTL_TEXT, &import_imap_typed.accounts},
    {"--user", CTL_TEXT, &import_imap_typed.user},
    {"--password-file", CTL_TEXT, &import_imap_typed.password_file},
    {"--master", CTL_TEXT, &import_imap_typed.master},
    {"--master-separator", CTL_TEXT, &import_imap_typed.separator},
    {"--starttls", CTL_FLAG, &import_imap_typed.starttls},
    {"--plaintext", CTL_FLAG, &import_imap_typed.plaintext},
    {"--ca", CTL_TEXT, &import_imap_typed.ca},
    {"--tls-name", CTL_TEXT, &import_imap_typed.tls_name},
    {"--parallel", CTL_TEXT, &import_imap_typed.parallel},
    {"--pop3", CTL_TEXT, &import_imap_typed.pop3},
    {0},
};

int
import_command(int argc, char **argv)
{
    return ctl_main(argc, argv, import_verbs, import_table);
}

/* ---- what is there ---- */

static SUSPENDS enum status
load(struct import *im)
{
    struct ctl *c = im->c;
    struct ctl_domains domains = {.store = c->store, .a = c->arena};
    struct admin_accounts req = {.after = STR(""), .only = STR("")};
    struct admin_accounts_reply rep = {.more = true};
    const struct admin_domain *d;
    enum status e;

    while ((e = ctl_next_domain(&domains, &d)) == OK)
        map_put(im->domains, d->name, im);
    if (e != ERR_NOT_FOUND)
        return e;
    while (rep.more) {
        TRY(admin_accounts_call(c->store, &req, c->arena, &rep));
        for (size_t i = 0; i < rep.accounts_count; i++)
            map_put(im->accounts, rep.accounts[i].address,
                    arena_dup(c->arena, &rep.accounts[i], sizeof(rep.accounts[i])));
        if (rep.accounts_count == 0)
            break;
        req.after = rep.accounts[rep.accounts_count - 1].address;
    }
    return load_aliases(im);
}

static SUSPENDS enum status
load_aliases(struct import *im)
{
    struct ctl *c = im->c;
    struct admin_aliases req = {.after = STR("")};
    struct admin_aliases_reply rep = {.more = true};

    while (rep.more) {
        TRY(admin_aliases_call(c->store, &req, c->arena, &rep));
        for (size_t i = 0; i < rep.aliases_count; i++)
            map_put(im->aliases, rep.aliases[i].address,
                    arena_dup(c->arena, &rep.aliases[i], sizeof(rep.aliases[i])));
        if (rep.aliases_count == 0)
            break;
        req.after = rep.aliases[rep.aliases_count - 1].address;
    }
    return OK;
}

/* ---- lines ---- */

/* A .forward is one wish over all of its lines. */
static SUSPENDS void
import_text(struct import *im, struct str text)
{
    struct alias_cursor cursor = alias_cursor_of(text, im->syntax);
    struct import_wish all = {.address = im->account};
    struct alias_entry e;
    AUTO_ARENA *a = arena_new(ALIAS_ENTRY_BYTES);

    for (; alias_next(&cursor, a, &e); arena_reset(a)) {
        if (im->syntax == ALIAS_FORWARD) {
            all.line = e.line;
            import_entry(im, &e, &all);
            continue;
        }
        ctl_import_alias(im, &e);
    }
    if (im->syntax == ALIAS_FORWARD && (all.count > 0 || all.self))
        fulfil(im, &all);
}

void
ctl_import_alias(struct import *im, const struct alias_entry *e)
{
    struct import_wish one = {.line = e->line};

    import_entry(im, e, &one);
}

static SUSPENDS void
import_entry(struct import *im, const struct alias_entry *e, struct import_wish *w)
{
    struct import_wish before = *w;
    char why[WHY_MAX];
    const char *fault = e->fault != NULL ? e->fault : read_wish(im, e, w, why);

    if (fault != NULL) {
        *w = before;
        if (im->syntax != ALIAS_FORWARD && e->fault == NULL)
            w->address = arena_str(im->c->arena, e->name);
        ctl_import_tell(im, w, IMPORT_LEFT_OUT, fault);
        return;
    }
    if (im->syntax != ALIAS_FORWARD)
        fulfil(im, w);
}

bool
ctl_import_is_address(struct str text)
{
    AUTO_ARENA *a = arena_new(8192);
    struct path path;

    return mailbox_parse(text, PATH_UTF8, a, &path) == OK;
}

static const char *
reason_of(enum alias_kind kind)
{
    switch (kind) {
    case ALIAS_INCLUDE: return "lists in other files are not read, name their addresses here";
    case ALIAS_COMMAND: return "no commands are run for mail";
    case ALIAS_FILE: return "mail is written to no files";
    default: return "this is no address";
    }
}

/* NULL, or why not. */
static const char *
read_wish(const struct import *im, const struct alias_entry *e, struct import_wish *w, char *why)
{
    if (im->syntax != ALIAS_FORWARD) {
        if (str_find(e->name, '@') < 0 && im->syntax == ALIAS_VIRTUAL &&
            str_find(e->name, '.') >= 0)
            return "a domain, not an address: godwit domain add serves it";
        w->address = ctl_import_address(im, e->name);
        if (e->name.ptr[0] != '@' && !ctl_import_is_address(w->address))
            return reason_of(ALIAS_ERROR);
    }
    for (size_t i = 0; i < e->count; i++) {
        const char *fault = read_target(im, &e->targets[i], w, why);
        if (fault != NULL)
            return fault;
    }
    return NULL;
}

static const char *
read_target(const struct import *im, const struct alias_target *t, struct import_wish *w, char *why)
{
    struct str address = ctl_import_address(im, t->text);
    enum alias_kind kind = t->kind;

    if (kind <= ALIAS_SELF && !ctl_import_is_address(address))
        kind = ALIAS_ERROR;
    if (kind > ALIAS_SELF) {
        snprintf(why, WHY_MAX, "%s%s: %s", kind == ALIAS_COMMAND ? "|" : "",
                 ctl_text(im->c, str_sub(t->text, 0, WHY_MAX / 3)), reason_of(kind));
        return why;
    }
    if (str_eq_nocase(address, w->address)) {
        w->self = true;
        return NULL;
    }
    for (size_t i = 0; i < w->count; i++)
        if (str_eq_nocase(w->targets[i], address))
            return NULL;
    if (w->count == LIMIT_ALIAS_TARGETS)
        return "there are too many targets";
    w->targets[w->count++] = address;
    return NULL;
}

/* ---- doing it ---- */

/* What can be told without trying. */
static const char *
obstacle(const struct import *im, const struct import_wish *w, const struct admin_account *account)
{
    ssize_t at = str_rfind(w->address, '@');

    if (map_get(im->domains, str_skip(w->address, (size_t)(at + 1))) == NULL)
        return "its domain is not served here";
    if (account == NULL && im->syntax == ALIAS_FORWARD)
        return "there is no such account";
    return account != NULL && w->count > FORWARD_MAX ? "there are too many targets" : NULL;
}

static bool
is_so(const struct import *im, const struct import_wish *w, const struct admin_account *account)
{
    const struct admin_alias *alias = map_get(im->aliases, w->address);

    if (account != NULL)
        return same_addresses(account->forward, account->forward_count, w) &&
               (w->count == 0 || account->keep == w->self);
    return alias != NULL && !w->self && same_addresses(alias->targets, alias->targets_count, w);
}

static SUSPENDS void
fulfil(struct import *im, const struct import_wish *w)
{
    const struct admin_account *account = map_get(im->accounts, w->address);
    const char *no = obstacle(im, w, account);

    if (no != NULL || is_so(im, w, account)) {
        ctl_import_tell(im, w, no != NULL ? IMPORT_LEFT_OUT : IMPORT_SAME, no);
        return;
    }
    enum status e = OK;
    if (!import_options.dry_run)
        e = account != NULL ? set_forward(im, w) : set_alias(im, w);
    if (e == OK) {
        ctl_import_tell(im, w, IMPORT_SET, NULL);
        return;
    }
    const char *said = ipc_problem()->text;
    ctl_import_tell(im, w, IMPORT_LEFT_OUT, said[0] != '\0' ? said : status_name(e));
}

static SUSPENDS enum status
set_forward(struct import *im, const struct import_wish *w)
{
    const struct admin_account_forward req = {
        .address = w->address, .targets = w->targets, .targets_count = w->count, .keep = w->self};
    struct admin_account_forward_reply rep;

    return admin_account_forward_call(im->c->store, &req, im->c->arena, &rep);
}

/* An alias that names itself is refused by the server, in its own words. */
static SUSPENDS enum status
set_alias(struct import *im, const struct import_wish *w)
{
    struct str targets[LIMIT_ALIAS_TARGETS + 1];
    struct admin_alias_set req = {.alias = {.address = w->address, .targets = targets}};
    struct admin_alias_set_reply rep;

    for (size_t i = 0; i < w->count; i++)
        targets[req.alias.targets_count++] = w->targets[i];
    if (w->self)
        targets[req.alias.targets_count++] = w->address;
    if (req.alias.targets_count > LIMIT_ALIAS_TARGETS)
        return ERR_LIMIT;
    return admin_alias_set_call(im->c->store, &req, im->c->arena, &rep);
}

static bool
same_addresses(const struct str *a, size_t n, const struct import_wish *w)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < w->count; k++)
            found += str_eq_nocase(a[i], w->targets[k]);
    return n == w->count && found == n;
}

/* As the directory keeps it: in lower case, with a domain.  What would need quotes is no address to us. */
struct str
ctl_import_address(const struct import *im, struct str text)
{
    struct arena *a = im->c->arena;
    struct str domain =
        import_options.domain != NULL ? str_of(import_options.domain) : im->c->config->domain;
    struct str whole = text;

    if (str_find(text, '@') < 0)
        whole = arena_printf(a, "%.*s@%.*s", STR_FMT(text), STR_FMT(domain));
    struct str address = name_address(whole, a);
    char *p = arena_dup(a, address.ptr, address.len);
    for (size_t i = 0; i < address.len; i++)
        p[i] = ascii_lower(p[i]);
    return str_from(p, address.len);
}

void
ctl_import_tell(struct import *im, const struct import_wish *w, enum import_result r,
                const char *why)
{
    static const char *const words[] = {"unchanged", "set", "left out"};
    struct ctl *c = im->c;

    im->counts[r]++;
    if (c->json) {
        json_t *targets = json_array();
        for (size_t i = 0; i < w->count; i++)
            json_array_append_new(targets, view_str(w->targets[i]));
        json_array_append_new(im->all, json_pack("{s:i, s:o, s:o, s:s, s:o}", "line", (int)w->line,
                                                 "address", view_str(w->address), "targets",
                                                 targets, "result", words[r], "why",
                                                 view_str(str_of(why != NULL ? why : ""))));
        return;
    }
    if (why == NULL)
        why = "";
    printf("%s:%u: %s", im->path, w->line, ctl_text(c, w->address));
    if (r != IMPORT_LEFT_OUT && (w->self || w->count > 0)) {
        printf(" ->%s", w->self ? " its mailbox" : "");
        for (size_t i = 0; i < w->count; i++)
            printf(" %s", ctl_text(c, w->targets[i]));
    }
    printf(", %s%s%s%s\n", import_options.dry_run && r == IMPORT_SET ? "to be " : "", words[r],
           why[0] != '\0' ? ": " : "", why);
}
