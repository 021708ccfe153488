/* serve.c - `godwit serve`: reads the configuration and becomes boss.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "role/boss.h"
#include "role/command.h"
#include "rt/disk.h"

enum { CONFIG_BYTES_MAX = 1 << 20, USAGE = 2 };

static int
refuse(const char *path, const char *text)
{
    fprintf(stderr, "godwit: %s%s%s\n", path, path[0] != '\0' ? ": " : "", text);
    return 1;
}

int
serve_command(int argc, char **argv)
{
    const char *env = getenv("GODWIT_CONFIG");
    const char *path = env != NULL ? env : COMMAND_CONFIG;
    AUTO_BUF text = BUF(CONFIG_BYTES_MAX);
    AUTO(fd_close) int fd = -1;
    AUTO(config_free) struct config *config = NULL;
    struct problem why = {0};

    if (argc == 3 && strcmp(argv[1], "-c") == 0)
        path = argv[2];
    else if (argc != 1) {
        fprintf(stderr, "usage: godwit serve [-c FILE]\n");
        return USAGE;
    }
    if (disk_open(path, O_RDONLY, 0, &fd) != OK || role_fd_read(fd, &text) != OK)
        return refuse(path, "cannot be read; godwit setup writes it");
    if (config_read(buf_str(&text), path, &config, &why) != OK)
        return refuse("", why.text);
    struct boss_options o = {.config = config, .config_path = str_of(path), .table = role_table};
    if (boss_run(&o, &why) != OK)
        return refuse("", why.text[0] != '\0' ? why.text : "cannot start");
    return 0;
}
