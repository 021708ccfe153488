/* main.c - the program: one verb of the table, or one role of the server.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "role/command.h"
#include "role/role.h"

static int
usage(void)
{
    fprintf(stderr, "usage: godwit VERB ...\n");
    for (const struct command *c = commands; c->name != NULL; c++)
        fprintf(stderr, "  %-10s %-30s %s\n", c->name, c->usage, c->about);
    return 2;
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
    return usage();
}
