/* arc_seal_test.c - messages sealed hop by hop: what arc.h says to them, and what is not sealed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/arc_seal.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/size.h"
#include "base/testing.h"
#include "policy/dkim_testkit.h"

#define AR      "Authentication-Results: mx.far.example;\r\n\tspf=pass smtp.mailfrom=ann@x.example"
#define MESSAGE "Received: x\r\nFrom: Ann <ann@x.example>\r\nSubject: a\r\n\r\nHello\r\n"

enum { FIELD_MAX = 8192 };
static EVP_PKEY *key;
static struct str record;

static int
make_key(void **state)
{
    static char text[512];

    (void)state;
    AUTO_ARENA *a = arena_new(4096);
    key = testkit_key(SIG_RSA, 1024);
    struct str made = testkit_record(key, "k=rsa; p=", a);
    snprintf(text, sizeof(text), "%.*s", STR_FMT(made));
    record = str_of(text);
    return 0;
}

static int
free_key(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    return 0;
}

/* As role keys does it. */
static void
sign(struct str fields, struct buf *b)
{
    AUTO_BUF input = BUF(ARC_SETS_MAX + 65536);
    unsigned char raw[512];
    size_t n = sizeof(raw);
    EVP_MD_CTX *c = EVP_MD_CTX_new();

    buf_add(&input, fields);
    dkim_header_input(STR_NONE, STR_NONE, buf_str(b), &input);
    assert_int_equal(buf_status(&input), OK);
    assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(c, raw, &n, (const unsigned char *)input.ptr, input.len), 1);
    EVP_MD_CTX_free(c);
    dkim_header_finish(b, str_from((const char *)raw, n));
}

static bool
find(struct str message, struct arena *a, struct arc_to_seal *out)
{
    arc_to_seal(message, STR("MX.far.example"), a, out);
    return out->instance > 0;
}

/* The message with one more set; a results field stands on top of it. */
static struct str
sealed(struct str message, struct arena *a)
{
    AUTO_BUF results = BUF(FIELD_MAX), sig = BUF(FIELD_MAX), seal = BUF(FIELD_MAX);
    AUTO_BUF input = BUF(ARC_SETS_MAX + 65536), all = BUF(1 << 20);
    struct arc_to_seal f;

    assert_true(find(message, a, &f));
    const struct arc_sealing s = {.instance = f.instance,
                                  .chain = f.chain,
                                  .algorithm = STR("rsa-sha256"),
                                  .domain = STR("far.example"),
                                  .selector = STR("k"),
                                  .time = {INT64_C(1795996800000000)}};
    assert_true(arc_results_fit(f.results));
    arc_results_write(&results, f.instance, f.results);
    arc_message_write(&sig, &s, f.names, f.body_hash);
    sign(f.headers, &sig);
    const struct arc_new_set set = {f.sets, buf_str(&results), buf_str(&sig)};
    arc_seal_input(&s, &set, &input);
    arc_seal_write(&seal, &s);
    sign(buf_str(&input), &seal);
    buf_add(&all, buf_str(&seal));
    buf_add(&all, buf_str(&sig));
    buf_add(&all, buf_str(&results));
    buf_add(&all, message);
    assert_int_equal(buf_status(&all), OK);
    return arena_str(a, buf_str(&all));
}

/* As it comes to the next server of ours, which says this of its chain. */
static struct str
arrived(const char *arc, struct str message, struct arena *a)
{
    return arena_printf(a, AR "%s\r\nReceived: y\r\n%.*s", arc, STR_FMT(message));
}

static struct arc_verdict
judge(struct str message)
{
    AUTO_ARENA *a = arena_new(DKIM_ARENA);
    const struct testkit_record at[] = {{STR("k._domainkey.far.example"), record, KEY_FOUND}};
    const struct testkit_dns dns = {at, COUNT_OF(at)};
    struct arc_verdict v;

    testkit_judge_arc(message, &dns, 7, a, &v);
    return v;
}

static void
hops(void **state)
{
    AUTO_ARENA *a = arena_new(64 << 20);
    struct str m = STR(MESSAGE);
    (void)state;

    for (uint32_t n = 1; n <= 3; n++) {
        m = sealed(arrived(n == 1 ? "" : ";\r\n\tarc=pass", m, a), a);
        struct arc_verdict v = judge(m);
        assert_int_equal(v.result, ARC_PASS);
        assert_int_equal(v.sets, n);
        assert_int_equal(v.oldest_pass, 0);
        struct str rest = m, line;
        while (str_split(&rest, '\n', &line) && line.len > 1)
            assert_true(line.len <= 90);
    }
    /* not with another body, subject, results or sender */
    static const char *const changes[][2] = {
        {"Hello", "Hallo"},
        {"Subject: a", "Subject: b"},
        {"i=1; mx.far.example;\r\n\tspf=pass", "i=1; mx.far.example;\r\n\tspf=fail"},
        {"From: Ann", "From: Bob"},
        {"cv=none", "cv=pass"}};
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        struct str changed = arena_str(a, m);
        int64_t at = str_find_str(changed, str_of(changes[i][0]));
        ROW(i, at >= 0);
        memcpy((char *)(uintptr_t)changed.ptr + at, changes[i][1], strlen(changes[i][1]));
        ROW(i, judge(changed).result == ARC_FAIL);
    }
    /* nor with a field that nobody had */
    assert_int_equal(judge(arena_printf(a, "Reply-To: x\r\n%.*s", STR_FMT(m))).result, ARC_FAIL);
}

/* Section 5.1.2: sealed over itself alone, and then never again. */
static void
failed_chains(void **state)
{
    AUTO_ARENA *a = arena_new(64 << 20);
    struct arc_to_seal f;
    (void)state;

    struct str one = sealed(arrived("", STR(MESSAGE), a), a);
    struct str two = sealed(arrived("; arc=fail", one, a), a);
    assert_true(str_find_str(two, STR("ARC-Seal: i=2;")) == 0);
    assert_true(str_find_str(two, STR("cv=fail")) > 0);
    struct arc_verdict v = judge(two);
    assert_int_equal(v.result, ARC_FAIL);
    assert_string_equal(v.reason, "sealed as failed");
    assert_false(find(arrived("; arc=fail", two, a), a, &f));
    assert_false(find(arrived("; arc=pass", two, a), a, &f));

    /* chains that are none get the number after the highest, whatever it stands in */
    static const struct {
        const char *fields;
        uint32_t next; /* 0: not sealed */
    } rows[] = {
        {"ARC-Authentication-Results: i=4; x; spf=pass\r\n", 5},
        {"ARC-Seal: i=7; a=rsa-sha256; cv=none; d=x.example; s=s; b=AAAA\r\n", 8},
        {"ARC-Message-Signature: what\r\n", 1},
        {"ARC-Seal: i=1; a=rsa-sha256; cv=fail; d=x.example; s=s; b=AAAA\r\n", 0},
        {"ARC-Authentication-Results: i=49; x; spf=pass\r\n", 50},
        {"ARC-Authentication-Results: i=50; x; spf=pass\r\n", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str m = arena_printf(a, "%s" MESSAGE, rows[i].fields);
        bool found = find(arrived("; arc=fail", m, a), a, &f);
        ROW(i, found == (rows[i].next > 0) && f.instance == rows[i].next);
        ROW(i, !found || (f.chain == SIG_CHAIN_FAIL && f.sets.len == 0));
        /* and nobody calls it anything else */
        ROW(i, !find(arrived("; arc=pass", m, a), a, &f));
        ROW(i, !find(arrived("; arc=none", m, a), a, &f));
        ROW(i, !find(arrived("", m, a), a, &f));
    }
}

static void
fifty(void **state)
{
    AUTO_ARENA *a = arena_new(512 << 20);
    struct str m = STR(MESSAGE);
    struct arc_to_seal f;
    (void)state;

    for (uint32_t n = 1; n <= LIMIT_ARC_SETS; n++)
        m = sealed(arrived(n == 1 ? "" : "; arc=pass", m, a), a);
    assert_true(str_starts(m, STR("ARC-Seal: i=50;")));
    assert_int_equal(judge(m).result, ARC_PASS);
    assert_false(find(arrived("; arc=pass", m, a), a, &f));
}

/* Whose results these are, and whether they can be repeated. */
static void
results(void **state)
{
    static const struct {
        const char *top;
        bool sealed;
    } rows[] = {
        {AR "\r\n", true},
        {AR "; arc=none\r\n", true},
        {"authentication-results: MX.FAR.example; none\r\n", true},
        {AR "; arc=temperror\r\n", false},
        {AR "; arc=pass\r\n", false}, /* there is no chain */
        {AR "; arc=fail\r\n", false},
        {"", false},
        {"Received: z\r\n" AR "\r\n", false},
        {"Authentication-Results: mx.other.example; spf=pass\r\n", false},
        {"Authentication-Results: mx.far.example; spf\r\n", false},
        {"Authentication-Results:\r\n", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(ARC_TO_SEAL_ARENA + 65536);
        struct arc_to_seal f;
        ROW(i, find(arena_printf(a, "%s" MESSAGE, rows[i].top), a, &f) == rows[i].sealed);
        ROW(i, !rows[i].sealed || (f.instance == 1 && f.chain == SIG_CHAIN_NONE));
    }
    static const struct {
        struct str text;
        bool fits;
    } texts[] = {
        {STR("a; spf=pass"), true},
        {STR("a;\r\n\tspf=pass"), true},
        {STR("a;\r\n spf=pass"), true},
        {STR("a; caf\xc3\xa9=\"\t\""), true},
        {STR(""), false},
        {STR("a\r\nb"), false},
        {STR("a\r\n"), false},
        {STR("a\r\n\r\n b"), false},
        {STR("a\n b"), false},
        {STR("a\r b"), false},
        {STR("a\0b"), false},
        {STR("a\x7f"), false},
        {STR("a\r\n\r"), false},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        ROW(i, arc_results_fit(texts[i].text) == texts[i].fits);
}

/* DKIM's signatures are covered, and no field of ARC. */
static void
what_is_signed(void **state)
{
    AUTO_ARENA *a = arena_new(ARC_TO_SEAL_ARENA + 65536);
    struct arc_to_seal f;
    (void)state;

    struct str m = arena_printf(
        a, AR "\r\nDKIM-Signature: one\r\nDKIM-Signature: two\r\nARC-X: y\r\n" MESSAGE);
    assert_true(find(m, a, &f));
    assert_true(str_ends(f.names, STR(":dkim-signature:dkim-signature")));
    assert_true(str_starts(f.names, STR("from:from:")));
    assert_true(str_find_str(f.headers, STR("dkim-signature:two\r\ndkim-signature:one\r\n")) > 0);
    assert_true(str_find_str(f.headers, STR("arc-")) < 0);
    assert_int_equal(f.body_hash.len, SIG_DIGEST);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hops),    cmocka_unit_test(failed_chains),  cmocka_unit_test(fifty),
        cmocka_unit_test(results), cmocka_unit_test(what_is_signed),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
