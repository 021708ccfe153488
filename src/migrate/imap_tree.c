/* imap_tree.c - which folders a user of an IMAP server has: namespaces, LIST, subscriptions, special uses.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "migrate/imap_internal.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"

enum {
    SAID_MAX = 120,
    SKIPPED_MAX = 200,              /* of a name that is told */
    TOLD_MAX = 4 * LIMIT_MAILBOXES, /* replies to one LIST */
    NAME_ARENA = 64 << 10,
    TREE_ROOM = 32 << 20, /* more than the arrays of a tree, and one response, take */
};

struct space {
    struct str prefix;
    char separator;
    bool personal;
};
struct walk {
    struct imap_source *s;
    struct arena *a;
    struct space spaces[IMAP_REPLY_SPACES];
    size_t space_count;
    struct migrate_tree t;
    struct map *names; /* of folders, to make each one once */
};

static SUSPENDS enum status walk_all(struct walk *w);
static SUSPENDS enum status ask_spaces(struct walk *w);
static SUSPENDS enum status list(struct walk *w, size_t space, bool subscribed);
static enum status take(struct walk *w, size_t space, const struct imap_reply_list *l,
                        bool subscribed);
static enum status add_folder(struct walk *w, struct str name, const struct imap_reply_list *l);
static enum status too_much(struct walk *w);

enum status
imap_tree_once(struct imap_source *s, struct arena *a, struct migrate_tree *out)
{
    struct walk w = {.s = s, .a = a};

    if (arena_left(a) < TREE_ROOM) /* of attempts before */
        return too_much(&w);
    w.names = map_new();
    w.t.folders = ARENA_ARRAY(a, struct migrate_folder, LIMIT_MAILBOXES);
    w.t.subscribed = ARENA_ARRAY(a, struct str, LIMIT_MAILBOXES);
    w.t.skipped_names = ARENA_ARRAY(a, struct str, LIMIT_MAILBOXES);
    enum status e = walk_all(&w);
    map_free(&w.names);
    if (e == OK)
        *out = w.t;
    return e;
}

/* INBOX first, parents before children. */
static int
compare_folders(const void *a, const void *b)
{
    const struct migrate_folder *x = a, *y = b;
    bool x_first = str_eq(x->name, STR("INBOX")), y_first = str_eq(y->name, STR("INBOX"));

    return x_first != y_first ? (x_first ? -1 : 1) : str_cmp(x->name, y->name);
}

static enum status
walk_all(struct walk *w)
{
    const struct imap_reply_list inbox = {.selectable = true, .raw = STR("INBOX")};

    TRY(ask_spaces(w));
    TRY(add_folder(w, STR("INBOX"), &inbox)); /* there always is one, whatever is listed */
    for (size_t i = 0; i < w->space_count; i++) {
        if (!w->spaces[i].personal)
            continue;
        TRY(list(w, i, false));
        TRY(list(w, i, true));
    }
    qsort(w->t.folders, w->t.count, sizeof(w->t.folders[0]), compare_folders);
    return OK;
}

/* ---- namespaces ---- */

/* There is room for all of a response; one whose names could be no mailbox is none. */
static void
take_spaces(struct walk *w, const struct imap_reply *r)
{
    for (size_t i = 0; i < r->space_count; i++) {
        const struct imap_reply_space *x = &r->spaces[i];
        if (x->prefix.len <= LIMIT_MAILBOX_NAME_BYTES)
            w->spaces[w->space_count++] =
                (struct space){arena_str(w->a, x->prefix), x->separator, x->personal};
    }
}

static enum status
ask_spaces(struct walk *w)
{
    struct imap_source *s = w->s;
    struct imap_reply r = {0};
    bool end = (s->has & IMAP_HAS_NAMESPACE) == 0, any = false;

    if (!end) {
        imap_link_begin(s, "NAMESPACE");
        TRY(imap_link_send(s));
    }
    while (!end) {
        TRY(imap_link_next(s, &r));
        TRY(imap_link_is_end(s, &r, s->tag, &end));
        if (r.kind == IMAP_REPLY_NAMESPACE && w->space_count == 0)
            take_spaces(w, &r);
    }
    for (size_t i = 0; i < w->space_count; i++)
        any |= w->spaces[i].personal;
    if (any)
        return OK;
    w->spaces[0] = (struct space){.prefix = STR(""), .personal = true};
    w->space_count = 1;
    return OK;
}

/* The one that a name is in: that with the longest prefix.  "Shared" is in "Shared/" too. */
static size_t
space_of(const struct walk *w, struct str raw, size_t otherwise)
{
    size_t best = otherwise, longest = 0;

    for (size_t i = 0; i < w->space_count; i++) {
        const struct space *x = &w->spaces[i];
        struct str bare = x->prefix;
        if (bare.len > 0 && bare.ptr[bare.len - 1] == x->separator)
            bare.len--;
        bool in = str_starts(raw, x->prefix) || (!x->personal && str_eq(raw, bare));
        if (in && x->prefix.len > longest) {
            best = i;
            longest = x->prefix.len;
        }
    }
    return best;
}

/* ---- LIST ---- */

/* With LIST-EXTENDED one that is subscribed and not there any more is told too, as LSUB tells it. */
static enum status
list(struct walk *w, size_t space, bool subscribed)
{
    struct imap_source *s = w->s;
    bool extended = (s->has & IMAP_HAS_LIST_EXTENDED) != 0;
    struct imap_reply r = {0};
    bool end = false;
    size_t told = 0;

    imap_link_begin(s, !subscribed ? "LIST \"\" "
                       : extended  ? "LIST (SUBSCRIBED) \"\" "
                                   : "LSUB \"\" ");
    TRY(imap_link_string(s, arena_printf(w->a, "%.*s*", STR_FMT(w->spaces[space].prefix))));
    if (!subscribed && extended && (s->has & IMAP_HAS_SPECIAL_USE) != 0)
        buf_add(&s->line, STR(" RETURN (SPECIAL-USE)"));
    TRY(imap_link_send(s));
    while (!end) {
        TRY(imap_link_next(s, &r));
        TRY(imap_link_is_end(s, &r, s->tag, &end));
        if (r.kind != IMAP_REPLY_LIST)
            continue;
        if (++told > TOLD_MAX || arena_left(w->a) < TREE_ROOM / 2)
            return too_much(w);
        TRY(take(w, space, &r.list, subscribed));
    }
    if (r.condition == IMAP_SAYS_OK || subscribed)
        return OK;
    return imap_link_fail(s, ERR_SYNTAX, "its folders cannot be listed: %.*s",
                          STR_FMT(str_sub(r.text, 0, SAID_MAX)));
}

static enum status
too_much(struct walk *w)
{
    return imap_link_fail(w->s, ERR_LIMIT,
                          "it lists more folders, or longer names, than there may be");
}

/* The prefix of the first personal namespace ("INBOX.") is no level here. */
static struct str
without_prefix(const struct walk *w, size_t space, struct str raw)
{
    for (size_t i = 0; i < w->space_count; i++)
        if (w->spaces[i].personal)
            return i == space && str_starts(raw, w->spaces[i].prefix)
                       ? str_skip(raw, w->spaces[i].prefix.len)
                       : raw;
    return raw;
}

static void
skip(struct walk *w, struct str raw)
{
    if (w->t.skipped < LIMIT_MAILBOXES)
        w->t.skipped_names[w->t.skipped++] = arena_str(w->a, str_sub(raw, 0, SKIPPED_MAX));
}

static enum status
take(struct walk *w, size_t space, const struct imap_reply_list *l, bool subscribed)
{
    AUTO_ARENA *a = arena_new(NAME_ARENA);
    struct migrate_tree *t = &w->t;
    struct str name;

    bool is_inbox = str_eq_nocase(l->raw, STR("INBOX"));
    if (!is_inbox && space_of(w, l->raw, space) != space)
        return OK;
    struct str rest = is_inbox ? l->raw : without_prefix(w, space, l->raw);
    if (rest.len > 0 &&
        rest.ptr[rest.len - 1] == l->separator) /* as some end a folder of folders */
        rest.len--;
    if (rest.len == 0)
        return OK;
    enum status e = imap_reply_name(rest, l->separator, a, &name);
    if (subscribed) {
        if (e == OK && t->subscribed_count < LIMIT_MAILBOXES)
            t->subscribed[t->subscribed_count++] = arena_str(w->a, name);
        return OK;
    }
    if (!l->selectable)
        return OK;
    if (e == OK)
        return add_folder(w, name, l);
    skip(w, l->raw);
    return OK;
}

static enum status
add_folder(struct walk *w, struct str name, const struct imap_reply_list *l)
{
    struct migrate_tree *t = &w->t;
    struct migrate_folder *known = map_get(w->names, name);

    if (known != NULL &&
        (str_eq(str_of(known->path), l->raw) || str_eq_nocase(l->raw, STR("INBOX")))) {
        known->special = l->special != 0 ? l->special : known->special;
        return OK;
    }
    if (known != NULL) { /* two names of there would be one here */
        skip(w, l->raw);
        return OK;
    }
    if (t->count == LIMIT_MAILBOXES)
        return imap_link_fail(w->s, ERR_DENIED, "there are more folders than %u",
                              (unsigned)LIMIT_MAILBOXES);
    struct migrate_folder *f = &t->folders[t->count++];
    *f = (struct migrate_folder){.name = arena_str(w->a, name),
                                 .path = arena_z(w->a, l->raw),
                                 .imap = w->s,
                                 .special = l->special};
    map_put(w->names, f->name, f);
    return OK;
}
