/* boss_test.c - a whole server of pretended roles: started, jailed, connected, killed, restarted, stopped.
 *
 * The program is boss and, started again by boss, each role.  Roles tell the test what they saw in the log.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/boss/boss.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "ipc/probe_ipc.h"
#define PROBE_SERVE_LINKAGE static
#include "ipc/probe_serve.h"
#include "role/control.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "rt/loop.h"

enum { WAIT_MS = 30000, LOG_BYTES_MAX = 1 << 20 };

/* ---- the pretended store ---- */

static SUSPENDS enum status
probe_serve_echo(struct ipc_peer *from, const struct probe_echo *req, struct arena *a,
                 struct probe_echo_reply *rep)
{
    (void)from, (void)a;
    *rep = (struct probe_echo_reply){req->number, req->text, req->body};
    return OK;
}

static SUSPENDS enum status
probe_serve_shapes(struct ipc_peer *from, const struct probe_shapes *req, struct arena *a,
                   struct probe_shapes_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
probe_serve_nothing(struct ipc_peer *from, const struct probe_nothing *req, struct arena *a,
                    struct probe_nothing_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return OK;
}

static SUSPENDS enum status
probe_serve_sleep(struct ipc_peer *from, const struct probe_sleep *req, struct arena *a,
                  struct probe_sleep_reply *rep)
{
    (void)from, (void)a, (void)rep;
    return fiber_sleep(req->ms);
}

static SUSPENDS enum status
probe_serve_fail(struct ipc_peer *from, const struct probe_fail *req, struct arena *a,
                 struct probe_fail_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_IO;
}

static SUSPENDS enum status
probe_serve_for_store(struct ipc_peer *from, const struct probe_for_store *req, struct arena *a,
                      struct probe_for_store_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return OK;
}

static SUSPENDS void
probe_serve_tick(struct ipc_peer *from, const struct probe_tick *req, struct arena *a)
{
    (void)from, (void)req, (void)a;
}

static const struct ipc_service *const probe_only[] = {&probe_service};

/* ---- the pretended roles ---- */

static void
note(const char *event, const char *key, uint64_t value)
{
    AUTO(logger_send) struct log_line l;

    if (logger_begin(&l, LOG_INFO, event))
        log_u64(&l, key, value);
}

static enum status
store_begin(const struct role_start *s, struct problem *why)
{
    (void)why;
    note("test.admin", "listens", s->admin_fd >= 0);
    return OK;
}

static const struct role_verbs store_verbs = {
    .serves = probe_only, .serve_count = 1, .begin = store_begin};

/* Calls the store for ever, and says so for each new store that answered. */
FIBER_ENTRY static void
call_store(void *arg)
{
    uint64_t last = 0;
    static char bytes[100000];

    (void)arg;
    for (uint64_t i = 1;; i++) {
        AUTO_ARENA *a = arena_new(1 << 20);
        struct probe_echo req = {.number = i, .body = str_from(bytes, sizeof(bytes))};
        struct probe_echo_reply rep;
        struct ipc_peer *p = role_peer_wait(ROLE_STORE, WAIT_MS);
        if (p == NULL) {
            role_fail("no store");
            break; /* not reached */
        }
        uint64_t incarnation = ipc_incarnation(p);
        enum status st = probe_echo_call(p, &req, a, &rep);
        if (st == OK && (rep.number != i || rep.body.len != sizeof(bytes)))
            role_fail("wrong echo");
        if (st == OK && incarnation != last)
            note("test.answered", "store", last = incarnation);
        if (fiber_sleep(2) != OK)
            return;
    }
}

static enum status
user_begin(const struct role_start *s, struct problem *why)
{
    (void)why;
    note("test.user", "listeners", s->listener_count);
    note("test.user", "files", s->file_count);
    return fiber_go(call_store, NULL);
}

static void
user_gone(struct ipc_peer *p)
{
    note("test.gone", "role", ipc_role(p));
}

static const struct role_verbs user_verbs = {.begin = user_begin, .peer_gone = user_gone};

static enum status
keys_begin(const struct role_start *s, struct problem *why)
{
    AUTO_BUF cert = BUF(100);
    AUTO_BUF key = BUF(ROLE_MASTER_KEY_BYTES);

    (void)why;
    if (role_fd_read(s->master_key_fd, &key) != OK || key.len != ROLE_MASTER_KEY_BYTES)
        role_fail("no master key");
    if (role_file_read(s, s->config->tls[0].cert_file, &cert) != OK)
        role_fail("no certificate");
    note("test.cert", "bytes", cert.len);
    return OK;
}

static void
keys_files(const struct role_start *s)
{
    struct problem why;

    (void)keys_begin(s, &why);
}

static const struct role_verbs keys_verbs = {.begin = keys_begin, .files_changed = keys_files};

static enum status
out_begin(const struct role_start *s, struct problem *why)
{
    (void)s;
    problem_set(why, 0, "", "nothing to do here");
    return ERR_TEMP;
}

static const struct role_verbs out_verbs = {.begin = out_begin};

/* Says again and again that it is ready, with walls of its choice, as a captured role might to keep boss busy. */
FIBER_ENTRY static void
pretend(void *arg)
{
    struct control c = {.kind = CONTROL_READY};

    (void)arg;
    while (control_say(CONTROL_FD, &c, NULL, 0) != ERR_CLOSED)
        if (fiber_sleep(1) != OK)
            return;
}

static enum status
mx_begin(const struct role_start *s, struct problem *why)
{
    (void)s;
    (void)why;
    return fiber_go(pretend, NULL);
}

static const struct role_verbs mx_verbs = {.begin = mx_begin};

/* boss is given a table without mx and out, but for one test each */
static const struct role_verbs *const good[ROLE_COUNT] = {[ROLE_STORE] = &store_verbs,
                                                          [ROLE_USER] = &user_verbs,
                                                          [ROLE_KEYS] = &keys_verbs,
                                                          [ROLE_MX] = &mx_verbs,
                                                          [ROLE_OUT] = &out_verbs};
enum { NO_OTHER = ROLE_BOSS };

/* ---- the test ---- */

struct world {
    char dir[64], log[96], config[96], cert[96];
    pid_t boss;
    size_t seen; /* bytes of the log that were looked at */
};

static void
put_file(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
}

static unsigned
free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static void
start_boss(struct world *w, int also)
{
    char key[96], text[800];
    static const char secret[ROLE_MASTER_KEY_BYTES] = "x";

    *w = (struct world){.dir = "/tmp/boss_test.XXXXXX"};
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(chmod(w->dir, 0755), 0);
    snprintf(w->log, sizeof(w->log), "%s/log", w->dir);
    snprintf(w->config, sizeof(w->config), "%s/godwit.conf", w->dir);
    snprintf(w->cert, sizeof(w->cert), "%s/cert", w->dir);
    snprintf(key, sizeof(key), "%s/" ROLE_MASTER_KEY_NAME, w->dir);
    put_file(key, secret, sizeof(secret));
    put_file(w->cert, "first", 5);
    int n = snprintf(text, sizeof(text),
                     "host mail.example.org\ndomain example.org\ndata %s\nrun-dir %s/run\n"
                     "engine mem\nlog %s\nuser nobody\nworkers user 2\nlisten imap 127.0.0.1:%u\n"
                     "tls cert %s key %s\n",
                     w->dir, w->dir, w->log, free_port(), w->cert, w->cert);
    assert_in_range(n, 1, sizeof(text) - 1);
    w->boss = fork();
    assert_true(w->boss >= 0);
    if (w->boss > 0)
        return;

    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* a failed test leaves nothing behind */
    struct problem why = {0};
    struct config *config;
    const struct role_verbs *table[ROLE_COUNT];
    for (int r = 0; r < ROLE_COUNT; r++)
        table[r] = (r == ROLE_OUT || r == ROLE_MX) && r != also ? NULL : good[r];
    if (config_read(str_from(text, (size_t)n), "test", &config, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        _exit(9);
    }
    struct boss_options o = {.config = config, .config_path = str_of(w->config), .table = table};
    enum status st = boss_run(&o, &why);
    if (st != OK)
        fprintf(stderr, "%s\n", why.text);
    _exit(st == OK ? 0 : strstr(why.text, "nothing to do here") != NULL ? 7 : 8);
}

static const char *
read_log(const struct world *w)
{
    static char text[LOG_BYTES_MAX];
    int fd = open(w->log, O_RDONLY | O_CLOEXEC);

    text[0] = '\0';
    if (fd >= 0) {
        ssize_t n = read(fd, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
        close(fd);
    }
    return text;
}

/* Waits for a line with both words behind what was seen before; returns the line. */
static const char *
expect(struct world *w, const char *first, const char *second)
{
    static char line[1024];

    for (int ms = 0; ms < WAIT_MS; ms += 10) {
        const char *at = read_log(w);
        for (at += MIN(w->seen, strlen(at)); *at != '\0';) {
            const char *end = strchr(at, '\n');
            if (end == NULL)
                break;
            size_t n = MIN((size_t)(end - at), sizeof(line) - 1);
            memcpy(line, at, n);
            line[n] = '\0';
            if (strstr(line, first) != NULL && strstr(line, second) != NULL)
                return line;
            at = end + 1;
        }
        usleep(10000);
    }
    fail_msg("no line with %s and %s in:\n%s", first, second, read_log(w));
    return NULL;
}

static bool
scan_pid(const char *at, uint32_t *out)
{
    struct scan s = scan_of(str_of(at));

    return scan_u32(&s, INT32_MAX, out);
}

/* Of the last start of that name. */
static pid_t
pid_of(const struct world *w, const char *name)
{
    char want[64];
    uint32_t pid = 0;

    snprintf(want, sizeof(want), "ev=role.start role=boss name=%s pid=", name);
    for (const char *at = read_log(w); (at = strstr(at, want)) != NULL; at++)
        assert_true(scan_pid(at + strlen(want), &pid));
    assert_true(pid > 1);
    return (pid_t)pid;
}

static void
clean(const struct world *w)
{
    static const char socket_name[] = "run/" ROLE_ADMIN_SOCKET;
    static const char api_name[] = "run/" CONFIG_API_SOCKET;
    static const char *const names[] = {"log", "cert", ROLE_MASTER_KEY_NAME, socket_name, api_name};
    char path[160];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", w->dir, names[i]);
        (void)unlink(path);
    }
    snprintf(path, sizeof(path), "%s/run", w->dir);
    (void)rmdir(path);
    assert_int_equal(rmdir(w->dir), 0);
}

static void
stop_boss(struct world *w)
{
    int status = -1;

    kill(w->boss, SIGTERM);
    assert_int_equal(waitpid(w->boss, &status, 0), w->boss);
    assert_int_equal(status, 0);
    assert_non_null(strstr(read_log(w), "ev=server.stop"));
    clean(w);
}

static void
test_start_and_stop(void **state)
{
    struct world w;

    (void)state;
    start_boss(&w, NO_OTHER);
    expect(&w, "ev=server.ready", "mail.example.org");
    assert_non_null(strstr(expect(&w, "ev=role.start", "name=store.0"), "seccomp=1"));
    expect(&w, "ev=role.start", "name=user.0");
    expect(&w, "ev=role.start", "name=user.1");
    expect(&w, "ev=test.admin", "listens=1");
    expect(&w, "ev=test.user", "listeners=1");
    expect(&w, "ev=test.cert", "bytes=5");
    expect(&w, "ev=test.answered", "role=user.0");
    expect(&w, "ev=test.answered", "role=user.1");
    stop_boss(&w);
}

/* Each role in turn is killed; it comes back, and its peers talk to the new one. */
static void
test_killed_roles_come_back(void **state)
{
    static const char *const names[] = {"store.0", "user.1", "keys.0"};
    struct world w;

    (void)state;
    start_boss(&w, NO_OTHER);
    expect(&w, "ev=test.answered", "role=user.0");
    expect(&w, "ev=test.answered", "role=user.1");
    expect(&w, "ev=server.ready", "");
    for (size_t i = 0; i < 2 * COUNT_OF(names); i++) {
        const char *name = names[i % COUNT_OF(names)];
        pid_t old = pid_of(&w, name);

        w.seen = strlen(read_log(&w));
        kill(old, SIGKILL);
        assert_non_null(strstr(expect(&w, "ev=role.end", name), "signal=9"));
        expect(&w, "ev=role.start", name);
        assert_true(pid_of(&w, name) != old);
        if (i % COUNT_OF(names) == 0) {
            expect(&w, "ev=test.gone", "role=5");
            expect(&w, "ev=test.answered", "role=user.0");
            expect(&w, "ev=test.answered", "role=user.1");
        }
    }
    stop_boss(&w);
}

static void
test_files_are_handed_again(void **state)
{
    struct world w;

    (void)state;
    start_boss(&w, NO_OTHER);
    expect(&w, "ev=server.ready", "");
    expect(&w, "ev=test.cert", "bytes=5");
    put_file(w.cert, "second one", 10);
    kill(w.boss, SIGHUP);
    expect(&w, "ev=test.cert", "bytes=10");
    stop_boss(&w);
}

/* As logrotate does it: a new name for the file, then SIGHUP.  Roles of before and after write to the new one. */
static void
test_log_is_opened_anew(void **state)
{
    char old[128];
    struct world w;

    (void)state;
    start_boss(&w, NO_OTHER);
    expect(&w, "ev=server.ready", "");
    expect(&w, "ev=test.answered", "role=user.0");
    expect(&w, "ev=test.answered", "role=user.1");
    pid_t store = pid_of(&w, "store.0"), keys = pid_of(&w, "keys.0");
    snprintf(old, sizeof(old), "%s.1", w.log);
    assert_int_equal(rename(w.log, old), 0);
    kill(w.boss, SIGHUP);
    expect(&w, "ev=server.reload", "log=1");
    expect(&w, "ev=test.cert", "role=keys.0");
    assert_null(strstr(read_log(&w), "ev=role.end"));
    kill(store, SIGKILL);
    expect(&w, "ev=role.start", "name=store.0");
    expect(&w, "ev=test.admin", "role=store.0");
    expect(&w, "ev=test.answered", "role=user.0");
    expect(&w, "ev=test.answered", "role=user.1");
    assert_int_equal(kill(keys, 0), 0);

    /* It cannot be opened: lines go on where they went. */
    assert_int_equal(rename(w.log, old), 0);
    assert_int_equal(mkdir(w.log, 0755), 0);
    kill(w.boss, SIGHUP);
    snprintf(w.log, sizeof(w.log), "%s/log.1", w.dir);
    expect(&w, "ev=reload.fail", "what=log");
    expect(&w, "ev=server.reload", "log=0");
    snprintf(w.log, sizeof(w.log), "%s/log", w.dir);
    assert_int_equal(rmdir(w.log), 0);
    kill(w.boss, SIGHUP);
    expect(&w, "ev=server.reload", "log=1");
    assert_int_equal(unlink(old), 0);
    stop_boss(&w);
}

static void
test_gives_up_when_a_role_cannot_start(void **state)
{
    struct world w;
    int status = -1;

    (void)state;
    start_boss(&w, ROLE_OUT);
    assert_int_equal(waitpid(w.boss, &status, 0), w.boss);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_non_null(strstr(read_log(&w), "nothing to do here"));
    clean(&w);
}

static void
test_a_role_that_lies_to_boss_is_ended(void **state)
{
    struct world w;

    (void)state;
    start_boss(&w, ROLE_MX);
    expect(&w, "ev=role.start", "name=mx.0");
    const char *end = expect(&w, "ev=role.end", "name=mx.0");
    assert_non_null(strstr(end, "signal=9"));
    assert_non_null(strstr(end, "broke the protocol"));
    expect(&w, "ev=test.answered", "role=user.0"); /* the others go on */
    stop_boss(&w);
}

/* Without boss nobody stays behind. */
static void
test_roles_end_with_boss(void **state)
{
    struct world w;

    (void)state;
    start_boss(&w, NO_OTHER);
    expect(&w, "ev=server.ready", "");
    pid_t store = pid_of(&w, "store.0");
    kill(w.boss, SIGKILL);
    waitpid(w.boss, NULL, 0);
    int ms = 0;
    while (kill(store, 0) == 0 && ms < WAIT_MS) {
        usleep(10000);
        ms += 10;
    }
    assert_true(ms < WAIT_MS);
    clean(&w);
}

static void
test_control_messages(void **state)
{
    struct control c = {.kind = CONTROL_PEER,
                        .role = ROLE_USER,
                        .index = 3,
                        .value = 1,
                        .incarnation = UINT64_MAX,
                        .text = STR("text")};
    struct control_packet p;
    struct control back;
    int ends[2], pipes[2];

    (void)state;
    assert_int_equal(control_pair(ends), OK);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(control_recv(ends[1], false, &p), ERR_TEMP);
    assert_int_equal(control_say(ends[0], &c, pipes, 2), OK);
    assert_int_equal(control_recv(ends[1], true, &p), OK);
    assert_int_equal(p.fd_count, 2);
    assert_int_equal(control_hear(&p, &back), OK);
    assert_true(back.kind == c.kind && back.role == c.role && back.index == 3 &&
                back.incarnation == UINT64_MAX && str_eq(back.text, c.text));
    for (size_t n = 0; n < p.len; n++) { /* every cut */
        struct control_packet cut = p;
        cut.len = n;
        assert_int_equal(control_hear(&cut, &back), ERR_SYNTAX);
    }
    p.bytes[0] = (char)CONTROL_KIND_COUNT;
    assert_int_equal(control_hear(&p, &back), ERR_SYNTAX);
    control_packet_close(&p);
    assert_int_equal(p.fds[0], -1);
    close(ends[0]);
    assert_int_equal(control_recv(ends[1], true, &p), ERR_CLOSED);
    close(ends[1]);
    close(pipes[0]);
    close(pipes[1]);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control_messages),
        cmocka_unit_test(test_start_and_stop),
        cmocka_unit_test(test_killed_roles_come_back),
        cmocka_unit_test(test_files_are_handed_again),
        cmocka_unit_test(test_log_is_opened_anew),
        cmocka_unit_test(test_gives_up_when_a_role_cannot_start),
        cmocka_unit_test(test_a_role_that_lies_to_boss_is_ended),
        cmocka_unit_test(test_roles_end_with_boss),
    };

    if (argc > 1 && strcmp(argv[1], "role") == 0)
        return role_main(good, argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
