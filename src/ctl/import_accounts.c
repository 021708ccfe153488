/* import_accounts.c - godwit import accounts: domains, accounts and aliases that another mail server had.
 *
 * The file is walked three times: accounts need their domains, and forwards their accounts, whatever stands first.
 * What is there already stays as it is; with --update password, quota and suspension become those of the file; an
 * account that is locked there has no password here.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "auth/foreign.h"
#include "ctl/import.h"
#include "setup/account_file.h"

enum { BATCH = ADMIN_ACCOUNT_ADD_MANY_ACCOUNTS_MAX, BATCH_BYTES = 4 << 20 };

struct intake {
    struct import im;
    struct account_cursor *cursor;
    struct arena *entry;
    struct arena *waiting; /* what the accounts of the batch are made of */
    struct admin_new_account batch[BATCH];
    uint32_t lines[BATCH];
    size_t count;
};

static SUSPENDS enum status walk(struct intake *in, struct str text, enum account_form form);
static SUSPENDS enum status pass(struct intake *in, enum account_kind kind);
static SUSPENDS enum status take(struct intake *in, const struct account_entry *e);
static SUSPENDS void take_domain(struct intake *in, const struct account_entry *e);
static SUSPENDS enum status take_mailbox(struct intake *in, const struct account_entry *e);
static SUSPENDS enum status add(struct intake *in, struct str address,
                                const struct account_entry *e);
static SUSPENDS enum status flush(struct intake *in);
static SUSPENDS void update(struct intake *in, const struct admin_account *is,
                            const struct account_entry *e);
static SUSPENDS enum status change(struct intake *in, const struct admin_account *is,
                                   const struct account_entry *e, bool *changed);
static const char *hash_fault(struct str hash);
static bool has_password(struct str hash);
static bool is_locked(struct str hash);
static void tell(struct intake *in, const struct account_entry *e, enum import_result r,
                 const char *why);
static const char *said(enum status e);

int
ctl_import_accounts(struct ctl *c)
{
    AUTO_BUF text = BUF(LIMIT_IMPORT_ACCOUNTS_BYTES);
    AUTO_ARENA *entry = arena_new(ACCOUNT_ENTRY_BYTES);
    AUTO_ARENA *waiting = arena_new(BATCH_BYTES);
    struct intake *in = ARENA_NEW(c->arena, struct intake);

    *in = (struct intake){
        .im = {.c = c, .syntax = ALIAS_VIRTUAL}, .entry = entry, .waiting = waiting};
    in->cursor = ARENA_NEW(c->arena, struct account_cursor);
    if (ctl_import_read(&in->im, &text) != OK)
        return CTL_FAILED;
    enum account_form form = account_file_form(buf_str(&text));
    if (form == ACCOUNT_UNKNOWN) {
        fprintf(stderr,
                "godwit import accounts: %s: this is no passwd-file, no dump of SQL, and no CSV "
                "whose first line names a column address\n",
                in->im.path);
        return CTL_FAILED;
    }
    enum status e = ctl_import_begin(&in->im);
    if (e == OK)
        e = walk(in, buf_str(&text), form);
    return ctl_import_end(&in->im, e);
}

static SUSPENDS enum status
walk(struct intake *in, struct str text, enum account_form form)
{
    for (enum account_kind kind = ACCOUNT_DOMAIN; kind <= ACCOUNT_ALIAS; kind++) {
        account_cursor_init(in->cursor, text, form);
        TRY(pass(in, kind));
        TRY(flush(in));
    }
    return OK;
}

static SUSPENDS enum status
pass(struct intake *in, enum account_kind kind)
{
    struct account_entry e;

    for (; account_next(in->cursor, in->entry, &e); arena_reset(in->entry)) {
        if (e.kind != kind)
            continue;
        if (e.fault != NULL)
            tell(in, &e, IMPORT_LEFT_OUT, e.fault);
        else
            TRY(take(in, &e));
    }
    return OK;
}

static SUSPENDS enum status
take(struct intake *in, const struct account_entry *e)
{
    switch (e->kind) {
    case ACCOUNT_DOMAIN: take_domain(in, e); return OK;
    case ACCOUNT_MAILBOX: return take_mailbox(in, e);
    case ACCOUNT_ALIAS:
        if (e->inactive)
            tell(in, e, IMPORT_LEFT_OUT, "it is not active");
        else
            ctl_import_alias(&in->im, &e->alias);
        return OK;
    }
    UNREACHABLE();
}

/* "ALL" stands in Postfixadmin for what its administrators may do. */
static SUSPENDS void
take_domain(struct intake *in, const struct account_entry *e)
{
    const struct admin_domain_add req = {.name = e->name};
    struct admin_domain_add_reply rep;
    enum status st = OK;

    if (str_eq(e->name, STR("ALL")))
        return;
    if (e->inactive) {
        tell(in, e, IMPORT_LEFT_OUT, "it is not active, or kept for another server");
        return;
    }
    if (map_get(in->im.domains, e->name) != NULL) {
        tell(in, e, IMPORT_SAME, NULL);
        return;
    }
    if (!import_options.dry_run)
        st = admin_domain_add_call(in->im.c->store, &req, in->entry, &rep);
    if (st == OK)
        (void)map_put(in->im.domains, e->name, in);
    tell(in, e, st == OK ? IMPORT_SET : IMPORT_LEFT_OUT, st == OK ? NULL : said(st));
}

/* ---- accounts ---- */

static SUSPENDS enum status
take_mailbox(struct intake *in, const struct account_entry *e)
{
    struct import *im = &in->im;
    struct str address = ctl_import_address(im, e->name);
    const char *fault = has_password(e->hash) ? hash_fault(e->hash) : NULL;
    ssize_t at = str_rfind(address, '@');

    if (!ctl_import_is_address(address))
        fault = "this is no address";
    else if (map_get(im->domains, str_skip(address, (size_t)(at + 1))) == NULL)
        fault = "its domain is not served here";
    else if (map_get(im->aliases, address) != NULL)
        fault = "there is an alias of this name";
    if (fault != NULL) {
        tell(in, e, IMPORT_LEFT_OUT, fault);
        return OK;
    }
    const struct admin_account *is = map_get(im->accounts, address);
    if (is == NULL)
        return add(in, address, e);
    if (!import_options.update) {
        tell(in, e, IMPORT_SAME, "it is there already");
        return OK;
    }
    TRY(flush(in)); /* it may be one of the batch */
    update(in, is, e);
    return OK;
}

static SUSPENDS enum status
add(struct intake *in, struct str address, const struct account_entry *e)
{
    struct admin_account *will = ARENA_NEW(in->im.c->arena, struct admin_account);
    size_t i = in->count++;

    *will = (struct admin_account){.address = arena_str(in->im.c->arena, address),
                                   .quota_bytes = e->quota_bytes,
                                   .suspended = e->inactive,
                                   .has_password = has_password(e->hash)};
    (void)map_put(in->im.accounts, will->address, will);
    in->lines[i] = e->line;
    in->batch[i] = (struct admin_new_account){
        .address = will->address,
        .hash = has_password(e->hash) ? arena_str(in->waiting, e->hash) : STR_NONE,
        .quota_bytes = e->quota_bytes,
        .suspended = e->inactive,
    };
    return in->count == BATCH ? flush(in) : OK;
}

/* What could not be made is unknown to the rest of the file. */
static SUSPENDS enum status
flush(struct intake *in)
{
    const struct admin_account_add_many req = {.accounts = in->batch, .accounts_count = in->count};
    AUTO_ARENA *a = arena_new(BATCH_BYTES);
    struct admin_account_add_many_reply rep = {0};

    if (in->count > 0 && !import_options.dry_run)
        TRY(admin_account_add_many_call(in->im.c->store, &req, a, &rep));
    for (size_t i = 0; i < in->count; i++) {
        const struct account_entry e = {.line = in->lines[i], .name = in->batch[i].address};
        const char *why = in->batch[i].hash.len > 0 ? NULL : "without a password";
        bool made =
            import_options.dry_run || (i < rep.results_count && rep.results[i].status == OK);
        if (!made) {
            (void)map_del(in->im.accounts, e.name);
            why = i < rep.results_count ? arena_z(a, rep.results[i].text) : "it was not made";
        }
        tell(in, &e, made ? IMPORT_SET : IMPORT_LEFT_OUT, why);
    }
    in->count = 0;
    arena_reset(in->waiting);
    return OK;
}

static SUSPENDS void
update(struct intake *in, const struct admin_account *is, const struct account_entry *e)
{
    bool changed = false;
    enum status st = change(in, is, e, &changed);

    if (st != OK)
        tell(in, e, IMPORT_LEFT_OUT, said(st));
    else
        tell(in, e, changed ? IMPORT_SET : IMPORT_SAME, NULL);
}

/* A hash cannot be compared with what is there. */
static SUSPENDS enum status
change(struct intake *in, const struct admin_account *is, const struct account_entry *e,
       bool *changed)
{
    struct ipc_peer *store = in->im.c->store;
    bool locks = is_locked(e->hash) && is->has_password;
    const struct admin_account_password password = {
        .address = is->address, .hash = locks ? STR("") : e->hash, .none = locks};
    const struct admin_account_quota quota = {.address = is->address,
                                              .quota_bytes = e->quota_bytes};
    const struct admin_account_suspend suspend = {.address = is->address, .suspended = e->inactive};
    struct admin_account_password_reply password_rep;
    struct admin_account_quota_reply quota_rep;
    struct admin_account_suspend_reply suspend_rep;
    bool set_quota = e->has_quota && is->quota_bytes != e->quota_bytes;

    *changed = has_password(e->hash) || locks || set_quota || is->suspended != e->inactive;
    if (import_options.dry_run)
        return OK;
    if (has_password(e->hash) || locks)
        TRY(admin_account_password_call(store, &password, in->entry, &password_rep));
    if (set_quota)
        TRY(admin_account_quota_call(store, &quota, in->entry, &quota_rep));
    if (is->suspended == e->inactive)
        return OK;
    return admin_account_suspend_call(store, &suspend, in->entry, &suspend_rep);
}

/* ---- helpers ---- */

/* As auth will judge it, so that a trial tells it too. */
static const char *
hash_fault(struct str hash)
{
    AUTO_FOREIGN f = {0};

    return foreign_read(hash, &f);
}

/* By a sign that no hash begins with, as in shadow(5): nobody logs in with a password.  No hash at all says nothing. */
static bool
is_locked(struct str hash)
{
    return hash.len > 0 && (hash.ptr[0] == '!' || hash.ptr[0] == '*');
}

static bool
has_password(struct str hash)
{
    return hash.len > 0 && !is_locked(hash);
}

static void
tell(struct intake *in, const struct account_entry *e, enum import_result r, const char *why)
{
    const struct import_wish w = {.line = e->line, .address = e->name};

    ctl_import_tell(&in->im, &w, r, why);
}

/* At once after the call. */
static const char *
said(enum status e)
{
    const char *text = ipc_problem()->text;

    return text[0] != '\0' ? text : status_name(e);
}
