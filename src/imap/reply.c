/* reply.c - tagged and untagged replies, and the strings in them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/size.h"
#include "imap/commands.h"

/* Longest string that goes out quoted; some clients have small buffers for lines. */
#define QUOTED_MAX 1000u
#define CODE_SHORT 4000u

/* ---- tagged ---- */

/* COPYUID may be longer than what one conn_printf() takes. */
static SUSPENDS enum status
tagged_long(struct imap_cmd *c, const char *word, const char *code, const char *text)
{
    TRY(conn_printf(c->s->conn, "%.*s %s [", STR_FMT(c->tag), word));
    TRY(conn_write(c->s->conn, str_of(code)));
    return conn_printf(c->s->conn, "] %s\r\n", text);
}

static SUSPENDS enum status
tagged(struct imap_cmd *c, const char *word, const char *code, const char *text)
{
    if (code != NULL && strlen(code) > CODE_SHORT)
        return tagged_long(c, word, code, text);
    return conn_printf(c->s->conn, "%.*s %s %s%s%s%s\r\n", STR_FMT(c->tag), word,
                       code != NULL ? "[" : "", code != NULL ? code : "", code != NULL ? "] " : "",
                       text);
}

/* RFC 3501 section 7.4.1: no EXPUNGE may come while FETCH, STORE or SEARCH by sequence number is answered. */
static SUSPENDS enum status
tell_news(struct imap_cmd *c)
{
    if (c->s->bye || c->s->state != IMAP_SELECTED)
        return OK;
    return imap_sync(c->s, c->verb == NULL || c->uid || !c->verb->keeps_numbers);
}

enum status
imap_ok(struct imap_cmd *c, const char *code, const char *text)
{
    TRY(tell_news(c));
    if (c->s->state != IMAP_NOT_AUTH)
        c->s->bad_commands = 0;
    return tagged(c, "OK", code, text);
}

enum status
imap_no(struct imap_cmd *c, const char *code, const char *text)
{
    TRY(tell_news(c));
    return tagged(c, "NO", code, text);
}

enum status
imap_bad(struct imap_cmd *c, const char *text)
{
    TRY(tagged(c, "BAD", NULL, text));
    if (++c->s->bad_commands < LIMIT_IMAP_BAD_COMMANDS)
        return OK;
    return imap_bye(c->s, "Too many wrong commands");
}

/* Words for people: mail programs show them (RFC 5530 has the codes). */
static const struct {
    const char *code, *text;
} failures[STATUS_COUNT] = {
    [ERR_SYNTAX] = {"CANNOT", "This name cannot be used for a mailbox"},
    [ERR_LIMIT] = {"LIMIT", "A limit of this server was reached"},
    [ERR_NOT_FOUND] = {"NONEXISTENT", "There is no such mailbox"},
    [ERR_EXISTS] = {"ALREADYEXISTS", "There is a mailbox of this name already"},
    [ERR_DENIED] = {"NOPERM", "This is not allowed"},
    [ERR_CONFLICT] = {"INUSE", "Somebody else changed it at the same time, try again"},
    [ERR_NO_SPACE] = {"LIMIT", "The server's disk is nearly full: only deleting works now"},
    [ERR_QUOTA] = {"OVERQUOTA", "Your mailbox is full: delete mail to make room"},
    [ERR_CORRUPT] = {"CORRUPTION", "Stored data is damaged, tell the administrator"},
};

enum status
imap_failed(struct imap_cmd *c, enum status e)
{
    ASSERT(e != OK);
    if (e == ERR_DENIED && hold_forgotten(&c->s->hold))
        return imap_bye(c->s, "The server was restarted, log in again");
    if (failures[e].code != NULL)
        return imap_no(c, failures[e].code, failures[e].text);
    return imap_no(c, "UNAVAILABLE", "The mail store cannot answer now, try again");
}

enum status
imap_write_failed(struct imap_cmd *c, enum status e)
{
    if (e == ERR_CLOSED || e == ERR_IO || e == ERR_CANCELLED)
        return imap_bye(c->s, "The mail store was lost, look whether the last change was made");
    return imap_failed(c, e);
}

/* ---- untagged ---- */

enum status
imap_untagged(struct imap_session *s, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return conn_printf(s->conn, "* %s\r\n", text);
}

enum status
imap_bye(struct imap_session *s, const char *text)
{
    if (s->bye)
        return OK;
    s->bye = true;
    return conn_printf(s->conn, "* BYE %s\r\n", text);
}

/* ---- strings ---- */

/* quoted = DQUOTE *(TEXT-CHAR but quoted-specials / "\" quoted-specials) DQUOTE; what holds CR, LF, NUL or 8-bit bytes
 * goes as a literal. */
static bool
can_quote(struct str s)
{
    if (s.len > QUOTED_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char u = (unsigned char)s.ptr[i];
        if (u == '\r' || u == '\n' || u == '\0' || u >= 0x80)
            return false;
    }
    return true;
}

void
imap_add_string(struct buf *b, struct str s)
{
    if (s.ptr == NULL) {
        buf_add(b, STR("NIL"));
        return;
    }
    if (!can_quote(s)) {
        buf_addf(b, "{%zu}\r\n", s.len);
        buf_add(b, s);
        return;
    }
    buf_add_char(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            buf_add_char(b, '\\');
        buf_add_char(b, s.ptr[i]);
    }
    buf_add_char(b, '"');
}

static bool
is_plain(char c)
{
    return ascii_is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '/' || c == '$';
}

void
imap_add_astring(struct buf *b, struct str s)
{
    bool plain = s.len > 0 && s.len <= 100 && !str_eq_nocase(s, STR("NIL"));

    for (size_t i = 0; plain && i < s.len; i++)
        plain = is_plain(s.ptr[i]);
    if (plain)
        buf_add(b, s);
    else
        imap_add_string(b, s.ptr == NULL ? STR("") : s);
}

void
imap_add_mailbox(struct buf *b, struct str utf8_name)
{
    AUTO_BUF name = BUF(8 * LIMIT_MAILBOX_NAME_BYTES);

    imap_utf7_encode(utf8_name, &name);
    /* Quoted, or plain when nothing in it is special: all clients know both. */
    imap_add_astring(b, buf_str(&name));
}

static const struct str system_names[IMAP_KEYWORD_SHIFT] = {
    STR("\\Answered"), STR("\\Flagged"), STR("\\Deleted"), STR("\\Seen"), STR("\\Draft"),
};

void
imap_add_flags(struct buf *b, const struct box *box, uint32_t flags)
{
    const char *before = "";

    buf_add_char(b, '(');
    for (uint32_t bit = 0; bit < 32; bit++) {
        if ((flags & 1u << bit) == 0)
            continue;
        struct str name = STR_NONE;
        if (bit < IMAP_KEYWORD_SHIFT)
            name = system_names[bit];
        else if (bit - IMAP_KEYWORD_SHIFT < box->keyword_count)
            name = box->keywords[bit - IMAP_KEYWORD_SHIFT];
        if (name.len == 0) /* a free place of the table */
            continue;
        buf_add_z(b, before);
        buf_add(b, name);
        before = " ";
    }
    buf_add_char(b, ')');
}

void
imap_add_set(struct buf *b, const uint32_t *numbers, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t last = i;

        while (last + 1 < n && numbers[last + 1] == numbers[last] + 1)
            last++;
        if (i > 0)
            buf_add_char(b, ',');
        buf_add_u64(b, numbers[i]);
        if (last > i) {
            buf_add_char(b, ':');
            buf_add_u64(b, numbers[last]);
        }
        i = last + 1;
    }
}
