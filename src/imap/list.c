/* list.c - LIST with its extensions, LSUB, XLIST.
 *
 * RFC 3501 sections 6.3.8 and 6.3.9, RFC 3348, 5258 (LIST-EXTENDED), 5819 (LIST-STATUS), 6154 (SPECIAL-USE).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/size.h"
#include "imap/commands.h"
#include "imap/mailbox.h"

/* 10,000 mailboxes with the longest names, and one page of replies with all their keywords. */
#define TREE_ARENA   (24u << 20)
#define PAGE_ARENA   (2u << 20)
#define LINE_MAX     (32u << 10)
#define PATTERNS_MAX 64u

enum select_option { SELECT_SUBSCRIBED = 1, SELECT_RECURSIVE = 2, SELECT_SPECIAL = 4 };
enum return_option { RETURN_SUBSCRIBED = 1, RETURN_STATUS = 2 };
enum dialect { DIALECT_LIST, DIALECT_LSUB, DIALECT_XLIST };

struct request {
    enum dialect dialect;
    bool extended;
    bool asks_separator; /* an empty pattern */
    unsigned select, returns, items;
    struct str reference;
    struct str patterns[PATTERNS_MAX];
    size_t count;
};

/* Every mailbox of the account, by name, INBOX first. */
struct tree {
    struct store_mailbox *at; /* without keywords; names are in an arena */
    size_t count, cap;
};

static void
tree_release(struct tree *t)
{
    mem_free(t->at);
}

/* ---- what is asked ---- */

static const struct {
    struct str name;
    unsigned option;
} select_options[] =
    {
        {STR("SUBSCRIBED"), SELECT_SUBSCRIBED},
        {STR("REMOTE"), 0},
        {STR("RECURSIVEMATCH"), SELECT_RECURSIVE},
        {STR("SPECIAL-USE"), SELECT_SPECIAL},
},
  return_options[] = {
      {STR("SUBSCRIBED"), RETURN_SUBSCRIBED},
      {STR("CHILDREN"), 0}, /* told always, as special uses are */
      {STR("SPECIAL-USE"), 0},
      {STR("STATUS"), RETURN_STATUS},
};

/* list-select-opts = "(" [option *(SP option)] ")" */
static bool
scan_select(struct scan *s, unsigned *out)
{
    struct str word;

    scan_skip_spaces(s);
    while (!scan_char(s, ')')) {
        size_t i = 0;
        if (!imap_scan_atom(s, &word))
            return false;
        while (i < COUNT_OF(select_options) && !str_eq_nocase(word, select_options[i].name))
            i++;
        if (i == COUNT_OF(select_options))
            return false;
        *out |= select_options[i].option;
        scan_skip_spaces(s);
    }
    /* RFC 5258 section 3.1: it needs something to match. */
    return *out != SELECT_RECURSIVE;
}

/* SP "RETURN" SP "(" [option *(SP option)] ")" */
static bool
scan_returns(struct scan *s, struct request *r)
{
    struct str word;

    if (imap_scan_end(s))
        return true;
    r->extended = true;
    if (!imap_scan_sp(s) || !scan_str_nocase(s, STR("RETURN")) || !imap_scan_sp(s) ||
        !scan_char(s, '('))
        return false;
    scan_skip_spaces(s);
    while (!scan_char(s, ')')) {
        size_t i = 0;
        if (!imap_scan_atom(s, &word))
            return false;
        while (i < COUNT_OF(return_options) && !str_eq_nocase(word, return_options[i].name))
            i++;
        if (i == COUNT_OF(return_options))
            return false;
        r->returns |= return_options[i].option;
        if (return_options[i].option == RETURN_STATUS &&
            (!imap_scan_sp(s) || !imap_scan_status_items(s, &r->items)))
            return false;
        scan_skip_spaces(s);
    }
    return imap_scan_end(s);
}

static bool
scan_pattern(struct scan *s, struct arena *a, struct request *r)
{
    struct str pattern;

    if (r->count == PATTERNS_MAX || !imap_scan_list_mailbox(s, a, &pattern))
        return false;
    r->asks_separator = pattern.len == 0;
    if (r->reference.len > 0)
        pattern = arena_printf(a, "%.*s%.*s", STR_FMT(r->reference), STR_FMT(pattern));
    r->patterns[r->count++] = pattern;
    return true;
}

/* patterns = "(" list-mailbox *(SP list-mailbox) ")" */
static bool
scan_patterns(struct scan *s, struct arena *a, struct request *r)
{
    if (!scan_char(s, '('))
        return scan_pattern(s, a, r);
    r->extended = true;
    do {
        scan_skip_spaces(s);
        if (!scan_pattern(s, a, r))
            return false;
        scan_skip_spaces(s);
    } while (!scan_char(s, ')'));
    return true;
}

static bool
scan_request(struct imap_cmd *c, struct request *r)
{
    struct scan *s = &c->in;

    if (!imap_scan_sp(s))
        return false;
    if (r->dialect == DIALECT_LIST && scan_char(s, '(')) {
        r->extended = true;
        if (!scan_select(s, &r->select) || !imap_scan_sp(s))
            return false;
    }
    if (!imap_scan_list_mailbox(s, c->arena, &r->reference) || !imap_scan_sp(s))
        return false;
    if (r->dialect != DIALECT_LIST)
        return scan_pattern(s, c->arena, r) && imap_scan_end(s);
    return scan_patterns(s, c->arena, r) && scan_returns(s, r);
}

/* ---- what is there ---- */

static int
compare_names(const void *x, const void *y)
{
    const struct store_mailbox *a = x, *b = y;
    bool a_inbox = str_eq(a->name, STR("INBOX")), b_inbox = str_eq(b->name, STR("INBOX"));

    if (a_inbox != b_inbox)
        return a_inbox ? -1 : 1;
    return str_cmp(a->name, b->name);
}

static void
tree_add(struct tree *t, const struct store_mailbox *m, struct arena *a)
{
    if (t->count == t->cap) {
        size_t cap = t->cap == 0 ? 32 : 2 * t->cap;
        t->at = mem_resize(t->at, t->cap * sizeof(*m), cap * sizeof(*m));
        t->cap = cap;
    }
    t->at[t->count] = *m;
    t->at[t->count].name = arena_str(a, m->name);
    t->at[t->count].keywords = NULL;
    t->at[t->count++].keywords_count = 0;
}

static SUSPENDS enum status
load_page(struct imap_session *s, uint32_t *after, struct arena *into, struct tree *t)
{
    AUTO_ARENA *a = arena_new(PAGE_ARENA);
    struct store_mailboxes req = {.session = s->id, .after = *after};
    struct store_mailboxes_reply rep;
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(imap_store(s, &store));
        e = store_mailboxes_call(store, &req, a, &rep);
    } while (hold_read_again(&s->hold, e));
    TRY(e);
    for (size_t i = 0; i < rep.mailboxes_count && t->count < LIMIT_MAILBOXES; i++) {
        tree_add(t, &rep.mailboxes[i], into);
        *after = MAX(*after, rep.mailboxes[i].id);
    }
    if (!rep.more || rep.mailboxes_count == 0 || t->count == LIMIT_MAILBOXES)
        *after = UINT32_MAX;
    return OK;
}

static SUSPENDS enum status
load_tree(struct imap_session *s, struct arena *a, struct tree *t)
{
    uint32_t after = 0;

    while (after != UINT32_MAX)
        TRY(load_page(s, &after, a, t));
    if (t->count > 1)
        qsort(t->at, t->count, sizeof(t->at[0]), compare_names);
    return OK;
}

/* ---- the answer ---- */

static bool
matches(const struct request *r, struct str name)
{
    for (size_t i = 0; i < r->count; i++)
        if (imap_match(r->patterns[i], name))
            return true;
    return false;
}

static bool
is_selected(const struct request *r, const struct store_mailbox *m)
{
    bool subscribed = r->dialect == DIALECT_LSUB || (r->select & SELECT_SUBSCRIBED) != 0;

    if (subscribed ? !m->subscribed : m->uidvalidity == 0) /* 0: only its name is subscribed */
        return false;
    return (r->select & SELECT_SPECIAL) == 0 || m->special != 0;
}

static bool
is_below(struct str name, struct str parent)
{
    return name.len > parent.len && str_starts(name, parent) && name.ptr[parent.len] == '/';
}

static int
compare_to_below(struct str name, struct str parent)
{
    int order = str_cmp(str_sub(name, 0, parent.len), parent);

    if (order != 0)
        return order;
    return name.len == parent.len ? -1 : (unsigned char)name.ptr[parent.len] - '/';
}

/* Index of the first mailbox below a name, if there is one.  They stand together; only INBOX has another place. */
static size_t
first_below(const struct tree *t, struct str parent)
{
    size_t lo = t->count > 0 && str_eq(t->at[0].name, STR("INBOX")) ? 1 : 0, hi = t->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (compare_to_below(t->at[mid].name, parent) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* RFC 5258 section 3.5: is something below it selected?  For a mailbox that is not selected itself it must be
 * something that is not listed anyway. */
static bool
has_selected_child(const struct request *r, const struct tree *t, struct str name, bool unlisted)
{
    if ((r->select & SELECT_RECURSIVE) == 0)
        return false;
    for (size_t i = first_below(t, name); i < t->count && is_below(t->at[i].name, name); i++)
        if (is_selected(r, &t->at[i]) && (!unlisted || !matches(r, t->at[i].name)))
            return true;
    return false;
}

static void
add_attribute(struct buf *b, struct str name)
{
    if (name.len == 0)
        return;
    if (b->ptr[b->len - 1] != '(')
        buf_add_char(b, ' ');
    buf_add(b, name);
}

static void
add_attributes(const struct request *r, const struct store_mailbox *m, struct buf *b)
{
    bool extended = r->extended && r->dialect == DIALECT_LIST;

    if (m->uidvalidity == 0)
        add_attribute(b, extended ? STR("\\NonExistent") : STR("\\Noselect"));
    else if (!m->selectable)
        add_attribute(b, STR("\\Noselect"));
    add_attribute(b, m->has_children ? STR("\\HasChildren") : STR("\\HasNoChildren"));
    if (extended && m->subscribed &&
        ((r->returns & RETURN_SUBSCRIBED) || (r->select & SELECT_SUBSCRIBED)))
        add_attribute(b, STR("\\Subscribed"));
    if (r->dialect == DIALECT_XLIST && str_eq(m->name, STR("INBOX")))
        add_attribute(b, STR("\\Inbox"));
    add_attribute(b, imap_special_name(m->special));
}

static void
add_child_info(const struct request *r, struct buf *b)
{
    const char *before = "";

    buf_add(b, STR(" (\"CHILDINFO\" ("));
    for (size_t i = 0; i < COUNT_OF(select_options); i++) {
        unsigned option = select_options[i].option;
        if ((r->select & option) == 0 || option == SELECT_RECURSIVE)
            continue;
        buf_addf(b, "%s\"%.*s\"", before, STR_FMT(select_options[i].name));
        before = " ";
    }
    buf_add(b, STR("))"));
}

/* What a mailbox is told for. */
enum reason { IS_SELECTED = 1, HAS_SELECTED_CHILD = 2 };

/* RFC 5819 section 2: STATUS of those that are selected for themselves. */
static SUSPENDS enum status
send_line(struct imap_cmd *c, const struct request *r, const struct store_mailbox *m, unsigned why)
{
    static const char *const words[] = {"LIST", "LSUB", "XLIST"};
    AUTO_BUF b = BUF(LINE_MAX);

    buf_addf(&b, "* %s (", words[r->dialect]);
    add_attributes(r, m, &b);
    buf_add(&b, STR(") \"/\" "));
    imap_add_mailbox(&b, m->name);
    if ((why & HAS_SELECTED_CHILD) != 0)
        add_child_info(r, &b);
    buf_add(&b, STR("\r\n"));
    if ((r->returns & RETURN_STATUS) && (why & IS_SELECTED) && m->selectable &&
        m->uidvalidity != 0 && imap_add_status(c->s, &b, m, r->items) != OK) {
        /* Deleted meanwhile, or the store is away: without its STATUS, RFC 5819 section 2. */
    }
    return conn_write(c->s->conn, buf_str(&b));
}

static SUSPENDS enum status
send_tree(struct imap_cmd *c, const struct request *r, const struct tree *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct store_mailbox *m = &t->at[i];
        if (!matches(r, m->name))
            continue;
        bool selected = is_selected(r, m);
        unsigned why = (selected ? IS_SELECTED : 0u) |
                       (has_selected_child(r, t, m->name, !selected) ? HAS_SELECTED_CHILD : 0u);
        if (why != 0)
            TRY(send_line(c, r, m, why));
    }
    return OK;
}

/* RFC 3501 section 6.3.9: "foo" is told with \Noselect when only "foo/bar" is subscribed and "%" was asked.  RFC 5258
 * section 3.5: with \NonExistent, if there is no "foo" and RECURSIVEMATCH was said.  The names are sorted, so that
 * equal parents follow each other closely; those told already are found among the last. */
static SUSPENDS enum status
send_parents(struct imap_cmd *c, const struct request *r, const struct tree *t)
{
    bool lsub = r->dialect == DIALECT_LSUB;
    struct str last = STR_NONE;

    for (size_t i = 0; i < t->count; i++) {
        const struct store_mailbox *m = &t->at[i];
        if (!is_selected(r, m) || matches(r, m->name))
            continue;
        for (size_t at = 1; at < m->name.len; at++) {
            struct store_mailbox parent = {.name = str_sub(m->name, 0, at), .has_children = true};
            if (m->name.ptr[at] != '/' || str_eq(parent.name, last) || !matches(r, parent.name))
                continue;
            last = parent.name;
            const struct store_mailbox *known =
                bsearch(&parent, t->at, t->count, sizeof(t->at[0]), compare_names);
            if (known == NULL || (lsub && !known->subscribed))
                TRY(send_line(c, r, &parent, lsub ? IS_SELECTED : HAS_SELECTED_CHILD));
        }
    }
    return OK;
}

static SUSPENDS enum status
list(struct imap_cmd *c, enum dialect dialect)
{
    AUTO_ARENA *a = arena_new(TREE_ARENA);
    AUTO(tree_release) struct tree t = {0};
    struct request r = {.dialect = dialect};

    if (!scan_request(c, &r))
        return imap_bad(c, "Expected a reference and a pattern");
    if (dialect != DIALECT_LSUB && !r.extended && r.asks_separator) {
        /* RFC 3501 section 6.3.8: what is the separator? */
        TRY(imap_untagged(c->s, "%s (\\Noselect) \"/\" \"\"",
                          dialect == DIALECT_XLIST ? "XLIST" : "LIST"));
        return imap_ok(c, NULL, "Levels are separated by a slash");
    }
    enum status e = load_tree(c->s, a, &t);
    if (e != OK)
        return imap_failed(c, e);
    TRY(send_tree(c, &r, &t));
    if (dialect == DIALECT_LSUB || (r.select & SELECT_RECURSIVE) != 0)
        TRY(send_parents(c, &r, &t));
    return imap_ok(c, NULL, "That is all");
}

SUSPENDS enum status
imap_cmd_list(struct imap_cmd *c)
{
    return list(c, DIALECT_LIST);
}

SUSPENDS enum status
imap_cmd_lsub(struct imap_cmd *c)
{
    return list(c, DIALECT_LSUB);
}

SUSPENDS enum status
imap_cmd_xlist(struct imap_cmd *c)
{
    return list(c, DIALECT_XLIST);
}
