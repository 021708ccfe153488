/* socket.c - Unix sockets of `listen SERVICE unix PATH`.
 *
 * The folder may be of somebody else, such as Postfix's own: nothing here follows a link in it, and what is given away
 * is first looked at through a descriptor.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/size.h"
#include "role/boss/boss_internal.h"
#include "rt/disk.h"
#include "setup/machine.h"

enum { BACKLOG = 4096 };

/* Whose the socket is to be; -1 = nobody in particular. */
struct belongs {
    uid_t uid;
    gid_t gid;
};

static enum status look_up(const struct config_socket *s, struct belongs *out, struct problem *why);
static enum status clear_place(const struct sockaddr_un *addr, struct problem *why);
static int bind_as(int fd, const struct sockaddr_un *addr, uint32_t mode, gid_t gid);
static enum status give_away(const char *path, const struct belongs *to, struct stat *st_out);

static enum status
failed(struct problem *why, const char *what, const char *path)
{
    char reason[100];

    problem_set(why, 0, "", "%s %s: %s", what, path, strerror_r(errno, reason, sizeof(reason)));
    return ERR_IO;
}

MUST_USE enum status
boss_socket_open(const struct config_socket *s, struct boss_listening *l, int *fd_out,
                 struct problem *why)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct belongs to;
    struct stat st;

    if (!str_to_z(s->path, addr.sun_path, sizeof(addr.sun_path)) ||
        l->socket_count == COUNT_OF(l->sockets))
        return ERR_LIMIT;
    TRY(look_up(s, &to, why));
    TRY(clear_place(&addr, why));
    AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind_as(fd, &addr, s->mode, to.gid) != 0)
        return failed(why, "cannot listen on", addr.sun_path);
    /* Nobody can connect before listen(), so nobody does with the wrong owner. */
    if (give_away(addr.sun_path, &to, &st) != OK)
        return failed(why, "cannot give its owner or group to", addr.sun_path);
    if (listen(fd, BACKLOG) != 0)
        return failed(why, "cannot listen on", addr.sun_path);
    l->sockets[l->socket_count++] =
        (struct boss_socket){.path = s->path, .dev = st.st_dev, .ino = st.st_ino};
    *fd_out = fd;
    fd = -1;
    return OK;
}

void
boss_socket_remove(const struct boss_socket *s)
{
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct stat st;

    if (str_to_z(s->path, path, sizeof(path)) && lstat(path, &st) == 0 && st.st_dev == s->dev &&
        st.st_ino == s->ino)
        (void)unlink(path);
}

static enum status
look_up(const struct config_socket *s, struct belongs *out, struct problem *why)
{
    gid_t ignored;

    *out = (struct belongs){(uid_t)-1, (gid_t)-1};
    if (s->owner.len > 0 && !machine_user(s->owner, &out->uid, &ignored)) {
        problem_set(why, 0, "", "owner \"%.*s\" of the socket %.*s does not exist on this machine",
                    STR_FMT(s->owner), STR_FMT(s->path));
        return ERR_NOT_FOUND;
    }
    if (s->group.len > 0 && !machine_group(s->group, &out->gid)) {
        problem_set(why, 0, "", "group \"%.*s\" of the socket %.*s does not exist on this machine",
                    STR_FMT(s->group), STR_FMT(s->path));
        return ERR_NOT_FOUND;
    }
    return OK;
}

/* What a server that was killed left behind answers no connection. */
static enum status
clear_place(const struct sockaddr_un *addr, struct problem *why)
{
    switch (machine_socket_state(addr->sun_path)) {
    case SOCKET_FREE: return OK;
    case SOCKET_STALE:
        if (unlink(addr->sun_path) != 0 && errno != ENOENT)
            return failed(why, "cannot replace the old socket", addr->sun_path);
        return OK;
    case SOCKET_TAKEN:
        problem_set(why, 0, "", "cannot listen on %s: another program holds it", addr->sun_path);
        return ERR_EXISTS;
    case SOCKET_OTHER:
        problem_set(why, 0, "", "cannot listen on %s: there is something that is not a socket",
                    addr->sun_path);
        return ERR_EXISTS;
    }
    UNREACHABLE();
}

/* With the mode from its first moment on.  The group is set by being of it, which needs no right to give files away. */
static int
bind_as(int fd, const struct sockaddr_un *addr, uint32_t mode, gid_t gid)
{
    gid_t ours = getegid();
    bool other = gid != (gid_t)-1 && geteuid() == 0 && setegid(gid) == 0;
    mode_t old = umask(0777 & ~(mode_t)mode);
    int r = bind(fd, (const struct sockaddr *)addr, (socklen_t)sizeof(*addr));
    int problem = errno;

    (void)umask(old);
    if (other && setegid(ours) != 0)
        return -1;
    errno = problem;
    return r;
}

static enum status
give_away(const char *path, const struct belongs *to, struct stat *st_out)
{
    AUTO(fd_close) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return ERR_IO;
    if (!S_ISSOCK(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid()) {
        errno = EEXIST; /* somebody put something else there meanwhile */
        return ERR_DENIED;
    }
    bool right = (to->uid == (uid_t)-1 || to->uid == st.st_uid) &&
                 (to->gid == (gid_t)-1 || to->gid == st.st_gid);
    if (!right && fchownat(fd, "", to->uid, to->gid, AT_EMPTY_PATH) != 0)
        return ERR_DENIED;
    *st_out = st;
    return OK;
}
