/* server.c - the session: greeting, commands by table, states by data.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/size.h"
#include "login/login.h"
#include "rt/clock.h"
#include "smtp/milters.h"
#include "smtp/session.h"

/* What must hold before a verb is served. */
enum need {
    NEED_NOTHING,
    NEED_HELLO,
    NEED_LOGIN, /* on submission ports */
};
struct verb {
    struct str name;
    enum need need;
    bool idle; /* may come LIMIT_SMTP_IDLE_COMMANDS times without a message */
    enum status (*serve)(struct smtp_session *s, struct str args);
};

/* Two addresses, and words. */
enum { REPLY_TEXT_MAX = 2 * LIMIT_SMTP_PATH_BYTES + 512 };

const struct smtp_world *smtp_world;
static struct list sessions = {&sessions, &sessions};

static void *session_opened(struct conn *c);
static void session_wake(void *session, enum wake why);
static void session_closed(void *session);

const struct conn_ops smtp_ops = {
    .opened = session_opened,
    .wake = session_wake,
    .closed = session_closed,
};

void
smtp_init(const struct smtp_world *w)
{
    smtp_world = w;
    sasl_take_tokens(w->config->oauth.issuer);
}

void
smtp_revoked(uint64_t account, uint64_t session)
{
    list_each (node, &sessions) {
        struct smtp_session *s = LIST_ENTRY(node, struct smtp_session, node);
        if (s->account == account && (session == 0 || s->id == session)) {
            s->quit = true;
            conn_note(s->conn);
        }
    }
}

bool
smtp_is_submission(const struct smtp_session *s)
{
    return s->service == SERVICE_SUBMISSION || s->service == SERVICE_SUBMISSIONS ||
           s->service == SERVICE_SENDMAIL;
}

bool
smtp_is_lmtp(const struct smtp_session *s)
{
    return s->service == SERVICE_LMTP;
}

bool
smtp_may_relay(const struct smtp_session *s)
{
    const struct config *c = smtp_world->config;

    return s->service == SERVICE_SMTP && !conn_is_unix(s->conn) &&
           subnet_has(c->relay_from, c->relay_from_count, conn_peer_addr(s->conn));
}

bool
smtp_may_login(const struct smtp_session *s)
{
    return login_is_safe(s->conn, smtp_world->config->plaintext_loopback);
}

/* RFC 2852 is for them alone: what it asks for ends in reports to a sender, whom strangers may forge. */
static bool
is_ours(const struct smtp_session *s)
{
    return smtp_is_submission(s) || smtp_is_lmtp(s) || smtp_may_relay(s);
}

struct smtp_dialect
smtp_dialect_of(const struct smtp_session *s)
{
    return (struct smtp_dialect){.submission = smtp_is_submission(s),
                                 .utf8 = s->mail.said.smtputf8,
                                 .domain = smtp_world->config->domain,
                                 .now = clock_now(),
                                 .tls = conn_is_tls(s->conn),
                                 .ours = is_ours(s)};
}

/* Where a line of at most room bytes ends: at a blank if there is one late enough, never inside a character. */
static size_t
line_end(struct str text, size_t room)
{
    size_t n = room;

    if (text.len <= room)
        return text.len;
    while (n > room / 2 && text.ptr[n] != ' ')
        n--;
    if (n > room / 2)
        return n;
    n = room;
    while (n > room - 4 && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
        n--;
    return n;
}

/* Text that is too long for a line goes on in the next one, RFC 5321 section 4.2.1, with the same enhanced code. */
static SUSPENDS enum status
reply_text(struct smtp_session *s, int code, const char *enhanced, struct str text)
{
    const char *sub = enhanced != NULL ? enhanced : "";
    const char *blank = enhanced != NULL ? " " : "";
    size_t head = 4 + str_of(sub).len + str_of(blank).len;

    for (;;) {
        size_t n = line_end(text, LIMIT_SMTP_REPLY_LINE_BYTES - 2 - head);
        TRY(conn_printf(s->conn, "%d%c%s%s%.*s\r\n", code, n < text.len ? '-' : ' ', sub, blank,
                        STR_FMT(str_sub(text, 0, n))));
        if (n == text.len)
            return OK;
        text = str_skip(text, n + (text.ptr[n] == ' ' ? 1 : 0));
    }
}

enum status
smtp_reply(struct smtp_session *s, int code, const char *enhanced, const char *format, ...)
{
    char text[REPLY_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return reply_text(s, code, enhanced, str_of(text));
}

enum status
smtp_error(struct smtp_session *s, int code, const char *enhanced, const char *format, ...)
{
    char text[REPLY_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    TRY(reply_text(s, code, enhanced, str_of(text)));
    if (smtp_is_lmtp(s) || ++s->errors < LIMIT_SMTP_ERRORS)
        return OK;
    s->quit = true;
    return reply_text(s, 421, "4.7.0", STR("Too many errors, good bye"));
}

bool
smtp_idle_allowed(struct smtp_session *s)
{
    return s->idle++ < LIMIT_SMTP_IDLE_COMMANDS;
}

enum status
smtp_idle_end(struct smtp_session *s)
{
    s->quit = true;
    return smtp_reply(s, 421, "4.7.0", "Too many commands without a message, good bye");
}

void
smtp_kept(struct smtp_session *s)
{
    s->idle = 0;
    conn_did_well(s->conn);
}

enum status
smtp_problem(struct smtp_session *s, const struct problem *why)
{
    return smtp_error(s, why->reply, why->enhanced, "%s", why->text);
}

void
smtp_reset(struct smtp_session *s)
{
    struct arena *a = s->mail.arena;

    smtp_milters_drop(s);
    smtp_body_free(&s->mail.body);
    if (a != NULL)
        arena_free(&a);
    s->mail = (struct smtp_transaction){0};
    s->chunk_failed = false;
    s->rest = SMTP_REST_COMMAND;
}

/* ---- commands ---- */

/* RFC 2033 section 4.1: LHLO greets in LMTP and nowhere else, HELO and EHLO never there. */
static SUSPENDS enum status
refuse_hello(struct smtp_session *s)
{
    return smtp_error(s, 500, "5.5.1",
                      smtp_is_lmtp(s) ? "This is LMTP: say LHLO" : "There is no such command");
}

static SUSPENDS enum status
cmd_helo(struct smtp_session *s, struct str args)
{
    struct str name = str_trim(args);

    if (smtp_is_lmtp(s))
        return refuse_hello(s);
    if (name.len == 0 || name.len > 255)
        return smtp_error(s, 501, "5.5.4", "Your host name is missing, as in HELO host.example");
    smtp_milters_done(s);
    smtp_reset(s);
    mem_str_free(&s->helo);
    s->helo = mem_str(name);
    s->esmtp = false;
    return smtp_reply(s, 250, NULL, "%.*s", STR_FMT(smtp_world->config->host));
}

/* What users alone may ask for. */
static SUSPENDS enum status
offer_submission(struct smtp_session *s)
{
    struct instant most = {clock_now().us + LIMIT_FUTURE_RELEASE_S * INT64_C(1000000)};
    AUTO_BUF until = BUF(32);

    smtp_date_time_write(&until, most);
    return conn_printf(s->conn, "250-DSN\r\n250-FUTURERELEASE %d %.*s\r\n", LIMIT_FUTURE_RELEASE_S,
                       STR_FMT(buf_str(&until)));
}

static SUSPENDS enum status
greet(struct smtp_session *s, struct str args)
{
    struct str name = str_trim(args);
    struct str host = smtp_world->config->host;
    AUTO_BUF mechanisms = BUF(256);

    if (name.len == 0 || name.len > 255)
        return smtp_error(s, 501, "5.5.4", "Your host name is missing, as in %s host.example",
                          smtp_is_lmtp(s) ? "LHLO" : "EHLO");
    smtp_milters_done(s);
    smtp_reset(s);
    mem_str_free(&s->helo);
    s->helo = mem_str(name);
    s->esmtp = true;
    TRY(conn_printf(s->conn,
                    "250-%.*s%s%.*s\r\n250-PIPELINING\r\n250-SIZE %llu\r\n250-8BITMIME\r\n"
                    "250-CHUNKING\r\n250-BINARYMIME\r\n250-SMTPUTF8\r\n",
                    STR_FMT(host), s->login.len > 0 ? " Hello " : "",
                    STR_FMT(s->login.len > 0 ? s->address : STR("")),
                    (unsigned long long)smtp_world->config->message_bytes_max));
    if (is_ours(s))
        TRY(conn_printf(s->conn, "250-DELIVERBY %d\r\n", LIMIT_DELIVER_BY_MIN_S));
    TRY(conn_write(s->conn, STR("250-MT-PRIORITY MIXER\r\n")));
    if (conn_is_tls(s->conn)) /* RFC 8689 section 2 */
        TRY(conn_write(s->conn, STR("250-REQUIRETLS\r\n")));
    else if (conn_listener(s->conn)->tls != NULL)
        TRY(conn_write(s->conn, STR("250-STARTTLS\r\n")));
    if (smtp_is_submission(s) && s->login.len == 0 && smtp_may_login(s)) {
        sasl_list(s->conn, LOGIN_SUBMISSION, STR(" "), &mechanisms);
        TRY(conn_printf(s->conn, "250-AUTH%.*s\r\n", STR_FMT(buf_str(&mechanisms))));
    }
    if (smtp_is_submission(s))
        TRY(offer_submission(s));
    if (s->speaker)
        TRY(conn_write(s->conn,
                       STR("250-XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT\r\n")));
    return conn_printf(s->conn, "250-LIMITS MAILMAX=%d RCPTMAX=%zu\r\n250 ENHANCEDSTATUSCODES\r\n",
                       LIMIT_SMTP_MESSAGES_PER_CONN, smtp_rcpts_max(s));
}

static SUSPENDS enum status
cmd_ehlo(struct smtp_session *s, struct str args)
{
    return smtp_is_lmtp(s) ? refuse_hello(s) : greet(s, args);
}

static SUSPENDS enum status
cmd_lhlo(struct smtp_session *s, struct str args)
{
    return smtp_is_lmtp(s) ? greet(s, args) : refuse_hello(s);
}

/* RFC 3207 section 4: nothing learnt before the handshake is kept. */
static SUSPENDS enum status
cmd_starttls(struct smtp_session *s, struct str args)
{
    if (args.len > 0)
        return smtp_error(s, 501, "5.5.4", "STARTTLS takes no argument");
    if (conn_is_tls(s->conn))
        return smtp_error(s, 503, "5.5.1", "TLS is on already");
    if (s->account != 0)
        return smtp_error(s, 503, "5.5.1", "Too late: you are logged in");
    if (conn_listener(s->conn)->tls == NULL)
        return smtp_error(s, 454, "4.7.0", "TLS is not available now");
    TRY(smtp_reply(s, 220, "2.0.0", "Go ahead"));
    smtp_reset(s);
    mem_str_free(&s->helo);
    return conn_starttls(s->conn);
}

static SUSPENDS enum status
cmd_noop(struct smtp_session *s, struct str args)
{
    (void)args;
    return smtp_reply(s, 250, "2.0.0", "Fine");
}

static SUSPENDS enum status
cmd_rset(struct smtp_session *s, struct str args)
{
    if (args.len > 0)
        return smtp_error(s, 501, "5.5.4", "RSET takes no argument");
    smtp_milters_done(s);
    smtp_reset(s);
    return smtp_reply(s, 250, "2.0.0", "Forgotten");
}

static SUSPENDS enum status
cmd_quit(struct smtp_session *s, struct str args)
{
    (void)args;
    s->quit = true;
    smtp_milters_done(s);
    return smtp_reply(s, 221, "2.0.0", "Good bye");
}

/* RFC 5321 section 3.5.3: 252 promises nothing and tells nothing. */
static SUSPENDS enum status
cmd_vrfy(struct smtp_session *s, struct str args)
{
    if (str_trim(args).len == 0)
        return smtp_error(s, 501, "5.5.4", "VRFY what?");
    return smtp_reply(s, 252, "2.0.0", "Send some mail, and see");
}

static SUSPENDS enum status
cmd_expn(struct smtp_session *s, struct str args)
{
    (void)args;
    return smtp_error(s, 502, "5.5.1", "Lists are not shown");
}

static SUSPENDS enum status
cmd_help(struct smtp_session *s, struct str args)
{
    (void)args;
    TRY(conn_printf(s->conn,
                    "214-2.0.0 %s %sMAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT%s\r\n"
                    "214-2.0.0 RFC 5321 says what they do; %s tells which extensions there are\r\n",
                    smtp_is_lmtp(s) ? "LHLO" : "EHLO HELO",
                    conn_listener(s->conn)->tls != NULL ? "STARTTLS " : "",
                    smtp_is_submission(s) ? " AUTH" : "", smtp_is_lmtp(s) ? "LHLO" : "EHLO"));
    return smtp_reply(s, 214, "2.0.0", "People read mail to postmaster@%.*s",
                      STR_FMT(smtp_world->config->domain));
}

/* Verbs that are of SMTP, or were (RFC 1985, RFC 2645, RFC 5321 appendix F.6), and not served. */
static SUSPENDS enum status
cmd_unserved(struct smtp_session *s, struct str args)
{
    (void)args;
    return smtp_error(s, 502, "5.5.1", "This command is not served here");
}

/* A browser was led here (ALPACA): no second line of it is read. */
static SUSPENDS enum status
cmd_http(struct smtp_session *s, struct str args)
{
    (void)args;
    s->quit = true;
    return smtp_reply(s, 554, "5.5.1", "This is a mail server");
}

static const struct verb verbs[] = {
    {STR("MAIL"), NEED_LOGIN, false, smtp_cmd_mail},
    {STR("RCPT"), NEED_LOGIN, false, smtp_cmd_rcpt},
    {STR("DATA"), NEED_LOGIN, false, smtp_cmd_data},
    {STR("BDAT"), NEED_NOTHING, false, smtp_cmd_bdat},
    {STR("LHLO"), NEED_NOTHING, true, cmd_lhlo},
    {STR("EHLO"), NEED_NOTHING, true, cmd_ehlo},
    {STR("HELO"), NEED_NOTHING, true, cmd_helo},
    {STR("RSET"), NEED_NOTHING, true, cmd_rset},
    {STR("NOOP"), NEED_NOTHING, true, cmd_noop},
    {STR("QUIT"), NEED_NOTHING, false, cmd_quit},
    {STR("STARTTLS"), NEED_HELLO, false, cmd_starttls},
    {STR("XCLIENT"), NEED_NOTHING, true, smtp_cmd_xclient},
    {STR("AUTH"), NEED_HELLO, false, smtp_cmd_auth},
    {STR("VRFY"), NEED_LOGIN, true, cmd_vrfy},
    {STR("EXPN"), NEED_LOGIN, false, cmd_expn},
    {STR("HELP"), NEED_NOTHING, true, cmd_help},
    {STR("GET"), NEED_NOTHING, false, cmd_http},
    {STR("POST"), NEED_NOTHING, false, cmd_http},
    {STR("HEAD"), NEED_NOTHING, false, cmd_http},
    {STR("PUT"), NEED_NOTHING, false, cmd_http},
    {STR("OPTIONS"), NEED_NOTHING, false, cmd_http},
    {STR("CONNECT"), NEED_NOTHING, false, cmd_http},
    {STR("ETRN"), NEED_NOTHING, false, cmd_unserved},
    {STR("ATRN"), NEED_NOTHING, false, cmd_unserved},
    {STR("TURN"), NEED_NOTHING, false, cmd_unserved},
    {STR("SEND"), NEED_NOTHING, false, cmd_unserved},
    {STR("SOML"), NEED_NOTHING, false, cmd_unserved},
    {STR("SAML"), NEED_NOTHING, false, cmd_unserved},
};

struct smtp_reply
smtp_need_login(const struct smtp_session *s)
{
    if (s->helo.len == 0)
        return (struct smtp_reply){503, "5.5.1", "Say EHLO first"};
    if (!smtp_is_submission(s) || s->account != 0 || s->login.len > 0)
        return (struct smtp_reply){0};
    return (struct smtp_reply){530, "5.7.0",
                               smtp_may_login(s) ? "Log in first, with AUTH"
                                                 : "Use STARTTLS first, then log in with AUTH"};
}

/* What follows a BDAT that cannot be read is not to be taken for commands: smtp_cmd_bdat() ends the session. */
static SUSPENDS enum status
refuse_line(struct smtp_session *s, struct str verb, const char *text)
{
    if (str_eq_nocase(verb, STR("BDAT")))
        return smtp_cmd_bdat(s, STR_NONE);
    return smtp_error(s, 500, "5.5.2", "%s", text);
}

/* How many messages may be begun is limited, and so how many may be given up by RSET. */
static bool
is_idle(const struct smtp_session *s, const struct verb *v)
{
    return v->idle && !(v->serve == cmd_rset && s->mail.open);
}

static SUSPENDS enum status
serve_line(struct smtp_session *s, struct str line)
{
    struct str name, args;

    smtp_line_split(line, &name, &args);
    /* Only AUTH may have the length that the connection takes. */
    if (line.len > LIMIT_SMTP_LINE_BYTES && !str_eq_nocase(name, STR("AUTH")))
        return refuse_line(s, name, "The line is too long");
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (!str_eq_nocase(name, verbs[i].name))
            continue;
        if (verbs[i].need != NEED_NOTHING && s->helo.len == 0)
            return smtp_error(s, 503, "5.5.1", "Say %s first", smtp_is_lmtp(s) ? "LHLO" : "EHLO");
        struct smtp_reply no = smtp_need_login(s);
        if (verbs[i].need == NEED_LOGIN && no.code != 0)
            return smtp_error(s, no.code, no.enhanced, "%s", no.text);
        if (is_idle(s, &verbs[i]) && !smtp_idle_allowed(s))
            return smtp_idle_end(s);
        return verbs[i].serve(s, args);
    }
    return smtp_error(s, 500, "5.5.2", "There is no such command");
}

/* ---- the life of a session ---- */

static SUSPENDS enum status
serve_input(struct smtp_session *s)
{
    while (!s->quit) {
        struct str line, name, args;

        if (s->rest == SMTP_REST_BODY || s->rest == SMTP_REST_CHUNK) {
            enum status e = s->rest == SMTP_REST_BODY ? smtp_body_input(s) : smtp_chunk_input(s);
            if (e == ERR_TEMP)
                return OK; /* rests for more of the body */
            TRY(e);
            continue;
        }
        conn_rest(s->conn, REST_LINE);
        switch (conn_line(s->conn, &line)) {
        case OK:
            TRY(s->rest == SMTP_REST_COMMAND ? serve_line(s, line) : smtp_sasl_line(s, line));
            break;
        case ERR_TEMP: return OK;
        case ERR_LIMIT:
            /* RFC 4954 section 4: 5.5.6 for a response that is too long. */
            TRY(smtp_error(s, 500, s->rest == SMTP_REST_COMMAND ? "5.5.2" : "5.5.6",
                           "The line is too long"));
            smtp_sasl_end(s);
            break;
        case ERR_SYNTAX:
            smtp_sasl_end(s);
            smtp_line_split(line, &name, &args);
            TRY(refuse_line(s, name, "A line ends with CR LF, and has no CR, LF or NUL inside"));
            break;
        default: return ERR_CLOSED;
        }
    }
    return OK;
}

enum status
smtp_greeting(struct smtp_session *s)
{
    return conn_printf(s->conn, "220 %.*s %s Godwit\r\n", STR_FMT(smtp_world->config->host),
                       smtp_is_lmtp(s) ? "LMTP" : "ESMTP");
}

static FIBER_ENTRY void *
session_opened(struct conn *c)
{
    struct smtp_session *s = MEM_NEW(struct smtp_session);

    s->conn = c;
    s->service = (enum service)conn_listener(c)->kind;
    s->id = login_session_new();
    list_push(&sessions, &s->node);
    conn_line_max(c, LIMIT_SMTP_AUTH_LINE_BYTES);
    conn_deadline(c, LIMIT_SMTP_IDLE_S * 1000);
    conn_rest(c, REST_LINE);
    s->speaker = smtp_may_xclient(s);
    if ((s->service == SERVICE_SENDMAIL && !smtp_local_begin(s)) || smtp_greeting(s) != OK)
        conn_close(c);
    return s;
}

/* Nothing came for a while.  What the session holds of milters goes first; it goes itself when nothing came for
 * LIMIT_SMTP_IDLE_S.  How much of that is left; 0: none. */
static SUSPENDS int64_t
outwait(struct smtp_session *s)
{
    int64_t patience = smtp_milters_patience(s),
            left = LIMIT_SMTP_IDLE_S * INT64_C(1000) - patience;

    if (s->rest != SMTP_REST_COMMAND || patience == 0 || left <= 0)
        return 0;
    smtp_milters_park(s);
    return left;
}

/* How long it may be silent now. */
static int64_t
idle_ms(const struct smtp_session *s)
{
    int64_t patience = s->rest == SMTP_REST_COMMAND ? smtp_milters_patience(s) : 0;

    return patience > 0 ? MIN(patience, LIMIT_SMTP_IDLE_S * INT64_C(1000))
                        : LIMIT_SMTP_IDLE_S * INT64_C(1000);
}

static FIBER_ENTRY void
session_wake(void *session, enum wake why)
{
    struct smtp_session *s = session;
    enum status e = OK;
    int64_t left = 0; /* 0: what was said before holds */

    fiber_context()->session = conn_id(s->conn);
    switch (why) {
    case WAKE_INPUT:
        e = serve_input(s);
        left = idle_ms(s);
        break;
    case WAKE_TIMEOUT:
        left = outwait(s);
        if (left > 0)
            break;
        s->quit = true;
        e = smtp_reply(s, 421, "4.4.2", "Nothing came for too long, good bye");
        break;
    case WAKE_NOTE:
        if (s->quit)
            e = smtp_reply(s, 421, "4.7.0", "Your session was ended, good bye");
        break;
    case WAKE_EOF: s->quit = true; break;
    }
    if (e != OK || s->quit)
        conn_close(s->conn);
    else if (left > 0)
        conn_deadline(s->conn, left);
}

static void
session_closed(void *session)
{
    struct smtp_session *s = session;

    smtp_reset(s);
    smtp_sasl_end(s);
    if (s->account != 0)
        login_end(smtp_world->auth, smtp_world->store, s->id);
    list_remove(&s->node);
    mem_str_free(&s->helo);
    mem_str_free(&s->address);
    mem_str_free(&s->login);
    mem_free(s->verdict);
    mem_free(s);
}
