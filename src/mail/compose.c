/* compose.c - header fields added, names completed, recipients found.  See compose.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/compose.h"

#include "base/encode.h"
#include "base/size.h"
#include "mail/address.h"
#include "mail/address_list.h"
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "mail/header_write.h"

enum { FIELD_MAX = 4096 };

static bool is_one_of(struct str name, const struct str *names, size_t n);
static bool has_field(struct str block, struct str name);
static void add_from(struct buf *out, struct str name, const struct compose *c);
static void add_name(struct buf *b, struct str name);
static void copy_field(struct buf *out, const struct header_field *f, const struct compose *c);
static bool is_bare(struct str value, struct str *word_out, struct str *rest_out);
static bool is_single(struct str text);
static MUST_USE enum status add_single(struct compose_rcpts *r, struct str text);
static MUST_USE enum status add_one(struct compose_rcpts *r, const struct address *a);
static MUST_USE enum status add_text(struct compose_rcpts *r, const struct buf *whole,
                                     struct str said);

static const struct str hidden[] = {STR("Bcc"), STR("Resent-Bcc")};
/* Fields that may have a bare name in them. */
static const struct str addressed[] = {
    STR("From"),        STR("Sender"),    STR("Reply-To"),  STR("To"),        STR("Cc"),
    STR("Resent-From"), STR("Resent-To"), STR("Resent-Cc"), STR("Errors-To"), STR("Resent-Sender")};
static const struct str plain_rcpts[] = {STR("To"), STR("Cc"), STR("Bcc")};
static const struct str resent_rcpts[] = {STR("Resent-To"), STR("Resent-Cc"), STR("Resent-Bcc")};

struct str
compose_cut(struct str message, bool dot_ends)
{
    struct str rest, line;

    if (str_starts(message, STR("From "))) {
        ssize_t end = str_find(message, '\n');
        message = str_skip(message, end < 0 ? message.len : (size_t)end + 1);
    }
    rest = message;
    while (dot_ends && rest.len > 0) {
        size_t at = message.len - rest.len;
        str_split(&rest, '\n', &line);
        if (str_eq(line, STR(".")) || str_eq(line, STR(".\r")))
            return str_sub(message, 0, at);
    }
    return message;
}

/* What is no field ends the header: it gets the empty line that is missing there. */
enum status
compose_write(struct str message, const struct compose *c, struct buf *out)
{
    size_t header_len = header_block_len(message);
    struct header_cursor cursor = header_cursor_of(str_sub(message, 0, header_len));
    struct str block = STR(""), resent_from = STR("Resent-From");
    struct header_field f;
    size_t at = 0;

    while (header_next(&cursor, &f) && f.whole.ptr == message.ptr + at)
        at += f.whole.len;
    block = str_sub(message, 0, at);
    bool resent = has_field(block, STR("Resent-To")) || has_field(block, STR("Resent-Cc")) ||
                  has_field(block, STR("Resent-Bcc")) || has_field(block, resent_from);
    if (resent && !has_field(block, STR("Resent-Date"))) {
        buf_add_z(out, "Resent-");
        header_write_date(out, c->now);
    }
    if (resent && !has_field(block, resent_from))
        add_from(out, resent_from, c);
    cursor = header_cursor_of(block);
    while (header_next(&cursor, &f))
        copy_field(out, &f, c);
    if (!has_field(block, STR("From")))
        add_from(out, STR("From"), c);
    struct str rest = str_skip(message, at);
    if (!str_starts(rest, STR("\n")) && !str_starts(rest, STR("\r\n")))
        buf_add_z(out, "\r\n");
    buf_add(out, rest);
    return buf_status(out);
}

/* A single address is taken as it is or not at all; the reader of lists would make something of anything. */
enum status
compose_rcpts_add(struct compose_rcpts *r, struct str list)
{
    AUTO_ADDRESS_CURSOR cursor;
    struct address a;
    enum status st = OK;

    if (is_single(str_trim(list)))
        return add_single(r, str_trim(list));
    address_cursor_init(&cursor, list);
    while (st == OK && address_next(&cursor, &a))
        if (a.kind == ADDRESS_MAILBOX)
            st = add_one(r, &a);
    return st;
}

enum status
compose_rcpts_find(struct compose_rcpts *r, struct str message)
{
    struct str block = str_sub(message, 0, header_block_len(message));
    const struct str *names = plain_rcpts;
    struct header_cursor cursor = header_cursor_of(block);
    struct header_field f;

    for (size_t i = 0; i < COUNT_OF(resent_rcpts); i++)
        if (has_field(block, resent_rcpts[i]))
            names = resent_rcpts;
    while (header_next(&cursor, &f))
        if (is_one_of(f.name, names, COUNT_OF(plain_rcpts)))
            TRY(compose_rcpts_add(r, f.value));
    return OK;
}

static bool
is_one_of(struct str name, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

static bool
has_field(struct str block, struct str name)
{
    struct header_field f;

    return header_find(block, name, &f);
}

static void
add_from(struct buf *out, struct str name, const struct compose *c)
{
    AUTO_BUF value = BUF(FIELD_MAX);

    if (c->from.len == 0)
        return;
    if (c->name.len > 0) {
        add_name(&value, c->name);
        buf_addf(&value, " <%.*s>", STR_FMT(c->from));
    } else {
        buf_add(&value, c->from);
    }
    if (buf_status(&value) == OK)
        header_write(out, name, buf_str(&value));
}

/* A phrase: words, or a quoted string, or encoded words. */
static void
add_name(struct buf *b, struct str name)
{
    bool quote = false;

    if (!str_is_ascii(name)) {
        encoded_word_write(b, name);
        return;
    }
    for (size_t i = 0; i < name.len; i++)
        quote = quote || str_find(STR("()<>[]:;@\\,.\""), name.ptr[i]) >= 0;
    if (!quote) {
        buf_add(b, name);
        return;
    }
    buf_add_char(b, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"' || name.ptr[i] == '\\')
            buf_add_char(b, '\\');
        buf_add_char(b, name.ptr[i]);
    }
    buf_add_char(b, '"');
}

static void
copy_field(struct buf *out, const struct header_field *f, const struct compose *c)
{
    struct str word, rest;

    if (is_one_of(f->name, hidden, COUNT_OF(hidden)))
        return;
    if (c->domain.len > 0 && is_one_of(f->name, addressed, COUNT_OF(addressed)) &&
        is_bare(f->value, &word, &rest))
        buf_addf(out, "%.*s: %.*s@%.*s%.*s\r\n", STR_FMT(f->name), STR_FMT(word),
                 STR_FMT(c->domain), STR_FMT(rest));
    else
        buf_add(out, f->whole);
    if (!str_ends(f->whole, STR("\n"))) /* the input ended here */
        buf_add_z(out, "\r\n");
}

/* atext and "." of RFC 5322 section 3.2.3, without what has a meaning in other mail systems. */
static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == '+' || c == '=';
}

/* "root" or "root (Cron Daemon)", on one line: what cron and its like write. */
static bool
is_bare(struct str value, struct str *word_out, struct str *rest_out)
{
    struct str v = str_trim(value);
    size_t n = 0;

    while (n < v.len && is_word(v.ptr[n]))
        n++;
    struct str rest = str_skip(v, n);
    bool comment = str_starts(str_trim(rest), STR("(")) && str_ends(rest, STR(")")) &&
                   str_find(rest, ',') < 0 && str_find(rest, '\n') < 0 && rest.len < FIELD_MAX / 8;
    if (n == 0 || n > LOCAL_MAX || (rest.len > 0 && !comment))
        return false;
    *word_out = str_sub(v, 0, n);
    *rest_out = rest;
    return true;
}

static bool
is_single(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (str_find(STR(" \t\r\n,;:<>()\""), text.ptr[i]) >= 0)
            return false;
    return text.len > 0;
}

static enum status
add_single(struct compose_rcpts *r, struct str text)
{
    AUTO_BUF whole = BUF(PATH_MAX_BYTES);

    buf_add(&whole, text);
    if (str_find(text, '@') < 0) {
        buf_add_char(&whole, '@');
        buf_add(&whole, r->domain);
    }
    return add_text(r, &whole, text);
}

static enum status
add_one(struct compose_rcpts *r, const struct address *a)
{
    AUTO_BUF whole = BUF(PATH_MAX_BYTES);

    if (a->mailbox.len == 0 && a->host.len == 0)
        return OK;
    local_write(&whole, a->mailbox);
    buf_add_char(&whole, '@');
    buf_add(&whole, a->host.len > 0 ? a->host : r->domain);
    return add_text(r, &whole, a->host.len > 0 ? buf_str(&whole) : a->mailbox);
}

/* said: what to call it when it is no address. */
static enum status
add_text(struct compose_rcpts *r, const struct buf *whole, struct str said)
{
    AUTO_BUF clean = BUF(PATH_MAX_BYTES);
    struct path path;

    if (buf_status(whole) != OK ||
        mailbox_parse(buf_str(whole), PATH_UTF8, r->arena, &path) != OK) {
        r->bad = arena_str(r->arena, said);
        return ERR_SYNTAX;
    }
    path_write(&clean, &path);
    for (size_t i = 0; i < r->count; i++)
        if (str_eq(r->list[i], buf_str(&clean)))
            return OK;
    if (r->count == LIMIT_SUBMIT_RCPTS)
        return ERR_LIMIT;
    if (r->list == NULL)
        r->list = ARENA_ARRAY(r->arena, struct str, LIMIT_SUBMIT_RCPTS);
    r->list[r->count++] = arena_str(r->arena, buf_str(&clean));
    return buf_status(&clean);
}
