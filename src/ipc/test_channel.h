/* test_channel.h - the answering side of interface `probe`, for the tests of channels.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IPC_TEST_CHANNEL_H
#define IPC_TEST_CHANNEL_H

#include "ipc/probe_ipc.h"

extern const struct ipc_service *const probe_services[1];
/* What the handlers saw; of this thread. */
struct probe_seen {
    uint64_t calls, ticks, last_tick;
    uint32_t asleep, asleep_most;
};
extern _Thread_local struct probe_seen probe_seen;

struct ipc_options probe_options(enum role own, enum role peer, bool serves);
/* Runs body on a fiber of a loop of its own, until it returns. */
void probe_run(void (*body)(void *arg), void *arg);

#endif
