/* role_dial.c - see role_dial.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/role_dial.h"

#include <errno.h>

#include "base/list.h"
#include "base/size.h"
#include "role/role_internal.h"
#include "rt/clock.h"
#include "rt/disk.h"

struct caller {
    struct list node;
    uint32_t number;
    bool answered;
    enum status st; /* the answer */
    int fd;         /* -1: there is none */
    struct fiber_queue news;
};

static struct list callers = {&callers, &callers};
static uint32_t last_number;

enum status
role_dial(struct str where, int64_t timeout_ms, int *fd_out)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    struct caller me = {.number = ++last_number, .fd = -1};
    struct control ask = {.kind = CONTROL_DIAL, .value = me.number, .text = where};
    enum status st = OK;

    st = control_say(CONTROL_FD, &ask, NULL, 0);
    if (st != OK)
        return st == ERR_TEMP ? ERR_LIMIT : st;
    fiber_queue_init(&me.news);
    list_push(&callers, &me.node);
    while (st == OK && !me.answered)
        st = fiber_queue_wait(&me.news, MAX(until - clock_mono_ms(), 0));
    list_remove(&me.node);
    if (st != OK) {
        fd_close(&me.fd);
        return st == ERR_TIMEOUT ? ERR_LIMIT : st; /* boss never lets the filter keep it waiting */
    }
    *fd_out = me.fd;
    return me.st;
}

void
role_dialled(const struct control *c, struct control_packet *p)
{
    list_each (node, &callers) {
        struct caller *one = LIST_ENTRY(node, struct caller, node);
        if (one->number != c->value || one->answered)
            continue;
        one->fd = role_handed_take(p, 0);
        one->st = one->fd >= 0 ? OK : c->value2 == EAGAIN ? ERR_LIMIT : ERR_TEMP;
        one->answered = true;
        fiber_queue_wake_all(&one->news);
        return;
    }
}
