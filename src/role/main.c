/* main.c - the program: one verb of the table, or one role of the server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "role/command.h"
#include "role/role.h"

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

int
main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "role") == 0)
        return role_main(role_table, argc, argv);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("godwit %s\n", GODWIT_VERSION);
        return 0;
    }
    for (const struct command *c = commands; argc >= 2 && c->name != NULL; c++)
        if (strcmp(argv[1], c->name) == 0)
            return c->run(argc - 1, argv + 1);
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
