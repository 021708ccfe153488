/* dsn_test.c - reports are read back with the MIME parser and their fields compared.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/encode.h"
#include "base/size.h"
#include "mail/dsn.h"
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "mail/mime.h"

static const struct dsn_recipient failed = {
    .address = {"bob@example.net", 15},
    .original = {"rfc822;robert@example.net", 25},
    .action = DSN_FAILED,
    .status = {"5.1.1", 5},
    .remote = {"mx.example.net", 14},
    .diagnostic = {"550 5.1.1 no such user", 22},
    .last_attempt = {INT64_C(1795467672000000)},
};

static struct dsn
sample(const struct dsn_recipient *r, uint32_t count)
{
    return (struct dsn){.host = STR("mx.example.org"),
                        .domain = STR("example.org"),
                        .sender = STR("anna@example.org"),
                        .unique = STR("0123456789abcdef0123456789abcdef"),
                        .envelope_id = STR("QQ314159"),
                        .subject = STR(" =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n again"),
                        .message_id = STR("m@example.org"),
                        .now = {INT64_C(1795467672000000)},
                        .arrival = {INT64_C(1795460000000000)},
                        .recipients = r,
                        .count = count};
}

static const char original[] = "From: anna@example.org\r\nSubject: x\r\n\r\n";

static void
check_field(struct str block, const char *name, const char *want)
{
    AUTO_BUF b = BUF(5000);
    AUTO_BUF shown = BUF(5000);
    struct header_field f;

    if (!header_find(block, str_of(name), &f))
        fail_msg("no %s", name);
    header_unfold(&b, f.value);
    encoded_word_decode(buf_str(&b), &shown);
    if (!str_eq(buf_str(&shown), str_of(want)))
        fail_msg("%s: %.*s", name, STR_FMT(buf_str(&shown)));
}

static void
check_lines(struct str text)
{
    struct str line = STR_NONE;

    while (str_split(&text, '\n', &line)) {
        assert_true(line.len <= 999);
        assert_true(line.len == 0 || line.ptr[line.len - 1] == '\r');
    }
}

static struct str
part_text(struct str message, const struct mime_part *p)
{
    return str_sub(message, p->body_at, p->end - p->body_at);
}

static void
test_failure(void **state)
{
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
    AUTO_BUF b = BUF(100000);
    struct dsn d = sample(&failed, 1);
    struct mime_tree t;
    struct content c;
    struct str type = STR_NONE;
    (void)state;

    d.future_release = STR("for;60");
    d.deliver_by = (struct instant){INT64_C(1795460060000000)};
    assert_int_equal(dsn_write(&b, &d, STR(original)), OK);
    struct str text = buf_str(&b);
    check_lines(text);
    mime_parse(text, a, &t);
    assert_int_equal(t.count, 4);
    struct str header = str_sub(text, 0, t.parts[0].body_at);
    check_field(header, "From", "Mail Delivery System <postmaster@example.org>");
    check_field(header, "To", "<anna@example.org>");
    check_field(header, "Subject",
                "Not delivered: Gr\xc3\xbc\xc3\x9f"
                "e again");
    check_field(header, "Auto-Submitted", "auto-replied");
    check_field(header, "In-Reply-To", "<m@example.org>");
    check_field(header, "Date", "Mon, 23 Nov 2026 21:01:12 +0000");
    assert_true(mime_is(&t.parts[0], STR("multipart"), STR("report")));
    mime_content(&t.parts[0], a, &c);
    assert_true(param_raw(&c.params, STR("report-type"), &type));
    assert_true(str_eq(type, STR("delivery-status")));

    assert_true(mime_is(&t.parts[1], STR("text"), STR("plain")));
    struct str human = part_text(text, &t.parts[1]);
    assert_true(str_find_str(human, STR("could not be delivered")) >= 0);
    assert_true(str_find_str(human, STR("  bob@example.net\r\n    There is no such address")) >= 0);
    assert_true(str_find_str(human, STR("mx.example.net said: 550 5.1.1 no such user")) >= 0);

    assert_true(mime_is(&t.parts[2], STR("message"), STR("delivery-status")));
    struct str status = part_text(text, &t.parts[2]);
    check_field(status, "Reporting-MTA", "dns; mx.example.org");
    check_field(status, "Original-Envelope-Id", "QQ314159");
    check_field(status, "Arrival-Date", "Mon, 23 Nov 2026 18:53:20 +0000");
    check_field(status, "Future-Release-Request", "for;60");
    check_field(status, "Deliver-By-Date", "Mon, 23 Nov 2026 18:54:20 +0000");
    struct str recipient = str_skip(status, header_block_len(status));
    check_field(recipient, "Original-Recipient", "rfc822; robert@example.net");
    check_field(recipient, "Final-Recipient", "rfc822; bob@example.net");
    check_field(recipient, "Action", "failed");
    check_field(recipient, "Status", "5.1.1");
    check_field(recipient, "Remote-MTA", "dns; mx.example.net");
    check_field(recipient, "Diagnostic-Code", "smtp; 550 5.1.1 no such user");
    check_field(recipient, "Last-Attempt-Date", "Mon, 23 Nov 2026 21:01:12 +0000");

    assert_true(mime_is(&t.parts[3], STR("text"), STR("rfc822-headers")));
    assert_true(str_eq(part_text(text, &t.parts[3]), STR(original)));
}

/* Several outcomes: the worst names the report, and each recipient is told of in its place. */
static void
test_mixed(void **state)
{
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
    AUTO_BUF b = BUF(100000);
    struct dsn_recipient r[4] = {failed, failed, failed, failed};
    struct mime_tree t;
    (void)state;

    r[0].action = DSN_DELIVERED;
    r[0].status = STR("2.1.5");
    r[1].action = DSN_DELAYED;
    r[1].status = STR("garbage");
    r[1].retry_until = (struct instant){INT64_C(1795500000000000)};
    r[2].address = STR("j\xc3\xb6rg@example.net");
    r[3].action = DSN_RELAYED;
    r[3].own_words = true;
    struct dsn d = sample(r, 4);
    d.original = DSN_WHOLE_MESSAGE;
    d.original_utf8 = true;
    assert_int_equal(dsn_write(&b, &d, STR("From: a\r\n\r\nbody\r\n")), OK);
    struct str text = buf_str(&b);
    mime_parse(text, a, &t);
    assert_int_equal(t.count, 5);
    assert_true(mime_is(&t.parts[3], STR("message"), STR("global")));
    assert_int_equal(t.parts[3].kind, MIME_MESSAGE);
    assert_true(mime_is(&t.parts[2], STR("message"), STR("global-delivery-status")));
    struct str human = part_text(text, &t.parts[1]);
    ssize_t no = str_find_str(human, STR("could not be delivered"));
    ssize_t late = str_find_str(human, STR("has not reached"));
    ssize_t yes = str_find_str(human, STR("put into the mailboxes"));
    assert_true(no > 0 && no < late && late < yes);
    assert_true(str_find_str(human, STR("It is tried until Tue, 24 Nov 2026 06:00:00 +0000.")) > 0);
    struct str status = part_text(text, &t.parts[2]);
    static const char *const codes[] = {"2.1.5", "4.0.0", "5.1.1", "5.1.1"};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        status = str_skip(status, header_block_len(status));
        check_field(status, "Status", codes[i]);
        check_field(status, "Final-Recipient",
                    i == 2 ? "utf-8; j\xc3\xb6rg@example.net" : "rfc822; bob@example.net");
        check_field(status, "Remote-MTA", "dns; mx.example.net");
        check_field(status, "Diagnostic-Code",
                    i == 3 ? "x-godwit; 550 5.1.1 no such user" : "smtp; 550 5.1.1 no such user");
    }
    assert_true(str_find_str(human, STR("\r\n    550 5.1.1 no such user\r\n")) > 0); /* our words */
    check_field(str_sub(text, 0, t.parts[0].body_at), "Subject",
                "Not delivered: Gr\xc3\xbc\xc3\x9f"
                "e again");
}

/* Words of others stay in their place. */
static void
test_injection(void **state)
{
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
    AUTO_BUF b = BUF(200000);
    AUTO_BUF evil = BUF(5000);
    struct dsn_recipient r = failed;
    struct header_field f;
    struct mime_tree t;
    (void)state;

    for (int i = 0; i < 300; i++)
        buf_add(&evil,
                STR("x\r\n--=_report_0123456789abcdef0123456789abcdef\r\nBcc: a@b\r\n\r\n\xff"));
    r.address = r.diagnostic = r.remote = r.original = r.status = buf_str(&evil);
    struct dsn d = sample(&r, 1);
    d.subject = d.sender = d.envelope_id = d.message_id = buf_str(&evil);
    assert_int_equal(dsn_write(&b, &d, STR(original)), OK);
    check_lines(buf_str(&b));
    mime_parse(buf_str(&b), a, &t);
    assert_int_equal(t.count, 4);
    assert_false(header_find(buf_str(&b), STR("Bcc"), &f));
    struct str status = part_text(buf_str(&b), &t.parts[2]);
    status = str_skip(status, header_block_len(status));
    check_field(status, "Status", "5.0.0");
    assert_false(header_find(status, STR("Bcc"), &f));
}

static void
test_explain(void **state)
{
    (void)state;
    assert_true(str_starts(dsn_explain(STR("5.1.1")), STR("There is no such address")));
    assert_true(str_starts(dsn_explain(STR("5.1.10")), STR("That domain says")));
    assert_true(str_starts(dsn_explain(STR("4.2.2")), STR("The mailbox is full")));
    assert_true(str_starts(dsn_explain(STR("5.7.10")), STR("You asked for a protected way")));
    assert_true(str_starts(dsn_explain(STR("5.7.30")), STR("You asked for a protected way")));
    assert_true(str_starts(dsn_explain(STR("5.7.26")), STR("The receiving server refused")));
    assert_true(str_starts(dsn_explain(STR("")), STR("The receiving server gave no reason")));
    assert_true(str_starts(dsn_explain(STR("5.9.9")), STR("The receiving server gave no reason")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_injection),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
