/* server_main.c - the program godwit-server: one role of the server, or a verb that godwit (main.c) hands over.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "role/role.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"setup", setup_command},   {"check", check_command},   {"doctor", check_command},
    {"serve", serve_command},   {"import", import_command}, /* speaks TLS */
    {"domain", domain_command},                             /* asks DNS, reads certificates */
};

int
main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "role") == 0)
        return role_main(role_table, argc, argv);
    for (size_t i = 0; argc >= 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    fprintf(stderr, "godwit-server: this is a part of godwit, which starts it\n");
    return 2;
}
