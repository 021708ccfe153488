/* check_files.c - the files and folders of the configuration: there, private, whole, in order.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/size.h"
#include "ctl/check.h"
#include "engine/engine.h"
#include "role/role.h"
#include "setup/cert.h"
#include "setup/machine.h"

enum { PATH_BYTES = 4096 };

static void check_user(struct ctl_check *k);
static void check_master_key(struct ctl_check *k);
static void check_certificates(struct ctl_check *k);
static void check_passwords(struct ctl_check *k);
static void check_oauth(struct ctl_check *k);
static void check_data(struct ctl_check *k);
static void check_places(struct ctl_check *k);
static void check_age(struct ctl_check *k);

void
ctl_check_files(struct ctl_check *k, bool runs)
{
    check_user(k);
    check_master_key(k);
    check_certificates(k);
    check_passwords(k);
    check_oauth(k);
    check_data(k);
    check_places(k);
    if (runs)
        check_age(k);
}

static void
check_user(struct ctl_check *k)
{
    struct str user = k->ctl.config->user;
    uid_t uid;
    gid_t gid;

    if (geteuid() != 0 && user.len == 0)
        return; /* it stays who starts it */
    if (!machine_user(user, &uid, &gid))
        finding_add(
            &k->findings, FINDING_MEND, "user",
            "There is no user \"%.*s\" on this machine, so the server cannot give up the rights "
            "of root: adduser --system --group --no-create-home %.*s.",
            STR_FMT(user), STR_FMT(user.len > 0 ? user : STR("godwit")));
}

/* What is wrong with reading it, as words; NULL = it is there. */
static const char *
read_failure(enum status e)
{
    switch (e) {
    case OK: return NULL;
    case ERR_NOT_FOUND: return "is missing";
    case ERR_DENIED: return "cannot be read by you: run godwit check as root";
    default: return "cannot be read";
    }
}

static bool
is_open_to_others(const struct ctl_check *k, struct str path)
{
    struct stat st;

    return stat(arena_z(k->a, path), &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

static void
check_master_key(struct ctl_check *k)
{
    AUTO_BUF path = BUF(PATH_BYTES);
    AUTO_BUF key = BUF(PATH_BYTES * 2);

    role_master_key_path(str_of(k->config_path), &path);
    struct str p = buf_str(&path);
    enum status e = machine_read_file(p, &key);
    if (key.ptr != NULL)
        mem_wipe(key.ptr, key.cap);
    if (e == ERR_NOT_FOUND)
        finding_add(
            &k->findings, FINDING_MEND, "master key",
            "%.*s is missing, so stored passwords and DKIM keys cannot be opened: put its copy "
            "back; on a new server godwit setup makes one.",
            STR_FMT(p));
    else if (e != OK)
        finding_add(&k->findings, FINDING_MEND, "master key", "%.*s %s.", STR_FMT(p),
                    read_failure(e));
    else if (is_open_to_others(k, p))
        finding_add(&k->findings, FINDING_MEND, "master key",
                    "%.*s can be read by others, so the server refuses to start: chmod 600 %.*s.",
                    STR_FMT(p), STR_FMT(p));
    else if (key.len != ROLE_MASTER_KEY_BYTES)
        finding_add(&k->findings, FINDING_MEND, "master key",
                    "%.*s has %zu bytes and not %u, so it is not the key: put its copy back.",
                    STR_FMT(p), key.len, ROLE_MASTER_KEY_BYTES);
    else
        finding_add(&k->findings, FINDING_OK, "master key", "The master key is there and private.");
}

/* ---- certificates ---- */

static bool
read_pair(struct ctl_check *k, const struct config_tls *t, struct cert_facts *out)
{
    AUTO_BUF cert = BUF(2 * CERT_FILE_MAX);
    AUTO_BUF key = BUF(2 * CERT_FILE_MAX);
    const char *cert_failure = read_failure(machine_read_file(t->cert_file, &cert));
    const char *key_failure = read_failure(machine_read_file(t->key_file, &key));

    if (cert_failure != NULL)
        finding_add(&k->findings, FINDING_MEND, "certificate", "The certificate %.*s %s.",
                    STR_FMT(t->cert_file), cert_failure);
    if (key_failure != NULL)
        finding_add(&k->findings, FINDING_MEND, "certificate", "The key %.*s %s.",
                    STR_FMT(t->key_file), key_failure);
    if (cert_failure != NULL || key_failure != NULL)
        return false;
    enum status e = cert_read(buf_str(&cert), buf_str(&key), k->a, out);
    if (key.ptr != NULL)
        mem_wipe(key.ptr, key.cap);
    if (e == OK && out->mismatch == NULL)
        return true;
    finding_add(&k->findings, FINDING_MEND, "certificate",
                "%.*s %s, so nobody can log in: name the right pair in the line tls.",
                STR_FMT(e != OK ? t->cert_file : t->key_file),
                e != OK ? "holds no certificate (PEM)" : out->mismatch);
    return false;
}

static void
judge_time(struct ctl_check *k, const struct config_tls *t, const struct cert_facts *f)
{
    if (f->days_left < 0)
        finding_add(&k->findings, FINDING_MEND, "certificate",
                    "%.*s expired %lld days ago, so clients refuse it: renew it.",
                    STR_FMT(t->cert_file), (long long)-f->days_left);
    else if (f->not_yet)
        finding_add(&k->findings, FINDING_MEND, "certificate",
                    "%.*s is not valid yet: is the clock right?", STR_FMT(t->cert_file));
    else if (f->days_left < CERT_WARN_DAYS)
        finding_add(&k->findings, FINDING_MEND, "certificate",
                    "%.*s is valid for %lld more days only: renew it, the server takes the new one "
                    "within a minute.",
                    STR_FMT(t->cert_file), (long long)f->days_left);
    else if (f->chain_broken && k->deep)
        finding_add(&k->findings, FINDING_MEND, "certificate",
                    "%.*s does not hold the certificate of its issuer, and this machine does not "
                    "trust that one, so mail programs refuse the connection: put the whole chain "
                    "into the file (fullchain.pem).",
                    STR_FMT(t->cert_file));
    else
        finding_add(&k->findings, f->self_signed ? FINDING_NOTE : FINDING_OK, "certificate",
                    "%.*s fits its key and is valid for %lld days%s.", STR_FMT(t->cert_file),
                    (long long)f->days_left,
                    f->self_signed ? "; it is self-signed, so people have to trust it by hand"
                                   : "");
}

/* True when it names the host. */
static bool
check_pair(struct ctl_check *k, const struct config_tls *t)
{
    struct cert_facts f;

    if (is_open_to_others(k, t->key_file))
        finding_add(
            &k->findings, FINDING_MEND, "certificate",
            "The key %.*s can be read by others, who could then pose as this server: chmod 600 "
            "%.*s.",
            STR_FMT(t->key_file), STR_FMT(t->key_file));
    if (!read_pair(k, t, &f))
        return true; /* its names are not the trouble */
    judge_time(k, t, &f);
    return cert_covers(&f, k->ctl.config->host);
}

static void
check_certificates(struct ctl_check *k)
{
    const struct config *c = k->ctl.config;
    bool named = c->tls_count == 0;

    if (c->tls_count == 0)
        finding_add(
            &k->findings, FINDING_MEND, "certificate",
            "The configuration names no certificate, so nobody can log in: add a line tls cert "
            "FILE key FILE.");
    for (size_t i = 0; i < c->tls_count; i++)
        named = check_pair(k, &c->tls[i]) || named;
    if (!named)
        finding_add(
            &k->findings, FINDING_MEND, "certificate",
            "No certificate names %.*s, so mail programs refuse the connection: get one for that "
            "name, or correct the line host.",
            STR_FMT(c->host));
}

/* ---- other files ---- */

static void
check_passwords(struct ctl_check *k)
{
    const struct config *c = k->ctl.config;

    for (size_t i = 0; i < c->route_count; i++) {
        struct str path = c->routes[i].password_file;
        AUTO_BUF text = BUF(PATH_BYTES * 4);
        const char *failure = path.len == 0 ? NULL : read_failure(machine_read_file(path, &text));
        if (text.ptr != NULL)
            mem_wipe(text.ptr, text.cap);
        if (failure != NULL)
            finding_add(&k->findings, FINDING_MEND, "smarthost",
                        "The password file %.*s %s, so mail for %.*s cannot leave.", STR_FMT(path),
                        failure, STR_FMT(c->routes[i].host));
        else if (path.len > 0 && is_open_to_others(k, path))
            finding_add(&k->findings, FINDING_MEND, "smarthost",
                        "The password file %.*s can be read by others: chmod 600 %.*s.",
                        STR_FMT(path), STR_FMT(path));
    }
}

/* As with the password files of routes. */
static void
check_oauth(struct ctl_check *k)
{
    struct str path = k->ctl.config->introspection.secret_file;
    AUTO_BUF text = BUF(PATH_BYTES * 4);

    if (path.len == 0)
        return;
    const char *failure = read_failure(machine_read_file(path, &text));
    if (text.ptr != NULL)
        mem_wipe(text.ptr, text.cap);
    if (failure != NULL)
        finding_add(&k->findings, FINDING_MEND, "oauth",
                    "The secret file %.*s %s, so no token can be asked about.", STR_FMT(path),
                    failure);
    else if (is_open_to_others(k, path))
        finding_add(&k->findings, FINDING_MEND, "oauth",
                    "The secret file %.*s can be read by others: chmod 600 %.*s.", STR_FMT(path),
                    STR_FMT(path));
}

/* The folder belongs to who the server runs as; only root can see what others own. */
static bool
check_owner(struct ctl_check *k, struct str path)
{
    struct stat st;
    struct str user = k->ctl.config->user;
    uid_t uid;
    gid_t gid;

    if (stat(arena_z(k->a, path), &st) != 0 || !S_ISDIR(st.st_mode)) {
        finding_add(
            &k->findings, FINDING_MEND, "data",
            "There is no folder %.*s for the mail: godwit setup makes it; if it lies on a disk of "
            "its own, mount that.",
            STR_FMT(path));
        return false;
    }
    if (geteuid() == 0 && machine_user(user, &uid, &gid) && machine_has_ids(uid, gid) &&
        st.st_uid != uid) {
        finding_add(&k->findings, FINDING_MEND, "data",
                    "%.*s does not belong to %.*s, so no mail can be kept: chown -R %.*s %.*s.",
                    STR_FMT(path), STR_FMT(user), STR_FMT(user), STR_FMT(path));
        return false;
    }
    return true;
}

static void
check_data(struct ctl_check *k)
{
    const struct config *c = k->ctl.config;
    const struct engine_options o = {.kind = arena_z(k->a, c->engine),
                                     .path = arena_z(k->a, c->data_dir)};
    struct problem why = {0};

    if (str_eq(c->engine, STR("mem"))) {
        finding_add(&k->findings, FINDING_NOTE, "data",
                    "The engine mem keeps mail in memory only: it is for tests.");
        return;
    }
    if (!check_owner(k, c->data_dir))
        return;
    enum status e = engine_format_check(&o, &why);
    if (e == OK)
        finding_add(&k->findings, FINDING_OK, "data",
                    "%.*s is of a format that this program knows.", STR_FMT(c->data_dir));
    else if (e == ERR_NOT_FOUND)
        finding_add(&k->findings, FINDING_NOTE, "data", "%.*s is empty: the first start fills it.",
                    STR_FMT(c->data_dir));
    else if (why.text[0] != '\0')
        finding_add(&k->findings, FINDING_MEND, "data", "%s", why.text);
    else
        finding_add(&k->findings, FINDING_MEND, "data", "%.*s/FORMAT cannot be read: are you root?",
                    STR_FMT(c->data_dir));
}

/* The log and the control socket are made by whoever starts the server. */
static void
check_places(struct ctl_check *k)
{
    const struct config *c = k->ctl.config;
    struct sockaddr_un room;
    ssize_t slash = str_rfind(c->log_file, '/');

    if (c->run_dir.len + 1 + strlen(ROLE_ADMIN_SOCKET) >= sizeof(room.sun_path))
        finding_add(
            &k->findings, FINDING_MEND, "run-dir",
            "%.*s is too long for a socket, so the server cannot start: choose a path of at most "
            "%zu bytes.",
            STR_FMT(c->run_dir), sizeof(room.sun_path) - 2 - strlen(ROLE_ADMIN_SOCKET));
    if (slash <= 0)
        return; /* stderr */
    const char *file = arena_z(k->a, c->log_file);
    const char *dir = arena_z(k->a, str_sub(c->log_file, 0, (size_t)slash));
    bool there = access(file, F_OK) == 0;
    struct stat st;
    if ((there && (stat(file, &st) != 0 || S_ISDIR(st.st_mode))) ||
        access(there ? file : dir, W_OK) != 0)
        finding_add(&k->findings, FINDING_MEND, "log",
                    "The log %s cannot be written, so the server cannot start: make its folder, or "
                    "correct the line log.",
                    file);
}

/* Boss dates the socket by when it took a configuration: a file that was changed after that has not been read yet. */
static void
check_age(struct ctl_check *k)
{
    struct stat config, sock;
    const char *path =
        arena_printf(k->a, "%.*s/%s", STR_FMT(k->ctl.config->run_dir), ROLE_ADMIN_SOCKET).ptr;

    if (stat(k->config_path, &config) == 0 && stat(path, &sock) == 0 &&
        (config.st_mtim.tv_sec > sock.st_mtim.tv_sec ||
         (config.st_mtim.tv_sec == sock.st_mtim.tv_sec &&
          config.st_mtim.tv_nsec > sock.st_mtim.tv_nsec)))
        finding_add(
            &k->findings, FINDING_NOTE, "server",
            "The configuration was changed after the server took it: godwit reload makes it so.");
}
