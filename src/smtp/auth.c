/* auth.c - AUTH PLAIN and LOGIN (RFC 4954, RFC 4616): the words; role auth decides.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "login/login.h"
#include "smtp/session.h"

static SUSPENDS enum status plain_response(struct smtp_session *s, struct str text);
static SUSPENDS enum status name_response(struct smtp_session *s, struct str text);
static SUSPENDS enum status password_response(struct smtp_session *s, struct str text);
static SUSPENDS enum status check(struct smtp_session *s, struct str name,
                                  const struct secret *password);

enum status
smtp_cmd_auth(struct smtp_session *s, struct str args)
{
    struct smtp_auth auth = smtp_auth_read(args);

    if (!smtp_is_submission(s))
        return smtp_error(s, 503, "5.5.1", "Users log in on port 465 or 587");
    if (s->account != 0)
        return smtp_error(s, 503, "5.5.1", "You are logged in");
    if (s->mail.open)
        return smtp_error(s, 503, "5.5.1", "Not in the middle of a message");
    if (!smtp_may_login(s))
        return smtp_error(s, 538, "5.7.11",
                          "Use STARTTLS first: passwords are never taken in clear");
    switch (auth.mechanism) {
    case SMTP_AUTH_PLAIN:
        if (auth.initial.len > 0)
            return plain_response(s, auth.initial);
        s->rest = SMTP_REST_AUTH_PLAIN;
        return conn_write(s->conn, STR("334 \r\n"));
    case SMTP_AUTH_LOGIN:
        if (auth.initial.len > 0)
            return name_response(s, auth.initial);
        s->rest = SMTP_REST_AUTH_NAME;
        return conn_write(s->conn, STR("334 VXNlcm5hbWU6\r\n")); /* "Username:" */
    case SMTP_AUTH_UNKNOWN: break;
    }
    return smtp_error(s, 504, "5.5.4", "Use PLAIN or LOGIN");
}

enum status
smtp_auth_line(struct smtp_session *s, struct str line)
{
    enum smtp_rest rest = s->rest;

    s->rest = SMTP_REST_COMMAND;
    if (str_eq(line, STR("*")))
        return smtp_error(s, 501, "5.7.0", "Log-in cancelled");
    switch (rest) {
    case SMTP_REST_AUTH_PLAIN: return plain_response(s, line);
    case SMTP_REST_AUTH_NAME: return name_response(s, line);
    case SMTP_REST_AUTH_PASSWORD: return password_response(s, line);
    default: UNREACHABLE();
    }
}

/* ---- statics ---- */

static enum status
plain_response(struct smtp_session *s, struct str text)
{
    AUTO_SECRET_BUF decoded = BUF(1400);
    AUTO_SECRET password = {0};
    struct str name;

    switch (login_plain_read(text, &decoded, &name, &password)) {
    case OK: return check(s, name, &password);
    case ERR_DENIED: return smtp_error(s, 535, "5.7.8", "Wrong name or password");
    default: return smtp_error(s, 501, "5.5.2", "This is not a PLAIN response");
    }
}

static enum status
name_response(struct smtp_session *s, struct str text)
{
    AUTO_BUF decoded = BUF(LIMIT_PASSWORD_BYTES);

    if (login_word_read(text, &decoded) != OK || decoded.len == 0)
        return smtp_error(s, 501, "5.5.2", "This is not base64");
    mem_str_free(&s->name);
    s->name = mem_str(buf_str(&decoded));
    s->rest = SMTP_REST_AUTH_PASSWORD;
    return conn_write(s->conn, STR("334 UGFzc3dvcmQ6\r\n")); /* "Password:" */
}

static enum status
password_response(struct smtp_session *s, struct str text)
{
    AUTO_SECRET_BUF decoded = BUF(LIMIT_PASSWORD_BYTES);
    AUTO_SECRET password = {0};

    if (login_word_read(text, &decoded) != OK || !secret_set(&password, buf_str(&decoded)))
        return smtp_error(s, 501, "5.5.2", "This is not base64");
    return check(s, s->name, &password);
}

static SUSPENDS enum status
refuse(struct smtp_session *s, enum status e)
{
    if (e != ERR_DENIED && e != ERR_LIMIT)
        return smtp_reply(s, 454, "4.7.0", "Cannot check passwords now, try again");
    if (++s->logins < LIMIT_LOGIN_ATTEMPTS && e == ERR_DENIED)
        return smtp_error(s, 535, "5.7.8", "Wrong name or password");
    s->quit = true;
    return smtp_reply(s, 421, "4.7.0", "Too many attempts, good bye");
}

static enum status
check(struct smtp_session *s, struct str name, const struct secret *password)
{
    AUTO_ARENA *a = arena_new(8192);
    struct login_from from = {
        .auth = smtp_world->auth, .protocol = LOGIN_SUBMISSION, .session = s->id, .conn = s->conn};
    struct login_account account;
    enum status e = login_check(&from, name, password, a, &account);

    if (e != OK)
        return refuse(s, e);
    s->account = account.account;
    s->address = mem_str(account.address);
    conn_authenticated(s->conn);
    return smtp_reply(s, 235, "2.7.0", "Welcome");
}
