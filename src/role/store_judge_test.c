/* store_judge_test.c - strangers' messages as the store takes them: judged, with their field, into INBOX or Junk or not
 * at all; cooks that end in between.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "config/config.h"
#include "dns/resolver.h"
#include "policy/dmarc_row.h"
#include "policy/spf_record.h"
#include "role/store_mail.h"
#include "role/testkit_store.h"
#include "rt/clock.h"
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
                   .spf_domain = STR("good.example")},
    };
    return store_deliver_call(town.mx, &req, town.a, rep);
}

static SUSPENDS uint32_t
junk_of(uint64_t id)
{
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, id);
    struct mailbox_info info;
    uint32_t box;

    ASSERT(mailbox_find_special(account, SPECIAL_JUNK, &box) == OK);
    ASSERT(mailbox_get(account, box, town.a, &info) == OK);
    return info.exists;
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
    };

    (void)argc;
    return town_main("store_judge", rows, COUNT_OF(rows), argv);
}
