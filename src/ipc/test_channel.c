/* test_channel.c - see test_channel.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ipc/test_channel.h"

#include <stdio.h>

#include "base/size.h"
#include "ipc/probe_serve.h"
#include "rt/loop.h"

const struct ipc_service *const probe_services[1] = {&probe_service};
_Thread_local struct probe_seen probe_seen;

struct body {
    void (*run)(void *arg);
    void *arg;
};

struct ipc_options
probe_options(enum role own, enum role peer, bool serves)
{
    return (struct ipc_options){.own_role = own,
                                .peer_role = peer,
                                .serves = probe_services,
                                .serve_count = serves ? 1 : 0};
}

FIBER_ENTRY static void
body_entry(void *arg)
{
    struct body *b = arg;

    b->run(b->arg);
    loop_stop();
}

void
probe_run(void (*body)(void *arg), void *arg)
{
    struct body b = {body, arg};

    loop_init();
    ASSERT(fiber_go(body_entry, &b) == OK);
    loop_run();
    ipc_forget();
    loop_release();
}

SUSPENDS enum status
probe_serve_echo(struct ipc_peer *from, const struct probe_echo *req, struct arena *a,
                 struct probe_echo_reply *rep)
{
    (void)from;
    (void)a;
    probe_seen.calls++;
    *rep = (struct probe_echo_reply){req->number, req->text, req->body};
    return OK;
}

SUSPENDS enum status
probe_serve_shapes(struct ipc_peer *from, const struct probe_shapes *req, struct arena *a,
                   struct probe_shapes_reply *rep)
{
    (void)from;
    (void)a;
    rep->tree = req->tree;
    return OK;
}

SUSPENDS enum status
probe_serve_nothing(struct ipc_peer *from, const struct probe_nothing *req, struct arena *a,
                    struct probe_nothing_reply *rep)
{
    (void)from;
    (void)req;
    (void)a;
    (void)rep;
    probe_seen.calls++;
    return OK;
}

SUSPENDS enum status
probe_serve_sleep(struct ipc_peer *from, const struct probe_sleep *req, struct arena *a,
                  struct probe_sleep_reply *rep)
{
    enum status st = OK;
    uint32_t left = req->ms;

    (void)a;
    (void)rep;
    probe_seen.asleep++;
    probe_seen.asleep_most = MAX(probe_seen.asleep_most, probe_seen.asleep);
    while (st == OK && left > 0 && ipc_is_open(from)) {
        uint32_t step = MIN(left, 10u);
        st = fiber_sleep(step);
        left -= step;
    }
    probe_seen.asleep--;
    return st;
}

SUSPENDS enum status
probe_serve_fail(struct ipc_peer *from, const struct probe_fail *req, struct arena *a,
                 struct probe_fail_reply *rep)
{
    struct problem why;

    (void)from;
    (void)a;
    (void)rep;
    problem_set(&why, 550, "5.1.1", "%.*s", STR_FMT(req->text));
    if (req->text.len > 0)
        ipc_fail(&why);
    return (enum status)req->status; /* the test sends what it wants back */
}

SUSPENDS enum status
probe_serve_for_store(struct ipc_peer *from, const struct probe_for_store *req, struct arena *a,
                      struct probe_for_store_reply *rep)
{
    (void)from;
    (void)req;
    (void)a;
    (void)rep;
    return OK;
}

SUSPENDS void
probe_serve_tick(struct ipc_peer *from, const struct probe_tick *req, struct arena *a)
{
    (void)from;
    (void)a;
    probe_seen.ticks++;
    probe_seen.last_tick = req->number;
}
