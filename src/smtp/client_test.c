/* client_test.c - conversations with servers that answer well, badly, late in pieces, or not at all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/size.h"
#include "rt/loop.h"
#include "smtp/client.h"

#define A50   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A1000 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50
#define STEPS 8u

enum { PLAIN = 0, TLS = 1, REQUIRED = 2, LOGIN = 4 };
static const struct {
    int want;
    /* What the server says: the first at once, each other one after a line that begins with what stands before "|".
     * After the last it closes. */
    const char *server[STEPS];
    enum status status;
    int code; /* of the answer, when it fails */
    const char *text;
    unsigned extensions; /* when it is open */
} rows[] = {
    {PLAIN,
     {"220 x\r\n", "EHLO me|250-x\r\n250-SIZE 5\r\n250 DSN\r\n"},
     OK,
     0,
     NULL,
     SMTP_EXT_SIZE | SMTP_EXT_DSN},
    {PLAIN, {"220-a\r\n220-b\r\n220 c\r\n", "EHLO me|250 x\r\n"}, OK, 0, NULL, 0},
    {PLAIN, {"220 x\r\n", "EHLO me|502 what?\r\n", "HELO me|250 DSN\r\n"}, OK, 0, NULL, 0},
    /* For now: HELO would take the extensions away from a server that has them. */
    {PLAIN,
     {"220 x\r\n", "EHLO me|451 4.3.0 busy\r\n", "HELO me|250 x\r\n"},
     ERR_TEMP,
     451,
     "busy",
     0},
    {PLAIN, {"220 x\r\n", "EHLO me|421 4.3.2 busy\r\n"}, ERR_TEMP, 421, "busy", 0},
    {PLAIN, {"220 x\r\n", "EHLO me|220 4.3.2 what?\r\n"}, ERR_TEMP, 220, "4.3.2 what?", 0},
    {PLAIN,
     {"220 x\r\n", "EHLO me|500 what?\r\n", "HELO me|421 4.3.2 busy\r\n"},
     ERR_TEMP,
     421,
     "busy",
     0},
    {PLAIN,
     {"220 x\r\n", "EHLO me|550 no\r\n", "HELO me|550 5.7.1 no\r\n"},
     ERR_DENIED,
     550,
     "no",
     0},
    {PLAIN, {"554 5.7.1 go away\r\n"}, ERR_DENIED, 554, "go away", 0},
    {PLAIN, {"421 busy\r\n"}, ERR_TEMP, 421, "busy", 0},
    {PLAIN, {"250 x\r\n"}, ERR_TEMP, 250, "x", 0},
    {PLAIN, {"220 x\n"}, ERR_CLOSED, 0, "the answer is not SMTP", 0},
    {PLAIN, {"220 x\r\r\n"}, ERR_CLOSED, 0, "the answer is not SMTP", 0},
    {PLAIN, {"* OK IMAP\r\n"}, ERR_CLOSED, 0, "the answer is not SMTP", 0},
    {PLAIN, {"220-x\r\n221 x\r\n"}, ERR_CLOSED, 0, "the answer is not SMTP", 0},
    {PLAIN, {"220 " A1000 A1000 A1000 A1000 A1000 "\r\n"}, ERR_CLOSED, 0, "connection lost", 0},
    {PLAIN, {"220-x\r\n"}, ERR_CLOSED, 0, "connection lost", 0},
    {PLAIN, {"220 x"}, ERR_CLOSED, 0, "connection lost", 0},
    {PLAIN, {""}, ERR_CLOSED, 0, "connection lost", 0},
    {PLAIN, {"220 x\r\n"}, ERR_CLOSED, 0, "connection lost", 0},
    /* TLS: offered, refused, required, and answers that came ahead of it */
    {PLAIN, {"220 x\r\n", "EHLO me|250-x\r\n250 STARTTLS\r\n"}, OK, 0, NULL, SMTP_EXT_STARTTLS},
    {TLS,
     {"220 x\r\n", "EHLO me|250-x\r\n250 STARTTLS\r\n", "STARTTLS|454 not now\r\n"},
     OK,
     0,
     NULL,
     SMTP_EXT_STARTTLS},
    {TLS | REQUIRED,
     {"220 x\r\n", "EHLO me|250-x\r\n250 STARTTLS\r\n", "STARTTLS|454 not now\r\n"},
     ERR_TEMP,
     454,
     "not now",
     0},
    {TLS | REQUIRED,
     {"220 x\r\n", "EHLO me|250 x\r\n"},
     ERR_SYNTAX,
     0,
     "the server does not offer STARTTLS, which is required",
     0},
    {TLS,
     {"220 x\r\n", "EHLO me|250-x\r\n250 STARTTLS\r\n", "STARTTLS|220 go\r\n250 evil\r\n"},
     ERR_SYNTAX,
     0,
     "the TLS handshake failed",
     0},
    {TLS,
     {"220 x\r\n", "EHLO me|250-x\r\n250 STARTTLS\r\n", "STARTTLS|220 go\r\n"},
     ERR_SYNTAX,
     0,
     "the TLS handshake failed",
     0},
    /* A password never goes out in clear. */
    {LOGIN,
     {"220 x\r\n", "EHLO me|250-x\r\n250 AUTH PLAIN\r\n"},
     ERR_TEMP,
     0,
     "the server does not offer AUTH PLAIN under TLS",
     0},
};

/* A chunk of an unfinished line is refused; the next message has its own lines. */
#define A500 A50 A50 A50 A50 A50 A50 A50 A50 A50 A50
static const char *const refused_chunk[STEPS] = {
    "220 x\r\n",
    "EHLO me|250-x\r\n250 CHUNKING\r\n",
    "BDAT 500|552 5.3.4 full\r\n",
    A500 "RSET|250 ok\r\n",
    "BDAT 502 LAST|",
    A500 "|250 ok\r\n",
};

struct talk {
    const char *const *server;
    bool bytewise;
    int listening;
    bool server_done;
};

static int
listen_here(struct sockaddr_in *at)
{
    socklen_t len = sizeof(*at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
    return fd;
}

FIBER_ENTRY static void
serve_say(const struct talk *t, int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t n = send(fd, text.ptr, t->bytewise ? 1 : text.len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the client has seen enough */
        text = str_skip(text, (size_t)n);
        if (t->bytewise)
            fiber_yield();
    }
}

/* One line that begins so, or the end. */
FIBER_ENTRY static void
serve_expect(int fd, struct str begin)
{
    char line[1024];
    size_t n = 0;

    for (;;) {
        ssize_t got = recv(fd, line + n, 1, 0);
        if (got < 0 && errno == EAGAIN && fiber_wait_fd(fd, EPOLLIN, 10000) == OK)
            continue;
        if (got <= 0)
            return;
        if (line[n++] == '\n')
            break;
        assert_true(n < sizeof(line));
    }
    assert_true(str_starts(str_from(line, n), begin));
    assert_int_equal(n, begin.len + 2);
}

/* Reads to the end; no log-in may be in it. */
FIBER_ENTRY static void
serve_drain(int fd)
{
    char piece[512];

    for (;;) {
        ssize_t got = recv(fd, piece, sizeof(piece), 0);
        if (got < 0 && errno == EAGAIN && fiber_wait_fd(fd, EPOLLIN, 10000) == OK)
            continue;
        if (got <= 0)
            return;
        assert_true(str_find_str(str_from(piece, (size_t)got), STR("AUTH")) < 0);
    }
}

FIBER_ENTRY static void
serve(void *arg)
{
    struct talk *t = arg;

    assert_int_equal(fiber_wait_fd(t->listening, EPOLLIN, 10000), OK);
    int fd = accept4(t->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(fd >= 0);
    serve_say(t, fd, str_of(t->server[0]));
    for (size_t i = 1; i < STEPS && t->server[i] != NULL; i++) {
        struct str answer = str_of(t->server[i]), expected;
        str_split(&answer, '|', &expected);
        serve_expect(fd, expected);
        serve_say(t, fd, answer);
    }
    (void)shutdown(fd, SHUT_WR); /* the client may be gone */
    serve_drain(fd);
    close(fd);
    t->server_done = true;
}

/* Connects to the server that t tells of, without TLS. */
FIBER_ENTRY static struct smtp_client *
open_plain(struct talk *t)
{
    struct sockaddr_in at;
    struct smtp_client *c = NULL;
    struct smtp_answer why;

    t->listening = listen_here(&at);
    assert_int_equal(fiber_go(serve, t), OK);
    struct smtp_peer peer = {
        .target = {.addr_len = sizeof(at), .timeout_ms = 10000},
        .name = STR("mx.example"),
        .helo = STR("me"),
    };
    mem_copy(&peer.target.addr, &at, sizeof(at));
    assert_int_equal(smtp_client_open(&peer, &c, &why), OK);
    return c;
}

FIBER_ENTRY static void
close_plain(struct talk *t, struct smtp_client *c)
{
    smtp_client_free(&c);
    while (!t->server_done)
        fiber_yield();
    close(t->listening);
    loop_stop();
}

FIBER_ENTRY static void
refuse_chunk(void *arg)
{
    struct talk t = {.server = refused_chunk};
    struct smtp_client *c = open_plain(&t);
    struct smtp_answer a;

    (void)arg;
    assert_int_equal(smtp_client_chunk(c, STR(""), STR(A500), false), OK);
    assert_int_equal(smtp_client_reply(c, 10, &a), OK);
    assert_int_equal(a.code, 552);
    smtp_client_ended(c, false);
    assert_int_equal(smtp_client_messages(c), 1);
    assert_int_equal(smtp_client_chunk(c, STR(""), STR(A500 "\r\n"), true), OK);
    assert_int_equal(smtp_client_reply(c, 10, &a), OK);
    assert_int_equal(a.code, 250);
    close_plain(&t, c);
}

/* Each is idle after the greeting; the second step happens after that. */
static const char *const kept[][STEPS] = {
    {"220 x\r\n", "EHLO me|250 x\r\n", "NOOP|250 ok\r\n250 stray\r\n"}, /* an answer too many */
    {"220 x\r\n", "EHLO me|250 x\r\n", "NOOP|250 ok\r\n2"}, /* or the first byte of one */
    {"220 x\r\n", "EHLO me|250 x\r\n", "NOOP|250 ok\r\n"},  /* the end */
};

FIBER_ENTRY static void
keep(void *arg)
{
    size_t i = *(size_t *)arg / 2;
    struct talk t = {.server = kept[i], .bytewise = *(size_t *)arg % 2 == 1};
    struct smtp_client *c = open_plain(&t);
    struct smtp_answer a;

    ROW(i, smtp_client_is_idle(c));
    fiber_yield();
    ROW(i, smtp_client_is_idle(c));
    assert_int_equal(smtp_client_send(c, STR("NOOP")), OK);
    ROW(i, smtp_client_reply(c, 10, &a) == OK && a.code == 250);
    smtp_client_ended(c, true);
    for (int ms = 0; ms < 10000 && smtp_client_is_idle(c); ms++) /* it is on its way */
        assert_int_equal(fiber_sleep(1), OK);
    ROW(i, !smtp_client_is_idle(c));
    close_plain(&t, c);
}

FIBER_ENTRY static void
talk(void *arg)
{
    size_t i = *(size_t *)arg / 2;
    struct sockaddr_in at;
    struct talk t = {.server = rows[i].server, .bytewise = *(size_t *)arg % 2 == 1};
    AUTO_SECRET password = {0};
    AUTO(tls_client_free) struct tls_client *tls = NULL;
    struct smtp_client *c = NULL;
    struct smtp_answer why = {0};

    t.listening = listen_here(&at);
    assert_int_equal(fiber_go(serve, &t), OK);
    assert_true(secret_set(&password, STR("secret")));
    assert_int_equal(tls_client_new(TLS_OPPORTUNISTIC, &tls), OK);
    struct smtp_peer peer = {
        .target = {.addr_len = sizeof(at), .timeout_ms = 10000},
        .name = STR("mx.example"),
        .helo = STR("me"),
        .tls = (rows[i].want & TLS) != 0 ? tls : NULL,
        .tls_required = (rows[i].want & REQUIRED) != 0,
        .user = (rows[i].want & LOGIN) != 0 ? STR("u") : STR_NONE,
        .password = &password,
    };
    mem_copy(&peer.target.addr, &at, sizeof(at));
    enum status e = smtp_client_open(&peer, &c, &why);
    ROW(i, e == rows[i].status && (c != NULL) == (e == OK));
    ROW(i, e == OK || why.code == rows[i].code);
    ROW(i, e == OK || strcmp(why.text, rows[i].text) == 0);
    ROW(i, e != OK || smtp_client_extensions(c) == rows[i].extensions);
    ROW(i, e != OK || !smtp_client_is_tls(c));
    smtp_client_free(&c);
    while (!t.server_done)
        fiber_yield();
    close(t.listening);
    loop_stop();
}

static void
test_opening(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        loop_init();
        assert_int_equal(fiber_go(talk, &i), OK);
        loop_run();
        loop_release();
    }
}

static void
test_refused_chunk(void **state)
{
    (void)state;
    loop_init();
    assert_int_equal(fiber_go(refuse_chunk, NULL), OK);
    loop_run();
    loop_release();
}

static void
test_keeping(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(kept); i++) {
        loop_init();
        assert_int_equal(fiber_go(keep, &i), OK);
        loop_run();
        loop_release();
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opening),
        cmocka_unit_test(test_refused_chunk),
        cmocka_unit_test(test_keeping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
