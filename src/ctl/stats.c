/* stats.c - `godwit stats`: what was counted, for people, for programs, and for Prometheus.
 *
 * The figures come from the store, which hears every process.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "base/scan.h"
#include "base/size.h"
#include "config/stats.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "rt/disk.h"

enum { PROMETHEUS_BYTES = 1 << 20 };

static bool prometheus; /* --prometheus */

static uint64_t
value(const uint64_t *list, size_t count, size_t i)
{
    return i < count ? list[i] : 0;
}

/* ---- for people and programs ---- */

/* "logins_total" and result="bad" as "logins bad". */
static void
print_name(const struct stat_info *s)
{
    struct str name = str_of(s->name), label = str_of(s->labels);
    ssize_t from = str_find(label, '"');
    char text[80];
    int n = snprintf(text, sizeof(text), "%.*s", STR_FMT(str_sub(name, 0, name.len - 6)));

    if (from >= 0)
        snprintf(text + n, sizeof(text) - (size_t)n, " %.*s",
                 STR_FMT(str_sub(label, (size_t)from + 1, label.len - (size_t)from - 2)));
    for (char *p = text; *p != '\0'; p++)
        if (*p == '_')
            *p = ' ';
    printf("%-32s", text);
}

static int
print_text(struct ctl *c, const struct admin_stats_reply *r)
{
    char since[40], size[32];

    printf("godwit %s, counting since %s\n", ctl_text(c, r->version),
           ctl_time_text(r->started, since, sizeof(since)));
    printf("%-32s%12s   last %u min\n", "", "all", (r->recent_s + 59) / 60);
    for (size_t i = 0; i < STAT_COUNT; i++) {
        uint64_t all = value(r->totals, r->totals_count, i);
        if (all == 0)
            continue;
        print_name(&stats[i]);
        printf("%12llu%12llu\n", (unsigned long long)all,
               (unsigned long long)value(r->recent, r->recent_count, i));
    }
    printf("%llu messages in the queue, %llu sessions, %llu commits in %llu syncs\n",
           (unsigned long long)r->queue_length, (unsigned long long)r->sessions,
           (unsigned long long)r->commits, (unsigned long long)r->syncs);
    for (size_t i = 0; i < r->processes_count; i++)
        printf("%-8s %10s  %u connections\n", ctl_text(c, r->processes[i].name),
               ctl_size_text(r->processes[i].memory, size, sizeof(size)), r->processes[i].open);
    return CTL_OK;
}

static int
print_prometheus(const struct admin_stats_reply *r)
{
    AUTO_BUF text = BUF(PROMETHEUS_BYTES);

    if (view_prometheus(r, &text) != OK)
        return CTL_FAILED;
    printf("%.*s", STR_FMT(buf_str(&text)));
    return CTL_OK;
}

static SUSPENDS int
show_stats(struct ctl *c)
{
    struct admin_stats req = {0};
    struct admin_stats_reply rep;
    enum status e = admin_stats_call(c->store, &req, c->arena, &rep);

    if (e != OK)
        return ctl_fail(c, e);
    if (prometheus)
        return print_prometheus(&rep);
    return c->json ? ctl_print_json(view_stats(&rep)) : print_text(c, &rep);
}

static const struct ctl_verb stats_verbs[] = {
    {"show", 0, 0, "", show_stats, "what was counted since the start and lately"},
    {0},
};

static const struct ctl_option stats_options[] = {
    {"--prometheus", CTL_FLAG, &prometheus},
    {0},
};

int
stats_command(int argc, char **argv)
{
    return ctl_one_verb(argc, argv, stats_verbs, stats_options, "[--json] [--prometheus]");
}
