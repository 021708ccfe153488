/* session_test.c - every transcript tests/session/mx_*.t, submit_*.t, sendmail_*.t and lmtp_*.t, as it stands and byte
 * by byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "smtp/smtp.h"
#include "testkit/transcript.h"

static struct smtp_world world;

static void
set_world(const struct fake_world *w)
{
    static char passwd[64];

    snprintf(passwd, sizeof(passwd), "tester:x:%u:\n", geteuid());
    world = (struct smtp_world){w->config, w->store, w->auth, NULL, str_of(passwd)};
    smtp_init(&world);
}

int
main(void)
{
    struct fake_protocol smtp = {
        .ops = &smtp_ops,
        .kind = SERVICE_SMTP,
        .role = ROLE_MX,
        .world = set_world,
        .revoked = smtp_revoked,
    };
    int failed = transcript_main("tests/session/mx_*.t", &smtp);

    smtp.kind = SERVICE_SUBMISSION;
    smtp.role = ROLE_USER;
    failed += transcript_main("tests/session/submit_*.t", &smtp);
    smtp.kind = SERVICE_SENDMAIL;
    failed += transcript_main("tests/session/sendmail_*.t", &smtp);
    smtp.kind = SERVICE_LMTP;
    smtp.role = ROLE_MX;
    return failed + transcript_main("tests/session/lmtp_*.t", &smtp);
}
