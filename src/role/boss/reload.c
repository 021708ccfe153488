/* reload.c - what boss takes afresh while the server runs.  A new part of it is a function here, called by
 * boss_reload().
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "base/buf.h"
#include "config/events.h"
#include "role/boss/boss_internal.h"
#include "rt/disk.h"
#include "rt/logger.h"

enum { WAITS_BYTES = 400 };

static enum status renew_config(struct boss_options *o, struct boss_open *b, struct buf *waits,
                                struct problem *why);
static void hand_config(const struct boss_open *b, struct crew *crew);
static void say_reloaded(struct crew *crew, bool taken, struct str text);
static bool renew_log(const struct config *c, const struct boss_open *b, const struct crew *crew);
static void say_failed(const char *what, struct str reason);

void
boss_reload(struct boss_options *o, struct boss_open *b, struct crew *crew)
{
    AUTO_BUF waits = BUF(WAITS_BYTES);
    struct problem why = {0};

    bool taken = renew_config(o, b, &waits, &why) == OK;
    bool log = renew_log(o->config, b, crew);
    if (taken) {
        boss_date_config(o->config);
        hand_config(b, crew);
        say_reloaded(crew, true, buf_str(&waits));
        if (waits.len > 0)
            say_failed("waits for the next start", buf_str(&waits));
    } else {
        boss_renew_files(b, crew, true);
        say_reloaded(crew, false, str_of(why.text));
        say_failed("configuration", str_of(why.text));
    }
    AUTO(logger_send) struct log_line l;
    if (event_begin(&l, EVENT_SERVER_RELOAD)) {
        log_u64(&l, "log", log);
        log_u64(&l, "config", taken);
        log_u64(&l, "files", b->file_count);
        log_u64(&l, "listeners", b->listening.count);
    }
}

/* All of it, or nothing. */
static enum status
renew_config(struct boss_options *o, struct boss_open *b, struct buf *waits, struct problem *why)
{
    AUTO(config_free) struct config *fresh = NULL;
    AUTO(fd_close) int fd = -1;
    char path[1024];

    if (!str_to_z(o->config_path, path, sizeof(path)))
        return ERR_LIMIT;
    TRY(boss_config_renew(path, o->config, &fresh, waits, why));
    TRY(boss_config_seal(fresh, &fd, why));
    if (!o->no_listeners)
        TRY(boss_listen(fresh, &b->listening, why));
    fd_close(&b->config_fd);
    b->config_fd = fd;
    fd = -1;
    boss_open_files(fresh, b);
    config_free(&o->renewed);
    o->config = o->renewed = fresh;
    fresh = NULL;
    logger_level(o->config->log_level);
    return OK;
}

static void
hand_config(const struct boss_open *b, struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++) {
        const struct worker *w = &crew->at[i];
        if (w->runs && boss_hand_config(b, w->role, w->heard.fd) != OK)
            spawn_kill(&w->child, SIGKILL); /* the next one has it from the start */
    }
}

static void
say_reloaded(struct crew *crew, bool taken, struct str text)
{
    struct control c = {.kind = CONTROL_RELOADED, .value = taken, .text = text};

    for (size_t i = 0; i < crew->count; i++) {
        const struct worker *w = &crew->at[i];
        if (w->runs && control_say(w->heard.fd, &c, NULL, 0) != OK)
            spawn_kill(&w->child, SIGKILL);
    }
}

static void
say_failed(const char *what, struct str reason)
{
    AUTO(logger_send) struct log_line l;

    if (event_begin(&l, EVENT_RELOAD_FAIL)) {
        log_str(&l, "what", str_of(what));
        log_str(&l, "reason", reason);
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
        say_failed("log", str_of(why.text));
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
