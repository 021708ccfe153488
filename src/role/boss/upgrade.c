/* upgrade.c - another program takes the place of this one, in the same process and with the same listeners.
 *
 * Asked for (a signal) -> the other program is tried beside this one: `serve --rehearse` starts all its roles on this
 * configuration, with an empty store in memory, and looks whether it knows the format of the data -> the roles here end
 * in order (role/boss/boss.c) -> the program is replaced; its first argument is a descriptor with what it must know
 * (role/boss/handover.h).  Connections that come meanwhile wait in the kernel, since no listening socket is closed.
 * The program before stays open, so that there is a way back also when its file was replaced: that way is taken by
 * itself when the new one does not become ready (docs/decisions/a-program-takes-over.md).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "config/version.h"
#include "role/boss/handover.h"
#include "rt/disk.h"
#include "rt/logger.h"
#include "rt/loop.h"
#include "rt/notify.h"

enum { TRY_MS = 120000, BURIAL_MS = 50, SAID_BYTES = 2048, PATH_BYTES = 1024 };

static struct {
    const struct boss_options *o;
    char path[PATH_BYTES]; /* where a newer program is put */
    char config_path[PATH_BYTES];
    uint32_t number;
    int previous_fd; /* the program that ran before this one; -1: none is known */
    enum change kind;
    bool trying, leaving;
    int program_fd; /* that is tried, or comes next */
    char version[40];
    struct spawn_child child;
    struct watch ended, said;
    struct timer deadline, burial;
    bool unwatched; /* a child that could not be watched was killed, and is not gone yet */
    char text[SAID_BYTES];
    size_t text_len;
    bool late;
    bool told; /* what came of the change that brought us here */
} change = {.previous_fd = -1, .program_fd = -1, .said.fd = -1};

static enum status open_program(enum change kind, int *out, struct problem *why);
static enum status start_trial(struct problem *why);
static void on_said(struct watch *w, uint32_t ready);
static void on_ended(struct watch *w, uint32_t ready);
static void on_late(struct timer *t);
static void on_burial(struct timer *t);
static void judge(const struct spawn_end *end);
static struct str last_line(void);
static void replace(struct handover *h, int program_fd);
static void tell(bool taken, struct str from, struct str to, struct str said);
static void write_state(const char *result, struct str from, struct str to, struct str said);

static void
run_path(const struct config *c, const char *name, const char *end, char out[PATH_BYTES])
{
    AUTO_BUF path = BUF(PATH_BYTES - 1);

    buf_addf(&path, "%.*s/%s%s", STR_FMT(c->run_dir), name, end);
    if (buf_status(&path) != OK || !str_to_z(buf_str(&path), out, PATH_BYTES))
        out[0] = '\0';
}

static void
state_path(const char *end, char out[PATH_BYTES])
{
    run_path(change.o->config, BOSS_UPGRADE_STATE, end, out);
}

/* ---- the beginning ---- */

static void
close_at_exec(int fd)
{
    if (fd >= 0)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void
boss_change_begin(const struct boss_options *o, struct boss_open *b)
{
    const struct handover *h = o->taken;
    char admin[PATH_BYTES];

    change.o = o;
    if (!str_to_z(o->config_path, change.config_path, sizeof(change.config_path)))
        change.config_path[0] = '\0';
    state_path("", admin);
    if (h == NULL && !o->rehearsal)
        (void)unlink(admin); /* of an earlier run */
    if (h == NULL)
        return;
    change.number = h->number;
    change.previous_fd = h->previous_fd;
    if (!str_to_z(h->program, change.path, sizeof(change.path)))
        change.path[0] = '\0';
    close_at_exec(h->previous_fd);
    close_at_exec(h->admin_fd);
    for (size_t i = 0; i < h->listening.count; i++)
        close_at_exec(h->listening.at[i].fd);
    for (size_t i = 0; i < h->stray_count; i++) {
        int fd = h->strays[i];
        fd_close(&fd);
    }
    b->listening = h->listening;
    run_path(o->config, ROLE_ADMIN_SOCKET, "", admin);
    if (str_eq(h->admin_path, str_of(admin)))
        b->admin_fd = h->admin_fd;
}

void
boss_change_ready(void)
{
    const struct handover *h = change.o->taken;
    char said[HANDOVER_SAID_MAX + 100];

    if (h == NULL || change.told)
        return;
    if (h->kind != CHANGE_FALLBACK) {
        tell(true, h->from, str_of(godwit_version), STR(""));
        return;
    }
    (void)snprintf(said, sizeof(said), "%.*s did not start, and %s runs again: %.*s",
                   STR_FMT(h->from), godwit_version, STR_FMT(h->said));
    tell(false, str_of(godwit_version), h->from, str_of(said));
}

/* ---- the trial ---- */

void
boss_change_ask(bool back)
{
    struct problem why = {0};

    if (change.trying || change.leaving || change.unwatched)
        return;
    change.kind = back ? CHANGE_ROLLBACK : CHANGE_UPGRADE;
    change.version[0] = '\0';
    if (change.path[0] == '\0' && !str_to_z(spawn_program_path(), change.path, sizeof(change.path)))
        change.path[0] = '\0';
    if (str_eq(change.o->config->engine, STR("mem")))
        boss_change_failed("the engine \"mem\" keeps nothing: all mail would be lost");
    else if (open_program(change.kind, &change.program_fd, &why) != OK || start_trial(&why) != OK)
        boss_change_failed(why.text);
}

static enum status
open_program(enum change kind, int *out, struct problem *why)
{
    char reason[100];

    if (kind == CHANGE_ROLLBACK && change.previous_fd < 0) {
        problem_set(why, 0, "",
                    "no other program ran before this one since the service was started");
        return ERR_NOT_FOUND;
    }
    *out = kind == CHANGE_ROLLBACK ? fcntl(change.previous_fd, F_DUPFD_CLOEXEC, CONTROL_FD + 1)
                                   : open(change.path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*out >= 0)
        return OK;
    problem_set(why, 0, "", "%s cannot be opened: %s", change.path,
                strerror_r(errno, reason, sizeof(reason)));
    return ERR_IO;
}

/* One that cannot be watched ends at once; nothing was changed. */
static enum status
no_trial(void)
{
    change.said.fd = -1;
    spawn_kill(&change.child, SIGKILL);
    change.unwatched = true;
    change.burial.fire = on_burial;
    timer_set(&change.burial, BURIAL_MS);
    return ERR_IO;
}

/* It was killed a moment ago, and nothing says when it is gone. */
static void
on_burial(struct timer *t)
{
    struct spawn_end end;

    if (spawn_reap(&change.child, &end) == ERR_TEMP)
        timer_set(t, BURIAL_MS);
    else
        change.unwatched = false;
}

static enum status
start_trial(struct problem *why)
{
    const char *const args[] = {"serve", "--rehearse", "-c", change.config_path, NULL};
    int pipes[2];

    problem_set(why, 0, "", "the program cannot be tried");
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0)
        return ERR_IO;
    AUTO(fd_close) int hears = pipes[0];
    AUTO(fd_close) int says = pipes[1];
    TRY(spawn_other(change.program_fd, args, says, &change.child));
    change.ended = (struct watch){.fd = change.child.pidfd, .ready = on_ended};
    change.said = (struct watch){.fd = hears, .ready = on_said};
    change.deadline.fire = on_late;
    change.text_len = 0;
    change.late = false;
    if (watch_start(&change.ended, EPOLLIN) != OK)
        return no_trial();
    if (watch_start(&change.said, EPOLLIN) != OK) {
        watch_stop(&change.ended);
        return no_trial();
    }
    hears = -1;
    change.trying = true;
    timer_set(&change.deadline, TRY_MS);
    return OK;
}

/* What goes beyond the room is thrown away, from its beginning: the last line counts. */
static void
on_said(struct watch *w, uint32_t ready)
{
    (void)ready;
    for (;;) {
        if (change.text_len == sizeof(change.text)) {
            change.text_len /= 2;
            mem_move(change.text, change.text + change.text_len, change.text_len);
        }
        ssize_t n =
            read(w->fd, change.text + change.text_len, sizeof(change.text) - change.text_len);
        if (n > 0) {
            change.text_len += (size_t)n;
            continue;
        }
        if (n == 0 || errno != EAGAIN)
            watch_stop(w);
        return;
    }
}

static void
on_late(struct timer *t)
{
    (void)t;
    change.late = true;
    spawn_kill(&change.child, SIGKILL); /* its roles end with it */
}

static void
on_ended(struct watch *w, uint32_t ready)
{
    struct spawn_end end = {.exit = 1};

    (void)w, (void)ready;
    on_said(&change.said, 0);
    watch_stop(&change.ended);
    watch_stop(&change.said);
    fd_close(&change.said.fd);
    timer_stop(&change.deadline);
    if (spawn_reap(&change.child, &end) != OK)
        fd_close(&change.child.pidfd);
    change.trying = false;
    judge(&end);
}

static void
judge(const struct spawn_end *end)
{
    struct str said = last_line(), word;
    char why[HANDOVER_SAID_MAX];

    if (end->signal == 0 && end->exit == 0 && str_split(&said, ' ', &word) &&
        str_eq(word, STR("ready")) && str_to_z(said, change.version, sizeof(change.version))) {
        change.leaving = true;
        boss_leave();
        return;
    }
    if (change.late)
        (void)snprintf(why, sizeof(why), "the program was not ready within %d s", TRY_MS / 1000);
    else if (end->signal != 0)
        (void)snprintf(why, sizeof(why), "the program ended by signal %d", end->signal);
    else
        (void)snprintf(why, sizeof(why), "%.*s", STR_FMT(last_line()));
    boss_change_failed(why[0] != '\0' ? why : "the program did not start");
}

static struct str
last_line(void)
{
    struct str text = str_trim(str_from(change.text, change.text_len));
    ssize_t end = str_rfind(text, '\n');

    text = str_trim(str_skip(text, (size_t)(end + 1))); /* -1: it is the only one */
    return str_starts(text, STR("godwit: ")) ? str_skip(text, 8) : text;
}

void
boss_change_failed(const char *why)
{
    fd_close(&change.program_fd);
    change.leaving = false;
    tell(false, str_of(godwit_version), str_of(change.version), str_of(why));
}

void
boss_change_end(void)
{
    change.leaving = false;
    if (change.trying)
        spawn_kill(&change.child, SIGKILL);
}

/* ---- the change ---- */

static bool
same_file(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void
boss_change_go(const struct boss_options *o, const struct boss_open *b)
{
    struct handover *h = MEM_NEW(struct handover);
    char admin[PATH_BYTES], reason[100];

    /* Starting the same program anew is no step that could be taken back. */
    bool same = same_file(change.program_fd, spawn_program());
    run_path(o->config, ROLE_ADMIN_SOCKET, "", admin);
    h->kind = change.kind;
    h->number = change.number;
    h->program = str_of(change.path);
    h->from = str_of(godwit_version);
    h->previous_fd = same && change.previous_fd >= 0 ? change.previous_fd : spawn_program();
    h->admin_fd = b->admin_fd;
    h->admin_path = str_of(admin);
    h->listening = b->listening;
    boss_notify_pass();
    replace(h, change.program_fd);
    int problem = errno;
    mem_free(h);
    notify_take_back();
    boss_change_failed(strerror_r(problem, reason, sizeof(reason)));
}

bool
boss_change_has_way_back(const struct boss_options *o)
{
    return o->taken != NULL && o->taken->kind != CHANGE_FALLBACK && o->taken->previous_fd >= 0;
}

void
boss_change_fall_back(const struct boss_options *o, const struct boss_open *b,
                      const struct problem *why)
{
    const struct handover *taken = o->taken;
    char admin[PATH_BYTES];

    if (!boss_change_has_way_back(o) ||
        !str_to_z(o->config_path, change.config_path, sizeof(change.config_path)))
        return;
    struct handover *h = MEM_NEW(struct handover);
    *h = *taken;
    h->kind = CHANGE_FALLBACK;
    h->from = str_of(godwit_version);
    h->said = str_of(why->text);
    h->previous_fd = -1; /* there is no other way back than this one */
    if (b != NULL) {
        run_path(o->config, ROLE_ADMIN_SOCKET, "", admin);
        h->listening = b->listening;
        h->admin_fd = b->admin_fd;
        h->admin_path = str_of(admin);
        boss_notify_pass();
    }
    replace(h, taken->previous_fd);
    mem_free(h);
}

/* Returns only when it could not. */
static void
replace(struct handover *h, int program_fd)
{
    AUTO_BUF text = BUF(HANDOVER_BYTES_MAX);
    AUTO(fd_close) int fd = memfd_create("handover", MFD_CLOEXEC);
    int keep[ROLE_LISTENERS_MAX + 3];
    char number[16];
    size_t n = 0;

    handover_write(h, &text);
    if (fd < 0 || buf_status(&text) != OK || write(fd, text.ptr, text.len) != (ssize_t)text.len)
        return;
    keep[n++] = fd;
    if (h->previous_fd >= 0)
        keep[n++] = h->previous_fd;
    if (h->admin_fd >= 0)
        keep[n++] = h->admin_fd;
    for (size_t i = 0; i < h->listening.count; i++)
        keep[n++] = h->listening.at[i].fd;
    (void)snprintf(number, sizeof(number), "%d", fd);
    const char *const args[] = {"serve", "--take-over", number, "-c", change.config_path, NULL};
    spawn_replace(program_fd, args, keep, n);
}

/* ---- what came of it ---- */

static void
tell(bool taken, struct str from, struct str to, struct str said)
{
    static const char *const results[] = {"refused", "taken"};
    const struct handover *h = change.o->taken;
    bool fell = !taken && h != NULL && h->kind == CHANGE_FALLBACK && !change.told;
    enum change kind = h != NULL && !change.told ? h->kind : change.kind;

    change.told = true;
    change.number++;
    const char *result = fell ? "fallback" : results[taken];
    write_state(result, from, to, said);
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, EVENT_SERVER_UPGRADE))
        return;
    log_str(&l, "kind", str_of(change_name(kind)));
    log_str(&l, "result", str_of(result));
    log_str(&l, "from", from);
    log_str(&l, "to", to);
    log_str(&l, "reason", said);
}

/* The folder may be of somebody else: nothing here follows a link in it. */
static void
write_state(const char *result, struct str from, struct str to, struct str said)
{
    AUTO_BUF text = BUF(4096);
    AUTO(fd_close) int fd = -1;
    char path[PATH_BYTES], fresh[PATH_BYTES];

    buf_addf(&text, "number %u\nresult %s\nfrom %.*s\nto %.*s\nsaid %.*s\n", change.number, result,
             STR_FMT(from), STR_FMT(to), STR_FMT(said));
    state_path("", path);
    state_path(".new", fresh);
    (void)unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0 || buf_status(&text) != OK || write(fd, text.ptr, text.len) != (ssize_t)text.len ||
        rename(fresh, path) != 0)
        (void)unlink(fresh); /* the log has it */
}
