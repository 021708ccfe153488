/* listen.c - the ports and sockets of a configuration: opened, and at the next one kept, added, given up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "role/boss/boss_internal.h"
#include "rt/disk.h"

enum { BACKLOG = 4096 };

static bool keep(const struct boss_listening *old, const struct config_listen *l,
                 struct boss_listening *next);
static enum status open_one(const struct config_listen *l, struct boss_listening *next,
                            struct problem *why);
static void overlap(const struct boss_listening *l, bool allowed);
static void give_up(const struct boss_listening *gone, const struct boss_listening *kept);

MUST_USE enum status
boss_listen(const struct config *c, struct boss_listening *l, struct problem *why)
{
    struct boss_listening *next = MEM_NEW(struct boss_listening);
    enum status st = OK;

    next->last_number = l->last_number;
    next->before = l;
    for (size_t i = 0; i < c->listen_count && st == OK; i++) {
        next->line = (uint32_t)i; /* at most 64 */
        if (!keep(l, &c->listen[i], next))
            st = open_one(&c->listen[i], next, why);
    }
    overlap(l, false);
    overlap(next, false);
    next->before = NULL;
    if (st == OK) {
        give_up(l, next);
        *l = *next;
    } else {
        give_up(next, l);
    }
    mem_free(next);
    return st;
}

void
boss_listen_end(struct boss_listening *l)
{
    static const struct boss_listening none;

    give_up(l, &none);
    *l = none;
}

/* A Unix socket is the same whatever its mode: boss_config_renew() says that the new one waits for a start. */
static bool
same_place(const struct config_listen *a, const struct config_listen *b)
{
    return a->service == b->service && str_eq(a->socket.path, b->socket.path) &&
           str_eq(a->at.host, b->at.host) && a->at.port == b->at.port;
}

static bool
keep(const struct boss_listening *old, const struct config_listen *l, struct boss_listening *next)
{
    bool found = false;

    for (size_t i = 0; i < old->count && next->count < COUNT_OF(next->at); i++) {
        if (!same_place(old->of[i], l))
            continue;
        found = true;
        next->of[next->count] = l;
        next->at[next->count] = old->at[i];
        next->at[next->count++].line = next->line;
    }
    for (size_t i = 0; found && l->socket.path.len > 0 && i < old->socket_count; i++) {
        if (!str_eq(old->sockets[i].path, l->socket.path))
            continue;
        struct boss_socket *s = &next->sockets[next->socket_count++];
        *s = old->sockets[i];
        s->path = l->socket.path;
    }
    return found;
}

/* ---- opening ---- */

/* From one address to "*", or to another service, two sockets need a port at the same time: the old one must go on
 * while nobody knows whether the new one can be opened, and the roles have it as well.
 * The kernel allows that when both sockets say that they share.  They say so for this moment only: else a second
 * server could do it. */
static void
overlap(const struct boss_listening *l, bool allowed)
{
    const int on = allowed ? 1 : 0;

    for (size_t i = 0; i < l->count; i++)
        if (l->of[i]->socket.path.len ==
            0) /* without this the port stays taken, and is said to be */
            (void)setsockopt(l->at[i].fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
}

/* Else who has it is a stranger. */
static bool
has_port(const struct boss_listening *l, const struct sockaddr *addr)
{
    uint16_t port = ntohs(addr->sa_family == AF_INET
                              ? ((const struct sockaddr_in *)(const void *)addr)->sin_port
                              : ((const struct sockaddr_in6 *)(const void *)addr)->sin6_port);
    bool has = false;

    for (size_t i = 0; i < l->count; i++)
        has = has || (l->of[i]->socket.path.len == 0 && l->of[i]->at.port == port);
    return has;
}

static bool
take(int fd, const struct sockaddr *addr, socklen_t len, const struct boss_listening *before)
{
    const int on = 1;

    if (bind(fd, addr, len) == 0)
        return listen(fd, BACKLOG) == 0;
    if (errno != EADDRINUSE || before == NULL || !has_port(before, addr))
        return false;
    overlap(before, true);
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
           bind(fd, addr, len) == 0 && listen(fd, BACKLOG) == 0;
}

static enum status
add(struct boss_listening *next, const struct config_listen *l, int fd)
{
    next->of[next->count] = l;
    next->at[next->count++] = (struct role_listener){
        .fd = fd, .service = l->service, .number = ++next->last_number, .line = next->line};
    return OK;
}

static enum status
failed(const struct config_listen *l, int problem, struct problem *why)
{
    char reason[100];

    problem_set(why, 0, "", "cannot listen on port %u (%s): %s%s", l->at.port,
                service_name(l->service), strerror_r(problem, reason, sizeof(reason)),
                problem == EACCES ? "; ports below 1024 need root" : "");
    return ERR_IO;
}

static enum status
open_address(const struct config_listen *l, const struct sockaddr *addr, socklen_t len,
             struct boss_listening *next, struct problem *why)
{
    int on = 1;
    bool any6 = str_eq(l->at.host, STR("*")) && addr->sa_family == AF_INET6;
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 && any6)
        return OK; /* a machine without IPv6 */
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        (addr->sa_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
        take(fd, addr, len, next->before))
        return add(next, l, fd);
    int problem = errno;
    fd_close(&fd);
    return problem == EADDRNOTAVAIL && any6 ? OK : failed(l, problem, why);
}

static enum status
open_one(const struct config_listen *l, struct boss_listening *next, struct problem *why)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(l->at.port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(l->at.port)};
    bool all = str_eq(l->at.host, STR("*"));
    char host[64];
    int fd = -1;

    if (next->count + (all ? 2 : 1) > COUNT_OF(next->at)) {
        problem_set(why, 0, "", "more than %u addresses to listen on", ROLE_LISTENERS_MAX);
        return ERR_LIMIT;
    }
    if (l->socket.path.len > 0) {
        TRY(boss_socket_open(&l->socket, next, &fd, why));
        return add(next, l, fd);
    }
    if (!str_to_z(l->at.host, host, sizeof(host)))
        return ERR_SYNTAX;
    if (all || inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        TRY(open_address(l, (struct sockaddr *)&v4, sizeof(v4), next, why));
    if (all || inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
        TRY(open_address(l, (struct sockaddr *)&v6, sizeof(v6), next, why));
    return OK;
}

/* ---- giving up ---- */

static bool
has_number(const struct boss_listening *l, uint32_t number)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->at[i].number == number)
            return true;
    }
    return false;
}

static bool
has_socket(const struct boss_listening *l, const struct boss_socket *s)
{
    for (size_t i = 0; i < l->socket_count; i++) {
        if (l->sockets[i].dev == s->dev && l->sockets[i].ino == s->ino)
            return true;
    }
    return false;
}

static void
give_up(const struct boss_listening *gone, const struct boss_listening *kept)
{
    for (size_t i = 0; i < gone->socket_count; i++) {
        if (!has_socket(kept, &gone->sockets[i]))
            boss_socket_remove(&gone->sockets[i]);
    }
    for (size_t i = 0; i < gone->count; i++) {
        int fd = gone->at[i].fd;
        if (!has_number(kept, gone->at[i].number))
            fd_close(&fd);
    }
}
