/* open.c - what boss opens and hands out: log, control socket, keys, files.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "role/boss/boss_internal.h"
#include "rt/disk.h"
#include "setup/machine.h"

enum { ADMIN_BACKLOG = 16 };

static enum status open_log(const struct boss_options *o, int *fd_out, struct problem *why);
static enum status failed(struct problem *why, const char *what, struct str name);
static enum status open_user(const struct config *c, struct boss_open *b, struct problem *why);
static enum status open_key(const struct boss_options *o, struct boss_open *b, struct problem *why);
static enum status check_run_dir(const char *dir, const struct boss_open *b, struct problem *why);
static enum status open_admin(const struct config *c, struct boss_open *b, struct problem *why);
static void name_files(const struct config *c, struct boss_open *b);
static enum status hand_listeners(const struct boss_open *b, enum role role, int control_fd);

MUST_USE enum status
boss_open(const struct boss_options *o, struct boss_open *b, struct problem *why)
{
    *b = (struct boss_open){
        .log_fd = -1, .config_fd = -1, .admin_fd = -1, .rehearsal = o->rehearsal};
    boss_change_begin(o, b);
    TRY(open_user(o->config, b, why));
    TRY(open_log(o, &b->log_fd, why));
    TRY(boss_config_seal(o->config, &b->config_fd, why));
    TRY(open_key(o, b, why));
    if (!o->rehearsal && b->admin_fd < 0)
        TRY(open_admin(o->config, b, why));
    else if (!o->rehearsal)
        boss_date_config(o->config); /* it was handed over, and the file was read anew */
    if (!o->no_listeners)
        TRY(boss_listen(o->config, &b->listening, why));
    boss_open_files(o->config, b);
    return OK;
}

void
boss_open_release(struct boss_open *b)
{
    fd_close(&b->log_fd);
    fd_close(&b->config_fd);
    fd_close(&b->admin_fd);
    boss_listen_end(&b->listening);
    for (size_t i = 0; i < b->file_count; i++)
        fd_close(&b->files[i].fd);
    b->file_count = 0;
}

/* What is only tried does not belong into the log. */
static enum status
open_log(const struct boss_options *o, int *fd_out, struct problem *why)
{
    if (!o->rehearsal)
        return boss_open_log(o->config, true, fd_out, why);
    *fd_out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return *fd_out >= 0 ? OK : failed(why, "cannot write", STR("/dev/null"));
}

static enum status
failed(struct problem *why, const char *what, struct str name)
{
    char reason[100];

    problem_set(why, 0, "", "%s %.*s: %s", what, STR_FMT(name),
                strerror_r(errno, reason, sizeof(reason)));
    return ERR_IO;
}

/* Only root can become somebody else; anybody else stays who he is. */
static enum status
open_user(const struct config *c, struct boss_open *b, struct problem *why)
{
    if (geteuid() != 0)
        return OK;
    if (c->user.len == 0) {
        problem_set(why, 0, "",
                    "a line is missing, expected something like \"user godwit\": whom the "
                    "processes of the server become");
        return ERR_SYNTAX;
    }
    if (!machine_user(c->user, &b->uid, &b->gid)) {
        problem_set(why, 0, "", "user \"%.*s\" of the configuration does not exist on this machine",
                    STR_FMT(c->user));
        return ERR_NOT_FOUND;
    }
    b->alone = !machine_has_ids(b->uid, b->gid);
    if (b->alone)
        b->uid = b->gid = 0; /* root of a rootless container, who has one user */
    return OK;
}

MUST_USE enum status
boss_open_log(const struct config *c, bool wait, int *fd_out, struct problem *why)
{
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | (wait ? 0 : O_NONBLOCK);
    char path[1024];
    int fd;

    if (str_eq(c->log_file, STR("stderr")) || c->log_file.len == 0) {
        fd = fcntl(2, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return failed(why, "cannot log to", STR("stderr"));
    } else {
        fd = str_to_z(c->log_file, path, sizeof(path)) ? open(path, flags, 0640) : -1;
        if (fd < 0)
            return failed(why, "cannot write", c->log_file);
    }
    *fd_out = fd;
    return OK;
}

/* Only that it is there and private: boss never reads it. */
static enum status
open_key(const struct boss_options *o, struct boss_open *b, struct problem *why)
{
    AUTO_BUF path = BUF(sizeof(b->key_path));
    struct stat st;

    if (o->table[ROLE_KEYS] == NULL && o->table[ROLE_AUTH] == NULL)
        return OK;
    role_master_key_path(o->config_path, &path);
    if (!str_to_z(buf_str(&path), b->key_path, sizeof(b->key_path)) || stat(b->key_path, &st) != 0)
        return failed(why, "cannot open the master key (godwit setup makes it)", buf_str(&path));
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        problem_set(why, 0, "", "%s can be read by others: chmod 600 %s", b->key_path, b->key_path);
        return ERR_DENIED;
    }
    return OK;
}

/* Who can replace the socket could listen to what the godwit command says, passwords too. */
static enum status
check_run_dir(const char *dir, const struct boss_open *b, struct problem *why)
{
    struct stat st;

    if (stat(dir, &st) != 0)
        return failed(why, "cannot use", str_of(dir));
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
        (st.st_uid == 0 || st.st_uid == geteuid() || st.st_uid == b->uid))
        return OK;
    problem_set(why, 0, "", "run-dir %s can be changed by others: chown root %s; chmod 755 %s", dir,
                dir, dir);
    return ERR_DENIED;
}

/* The socket of the godwit command: in the run directory, for its owner only. */
static enum status
open_admin(const struct config *c, struct boss_open *b, struct problem *why)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    AUTO_BUF path = BUF(sizeof(addr.sun_path) - 1);
    char dir[sizeof(addr.sun_path)];

    buf_add(&path, c->run_dir);
    buf_add_z(&path, "/" ROLE_ADMIN_SOCKET);
    if (!str_to_z(buf_str(&path), addr.sun_path, sizeof(addr.sun_path)) ||
        !str_to_z(c->run_dir, dir, sizeof(dir))) {
        problem_set(why, 0, "", "run-dir %.*s is too long for a socket", STR_FMT(c->run_dir));
        return ERR_LIMIT;
    }
    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        return failed(why, "cannot make", c->run_dir);
    TRY(check_run_dir(dir, b, why));
    b->admin_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)unlink(addr.sun_path);
    mode_t old = umask(0177);
    int bound = b->admin_fd >= 0
                    ? bind(b->admin_fd, (struct sockaddr *)&addr, (socklen_t)sizeof(addr))
                    : -1;
    (void)umask(old);
    if (bound != 0 || listen(b->admin_fd, ADMIN_BACKLOG) != 0)
        return failed(why, "cannot listen on", buf_str(&path));
    return OK;
}

void
boss_date_config(const struct config *c)
{
    AUTO_BUF path = BUF(sizeof(((struct sockaddr_un *)0)->sun_path));
    char z[sizeof(((struct sockaddr_un *)0)->sun_path)];

    buf_add(&path, c->run_dir);
    buf_add_z(&path, "/" ROLE_ADMIN_SOCKET);
    if (buf_status(&path) == OK && str_to_z(buf_str(&path), z, sizeof(z)))
        (void)utimensat(AT_FDCWD, z, NULL, AT_SYMLINK_NOFOLLOW); /* at worst doctor says too much */
}

/* ---- files ---- */

static void
name_file(struct boss_open *b, enum role role, struct str path)
{
    for (size_t i = 0; i < b->file_count; i++)
        if (b->files[i].role == role && str_eq(b->files[i].path, path))
            return;
    if (path.len > 0 && path.len <= CONTROL_TEXT_MAX && b->file_count < COUNT_OF(b->files))
        b->files[b->file_count++] = (struct boss_file){.role = role, .path = path, .fd = -1};
}

static void
name_files(const struct config *c, struct boss_open *b)
{
    for (size_t i = 0; i < c->tls_count; i++) {
        name_file(b, ROLE_KEYS, c->tls[i].cert_file);
        name_file(b, ROLE_KEYS, c->tls[i].key_file);
    }
    for (size_t i = 0; i < c->route_count; i++) {
        name_file(b, ROLE_OUT, c->routes[i].password_file);
        name_file(b, ROLE_OUT, c->routes[i].socks.password_file);
    }
    name_file(b, ROLE_AUTH, c->oauth.keys_file);
    name_file(b, ROLE_ASK, c->introspection.secret_file);
    name_file(b, ROLE_ASK, c->introspection.authority_file);
    name_file(b, ROLE_AUTH, c->client_certificates);
    name_file(b, ROLE_USER, c->client_certificates);
    for (size_t i = 0; i < c->listen_count; i++) {
        if (c->listen[i].service == SERVICE_SENDMAIL)
            name_file(b, ROLE_USER, STR(ROLE_PASSWD_FILE));
        name_file(b, ROLE_API, c->listen[i].token_file);
    }
}

void
boss_open_files(const struct config *c, struct boss_open *b)
{
    for (size_t i = 0; i < b->file_count; i++)
        fd_close(&b->files[i].fd);
    b->file_count = 0;
    name_files(c, b);
    (void)boss_reopen_files(b, true);
}

static bool
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool
boss_reopen_files(struct boss_open *b, bool all)
{
    bool changed = false;

    for (size_t i = 0; i < b->file_count; i++) {
        struct boss_file *f = &b->files[i];
        char path[CONTROL_TEXT_MAX + 1];
        struct stat now = {0};

        if (!str_to_z(f->path, path, sizeof(path)))
            continue;
        if (stat(path, &now) == 0 && f->fd >= 0 && !all && same_file(&now, &f->seen))
            continue;
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 && !all)
            continue; /* being replaced: keep the old one, look again later */
        fd_close(&f->fd);
        f->fd = fd;
        f->seen = now;
        changed = true;
    }
    return changed;
}

/* ---- handing out ---- */

MUST_USE enum status
boss_hand_files(const struct boss_open *b, enum role role, int control_fd)
{
    for (size_t i = 0; i < b->file_count; i++) {
        const struct boss_file *f = &b->files[i];
        struct control c = {.kind = CONTROL_FILE, .text = f->path};
        if (f->role == role)
            TRY(control_say(control_fd, &c, &f->fd, f->fd >= 0 ? 1 : 0));
    }
    return OK;
}

static enum status
hand_listeners(const struct boss_open *b, enum role role, int control_fd)
{
    for (size_t i = 0; i < b->listening.count; i++) {
        const struct role_listener *l = &b->listening.at[i];
        struct control c = {.kind = CONTROL_LISTENER,
                            .value = (uint32_t)l->service,
                            .value2 = l->number,
                            .index = l->line};
        enum role owner = service_of_api(l->service)  ? ROLE_API
                          : service_of_mx(l->service) ? ROLE_MX
                                                      : ROLE_USER;
        if (owner == role)
            TRY(control_say(control_fd, &c, &l->fd, 1));
    }
    return OK;
}

MUST_USE enum status
boss_hand_config(const struct boss_open *b, enum role role, int control_fd)
{
    struct control c = {.kind = CONTROL_CONFIG};

    TRY(control_say(control_fd, &c, &b->config_fd, 1));
    TRY(hand_listeners(b, role, control_fd));
    return boss_hand_files(b, role, control_fd);
}

MUST_USE enum status
boss_hand_out(const struct boss_open *b, enum role role, int control_fd, uint64_t incarnation)
{
    struct control start = {.kind = CONTROL_START,
                            .role = role,
                            .incarnation = incarnation,
                            .value = b->uid,
                            .value2 = b->gid};
    struct control go = {.kind = CONTROL_GO};
    AUTO(fd_close) int key = -1;
    int fds[CONTROL_FDS_MAX] = {b->config_fd, b->log_fd};
    size_t n = 2;

    if (role == ROLE_KEYS || role == ROLE_AUTH) {
        /* A description of its own: the two roles do not share a file offset. */
        key = open(b->key_path, O_RDONLY | O_CLOEXEC);
        if (key < 0)
            return ERR_IO;
        fds[n++] = key;
        start.index |= CONTROL_HAS_KEY;
    }
    if (b->rehearsal)
        start.index |= CONTROL_REHEARSAL;
    if (role == ROLE_STORE && b->admin_fd >= 0) {
        fds[n++] = b->admin_fd;
        start.index |= CONTROL_HAS_ADMIN;
    }
    TRY(control_say(control_fd, &start, fds, n));
    TRY(hand_listeners(b, role, control_fd));
    TRY(boss_hand_files(b, role, control_fd));
    return control_say(control_fd, &go, NULL, 0);
}
