/* judge_test.c - strangers' messages as the store takes them: judged, with their field, into INBOX or Junk or not
 * at all; cooks that end in between.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "config/config.h"
#include "cook/spam.h"
#include "dns/resolver.h"
#include "policy/dmarc_row.h"
#include "policy/spf_record.h"
#include "policy/tokens.h"
#include "role/store/mail.h"
#include "role/store/testkit_store.h"
#include "rt/clock.h"
#include "store/correspondents.h"
#include "store/spam.h"
#include "store/tally.h"

#define LETTER "From: s@good.example\r\nSubject: hi\r\n\r\nText\r\n"
#define FIELD  "Authentication-Results: mail.here.example;\r\n\tdmarc="

/* Of role/role.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

static SUSPENDS void
begin(void)
{
    const struct resolver_options o = {
        .zone =
            STR("_dmarc.good.example TXT \"v=DMARC1; p=reject\"\n"
                "_dmarc.mild.example TXT \"v=DMARC1; p=quarantine\"\n"
                "_dmarc.told.example TXT \"v=DMARC1; p=reject; rua=mailto:a@told.example\"\n"
                "_dmarc.test.example TXT \"v=DMARC1; p=reject; t=y; rua=mailto:a@test.example\"\n"
                "told.example A 192.0.2.1\ntest.example A 192.0.2.1\n"
                "good.example A 192.0.2.1\nmild.example A 192.0.2.1\n")};
    struct problem why;

    town_people();
    ASSERT(resolver_new(&o, &town.resolver, &why) == OK);
}

struct trial {
    const char *rcpts;
    struct str message;
    enum spf_result spf;
    uint32_t handle;
    bool allowed;
};

static SUSPENDS enum status
deliver(const struct trial *t, struct store_deliver_reply *rep)
{
    struct str list[8], rest = str_of(t->rcpts);
    size_t n = 0;

    while (n < COUNT_OF(list) && str_split(&rest, ' ', &list[n]))
        n++;
    const struct store_deliver req = {
        .handle = t->handle,
        .body = t->handle != 0 ? STR("") : t->message,
        .sender = STR("s@good.example"),
        .rcpts = list,
        .rcpts_count = n,
        .checks = {.on = true,
                   .client = STR("192.0.2.9"),
                   .helo = STR("h.example"),
                   .spf = (uint8_t)t->spf,
                   .spf_domain = STR("good.example"),
                   .allowed = t->allowed},
    };
    return store_deliver_call(town.mx, &req, town.a, rep);
}

static SUSPENDS uint32_t
exists_in(uint64_t id, bool junk)
{
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, id);
    struct mailbox_info info;
    uint32_t box = MAILBOX_INBOX;

    ASSERT(!junk || mailbox_find_special(account, SPECIAL_JUNK, &box) == OK);
    ASSERT(mailbox_get(account, box, town.a, &info) == OK);
    return info.exists;
}

static SUSPENDS uint32_t
junk_of(uint64_t id)
{
    return exists_in(id, true);
}

static SUSPENDS uint32_t
inbox_of(uint64_t id)
{
    return exists_in(id, false);
}

static SUSPENDS void
test_taken(void)
{
    const struct trial t = {.rcpts = "anna@here.example", .message = STR(LETTER), .spf = SPF_PASS};
    struct store_deliver_reply rep;

    begin();
    ASSERT(deliver(&t, &rep) == OK && rep.mid != 0 && town_inbox(1) == 1);
    struct str stored = town_newest(1);
    ASSERT(str_starts(stored, STR(FIELD "pass ")) && str_ends(stored, STR("\r\n" LETTER)));
    /* Nobody to ask: it is taken all the same. */
    resolver_free(&town.resolver);
    const struct trial forged = {
        .rcpts = "anna@here.example", .message = STR(LETTER), .spf = SPF_FAIL};
    ASSERT(deliver(&forged, &rep) == OK && town_inbox(1) == 2);
    ASSERT(str_starts(town_newest(1), STR(FIELD "temperror ")));
    ipc_close(town.out);
    ASSERT(deliver(&forged, &rep) == OK && town_inbox(1) == 3);
    ASSERT(str_starts(town_newest(1), STR(FIELD "temperror ")));
}

static SUSPENDS void
test_refused(void)
{
    const struct trial t = {
        .rcpts = "anna@here.example bert@here.example", .message = STR(LETTER), .spf = SPF_FAIL};
    struct store_deliver_reply rep;

    begin();
    ASSERT(deliver(&t, &rep) == ERR_DENIED);
    ASSERT(ipc_problem()->reply == 550);
    ASSERT(str_find_str(str_of(ipc_problem()->text), STR("good.example, which asks for p=reject")) >
           0);
    ASSERT(town_inbox(1) == 0 && queue_length(town.store->queue) == 0);
    /* The mildest of the domains has the word. */
    static const struct config_dmarc off = {{"Here.Example", 12}, DMARC_MODE_OFF};
    struct config changed = *town.store->config;
    changed.dmarc_domains = &off;
    changed.dmarc_domain_count = 1;
    town.store->config = &changed;
    ASSERT(deliver(&t, &rep) == OK && rep.qid != 0);
    TOWN_UNTIL(town_inbox(1) == 1 && town_inbox(2) == 1);
    ASSERT(junk_of(1) == 0);
}

/* At once, by the queue, and where there is no Junk any more. */
static SUSPENDS void
test_junk(void)
{
    struct trial t = {.rcpts = "anna@here.example",
                      .message = STR("List-Id: <l.example>\r\n" LETTER),
                      .spf = SPF_FAIL};
    struct store_deliver_reply rep;
    uint32_t box;

    begin();
    ASSERT(deliver(&t, &rep) == OK && rep.qid == 0 && junk_of(1) == 1 && town_inbox(1) == 1);
    t.rcpts = "team@here.example";
    ASSERT(deliver(&t, &rep) == OK && rep.qid != 0);
    TOWN_UNTIL(junk_of(1) == 2 && junk_of(2) == 1);
    TOWN_UNTIL(queue_length(town.store->queue) == 0);
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, 1);
    ASSERT(mailbox_find_special(account, SPECIAL_JUNK, &box) == OK);
    ASSERT(mailbox_delete(account, box, clock_now()) == OK);
    t.rcpts = "anna@here.example";
    ASSERT(deliver(&t, &rep) == OK && rep.qid == 0);
    ASSERT(str_starts(town_newest(1), STR(FIELD "fail ")));
}

/* It does not leave us, and nobody hears of that. */
static SUSPENDS void
test_junk_stays_here(void)
{
    struct trial t = {.rcpts = "away@here.example",
                      .message = STR("From: s@mild.example\r\n\r\nx\r\n"),
                      .spf = SPF_FAIL};
    struct store_deliver_reply rep;

    begin();
    ASSERT(deliver(&t, &rep) == ERR_DENIED && queue_length(town.store->queue) == 0);
    t.rcpts = "away@here.example bert@here.example";
    ASSERT(deliver(&t, &rep) == OK);
    TOWN_UNTIL(junk_of(2) == 1);
    TOWN_UNTIL(queue_length(town.store->queue) == 0); /* no report to s@good.example */
    ASSERT(town.out_work == 0 || queue_remote_ready(town.store->queue) == 0);
}

/* "disposition dkim spf reason count" of each counted record of a domain. */
static SUSPENDS struct str
counted(const char *domain)
{
    const struct tally_group g = {
        .kind = TALLY_DMARC, .day = tally_day(clock_now()), .domain = str_of(domain)};
    AUTO_BUF b = BUF(4096);
    const struct tally_row *rows;
    size_t n;

    ASSERT(tally_write(town.store->tally) == OK);
    ASSERT(tally_rows(town.store->tally, &g, town.a, &rows, &n) == OK);
    for (size_t i = 0; i < n; i++) {
        struct dmarc_report policy;
        struct report_record r;
        ASSERT(dmarc_row_read(rows[i].bytes, town.a, &policy, &r) == OK);
        ASSERT(str_eq(policy.p, STR("reject")) && str_eq(r.source_ip, STR("192.0.2.9")));
        buf_addf(&b, "%.*s %.*s %.*s %.*s %llu;", STR_FMT(r.disposition), STR_FMT(r.dkim),
                 STR_FMT(r.spf), STR_FMT(r.reason), (unsigned long long)rows[i].count);
    }
    return arena_str(town.a, buf_str(&b));
}

/* What is refused counts, and what is let off says why; whoever names nobody to tell does not count. */
static SUSPENDS void
test_counted(void)
{
    struct trial t = {.rcpts = "anna@here.example",
                      .message = STR("From: s@told.example\r\n\r\nx\r\n"),
                      .spf = SPF_FAIL};
    const struct config *old = town.store->config;
    struct config changed = *old;
    struct store_deliver_reply rep;

    begin();
    ASSERT(deliver(&t, &rep) == ERR_DENIED && counted("told.example").len == 0); /* off */
    changed.reports = true;
    town.store->config = &changed;
    ASSERT(deliver(&t, &rep) == ERR_DENIED && deliver(&t, &rep) == ERR_DENIED);
    ASSERT(str_eq(counted("told.example"), STR("reject fail fail  2;")));
    t.message = STR("From: s@test.example\r\n\r\nx\r\n");
    ASSERT(deliver(&t, &rep) == OK);
    ASSERT(str_eq(counted("test.example"), STR("quarantine fail fail policy_test_mode 1;")));
    changed.dmarc = DMARC_MODE_OFF;
    t.message = STR("From: s@test.example\r\nSubject: Report Domain: x\r\n\r\nx\r\n");
    ASSERT(deliver(&t, &rep) == OK); /* a forged report is a forgery */
    ASSERT(str_find_str(counted("test.example"), STR("none fail fail local_policy 1;")) >= 0);
    t.message = STR(LETTER);
    ASSERT(deliver(&t, &rep) == OK && counted("good.example").len == 0);
    town.store->config = old;
}

/* A cook that ends with a message costs it a second look; two cost it the answer. */
static SUSPENDS void
test_cooks_that_end(void)
{
    const struct trial t = {.rcpts = "anna@here.example", .message = STR(LETTER), .spf = SPF_PASS};
    struct store_deliver_reply rep;

    begin();
    town.judge_dies = 1;
    ASSERT(deliver(&t, &rep) == OK && town_inbox(1) == 1);
    ASSERT(str_starts(town_newest(1), STR(FIELD "pass ")));
}

static SUSPENDS void
test_cooks_that_all_end(void)
{
    const struct trial t = {.rcpts = "anna@here.example", .message = STR(LETTER), .spf = SPF_PASS};
    struct store_deliver_reply rep;

    begin();
    town.look_dies = 2;
    ASSERT(deliver(&t, &rep) == ERR_TEMP && town_inbox(1) == 0);
    ASSERT(town.store->intake != NULL && queue_length(town.store->queue) == 0);
}

static SUSPENDS struct str
large(uint32_t *handle_out)
{
    const struct store_blob_open open = {.size_hint = 0};
    struct store_blob_open_reply opened;
    struct store_blob_add_reply added;
    struct str all = STR(LETTER);

    for (int i = 0; i < 14; i++) /* some 700 KiB */
        all = arena_printf(town.a, "%.*s%.*s", STR_FMT(all), STR_FMT(all));
    ASSERT(store_blob_open_call(town.mx, &open, town.a, &opened) == OK);
    *handle_out = opened.handle;
    for (struct str rest = all; rest.len > 0; rest = str_skip(rest, 50000)) {
        const struct store_blob_add add = {.handle = opened.handle,
                                           .bytes = str_sub(rest, 0, 50000)};
        ASSERT(store_blob_add_call(town.mx, &add, town.a, &added) == OK);
    }
    return all;
}

/* The same for one that streams: as it came into its blob, and written once more. */
static SUSPENDS void
test_large(void)
{
    struct trial t = {.rcpts = "anna@here.example", .spf = SPF_PASS};
    struct store_deliver_reply rep;

    begin();
    for (uint64_t i = 0; i < 2; i++) {
        struct str all = large(&t.handle);
        town.judge_dies = (uint32_t)i;
        ASSERT(deliver(&t, &rep) == OK && town_inbox(1) == i + 1);
        struct str stored = town_newest(1);
        ASSERT(str_starts(stored, STR(FIELD "pass ")) && str_ends(stored, all));
        ASSERT(stored.len < all.len + 1000);
    }
    large(&t.handle);
    t.spf = SPF_FAIL;
    ASSERT(deliver(&t, &rep) == ERR_DENIED && town_inbox(1) == 2);
}

/* Names that look like ours, for everybody; like those that somebody wrote to, for that one. */
static SUSPENDS void
test_imitation(void)
{
    static const struct {
        const char *from, *rcpts, *warning;
    } cases[] = {
        {"boss@here.examp1e", "anna@here.example",
         "imitation from=here.examp1e like=here.example ("},
        {"boss@here.example <x@far.example>", "anna@here.example", NULL},
        {"here.exarnple <x@far.example>", "bert@here.example",
         "imitation name=here.exarnple like="},
        {"s@bi11s.example", "anna@here.example",
         "imitation from=bi11s.example (it looks like a domain that"},
        {"s@bi11s.example", "bert@here.example", NULL}, /* he wrote to neither */
        {"s@bills.example", "anna@here.example", NULL},
        {"s@bills.example", "bert@here.example", NULL},
        {"s@noon.example", "anna@here.example", NULL}, /* she wrote to both */
        {"s@no0n.example", "anna@here.example", NULL},
    };
    struct store_deliver_reply rep;
    uint64_t qid;

    begin();
    ASSERT(town_submit(11, "anna@here.example", "a@bills.example b@bills.example", &qid) == OK);
    ASSERT(town_submit(11, "anna@here.example", "a@noon.example b@no0n.example", &qid) == OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct trial t = {.rcpts = cases[i].rcpts,
                                .message =
                                    arena_printf(town.a, "From: %s\r\n\r\nx\r\n", cases[i].from),
                                .spf = SPF_PASS};
        ASSERT(deliver(&t, &rep) == OK);
        struct str stored = town_newest(cases[i].rcpts[0] == 'a' ? 1 : 2);
        ssize_t at = str_find_str(stored, STR("\r\nX-Godwit-Warning: "));
        if ((at >= 0) != (cases[i].warning != NULL) ||
            (at >= 0 && !str_starts(str_skip(stored, (size_t)at + 20), str_of(cases[i].warning))))
            fail_msg("%s to %s: %.*s", cases[i].from, cases[i].rcpts, STR_FMT(stored));
    }
}

#define ADVERT                                                                                    \
    "Subject: MAKE MONEY FAST!!!     x81\r\nX-Priority: 1\r\nContent-Type: text/html\r\n\r\n"     \
    "<html><font color=#ff0000>Click here to order now! 100% free, money back guarantee.</font> " \
    "<a href=http://10.1.2.3/remove>click below to be removed from our mailing list</a>\r\n"

static SUSPENDS void
writes_to(uint64_t id, struct str address)
{
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, id);
    const uint64_t hash = correspondent_hash(address);

    ASSERT(correspondents_add(account, &hash, 1, clock_now()) == OK);
}

/* The score alone makes it junk; whom the account has written to never is. */
static SUSPENDS void
test_spam(void)
{
    struct trial t = {.rcpts = "anna@here.example",
                      .message = STR("From: Win <Win@good.example>\r\n" ADVERT),
                      .spf = SPF_PASS};
    struct store_deliver_reply rep;

    begin();
    ASSERT(deliver(&t, &rep) == OK && rep.qid == 0 && junk_of(1) == 1 && inbox_of(1) == 0);
    writes_to(1, STR("win@good.example"));
    ASSERT(deliver(&t, &rep) == OK && junk_of(1) == 1 && inbox_of(1) == 1);
    struct str stored = town_newest(1);
    ASSERT(str_starts(stored, STR(FIELD "pass ")));
    ASSERT(str_find_str(stored, STR("\r\nX-Godwit-Spam: score=")) > 0);
    ASSERT(str_ends(stored, t.message));
    /* Each for himself, by the queue. */
    t.rcpts = "team@here.example";
    ASSERT(deliver(&t, &rep) == OK && rep.qid != 0);
    TOWN_UNTIL(inbox_of(1) == 2 && junk_of(2) == 1);
    ASSERT(junk_of(1) == 1 && inbox_of(2) == 0);
    /* An address that anybody can write is none. */
    t.message = STR("From: <win@evil.example>\r\n" ADVERT);
    t.rcpts = "anna@here.example";
    writes_to(1, STR("win@evil.example"));
    ASSERT(deliver(&t, &rep) == OK && junk_of(1) == 2 && inbox_of(1) == 2);
    /* Unless nothing could be looked at. */
    t.spf = SPF_TEMPERROR;
    ASSERT(deliver(&t, &rep) == OK && junk_of(1) == 2 && inbox_of(1) == 3);
    /* A correspondent or not, what its domain wants in quarantine goes there. */
    writes_to(1, STR("s@mild.example"));
    t.message = STR("From: s@mild.example\r\n\r\nx\r\n");
    t.spf = SPF_FAIL;
    ASSERT(deliver(&t, &rep) == OK && junk_of(1) == 3);
}

static SUSPENDS void
says(enum spam_kind kind, bool proven, const struct spam_tokens *t)
{
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, 1);
    const struct spam_said said = {.mid = 1000,
                                   .kind = kind,
                                   .author = correspondent_hash(STR("win@good.example")),
                                   .proven = proven};

    ASSERT(spam_learn(account, &said, t, clock_now()) == OK);
}

/* What the owner said of an author holds, for what is shown to be his. */
static SUSPENDS void
test_what_was_moved(void)
{
    const struct spam_tokens none = {NULL, 0, TOKENS_VERSION};
    struct trial advert = {.rcpts = "anna@here.example",
                           .message = STR("From: win@good.example\r\n" ADVERT),
                           .spf = SPF_PASS};
    struct trial letter = {.rcpts = "anna@here.example",
                           .message = STR("From: win@good.example\r\nSubject: hi\r\n\r\nText\r\n"),
                           .spf = SPF_PASS};
    struct store_deliver_reply rep;

    begin();
    ASSERT(deliver(&letter, &rep) == OK && inbox_of(1) == 1);
    says(SPAM_UNWANTED, false, &none);
    ASSERT(deliver(&letter, &rep) == OK && inbox_of(1) == 2 && junk_of(1) == 0);
    says(SPAM_UNWANTED, true, &none);
    ASSERT(deliver(&letter, &rep) == OK && inbox_of(1) == 2 && junk_of(1) == 1);
    letter.rcpts = "bert@here.example";
    ASSERT(deliver(&letter, &rep) == OK && inbox_of(2) == 1);
    says(SPAM_WANTED, true, &none);
    ASSERT(deliver(&advert, &rep) == OK && inbox_of(1) == 3 && junk_of(1) == 1);
    advert.message = STR("From: <win@evil.example>\r\n" ADVERT);
    ASSERT(deliver(&advert, &rep) == OK && inbox_of(1) == 3 && junk_of(1) == 2);
    /* A correspondent is above what was moved. */
    says(SPAM_UNWANTED, true, &none);
    writes_to(1, STR("win@good.example"));
    letter.rcpts = "anna@here.example";
    ASSERT(deliver(&letter, &rep) == OK && inbox_of(1) == 4 && junk_of(1) == 2);
}

static SUSPENDS void
learns(struct str message, enum spam_kind kind, uint64_t mid)
{
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, 1);
    struct cook_learn_reply read;

    spam_read(message, town.a, &read);
    const struct spam_said said = {.mid = mid, .kind = kind};
    const struct spam_tokens t = {read.tokens, read.tokens_count, TOKENS_VERSION};
    ASSERT(spam_learn(account, &said, &t, clock_now()) == OK);
}

/* Its own counts make a message junk for one account, and another wanted; at once and by the queue. */
static SUSPENDS void
test_own_counts(void)
{
    struct trial t = {.rcpts = "anna@here.example",
                      .message = STR("From: x@good.example\r\nSubject: zorgle blimpo\r\n\r\n"
                                     "Quabble frimp wozzle snerd plimbo gratch vund.\r\n"),
                      .spf = SPF_PASS};
    struct store_deliver_reply rep;

    begin();
    ASSERT(deliver(&t, &rep) == OK && inbox_of(1) == 1);
    for (uint64_t mid = 1; mid <= 4; mid++)
        learns(t.message, SPAM_UNWANTED, mid);
    ASSERT(deliver(&t, &rep) == OK && inbox_of(1) == 1 && junk_of(1) == 1);
    t.rcpts = "anna@here.example bert@here.example";
    ASSERT(deliver(&t, &rep) == OK && rep.qid != 0);
    TOWN_UNTIL(junk_of(1) == 2 && inbox_of(2) == 1);
    for (uint64_t mid = 1; mid <= 4; mid++)
        learns(t.message, SPAM_WANTED, mid);
    t.rcpts = "anna@here.example";
    ASSERT(deliver(&t, &rep) == OK && inbox_of(1) == 2 && junk_of(1) == 2);
}

/* Nothing is refused by it, and what is sent on goes on. */
static SUSPENDS void
test_spam_is_no_refusal(void)
{
    static const struct config_spam off = {{"here.example", 12}, true};
    struct trial t = {.rcpts = "away@here.example",
                      .message = STR("From: win@good.example\r\n" ADVERT),
                      .spf = SPF_PASS};
    struct store_deliver_reply rep;

    begin();
    ASSERT(deliver(&t, &rep) == OK && rep.qid != 0);
    t.rcpts = "anna@here.example";
    t.allowed = true;
    ASSERT(deliver(&t, &rep) == OK && inbox_of(1) == 1 && junk_of(1) == 0);
    t.allowed = false;
    struct config changed = *town.store->config;
    changed.spam.domains = &off;
    changed.spam.domain_count = 1;
    town.store->config = &changed;
    ASSERT(deliver(&t, &rep) == OK && inbox_of(1) == 2 && junk_of(1) == 0);
    ASSERT(str_find_str(town_newest(1), STR("X-Godwit-Spam")) < 0);
}

int
main(int argc, char **argv)
{
    static const struct town_row rows[] = {
        {"taken", test_taken},
        {"refused", test_refused},
        {"junk", test_junk},
        {"counted", test_counted},
        {"junk_stays_here", test_junk_stays_here},
        {"cooks_that_end", test_cooks_that_end},
        {"cooks_that_all_end", test_cooks_that_all_end},
        {"large", test_large},
        {"imitation", test_imitation},
        {"spam", test_spam},
        {"what_was_moved", test_what_was_moved},
        {"own_counts", test_own_counts},
        {"spam_is_no_refusal", test_spam_is_no_refusal},
    };

    (void)argc;
    return town_main("store_judge", rows, COUNT_OF(rows), argv);
}
