/* alias_file.c - see alias_file.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/alias_file.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/size.h"

static bool read_logical(struct alias_cursor *c, struct arena *a, struct str *out,
                         uint32_t *line_out);
static bool read_physical(struct alias_cursor *c, struct str *out);
static bool is_continued(const struct alias_cursor *c);
static bool read_filled(struct alias_cursor *c, struct str *out);
static bool is_empty(struct str line);
static void read_entry(enum alias_syntax syntax, struct str text, struct arena *a,
                       struct alias_entry *out);
static const char *read_name(enum alias_syntax syntax, struct scan *s, struct arena *a,
                             struct str *out);
static const char *read_targets(enum alias_syntax syntax, struct scan *s, struct arena *a,
                                struct alias_entry *out);
static const char *read_word(struct scan *s, const char *stops, struct arena *a, struct str *out);
static struct alias_target target_of(struct str word);
static void skip_blanks(struct scan *s);
static bool is_blank(char c);

struct alias_cursor
alias_cursor_of(struct str text, enum alias_syntax syntax)
{
    return (struct alias_cursor){.in = scan_of(text), .syntax = syntax};
}

bool
alias_next(struct alias_cursor *c, struct arena *a, struct alias_entry *out)
{
    struct str text;

    *out = (struct alias_entry){0};
    if (!read_logical(c, a, &text, &out->line))
        return false;
    read_entry(c->syntax, text, a, out);
    return true;
}

/* ---- lines ---- */

/* A line that begins with white space goes on with the one before it, also over comments between them. */
static bool
read_logical(struct alias_cursor *c, struct arena *a, struct str *out, uint32_t *line_out)
{
    AUTO_BUF joined = BUF(LIMIT_ALIAS_LINE_BYTES);
    struct str line;

    if (!read_filled(c, &line))
        return false;
    *line_out = c->line;
    *out = line;
    if (c->syntax == ALIAS_FORWARD || !is_continued(c))
        return true;
    buf_add(&joined, line);
    while (is_continued(c) && read_filled(c, &line)) {
        buf_add_char(&joined, ' ');
        buf_add(&joined, line);
    }
    /* what is too long stands as an entry that cannot be read */
    *out = buf_status(&joined) == OK ? arena_str(a, buf_str(&joined)) : STR_NONE;
    return true;
}

static bool
read_filled(struct alias_cursor *c, struct str *out)
{
    do {
        if (!read_physical(c, out))
            return false;
    } while (is_empty(*out));
    return true;
}

static bool
read_physical(struct alias_cursor *c, struct str *out)
{
    struct str line;

    if (scan_at_end(&c->in))
        return false;
    if (scan_until(&c->in, '\n', &line)) {
        c->in.pos++;
    } else {
        line = scan_rest(&c->in);
        c->in.pos = c->in.end;
    }
    c->line++;
    *out = line;
    return true;
}

/* Looks ahead over empty lines and comments. */
static bool
is_continued(const struct alias_cursor *c)
{
    struct alias_cursor ahead = *c;
    struct str line;

    return read_filled(&ahead, &line) && is_blank(line.ptr[0]);
}

static bool
is_empty(struct str line)
{
    struct str text = str_trim(line);

    return text.len == 0 || text.ptr[0] == '#';
}

/* ---- entries ---- */

static void
read_entry(enum alias_syntax syntax, struct str text, struct arena *a, struct alias_entry *out)
{
    struct scan s = scan_of(text);
    const char *fault = NULL;

    if (text.ptr == NULL || text.len > LIMIT_ALIAS_LINE_BYTES)
        fault = "the line is too long";
    else if (str_find(text, '\0') >= 0)
        fault = "the line holds a zero byte";
    else if (is_blank(text.ptr[0]) && syntax != ALIAS_FORWARD)
        fault = "the line goes on with none before it";
    if (fault == NULL && syntax != ALIAS_FORWARD)
        fault = read_name(syntax, &s, a, &out->name);
    if (fault == NULL)
        fault = read_targets(syntax, &s, a, out);
    if (fault != NULL)
        *out = (struct alias_entry){.line = out->line, .fault = fault};
}

/* name ":" or address and white space */
static const char *
read_name(enum alias_syntax syntax, struct scan *s, struct arena *a, struct str *out)
{
    const char *fault = read_word(s, syntax == ALIAS_SENDMAIL ? ": \t\r" : " \t\r", a, out);

    if (fault != NULL)
        return fault;
    skip_blanks(s);
    if (out->len == 0)
        return "there is no name";
    if (syntax == ALIAS_SENDMAIL && !scan_char(s, ':'))
        return "there is no \":\" behind the name";
    return NULL;
}

/* target *( "," target ), also parted by white space alone where it is a virtual map */
static const char *
read_targets(enum alias_syntax syntax, struct scan *s, struct arena *a, struct alias_entry *out)
{
    struct alias_target *list = ARENA_ARRAY(a, struct alias_target, LIMIT_ALIAS_TARGETS);
    const char *stops = syntax == ALIAS_VIRTUAL ? ", \t\r" : ",";
    struct str word;

    out->targets = list;
    for (;;) {
        skip_blanks(s);
        if (scan_char(s, ','))
            continue;
        if (scan_at_end(s))
            break;
        const char *fault = read_word(s, stops, a, &word);
        if (fault != NULL)
            return fault;
        if (word.len == 0)
            continue;
        if (out->count == LIMIT_ALIAS_TARGETS)
            return "there are too many targets";
        list[out->count++] = target_of(word);
    }
    return out->count == 0 ? "there is no target" : NULL;
}

/* Up to one of the stops; in quotes these stop nothing, and a backslash takes the next byte as it is.  A backslash
 * outside of quotes is part of the word. */
static const char *
read_word(struct scan *s, const char *stops, struct arena *a, struct str *out)
{
    AUTO_BUF word = BUF(LIMIT_ALIAS_LINE_BYTES);
    bool quoted = false;

    for (; !scan_at_end(s); s->pos++) {
        char c = *s->pos;
        if (c == '"') {
            quoted = !quoted;
            continue;
        }
        if (!quoted && str_find(str_of(stops), c) >= 0)
            break;
        if (quoted && c == '\\' && scan_left(s) > 1)
            c = *++s->pos;
        buf_add_char(&word, c);
    }
    if (quoted)
        return "a quote is not closed";
    *out = str_trim(arena_str(a, buf_str(&word)));
    return buf_status(&word) == OK ? NULL : "the line is too long";
}

static struct alias_target
target_of(struct str word)
{
    static const struct str include = STR(":include:"), error = STR("error:");

    ssize_t open = word.ptr[word.len - 1] == '>' ? str_rfind(word, '<') : -1;

    if (open >= 0 && (size_t)open + 2 < word.len) /* "Anna Smith <anna@example.org>" */
        word = str_sub(word, (size_t)open + 1, word.len - (size_t)open - 2);
    if (word.ptr[0] == '\\' && word.len > 1)
        return (struct alias_target){ALIAS_SELF, str_skip(word, 1)};
    if (str_starts_nocase(word, include))
        return (struct alias_target){ALIAS_INCLUDE, str_trim(str_skip(word, include.len))};
    if (word.ptr[0] == '|')
        return (struct alias_target){ALIAS_COMMAND, str_trim(str_skip(word, 1))};
    if (word.ptr[0] == '/')
        return (struct alias_target){ALIAS_FILE, word};
    if (str_starts_nocase(word, error) || word.ptr[0] == ':')
        return (struct alias_target){ALIAS_ERROR, word};
    return (struct alias_target){ALIAS_ADDRESS, word};
}

static void
skip_blanks(struct scan *s)
{
    while (!scan_at_end(s) && is_blank(*s->pos))
        s->pos++;
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}
