/* doctor_machine.c - what `godwit doctor` finds on the machine without talking to anybody: the file system of the data,
 * who owns it, how many descriptors the server may open, whether its processes keep ending, and its name.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/scan.h"
#include "base/size.h"
#include "base/time.h"
#include "ctl/check.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "setup/machine.h"
#include "trace/trace.h"

enum {
    INODES_PERCENT = 5,
    FILES_LEAST = 4096,
    LOG_TAIL = 512 << 10,
    ENDS_MANY = 4, /* of roles, within an hour; one may be bad luck, and cook ends by itself */
    HOUR_US_MILLIONS = 3600,
    PATH_BYTES = 4096,
    LIMITS_BYTES = 8192
};

/* ---- the file system of the data ---- */

static void
check_file_system(struct ctl_check *k)
{
    const char *path = arena_z(k->a, k->ctl.config->data_dir);
    struct statvfs v;

    if (statvfs(path, &v) != 0)
        return; /* said already */
    if ((v.f_flag & ST_RDONLY) != 0)
        finding_add(
            &k->findings, FINDING_MEND, "disk",
            "The file system of %s can only be read, so no mail can be kept: after an error "
            "of the disk the kernel does that (dmesg says so); check it, then mount it "
            "again with mount -o remount,rw.",
            path);
    if (v.f_files > 0 && v.f_favail / (v.f_files / 100 + 1) < INODES_PERCENT)
        finding_add(&k->findings, FINDING_MEND, "disk",
                    "Only %llu more files fit where %s lies (inodes), whatever room is left: "
                    "remove many small files, or make the file system anew with more.",
                    (unsigned long long)v.f_favail, path);
}

/* ---- owners and rights ---- */

/* The first thing in the folder that is of somebody else; NULL: none. */
static const char *
alien_in(struct ctl_check *k, const char *dir, uid_t uid)
{
    DIR *d = opendir(dir);
    const char *found = NULL;
    struct dirent *e;

    while (d != NULL && found == NULL &&
           (e = readdir(d)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        struct stat st;
        if (str_eq(str_of(e->d_name), STR(".")) || str_eq(str_of(e->d_name), STR("..")) ||
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_uid == uid)
            continue;
        found = arena_printf(k->a, "%s/%s", dir, e->d_name).ptr;
    }
    if (d != NULL)
        (void)closedir(d);
    return found;
}

static void
check_owners(struct ctl_check *k)
{
    const char *dir = arena_z(k->a, k->ctl.config->data_dir);
    struct stat st;

    if (stat(dir, &st) != 0)
        return;
    const char *alien = alien_in(k, dir, st.st_uid);
    if (alien == NULL)
        alien = alien_in(k, arena_printf(k->a, "%s/cells", dir).ptr, st.st_uid);
    if (alien != NULL)
        finding_add(&k->findings, FINDING_MEND, "data",
                    "%s does not belong to who owns %s, so the server cannot write it: chown -R "
                    "--reference=%s %s.",
                    alien, dir, dir, dir);
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        finding_add(&k->findings, FINDING_MEND, "data",
                    "%s can be looked into by other users of this machine: chmod 700 %s.", dir,
                    dir);
    if (stat(k->config_path, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        finding_add(&k->findings, FINDING_MEND, "configuration",
                    "%s can be changed by others, who could then read all mail: chmod go-w %s.",
                    k->config_path, k->config_path);
}

/* ---- the running server ---- */

/* The hard limit in a line of /proc/PID/limits: "Max open files  SOFT  HARD  files". */
static bool
read_limit(struct str text, uint64_t *out)
{
    static const struct str name = STR("Max open files");
    struct str line;

    while (str_split(&text, '\n', &line)) {
        uint64_t soft;
        if (!str_starts(line, name))
            continue;
        struct scan s = scan_of(str_skip(line, name.len));
        scan_skip_spaces(&s);
        if (!scan_u64(&s, UINT64_MAX, &soft))
            return false;
        scan_skip_spaces(&s);
        return scan_u64(&s, UINT64_MAX, out);
    }
    return false;
}

static void
check_files_limit(struct ctl_check *k)
{
    AUTO_BUF text = BUF(LIMITS_BYTES);
    uint64_t files;
    pid_t boss;

    if (!ctl_doctor_boss(k, &boss) ||
        machine_read_file(arena_printf(k->a, "/proc/%d/limits", (int)boss), &text) != OK ||
        !read_limit(buf_str(&text), &files))
        return;
    if (files < FILES_LEAST)
        finding_add(&k->findings, FINDING_MEND, "limits",
                    "Each process of the server may open %llu files and connections only, so "
                    "clients will be turned away: LimitNOFILE=262144 in the unit (systemctl edit "
                    "godwit), or ulimit -n before it is started.",
                    (unsigned long long)files);
    else
        finding_add(&k->findings, FINDING_OK, "limits",
                    "Each process may open %llu files and connections.", (unsigned long long)files);
}

/* ---- processes that keep ending ---- */

static bool
read_tail(const char *path, struct buf *out)
{
    AUTO(fd_close) int fd = -1;
    struct stat st;

    if (disk_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd) != OK || fstat(fd, &st) != 0 ||
        !S_ISREG(st.st_mode))
        return false;
    uint64_t size = (uint64_t)st.st_size; /* of a file: never negative */
    uint64_t from = size > LOG_TAIL ? size - LOG_TAIL : 0;
    size_t n = (size_t)(size - from); /* at most LOG_TAIL */
    char *tail = n > 0 ? buf_tail(out, n) : NULL;
    if (tail == NULL || disk_read_at(fd, tail, n, from) != OK)
        return false;
    buf_grew(out, n);
    return true;
}

struct ends {
    struct str name; /* of who ended last */
    size_t count;
};

static void
count_ends(struct ctl_check *k, struct str text, struct ends *out)
{
    struct instant since = {clock_now().us - HOUR_US_MILLIONS * INT64_C(1000000)};
    AUTO_BUF oldest = BUF(64);
    struct str line;

    buf_add_iso8601(&oldest, since);
    while (str_split(&text, '\n', &line)) {
        if (str_find_nocase(line, STR(" ev=role.end ")) < 0)
            continue;
        struct str when = trace_value(line, "t", k->a);
        if (when.len != oldest.len || memcmp(when.ptr, oldest.ptr, oldest.len) < 0)
            continue;
        out->name = trace_value(line, "name", k->a);
        out->count++;
    }
}

static void
check_ends(struct ctl_check *k)
{
    AUTO_BUF text = BUF(LOG_TAIL);
    struct ends e = {.name = STR("")};

    if (!read_tail(arena_z(k->a, k->ctl.config->log_file), &text))
        return;
    count_ends(k, buf_str(&text), &e);
    if (e.count >= ENDS_MANY)
        finding_add(&k->findings, FINDING_MEND, "processes",
                    "Processes of the server ended %zu times within an hour, %.*s last: godwit log "
                    "role.end says why; if it is a fault of godwit, please report it.",
                    e.count, STR_FMT(e.name));
    else
        finding_add(&k->findings, FINDING_OK, "processes", "No process keeps ending.");
}

/* ---- the name in greetings ---- */

static void
check_name(struct ctl_check *k)
{
    static const struct str local[] = {STR(".local"), STR(".localdomain"), STR(".lan"),
                                       STR(".home"),  STR(".internal"),    STR(".home.arpa")};
    struct str host = k->ctl.config->host;
    bool bad = str_find(host, '.') < 0;

    for (size_t i = 0; i < COUNT_OF(local); i++)
        bad = bad || str_ends_nocase(host, local[i]);
    if (bad)
        finding_add(&k->findings, FINDING_MEND, "host name",
                    "This server greets as %.*s, a name that the world does not know, so many "
                    "servers refuse its mail: make the line host a name of yours in DNS, such as "
                    "mail.%.*s.",
                    STR_FMT(host), STR_FMT(k->ctl.config->domain));
}

void
ctl_doctor_machine(struct ctl_check *k, bool runs)
{
    check_file_system(k);
    check_owners(k);
    check_name(k);
    check_ends(k);
    if (runs)
        check_files_limit(k);
}
