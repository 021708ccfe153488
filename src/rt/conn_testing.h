/* conn_testing.h - a scripted session and a client on a fiber, for the tests of connections.
 *
 * The session answers each line: "ok LINE", "long", "bad"; see conn_testing.c for its commands.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_CONN_TESTING_H
#define RT_CONN_TESTING_H

#include "base/testing.h"
#include "rt/conn.h"

struct test_session {
    struct conn *conn;
    size_t body_left, body_sum;
    bool open, paused;
};
extern struct test_session test_sessions[8]; /* in the order in which they opened */
extern size_t test_session_count;
extern const struct conn_ops test_ops;
extern struct listener test_listener;
extern char test_events[256]; /* one letter per wake: I T N E, C for closed, * for opened */
extern int64_t test_deadline_ms;
extern struct fiber_queue test_gate; /* where the command WAIT waits */
extern char test_refused[128];       /* the reason of the last refusal */

/* Runs body on a fiber beside the loop; returns when it has ended and every connection is closed. */
void test_run(void (*body)(void));
int test_connect(void); /* one end of a socket pair; the listener serves the other */
void test_say(int fd, struct str text);
void test_expect(int fd, struct str text); /* exactly this comes next */
void test_expect_end(int fd);
size_t test_read_all(int fd); /* until the end; how much */
/* Listens on a free loopback port. */
struct sockaddr_in test_listen(void);

#endif
