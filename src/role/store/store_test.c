/* store_test.c - the store role as its peers see it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "engine/engine_faults.h"
#include "ipc/admin_ipc.h"
#include "role/store/mail.h"
#include "role/store/testkit_store.h"
#include "rt/clock.h"
#include "store/queue_verbs.h"

#define LETTER STR("From: s@far.example\r\nSubject: hi\r\n\r\nText\r\n")

/* Of role/role.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

static bool
contains(struct str s, const char *what)
{
    return str_find_str(s, str_of(what)) >= 0;
}

static SUSPENDS void
test_rcpt(void)
{
    static const struct {
        const char *address;
        enum directory_class class;
        bool relayed;
    } rows[] = {
        {"anna@here.example", DIRECTORY_LOCAL, false},
        {"BERT+x@Here.Example", DIRECTORY_LOCAL, false},
        {"team@here.example", DIRECTORY_LOCAL, false},
        {"away@here.example", DIRECTORY_LOCAL, true},
        {"who@here.example", DIRECTORY_NO_USER, false},
        {"a@far.example", DIRECTORY_FOREIGN, false},
        {"", DIRECTORY_NO_USER, false},
        {"postmaster", DIRECTORY_LOCAL, false},
    };
    const struct store_rcpt early = {.address = STR("anna@here.example"), .size = 1000};
    struct store_rcpt_reply rep;

    ASSERT(store_rcpt_call(town.mx, &early, town.a, &rep) == ERR_TEMP); /* no domain at all */
    town_people();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct store_rcpt req = {.address = str_of(rows[i].address), .size = 1000};
        ASSERT(store_rcpt_call(town.mx, &req, town.a, &rep) == OK);
        ASSERT(rep.class == rows[i].class && rep.relayed == rows[i].relayed);
    }
    ASSERT(directory_account_quota(town.store->directory, STR("bert"), 5000) == OK);
    struct store_rcpt req = {.address = STR("bert@here.example"), .size = 5001};
    ASSERT(store_rcpt_call(town.mx, &req, town.a, &rep) == OK && rep.class == DIRECTORY_OVER_QUOTA);
    req.size = 4000;
    ASSERT(store_rcpt_call(town.mx, &req, town.a, &rep) == OK && rep.class == DIRECTORY_LOCAL);
    ASSERT(directory_account_disable(town.store->directory, STR("bert"), true) == OK);
    ASSERT(store_rcpt_call(town.mx, &req, town.a, &rep) == OK && rep.class == DIRECTORY_DISABLED);
    /* only mx and user may ask */
    ASSERT(store_rcpt_call(town.out, &req, town.a, &rep) != OK);
}

static SUSPENDS void
test_one_mailbox_is_listed_at_once(void)
{
    struct store_deliver_reply rep;

    town_people();
    ASSERT(town_deliver("Anna+tag@here.example", LETTER, &rep) == OK);
    ASSERT(rep.qid == 0 && rep.mid != 0 && town_inbox(1) == 1);
    ASSERT(str_eq(town_newest(1), LETTER));
    TOWN_UNTIL(town.changed > 0);
    ASSERT(town.changed_account == 1 && town.cooked[0] + town.cooked[1] == 1);
    ASSERT(town_deliver("anna@here.example anna+a@here.example ANNA@here.example", LETTER, &rep) ==
           OK);
    ASSERT(rep.qid == 0 && town_inbox(1) == 2); /* one mailbox, one message */
    ASSERT(town_deliver("who@here.example", LETTER, &rep) == OK &&
           rep.qid != 0); /* told by a report */
    ASSERT(town_deliver("a@far.example", LETTER, &rep) == ERR_DENIED);
    ASSERT(town_deliver("anna@here.example a@far.example", LETTER, &rep) == ERR_DENIED);
    ASSERT(town_inbox(1) == 2);
}

/* Deleted mail of an account to which nobody logs in any more is given back all the same. */
static SUSPENDS void
test_round(void)
{
    struct store_deliver_reply rep;
    struct uid_range all = {1, UINT32_MAX};
    struct expunge_request r = {MAILBOX_INBOX, {&all, 1}, false};
    struct expunge_reply x;
    struct account_info info;

    town_people();
    ASSERT(town_deliver("bert@here.example", LETTER, &rep) == OK);
    ASSERT(town_deliver("anna@here.example", LETTER, &rep) == OK);
    for (uint64_t id = 1; id <= 2; id++) {
        AUTO(cell_close) struct cell *account = account_open(town.store->cells, id);
        /* bert's 20 days ago; anna's waits until there is no room */
        struct instant when = {clock_now().us - (id == 2 ? 20 : 0) * INT64_C(86400000000)};
        ASSERT(message_expunge(account, &r, when, town.a, &x) == OK);
        ASSERT(account_info(account, &info) == OK && info.has_work);
    }
    AUTO(cell_close) struct cell *anna = account_open(town.store->cells, 1);
    AUTO(cell_close) struct cell *bert = account_open(town.store->cells, 2);
    town.store->round.next_us = 0;
    TOWN_UNTIL(account_info(bert, &info) == OK && !info.has_work);
    ASSERT(account_info(anna, &info) == OK && info.has_work);
    engine_space_for_tests(town.store->engine, SPACE_CRITICAL);
    TOWN_UNTIL(account_info(anna, &info) == OK && !info.has_work);
}

/* Without room on the disk a stranger's server tries again later, and says why. */
static SUSPENDS void
test_full_disk(void)
{
    const struct store_rcpt req = {.address = STR("anna@here.example"), .size = 1000};
    const struct store_blob_open open = {.size_hint = 1000};
    struct store_blob_open_reply opened;
    struct store_rcpt_reply rep;
    struct store_deliver_reply sent;

    town_people();
    engine_space_for_tests(town.store->engine, SPACE_LOW);
    ASSERT(store_rcpt_call(town.mx, &req, town.a, &rep) == ERR_NO_SPACE);
    ASSERT(store_blob_open_call(town.mx, &open, town.a, &opened) == ERR_NO_SPACE);
    ASSERT(town_deliver("anna@here.example", LETTER, &sent) == ERR_NO_SPACE);
    engine_space_for_tests(town.store->engine, SPACE_PLENTY);
    ASSERT(town_deliver("anna@here.example", LETTER, &sent) == OK && town_inbox(1) == 1);
}

static SUSPENDS void
test_several_mailboxes(void)
{
    struct store_deliver_reply rep;

    town_people();
    ASSERT(town_deliver("team@here.example bert@here.example", LETTER, &rep) == OK);
    ASSERT(rep.qid != 0 && rep.mid == 0);
    TOWN_UNTIL(town_inbox(1) == 1 && town_inbox(2) == 1);
    TOWN_UNTIL(queue_length(town.store->queue) == 0);
    ASSERT(str_eq(town_newest(2), LETTER));
    ASSERT(fiber_sleep(50) == OK);
    ASSERT(town_inbox(1) == 1 && town_inbox(2) == 1);
}

static SUSPENDS uint32_t
open_blob(uint64_t hint)
{
    const struct store_blob_open req = {.size_hint = hint};
    struct store_blob_open_reply rep;

    ASSERT(store_blob_open_call(town.mx, &req, town.a, &rep) == OK && rep.handle != 0);
    return rep.handle;
}

static SUSPENDS enum status
add_blob(uint32_t handle, struct str bytes)
{
    const struct store_blob_add req = {.handle = handle, .bytes = bytes};
    struct store_blob_add_reply rep;

    return store_blob_add_call(town.mx, &req, town.a, &rep);
}

static SUSPENDS enum status
deliver_blob(uint32_t handle)
{
    struct str to = STR("anna@here.example");
    const struct store_deliver req = {.handle = handle,
                                      .body = STR(""),
                                      .sender = STR("s@far.example"),
                                      .rcpts = &to,
                                      .rcpts_count = 1};
    struct store_deliver_reply rep;

    return store_deliver_call(town.mx, &req, town.a, &rep);
}

static SUSPENDS uint32_t
fill_blob(size_t pieces, size_t piece)
{
    uint32_t handle = open_blob(pieces * piece);
    char *bytes = arena_alloc(town.a, piece + 1);

    for (size_t i = 0; i < piece; i++)
        bytes[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : (char)('a' + i % 26);
    ASSERT(add_blob(handle, LETTER) == OK);
    for (size_t i = 0; i < pieces; i++)
        ASSERT(add_blob(handle, str_from(bytes, piece)) == OK);
    return handle;
}

static SUSPENDS void
test_bodies_in_pieces(void)
{
    const struct store_blob_drop drop = {.handle = 0};

    town_people();
    for (size_t pieces = 0; pieces < 12; pieces += 3) { /* in memory, and beyond */
        uint32_t handle = fill_blob(pieces, 64000);
        ASSERT(deliver_blob(handle) == OK);
        ASSERT(town_newest(1).len == LETTER.len + pieces * 64000);
        ASSERT(deliver_blob(handle) == ERR_SYNTAX && add_blob(handle, LETTER) == ERR_SYNTAX);
    }
    ASSERT(town_inbox(1) == 4);
    uint32_t a = fill_blob(2, 64000);
    const struct store_blob_drop gone = {.handle = a};
    ASSERT(store_blob_drop_note(town.mx, &gone) == OK &&
           store_blob_drop_note(town.mx, &drop) == OK);
    ASSERT(add_blob(a, LETTER) == ERR_SYNTAX);
    uint32_t b = open_blob(0);
    ASSERT(b != a && add_blob(b, LETTER) == OK && deliver_blob(b) == OK);
    ASSERT(add_blob(b + 1, LETTER) == ERR_SYNTAX && add_blob(0, LETTER) == ERR_SYNTAX);
    const struct store_blob_open large = {.size_hint = LIMIT_MESSAGE_BYTES + 1};
    struct store_blob_open_reply rep;
    ASSERT(store_blob_open_call(town.mx, &large, town.a, &rep) == ERR_LIMIT);
    ASSERT(town_inbox(1) == 5);
}

static SUSPENDS struct str
read_spool(uint32_t handle, uint64_t offset, uint32_t max)
{
    const struct store_blob_read req = {.handle = handle, .offset = offset, .max = max};
    struct store_blob_read_reply rep;

    ASSERT(store_blob_read_call(town.mx, &req, town.a, &rep) == OK);
    return rep.bytes;
}

/* Small ones stay in memory, large ones are a blob: both are read in pieces, by their channel, and go nowhere. */
static SUSPENDS void
test_spools(void)
{
    const struct store_blob_open req = {.spool = true};
    const struct store_blob_read none = {.handle = open_blob(0), .max = 10};
    struct store_blob_open_reply rep;
    struct store_blob_read_reply bytes;

    town_people();
    ASSERT(store_blob_read_call(town.mx, &none, town.a, &bytes) == ERR_SYNTAX); /* no spool */
    for (size_t pieces = 1; pieces < 200; pieces += 150) {
        ASSERT(store_blob_open_call(town.mx, &req, town.a, &rep) == OK);
        for (size_t i = 0; i < pieces; i++)
            ASSERT(add_blob(rep.handle, i % 2 == 0 ? LETTER : STR("a line\r\n")) == OK);
        uint64_t size = pieces == 1 ? LETTER.len : 75 * (LETTER.len + 8) + LETTER.len;
        if (pieces > 1)
            for (size_t i = 0; i < 2000; i++, size += 64)
                ASSERT(add_blob(rep.handle, str_sub(STR("0123456789012345678901234567890123456789"
                                                        "0123456789012345678901234567890123456789"),
                                                    i % 10, 64)) == OK);
        ASSERT(str_eq(read_spool(rep.handle, 0, (uint32_t)LETTER.len), LETTER));
        ASSERT(read_spool(rep.handle, size, 10).len == 0);
        ASSERT(read_spool(rep.handle, size - 3, 10).len == 3);
        ASSERT(read_spool(rep.handle, UINT64_MAX, 10).len == 0);
        if (pieces > 1)
            ASSERT(str_eq(read_spool(rep.handle, LETTER.len, 8), STR("a line\r\n")) &&
                   str_eq(read_spool(rep.handle, size - 64, 5), STR("90123")));
        ASSERT(add_blob(rep.handle, LETTER) == ERR_SYNTAX); /* complete since it was read */
        ASSERT(deliver_blob(rep.handle) == ERR_SYNTAX);
        const struct store_blob_drop drop = {.handle = rep.handle};
        ASSERT(store_blob_drop_note(town.mx, &drop) == OK);
        const struct store_blob_read again = {.handle = rep.handle, .max = 10};
        ASSERT(store_blob_read_call(town.mx, &again, town.a, &bytes) == ERR_SYNTAX);
    }
    ASSERT(town_inbox(1) == 0 && town.cooked[0] + town.cooked[1] == 0);
}

static SUSPENDS void
test_cook_dies(void)
{
    struct store_deliver_reply rep;

    town_people();
    town.cook_dies = 1;
    ASSERT(town_deliver("anna@here.example", LETTER, &rep) == OK); /* the other one did it */
    TOWN_UNTIL(intake_cooks(town.store->intake) == 1);
    ASSERT(town.cooked[0] + town.cooked[1] == 1 && town_inbox(1) == 1);
}

static SUSPENDS void
test_cook_dies_over_a_large_body(void)
{
    town_people();
    town.cook_dies = 1;
    uint32_t handle = fill_blob(6, 64000);
    ASSERT(deliver_blob(handle) == OK);
    ASSERT(intake_cooks(town.store->intake) == 1 && town_inbox(1) == 1);
    ASSERT(town_newest(1).len == LETTER.len + 6 * 64000);
}

static SUSPENDS void
test_no_cook(void)
{
    struct store_deliver_reply rep;

    town_people();
    town.cook_dies = 2;
    ASSERT(town_deliver("anna@here.example", LETTER, &rep) == ERR_TEMP && town_inbox(1) == 0);
}

static SUSPENDS void
test_loop(void)
{
    AUTO_BUF b = BUF(1 << 20);
    struct store_deliver_reply rep;

    town_people();
    for (int i = 0; i < LIMIT_RECEIVED_FIELDS - 1; i++)
        buf_add_z(&b, "Received: from a by b; Mon, 23 Nov 2026 22:31:12 +0000\r\n");
    size_t fewer = b.len;
    buf_add(&b, LETTER);
    ASSERT(town_deliver("anna@here.example", buf_str(&b), &rep) == OK);
    b.len = fewer;
    buf_add_z(&b, "Received: from a by b; Mon, 23 Nov 2026 22:31:12 +0000\r\n");
    buf_add(&b, LETTER);
    ASSERT(town_deliver("anna@here.example", buf_str(&b), &rep) == ERR_LIMIT);
    ASSERT(str_eq(str_of(ipc_problem()->enhanced), STR("5.4.6")) && town_inbox(1) == 1);
}

static SUSPENDS void
test_who_may_submit(void)
{
    uint64_t qid;

    town_people();
    ASSERT(town_submit(11, "anna@here.example", "bert@here.example", &qid) == OK && qid == 0);
    ASSERT(town_inbox(2) == 1);
    ASSERT(town_submit(11, "Team@here.example", "bert@here.example", &qid) == OK);
    ASSERT(town_submit(11, "", "bert@here.example", &qid) ==
           OK); /* a null sender is for everyone */
    ASSERT(town_submit(11, "bert@here.example", "bert@here.example", &qid) == ERR_DENIED);
    ASSERT(town_submit(11, "x@far.example", "bert@here.example", &qid) == ERR_DENIED);
    ASSERT(town_submit(13, "anna@here.example", "bert@here.example", &qid) == ERR_TEMP);
    const struct store_session_end end = {.session = 11};
    ASSERT(store_session_end_note(town.user, &end) == OK);
    ASSERT(town_submit(11, "anna@here.example", "bert@here.example", &qid) == ERR_TEMP);
    ASSERT(town_inbox(2) == 3);
}

static SUSPENDS const struct store_attempt *
lease_one(void)
{
    const struct store_queue_lease req = {.max = 10};
    struct store_queue_lease_reply rep;

    ASSERT(store_queue_lease_call(town.out, &req, town.a, &rep) == OK);
    ASSERT(rep.attempts_count == 1);
    return rep.attempts;
}

static SUSPENDS enum status
answer(const struct store_attempt *at, uint8_t state, uint32_t code, struct str enhanced)
{
    const struct store_rcpt_result r = {.index = at->rcpts[0].index,
                                        .state = state,
                                        .code = code,
                                        .enhanced = enhanced,
                                        .text = STR("no such user"),
                                        .remote = STR("mx.far.example")};
    const struct store_queue_result req = {
        .qid = at->qid, .lease = at->lease, .results = &r, .results_count = 1};
    struct store_queue_result_reply rep;

    return store_queue_result_call(town.out, &req, town.a, &rep);
}

static SUSPENDS void
test_out_and_report(void)
{
    uint64_t qid;

    town_people();
    ASSERT(town_submit(11, "anna@here.example", "x@far.example y@other.example", &qid) == OK &&
           qid != 0);
    TOWN_UNTIL(town.out_work > 0);
    const struct store_queue_lease two = {.max = 1};
    struct store_queue_lease_reply rep;
    ASSERT(store_queue_lease_call(town.out, &two, town.a, &rep) == OK && rep.attempts_count == 1);
    const struct store_attempt *far = &rep.attempts[0], *other = lease_one();
    ASSERT(str_eq(far->domain, STR("far.example")) && far->rcpts_count == 1);
    ASSERT(str_eq(far->prepend, STR("DKIM-Signature: d=here.example\r\n")));
    const struct store_queue_body part = {.qid = qid, .offset = 6, .max = 4};
    struct store_queue_body_reply body;
    ASSERT(store_queue_body_call(town.out, &part, town.a, &body) == OK);
    ASSERT(str_eq(body.bytes, STR("anna")) && body.size > 50);
    const struct store_queue_body unknown = {.qid = qid + 7, .max = 4};
    ASSERT(store_queue_body_call(town.out, &unknown, town.a, &body) == ERR_DENIED);

    ASSERT(answer(other, 0, 250, STR("2.0.0")) == OK);
    ASSERT(answer(other, 0, 250, STR("2.0.0")) == ERR_NOT_FOUND); /* once */
    ASSERT(answer(far, 2, 550, STR("5.1.1")) == OK);
    TOWN_UNTIL(town_inbox(1) == 1);
    struct str report = town_newest(1);
    ASSERT(contains(report, "Content-Type: multipart/report; report-type=delivery-status"));
    ASSERT(contains(report, "Auto-Submitted: auto-replied\r\n"));
    ASSERT(contains(
        report, "Final-Recipient: rfc822; x@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"));
    ASSERT(contains(report, "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"));
    ASSERT(contains(report, "Remote-MTA: dns; mx.far.example\r\n"));
    ASSERT(contains(report, "Subject: hello\r\n") && !contains(report, "y@other.example"));
    TOWN_UNTIL(queue_length(town.store->queue) == 0);
}

#define NAME "j\xc3\xb6rg"

/* Late: of a delay only the header comes back, whatever RET asked for. */
static SUSPENDS void
check_delay_report(uint64_t qid)
{
    struct queue_message m;
    AUTO_BUF text = BUF(65536);
    ASSERT(queue_get(town.store->queue, qid, town.a, &m) == OK);
    m.arrived.us -= LIMIT_QUEUE_WARN_S * INT64_C(1000000);
    const uint32_t told[] = {0, 0, queue_report_due(&m, &m.rcpts[2], clock_now())};
    ASSERT(told[2] == QUEUE_NOTIFY_DELAY && store_dsn(town.store, &m, told, &text) == OK);
    struct str report = buf_str(&text);
    ASSERT(contains(report, "Action: delayed\r\nStatus: 4.0.0\r\n"));
    ASSERT(contains(report, "Diagnostic-Code: smtp; 451 later\r\n"));
    ASSERT(contains(report, "Will-Retry-Until: "));
    ASSERT(contains(report, "Content-Type: message/global-headers\r\n") &&
           !contains(report, "Text\r\n"));
}

/* Everything RFC 3461 and 6533 can ask for. */
static SUSPENDS void
test_reports_as_asked(void)
{
    const struct store_submit_rcpt to[] = {
        {.address = STR("x@far.example"),
         .notify = QUEUE_NOTIFY_SUCCESS,
         .orcpt = STR("rfc822;X+2By@far.example")},
        {.address = STR(NAME "@far.example")},
        {.address = STR("z@far.example")},
    };
    const struct store_submit req = {
        .session = 11,
        .body = STR("From: anna@here.example\r\nSubject: " NAME
                    "\r\nMessage-ID: <1@x>\r\n\r\nText\r\n"),
        .sender = STR("anna@here.example"),
        .rcpts = to,
        .rcpts_count = COUNT_OF(to),
        .envid = STR("id+3D1"),
        .full_return = true,
        .smtputf8 = true,
    };
    struct store_submit_reply rep;

    town_people();
    ASSERT(store_submit_call(town.user, &req, town.a, &rep) == OK);
    TOWN_UNTIL(town.out_work > 0);
    const struct store_attempt *at = lease_one();
    ASSERT(at->smtputf8 && at->eight_bit && at->rcpts_count == 3);
    const struct store_rcpt_result results[] = {
        {.index = 0,
         .state = 0,
         .code = 250,
         .enhanced = STR("2.0.0"),
         .remote = STR("mx.far.example")},
        {.index = 1,
         .state = 2,
         .enhanced = STR("5.6.7"),
         .text = STR("no"),
         .remote = STR("mx.far.example")},
        {.index = 2,
         .state = 1,
         .code = 451,
         .text = STR("later"),
         .remote = STR("mx.far.example")},
    };
    const struct store_queue_result result = {
        .qid = at->qid, .lease = at->lease, .results = results, .results_count = COUNT_OF(results)};
    struct store_queue_result_reply done;
    ASSERT(store_queue_result_call(town.out, &result, town.a, &done) == OK);
    TOWN_UNTIL(town_inbox(1) == 1);
    struct str report = town_newest(1);
    ASSERT(contains(report, "Original-Envelope-Id: id=1\r\n"));
    ASSERT(contains(report, "Original-Recipient: rfc822; X+y@far.example\r\n"
                            "Final-Recipient: rfc822; x@far.example\r\n"
                            "Action: relayed\r\nStatus: 2.0.0\r\n"));
    ASSERT(contains(report, "Final-Recipient: utf-8; " NAME "@far.example\r\n"
                            "Action: failed\r\nStatus: 5.6.7\r\n"));
    ASSERT(contains(report, "Diagnostic-Code: x-godwit; no\r\n"));
    ASSERT(contains(report, "Content-Type: message/global-delivery-status\r\n"));
    ASSERT(contains(report, "Content-Type: message/global\r\n") && contains(report, "Text\r\n"));
    ASSERT(contains(report, "In-Reply-To: <1@x>\r\n") &&
           !contains(report, "z@far.example\r\nAction"));
    check_delay_report(at->qid);
}

/* Hundreds of refusals make a report that is larger than what a cook takes in one call. */
static SUSPENDS void
test_a_long_report(void)
{
    enum { MANY = 600 };
    struct store_submit_rcpt *to = ARENA_ARRAY(town.a, struct store_submit_rcpt, MANY);
    struct store_rcpt_result *results = ARENA_ARRAY(town.a, struct store_rcpt_result, MANY);
    const struct store_submit req = {.session = 11,
                                     .body = STR("From: anna@here.example\r\n\r\nText\r\n"),
                                     .sender = STR("anna@here.example"),
                                     .rcpts = to,
                                     .rcpts_count = MANY};
    struct store_submit_reply rep;

    town_people();
    for (size_t i = 0; i < MANY; i++) {
        to[i].address = arena_printf(town.a, "somebody.with.a.name.%zu@far.example", i);
        results[i] = (struct store_rcpt_result){
            .index = (uint32_t)i,
            .state = 2,
            .code = 550,
            .enhanced = STR("5.1.1"),
            .text = arena_printf(town.a,
                                 "<%.*s>: Recipient address rejected: User unknown in "
                                 "virtual mailbox table, see https://far.example/why",
                                 STR_FMT(to[i].address)),
            .remote = STR("mx.far.example")};
    }
    ASSERT(store_submit_call(town.user, &req, town.a, &rep) == OK);
    TOWN_UNTIL(town.out_work > 0);
    const struct store_attempt *at = lease_one();
    ASSERT(at->rcpts_count == MANY);
    const struct store_queue_result result = {
        .qid = at->qid, .lease = at->lease, .results = results, .results_count = MANY};
    struct store_queue_result_reply done;
    ASSERT(store_queue_result_call(town.out, &result, town.a, &done) == OK);
    TOWN_UNTIL(town_inbox(1) == 1);
    TOWN_UNTIL(queue_length(town.store->queue) == 0);
}

/* What needs no SMTPUTF8 is sent without. */
static SUSPENDS void
test_smtputf8_where_it_is_needed(void)
{
    const struct store_submit_rcpt to = {.address = STR("x@far.example")};
    struct store_submit req = {
        .session = 11,
        .body = STR("From: anna@here.example\r\n\r\n" NAME "\r\n"),
        .sender = STR("anna@here.example"),
        .rcpts = &to,
        .rcpts_count = 1,
        .smtputf8 = true,
    };
    struct store_submit_reply rep;

    town_people();
    ASSERT(store_submit_call(town.user, &req, town.a, &rep) == OK);
    TOWN_UNTIL(town.out_work > 0);
    const struct store_attempt *at = lease_one();
    ASSERT(!at->smtputf8 && at->eight_bit);
    ASSERT(answer(at, 0, 250, STR("2.0.0")) == OK);
    req.body = STR("From: " NAME " <anna@here.example>\r\n\r\nx\r\n");
    ASSERT(store_submit_call(town.user, &req, town.a, &rep) == OK);
    TOWN_UNTIL(queue_remote_ready(town.store->queue) == 1);
    ASSERT(lease_one()->smtputf8);
}

static SUSPENDS void
test_no_report_on_a_report(void)
{
    struct store_deliver_reply rep;
    struct str to[2] = {STR("away@here.example"), STR("anna@here.example")};
    const struct store_deliver req = {
        .body = LETTER, .sender = STR(""), .rcpts = to, .rcpts_count = 2};

    town_people();
    ASSERT(store_deliver_call(town.mx, &req, town.a, &rep) == OK && rep.qid != 0);
    TOWN_UNTIL(town_inbox(1) == 1 && town.out_work > 0);
    ASSERT(answer(lease_one(), 2, 550, STR("5.1.1")) == OK);
    TOWN_UNTIL(queue_length(town.store->queue) == 0);
    ASSERT(town_inbox(1) == 1);
}

static SUSPENDS void
test_unsigned_without_a_key(void)
{
    uint64_t qid;

    town_people();
    town.keys_refuse = 1;
    ASSERT(town_submit(11, "anna@here.example", "x@far.example", &qid) == OK);
    TOWN_UNTIL(town.out_work > 0);
    ASSERT(lease_one()->prepend.len == 0);
}

static SUSPENDS void
test_out_is_lost(void)
{
    uint64_t qid;

    town_people();
    ASSERT(town_submit(11, "anna@here.example", "x@far.example", &qid) == OK);
    TOWN_UNTIL(town.out_work > 0);
    ASSERT(lease_one()->qid == qid && queue_remote_ready(town.store->queue) == 0);
    ipc_close(town.out);
    TOWN_UNTIL(queue_remote_ready(town.store->queue) == 1);
}

static SUSPENDS void
test_sealed_and_login(void)
{
    const struct store_sealed_put put = {
        .kind = STR("k"), .name = STR("n"), .bytes = STR("secret")};
    const struct store_sealed_get get = {.kind = STR("k")};
    const struct store_login_find find = {.login = STR("ANNA")}, none = {.login = STR("wHo")},
                                  no_name = {.login = STR("@here.example")};
    const struct store_revoke revoke = {.account = 1};
    struct store_sealed_get_reply sealed;
    struct store_sealed_put_reply stored;
    struct store_login_find_reply found;
    struct store_revoke_reply revoked;
    const struct store_verifier_renew renew = {
        .address = STR("anna@here.example"), .was = STR("sealed"), .verifier = STR("anew")};
    struct store_verifier_renew_reply renewed;
    uint64_t qid;

    town_people();
    ASSERT(store_sealed_put_call(town.keys, &put, town.a, &stored) == OK);
    ASSERT(store_sealed_get_call(town.keys, &get, town.a, &sealed) == OK &&
           sealed.records_count == 1);
    ASSERT(str_eq(sealed.records[0].name, STR("n")) &&
           str_eq(sealed.records[0].bytes, STR("secret")));
    ASSERT(store_sealed_get_call(town.auth, &get, town.a, &sealed) == OK &&
           sealed.records_count == 0);
    ASSERT(store_login_find_call(town.auth, &find, town.a, &found) == OK && found.account == 1);
    ASSERT(str_eq(found.verifier, STR("sealed")) &&
           str_eq(found.address, STR("anna@here.example")));
    uint64_t epoch = found.epoch;
    ASSERT(store_verifier_renew_call(town.auth, &renew, town.a, &renewed) == OK);
    ASSERT(store_verifier_renew_call(town.auth, &renew, town.a, &renewed) == ERR_NOT_FOUND);
    ASSERT(store_login_find_call(town.auth, &find, town.a, &found) == OK && found.epoch == epoch);
    ASSERT(str_eq(found.verifier, STR("anew")) && town.revoked == 0);
    ASSERT(store_login_find_call(town.auth, &none, town.a, &found) == OK && found.account == 0);
    ASSERT(found.verifier.len == 0 && str_eq(found.address, STR("who@here.example")));
    ASSERT(store_login_find_call(town.auth, &no_name, town.a, &found) == OK && found.account == 0);
    ASSERT(str_eq(found.address, STR("@here.example")));
    ASSERT(store_revoke_call(town.auth, &revoke, town.a, &revoked) == OK);
    TOWN_UNTIL(town.revoked == 1);
    ASSERT(town_submit(11, "anna@here.example", "bert@here.example", &qid) == ERR_TEMP);
}

static SUSPENDS void
test_admin(void)
{
    const struct admin_domain_add domain = {.name = STR("New.Example"),
                                            .admin = STR("eve@new.example")};
    const struct admin_account_add eve = {
        .address = STR("eve@new.example"), .password = STR("pw"), .quota_bytes = 77};
    const struct admin_account_password pass = {.address = STR("anna@here.example"),
                                                .password = STR("x")};
    const struct admin_queue queue = {.after = 0};
    const struct admin_status ask = {0};
    struct admin_account_password_reply changed;
    struct admin_domain_add_reply domain_rep;
    struct admin_account_add_reply eve_rep;
    struct admin_accounts_reply accounts;
    struct admin_queue_act_reply acted;
    struct admin_queue_reply queued;
    struct admin_status_reply status;
    struct store_rcpt_reply rcpt;
    uint64_t qid;

    town_people();
    ASSERT(admin_domain_add_call(town.admin, &domain, town.a, &domain_rep) == OK);
    ASSERT(str_eq(domain_rep.domain.name, STR("new.example")) && domain_rep.domain.accounts == 0);
    ASSERT(str_eq(domain_rep.domain.selector, STR("sel1")));
    ASSERT(admin_account_add_call(town.admin, &eve, town.a, &eve_rep) == OK);
    ASSERT(eve_rep.account.id != 0 && eve_rep.account.quota_bytes == 77);
    ASSERT(admin_account_add_call(town.admin, &eve, town.a, &eve_rep) == ERR_EXISTS);
    ASSERT(contains(str_of(ipc_problem()->text), "eve@new.example"));
    const struct store_rcpt abuse = {.address = STR("abuse@new.example"), .size = 10};
    ASSERT(store_rcpt_call(town.mx, &abuse, town.a, &rcpt) == OK && rcpt.class == DIRECTORY_LOCAL);
    const struct admin_accounts all = {.after = STR("")}, only = {.only = STR("EVE@new.example")};
    ASSERT(admin_accounts_call(town.admin, &all, town.a, &accounts) == OK);
    ASSERT(accounts.accounts_count == 3 && !accounts.more);
    ASSERT(admin_accounts_call(town.admin, &only, town.a, &accounts) == OK &&
           accounts.accounts_count == 1);
    ASSERT(admin_account_password_call(town.admin, &pass, town.a, &changed) == OK);
    TOWN_UNTIL(town.revoked == 1); /* sessions with the old password end */

    ASSERT(town_submit(12, "bert@here.example", "x@far.example", &qid) == OK);
    ASSERT(admin_queue_call(town.admin, &queue, town.a, &queued) == OK &&
           queued.messages_count == 1);
    ASSERT(queued.messages[0].qid == qid && !queued.more && queued.messages[0].rcpts_count == 1);
    const struct admin_queue_act drop = {.qid = qid, .verb = QUEUE_DROP}, again = {.qid = qid};
    ASSERT(admin_queue_act_call(town.admin, &drop, town.a, &acted) == OK && acted.count == 1);
    ASSERT(admin_queue_act_call(town.admin, &again, town.a, &acted) == ERR_NOT_FOUND);
    ASSERT(admin_status_call(town.admin, &ask, town.a, &status) == OK);
    ASSERT(status.roles_count == 7 && status.queue_length == 0 && status.commits > 0);
    /* the control socket is for the command only, and the command for nothing else */
    ASSERT(admin_status_call(town.user, &ask, town.a, &status) != OK);
}

/* u90 to u99 and u9, in pages of 4. */
static SUSPENDS void
check_search(void)
{
    struct admin_accounts req = {.search = STR("U9"), .max = 4};
    struct admin_accounts_reply rep = {.more = true};
    size_t found = 0, pages = 0;

    for (; rep.more; pages++) {
        ASSERT(admin_accounts_call(town.admin, &req, town.a, &rep) == OK);
        ASSERT(rep.accounts_count <= 4 && (rep.after.len > 0) == rep.more);
        for (size_t i = 0; i < rep.accounts_count; i++)
            ASSERT(str_starts(rep.accounts[i].address, STR("u9")));
        found += rep.accounts_count;
        req.after = rep.after;
    }
    ASSERT(found == 11 && pages == 3);
}

static SUSPENDS void
test_many_accounts(void)
{
    enum { MANY = 200 };
    struct admin_new_account *all = ARENA_ARRAY(town.a, struct admin_new_account, MANY);
    const struct admin_account_add_many req = {.accounts = all, .accounts_count = MANY};
    const struct admin_account_add_many none = {0};
    const struct store_login_find find_hash = {.login = STR("u3@here.example")};
    const struct store_login_find find_none = {.login = STR("u4@here.example")};
    struct admin_account_add_many_reply rep;
    struct store_login_find_reply found;

    town_people();
    for (size_t i = 0; i < MANY; i++)
        all[i] = (struct admin_new_account){.address = arena_printf(town.a, "u%zu@here.example", i),
                                            .password = STR("pw")};
    all[3].password = STR("");
    all[3].hash = STR("kept");
    all[4].password = STR("");
    all[10].address = STR("ANNA@here.example");
    all[11].address = STR("x@far.example");
    all[12].address = STR("no address@");
    all[13].address = all[14].address; /* one of the two */
    ASSERT(admin_account_add_many_call(town.admin, &req, town.a, &rep) == OK);
    ASSERT(rep.results_count == MANY);
    ASSERT(rep.results[10].status == ERR_EXISTS && rep.results[11].status == ERR_NOT_FOUND);
    ASSERT(rep.results[12].status == ERR_SYNTAX && rep.results[12].text.len > 0);
    ASSERT((rep.results[13].status == OK) != (rep.results[14].status == OK));
    for (size_t i = 0; i < MANY; i++)
        ASSERT((i >= 10 && i <= 14) ||
               (rep.results[i].status == OK && rep.results[i].text.len == 0));
    ASSERT(store_login_find_call(town.auth, &find_hash, town.a, &found) == OK);
    ASSERT(found.account != 0 && str_eq(found.verifier, STR("sealed of kept")));
    ASSERT(store_login_find_call(town.auth, &find_none, town.a, &found) == OK);
    ASSERT(found.account != 0 && found.verifier.len == 0);
    ASSERT(admin_account_add_many_call(town.admin, &req, town.a, &rep) == OK);
    for (size_t i = 0; i < MANY; i++)
        ASSERT(rep.results[i].status != OK);
    ASSERT(admin_account_add_many_call(town.admin, &none, town.a, &rep) == OK);
    ASSERT(rep.results_count == 0);
    check_search();
}

static const struct town_row rows[] = {
    {"rcpt", test_rcpt},
    {"one_mailbox_is_listed_at_once", test_one_mailbox_is_listed_at_once},
    {"several_mailboxes", test_several_mailboxes},
    {"round", test_round},
    {"full_disk", test_full_disk},
    {"bodies_in_pieces", test_bodies_in_pieces},
    {"spools", test_spools},
    {"cook_dies", test_cook_dies},
    {"cook_dies_over_a_large_body", test_cook_dies_over_a_large_body},
    {"no_cook", test_no_cook},
    {"loop", test_loop},
    {"who_may_submit", test_who_may_submit},
    {"out_and_report", test_out_and_report},
    {"reports_as_asked", test_reports_as_asked},
    {"a_long_report", test_a_long_report},
    {"smtputf8_where_it_is_needed", test_smtputf8_where_it_is_needed},
    {"no_report_on_a_report", test_no_report_on_a_report},
    {"unsigned_without_a_key", test_unsigned_without_a_key},
    {"out_is_lost", test_out_is_lost},
    {"sealed_and_login", test_sealed_and_login},
    {"admin", test_admin},
    {"many_accounts", test_many_accounts},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return town_main("store", rows, COUNT_OF(rows), argv);
}
