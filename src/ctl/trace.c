/* trace.c - `godwit trace`: the life of a message, or the messages of an address, from the files of the trace; the
 * server need not run.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/view_trace.h"
#include "base/scan.h"
#include "base/size.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "rt/clock.h"
#include "setup/logview.h"
#include "setup/machine.h"
#include "trace/life.h"
#include "trace/words.h"

enum {
    CONFIG_BYTES_MAX = 1 << 20,
    LIST_USUAL = 50,
    LIST_MAX = 10000,
    LIFE_BYTES = 256 << 20,
    WORDS_MAX = 16384,
    TIME_BYTES = 27
};

struct trace_view {
    struct ctl c; /* for its words */
    struct trace_reader *r;
    const char *what;
    struct buf since;
    size_t limit;
};

static bool read_options(struct trace_view *v, int argc, char **argv);
static bool open_trace(struct trace_view *v);
static int show(struct trace_view *v);

static int
usage(FILE *to)
{
    fprintf(to,
            "usage: godwit trace [-c FILE] [--since TIME] [--limit N] [--json] WHAT\n\n"
            "Tells what happened to a message: how it came, what was decided, where it went.\n\n"
            "  WHAT            an address: its messages, newest last\n"
            "                  a message id, <...> or without brackets: the life of that message\n"
            "                  a queue id, or the id in our Received field: the same\n"
            "  --since TIME    30s, 10m, 2h, 3d ago; today; 2026-11-23 (UTC)\n"
            "  --limit N       so many messages of an address, the newest (50)\n"
            "  --json          for programs\n");
    return to == stdout ? CTL_OK : CTL_USAGE;
}

int
trace_command(int argc, char **argv)
{
    struct trace_view v = {.c = {.noun = "trace", .arena = arena_new(LIFE_BYTES)},
                           .since = BUF(64),
                           .limit = LIST_USUAL};
    int status = CTL_FAILED;

    if (argc == 2 && (str_eq(str_of(argv[1]), STR("--help")) || str_eq(str_of(argv[1]), STR("-h"))))
        status = usage(stdout);
    else if (!read_options(&v, argc, argv))
        status = usage(stderr);
    else if (open_trace(&v))
        status = show(&v);
    trace_reader_free(&v.r);
    buf_release(&v.since);
    arena_free(&v.c.arena);
    return status;
}

/* ---- options ---- */

static bool
read_limit(const char *text, size_t *out)
{
    struct scan s = scan_of(str_of(text));
    uint32_t n;

    if (!scan_u32(&s, LIST_MAX, &n) || !scan_at_end(&s) || n == 0) {
        fprintf(stderr, "godwit trace: read --limit \"%s\", expected a number from 1 to %d\n", text,
                LIST_MAX);
        return false;
    }
    *out = n;
    return true;
}

static bool
read_option(struct trace_view *v, const char *name, const char *value)
{
    struct str n = str_of(name);

    if (str_eq(n, STR("-c"))) {
        v->c.config_path = value;
        return true;
    }
    if (str_eq(n, STR("--limit")))
        return read_limit(value, &v->limit);
    if (!str_eq(n, STR("--since")))
        return false;
    if (logview_since(str_of(value), clock_now(), &v->since))
        return true;
    fprintf(stderr, "godwit trace: read --since \"%s\", expected 10m, 2h, today or 2026-11-23\n",
            value);
    return false;
}

static bool
read_options(struct trace_view *v, int argc, char **argv)
{
    v->c.config_path = command_config();
    for (int i = 1; i < argc; i++) {
        if (str_eq(str_of(argv[i]), STR("--json")))
            v->c.json = true;
        else if (argv[i][0] != '-' && v->what == NULL)
            v->what = argv[i];
        else if (argv[i][0] != '-' || i + 1 == argc || !read_option(v, argv[i], argv[i + 1]))
            return false;
        else
            i++; /* its value */
    }
    return v->what != NULL && v->what[0] != '\0';
}

static bool
open_trace(struct trace_view *v)
{
    AUTO_BUF text = BUF(CONFIG_BYTES_MAX);
    AUTO_BUF dir = BUF(TRACE_PATH_MAX);
    AUTO(config_free) struct config *config = NULL;
    struct problem why = {0};

    if (machine_read_file(str_of(v->c.config_path), &text) != OK) {
        fprintf(stderr, "godwit trace: %s cannot be read; -c FILE names another\n",
                v->c.config_path);
        return false;
    }
    if (config_read(buf_str(&text), v->c.config_path, &config, &why) != OK) {
        fprintf(stderr, "godwit trace: %s\n", why.text);
        return false;
    }
    buf_add(&dir, config->data_dir);
    buf_add_z(&dir, "/" TRACE_FOLDER);
    buf_add_char(&dir, '\0');
    enum status e = trace_reader_open(dir.ptr, &v->r);
    if (e == OK)
        return true;
    fprintf(stderr, "godwit trace: %s %s\n", dir.ptr,
            e == ERR_NOT_FOUND
                ? (config->trace_days == 0 ? "is not there: trace-days is 0"
                                           : "is not there yet: has the server been started?")
                : "cannot be read: are you root, or the user of the server?");
    return false;
}

/* ---- one message ---- */

/* 2026-11-23T22:31:12.123456Z as the clock on the wall says it. */
static void
local_time(struct str iso, char *text, size_t size)
{
    struct scan s = scan_of(iso);
    uint32_t at[6] = {0};
    struct tm here = {0};

    for (size_t i = 0; i < COUNT_OF(at); i++) {
        if (!scan_u32(&s, 9999, &at[i]) || scan_at_end(&s))
            break;
        s.pos++;
    }
    const struct civil c = {.year = (int)at[0],
                            .month = (int)at[1],
                            .day = (int)at[2],
                            .hour = (int)at[3],
                            .minute = (int)at[4],
                            .second = (int)at[5]};
    time_t seconds =
        at[1] >= 1 && at[1] <= 12 && at[2] >= 1 && at[2] <= 31 ? (time_t)unix_from_civil(&c) : 0;
    if (localtime_r(&seconds, &here) == NULL ||
        strftime(text, size, "%Y-%m-%d %H:%M:%S", &here) == 0)
        text[0] = '\0';
}

static void
print_step(struct trace_view *v, struct str line)
{
    AUTO_BUF words = BUF(WORDS_MAX);
    char when[40];

    trace_words(line, &words);
    local_time(str_sub(line, 2, TIME_BYTES), when, sizeof(when)); /* behind "t=" */
    printf("%s  %s\n", when, ctl_text(&v->c, buf_str(&words)));
}

static void
tell_life(struct trace_view *v, struct str id, json_t *all)
{
    AUTO_ARENA *a = arena_new(LIFE_BYTES);
    struct trace_life life;

    trace_life(v->r, id, a, &life);
    struct trace_summary s = trace_summary(&life, a);
    if (v->c.json) {
        json_t *j = view_trace_summary(id, &s), *steps = json_array();
        for (size_t i = 0; i < life.count; i++)
            json_array_append_new(steps, view_trace_step(life.steps[i].line));
        json_object_set_new(j, "steps", steps);
        json_object_set_new(j, "cut", json_boolean(life.cut));
        json_array_append_new(all, j);
        return;
    }
    printf("%s  %s%s%s%s  %s%s%s\n", ctl_text(&v->c, id), s.message_id.len > 0 ? "<" : "",
           ctl_text(&v->c, s.message_id), s.message_id.len > 0 ? ">" : "no message id known",
           s.result[0] != '\0' ? ":" : "", s.result, s.code.len > 0 ? ", " : "",
           ctl_text(&v->c, s.code));
    for (size_t i = 0; i < life.count; i++)
        print_step(v, life.steps[i].line);
    if (life.cut)
        printf("... and more\n");
}

/* ---- the messages of an address ---- */

static void
tell_row(struct trace_view *v, struct str id, json_t *all)
{
    AUTO_ARENA *a = arena_new(LIFE_BYTES);
    struct trace_life life;
    char when[40];

    trace_life(v->r, id, a, &life);
    struct trace_summary s = trace_summary(&life, a);
    if (v->c.json) {
        json_array_append_new(all, view_trace_summary(id, &s));
        return;
    }
    local_time(s.time, when, sizeof(when));
    printf("%s  %s  %s%s%s  %s%s  %s\n", when, ctl_text(&v->c, id), s.result,
           s.code.len > 0 ? " " : "", ctl_text(&v->c, s.code),
           s.size.len > 0 ? ctl_text(&v->c, s.size) : "-", s.size.len > 0 ? " bytes" : "",
           s.message_id.len > 0 ? ctl_text(&v->c, s.message_id) : "(no message id known)");
}

/* Of invitations to the account, which are no messages. */
static void
tell_invitations(struct trace_view *v, const struct trace_life *acts, json_t *all)
{
    for (size_t i = 0; i < acts->count; i++) {
        if (v->c.json)
            json_array_append_new(all, view_trace_step(acts->steps[i].line));
        else
            print_step(v, acts->steps[i].line);
    }
}

/* acts: of an address, whose messages are a row each; NULL: of messages, whose lives are told. */
static int
tell(struct trace_view *v, const struct trace_ids *ids, const struct trace_life *acts)
{
    json_t *all = json_array();

    if (acts != NULL)
        tell_invitations(v, acts, all);
    for (size_t i = ids->count; i-- > 0;) {
        if (acts == NULL)
            tell_life(v, ids->list[i], all);
        else
            tell_row(v, ids->list[i], all);
        if (acts == NULL && i > 0 && !v->c.json)
            printf("\n");
    }
    if (ids->more && !v->c.json)
        fprintf(stderr, "godwit trace: older ones are left out; --limit %zu shows more\n",
                MIN(2 * v->limit, (size_t)LIST_MAX));
    if (v->c.json)
        return ctl_print_json(all);
    json_decref(all);
    return CTL_OK;
}

static int
show(struct trace_view *v)
{
    const struct trace_query q = {
        .value = str_of(v->what), .since = buf_str(&v->since), .max = v->limit};
    struct trace_answer answer;

    trace_look(v->r, &q, v->c.arena, &answer);
    if (answer.found != TRACE_FOUND_NOTHING)
        return tell(v, &answer.ids,
                    answer.found == TRACE_FOUND_MESSAGES ? NULL : &answer.invitations);
    if (v->c.json)
        (void)ctl_print_json(json_array());
    else
        fprintf(
            stderr,
            "godwit trace: nothing is known of %s%s; it is kept for some days, and asked for by "
            "a whole address, message id or queue id\n",
            ctl_text(&v->c, q.value), v->since.len > 0 ? " since then" : "");
    return CTL_FAILED;
}
