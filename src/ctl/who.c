/* who.c - godwit who and godwit kick.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/scan.h"
#include "base/size.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "rt/clock.h"

enum { WORDS_MAX = 8 };

static void
print_session(struct ctl *c, const struct admin_session *s, json_t *all)
{
    int64_t idle_s = (clock_now().us - s->asked) / 1000000;
    char since[40], name[48];

    snprintf(name, sizeof(name), "%u.%llu", s->worker, (unsigned long long)s->number);
    if (c->json) {
        json_array_append_new(all, view_session(s));
        return;
    }
    printf("%-10s %-32s %-10s %-20s since %s  %s  idle %llds%s%s\n", name, ctl_text(c, s->address),
           view_protocols[s->protocol & 3], ctl_text(c, s->peer),
           ctl_time_text(s->since, since, sizeof(since)),
           s->tls_version.len > 0 ? ctl_text(c, s->tls_version) : "no TLS",
           (long long)(idle_s > 0 ? idle_s : 0), s->app.len > 0 ? "  app password " : "",
           ctl_text(c, s->app));
}

/* Thousands of them: a page is forgotten before the next one comes. */
static SUSPENDS int
who(struct ctl *c)
{
    struct admin_sessions req = {.only = ctl_address(c, 0)};
    json_t *all = json_array();
    size_t count = 0;
    bool more = true;

    while (more) {
        AUTO_ARENA *page = arena_new(8 << 20);
        struct admin_sessions_reply rep;
        enum status e = admin_sessions_call(c->store, &req, page, &rep);
        if (e != OK)
            return ctl_fail(c, e);
        for (size_t i = 0; i < rep.sessions_count; i++)
            print_session(c, &rep.sessions[i], all);
        count += rep.sessions_count;
        more = rep.more && rep.sessions_count > 0;
        if (more) {
            req.after_incarnation = rep.sessions[rep.sessions_count - 1].incarnation;
            req.after_number = rep.sessions[rep.sessions_count - 1].number;
        }
    }
    if (c->json)
        return ctl_print_json(all);
    json_decref(all);
    if (count == 0)
        printf("nobody is logged in\n");
    return CTL_OK;
}

/* A session as who prints it: worker "." number. */
static bool
read_session(struct str word, struct admin_kick *out)
{
    struct scan s = scan_of(word);
    uint64_t worker;

    if (!scan_u64(&s, UINT32_MAX, &worker) || !scan_char(&s, '.') ||
        !scan_u64(&s, UINT64_MAX, &out->number) || !scan_at_end(&s) || out->number == 0)
        return false;
    out->worker = (uint32_t)worker; /* bounded above */
    return true;
}

static SUSPENDS int
kick(struct ctl *c)
{
    struct admin_kick req = {0};
    struct admin_kick_reply rep;

    if (!read_session(ctl_arg(c, 0), &req))
        req.address = ctl_address(c, 0);
    enum status e = admin_kick_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:i}", "sessions", (int)rep.count));
    printf("%u %s ended\n", rep.count, rep.count == 1 ? "session" : "sessions");
    return CTL_OK;
}

/* The one verb of these nouns need not be said. */
static int
run(int argc, char **argv, const struct ctl_verb *verbs)
{
    char show[] = "show";
    char *words[WORDS_MAX] = {argv[0], show};
    int n = 2;

    for (int i = 1; i < argc && n < WORDS_MAX; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            printf("usage: godwit %s [-c FILE] [--json] %s\n", argv[0], verbs->usage);
            return CTL_OK;
        }
        words[n++] = argv[i];
    }
    return ctl_main(n, words, verbs, NULL);
}

static const struct ctl_verb who_verbs[] = {
    {"show", 0, 1, "[ADDRESS]", who, "who is logged in"},
    {0},
};

int
who_command(int argc, char **argv)
{
    return run(argc, argv, who_verbs);
}

static const struct ctl_verb kick_verbs[] = {
    {"show", 1, 1, "ADDRESS|SESSION", kick, "end sessions"},
    {0},
};

int
kick_command(int argc, char **argv)
{
    return run(argc, argv, kick_verbs);
}
