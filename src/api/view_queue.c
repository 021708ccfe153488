/* view_queue.c - the queue as JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "api/view.h"

const char *const view_rcpt_states[4] = {"waiting", "delivered", "failed", "under way"};
const char *const view_age_names[VIEW_AGES] = {"5",   "10",  "20",  "40",   "80",
                                               "160", "320", "640", "1280", "1280+"};

static const char *const by_modes[] = {
    [VIEW_BY_NONE] = "", [VIEW_BY_NOTIFY] = "notify", [VIEW_BY_RETURN] = "return"};

static json_t *
rcpt_json(const struct admin_queued_rcpt *r)
{
    json_t *told = json_array();

    if ((r->told & VIEW_TOLD_DELAY) != 0)
        json_array_append_new(told, json_string("delay"));
    if ((r->told & VIEW_TOLD_FAILURE) != 0)
        json_array_append_new(told, json_string("failure"));
    if ((r->told & VIEW_TOLD_SUCCESS) != 0)
        json_array_append_new(told, json_string("success"));
    return json_pack("{s:o, s:o, s:s, s:b, s:b, s:i, s:I, s:i, s:o, s:o, s:o, s:o}", "address",
                     view_str(r->address), "original", view_str(r->original), "state",
                     view_rcpt_states[r->state & 3], "paused", (int)r->paused, "local",
                     (int)r->local, "tries", (int)r->tries, "next_us", (json_int_t)r->next, "code",
                     (int)r->code, "enhanced", view_str(r->enhanced), "text", view_str(r->text),
                     "remote", view_str(r->remote), "reported", told);
}

json_t *
view_queued(const struct admin_queued *m)
{
    json_t *rcpts = json_array();
    char qid[20];

    for (size_t i = 0; i < m->rcpts_count; i++)
        json_array_append_new(rcpts, rcpt_json(&m->rcpts[i]));
    snprintf(qid, sizeof(qid), "%llx", (unsigned long long)m->qid);
    return json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:I, s:s, s:b, s:b, s:b, s:o, s:o, s:o}",
                     "qid", qid, "sender", view_str(m->sender), "size", (json_int_t)m->size,
                     "arrived_us", (json_int_t)m->arrived, "next_us", (json_int_t)m->next,
                     "not_before_us", (json_int_t)m->not_before, "deliver_by_us", (json_int_t)m->by,
                     "deliver_by_mode", m->by_mode <= VIEW_BY_RETURN ? by_modes[m->by_mode] : "",
                     "held", (int)m->held, "over_limit", (int)m->over, "paused", (int)m->paused,
                     "envelope_id", view_str(m->envid), "route",
                     m->route.len > 0 ? view_str(m->route) : json_null(), "recipients", rcpts);
}

static json_t *
destination_json(const struct admin_destination *d, const char *name)
{
    json_t *ages = json_object();

    for (size_t i = 0; i < VIEW_AGES && i < d->ages_count; i++)
        json_object_set_new(ages, view_age_names[i], json_integer((json_int_t)d->ages[i]));
    json_t *j = json_pack("{s:I, s:I, s:I, s:b, s:o}", "messages", (json_int_t)d->messages, "held",
                          (json_int_t)d->held, "oldest_us", (json_int_t)d->oldest, "paused",
                          (int)d->paused, "minutes", ages);
    if (name == NULL)
        json_object_set_new(j, "local", json_boolean(d->domain.len == 0));
    if (name == NULL && d->domain.len > 0)
        json_object_set_new(j, "domain", view_str(d->domain));
    return j;
}

json_t *
view_queue_summary(const struct admin_queue_summary_reply *rep)
{
    json_t *list = json_array(), *paused = json_array();
    bool all = false;

    for (size_t i = 0; i < rep->destinations_count; i++)
        json_array_append_new(list, destination_json(&rep->destinations[i], NULL));
    for (size_t i = 0; i < rep->paused_count; i++) {
        all = all || rep->paused[i].len == 0;
        if (rep->paused[i].len > 0)
            json_array_append_new(paused, view_str(rep->paused[i]));
    }
    return json_pack("{s:o, s:I, s:o, s:b, s:o}", "all", destination_json(&rep->all, "all"),
                     "destinations", (json_int_t)rep->total, "by_destination", list, "paused_all",
                     (int)all, "paused", paused);
}
