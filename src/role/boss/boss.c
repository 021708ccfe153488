/* boss.c - see boss.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/boss/boss.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "config/version.h"
#include "role/boss/boss_internal.h"
#include "role/topology.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "rt/logger.h"
#include "rt/loop.h"
#include "rt/random.h"

/* A role that ran for STEADY_MS starts with a clean record; the first FREE_RESTARTS are immediate. */
enum {
    STEADY_MS = 60000,
    FREE_RESTARTS = 3,
    RESTART_FIRST_MS = 100,
    RESTART_MAX_MS = 10000,
    GIVE_UP = 5, /* failed starts of a role before the server was ready once */
    STOP_MS = 10000,
    FILES_MS = 2000, /* a look at the certificate files, which somebody may have replaced */
    HEAR_MAX = 8     /* packets of one role in one turn: the others, and signals, get theirs */
};

static struct {
    struct boss_options o;
    struct boss_open open;
    struct crew crew;
    struct watch signals, lifeline;
    struct timer files, deadline;
    bool stopping, last_phase, was_ready;
    bool leaving; /* and then to be somebody else, or to start anew */
    struct problem gave_up;
    uint32_t walls; /* that hold in every role */
} boss;

static enum status start_signals(void);
static void add_workers(void);
static void start_missing(void);
static void start(struct worker *w);
static bool start_process(struct worker *w, const int control[2]);
static void connect_worker(struct worker *w);
static void connect_pair(struct worker *a, struct worker *b, size_t ring_bytes);
static void on_ended(struct watch *watch, uint32_t ready);
static void on_heard(struct watch *watch, uint32_t ready);
static bool obey(struct worker *w, const struct control *c);
static void on_ready(struct worker *w, uint32_t walls);
static void say_walls(void);
static void on_again(struct timer *t);
static uint32_t restart_delay(struct worker *w, const struct spawn_end *end);
static void on_signal(struct watch *watch, uint32_t ready);
static void reload(void);
static void start_all(void);
static void say_rehearsed(void);
static void on_lifeline(struct watch *watch, uint32_t ready);
static void on_files(struct timer *t);
static void stop_all(const char *reason);
static void end_roles(const char *reason);
static void stop_phase(void);
static void on_deadline(struct timer *t);
static void log_end(const struct worker *w, const struct spawn_end *end, uint32_t delay);

MUST_USE enum status
boss_run(const struct boss_options *o, struct problem *why)
{
    struct rlimit files;

    boss.o = *o;
    enum status st = boss_open(o, &boss.open, why);
    if (st != OK) {
        boss_change_fall_back(o, &boss.open, why);
        return st;
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) { /* for the roles */
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    /* It holds the way to the master key: no core file, no look into it by others of the same user. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)prctl(PR_SET_NAME,
                "godwit-server"); /* one that took over has the number of a descriptor */
    logger_init(boss.open.log_fd, o->config->log_level, "boss");
    loop_init();
    TRY(spawn_init());
    TRY(start_signals());
    if (o->lifeline > 0) {
        boss.lifeline = (struct watch){.fd = o->lifeline, .ready = on_lifeline};
        TRY(watch_start(&boss.lifeline, EPOLLIN));
    } else if (!o->rehearsal)
        boss_notify_begin(&boss.crew);
    boss.deadline.fire = on_deadline;
    boss.files.fire = on_files;
    timer_set(&boss.files, FILES_MS);
    add_workers();
    do {
        start_all();
        loop_run();
        if (boss.leaving)
            boss_change_go(&boss.o, &boss.open);
    } while (boss.leaving); /* it is still us */
    if (boss.gave_up.text[0] != '\0')
        boss_change_fall_back(&boss.o, &boss.open, &boss.gave_up);
    boss_notify_end();
    boss_open_release(&boss.open);
    config_free(&boss.o.renewed);
    if (boss.gave_up.text[0] != '\0') {
        *why = boss.gave_up;
        return ERR_IO;
    }
    return OK;
}

static enum status
start_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return ERR_IO;
    boss.signals =
        (struct watch){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = on_signal};
    return boss.signals.fd >= 0 ? watch_start(&boss.signals, EPOLLIN) : ERR_IO;
}

static uint32_t
count_of(enum role r)
{
    uint32_t n = 0;

    for (size_t i = 0; i < boss.crew.count; i++)
        n += boss.crew.at[i].role == r;
    return n;
}

/* Those that the configuration asks for and that are not there; a new one can only ask for more of `ask`. */
static void
add_workers(void)
{
    for (int r = 0; r < ROLE_COUNT; r++) {
        enum role role = (enum role)r;
        uint32_t n = MIN(topology_workers(boss.o.config, role), ROLE_WORKERS_MAX);
        if (boss.o.table[r] == NULL)
            continue;
        for (uint32_t i = count_of(role); i < n; i++) {
            struct worker *w = &boss.crew.at[boss.crew.count++];
            *w = (struct worker){.role = role, .index = i};
            w->again.fire = on_again;
            (void)snprintf(w->name, sizeof(w->name), "%s.%u", role_name(role), i);
        }
    }
}

static void
start_missing(void)
{
    size_t there = boss.crew.count;

    add_workers();
    for (size_t i = there; i < boss.crew.count; i++)
        start(&boss.crew.at[i]);
}

static void
start_all(void)
{
    boss.walls = ~0u;
    boss.stopping = boss.last_phase = boss.leaving = boss.was_ready = false;
    timer_stop(&boss.deadline);
    for (size_t i = 0; i < boss.crew.count; i++)
        start(&boss.crew.at[i]);
    boss_notify_crew();
}

/* ---- one worker ---- */

static void
start(struct worker *w)
{
    int control[2];

    ASSERT(!w->runs);
    w->ready = w->mute = false;
    w->asked = w->answered = 0;
    w->reason[0] = '\0';
    w->incarnation = random_u64();
    w->started_ms = clock_mono_ms();
    if (control_pair(control) != OK || !start_process(w, control)) {
        w->failures++;
        timer_set(&w->again, RESTART_MAX_MS);
        return;
    }
    connect_worker(w);
}

static bool
start_process(struct worker *w, const int control[2])
{
    const char *const args[] = {"role", w->name, NULL};
    AUTO(fd_close) int ours = control[0];
    AUTO(fd_close) int theirs = control[1];

    if (spawn_role(args, theirs, &w->child) != OK)
        return false;
    w->child.uid = boss.open.uid;
    w->ended = (struct watch){.fd = w->child.pidfd, .ready = on_ended};
    w->heard = (struct watch){.fd = ours, .ready = on_heard};
    if (watch_start(&w->ended, EPOLLIN) != OK || watch_start(&w->heard, EPOLLIN) != OK)
        role_fail("cannot watch a role"); /* boss itself cannot go on */
    w->runs = true;
    ours = -1;
    if (boss_hand_out(&boss.open, w->role, w->heard.fd, w->incarnation) != OK)
        spawn_kill(&w->child, SIGKILL); /* on_ended() tries again */
    return true;
}

/* Channels to every peer that runs now; those that come later do the same. */
static void
connect_worker(struct worker *w)
{
    for (size_t i = 0; i < boss.crew.count; i++) {
        struct worker *peer = &boss.crew.at[i];
        const struct topology_pair *pair = topology_find(w->role, peer->role);
        if (peer != w && peer->runs && pair != NULL)
            connect_pair(w, peer, pair->ring_bytes);
    }
}

static void
send_end(const struct worker *to, const struct worker *peer, const struct ipc_channel_end *e)
{
    struct control c = {.kind = CONTROL_PEER,
                        .role = peer->role,
                        .index = peer->index,
                        .incarnation = peer->incarnation,
                        .value = e->first};
    int fds[2] = {e->fd, e->ring_fd};

    if (control_say(to->heard.fd, &c, fds, e->ring_fd >= 0 ? 2 : 1) == ERR_TEMP)
        /* It does not read what boss says: it would never learn of this peer. */
        spawn_kill(&to->child, SIGKILL);
}

static void
connect_pair(struct worker *a, struct worker *b, size_t ring_bytes)
{
    struct ipc_channel_end ends[2];

    if (ipc_pair(ring_bytes, ends) != OK) {
        spawn_kill(&a->child, SIGKILL); /* out of descriptors or memory: with a pause, again */
        return;
    }
    send_end(a, b, &ends[0]);
    send_end(b, a, &ends[1]);
    for (int i = 0; i < 2; i++) {
        fd_close(&ends[i].fd);
        fd_close(&ends[i].ring_fd);
    }
}

static void
on_heard(struct watch *watch, uint32_t ready)
{
    struct worker *w = LIST_ENTRY(watch, struct worker, heard);
    struct control_packet p;
    struct control c;

    (void)ready;
    for (int i = 0; i < HEAR_MAX; i++) {
        enum status st = control_recv(watch->fd, false, &p);
        if (st == ERR_TEMP)
            return;
        if (st == ERR_CLOSED) { /* its pidfd says the rest */
            watch_stop(watch);
            return;
        }
        if (st == OK)
            control_packet_close(&p);
        if (st != OK || control_hear(&p, &c) != OK || !obey(w, &c)) {
            /* None of ours speaks so: it was taken over. */
            (void)snprintf(w->reason, sizeof(w->reason),
                           "broke the protocol of its control socket");
            watch_stop(watch);
            spawn_kill(&w->child, SIGKILL);
            return;
        }
    }
}

static bool
obey(struct worker *w, const struct control *c)
{
    if (c->kind == CONTROL_READY && !w->ready)
        on_ready(w, c->value);
    else if (c->kind == CONTROL_PONG && c->value == w->asked && w->answered != w->asked)
        w->answered = w->asked;
    else if (c->kind == CONTROL_DIAL && (w->role == ROLE_MX || w->role == ROLE_USER))
        boss_dial(boss.o.config, c, w);
    else if (c->kind == CONTROL_RELOAD && w->role == ROLE_API)
        (void)raise(SIGHUP); /* it may say no more than a signal could */
    else if (c->kind == CONTROL_FAILED)
        (void)snprintf(w->reason, sizeof(w->reason), "%.*s", STR_FMT(c->text));
    else
        return false;
    return true;
}

static void
on_ready(struct worker *w, uint32_t walls)
{
    bool all = true;

    w->ready = w->ready_once = true;
    boss.walls &= walls;
    {
        AUTO(logger_send) struct log_line l;
        if (event_begin(&l, EVENT_ROLE_START)) {
            log_str(&l, "name", str_of(w->name));
            log_i64(&l, "pid", w->child.pid);
            log_u64(&l, "seccomp", (walls & CONTROL_WALL_SECCOMP) != 0);
            log_u64(&l, "landlock", (walls & CONTROL_WALL_LANDLOCK) != 0);
            log_u64(&l, "uid", (walls & CONTROL_WALL_UID) != 0);
        }
    }
    for (size_t i = 0; i < boss.crew.count; i++)
        all = all && boss.crew.at[i].ready;
    boss_notify_crew();
    if (!all || boss.was_ready)
        return;
    boss.was_ready = true;
    AUTO(logger_send) struct log_line l;
    if (event_begin(&l, EVENT_SERVER_READY)) {
        log_str(&l, "host", boss.o.config->host);
        log_u64(&l, "listeners", boss.open.listening.count);
        log_str(&l, "version", str_of(godwit_version));
    }
    say_walls();
    boss_notify_ready();
    if (boss.o.rehearsal)
        say_rehearsed();
    else
        boss_change_ready();
}

static void
say_missing(const char *wall, const char *reason)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_WALL_MISSING))
        return;
    log_str(&l, "wall", str_of(wall));
    log_str(&l, "reason", str_of(reason));
}

/* What does not stand is named once, at the start. */
static void
say_walls(void)
{
    if ((boss.walls & CONTROL_WALL_LANDLOCK) == 0)
        say_missing("landlock", "the kernel has none, or this container forbids it");
    if ((boss.walls & CONTROL_WALL_UID) != 0)
        return;
    if (boss.open.alone)
        say_missing("uid", "this container does not have the user of the configuration, so no "
                           "process can become it");
    else
        say_missing("uid", "the server was not started by root, so no process can become another");
}

static void
on_ended(struct watch *watch, uint32_t ready)
{
    struct worker *w = LIST_ENTRY(watch, struct worker, ended);
    struct spawn_end end;

    (void)ready;
    on_heard(&w->heard, 0); /* its last words */
    watch_stop(&w->ended);
    watch_stop(&w->heard);
    if (spawn_reap(&w->child, &end) != OK) {
        fd_close(&w->child.pidfd);
        end = (struct spawn_end){0};
    }
    fd_close(&w->heard.fd);
    w->runs = w->ready = w->mute = false;
    if (boss.stopping) {
        stop_phase();
        return;
    }
    uint32_t delay = restart_delay(w, &end);
    log_end(w, &end, delay);
    boss_notify_crew();
    if (!boss.was_ready && !w->ready_once && w->failures >= GIVE_UP) {
        problem_set(&boss.gave_up, 0, "", "%s: %s", w->name,
                    w->reason[0] != '\0' ? w->reason : "ended before it was ready");
        if (boss_change_has_way_back(&boss.o)) /* the service manager need not know */
            end_roles("a role cannot start");
        else
            stop_all("a role cannot start");
        return;
    }
    timer_set(&w->again, delay);
}

/* A role that ends with success wants to be replaced: no fault of it. */
static uint32_t
restart_delay(struct worker *w, const struct spawn_end *end)
{
    if (end->signal == 0 && end->exit == 0 && w->ready_once)
        return 0;
    if (clock_mono_ms() - w->started_ms > STEADY_MS)
        w->failures = 0;
    uint32_t failures = w->failures++;
    if (failures < FREE_RESTARTS)
        return 0;
    failures = MIN(failures - FREE_RESTARTS, 10u);
    return random_jitter(MIN((uint32_t)RESTART_FIRST_MS << failures, (uint32_t)RESTART_MAX_MS), 10);
}

static void
log_end(const struct worker *w, const struct spawn_end *end, uint32_t delay)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_ROLE_END))
        return;
    log_str(&l, "name", str_of(w->name));
    log_i64(&l, "signal", end->signal);
    log_i64(&l, "exit", end->exit);
    log_u64(&l, "restart_ms", delay);
    if (w->reason[0] != '\0')
        log_str(&l, "reason", str_of(w->reason));
    else if (end->signal == SIGSYS)
        log_str(&l, "reason", STR("a system call outside its jail: the kernel's log names it"));
}

static void
on_again(struct timer *t)
{
    struct worker *w = LIST_ENTRY(t, struct worker, again);

    if (!boss.stopping && !w->runs)
        start(w);
}

/* ---- signals, files ---- */

static void
on_signal(struct watch *watch, uint32_t ready)
{
    struct signalfd_siginfo info;

    (void)ready;
    while (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            stop_all(info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
        else if (boss.stopping || boss.o.rehearsal || boss.o.no_listeners)
            continue;
        else if (info.ssi_signo == SIGHUP)
            reload();
        else
            boss_change_ask(info.ssi_signo == SIGUSR1);
    }
}

/* The last line is for who tries us. */
static void
say_rehearsed(void)
{
    printf("ready %s\n", godwit_version);
    (void)fflush(stdout);
    stop_all("rehearsal");
}

static void
reload(void)
{
    if (boss.was_ready)
        boss_notify_reloading();
    boss_reload(&boss.o, &boss.open, &boss.crew);
    start_missing();
    if (boss.was_ready)
        boss_notify_ready();
}

/* Nothing is ever said on it. */
static void
on_lifeline(struct watch *watch, uint32_t ready)
{
    (void)ready;
    watch_stop(watch);
    stop_all("setup is done");
}

static void
on_files(struct timer *t)
{
    for (size_t i = 0; i < boss.crew.count; i++)
        boss.crew.at[i].dials = 0;
    if (!boss.stopping)
        boss_renew_files(&boss.open, &boss.crew, false);
    timer_set(t, FILES_MS);
}

/* ---- the end ---- */

static void
stop_all(const char *reason)
{
    if (boss.leaving) {
        boss.leaving = false;
        boss_notify_stopping(reason);
    }
    boss_change_end();
    if (boss.stopping)
        return;
    boss_notify_stopping(reason);
    end_roles(reason);
}

void
boss_leave(void)
{
    if (boss.stopping) { /* meanwhile somebody wants it to end */
        boss_change_end();
        return;
    }
    boss.leaving = true;
    boss_notify_reloading();
    end_roles("another program takes over");
}

static void
end_roles(const char *reason)
{
    boss.stopping = true;
    {
        AUTO(logger_send) struct log_line l;
        if (event_begin(&l, EVENT_SERVER_STOP))
            log_str(&l, "reason", str_of(reason));
    }
    for (size_t i = 0; i < boss.crew.count; i++)
        timer_stop(&boss.crew.at[i].again);
    struct control c = {.kind = CONTROL_STOP};
    for (size_t i = 0; i < boss.crew.count; i++) {
        struct worker *w = &boss.crew.at[i];
        if (w->runs && topology_stops_first(w->role) && control_say(w->heard.fd, &c, NULL, 0) != OK)
            spawn_kill(&w->child, SIGKILL);
    }
    timer_set(&boss.deadline, STOP_MS);
    stop_phase();
}

/* First the workers of the Internet, then the others, then we. */
static void
stop_phase(void)
{
    struct control c = {.kind = CONTROL_STOP};
    bool any = false;

    for (size_t i = 0; i < boss.crew.count; i++) {
        const struct worker *w = &boss.crew.at[i];
        if (w->runs && !boss.last_phase && topology_stops_first(w->role))
            return;
        any = any || w->runs;
    }
    if (!any) {
        loop_stop();
        return;
    }
    if (boss.last_phase)
        return;
    boss.last_phase = true;
    timer_set(&boss.deadline, STOP_MS);
    for (size_t i = 0; i < boss.crew.count; i++) {
        struct worker *w = &boss.crew.at[i];
        if (w->runs && control_say(w->heard.fd, &c, NULL, 0) != OK)
            spawn_kill(&w->child, SIGKILL);
    }
}

static void
on_deadline(struct timer *t)
{
    for (size_t i = 0; i < boss.crew.count; i++)
        if (boss.crew.at[i].runs && (boss.last_phase || topology_stops_first(boss.crew.at[i].role)))
            spawn_kill(&boss.crew.at[i].child, SIGKILL);
    timer_set(t, STOP_MS);
}
