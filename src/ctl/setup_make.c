/* setup_make.c - the files of set-up: folders, master key, certificate, configuration.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "ctl/setup.h"
#include "role/role.h"
#include "rt/clock.h"
#include "rt/random.h"
#include "setup/cert.h"
#include "setup/machine.h"

enum { PEM_MAX = 16384, PATH_BYTES = 4096 };

static enum status make_user(struct ctl_setup *s);
static enum status make_folders(struct ctl_setup *s);
static enum status make_master_key(struct ctl_setup *s);
static enum status make_certificate(struct ctl_setup *s);
static enum status judge_certificate(struct ctl_setup *s);
static enum status make_config(struct ctl_setup *s);

enum status
ctl_setup_make(struct ctl_setup *s)
{
    const struct config *c = s->ctl.config;

    TRY(make_user(s));
    TRY(make_folders(s));
    TRY(make_master_key(s));
    TRY(make_certificate(s));
    TRY(judge_certificate(s));
    TRY(make_config(s));
    /* Made by the server that fill starts. */
    undo_expect(&s->undo, arena_printf(s->a, "%.*s/%s", STR_FMT(c->run_dir), ROLE_ADMIN_SOCKET));
    if (!str_eq(c->log_file, STR("stderr")))
        undo_expect(&s->undo, c->log_file);
    return ctl_setup_interrupted() ? ERR_CANCELLED : OK;
}

static enum status
failed(struct ctl_setup *s, enum status e, const char *what, struct str path)
{
    static const char *const words[STATUS_COUNT] = {
        [ERR_DENIED] = "not allowed: are you root?",
        [ERR_EXISTS] = "something else is there",
        [ERR_NO_SPACE] = "the disk is full",
        [ERR_NOT_FOUND] = "there is no such file",
    };

    problem_set(&s->why, 0, "", "%s %.*s: %s", what, STR_FMT(path),
                words[e] != NULL ? words[e] : status_name(e));
    return e;
}

static bool
is_there(const struct ctl_setup *s, struct str path)
{
    return access(arena_z(s->a, path), F_OK) == 0;
}

/* ---- who ---- */

static enum status
make_user(struct ctl_setup *s)
{
    if (!s->make_user)
        return OK;
    TRY(undo_user(&s->undo, s->user, &s->why));
    ctl_setup_did("made", s->user, "a system user without rights, whom the server runs as");
    return machine_user(s->user, &s->owner.uid, &s->owner.gid) ? OK : ERR_NOT_FOUND;
}

/* ---- folders ---- */

static enum status
make_folder(struct ctl_setup *s, struct str path, mode_t mode, const char *about)
{
    bool was = is_there(s, path);
    enum status e = undo_folder(&s->undo, path, mode, about[0] != '\0' ? s->owner : OWNER_SELF);

    if (e != OK)
        return failed(s, e, "cannot make the folder", path);
    if (about[0] != '\0')
        ctl_setup_did(was ? "kept" : "made", path, about);
    return OK;
}

/* May the server's user walk through this folder? */
static bool
lets_through(const struct stat *st, const struct owner *who)
{
    if (who->uid == (uid_t)-1 || who->uid == 0)
        return true;
    if (st->st_uid == who->uid)
        return (st->st_mode & S_IXUSR) != 0;
    return (st->st_mode & (st->st_gid == who->gid ? S_IXGRP : S_IXOTH)) != 0;
}

static enum status
check_reach(struct ctl_setup *s, struct str path)
{
    for (size_t i = 1; i < path.len; i++) {
        struct stat st;
        struct str part = str_sub(path, 0, i);
        if (path.ptr[i] != '/' || stat(arena_z(s->a, part), &st) != 0 ||
            lets_through(&st, &s->owner))
            continue;
        problem_set(
            &s->why, 0, "",
            "the user %.*s cannot reach %.*s, since %.*s is closed to others: chmod o+x %.*s, "
            "or choose another place",
            STR_FMT(s->user), STR_FMT(path), STR_FMT(part), STR_FMT(part));
        return ERR_DENIED;
    }
    return OK;
}

static enum status
make_folders(struct ctl_setup *s)
{
    const struct config *c = s->ctl.config;

    TRY(make_folder(s, s->config_dir, 0755, ""));
    undo_expect_contents(&s->undo, c->data_dir);
    TRY(make_folder(s, c->data_dir, 0700, "mail lies here"));
    TRY(check_reach(s, c->data_dir));
    TRY(make_folder(s, c->run_dir, 0755, ""));
    if (str_eq(c->log_file, STR("stderr")))
        return OK;
    ssize_t slash = str_rfind(c->log_file, '/');
    return slash > 0 ? make_folder(s, str_sub(c->log_file, 0, (size_t)slash), 0755, "") : OK;
}

/* ---- keys ---- */

static enum status
make_master_key(struct ctl_setup *s)
{
    char key[ROLE_MASTER_KEY_BYTES];

    if (is_there(s, s->master_key_path)) {
        ctl_setup_did("kept", s->master_key_path, "");
        return OK;
    }
    random_fill(key, sizeof(key));
    enum status e = undo_write(&s->undo, s->master_key_path, str_from(key, sizeof(key)), 0600);
    mem_wipe(key, sizeof(key));
    if (e != OK)
        return failed(s, e, "cannot write", s->master_key_path);
    ctl_setup_did("made", s->master_key_path, "seals every other key: keep a copy in a safe place");
    return OK;
}

static enum status
write_pair(struct ctl_setup *s, struct str cert, struct str key)
{
    enum status e = undo_write(&s->undo, s->first.key_file, key, 0600);

    if (e != OK)
        return failed(s, e, "cannot write", s->first.key_file);
    e = undo_write(&s->undo, s->first.cert_file, cert, 0644);
    return e == OK ? OK : failed(s, e, "cannot write", s->first.cert_file);
}

/* Self-signed, when the configuration names ours and it is not there. */
static enum status
make_certificate(struct ctl_setup *s)
{
    const struct config *c = s->ctl.config;
    AUTO_BUF cert = BUF(PEM_MAX);
    AUTO_BUF key = BUF(PEM_MAX);
    struct cert_request r = {.host = c->host,
                             .loopback = machine_reach_of(s->first.listen) == REACH_NONE &&
                                         !str_eq(s->first.listen, STR("*")),
                             .now_s = clock_now().us / 1000000};
    bool ours = c->tls_count > 0 && str_eq(c->tls[0].cert_file, s->first.cert_file);

    if (s->o.cert != NULL || !ours)
        return OK;
    if (is_there(s, s->first.cert_file)) {
        ctl_setup_did("kept", s->first.cert_file, "");
        return OK;
    }
    enum status e = cert_make(&r, &cert, &key);
    if (e == OK)
        e = write_pair(s, buf_str(&cert), buf_str(&key));
    else
        problem_set(&s->why, 0, "", "OpenSSL cannot make a certificate");
    if (key.ptr != NULL)
        mem_wipe(key.ptr, key.cap);
    TRY(e);
    ctl_setup_did("made", s->first.cert_file, "a self-signed certificate, and key.pem beside it");
    return OK;
}

/* The pair that the configuration names must be usable; what it lacks otherwise is for the owner to know. */
static enum status
judge_certificate(struct ctl_setup *s)
{
    const struct config_tls *t = s->ctl.config->tls;
    AUTO_BUF cert = BUF(2 * CERT_FILE_MAX);
    AUTO_BUF key = BUF(2 * CERT_FILE_MAX);
    struct cert_facts facts;

    if (s->ctl.config->tls_count == 0)
        return OK;
    enum status e = machine_read_file(t->cert_file, &cert);
    if (e != OK)
        return failed(s, e, "cannot read the certificate", t->cert_file);
    e = machine_read_file(t->key_file, &key);
    if (e != OK)
        return failed(s, e, "cannot read the key", t->key_file);
    e = cert_read(buf_str(&cert), buf_str(&key), s->a, &facts);
    mem_wipe(key.ptr, key.cap);
    if (e != OK || facts.mismatch != NULL) {
        problem_set(&s->why, 0, "", "%.*s %s", STR_FMT(e != OK ? t->cert_file : t->key_file),
                    e != OK ? "holds no certificate (PEM)" : facts.mismatch);
        return ERR_SYNTAX;
    }
    if (facts.self_signed)
        s->self_signed = facts.sha256;
    if (!cert_covers(&facts, s->ctl.config->host))
        ctl_setup_did("mend", t->cert_file, "does not name this host: clients will refuse it");
    return OK;
}

/* ---- configuration ---- */

static enum status
make_config(struct ctl_setup *s)
{
    enum status e;

    if (!s->fresh && str_eq(s->text, s->first_text)) {
        ctl_setup_did("kept", s->config_path, "");
        return OK;
    }
    e = s->fresh ? undo_write(&s->undo, s->config_path, s->text, 0644)
                 : undo_replace(&s->undo, s->config_path, s->text);
    if (e != OK)
        return failed(s, e, "cannot write", s->config_path);
    ctl_setup_did(s->fresh ? "made" : "changed", s->config_path,
                  s->fresh ? "yours to read and change"
                           : "as the options say; the old one is FILE.old");
    return OK;
}
