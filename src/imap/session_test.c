/* session_test.c - every transcript tests/session/imap_*.t, as it stands and byte by byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/imap.h"
#include "testkit/transcript.h"

static struct imap_world world;

static void
set_world(const struct fake_world *w)
{
    world = (struct imap_world){w->config, w->store, w->auth};
    imap_init(&world);
}

int
main(void)
{
    static const struct fake_protocol imap = {
        .ops = &imap_ops,
        .kind = SERVICE_IMAP,
        .role = ROLE_USER,
        .world = set_world,
        .revoked = imap_revoked,
        .changed = imap_changed,
        .store_lost = imap_store_lost,
        .store_back = imap_store_back,
    };

    return transcript_main("tests/session/imap_*.t", &imap);
}
