/* queue.c - mail on its way to other servers.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "api/api_internal.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/names.h"
#include "rt/clock.h"

enum { PAGE_BYTES = 5 << 20, SUMMARY_USUAL = 1000 };
enum {
    VERB_RETRY,
    VERB_HOLD,
    VERB_RELEASE,
    VERB_DROP,
    VERB_ROUTE
}; /* enum<4> queue_verb of admin.ipc */

/* 1*16HEXDIG, as it is listed. */
static bool
read_qid(struct str word, uint64_t *out)
{
    uint64_t id = 0;

    if (word.len == 0 || word.len > 16)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        ssize_t digit = str_find(STR("0123456789abcdef"), ascii_lower(word.ptr[i]));
        if (digit < 0)
            return false;
        id = id << 4 | (uint64_t)digit; /* not negative */
    }
    *out = id;
    return id != 0;
}

/* Strings that no selection has stay empty. */
static void
complete(struct admin_selection *s, uint64_t older_s, struct arena *a)
{
    s->domain = s->domain.len > 0 ? name_domain(s->domain, a) : STR("");
    s->sender = s->sender.len > 0 ? name_address(s->sender, a) : STR("");
    s->recipient = s->recipient.len > 0 ? name_address(s->recipient, a) : STR("");
    if (older_s > 0)
        s->before = clock_now().us - (int64_t)older_s * 1000000; /* bounded where it is read */
}

#define OLDER_MAX_S (100ull * 366 * 86400)

/* False: it was answered. */
static SUSPENDS bool
read_wish(struct api_call *c, struct admin_queue *req, uint64_t *limit)
{
    uint64_t older_s = 0;
    struct str after;

    if (!api_limit(c, limit) || !api_query(c, "after", &after) ||
        !api_query(c, "domain", &req->select.domain) ||
        !api_query(c, "sender", &req->select.sender) ||
        !api_query(c, "recipient", &req->select.recipient) ||
        !api_query_u64(c, "older_s", OLDER_MAX_S, &older_s))
        return false;
    if (after.len > 0 && !read_qid(after, &req->after)) {
        api_problem(c->x, 422, "syntax", STR("\"after\" is the \"next\" of a page before"));
        return false;
    }
    complete(&req->select, older_s, c->a);
    return true;
}

SUSPENDS void
api_queue(struct api_call *c)
{
    struct admin_queue req = {0};
    uint64_t limit;
    bool more = true, all_paused = false;

    if (!read_wish(c, &req, &limit))
        return;
    json_t *all = json_array(), *paused = json_array();
    json_t *j = json_pack("{s:o, s:o}", "messages", all, "paused", paused);
    while (more && json_array_size(all) < limit) {
        AUTO_ARENA *page = arena_new(PAGE_BYTES);
        struct admin_queue_reply rep;
        enum status e = admin_queue_call(api_world->store, &req, page, &rep);
        if (e != OK) {
            json_decref(j);
            api_fail(c, e);
            return;
        }
        for (size_t i = 0; req.after == 0 && i < rep.paused_count; i++) {
            all_paused = all_paused || rep.paused[i].len == 0;
            if (rep.paused[i].len > 0)
                json_array_append_new(paused, view_str(rep.paused[i]));
        }
        size_t i = 0;
        for (; i < rep.messages_count && json_array_size(all) < limit; i++)
            json_array_append_new(all, view_queued(&rep.messages[i]));
        more = rep.more || i < rep.messages_count;
        req.after = i < rep.messages_count ? rep.messages[i - 1].qid : rep.after;
    }
    json_object_set_new(j, "paused_all", json_boolean(all_paused));
    if (more)
        json_object_set_new(j, "next",
                            view_str(arena_printf(c->a, "%llx", (unsigned long long)req.after)));
    api_json(c, 200, j);
}

SUSPENDS void
api_queue_summary(struct api_call *c)
{
    AUTO_ARENA *a = arena_new(PAGE_BYTES);
    uint64_t limit = SUMMARY_USUAL;
    struct admin_queue_summary_reply rep;

    if (!api_query_u64(c, "limit", SUMMARY_USUAL, &limit))
        return;
    struct admin_queue_summary req = {.max = (uint32_t)limit}; /* bounded above */
    enum status e = admin_queue_summary_call(api_world->store, &req, a, &rep);
    if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 200, view_queue_summary(&rep));
}

SUSPENDS void
api_queue_show(struct api_call *c)
{
    AUTO_ARENA *a = arena_new(PAGE_BYTES);
    struct admin_queue req = {.only = 0};
    struct admin_queue_reply rep = {0};
    enum status e = ERR_NOT_FOUND;

    if (read_qid(c->at[1], &req.only))
        e = admin_queue_call(api_world->store, &req, a, &rep);
    if (e == OK && rep.messages_count == 0)
        e = ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        api_problem(c->x, 404, "not-found", STR("No such message is in the queue"));
    else if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 200, view_queued(&rep.messages[0]));
}

static SUSPENDS void
act(struct api_call *c, struct admin_queue_act *req)
{
    uint64_t count = 0;
    bool more = true;

    while (more) {
        AUTO_ARENA *a = arena_new(PAGE_BYTES);
        struct admin_queue_act_reply rep;
        enum status e = admin_queue_act_call(api_world->store, req, a, &rep);
        if (e != OK) {
            api_fail(c, e);
            return;
        }
        count += rep.count;
        req->after = rep.after;
        more = rep.more;
    }
    api_json(c, 200, json_pack("{s:I}", "messages", (json_int_t)count));
}

static uint8_t
verb_of(struct str word)
{
    return str_eq(word, STR("retry"))     ? VERB_RETRY
           : str_eq(word, STR("hold"))    ? VERB_HOLD
           : str_eq(word, STR("release")) ? VERB_RELEASE
           : str_eq(word, STR("route"))   ? VERB_ROUTE
                                          : VERB_DROP;
}

static SUSPENDS void
act_on_one(struct api_call *c, uint8_t verb, struct str route)
{
    struct admin_queue_act req = {.verb = verb, .route = route};

    if (!read_qid(c->at[1], &req.qid))
        api_problem(c->x, 404, "not-found", STR("No such message is in the queue"));
    else
        act(c, &req);
}

SUSPENDS void
api_queue_act_one(struct api_call *c)
{
    act_on_one(c, verb_of(c->at[2]), STR(""));
}

/* The name of a route; without one, as the configuration says. */
SUSPENDS void
api_queue_route_one(struct api_call *c)
{
    struct str route = STR("");
    const struct api_member members[] = {{"route", API_STR, &route, false}};

    if (api_take(c, members, COUNT_OF(members)))
        act_on_one(c, VERB_ROUTE, route);
}

SUSPENDS void
api_queue_drop(struct api_call *c)
{
    act_on_one(c, VERB_DROP, STR(""));
}

/* Those of a selection, or all: which is said, so that an empty body does nothing. */
SUSPENDS void
api_queue_act(struct api_call *c)
{
    struct admin_queue_act req = {.verb = verb_of(c->at[1]), .route = STR("")};
    uint64_t older_s = 0;
    bool all = false;
    const struct api_member members[] = {{"domain", API_STR, &req.select.domain, false},
                                         {"sender", API_STR, &req.select.sender, false},
                                         {"recipient", API_STR, &req.select.recipient, false},
                                         {"older_s", API_U64, &older_s, false},
                                         {"all", API_BOOL, &all, false},
                                         {"route", API_STR, &req.route, false}};

    /* the last one is of that verb alone */
    if (!api_take(c, members, COUNT_OF(members) - (req.verb == VERB_ROUTE ? 0 : 1)))
        return;
    bool some = req.select.domain.len > 0 || req.select.sender.len > 0 ||
                req.select.recipient.len > 0 || older_s > 0;
    if (some == all || older_s > OLDER_MAX_S) {
        api_problem(c->x, 422, "syntax",
                    STR("Which messages? \"domain\", \"sender\", \"recipient\", \"older_s\"; or "
                        "\"all\": true"));
        return;
    }
    complete(&req.select, older_s, c->a);
    act(c, &req);
}

SUSPENDS void
api_queue_pause(struct api_call *c)
{
    struct admin_queue_pause req = {.domain = STR(""), .paused = str_eq(c->at[1], STR("pause"))};
    struct admin_queue_pause_reply rep;
    const struct api_member members[] = {{"domain", API_STR, &req.domain, false}};

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    bool one = req.domain.len > 0;
    if (one)
        req.domain = name_domain(req.domain, c->a);
    enum status e = admin_queue_pause_call(api_world->store, &req, c->a, &rep);
    if (e == ERR_EXISTS || e == ERR_NOT_FOUND)
        api_problem(c->x, 409, status_name(e),
                    req.paused ? STR("That is paused already") : STR("That is not paused"));
    else if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 200,
                 json_pack("{s:o, s:b}", "domain", one ? view_str(req.domain) : json_null(),
                           "paused", (int)req.paused));
}
