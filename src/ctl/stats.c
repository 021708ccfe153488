/* stats.c - `godwit stats`: what was counted, for people, for programs, and for Prometheus.
 *
 * The figures come from the store, which hears every process; how much memory each has stands in /proc.
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

enum { STATM_BYTES = 256 };

/* Resident bytes; 0 = cannot be told. */
static bool prometheus; /* --prometheus */

static uint64_t
memory_of(uint32_t pid)
{
    char path[40], text[STATM_BYTES];
    uint64_t pages = 0;
    AUTO(fd_close) int fd = -1;

    snprintf(path, sizeof(path), "/proc/%u/statm", pid);
    if (disk_open(path, O_RDONLY, 0, &fd) != OK)
        return 0;
    ssize_t n = read(fd, text, sizeof(text));
    struct scan s = scan_of(str_from(text, n > 0 ? (size_t)n : 0)); /* size SP resident SP ... */
    if (!scan_u64(&s, UINT64_MAX, &pages) || !scan_char(&s, ' ') ||
        !scan_u64(&s, UINT64_MAX / 65536, &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t
value(const uint64_t *list, size_t count, size_t i)
{
    return i < count ? list[i] : 0;
}

/* ---- Prometheus ---- */

static void
metric(const char *name, const char *kind, const char *help)
{
    printf("# HELP godwit_%s %s\n# TYPE godwit_%s %s\n", name, help, name, kind);
}

static void
print_counters(const struct admin_stats_reply *r)
{
    for (size_t i = 0; i < STAT_COUNT; i++) {
        const struct stat_info *s = &stats[i];
        if (s->help[0] != '\0')
            metric(s->name, "counter", s->help);
        printf("godwit_%s%s%s%s %llu\n", s->name, s->labels[0] != '\0' ? "{" : "", s->labels,
               s->labels[0] != '\0' ? "}" : "",
               (unsigned long long)value(r->totals, r->totals_count, i));
    }
}

static void
print_one(const char *name, const char *kind, const char *help, uint64_t v)
{
    metric(name, kind, help);
    printf("godwit_%s %llu\n", name, (unsigned long long)v);
}

static void
print_processes(struct ctl *c, const struct admin_stats_reply *r)
{
    metric("connections_open", "gauge", "Connections of clients.");
    for (size_t i = 0; i < r->processes_count; i++)
        printf("godwit_connections_open{process=\"%s\"} %u\n", ctl_text(c, r->processes[i].name),
               r->processes[i].open);
    metric("process_resident_memory_bytes", "gauge",
           "Resident memory; shared pages count in each.");
    for (size_t i = 0; i < r->processes_count; i++) {
        uint64_t bytes = memory_of(r->processes[i].pid);
        if (bytes > 0)
            printf("godwit_process_resident_memory_bytes{process=\"%s\"} %llu\n",
                   ctl_text(c, r->processes[i].name), (unsigned long long)bytes);
    }
}

static int
print_prometheus(struct ctl *c, const struct admin_stats_reply *r)
{
    metric("info", "gauge", "The version that runs.");
    printf("godwit_info{version=\"%s\"} 1\n", ctl_text(c, r->version));
    print_one("start_time_seconds", "gauge", "When the store started, seconds since 1970.",
              (uint64_t)(r->started / 1000000));
    print_counters(r);
    print_one("queue_messages", "gauge", "Messages in the queue.", r->queue_length);
    print_one("sessions", "gauge", "Sessions that are logged in.", r->sessions);
    print_one("commits_total", "counter", "Commits of the store.", r->commits);
    print_one("syncs_total", "counter", "Syncs that they took.", r->syncs);
    print_processes(c, r);
    return CTL_OK;
}

/* ---- for people and programs ---- */

static json_t *
counters_json(const uint64_t *list, size_t count)
{
    json_t *all = json_object();
    char key[120];

    for (size_t i = 0; i < STAT_COUNT; i++) {
        snprintf(key, sizeof(key), "%s%s%s%s", stats[i].name, stats[i].labels[0] != '\0' ? "{" : "",
                 stats[i].labels, stats[i].labels[0] != '\0' ? "}" : "");
        json_object_set_new(all, key, json_integer((json_int_t)value(list, count, i)));
    }
    return all;
}

static int
print_json(const struct admin_stats_reply *r)
{
    json_t *processes = json_array();

    for (size_t i = 0; i < r->processes_count; i++)
        json_array_append_new(processes, json_pack("{s:o, s:i, s:i, s:I}", "name",
                                                   ctl_json_str(r->processes[i].name), "pid",
                                                   (int)r->processes[i].pid, "connections",
                                                   (int)r->processes[i].open, "memory",
                                                   (json_int_t)memory_of(r->processes[i].pid)));
    return ctl_print_json(json_pack(
        "{s:o, s:I, s:o, s:i, s:o, s:I, s:I, s:I, s:I, s:o}", "version", ctl_json_str(r->version),
        "started_us", (json_int_t)r->started, "totals", counters_json(r->totals, r->totals_count),
        "recent_s", (int)r->recent_s, "recent", counters_json(r->recent, r->recent_count), "queue",
        (json_int_t)r->queue_length, "sessions", (json_int_t)r->sessions, "commits",
        (json_int_t)r->commits, "syncs", (json_int_t)r->syncs, "processes", processes));
}

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
               ctl_size_text(memory_of(r->processes[i].pid), size, sizeof(size)),
               r->processes[i].open);
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
        return print_prometheus(c, &rep);
    return c->json ? print_json(&rep) : print_text(c, &rep);
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
