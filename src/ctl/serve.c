/* serve.c - `godwit serve`: reads the configuration and becomes boss.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/command.h"
#include "role/boss.h"
#include "rt/disk.h"
#include "rt/spawn.h"

enum { USAGE = 2 };

static int
refuse(const char *path, const char *text)
{
    fprintf(stderr, "godwit: %s%s%s\n", path, path[0] != '\0' ? ": " : "", text);
    return 1;
}

/* What setup starts: no port, no role that talks to strangers, and an end when setup ends, however it does. */
static enum status
run_for_setup(const struct config *config, const char *path, struct problem *why)
{
    const struct role_verbs *table[ROLE_COUNT];
    struct boss_options o = {.config = config,
                             .config_path = str_of(path),
                             .table = table,
                             .no_listeners = true,
                             .lifeline = CONTROL_FD};

    for (size_t i = 0; i < ROLE_COUNT; i++)
        table[i] = role_table[i];
    table[ROLE_MX] = table[ROLE_USER] = table[ROLE_OUT] = table[ROLE_API] = NULL;
    return boss_run(&o, why);
}

int
serve_command(int argc, char **argv)
{
    bool for_setup = argc == 4 && strcmp(argv[1], "--for-setup") == 0;
    const char *path = command_config();
    AUTO(config_free) struct config *config = NULL;
    struct problem why = {0};

    if (argc >= 3 && strcmp(argv[argc - 2], "-c") == 0 && (argc == 3 || for_setup))
        path = argv[argc - 1];
    else if (argc != 1) {
        fprintf(stderr, "usage: godwit serve [-c FILE]\n");
        return USAGE;
    }
    enum status st = role_config_load(path, &config, &why);
    if (st == ERR_IO)
        return refuse(path, "cannot be read; godwit setup writes it");
    if (st != OK)
        return refuse("", why.text);
    struct boss_options o = {.config = config, .config_path = str_of(path), .table = role_table};
    if ((for_setup ? run_for_setup(config, path, &why) : boss_run(&o, &why)) != OK)
        return refuse("", why.text[0] != '\0' ? why.text : "cannot start");
    return 0;
}
