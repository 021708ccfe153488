/* options.c - see options.h: one table gives the options and their help.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/options.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "rt/random.h"

enum { PORT_BASE_MAX = 64000, PASSWORD_GROUPS = 4, GROUP_LETTERS = 5 };

enum kind { TEXT, LIST, FLAG };
struct option {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct setup_options */
    const char *value, *help;
};
#define AT(field) offsetof(struct setup_options, field)

static const struct option options[] = {
    {"--host", TEXT, AT(host), "NAME", "the server's name; this machine's, or mail.DOMAIN"},
    {"--admin", TEXT, AT(admin), "ADDRESS", "the first account, who also gets postmaster's mail"},
    {"--password-file", TEXT, AT(password_file), "FILE",
     "its password is the first line there; - is standard input"},
    {"--cert", TEXT, AT(cert), "FILE",
     "a certificate (PEM, with its chain); self-signed unless given"},
    {"--key", TEXT, AT(key), "FILE", "its private key"},
    {"--address", LIST, AT(addresses), "ADDRESS",
     "how the world reaches this server; several times"},
    {"--smarthost", TEXT, AT(smarthost), "HOST:PORT", "send all mail by this server"},
    {"--smarthost-user", TEXT, AT(smarthost_user), "NAME", "user name there"},
    {"--smarthost-password-file", TEXT, AT(smarthost_password_file), "FILE", "password there"},
    {"--resolver", TEXT, AT(resolver), "ADDR:PORT",
     "ask this DNS server; the best there is unless given"},
    {"--probe", TEXT, AT(probe), "HOST:PORT", "what to connect to, to see whether mail can leave"},
    {"--offline", FLAG, AT(offline), "", "look at nothing outside this machine"},
    {"--yes", FLAG, AT(yes), "", "ask nothing (also when standard input is no terminal)"},
    {"--under", TEXT, AT(under), "DIR", "everything below one folder, for a trial"},
    {"--config", TEXT, AT(config), "FILE", "/etc/godwit/godwit.conf; keys are made beside it"},
    {"--data", TEXT, AT(data), "DIR", "where mail lies: /var/lib/godwit"},
    {"--run-dir", TEXT, AT(run_dir), "DIR", "the control socket: /run/godwit"},
    {"--log", TEXT, AT(log), "FILE", "/var/log/godwit.log, or stderr"},
    {"--user", TEXT, AT(user), "NAME", "who the server runs as: godwit"},
    {"--listen", TEXT, AT(listen), "ADDRESS",
     "only this address, in a new configuration; * unless given"},
    {"--port-base", TEXT, AT(port_base), "N", "added to every port, in a new configuration"},
    {"--line", LIST, AT(lines), "\"SETTING ...\"", "a line of godwit.conf as it is; several times"},
    {"--help", FLAG, AT(help), "", "this text"},
};

static const struct option *
find(const char *name)
{
    if (strcmp(name, "-c") == 0)
        name = "--config";
    if (strcmp(name, "--non-interactive") == 0)
        name = "--yes";
    for (size_t i = 0; i < COUNT_OF(options); i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static enum status
take(struct setup_options *o, const struct option *which, const char *value, struct problem *why)
{
    char *field = (char *)o + which->offset;
    struct options_list *list = (struct options_list *)(void *)field;

    switch (which->kind) {
    case FLAG: *(bool *)(void *)field = true; return OK;
    case TEXT: *(const char **)(void *)field = value; return OK;
    case LIST:
        if (list->count == OPTIONS_LIST_MAX) {
            problem_set(why, 0, "", "%s: at most %u times", which->name, OPTIONS_LIST_MAX);
            return ERR_LIMIT;
        }
        list->at[list->count++] = value;
        return OK;
    }
    UNREACHABLE();
}

enum status
options_read(int argc, char **argv, struct setup_options *out, struct problem *why)
{
    struct setup_options o = {0};

    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            if (o.domain != NULL) {
                problem_set(why, 0, "", "read \"%s\" after the domain \"%s\", expected one domain",
                            argv[i], o.domain);
                return ERR_SYNTAX;
            }
            o.domain = argv[i];
            continue;
        }
        const struct option *which = find(argv[i]);
        if (which == NULL) {
            problem_set(why, 0, "", "read \"%s\", expected an option of godwit setup --help",
                        argv[i]);
            return ERR_SYNTAX;
        }
        if (which->kind != FLAG && i + 1 == argc) {
            problem_set(why, 0, "", "%s: %s is missing", which->name, which->value);
            return ERR_SYNTAX;
        }
        TRY(take(&o, which, which->kind == FLAG ? NULL : argv[++i], why));
    }
    *out = o;
    return OK;
}

void
options_help(struct buf *b)
{
    buf_add_z(b, "usage: godwit setup DOMAIN [options]\n\n"
                 "Looks at the machine, makes keys, configuration and the first account, and "
                 "prints the DNS\n"
                 "records to set.  Run again it keeps what is there, and changes what its options "
                 "name.\n\n");
    for (size_t i = 0; i < COUNT_OF(options); i++) {
        char left[64];
        snprintf(left, sizeof(left), "%s %s", options[i].name, options[i].value);
        buf_addf(b, "  %-32s %s\n", left, options[i].help);
    }
    buf_add_z(b, "\nWithout --password-file the password is asked for, or made and shown once.\n");
}

bool
options_port_base(const struct setup_options *o, uint32_t *out)
{
    struct scan s = scan_of(str_of(o->port_base != NULL ? o->port_base : "0"));

    return scan_u32(&s, PORT_BASE_MAX, out) && scan_at_end(&s);
}

void
options_make_password(struct buf *b)
{
    static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789"; /* no i, l, o, 0, 1 */

    for (int i = 0; i < PASSWORD_GROUPS * GROUP_LETTERS; i++) {
        if (i > 0 && i % GROUP_LETTERS == 0)
            buf_add_char(b, '-');
        buf_add_char(b, letters[random_below(sizeof(letters) - 1)]);
    }
}
