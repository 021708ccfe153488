/* dial.c - connections to policy servers and milters, begun for a worker that may not begin one itself.
 *
 * Nothing here waits: the worker gets the descriptor while the connection is still being made.  Where to is what the
 * configuration says, and nothing else (docs/decisions/filters-are-dialled-by-boss.md).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "role/boss/boss_internal.h"
#include "rt/disk.h"

union place {
    struct sockaddr any;
    struct sockaddr_un socket;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static const struct config_filter *
find(const struct config *c, struct str where)
{
    for (size_t i = 0; i < c->filter_count; i++)
        if (str_eq(c->filters[i].where, where))
            return &c->filters[i];
    return NULL;
}

/* The length of the address; 0: it is none. */
static socklen_t
address_of(const struct config_filter *f, union place *out)
{
    char z[INET6_ADDRSTRLEN];

    *out = (union place){0};
    if (f->path.len > 0) {
        out->socket.sun_family = AF_UNIX;
        return str_to_z(f->path, out->socket.sun_path, sizeof(out->socket.sun_path))
                   ? (socklen_t)sizeof(out->socket)
                   : 0;
    }
    if (!str_to_z(f->at.host, z, sizeof(z)))
        return 0;
    if (inet_pton(AF_INET, z, &out->four.sin_addr) == 1) {
        out->four.sin_family = AF_INET;
        out->four.sin_port = htons(f->at.port);
        return (socklen_t)sizeof(out->four);
    }
    if (inet_pton(AF_INET6, z, &out->six.sin6_addr) != 1)
        return 0;
    out->six.sin6_family = AF_INET6;
    out->six.sin6_port = htons(f->at.port);
    return (socklen_t)sizeof(out->six);
}

/* An error of errno.h, or 0.  EAGAIN: for a limit of our own nothing was tried. */
static int
begin_connection(const struct config_filter *f, int *fd_out)
{
    union place at;
    const int one = 1;
    socklen_t len = address_of(f, &at);

    if (len == 0)
        return EINVAL;
    AUTO(fd_close) int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) /* no descriptors left: nothing that the filter did */
        return errno == EMFILE || errno == ENFILE ? EAGAIN : errno;
    if (at.any.sa_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, &at.any, len) != 0 && errno != EINPROGRESS)
        return errno == EAGAIN ? ECONNREFUSED : errno; /* it accepts nobody: EAGAIN is ours */
    *fd_out = fd;
    fd = -1;
    return 0;
}

void
boss_dial(const struct config *c, const struct control *ask, struct worker *w)
{
    struct control answer = {.kind = CONTROL_DIALLED, .value = ask->value, .value2 = EPERM};
    const struct config_filter *f = find(c, ask->text);
    AUTO(fd_close) int fd = -1;

    if (w->dials++ >= LIMIT_FILTER_DIALS)
        answer.value2 = EAGAIN;
    else if (f != NULL)
        answer.value2 = (uint32_t)begin_connection(f, &fd); /* a small number */
    /* Who does not read what boss says hears nothing, and stops waiting by itself. */
    if (control_say(w->heard.fd, &answer, &fd, fd >= 0 ? 1 : 0) != OK)
        return;
}
