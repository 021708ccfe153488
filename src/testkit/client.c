/* client.c - see client.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "testkit/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/config.h"

enum { PATIENCE_MS = 60000, INPUT_MAX = 8 << 20 };

/* As by a socket in the file system: the kernel knows who calls. */
static bool
connect_unix(struct client *c, struct listener *to)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return false;
    c->fd = ends[0];
    buf_init(&c->input, INPUT_MAX);
    return listener_adopt(to, ends[1]) == OK;
}

bool
client_connect(struct client *c, struct listener *to)
{
    if (service_is_unix((enum service)to->kind))
        return connect_unix(c, to);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = bind(l, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(l, 1) == 0 &&
                getsockname(l, (struct sockaddr *)&at, &len) == 0 &&
                connect(c->fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
                fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0 &&
                listener_adopt(to, accept4(l, NULL, NULL, flags)) == OK;
    close(l);
    buf_init(&c->input, INPUT_MAX);
    return good;
}

/* What a call of OpenSSL wants before it is tried again: OK when it may be. */
static SUSPENDS enum status
wait_tls(const struct client *c, int result)
{
    int why = SSL_get_error(c->ssl, result);

    ERR_clear_error();
    if (why == SSL_ERROR_WANT_READ)
        return fiber_wait_fd(c->fd, EPOLLIN, PATIENCE_MS);
    if (why == SSL_ERROR_WANT_WRITE)
        return fiber_wait_fd(c->fd, EPOLLOUT, PATIENCE_MS);
    return ERR_CLOSED;
}

bool
client_tls(struct client *c)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    enum status e = OK;

    c->ssl = SSL_new(ctx);
    SSL_CTX_free(ctx);
    SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_fd(c->ssl, c->fd);
    while (e == OK) {
        int r = SSL_connect(c->ssl);
        if (r == 1)
            return true;
        e = wait_tls(c, r);
    }
    return false;
}

static SUSPENDS enum status
send_some(struct client *c, struct str s, size_t *sent)
{
    *sent = 0;
    if (c->ssl != NULL) {
        int r = SSL_write(c->ssl, s.ptr, (int)s.len);
        if (r > 0)
            *sent = (size_t)r;
        return r > 0 ? OK : wait_tls(c, r);
    }
    ssize_t n = send(c->fd, s.ptr, s.len, MSG_NOSIGNAL);
    if (n > 0)
        *sent = (size_t)n;
    if (n >= 0)
        return OK;
    if (errno == EPIPE || errno == ECONNRESET)
        return ERR_CLOSED;
    return fiber_wait_fd(c->fd, EPOLLOUT, PATIENCE_MS);
}

enum status
client_send(struct client *c, struct str s)
{
    while (s.len > 0) {
        size_t sent;
        enum status e = send_some(c, str_sub(s, 0, c->bytewise ? 1 : s.len), &sent);
        if (e == ERR_CLOSED)
            return OK;
        TRY(e);
        s = str_skip(s, sent);
        for (int i = 0; c->bytewise && i < 3; i++)
            fiber_yield();
    }
    return OK;
}

enum status
client_receive(struct client *c)
{
    char piece[4096];

    for (;;) {
        ssize_t n = c->ssl != NULL ? SSL_read(c->ssl, piece, sizeof(piece))
                                   : recv(c->fd, piece, sizeof(piece), 0);
        if (n > 0) {
            buf_add(&c->input, str_from(piece, (size_t)n));
            return OK;
        }
        if (c->ssl != NULL) {
            TRY(wait_tls(c, (int)n));
            continue;
        }
        if (n == 0 || errno == ECONNRESET)
            return ERR_CLOSED;
        TRY(fiber_wait_fd(c->fd, EPOLLIN, PATIENCE_MS));
    }
}

void
client_end_sending(struct client *c)
{
    (void)shutdown(c->fd, SHUT_WR);
}

void
client_free(struct client *c)
{
    SSL_free(c->ssl);
    close(c->fd);
    buf_release(&c->input);
    *c = (struct client){0};
}
