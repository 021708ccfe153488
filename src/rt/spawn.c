/* spawn.c - see spawn.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "rt/disk.h"

enum { ARGS_MAX = 6 };

static int binary_fd = -1;
static char binary_path[PATH_MAX];

static void become(const char *const *args, int control_fd);
static void become_other(int program_fd, const char *const *args, int out_fd);
static enum status started(pid_t pid, struct spawn_child *out);
static void take_fds(const struct msghdr *m, struct control_packet *p);

MUST_USE enum status
spawn_init(void)
{
    if (binary_fd >= 0)
        return OK;
    AUTO(fd_close) int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    binary_fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, CONTROL_FD + 1) : -1;
    ssize_t n = readlink("/proc/self/exe", binary_path, sizeof(binary_path) - 1);
    binary_path[n > 0 ? n : 0] = '\0';
    return binary_fd >= 0 ? OK : ERR_IO;
}

MUST_USE enum status
spawn_role(const char *const *args, int control_fd, struct spawn_child *out)
{
    ASSERT(binary_fd >= 0);
    pid_t pid = fork();

    if (pid < 0)
        return ERR_IO;
    if (pid == 0) {
        become(args, control_fd);
        _exit(127);
    }
    return started(pid, out);
}

MUST_USE enum status
spawn_other(int program_fd, const char *const *args, int out_fd, struct spawn_child *out)
{
    pid_t pid = fork();

    if (pid < 0)
        return ERR_IO;
    if (pid == 0) {
        become_other(program_fd, args, out_fd);
        _exit(127);
    }
    return started(pid, out);
}

static enum status
started(pid_t pid, struct spawn_child *out)
{
    int pidfd = pidfd_open(pid, 0);

    if (pidfd < 0) {
        kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return ERR_IO;
    }
    *out = (struct spawn_child){.pid = pid, .pidfd = pidfd};
    return OK;
}

static void
name_args(const char *const *args, char **argv)
{
    static char name[] = "godwit";

    *argv++ = name;
    for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++)
        *argv++ = (char *)(uintptr_t)args[i]; /* execveat() does not write */
    *argv = NULL;
}

/* In the child: only calls that are safe after fork. */
static void
become(const char *const *args, int control_fd)
{
    char *argv[ARGS_MAX + 2];
    sigset_t none;

    name_args(args, argv);
    sigemptyset(&none);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) != 0 ||
        setpgid(0, 0) != 0)
        return;
    /* When the control socket is descriptor 3 already, dup2() leaves its close-on-exec flag. */
    if (control_fd == CONTROL_FD ? fcntl(CONTROL_FD, F_SETFD, 0) != 0
                                 : dup2(control_fd, CONTROL_FD) < 0)
        return;
    if (binary_fd == CONTROL_FD || close_range(CONTROL_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
        return;
    (void)execveat(binary_fd, "", argv, environ, AT_EMPTY_PATH);
}

/* In the child, too. */
static void
become_other(int program_fd, const char *const *args, int out_fd)
{
    char *argv[ARGS_MAX + 2];
    sigset_t none;

    name_args(args, argv);
    sigemptyset(&none);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(out_fd, 2) < 0 ||
        sigprocmask(SIG_SETMASK, &none, NULL) != 0 || setpgid(0, 0) != 0 ||
        close_range(CONTROL_FD, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
        return;
    (void)execveat(program_fd, "", argv, environ, AT_EMPTY_PATH);
}

void
spawn_replace(int program_fd, const char *const *args, const int *keep, size_t count)
{
    char *argv[ARGS_MAX + 2];

    name_args(args, argv);
    for (size_t i = 0; i < count; i++)
        (void)fcntl(keep[i], F_SETFD, 0);
    (void)execveat(program_fd, "", argv, environ, AT_EMPTY_PATH);
    int problem = errno;
    for (size_t i = 0; i < count; i++)
        (void)fcntl(keep[i], F_SETFD, FD_CLOEXEC);
    errno = problem;
}

int
spawn_program(void)
{
    return binary_fd;
}

struct str
spawn_program_path(void)
{
    return str_of(binary_path);
}

void
spawn_become_neighbour(const char *name, char **argv)
{
    static char path[PATH_MAX + NAME_MAX + 1];
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);

    while (n > 0 && path[n - 1] != '/')
        n--;
    if (n <= 0)
        return;
    snprintf(path + n, NAME_MAX, "%s", name);
    (void)execv(path, argv);
}

void
spawn_kill(const struct spawn_child *c, int sig)
{
    if (c->pidfd < 0 || pidfd_send_signal(c->pidfd, sig, NULL, 0) == 0 || errno != EPERM ||
        c->uid == 0)
        return;
    /* Whoever may become its user may signal it as that one.  The real and the saved user stay ours, so nobody can
     * signal us or look into us meanwhile. */
    if (seteuid(c->uid) != 0)
        return;
    (void)pidfd_send_signal(c->pidfd, sig, NULL, 0);
    int back = seteuid(0);
    ASSERT(back == 0);
}

MUST_USE enum status
spawn_reap(struct spawn_child *c, struct spawn_end *out)
{
    int status;
    pid_t pid = waitpid(c->pid, &status, WNOHANG);

    if (pid == 0)
        return ERR_TEMP;
    if (pid < 0)
        return ERR_IO;
    *out = (struct spawn_end){.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                              .exit = WIFEXITED(status) ? WEXITSTATUS(status) : 0};
    fd_close(&c->pidfd);
    *c = (struct spawn_child){.pid = -1, .pidfd = -1};
    return OK;
}

bool
control_listener(int fd, pid_t *out)
{
    struct ucred who = {0};
    socklen_t len = sizeof(who);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 || who.pid <= 0)
        return false;
    *out = who.pid;
    return true;
}

MUST_USE enum status
control_pair(int fds_out[2])
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return ERR_IO;
    fds_out[0] = fds[0];
    fds_out[1] = fds[1];
    return OK;
}

MUST_USE enum status
control_send(int fd, struct str bytes, const int *fds, size_t count)
{
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))] = {0};
    struct iovec part = {(void *)(uintptr_t)bytes.ptr, bytes.len}; /* sendmsg() does not write */
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

    ASSERT(bytes.len > 0 && bytes.len <= CONTROL_BYTES_MAX && count <= CONTROL_FDS_MAX);
    if (count > 0) {
        m.msg_control = room;
        m.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        ASSERT(c != NULL);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(count * sizeof(int));
        mem_copy(CMSG_DATA(c), fds, count * sizeof(int));
    }
    for (;;) {
        if (sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return OK;
        if (errno != EINTR)
            return errno == EAGAIN ? ERR_TEMP : ERR_CLOSED;
    }
}

MUST_USE enum status
control_recv(int fd, bool wait, struct control_packet *out)
{
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
    struct iovec part = {out->bytes, sizeof(out->bytes)};
    struct msghdr m = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
    ssize_t n;

    do {
        n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return ERR_TEMP;
    if (n <= 0)
        return ERR_CLOSED;
    take_fds(&m, out);
    out->len = (size_t)n;
    if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        control_packet_close(out);
        return ERR_SYNTAX;
    }
    return OK;
}

static void
take_fds(const struct msghdr *m, struct control_packet *p)
{
    p->fd_count = 0;
    for (size_t i = 0; i < CONTROL_FDS_MAX; i++)
        p->fds[i] = -1;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return;
    p->fd_count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    ASSERT(p->fd_count <= CONTROL_FDS_MAX); /* the kernel had room for no more */
    mem_copy(p->fds, CMSG_DATA(c), p->fd_count * sizeof(int));
}

void
control_packet_close(struct control_packet *p)
{
    for (size_t i = 0; i < p->fd_count; i++)
        fd_close(&p->fds[i]);
    p->fd_count = 0;
}
