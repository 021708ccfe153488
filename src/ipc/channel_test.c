/* channel_test.c - channels end to end: in one loop, between processes, between threads, and against
 * a peer that sends what it likes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "ipc/test_channel.h"
#include "ipc/watch_ipc.h"
#include "rt/loop.h"

enum { BUDGET = 4 << 20, RING = 256 * 1024 };

/* Two ends in one loop: client says, server answers. */
struct duo {
    struct ipc_peer *client, *server;
};
static int gone_count;

static void
count_gone(struct ipc_peer *p)
{
    assert_false(ipc_is_open(p));
    gone_count++;
}

static struct duo
duo_new(size_t ring)
{
    struct ipc_channel_end ends[2];
    struct ipc_options c = probe_options(ROLE_USER, ROLE_STORE, true);
    struct ipc_options s = probe_options(ROLE_STORE, ROLE_USER, true);
    struct duo d;

    gone_count = 0;
    c.gone = s.gone = count_gone;
    assert_int_equal(ipc_pair(ring, ends), OK);
    assert_int_equal(ipc_attach(&ends[0], &c, &d.client), OK);
    assert_int_equal(ipc_attach(&ends[1], &s, &d.server), OK);
    probe_seen = (struct probe_seen){0};
    return d;
}

FIBER_ENTRY static void
duo_end(struct duo *d)
{
    ipc_close(d->client);
    for (int i = 0; i < 100 && gone_count < 2; i++)
        fiber_yield();
    assert_int_equal(gone_count, 2);
    assert_false(ipc_is_open(d->server));
}

FIBER_ENTRY static void
echo(struct ipc_peer *p, uint64_t number, size_t body_len)
{
    AUTO_ARENA *a = arena_new(BUDGET);
    char *bytes = arena_alloc(a, body_len + 1);
    struct probe_echo req = {
        .number = number, .text = STR("text"), .body = str_from(bytes, body_len)};
    struct probe_echo_reply rep;

    memset(bytes, (int)number, body_len);
    assert_int_equal(probe_echo_call(p, &req, a, &rep), OK);
    assert_true(rep.number == number);
    assert_true(str_eq(rep.text, req.text) && str_eq(rep.body, req.body));
}

FIBER_ENTRY static void
run_echo(void *arg)
{
    struct duo d = duo_new(*(size_t *)arg);

    for (size_t i = 0; i < 30; i++)
        echo(d.client, i, i * 35000);
    echo(d.server, 7, 100); /* both may ask */
    assert_int_equal(probe_seen.calls, 31);
    duo_end(&d);
}

static void
test_echo(void **state)
{
    size_t none = 0, ring = RING;

    (void)state;
    probe_run(run_echo, &none);
    probe_run(run_echo, &ring);
}

struct crowd {
    struct ipc_peer *p;
    uint32_t left, next;
    struct fiber *waiter;
};

FIBER_ENTRY static void
one_of_crowd(void *arg)
{
    struct crowd *c = arg;
    uint32_t n = c->next++;

    for (uint32_t i = 0; i < 20; i++)
        echo(c->p, n * 100 + i, i * 997 % 5000);
    if (--c->left == 0)
        fiber_wake(c->waiter);
}

FIBER_ENTRY static void
run_crowd(void *arg)
{
    struct duo d = duo_new(RING / 4);
    struct crowd c = {.p = d.client, .left = 200, .waiter = fiber_self()};

    (void)arg;
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(fiber_go(one_of_crowd, &c), OK);
    while (c.left > 0)
        assert_int_equal(fiber_park(30000), OK);
    assert_int_equal(probe_seen.calls, 4000);
    duo_end(&d);
}

static void
test_many_at_once(void **state)
{
    (void)state;
    probe_run(run_crowd, NULL);
}

FIBER_ENTRY static void
run_failures(void *arg)
{
    struct duo d = duo_new(0);
    AUTO_ARENA *a = arena_new(BUDGET);
    struct probe_fail req = {.status = ERR_NOT_FOUND, .text = STR("no\r\nsuch user")};
    struct probe_fail_reply rep;
    struct probe_echo big = {.text = {"", 70001}};
    struct probe_echo_reply big_rep;

    (void)arg;
    assert_int_equal(probe_fail_call(d.client, &req, a, &rep), ERR_NOT_FOUND);
    assert_string_equal(ipc_problem()->enhanced, "5.1.1");
    assert_int_equal(ipc_problem()->reply, 550);
    assert_null(strchr(ipc_problem()->text, '\n'));
    assert_non_null(strstr(ipc_problem()->text, "such user"));
    req = (struct probe_fail){.status = ERR_CONFLICT};
    assert_int_equal(probe_fail_call(d.client, &req, a, &rep), ERR_CONFLICT);
    assert_string_equal(ipc_problem()->text, "");
    /* Past a bound of the schema: nothing is sent, the channel stays. */
    assert_int_equal(probe_echo_call(d.client, &big, a, &big_rep), ERR_LIMIT);
    echo(d.client, 1, 10);
    /* No channel at all. */
    assert_int_equal(probe_fail_call(NULL, &req, a, &rep), ERR_CLOSED);
    duo_end(&d);
}

static void
test_failures(void **state)
{
    (void)state;
    probe_run(run_failures, NULL);
}

/* A reply larger than the caller's arena is the caller's limit, and takes its ring bytes with it. */
FIBER_ENTRY static void
run_small_arena(void *arg)
{
    struct duo d = duo_new(RING);
    AUTO_ARENA *small = arena_new(2048);
    char bytes[3000] = {0};
    struct probe_echo req = {.body = str_from(bytes, sizeof(bytes))};
    struct probe_echo_reply rep;

    (void)arg;
    for (int i = 0; i < 200; i++)
        assert_int_equal(probe_echo_call(d.client, &req, small, &rep), ERR_LIMIT);
    echo(d.client, 1, 100000);
    duo_end(&d);
}

static void
test_small_arena(void **state)
{
    (void)state;
    probe_run(run_small_arena, NULL);
}

FIBER_ENTRY static void
run_notes(void *arg)
{
    struct duo d = duo_new(0);
    struct probe_tick tick;

    (void)arg;
    for (uint64_t i = 1; i <= 20000; i++) {
        tick.number = i;
        assert_int_equal(probe_tick_note(d.client, &tick), OK);
    }
    echo(d.client, 1, 10); /* in order: every note was read before it */
    for (int i = 0; i < 100 && probe_seen.ticks < 20000; i++)
        fiber_yield();
    assert_int_equal(probe_seen.ticks, 20000);
    assert_int_equal(probe_seen.last_tick, 20000);
    duo_end(&d);
}

static void
test_notes(void **state)
{
    (void)state;
    probe_run(run_notes, NULL);
}

struct sleeper {
    struct ipc_peer *p;
    struct fiber *fiber;
    enum status status;
    bool done;
    uint32_t ms;
};

FIBER_ENTRY static void
sleep_call(void *arg)
{
    struct sleeper *s = arg;
    AUTO_ARENA *a = arena_new(1024);
    struct probe_sleep req = {.ms = s->ms};
    struct probe_sleep_reply rep;

    s->fiber = fiber_self();
    s->status = probe_sleep_call(s->p, &req, a, &rep);
    s->done = true;
}

/* The caller is gone when the reply comes; its slot and the channel go on. */
FIBER_ENTRY static void
run_cancel(void *arg)
{
    struct duo d = duo_new(RING);
    struct sleeper s = {.p = d.client, .ms = 50};

    (void)arg;
    assert_int_equal(fiber_go(sleep_call, &s), OK);
    assert_int_equal(fiber_sleep(10), OK);
    fiber_cancel(s.fiber);
    while (!s.done)
        fiber_yield();
    assert_int_equal(s.status, ERR_CANCELLED);
    assert_int_equal(ipc_in_flight(d.client), 1);
    while (ipc_in_flight(d.client) > 0)
        assert_int_equal(fiber_sleep(5), OK);
    echo(d.client, 1, 1000);
    duo_end(&d);
}

static void
test_cancelled_caller(void **state)
{
    (void)state;
    probe_run(run_cancel, NULL);
}

FIBER_ENTRY static void
run_lost(void *arg)
{
    struct duo d = duo_new(RING);
    struct sleeper s[3];

    (void)arg;
    for (int i = 0; i < 3; i++) {
        s[i] = (struct sleeper){.p = d.client, .ms = 20};
        assert_int_equal(fiber_go(sleep_call, &s[i]), OK);
    }
    while (probe_seen.asleep < 3)
        fiber_yield();
    ipc_close(d.server);
    while (gone_count < 2)
        fiber_yield();
    for (int i = 0; i < 3; i++)
        assert_true(s[i].done && s[i].status == ERR_CLOSED);
    struct probe_tick tick = {1};
    assert_int_equal(probe_tick_note(d.client, &tick), ERR_CLOSED);
    assert_int_equal(ipc_role(d.client), ROLE_STORE); /* still answers questions */
    while (probe_seen.asleep > 0)                     /* handlers unwind without a caller */
        assert_int_equal(fiber_sleep(5), OK);
}

static void
test_lost_channel(void **state)
{
    (void)state;
    probe_run(run_lost, NULL);
}

/* More callers than the cap: the rest waits on our side, nobody is cut off. */
FIBER_ENTRY static void
run_cap(void *arg)
{
    enum { MORE = 50 };
    struct duo d = duo_new(0);
    uint32_t count = LIMIT_IPC_IN_FLIGHT - 10 + MORE;
    struct sleeper *s = MEM_ARRAY(struct sleeper, count);
    uint32_t most = 0, done = 0;

    (void)arg;
    for (uint32_t i = 0; i < count; i++) {
        s[i] = (struct sleeper){.p = d.client, .ms = 1};
        while (fiber_go(sleep_call, &s[i]) != OK)
            fiber_yield();
    }
    while (done < count) {
        fiber_yield();
        most = MAX(most, ipc_in_flight(d.client));
        done = 0;
        for (uint32_t i = 0; i < count; i++)
            done += s[i].done;
    }
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(s[i].status, OK);
    assert_in_range(most, 1, LIMIT_IPC_IN_FLIGHT);
    assert_null(ipc_violation(d.server));
    mem_free(s);
    duo_end(&d);
}

static void
test_in_flight_cap(void **state)
{
    (void)state;
    probe_run(run_cap, NULL);
}

/* A role that may not say something, and a service that the peer does not have. */
FIBER_ENTRY static void
run_not_allowed(void *arg)
{
    struct duo d = duo_new(0);
    AUTO_ARENA *a = arena_new(BUDGET);
    struct probe_for_store req = {0};
    struct probe_for_store_reply rep;
    struct watch_revoked note = {0};

    (void)arg;
    echo(d.client, 1, 1);
    assert_int_equal(watch_revoked_note(d.client, &note), ERR_DENIED);
    assert_int_equal(probe_for_store_call(d.client, &req, a, &rep), ERR_CLOSED);
    while (gone_count < 2)
        fiber_yield();
    assert_non_null(ipc_violation(d.server));
    assert_null(ipc_violation(d.client));
}

static void
test_not_allowed(void **state)
{
    (void)state;
    probe_run(run_not_allowed, NULL);
}

/* Before its hello the peer is believed; an answer from another schema ends the channel. */
FIBER_ENTRY static void
run_unknown_service(void *arg)
{
    struct duo d = duo_new(0);
    struct watch_revoked note = {0};

    (void)arg;
    assert_int_equal(watch_revoked_note(d.client, &note), OK);
    while (gone_count < 2)
        fiber_yield();
    assert_true(ipc_violation(d.client) != NULL || ipc_violation(d.server) != NULL);
}

static void
test_unknown_service(void **state)
{
    (void)state;
    probe_run(run_unknown_service, NULL);
}

/* ---- a raw peer ---- */

/* As on the wire (rt/ipc_internal.h). */
enum kind { HELLO, CALL, REPLY, NOTE };
struct frame {
    uint32_t length, tag, call, ring_bytes;
    uint16_t id;
    uint8_t kind, status;
};
struct raw {
    const char *what;
    struct frame frame;
    struct str payload;
    bool hello_first;
};

static void
raw_send(int fd, const struct frame *f, struct str payload)
{
    assert_int_equal(send(fd, f, sizeof(*f), 0), sizeof(*f));
    if (payload.len > 0)
        assert_int_equal(send(fd, payload.ptr, payload.len, 0), payload.len);
}

FIBER_ENTRY static void
run_raw(void *arg)
{
    const struct raw *row = arg;
    struct ipc_channel_end ends[2];
    struct ipc_options o = probe_options(ROLE_STORE, ROLE_USER, true);
    struct ipc_peer *p;
    struct frame hello = {.kind = HELLO, .length = 2};

    gone_count = 0;
    o.gone = count_gone;
    assert_int_equal(ipc_pair(4096, ends), OK);
    assert_int_equal(ipc_attach(&ends[0], &o, &p), OK);
    if (row->hello_first)
        raw_send(ends[1].fd, &hello, STR("\x01\x00"));
    raw_send(ends[1].fd, &row->frame, row->payload);
    for (int i = 0; i < 1000 && gone_count == 0; i++)
        assert_int_equal(fiber_sleep(5), OK);
    if (gone_count != 1 || ipc_violation(p) == NULL)
        fail_msg("not cut off: %s", row->what);
    close(ends[1].fd);
    close(ends[1].ring_fd);
}

static void
test_hostile_frames(void **state)
{
    uint32_t tag = (uint32_t)probe_service_schema.schema_hash;
    const struct raw rows[] = {
        {"no hello", {.kind = CALL, .tag = tag, .id = 3}, STR_NONE, false},
        {"bad hello", {.kind = HELLO, .length = 1}, STR("\x09"), false},
        {"other protocol", {.kind = HELLO, .length = 2}, STR("\x02\x00"), false},
        {"cut hello", {.kind = HELLO, .length = 4}, STR("\x01\x01\x05p"), false},
        {"too many services", {.kind = HELLO, .length = 2}, STR("\x01\x09"), false},
        {"second hello", {.kind = HELLO, .length = 2}, STR("\x01\x00"), true},
        {"too long",
         {.kind = CALL, .tag = tag, .id = 3, .length = LIMIT_IPC_FRAME_BYTES + 1},
         STR_NONE,
         true},
        {"unknown kind", {.kind = 9, .tag = tag, .id = 3}, STR_NONE, true},
        {"unknown tag", {.kind = CALL, .tag = tag + 1, .id = 3}, STR_NONE, true},
        {"verb 0", {.kind = CALL, .tag = tag, .id = 0}, STR_NONE, true},
        {"verb too high", {.kind = CALL, .tag = tag, .id = 8}, STR_NONE, true},
        {"call as note", {.kind = NOTE, .tag = tag, .id = 3}, STR_NONE, true},
        {"note as call",
         {.kind = CALL, .tag = tag, .id = 7, .length = 8},
         STR("\0\0\0\0\0\0\0\0"),
         true},
        {"status in a call", {.kind = CALL, .tag = tag, .id = 3, .status = 1}, STR_NONE, true},
        {"for another role", {.kind = CALL, .tag = tag, .id = 6}, STR_NONE, true},
        {"trailing byte", {.kind = CALL, .tag = tag, .id = 3, .length = 1}, STR("x"), true},
        {"short request", {.kind = CALL, .tag = tag, .id = 4, .length = 2}, STR("xx"), true},
        {"reply to nothing", {.kind = REPLY, .tag = tag, .id = 3, .call = 1 << 12}, STR_NONE, true},
        {"ring bytes that are not there",
         {.kind = CALL, .tag = tag, .id = 3, .ring_bytes = 600},
         STR_NONE,
         true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct raw row = rows[i];
        probe_run(run_raw, &row);
    }
}

/* ---- two processes, two threads ---- */

static void
serve_until_closed(struct ipc_peer *p)
{
    (void)p;
    loop_stop();
}

static void
serve_end(const struct ipc_channel_end *e)
{
    struct ipc_options o = probe_options(ROLE_STORE, ROLE_USER, true);
    struct ipc_peer *p;

    loop_init();
    o.gone = serve_until_closed;
    assert_int_equal(ipc_attach(e, &o, &p), OK);
    loop_run();
    ipc_forget();
    loop_release();
}

static void *
serve_thread(void *arg)
{
    serve_end(arg);
    return NULL;
}

FIBER_ENTRY static void
run_far_client(void *arg)
{
    struct ipc_options o = probe_options(ROLE_USER, ROLE_STORE, false);
    struct crowd c = {.left = 32, .waiter = fiber_self()};

    gone_count = 0;
    o.gone = count_gone;
    assert_int_equal(ipc_attach(arg, &o, &c.p), OK);
    for (size_t i = 0; i < 20; i++)
        echo(c.p, i, i * 52000);
    for (uint32_t i = 0; i < 32; i++)
        assert_int_equal(fiber_go(one_of_crowd, &c), OK);
    while (c.left > 0)
        assert_int_equal(fiber_park(60000), OK);
    ipc_close(c.p);
    while (gone_count < 1)
        fiber_yield();
}

static void
test_two_threads(void **state)
{
    for (size_t ring = 0; ring <= RING; ring += RING) {
        struct ipc_channel_end ends[2];
        pthread_t thread;

        (void)state;
        assert_int_equal(ipc_pair(ring, ends), OK);
        assert_int_equal(pthread_create(&thread, NULL, serve_thread, &ends[1]), 0);
        probe_run(run_far_client, &ends[0]);
        pthread_join(thread, NULL);
    }
}

static void
test_two_processes(void **state)
{
    for (size_t ring = 0; ring <= RING; ring += RING) {
        struct ipc_channel_end ends[2];
        int status;

        (void)state;
        assert_int_equal(ipc_pair(ring, ends), OK);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(ends[0].fd);
            close(ends[0].ring_fd);
            serve_end(&ends[1]);
            _exit(0);
        }
        close(ends[1].fd);
        close(ends[1].ring_fd);
        probe_run(run_far_client, &ends[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

/* kill -9 of the other side in the middle of calls. */
FIBER_ENTRY static void
run_killed(void *arg)
{
    struct ipc_channel_end ends[2];
    struct ipc_options o = probe_options(ROLE_USER, ROLE_STORE, false);
    struct sleeper s = {.ms = 60000};

    (void)arg;
    assert_int_equal(ipc_pair(RING, ends), OK);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) { /* only reads hello and calls, and never answers */
        pause();
        _exit(0);
    }
    close(ends[1].fd);
    close(ends[1].ring_fd);
    gone_count = 0;
    o.gone = count_gone;
    assert_int_equal(ipc_attach(&ends[0], &o, &s.p), OK);
    assert_int_equal(fiber_go(sleep_call, &s), OK);
    assert_int_equal(fiber_sleep(20), OK);
    assert_false(s.done);
    kill(pid, SIGKILL);
    for (int i = 0; i < 2000 && !(s.done && gone_count > 0); i++)
        assert_int_equal(fiber_sleep(5), OK);
    assert_true(s.done);
    assert_int_equal(s.status, ERR_CLOSED);
    assert_int_equal(gone_count, 1);
    assert_null(ipc_violation(s.p));
    waitpid(pid, NULL, 0);
}

static void
test_killed_peer(void **state)
{
    (void)state;
    probe_run(run_killed, NULL);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo),           cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_failures),       cmocka_unit_test(test_small_arena),
        cmocka_unit_test(test_notes),          cmocka_unit_test(test_cancelled_caller),
        cmocka_unit_test(test_lost_channel),   cmocka_unit_test(test_in_flight_cap),
        cmocka_unit_test(test_not_allowed),    cmocka_unit_test(test_unknown_service),
        cmocka_unit_test(test_hostile_frames), cmocka_unit_test(test_two_processes),
        cmocka_unit_test(test_killed_peer),    cmocka_unit_test(test_two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
