/* escape_test.c - what a captured role would try, in the jail of each role, with seccomp as the only wall.
 *
 * Each attempt runs in a child of its own that enters the filter of the role, as the same user and without
 * Landlock, and makes the raw system call.  Refused is: ended by SIGSYS, or an error that the filter gives.
 * Most attempts are also made without a filter, where the kernel must carry them out or fail for another
 * reason: so that a refusal is known to be the filter's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/size.h"
#include "role/topology.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define FILES   (SANDBOX_FILES)
#define READ    (SANDBOX_FILES | SANDBOX_READ_FILES)
#define CONNECT (SANDBOX_CONNECT)
#define NOWHERE "/tmp/escape_test.none"

/* The other process: the test itself. */
static pid_t other;
static char page[4096];

static long
try_open(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long
try_open_proc(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/proc/1/status", O_RDONLY);
}

static long
try_open_old(void)
{
    return syscall(SYS_open, "/etc/passwd", O_RDONLY);
}

static long
try_open2(void)
{
    struct open_how how = {.flags = O_RDONLY};

    return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how));
}

static long
try_write_file(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY);
}

static long
try_create(void)
{
    return syscall(SYS_openat, AT_FDCWD, NOWHERE "/file", O_RDWR | O_CREAT, 0600);
}

static long
try_append(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_APPEND);
}

static long
try_temporary(void)
{
    return syscall(SYS_openat, AT_FDCWD, "/tmp", O_RDWR | O_TMPFILE, 0600);
}

static long
try_inet(void)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);

    return fd < 0 ? fd : syscall(SYS_connect, fd, &at, sizeof(at));
}

static long
try_bind(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);

    return fd < 0 ? fd : syscall(SYS_bind, fd, &at, sizeof(at));
}

static long
try_unix(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = NOWHERE};
    int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);

    return fd < 0 ? fd : syscall(SYS_connect, fd, &at, sizeof(at));
}

/* A pair of datagrams can be connected once more, to /dev/log and the like. */
static long
try_unix_datagram(void)
{
    int fds[2];

    return syscall(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, fds);
}

static long
try_netlink(void)
{
    return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
}

static long
try_raw(void)
{
    return syscall(SYS_socket, AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static long
try_packet(void)
{
    return syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0);
}

static long
try_listen(void)
{
    return syscall(SYS_listen, 0, 1);
}

static long
try_exec(void)
{
    static char name[] = "true";
    static char *const args[] = {name, NULL};

    return syscall(SYS_execve, "/bin/true", args, NULL);
}

static long
try_execveat(void)
{
    static char name[] = "true";
    static char *const args[] = {name, NULL};

    return syscall(SYS_execveat, AT_FDCWD, "/bin/true", args, NULL, 0);
}

static long
try_memfd(void)
{
    return syscall(SYS_memfd_create, "code", 0);
}

static long
try_fork(void)
{
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0)
        _exit(0);
    return pid;
}

static long
try_clone_namespace(void)
{
    return syscall(SYS_clone, CLONE_NEWUSER | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, NULL, NULL,
                   NULL, NULL);
}

static long
try_vfork(void)
{
    return syscall(SYS_clone, CLONE_VM | SIGCHLD, page + sizeof(page), NULL, NULL, NULL);
}

static long
try_ptrace(void)
{
    return syscall(SYS_ptrace, PTRACE_SEIZE, other, NULL, NULL);
}

static long
try_kill(void)
{
    return syscall(SYS_kill, other, 0);
}

static long
try_tgkill(void)
{
    return syscall(SYS_tgkill, other, other, SIGABRT);
}

static long
try_kill_self(void)
{
    return syscall(SYS_tgkill, getpid(), getpid(), SIGURG);
}

static long
try_sigqueue(void)
{
    siginfo_t info = {.si_code = SI_QUEUE};

    return syscall(SYS_rt_sigqueueinfo, other, 0, &info);
}

static long
try_pidfd(void)
{
    return syscall(SYS_pidfd_open, other, 0);
}

static long
try_read_memory(void)
{
    struct iovec own = {page, sizeof(page)};
    struct iovec far = {page, sizeof(page)};

    return syscall(SYS_process_vm_readv, other, &own, 1, &far, 1, 0);
}

static long
try_other_limits(void)
{
    struct rlimit l;

    return syscall(SYS_prlimit64, other, RLIMIT_NOFILE, NULL, &l);
}

static long
try_own_limits(void)
{
    struct rlimit l = {16, 16};

    return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &l, NULL);
}

static long
try_set_owner(void)
{
    return syscall(SYS_fcntl, 0, F_SETOWN, other); /* signals to it by way of a descriptor */
}

static long
try_clear_append(void)
{
    return syscall(SYS_fcntl, 0, F_SETFL, 0); /* then lseek() and write over the log */
}

static long
try_unlink(void)
{
    return syscall(SYS_unlink, NOWHERE);
}

static long
try_rename(void)
{
    return syscall(SYS_rename, NOWHERE, NOWHERE ".2");
}

static long
try_mkdir(void)
{
    return syscall(SYS_mkdir, "/tmp", 0700);
}

static long
try_chmod(void)
{
    return syscall(SYS_chmod, NOWHERE, 0777);
}

static long
try_chown(void)
{
    return syscall(SYS_chown, NOWHERE, 0, 0);
}

static long
try_symlink(void)
{
    return syscall(SYS_symlink, "/etc/passwd", "/tmp");
}

static long
try_mknod(void)
{
    return syscall(SYS_mknod, "/tmp", S_IFIFO | 0600, 0);
}

static long
try_chdir(void)
{
    return syscall(SYS_chdir, "/");
}

static long
try_mount(void)
{
    return syscall(SYS_mount, "none", NOWHERE, "tmpfs", 0, NULL);
}

static long
try_chroot(void)
{
    return syscall(SYS_chroot, NOWHERE);
}

static long
try_unshare(void)
{
    return syscall(SYS_unshare, CLONE_NEWUSER);
}

static long
try_setns(void)
{
    return syscall(SYS_setns, 0, 0);
}

static long
try_setuid(void)
{
    return syscall(SYS_setuid, geteuid());
}

static long
try_capset(void)
{
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2] = {{0}};

    return syscall(SYS_capset, &h, d);
}

static long
try_uring(void)
{
    return syscall(SYS_io_uring_setup, 0, NULL);
}

static long
try_keyctl(void)
{
    return syscall(SYS_keyctl, 0, -3, 0); /* id of the session keyring */
}

static long
try_userfault(void)
{
    return syscall(SYS_userfaultfd, O_CLOEXEC);
}

static long
try_perf(void)
{
    return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

static long
try_bpf(void)
{
    return syscall(SYS_bpf, 0, NULL, 0);
}

static long
try_mprotect(void)
{
    void *at = mmap(NULL, sizeof(page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return syscall(SYS_mprotect, at, sizeof(page), PROT_READ | PROT_EXEC);
}

static long
try_mmap(void)
{
    return syscall(SYS_mmap, NULL, sizeof(page), PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long
try_pkey(void)
{
    return syscall(SYS_pkey_mprotect, page, sizeof(page), PROT_EXEC, -1);
}

static long
try_personality(void)
{
    return syscall(SYS_personality, 0xffffffff);
}

static long
try_dumpable(void)
{
    return syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long
try_terminal(void)
{
    return syscall(SYS_ioctl, 0, TIOCSTI, "x");
}

static long
try_shared_memory(void)
{
    return syscall(SYS_shmget, 0, 4096, 0600);
}

static long
try_module(void)
{
    return syscall(SYS_finit_module, 0, "", 0);
}

static long
try_x32(void)
{
    return syscall(0x40000000 | SYS_getppid);
}

static const struct attempt {
    const char *name;
    long (*make)(void);
    unsigned allowed; /* groups that are meant to do this; Landlock narrows them */
    bool sanitizer;   /* also what a sanitizer's run-time does */
} attempts[] = {
    {"open", try_open, READ, true},
    {"open /proc/1", try_open_proc, READ, true},
    {"open, old call", try_open_old, READ, true},
    {"openat2", try_open2, 0, false},
    {"open for writing", try_write_file, FILES, false},
    {"open O_CREAT", try_create, FILES, false},
    {"open O_APPEND", try_append, FILES, false},
    {"open O_TMPFILE", try_temporary, FILES, false},
    {"connect AF_INET", try_inet, CONNECT, false},
    {"bind", try_bind, CONNECT, false},
    {"connect AF_UNIX", try_unix, 0, false},
    {"socketpair of datagrams", try_unix_datagram, 0, false},
    {"socket AF_NETLINK", try_netlink, 0, false},
    {"socket raw", try_raw, 0, false},
    {"socket AF_PACKET", try_packet, 0, false},
    {"listen", try_listen, 0, false},
    {"execve", try_exec, 0, false},
    {"execveat", try_execveat, 0, false},
    {"memfd_create", try_memfd, 0, false},
    {"fork", try_fork, 0, false},
    {"clone CLONE_NEWUSER", try_clone_namespace, 0, false},
    {"clone CLONE_VM", try_vfork, 0, false},
    {"ptrace", try_ptrace, 0, false},
    {"kill", try_kill, 0, false},
    {"tgkill another", try_tgkill, 0, false},
    {"tgkill self, neither SIGABRT nor no signal", try_kill_self, 0, false},
    {"rt_sigqueueinfo", try_sigqueue, 0, false},
    {"pidfd_open", try_pidfd, 0, false},
    {"process_vm_readv", try_read_memory, 0, false},
    {"prlimit of another", try_other_limits, 0, true},
    {"prlimit, setting", try_own_limits, 0, true},
    {"fcntl F_SETOWN", try_set_owner, 0, false},
    {"fcntl F_SETFL", try_clear_append, CONNECT, false},
    {"unlink", try_unlink, FILES, false},
    {"rename", try_rename, FILES, false},
    {"mkdir", try_mkdir, FILES, false},
    {"chmod", try_chmod, 0, false},
    {"chown", try_chown, 0, false},
    {"symlink", try_symlink, 0, false},
    {"mknod", try_mknod, 0, false},
    {"chdir", try_chdir, 0, false},
    {"mount", try_mount, 0, false},
    {"chroot", try_chroot, 0, false},
    {"unshare", try_unshare, 0, false},
    {"setns", try_setns, 0, false},
    {"setuid", try_setuid, 0, false},
    {"capset", try_capset, 0, false},
    {"io_uring_setup", try_uring, 0, false},
    {"keyctl", try_keyctl, 0, false},
    {"userfaultfd", try_userfault, 0, false},
    {"perf_event_open", try_perf, 0, false},
    {"bpf", try_bpf, 0, false},
    {"mprotect PROT_EXEC", try_mprotect, 0, false},
    {"mmap PROT_EXEC", try_mmap, 0, false},
    {"pkey_mprotect", try_pkey, 0, false},
    {"personality", try_personality, 0, false},
    {"prctl PR_SET_DUMPABLE", try_dumpable, 0, false},
    {"ioctl TIOCSTI", try_terminal, 0, false},
    {"shmget", try_shared_memory, 0, false},
    {"finit_module", try_module, 0, false},
    {"x32 calls", try_x32, 0, false},
};

enum outcome { CARRIED_OUT, REFUSED, SETUP_FAILED, ODD };

/* Without a filter where groups is 0. */
static enum outcome
attempt(const struct attempt *t, unsigned groups)
{
    int status = 0;

    other = getpid();
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct sandbox jail = {.groups = groups, .filter_only = true};
        struct sandbox_walls walls;
        struct problem why;

        alarm(30);
        if (groups != 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                            sandbox_enter(&jail, &walls, &why) != OK || !walls.seccomp))
            _exit(SETUP_FAILED);
        errno = 0;
        bool refused = t->make() < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS);
        _exit(refused ? REFUSED : CARRIED_OUT);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? REFUSED : ODD;
    return WEXITSTATUS(status) <= ODD ? (enum outcome)WEXITSTATUS(status) : ODD;
}

static void
check_role(enum role r)
{
    unsigned groups = jail_groups(r);
    int made = 0;

    assert_true((groups & SANDBOX_BASE) != 0);
    for (size_t i = 0; i < COUNT_OF(attempts); i++) {
        const struct attempt *t = &attempts[i];
        if ((t->allowed & groups) != 0 || (SANITIZED && t->sanitizer))
            continue;
        enum outcome o = attempt(t, groups);
        if (o != REFUSED)
            fail_msg("role %s: %s: outcome %d", role_name(r), t->name, (int)o);
        made++;
    }
    assert_in_range(made, 35, COUNT_OF(attempts));
}

static void
test_every_role(void **state)
{
    (void)state;
    for (int r = ROLE_MX; r < ROLE_ADMIN; r++)
        check_role((enum role)r);
}

/* The attempts are real: most of them succeed, or fail for another reason, when there is no filter.  (Being root or
 * not, and what the kernel has, decides about the rest.) */
static void
test_attempts_work_without_a_filter(void **state)
{
    size_t carried_out = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(attempts); i++) {
        /* These would harm the test itself. */
        if (attempts[i].make == try_tgkill || attempts[i].make == try_vfork ||
            attempts[i].make == try_clone_namespace)
            continue;
        carried_out += attempt(&attempts[i], 0) == CARRIED_OUT;
    }
    assert_in_range(carried_out, 25, COUNT_OF(attempts));
}

/* What a role is meant to do still works behind its filter. */
static long
use_base(void)
{
    char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct timespec nap = {0, 1000};
    struct rlimit l;

    if (p == MAP_FAILED)
        return -1;
    memset(p, 1, 1 << 20);
    return munmap(p, 1 << 20) + nanosleep(&nap, NULL) + getrlimit(RLIMIT_NOFILE, &l);
}

static long
use_failed_open(void)
{
    /* An error, not the end: libraries look for settings. */
    return open("/etc/localtime", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES ? 0 : -1;
}

static void
test_work_goes_on(void **state)
{
    static const struct attempt base = {"base", use_base, 0, false};
    static const struct attempt failed_open = {"open", use_failed_open, 0, false};

    (void)state;
    for (int r = ROLE_MX; r < ROLE_ADMIN; r++) {
        assert_int_equal(attempt(&base, jail_groups((enum role)r)), CARRIED_OUT);
        if ((jail_groups((enum role)r) & READ) == 0 && !SANITIZED)
            assert_int_equal(attempt(&failed_open, jail_groups((enum role)r)), CARRIED_OUT);
    }
    assert_int_equal(attempt(&attempts[0], jail_groups(ROLE_OUT)), CARRIED_OUT);
    assert_int_equal(attempt(&attempts[4], jail_groups(ROLE_STORE)), CARRIED_OUT);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_role),
        cmocka_unit_test(test_attempts_work_without_a_filter),
        cmocka_unit_test(test_work_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
