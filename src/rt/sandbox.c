/* sandbox.c - the walls of a jail, outermost last: uid, limits, no-new-privs, Landlock, seccomp.
 *
 * Landlock has no wrappers in the C library of Debian 12, hence the raw calls.  Each version of it knows
 * more rights; what the running kernel knows is asked first.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/size.h"
#include "rt/disk.h"
#include "rt/sandbox_internal.h"

/* Rights by version of Landlock (ABI): 1 knows the first 13, 2 REFER, 3 TRUNCATE. */
#define RIGHTS_V1        ((1ull << 13) - 1)
#define RIGHT_REFER      (1ull << 13)
#define RIGHT_TRUNCATE   (1ull << 14)
#define RIGHTS_READ_FILE (LANDLOCK_ACCESS_FS_READ_FILE)
#define RIGHTS_READ_DIR  (RIGHTS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Neither programs nor devices, sockets or fifos are ever made or run. */
#define RIGHTS_WRITE                                                                              \
    (RIGHTS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |            \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
     RIGHT_REFER | RIGHT_TRUNCATE)
/* Version 4 knows TCP ports.  The struct of our headers may be older and end before them. */
struct ruleset {
    uint64_t files, net;
};
#define NET_BIND_AND_CONNECT 3ull

static enum status become_user(const struct sandbox *s, struct problem *why);
static bool enter_landlock(const struct sandbox *s);
static bool add_paths(int ruleset, const char *const *paths, uint64_t rights);

MUST_USE enum status
sandbox_enter(const struct sandbox *s, struct sandbox_walls *walls_out, struct problem *why)
{
    struct sandbox_walls w = {0};
    struct rlimit files = {s->files_max, s->files_max};
    struct rlimit none = {0, 0};

    if (s->filter_only) {
        TRY(sandbox_filter_load(s->groups, why));
        *walls_out = (struct sandbox_walls){.seccomp = true};
        return OK;
    }
    TRY(become_user(s, why));
    w.uid = s->uid != 0;
    if (s->files_max > 0 && setrlimit(RLIMIT_NOFILE, &files) != 0) {
        problem_set(why, 0, "", "cannot limit open files to %llu",
                    (unsigned long long)s->files_max);
        return ERR_IO;
    }
    /* No core file: it would hold mail, passwords or keys. */
    (void)setrlimit(RLIMIT_CORE, &none);
    w.no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    w.dumpable_off = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
    w.landlock = w.no_new_privs && enter_landlock(s);
    TRY(sandbox_filter_load(s->groups, why));
    w.seccomp = true;
    *walls_out = w;
    return OK;
}

static enum status
become_user(const struct sandbox *s, struct problem *why)
{
    uid_t uid, effective, saved;

    if (s->uid == 0 || geteuid() != 0)
        return OK;
    if (setgroups(0, NULL) != 0 || setresgid(s->gid, s->gid, s->gid) != 0 ||
        setresuid(s->uid, s->uid, s->uid) != 0 || getresuid(&uid, &effective, &saved) != 0 ||
        uid != s->uid || effective != s->uid || saved != s->uid) {
        problem_set(why, 0, "", "cannot become user %u", s->uid);
        return ERR_DENIED;
    }
    return OK;
}

/* False where the kernel has none: seccomp holds without it. */
static bool
enter_landlock(const struct sandbox *s)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct ruleset all = {.files = RIGHTS_V1};

    if (version < 1)
        return false;
    if (version >= 2)
        all.files |= RIGHT_REFER;
    if (version >= 3)
        all.files |= RIGHT_TRUNCATE;
    if (version >= 4 && (s->groups & SANDBOX_CONNECT) == 0)
        all.net = NET_BIND_AND_CONNECT;
    size_t size = version >= 4 ? sizeof(all) : sizeof(all.files);
    AUTO(fd_close) int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
    return ruleset >= 0 && add_paths(ruleset, s->write_dirs, RIGHTS_WRITE & all.files) &&
           add_paths(ruleset, s->read_paths, RIGHTS_READ_DIR) &&
           syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}

static bool
add_paths(int ruleset, const char *const *paths, uint64_t rights)
{
    for (; paths != NULL && *paths != NULL; paths++) {
        AUTO(fd_close) int fd = open(*paths, O_PATH | O_CLOEXEC);
        struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
        struct stat st;

        if (fd < 0)
            continue; /* what is not there need not be allowed */
        if (fstat(fd, &st) != 0)
            return false;
        if (!S_ISDIR(st.st_mode))
            rule.allowed_access &= RIGHTS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
        if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
            return false;
    }
    return true;
}
