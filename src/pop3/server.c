/* server.c - the session and its commands by table.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/size.h"
#include "pop3/session.h"

enum state { ANY, BEFORE, AFTER }; /* RFC 1939: AUTHORIZATION, TRANSACTION */
struct verb {
    struct str name;
    enum state state;
    enum status (*serve)(struct pop3_session *s, struct str args);
};

#define ERRORS_MAX 20u

const struct pop3_world *pop3_world;
struct delays *pop3_delays;
static struct list sessions = {&sessions, &sessions};

static void *session_opened(struct conn *c);
static void session_wake(void *session, enum wake why);
static void session_closed(void *session);

const struct conn_ops pop3_ops = {
    .opened = session_opened,
    .wake = session_wake,
    .closed = session_closed,
};

void
pop3_init(const struct pop3_world *w)
{
    pop3_world = w;
    if (pop3_delays == NULL) /* it lives as long as the process */
        pop3_delays = delays_new(LIMIT_POP3_DELAYED);
    sasl_take_tokens(w->config->oauth.issuer);
}

void
pop3_revoked(uint64_t account, uint64_t session)
{
    list_each (node, &sessions) {
        struct pop3_session *s = LIST_ENTRY(node, struct pop3_session, node);
        if (s->account == account && (session == 0 || s->id == session)) {
            s->quit = true;
            conn_note(s->conn);
        }
    }
}

enum status
pop3_ok(struct pop3_session *s, const char *format, ...)
{
    char text[300];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return conn_printf(s->conn, "+OK %s\r\n", text);
}

enum status
pop3_err(struct pop3_session *s, const char *code, const char *text)
{
    if (++s->errors > ERRORS_MAX)
        s->quit = true;
    return conn_printf(s->conn, "-ERR %s%s%s\r\n", code, code[0] != '\0' ? " " : "", text);
}

/* ---- commands of every state ---- */

static SUSPENDS enum status
cmd_capa(struct pop3_session *s, struct str args)
{
    AUTO_BUF b = BUF(512);

    (void)args;
    TRY(conn_write(
        s->conn,
        STR("+OK What this server can do\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
            "PIPELINING\r\nEXPIRE NEVER\r\nUTF8\r\n")));
    if (s->account == 0 && !conn_is_tls(s->conn) && conn_listener(s->conn)->tls != NULL)
        TRY(conn_write(s->conn, STR("STLS\r\n")));
    if (login_is_safe(s->conn, pop3_world->config->plaintext_loopback)) {
        buf_add(&b, STR("USER\r\nSASL"));
        sasl_list(s->conn, LOGIN_POP3, STR(" "), &b);
        buf_add(&b, STR("\r\n"));
    }
    if (pop3_world->config->pop3_login_delay_s > 0)
        buf_addf(&b, "LOGIN-DELAY %u\r\n", pop3_world->config->pop3_login_delay_s);
    buf_add(&b, STR("IMPLEMENTATION Godwit\r\n.\r\n"));
    return conn_write(s->conn, buf_str(&b));
}

static SUSPENDS enum status
cmd_noop(struct pop3_session *s, struct str args)
{
    (void)args;
    return pop3_ok(s, "Fine");
}

/* Outlook says UTF8 after log-in, which RFC 6856 forbids: taken all the same, since messages go out as they are. */
static SUSPENDS enum status
cmd_utf8(struct pop3_session *s, struct str args)
{
    (void)args;
    return pop3_ok(s, "UTF-8 it is");
}

static SUSPENDS enum status
cmd_quit(struct pop3_session *s, struct str args)
{
    (void)args;
    s->quit = true;
    if (s->account != 0 && pop3_update(s) != OK)
        return pop3_err(s, "[SYS/TEMP]", "Some deleted messages were not removed");
    return pop3_ok(s, "Good bye");
}

static SUSPENDS enum status
cmd_stls(struct pop3_session *s, struct str args)
{
    (void)args;
    if (conn_is_tls(s->conn))
        return pop3_err(s, "", "TLS is on already");
    if (conn_listener(s->conn)->tls == NULL)
        return pop3_err(s, "[SYS/TEMP]", "TLS is not available now");
    TRY(pop3_ok(s, "Go ahead"));
    mem_str_free(&s->name);
    return conn_starttls(s->conn);
}

static const struct verb verbs[] = {
    {STR("CAPA"), ANY, cmd_capa},         {STR("NOOP"), AFTER, cmd_noop},
    {STR("QUIT"), ANY, cmd_quit},         {STR("UTF8"), ANY, cmd_utf8},
    {STR("STLS"), BEFORE, cmd_stls},      {STR("USER"), BEFORE, pop3_cmd_user},
    {STR("PASS"), BEFORE, pop3_cmd_pass}, {STR("AUTH"), BEFORE, pop3_cmd_auth},
    {STR("STAT"), AFTER, pop3_cmd_stat},  {STR("LIST"), AFTER, pop3_cmd_list},
    {STR("UIDL"), AFTER, pop3_cmd_uidl},  {STR("RETR"), AFTER, pop3_cmd_retr},
    {STR("TOP"), AFTER, pop3_cmd_top},    {STR("DELE"), AFTER, pop3_cmd_dele},
    {STR("RSET"), AFTER, pop3_cmd_rset},
};

static SUSPENDS enum status
serve_line(struct pop3_session *s, struct str line)
{
    ssize_t space = str_find(line, ' ');
    struct str name = space < 0 ? line : str_sub(line, 0, (size_t)space);
    /* PASS takes everything after one space: a password may begin or end with blanks. */
    struct str args = space < 0 ? STR_NONE : str_skip(line, (size_t)space + 1);

    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (!str_eq_nocase(name, verbs[i].name))
            continue;
        if (verbs[i].state == AFTER && s->account == 0)
            return pop3_err(s, "", "Log in first");
        if (verbs[i].state == BEFORE && s->account != 0)
            return pop3_err(s, "", "You are logged in");
        return verbs[i].serve(s, args);
    }
    return pop3_err(s, "", "There is no such command");
}

/* ---- the life of a session ---- */

static SUSPENDS enum status
serve_input(struct pop3_session *s)
{
    while (!s->quit) {
        struct str line;

        switch (conn_line(s->conn, &line)) {
        case OK:
            TRY(s->rest == POP3_REST_COMMAND ? serve_line(s, line) : pop3_sasl_line(s, line));
            break;
        case ERR_TEMP: return OK;
        case ERR_LIMIT:
            pop3_sasl_end(s);
            TRY(pop3_err(s, "", "The line is too long"));
            break;
        case ERR_SYNTAX:
            pop3_sasl_end(s);
            TRY(pop3_err(s, "", "A line ends with CR LF, and has no CR, LF or NUL inside"));
            break;
        default: return ERR_CLOSED;
        }
    }
    return OK;
}

static FIBER_ENTRY void *
session_opened(struct conn *c)
{
    struct pop3_session *s = MEM_NEW(struct pop3_session);

    s->conn = c;
    s->id = login_session_new();
    list_push(&sessions, &s->node);
    conn_line_max(c, LIMIT_SMTP_AUTH_LINE_BYTES); /* RFC 5034 section 4 wants 12,288 for AUTH too */
    conn_deadline(c, LIMIT_POP3_IDLE_S * 1000);
    conn_rest(c, REST_LINE);
    if (pop3_ok(s, "%.*s ready", STR_FMT(pop3_world->config->host)) != OK)
        conn_close(c);
    return s;
}

static FIBER_ENTRY void
session_wake(void *session, enum wake why)
{
    struct pop3_session *s = session;
    enum status e = OK;

    fiber_context()->session = conn_id(s->conn);
    switch (why) {
    case WAKE_INPUT: e = serve_input(s); break;
    case WAKE_TIMEOUT: /* RFC 1939 section 3: without UPDATE, and without a word */
    case WAKE_EOF: s->quit = true; break;
    case WAKE_NOTE:
        if (s->quit)
            e = pop3_err(s, "[AUTH]", "Your session was ended");
        break;
    }
    if (e != OK || s->quit)
        conn_close(s->conn);
}

static void
session_closed(void *session)
{
    struct pop3_session *s = session;

    if (s->account != 0)
        login_end(pop3_world->auth, pop3_world->store, s->id);
    pop3_sasl_end(s);
    pop3_ahead_end(s);
    list_remove(&s->node);
    mem_str_free(&s->name);
    mem_free(s->messages);
    mem_free(s);
}
