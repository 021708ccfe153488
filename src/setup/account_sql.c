/* account_sql.c - rows out of the text dumps of MySQL, PostgreSQL and SQLite.
 *
 * No SQL is understood but what these dumps consist of: CREATE TABLE for the names of columns, INSERT with any number
 * of rows, COPY ... FROM stdin.  Everything else is passed over to its ";".
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/mem.h"
#include "base/size.h"
#include "setup/account_file_internal.h"

enum { WORD_BYTES = 128, LOOK_BYTES = 65536, LOOK_LINES = 2000 };

static bool next_statement(struct account_cursor *c);
static void create_table(struct account_cursor *c);
static bool insert_into(struct account_cursor *c);
static bool copy_from(struct account_cursor *c);
static bool table_begins(struct account_cursor *c, struct str name);
static bool kind_of(struct str table, enum account_kind *out);
static bool tells_enough(const struct account_table *t, enum account_kind kind);
static bool read_columns(struct account_cursor *c, struct account_table *t);
static bool read_name(struct account_cursor *c, struct str *out);
static bool read_value(struct account_cursor *c, struct buf *out, bool *null);
static bool read_string(struct account_cursor *c, struct buf *out);
static bool values_next(struct account_cursor *c, struct arena *a, struct account_record *out);
static bool copy_next(struct account_cursor *c, struct arena *a, struct account_record *out);
static void copy_value(struct str text, struct buf *out);
static bool word_is(struct account_cursor *c, struct str word);
static void skip_blanks(struct account_cursor *c);
static void skip_statement(struct account_cursor *c);
static void skip_item(struct account_cursor *c);
static void skip_quoted(struct account_cursor *c);
static void step(struct account_cursor *c);
static bool is_word(char b);

bool
account_sql_is(struct str text)
{
    static const struct str begins[] = {STR("INSERT INTO "), STR("CREATE TABLE "), STR("COPY ")};
    struct str rest = str_sub(text, 0, LOOK_BYTES), line;

    for (int i = 0; i < LOOK_LINES && str_split(&rest, '\n', &line); i++)
        for (size_t k = 0; k < COUNT_OF(begins); k++)
            if (str_starts_nocase(line, begins[k]))
                return true;
    return false;
}

bool
account_sql_next(struct account_cursor *c, struct arena *a, struct account_record *out)
{
    if (c->line == 0)
        c->line = 1;
    for (;;) {
        out->kind = c->kind;
        if (c->rows == ROWS_VALUES && values_next(c, a, out))
            return true;
        if (c->rows == ROWS_COPY && copy_next(c, a, out))
            return true;
        c->rows = ROWS_NONE;
        if (!next_statement(c))
            return false;
    }
}

/* ---- statements ---- */

/* One statement, or up to the rows of one that has some; false at the end. */
static bool
next_statement(struct account_cursor *c)
{
    skip_blanks(c);
    if (scan_at_end(&c->in))
        return false;
    if (word_is(c, STR("CREATE")) && word_is(c, STR("TABLE"))) {
        create_table(c);
    } else if (word_is(c, STR("INSERT")) || word_is(c, STR("REPLACE"))) {
        if (insert_into(c))
            return true;
    } else if (word_is(c, STR("COPY"))) {
        if (copy_from(c))
            return true;
    }
    skip_statement(c);
    return true;
}

/* TABLE name "(" item *("," item) ")"; an item that begins with a word of the language is no column. */
static void
create_table(struct account_cursor *c)
{
    static const struct str words[] = {STR("PRIMARY"), STR("KEY"),     STR("UNIQUE"),
                                       STR("INDEX"),   STR("FOREIGN"), STR("CONSTRAINT"),
                                       STR("CHECK"),   STR("FULLTEXT")};
    struct account_table t = {0};
    enum account_kind kind;
    struct str name;

    if (word_is(c, STR("IF")))
        (void)(word_is(c, STR("NOT")) && word_is(c, STR("EXISTS")));
    if (!read_name(c, &t.name) || !kind_of(t.name, &kind) || c->known_count == LIMIT_IMPORT_TABLES)
        return;
    skip_blanks(c);
    if (!scan_char(&c->in, '('))
        return;
    for (;;) {
        skip_blanks(c);
        bool quoted = !scan_at_end(&c->in) && !is_word(*c->in.pos);
        if (!read_name(c, &name) || t.columns == LIMIT_IMPORT_COLUMNS)
            return;
        bool column = true;
        for (size_t i = 0; i < COUNT_OF(words) && !quoted; i++)
            column = column && !str_eq_nocase(name, words[i]);
        if (column)
            t.fields[t.columns++] = (uint8_t)account_field_of(kind, name); /* < FIELD_COUNT */
        skip_item(c);
        if (!scan_char(&c->in, ','))
            break;
    }
    c->known[c->known_count++] = t;
}

/* [words] INTO name [columns] VALUES */
static bool
insert_into(struct account_cursor *c)
{
    struct str name;

    (void)(word_is(c, STR("IGNORE")) ||
           (word_is(c, STR("OR")) && (word_is(c, STR("REPLACE")) || word_is(c, STR("IGNORE")))));
    if (!word_is(c, STR("INTO")) || !read_name(c, &name) || !table_begins(c, name) ||
        !word_is(c, STR("VALUES")) || !tells_enough(&c->table, c->kind))
        return false;
    c->rows = ROWS_VALUES;
    return true;
}

/* name columns FROM stdin ";" and the line ends */
static bool
copy_from(struct account_cursor *c)
{
    struct str name;

    if (!read_name(c, &name))
        return false;
    bool wanted = table_begins(c, name) && tells_enough(&c->table, c->kind);
    if (!wanted)
        c->table.columns = 0; /* its lines are passed over */
    skip_statement(c);
    while (!scan_at_end(&c->in) && *c->in.pos != '\n')
        step(c);
    if (!scan_at_end(&c->in))
        step(c);
    c->rows = ROWS_COPY;
    return true;
}

/* Its columns: those that follow, or those that it was made with. */
static bool
table_begins(struct account_cursor *c, struct str name)
{
    if (!kind_of(name, &c->kind))
        return false;
    c->table = (struct account_table){.name = name};
    skip_blanks(c);
    if (!scan_at_end(&c->in) && *c->in.pos == '(')
        return read_columns(c, &c->table);
    for (uint32_t i = 0; i < c->known_count; i++)
        if (str_eq_nocase(c->known[i].name, name))
            c->table = c->known[i];
    return c->table.columns > 0;
}

static bool
kind_of(struct str table, enum account_kind *out)
{
    static const struct {
        struct str name;
        enum account_kind kind;
    } tables[] = {
        {STR("mailbox"), ACCOUNT_MAILBOX},   {STR("mailboxes"), ACCOUNT_MAILBOX},
        {STR("users"), ACCOUNT_MAILBOX},     {STR("virtual_users"), ACCOUNT_MAILBOX},
        {STR("accounts"), ACCOUNT_MAILBOX},  {STR("alias"), ACCOUNT_ALIAS},
        {STR("aliases"), ACCOUNT_ALIAS},     {STR("virtual_aliases"), ACCOUNT_ALIAS},
        {STR("forwardings"), ACCOUNT_ALIAS}, {STR("domain"), ACCOUNT_DOMAIN},
        {STR("domains"), ACCOUNT_DOMAIN},    {STR("virtual_domains"), ACCOUNT_DOMAIN},
    };

    for (size_t i = 0; i < COUNT_OF(tables); i++)
        if (str_eq_nocase(tables[i].name, table)) {
            *out = tables[i].kind;
            return true;
        }
    return false;
}

/* Tables of other programs may have such names too. */
static bool
tells_enough(const struct account_table *t, enum account_kind kind)
{
    bool has[FIELD_COUNT] = {false};

    for (uint32_t i = 0; i < t->columns; i++)
        has[t->fields[i]] = true;
    switch (kind) {
    case ACCOUNT_DOMAIN: return has[FIELD_DOMAIN];
    case ACCOUNT_ALIAS: return has[FIELD_ADDRESS] && has[FIELD_GOTO];
    case ACCOUNT_MAILBOX:
        return (has[FIELD_PASSWORD] || has[FIELD_HASH]) &&
               (has[FIELD_ADDRESS] || (has[FIELD_LOCAL] && has[FIELD_DOMAIN]));
    }
    UNREACHABLE();
}

/* "(" name *("," name) ")" */
static bool
read_columns(struct account_cursor *c, struct account_table *t)
{
    struct str name;

    if (!scan_char(&c->in, '('))
        return false;
    do {
        if (t->columns == LIMIT_IMPORT_COLUMNS || !read_name(c, &name))
            return false;
        t->fields[t->columns++] = (uint8_t)account_field_of(c->kind, name); /* < FIELD_COUNT */
        skip_blanks(c);
    } while (scan_char(&c->in, ','));
    return scan_char(&c->in, ')');
}

/* [schema "."] name, each in quotes or not */
static bool
read_name(struct account_cursor *c, struct str *out)
{
    do {
        skip_blanks(c);
        if (scan_at_end(&c->in))
            return false;
        char quote = *c->in.pos == '[' ? ']' : *c->in.pos;
        if (quote == '`' || quote == '"' || quote == ']') {
            struct scan s = {c->in.pos + 1, c->in.end};
            if (!scan_until(&s, quote, out) || out->len > WORD_BYTES || str_find(*out, '\n') >= 0)
                return false;
            c->in.pos = s.pos + 1;
        } else if (!scan_while(&c->in, is_word, WORD_BYTES, out)) {
            return false;
        }
    } while (scan_char(&c->in, '.'));
    return out->len > 0;
}

/* ---- rows ---- */

/* ["," ] "(" value *("," value) ")" */
static bool
values_next(struct account_cursor *c, struct arena *a, struct account_record *out)
{
    AUTO_BUF value = BUF(LIMIT_ALIAS_LINE_BYTES);
    uint32_t column = 0;

    skip_blanks(c);
    (void)scan_char(&c->in, ',');
    skip_blanks(c);
    if (!scan_char(&c->in, '('))
        return false;
    out->line = c->line;
    do {
        bool null = false;
        buf_reset(&value);
        enum account_field f =
            column < c->table.columns ? (enum account_field)c->table.fields[column] : FIELD_OTHER;
        if (!read_value(c, f == FIELD_OTHER ? NULL : &value, &null))
            break;
        if (f != FIELD_OTHER && buf_status(&value) != OK)
            out->fault = "a value is too long";
        else if (f != FIELD_OTHER && !null && out->values[f].ptr == NULL)
            out->values[f] = arena_str(a, str_trim(buf_str(&value)));
        column++;
        skip_blanks(c);
    } while (scan_char(&c->in, ','));
    if (!scan_char(&c->in, ')')) {
        out->fault = "the row is not closed";
        c->rows = ROWS_NONE;
    } else if (out->fault == NULL && column != c->table.columns) {
        out->fault = "there are more values, or fewer, than columns";
    }
    return true;
}

/* A string, whatever stands before its quote; or anything else up to "," or ")".  out NULL: it is passed over. */
static bool
read_value(struct account_cursor *c, struct buf *out, bool *null)
{
    const char *start;

    skip_blanks(c);
    start = c->in.pos;
    while (!scan_at_end(&c->in) && is_word(*c->in.pos))
        c->in.pos++;
    struct str word = str_from(start, (size_t)(c->in.pos - start));
    skip_blanks(c);
    if (!scan_at_end(&c->in) && *c->in.pos == '\'') {
        bool backslash = c->backslash;
        c->backslash = backslash || str_eq_nocase(word, STR("E"));
        bool ok = read_string(c, out);
        c->backslash = backslash;
        return ok;
    }
    skip_item(c);
    *null = str_eq_nocase(word, STR("NULL"));
    if (out != NULL)
        buf_add(out, str_from(start, (size_t)(c->in.pos - start)));
    return !scan_at_end(&c->in);
}

static bool
read_string(struct account_cursor *c, struct buf *out)
{
    static const struct str letters = STR("0ntrbZ"), bytes = STR("\0\n\t\r\b\x1a");

    for (step(c); !scan_at_end(&c->in); step(c)) {
        char b = *c->in.pos;
        bool last = scan_left(&c->in) < 2;
        if (b == '\'' && (last || c->in.pos[1] != '\'')) {
            step(c);
            return true;
        }
        if (b == '\'') {
            step(c);
        } else if (b == '\\' && c->backslash && !last) {
            step(c);
            b = *c->in.pos;
            ssize_t at = str_find(letters, b);
            if (at >= 0)
                b = bytes.ptr[at];
        }
        if (out != NULL)
            buf_add_char(out, b);
    }
    return false;
}

/* False: there are no more. */
static bool
copy_line(struct account_cursor *c, struct str *out)
{
    if (scan_at_end(&c->in))
        return false;
    const char *start = c->in.pos;
    while (!scan_at_end(&c->in) && *c->in.pos != '\n')
        c->in.pos++;
    *out = str_from(start, (size_t)(c->in.pos - start));
    if (!scan_at_end(&c->in))
        step(c);
    return !str_eq(str_trim(*out), STR("\\."));
}

/* A line of COPY: values parted by tabs; "\." ends them. */
static bool
copy_next(struct account_cursor *c, struct arena *a, struct account_record *out)
{
    struct str line, value;

    do {
        out->line = c->line;
        if (!copy_line(c, &line))
            return false;
    } while (c->table.columns == 0);
    uint32_t column = 0;
    for (; str_split(&line, '\t', &value); column++) {
        AUTO_BUF plain = BUF(LIMIT_ALIAS_LINE_BYTES);
        enum account_field f =
            column < c->table.columns ? (enum account_field)c->table.fields[column] : FIELD_OTHER;
        if (f == FIELD_OTHER || str_eq(value, STR("\\N")) || out->values[f].ptr != NULL)
            continue;
        copy_value(value, &plain);
        if (buf_status(&plain) != OK)
            out->fault = "a value is too long";
        else
            out->values[f] = arena_str(a, str_trim(buf_str(&plain)));
    }
    if (out->fault == NULL && column != c->table.columns)
        out->fault = "there are more values, or fewer, than columns";
    return true;
}

static void
copy_value(struct str text, struct buf *out)
{
    static const struct str letters = STR("bfnrtv"), bytes = STR("\b\f\n\r\t\v");

    for (size_t i = 0; i < text.len; i++) {
        char b = text.ptr[i];
        if (b == '\\' && i + 1 < text.len) {
            b = text.ptr[++i];
            ssize_t at = str_find(letters, b);
            if (at >= 0)
                b = bytes.ptr[at];
        }
        buf_add_char(out, b);
    }
}

/* ---- passing over ---- */

static bool
word_is(struct account_cursor *c, struct str word)
{
    skip_blanks(c);
    struct scan s = c->in;
    if (!scan_str_nocase(&s, word) || (!scan_at_end(&s) && is_word(*s.pos)))
        return false;
    c->in = s;
    return true;
}

/* White space and comments.  What MySQL puts into comments of its own, with a "!", is none of ours either. */
static void
skip_blanks(struct account_cursor *c)
{
    struct scan *s = &c->in;

    while (!scan_at_end(s)) {
        char b = *s->pos, next = scan_left(s) > 1 ? s->pos[1] : '\0';
        if (b == ' ' || b == '\t' || b == '\r' || b == '\n') {
            step(c);
        } else if ((b == '-' && next == '-') || b == '#') {
            while (!scan_at_end(s) && *s->pos != '\n')
                step(c);
        } else if (b == '/' && next == '*') {
            s->pos += 2;
            while (!scan_at_end(s) && !(*s->pos == '*' && scan_left(s) > 1 && s->pos[1] == '/'))
                step(c);
            s->pos += MIN(scan_left(s), (size_t)2);
        } else {
            return;
        }
    }
}

static void
skip_statement(struct account_cursor *c)
{
    for (skip_blanks(c); !scan_at_end(&c->in); skip_blanks(c)) {
        char b = *c->in.pos;
        if (b == '\'' || b == '"' || b == '`') {
            skip_quoted(c);
            continue;
        }
        step(c);
        if (b == ';')
            return;
    }
}

/* To a "," or ")" that belongs to nothing inside. */
static void
skip_item(struct account_cursor *c)
{
    size_t depth = 0;

    for (skip_blanks(c); !scan_at_end(&c->in); skip_blanks(c)) {
        char b = *c->in.pos;
        if (b == ';' || (depth == 0 && (b == ',' || b == ')')))
            return;
        if (b == '\'' || b == '"' || b == '`') {
            skip_quoted(c);
            continue;
        }
        depth += b == '(';
        depth -= b == ')';
        step(c);
    }
}

static void
skip_quoted(struct account_cursor *c)
{
    char quote = *c->in.pos;

    if (quote == '\'') {
        (void)read_string(c, NULL); /* to its end, or that of the text */
        return;
    }
    for (step(c); !scan_at_end(&c->in) && *c->in.pos != quote;)
        step(c);
    if (!scan_at_end(&c->in))
        step(c);
}

static void
step(struct account_cursor *c)
{
    c->line += *c->in.pos == '\n';
    c->in.pos++;
}

static bool
is_word(char b)
{
    return ascii_is_alnum(b) || b == '_' || b == '$';
}
