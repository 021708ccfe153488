/* maildir.c - what stands in Maildir++ folders, parsed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "migrate/maildir.h"

#include "base/encode.h"
#include "base/size.h"
#include "imap/parse.h"

enum { NAME_BYTES_MAX = 4096 };

static const struct {
    char letter;
    uint32_t flag;
} flag_letters[] = {{'D', MIGRATE_DRAFT},
                    {'F', MIGRATE_FLAGGED},
                    {'R', MIGRATE_ANSWERED},
                    {'S', MIGRATE_SEEN},
                    {'T', MIGRATE_DELETED}};

/* One line without its end; false at the end of the text. */
static bool
next_line(struct scan *s, struct str *out)
{
    struct str rest = scan_rest(s);
    ssize_t at = str_find(rest, '\n');

    if (rest.len == 0)
        return false;
    size_t n = at < 0 ? rest.len : (size_t)at; /* found: not negative */
    *out = str_sub(rest, 0, n);
    s->pos += MIN(n + 1, rest.len);
    if (out->len > 0 && out->ptr[out->len - 1] == '\r')
        out->len--;
    return true;
}

/* ---- names of messages ---- */

static void
read_letter(char c, struct maildir_name *n)
{
    for (size_t i = 0; i < COUNT_OF(flag_letters); i++)
        if (flag_letters[i].letter == c)
            n->flags |= flag_letters[i].flag;
    if (c == 'P')
        n->passed = true;
    if (c >= 'a' && c <= 'z')
        n->letters |= 1u << (c - 'a');
}

bool
maildir_name_read(struct str file, struct maildir_name *out)
{
    struct maildir_name n = {.base = file};
    ssize_t colon = str_find(file, ':');

    if (colon >= 0) {
        struct str info = str_skip(file, (size_t)colon + 1); /* found: not negative */
        n.base = str_sub(file, 0, (size_t)colon);
        if (str_starts(info, STR("2,")))
            for (size_t i = 2; i < info.len; i++)
                read_letter(info.ptr[i], &n);
    }
    ssize_t comma = str_find(n.base, ',');
    n.unique = comma < 0 ? n.base : str_sub(n.base, 0, (size_t)comma);
    if (n.unique.len == 0 || n.unique.ptr[0] == '.')
        return false;
    *out = n;
    return true;
}

void
maildir_info_write(uint32_t flags, uint32_t letters, struct buf *b)
{
    buf_add(b, STR(":2,"));
    for (size_t i = 0; i < COUNT_OF(flag_letters); i++)
        if (flags & flag_letters[i].flag)
            buf_add_char(b, flag_letters[i].letter);
    for (uint32_t i = 0; i < MAILDIR_LETTERS; i++)
        if (letters >> i & 1)
            buf_add_char(b, (char)('a' + i));
}

/* ---- lists of UIDs ---- */

/* "3 V1234 N56 Gabc" or "1 1234 56" */
bool
uidlist_begin(struct str text, struct uidlist *out)
{
    struct uidlist l = {.in = scan_of(text)};
    struct str line, word;
    uint32_t version;

    if (!next_line(&l.in, &line))
        return false;
    struct scan s = scan_of(line);
    if (!scan_u32(&s, 3, &version) || (version != 1 && version != 3) || !scan_spaces(&s))
        return false;
    l.named = version == 3;
    if (!l.named) {
        if (!scan_u32(&s, LIMIT_IMPORT_NUMBER, &l.uidvalidity) || !scan_spaces(&s))
            return false;
        if (!scan_u32(&s, LIMIT_IMPORT_NUMBER, &l.uidnext))
            l.uidnext = 0;
        *out = l;
        return l.uidvalidity != 0;
    }
    struct str rest = scan_rest(&s);
    while (str_split(&rest, ' ', &word)) {
        struct scan number = scan_of(str_skip(word, 1));
        if (str_starts(word, STR("V")) && !scan_u32(&number, LIMIT_IMPORT_NUMBER, &l.uidvalidity))
            return false;
        if (str_starts(word, STR("N")) && !scan_u32(&number, LIMIT_IMPORT_NUMBER, &l.uidnext))
            l.uidnext = 0;
    }
    *out = l;
    return l.uidvalidity != 0;
}

bool
uidl_is(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < 0x21 || s.ptr[i] > 0x7e)
            return false;
    return s.len > 0 && s.len <= LIMIT_UIDL_BYTES;
}

/* "12 W34 Pabc :base" or "12 base" */
static bool
read_entry(struct str line, bool named, struct uidlist_entry *out)
{
    struct uidlist_entry e = {0};
    struct scan s = scan_of(line);
    struct str rest, word;

    if (!scan_u32(&s, LIMIT_IMPORT_NUMBER, &e.uid) || e.uid == 0 || !scan_spaces(&s))
        return false;
    rest = scan_rest(&s);
    while (named && rest.len > 0 && rest.ptr[0] != ':') {
        if (!str_split(&rest, ' ', &word))
            return false;
        if (str_starts(word, STR("P")) && uidl_is(str_skip(word, 1)))
            e.uidl = str_skip(word, 1);
    }
    e.base = named ? str_skip(rest, 1) : rest;
    ssize_t colon = str_find(e.base, ':');
    if (colon >= 0)
        e.base = str_sub(e.base, 0, (size_t)colon); /* found: not negative */
    *out = e;
    return e.base.len > 0;
}

bool
uidlist_next(struct uidlist *l, struct uidlist_entry *out)
{
    struct str line;

    while (next_line(&l->in, &line))
        if (read_entry(line, l->named, out))
            return true;
    return false;
}

/* ---- keywords ---- */

void
maildir_keywords_read(struct str text, struct str words[MAILDIR_LETTERS])
{
    struct scan in = scan_of(text);
    struct str line;
    uint32_t i;

    while (next_line(&in, &line)) {
        struct scan s = scan_of(line);
        if (scan_u32(&s, MAILDIR_LETTERS - 1, &i) && scan_char(&s, ' ') &&
            scan_left(&s) <= LIMIT_KEYWORD_BYTES)
            words[i] = scan_rest(&s);
    }
}

/* ---- names of folders ---- */

/* What Dovecot cannot hold in a level, Godwit's own export writes so. */
#define DOT STR("&AC4-")

static enum status
add_level(struct str level, struct buf *out)
{
    ssize_t at;

    if (!str_is_ascii(level)) { /* a server that keeps names in UTF-8 */
        buf_add(out, level);
        return utf8_valid(level) ? OK : ERR_SYNTAX;
    }
    while ((at = str_find_str(level, DOT)) >= 0) {
        TRY(imap_utf7_decode(str_sub(level, 0, (size_t)at), out)); /* found: not negative */
        buf_add_char(out, '.');
        level = str_skip(level, (size_t)at + DOT.len);
    }
    return imap_utf7_decode(level, out);
}

enum status
maildir_folder_name(struct str dir, char sep, struct arena *a, struct str *name_out)
{
    AUTO_BUF b = BUF(NAME_BYTES_MAX);
    struct str level;

    if (dir.len > 0 && dir.ptr[0] == sep)
        dir = str_skip(dir, 1);
    if (dir.len == 0 || dir.ptr[dir.len - 1] == sep)
        return ERR_SYNTAX;
    while (str_split(&dir, sep, &level)) {
        size_t before = b.len;
        if (before > 0)
            buf_add_char(&b, '/');
        if (level.len == 0 || (sep != '/' && str_find(level, '/') >= 0))
            return ERR_SYNTAX;
        TRY(add_level(level, &b));
    }
    TRY(buf_status(&b));
    if (b.len > LIMIT_MAILBOX_NAME_BYTES)
        return ERR_SYNTAX;
    struct str name = buf_str(&b);
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
            return ERR_SYNTAX;
    *name_out = arena_str(a, name);
    return OK;
}

void
maildir_folder_dir(struct str name, struct buf *b)
{
    struct str level, part;

    while (str_split(&name, '/', &level)) {
        buf_add_char(b, '.');
        for (bool first = true; str_split(&level, '.', &part); first = false) {
            if (!first)
                buf_add(b, DOT);
            imap_utf7_encode(part, b);
        }
    }
}

/* ---- subscriptions ---- */

/* Version 2 begins with "V" TAB "2" and an empty line, and has TABs between levels. */
struct subscriptions
subscriptions_of(struct str text)
{
    struct subscriptions s = {.in = scan_of(text), .sep = '.'};
    struct scan in = s.in;
    struct str line;

    if (next_line(&in, &line) && str_eq(line, STR("V\t2"))) {
        s.in = in;
        s.sep = '\t';
    }
    return s;
}

bool
subscriptions_next(struct subscriptions *s, struct arena *a, struct str *name_out)
{
    struct str line;

    while (next_line(&s->in, &line)) {
        if (str_eq_nocase(line, STR("INBOX"))) {
            *name_out = STR("INBOX");
            return true;
        }
        if (s->sep == '.' && str_starts(line, STR("INBOX."))) /* Courier's root */
            line = str_skip(line, 6);
        char sep = s->sep == '.' && str_find(line, '/') >= 0 ? '/' : s->sep; /* LAYOUT=fs */
        if (maildir_folder_name(line, sep, a, name_out) == OK)
            return true;
    }
    return false;
}

/* ---- unique ids ---- */

static bool
add_number(struct scan *s, const struct uidl_facts *f, struct buf *out)
{
    bool pad = scan_str(s, STR("08")), hex = scan_char(s, 'X');
    uint32_t n;

    if (scan_char(s, 'u'))
        n = f->uid;
    else if (scan_char(s, 'v'))
        n = f->uidvalidity;
    else
        return false;
    if (hex)
        buf_addf(out, pad ? "%08x" : "%x", n);
    else
        buf_addf(out, pad ? "%08u" : "%u", n);
    return true;
}

bool
uidl_format(struct str format, const struct uidl_facts *f, struct buf *out)
{
    struct scan s = scan_of(format);
    size_t before = out->len;

    while (!scan_at_end(&s)) {
        if (!scan_char(&s, '%'))
            buf_add_char(out, *s.pos++);
        else if (scan_char(&s, 'f'))
            buf_add(out, f->base);
        else if (!add_number(&s, f, out))
            return false;
    }
    return uidl_is(str_skip(buf_str(out), before));
}
