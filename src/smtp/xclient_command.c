/* xclient_command.c - XCLIENT: a mail program of ours says for whom it speaks, and the session begins anew.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/session.h"
#include "smtp/xclient.h"

static void
log_client(const struct smtp_session *s, struct str via)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_SMTP_XCLIENT))
        return;
    log_str(&l, "via", via);
    log_str(&l, "peer", conn_peer(s->conn));
    log_str(&l, "helo", s->helo);
}

bool
smtp_may_xclient(const struct smtp_session *s)
{
    const struct config *c = smtp_world->config;

    return (s->service == SERVICE_SMTP || s->service == SERVICE_SUBMISSION) &&
           !conn_is_unix(s->conn) &&
           subnet_has(c->xclient_from, c->xclient_from_count, conn_peer_addr(s->conn));
}

/* The port, in an address whose family is known. */
static void
set_port(struct sockaddr_storage *a, uint16_t port)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    if (a->ss_family == AF_INET6) {
        mem_copy(&six, a, sizeof(six));
        six.sin6_port = htons(port);
        mem_copy(a, &six, sizeof(six));
    } else {
        mem_copy(&four, a, sizeof(four));
        four.sin_port = htons(port);
        mem_copy(a, &four, sizeof(four));
    }
}

enum status
smtp_cmd_xclient(struct smtp_session *s, struct str args)
{
    AUTO_ARENA *a = arena_new(65536);
    struct str via = arena_str(a, conn_peer(s->conn));
    struct xclient x;

    if (!s->speaker)
        return smtp_error(s, 550, "5.7.0", "You may not speak for others");
    if (s->mail.open)
        return smtp_error(s, 503, "5.5.1", "Not in the middle of a message");
    if (s->account != 0)
        return smtp_error(s, 503, "5.5.1", "Too late: you are logged in");
    if (xclient_read(args, a, &x) != OK)
        return smtp_error(s, 501, "5.5.4", "An attribute or its value is not known here");
    if ((x.has & XCLIENT_ADDR) != 0) {
        set_port(&x.addr, (x.has & XCLIENT_PORT) != 0 ? x.port : 0);
        enum status e = conn_speaks_for(s->conn, &x.addr);
        s->quit = e != OK;
        if (e == ERR_DENIED)
            return smtp_reply(s, 554, "5.7.1", "That client may not connect");
        if (e != OK) {
            return smtp_reply(s, 421, "4.7.0", "Too many connections of that client");
        }
    }
    smtp_reset(s);
    mem_str_free(&s->helo);
    s->errors = 0;
    if ((x.has & XCLIENT_HELO) != 0)
        s->helo = mem_str(x.helo);
    s->esmtp = (x.has & XCLIENT_PROTO) != 0 && x.esmtp;
    log_client(s, via);
    return smtp_greeting(s);
}
