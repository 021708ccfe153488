/* reload.c - godwit reload: the running server takes the configuration anew, and says what came of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/ctl.h"
#include "rt/clock.h"
#include "rt/fiber.h"

enum { WAIT_MS = 15000, LOOK_MS = 20 };

static int
say(const char *what, const char *why)
{
    fprintf(stderr, "godwit reload: %s%s%s\n", what, why[0] != '\0' ? ": " : "", why);
    return CTL_FAILED;
}

static SUSPENDS enum status
wait_for_it(struct ctl *c, uint32_t before, struct admin_status_reply *rep)
{
    int64_t end_ms = clock_mono_ms() + WAIT_MS;
    struct admin_status req = {0};

    do {
        TRY(fiber_sleep(LOOK_MS));
        arena_reset(c->arena);
        TRY(admin_status_call(c->store, &req, c->arena, rep));
    } while (rep->reloads == before && clock_mono_ms() < end_ms);
    return rep->reloads == before ? ERR_TIMEOUT : OK;
}

static int
tell(struct ctl *c, const struct admin_status_reply *rep)
{
    if (c->json)
        return ctl_print_json(view_reload(rep)) != CTL_OK || !rep->reload_taken ? CTL_FAILED
                                                                                : CTL_OK;
    if (!rep->reload_taken) {
        fprintf(stderr, "godwit reload: nothing was changed: %s\n", ctl_text(c, rep->reload_said));
        return CTL_FAILED;
    }
    printf("the configuration holds from now on\n");
    if (rep->reload_said.len > 0)
        printf("but for this, which waits for the next start: %s\n", ctl_text(c, rep->reload_said));
    return CTL_OK;
}

static SUSPENDS int
reload(struct ctl *c)
{
    struct admin_status req = {0};
    struct admin_status_reply rep;

    enum status e = admin_status_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    pid_t boss;
    int told = ctl_signal_boss(c, SIGHUP, &boss);
    if (told != CTL_OK)
        return told;
    e = wait_for_it(c, rep.reloads, &rep);
    if (e == ERR_TIMEOUT)
        return say("the server was told and does not say what came of it", "see godwit log");
    return e == OK ? tell(c, &rep) : ctl_fail(c, e);
}

static const struct ctl_verb reload_verbs[] = {
    {"now", 0, 0, "", reload, "take the configuration and its files anew"},
    {0},
};

int
reload_command(int argc, char **argv)
{
    return ctl_one_verb(argc, argv, reload_verbs, NULL, "[--json]");
}
