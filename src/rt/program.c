/* program.c - see program.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/clock.h"
#include "rt/disk.h"

static enum status start(const char *const *argv, int out_fd, pid_t *pid_out);
static bool wait_for(int pidfd, int said_fd, uint32_t timeout_ms, struct program_end *out);
static bool hear(int fd, struct program_end *out);
static void tidy(char *said);

MUST_USE enum status
program_run(const char *const *argv, uint32_t timeout_ms, struct program_end *out)
{
    struct program_end end = {0};
    int pipes[2], status;
    pid_t pid;

    ASSERT(argv[0][0] == '/');
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0)
        return ERR_IO;
    AUTO(fd_close) int said = pipes[0];
    AUTO(fd_close) int says = pipes[1];
    TRY(start(argv, says, &pid));
    fd_close(&says);
    AUTO(fd_close) int pidfd = pidfd_open(pid, 0);
    bool ended = pidfd >= 0 && wait_for(pidfd, said, timeout_ms, &end);
    if (!ended)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return ERR_IO;
    if (!ended)
        return pidfd < 0 ? ERR_IO : ERR_TIMEOUT;
    end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end.exit = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    tidy(end.said);
    *out = end;
    return OK;
}

static bool
set_actions(posix_spawn_file_actions_t *files, posix_spawnattr_t *how, int out_fd)
{
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0) == 0 &&
           posix_spawn_file_actions_adddup2(files, out_fd, 1) == 0 &&
           posix_spawn_file_actions_adddup2(files, out_fd, 2) == 0 &&
           posix_spawn_file_actions_addclosefrom_np(files, 3) == 0 &&
           posix_spawnattr_setflags(how, flags) == 0 &&
           posix_spawnattr_setsigmask(how, &none) == 0 &&
           posix_spawnattr_setsigdefault(how, &all) == 0;
}

static enum status
start(const char *const *argv, int out_fd, pid_t *pid_out)
{
    static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", language[] = "LC_ALL=C";
    char *const environment[] = {path, language, NULL};
    char *const *words = (char *const *)(uintptr_t)argv; /* posix_spawn() does not write */
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    int error = ENOMEM;

    if (posix_spawn_file_actions_init(&files) != 0)
        return ERR_IO;
    if (posix_spawnattr_init(&how) == 0) {
        if (set_actions(&files, &how, out_fd))
            error = posix_spawn(pid_out, argv[0], &files, &how, words, environment);
        (void)posix_spawnattr_destroy(&how);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    return error == 0 ? OK : error == ENOENT ? ERR_NOT_FOUND : ERR_IO;
}

/* False: it still runs.  Its end counts, not that of the pipe: a child that it left behind may hold that open. */
static bool
wait_for(int pidfd, int said_fd, uint32_t timeout_ms, struct program_end *out)
{
    struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN}, {.fd = said_fd, .events = POLLIN}};
    int64_t until = clock_mono_us() / 1000 + timeout_ms;

    for (;;) {
        int64_t left = MAX(until - clock_mono_us() / 1000, 0);
        int n = poll(fds, COUNT_OF(fds), (int)MIN(left, INT32_MAX)); /* in range */
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0 && fds[0].revents != 0) {
            (void)hear(said_fd, out);
            return true;
        }
        if (n > 0 && fds[1].revents != 0 && !hear(said_fd, out))
            fds[1].fd = -1; /* no more words */
        if (left == 0)
            return false;
    }
}

/* What does not fit is dropped: it must not stop the program.  False: nothing will come. */
static bool
hear(int fd, struct program_end *out)
{
    for (;;) {
        char chunk[512];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        size_t have = strlen(out->said);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        for (size_t i = 0; i < (size_t)n && have < PROGRAM_SAID_MAX - 1; i++)
            out->said[have++] = chunk[i] != '\0' ? chunk[i] : '?';
    }
}

static void
tidy(char *said)
{
    struct str words = str_trim(str_of(said));
    size_t from = (size_t)(words.ptr - said);

    for (size_t i = 0; i < words.len; i++) {
        char c = said[from + i];
        said[i] = c == '\n' ? ' ' : (c < ' ' && c >= 0) || c == '\x7f' ? '?' : c;
    }
    said[words.len] = '\0';
}
