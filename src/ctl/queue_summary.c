/* queue_summary.c - godwit queue summary: how much waits for whom, and since when.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "ctl/queue.h"
#include "rt/clock.h"

enum { SHOWN_MAX = 20, JSON_MAX = 1000 };

static void
print_line(const char *name, const struct admin_destination *d)
{
    char oldest[40];

    printf("%9llu %8s", (unsigned long long)d->messages,
           d->messages == 0 ? "-"
                            : ctl_span_text(clock_now().us - d->oldest, oldest, sizeof(oldest)));
    for (size_t i = 0; i < VIEW_AGES && i < d->ages_count; i++) {
        if (d->ages[i] == 0)
            printf(" %6s", ".");
        else
            printf(" %6llu", (unsigned long long)d->ages[i]);
    }
    printf("  %s", name);
    if (d->held > 0)
        printf("  %llu held", (unsigned long long)d->held);
    printf("%s\n", d->paused ? "  paused" : "");
}

static void
print_summary(struct ctl *c, const struct admin_queue_summary_reply *rep)
{
    ctl_queue_paused(c, rep->paused, rep->paused_count);
    if (rep->all.messages == 0) {
        printf("the queue is empty\n");
        return;
    }
    printf("%9s %8s  up to so many minutes old\n%9s %8s", "", "", "messages", "oldest");
    for (size_t i = 0; i < VIEW_AGES; i++)
        printf(" %6s", view_age_names[i]);
    printf("  destination\n");
    print_line("all", &rep->all);
    for (size_t i = 0; i < rep->destinations_count; i++) {
        const struct admin_destination *d = &rep->destinations[i];
        print_line(d->domain.len == 0 ? "(mailboxes here)" : ctl_text(c, d->domain), d);
    }
    if (rep->total > rep->destinations_count)
        printf("and %llu destinations with fewer messages; --json tells more\n",
               (unsigned long long)(rep->total - rep->destinations_count));
}

SUSPENDS int
ctl_queue_summary(struct ctl *c)
{
    struct admin_queue_summary req = {.max = c->json ? JSON_MAX : SHOWN_MAX};
    int exit = CTL_OK;

    do {
        struct admin_queue_summary_reply rep;
        ctl_queue_draw(c);
        enum status e = c->store == NULL ? ERR_CLOSED
                                         : admin_queue_summary_call(c->store, &req, c->arena, &rep);
        if (e != OK)
            exit = ctl_fail(c, e);
        else if (c->json)
            exit = ctl_print_json(view_queue_summary(&rep));
        else
            print_summary(c, &rep);
        if (e == OK)
            exit = CTL_OK;
        arena_reset(c->arena);
    } while (ctl_queue_again(c));
    return exit;
}
