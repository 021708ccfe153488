/* serve.c - `godwit serve`: reads the configuration and becomes boss.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scan.h"
#include "ctl/command.h"
#include "role/boss/handover.h"
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
    table[ROLE_MX] = table[ROLE_USER] = table[ROLE_OUT] = table[ROLE_ASK] = table[ROLE_API] = NULL;
    return boss_run(&o, why);
}

/* How it is started; the last two are for boss itself. */
enum way { SERVE, FOR_SETUP, REHEARSE, TAKE_OVER };

static bool
read_words(int argc, char **argv, enum way *way_out, const char **path_out)
{
    int at = 1;

    *way_out = SERVE;
    if (at < argc && strcmp(argv[at], "--for-setup") == 0)
        *way_out = FOR_SETUP;
    else if (at < argc && strcmp(argv[at], "--rehearse") == 0)
        *way_out = REHEARSE;
    else if (at + 1 < argc && strcmp(argv[at], "--take-over") == 0)
        *way_out = TAKE_OVER;
    at += *way_out == SERVE ? 0 : *way_out == TAKE_OVER ? 2 : 1;
    if (argc == at + 2 && strcmp(argv[at], "-c") == 0)
        *path_out = argv[at + 1];
    return *way_out == SERVE ? argc == 1 || argc == 3 : argc == at + 2;
}

/* What the program before left; its text lives as long as the process. */
static enum status
take_over(const char *number, struct handover *out)
{
    static struct buf text = BUF(HANDOVER_BYTES_MAX);
    struct scan s = scan_of(str_of(number));
    uint32_t fd;

    if (!scan_u32(&s, HANDOVER_FD_MAX, &fd) || !scan_at_end(&s))
        return ERR_SYNTAX;
    AUTO(fd_close) int from = (int)fd; /* small */
    TRY(role_fd_read(from, &text));
    return handover_read(buf_str(&text), out);
}

static int
serve(struct boss_options *o, const char *path)
{
    AUTO(config_free) struct config *config = NULL;
    struct problem why = {0};

    enum status st = role_config_load(path, &config, &why);
    if (st == ERR_IO)
        problem_set(&why, 0, "", "%s: cannot be read; godwit setup writes it", path);
    o->config = config;
    o->config_path = str_of(path);
    o->table = role_table;
    if (st != OK) {
        boss_change_fall_back(o, NULL, &why);
        return refuse("", why.text);
    }
    if ((o->lifeline > 0 ? run_for_setup(config, path, &why) : boss_run(o, &why)) != OK)
        return refuse("", why.text[0] != '\0' ? why.text : "cannot start");
    return 0;
}

int
serve_command(int argc, char **argv)
{
    static struct handover taken;
    const char *path = command_config();
    struct boss_options o = {0};
    enum way way;

    if (!read_words(argc, argv, &way, &path)) {
        fprintf(stderr, "usage: godwit serve [-c FILE]\n");
        return USAGE;
    }
    if (way == TAKE_OVER && take_over(argv[2], &taken) != OK)
        return refuse("", "what the program before left cannot be read");
    o.taken = way == TAKE_OVER ? &taken : NULL;
    o.rehearsal = o.no_listeners = way == REHEARSE;
    o.lifeline = way == FOR_SETUP ? CONTROL_FD : 0;
    return serve(&o, path);
}
