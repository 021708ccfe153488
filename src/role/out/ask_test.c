/* ask_test.c - names of one message: which are asked, what the answers become, side by side, and in time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/out/ask.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"
#include "policy/dkim.h"
#include "policy/dmarc.h"
#include "rt/loop.h"

#define MANY(text) text text text text text text text text

static const char zone[] =
    "$SECURE\n"
    "_dmarc.good.example TXT \"v=DMARC1; \" \"p=reject\"\n"
    "s._domainkey.good.example TXT \"p=AAAA\"\n"
    "s._domainkey.good.example TXT \"\"\n"
    "good.example A 192.0.2.1\n"
    "_dmarc.down.example TIMEOUT\n"
    "down.example SERVFAIL\n"
    "s._domainkey.hush.example TIMEOUT\n"
    "half.example MX TIMEOUT\nhalf.example AAAA 2001:db8::1\n"
    "unsure.example AAAA TIMEOUT\nunsure.example TXT x\n"
    "mail.example MX 10 mx.example\n"
    "null.example MX 0 .\n"
    "text.example TXT x\n" MANY(
        "_dmarc.wild.example TXT other\n") "_dmarc.wild.example TXT other\n"
                                           "_dmarc.wild.example TXT \"V=DMARC1; p=none\"\n";

static const struct {
    struct str name;
    enum key_found found;
    size_t count;
    struct str first;
} text_rows[] = {
    {STR("_dmarc.good.example"), KEY_FOUND, 1, STR("v=DMARC1; p=reject")},
    {STR("s._domainkey.good.example"), KEY_FOUND, 2, STR("p=AAAA")},
    {STR("_dmarc.none.example"), KEY_ABSENT, 0, STR_NONE},
    {STR("t._domainkey.good.example"), KEY_ABSENT, 0, STR_NONE},
    {STR("_dmarc.down.example"), KEY_UNKNOWN, 0, STR_NONE},
    {STR("_dmarc.wild.example"), KEY_FOUND, 8, STR("V=DMARC1; p=none")},
};

static const struct {
    struct str domain;
    enum dmarc_existence existence;
} domain_rows[] = {
    {STR("good.example"), DMARC_EXISTS},     {STR("mail.example"), DMARC_EXISTS},
    {STR("null.example"), DMARC_EXISTS},     {STR("text.example"), DMARC_EXISTS_NOT},
    {STR("none.example"), DMARC_EXISTS_NOT}, {STR("down.example"), DMARC_MAY_EXIST},
    {STR("half.example"), DMARC_EXISTS},     {STR("unsure.example"), DMARC_MAY_EXIST},
};

static const struct {
    struct str name;
    bool may;
} name_rows[] = {
    {STR("_dmarc.example.org"), true},
    {STR("a.b._domainkey.example.org"), true},
    {STR("_DMARC.example.org"), false}, /* not in normal form */
    {STR("_dmarc.Example.org"), false},
    {STR("_dmarc."), false},
    {STR("_dmarc"), false},
    {STR("dmarc.example.org"), false},
    {STR("._domainkey.example.org"), false},
    {STR("_domainkey.example.org"), false},
    {STR("s._domainkey."), false},
    {STR("s._domainkey.b\xc3\xbc.example"), false},
    {STR("s._domainkeys.example.org"), false},
    {STR("example.org"), false},
    {STR("a.example._report._dmarc.example.org"), true},
    {STR("._report._dmarc.example.org"), false},
    {STR("a.example._report.example.org"), false},
    {STR("_smtp._tls.example.org"), true},
    {STR("_smtp._tls."), false},
    {STR("_25._tls.example.org"), false},
    {STR("_mta-sts.example.org"), false},
    {STR(""), false},
};

static void
run(void (*entry)(void *arg))
{
    loop_init();
    assert_int_equal(fiber_go(entry, NULL), OK);
    loop_run();
    loop_release();
}

FIBER_ENTRY static void
ask_rows(void *arg)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    const struct resolver_options o = {.zone = STR(zone)};
    struct str names[COUNT_OF(text_rows)], domains[4];
    struct out_texts_reply rep;
    struct resolver *r;
    struct problem why;

    assert_int_equal(resolver_new(&o, &r, &why), OK);
    for (size_t i = 0; i < COUNT_OF(text_rows); i++)
        names[i] = text_rows[i].name;
    for (size_t at = 0; at < COUNT_OF(domain_rows); at += COUNT_OF(domains)) {
        for (size_t i = 0; i < COUNT_OF(domains); i++)
            domains[i] = domain_rows[at + i].domain;
        const struct out_texts req = {.names = names,
                                      .names_count = COUNT_OF(names),
                                      .exists = domains,
                                      .exists_count = COUNT_OF(domains)};
        assert_int_equal(out_ask_texts(r, &req, a, &rep), OK);
        assert_int_equal(rep.existence_count, COUNT_OF(domains));
        for (size_t i = 0; i < COUNT_OF(domains); i++)
            ROW(at + i, rep.existence[i] == domain_rows[at + i].existence);
    }
    assert_int_equal(rep.answers_count, COUNT_OF(text_rows));
    for (size_t i = 0; i < COUNT_OF(text_rows); i++) {
        const struct out_text_answer *got = &rep.answers[i];
        ROW(i, got->found == text_rows[i].found && got->texts_count == text_rows[i].count);
        ROW(i, got->secure == (text_rows[i].found != KEY_UNKNOWN));
        ROW(i, got->texts_count == 0 || str_eq(got->texts[0], text_rows[i].first));
    }
    resolver_free(&r);
    loop_stop();
}

static void
test_answers(void **state)
{
    run(ask_rows);
}

FIBER_ENTRY static void
ask_without(void *arg)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct str long_name = {"_dmarc.xxx", 10}, domain = STR("example.org"), bad = STR("Example");
    AUTO_BUF longest = BUF(512);
    struct out_texts_reply rep;

    for (size_t i = 0; i < COUNT_OF(name_rows); i++) {
        const struct out_texts req = {.names = &name_rows[i].name, .names_count = 1};
        ROW(i, out_ask_texts(NULL, &req, a, &rep) == (name_rows[i].may ? OK : ERR_DENIED));
        ROW(i, !name_rows[i].may || rep.answers[0].found == KEY_UNKNOWN);
    }
    buf_add_z(&longest, "_dmarc.");
    for (int i = 0; i < 126; i++)
        buf_add_z(&longest, "a.");
    buf_add_z(&longest, "a"); /* a domain of 253 bytes */
    long_name = buf_str(&longest);
    struct out_texts req = {
        .names = &long_name, .names_count = 1, .exists = &domain, .exists_count = 1};
    assert_int_equal(out_ask_texts(NULL, &req, a, &rep), OK);
    assert_int_equal(rep.existence[0], DMARC_MAY_EXIST);
    req.exists = &bad;
    assert_int_equal(out_ask_texts(NULL, &req, a, &rep), ERR_DENIED);
    req = (struct out_texts){0};
    assert_int_equal(out_ask_texts(NULL, &req, a, &rep), OK);
    assert_int_equal(rep.answers_count, 0);
    loop_stop();
}

/* Our being short is no answer: what was not told then is no reason to take anything. */
FIBER_ENTRY static void
ask_short(void *arg)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    const struct resolver_options o = {.zone = STR(zone)};
    struct str good = STR("_dmarc.good.example"), down = STR("_dmarc.down.example"),
               key = STR("s._domainkey.hush.example");
    const struct str mixed[] = {STR("s._domainkey.good.example"), STR("_dmarc.good.example")};
    struct out_texts_reply rep;
    struct resolver *r;
    struct problem why;

    assert_int_equal(resolver_new(&o, &r, &why), OK);
    out_asking.at_work = out_asking.max;
    struct out_texts req = {.names = &good, .names_count = 1};
    assert_int_equal(out_ask_texts(r, &req, a, &rep), OK); /* it was told all the same */
    assert_int_equal(rep.answers[0].found, KEY_FOUND);
    req.names = &down;
    assert_int_equal(out_ask_texts(r, &req, a, &rep), ERR_LIMIT);
    req.names = &key;
    assert_int_equal(out_ask_texts(r, &req, a, &rep), ERR_LIMIT);
    req = (struct out_texts){.names = mixed, .names_count = 2};
    assert_int_equal(out_ask_texts(r, &req, a, &rep), OK);
    assert_int_equal(rep.answers[0].texts_count, 2);
    assert_int_equal(rep.answers[1].texts_count, 1);
    out_asking.at_work = 0;
    req = (struct out_texts){.names = &down, .names_count = 1};
    assert_int_equal(out_ask_texts(r, &req, a, &rep), OK);
    resolver_free(&r);
    loop_stop();
}

static void
test_short_of_places(void **state)
{
    run(ask_short);
}

static void
test_names_and_no_resolver(void **state)
{
    run(ask_without);
}

/* ---- a server that answers nobody before so many names have come ---- */

enum { PACKET_MAX = 512, HELD_MAX = 64, NAMES = 34 };
static struct {
    int fd;
    uint16_t port;
    size_t wanted;
} server;

struct held {
    struct sockaddr_storage from;
    socklen_t from_len;
    char packet[PACKET_MAX];
    size_t len;
};

/* "No such name", with the question and its EDNS as they came. */
static void
answer(struct held *h)
{
    h->packet[2] = (char)0x81;
    h->packet[3] = (char)0x83;
    (void)sendto(server.fd, h->packet, h->len, 0, (struct sockaddr *)&h->from, h->from_len);
}

/* Its name and type, behind the 12 bytes of the head. */
static struct str
question_of(const struct held *h)
{
    struct str rest = str_from(h->packet + 12, h->len - 12);
    ssize_t end = str_find(rest, '\0');

    assert_true(end >= 0 && rest.len >= (size_t)end + 5);
    return str_sub(rest, 0, (size_t)end + 5);
}

FIBER_ENTRY static void
serve(void *arg)
{
    static struct held held[HELD_MAX];
    size_t names = 0;

    while (fiber_wait_fd(server.fd, EPOLLIN, FIBER_FOREVER) == OK) {
        struct held h = {.from_len = sizeof(h.from)};
        ssize_t n = recvfrom(server.fd, h.packet, PACKET_MAX, MSG_DONTWAIT,
                             (struct sockaddr *)&h.from, &h.from_len);
        size_t i = 0;
        if (n < 12)
            continue;
        h.len = (size_t)n;
        while (i < names && !str_eq(question_of(&held[i]), question_of(&h)))
            i++;
        assert_true(i < HELD_MAX);
        names = MAX(names, i + 1);
        held[i] = h; /* asked again: the later one counts */
        for (size_t k = 0; names >= server.wanted && k < names; k++)
            answer(&held[k]);
    }
}

static void
open_server(size_t wanted)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&at, &len), 0);
    server.port = ntohs(at.sin_port);
    server.wanted = wanted;
}

static struct fiber *serving;

FIBER_ENTRY static void
serve_until_cancelled(void *arg)
{
    serving = fiber_self();
    serve(arg);
}

FIBER_ENTRY static void
ask_server(void *arg)
{
    const uint32_t *timeout_ms = arg;
    AUTO_ARENA *a = arena_new(1 << 20);
    struct str names[NAMES];
    struct str domain = STR("d.example"), to = arena_printf(a, "127.0.0.1@%u", server.port);
    const struct resolver_options o = {.forward = &to, .forward_count = 1};
    const struct out_texts req = {.names = names,
                                  .names_count = COUNT_OF(names),
                                  .exists = &domain,
                                  .exists_count = 1,
                                  .timeout_ms = *timeout_ms};
    bool answers = *timeout_ms == 0;
    struct out_texts_reply rep;
    struct resolver *r;
    struct problem why;

    for (unsigned i = 0; i < NAMES; i++)
        names[i] =
            arena_printf(a, i % 2 == 0 ? "s._domainkey.a%u.example" : "_dmarc.a%u.example", i);
    assert_int_equal(resolver_new(&o, &r, &why), OK);
    assert_int_equal(out_ask_texts(r, &req, a, &rep), OK);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(rep.answers[i].found, answers ? KEY_ABSENT : KEY_UNKNOWN);
    assert_int_equal(rep.existence[0], answers ? DMARC_EXISTS_NOT : DMARC_MAY_EXIST);
    resolver_free(&r);
    fiber_cancel(serving);
    assert_int_equal(fiber_sleep(1), OK); /* its pump ends */
    loop_stop();
}

static void
with_server(size_t wanted, uint32_t timeout_ms)
{
    open_server(wanted);
    loop_init();
    assert_int_equal(fiber_go(serve_until_cancelled, NULL), OK);
    assert_int_equal(fiber_go(ask_server, &timeout_ms), OK);
    loop_run();
    loop_release();
    close(server.fd);
}

/* Whoever waits for one answer before he asks the next gets none.  The domain is asked about by up to three
 * questions. */
static void
test_side_by_side(void **state)
{
    with_server(NAMES + 1, 0);
}

static void
test_time_is_over(void **state)
{
    with_server(HELD_MAX, 200);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),         cmocka_unit_test(test_names_and_no_resolver),
        cmocka_unit_test(test_short_of_places), cmocka_unit_test(test_side_by_side),
        cmocka_unit_test(test_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
