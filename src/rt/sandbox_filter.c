/* sandbox_filter.c - which system calls each group may make, with which arguments.
 *
 * What is not in a table ends the process.  A few calls that libraries make by habit and can live without (open
 * a settings file, look for a terminal) get an error instead, so that a refusal is not an outage.
 * Kernel: arguments are compared as 64-bit values of registers; memory behind pointers cannot be looked at,
 * which is why clone3 and openat2 are refused whatever they ask for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/sandbox_internal.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#else
#define SANITIZED false
#endif

enum { ARGS_MAX = 3, SANDBOX_SANITIZER = 1 << 30 };

struct rule {
    unsigned group;
    int call;
    unsigned arg_count;
    struct scmp_arg_cmp args[ARGS_MAX];
};
#define ARG_EQ(n, v)             \
    {                            \
        (n), SCMP_CMP_EQ, (v), 0 \
    }
#define ARG_MASK(n, mask, v)                 \
    {                                        \
        (n), SCMP_CMP_MASKED_EQ, (mask), (v) \
    }
#define ANY(group, call)            \
    {                               \
        (group), SCMP_SYS(call), 0, \
        {                           \
            {                       \
                0                   \
            }                       \
        }                           \
    }
#define IF1(group, call, a)         \
    {                               \
        (group), SCMP_SYS(call), 1, \
        {                           \
            a                       \
        }                           \
    }
#define IF2(group, call, a, b)      \
    {                               \
        (group), SCMP_SYS(call), 2, \
        {                           \
            a, b                    \
        }                           \
    }
#define NO_EXEC(n) ARG_MASK(n, PROT_EXEC, 0)
/* open for reading, with no way to make or change anything */
#define OPEN_WRITES  (O_ACCMODE | O_CREAT | O_TRUNC | O_TMPFILE | O_APPEND)
#define READ_ONLY(n) ARG_MASK(n, OPEN_WRITES & ~(unsigned)O_DIRECTORY, O_RDONLY)
/* a thread: shares memory, handlers and process, and makes no namespace */
#define THREAD_FLAGS (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define FORBIDDEN_FLAGS                                                                           \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET | CLONE_PTRACE | CLONE_VFORK)
#define SOCKET_TYPE(t) ARG_MASK(1, 0xf, (t))

/* clang-format off */
static const struct rule allowed[] = {
    ANY(SANDBOX_BASE, read), ANY(SANDBOX_BASE, readv), ANY(SANDBOX_BASE, write), ANY(SANDBOX_BASE, writev),
    ANY(SANDBOX_BASE, pread64), ANY(SANDBOX_BASE, lseek), ANY(SANDBOX_BASE, close),
    ANY(SANDBOX_BASE, fstat), IF1(SANDBOX_BASE, newfstatat, ARG_EQ(3, AT_EMPTY_PATH)),
    ANY(SANDBOX_BASE, epoll_create1), ANY(SANDBOX_BASE, epoll_ctl), ANY(SANDBOX_BASE, epoll_wait),
    ANY(SANDBOX_BASE, epoll_pwait), ANY(SANDBOX_BASE, epoll_pwait2), ANY(SANDBOX_BASE, poll), ANY(SANDBOX_BASE, ppoll),
    ANY(SANDBOX_BASE, eventfd2), ANY(SANDBOX_BASE, dup3),
    /* memory that is never code */
    IF1(SANDBOX_BASE, mmap, NO_EXEC(2)), IF1(SANDBOX_BASE, mprotect, NO_EXEC(2)),
    ANY(SANDBOX_BASE, munmap), ANY(SANDBOX_BASE, mremap), ANY(SANDBOX_BASE, madvise), ANY(SANDBOX_BASE, brk),
    /* time, randomness, waiting */
    ANY(SANDBOX_BASE, clock_gettime), ANY(SANDBOX_BASE, clock_getres), ANY(SANDBOX_BASE, gettimeofday),
    ANY(SANDBOX_BASE, time), ANY(SANDBOX_BASE, nanosleep), ANY(SANDBOX_BASE, clock_nanosleep),
    ANY(SANDBOX_BASE, getrandom), ANY(SANDBOX_BASE, futex), ANY(SANDBOX_BASE, sched_yield),
    ANY(SANDBOX_BASE, restart_syscall),
    /* the process itself */
    ANY(SANDBOX_BASE, exit), ANY(SANDBOX_BASE, exit_group), ANY(SANDBOX_BASE, rt_sigreturn),
    ANY(SANDBOX_BASE, rt_sigaction), ANY(SANDBOX_BASE, rt_sigprocmask), ANY(SANDBOX_BASE, sigaltstack),
    ANY(SANDBOX_BASE, getpid), ANY(SANDBOX_BASE, gettid), ANY(SANDBOX_BASE, getuid), ANY(SANDBOX_BASE, geteuid),
    ANY(SANDBOX_BASE, getgid), ANY(SANDBOX_BASE, getegid), ANY(SANDBOX_BASE, getrusage), ANY(SANDBOX_BASE, times),
    ANY(SANDBOX_BASE, sched_getaffinity), ANY(SANDBOX_BASE, getcpu), ANY(SANDBOX_BASE, sysinfo),
    ANY(SANDBOX_BASE, uname), ANY(SANDBOX_BASE, set_robust_list), ANY(SANDBOX_BASE, rseq),
    ANY(SANDBOX_BASE, set_tid_address),
    IF2(SANDBOX_BASE, prlimit64, ARG_EQ(0, 0), ARG_EQ(2, 0)), /* own limits, reading */
    IF1(SANDBOX_BASE, prctl, ARG_EQ(0, PR_SET_NAME)), IF1(SANDBOX_BASE, prctl, ARG_EQ(0, PR_SET_VMA)),
    /* the sockets that it has: no destination but the peer */
    ANY(SANDBOX_BASE, recvfrom), ANY(SANDBOX_BASE, recvmsg), ANY(SANDBOX_BASE, sendmsg),
    IF1(SANDBOX_BASE, sendto, ARG_EQ(4, 0)), ANY(SANDBOX_BASE, shutdown),
    ANY(SANDBOX_BASE, getsockopt), ANY(SANDBOX_BASE, setsockopt),
    ANY(SANDBOX_BASE, getsockname), ANY(SANDBOX_BASE, getpeername),
    /* no F_SETFL: without O_APPEND the log's past could be overwritten */
    IF1(SANDBOX_BASE, fcntl, ARG_EQ(1, F_GETFL)),
    IF1(SANDBOX_BASE, fcntl, ARG_EQ(1, F_GETFD)), IF1(SANDBOX_BASE, fcntl, ARG_EQ(1, F_SETFD)),
    IF1(SANDBOX_BASE, fcntl, ARG_EQ(1, F_DUPFD_CLOEXEC)), IF1(SANDBOX_BASE, fcntl, ARG_EQ(1, F_GET_SEALS)),
    IF1(SANDBOX_BASE, ioctl, ARG_EQ(1, FIONREAD)), IF1(SANDBOX_BASE, ioctl, ARG_EQ(1, FIONBIO)),

    ANY(SANDBOX_ACCEPT, accept4),

    IF1(SANDBOX_THREADS, clone, ARG_MASK(0, THREAD_FLAGS | FORBIDDEN_FLAGS, THREAD_FLAGS)),

    ANY(SANDBOX_FILES, openat), ANY(SANDBOX_FILES, open), ANY(SANDBOX_FILES, newfstatat), ANY(SANDBOX_FILES, stat),
    ANY(SANDBOX_FILES, lstat), ANY(SANDBOX_FILES, statx), ANY(SANDBOX_FILES, access), ANY(SANDBOX_FILES, faccessat),
    ANY(SANDBOX_FILES, faccessat2), ANY(SANDBOX_FILES, readlink), ANY(SANDBOX_FILES, readlinkat),
    ANY(SANDBOX_FILES, getdents64), ANY(SANDBOX_FILES, getcwd), ANY(SANDBOX_FILES, statfs), ANY(SANDBOX_FILES, fstatfs),
    ANY(SANDBOX_FILES, mkdir), ANY(SANDBOX_FILES, mkdirat), ANY(SANDBOX_FILES, rmdir), ANY(SANDBOX_FILES, unlink),
    ANY(SANDBOX_FILES, unlinkat), ANY(SANDBOX_FILES, rename), ANY(SANDBOX_FILES, renameat),
    ANY(SANDBOX_FILES, renameat2), ANY(SANDBOX_FILES, link), ANY(SANDBOX_FILES, linkat),
    ANY(SANDBOX_FILES, fsync), ANY(SANDBOX_FILES, fdatasync), ANY(SANDBOX_FILES, sync_file_range),
    ANY(SANDBOX_FILES, syncfs), ANY(SANDBOX_FILES, ftruncate), ANY(SANDBOX_FILES, truncate), ANY(SANDBOX_FILES, fallocate),
    ANY(SANDBOX_FILES, pwrite64), ANY(SANDBOX_FILES, pwritev), ANY(SANDBOX_FILES, pwritev2),
    ANY(SANDBOX_FILES, preadv), ANY(SANDBOX_FILES, preadv2), ANY(SANDBOX_FILES, copy_file_range),
    ANY(SANDBOX_FILES, readahead), ANY(SANDBOX_FILES, fadvise64), ANY(SANDBOX_FILES, flock), ANY(SANDBOX_FILES, msync),
    ANY(SANDBOX_FILES, mincore), ANY(SANDBOX_FILES, umask),
    IF1(SANDBOX_FILES, fcntl, ARG_EQ(1, F_SETLK)), IF1(SANDBOX_FILES, fcntl, ARG_EQ(1, F_GETLK)),
    IF1(SANDBOX_FILES, fcntl, ARG_EQ(1, F_SETLKW)), IF1(SANDBOX_FILES, fcntl, ARG_EQ(1, F_OFD_SETLK)),
    IF1(SANDBOX_FILES, fcntl, ARG_EQ(1, F_SET_RW_HINT)), IF1(SANDBOX_FILES, fcntl, ARG_EQ(1, F_GET_RW_HINT)),
    IF1(SANDBOX_FILES, fcntl, ARG_EQ(1, F_SET_FILE_RW_HINT)), IF1(SANDBOX_FILES, fcntl, ARG_EQ(1, F_DUPFD)),
    IF1(SANDBOX_FILES, ioctl, ARG_EQ(1, FS_IOC_GETVERSION)),

    IF1(SANDBOX_READ_FILES, openat, READ_ONLY(2)), IF1(SANDBOX_READ_FILES, open, READ_ONLY(1)),
    ANY(SANDBOX_READ_FILES, newfstatat), ANY(SANDBOX_READ_FILES, stat), ANY(SANDBOX_READ_FILES, lstat),
    ANY(SANDBOX_READ_FILES, statx), ANY(SANDBOX_READ_FILES, access), ANY(SANDBOX_READ_FILES, faccessat),
    ANY(SANDBOX_READ_FILES, faccessat2), ANY(SANDBOX_READ_FILES, readlink), ANY(SANDBOX_READ_FILES, readlinkat),
    ANY(SANDBOX_READ_FILES, getdents64), ANY(SANDBOX_READ_FILES, getcwd), ANY(SANDBOX_READ_FILES, fadvise64),

    IF2(SANDBOX_CONNECT, socket, ARG_EQ(0, AF_INET), SOCKET_TYPE(SOCK_STREAM)),
    IF2(SANDBOX_CONNECT, socket, ARG_EQ(0, AF_INET), SOCKET_TYPE(SOCK_DGRAM)),
    IF2(SANDBOX_CONNECT, socket, ARG_EQ(0, AF_INET6), SOCKET_TYPE(SOCK_STREAM)),
    IF2(SANDBOX_CONNECT, socket, ARG_EQ(0, AF_INET6), SOCKET_TYPE(SOCK_DGRAM)),
    ANY(SANDBOX_CONNECT, connect), ANY(SANDBOX_CONNECT, bind), ANY(SANDBOX_CONNECT, sendto),
    ANY(SANDBOX_CONNECT, sendmmsg), ANY(SANDBOX_CONNECT, recvmmsg),
    /* the resolver's own wake-up */
    ANY(SANDBOX_CONNECT, pipe2), ANY(SANDBOX_CONNECT, pipe), ANY(SANDBOX_CONNECT, select),
    ANY(SANDBOX_CONNECT, pselect6), IF1(SANDBOX_CONNECT, fcntl, ARG_EQ(1, F_SETFL)),
    /* connected already, so that connect() takes it nowhere; a datagram pair would reach any socket by its path */
    IF2(SANDBOX_CONNECT, socketpair, ARG_EQ(0, AF_UNIX), SOCKET_TYPE(SOCK_STREAM)),

    /* What a sanitizer's run-time does to write its report. */
    IF1(SANDBOX_SANITIZER, openat, READ_ONLY(2)), IF1(SANDBOX_SANITIZER, open, READ_ONLY(1)),
    ANY(SANDBOX_SANITIZER, newfstatat), ANY(SANDBOX_SANITIZER, stat), ANY(SANDBOX_SANITIZER, readlink),
    ANY(SANDBOX_SANITIZER, getcwd), ANY(SANDBOX_SANITIZER, getdents64), ANY(SANDBOX_SANITIZER, prlimit64),
    IF1(SANDBOX_SANITIZER, prctl, ARG_EQ(0, PR_GET_DUMPABLE)), ANY(SANDBOX_SANITIZER, rt_sigtimedwait),
};

#define NO_FILE(call, n)                                                                          \
    {SCMP_SYS(call), EACCES, 1, {ARG_MASK(n, O_WRONLY, O_WRONLY)}},                               \
    {SCMP_SYS(call), EACCES, 1, {ARG_MASK(n, O_RDWR, O_RDWR)}},                                   \
    {SCMP_SYS(call), EACCES, 1, {ARG_MASK(n, O_CREAT, O_CREAT)}},                                 \
    {SCMP_SYS(call), EACCES, 1, {ARG_MASK(n, O_TRUNC, O_TRUNC)}},                                 \
    {SCMP_SYS(call), EACCES, 1, {ARG_MASK(n, O_APPEND, O_APPEND)}},                               \
    {SCMP_SYS(call), EACCES, 1, {ARG_MASK(n, (unsigned)O_TMPFILE & ~(unsigned)O_DIRECTORY,        \
                                          (unsigned)O_TMPFILE & ~(unsigned)O_DIRECTORY)}}
/* Refused with an error, not with death, where no group allows them.  Those with a condition are the other side
 * of a conditional permission. */
static const struct refusal {
    int call, error;
    unsigned arg_count;
    struct scmp_arg_cmp args[ARGS_MAX];
} refused[] = {
    {SCMP_SYS(open), EACCES, 0, {{0}}},      {SCMP_SYS(openat), EACCES, 0, {{0}}},
    NO_FILE(open, 1),                        NO_FILE(openat, 2),
    {SCMP_SYS(openat2), ENOSYS, 0, {{0}}},   {SCMP_SYS(access), EACCES, 0, {{0}}},
    {SCMP_SYS(faccessat), EACCES, 0, {{0}}}, {SCMP_SYS(faccessat2), EACCES, 0, {{0}}},
    {SCMP_SYS(readlink), EACCES, 0, {{0}}},  {SCMP_SYS(readlinkat), EACCES, 0, {{0}}},
    {SCMP_SYS(stat), EACCES, 0, {{0}}},      {SCMP_SYS(lstat), EACCES, 0, {{0}}},
    {SCMP_SYS(statx), EACCES, 0, {{0}}},     {SCMP_SYS(getcwd), EACCES, 0, {{0}}},
    {SCMP_SYS(newfstatat), EACCES, 1, {{3, SCMP_CMP_NE, AT_EMPTY_PATH, 0}}},
    {SCMP_SYS(ioctl), ENOTTY, 1, {ARG_EQ(1, TCGETS)}}, /* stdio asks whether it writes to a terminal */
    {SCMP_SYS(clone3), ENOSYS, 0, {{0}}},    /* so the C library uses clone, whose flags can be seen */
    {SCMP_SYS(io_uring_setup), EPERM, 0, {{0}}}, /* the engine tries these and does without */
    {SCMP_SYS(ioprio_set), EPERM, 0, {{0}}}, {SCMP_SYS(setpriority), EPERM, 0, {{0}}},
    {SCMP_SYS(sched_setaffinity), EPERM, 0, {{0}}}, {SCMP_SYS(sched_setscheduler), EPERM, 0, {{0}}},
    {SCMP_SYS(mlock), EPERM, 0, {{0}}},
};
/* clang-format on */

enum permission { NEVER, SOMETIMES, ALWAYS };
static int add_allowed(scmp_filter_ctx ctx, unsigned groups);
static int add_refused(scmp_filter_ctx ctx, unsigned groups);
static enum permission permission_of(int call, unsigned groups);
static int allow_tgkill(scmp_filter_ctx ctx);

MUST_USE enum status
sandbox_filter_load(unsigned groups, struct problem *why)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int failed = -ENOMEM;

    if (SANITIZED)
        groups |= SANDBOX_SANITIZER;
    if (ctx != NULL) {
        failed = add_allowed(ctx, groups);
        if (failed == 0)
            failed = add_refused(ctx, groups);
        if (failed == 0)
            failed = allow_tgkill(ctx);
        if (failed == 0)
            failed = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        /* A binary search over the call's number: about 10 ns a call instead of 100. */
        if (failed == 0)
            failed = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        if (failed == 0)
            failed = seccomp_load(ctx);
        seccomp_release(ctx);
    }
    if (failed == 0)
        return OK;
    problem_set(why, 0, "", "the system-call filter cannot be loaded (error %d)", -failed);
    return ERR_IO;
}

static int
add_allowed(scmp_filter_ctx ctx, unsigned groups)
{
    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        const struct rule *r = &allowed[i];
        if ((r->group & groups) == 0)
            continue;
        /* A condition beside "always" would be an error in libseccomp, and says nothing. */
        if (r->arg_count > 0 && permission_of(r->call, groups) == ALWAYS)
            continue;
        int failed = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, r->call, r->arg_count, r->args);
        if (failed != 0 && failed != -EEXIST)
            return failed;
    }
    return 0;
}

static enum permission
permission_of(int call, unsigned groups)
{
    enum permission best = NEVER;

    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        if (allowed[i].call != call || (allowed[i].group & groups) == 0)
            continue;
        if (allowed[i].arg_count == 0)
            return ALWAYS;
        best = SOMETIMES;
    }
    return best;
}

static int
add_refused(scmp_filter_ctx ctx, unsigned groups)
{
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        const struct refusal *r = &refused[i];
        enum permission p = permission_of(r->call, groups);
        if (p == ALWAYS || (p == SOMETIMES) != (r->arg_count > 0))
            continue;
        int failed = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO((uint16_t)r->error), r->call,
                                            r->arg_count, r->args);
        if (failed != 0)
            return failed;
    }
    return 0;
}

/* An assertion that fails may end the process with SIGABRT: its own, and no other signal goes anywhere. */
static int
allow_tgkill(scmp_filter_ctx ctx)
{
    struct scmp_arg_cmp end[] = {ARG_EQ(0, (scmp_datum_t)getpid()), ARG_EQ(2, SIGABRT)};
    /* No signal: whether a thread still lives, which the resolver's library asks at its end. */
    struct scmp_arg_cmp ask[] = {ARG_EQ(0, (scmp_datum_t)getpid()), ARG_EQ(2, 0)};

    int failed = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2, end);
    return failed != 0 ? failed
                       : seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 2, ask);
}
