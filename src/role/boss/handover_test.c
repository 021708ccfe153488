/* handover_test.c - what one boss leaves to the next: written, read, and refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/boss/handover.h"

#include "base/mem.h"
#include "base/size.h"
#include "base/testing.h"

#define FIRST "godwit handover 1\n"

static void
what_is_written_is_read(void **state)
{
    struct handover *h = MEM_NEW(struct handover), *got = MEM_NEW(struct handover);
    AUTO_BUF text = BUF(HANDOVER_BYTES_MAX);

    (void)state;
    h->kind = CHANGE_FALLBACK;
    h->number = 7;
    h->program = STR("/usr/bin/a server");
    h->from = STR("1.2");
    h->said = STR("two\nlines");
    h->previous_fd = 9;
    h->admin_fd = 10;
    h->admin_path = STR("/run/a b/admin.sock");
    h->lines[0] = (struct config_listen){.service = SERVICE_IMAPS, .at = {STR("*"), 993}};
    h->lines[1] = (struct config_listen){.service = SERVICE_LMTP, .socket.path = STR("/a socket")};
    for (size_t i = 0; i < 3; i++) { /* "*" is two */
        h->listening.of[i] = &h->lines[i / 2];
        h->listening.at[i].fd = 20 + (int)i;
    }
    h->listening.count = 3;
    h->listening.sockets[0] = (struct boss_socket){STR("/a socket"), 5, 6};
    h->listening.socket_count = 1;
    handover_write(h, &text);
    assert_str(buf_str(&text), STR(FIRST "kind fallback\nnumber 7\nprogram /usr/bin/a server\n"
                                         "from 1.2\nsaid two lines\nprevious 9\n"
                                         "admin 10 /run/a b/admin.sock\nlisten 20 imaps 993 *\n"
                                         "listen 21 imaps 993 *\nsocket 22 lmtp 5 6 /a socket\n"));
    assert_int_equal(handover_read(buf_str(&text), got), OK);
    assert_int_equal(got->kind, CHANGE_FALLBACK);
    assert_int_equal(got->number, 7);
    assert_str(got->program, h->program);
    assert_str(got->said, STR("two lines"));
    assert_int_equal(got->previous_fd, 9);
    assert_int_equal(got->admin_fd, 10);
    assert_int_equal(got->listening.count, 3);
    assert_int_equal(got->listening.of[1]->service, SERVICE_IMAPS);
    assert_int_equal(got->listening.of[1]->at.port, 993);
    assert_int_equal(got->listening.at[2].fd, 22);
    assert_str(got->listening.of[2]->socket.path, STR("/a socket"));
    assert_int_equal(got->listening.sockets[0].ino, 6);
    mem_free(h);
    mem_free(got);
}

static const struct {
    const char *text;
    enum status want;
    size_t listeners, strays;
} rows[] = {
    {FIRST, OK, 0, 0},
    {FIRST "a newer line\n\n", OK, 0, 0},
    {FIRST "listen 4 smtp 25 *\n", OK, 1, 0},
    {FIRST "listen 4 jmap 443 *\nsocket 5 sieve 1 2 /x\n", OK, 0, 2}, /* of a newer program */
    {FIRST "listen 4 smtp 25 *", ERR_SYNTAX, 0, 0},                   /* cut off */
    {"", ERR_SYNTAX, 0, 0},
    {"godwit handover 2\n", ERR_SYNTAX, 0, 0},
    {FIRST "kind of\n", ERR_SYNTAX, 0, 0},
    {FIRST "number 4294967296\n", ERR_SYNTAX, 0, 0},
    {FIRST "number 1 \n", ERR_SYNTAX, 0, 0},
    {FIRST "previous 2\n", ERR_SYNTAX, 0, 0}, /* a descriptor of everybody's */
    {FIRST "previous 1048577\n", ERR_SYNTAX, 0, 0},
    {FIRST "admin 4\n", ERR_SYNTAX, 0, 0},
    {FIRST "admin 4 \n", ERR_SYNTAX, 0, 0},
    {FIRST "listen -4 smtp 25 *\n", ERR_SYNTAX, 0, 0},
    {FIRST "listen 4 smtp 65536 *\n", ERR_SYNTAX, 0, 0},
    {FIRST "listen 4 smtp 25 \n", ERR_SYNTAX, 0, 0},
    {FIRST "listen 4 smtp\n", ERR_SYNTAX, 0, 0},
    {FIRST "socket 4 lmtp 1 2 \n", ERR_SYNTAX, 0, 0},
    {FIRST "socket 4 lmtp 1 /x\n", ERR_SYNTAX, 0, 0},
};

static void
lines(void **state)
{
    struct handover *h = MEM_NEW(struct handover);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status st = handover_read(str_of(rows[i].text), h);
        ROW(i, st == rows[i].want);
        if (st != OK)
            continue;
        ROW(i, h->listening.count == rows[i].listeners && h->stray_count == rows[i].strays);
    }
    mem_free(h);
}

static void
too_many(void **state)
{
    struct handover *h = MEM_NEW(struct handover);
    AUTO_BUF text = BUF(HANDOVER_BYTES_MAX * 2);

    (void)state;
    buf_add_z(&text, FIRST);
    for (size_t i = 0; i < ROLE_LISTENERS_MAX; i++)
        buf_add_z(&text, "listen 4 smtp 25 *\n");
    assert_int_equal(handover_read(buf_str(&text), h), OK);
    assert_int_equal(h->listening.count, ROLE_LISTENERS_MAX);
    buf_add_z(&text, "listen 4 smtp 25 *\n");
    assert_int_equal(handover_read(buf_str(&text), h), ERR_SYNTAX);
    buf_reset(&text);
    buf_add_z(&text, FIRST);
    for (size_t i = 0; i < HANDOVER_BYTES_MAX; i++)
        buf_add_char(&text, '\n');
    assert_int_equal(handover_read(buf_str(&text), h), ERR_LIMIT);
    assert_int_equal(handover_read(str_sub(buf_str(&text), 0, 4000), h), ERR_LIMIT);
    mem_free(h);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(lines),
        cmocka_unit_test(too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
