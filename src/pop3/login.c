/* login.c - USER and PASS, AUTH PLAIN and LOGIN.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "login/login.h"

#include "pop3/session.h"

static SUSPENDS enum status check(struct pop3_session *s, struct str name,
                                  const struct secret *password);

static bool
is_safe(const struct pop3_session *s)
{
    return login_is_safe(s->conn, pop3_world->config->plaintext_loopback);
}

static SUSPENDS enum status
refuse_clear(struct pop3_session *s)
{
    return pop3_err(s, "", "Use STLS first: passwords are never taken in clear");
}

enum status
pop3_cmd_user(struct pop3_session *s, struct str args)
{
    if (!is_safe(s))
        return refuse_clear(s);
    if (args.len == 0 || args.len > 512)
        return pop3_err(s, "", "Expected USER name");
    mem_str_free(&s->name);
    s->name = mem_str(args);
    return pop3_ok(s, "Now the password");
}

enum status
pop3_cmd_pass(struct pop3_session *s, struct str args)
{
    AUTO_SECRET password = {0};

    if (!is_safe(s))
        return refuse_clear(s);
    if (s->name.len == 0)
        return pop3_err(s, "", "Say USER first");
    if (!secret_set(&password, args))
        return pop3_err(s, "[AUTH]", "Wrong name or password");
    return check(s, s->name, &password);
}

static SUSPENDS enum status
plain_response(struct pop3_session *s, struct str text)
{
    AUTO_SECRET_BUF decoded = BUF(1400);
    AUTO_SECRET password = {0};
    struct str name;

    switch (login_plain_read(text, &decoded, &name, &password)) {
    case OK: return check(s, name, &password);
    case ERR_DENIED: return pop3_err(s, "[AUTH]", "Wrong name or password");
    default: return pop3_err(s, "", "This is not a PLAIN response");
    }
}

static SUSPENDS enum status
name_response(struct pop3_session *s, struct str text)
{
    AUTO_BUF decoded = BUF(LIMIT_PASSWORD_BYTES);

    if (login_word_read(text, &decoded) != OK || decoded.len == 0)
        return pop3_err(s, "", "This is not base64");
    mem_str_free(&s->name);
    s->name = mem_str(buf_str(&decoded));
    s->rest = POP3_REST_PASSWORD;
    return conn_write(s->conn, STR("+ UGFzc3dvcmQ6\r\n")); /* "Password:" */
}

static SUSPENDS enum status
password_response(struct pop3_session *s, struct str text)
{
    AUTO_SECRET_BUF decoded = BUF(LIMIT_PASSWORD_BYTES);
    AUTO_SECRET password = {0};

    if (login_word_read(text, &decoded) != OK || !secret_set(&password, buf_str(&decoded)))
        return pop3_err(s, "", "This is not base64");
    return check(s, s->name, &password);
}

/* "AUTH" [SP mechanism [SP initial-response]]      RFC 5034 section 4.  Old Outlook asks with "AUTH" and a blank
 * for the list. */
enum status
pop3_cmd_auth(struct pop3_session *s, struct str args)
{
    struct str rest = str_trim(args), mechanism;

    if (!is_safe(s))
        return refuse_clear(s);
    if (rest.len == 0 ||
        !str_split(&rest, ' ', &mechanism)) /* Outlook leaves a blank behind AUTH */
        return conn_write(s->conn, STR("+OK Mechanisms\r\nPLAIN\r\nLOGIN\r\n.\r\n"));
    rest = str_trim(rest);
    if (str_eq_nocase(mechanism, STR("PLAIN"))) {
        if (rest.len > 0)
            return plain_response(s, rest);
        s->rest = POP3_REST_PLAIN;
        return conn_write(s->conn, STR("+ \r\n"));
    }
    if (str_eq_nocase(mechanism, STR("LOGIN"))) {
        if (rest.len > 0)
            return name_response(s, rest);
        s->rest = POP3_REST_NAME;
        return conn_write(s->conn, STR("+ VXNlcm5hbWU6\r\n")); /* "Username:" */
    }
    return pop3_err(s, "", "Use PLAIN or LOGIN");
}

enum status
pop3_auth_line(struct pop3_session *s, struct str line)
{
    enum pop3_rest rest = s->rest;

    s->rest = POP3_REST_COMMAND;
    if (str_eq(line, STR("*")))
        return pop3_err(s, "", "Log-in cancelled");
    switch (rest) {
    case POP3_REST_PLAIN: return plain_response(s, line);
    case POP3_REST_NAME: return name_response(s, line);
    case POP3_REST_PASSWORD: return password_response(s, line);
    case POP3_REST_COMMAND: break;
    }
    UNREACHABLE();
}

static SUSPENDS enum status
refuse(struct pop3_session *s, enum status e)
{
    if (e == ERR_LIMIT || ++s->logins >= LIMIT_LOGIN_ATTEMPTS)
        s->quit = true;
    if (e == ERR_DENIED)
        return pop3_err(s, "[AUTH]", "Wrong name or password");
    if (e == ERR_LIMIT)
        return pop3_err(s, "[SYS/TEMP]", "Too many attempts, try again later");
    return pop3_err(s, "[SYS/TEMP]", "Cannot check passwords now, try again");
}

static enum status
check(struct pop3_session *s, struct str name, const struct secret *password)
{
    AUTO_ARENA *a = arena_new(8192);
    struct login_from from = {
        .auth = pop3_world->auth, .protocol = LOGIN_POP3, .session = s->id, .conn = s->conn};
    struct login_account account;
    enum status e = login_check(&from, name, password, a, &account);

    if (e != OK)
        return refuse(s, e);
    s->account = account.account;
    conn_authenticated(s->conn);
    if (pop3_load(s) != OK) {
        s->quit = true;
        return pop3_err(s, "[SYS/TEMP]", "Cannot open the mailbox now, try again");
    }
    return pop3_ok(s, "%zu messages", s->count);
}
