/* session_submit_test.c - every transcript tests/session/submit_*.t, as it stands and byte by byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/smtp.h"
#include "testkit/transcript.h"

static struct smtp_world world;

static void
set_world(const struct fake_world *w)
{
    world = (struct smtp_world){w->config, w->store, w->auth};
    smtp_init(&world);
}

int
main(void)
{
    static const struct fake_protocol submit = {
        .ops = &smtp_ops,
        .kind = SERVICE_SUBMISSION,
        .role = ROLE_USER,
        .world = set_world,
        .revoked = smtp_revoked,
    };

    return transcript_main("tests/session/submit_*.t", &submit);
}
