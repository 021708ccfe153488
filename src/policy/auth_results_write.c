/* auth_results_write.c - Authentication-Results, written.  See auth_results.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "policy/auth_results.h"
#include "policy/auth_results_internal.h"

enum { COLUMN_MAX = 78 };

/* A field under way: words go behind each other, or onto another line. */
struct field {
    struct buf *b;
    size_t column;
    bool utf8;
    struct buf word;
};

static void word_end(struct field *f);
static void add_result(struct field *f, const struct auth_result *r);
static void add_value(struct field *f, struct str value);
static bool is_plain(struct str value);
static bool is_dot_atom(struct str value);
static bool is_token(struct str value);
static void add_enclosed(struct field *f, char open, char close, struct str text);

void
auth_result_add(struct auth_result *r, struct str type, struct str name, struct str value)
{
    ASSERT(r != NULL && auth_keyword_ok(name) && (type.len == 0 || auth_keyword_ok(type)));
    if (value.len == 0 || value.len > LIMIT_AUTH_VALUE_BYTES ||
        r->property_count == LIMIT_AUTH_PROPERTIES)
        return;
    r->properties[r->property_count++] = (struct auth_property){type, name, value};
}

void
auth_results_write(struct buf *b, const struct auth_results *r)
{
    struct field f = {.b = b, .utf8 = r->utf8, .word = BUF(8 * LIMIT_AUTH_VALUE_BYTES)};

    ASSERT(b != NULL && r->authserv_id.len > 0);
    buf_add_z(&f.word, r->instance > 0 ? ARC_AUTH_RESULTS_FIELD ":" : AUTH_RESULTS_FIELD ":");
    word_end(&f);
    if (r->instance > 0) {
        buf_addf(&f.word, "i=%u;", r->instance);
        word_end(&f);
    }
    add_value(&f, r->authserv_id);
    buf_add_char(&f.word, ';');
    word_end(&f);
    if (r->count == 0) {
        buf_add_z(&f.word, "none");
        word_end(&f);
    }
    for (size_t i = 0; i < r->count; i++) {
        f.column = COLUMN_MAX; /* a line for each */
        add_result(&f, &r->at[i]);
        if (i + 1 < r->count)
            buf_add_char(&f.word, ';');
        word_end(&f);
    }
    buf_add_z(b, "\r\n");
    buf_release(&f.word);
}

/* All but the end of the last word, behind which a semicolon may stand. */
static void
add_result(struct field *f, const struct auth_result *r)
{
    ASSERT(auth_keyword_ok(r->method) && auth_keyword_ok(r->result));
    buf_addf(&f->word, "%.*s=%.*s", STR_FMT(r->method), STR_FMT(r->result));
    if (r->comment.len > 0 && r->comment.len <= LIMIT_AUTH_VALUE_BYTES) {
        word_end(f);
        add_enclosed(f, '(', ')', r->comment);
    }
    if (r->reason.len > 0 && r->reason.len <= LIMIT_AUTH_VALUE_BYTES) {
        word_end(f);
        buf_add_z(&f->word, "reason=");
        add_value(f, r->reason);
    }
    for (size_t i = 0; i < r->property_count; i++) {
        const struct auth_property *p = &r->properties[i];
        word_end(f);
        if (p->type.len > 0)
            buf_addf(&f->word, "%.*s.", STR_FMT(p->type));
        buf_addf(&f->word, "%.*s=", STR_FMT(p->name));
        add_value(f, p->value);
    }
}

/* Moves the word into the field, on a line of its own when it does not fit behind the last. */
static void
word_end(struct field *f)
{
    if (f->column > 0 && f->column + 1 + f->word.len > COLUMN_MAX) {
        buf_add_z(f->b, "\r\n\t");
        f->column = 8;
    } else if (f->column > 0) {
        buf_add_char(f->b, ' ');
        f->column++;
    }
    buf_add(f->b, buf_str(&f->word));
    f->column += f->word.len;
    buf_reset(&f->word);
}

/* pvalue = value / [ [ local-part ] "@" ] domain-name */
static void
add_value(struct field *f, struct str value)
{
    if (is_plain(value))
        buf_add(&f->word, value);
    else
        add_enclosed(f, '"', '"', value);
}

static bool
is_plain(struct str value)
{
    ssize_t at = str_find(value, '@');

    if (at < 0)
        return is_token(value);
    return (at == 0 || is_dot_atom(str_sub(value, 0, (size_t)at))) &&
           is_dot_atom(str_skip(value, (size_t)at + 1));
}

/* dot-atom = atext *( "." / atext )      RFC 5322 section 3.2.3; a token holds the same bytes, and dots anywhere */
static bool
is_dot_atom(struct str value)
{
    return is_token(value) && value.ptr[0] != '.' && value.ptr[value.len - 1] != '.' &&
           str_find_str(value, STR("..")) < 0;
}

/* token = 1*<any CHAR except SPACE, CTLs, and tspecials>      RFC 2045 section 5.1 */
static bool
is_token(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] <= ' ' || value.ptr[i] > '~' ||
            str_find(STR("()<>@,;:\\\"/[]?="), value.ptr[i]) >= 0)
            return false;
    return value.len > 0;
}

static void
add_enclosed(struct field *f, char open, char close, struct str text)
{
    bool utf8 = f->utf8 && utf8_valid(text);

    buf_add_char(&f->word, open);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        unsigned char byte = (unsigned char)c;

        if (byte < ' ' || byte == 0x7f || (byte > 0x7f && !utf8))
            c = '?';
        else if (c == open || c == close || c == '\\')
            buf_add_char(&f->word, '\\');
        buf_add_char(&f->word, c);
    }
    buf_add_char(&f->word, close);
}
