/* address_list.c - addresses in header fields.  See address_list.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/address_list.h"
#include "base/status.h"

/* The buffers of a cursor: what was read of the entry so far. */
enum {
    PHRASE, /* words with single spaces: a display name, if "<" or ":" follows */
    WORD,   /* the last run of words joined by dots: a local part, if "@" follows */
    HOST,
    COMMENT,
};

void
address_cursor_init(struct address_cursor *c, struct str value)
{
    *c = (struct address_cursor){.in = scan_of(value)};
    for (size_t i = 0; i < 4; i++)
        buf_init(&c->text[i], value.len + 1);
}

void
address_cursor_release(struct address_cursor *c)
{
    for (size_t i = 0; i < 4; i++)
        buf_release(&c->text[i]);
}

static bool
is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7f;
}

static bool
is_special(char c)
{
    static const char specials[] = "()<>[]:;@,.\"";

    return str_find(str_from(specials, sizeof(specials) - 1), c) >= 0;
}

/* A byte that may stand in our output. */
static void
add_byte(struct buf *b, char c)
{
    if ((unsigned char)c >= ' ' || c == '\t')
        buf_add_char(b, c == '\t' ? ' ' : c);
}

/* A comment after its "(": the last one is remembered. */
static void
take_comment(struct address_cursor *c)
{
    struct buf *b = &c->text[COMMENT];
    int depth = 1;

    buf_reset(b);
    while (c->in.pos < c->in.end) {
        char x = *c->in.pos++;
        if (x == '(')
            depth++;
        if (x == ')' && --depth == 0)
            return;
        if (x == '\\' && c->in.pos < c->in.end)
            x = *c->in.pos++;
        add_byte(b, x);
    }
}

/* White space and comments; true when there were any. */
static bool
skip_cfws(struct address_cursor *c)
{
    const char *from = c->in.pos;

    while (c->in.pos < c->in.end) {
        if (is_blank(*c->in.pos))
            c->in.pos++;
        else if (scan_char(&c->in, '('))
            take_comment(c);
        else
            break;
    }
    return c->in.pos > from;
}

/* quoted-string after its opening quote */
static void
take_quoted(struct address_cursor *c, struct buf *b)
{
    while (c->in.pos < c->in.end) {
        char x = *c->in.pos++;
        if (x == '"')
            return;
        if (x == '\\' && c->in.pos < c->in.end)
            x = *c->in.pos++;
        add_byte(b, x);
    }
}

/* A domain: atoms, dots and literals up to whatever cannot belong to it. */
static void
take_host(struct address_cursor *c)
{
    struct buf *b = &c->text[HOST];

    while (c->in.pos < c->in.end) {
        char x = *c->in.pos;
        if (x == '[') {
            while (c->in.pos < c->in.end && *c->in.pos != ']' && *c->in.pos != '>' &&
                   *c->in.pos != ',')
                add_byte(b, *c->in.pos++);
            if (scan_char(&c->in, ']'))
                buf_add_char(b, ']');
        } else if (is_blank(x) || x == '(') {
            /* obs-domain has white space around its dots; elsewhere it ends the domain */
            skip_cfws(c);
            bool dot_before = b->len == 0 || b->ptr[b->len - 1] == '.';
            if (!dot_before && c->in.pos < c->in.end && *c->in.pos != '.')
                return;
        } else if (x != '.' && (is_special(x) || x == ']')) {
            return;
        } else {
            buf_add_char(b, x);
            c->in.pos++;
        }
    }
}

/* One atom, quoted string or dot for the phrase, and for the word that may become a local part. */
static void
take_token(struct address_cursor *c, bool spaced, bool *after_dot)
{
    struct buf *phrase = &c->text[PHRASE];
    struct buf *word = &c->text[WORD];
    bool dot = *c->in.pos == '.';
    size_t from = 0;

    if (spaced && phrase->len > 0) {
        buf_add_char(phrase, ' ');
        if (!dot && !*after_dot) {
            buf_reset(word);
            c->word_at = phrase->len;
        }
    }
    from = phrase->len;
    *after_dot = dot;
    if (scan_char(&c->in, '"')) {
        take_quoted(c, phrase);
    } else if (is_special(*c->in.pos)) {
        buf_add_char(phrase, *c->in.pos++); /* a dot, or what has no business here */
    } else {
        while (c->in.pos < c->in.end && !is_blank(*c->in.pos) && !is_special(*c->in.pos))
            buf_add_char(phrase, *c->in.pos++);
    }
    buf_add(word, str_skip(buf_str(phrase), from));
}

static bool
has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ')
            return true;
    return false;
}

/* angle-addr = "<" [obs-route] local-part "@" domain ">"      RFC 5322 section 3.4, after the "<" */
static void
take_angle(struct address_cursor *c, struct address *out)
{
    skip_cfws(c);
    if (c->in.pos < c->in.end && *c->in.pos == '@') {
        const char *route = c->in.pos;
        while (c->in.pos < c->in.end && *c->in.pos != ':' && *c->in.pos != '>' && *c->in.pos != '"')
            c->in.pos++;
        out->route = str_trim(str_from(route, (size_t)(c->in.pos - route)));
        if (!scan_char(&c->in, ':') || has_control(out->route))
            out->route = STR_NONE;
    }
    out->name = buf_str(&c->text[PHRASE]);
    struct buf *b = &c->text[WORD];
    buf_reset(b);
    while (c->in.pos < c->in.end && *c->in.pos != '>' && *c->in.pos != '@' && *c->in.pos != ',') {
        if (skip_cfws(c))
            continue;
        if (scan_char(&c->in, '"'))
            take_quoted(c, b);
        else
            buf_add_char(b, *c->in.pos++);
    }
    if (scan_char(&c->in, '@'))
        take_host(c);
    const char *tail = c->in.pos;
    while (c->in.pos < c->in.end && *c->in.pos != '>' && *c->in.pos != ',')
        c->in.pos++;
    out->tail = str_from(tail, (size_t)(c->in.pos - tail));
    scan_char(&c->in, '>');
    out->mailbox = buf_str(b);
    out->host = buf_str(&c->text[HOST]);
}

/* Ends an entry that was written without "<": everything up to the next "," or ";" is its tail. */
static void
take_bare(struct address_cursor *c, struct address *out)
{
    struct str phrase = buf_str(&c->text[PHRASE]);
    struct str word = buf_str(&c->text[WORD]);

    if (scan_char(&c->in, '@'))
        take_host(c);
    const char *tail = c->in.pos;
    while (c->in.pos < c->in.end && *c->in.pos != ',' && *c->in.pos != ';') {
        if (!skip_cfws(c))
            c->in.pos++;
    }
    out->tail = str_from(tail, (size_t)(c->in.pos - tail));
    /* "Anna anna@x.org": what stands before the last word is a name; else a comment may be one. */
    out->name = buf_str(&c->text[COMMENT]);
    if (c->word_at > 0)
        out->name = str_trim(str_sub(phrase, 0, c->word_at));
    out->mailbox = word;
    out->host = buf_str(&c->text[HOST]);
}

/* Words up to a byte that says what they are; that byte, or 0 at the end. */
static char
take_phrase(struct address_cursor *c)
{
    bool after_dot = false;

    while (c->in.pos < c->in.end) {
        bool spaced = skip_cfws(c);
        if (c->in.pos == c->in.end)
            break;
        char x = *c->in.pos;
        if (x == '<' || x == '@' || x == ',' || x == ';' || x == ':')
            return x;
        take_token(c, spaced, &after_dot);
    }
    return 0;
}

/* mailbox-list separators before an entry; the end of a group is an entry of its own. */
static bool
skip_separators(struct address_cursor *c)
{
    for (;;) {
        skip_cfws(c);
        if (scan_char(&c->in, ';')) {
            if (c->in_group)
                return true;
        } else if (!scan_char(&c->in, ',')) {
            return false;
        }
    }
}

static bool
end_group(struct address_cursor *c, struct address *out)
{
    c->in_group = false;
    c->count++;
    *out = (struct address){.kind = ADDRESS_GROUP_END};
    return true;
}

/* One entry; false when there was nothing that counts. */
static bool
take_entry(struct address_cursor *c, struct address *out)
{
    *out = (struct address){.kind = ADDRESS_MAILBOX};
    char stop = take_phrase(c);

    if (stop == ':' && !c->in_group) {
        c->in.pos++;
        c->in_group = true;
        out->kind = ADDRESS_GROUP_START;
        out->mailbox = buf_str(&c->text[PHRASE]);
        return true;
    }
    if (stop == ':') { /* there are no groups in groups: the inner name is dropped */
        c->in.pos++;
        return false;
    }
    if (stop == '<') {
        c->in.pos++;
        take_angle(c, out);
        /* what follows ">" up to the comma is dropped, but "a <b@c> <d@e>" is two entries */
        skip_cfws(c);
        if (out->name.len == 0 && c->text[COMMENT].len > 0)
            out->name = buf_str(&c->text[COMMENT]);
    } else {
        take_bare(c, out);
    }
    return out->mailbox.len > 0 || out->host.len > 0 || out->name.len > 0;
}

bool
address_next(struct address_cursor *c, struct address *out)
{
    ASSERT(c != NULL && out != NULL);
    /* Room for the end of a group that may be open. */
    while (c->count < ADDRESSES_MAX - 1) {
        for (size_t i = 0; i < 4; i++)
            buf_reset(&c->text[i]);
        c->word_at = 0;
        if (skip_separators(c))
            return end_group(c, out);
        if (scan_at_end(&c->in))
            break;
        if (take_entry(c, out)) {
            c->count++;
            return true;
        }
    }
    return c->in_group && end_group(c, out);
}
