/* admin_queue.c - the queue, for the godwit command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "base/encode.h"
#include "base/mem.h"
#include "base/size.h"
#include "ipc/admin_serve.h"
#include "role/store/admin.h"
#include "rt/clock.h"
#include "store/queue_summary.h"
#include "store/queue_verbs.h"

enum {
    MESSAGE_ARENA = 64 << 20,
    QUEUED_ROOM = 2 << 20, /* of the reply's arena for one more message */
    ONE_PAGE = 8,          /* messages read at a time */
};

SUSPENDS static enum status queue_one(struct store *s, uint64_t qid, struct arena *a,
                                      struct admin_queue_reply *rep);
SUSPENDS static enum status paused_names(struct store *s, struct arena *a, const struct str **out,
                                         size_t *n_out);
static struct queue_selection selection_of(const struct admin_selection *from);
static void copy_message(const struct store *s, struct arena *a, const struct queue_message *m,
                         struct admin_queued *out);
static void copy_rcpt(struct arena *a, const struct queue_rcpt *r, struct admin_queued_rcpt *out);
static bool is_paused(const struct store *s, const struct queue_rcpt *r);
static struct admin_destination destination_of(const struct queue_tally *t, struct arena *a);
static struct str name_of(const struct admin_queue_act *req, struct arena *a);

enum status
admin_serve_queue(struct ipc_peer *from, const struct admin_queue *req, struct arena *a,
                  struct admin_queue_reply *rep)
{
    struct store *s = store_of(from);
    struct admin_queued *list = ARENA_ARRAY(a, struct admin_queued, ADMIN_QUEUE_REPLY_MESSAGES_MAX);
    const struct queue_selection only = selection_of(&req->select);
    struct queue_page page = {.after = req->after, .max = ONE_PAGE, .only = &only, .more = true};
    size_t total = 0, examined = 0, n;

    if (req->only != 0)
        return queue_one(s, req->only, a, rep);
    while (page.more && total + ONE_PAGE <= ADMIN_QUEUE_REPLY_MESSAGES_MAX && examined == 0 &&
           arena_left(a) > QUEUED_ROOM) {
        AUTO_ARENA *read = arena_new(MESSAGE_ARENA);
        const struct queue_message *found;
        page.a = read;
        TRY(store_checked(s, queue_list(s->queue, &page, &found, &n), "queue"));
        size_t taken = 0;
        while (taken < n && arena_left(a) > QUEUED_ROOM)
            copy_message(s, a, &found[taken++], &list[total++]);
        if (taken < n) { /* the rest next time */
            page.after = taken > 0 ? found[taken - 1].qid : req->after;
            page.more = true;
        }
        examined = n == ONE_PAGE ? 0 : 1; /* few fit: whoever asks should hear that this goes on */
    }
    rep->messages = list;
    rep->messages_count = total;
    rep->more = page.more;
    rep->after = page.after;
    return req->after == 0 ? paused_names(s, a, &rep->paused, &rep->paused_count) : OK;
}

static enum status
check_route(const struct store *s, struct str name)
{
    struct problem why = {0};

    if (name.len == 0)
        return OK;
    for (size_t i = 0; i < s->config->route_count; i++)
        if (str_eq(s->config->routes[i].name, name))
            return OK;
    problem_set(
        &why, 0, "",
        "no route has the name \"%.*s\"; routes get names in godwit.conf: route DOMAIN HOST "
        "name NAME",
        STR_FMT(name));
    ipc_fail(&why);
    return ERR_NOT_FOUND;
}

enum status
admin_serve_queue_act(struct ipc_peer *from, const struct admin_queue_act *req, struct arena *a,
                      struct admin_queue_act_reply *rep)
{
    static const char *const names[] = {"queue retry", "queue hold", "queue release", "queue drop",
                                        "queue route"};
    struct store *s = store_of(from);
    const struct queue_selection only = selection_of(&req->select);
    struct queue_act_part p = {.only = &only,
                               .verb = (enum queue_verb)req->verb, /* enum<4> */
                               .route = req->route,
                               .now = clock_now(),
                               .after = req->after};
    enum status st;

    if (p.verb == QUEUE_ROUTE)
        TRY(check_route(s, req->route));
    if (req->qid != 0 && p.verb == QUEUE_ROUTE) {
        st = queue_reroute(s->queue, req->qid, p.route, p.now);
        p.count = st == OK ? 1 : 0;
    } else if (req->qid != 0) {
        st = queue_act(s->queue, req->qid, p.verb, p.now, &p.count);
    } else {
        st = queue_act_some(s->queue, &p);
        rep->after = p.after;
        rep->more = p.more;
    }
    rep->count = p.count;
    store_out_work(s);
    if (req->qid == 0 && st == OK && p.count == 0)
        return OK; /* nothing was done: no line in the log for it */
    return store_admin_done(s, st, names[req->verb], name_of(req, a));
}

enum status
admin_serve_queue_pause(struct ipc_peer *from, const struct admin_queue_pause *req, struct arena *a,
                        struct admin_queue_pause_reply *rep)
{
    struct store *s = store_of(from);

    (void)a, (void)rep;
    enum status st = queue_pause(s->queue, req->domain, req->paused, clock_now());
    store_out_work(s);
    return store_admin_done(s, st, req->paused ? "queue pause" : "queue resume",
                            req->domain.len > 0 ? req->domain : STR("all"));
}

enum status
admin_serve_queue_summary(struct ipc_peer *from, const struct admin_queue_summary *req,
                          struct arena *a, struct admin_queue_summary_reply *rep)
{
    struct store *s = store_of(from);
    size_t max = MIN(MAX(req->max, 1u), (uint32_t)ADMIN_QUEUE_SUMMARY_REPLY_DESTINATIONS_MAX);
    struct queue_summary sum;

    TRY(store_checked(s, queue_summarize(s->queue, clock_now(), max, a, &sum), "queue"));
    struct admin_destination *list = ARENA_ARRAY(a, struct admin_destination, sum.count + 1);
    for (size_t i = 0; i < sum.count; i++)
        list[i] = destination_of(&sum.tallies[i], a);
    rep->all = destination_of(&sum.all, a);
    rep->destinations = list;
    rep->destinations_count = sum.count;
    rep->total = sum.destinations;
    return paused_names(s, a, &rep->paused, &rep->paused_count);
}

SUSPENDS static enum status
paused_names(struct store *s, struct arena *a, const struct str **out, size_t *n_out)
{
    const struct queue_paused *paused;
    size_t n;

    TRY(store_checked(s, queue_pauses(s->queue, a, &paused, &n), "queue"));
    struct str *names = ARENA_ARRAY(a, struct str, n + 1);
    for (size_t i = 0; i < n; i++)
        names[i] = paused[i].domain;
    *out = names;
    *n_out = n;
    return OK;
}

SUSPENDS static enum status
queue_one(struct store *s, uint64_t qid, struct arena *a, struct admin_queue_reply *rep)
{
    AUTO_ARENA *read = arena_new(MESSAGE_ARENA);
    struct admin_queued *one = ARENA_NEW(a, struct admin_queued);
    struct queue_message m;

    enum status st = queue_show(s->queue, qid, read, &m);
    TRY(store_admin_done(s, st, "queue show", arena_printf(a, "%016lx", qid)));
    copy_message(s, a, &m, one);
    rep->messages = one;
    rep->messages_count = 1;
    rep->more = false;
    return OK;
}

static struct queue_selection
selection_of(const struct admin_selection *from)
{
    return (struct queue_selection){from->domain, from->sender, from->recipient, from->before};
}

static void
copy_message(const struct store *s, struct arena *a, const struct queue_message *m,
             struct admin_queued *out)
{
    struct admin_queued_rcpt *rcpts = ARENA_ARRAY(a, struct admin_queued_rcpt, m->rcpt_count);
    int64_t next = INT64_MAX;
    bool paused = false, goes = false;

    for (size_t i = 0; i < m->rcpt_count; i++) {
        const struct queue_rcpt *r = &m->rcpts[i];
        copy_rcpt(a, r, &rcpts[i]);
        rcpts[i].paused = is_paused(s, r);
        paused = paused || rcpts[i].paused;
        if (rcpts[i].paused || (r->state != QUEUE_WAITING && r->state != QUEUE_UNDER_WAY))
            continue;
        goes = true;
        next = r->state == QUEUE_WAITING ? MIN(next, r->next.us) : next;
    }
    *out = (struct admin_queued){
        .qid = m->qid,
        .sender = arena_str(a, m->sender),
        .size = m->size,
        .arrived = m->arrived.us,
        .next = next == INT64_MAX ? 0 : next,
        .not_before = m->terms.hold_asked.len > 0 ? m->terms.hold_until.us : 0,
        .by = m->terms.by.us,
        .by_mode = (uint8_t)m->terms.by_mode, /* the same order */
        .held = m->held,
        .over = m->over,
        .paused = paused && !goes,
        .envid = arena_str(a, m->envid),
        .route = arena_str(a, m->route),
        .rcpts = rcpts,
        .rcpts_count = m->rcpt_count,
    };
}

static void
copy_rcpt(struct arena *a, const struct queue_rcpt *r, struct admin_queued_rcpt *out)
{
    *out = (struct admin_queued_rcpt){
        .address = arena_str(a, r->address),
        .original = arena_str(a, r->original),
        .state = (uint8_t)r->state, /* the same order */
        .tries = r->tries,
        .next = r->state == QUEUE_WAITING ? r->next.us : 0,
        .code = r->code,
        .enhanced = arena_str(a, r->enhanced),
        .text = arena_str(a, r->text),
        .remote = arena_str(a, r->remote),
        .told = r->told,
        .local = r->account != 0,
    };
}

static bool
is_paused(const struct store *s, const struct queue_rcpt *r)
{
    return r->account == 0 && r->state == QUEUE_WAITING &&
           (queue_is_paused(s->queue, STR("")) ||
            queue_is_paused(s->queue, queue_domain_of(r->address)));
}

static struct admin_destination
destination_of(const struct queue_tally *t, struct arena *a)
{
    uint64_t *ages = ARENA_ARRAY(a, uint64_t, QUEUE_AGES);

    for (size_t i = 0; i < QUEUE_AGES; i++)
        ages[i] = t->ages[i];
    return (struct admin_destination){
        .domain = t->domain,
        .messages = t->messages,
        .held = t->held,
        .oldest = t->oldest.us,
        .paused = t->paused,
        .ages = ages,
        .ages_count = QUEUE_AGES,
    };
}

/* For the log: which messages. */
static struct str
name_of(const struct admin_queue_act *req, struct arena *a)
{
    const struct admin_selection *s = &req->select;
    const struct {
        const char *name;
        struct str value;
    } parts[] = {{"domain", s->domain}, {"sender", s->sender}, {"recipient", s->recipient}};
    AUTO_BUF b = BUF(2048);

    if (req->qid != 0)
        return arena_printf(a, "%016lx", req->qid);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (parts[i].value.len > 0)
            buf_addf(&b, "%s%s %.*s", b.len > 0 ? ", " : "", parts[i].name,
                     STR_FMT(parts[i].value));
    }
    if (s->before != 0)
        buf_addf(&b, "%sold ones", b.len > 0 ? ", " : "");
    return b.len == 0 ? STR("all") : arena_str(a, buf_str(&b));
}
