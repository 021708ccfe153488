/* queue_show.c - messages of the queue, for people and for programs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "ctl/queue.h"
#include "rt/clock.h"

static const char *
state_of(const struct admin_queued_rcpt *r)
{
    return r->paused ? "paused" : view_rcpt_states[r->state & 3];
}

static void
print_answer(struct ctl *c, const struct admin_queued_rcpt *r)
{
    if (r->code != 0)
        printf("%u ", r->code);
    if (r->enhanced.len > 0)
        printf("%s ", ctl_text(c, r->enhanced));
    printf("%s", ctl_text(c, r->text));
}

void
ctl_queued_line(struct ctl *c, const struct admin_queued *m)
{
    char size[32], arrived[40], next[40];

    printf("%llx  %s  %s  from <%s>  ", (unsigned long long)m->qid,
           ctl_time_text(m->arrived, arrived, sizeof(arrived)),
           ctl_size_text(m->size, size, sizeof(size)), ctl_text(c, m->sender));
    if (m->held || m->paused)
        printf("%s\n", m->over ? "held: its account sent too much" : m->held ? "held" : "paused");
    else if (m->not_before > clock_now().us)
        printf("waits until %s\n", ctl_time_text(m->not_before, next, sizeof(next)));
    else
        printf("next %s\n", ctl_time_text(m->next, next, sizeof(next)));
    for (size_t i = 0; i < m->rcpts_count; i++) {
        const struct admin_queued_rcpt *r = &m->rcpts[i];
        printf("    %-10s <%s>  %u %s  ", state_of(r), ctl_text(c, r->address), r->tries,
               r->tries == 1 ? "try" : "tries");
        print_answer(c, r);
        printf("\n");
    }
}

static void
print_time(const char *what, int64_t us, int64_t now_us)
{
    char time[40], span[40];
    bool past = us <= now_us;

    printf("%-12s%s (%s%s%s)\n", what, ctl_time_text(us, time, sizeof(time)), past ? "" : "in ",
           ctl_span_text(past ? now_us - us : us - now_us, span, sizeof(span)), past ? " ago" : "");
}

/* FUTURERELEASE, RFC 4865. */
static void
print_not_before(int64_t us, int64_t now_us)
{
    char time[40], span[40];

    if (us > now_us)
        printf("not before  %s (in %s), as its sender asked\n",
               ctl_time_text(us, time, sizeof(time)),
               ctl_span_text(us - now_us, span, sizeof(span)));
}

static void
print_rcpt(struct ctl *c, const struct admin_queued_rcpt *r, int64_t now_us)
{
    printf("\n<%s>%s\n", ctl_text(c, r->address), r->local ? "  (a mailbox here)" : "");
    if (!str_eq(r->original, r->address))
        printf("    written as  <%s>\n", ctl_text(c, r->original));
    printf("    state       %s, %u %s\n", state_of(r), r->tries, r->tries == 1 ? "try" : "tries");
    if (r->next > 0 && !r->paused) {
        printf("    ");
        print_time("next try", r->next, now_us);
    }
    if (r->code != 0 || r->text.len > 0) {
        printf("    last answer ");
        print_answer(c, r);
        printf("\n");
    }
    if (r->remote.len > 0)
        printf("    given by    %s\n", ctl_text(c, r->remote));
    if (r->told != 0)
        printf("    reported    %s\n",
               (r->told & VIEW_TOLD_FAILURE) != 0 ? "the failure, to the sender"
               : (r->told & VIEW_TOLD_DELAY) != 0 ? "the delay, to the sender"
                                                  : "the delivery, to the sender");
}

void
ctl_queued_whole(struct ctl *c, const struct admin_queued *m)
{
    int64_t now_us = clock_now().us;
    char size[32];

    printf("queue id    %llx\nsender      <%s>\nsize        %s\n", (unsigned long long)m->qid,
           ctl_text(c, m->sender), ctl_size_text(m->size, size, sizeof(size)));
    print_time("arrived", m->arrived, now_us);
    print_not_before(m->not_before, now_us);
    if (m->by_mode != VIEW_BY_NONE) {
        print_time("deliver by", m->by, now_us);
        printf("            %s\n", m->by_mode == VIEW_BY_RETURN
                                       ? "then it comes back to its sender"
                                       : "then its sender hears that it is late");
    }
    if (m->envid.len > 0)
        printf("envelope id %s\n", ctl_text(c, m->envid));
    if (m->route.len > 0)
        printf("route       %s\n", ctl_text(c, m->route));
    if (m->over)
        printf("over limit  its account sent too much within a day: it goes when there is room\n");
    if (m->held)
        printf("held        until: godwit queue release %llx\n", (unsigned long long)m->qid);
    else if (m->paused)
        printf("paused      until: godwit queue resume\n");
    for (size_t i = 0; i < m->rcpts_count; i++)
        print_rcpt(c, &m->rcpts[i], now_us);
}

void
ctl_queue_paused(struct ctl *c, const struct str *domains, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (domains[i].len == 0)
            printf("paused: all mail to other servers\n");
        else
            printf("paused: mail to %s\n", ctl_text(c, domains[i]));
    }
}
