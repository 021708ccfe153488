/* boss.c - a signal to boss.  Its number is that of whoever listens on the control socket, as the kernel names him:
 * no file with a number that may be of somebody else by now.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "ctl/ctl.h"
#include "rt/disk.h"
#include "rt/spawn.h"

static int
say(const struct ctl *c, const char *what)
{
    fprintf(stderr, "godwit %s: %s\n", c->noun, what);
    return CTL_FAILED;
}

int
ctl_signal_boss(const struct ctl *c, int sig, pid_t *boss_out)
{
    struct sockaddr_un to = {0};
    AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || !ctl_socket_path(c, &to) ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 || !control_listener(fd, boss_out))
        return say(c, "the process of the server cannot be found");
    if (kill(*boss_out, sig) == 0)
        return CTL_OK;
    return say(c, errno == EPERM ? "the server cannot be told: you are not root, who started it"
                                 : "the server cannot be told: its process has just ended");
}
