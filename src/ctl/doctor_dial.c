/* doctor_dial.c - `godwit doctor` at a service of its own server: the connection, and lines there and back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/subnet.h"
#include "ctl/check.h"
#include "rt/disk.h"
#include "rt/spawn.h"

enum { ANSWER_S = 5 };

bool
ctl_doctor_address(const struct config_address *at, struct sockaddr_storage *to, socklen_t *len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)to;
    char host[64];

    *to = (struct sockaddr_storage){0};
    if (!str_to_z(str_eq(at->host, STR("*")) ? STR("127.0.0.1") : at->host, host, sizeof(host)))
        return false;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(at->port);
        *len = sizeof(*v4);
        return true;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(at->port);
    *len = sizeof(*v6);
    return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
}

static bool
path_of(struct str path, struct sockaddr_storage *to, socklen_t *len)
{
    struct sockaddr_un *un = (struct sockaddr_un *)(void *)to;

    *to = (struct sockaddr_storage){.ss_family = AF_UNIX};
    *len = sizeof(*un);
    return str_to_z(path, un->sun_path, sizeof(un->sun_path));
}

int
ctl_doctor_dial(const struct config *c, const struct config_listen *l)
{
    static const char no_proxy[] = "PROXY UNKNOWN\r\n";
    const struct timeval patience = {.tv_sec = ANSWER_S};
    struct sockaddr_storage to;
    socklen_t len;

    if (l->socket.path.len > 0 ? !path_of(l->socket.path, &to, &len)
                               : !ctl_doctor_address(&l->at, &to, &len))
        return -1;
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    bool proxy = to.ss_family != AF_UNIX && subnet_has(c->proxy_from, c->proxy_from_count, &to);
    if (connect(fd, (const struct sockaddr *)&to, len) != 0 ||
        (proxy && write(fd, no_proxy, sizeof(no_proxy) - 1) < 0)) /* this machine is one */
        fd_close(&fd);
    return fd;
}

struct str
ctl_doctor_hear(int fd, char line[DOCTOR_LINE])
{
    size_t n = 0;

    while (n < DOCTOR_LINE && read(fd, line + n, 1) == 1) {
        if (line[n] != '\n') {
            n++;
            continue;
        }
        if (n < 4 || line[3] != '-' || !ascii_is_digit(line[0]))
            return str_trim(str_from(line, n));
        n = 0; /* one of several */
    }
    return STR("");
}

struct str
ctl_doctor_say(int fd, const char *say, char line[DOCTOR_LINE])
{
    size_t n = strlen(say);

    return write(fd, say, n) == (ssize_t)n ? ctl_doctor_hear(fd, line) : STR("");
}

bool
ctl_doctor_boss(struct ctl_check *k, pid_t *out)
{
    struct sockaddr_un to = {0};
    AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd >= 0 && ctl_socket_path(&k->ctl, &to) &&
           connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 && control_listener(fd, out);
}
