/* queue_summary.c - godwit queue summary: how much waits for whom, and since when.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "ctl/queue.h"
#include "rt/clock.h"

enum { AGES = 10, SHOWN_MAX = 20, JSON_MAX = 1000 };
static const char *const age_names[AGES] = {"5",   "10",  "20",  "40",   "80",
                                            "160", "320", "640", "1280", "1280+"};

static json_t *
destination_json(const struct admin_destination *d, const char *name)
{
    json_t *ages = json_object();

    for (size_t i = 0; i < AGES && i < d->ages_count; i++)
        json_object_set_new(ages, age_names[i], json_integer((json_int_t)d->ages[i]));
    json_t *j = json_pack("{s:I, s:I, s:I, s:b, s:o}", "messages", (json_int_t)d->messages, "held",
                          (json_int_t)d->held, "oldest_us", (json_int_t)d->oldest, "paused",
                          (int)d->paused, "minutes", ages);
    if (name == NULL)
        json_object_set_new(j, "local", json_boolean(d->domain.len == 0));
    if (name == NULL && d->domain.len > 0)
        json_object_set_new(j, "domain", ctl_json_str(d->domain));
    return j;
}

static json_t *
summary_json(const struct admin_queue_summary_reply *rep)
{
    json_t *list = json_array(), *paused = json_array();
    bool all = false;

    for (size_t i = 0; i < rep->destinations_count; i++)
        json_array_append_new(list, destination_json(&rep->destinations[i], NULL));
    for (size_t i = 0; i < rep->paused_count; i++) {
        all = all || rep->paused[i].len == 0;
        if (rep->paused[i].len > 0)
            json_array_append_new(paused, ctl_json_str(rep->paused[i]));
    }
    return json_pack("{s:o, s:I, s:o, s:b, s:o}", "all", destination_json(&rep->all, "all"),
                     "destinations", (json_int_t)rep->total, "by_destination", list, "paused_all",
                     (int)all, "paused", paused);
}

static void
print_line(const char *name, const struct admin_destination *d)
{
    char oldest[40];

    printf("%9llu %8s", (unsigned long long)d->messages,
           d->messages == 0 ? "-"
                            : ctl_span_text(clock_now().us - d->oldest, oldest, sizeof(oldest)));
    for (size_t i = 0; i < AGES && i < d->ages_count; i++) {
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
    for (size_t i = 0; i < AGES; i++)
        printf(" %6s", age_names[i]);
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
            exit = ctl_print_json(summary_json(&rep));
        else
            print_summary(c, &rep);
        if (e == OK)
            exit = CTL_OK;
        arena_reset(c->arena);
    } while (ctl_queue_again(c));
    return exit;
}
