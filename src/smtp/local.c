/* local.c - who calls on the socket of the sendmail command: the kernel says it, nobody has to log in.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "smtp/passwd.h"
#include "smtp/session.h"

static bool
is_trusted(uint32_t uid, struct str login)
{
    const struct config *c = smtp_world->config;

    if (uid == 0 || uid == geteuid())
        return true;
    for (size_t i = 0; i < c->trusted_count; i++)
        if (str_eq(c->trusted[i], login))
            return true;
    return false;
}

bool
smtp_local_begin(struct smtp_session *s)
{
    const struct config *c = smtp_world->config;
    char number[32], address[LIMIT_SMTP_PATH_BYTES + 1];
    struct str login;
    uint32_t uid;

    if (!conn_peer_uid(s->conn, &uid))
        return false;
    if (!passwd_name(smtp_world->passwd, uid, &login)) {
        snprintf(number, sizeof(number), "uid-%u", uid);
        login = str_of(number);
    }
    snprintf(address, sizeof(address), "%.*s@%.*s", STR_FMT(login),
             STR_FMT(c->domain.len > 0 ? c->domain : c->host));
    s->login = mem_str(login);
    s->address = mem_str(str_of(address));
    s->trusted = is_trusted(uid, login);
    conn_authenticated(s->conn);
    return true;
}
