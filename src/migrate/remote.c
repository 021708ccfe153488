/* remote.c - see remote.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "migrate/remote.h"

#include "base/encode.h"

enum { PLAIN_MAX = 2048 };

enum status
remote_connect(const struct remote_server *r, struct conn **out, struct problem *why)
{
    enum status s = ERR_TEMP;
    struct conn *c = NULL;

    for (size_t i = 0; s != OK && s != ERR_CANCELLED && i < r->target_count; i++)
        s = conn_connect(&r->targets[i], &c);
    if (s != OK) {
        problem_set(why, 0, "", "%s",
                    s == ERR_TIMEOUT ? "the connection timed out" : "the connection was refused");
        return s == ERR_CANCELLED ? s : ERR_TEMP;
    }
    s = r->mode == REMOTE_TLS ? remote_secure(r, c, why) : OK;
    if (s == OK)
        *out = c;
    else
        conn_free(&c);
    return s;
}

enum status
remote_secure(const struct remote_server *r, struct conn *c, struct problem *why)
{
    ASSERT(r->tls != NULL);
    enum status s = conn_connect_tls(c, r->tls, r->name);
    if (s == ERR_DENIED)
        problem_set(why, 0, "", "the certificate does not prove the name %.*s", STR_FMT(r->name));
    else if (s != OK)
        problem_set(why, 0, "", "the TLS handshake failed");
    return s == OK || s == ERR_DENIED || s == ERR_CANCELLED ? s : ERR_TEMP;
}

/* message = [authzid] NUL authcid NUL passwd      RFC 4616 section 2 */
enum status
remote_plain(const struct remote_login *l, struct buf *out)
{
    AUTO_BUF plain = BUF(PLAIN_MAX);
    bool other = l->master.len > 0 && l->separator == '\0';

    if (str_find(l->user, '\0') >= 0 || str_find(l->master, '\0') >= 0 ||
        str_find(l->password, '\0') >= 0)
        return ERR_SYNTAX;
    if (other)
        buf_add(&plain, l->user);
    buf_add_char(&plain, '\0');
    if (other)
        buf_add(&plain, l->master);
    else
        remote_user(l, &plain);
    buf_add_char(&plain, '\0');
    buf_add(&plain, l->password);
    enum status s = buf_status(&plain);
    if (s == OK)
        buf_add_base64(out, buf_str(&plain));
    if (plain.cap > 0)
        mem_wipe(plain.ptr, plain.cap);
    TRY(s);
    return buf_status(out);
}

void
remote_user(const struct remote_login *l, struct buf *out)
{
    buf_add(out, l->user);
    if (l->master.len > 0 && l->separator != '\0') {
        buf_add_char(out, l->separator);
        buf_add(out, l->master);
    }
}

/* ---- a file of accounts ---- */

bool
remote_account_next(struct remote_accounts *l, struct remote_account *out)
{
    struct str line, rest = scan_rest(&l->in);

    while (rest.len > 0) {
        (void)str_split(&rest, '\n', &line);
        l->in.pos += line.len + (rest.ptr != NULL);
        l->line++;
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (str_trim(line).len == 0 || line.ptr[0] == '#')
            continue;
        struct remote_account x = {.line = l->line};
        char between = str_find(line, '\t') >= 0 ? '\t' : ',';
        (void)str_split(&line, between, &x.address);
        if (line.ptr != NULL)
            (void)str_split(&line, between, &x.user);
        x.address = str_trim(x.address);
        x.user = str_trim(x.user);
        x.password = line; /* as it stands, blanks as well */
        *out = x;
        return true;
    }
    return false;
}
