/* role_stats.c - what this process counted, told to the store now and then.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "config/stats.h"
#include "ipc/store_ipc.h"
#include "role/front/front.h"
#include "role/role_internal.h"
#include "rt/loop.h"

enum { TELL_MS = 2000 };

static struct timer again;
static uint32_t pid;

/* A store that is away hears the same figures later: they only grow. */
static void
tell(struct timer *t)
{
    struct store_stats note = {.pid = pid,
                               .open = front_count(),
                               .memory = role_memory(),
                               .values = stat_values,
                               .values_count = STAT_COUNT};
    enum status st = store_stats_note(role_peer(ROLE_STORE), &note);

    (void)st;
    timer_set(t, TELL_MS);
}

/* Before the jail, where asking for it needs no permission. */
void
role_stats_prepare(enum role r)
{
    pid = (uint32_t)getpid();
    role_memory_prepare(r);
}

void
role_stats_start(void)
{
    again.fire = tell;
    timer_set(&again, TELL_MS);
}
