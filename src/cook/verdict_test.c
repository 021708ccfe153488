/* verdict_test.c - messages, what DNS says, and what becomes of them; the field that tells it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cook/verdict.h"

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"
#include "config/config.h"
#include "mail/header.h"
#include "policy/dkim_testkit.h"
#include "policy/dmarc.h"
#include "policy/iprev.h"
#include "policy/spf_record.h"
#include "policy/suffixes.h"

#define FROM(domain) "From: a@" domain "\r\nSubject: x\r\n"
#define BODY         "\r\nHello.\r\n"

/* Names of TXT records are "_dmarc." and the domain, but for keys; "?" cannot be asked for. */
struct record {
    const char *domain, *text;
};

struct row {
    const char *fields; /* before the empty line */
    enum spf_result spf;
    const char *spf_domain;
    const char *signer; /* d=, or NULL */
    struct record zone[3];
    enum verdict_disposition want;
    enum dmarc_result dmarc;
    const char *reason; /* a part of it */
    enum dmarc_mode mode;
    bool broken;     /* its body was changed after it was signed */
    bool key_absent; /* of the signer: it cannot be asked for */
    bool allowed;
    const char *sender; /* NULL: b@ and the SPF domain */
};

static EVP_PKEY *key;
static struct str key_record;

static const struct row rows[] = {
    /* what passes */
    {FROM("good.example"),
     SPF_PASS,
     "good.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_TAKE,
     DMARC_PASS,
     ""},
    {FROM("good.example"),
     SPF_FAIL,
     "other.example",
     "mail.good.example",
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_TAKE,
     DMARC_PASS,
     ""},
    /* nothing speaks for it */
    {FROM("good.example"),
     SPF_FAIL,
     "good.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_REFUSE,
     DMARC_FAIL,
     "good.example, which asks for p=reject"},
    {FROM("good.example"),
     SPF_PASS,
     "evil.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_REFUSE,
     DMARC_FAIL,
     "neither SPF nor DKIM"},
    {FROM("good.example"),
     SPF_NONE,
     "",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_REFUSE,
     DMARC_FAIL,
     "neither"},
    {FROM("x.good.example"),
     SPF_NONE,
     "",
     NULL,
     {{"good.example", "v=DMARC1;p=none;sp=reject"}},
     VERDICT_REFUSE,
     DMARC_FAIL,
     "sp=reject"},
    {FROM("good.example"),
     SPF_FAIL,
     "good.example",
     "good.example",
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_REFUSE,
     DMARC_FAIL,
     "neither",
     .broken = true},
    /* as much as the mode allows */
    {FROM("good.example"),
     SPF_NONE,
     "",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "neither",
     .mode = DMARC_MODE_JUNK},
    {FROM("good.example"),
     SPF_NONE,
     "",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_TAKE,
     DMARC_FAIL,
     "",
     .mode = DMARC_MODE_OFF},
    /* something does: a signature of whoever, a list, a forwarder */
    {FROM("good.example"),
     SPF_FAIL,
     "good.example",
     "list.example",
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "neither"},
    {FROM("good.example") "List-Id: <l.list.example>\r\n",
     SPF_PASS,
     "list.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "neither"},
    {FROM("good.example") "Precedence: List\r\n",
     SPF_PASS,
     "list.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "neither"},
    {FROM("good.example") "Precedence: bulk\r\n",
     SPF_PASS,
     "list.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_REFUSE,
     DMARC_FAIL,
     "neither"},
    {FROM("good.example") "Resent-From: me@there.example\r\n",
     SPF_NONE,
     "",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "neither"},
    {FROM("good.example"),
     SPF_PASS,
     "fwd.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "neither",
     .sender = "SRS0=a=b=good.example=a@fwd.example"},
    {FROM("good.example"),
     SPF_FAIL,
     "fwd.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_REFUSE,
     DMARC_FAIL,
     "neither",
     .sender = "SRS0=a=b=good.example=a@fwd.example"},
    {FROM("good.example"),
     SPF_NONE,
     "",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "neither",
     .allowed = true},
    /* milder policies */
    {FROM("good.example"),
     SPF_NONE,
     "",
     NULL,
     {{"good.example", "v=DMARC1;p=quarantine"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "p=quarantine"},
    {FROM("good.example"),
     SPF_NONE,
     "",
     NULL,
     {{"good.example", "v=DMARC1;p=reject;t=y"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "p=reject"},
    {FROM("good.example"),
     SPF_FAIL,
     "good.example",
     NULL,
     {{"good.example", "v=DMARC1;p=none"}},
     VERDICT_TAKE,
     DMARC_FAIL,
     ""},
    /* what could not be asked for */
    {FROM("good.example"),
     SPF_FAIL,
     "good.example",
     NULL,
     {{"good.example", "?"}},
     VERDICT_TAKE,
     DMARC_TEMPERROR,
     ""},
    {FROM("good.example"),
     SPF_TEMPERROR,
     "good.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_TAKE,
     DMARC_TEMPERROR,
     ""},
    {FROM("good.example"),
     SPF_NONE,
     "",
     "good.example",
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_TAKE,
     DMARC_TEMPERROR,
     "",
     .key_absent = true},
    {FROM("good.example"),
     SPF_NONE,
     "",
     "list.example",
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "",
     .key_absent = true},
    {FROM("good.example"),
     SPF_TEMPERROR,
     "other.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_JUNK,
     DMARC_FAIL,
     "neither"},
    /* without DMARC */
    {FROM("plain.example"),
     SPF_FAIL,
     "plain.example",
     NULL,
     {{NULL, NULL}},
     VERDICT_JUNK,
     DMARC_NONE,
     "plain.example says by SPF"},
    {FROM("plain.example"),
     SPF_FAIL,
     "other.example",
     NULL,
     {{NULL, NULL}},
     VERDICT_JUNK,
     DMARC_NONE,
     "other.example says by SPF"},
    {FROM("plain.example"),
     SPF_SOFTFAIL,
     "plain.example",
     NULL,
     {{NULL, NULL}},
     VERDICT_TAKE,
     DMARC_NONE,
     ""},
    {FROM("plain.example"),
     SPF_FAIL,
     "plain.example",
     "any.example",
     {{NULL, NULL}},
     VERDICT_TAKE,
     DMARC_NONE,
     ""},
    {FROM("plain.example"),
     SPF_FAIL,
     "plain.example",
     NULL,
     {{NULL, NULL}},
     VERDICT_TAKE,
     DMARC_NONE,
     "",
     .mode = DMARC_MODE_OFF},
    /* whose mail is it? */
    {"Subject: x\r\n",
     SPF_PASS,
     "good.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_TAKE,
     DMARC_NONE,
     ""},
    {FROM("evil.example") FROM("good.example"),
     SPF_PASS,
     "evil.example",
     NULL,
     {{"good.example", "v=DMARC1;p=reject"}},
     VERDICT_REFUSE,
     DMARC_PERMERROR,
     "more than one From field"},
    {"From: a@a.example, a@b.example, a@c.example, a@d.example, a@e.example\r\n",
     SPF_PASS,
     "a.example",
     NULL,
     {{NULL, NULL}},
     VERDICT_REFUSE,
     DMARC_PERMERROR,
     "too many domains"},
    {FROM("good.example") FROM("good.example"),
     SPF_PASS,
     "good.example",
     NULL,
     {{"good.example", "v=DMARC1;p=none"}},
     VERDICT_REFUSE,
     DMARC_PERMERROR,
     "more than one From field"},
    {"From: =?utf-8?q?ceo=40good.example?=\r\n",
     SPF_PASS,
     "evil.example",
     NULL,
     {{NULL, NULL}},
     VERDICT_JUNK,
     DMARC_PERMERROR,
     "no address with a domain"},
};

static struct str
with_signature(const struct row *r, struct arena *a)
{
    struct str message = arena_printf(a, "%s" BODY, r->fields);

    if (r->signer != NULL)
        message = testkit_sign(
            key,
            arena_printf(a, "v=1; a=ed25519-sha256; c=relaxed/relaxed; s=s; d=%s; h=from",
                         r->signer)
                .ptr,
            message, a);
    return r->broken ? arena_printf(a, "%.*sBuy!\r\n", STR_FMT(message)) : message;
}

static void
answer(const struct row *r, struct str name, struct arena *a, struct cook_dns_answer *out)
{
    struct str *text = ARENA_NEW(a, struct str);

    *out = (struct cook_dns_answer){.found = KEY_ABSENT, .texts = text};
    if (str_find_str(name, STR("._domainkey.")) > 0) {
        *text = key_record;
        out->found = r->key_absent ? KEY_UNKNOWN : KEY_FOUND;
        out->texts_count = 1;
        return;
    }
    for (size_t i = 0; i < COUNT_OF(r->zone) && r->zone[i].domain != NULL; i++) {
        if (!str_eq(str_skip(name, STR("_dmarc.").len), str_of(r->zone[i].domain)))
            continue;
        *text = str_of(r->zone[i].text);
        out->found = str_eq(*text, STR("?")) ? KEY_UNKNOWN : KEY_FOUND;
        out->texts_count = 1;
    }
}

static void
judge(const struct row *r, struct arena *a, struct cook_judge_reply *rep)
{
    const struct verdict_host host = {.name = STR("mail.here.example"), .now_s = 1700000000};
    struct cook_dns_answer answers[COOK_LOOK_REPLY_NAMES_MAX];
    struct cook_look_reply asked = {0};
    struct str sender = r->sender != NULL          ? str_of(r->sender)
                        : r->spf_domain[0] == '\0' ? STR("")
                                                   : arena_printf(a, "b@%s", r->spf_domain);
    const struct cook_stranger who = {.client = STR("192.0.2.1"),
                                      .helo = STR("helo.example"),
                                      .sender = sender,
                                      .spf = (uint8_t)r->spf,
                                      .spf_helo = sender.len == 0,
                                      .spf_domain = str_of(r->spf_domain),
                                      .spf_problem = STR(""),
                                      .iprev = IPREV_PASS,
                                      .iprev_name = STR("c.example"),
                                      .allowed = r->allowed};
    AUTO(verdict_look_free)
    struct verdict_look *l = verdict_look(with_signature(r, a), &who, suffixes_built_in(), &asked);

    for (size_t i = 0; i < asked.names_count; i++)
        answer(r, asked.names[i], a, &answers[i]);
    const struct cook_judge req = {
        .answers = answers, .answers_count = asked.names_count, .dmarc = (uint8_t)r->mode};
    verdict_judge(l, &req, &host, a, rep);
}

/* Whom the author looks like is said, and nothing follows from it. */
static void
test_warnings(void **state)
{
    static const struct {
        const char *from;
        struct cook_imitated what;
        bool known;
        const char *fields;
    } cases[] = {
        {"a@examp1e.test",
         {.which = 0, .like = STR("example.test")},
         true,
         "X-Godwit-Warning: imitation from=examp1e.test like=example.test (it looks like a domain "
         "of "
         "this server)\r\n"},
        {"example.test <a@x.test>",
         {.which = 1, .like = STR("")},
         true,
         "X-Godwit-Warning: imitation name=example.test (it looks like a domain that you have "
         "written to)\r\n"},
        {"a@x.test", {.which = 1, .like = STR("")}, true, ""}, /* there is no second name */
        {"a@x.test", {.which = 0}, false, ""},
        {"a@xn--pypal-4ve.test",
         {.which = 0, .like = STR("paypal.test")},
         true,
         "X-Godwit-Warning: imitation from=xn--pypal-4ve.test like=paypal.test (it looks like a "
         "domain "
         "of this server)\r\nX-Godwit-Warning: alphabets from=xn--pypal-4ve.test (it mixes them to "
         "look "
         "like another name)\r\n"},
        {"P\xd0\xb0yPal <a@x.test>",
         {.which = 0},
         false,
         "X-Godwit-Warning: alphabets name (a word of it mixes them to look like another)\r\n"},
    };
    const struct verdict_host host = {.name = STR("mail.here.example"), .now_s = 1700000000};
    const struct cook_stranger who = {.client = STR("192.0.2.1"), .iprev_name = STR("")};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_ARENA *a = arena_new(4u << 20);
        struct cook_look_reply asked = {0};
        struct cook_judge_reply rep;
        struct str message = arena_printf(a, "From: %s\r\n\r\nx\r\n", cases[i].from);
        AUTO(verdict_look_free)
        struct verdict_look *l = verdict_look(message, &who, suffixes_built_in(), &asked);
        const struct cook_judge req = {.imitates = &cases[i].what,
                                       .imitates_count = cases[i].known ? 1 : 0};
        verdict_judge(l, &req, &host, a, &rep);
        ssize_t at = str_find_str(rep.field, STR("\r\nX-Godwit-Warning: "));
        struct str fields = at < 0 ? STR("") : str_skip(rep.field, (size_t)at + 2);
        assert_int_equal(rep.verdict.disposition, VERDICT_TAKE);
        if (!str_eq(fields, str_of(cases[i].fields)))
            fail_msg("%s: %.*s", cases[i].from, STR_FMT(fields));
    }
}

static bool
holds(struct str s, const char *part)
{
    return part[0] == '\0' ? s.len == 0 : str_find_str(s, str_of(part)) >= 0;
}

static void
test_dispositions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1u << 20);
        struct cook_judge_reply rep = {0};

        judge(&rows[i], a, &rep);
        ROW(i, rep.verdict.disposition == rows[i].want);
        ROW(i, rep.verdict.dmarc == rows[i].dmarc);
        ROW(i, rows[i].want != VERDICT_TAKE || rep.verdict.reason.len == 0);
        if (rows[i].reason[0] != '\0')
            ROW(i, holds(rep.verdict.reason, rows[i].reason));
        static const char *const done[] = {"dis=none", "dis=quarantine", "dis=reject"};
        if (rep.verdict.policy != DMARC_POLICY_UNSAID)
            ROW(i, holds(rep.field, done[rows[i].want]));
    }
}

#define PLAIN(fields_, spf_, domain_, ...)                                       \
    {                                                                            \
        .fields = (fields_), .spf = (spf_), .spf_domain = (domain_), __VA_ARGS__ \
    }

static void
test_standing(void **state)
{
    static const struct {
        struct row row;
        enum verdict_standing want;
    } list[] = {
        {PLAIN(FROM("p.example"), SPF_PASS, "p.example"), STANDING_PROVEN},
        {PLAIN(FROM("p.example"), SPF_PASS, "bounce.p.example"), STANDING_PROVEN},
        {PLAIN(FROM("p.example"), SPF_PASS, "q.example"), STANDING_DOUBTED},
        {PLAIN(FROM("p.example"), SPF_FAIL, "q.example", .signer = "mail.p.example"),
         STANDING_PROVEN},
        {PLAIN(FROM("p.example"), SPF_NONE, "", .signer = "q.example"), STANDING_DOUBTED},
        {PLAIN(FROM("p.example"), SPF_NONE, "", .signer = "p.example", .broken = true),
         STANDING_DOUBTED},
        {PLAIN(FROM("p.example"), SPF_NONE, ""), STANDING_UNCHECKED},
        {PLAIN(FROM("p.example"), SPF_TEMPERROR, "p.example"), STANDING_UNCHECKED},
        {PLAIN(FROM("p.example"), SPF_SOFTFAIL, "p.example"), STANDING_DOUBTED},
        {PLAIN(FROM("p.example"), SPF_NONE, "", .zone = {{"p.example", "v=DMARC1;p=none"}}),
         STANDING_DOUBTED},
        {PLAIN(FROM("p.example"), SPF_PASS, "p.example", .zone = {{"p.example", "?"}}),
         STANDING_DOUBTED},
        {PLAIN(FROM("p.example"), SPF_PASS, "p.example",
               .zone = {{"p.example", "v=DMARC1;p=none"}}),
         STANDING_PROVEN},
        {PLAIN(FROM("p.example") FROM("p.example"), SPF_PASS, "p.example"), STANDING_DOUBTED},
        {PLAIN("From: a@p.example, b@q.example\r\n", SPF_PASS, "p.example"), STANDING_DOUBTED},
        {PLAIN("Subject: x\r\n", SPF_PASS, "p.example"), STANDING_DOUBTED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(list); i++) {
        AUTO_ARENA *a = arena_new(1u << 20);
        struct cook_judge_reply rep = {0};
        judge(&list[i].row, a, &rep);
        ROW(i, rep.verdict.standing == list[i].want);
    }
}

/* Every method says what RFC 8601 has it say. */
static void
test_field(void **state)
{
    const struct row signed_row = {.fields = FROM("good.example"),
                                   .spf = SPF_PASS,
                                   .spf_domain = "good.example",
                                   .signer = "good.example",
                                   .zone = {{"good.example", "v=DMARC1;p=reject"}}};
    const struct row bounce = {
        .fields = FROM("good.example"), .spf = SPF_NEUTRAL, .spf_domain = ""};
    AUTO_ARENA *a = arena_new(1u << 20);
    AUTO_BUF text = BUF(4096);
    struct cook_judge_reply rep = {0};

    (void)state;
    judge(&signed_row, a, &rep);
    header_unfold(&text, rep.field);
    for (size_t i = 0; i < text.len; i++)
        text.ptr[i] = text.ptr[i] == '\t' ? ' ' : text.ptr[i];
    assert_true(
        str_starts(buf_str(&text),
                   STR("Authentication-Results: mail.here.example; dmarc=pass (p=reject dis=none)"
                       " header.from=good.example; spf=pass smtp.mailfrom=b@good.example; dkim=pass"
                       " header.d=good.example header.s=s header.a=ed25519-sha256 header.b=")));
    assert_true(str_ends(rep.field, STR("iprev=pass (c.example) policy.iprev=192.0.2.1\r\n")));
    assert_true(rep.verdict.dkim_aligned && rep.verdict.spf_aligned);
    assert_int_equal(rep.verdict.signatures_count, 1);
    assert_true(str_eq(rep.verdict.signatures[0].domain, STR("good.example")));
    judge(&bounce, a, &rep);
    assert_true(holds(rep.field, "spf=neutral smtp.helo=helo.example"));
    assert_true(holds(rep.field, "dkim=none"));
    assert_true(holds(rep.field, "dmarc=none header.from=good.example"));
}

/* No answer at all: nothing is known, and nothing follows. */
static void
test_no_answers(void **state)
{
    const struct verdict_host host = {.name = STR("mail.here.example"), .now_s = 1700000000};
    const struct row r = {.fields = FROM("good.example"), .signer = "good.example"};
    const struct cook_stranger who = {.client = STR("192.0.2.1"), .spf = SPF_FAIL};
    const struct cook_judge req = {.answers_count = 0};
    AUTO_ARENA *a = arena_new(1u << 20);
    struct cook_look_reply asked = {0};
    struct cook_judge_reply rep = {0};

    (void)state;
    AUTO(verdict_look_free)
    struct verdict_look *l = verdict_look(with_signature(&r, a), &who, suffixes_built_in(), &asked);
    assert_int_equal(asked.names_count, 3); /* a key, and two policies */
    assert_int_equal(asked.exists_count, 1);
    verdict_judge(l, &req, &host, a, &rep);
    assert_int_equal(rep.verdict.disposition, VERDICT_TAKE);
    assert_true(holds(rep.field, "dmarc=temperror"));
    assert_true(holds(rep.field, "dkim=temperror"));
}

/* All that can be long at once: the field has room, and says each of them. */
static void
test_longest(void **state)
{
    AUTO_ARENA *a = arena_new(4u << 20);
    AUTO_BUF label = BUF(64);
    const struct verdict_host host = {.name = STR("mail.here.example")};
    const struct cook_judge req = {.answers_count = 0};
    struct cook_look_reply asked = {0};
    struct cook_judge_reply rep = {0};

    (void)state;
    for (int i = 0; i < 60; i++)
        buf_add_char(&label, 'a');
    struct str domain = arena_printf(a, "%.*s.%.*s.%.*s.example", STR_FMT(buf_str(&label)),
                                     STR_FMT(buf_str(&label)), STR_FMT(buf_str(&label)));
    struct str quoted = arena_printf(a, "\"%.*s\\\\\"@%.*s", STR_FMT(domain), STR_FMT(domain));
    struct str message = STR(FROM("good.example") BODY);
    for (size_t i = 0; i < LIMIT_DKIM_SIGNATURES + 2; i++)
        message = arena_printf(a,
                               "DKIM-Signature: v=1; a=rsa-sha256; d=%.*s; s=b%zu; h=from; "
                               "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n%.*s",
                               STR_FMT(domain), i, STR_FMT(message));
    const struct cook_stranger who = {.client = STR("2001:db8::1"),
                                      .sender = quoted,
                                      .spf = SPF_PERMERROR,
                                      .spf_domain = domain,
                                      .spf_problem = domain,
                                      .iprev_name = domain};
    AUTO(verdict_look_free)
    struct verdict_look *l = verdict_look(message, &who, suffixes_built_in(), &asked);
    verdict_judge(l, &req, &host, a, &rep);
    assert_int_equal(rep.verdict.signatures_count, LIMIT_DKIM_SIGNATURES);
    assert_true(holds(rep.field, "iprev=") && holds(rep.field, "header.s=b9"));
    assert_false(holds(rep.field, "header.s=b1 "));
    assert_true(rep.field.len < COOK_JUDGE_REPLY_FIELD_MAX / 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dispositions), cmocka_unit_test(test_standing),
        cmocka_unit_test(test_field),        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_no_answers),   cmocka_unit_test(test_longest),
    };
    AUTO_ARENA *a = arena_new(65536);

    key = testkit_key(SIG_ED25519, 0);
    key_record = testkit_record(key, "v=DKIM1; k=ed25519; p=", a);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    EVP_PKEY_free(key);
    return failed;
}
