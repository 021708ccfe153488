/* role_trace.c - lines of the trace on their way from a worker to the store.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ipc/store_ipc.h"
#include "role/role_internal.h"
#include "rt/logger.h"

/* A store that is away, or does not keep up, costs lines of the trace and nothing else. */
static void
tell_store(struct str line)
{
    const struct store_trace note = {.line = line};
    enum status st = store_trace_note(role_peer(ROLE_STORE), &note);

    (void)st;
}

void
role_trace_start(const struct role_start *s)
{
    if (s->config->trace_days > 0 &&
        (s->role == ROLE_MX || s->role == ROLE_USER || s->role == ROLE_OUT || s->role == ROLE_AUTH))
        logger_keep(tell_store);
}
