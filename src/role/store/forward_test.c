/* forward_test.c - mail that is sent on: its sender, and the way back.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "ipc/store_ipc.h"
#include "role/store/testkit_store.h"
#include "rt/clock.h"
#include "store/directory_rights.h"
#include "store/queue_verbs.h"

#define LETTER STR("From: s@far.example\r\nSubject: hi\r\n\r\nText\r\n")
enum { CLASS_FORGED = 5, CLASS_REPORTS_ONLY, CLASS_TOO_MANY };

/* Of role/role.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

static struct str letter = LETTER;

static SUSPENDS enum status
deliver(struct str sender, struct str rcpt)
{
    const struct store_deliver req = {
        .body = letter, .sender = sender, .rcpts = &rcpt, .rcpts_count = 1};
    struct store_deliver_reply rep;

    return store_deliver_call(town.mx, &req, town.a, &rep);
}

static SUSPENDS const struct store_attempt *
lease(void)
{
    const struct store_queue_lease req = {.max = 1};
    struct store_queue_lease_reply *rep = ARENA_NEW(town.a, struct store_queue_lease_reply);

    ASSERT(store_queue_lease_call(town.out, &req, town.a, rep) == OK);
    return rep->attempts_count == 0 ? NULL : &rep->attempts[0];
}

static SUSPENDS void
delivered(const struct store_attempt *at)
{
    const struct store_rcpt_result r = {.index = at->rcpts[0].index, .state = 0, .code = 250};
    const struct store_queue_result req = {
        .qid = at->qid, .lease = at->lease, .results = &r, .results_count = 1};
    struct store_queue_result_reply rep;

    ASSERT(store_queue_result_call(town.out, &req, town.a, &rep) == OK);
}

/* Who s@far.example is at the next hop. */
static SUSPENDS struct str
rewritten(struct str sender, struct str rcpt)
{
    ASSERT(deliver(sender, rcpt) == OK);
    const struct store_attempt *at = lease();
    ASSERT(at != NULL);
    delivered(at);
    return at->sender;
}

static SUSPENDS int
rcpt(struct str address, bool null_sender)
{
    const struct store_rcpt req = {.address = address, .size = 10, .null_sender = null_sender};
    struct store_rcpt_reply rep;

    ASSERT(store_rcpt_call(town.mx, &req, town.a, &rep) == OK);
    return rep.class;
}

static SUSPENDS void
second_domain(void)
{
    struct str away = STR("far@away.example");

    town_people();
    ASSERT(directory_domain_add(town.store->directory, STR("other.example"), STR_NONE) == OK);
    ASSERT(directory_alias_set(town.store->directory, STR("out@other.example"), &away, 1) == OK);
    away = STR("out@other.example");
    ASSERT(directory_alias_set(town.store->directory, STR("two@here.example"), &away, 1) == OK);
}

static SUSPENDS void
test_whose_sender_is_rewritten(void)
{
    static const struct {
        const char *sender, *rcpt, *begins, *ends;
    } rows[] = {
        {"s@far.example", "away@here.example", "SRS0=", "=far.example=s@here.example"},
        /* of the address that names the foreign one */
        {"s@far.example", "two@here.example", "SRS0=", "=far.example=s@other.example"},
        {"SRS0=a=BC=x.example=y@far.example", "away@here.example",
         "SRS1=", "=far.example==a=BC=x.example=y@here.example"},
        {"anna@here.example", "away@here.example", "anna", "anna@here.example"},
        {"who@other.example", "away@here.example", "who", "who@other.example"},
        {"", "away@here.example", "", ""},
        {"s@[192.0.2.7]", "away@here.example", "s@", "s@[192.0.2.7]"},
    };

    second_domain();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str as = rewritten(str_of(rows[i].sender), str_of(rows[i].rcpt));
        ASSERT(str_starts(as, str_of(rows[i].begins)) && str_ends(as, str_of(rows[i].ends)));
    }
}

/* What a user writes to such an address is the user's own. */
static SUSPENDS void
test_a_user_is_not_rewritten(void)
{
    uint64_t qid;

    town_people();
    ASSERT(town_submit(11, "anna@here.example", "away@here.example", &qid) == OK);
    const struct store_attempt *at = lease();
    ASSERT(at != NULL && str_eq(at->sender, STR("anna@here.example")));
}

static SUSPENDS void
test_reports_go_back(void)
{
    AUTO_BUF forged = BUF(512);
    AUTO_BUF folded = BUF(512);

    second_domain();
    struct str as = rewritten(STR("Sue@far.example"), STR("away@here.example"));
    buf_add(&forged, as);
    forged.ptr[5] = forged.ptr[5] == 'A' ? 'B' : 'A';
    for (size_t i = 0; i < as.len; i++)
        buf_add_char(&folded, ascii_lower(as.ptr[i]));
    ASSERT(rcpt(as, true) == DIRECTORY_LOCAL && rcpt(buf_str(&folded), true) == DIRECTORY_LOCAL);
    ASSERT(rcpt(as, false) == CLASS_REPORTS_ONLY);
    ASSERT(rcpt(buf_str(&forged), true) == CLASS_FORGED);
    ASSERT(rcpt(buf_str(&forged), false) == CLASS_FORGED);
    ASSERT(rcpt(STR("SRS0=x@here.example"), true) == CLASS_FORGED);
    ASSERT(rcpt(STR("SRS0=x@far.example"), true) == DIRECTORY_FOREIGN);
    ASSERT(deliver(STR(""), as) == OK);
    const struct store_attempt *at = lease();
    ASSERT(at != NULL && at->sender.len == 0 && at->rcpts_count == 1);
    ASSERT(str_eq_nocase(at->rcpts[0].address, STR("sue@far.example")));
    delivered(at);
    /* whatever mx was told: the store looks again */
    ASSERT(deliver(STR(""), buf_str(&forged)) == ERR_NOT_FOUND && lease() == NULL);
    ASSERT(deliver(STR("who@far.example"), as) == OK);
    at = lease(); /* the report of its failure, which is all that leaves */
    for (int i = 0; i < 1000 && at == NULL; i++) {
        ASSERT(fiber_sleep(5) == OK);
        at = lease();
    }
    ASSERT(at != NULL && at->sender.len == 0);
    ASSERT(str_eq(at->rcpts[0].address, STR("who@far.example")));
}

/* An account or alias of such a name is what it is. */
static SUSPENDS void
test_a_name_of_that_form(void)
{
    struct str anna = STR("anna@here.example");

    town_people();
    ASSERT(directory_alias_set(town.store->directory, STR("srs0=x=y@here.example"), &anna, 1) ==
           OK);
    ASSERT(rcpt(STR("SRS0=x=y@here.example"), false) == DIRECTORY_LOCAL);
    ASSERT(rcpt(STR("SRS0=x=z@here.example"), false) == CLASS_FORGED);
    ASSERT(directory_alias_set(town.store->directory, STR("@here.example"), &anna, 1) == OK);
    ASSERT(rcpt(STR("SRS0=x=z@here.example"), false) == CLASS_FORGED);
}

static SUSPENDS void
test_not_too_many(void)
{
    second_domain();
    struct str as = rewritten(STR("s@far.example"), STR("away@here.example"));
    struct str too = rewritten(STR("S@Far.example"), STR("two@here.example"));
    struct str other = rewritten(STR("t@far.example"), STR("away@here.example"));
    for (int i = 0; i < LIMIT_SRS_REPORTS_PER_HOUR; i++)
        ASSERT(rcpt(i % 2 == 0 ? as : too, true) == DIRECTORY_LOCAL);
    ASSERT(rcpt(as, true) == CLASS_TOO_MANY && rcpt(too, true) == CLASS_TOO_MANY);
    ASSERT(rcpt(other, true) == DIRECTORY_LOCAL);
}

/* Without keys nobody can tell: everything waits, nothing is refused. */
static SUSPENDS void
test_keys_are_away(void)
{
    const struct store_rcpt req = {.address = STR("SRS0=x=BB=far.example=s@here.example")};
    struct store_rcpt_reply rep;

    town_people();
    ipc_close(town.keys);
    TOWN_UNTIL(store_peer_of(town.store, ROLE_KEYS) == NULL);
    ASSERT(store_rcpt_call(town.mx, &req, town.a, &rep) == ERR_TEMP);
    ASSERT(deliver(STR("s@far.example"), STR("away@here.example")) == OK);
    ASSERT(lease() == NULL && queue_length(town.store->queue) == 1);
}

static SUSPENDS void
forward(const char *address, struct str target, bool keep)
{
    const struct directory_forward f = {.targets = &target, .count = 1, .keep = keep};

    ASSERT(directory_account_forward(town.store->directory, str_of(address), &f) == OK);
}

/* What comes back to the address that sent it on ends there, with one refusal and no second copy; others still send
 * it on. */
static SUSPENDS void
test_once_by_each_address(void)
{
    second_domain();
    forward("anna", STR("a@away.example"), true);
    forward("bert", STR("b@away.example"), false);
    ASSERT(deliver(STR("s@far.example"), STR("anna@here.example")) == OK);
    TOWN_UNTIL(town_inbox(1) == 1);
    const struct store_attempt *at = lease();
    ASSERT(at != NULL && str_starts(at->prepend, STR("X-Godwit-Forwarded: ")));
    ASSERT(str_find_str(at->prepend, STR("anna")) < 0);
    delivered(at);
    letter = arena_printf(town.a, "%.*s%.*s", STR_FMT(at->prepend), STR_FMT(LETTER));
    ASSERT(deliver(STR("s@far.example"), STR("Anna+x@here.example")) == ERR_LIMIT);
    ASSERT(town_inbox(1) == 1 && lease() == NULL && queue_length(town.store->queue) == 0);
    ASSERT(deliver(STR("s@far.example"), STR("bert@here.example")) == OK);
    at = lease();
    ASSERT(at != NULL && str_eq(at->rcpts[0].address, STR("b@away.example")));
    letter = arena_printf(town.a, "%.*s%.*s", STR_FMT(at->prepend), STR_FMT(letter));
    delivered(at);
    ASSERT(deliver(STR("s@far.example"), STR("bert@here.example")) == ERR_LIMIT);
    ASSERT(deliver(STR("s@far.example"), STR("team@here.example")) == ERR_LIMIT);
    ASSERT(deliver(STR("s@far.example"), STR("two@here.example")) == OK);
    /* one of two: it is told by a report */
    const struct str both[] = {STR("two@here.example"), STR("anna@here.example")};
    const struct store_deliver req = {
        .body = letter, .sender = STR("s@far.example"), .rcpts = both, .rcpts_count = 2};
    struct store_deliver_reply rep;
    ASSERT(store_deliver_call(town.mx, &req, town.a, &rep) == OK && rep.qid != 0);
    letter = LETTER;
}

/* By strangers' marks nobody is kept from forwarding. */
static SUSPENDS void
test_marks_of_strangers(void)
{
    second_domain();
    letter = STR("X-Godwit-Forwarded: 0123456789abcdef\r\nx-godwit-forwarded: no\r\n"
                 "X-Godwit-Forwarded:\r\n\r\nText\r\n");
    ASSERT(deliver(STR("s@far.example"), STR("away@here.example")) == OK && lease() != NULL);
    letter = LETTER;
}

/* A limit for what one address sends on: it waits, and nothing else does. */
static SUSPENDS void
test_too_much_waits(void)
{
    second_domain();
    for (int i = 0; i < LIMIT_FORWARDS_PER_HOUR; i++)
        rates_add(town.store->forwards, STR("away@here.example"), clock_now().us / 1000);
    ASSERT(deliver(STR("s@far.example"), STR("away@here.example")) == OK);
    ASSERT(lease() == NULL && queue_length(town.store->queue) == 1);
    ASSERT(deliver(STR("s@far.example"), STR("two@here.example")) == OK);
    const struct store_attempt *at = lease();
    ASSERT(at != NULL);
    delivered(at);
    ASSERT(queue_length(town.store->queue) == 1);
    rates_free(&town.store->forwards);
    town.store->forwards = rates_new(); /* another hour */
    uint32_t count;
    ASSERT(queue_act(town.store->queue, 0, QUEUE_RETRY, clock_now(), &count) == OK && count == 1);
    at = lease();
    ASSERT(at != NULL && str_ends(at->sender, STR("=s@here.example")));
}

/* Spam stays in the mailbox it was meant for, and goes nowhere from an alias. */
static SUSPENDS void
test_spam_is_not_sent_on(void)
{
    struct store_rcpts all = {.spam = true};
    const struct queue_rcpt to = {.original = STR("bert@here.example")};
    const struct queue_rcpt away = {.original = STR("away@here.example")};

    second_domain();
    forward("bert", STR("b@away.example"), false);
    ASSERT(store_expand(town.store, &to, town.a, &all) == OK && all.count == 1);
    ASSERT(all.list[0].account == 2 && store_refusal(&all) == OK);
    all = (struct store_rcpts){.spam = true};
    ASSERT(store_expand(town.store, &away, town.a, &all) == OK && all.count == 1);
    ASSERT(all.list[0].state == QUEUE_FAILED && store_refusal(&all) == ERR_DENIED);
}

static const struct town_row rows[] = {
    {"once_by_each_address", test_once_by_each_address},
    {"marks_of_strangers", test_marks_of_strangers},
    {"too_much_waits", test_too_much_waits},
    {"spam_is_not_sent_on", test_spam_is_not_sent_on},
    {"whose_sender_is_rewritten", test_whose_sender_is_rewritten},
    {"a_user_is_not_rewritten", test_a_user_is_not_rewritten},
    {"reports_go_back", test_reports_go_back},
    {"a_name_of_that_form", test_a_name_of_that_form},
    {"not_too_many", test_not_too_many},
    {"keys_are_away", test_keys_are_away},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return town_main("store_forward", rows, COUNT_OF(rows), argv);
}
