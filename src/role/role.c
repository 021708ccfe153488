/* role.c - the process of one role: what boss says, the jail, the loop.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/role.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "role/control.h"
#include "role/role_dial.h"
#include "role/role_internal.h"
#include "role/topology.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "rt/heap.h"
#include "rt/logger.h"
#include "rt/loop.h"

enum { STOP_MS = 10000, EXIT_ORPHAN = 3 };

/* One role per process: this is it. */
static struct {
    struct role_start start;
    struct role_handed now, coming; /* coming: since CONFIG, until RELOADED */
    const struct role_verbs *verbs;
    char name[32];
    char data_dir[1024];
    uint32_t uid, gid;
    struct watch control;
    struct timer deadline;
    struct sandbox_walls walls;
    bool begun, stopping;
    bool renewed; /* before begin() was done: config_changed() is called after it */
} self;

static bool name_read(const char *name);
static void receive_start(void);
static void on_message(const struct control *c, struct control_packet *p);
static void on_start(const struct control *c, struct control_packet *p);
static void on_peer(const struct control *c, struct control_packet *p);
static void on_reloaded(const struct control *c);
static void renew(void);
static void show(void);
static void enter_jail(void);
static void begin(void *arg);
static void on_control(struct watch *w, uint32_t ready);
static void stop(void);
static void on_deadline(struct timer *t);
static uint32_t wall_bits(const struct sandbox_walls *w);
static void say(enum control_kind kind, uint32_t value, const char *text);

int
role_main(const struct role_verbs *const table[ROLE_COUNT], int argc, char **argv)
{
    if (argc != 3 || !name_read(argv[2]) || table[self.start.role] == NULL) {
        fprintf(stderr, "godwit: role is for the server itself: use godwit serve\n");
        return 2;
    }
    self.verbs = table[self.start.role];
    self.start.master_key_fd = self.start.admin_fd = -1;
    (void)prctl(PR_SET_NAME, self.name);
    (void)umask(S_IRWXG | S_IRWXO); /* what the store's engine makes is for nobody else */
    (void)signal(SIGPIPE, SIG_IGN);
    receive_start();
    enter_jail();

    loop_init();
    heap_trim_when_quiet();
    fiber_pool_limit(LIMIT_FIBERS);
    self.control = (struct watch){.fd = CONTROL_FD, .ready = on_control};
    self.deadline.fire = on_deadline;
    if (watch_start(&self.control, EPOLLIN) != OK || fiber_go(begin, NULL) != OK)
        role_fail("no loop");
    loop_run();
    _exit(0);
}

const struct role_start *
role_self(void)
{
    return &self.start;
}

void
role_stopped(void)
{
    _exit(0);
}

void
role_fail(const char *what)
{
    say(CONTROL_FAILED, 0, what);
    _exit(1);
}

/* "mx.0" */
static bool
name_read(const char *name)
{
    struct str rest = str_of(name), head;

    if (!str_split(&rest, '.', &head) || rest.len != 1 || !ascii_is_digit(rest.ptr[0]))
        return false;
    for (int r = 0; r < ROLE_COUNT; r++) {
        if (!str_eq(head, str_of(role_name((enum role)r))))
            continue;
        self.start.role = (enum role)r;
        self.start.index = (uint32_t)(rest.ptr[0] - '0');
        return str_to_z(str_of(name), self.name, sizeof(self.name));
    }
    return false;
}

/* Blocks: nothing else runs yet.  Boss is trusted, but a packet that is none of its ends the process. */
static void
receive_start(void)
{
    for (;;) {
        struct control_packet p;
        struct control c;

        if (control_recv(CONTROL_FD, true, &p) != OK)
            _exit(EXIT_ORPHAN);
        if (control_hear(&p, &c) != OK)
            _exit(2);
        if (c.kind == CONTROL_GO)
            break;
        on_message(&c, &p);
        control_packet_close(&p);
    }
    if (self.now.config == NULL)
        _exit(2);
    show();
    role_trace_start(&self.start);
}

/* What was handed out, as the role sees it. */
static void
show(void)
{
    self.start.config = self.now.config;
    self.start.listeners = self.now.listeners;
    self.start.listener_count = self.now.listener_count;
    self.start.files = self.now.files;
    self.start.file_count = self.now.file_count;
}

static void
on_message(const struct control *c, struct control_packet *p)
{
    struct role_handed *handed = self.coming.config != NULL ? &self.coming : &self.now;
    struct problem why = {0};

    switch (c->kind) {
    case CONTROL_START: on_start(c, p); break;
    case CONTROL_LISTENER: role_handed_listener(handed, c, p); break;
    case CONTROL_FILE:
        role_handed_file(handed, c, p);
        self.start.file_count = self.now.file_count;
        break;
    case CONTROL_FILES:
        if (self.verbs->files_changed != NULL)
            self.verbs->files_changed(&self.start);
        break;
    case CONTROL_CONFIG:
        if (self.coming.config != NULL || role_handed_config(&self.coming, p, 0, &why) != OK)
            role_fail("the new configuration cannot be read"); /* the next process has it */
        break;
    case CONTROL_RELOADED: on_reloaded(c); break;
    case CONTROL_PEER: on_peer(c, p); break;
    case CONTROL_LOG:
        if (p->fd_count == 1)
            logger_move(p->fds[0]);
        break;
    case CONTROL_DIALLED: role_dialled(c, p); break;
    case CONTROL_PING: say(CONTROL_PONG, c->value, ""); break;
    case CONTROL_STOP: stop(); break;
    case CONTROL_GO:
    case CONTROL_PONG:
    case CONTROL_READY:
    case CONTROL_DIAL:
    case CONTROL_RELOAD:
    case CONTROL_FAILED: break;
    }
}

static void
on_peer(const struct control *c, struct control_packet *p)
{
    struct ipc_channel_end end = {.fd = role_handed_take(p, 0), .first = c->value != 0};

    end.ring_fd = role_handed_take(p, 1);
    if (end.fd >= 0)
        role_peer_add(self.verbs, c, &end);
}

static void
on_start(const struct control *c, struct control_packet *p)
{
    struct problem why = {0};
    size_t next = 2;

    enum status st = role_handed_config(&self.now, p, 0, &why);
    int log_fd = role_handed_take(p, 1);
    if (log_fd < 0)
        _exit(2);
    if (st != OK)
        role_fail(why.text);
    const struct config *config = self.now.config;
    self.start.incarnation = c->incarnation;
    if ((c->index & CONTROL_HAS_KEY) != 0)
        self.start.master_key_fd = role_handed_take(p, next++);
    self.start.rehearsal = (c->index & CONTROL_REHEARSAL) != 0;
    if ((c->index & CONTROL_HAS_ADMIN) != 0)
        self.start.admin_fd = role_handed_take(p, next);
    self.uid = c->value;
    self.gid = c->value2;
    if (!str_to_z(config->data_dir, self.data_dir, sizeof(self.data_dir)))
        role_fail("the data directory has too long a name");
    logger_init(log_fd, config->log_level, self.name);
    role_stats_prepare(self.start.role);
}

static void
on_reloaded(const struct control *c)
{
    mem_str_free(&self.start.reload_said);
    self.start.reload_said = mem_str(c->text);
    self.start.reload_taken = c->value != 0;
    self.start.reloads++;
    if (c->value == 0 || self.coming.config == NULL)
        return;
    role_handed_renew(&self.now, &self.coming);
    show();
    if (self.begun)
        renew();
    else
        self.renewed = true;
}

static void
renew(void)
{
    logger_level(self.start.config->log_level);
    if (self.verbs->config_changed != NULL)
        self.verbs->config_changed(&self.start);
    if (self.verbs->files_changed != NULL)
        self.verbs->files_changed(&self.start);
}

static void
enter_jail(void)
{
    struct jail room;
    struct problem why = {0};
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (self.verbs->prepare != NULL && self.verbs->prepare(&self.start, &why) != OK)
        role_fail(why.text);
    struct sandbox jail = jail_of(self.start.role, self.data_dir, &room);
    jail.uid = self.uid;
    jail.gid = self.gid;
    if (sandbox_enter(&jail, &self.walls, &why) != OK)
        role_fail(why.text);
}

FIBER_ENTRY static void
begin(void *arg)
{
    struct problem why = {0};

    (void)arg;
    if (self.verbs->begin != NULL && self.verbs->begin(&self.start, &why) != OK)
        role_fail(why.text[0] != '\0' ? why.text : "cannot begin");
    self.begun = true;
    if (self.renewed)
        renew();
    if (self.start.role != ROLE_STORE)
        role_stats_start();
    say(CONTROL_READY, wall_bits(&self.walls), "");
}

static uint32_t
wall_bits(const struct sandbox_walls *w)
{
    return (w->seccomp ? CONTROL_WALL_SECCOMP : 0u) | (w->landlock ? CONTROL_WALL_LANDLOCK : 0u) |
           (w->uid ? CONTROL_WALL_UID : 0u) | (w->no_new_privs ? CONTROL_WALL_NO_NEW_PRIVS : 0u) |
           (w->dumpable_off ? CONTROL_WALL_DUMPABLE : 0u);
}

void
role_ask_reload(void)
{
    say(CONTROL_RELOAD, 0, "");
}

static void
say(enum control_kind kind, uint32_t value, const char *text)
{
    struct control c = {.kind = kind, .value = value, .text = str_of(text)};

    /* Boss reads this or is gone; either way there is nothing more to do here. */
    if (control_say(CONTROL_FD, &c, NULL, 0) != OK && text[0] != '\0')
        fprintf(stderr, "godwit: %s: %s\n", self.name, text);
}

static void
on_control(struct watch *w, uint32_t ready)
{
    struct control_packet p;
    struct control c;

    (void)ready;
    for (;;) {
        switch (control_recv(w->fd, false, &p)) {
        case OK: break;
        case ERR_TEMP: return;
        default: /* boss is gone: so are we, in order */
            watch_stop(w);
            stop();
            return;
        }
        if (control_hear(&p, &c) == OK)
            on_message(&c, &p);
        control_packet_close(&p);
    }
}

static void
stop(void)
{
    if (self.stopping)
        return;
    self.stopping = true;
    timer_set(&self.deadline, STOP_MS);
    if (self.verbs->stop == NULL)
        role_stopped();
    self.verbs->stop();
}

static void
on_deadline(struct timer *t)
{
    (void)t;
    _exit(EXIT_ORPHAN);
}

MUST_USE enum status
role_file_read(const struct role_start *s, struct str path, struct buf *b)
{
    for (size_t i = 0; i < s->file_count; i++)
        if (s->files[i].fd >= 0 && str_eq(s->files[i].path, path))
            return role_fd_read(s->files[i].fd, b);
    return ERR_NOT_FOUND;
}

void
role_master_key_path(struct str config_path, struct buf *b)
{
    ssize_t slash = str_rfind(config_path, '/');

    buf_add(b, str_sub(config_path, 0, (size_t)(slash + 1))); /* -1: no folder */
    buf_add_z(b, ROLE_MASTER_KEY_NAME);
}
