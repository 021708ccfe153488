/* ctl_queue.c - godwit queue and godwit status.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "role/command.h"
#include "role/ctl.h"

enum { VERB_RETRY, VERB_HOLD, VERB_RELEASE, VERB_DROP }; /* enum<3> queue_verb of admin.ipc */
static const char *const acted[] = {"to be tried now", "on hold", "released", "dropped"};
static const char *const states[] = {"waiting", "delivered", "failed", "under way"};

/* qid = "all" / 1*16HEXDIG, as `queue list` prints it; 0 is no queue id and means all. */
static bool
read_qid(const char *text, uint64_t *out)
{
    struct str s = str_of(text);
    uint64_t qid = 0;

    if (!str_eq(s, STR("all"))) {
        if (s.len == 0 || s.len > 16)
            return false;
        for (size_t i = 0; i < s.len; i++) {
            ssize_t digit = str_find(STR("0123456789abcdef"), ascii_lower(s.ptr[i]));
            if (digit < 0)
                return false;
            qid = qid << 4 | (uint64_t)digit;
        }
        if (qid == 0)
            return false;
    }
    *out = qid;
    return true;
}

static json_t *
message_json(const struct admin_queued *m)
{
    json_t *rcpts = json_array();
    char qid[20];

    for (size_t i = 0; i < m->rcpts_count; i++)
        json_array_append_new(
            rcpts,
            json_pack("{s:o, s:s, s:i, s:i, s:o}", "address", ctl_json_str(m->rcpts[i].address),
                      "state", states[m->rcpts[i].state & 3], "tries", (int)m->rcpts[i].tries,
                      "code", (int)m->rcpts[i].code, "text", ctl_json_str(m->rcpts[i].text)));
    snprintf(qid, sizeof(qid), "%llx", (unsigned long long)m->qid);
    return json_pack("{s:s, s:o, s:I, s:I, s:I, s:b, s:o}", "qid", qid, "sender",
                     ctl_json_str(m->sender), "size", (json_int_t)m->size, "arrived_us",
                     (json_int_t)m->arrived, "next_us", (json_int_t)m->next, "held", (int)m->held,
                     "recipients", rcpts);
}

static void
print_message(struct ctl *c, const struct admin_queued *m)
{
    char size[32], arrived[40], next[40];

    printf("%llx  %s  %s  from <%s>  %s%s\n", (unsigned long long)m->qid,
           ctl_time_text(m->arrived, arrived, sizeof(arrived)),
           ctl_size_text(m->size, size, sizeof(size)), ctl_text(c, m->sender),
           m->held ? "held" : "next ", m->held ? "" : ctl_time_text(m->next, next, sizeof(next)));
    for (size_t i = 0; i < m->rcpts_count; i++) {
        const struct admin_queued_rcpt *r = &m->rcpts[i];
        printf("    %-10s <%s>  %u %s", states[r->state & 3], ctl_text(c, r->address), r->tries,
               r->tries == 1 ? "try" : "tries");
        if (r->code != 0)
            printf("  %u", r->code);
        if (r->text.len > 0)
            printf("  %s", ctl_text(c, r->text));
        printf("\n");
    }
}

static SUSPENDS int
list_queue(struct ctl *c)
{
    struct admin_queue req = {0};
    struct admin_queue_reply rep;
    json_t *all = json_array();
    size_t count = 0;

    if (c->argc == 1 && !read_qid(c->argv[0], &req.only))
        return ctl_fail(c, ERR_SYNTAX);
    do {
        enum status e = admin_queue_call(c->store, &req, c->arena, &rep);
        if (e != OK)
            return ctl_fail(c, e);
        count += rep.messages_count;
        for (size_t i = 0; i < rep.messages_count; i++) {
            if (c->json)
                json_array_append_new(all, message_json(&rep.messages[i]));
            else
                print_message(c, &rep.messages[i]);
        }
        if (rep.messages_count > 0)
            req.after = rep.messages[rep.messages_count - 1].qid;
    } while (rep.more && rep.messages_count > 0);
    if (c->json)
        return ctl_print_json(all);
    json_decref(all);
    if (count == 0)
        printf("the queue is empty\n");
    return CTL_OK;
}

static SUSPENDS int
act(struct ctl *c, uint8_t verb)
{
    struct admin_queue_act req = {.verb = verb};
    struct admin_queue_act_reply rep;

    if (!read_qid(c->argv[0], &req.qid))
        return ctl_fail(c, ERR_SYNTAX);
    enum status e = admin_queue_act_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:i}", "messages", (int)rep.count));
    printf("%u %s %s\n", rep.count, rep.count == 1 ? "message" : "messages", acted[verb]);
    return CTL_OK;
}

static SUSPENDS int
retry(struct ctl *c)
{
    return act(c, VERB_RETRY);
}

static SUSPENDS int
hold(struct ctl *c)
{
    return act(c, VERB_HOLD);
}

static SUSPENDS int
release(struct ctl *c)
{
    return act(c, VERB_RELEASE);
}

static SUSPENDS int
drop(struct ctl *c)
{
    return act(c, VERB_DROP);
}

static const struct ctl_verb queue_verbs[] = {
    {"list", 0, 0, "", list_queue, "every message, and the last answer for each recipient"},
    {"show", 1, 1, "QID", list_queue, "one of them"},
    {"retry", 1, 1, "QID|all", retry, "try now"},
    {"hold", 1, 1, "QID|all", hold, "do not try until it is released"},
    {"release", 1, 1, "QID|all", release, "try again as usual"},
    {"drop", 1, 1, "QID|all", drop, "throw it away, and tell nobody"},
    {0},
};

int
queue_command(int argc, char **argv)
{
    return ctl_main(argc, argv, queue_verbs);
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
    if (c->json) {
        json_t *roles = json_object();
        for (size_t i = 0; i < rep.roles_count; i++) {
            char name[40];
            snprintf(name, sizeof(name), "%.*s", STR_FMT(rep.roles[i].name));
            json_object_set_new(roles, name, json_boolean(rep.roles[i].connected));
        }
        json_t *j = json_pack("{s:o, s:I, s:I, s:I, s:o}", "version", ctl_json_str(rep.version),
                              "commits", (json_int_t)rep.commits, "syncs", (json_int_t)rep.syncs,
                              "queue", (json_int_t)rep.queue_length, "roles", roles);
        return ctl_print_json(j);
    }
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
    return ctl_one_verb(argc, argv, status_verbs, "[--json]");
}
