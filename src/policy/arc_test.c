/* arc_test.c - chains sealed as a test says: their form, each change, what is kept of them, their limits.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/arc.h"

#include "base/encode.h"
#include "base/mem.h"
#include "base/size.h"
#include "base/testing.h"
#include "policy/dkim_internal.h"
#include "policy/dkim_testkit.h"

#define MESSAGE "From: Ann <ann@far.example>\r\nSubject: a\r\n\r\nHello\r\n"

enum { SEALED_MAX = 1 << 20 };
static EVP_PKEY *key;
static struct str record;

static int
make_key(void **state)
{
    static char text[256];

    (void)state;
    AUTO_ARENA *a = arena_new(4096);
    key = testkit_key(SIG_ED25519, 0);
    struct str made = testkit_record(key, "k=ed25519; p=", a);
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

struct sealing {
    uint32_t n;
    const char *chain, *selector;
    struct str hash, message_bytes, seal_bytes; /* base64 */
};

static struct str
write_set(const struct sealing *s, struct str message, struct arena *a)
{
    AUTO_BUF b = BUF(SEALED_MAX);

    buf_addf(&b, "ARC-Seal: i=%u; a=ed25519-sha256; cv=%s; d=far.example; s=%s; b=%.*s\r\n", s->n,
             s->chain, s->selector, STR_FMT(s->seal_bytes));
    buf_addf(&b,
             "ARC-Message-Signature: i=%u; a=ed25519-sha256; c=relaxed/relaxed; d=far.example; "
             "s=%s; h=from:subject; bh=%.*s; b=%.*s\r\n",
             s->n, s->selector, STR_FMT(s->hash), STR_FMT(s->message_bytes));
    buf_addf(&b, "ARC-Authentication-Results: i=%u; hop%u.example; spf=pass\r\n", s->n, s->n);
    buf_add(&b, message);
    return arena_str(a, buf_str(&b));
}

static struct dkim *
read_set(const struct sealing *s, struct str message, struct arena *a)
{
    struct str m = write_set(s, message, a);
    size_t header = header_block_len(m);
    struct dkim *d = dkim_new(str_sub(m, 0, header), SIG_RULES_NOW, a);

    dkim_body(d, str_skip(m, header));
    dkim_body_end(d);
    return d;
}

/* Adds set n: the hash of the body, then the message signature over it, then the seal over both.  A chain that is broken
 * already gets no good seal. */
static struct str
seal(struct str message, uint32_t n, const char *chain, const char *selector, struct arena *a)
{
    struct sealing s = {.n = n, .chain = chain, .selector = selector};
    const struct str none = STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");

    s.hash = s.message_bytes = s.seal_bytes = none;
    for (int step = 0; step < 3; step++) {
        AUTO(dkim_free) struct dkim *d = read_set(&s, message, a);
        AUTO_BUF b = BUF(1024);
        if (d->chain.wrong != NULL)
            break;
        const struct arc_set *set = &d->chain.sets[n - 1];
        if (step == 0) {
            const unsigned char *digest = d->bodies.at[set->message.body].digest;
            buf_add_base64(&b, str_from((const char *)digest, SIG_DIGEST));
            s.hash = arena_str(a, buf_str(&b));
        } else {
            const struct proof *p = step == 1 ? &set->message : &set->seal;
            testkit_sign_digest(key, &p->sig, p->digest, &b);
            *(step == 1 ? &s.message_bytes : &s.seal_bytes) = arena_str(a, buf_str(&b));
        }
    }
    return write_set(&s, message, a);
}

static struct str
sealed(uint32_t sets, struct arena *a)
{
    struct str m = STR(MESSAGE);

    for (uint32_t n = 1; n <= sets; n++)
        m = seal(m, n, n == 1 ? "none" : "pass", "k", a);
    return m;
}

static struct arc_verdict
judge(struct str message)
{
    AUTO_ARENA *a = arena_new(DKIM_ARENA);
    const struct testkit_record at[] = {
        {STR("k._domainkey.far.example"), record, KEY_FOUND},
        {STR("later._domainkey.far.example"), STR(""), KEY_UNKNOWN}};
    const struct testkit_dns dns = {at, COUNT_OF(at)};
    struct arc_verdict v;

    testkit_judge_arc(message, &dns, 3, a, &v);
    return v;
}

/* The first `from` becomes `to`, of the same length. */
static struct str
changed(struct str message, const char *from, const char *to, struct arena *a)
{
    char *z = arena_z(a, message);
    char *at = strstr(z, from);

    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    mem_copy(at, to, strlen(to));
    return str_from(z, message.len);
}

static void
good_chains(void **state)
{
    static const uint32_t sets[] = {0, 1, 2, 3, 9, 50};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        AUTO_ARENA *a = arena_new((size_t)512 << 20);
        struct arc_verdict v = judge(sealed(sets[i], a));

        ROW(i, v.result == (sets[i] == 0 ? ARC_NONE : ARC_PASS) && v.sets == sets[i]);
        ROW(i, v.reason[0] == '\0' && !v.temporary && v.failed == 0);
        /* only the eight newest are looked at */
        ROW(i, v.oldest_pass == (sets[i] <= 8 ? 0 : sets[i] - 7));
    }
}

static void
broken_chains(void **state)
{
    AUTO_ARENA *a = arena_new((size_t)512 << 20);
    const struct {
        struct str message;
        const char *reason;
        uint32_t failed;
    } rows[] = {
        {changed(sealed(1, a), "Hello", "Hallo", a), "the body was changed", 1},
        {changed(sealed(2, a), "Hello", "Hallo", a), "the body was changed", 2},
        {changed(sealed(1, a), "Subject: a", "Subject: b", a), "the signature does not fit", 1},
        {changed(sealed(2, a), "hop1.example", "hop3.example", a), "the signature does not fit", 2},
        {changed(sealed(2, a), "hop2.example; spf=pass", "hop2.example; spf=fail", a),
         "the signature does not fit", 2},
        {changed(sealed(2, a), "cv=none", "cv=pass", a), "the first seal is not cv=none", 1},
        {changed(sealed(2, a), "cv=pass", "cv=none", a), "a later seal is not cv=pass", 2},
        {changed(sealed(2, a), "cv=pass", "cv=fail", a), "sealed as failed", 2},
        {changed(sealed(2, a), "cv=pass", "cv=okay", a), "cv= is unknown", 2},
        {changed(sealed(2, a), "ARC-Seal: i=1", "ARC-Seal: i=2", a), "a seal stands twice", 2},
        {changed(sealed(2, a), "ARC-Seal: i=1", "ARC-Seal: i=3", a), "a set is missing", 0},
        {changed(sealed(2, a), "ARC-Seal: i=1", "ARC-Seal: i=0", a), "i= is no instance", 0},
        {changed(sealed(2, a), "ARC-Seal: i=1", "ARC-Sell: i=1", a), "a field is missing", 1},
        {changed(sealed(2, a), "Signature: i=1", "Signature: i=2", a),
         "a message signature stands twice", 2},
        {changed(sealed(2, a), "Results: i=1", "Results: i=2", a), "results stand twice", 2},
        {changed(sealed(1, a), "Results: i=1;", "Results: i=1,", a), "results without an instance",
         0},
        {changed(sealed(1, a), "h=from:subject", "h=from:arc-sea", a), "the signature does not fit",
         1},
        {changed(sealed(1, a), "c=relaxed/relaxed", "h=relaxed/relaxed", a), "a tag stands twice",
         0},
        {seal(STR(MESSAGE), 1, "none", "none", a), "no key", 1},
        {seal(sealed(1, a), 3, "pass", "k", a), "a set is missing", 0},
        {seal(sealed(50, a), 51, "pass", "k", a), "too many sets", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arc_verdict v = judge(rows[i].message);

        if (v.result != ARC_FAIL || strcmp(v.reason, rows[i].reason) != 0 ||
            v.failed != rows[i].failed)
            FAIL_AND_STOP("row %zu: %s, set %u: %s", i, arc_result_name(v.result), v.failed,
                          v.reason);
        assert_false(v.temporary);
    }
    struct arc_verdict v = judge(seal(sealed(1, a), 2, "pass", "later", a));
    assert_true(v.result == ARC_FAIL && v.temporary && v.failed == 2);
}

/* A hop that changes the message and seals it anew: the chain passes, and says since when it is as it is. */
static void
changed_on_the_way(void **state)
{
    AUTO_ARENA *a = arena_new((size_t)512 << 20);
    struct str m = changed(sealed(2, a), "Hello", "Hallo", a);

    (void)state;
    m = seal(seal(m, 3, "pass", "k", a), 4, "pass", "k", a);
    struct arc_verdict v = judge(m);
    assert_true(v.result == ARC_PASS && v.sets == 4);
    assert_int_equal(v.oldest_pass, 3);
}

static void
what_sealers_said(void **state)
{
    AUTO_ARENA *a = arena_new((size_t)64 << 20);
    struct str m = sealed(2, a);
    AUTO(dkim_free) struct dkim *d = dkim_new(m, SIG_RULES_NOW, a);
    const struct str *names;

    (void)state;
    assert_int_equal(arc_sets(d), 2);
    assert_str(arc_results(d, 1), STR("hop1.example; spf=pass"));
    assert_str(arc_results(d, 2), STR("hop2.example; spf=pass"));
    assert_str(arc_sealer(d, 1), STR("far.example"));
    assert_int_equal(dkim_names(d, &names), 1); /* one key for all */
}

static void
many_keys(void **state)
{
    AUTO_ARENA *a = arena_new((size_t)512 << 20);
    struct str m = STR(MESSAGE);

    (void)state;
    for (uint32_t n = 1; n <= LIMIT_DKIM_NAMES + 1; n++) {
        char selector[16];
        snprintf(selector, sizeof(selector), "k%u", n);
        m = seal(m, n, n == 1 ? "none" : "pass", selector, a);
    }
    struct arc_verdict v = judge(m);
    assert_string_equal(v.reason, "too many keys are needed");
    assert_int_equal(v.failed, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_chains),        cmocka_unit_test(broken_chains),
        cmocka_unit_test(changed_on_the_way), cmocka_unit_test(what_sealers_said),
        cmocka_unit_test(many_keys),
    };

    return cmocka_run_group_tests(tests, make_key, free_key);
}
