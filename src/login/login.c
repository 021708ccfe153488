/* login.c - SASL words and the question to role auth.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "login/login.h"

#include "base/encode.h"
#include "base/size.h"
#include "config/events.h"
#include "config/stats.h"
#include "ipc/auth_ipc.h"
#include "ipc/store_ipc.h"
#include "rt/logger.h"

static const char *const protocol_names[] = {"imap", "pop3", "submission", "web"};
static_assert(COUNT_OF(protocol_names) == LOGIN_WEB + 1, "a name for every protocol");

void
login_wipe(struct buf *b)
{
    if (b->ptr != NULL)
        mem_wipe(b->ptr, b->cap);
    buf_release(b);
}

enum status
login_word_read(struct str base64, struct buf *decoded)
{
    return str_eq(base64, STR("=")) ? OK : base64_decode(base64, decoded);
}

enum status
login_plain_read(struct str base64, struct buf *decoded, struct str *name_out,
                 struct secret *password_out)
{
    struct str authzid, name;

    TRY(login_word_read(base64, decoded));
    struct str rest = buf_str(decoded);
    /* After the second NUL something stands, be it nothing: no rest at all means that there was none. */
    if (!str_split(&rest, '\0', &authzid) || !str_split(&rest, '\0', &name) || rest.ptr == NULL ||
        name.len == 0 || str_find(rest, '\0') >= 0)
        return ERR_SYNTAX;
    if (authzid.len > 0 && !str_eq_nocase(authzid, name))
        return ERR_DENIED;
    if (!secret_set(password_out, rest))
        return ERR_SYNTAX;
    *name_out = name;
    return OK;
}

uint64_t
login_session_new(void)
{
    static uint64_t made;

    return ++made;
}

void
login_log(const struct login_from *f, struct str name, enum status e, struct str app)
{
    stat_add(e == OK ? STAT_LOGINS_GOOD : e == ERR_DENIED ? STAT_LOGINS_BAD : STAT_LOGINS_UNKNOWN);
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, EVENT_LOGIN))
        return;
    log_str(&l, "proto", str_of(protocol_names[f->protocol]));
    log_str(&l, "peer", conn_peer(f->conn));
    log_str(&l, "login", name);
    log_str(&l, "tls", conn_is_tls(f->conn) ? STR("yes") : STR("no"));
    log_str(&l, "result", str_of(status_name(e)));
    if (app.len > 0)
        log_str(&l, "app", app);
}

struct str
login_tls_version(const struct conn *c)
{
    struct str rest = conn_is_tls(c) ? conn_tls_name(c) : STR_NONE, version = STR("");

    (void)str_split(&rest, ' ', &version);
    return str_sub(version, 0, 16);
}

enum status
login_check(const struct login_from *f, struct str name, const struct secret *password,
            struct arena *a, struct login_account *out)
{
    struct auth_login req = {
        .session = *f->session,
        .protocol = (uint8_t)f->protocol,
        .peer = conn_peer(f->conn),
        .tls = conn_is_tls(f->conn),
        .tls_version = login_tls_version(f->conn),
        .login = name,
        .password = secret_str(password),
    };
    struct auth_login_reply rep;
    enum status e = name.len > 512    ? ERR_DENIED
                    : f->auth == NULL ? ERR_TEMP
                                      : auth_login_call(f->auth, &req, a, &rep);

    login_log(f, name, e, e == OK ? rep.app : STR_NONE);
    if (e == ERR_CLOSED)
        login_renew(f);
    TRY(e);
    *out = (struct login_account){
        .account = rep.account, .address = rep.address, .rights = rep.rights};
    return OK;
}

void
login_end(struct ipc_peer *auth, struct ipc_peer *store, uint64_t session)
{
    struct auth_session_end end = {.session = session};
    struct store_session_end forget = {.session = session};

    /* A lost channel to either ends what that one knows; the other is told all the same. */
    bool auth_told = auth == NULL || auth_session_end_note(auth, &end) == OK;
    bool store_told = store == NULL || store_session_end_note(store, &forget) == OK;
    (void)auth_told, (void)store_told;
}

void
login_renew(const struct login_from *f)
{
    login_end(f->auth, f->store, *f->session);
    *f->session = login_session_new();
}

bool
login_is_safe(const struct conn *c, bool plaintext_loopback)
{
    return conn_is_tls(c) || (plaintext_loopback && conn_peer_is_loopback(c));
}
