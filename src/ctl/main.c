/* main.c - the godwit command: verbs that ask the running server, and the way to those that need all of it.
 *
 * Every library costs each start some milliseconds, RocksDB's, ICU's and OpenSSL's together more than a verb that asks
 * the server takes.  So what runs, makes or examines a server is another program, godwit-server, beside this one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "rt/spawn.h"

#define SERVER_PROGRAM "godwit-server"

enum { NOT_STARTED = 127 };

static void
usage(FILE *to)
{
    fprintf(to, "godwit %s, a mail server\n\nusage: godwit VERB ...\n", GODWIT_VERSION);
    for (const struct command *c = commands; c->name != NULL; c++)
        fprintf(to, "  %-10s %-30s %s\n", c->name, c->usage, c->about);
    fprintf(
        to,
        "\ngodwit VERB --help says more; so do the manual pages godwit(1) and godwit.conf(5).\n");
}

static int
run_server(char **argv)
{
    spawn_become_neighbour(SERVER_PROGRAM, argv);
    fprintf(stderr, "godwit: %s, which belongs beside this program, cannot be started: %m\n",
            SERVER_PROGRAM);
    return NOT_STARTED;
}

/* "sendmail" and its kin, which links make of this program; else NULL. */
static char *
other_name(char *path)
{
    static const char *const names[] = {"sendmail", "mailq", "newaliases"};
    char *slash = strrchr(path, '/');
    char *name = slash != NULL ? slash + 1 : path;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return name;
    return NULL;
}

int
main(int argc, char **argv)
{
    char *other = argc >= 1 ? other_name(argv[0]) : NULL;

    if (other != NULL) {
        argv[0] = other;
        return sendmail_command(argc, argv);
    }
    if (argc >= 2 && strcmp(argv[1], "role") == 0)
        return run_server(argv);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("godwit %s\n", GODWIT_VERSION);
        return 0;
    }
    for (const struct command *c = commands; argc >= 2 && c->name != NULL; c++)
        if (strcmp(argv[1], c->name) == 0)
            return c->run != NULL ? c->run(argc - 1, argv + 1) : run_server(argv);
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                      strcmp(argv[1], "help") == 0)) {
        usage(stdout);
        return 0;
    }
    if (argc >= 2)
        fprintf(stderr, "godwit: there is no verb \"%s\"; godwit --help lists them\n", argv[1]);
    else
        usage(stderr);
    return 2;
}
