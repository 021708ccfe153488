/* transcript.c - see transcript.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "testkit/transcript.h"

#include "base/testing.h"

#include <glob.h>

#include "base/mem.h"
#include "base/scan.h"
#include "rt/loop.h"
#include "rt/tls.h"
#include "rt/tls_testing.h"
#include "testkit/client.h"

#define CLIENTS_MAX 10u
#define TEXT_MAX    (8u << 20)
#define FILE_MAX    (1u << 20)
#define TESTS_MAX   100u

struct play {
    const char *name;
    struct str text;
    bool bytewise;
    size_t line;
    struct listener listener;
    struct client clients[CLIENTS_MAX];
};

static const struct fake_protocol *protocol;

static NORETURN void
fail_play(const struct play *p, const char *what, struct str got, struct str want)
{
    fprintf(stderr, "%s:%zu%s: %s\n  got  \"%.*s\"\n  want \"%.*s\"\n", p->name, p->line,
            p->bytewise ? " (byte by byte)" : "", what, STR_FMT(got), STR_FMT(want));
    abort();
}

FIBER_ENTRY static bool
receive(const struct play *p, struct client *c)
{
    enum status e = client_receive(c);

    if (e == ERR_TIMEOUT)
        fail_play(p, "nothing came", buf_str(&c->input), STR(""));
    return e == OK;
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
            fail_play(p, "the server closed", buf_str(&c->input), pattern);
    struct str line = str_sub(buf_str(&c->input), 0, (size_t)end);
    if (!fits(line, pattern))
        fail_play(p, "not what was expected", line, pattern);
    buf_consume(&c->input, (size_t)end + 2);
}

FIBER_ENTRY static void
expect_end(const struct play *p, struct client *c)
{
    while (receive(p, c)) {
    }
    if (c->input.len > 0)
        fail_play(p, "expected the end", buf_str(&c->input), STR(""));
}

/* "x41" after a backslash, "*3xA" ... */
static bool
unescape_one(struct scan *s, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t n;
    char c;

    if (scan_char(s, '*')) {
        struct str text;
        if (!scan_u32(s, TEXT_MAX, &n) || !scan_char(s, 'x'))
            return false;
        bool group = scan_char(s, '{');
        if (group ? !scan_until(s, '}', &text) || !scan_char(s, '}') : !scan_take(s, 1, &text))
            return false;
        while (n-- > 0)
            buf_add(out, text);
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
say(const struct play *p, struct client *c, struct str text, bool line)
{
    AUTO_BUF b = BUF(TEXT_MAX);
    struct scan s = scan_of(text);

    while (!scan_at_end(&s)) {
        char next = *s.pos++;
        if (next != '\\')
            buf_add_char(&b, next);
        else if (!unescape_one(&s, &b))
            fail_play(p, "what escape is that?", text, STR(""));
    }
    if (line)
        buf_add(&b, STR("\r\n"));
    if (buf_status(&b) != OK)
        fail_play(p, "too long", text, STR(""));
    if (client_send(c, buf_str(&b)) != OK)
        fail_play(p, "the server does not read", STR(""), text);
}

FIBER_ENTRY static void
directive(struct play *p, struct str text)
{
    for (int i = 0; i < 10; i++) /* what was sent before comes first */
        fiber_yield();
    if (!fake_do(text))
        fail_play(p, "the store does not", text, STR(""));
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

    if (line.len > 0 && ascii_is_digit(line.ptr[0])) {
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
    if (c->fd == 0) {
        c->bytewise = p->bytewise;
        if (!client_connect(c, &p->listener))
            fail_play(p, "cannot connect", STR(""), STR(""));
    }
    if (str_eq(word, STR("C:")) || str_eq(word, STR("C-:")))
        say(p, c, rest, word.len == 2);
    else if (str_eq(word, STR("S:")))
        expect(p, c, rest);
    else if (str_eq(word, STR("S-end")))
        expect_end(p, c);
    else if (str_eq(word, STR("C-end")))
        client_end_sending(c);
    else if (!str_eq(word, STR("C-tls")) || !client_tls(c))
        fail_play(p, "what is that?", line, STR(""));
}

/* [count "x" SP] line */
FIBER_ENTRY static void
play_lines(struct play *p, struct str line)
{
    struct scan s = scan_of(line);
    uint32_t times;

    if (line.len == 0 || line.ptr[0] == '#')
        return;
    if (!scan_u32(&s, 100000, &times) || !scan_str(&s, STR("x "))) {
        play_line(p, line);
        return;
    }
    while (times-- > 0)
        play_line(p, scan_rest(&s));
}

FIBER_ENTRY static void
play_entry(void *arg)
{
    struct play *p = arg;
    struct str rest = p->text, line;

    while (str_split(&rest, '\n', &line)) {
        p->line++;
        play_lines(p, line);
    }
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (p->clients[i].fd == 0)
            continue;
        if (p->clients[i].input.len > 0)
            fail_play(p, "the server said more", buf_str(&p->clients[i].input), STR(""));
        client_free(&p->clients[i]);
    }
    while (listener_counts(&p->listener).open > 0)
        if (fiber_sleep(1) != OK)
            break;
    fake_end();
    listener_stop(&p->listener);
    loop_stop();
}

/* A word of the first line, when that is a comment. */
static bool
has_word(struct str text, const char *wanted)
{
    struct str line, word;

    if (!str_starts(text, STR("# ")) || !str_split(&text, '\n', &line))
        return false;
    while (str_split(&line, ' ', &word))
        if (str_eq(word, str_of(wanted)))
            return true;
    return false;
}

static struct tls_server *
make_tls(void)
{
    struct test_identity id = {0};
    struct tls_server *t = NULL;

    test_identity_init(&id, EVP_EC_gen("P-256"), "mail.test");
    assert_int_equal(tls_server_new(STR(""), NULL, NULL, &t), OK);
    assert_int_equal(tls_server_set_local(t, str_of(id.cert_pem), str_of(id.key_pem)), OK);
    test_identity_release(&id);
    return t;
}

static void
play(const char *name, struct str text, bool bytewise)
{
    struct play p = {.name = name,
                     .text = text,
                     .bytewise = bytewise,
                     .listener = {.fd = -1,
                                  .ops = protocol->ops,
                                  .kind = protocol->kind,
                                  .tls = has_word(text, "tls") ? make_tls() : NULL,
                                  .conns_max = 100}};

    loop_init();
    fake_begin(protocol, (struct fake_how){.plaintext_login = !has_word(text, "strict"),
                                           .tokens = has_word(text, "oauth"),
                                           .delay = has_word(text, "delay")});
    if (listener_start(&p.listener) != OK || fiber_go(play_entry, &p) != OK)
        fail_play(&p, "cannot start", STR(""), STR(""));
    loop_run();
    ipc_forget();
    loop_release();
    tls_server_free(&p.listener.tls);
}

static void
read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "re");
    char piece[4096];
    size_t n;

    assert_non_null(f);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(out, str_from(piece, n));
    assert_int_equal(fclose(f), 0);
    assert_int_equal(buf_status(out), OK);
}

static void
play_file(void **state)
{
    const char *path = *state;
    AUTO_BUF text = BUF(FILE_MAX);

    read_file(path, &text);
    play(path, buf_str(&text), false);
    if (!has_word(buf_str(&text), "once"))
        play(path, buf_str(&text), true);
}

int
transcript_main(const char *pattern, const struct fake_protocol *p)
{
    struct CMUnitTest tests[TESTS_MAX] = {0};
    glob_t found;
    size_t n = 0;

    protocol = p;
    if (glob(pattern, 0, NULL, &found) != 0)
        return 1;
    for (size_t i = 0; i < found.gl_pathc && n < TESTS_MAX; i++)
        tests[n++] = (struct CMUnitTest){
            .name = found.gl_pathv[i], .test_func = play_file, .initial_state = found.gl_pathv[i]};
    int failed = _cmocka_run_group_tests("transcripts", tests, n, NULL, NULL);
    globfree(&found);
    return failed;
}
