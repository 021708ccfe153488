/* session_test.c - every transcript tests/session/pop3_*.t, as it stands and byte by byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "pop3/pop3.h"
#include "testkit/transcript.h"

static struct pop3_world world;

static void
set_world(const struct fake_world *w)
{
    world = (struct pop3_world){w->config, w->store, w->auth};
    pop3_init(&world);
}

int
main(void)
{
    static const struct fake_protocol pop3 = {
        .ops = &pop3_ops,
        .kind = SERVICE_POP3,
        .role = ROLE_USER,
        .world = set_world,
        .revoked = pop3_revoked,
    };

    return transcript_main("tests/session/pop3_*.t", &pop3);
}
