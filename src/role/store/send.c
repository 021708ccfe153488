/* send.c - from recipients as asked for to mailboxes and the queue.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "config/stats.h"
#include "role/store/bounce.h"
#include "role/store/judge.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "store/account.h"

struct refusal {
    uint32_t code;
    struct str enhanced, text;
};
static const struct refusal no_user = {550, STR("5.1.1"), STR("There is no such address here")},
                            disabled = {550, STR("5.2.1"), STR("This mailbox is disabled")},
                            circles = {554, STR("5.4.6"),
                                       STR("This address sent the message on before: a loop")},
                            spam = {550, STR("5.7.1"), STR("This is not sent on")};

SUSPENDS static enum status expand_targets(struct store *s, const struct queue_rcpt *asked,
                                           const struct directory_resolution *found,
                                           struct arena *a, struct store_rcpts *all);
static enum status add(struct store_rcpts *all, const struct queue_rcpt *r, struct arena *a);
static bool has(const struct store_rcpts *all, const struct queue_rcpt *r);
static struct queue_rcpt failed(const struct queue_rcpt *asked, const struct refusal *why);
static bool has_work(const struct queue_message *m);
static bool goes_straight(const struct queue_message *m);
SUSPENDS static enum status send_straight(struct store *s, const struct queue_message *m,
                                          const struct intake_body *body, struct store_sent *out);
SUSPENDS static enum status send_queued(struct store *s, struct queue_message *m,
                                        const struct intake_body *body, struct store_sent *out);
static void log_delivered(const struct queue_message *m, const struct intake_body *body,
                          const struct store_box *box, uint32_t uid);
static void log_queued(const struct queue_message *m, const struct intake_body *body, uint64_t qid);

enum status
store_send(struct store *s, struct queue_message *m, const struct intake_body *body,
           struct store_sent *out)
{
    enum status st = store_send_shared(s, m, body, false, out);

    if (st != OK) /* ERR_IO ended the process */
        engine_blob_forget(s->engine, body->id);
    return st;
}

enum status
store_send_shared(struct store *s, struct queue_message *m, const struct intake_body *body,
                  bool queued, struct store_sent *out)
{
    m->body = body->id;
    m->size = body->size;
    m->header_bytes = MIN(body->facts.header_bytes, body->size);
    m->eight_bit = body->facts.eight_bit;
    if (!has_work(m)) /* nobody is left to have it, or to hear of that */
        return ERR_NOT_FOUND;
    enum status st =
        goes_straight(m) && !queued ? send_straight(s, m, body, out) : send_queued(s, m, body, out);
    return store_checked(s, st, "delivery");
}

/* ---- expansion ---- */

enum status
store_expand(struct store *s, const struct queue_rcpt *asked, struct arena *a,
             struct store_rcpts *all)
{
    struct directory_resolution found = {.class = DIRECTORY_NO_USER};
    struct str to = asked->original;

    enum status st = store_bounce_inside(s, asked->original, a, &to);
    bool is_signed = st == OK;
    if (st == ERR_NOT_FOUND)
        st = store_return(s, asked->original, a, &to);
    bool is_return = st == OK && !is_signed;
    if (st == ERR_NOT_FOUND || (st == OK && (all->report || is_signed)))
        st = all->spam ? directory_resolve_mailboxes(s->directory, to, a, &found)
                       : directory_resolve(s->directory, to, a, &found);
    if (st != OK && st != ERR_SYNTAX && st != ERR_DENIED)
        return st;
    if (found.class != DIRECTORY_LOCAL && found.class != DIRECTORY_FOREIGN) {
        struct queue_rcpt r =
            failed(asked, found.class == DIRECTORY_DISABLED ? &disabled : &no_user);
        return add(all, &r, a);
    }
    all->foreign = all->foreign || (found.class == DIRECTORY_FOREIGN && !is_return);
    return expand_targets(s, asked, &found, a, all);
}

/* What came back to an address that sent it on goes nowhere from there, not even into a mailbox that has it already.
 * Spam leaves us by nobody's address, so that no other server learns to take us for its source. */
SUSPENDS static enum status
expand_targets(struct store *s, const struct queue_rcpt *asked,
               const struct directory_resolution *found, struct arena *a, struct store_rcpts *all)
{
    bool any = false;

    for (size_t i = 0; i < found->count; i++) {
        const struct directory_target *t = &found->targets[i];
        struct queue_rcpt r = *asked;
        bool again = false;
        if (all->spam && t->account == 0 && t->via.len > 0)
            continue;
        if (t->via.len > 0)
            TRY(store_forwarded(s, t->via, all, &again));
        r.address = t->address;
        r.account = t->account;
        if (again) {
            r = failed(asked, &circles);
            all->refused = ERR_LIMIT;
        }
        TRY(add(all, &r, a));
        any = true;
    }
    if (any)
        return OK;
    struct queue_rcpt r = failed(asked, &spam);
    all->refused = ERR_DENIED;
    return add(all, &r, a);
}

enum status
store_refusal(const struct store_rcpts *all)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].state == QUEUE_WAITING)
            return OK;
    return all->refused;
}

static enum status
add(struct store_rcpts *all, const struct queue_rcpt *r, struct arena *a)
{
    if (has(all, r))
        return OK;
    if (all->count == LIMIT_SUBMIT_RCPTS)
        return ERR_LIMIT;
    if (all->count == all->room) {
        size_t room = all->room == 0 ? 8 : MIN(all->room * 2, (size_t)LIMIT_SUBMIT_RCPTS);
        struct queue_rcpt *list = ARENA_ARRAY(a, struct queue_rcpt, room);
        mem_copy(list, all->list, all->count * sizeof(*list));
        all->list = list;
        all->room = room;
    }
    all->list[all->count++] = *r;
    return OK;
}

static bool
has(const struct store_rcpts *all, const struct queue_rcpt *r)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct queue_rcpt *o = &all->list[i];
        if (o->account == r->account && (r->account != 0 || str_eq(o->address, r->address)))
            return true;
    }
    return false;
}

/* The recipient was there when it was accepted, so the sender must hear that it is no more. */
static struct queue_rcpt
failed(const struct queue_rcpt *asked, const struct refusal *why)
{
    struct queue_rcpt r = *asked;

    r.address = asked->original;
    r.account = 0;
    r.state = QUEUE_FAILED;
    r.code = why->code;
    r.enhanced = why->enhanced;
    r.text = why->text;
    return r;
}

/* ---- delivery ---- */

/* What has none would stay in the queue for ever. */
static bool
has_work(const struct queue_message *m)
{
    for (size_t i = 0; i < m->rcpt_count; i++) {
        const struct queue_rcpt *r = &m->rcpts[i];
        if (r->state == QUEUE_WAITING || queue_report_due(m, r, clock_now()) != 0)
            return true;
    }
    return false;
}

/* One mailbox, at once, and nobody wants to hear of the success. */
static bool
goes_straight(const struct queue_message *m)
{
    const struct queue_rcpt *r = &m->rcpts[0];

    return !m->held && m->rcpt_count == 1 && r->account != 0 &&
           (r->notify & QUEUE_NOTIFY_SUCCESS) == 0 && m->terms.hold_until.us == 0;
}

SUSPENDS static enum status
send_straight(struct store *s, const struct queue_message *m, const struct intake_body *body,
              struct store_sent *out)
{
    struct instant now = clock_now();
    struct message_place place;
    struct message_new new_message = {
        .blob = body->id,
        .size = body->size,
        .received = now,
        .record = body->facts.record,
        .sort = body->facts.sort,
        .message_id_hash = body->facts.message_id_hash,
        .reference_hashes = body->facts.reference_hashes,
        .reference_count = body->facts.reference_count,
    };

    AUTO_ARENA *a = arena_new(16384);
    struct store_box box;
    const struct store_addition what = {.message = &new_message,
                                        .junk = m->junk,
                                        .spam = &body->facts.spam,
                                        .asked = m->rcpts[0].original,
                                        .a = a,
                                        .box_out = &box};
    AUTO(cell_close) struct cell *account = account_open(s->cells, m->rcpts[0].account);
    enum status st = store_add(s, account, &what, &place);
    if (st == ERR_QUOTA)
        return store_quota_refuse(s, account);
    TRY(st);
    log_delivered(m, body, &box, place.uid);
    store_quota_tell(s, account, place.notice);
    *out = (struct store_sent){.mid = place.mid};
    return OK;
}

static void
log_delivered(const struct queue_message *m, const struct intake_body *body,
              const struct store_box *box, uint32_t uid)
{
    stat_add(STAT_DELIVERED);
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, EVENT_STORE_DELIVER))
        return;
    log_str(&l, "qid", STR("-"));
    log_str(&l, "account", m->rcpts[0].address);
    log_str(&l, "mailbox", box->name);
    log_u64(&l, "uid", uid);
    log_u64(&l, "size", body->size);
    log_hex64(&l, "tid", body->tid);
    log_str(&l, "asked", m->rcpts[0].original);
    log_str(&l, "msgid", body->facts.message_id);
    log_u64(&l, "aid", m->rcpts[0].account);
    log_u64(&l, "box", box->id);
    if (box->why.len > 0)
        log_str(&l, "why", box->why);
}

SUSPENDS static enum status
send_queued(struct store *s, struct queue_message *m, const struct intake_body *body,
            struct store_sent *out)
{
    AUTO_BUF facts = BUF(INTAKE_FACTS_BYTES);
    uint64_t qid;

    intake_facts_write(&body->facts, &facts);
    TRY(buf_status(&facts));
    enum status st = queue_add(s->queue, m, buf_str(&facts), clock_now(), &qid);
    if (st == ERR_LIMIT || st == ERR_NO_SPACE) /* the queue's room, not the message's fault */
        return ERR_TEMP;
    TRY(st);
    log_queued(m, body, qid);
    store_out_work(s);
    *out = (struct store_sent){.qid = qid};
    return OK;
}

static void
log_rcpt(const struct queue_rcpt *r, uint64_t qid)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_QUEUE_RCPT))
        return;
    log_hex64(&l, "qid", qid);
    log_str(&l, "to", r->address);
    log_str(&l, "asked", r->original);
    if (r->state == QUEUE_FAILED)
        log_str(&l, "text", r->text);
}

static void
log_queued(const struct queue_message *m, const struct intake_body *body, uint64_t qid)
{
    for (size_t i = 0; i < m->rcpt_count; i++)
        log_rcpt(&m->rcpts[i], qid);
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_QUEUE_ADD))
        return;
    log_hex64(&l, "qid", qid);
    log_str(&l, "from", m->sender);
    log_u64(&l, "rcpts", m->rcpt_count);
    log_u64(&l, "size", m->size);
    log_hex64(&l, "tid", body->tid);
    log_str(&l, "msgid", body->facts.message_id);
    if (m->terms.hold_until.us != 0)
        log_str(&l, "hold", m->terms.hold_asked);
}
