/* imap_link.c - one conversation with an IMAP server: greeting, TLS, log-in, commands, responses gathered.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "migrate/imap_internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/size.h"
#include "imap/parse.h"

enum {
    REPLY_MS = LIMIT_IMPORT_REPLY_S * 1000,
    LITERAL_MAX = 65536, /* of anything but a body */
    SAID_MAX = 120,      /* of the server's words in ours */
    QUOTED_MAX = 900,    /* servers need not take longer ones */
};
#define BODY_MAX ((uint64_t)1 << 40)

static SUSPENDS enum status greet(struct imap_source *s);
static SUSPENDS enum status ask_capabilities(struct imap_source *s);
static SUSPENDS enum status start_tls(struct imap_source *s);
static SUSPENDS enum status log_in(struct imap_source *s);
static SUSPENDS enum status say_plain(struct imap_source *s);
static SUSPENDS enum status say_login(struct imap_source *s);
static SUSPENDS enum status ask_program(struct imap_source *s);
static SUSPENDS enum status gather(struct imap_source *s);
static SUSPENDS enum status take_literal(struct imap_source *s, uint64_t size);
static SUSPENDS enum status take_bytes(struct imap_source *s, uint64_t size, struct buf *to);
static SUSPENDS enum status write_line(struct imap_source *s);
static SUSPENDS enum status wait_for_more(struct imap_source *s);
static enum status lost(struct imap_source *s, enum status e);

enum status
imap_link_fail(struct imap_source *s, enum status e, const char *format, ...)
{
    char text[sizeof(s->wrong.text)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args); /* cut where it is too long */
    va_end(args);
    problem_set(&s->wrong, 0, "", "%s", text);
    return e;
}

void
imap_link_drop(struct imap_source *s)
{
    conn_free(&s->conn);
    s->folder = NULL;
    s->has = 0;
    s->count = 0;
    s->bytes = 0;
}

enum status
imap_link_open(struct imap_source *s)
{
    ASSERT(s->conn == NULL);
    TRY(remote_connect(s->server, &s->conn, &s->wrong));
    conn_line_max(s->conn, LIMIT_IMPORT_LINE_BYTES);
    TRY(greet(s));
    if (s->server->mode == REMOTE_STARTTLS)
        TRY(start_tls(s));
    TRY(log_in(s));
    if (s->has == 0)
        TRY(ask_capabilities(s));
    return s->has & IMAP_HAS_ID ? ask_program(s) : OK;
}

/* ---- opening ---- */

static enum status
greet(struct imap_source *s)
{
    struct imap_reply r = {0};

    s->replies = 0;
    TRY(imap_link_next(s, &r));
    if (r.kind != IMAP_REPLY_CONDITION || r.condition == IMAP_SAYS_BAD)
        return imap_link_fail(s, ERR_SYNTAX, "it greets with something that is not IMAP");
    if (r.condition == IMAP_SAYS_PREAUTH)
        return imap_link_fail(s, ERR_DENIED, "it takes us for somebody without a log-in (PREAUTH)");
    if (r.condition != IMAP_SAYS_OK)
        return imap_link_fail(s, ERR_TEMP, "it does not serve us now: %.*s",
                              STR_FMT(str_sub(r.text, 0, SAID_MAX)));
    return s->has == 0 ? ask_capabilities(s) : OK;
}

static enum status
ask_capabilities(struct imap_source *s)
{
    struct imap_reply r = {0};

    imap_link_begin(s, "CAPABILITY");
    TRY(imap_link_send(s));
    TRY(imap_link_end(s, &r));
    if (r.condition != IMAP_SAYS_OK || s->has == 0)
        return imap_link_fail(s, ERR_SYNTAX, "it does not say what it can (CAPABILITY)");
    return OK;
}

/* What was said before TLS is forgotten. */
static enum status
start_tls(struct imap_source *s)
{
    struct imap_reply r = {0};

    if ((s->has & IMAP_HAS_STARTTLS) == 0)
        return imap_link_fail(s, ERR_DENIED, "it does not offer STARTTLS");
    imap_link_begin(s, "STARTTLS");
    TRY(imap_link_send(s));
    TRY(imap_link_end(s, &r));
    if (r.condition != IMAP_SAYS_OK)
        return imap_link_fail(s, ERR_DENIED, "it refuses STARTTLS");
    TRY(remote_secure(s->server, s->conn, &s->wrong));
    s->has = 0;
    return ask_capabilities(s);
}

static enum status
log_in(struct imap_source *s)
{
    const struct remote_login *l = s->login;
    bool plain = (s->has & IMAP_HAS_AUTH_PLAIN) != 0;
    struct imap_reply r = {0};

    if (!plain && (s->has & IMAP_HAS_LOGINDISABLED) != 0)
        return imap_link_fail(s, ERR_DENIED, "it takes no password here (LOGINDISABLED)");
    if (!plain && l->master.len > 0 && l->separator == '\0')
        return imap_link_fail(s, ERR_DENIED,
                              "it has no AUTH=PLAIN for a master user; --master-separator gives "
                              "both names in one");
    enum status e = plain ? say_plain(s) : say_login(s);
    if (s->line.cap > 0) /* the password was in it */
        mem_wipe(s->line.ptr, s->line.cap);
    TRY(e);
    s->has = 0;
    TRY(imap_link_end(s, &r));
    if (r.condition == IMAP_SAYS_OK)
        return OK;
    bool later = str_eq_nocase(r.code, STR("UNAVAILABLE")) || str_eq_nocase(r.code, STR("LIMIT")) ||
                 str_eq_nocase(r.code, STR("INUSE"));
    return imap_link_fail(s, later ? ERR_TEMP : ERR_DENIED, "the log-in was refused: %.*s",
                          STR_FMT(str_sub(r.text, 0, SAID_MAX)));
}

/* AUTHENTICATE PLAIN; the message with the command where that is allowed (RFC 4959). */
static enum status
say_plain(struct imap_source *s)
{
    imap_link_begin(s, "AUTHENTICATE PLAIN");
    if (s->has & IMAP_HAS_SASL_IR) {
        buf_add_char(&s->line, ' ');
    } else {
        TRY(imap_link_send(s));
        TRY(wait_for_more(s));
    }
    if (remote_plain(s->login, &s->line) != OK)
        return imap_link_fail(s, ERR_DENIED, "the user or the password is too long");
    return imap_link_send(s);
}

static enum status
say_login(struct imap_source *s)
{
    AUTO_BUF user = BUF(1024);

    remote_user(s->login, &user);
    if (buf_status(&user) != OK)
        return imap_link_fail(s, ERR_DENIED, "the user is too long");
    imap_link_begin(s, "LOGIN ");
    TRY(imap_link_string(s, buf_str(&user)));
    buf_add_char(&s->line, ' ');
    TRY(imap_link_string(s, s->login->password));
    return imap_link_send(s);
}

static enum status
ask_program(struct imap_source *s)
{
    struct imap_reply r = {0};
    bool end = false;

    imap_link_begin(s, "ID (\"name\" \"godwit\")");
    TRY(imap_link_send(s));
    while (!end) {
        TRY(imap_link_next(s, &r));
        TRY(imap_link_is_end(s, &r, s->tag, &end));
        if (r.kind == IMAP_REPLY_ID)
            (void)!str_to_z(str_sub(r.program, 0, sizeof(s->program) - 1), s->program,
                            sizeof(s->program));
    }
    return OK;
}

/* ---- commands ---- */

void
imap_link_begin(struct imap_source *s, const char *words)
{
    s->tag++;
    s->replies = 0;
    buf_reset(&s->line);
    buf_addf(&s->line, "g%u %s", s->tag, words);
}

static bool
can_be_quoted(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return text.len <= QUOTED_MAX;
}

enum status
imap_link_string(struct imap_source *s, struct str text)
{
    if (can_be_quoted(text)) {
        buf_add_char(&s->line, '"');
        for (size_t i = 0; i < text.len; i++) {
            if (text.ptr[i] == '"' || text.ptr[i] == '\\')
                buf_add_char(&s->line, '\\');
            buf_add_char(&s->line, text.ptr[i]);
        }
        buf_add_char(&s->line, '"');
        return OK;
    }
    buf_addf(&s->line, "{%zu}", text.len);
    TRY(imap_link_send(s));
    TRY(wait_for_more(s));
    buf_add(&s->line, text);
    return OK;
}

enum status
imap_link_send(struct imap_source *s)
{
    buf_add(&s->line, STR("\r\n"));
    if (buf_status(&s->line) != OK)
        return imap_link_fail(s, ERR_DENIED, "a name is too long to be said");
    return write_line(s);
}

/* Empties the line. */
static enum status
write_line(struct imap_source *s)
{
    if (s->conn == NULL)
        return ERR_CLOSED;
    enum status e = conn_write(s->conn, buf_str(&s->line));

    buf_reset(&s->line);
    if (e == OK)
        e = conn_flush(s->conn);
    return e == OK ? OK : lost(s, e);
}

static enum status
wait_for_more(struct imap_source *s)
{
    struct imap_reply r = {0};
    bool end = false;

    do {
        TRY(imap_link_next(s, &r));
        TRY(imap_link_is_end(s, &r, s->tag, &end));
    } while (!end && r.kind != IMAP_REPLY_MORE);
    if (end)
        return imap_link_fail(s, ERR_DENIED, "it refuses: %.*s",
                              STR_FMT(str_sub(r.text, 0, SAID_MAX)));
    return OK;
}

enum status
imap_link_is_end(struct imap_source *s, const struct imap_reply *r, uint32_t tag, bool *end_out)
{
    struct scan t = scan_of(r->tag);
    uint32_t n;

    *end_out = r->kind == IMAP_REPLY_TAGGED;
    if (r->kind != IMAP_REPLY_TAGGED ||
        (scan_char(&t, 'g') && scan_u32(&t, UINT32_MAX, &n) && scan_at_end(&t) && n == tag))
        return OK;
    return imap_link_fail(s, ERR_SYNTAX, "it answers what was not asked: %.*s",
                          STR_FMT(str_sub(r->tag, 0, SAID_MAX)));
}

enum status
imap_link_end(struct imap_source *s, struct imap_reply *r)
{
    bool end = false;

    while (!end) {
        TRY(imap_link_next(s, r));
        TRY(imap_link_is_end(s, r, s->tag, &end));
    }
    return OK;
}

/* ---- responses ---- */

static enum status
lost(struct imap_source *s, enum status e)
{
    switch (e) {
    case ERR_TIMEOUT: return imap_link_fail(s, e, "it gave no answer in time");
    case ERR_SYNTAX: return imap_link_fail(s, e, "what it says is not IMAP");
    case ERR_LIMIT: return imap_link_fail(s, e, "it sends a line without an end");
    case ERR_CANCELLED: return e;
    default: return imap_link_fail(s, ERR_CLOSED, "the connection was lost");
    }
}

enum status
imap_link_next(struct imap_source *s, struct imap_reply *r)
{
    arena_reset(s->a);
    buf_reset(&s->text);
    if (s->conn == NULL)
        return ERR_CLOSED;
    if (++s->replies > LIMIT_IMPORT_REPLIES)
        return imap_link_fail(s, ERR_LIMIT, "its answer has no end");
    TRY(gather(s));
    if (imap_reply_read(buf_str(&s->text), s->a, r) != OK)
        return imap_link_fail(s, ERR_SYNTAX, "what it says is not IMAP: %.*s",
                              STR_FMT(str_sub(buf_str(&s->text), 0, SAID_MAX)));
    if (r->kind == IMAP_REPLY_CONDITION && r->condition == IMAP_SAYS_BYE)
        return imap_link_fail(s, ERR_CLOSED, "it ended the connection: %.*s",
                              STR_FMT(str_sub(r->text, 0, SAID_MAX)));
    if (r->has != 0)
        s->has = r->has;
    s->expunged += r->kind == IMAP_REPLY_EXPUNGE;
    return OK;
}

static enum status
gather(struct imap_source *s)
{
    struct imap_literal literal;
    struct str line;

    for (;;) {
        enum status e = conn_read_line(s->conn, REPLY_MS, &line);
        if (e != OK)
            return lost(s, e);
        buf_add(&s->text, line);
        if (buf_status(&s->text) != OK)
            return lost(s, ERR_LIMIT);
        if (!imap_literal_at_end(line, &literal))
            return OK;
        TRY(take_literal(s, literal.size));
    }
}

/* A body is kept elsewhere. */
static enum status
take_literal(struct imap_source *s, uint64_t size)
{
    ssize_t brace = str_rfind(buf_str(&s->text), '{');

    ASSERT(brace >= 0);
    struct str before = str_sub(buf_str(&s->text), 0, (size_t)brace); /* not negative */
    if ((s->body != NULL || s->count > 0) && str_ends_nocase(before, STR("BODY[] "))) {
        if (size > BODY_MAX)
            return imap_link_fail(s, ERR_SYNTAX, "it announces a body that has no end");
        s->text.len = before.len;
        buf_add(&s->text, STR("{0}\r\n"));
        if (s->body == NULL) /* asked for, and not wanted any more */
            return take_bytes(s, size, NULL);
        buf_reset(s->body);
        s->body_over = size > s->body->max;
        return take_bytes(s, size, s->body_over ? NULL : s->body);
    }
    if (size > LITERAL_MAX)
        return imap_link_fail(s, ERR_SYNTAX, "it sends more than was asked for");
    buf_add(&s->text, STR("\r\n"));
    return take_bytes(s, size, &s->text);
}

/* to: NULL throws them away. */
static enum status
take_bytes(struct imap_source *s, uint64_t size, struct buf *to)
{
    struct str some;

    while (size > 0) {
        enum status e = conn_read_some(s->conn, REPLY_MS, &some);
        if (e != OK || some.len == 0)
            return lost(s, e != OK ? e : ERR_CLOSED);
        some = str_sub(some, 0, (size_t)MIN(size, (uint64_t)some.len)); /* not more than that */
        if (to != NULL)
            buf_add(to, some);
        conn_consume(s->conn, some.len);
        size -= some.len;
    }
    return to == NULL || buf_status(to) == OK ? OK : lost(s, ERR_LIMIT);
}
