/* boss_reload.c - what boss takes afresh while the server runs.  A new part of it is a function here, called by
 * boss_reload().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "config/events.h"
#include "role/boss_internal.h"
#include "rt/disk.h"
#include "rt/logger.h"

static bool renew_log(const struct config *c, const struct boss_open *b, const struct crew *crew);

void
boss_reload(const struct boss_options *o, struct boss_open *b, struct crew *crew)
{
    bool log = renew_log(o->config, b, crew);

    boss_renew_files(b, crew, true);
    AUTO(logger_send) struct log_line l;
    if (event_begin(&l, EVENT_SERVER_RELOAD)) {
        log_u64(&l, "log", log);
        log_u64(&l, "files", b->file_count);
    }
}

static void
say_failed(const char *what, const struct problem *why)
{
    AUTO(logger_send) struct log_line l;

    if (event_begin(&l, EVENT_RELOAD_FAIL)) {
        log_str(&l, "what", str_of(what));
        log_str(&l, "reason", str_of(why->text));
    }
}

/* Boss keeps the number of its descriptor; what starts later gets the new file by it. */
static bool
renew_log(const struct config *c, const struct boss_open *b, const struct crew *crew)
{
    struct control say = {.kind = CONTROL_LOG};
    struct problem why = {0};
    AUTO(fd_close) int fd = -1;

    if (boss_open_log(c, false, &fd, &why) != OK) {
        say_failed("log", &why);
        return false;
    }
    logger_move(fd);
    for (size_t i = 0; i < crew->count; i++) {
        const struct worker *w = &crew->at[i];
        if (w->runs && control_say(w->heard.fd, &say, &b->log_fd, 1) == ERR_TEMP)
            spawn_kill(&w->child, SIGKILL); /* it does not read; a new one has the new log */
    }
    return true;
}

void
boss_renew_files(struct boss_open *b, struct crew *crew, bool all)
{
    struct control c = {.kind = CONTROL_FILES};

    if (!boss_reopen_files(b, all))
        return;
    for (size_t i = 0; i < crew->count; i++) {
        struct worker *w = &crew->at[i];
        if (w->runs && (boss_hand_files(b, w->role, w->heard.fd) != OK ||
                        control_say(w->heard.fd, &c, NULL, 0) != OK))
            spawn_kill(&w->child, SIGKILL);
    }
}
