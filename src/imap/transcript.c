/* transcript.c - see transcript.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/transcript.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scan.h"
#include "imap/fake_store.h"
#include "rt/loop.h"

#define CLIENTS_MAX 10u
#define PATIENCE_MS 60000
#define INPUT_MAX   (8u << 20)

struct client {
    int fd; /* 0: not connected */
    struct buf input;
};
struct play {
    const char *name;
    struct str text;
    bool bytewise;
    size_t line;
    struct listener listener;
    struct client clients[CLIENTS_MAX];
};

static NORETURN void
fail(const struct play *p, const char *what, struct str got, struct str want)
{
    fprintf(stderr, "%s:%zu%s: %s\n  got  \"%.*s\"\n  want \"%.*s\"\n", p->name, p->line,
            p->bytewise ? " (byte by byte)" : "", what, STR_FMT(got), STR_FMT(want));
    abort();
}

/* Over TCP, because only a loopback address may log in without TLS. */
static void
connect_client(struct play *p, struct client *c)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(l, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(l, 1) != 0 ||
        getsockname(l, (struct sockaddr *)&at, &len) != 0 ||
        connect(c->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        fail(p, "cannot connect", STR(""), STR(""));
    if (listener_adopt(&p->listener, accept4(l, NULL, NULL, flags)) != OK)
        fail(p, "cannot be served", STR(""), STR(""));
    close(l);
    buf_init(&c->input, INPUT_MAX);
}

FIBER_ENTRY static void
send_all(const struct play *p, const struct client *c, struct str s)
{
    while (s.len > 0) {
        ssize_t n = send(c->fd, s.ptr, p->bytewise ? 1 : s.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            s = str_skip(s, (size_t)n);
        else if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return; /* the transcript will notice */
        else if (fiber_wait_fd(c->fd, EPOLLOUT, PATIENCE_MS) != OK)
            fail(p, "the server does not read", STR(""), s);
        for (int i = 0; p->bytewise && i < 3; i++)
            fiber_yield();
    }
}

/* False at the end. */
FIBER_ENTRY static bool
receive(const struct play *p, struct client *c)
{
    for (;;) {
        char piece[4096];
        ssize_t n = recv(c->fd, piece, sizeof(piece), MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return false;
        if (n > 0) {
            buf_add(&c->input, str_from(piece, (size_t)n));
            return true;
        }
        if (fiber_wait_fd(c->fd, EPOLLIN, PATIENCE_MS) != OK)
            fail(p, "nothing came", buf_str(&c->input), STR(""));
    }
}

/* "..." in the pattern is any text, the shortest that fits. */
static bool
fits(struct str line, struct str pattern)
{
    ssize_t any = str_find_str(pattern, STR("..."));

    if (any < 0)
        return str_eq(line, pattern);
    if (!str_starts(line, str_sub(pattern, 0, (size_t)any)))
        return false;
    line = str_skip(line, (size_t)any);
    pattern = str_skip(pattern, (size_t)any + 3);
    while (pattern.len > 0) {
        ssize_t next = str_find_str(pattern, STR("..."));
        if (next < 0)
            return str_ends(line, pattern);
        ssize_t at = str_find_str(line, str_sub(pattern, 0, (size_t)next));
        if (at < 0)
            return false;
        line = str_skip(line, (size_t)(at + next));
        pattern = str_skip(pattern, (size_t)next + 3);
    }
    return true;
}

FIBER_ENTRY static void
expect(const struct play *p, struct client *c, struct str pattern)
{
    ssize_t end;

    while ((end = str_find_str(buf_str(&c->input), STR("\r\n"))) < 0)
        if (!receive(p, c))
            fail(p, "the server closed", buf_str(&c->input), pattern);
    struct str line = str_sub(buf_str(&c->input), 0, (size_t)end);
    if (!fits(line, pattern))
        fail(p, "not what was expected", line, pattern);
    buf_consume(&c->input, (size_t)end + 2);
}

FIBER_ENTRY static void
expect_end(const struct play *p, struct client *c)
{
    while (receive(p, c)) {
    }
    if (c->input.len > 0)
        fail(p, "expected the end", buf_str(&c->input), STR(""));
}

/* "x41" after a backslash, "*3xA" ... */
static bool
unescape_one(struct scan *s, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t n;
    char c;

    if (scan_char(s, '*')) {
        if (!scan_u32(s, INPUT_MAX, &n) || !scan_char(s, 'x') || !scan_peek(s, &c))
            return false;
        s->pos++;
        while (n-- > 0)
            buf_add_char(out, c);
        return true;
    }
    if (scan_char(s, 'x') && scan_left(s) >= 2) {
        ssize_t high = str_find(STR("0123456789abcdef"), s->pos[0]);
        ssize_t low = str_find(str_of(digits), s->pos[1]);
        s->pos += 2;
        buf_add_char(out, (char)(high * 16 + low));
        return high >= 0 && low >= 0;
    }
    if (!scan_peek(s, &c))
        return false;
    s->pos++;
    buf_add_char(out, (char)(c == 'r' ? '\r' : c == 'n' ? '\n' : c));
    return true;
}

FIBER_ENTRY static void
say(const struct play *p, const struct client *c, struct str text, bool line)
{
    AUTO_BUF b = BUF(INPUT_MAX);
    struct scan s = scan_of(text);

    while (!scan_at_end(&s)) {
        char next = *s.pos++;
        if (next != '\\')
            buf_add_char(&b, next);
        else if (!unescape_one(&s, &b))
            fail(p, "what escape is that?", text, STR(""));
    }
    if (line)
        buf_add(&b, STR("\r\n"));
    if (buf_status(&b) != OK)
        fail(p, "too long", text, STR(""));
    send_all(p, c, buf_str(&b));
}

FIBER_ENTRY static void
directive(struct play *p, struct str text)
{
    for (int i = 0; i < 10; i++) /* what was sent before comes first */
        fiber_yield();
    if (!fake_do(text))
        fail(p, "the store does not", text, STR(""));
    for (int i = 0; i < 10; i++)
        fiber_yield();
}

/* [digit] keyword [SP text] */
FIBER_ENTRY static void
play_line(struct play *p, struct str line)
{
    struct scan s = scan_of(line);
    struct client *c = &p->clients[1];
    struct str word;

    if (line.len == 0 || line.ptr[0] == '#')
        return;
    if (ascii_is_digit(line.ptr[0])) {
        c = &p->clients[line.ptr[0] - '0'];
        s.pos++;
    }
    struct str rest = scan_rest(&s);
    if (!str_split(&rest, ' ', &word))
        word = STR_NONE;
    if (str_eq(word, STR("F:"))) {
        directive(p, rest);
        return;
    }
    if (c->fd == 0)
        connect_client(p, c);
    if (str_eq(word, STR("C:")) || str_eq(word, STR("C-:")))
        say(p, c, rest, word.len == 2);
    else if (str_eq(word, STR("S:")))
        expect(p, c, rest);
    else if (str_eq(word, STR("S-end")))
        expect_end(p, c);
    else
        fail(p, "what is that?", line, STR(""));
}

FIBER_ENTRY static void
play_entry(void *arg)
{
    struct play *p = arg;
    struct str rest = p->text, line;

    while (str_split(&rest, '\n', &line)) {
        p->line++;
        play_line(p, line);
    }
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (p->clients[i].fd == 0)
            continue;
        if (p->clients[i].input.len > 0)
            fail(p, "the server said more", buf_str(&p->clients[i].input), STR(""));
        close(p->clients[i].fd);
        buf_release(&p->clients[i].input);
    }
    while (listener_counts(&p->listener).open > 0)
        if (fiber_sleep(1) != OK)
            break;
    fake_end();
    listener_stop(&p->listener);
    loop_stop();
}

void
transcript_play(const char *name, struct str text, bool bytewise)
{
    struct play p = {.name = name,
                     .text = text,
                     .bytewise = bytewise,
                     .listener = {.fd = -1, .ops = &imap_ops, .conns_max = 100}};

    loop_init();
    fake_begin();
    if (listener_start(&p.listener) != OK || fiber_go(play_entry, &p) != OK)
        fail(&p, "cannot start", STR(""), STR(""));
    loop_run();
    ipc_forget();
    loop_release();
}
