/* queue.c - godwit queue and godwit status.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ctl/queue.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/size.h"
#include "ctl/command.h"

enum {
    VERB_RETRY,
    VERB_HOLD,
    VERB_RELEASE,
    VERB_DROP,
    VERB_ROUTE
}; /* enum<4> queue_verb of admin.ipc */
static const char *const acted[] = {"to be tried now", "on hold", "released", "dropped",
                                    "to be tried now by that route"};

/* One listing, page by page. */
static SUSPENDS enum status
list_once(struct ctl *c, uint64_t only, json_t *all, size_t *count)
{
    struct admin_queue req = {.only = only, .select = ctl_queue_selection(c)};
    struct admin_queue_reply rep;

    *count = 0;
    do {
        if (c->store == NULL)
            return ERR_CLOSED;
        TRY(admin_queue_call(c->store, &req, c->arena, &rep));
        if (req.after == 0 && !c->json && only == 0)
            ctl_queue_paused(c, rep.paused, rep.paused_count);
        *count += rep.messages_count;
        for (size_t i = 0; i < rep.messages_count; i++) {
            if (c->json)
                json_array_append_new(all, view_queued(&rep.messages[i]));
            else if (only != 0)
                ctl_queued_whole(c, &rep.messages[i]);
            else
                ctl_queued_line(c, &rep.messages[i]);
        }
        req.after = rep.after;
        arena_reset(c->arena); /* the selection is in it */
        req.select = ctl_queue_selection(c);
    } while (rep.more);
    return OK;
}

static SUSPENDS int
list_queue(struct ctl *c)
{
    uint64_t only = 0;
    int exit = CTL_OK;
    size_t count;

    if (c->argc == 1 && (!ctl_read_qid(c->argv[0], &only) || only == 0))
        return ctl_fail(c, ERR_SYNTAX);
    do {
        json_t *all = json_array();
        ctl_queue_draw(c);
        enum status e = list_once(c, only, all, &count);
        if (e != OK)
            exit = ctl_fail(c, e);
        else if (c->json)
            exit = ctl_print_json(json_incref(all));
        else if (count == 0)
            printf("%s\n",
                   ctl_queue_selects() ? "no such message is in the queue" : "the queue is empty");
        if (e == OK)
            exit = CTL_OK;
        json_decref(all);
    } while (ctl_queue_again(c));
    return exit;
}

/* Exactly one of: a queue id, a selection, all. */
static bool
read_which(const struct ctl *c, uint64_t *qid)
{
    bool word = c->argc == 1, selects = ctl_queue_selects();

    *qid = 0;
    if ((word ? 1 : 0) + (selects ? 1 : 0) + (ctl_queue_all() ? 1 : 0) == 1) {
        if (!word || ctl_read_qid(c->argv[0], qid))
            return true;
        fprintf(stderr, "godwit queue %s: \"%s\" is no queue id; godwit queue list prints them\n",
                c->verb->name, c->argv[0]);
        return false;
    }
    fprintf(stderr,
            "godwit queue %s: which messages? Give one of: a queue id; --domain, --sender, "
            "--recipient, --older; --all\n",
            c->verb->name);
    return false;
}

/* route: of VERB_ROUTE; empty = as the configuration says. */
static SUSPENDS int
act(struct ctl *c, uint8_t verb, struct str route)
{
    struct admin_queue_act req = {.verb = verb, .route = route};
    struct admin_queue_act_reply rep;
    uint64_t count = 0;

    if (!read_which(c, &req.qid))
        return CTL_USAGE;
    do {
        req.select = ctl_queue_selection(c);
        enum status e =
            c->store == NULL ? ERR_CLOSED : admin_queue_act_call(c->store, &req, c->arena, &rep);
        if (e != OK) {
            if (count > 0)
                fprintf(stderr, "godwit queue %s: %llu messages are %s, then:\n", c->verb->name,
                        (unsigned long long)count, acted[verb]);
            return ctl_fail(c, e);
        }
        count += rep.count;
        req.after = rep.after;
        arena_reset(c->arena);
    } while (rep.more);
    json_t *j = json_pack("{s:I}", "messages", (json_int_t)count);
    if (verb == VERB_ROUTE)
        json_object_set_new(j, "route", route.len > 0 ? view_str(route) : json_null());
    if (c->json)
        return ctl_print_json(j);
    json_decref(j);
    printf("%llu %s %s\n", (unsigned long long)count, count == 1 ? "message" : "messages",
           acted[verb]);
    return CTL_OK;
}

static SUSPENDS int
retry(struct ctl *c)
{
    return act(c, VERB_RETRY, STR(""));
}

static SUSPENDS int
hold(struct ctl *c)
{
    return act(c, VERB_HOLD, STR(""));
}

static SUSPENDS int
release(struct ctl *c)
{
    return act(c, VERB_RELEASE, STR(""));
}

static SUSPENDS int
drop(struct ctl *c)
{
    return act(c, VERB_DROP, STR(""));
}

/* [QID] "via" ROUTE */
static SUSPENDS int
route(struct ctl *c)
{
    struct str name = ctl_arg(c, c->argc - 1);

    if (!str_eq(ctl_arg(c, c->argc - 2), STR("via")) || name.len == 0 ||
        name.len > LIMIT_ROUTE_NAME_BYTES) {
        fprintf(stderr, "godwit queue route: which way? The words at the end are: via ROUTE, the "
                        "name of a route of godwit.conf, or: via default\n");
        return CTL_USAGE;
    }
    c->argc -= 2;
    return act(c, VERB_ROUTE, str_eq(name, STR("default")) ? STR("") : name);
}

static SUSPENDS int
pause_or_resume(struct ctl *c, bool paused)
{
    struct admin_queue_pause req = {.domain = c->argc == 1 ? ctl_domain(c, 0) : STR(""),
                                    .paused = paused};
    struct admin_queue_pause_reply rep;
    const char *what = c->argc == 1 ? ctl_text(c, req.domain) : "all other servers";
    enum status e = admin_queue_pause_call(c->store, &req, c->arena, &rep);

    if (e == ERR_EXISTS || e == ERR_NOT_FOUND) {
        fprintf(stderr, "godwit queue %s: mail to %s is %s\n", c->verb->name, what,
                paused ? "paused already" : "not paused");
        return CTL_FAILED;
    }
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:o, s:b}", "domain",
                                        c->argc == 1 ? view_str(req.domain) : json_null(), "paused",
                                        (int)paused));
    printf("mail to %s %s\n", what, paused ? "is taken and kept, but not sent" : "is sent again");
    return CTL_OK;
}

static SUSPENDS int
pause_queue(struct ctl *c)
{
    return pause_or_resume(c, true);
}

static SUSPENDS int
resume(struct ctl *c)
{
    return pause_or_resume(c, false);
}

static const struct ctl_verb queue_verbs[] = {
    {"list", 0, 0, "[WHICH] [--watch]", list_queue,
     "messages, and the last answer for each recipient"},
    {"summary", 0, 0, "[--watch]", ctl_queue_summary,
     "how many for which destination, and how old"},
    {"show", 1, 1, "QID", list_queue, "all that is known of one"},
    {"retry", 0, 1, "QID|WHICH|--all", retry, "try now"},
    {"hold", 0, 1, "QID|WHICH|--all", hold, "do not try until it is released"},
    {"release", 0, 1, "QID|WHICH|--all", release, "try again as usual"},
    {"drop", 0, 1, "QID|WHICH|--all", drop, "throw it away, and tell nobody"},
    {"route", 2, 3, "QID|WHICH|--all via ROUTE|default", route, "send it another way, and try now"},
    {"pause", 0, 1, "[DOMAIN]", pause_queue, "take and keep mail to others, send none"},
    {"resume", 0, 1, "[DOMAIN]", resume, "send it again"},
    {0},
};

int
queue_command(int argc, char **argv)
{
    int exit = ctl_main(argc, argv, queue_verbs, ctl_queue_options);
    bool help = argc == 1 || (argc == 2 && strcmp(argv[1], "help") == 0);

    for (int i = 1; i < argc; i++)
        help = help || strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
    if (help)
        fprintf(argc == 1 ? stderr : stdout,
                "WHICH: --domain DOMAIN, --sender ADDRESS (\"<>\": none), --recipient ADDRESS, "
                "--older 30s|10m|2h|5d; all that is given must fit\n");
    return exit;
}

/* ---- status ---- */

static SUSPENDS int
show_status(struct ctl *c)
{
    struct admin_status req = {0};
    struct admin_status_reply rep;
    enum status e = admin_status_call(c->store, &req, c->arena, &rep);

    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(view_status(&rep));
    printf("godwit %s\n%llu messages in the queue\n%llu commits in %llu syncs\n",
           ctl_text(c, rep.version), (unsigned long long)rep.queue_length,
           (unsigned long long)rep.commits, (unsigned long long)rep.syncs);
    for (size_t i = 0; i < rep.roles_count; i++)
        printf("role %-8s %s\n", ctl_text(c, rep.roles[i].name),
               rep.roles[i].connected ? "up" : "DOWN");
    return CTL_OK;
}

static const struct ctl_verb status_verbs[] = {
    {"show", 0, 0, "", show_status, "what runs, and what waits"},
    {0},
};

int
status_command(int argc, char **argv)
{
    return ctl_one_verb(argc, argv, status_verbs, NULL, "[--json]");
}
