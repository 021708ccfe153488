/* dmarc_test.c - verdicts about messages, with a zone that answers exactly what dmarc_names() asks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dmarc.h"

#include "base/buf.h"
#include "base/size.h"
#include "base/testing.h"
#include "policy/suffixes.h"

enum { IDENTITIES_MAX = 16 };

/* One message and its DNS, in short forms:
 *   from  domains; "!" before one: it is known not to exist
 *   auth  "spf:" or "dkim:" and a domain; "?" behind it: temperror, "-": fail
 *   zone  lines "domain record"; a record "?" cannot be asked for */
struct row {
    const char *from, *auth, *zone;
    const char *want; /* result reason disposition tag policy-domain organization */
    bool no_list;
};

struct trial {
    struct arena *a;
    struct dmarc_facts facts;
    struct dmarc_identity identities[IDENTITIES_MAX];
    struct dmarc_answer answers[LIMIT_DMARC_NAMES];
    struct dmarc_names names;
};

static void
read_from(struct trial *t, struct str words)
{
    struct str word;

    while (str_split(&words, ' ', &word)) {
        bool absent = str_starts(word, STR("!"));
        size_t before = t->facts.from.count;
        dmarc_from_add(&t->facts.from, str_skip(word, absent), t->a);
        if (absent && t->facts.from.count > before)
            t->facts.from.authors[before].existence = DMARC_EXISTS_NOT;
    }
}

static void
read_auth(struct trial *t, struct str words)
{
    struct str word;
    size_t n = 0;

    while (words.len > 0 && str_split(&words, ' ', &word)) {
        struct dmarc_identity id = {.result = DMARC_AUTH_PASS};
        assert_true(n < IDENTITIES_MAX && str_split(&word, ':', &id.domain));
        id.dkim = str_eq(id.domain, STR("dkim"));
        id.domain = word;
        if (str_ends(word, STR("?")) || str_ends(word, STR("-"))) {
            id.result = str_ends(word, STR("?")) ? DMARC_AUTH_TEMPERROR : DMARC_AUTH_FAIL;
            id.domain.len--;
        }
        t->identities[n++] = id;
    }
    t->facts.identities = t->identities;
    t->facts.identity_count = n;
}

static void
answer(struct str zone, struct str name, struct arena *a, struct dmarc_answer *out)
{
    struct str *texts = ARENA_ARRAY(a, struct str, 4);
    struct str line, domain;

    *out = (struct dmarc_answer){.name = name, .texts = texts};
    while (str_split(&zone, '\n', &line)) {
        if (!str_split(&line, ' ', &domain) || !str_eq(domain, str_skip(name, 7)))
            continue;
        if (str_eq(line, STR("?"))) {
            out->kind = DMARC_ANSWER_TEMPERROR;
            return;
        }
        out->kind = DMARC_ANSWER_FOUND;
        assert_true(out->text_count < 4);
        texts[out->text_count++] = line;
    }
}

static void
judge(struct trial *t, const struct row *row, struct dmarc_verdict *v)
{
    t->facts.list = row->no_list ? NULL : suffixes_built_in();
    read_from(t, str_of(row->from));
    read_auth(t, str_of(row->auth));
    dmarc_names(&t->facts, t->a, &t->names);
    for (size_t i = 0; i < t->names.count; i++)
        answer(str_of(row->zone), t->names.names[i], t->a, &t->answers[i]);
    struct dmarc_answers answers = {t->answers, t->names.count};
    dmarc_judge(&t->facts, &answers, v);
}

static void
check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_ARENA *a = arena_new(1 << 20);
        struct trial t = {.a = a};
        struct dmarc_verdict v;

        judge(&t, &rows[i], &v);
        struct str got =
            arena_printf(a, "%s %s %s %s %.*s %.*s", dmarc_result_name(v.result),
                         dmarc_reason_name(v.reason), dmarc_policy_name(v.disposition),
                         v.policy_tag, STR_FMT(v.policy_domain), STR_FMT(v.organization));
        if (!str_eq(got, str_of(rows[i].want)))
            FAIL_AND_STOP("row %zu (%s): %.*s", i, rows[i].from, STR_FMT(got));
    }
}

#define REJECT "example.com v=DMARC1; p=reject"

static void
identities_are_aligned(void **state)
{
    static const struct row rows[] = {
        {"example.com", "spf:example.com", REJECT, "pass aligned none p example.com example.com"},
        {"example.com", "dkim:example.com", REJECT, "pass aligned none p example.com example.com"},
        {"example.com", "dkim:example.com-", REJECT,
         "fail not-aligned reject p example.com example.com"},
        {"example.com", "", REJECT, "fail not-aligned reject p example.com example.com"},
        {"example.com", "dkim:example.net spf:example.net", REJECT,
         "fail not-aligned reject p example.com example.com"},
        {"example.com", "dkim:example.net dkim:mail.example.com", REJECT,
         "pass aligned none p example.com example.com"},
        {"example.com", "dkim:notexample.com", REJECT,
         "fail not-aligned reject p example.com example.com"},
        {"a.example.com", "spf:b.example.com", REJECT,
         "pass aligned none p example.com example.com"},
        {"a.example.com", "spf:example.com", REJECT, "pass aligned none p example.com example.com"},
        /* a suffix is no organization, whatever it publishes */
        {"a.co.uk", "dkim:b.co.uk", "a.co.uk v=DMARC1; p=reject\nco.uk v=DMARC1; p=none",
         "fail not-aligned reject p a.co.uk a.co.uk"},
        {"a.github.io", "dkim:b.github.io dkim:github.io", "github.io v=DMARC1; p=reject",
         "fail not-aligned reject p github.io a.github.io"},
        {"example.com", "dkim:com", REJECT, "fail not-aligned reject p example.com example.com"},
        /* strict, each for itself */
        {"example.com", "dkim:a.example.com", "example.com v=DMARC1; p=reject; adkim=s",
         "fail not-aligned reject p example.com example.com"},
        {"example.com", "spf:a.example.com", "example.com v=DMARC1; p=reject; adkim=s",
         "pass aligned none p example.com example.com"},
        {"example.com", "spf:a.example.com", "example.com v=DMARC1; p=reject; aspf=s",
         "fail not-aligned reject p example.com example.com"},
        {"example.com", "spf:example.com", "example.com v=DMARC1; p=reject; aspf=s",
         "pass aligned none p example.com example.com"},
        /* A-labels */
        {"b\xc3\xbc"
         "cher.example",
         "dkim:mail.xn--bcher-kva.example", "xn--bcher-kva.example v=DMARC1; p=reject",
         "pass aligned none p xn--bcher-kva.example xn--bcher-kva.example"},
        {"B\xc3\x9c"
         "CHER.Example",
         "dkim:xn--bcher-kva.example", "xn--bcher-kva.example v=DMARC1; p=reject; adkim=s",
         "pass aligned none p xn--bcher-kva.example xn--bcher-kva.example"},
    };

    check(rows, COUNT_OF(rows));
    (void)state;
}

/* psd tags have the word, then the list, then the walk. */
static void
organizations_end_somewhere(void **state)
{
    static const struct row rows[] = {
        /* RFC 9989 appendix B.4 */
        {"giant.bank.example", "dkim:mail.mega.bank.example",
         "bank.example v=DMARC1; p=reject; psd=y",
         "fail not-aligned reject p bank.example giant.bank.example"},
        {"mail.giant.bank.example", "dkim:giant.bank.example",
         "bank.example v=DMARC1; p=reject; psd=y",
         "pass aligned none p bank.example giant.bank.example"},
        {"a.dept.example.com", "dkim:b.dept.example.com",
         "dept.example.com v=DMARC1; p=reject; psd=n\nexample.com v=DMARC1; p=none",
         "pass aligned none p dept.example.com dept.example.com"},
        {"a.dept.example.com", "dkim:example.com",
         "dept.example.com v=DMARC1; p=reject; psd=n\nexample.com v=DMARC1; p=none",
         "fail not-aligned reject p dept.example.com dept.example.com"},
        {"example.com", "dkim:dept.example.com",
         "dept.example.com v=DMARC1; p=reject; psd=n\nexample.com v=DMARC1; p=reject",
         "fail not-aligned reject p example.com example.com"},
        /* a public suffix that writes itself is its own organization */
        {"bank.example", "dkim:bank.example", "bank.example v=DMARC1; p=reject; psd=y",
         "pass aligned none p bank.example bank.example"},
        {"bank.example", "dkim:giant.bank.example", "bank.example v=DMARC1; p=reject; psd=y",
         "fail not-aligned reject p bank.example bank.example"},
        /* its owner calls a name an organization that the list has for a suffix; below it only what is asked counts */
        {"a.github.io", "dkim:github.io", "github.io v=DMARC1; p=reject; psd=n",
         "pass aligned none p github.io github.io"},
        /* records of RFC 7489: the list finds what is registered, with a record there or not */
        {"news.example.com", "dkim:example.com", "news.example.com v=DMARC1; p=reject",
         "pass aligned none p news.example.com example.com"},
        {"news.example.com", "dkim:other.example.com", "news.example.com v=DMARC1; p=reject",
         "pass aligned none p news.example.com example.com"},
        /* without a list the highest record ends an organization, and no record is none */
        {"news.example.com", "dkim:example.com", "news.example.com v=DMARC1; p=reject",
         "fail not-aligned reject p news.example.com news.example.com", true},
        {"a.mail.example.com", "dkim:b.example.com", REJECT "\nmail.example.com v=DMARC1; p=none",
         "pass aligned none p example.com example.com", true},
        {"a.example.com", "dkim:b.example.net", REJECT,
         "fail not-aligned reject p example.com example.com", true},
        {"a.example.com", "spf:b.example.com", "com v=DMARC1; p=reject; psd=y",
         "pass aligned none p com example.com", true},
    };

    check(rows, COUNT_OF(rows));
    (void)state;
}

static void
policies_are_found(void **state)
{
    static const struct row rows[] = {
        {"example.com", "", "", "none no-record none   example.com"},
        {"example.com", "", "example.com v=spf1 -all", "none no-record none   example.com"},
        {"example.com", "", REJECT "\nexample.com v=DMARC1; p=none",
         "none no-record none   example.com"},
        {"example.com", "", REJECT "\nexample.com v=spf1 -all",
         "fail not-aligned reject p example.com example.com"},
        {"example.com", "", "example.com v=DMARC1; p=none",
         "fail not-aligned none p example.com example.com"},
        {"example.com", "", "example.com v=DMARC1; p=wrong",
         "none no-policy none  example.com example.com"},
        {"example.com", "", "example.com v=DMARC1; p=wrong; rua=mailto:a@example.com",
         "fail not-aligned none p example.com example.com"},
        /* p, sp, np */
        {"a.example.com", "", "example.com v=DMARC1; p=none; sp=reject; np=quarantine",
         "fail not-aligned reject sp example.com example.com"},
        {"!a.example.com", "", "example.com v=DMARC1; p=none; sp=reject; np=quarantine",
         "fail not-aligned quarantine np example.com example.com"},
        {"!a.example.com", "", "example.com v=DMARC1; p=none; sp=reject",
         "fail not-aligned reject sp example.com example.com"},
        {"!a.example.com", "", REJECT, "fail not-aligned reject p example.com example.com"},
        {"example.com", "", "example.com v=DMARC1; p=none; sp=reject; np=reject",
         "fail not-aligned none p example.com example.com"},
        {"!example.com", "", "example.com v=DMARC1; p=none; np=reject",
         "fail not-aligned none p example.com example.com"},
        {"a.example.com", "", "a.example.com v=DMARC1; p=none; sp=reject\n" REJECT,
         "fail not-aligned none p a.example.com example.com"},
        /* the highest record is the organization's; what stands between is not asked */
        {"a.b.example.com", "", "b.example.com v=DMARC1; p=quarantine\n" REJECT,
         "fail not-aligned reject p example.com example.com"},
        {"a.b.example.com", "", "b.example.com v=DMARC1; p=quarantine",
         "fail not-aligned quarantine p b.example.com example.com"},
        {"a.b.example.com", "", "b.example.com v=DMARC1; p=quarantine; psd=n\n" REJECT,
         "fail not-aligned quarantine p b.example.com b.example.com"},
        /* a public suffix speaks where an organization is silent */
        {"a.example.com", "", "com v=DMARC1; p=reject; sp=quarantine; psd=y",
         "fail not-aligned quarantine sp com example.com"},
        {"a.example.com", "", "com v=DMARC1; p=reject; psd=y\nexample.com v=DMARC1; p=none",
         "fail not-aligned none p example.com example.com"},
        {"a.example.com", "", "com v=DMARC1; p=reject\nexample.com v=DMARC1; p=none",
         "fail not-aligned none p example.com example.com"},
        {"b.a.example.com", "", "com v=DMARC1; p=reject; psd=y\na.example.com v=DMARC1; p=none",
         "fail not-aligned reject p com example.com"},
        {"com", "", "com v=DMARC1; p=reject; sp=none; psd=y", "fail not-aligned reject p com com"},
        /* eight names at most: those between are never asked */
        {"a.b.c.d.e.f.g.example.com", "", "b.c.d.e.f.g.example.com v=DMARC1; p=none\n" REJECT,
         "fail not-aligned reject p example.com example.com"},
        {"a.b.c.d.e.f.g.example.com", "",
         "c.d.e.f.g.example.com v=DMARC1; p=quarantine; psd=n\n" REJECT,
         "fail not-aligned quarantine p c.d.e.f.g.example.com c.d.e.f.g.example.com"},
        /* t=y and pct=0: one step milder; policies are told as they are */
        {"example.com", "", "example.com v=DMARC1; p=reject; t=y",
         "fail not-aligned quarantine p example.com example.com"},
        {"example.com", "", "example.com v=DMARC1; p=quarantine; pct=0",
         "fail not-aligned none p example.com example.com"},
        {"example.com", "", "example.com v=DMARC1; p=none; t=y",
         "fail not-aligned none p example.com example.com"},
    };

    check(rows, COUNT_OF(rows));
    (void)state;
}

static void
failures_that_may_pass_decide_nothing(void **state)
{
    static const struct row rows[] = {
        {"example.com", "dkim:example.com", "example.com ?",
         "temperror record-fail none   example.com"},
        {"a.example.com", "", "a.example.com ?\n" REJECT,
         "temperror record-fail none   example.com"},
        {"a.example.com", "", "example.com ?", "temperror record-fail none   example.com"},
        {"a.example.com", "", "com ?", "temperror record-fail none   example.com"},
        {"a.example.com", "", "com ?\n" REJECT,
         "fail not-aligned reject p example.com example.com"},
        /* the policy is known, the boundary is not */
        {"a.example.com", "dkim:b.example.com", "a.example.com v=DMARC1; p=reject\nexample.com ?",
         "pass aligned none p a.example.com example.com"},
        {"a.example.com", "dkim:b.example.com", "a.example.com v=DMARC1; p=reject\nexample.com ?",
         "temperror auth-unknown none p a.example.com a.example.com", true},
        {"a.example.com", "dkim:b.example.com",
         "a.example.com v=DMARC1; p=reject; adkim=s\nexample.com ?",
         "fail not-aligned reject p a.example.com example.com"},
        {"example.com", "dkim:a.b.example.com",
         REJECT "\nb.example.com ?\na.b.example.com v=DMARC1; p=none; psd=n",
         "fail not-aligned reject p example.com example.com"},
        {"example.com", "dkim:a.b.example.com",
         REJECT "\na.b.example.com ?\nb.example.com v=DMARC1; p=none; psd=n",
         "temperror auth-unknown none p example.com example.com"},
        /* a stranger's broken DNS does not help him */
        {"example.com", "dkim:example.net", REJECT "\nexample.net ?",
         "fail not-aligned reject p example.com example.com"},
        {"example.com", "dkim:example.net? spf:example.net?", REJECT,
         "fail not-aligned reject p example.com example.com"},
        {"example.com", "dkim:example.com?", REJECT,
         "temperror auth-unknown none p example.com example.com"},
        {"example.com", "spf:a.example.com?", REJECT,
         "temperror auth-unknown none p example.com example.com"},
        {"example.com", "spf:a.example.com?", "example.com v=DMARC1; p=reject; aspf=s",
         "fail not-aligned reject p example.com example.com"},
        {"example.com", "spf:example.com? dkim:example.com", REJECT,
         "pass aligned none p example.com example.com"},
    };

    check(rows, COUNT_OF(rows));
    (void)state;
}

static void
the_worst_author_counts(void **state)
{
    static const struct row rows[] = {
        {"example.net example.com", "dkim:example.net",
         REJECT "\nexample.net v=DMARC1; p=quarantine",
         "fail not-aligned reject p example.com example.com"},
        {"example.com example.net", "dkim:example.net",
         "example.com v=DMARC1; p=none\nexample.net v=DMARC1; p=reject",
         "fail not-aligned none p example.com example.com"},
        {"example.net example.com", "dkim:example.net", "example.net v=DMARC1; p=reject",
         "none no-record none   example.com"},
        {"example.net example.com", "dkim:example.net",
         "example.net v=DMARC1; p=reject\nexample.com ?",
         "temperror record-fail none   example.com"},
        {"example.com EXAMPLE.com example.com.", "dkim:example.com", REJECT,
         "pass aligned none p example.com example.com"},
        {"a.example b.example c.example d.example", "", "d.example v=DMARC1; p=reject",
         "fail not-aligned reject p d.example d.example"},
        {"a.example b.example c.example d.example e.example", "", "",
         "permerror many-authors reject   "},
        {"a.b.c.d.e.f.g.example i.j.k.l.m.n.o.example", "", "", "permerror many-authors reject   "},
        {"[192.0.2.1]", "spf:example.com", "", "permerror bad-author quarantine   "},
        {"[192.0.2.1] example.com", "spf:example.com", REJECT,
         "permerror bad-author none p example.com example.com"},
        {"example.net [192.0.2.1]", "", "", "permerror bad-author none   example.net"},
        {"example.com b..example", "spf:example.net", REJECT,
         "fail not-aligned reject p example.com example.com"},
    };

    check(rows, COUNT_OF(rows));
    (void)state;
}

static void
names_are_known_beforehand(void **state)
{
    static const struct {
        const char *from, *auth, *want;
        bool no_list;
    } rows[] = {
        {"example.com", "", "example.com com"},
        {"example.com", "dkim:example.com spf:example.net dkim:b.a.example.com dkim:c.example.com-",
         "example.com com b.a.example.com a.example.com"},
        {"example.com", "spf:example.net dkim:m.other.com", "example.com com m.other.com other.com",
         true},
        {"com", "", "com"},
        /* of 7, 8 and 9 labels */
        {"g.f.e.d.c.b.a", "", "g.f.e.d.c.b.a f.e.d.c.b.a e.d.c.b.a d.c.b.a c.b.a b.a a"},
        {"h.g.f.e.d.c.b.a", "",
         "h.g.f.e.d.c.b.a g.f.e.d.c.b.a f.e.d.c.b.a e.d.c.b.a d.c.b.a c.b.a b.a a"},
        {"i.h.g.f.e.d.c.b.a", "",
         "i.h.g.f.e.d.c.b.a g.f.e.d.c.b.a f.e.d.c.b.a e.d.c.b.a d.c.b.a c.b.a b.a a"},
        /* authors first; then as much as there is room for */
        {"b.a e.a",
         "dkim:1.b.a dkim:2.b.a dkim:3.b.a dkim:4.b.a dkim:5.b.a dkim:6.b.a dkim:7.b.a dkim:8.b.a "
         "dkim:9.b.a dkim:10.b.a dkim:11.b.a dkim:12.b.a",
         "b.a a e.a 1.b.a 2.b.a 3.b.a 4.b.a 5.b.a 6.b.a 7.b.a 8.b.a 9.b.a 10.b.a 11.b.a"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1 << 20);
        struct trial t = {.a = a};
        struct str want = str_of(rows[i].want), name;

        t.facts.list = rows[i].no_list ? NULL : suffixes_built_in();
        read_from(&t, str_of(rows[i].from));
        read_auth(&t, str_of(rows[i].auth));
        dmarc_names(&t.facts, a, &t.names);
        for (size_t k = 0; str_split(&want, ' ', &name); k++) {
            ROW(i, k < t.names.count && str_starts(t.names.names[k], STR("_dmarc.")));
            assert_str(str_skip(t.names.names[k], 7), name);
            ROW(i, want.ptr != NULL || k + 1 == t.names.count);
        }
    }
    (void)state;
}

static void
authors_are_read_from_headers(void **state)
{
    static const struct {
        const char *header, *want; /* domains, then fields, then flags */
    } rows[] = {
        {"From: A <a@Example.COM>\r\nTo: b@example.net\r\n", "example.com 1"},
        {"To: b@example.net\r\n", "0"},
        {"from :\r\n \"x@evil.example\" <a@example.com>\r\n", "example.com 1"},
        {"From: a@example.com, b@example.net, c@example.com\r\n", "example.com example.net 1"},
        {"From: a@example.com\r\nFrom: b@example.net\r\n", "example.com example.net 2"},
        {"From: Group: a@example.com;\r\n", "example.com 1"},
        {"From: nobody:;\r\n", "1"},
        {"From: a\r\n", "1 bad"},
        {"From: \r\n", "1"},
        {"From: a@[192.0.2.1]\r\n", "1 bad"},
        {"From: a@b..example\r\n", "1 bad"},
        {"From: a@example.com (b@example.net)\r\n", "example.com 1"},
        /* what a mail program may show instead */
        {"From: a@example.com <b@example.net>\r\n", "example.com example.net 1"},
        {"From: a@example.com <a@example.com>\r\n", "example.com 1"},
        {"From: <a@example.com b@example.net>\r\n", "example.com example.net 1"},
        {"From: a@example.com@example.net\r\n", "example.com example.net 1"},
        {"From: a@example.com (c@example.org) b@example.net\r\n", "example.com example.net 1"},
        {"From: a@example.com: b@example.net;\r\n", "example.com example.net 1"},
        {"From: \"A <a@example.com>\r\n", "example.com 1 bad"},
        {"From: a@example.com <@>\r\n", "example.com 1 bad"},
        {"From: a@b\xc3\xbc"
         "cher.example\r\n",
         "xn--bcher-kva.example 1"},
        {"From: a@a.example,a@b.example,a@c.example,a@d.example,a@e.example\r\n",
         "a.example b.example c.example d.example 1 many"},
        {"Resent-From: a@example.com\r\n\r\nFrom: b@example.net\r\n", "0"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1 << 16);
        AUTO_BUF got = BUF(1024);
        struct dmarc_from f;

        dmarc_from_header(str_of(rows[i].header), a, &f);
        for (size_t k = 0; k < f.count; k++)
            buf_addf(&got, "%.*s ", STR_FMT(f.authors[k].domain));
        buf_addf(&got, "%zu%s%s", f.fields, f.bad ? " bad" : "", f.many ? " many" : "");
        if (!str_eq(buf_str(&got), str_of(rows[i].want)))
            FAIL_AND_STOP("row %zu: %.*s", i, STR_FMT(buf_str(&got)));
    }
    (void)state;
}

/* A crowd of addresses must not hide the one that counts. */
static void
a_crowd_of_authors_is_too_many(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 16);
    AUTO_BUF header = BUF(1 << 20);
    struct dmarc_from f;

    buf_add_z(&header, "From: ");
    for (size_t i = 0; i < LIMIT_HEADER_ADDRESSES; i++)
        buf_add_z(&header, "a@example.net,");
    buf_add_z(&header, "a@example.com\r\n");
    dmarc_from_header(buf_str(&header), a, &f);
    assert_true(f.many);
    (void)state;
}

/* Nor must a crowd of fields, or a long one. */
static void
a_header_that_is_cut_is_too_much(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 16);
    AUTO_BUF header = BUF(4 << 20);
    struct dmarc_from f;

    for (size_t i = 0; i < LIMIT_HEADER_FIELDS; i++)
        buf_add_z(&header, "A:\r\n");
    buf_add_z(&header, "From: a@example.com\r\n");
    dmarc_from_header(buf_str(&header), a, &f);
    assert_true(f.many);
    buf_reset(&header);
    buf_add_z(&header, "A:");
    for (size_t i = 0; i < LIMIT_HEADER_BYTES; i++)
        buf_add_char(&header, 'a');
    buf_add_z(&header, "\r\nFrom: a@example.com\r\n");
    dmarc_from_header(buf_str(&header), a, &f);
    assert_true(f.many);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identities_are_aligned),
        cmocka_unit_test(organizations_end_somewhere),
        cmocka_unit_test(policies_are_found),
        cmocka_unit_test(failures_that_may_pass_decide_nothing),
        cmocka_unit_test(the_worst_author_counts),
        cmocka_unit_test(names_are_known_beforehand),
        cmocka_unit_test(authors_are_read_from_headers),
        cmocka_unit_test(a_crowd_of_authors_is_too_many),
        cmocka_unit_test(a_header_that_is_cut_is_too_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
