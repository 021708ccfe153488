/* view_stats.c - status and figures: as JSON, and for Prometheus.
 *
 * The figures come from the store, which hears every process.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "api/view.h"
#include "config/stats.h"

static uint64_t
value(const uint64_t *list, size_t count, size_t i)
{
    return i < count ? list[i] : 0;
}

/* ---- status ---- */

json_t *
view_status(const struct admin_status_reply *r)
{
    json_t *roles = json_object();
    char name[40];

    for (size_t i = 0; i < r->roles_count; i++) {
        snprintf(name, sizeof(name), "%.*s", STR_FMT(r->roles[i].name));
        json_object_set_new(roles, name, json_boolean(r->roles[i].connected));
    }
    return json_pack("{s:o, s:I, s:I, s:I, s:o}", "version", view_str(r->version), "commits",
                     (json_int_t)r->commits, "syncs", (json_int_t)r->syncs, "queue",
                     (json_int_t)r->queue_length, "roles", roles);
}

json_t *
view_reload(const struct admin_status_reply *r)
{
    return json_pack("{s:b, s:o}", "taken", (int)r->reload_taken, "said", view_str(r->reload_said));
}

/* ---- Prometheus ---- */

static void
metric(struct buf *b, const char *name, const char *kind, const char *help)
{
    buf_addf(b, "# HELP godwit_%s %s\n# TYPE godwit_%s %s\n", name, help, name, kind);
}

static void
add_counters(const struct admin_stats_reply *r, struct buf *b)
{
    for (size_t i = 0; i < STAT_COUNT; i++) {
        const struct stat_info *s = &stats[i];
        if (s->help[0] != '\0')
            metric(b, s->name, "counter", s->help);
        buf_addf(b, "godwit_%s%s%s%s %llu\n", s->name, s->labels[0] != '\0' ? "{" : "", s->labels,
                 s->labels[0] != '\0' ? "}" : "",
                 (unsigned long long)value(r->totals, r->totals_count, i));
    }
}

static void
add_one(struct buf *b, const char *name, const char *kind, const char *help, uint64_t v)
{
    metric(b, name, kind, help);
    buf_addf(b, "godwit_%s %llu\n", name, (unsigned long long)v);
}

static void
add_processes(const struct admin_stats_reply *r, struct buf *b)
{
    metric(b, "connections_open", "gauge", "Connections of clients.");
    for (size_t i = 0; i < r->processes_count; i++)
        buf_addf(b, "godwit_connections_open{process=\"%.*s\"} %u\n", STR_FMT(r->processes[i].name),
                 r->processes[i].open);
    metric(b, "process_resident_memory_bytes", "gauge",
           "Resident memory; shared pages count in each.");
    for (size_t i = 0; i < r->processes_count; i++) {
        uint64_t bytes = r->processes[i].memory;
        if (bytes > 0)
            buf_addf(b, "godwit_process_resident_memory_bytes{process=\"%.*s\"} %llu\n",
                     STR_FMT(r->processes[i].name), (unsigned long long)bytes);
    }
}

enum status
view_prometheus(const struct admin_stats_reply *r, struct buf *b)
{
    metric(b, "info", "gauge", "The version that runs.");
    buf_addf(b, "godwit_info{version=\"%.*s\"} 1\n", STR_FMT(r->version));
    add_one(b, "start_time_seconds", "gauge", "When the store started, seconds since 1970.",
            (uint64_t)(r->started / 1000000));
    add_counters(r, b);
    add_one(b, "queue_messages", "gauge", "Messages in the queue.", r->queue_length);
    add_one(b, "sessions", "gauge", "Sessions that are logged in.", r->sessions);
    add_one(b, "commits_total", "counter", "Commits of the store.", r->commits);
    add_one(b, "syncs_total", "counter", "Syncs that they took.", r->syncs);
    add_processes(r, b);
    return buf_status(b);
}

/* ---- for programs ---- */

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

json_t *
view_stats(const struct admin_stats_reply *r)
{
    json_t *processes = json_array();

    for (size_t i = 0; i < r->processes_count; i++)
        json_array_append_new(processes, json_pack("{s:o, s:i, s:i, s:I}", "name",
                                                   view_str(r->processes[i].name), "pid",
                                                   (int)r->processes[i].pid, "connections",
                                                   (int)r->processes[i].open, "memory",
                                                   (json_int_t)r->processes[i].memory));
    return json_pack("{s:o, s:I, s:o, s:i, s:o, s:I, s:I, s:I, s:I, s:o}", "version",
                     view_str(r->version), "started_us", (json_int_t)r->started, "totals",
                     counters_json(r->totals, r->totals_count), "recent_s", (int)r->recent_s,
                     "recent", counters_json(r->recent, r->recent_count), "queue",
                     (json_int_t)r->queue_length, "sessions", (json_int_t)r->sessions, "commits",
                     (json_int_t)r->commits, "syncs", (json_int_t)r->syncs, "processes", processes);
}
