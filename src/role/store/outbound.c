/* outbound.c - see outbound.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/outbound.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "mail/outbound_notice.h"
#include "role/store/looks.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "rt/random.h"
#include "store/account.h"
#include "store/correspondents.h"
#include "store/directory_deleted.h"
#include "store/message.h"
#include "store/queue_over.h"

enum { TEXT_BYTES = 16384, NOTICE_ARENA = 8 << 20, QUEUED_ARENA = 32 << 20, STEP = 32 };
#define SECOND_US INT64_C(1000000)

/* What its account makes of a message that is held, whatever room there is. */
enum fate { STAYS, GOES, ENDS };

SUSPENDS static enum status charge(struct store *s, const struct queue_message *m, bool again,
                                   struct outbound_answer *out);
SUSPENDS static enum status look_at(struct store *s, const struct queue_rcpt *r, uint64_t *hash_out,
                                    bool *foreign_out);
SUSPENDS static enum status tell(struct store *s, uint64_t account,
                                 const struct outbound_answer *what);
SUSPENDS static enum status let_go(struct store *s, const struct queue_over *one);
SUSPENDS static enum status fate_of(struct store *s, const struct queue_message *m, enum fate *out);
SUSPENDS static enum status end_one(struct store *s, const struct queue_message *m);
static void log_outbound(enum event which, const struct queue_message *m, uint64_t qid,
                         const struct outbound_answer *what);

enum status
store_outbound_ask(struct store *s, struct queue_message *m, struct outbound_answer *out)
{
    struct problem why = {0};

    TRY(store_checked(s, charge(s, m, false, out), "outbound limits"));
    if (out->too_much) {
        problem_set(&why, 450, "4.7.1", "You sent very much today; please go on tomorrow");
        ipc_fail(&why);
        return ERR_LIMIT;
    }
    m->over = !out->fits && !m->held; /* what is held already is not ours to let go */
    m->held = m->held || m->over;
    return OK;
}

void
store_outbound_held(struct store *s, const struct queue_message *m, uint64_t qid,
                    const struct outbound_answer *what)
{
    log_outbound(EVENT_OUTBOUND_HELD, m, qid, what);
    if (!what->tell)
        return;
    enum status st = store_checked(s, tell(s, m->account, what), "outbound notice");
    (void)st; /* a mailbox that is full has a notice of its own */
}

void
store_outbound_go(struct store *s)
{
    struct queue_over one;

    for (int i = 0; i < STEP && queue_over_next(s->queue, clock_now(), &one); i++) {
        enum status st = store_checked(s, let_go(s, &one), "outbound limits");
        (void)st; /* the next in line, or this one in a minute */
    }
}

/* ---- what it costs ---- */

/* Counted is what was written to: a group here that leads to many elsewhere is one recipient, and none elsewhere. */
SUSPENDS static enum status
charge(struct store *s, const struct queue_message *m, bool again, struct outbound_answer *out)
{
    AUTO_ARENA *a = arena_new(65536);
    uint64_t *elsewhere = ARENA_ARRAY(a, uint64_t, m->rcpt_count * (1 + LOOKS_OF_ONE) + 1);
    uint64_t *here = ARENA_ARRAY(a, uint64_t, m->rcpt_count + 1);
    size_t n = 0, local = 0;

    for (size_t i = 0; i < m->rcpt_count; i++) {
        bool foreign = false;
        uint64_t hash;
        if (m->rcpts[i].state == QUEUE_FAILED)
            continue;
        TRY(look_at(s, &m->rcpts[i], &hash, &foreign));
        if (foreign)
            elsewhere[n++] = hash;
        else
            here[local++] = hash;
    }
    const struct outbound_message asked = {
        .foreign = n,
        .messages_max = s->config->outbound_messages,
        .recipients_max = s->config->outbound_recipients,
        .again = again,
        .arrived = m->arrived,
        .held = m->held && !again,
        .behind = !again && queue_over_has(s->queue, m->account),
        .rcpts = elsewhere,
        .count = n + local + looks_written(m, elsewhere + n + local),
    };
    mem_copy(elsewhere + n, here, local * sizeof(*here));
    AUTO(cell_close) struct cell *account = account_open(s->cells, m->account);
    return outbound_charge(account, &asked, clock_now(), out);
}

SUSPENDS static enum status
look_at(struct store *s, const struct queue_rcpt *r, uint64_t *hash_out, bool *foreign_out)
{
    AUTO_ARENA *a = arena_new(8192);
    struct str address, domain;
    bool ours = false;

    enum status st = directory_canonical(s->directory, r->original, a, &address, &domain);
    if (st == ERR_SYNTAX) { /* the default domain is another by now */
        *hash_out = correspondent_hash(r->address);
        *foreign_out = r->account == 0;
        return OK;
    }
    TRY(st);
    TRY(directory_is_local_domain(s->directory, domain, &ours));
    *hash_out = correspondent_hash(address);
    *foreign_out = !ours;
    return OK;
}

/* ---- the notice ---- */

SUSPENDS static enum status
write_notice(struct store *s, uint64_t account, const struct outbound_answer *what, struct buf *out)
{
    AUTO_ARENA *a = arena_new(65536);
    struct directory_entry e;
    char unique[40];

    TRY(directory_by_id(s->directory, account, a, &e));
    snprintf(unique, sizeof(unique), "%016llx%016llx", (unsigned long long)random_u64(),
             (unsigned long long)random_u64());
    const struct outbound_notice n = {
        .to = {.host = s->config->host,
               .address = e.address,
               .unique = str_of(unique),
               .now = clock_now()},
        .messages_max = s->config->outbound_messages,
        .recipients_max = s->config->outbound_recipients,
        .by_recipients = what->by_recipients,
    };
    return outbound_notice_write(out, &n);
}

SUSPENDS static enum status
tell(struct store *s, uint64_t id, const struct outbound_answer *what)
{
    AUTO_ARENA *a = arena_new(NOTICE_ARENA);
    AUTO_BUF text = BUF(TEXT_BYTES);
    struct intake_body body;
    struct message_place place;

    TRY(write_notice(s, id, what, &text));
    TRY(intake_make(s->intake, buf_str(&text), a, &body));
    const struct message_new m = {
        .blob = body.id,
        .size = body.size,
        .received = clock_now(),
        .record = body.facts.record,
        .sort = body.facts.sort,
        .message_id_hash = body.facts.message_id_hash,
        .reference_hashes = body.facts.reference_hashes,
        .reference_count = body.facts.reference_count,
    };
    AUTO(cell_close) struct cell *account = account_open(s->cells, id);
    enum status st = message_add(account, MAILBOX_INBOX, &m, clock_now(), &place);
    if (st != OK && st != ERR_IO)
        engine_blob_forget(s->engine, body.id);
    return st;
}

/* ---- the way out ---- */

SUSPENDS static enum status
let_go(struct store *s, const struct queue_over *one)
{
    AUTO_ARENA *a = arena_new(QUEUED_ARENA);
    struct outbound_answer answer = {0};
    struct queue_message m;
    enum fate fate = STAYS;

    enum status st = queue_get(s->queue, one->qid, a, &m);
    /* A change of it is under way; or nobody can read it, and those behind it do not wait for that. */
    if (st == ERR_NOT_FOUND || st == ERR_CORRUPT || (st == OK && !m.over)) {
        queue_over_forget(s->queue, one);
        return st == ERR_CORRUPT ? st : OK;
    }
    TRY(st);
    TRY(fate_of(s, &m, &fate));
    if (fate == ENDS)
        return end_one(s, &m);
    if (fate == STAYS)
        return OK;
    TRY(charge(s, &m, true, &answer));
    if (!answer.fits)
        return OK;
    st = queue_over_end(s->queue, one->qid, QUEUE_OVER_RELEASE, clock_now());
    if (st == ERR_NOT_FOUND) /* dropped or held meanwhile by an operator, whose word counts */
        return OK;
    TRY(st);
    log_outbound(EVENT_OUTBOUND_GOES, &m, one->qid, &answer);
    store_out_work(s);
    return OK;
}

/* A deleted account's mail goes on as other mail that it sent does, while the account can come back; then it is
 * dropped, as `account delete --now` does.  One that was shut sends nothing. */
SUSPENDS static enum status
fate_of(struct store *s, const struct queue_message *m, enum fate *out)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct directory_deleted gone;
    struct directory_entry e;

    /* Twice: one that is brought back meanwhile is found the second time. */
    for (int look = 0; look < 2; look++) {
        enum status st = directory_by_id(s->directory, m->account, a, &e);
        if (st == OK)
            *out = e.disabled || e.suspended ? STAYS : GOES;
        if (st != ERR_NOT_FOUND)
            return st;
        st = directory_deleted_by_id(s->directory, m->account, a, &gone);
        if (st == OK && gone.ends_s > clock_now().us / SECOND_US) {
            *out = gone.shut ? STAYS : GOES;
            return OK;
        }
        if (st != ERR_NOT_FOUND)
            TRY(st);
    }
    *out = ENDS;
    return OK;
}

SUSPENDS static enum status
end_one(struct store *s, const struct queue_message *m)
{
    enum status st = queue_over_end(s->queue, m->qid, QUEUE_OVER_DROP, clock_now());

    if (st == ERR_NOT_FOUND)
        return OK;
    TRY(st);
    log_outbound(EVENT_OUTBOUND_END, m, m->qid, NULL);
    return OK;
}

/* what: nothing of the day is known to be told when NULL. */
static void
log_outbound(enum event which, const struct queue_message *m, uint64_t qid,
             const struct outbound_answer *what)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, which))
        return;
    log_hex64(&l, "qid", qid);
    log_u64(&l, "account", m->account);
    if (what != NULL) {
        log_u64(&l, "messages", what->messages);
        log_u64(&l, "recipients", what->recipients);
    }
    if (which == EVENT_OUTBOUND_HELD && what != NULL)
        log_u64(&l, "new", what->fresh);
    log_str(&l, "from", m->sender);
}
