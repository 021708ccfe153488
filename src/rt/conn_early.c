/* conn_early.c - what a connection does before its session: the pause before a greeting.
 *
 * It rests as data: a timer and the descriptor's readiness, no fiber.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/socket.h>

#include "rt/clock.h"
#include "rt/conn_internal.h"

bool
conn_early_wait(struct conn *c)
{
    char first;

    if (c->readable && !c->closing) {
        ssize_t n = recv(c->watch.fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n > 0) {
            listener_refuse_early(c);
            return true;
        }
        if (n == 0 || errno != EAGAIN) {
            conn_break(c); /* gone before it was greeted */
            return true;
        }
        c->readable = c->hangup; /* the next edge comes with bytes */
    }
    if (clock_mono_ms() < c->phase_until_ms) {
        conn_arm(c);
        return true;
    }
    c->phase = listener_first_phase(conn_listener(c));
    c->phase_until_ms = clock_mono_ms() + conn_handshake_ms;
    return false;
}
