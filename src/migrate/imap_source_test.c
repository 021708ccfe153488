/* imap_source_test.c - conversations with servers that are strange, broken or hostile.
 *
 * Our tags are known beforehand, so a server is a text: all that it will say, sent at once.  It keeps its connection
 * until the end of the row, but for the rows in which it hangs up.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/size.h"
#include "migrate/imap_source.h"
#include "rt/loop.h"

#define HELLO  "* OK [CAPABILITY IMAP4rev1] hi\r\n"
#define LOGGED HELLO "g1 OK [CAPABILITY IMAP4rev1] in\r\n"
#define TREE   LOGGED "* LIST () \"/\" INBOX\r\ng2 OK\r\ng3 OK\r\n"
#define OPEN(exists)                                                                    \
    TREE "* " #exists " EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT 20] x\r\ng4 " \
         "OK [READ-ONLY] x\r\n"
#define TWO                                                                         \
    OPEN(2)                                                                         \
    "* 1 FETCH (UID 3 FLAGS (\\Seen) RFC822.SIZE 4)\r\n* 2 FETCH (UID 5 FLAGS (a) " \
    "RFC822.SIZE 4)\r\ng5 OK\r\n"
#define BODY(n, uid, text) "* " #n " FETCH (UID " #uid " BODY[] {4}\r\n" text ")\r\n"

enum { AT_TREE, AT_FOLDER, AT_FIRST, AT_SECOND, AT_END };
static const struct {
    const char *says, *then; /* then: of a second connection; NULL = it hangs up in neither */
    int at;                  /* where it ends */
    enum status status;
    const char *wrong; /* a part of it */
} rows[] = {
    {TWO BODY(1, 3, "a\r\nb") "g6 OK\r\n" BODY(2, 5, "c\r\nd") "g7 OK\r\n", NULL, AT_END, OK, ""},
    /* what it says unasked changes nothing */
    {TWO "* 9 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n" BODY(
         1, 3, "a\r\nb") "g6 OK\r\n* 3 FETCH (UID 7 FLAGS "
                         "())\r\n" BODY(2, 5, "c\r\nd") "g7 OK\r\n",
     NULL, AT_END, OK, ""},
    {"220 smtp\r\n", NULL, AT_TREE, ERR_SYNTAX, "not IMAP: 220 smtp"},
    {"* PREAUTH hi\r\n", NULL, AT_TREE, ERR_DENIED, "PREAUTH"},
    {"* BAD no\r\n", NULL, AT_TREE, ERR_SYNTAX, "greets"},
    {"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n", NULL, AT_TREE, ERR_DENIED,
     "LOGINDISABLED"},
    {HELLO "g1 NO [AUTHENTICATIONFAILED] wrong \x1b[2J\r\n", NULL, AT_TREE, ERR_DENIED,
     "refused: wrong ?[2J"},
    {HELLO "g7 OK in\r\n", NULL, AT_TREE, ERR_SYNTAX, "not asked: g7"},
    {HELLO "g1 OK in\r\n* BAD\r\ng2 BAD what\r\n", NULL, AT_TREE, ERR_SYNTAX, "CAPABILITY"},
    {LOGGED "* LIST () \"/\" {99999999999}\r\n", NULL, AT_TREE, ERR_SYNTAX,
     "more than was asked for"},
    {LOGGED "g2 NO not now\r\n", NULL, AT_TREE, ERR_SYNTAX, "cannot be listed: not now"},
    {LOGGED "* LIST \n", NULL, AT_TREE, ERR_SYNTAX, "not IMAP"},
    {TREE "g4 NO [NOPERM] not yours\r\n", NULL, AT_FOLDER, ERR_NOT_FOUND, "opened: not yours"},
    {TREE "* 2 EXISTS\r\ng4 OK\r\n", NULL, AT_FOLDER, ERR_NOT_FOUND, "no UIDVALIDITY"},
    {TREE "* OK [UIDVALIDITY 9] x\r\ng4 OK\r\n", NULL, AT_FOLDER, ERR_NOT_FOUND,
     "how many messages"},
    {OPEN(3) "* 1 FETCH (UID 3 FLAGS () RFC822.SIZE 4)\r\n* 1 FETCH (UID 3 FLAGS () RFC822.SIZE "
             "4)\r\ng5 OK\r\n",
     NULL, AT_FOLDER, ERR_NOT_FOUND, "lists 1 messages and has 3"},
    {OPEN(2) "* 1 FETCH (UID 3 FLAGS () RFC822.SIZE 4)\r\ng5 NO sorry\r\n", NULL, AT_FOLDER,
     ERR_NOT_FOUND, "listed: sorry"},
    {OPEN(2) "* 1 FETCH (UID 0)\r\n", NULL, AT_FOLDER, ERR_SYNTAX, "not IMAP"},
    {TWO "* 2 EXPUNGE\r\n" BODY(1, 3, "a\r\nb") "g6 OK\r\ng7 OK\r\n", NULL, AT_SECOND,
     ERR_NOT_FOUND, NULL},
    {TWO BODY(1, 3, "a\r\nb") "g6 OK\r\ng7 OK [EXPUNGEISSUED] x\r\n", NULL, AT_SECOND,
     ERR_NOT_FOUND, NULL},
    {TWO "* 2 EXPUNGE\r\ng6 NO unreadable\r\n", NULL, AT_FIRST, ERR_IO, NULL},
    {TWO "g6 BAD what\r\n", NULL, AT_FIRST, ERR_IO, NULL},
    {TWO "g6 NO [EXPUNGEISSUED] x\r\n", NULL, AT_FIRST, ERR_NOT_FOUND, NULL},
    {TWO "g6 OK\r\n", NULL, AT_FIRST, ERR_NOT_FOUND, NULL},
    {TWO "* 1 FETCH (UID 3 FLAGS ())\r\ng6 OK\r\n", NULL, AT_FIRST, ERR_IO, NULL},
    {TWO "* 2 EXPUNGE\r\n* 1 FETCH (UID 3 BODY[] NIL)\r\ng6 OK\r\n", NULL, AT_FIRST, ERR_IO, NULL},
    /* not now: asked again over another connection */
    {TWO "g6 NO [UNAVAILABLE] later\r\n",
     HELLO
     "g8 OK [CAPABILITY IMAP4rev1] in\r\n* 2 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\ng9 OK\r\n" BODY(
         1, 3, "a\r\nb") "g10 OK\r\n" BODY(2, 5, "c\r\nd") "g11 OK\r\n",
     AT_END, OK, ""},
    {TWO "* 1 FETCH (UID 3 BODY[] NIL)\r\ng6 OK\r\n", NULL, AT_FIRST, ERR_IO, NULL},
    {TWO "* 1 FETCH (UID 3 BODY[] {11}\r\n01234567890)\r\ng6 OK\r\n", NULL, AT_FIRST, ERR_LIMIT,
     NULL},
    {TWO "* 1 FETCH (UID 3 BODY[] {9999999999999999}\r\n", NULL, AT_FIRST, ERR_SYNTAX, "no end"},
    {TWO "g7 OK\r\n", NULL, AT_FIRST, ERR_SYNTAX, "not asked: g7"},
    /* it hangs up in the middle of a body, and goes on: the folder is opened again */
    {TWO BODY(1, 3, "a\r\nb") "g6 OK\r\n* 2 FETCH (UID 5 BODY[] {4}\r\nc\r",
     HELLO
     "g8 OK [CAPABILITY IMAP4rev1] in\r\n* 2 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\ng9 OK\r\n" BODY(
         2, 5, "c\r\nd") "g10 OK\r\n",
     AT_END, OK, ""},
    {TWO BODY(1, 3, "a\r\nb") "g6 OK\r\n* BYE for now\r\n",
     HELLO "g8 OK [CAPABILITY IMAP4rev1] in\r\n* 2 EXISTS\r\n* OK [UIDVALIDITY 10] x\r\ng9 OK\r\n",
     AT_SECOND, ERR_CONFLICT, "UIDVALIDITY"},
    /* the folder, not the message, is gone */
    {TWO BODY(1, 3, "a\r\nb") "g6 OK\r\n* BYE for now\r\n",
     HELLO "g8 OK [CAPABILITY IMAP4rev1] in\r\ng9 NO [NONEXISTENT] no such folder\r\n", AT_SECOND,
     ERR_CONFLICT, "opened: no such folder"},
    /* another order, which is legal: asked one by one */
    {TWO BODY(2, 5, "c\r\nd") "g7 OK\r\n" BODY(1, 3, "a\r\nb") "g6 OK\r\n",
     HELLO
     "g8 OK [CAPABILITY IMAP4rev1] in\r\n* 2 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\ng9 OK\r\n" BODY(
         1, 3, "a\r\nb") "g10 OK\r\n" BODY(2, 5, "c\r\nd") "g11 OK\r\n",
     AT_END, OK, ""},
};
static int listening, held[4];
static size_t row, connections;

static FIBER_ENTRY void
serve(void *arg)
{
    struct str text = str_of(arg);
    int fd = accept(listening, NULL, NULL);

    assert_true(fd >= 0);
    held[connections++] = fd;
    assert_int_equal(write(fd, text.ptr, text.len), (ssize_t)text.len);
    if (rows[row].then == arg || rows[row].then == NULL)
        return;
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
}

/* The second comes when it is connected to. */
static FIBER_ENTRY void
serve_all(void *arg)
{
    const char *const texts[] = {rows[row].says, rows[row].then};

    (void)arg;
    for (size_t i = 0; i < COUNT_OF(texts) && texts[i] != NULL; i++) {
        if (fiber_wait_fd(listening, 1 /* EPOLLIN */, 30000) != OK)
            return;
        union {
            const char *text;
            void *arg;
        } u = {.text = texts[i]};
        serve(u.arg);
    }
}

/* Where it ended, and how. */
static SUSPENDS enum status
talk(struct imap_source *s, int *at)
{
    AUTO_ARENA *a = arena_new((size_t)64 << 20);
    static const char *const bodies[] = {"a\r\nb", "c\r\nd"};
    struct migrate_tree t = {0};

    *at = AT_TREE;
    TRY(imap_source_tree(s, a, &t));
    assert_int_equal(t.count, 1);
    struct migrate_folder *f = &t.folders[0];
    *at = AT_FOLDER;
    TRY(imap_source_folder(f, STR("%u"), a));
    assert_int_equal(f->count, 2);
    assert_true(f->uidvalidity == 9 && f->uidnext == 20 && f->messages[0].flags == MIGRATE_SEEN);
    assert_true(f->messages[1].uid == 5 && f->messages[1].keywords == 1);
    assert_str(f->words[0], STR("a"));
    assert_str(f->messages[1].key, STR("00000001.9.5"));
    assert_str(f->messages[1].uidl, STR("5"));
    f->messages[0].wanted = f->messages[1].wanted = true;
    for (size_t i = 0; i < 2; i++) {
        AUTO_BUF body = BUF(10);
        struct instant received;
        *at = AT_FIRST + (int)i;
        TRY(imap_source_body(f, &f->messages[i], &body, &received));
        assert_str(buf_str(&body), str_of(bodies[i]));
    }
    *at = AT_END;
    return OK;
}

static FIBER_ENTRY void
all_rows(void *arg)
{
    struct conn_target target = {.addr_len = sizeof(struct sockaddr_in), .timeout_ms = 30000};
    const struct remote_server server = {
        .name = STR("x"), .targets = &target, .target_count = 1, .mode = REMOTE_PLAIN};
    const struct remote_login login = {.user = STR("u"), .password = STR("p")};
    socklen_t len = sizeof(target.addr);

    (void)arg;
    assert_int_equal(getsockname(listening, (struct sockaddr *)&target.addr, &len), 0);
    for (row = 0; row < COUNT_OF(rows); row++) {
        struct imap_source *s = imap_source_new(&server, &login, 1);
        int at;
        connections = 0;
        assert_int_equal(fiber_go(serve_all, NULL), OK);
        enum status e = talk(s, &at);
        if (e != rows[row].status || at != rows[row].at)
            FAIL_AND_STOP("row %zu: %s at %d: %s", row, status_name(e), at, imap_source_wrong(s));
        ROW(row, rows[row].wrong == NULL ||
                     str_find_str(str_of(imap_source_wrong(s)), str_of(rows[row].wrong)) >= 0);
        imap_source_free(&s);
        while (connections > 0)
            close(held[--connections]);
    }
    loop_stop();
}

static void
test_servers(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    (void)state;
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listening, 10), 0);
    loop_init();
    assert_int_equal(fiber_go(all_rows, NULL), OK);
    loop_run();
    loop_release();
    close(listening);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_servers)};

    return cmocka_run_group_tests_name("migrate: IMAP servers of all kinds", tests, NULL, NULL);
}
