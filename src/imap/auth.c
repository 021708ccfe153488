/* auth.c - capabilities, TLS, log-in and log-out, and the commands that need no mailbox.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/commands.h"
#include "imap/user.h"
#include "login/login.h"

/* The answer that AUTHENTICATE waits for. */
enum sasl { SASL_NONE, SASL_PLAIN, SASL_NAME, SASL_PASSWORD };

static SUSPENDS enum status log_in(struct imap_cmd *c, struct str name,
                                   const struct secret *password);

static bool
is_safe(const struct imap_session *s)
{
    return login_is_safe(s->conn, imap_world->config->plaintext_loopback);
}

/* ---- capabilities ---- */

/* The same before and after log-in but for what concerns the log-in itself: clients keep the first list they see. */
void
imap_capability_list(const struct imap_session *s, struct buf *b)
{
    buf_add(
        b, STR("IMAP4rev1 SASL-IR LITERAL+ ENABLE IDLE ID NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN "
               "LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE ESEARCH XLIST"));
    if (s->state != IMAP_NOT_AUTH)
        return;
    if (!conn_is_tls(s->conn) && conn_listener(s->conn)->tls != NULL)
        buf_add(b, STR(" STARTTLS"));
    buf_add(b, is_safe(s) ? STR(" AUTH=PLAIN AUTH=LOGIN") : STR(" LOGINDISABLED"));
}

SUSPENDS enum status
imap_cmd_capability(struct imap_cmd *c)
{
    AUTO_BUF b = BUF(1024);

    if (!imap_scan_end(&c->in))
        return imap_bad(c, "CAPABILITY takes no argument");
    buf_add(&b, STR("* CAPABILITY "));
    imap_capability_list(c->s, &b);
    buf_add(&b, STR("\r\n"));
    TRY(conn_write(c->s->conn, buf_str(&b)));
    return imap_ok(c, NULL, "That is what this server can do");
}

/* "ID" SP ("NIL" / "(" [string SP nstring *(...)] ")")      RFC 2971 */
SUSPENDS enum status
imap_cmd_id(struct imap_cmd *c)
{
    struct str word;

    if (!imap_scan_sp(&c->in))
        return imap_bad(c, "Expected ID NIL or ID (names and values)");
    if (scan_char(&c->in, '(')) {
        scan_skip_spaces(&c->in);
        while (!scan_char(&c->in, ')')) {
            if (!imap_scan_nstring(&c->in, c->arena, &word))
                return imap_bad(c, "Expected names and values as strings");
            scan_skip_spaces(&c->in);
        }
    } else if (!imap_scan_nstring(&c->in, c->arena, &word)) {
        return imap_bad(c, "Expected ID NIL or ID (names and values)");
    }
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "Expected ID NIL or ID (names and values)");
    TRY(imap_untagged(c->s, "ID (\"name\" \"Godwit\")"));
    return imap_ok(c, NULL, "Pleased to meet you");
}

/* "ENABLE" 1*(SP capability)      RFC 5161: what is not known, or needs no switch, is passed over. */
SUSPENDS enum status
imap_cmd_enable(struct imap_cmd *c)
{
    struct str word;

    do {
        if (!imap_scan_sp(&c->in) || !imap_scan_atom(&c->in, &word))
            return imap_bad(c, "Enable what?");
    } while (!imap_scan_end(&c->in));
    TRY(imap_untagged(c->s, "ENABLED"));
    return imap_ok(c, NULL, "Nothing of that needs a switch");
}

/* RFC 2342 */
SUSPENDS enum status
imap_cmd_namespace(struct imap_cmd *c)
{
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "NAMESPACE takes no argument");
    TRY(imap_untagged(c->s, "NAMESPACE ((\"\" \"/\")) NIL NIL"));
    return imap_ok(c, NULL, "One namespace");
}

/* NOOP and CHECK ask the store, so that who was told elsewhere of a change surely sees it here. */
SUSPENDS enum status
imap_cmd_noop(struct imap_cmd *c)
{
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "There is an argument too many");
    if (c->s->box != NULL && box_refresh(c->s->box, c->s, true) != OK) {
        /* Away: the news comes with a later command.  Gone: imap_ok() says so. */
    }
    return imap_ok(c, NULL, "Done");
}

SUSPENDS enum status
imap_cmd_logout(struct imap_cmd *c)
{
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "LOGOUT takes no argument");
    TRY(imap_bye(c->s, "Good bye"));
    return imap_ok(c, NULL, "Logged out");
}

/* RFC 3501 section 6.2.1: nothing learnt before the handshake is kept. */
SUSPENDS enum status
imap_cmd_starttls(struct imap_cmd *c)
{
    if (!imap_scan_end(&c->in))
        return imap_bad(c, "STARTTLS takes no argument");
    if (conn_is_tls(c->s->conn))
        return imap_bad(c, "TLS is on already");
    if (conn_listener(c->s->conn)->tls == NULL)
        return imap_no(c, "UNAVAILABLE", "TLS is not available now");
    TRY(imap_ok(c, NULL, "Begin TLS now"));
    return conn_starttls(c->s->conn);
}

/* ---- log-in ---- */

static SUSPENDS enum status
refuse_clear(struct imap_cmd *c)
{
    return imap_no(c, "PRIVACYREQUIRED", "Use TLS first: passwords are never taken in clear");
}

/* "LOGIN" SP userid SP password */
SUSPENDS enum status
imap_cmd_login(struct imap_cmd *c)
{
    AUTO_SECRET password = {0};
    struct str name, text;

    if (!is_safe(c->s))
        return refuse_clear(c);
    if (!imap_scan_sp(&c->in) || !imap_scan_astring(&c->in, c->arena, &name) ||
        !imap_scan_sp(&c->in) || !imap_scan_astring(&c->in, c->arena, &text) ||
        !imap_scan_end(&c->in))
        return imap_bad(c, "Expected LOGIN name password");
    if (!secret_set(&password, text))
        return imap_no(c, "AUTHENTICATIONFAILED", "Wrong name or password");
    return log_in(c, name, &password);
}

static SUSPENDS enum status
ask(struct imap_cmd *c, enum sasl what, struct str prompt)
{
    struct imap_session *s = c->s;

    if (s->tag.len == 0)
        s->tag = mem_str(c->tag);
    s->sasl = (uint8_t)what;
    imap_go_rest(s, IMAP_REST_SASL);
    return conn_write(s->conn, prompt);
}

static SUSPENDS enum status
plain_answer(struct imap_cmd *c, struct str text)
{
    AUTO_SECRET_BUF decoded = BUF(1400);
    AUTO_SECRET password = {0};
    struct str name;

    switch (login_plain_read(text, &decoded, &name, &password)) {
    case OK: return log_in(c, name, &password);
    case ERR_DENIED: return imap_no(c, "AUTHORIZATIONFAILED", "You can only act as yourself");
    default: return imap_bad(c, "This is not a PLAIN response");
    }
}

static SUSPENDS enum status
name_answer(struct imap_cmd *c, struct str text)
{
    AUTO_BUF decoded = BUF(LIMIT_PASSWORD_BYTES);

    if (login_word_read(text, &decoded) != OK || decoded.len == 0)
        return imap_bad(c, "This is not base64");
    mem_str_free(&c->s->address);
    c->s->address = mem_str(buf_str(&decoded));
    return ask(c, SASL_PASSWORD, STR("+ UGFzc3dvcmQ6\r\n")); /* "Password:" */
}

static SUSPENDS enum status
password_answer(struct imap_cmd *c, struct str text)
{
    AUTO_SECRET_BUF decoded = BUF(LIMIT_PASSWORD_BYTES);
    AUTO_SECRET password = {0};
    AUTO(mem_str_free) struct str name = c->s->address;

    c->s->address = STR_NONE;
    if (login_word_read(text, &decoded) != OK || !secret_set(&password, buf_str(&decoded)))
        return imap_bad(c, "This is not base64");
    return log_in(c, name, &password);
}

/* "AUTHENTICATE" SP mechanism [SP initial-response]      RFC 4959 */
SUSPENDS enum status
imap_cmd_authenticate(struct imap_cmd *c)
{
    struct str mechanism, first = STR_NONE;

    if (!is_safe(c->s))
        return refuse_clear(c);
    if (!imap_scan_sp(&c->in) || !imap_scan_atom(&c->in, &mechanism))
        return imap_bad(c, "Which mechanism?");
    if (imap_scan_sp(&c->in))
        first = str_trim(scan_rest(&c->in));
    if (str_eq_nocase(mechanism, STR("PLAIN")))
        return first.len > 0 ? plain_answer(c, first) : ask(c, SASL_PLAIN, STR("+ \r\n"));
    if (str_eq_nocase(mechanism, STR("LOGIN")))
        return first.len > 0 ? name_answer(c, first)
                             : ask(c, SASL_NAME, STR("+ VXNlcm5hbWU6\r\n")); /* "Username:" */
    return imap_no(c, "CANNOT", "Use PLAIN or LOGIN");
}

enum status
imap_sasl_line(struct imap_session *s, struct str line)
{
    AUTO_ARENA *a = arena_new(8192);
    AUTO(mem_str_free) struct str tag = s->tag;
    struct imap_cmd c = {.s = s, .arena = a, .tag = tag};
    enum sasl what = s->sasl;

    s->tag = STR_NONE;
    s->sasl = SASL_NONE;
    imap_go_rest(s, IMAP_REST_COMMAND);
    if (str_eq(line, STR("*")))
        return imap_bad(&c, "Log-in cancelled"); /* RFC 3501 section 6.2.2 */
    switch (what) {
    case SASL_PLAIN: return plain_answer(&c, line);
    case SASL_NAME: return name_answer(&c, line);
    case SASL_PASSWORD: return password_answer(&c, line);
    case SASL_NONE: break;
    }
    UNREACHABLE();
}

static SUSPENDS enum status
refuse(struct imap_cmd *c, enum status e)
{
    bool last = e == ERR_LIMIT || ++c->s->logins >= LIMIT_LOGIN_ATTEMPTS;

    if (e == ERR_DENIED)
        TRY(imap_no(c, "AUTHENTICATIONFAILED", "Wrong name or password"));
    else if (e == ERR_LIMIT)
        TRY(imap_no(c, "LIMIT", "Too many attempts, try again later"));
    else
        TRY(imap_no(c, "UNAVAILABLE", "Passwords cannot be checked now, try again"));
    return last ? imap_bye(c->s, "Too many attempts to log in") : OK;
}

static SUSPENDS enum status
too_many(struct imap_cmd *c)
{
    login_end(imap_world->auth, imap_world->store, c->s->id);
    c->s->id = login_session_new();
    return imap_no(c, "LIMIT", "This account has too many connections");
}

static enum status
log_in(struct imap_cmd *c, struct str name, const struct secret *password)
{
    struct imap_session *s = c->s;
    AUTO_ARENA *a = arena_new(16384);
    AUTO_BUF code = BUF(1024);
    struct login_from from = {
        .auth = imap_world->auth, .protocol = LOGIN_IMAP, .session = s->id, .conn = s->conn};
    struct login_account account;
    enum status e = login_check(&from, name, password, a, &account);

    if (e != OK)
        return refuse(c, e);
    struct imap_user *u = imap_user_take(account.account);
    if (u->session_count >= LIMIT_SESSIONS_PER_ACCOUNT)
        return too_many(c);
    u->session_count++;
    list_remove(&s->node);
    list_push(&u->sessions, &s->node);
    s->account = account.account;
    mem_str_free(&s->address);
    s->address = mem_str(account.address);
    s->state = IMAP_AUTH;
    conn_authenticated(s->conn);
    conn_line_max(s->conn, LIMIT_IMAP_COMMAND_BYTES);
    conn_deadline(s->conn, LIMIT_IMAP_IDLE_S * 1000);
    buf_add(&code, STR("CAPABILITY "));
    imap_capability_list(s, &code);
    buf_add_char(&code, '\0');
    return imap_ok(c, code.ptr, "Logged in");
}
