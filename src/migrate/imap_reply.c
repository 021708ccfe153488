/* imap_reply.c - see imap_reply.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "migrate/imap_reply.h"

#include "base/encode.h"
#include "base/size.h"
#include "imap/parse.h"
#include "migrate/migrate.h"

enum { TEXT_MAX = 1024, NAME_BUF = 4 * LIMIT_MAILBOX_NAME_BYTES };

static bool read_condition(struct scan *s, struct imap_reply *r);
static bool read_untagged(struct scan *s, struct arena *a, struct imap_reply *r);
static bool read_numbered(struct scan *s, struct arena *a, struct imap_reply *r);
static bool read_list(struct scan *s, struct arena *a, struct imap_reply *r);
static bool read_spaces(struct scan *s, struct arena *a, struct imap_reply *r);
static bool read_id(struct scan *s, struct arena *a, struct imap_reply *r);
static bool read_fetch(struct scan *s, struct arena *a, struct imap_reply *r);
static bool skip_value(struct scan *s, struct arena *a);

static bool
is_word_char(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && c != '(' && c != ')' && c != '"' && c != '{';
}

static bool
scan_word(struct scan *s, struct str *out)
{
    return scan_while(s, is_word_char, TEXT_MAX, out);
}

enum status
imap_reply_read(struct str text, struct arena *a, struct imap_reply *out)
{
    struct imap_reply r = {0};
    struct scan s = scan_of(text);
    bool good;

    if (scan_str(&s, STR("* "))) {
        good = read_untagged(&s, a, &r);
    } else if (scan_char(&s, '+')) {
        r.kind = IMAP_REPLY_MORE;
        r.text = str_trim(scan_rest(&s));
        good = true;
    } else {
        r.kind = IMAP_REPLY_TAGGED;
        good = imap_scan_tag(&s, &r.tag) && scan_char(&s, ' ') && read_condition(&s, &r) &&
               r.condition <= IMAP_SAYS_BAD;
    }
    if (!good)
        return ERR_SYNTAX;
    *out = r;
    return OK;
}

/* ---- conditions and what a server can ---- */

static unsigned
read_capabilities(struct str words)
{
    static const struct {
        const char *word;
        unsigned has;
    } known[] = {{"STARTTLS", IMAP_HAS_STARTTLS},       {"LOGINDISABLED", IMAP_HAS_LOGINDISABLED},
                 {"AUTH=PLAIN", IMAP_HAS_AUTH_PLAIN},   {"SASL-IR", IMAP_HAS_SASL_IR},
                 {"NAMESPACE", IMAP_HAS_NAMESPACE},     {"LIST-EXTENDED", IMAP_HAS_LIST_EXTENDED},
                 {"SPECIAL-USE", IMAP_HAS_SPECIAL_USE}, {"ID", IMAP_HAS_ID}};
    unsigned has = IMAP_HAS_ANY;
    struct str word;

    while (str_split(&words, ' ', &word))
        for (size_t i = 0; i < COUNT_OF(known); i++)
            if (str_eq_nocase(word, str_of(known[i].word)))
                has |= known[i].has;
    return has;
}

/* "[" code *(SP text) "]" SP text; a bracket that does not close is text. */
static void
read_code(struct scan *s, struct imap_reply *r)
{
    struct scan t = *s;
    struct str inside, number = {0};

    if (!scan_char(&t, '[') || !scan_until(&t, ']', &inside) || !scan_char(&t, ']'))
        return;
    scan_skip_spaces(&t);
    *s = t;
    struct str rest = inside;
    (void)str_split(&rest, ' ', &r->code);
    if (rest.ptr != NULL)
        number = rest;
    struct scan n = scan_of(number);
    uint64_t value;
    if (scan_u64(&n, UINT64_MAX, &value) && scan_at_end(&n))
        r->number = value;
    if (str_eq_nocase(r->code, STR("CAPABILITY")))
        r->has = read_capabilities(number);
}

/* resp-cond-state = ("OK" / "NO" / "BAD") SP resp-text      RFC 3501 section 9; the space may lack */
static bool
read_condition(struct scan *s, struct imap_reply *r)
{
    static const char *const words[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};
    struct scan t = *s;
    struct str word;

    if (!scan_word(&t, &word))
        return false;
    for (unsigned i = 0; i < COUNT_OF(words); i++) {
        if (!str_eq_nocase(word, str_of(words[i])))
            continue;
        r->condition = (enum imap_condition)i; /* an index of the same order */
        scan_skip_spaces(&t);
        read_code(&t, r);
        r->text = str_trim(scan_rest(&t));
        *s = t;
        return true;
    }
    return false;
}

static bool
read_untagged(struct scan *s, struct arena *a, struct imap_reply *r)
{
    struct str word;
    struct scan t = *s;

    if (!scan_at_end(s) && ascii_is_digit(*s->pos))
        return read_numbered(s, a, r);
    r->kind = IMAP_REPLY_CONDITION;
    if (read_condition(s, r))
        return true;
    r->kind = IMAP_REPLY_OTHER;
    if (!scan_word(&t, &word))
        return false;
    if (str_eq_nocase(word, STR("CAPABILITY"))) {
        r->kind = IMAP_REPLY_CAPABILITY;
        r->has = read_capabilities(scan_rest(&t));
        return true;
    }
    if (str_eq_nocase(word, STR("LIST")) || str_eq_nocase(word, STR("LSUB"))) {
        r->kind = IMAP_REPLY_LIST;
        r->list.subscribed = word.ptr[1] == 'S' || word.ptr[1] == 's';
        return read_list(&t, a, r);
    }
    if (str_eq_nocase(word, STR("NAMESPACE"))) {
        r->kind = IMAP_REPLY_NAMESPACE;
        return read_spaces(&t, a, r);
    }
    if (str_eq_nocase(word, STR("ID"))) {
        r->kind = IMAP_REPLY_ID;
        return read_id(&t, a, r);
    }
    return true;
}

static bool
read_numbered(struct scan *s, struct arena *a, struct imap_reply *r)
{
    struct str word;
    uint32_t n;

    if (!scan_u32(s, UINT32_MAX, &n) || !scan_char(s, ' ') || !scan_word(s, &word))
        return false;
    r->number = n;
    if (str_eq_nocase(word, STR("EXISTS")))
        r->kind = IMAP_REPLY_EXISTS;
    else if (str_eq_nocase(word, STR("EXPUNGE")))
        r->kind = IMAP_REPLY_EXPUNGE;
    else if (str_eq_nocase(word, STR("FETCH"))) {
        r->kind = IMAP_REPLY_FETCH;
        return read_fetch(s, a, r);
    }
    return true;
}

/* ---- LIST ---- */

static void
read_attribute(struct str word, struct imap_reply_list *l)
{
    static const struct {
        const char *word;
        uint8_t special;
    } uses[] = {{"\\Drafts", 1}, {"\\Sent", 2}, {"\\Junk", 3}, {"\\Trash", 4}, {"\\Archive", 5}};

    if (str_eq_nocase(word, STR("\\Noselect")) || str_eq_nocase(word, STR("\\NonExistent")))
        l->selectable = false;
    if (str_eq_nocase(word, STR("\\Subscribed")))
        l->subscribed = true;
    for (size_t i = 0; i < COUNT_OF(uses); i++)
        if (str_eq_nocase(word, str_of(uses[i].word)))
            l->special = uses[i].special;
}

/* DQUOTE QUOTED-CHAR DQUOTE / nil */
static bool
read_separator(struct scan *s, struct arena *a, char *out)
{
    struct str text;

    if (!imap_scan_nstring(s, a, &text) || text.len > 1)
        return false;
    *out = text.len == 1 ? text.ptr[0] : '\0';
    return true;
}

/* mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP extended]
 * RFC 3501 section 9 */
static bool
read_list(struct scan *s, struct arena *a, struct imap_reply *r)
{
    struct imap_reply_list *l = &r->list;
    struct str word;

    l->selectable = true;
    if (!scan_char(s, ' ') || !scan_char(s, '('))
        return false;
    while (!scan_char(s, ')')) {
        if (!scan_word(s, &word))
            return false;
        read_attribute(word, l);
        scan_skip_spaces(s);
    }
    return scan_char(s, ' ') && read_separator(s, a, &l->separator) && scan_char(s, ' ') &&
           imap_scan_astring(s, a, &l->raw) && l->raw.len > 0 && (scan_at_end(s) || *s->pos == ' ');
}

/* ---- NAMESPACE, ID ---- */

/* namespace = nil / "(" 1*("(" string SP separator *extension ")") ")"      RFC 2342 section 6 */
static bool
read_space_group(struct scan *s, struct arena *a, struct imap_reply_space *to, size_t *n)
{
    struct imap_reply_space x = {0};

    if (scan_str_nocase(s, STR("NIL")))
        return true;
    if (!scan_char(s, '('))
        return false;
    do {
        if (!scan_char(s, '(') || !imap_scan_string(s, a, &x.prefix) || !scan_char(s, ' ') ||
            !read_separator(s, a, &x.separator))
            return false;
        while (scan_spaces(s))
            if (!skip_value(s, a))
                return false;
        if (!scan_char(s, ')'))
            return false;
        if (*n < IMAP_REPLY_SPACES)
            to[(*n)++] = x;
        scan_skip_spaces(s);
    } while (!scan_char(s, ')'));
    return true;
}

/* Personal ones, those of other users, shared ones. */
static bool
read_spaces(struct scan *s, struct arena *a, struct imap_reply *r)
{
    struct imap_reply_space *all = ARENA_ARRAY(a, struct imap_reply_space, IMAP_REPLY_SPACES);

    for (int group = 0; group < 3; group++) {
        size_t before = r->space_count;
        if (!scan_spaces(s) || !read_space_group(s, a, all, &r->space_count))
            return false;
        for (size_t i = before; i < r->space_count; i++)
            all[i].personal = group == 0;
    }
    r->spaces = all;
    scan_skip_spaces(s);
    return scan_at_end(s);
}

/* id_response = "ID" SP ("(" *(string SP nstring) ")" / nil)      RFC 2971 section 4 */
static bool
read_id(struct scan *s, struct arena *a, struct imap_reply *r)
{
    struct str field, value;

    scan_skip_spaces(s);
    if (scan_str_nocase(s, STR("NIL")))
        return true;
    if (!scan_char(s, '('))
        return false;
    while (!scan_char(s, ')')) {
        if (!imap_scan_string(s, a, &field) || !scan_spaces(s) || !imap_scan_nstring(s, a, &value))
            return false;
        if (str_eq_nocase(field, STR("name")))
            r->program = value;
        scan_skip_spaces(s);
    }
    return true;
}

/* ---- FETCH ---- */

/* A word with the section that it may have: BODY[], BODY[HEADER.FIELDS (A)]<0>, RFC822.SIZE. */
static bool
scan_item(struct scan *s, struct str *out)
{
    const char *from = s->pos;
    struct scan t = *s;
    bool inside = false;

    for (; !scan_at_end(&t) && (inside || is_word_char(*t.pos)); t.pos++) {
        if (*t.pos == '[')
            inside = true;
        if (*t.pos == ']')
            inside = false;
    }
    if (t.pos == from || inside)
        return false;
    *out = str_from(from, (size_t)(t.pos - from));
    *s = t;
    return true;
}

/* Of any kind: an atom, a string, a list with lists in it. */
static bool
skip_value(struct scan *s, struct arena *a)
{
    size_t depth = 0;
    struct str any;

    do {
        scan_skip_spaces(s);
        if (scan_char(s, '('))
            depth++;
        else if (depth > 0 && scan_char(s, ')'))
            depth--;
        else if (!imap_scan_string(s, a, &any) && !scan_item(s, &any))
            return false;
    } while (depth > 0);
    return true;
}

static const struct {
    const char *word;
    uint32_t flag;
} system_flags[] = {{"\\Answered", MIGRATE_ANSWERED},
                    {"\\Flagged", MIGRATE_FLAGGED},
                    {"\\Deleted", MIGRATE_DELETED},
                    {"\\Seen", MIGRATE_SEEN},
                    {"\\Draft", MIGRATE_DRAFT}};

/* flag-keyword = atom, as our own IMAP takes it. */
static bool
is_keyword(struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        if ((unsigned char)word.ptr[i] >= 0x7f || str_find(STR("%*\\]"), word.ptr[i]) >= 0)
            return false;
    return word.len > 0 && word.len <= LIMIT_KEYWORD_BYTES;
}

static void
take_flag(struct str word, struct imap_reply_fetch *f, struct str *keywords)
{
    for (size_t i = 0; i < COUNT_OF(system_flags); i++)
        if (str_eq_nocase(word, str_of(system_flags[i].word)))
            f->flags |= system_flags[i].flag;
    if (word.ptr[0] == '\\') /* \Recent, and what else there is */
        return;
    if (!is_keyword(word) || f->keyword_count == IMAP_REPLY_KEYWORDS)
        f->keywords_lost++;
    else
        keywords[f->keyword_count++] = word;
}

static bool
read_flags(struct scan *s, struct arena *a, struct imap_reply_fetch *f)
{
    struct str *keywords = NULL;
    struct str word;

    if (!scan_char(s, '('))
        return false;
    f->flags = 0;
    f->keyword_count = f->keywords_lost = 0;
    while (!scan_char(s, ')')) {
        if (!scan_word(s, &word))
            return false;
        if (keywords == NULL && word.ptr[0] != '\\')
            keywords = ARENA_ARRAY(a, struct str, IMAP_REPLY_KEYWORDS);
        take_flag(word, f, keywords);
        scan_skip_spaces(s);
    }
    f->keywords = keywords;
    f->has |= IMAP_FETCHED_FLAGS;
    return true;
}

static bool
read_item(struct scan *s, struct arena *a, struct str name, struct imap_reply_fetch *f)
{
    if (str_eq_nocase(name, STR("FLAGS"))) {
        if (f->has & IMAP_FETCHED_FLAGS) /* once in a response: room for keywords is bounded */
            return false;
        return read_flags(s, a, f);
    }
    if (str_eq_nocase(name, STR("UID"))) {
        f->has |= IMAP_FETCHED_UID;
        return scan_u32(s, UINT32_MAX, &f->uid) && f->uid != 0;
    }
    if (str_eq_nocase(name, STR("RFC822.SIZE"))) {
        f->has |= IMAP_FETCHED_SIZE;
        return scan_u64(s, INT64_MAX, &f->size);
    }
    if (str_eq_nocase(name, STR("INTERNALDATE"))) {
        /* One of some server's own making, or NIL: the message is worth more than its date. */
        if (!imap_scan_date_time(s, &f->received))
            return skip_value(s, a);
        f->has |= IMAP_FETCHED_DATE;
        return true;
    }
    if (str_eq_nocase(name, STR("BODY[]"))) {
        f->has |= IMAP_FETCHED_BODY;
        return imap_scan_nstring(s, a, &f->body);
    }
    return skip_value(s, a);
}

/* msg-att = "(" item SP value *(SP item SP value) ")" */
static bool
read_fetch(struct scan *s, struct arena *a, struct imap_reply *r)
{
    struct str name;

    if (!scan_spaces(s) || !scan_char(s, '('))
        return false;
    do {
        scan_skip_spaces(s);
        if (!scan_item(s, &name) || !scan_spaces(s) || !read_item(s, a, name, &r->fetch))
            return false;
        scan_skip_spaces(s);
    } while (!scan_char(s, ')'));
    scan_skip_spaces(s);
    return scan_at_end(s);
}

/* ---- names ---- */

static bool
add_level(struct str level, struct buf *b)
{
    size_t before = b->len;

    if (level.len == 0)
        return false;
    if (!str_is_ascii(level)) {
        buf_add(b, level);
        return utf8_valid(level);
    }
    if (imap_utf7_decode(level, b) == OK)
        return b->len > before;
    b->len = before; /* "A&B" of servers that never heard of it */
    buf_add(b, level);
    return true;
}

enum status
imap_reply_name(struct str raw, char separator, struct arena *a, struct str *name_out)
{
    AUTO_BUF b = BUF(NAME_BUF);
    struct str level;

    if (raw.len > NAME_BUF || raw.len == 0)
        return ERR_SYNTAX;
    /* A name without levels has no NUL, so that it is one piece. */
    while (str_split(&raw, separator, &level)) {
        if (b.len > 0)
            buf_add_char(&b, '/');
        size_t before = b.len;
        if (!add_level(level, &b) || str_find(str_skip(buf_str(&b), before), '/') >= 0)
            return ERR_SYNTAX;
        if (before == 0 && str_eq_nocase(buf_str(&b), STR("INBOX"))) {
            buf_reset(&b);
            buf_add(&b, STR("INBOX"));
        }
    }
    if (buf_status(&b) != OK || b.len > LIMIT_MAILBOX_NAME_BYTES)
        return ERR_SYNTAX;
    for (size_t i = 0; i < b.len; i++)
        if ((unsigned char)b.ptr[i] < 0x20 || b.ptr[i] == 0x7f)
            return ERR_SYNTAX;
    *name_out = arena_str(a, buf_str(&b));
    return OK;
}
