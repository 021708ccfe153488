/* rt_bench.c - what the runtime costs: a switch, a line over loopback, a connection at rest.
 *
 * Use:       rt_bench switch | echo [CONNS] | idle [CONNS] | idle-tls [CONNS]
 * The server runs in a child process; its memory and CPU are measured apart from the client's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/conn.h"
#include "rt/loop.h"
#include "rt/tls.h"

#define SWITCHES   4000000
#define ECHO_LINES 400000u
#define DIE(...)                      \
    do {                              \
        fprintf(stderr, __VA_ARGS__); \
        exit(1);                      \
    } while (0)

/* Switches. */

static struct fiber *ping, *pong;

static FIBER_ENTRY void
be_ping(void *arg)
{
    (void)arg;
    ping = fiber_self();
    while (pong == NULL)
        fiber_yield();
    int64_t start = clock_mono_us();
    for (int i = 0; i < SWITCHES / 2; i++) {
        fiber_wake(pong);
        if (fiber_park(FIBER_FOREVER) != OK)
            DIE("park\n");
    }
    int64_t us = clock_mono_us() - start;
    printf("switch: %.1f ns from fiber to fiber, through the loop's stack\n",
           (double)us * 1000 / SWITCHES);
    loop_stop();
}

static FIBER_ENTRY void
be_pong(void *arg)
{
    (void)arg;
    pong = fiber_self();
    while (fiber_park(FIBER_FOREVER) == OK)
        fiber_wake(ping);
}

static void
bench_switch(void)
{
    loop_init();
    if (fiber_go(be_ping, NULL) != OK || fiber_go(be_pong, NULL) != OK)
        DIE("fibers\n");
    loop_run();
}

/* The server, in a child. */

struct session {
    struct conn *conn;
};

static FIBER_ENTRY void *
opened(struct conn *c)
{
    struct session *s = MEM_NEW(struct session);

    s->conn = c;
    conn_deadline(c, 1800 * 1000);
    if (conn_write(c, STR("* ready\r\n")) != OK)
        conn_close(c);
    return s;
}

static FIBER_ENTRY void
wake(void *session, enum wake why)
{
    struct session *s = session;
    struct str line;

    while (why == WAKE_INPUT && conn_line(s->conn, &line) == OK) {
        if (conn_printf(s->conn, "%.*s OK done\r\n", STR_FMT(line)) != OK)
            return;
    }
}

static void
closed(void *session)
{
    mem_free(session);
}

static const struct conn_ops ops = {opened, wake, closed};

/* Anonymous memory of this process. */
static long
resident_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");

    while (f != NULL && kib < 0 && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtol(line + 8, NULL, 10);
    }
    if (f != NULL)
        fclose(f);
    return kib;
}

struct report {
    long kib;
    int64_t cpu_us;
};
static int control;

/* The client asks by a byte, and is answered with the server's figures. */
static void
answer_control(struct watch *w, uint32_t events)
{
    struct rusage u;
    char c;

    (void)events;
    if (read(w->fd, &c, 1) != 1)
        exit(0);
    getrusage(RUSAGE_SELF, &u);
    struct report r = {.kib = resident_kib(),
                       .cpu_us = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) +
                                 u.ru_utime.tv_usec + u.ru_stime.tv_usec};
    if (write(w->fd, &r, sizeof(r)) != sizeof(r))
        exit(1);
}

static struct str
pem_of(BIO *bio)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);

    return mem_str(str_from(p, (size_t)n));
}

static struct tls_server *
make_tls(void)
{
    struct tls_server *t;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());

    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    PEM_write_bio_X509(cert_bio, x);
    PEM_write_bio_PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL);
    if (tls_server_new(STR(""), NULL, NULL, &t) != OK ||
        tls_server_set_local(t, pem_of(cert_bio), pem_of(key_bio)) != OK)
        DIE("certificate\n");
    return t;
}

static void
serve(int listening, int control_fd, bool tls)
{
    struct listener l = {.fd = listening, .ops = &ops, .conns_max = 200000, .implicit_tls = tls};
    struct watch w = {.fd = control_fd, .ready = answer_control};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    loop_init();
    if (tls)
        l.tls = make_tls();
    if (listener_start(&l) != OK || watch_start(&w, EPOLLIN) != OK)
        DIE("listen\n");
    loop_run();
    exit(0);
}

static struct sockaddr_in where;

static void
start_server(bool tls)
{
    int ends[2], fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(where);

    where = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    if (bind(fd, (struct sockaddr *)&where, sizeof(where)) != 0 || listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&where, &len) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        DIE("socket\n");
    if (fork() == 0) {
        close(ends[0]);
        serve(fd, ends[1], tls);
    }
    close(fd);
    close(ends[1]);
    control = ends[0];
}

static struct report
ask_server(void)
{
    struct report r;

    if (write(control, "?", 1) != 1 || read(control, &r, sizeof(r)) != sizeof(r))
        DIE("the server is gone\n");
    return r;
}

/* Lines. */

static uint32_t lines_left, lines_running;

static FIBER_ENTRY void
chat(void *arg)
{
    struct conn_target t = {.addr_len = sizeof(where), .timeout_ms = 10000};
    struct conn *c;
    struct str line;

    (void)arg;
    mem_copy(&t.addr, &where, sizeof(where));
    if (conn_connect(&t, &c) != OK || conn_read_line(c, 10000, &line) != OK)
        DIE("connect\n");
    while (lines_left > 0) {
        lines_left--;
        if (conn_write(c, STR("a001 NOOP\r\n")) != OK || conn_read_line(c, 10000, &line) != OK)
            DIE("echo\n");
    }
    conn_free(&c);
    if (--lines_running == 0)
        loop_stop();
}

static void
bench_echo(uint32_t conns)
{
    start_server(false);
    loop_init();
    lines_left = ECHO_LINES;
    lines_running = conns;
    for (uint32_t i = 0; i < conns; i++) {
        if (fiber_go(chat, NULL) != OK)
            DIE("fibers\n");
    }
    struct report before = ask_server();
    int64_t start = clock_mono_us();
    loop_run();
    int64_t us = clock_mono_us() - start;
    struct report after = ask_server();
    printf("echo: %" PRIu32 " connections, %.0f round trips/s, %.2f us server CPU each\n", conns,
           (double)ECHO_LINES * 1e6 / (double)us,
           (double)(after.cpu_us - before.cpu_us) / ECHO_LINES);
}

/* Rest. */

static void
shake_blocking(SSL_CTX *ctx, int fd)
{
    char greeting[64];
    SSL *ssl = SSL_new(ctx);

    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) != 1 || SSL_read(ssl, greeting, sizeof(greeting)) <= 0 ||
        SSL_write(ssl, "a001 NOOP\r\n", 11) != 11 || SSL_read(ssl, greeting, sizeof(greeting)) <= 0)
        DIE("handshake\n");
    SSL_free(ssl); /* the descriptor stays open, and nothing more is said */
}

static void
bench_idle(uint32_t conns, bool tls)
{
    struct rlimit files = {conns + 100, conns + 100};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    char greeting[64];

    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        DIE("RLIMIT_NOFILE\n");
    start_server(tls);
    struct report before = {0};
    for (uint32_t i = 0; i < conns + 10; i++) {
        if (i == 10)
            before = ask_server(); /* the first ones pay for what all share */
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&where, sizeof(where)) != 0)
            DIE("connect\n");
        if (tls)
            shake_blocking(ctx, fd);
        else if (read(fd, greeting, sizeof(greeting)) <= 0 ||
                 write(fd, "a001 NOOP\r\n", 11) != 11 || read(fd, greeting, sizeof(greeting)) <= 0)
            DIE("greeting\n");
    }
    usleep(1500 * 1000); /* stacks are trimmed */
    struct report after = ask_server();
    printf("idle%s: %" PRIu32 " connections, %.0f bytes each in user space, %.0f us CPU each\n",
           tls ? "-tls" : "", conns, (double)(after.kib - before.kib) * 1024 / conns,
           (double)(after.cpu_us - before.cpu_us) / conns);
}

int
main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    uint32_t n = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;

    if (strcmp(what, "switch") == 0)
        bench_switch();
    else if (strcmp(what, "echo") == 0)
        bench_echo(n > 0 ? n : 64);
    else if (strcmp(what, "idle") == 0)
        bench_idle(n > 0 ? n : 5000, false);
    else if (strcmp(what, "idle-tls") == 0)
        bench_idle(n > 0 ? n : 5000, true);
    else
        DIE("use: rt_bench switch | echo [CONNS] | idle [CONNS] | idle-tls [CONNS]\n");
    return 0;
}
