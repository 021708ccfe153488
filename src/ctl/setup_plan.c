/* setup_plan.c - decides what set-up will do, from its options, the configuration that is there, and answers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "ctl/command.h"
#include "ctl/setup.h"
#include "mail/address.h"
#include "mail/domain.h"
#include "role/role.h"
#include "setup/machine.h"
#include "setup/sysuser.h"

enum { CONFIG_BYTES_MAX = 1 << 20, PATH_BYTES = 4096 };

static enum status plan_paths(struct ctl_setup *s);
static enum status plan_names(struct ctl_setup *s);
static enum status plan_owner(struct ctl_setup *s);
static enum status plan_password(struct ctl_setup *s);
static enum status plan_certificate(struct ctl_setup *s);
static enum status plan_smarthost(struct ctl_setup *s);
static void plan_first(struct ctl_setup *s);

enum status
ctl_setup_plan(struct ctl_setup *s)
{
    uint32_t base;

    if (!options_port_base(&s->o, &base)) {
        problem_set(&s->why, 0, "", "--port-base: read \"%s\", expected a number up to 64000",
                    s->o.port_base);
        return ERR_SYNTAX;
    }
    s->first.port_base = base;
    TRY(plan_paths(s));
    TRY(plan_names(s));
    TRY(plan_owner(s));
    TRY(plan_password(s));
    TRY(plan_certificate(s));
    TRY(plan_smarthost(s));
    plan_first(s);
    return ctl_setup_compose(s);
}

/* ---- paths ---- */

/* The configuration knows no relative path. */
static struct str
absolute(const struct ctl_setup *s, const char *path)
{
    char here[PATH_BYTES / 2];

    if (path[0] == '/' || getcwd(here, sizeof(here)) == NULL)
        return arena_str(s->a, str_of(path));
    return arena_printf(s->a, "%s/%s", here, path);
}

/* The option, or NAME below --under, or the usual place. */
static struct str
place(const struct ctl_setup *s, const char *option, const char *name, const char *usual)
{
    if (option != NULL)
        return absolute(s, option);
    if (s->o.under != NULL)
        return arena_printf(s->a, "%.*s/%s", STR_FMT(absolute(s, s->o.under)), name);
    return str_of(usual);
}

static enum status
read_existing(struct ctl_setup *s)
{
    AUTO_BUF text = BUF(CONFIG_BYTES_MAX);
    enum status e = machine_read_file(s->config_path, &text);

    s->fresh = e == ERR_NOT_FOUND;
    if (s->fresh)
        return OK;
    if (e != OK) {
        problem_set(&s->why, 0, "", "%.*s cannot be read: are you root, or its owner?",
                    STR_FMT(s->config_path));
        return e;
    }
    s->first_text = s->text = arena_str(s->a, buf_str(&text));
    return config_read(s->text, arena_z(s->a, s->config_path), &s->ctl.config, &s->why);
}

static enum status
plan_paths(struct ctl_setup *s)
{
    AUTO_BUF key = BUF(PATH_BYTES);
    const char *config = s->o.config;

    if (config == NULL && s->o.under == NULL)
        config = command_config();
    s->config_path = place(s, config, "godwit.conf", COMMAND_CONFIG);
    s->ctl.config_path = arena_z(s->a, s->config_path);
    s->config_dir = str_sub(s->config_path, 0, (size_t)str_rfind(s->config_path, '/'));
    role_master_key_path(s->config_path, &key);
    s->master_key_path = arena_str(s->a, buf_str(&key));
    s->first.data_dir = place(s, s->o.data, "data", "/var/lib/godwit");
    s->first.run_dir = place(s, s->o.run_dir, "run", "/run/godwit");
    s->first.log_file = s->o.log != NULL && strcmp(s->o.log, "stderr") == 0
                            ? STR("stderr")
                            : place(s, s->o.log, "godwit.log", "/var/log/godwit.log");
    return read_existing(s);
}

/* ---- names ---- */

static enum status
plan_domain(struct ctl_setup *s)
{
    AUTO_BUF normal = BUF(DOMAIN_MAX + 1);
    struct str given = s->o.domain != NULL ? str_of(s->o.domain)
                       : s->fresh          ? STR("")
                                           : s->ctl.config->domain;

    if (given.len == 0)
        given = ctl_setup_ask(s, "Your domain, the part of the address after the @?", STR(""));
    if (given.len == 0 || str_find(given, '.') < 0 || domain_normalise(given, &normal) != OK) {
        problem_set(&s->why, 0, "", "read \"%.*s\", expected your domain: godwit setup example.org",
                    STR_FMT(given));
        return ERR_SYNTAX;
    }
    s->domain = arena_str(s->a, buf_str(&normal));
    return OK;
}

static struct str
usual_host(const struct ctl_setup *s)
{
    struct str machine = machine_host(s->a);

    if (str_ends_nocase(machine, arena_printf(s->a, ".%.*s", STR_FMT(s->domain))))
        return machine;
    return arena_printf(s->a, "mail.%.*s", STR_FMT(s->domain));
}

static enum status
plan_admin(struct ctl_setup *s)
{
    struct str usual = arena_printf(s->a, "admin@%.*s", STR_FMT(s->domain));
    struct path parsed;
    AUTO_BUF text = BUF(PATH_MAX_BYTES);

    s->admin = s->o.admin != NULL ? str_of(s->o.admin)
                                  : ctl_setup_ask(s, "Your own address, the first account?", usual);
    if (str_find(s->admin, '@') < 0)
        s->admin = arena_printf(s->a, "%.*s@%.*s", STR_FMT(s->admin), STR_FMT(s->domain));
    if (mailbox_parse(s->admin, 0, s->a, &parsed) != OK || parsed.literal) {
        problem_set(&s->why, 0, "", "read \"%.*s\", expected an address such as anna@%.*s",
                    STR_FMT(s->admin), STR_FMT(s->domain));
        return ERR_SYNTAX;
    }
    path_write(&text, &parsed);
    s->admin = arena_str(s->a, buf_str(&text));
    return OK;
}

static enum status
plan_names(struct ctl_setup *s)
{
    TRY(plan_domain(s));
    s->first.domain = s->domain;
    s->first.host = s->o.host != NULL ? str_of(s->o.host) : usual_host(s);
    if (s->fresh && s->o.host == NULL)
        s->first.host = ctl_setup_ask(s, "The name of this server?", s->first.host);
    return plan_admin(s);
}

/* ---- who ---- */

/* Only root can give data to somebody else. */
static enum status
plan_owner(struct ctl_setup *s)
{
    char room[2048];
    struct passwd entry;
    struct passwd *found = NULL;

    s->owner = OWNER_SELF;
    s->user = s->o.user != NULL ? str_of(s->o.user)
              : s->fresh        ? STR("godwit")
                                : s->ctl.config->user;
    if (geteuid() != 0) {
        if (s->o.user == NULL && s->fresh &&
            getpwuid_r(geteuid(), &entry, room, sizeof(room), &found) == 0 && found != NULL)
            s->user = arena_str(s->a, str_of(found->pw_name));
        return OK;
    }
    s->make_user = !machine_user(s->user, &s->owner.uid, &s->owner.gid);
    if (s->make_user && !sysuser_can()) {
        problem_set(&s->why, 0, "",
                    "there is no user \"%.*s\" to run as; make it: adduser --system --group "
                    "--no-create-home %.*s",
                    STR_FMT(s->user), STR_FMT(s->user));
        return ERR_NOT_FOUND;
    }
    if (!s->make_user && !machine_has_ids(s->owner.uid, s->owner.gid))
        s->owner = OWNER_SELF; /* a container with one user, who is root there */
    return OK;
}

static enum status
plan_password(struct ctl_setup *s)
{
    AUTO_BUF text = BUF(8 * SECRET_MAX + 4096);
    const char *file = s->o.password_file;

    if (file == NULL)
        return OK;
    if (strcmp(file, "-") == 0) {
        s->password_given = ctl_read_password(&s->password);
        return s->password_given ? OK : ERR_SYNTAX;
    }
    enum status e = machine_read_file(str_of(file), &text);
    struct str rest = buf_str(&text), line = STR("");
    (void)str_split(&rest, '\n', &line);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    s->password_given = e == OK && line.len > 0 && secret_set(&s->password, line);
    if (text.ptr != NULL)
        mem_wipe(text.ptr, text.cap);
    if (s->password_given)
        return OK;
    problem_set(&s->why, 0, "",
                "--password-file %s: expected a password of 1 to %u bytes as its first line", file,
                SECRET_MAX);
    return ERR_SYNTAX;
}

/* ---- certificate, smarthost ---- */

static enum status
plan_certificate(struct ctl_setup *s)
{
    if ((s->o.cert == NULL) != (s->o.key == NULL)) {
        problem_set(&s->why, 0, "", "--cert and --key belong together: one is missing");
        return ERR_SYNTAX;
    }
    if (s->o.cert != NULL) {
        s->first.cert_file = absolute(s, s->o.cert);
        s->first.key_file = absolute(s, s->o.key);
    } else {
        s->first.cert_file = arena_printf(s->a, "%.*s/cert.pem", STR_FMT(s->config_dir));
        s->first.key_file = arena_printf(s->a, "%.*s/key.pem", STR_FMT(s->config_dir));
    }
    return OK;
}

static enum status
plan_smarthost(struct ctl_setup *s)
{
    const char *user = s->o.smarthost_user, *file = s->o.smarthost_password_file;
    AUTO_BUF words = BUF(PATH_BYTES + 1024);

    s->first.smarthost = STR("");
    if ((user == NULL) != (file == NULL) || (user != NULL && s->o.smarthost == NULL)) {
        problem_set(
            &s->why, 0, "",
            "--smarthost HOST:PORT, --smarthost-user NAME and --smarthost-password-file FILE "
            "belong together: one is missing");
        return ERR_SYNTAX;
    }
    if (s->o.smarthost == NULL)
        return OK;
    buf_add_z(&words, s->o.smarthost);
    if (user != NULL) {
        buf_add_z(&words, " user ");
        conf_word(str_of(user), &words);
        buf_add_z(&words, " password-file ");
        conf_word(absolute(s, file), &words);
    }
    s->first.smarthost = arena_str(s->a, buf_str(&words));
    return OK;
}

static void
plan_first(struct ctl_setup *s)
{
    s->first.user = s->user;
    s->first.listen = s->o.listen != NULL ? str_of(s->o.listen) : STR("*");
    if (s->o.resolver != NULL) {
        s->first.resolver = str_of(s->o.resolver);
        s->first.resolver_why = STR("the resolver that was named to setup");
    } else {
        s->first.resolver = STR("recursive");
        s->first.resolver_why = STR("asked from the root on; not tried yet");
    }
}
