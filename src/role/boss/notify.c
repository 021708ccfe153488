/* notify.c - what boss says to a service manager such as systemd: when the server is ready, how it is in one
 * line, and that its roles live.
 *
 * READY is said when every role is ready: listeners are open before the first role starts, and the store is ready
 * when its data is open.  For the watchdog each role that is ready is asked over its control socket, and its loop
 * answers; while one does not, nothing is said, and in the end the manager starts the server anew.  A role
 * that starts is not asked: a store that recovers much data takes its time, and what ends is boss's to restart.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "config/events.h"
#include "role/boss/boss_internal.h"
#include "rt/logger.h"
#include "rt/notify.h"

enum { NAMES_MAX = 8, WATCHDOG_MS_MAX = 3600000 };

static struct {
    struct notify to;
    struct crew *crew;
    struct timer watchdog;
    int64_t every_ms;
    bool ready, stopping;
    char status[NOTIFY_BYTES_MAX];
} tell = {.to.fd = -1};

static void on_watchdog(struct timer *t);

void
boss_notify_begin(struct crew *crew)
{
    notify_open(&tell.to);
    tell.crew = crew;
    if (tell.to.watchdog_us > 0) {
        uint64_t half = tell.to.watchdog_us / 2000;
        tell.every_ms = (int64_t)MAX(MIN(half, (uint64_t)WATCHDOG_MS_MAX), 1u); /* in range */
        tell.watchdog.fire = on_watchdog;
        timer_set(&tell.watchdog, tell.every_ms);
    }
}

void
boss_notify_end(void)
{
    timer_stop(&tell.watchdog);
    notify_close(&tell.to);
}

void
boss_notify_pass(void)
{
    notify_pass(&tell.to);
}

/* ---- status ---- */

static void
say_status(struct str text)
{
    char fresh[NOTIFY_BYTES_MAX];

    (void)snprintf(fresh, sizeof(fresh), "%.*s", STR_FMT(text));
    if (strcmp(fresh, tell.status) == 0)
        return;
    (void)snprintf(tell.status, sizeof(tell.status), "%s", fresh);
    notify_status(&tell.to, text);
}

/* The names of those that are mute, or not ready, behind what is said of them. */
static bool
name_some(bool mute, const char *what, struct buf *text)
{
    size_t n = 0;

    for (size_t i = 0; i < tell.crew->count; i++) {
        const struct worker *w = &tell.crew->at[i];
        if (mute ? !w->mute : w->ready)
            continue;
        if (n++ == NAMES_MAX)
            buf_add_z(text, " ...");
        if (n > NAMES_MAX)
            continue;
        buf_add_z(text, n == 1 ? what : ", ");
        buf_add_z(text, w->name);
    }
    return n > 0;
}

void
boss_notify_crew(void)
{
    AUTO_BUF text = BUF(NOTIFY_BYTES_MAX);

    if (tell.stopping || tell.to.fd < 0)
        return;
    if (!name_some(true, "no answer from ", &text) &&
        !name_some(false, tell.ready ? "serving; waiting for " : "starting: waiting for ", &text))
        buf_add_z(&text, "serving");
    say_status(buf_str(&text));
}

void
boss_notify_ready(void)
{
    tell.ready = true;
    boss_notify_crew();
    notify_say(&tell.to, "READY=1");
}

void
boss_notify_reloading(void)
{
    notify_reloading(&tell.to);
}

void
boss_notify_stopping(const char *reason)
{
    AUTO_BUF text = BUF(NOTIFY_BYTES_MAX);

    tell.stopping = true;
    buf_add_z(&text, "stopping: ");
    buf_add_z(&text, reason);
    notify_say(&tell.to, "STOPPING=1");
    say_status(buf_str(&text));
}

/* ---- watchdog ---- */

/* Has it answered since the last time?  Then it is asked again. */
static bool
lives(struct worker *w)
{
    struct control ask = {.kind = CONTROL_PING, .value = w->asked + 1};
    bool was_mute = w->mute;

    /* Gone is not mute: boss hears of that from the kernel.  Full is. */
    w->mute = w->answered != w->asked || control_say(w->heard.fd, &ask, NULL, 0) == ERR_TEMP;
    if (!w->mute)
        w->asked++;
    else if (!was_mute) {
        AUTO(logger_send) struct log_line l;
        if (event_begin(&l, EVENT_ROLE_MUTE)) {
            log_str(&l, "name", str_of(w->name));
            log_i64(&l, "pid", w->child.pid);
        }
    }
    return !w->mute;
}

static void
on_watchdog(struct timer *t)
{
    bool all = true;

    for (size_t i = 0; i < tell.crew->count; i++) {
        struct worker *w = &tell.crew->at[i];
        if (w->runs && w->ready)
            all = lives(w) && all;
    }
    boss_notify_crew();
    if (all)
        notify_say(&tell.to, "WATCHDOG=1");
    timer_set(t, tell.every_ms);
}
