/* boss.h - the process that starts the others: binds ports, hands out descriptors, restarts what died.
 *
 * Owns:      listeners, the log, the open master key, one control socket per role process.
 * Promises:  a role that ends is started again, at once the first times, then with growing pauses; its peers get new
 *            channels.  SIGTERM and SIGINT: the workers of the Internet stop first, then the rest, 10 s
 *            each, then SIGKILL.  SIGHUP: the configuration is read anew and holds from then on, but for what only a
 *            start can change; nobody is disconnected.  A wrong one changes nothing.  The log is opened anew for all,
 *            and the files that the configuration names are handed afresh to who reads them; these also every 2 s
 *            if they changed.
 *            A service manager (NOTIFY_SOCKET) hears when the server is ready, reloads and stops, how it is in
 *            one line, and, if it wants (WATCHDOG_USEC), that all roles answer.
 *            SIGUSR2: the program that is installed now takes its place, SIGUSR1: the one that ran before; in the same
 *            process, with the same listeners.  It is tried first, beside this one: what it cannot do is found before
 *            anything ends.  Then the roles end in order, as at SIGTERM.  One that does not become ready is replaced by
 *            this one again.  What came of it stands in run-dir/upgrade.state.
 * Never:     reads network data, mail or keys.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_BOSS_BOSS_H
#define ROLE_BOSS_BOSS_H

#include "role/role.h"

/* What came of the last upgrade or rollback, in run-dir: lines `number N`, `result taken`, refused or fallback,
 * `from VERSION`, `to VERSION`, `said TEXT`. */
#define BOSS_UPGRADE_STATE "upgrade.state"

struct handover;
struct boss_options {
    const struct config *config;
    struct config *renewed;                /* boss's own: the same, once there was a reload */
    struct str config_path;                /* master.key lies beside it */
    const struct role_verbs *const *table; /* roles built in; boss starts no other */
    bool no_listeners;                     /* answers the godwit command only */
    int lifeline;   /* > 0: the server stops when the other end of this socket is closed */
    bool rehearsal; /* only until everybody is ready, with nothing but an empty store in memory */
    const struct handover *taken; /* NULL, or what the program before left */
};
/* Runs until told to stop.  A failure before that has its reason in why. */
MUST_USE enum status boss_run(const struct boss_options *o, struct problem *why);

#endif
