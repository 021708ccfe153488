/* dkim_test.c - signatures and what becomes of them: the example of RFC 8463, each rule of RFC 6376, each byte changed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dkim.h"

#include <openssl/sha.h>

#include "base/size.h"
#include "base/testing.h"
#include "policy/dkim_testkit.h"

#define NOW 1800000000

static EVP_PKEY *rsa, *ed25519, *rsa_short, *rsa_long;

static int
make_keys(void **state)
{
    (void)state;
    rsa = testkit_key(SIG_RSA, 2048);
    ed25519 = testkit_key(SIG_ED25519, 0);
    rsa_short = testkit_key(SIG_RSA, 1016);
    rsa_long = testkit_key(SIG_RSA, 4104);
    return 0;
}

static int
free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed25519);
    EVP_PKEY_free(rsa_short);
    EVP_PKEY_free(rsa_long);
    return 0;
}

/* ---- RFC 8463 appendix A ---- */

static const struct testkit_record rfc8463_records[] = {
    {STR("brisbane._domainkey.football.example.com"),
     STR("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="), KEY_FOUND},
    {STR("test._domainkey.football.example.com"),
     STR("v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
         "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
         "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
         "Ip3G+2kryOTIKT+l/K4w3QIDAQAB"),
     KEY_FOUND},
};
static const struct testkit_dns rfc8463_dns = {rfc8463_records, COUNT_OF(rfc8463_records)};
#define RFC8463                                                        \
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"    \
    " d=football.example.com; i=@football.example.com;\r\n"            \
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"          \
    " subject : date : message-id : from : subject : date;\r\n"        \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"            \
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"  \
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"                            \
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"        \
    " d=football.example.com; i=@football.example.com;\r\n"            \
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"    \
    " date : message-id : from : subject : date;\r\n"                  \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"            \
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"  \
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"  \
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"  \
    "From: Joe SixPack <joe@football.example.com>\r\n"                 \
    "To: Suzie Q <suzie@shopping.example.net>\r\n"                     \
    "Subject: Is dinner ready?\r\n"                                    \
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                  \
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n" \
    "\r\n"                                                             \
    "Hi.\r\n"                                                          \
    "\r\n"                                                             \
    "We lost the game.  Are you hungry yet?\r\n"                       \
    "\r\n"                                                             \
    "Joe.\r\n"

static void
the_example_of_rfc8463(void **state)
{
    (void)state;
    for (size_t chunk = 0; chunk < 70; chunk++) {
        AUTO_ARENA *a = arena_new(DKIM_ARENA);
        struct dkim_verdict v[LIMIT_DKIM_SIGNATURES];
        struct testkit_reading r = {.chunk = chunk, .now_s = NOW};

        assert_int_equal(testkit_judge(STR(RFC8463), &rfc8463_dns, &r, a, v), 2);
        for (size_t i = 0; i < 2; i++) {
            ROW(i, v[i].result == DKIM_PASS && v[i].reason[0] == '\0' && !v[i].testing);
            assert_str(v[i].domain, STR("football.example.com"));
            assert_str(v[i].identity, STR("@football.example.com"));
        }
        assert_string_equal(v[0].algorithm, "ed25519-sha256");
        assert_string_equal(v[1].algorithm, "rsa-sha256");
        assert_str(v[0].selector, STR("brisbane"));
        assert_int_equal(v[0].key_bits, 256);
        assert_int_equal(v[1].key_bits, 1024);
        assert_int_equal(r.beyond, 0);
    }
}

/* ---- the rules, one a row ---- */

#define HEADER                        \
    "Received: one\r\n"               \
    "From: Ann <ann@far.example>\r\n" \
    "Subject: a  b\r\n"               \
    "Received: two\r\n"               \
    "\r\n"
#define MESSAGE HEADER "Hello  world \r\n\r\n"
#define RSA     "v=1; a=rsa-sha256; d=far.example; s=k; h=from"
#define ED      "v=1; a=ed25519-sha256; d=far.example; s=k; h=from"

struct row {
    const char *tags; /* all but bh= and b= */
    enum dkim_result want;
    const char *reason;
    const char *record; /* before its p=; NULL: "v=DKIM1; p=" or with k=ed25519 */
};
static const struct row rows[] = {
    {RSA, DKIM_PASS, "", NULL},
    {ED, DKIM_PASS, "", NULL},
    {ED "; c=simple", DKIM_PASS, "", NULL},
    {ED "; c=relaxed", DKIM_PASS, "", NULL},
    {ED "; c=simple/relaxed", DKIM_PASS, "", NULL},
    {ED "; c=relaxed/relaxed", DKIM_PASS, "", NULL},
    {ED ":subject:received:received:received:nothing", DKIM_PASS, "", NULL},
    {"v=1; a=ed25519-sha256; d=far.example; s=k; h= From \r\n :\r\n subject", DKIM_PASS, "", NULL},
    {"a=ed25519-sha256; s=k; v=1;d=Far.Example; h=from; unknown=tag", DKIM_PASS, "", NULL},
    {ED "; i=ann@far.example", DKIM_PASS, "", NULL},
    {ED "; i=ann@sub.Far.example", DKIM_PASS, "", NULL},
    {ED "; i==61nn=40far.example", DKIM_PASS, "", NULL},
    {ED "; i=\"a@b\"@far.example", DKIM_PASS, "", NULL},
    {ED "; q=dns/txt", DKIM_PASS, "", NULL},
    {ED "; q=http : dns/txt", DKIM_PASS, "", NULL},
    {ED "; t=1700000000; x=1900000000", DKIM_PASS, "", NULL},
    {ED "; t=1900000000", DKIM_PASS, "", NULL},           /* made tomorrow: clocks differ */
    {ED "; x=1800000000", DKIM_PASS, "", NULL},           /* this second */
    {ED "; l=15", DKIM_PASS, "", NULL},                   /* all there is, in simple form */
    {ED "; c=simple/relaxed; l=13", DKIM_PASS, "", NULL}, /* and in the relaxed one */
    {ED "; x=1799999999", DKIM_POLICY, "the signature has expired", NULL},
    {ED "; l=14", DKIM_POLICY, "l= leaves a part of the body unsigned", NULL},
    {ED "; l=0", DKIM_POLICY, "l= leaves a part of the body unsigned", NULL},
    {ED "; l=16", DKIM_FAIL, "the body is shorter than l=", NULL},
    {ED "; bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", DKIM_FAIL, "the body was changed",
     NULL},
    {ED "; bh=AAAA", DKIM_PERMERROR, "bh= is no hash", NULL},
    {ED "; bh=", DKIM_PERMERROR, "bh= is no hash", NULL},
    {ED "; bh=!", DKIM_PERMERROR, "bh= is no hash", NULL},
    {ED "; l=", DKIM_PERMERROR, "l= is no length", NULL},
    {ED "; l=-1", DKIM_PERMERROR, "l= is no length", NULL},
    {ED "; t=x", DKIM_PERMERROR, "t= is no time", NULL},
    {ED "; t=", DKIM_PERMERROR, "t= is no time", NULL},
    {ED "; x=9999999999999", DKIM_PERMERROR, "x= is no time", NULL},
    {ED "; t=1900000000; x=1900000000", DKIM_PERMERROR, "x= is not after t=", NULL},
    {ED "; i=ann@other.example", DKIM_PERMERROR, "i= is not in d=", NULL},
    {ED "; i=ann@example", DKIM_PERMERROR, "i= is not in d=", NULL},
    {ED "; i=ann@notfar.example", DKIM_PERMERROR, "i= is not in d=", NULL},
    {ED "; i=ann", DKIM_PERMERROR, "i= is no identity", NULL},
    {ED "; i=ann@", DKIM_PERMERROR, "i= is no identity", NULL},
    {ED "; i=ann=4@far.example", DKIM_PERMERROR, "i= is no identity", NULL},
    {ED "; i=", DKIM_PERMERROR, "i= is no identity", NULL},
    {ED "; q=http", DKIM_PERMERROR, "unknown way to the key", NULL},
    {ED "; q=dns", DKIM_PERMERROR, "unknown way to the key", NULL},
    {ED "; c=other", DKIM_PERMERROR, "unknown canonicalisation", NULL},
    {ED "; c=relaxed/", DKIM_PERMERROR, "unknown canonicalisation", NULL},
    {ED "; c=", DKIM_PERMERROR, "unknown canonicalisation", NULL},
    {ED "; c=simple/simple/simple", DKIM_PERMERROR, "unknown canonicalisation", NULL},
    {ED "; d=far.example", DKIM_PERMERROR, "a tag stands twice", NULL},
    {ED "; x", DKIM_PERMERROR, "syntax error", NULL},
    {ED ";", DKIM_PERMERROR, "syntax error", NULL}, /* an empty one before the next */
    {"v=1; a=rsa-sha1; d=far.example; s=k; h=from", DKIM_PERMERROR, "rsa-sha1 is not safe", NULL},
    {"v=1; a=RSA-SHA256; d=far.example; s=k; h=from", DKIM_PERMERROR, "unknown algorithm", NULL},
    {"v=1; a=; d=far.example; s=k; h=from", DKIM_PERMERROR, "unknown algorithm", NULL},
    {"v=2; a=ed25519-sha256; d=far.example; s=k; h=from", DKIM_PERMERROR, "another version", NULL},
    {"v=; a=ed25519-sha256; d=far.example; s=k; h=from", DKIM_PERMERROR, "another version", NULL},
    {"a=ed25519-sha256; d=far.example; s=k; h=from", DKIM_PERMERROR, "no v= tag", NULL},
    {"v=1; d=far.example; s=k; h=from", DKIM_PERMERROR, "no a= tag", NULL},
    {"v=1; a=ed25519-sha256; s=k; h=from", DKIM_PERMERROR, "no d= tag", NULL},
    {"v=1; a=ed25519-sha256; d=far.example; h=from", DKIM_PERMERROR, "no s= tag", NULL},
    {"v=1; a=ed25519-sha256; d=far.example; s=k", DKIM_PERMERROR, "no h= tag", NULL},
    {"v=1; a=ed25519-sha256; d=; s=k; h=from", DKIM_PERMERROR, "d= is no domain", NULL},
    {"v=1; a=ed25519-sha256; d=far..example; s=k; h=from", DKIM_PERMERROR, "d= is no domain", NULL},
    {"v=1; a=ed25519-sha256; d=far.example; s=; h=from", DKIM_PERMERROR, "s= is no selector", NULL},
    {"v=1; a=ed25519-sha256; d=far.example; s=a b; h=from", DKIM_PERMERROR, "s= is no selector",
     NULL},
    {ED "x:subject", DKIM_PERMERROR, "From is not signed", NULL},
    {"v=1; a=ed25519-sha256; d=far.example; s=k; h=", DKIM_PERMERROR, "h= is no list of names",
     NULL},
    {ED ":", DKIM_PERMERROR, "h= is no list of names", NULL},
    {ED "::to", DKIM_PERMERROR, "h= is no list of names", NULL},
    {ED ":a b", DKIM_PERMERROR, "h= is no list of names", NULL},
    /* and what the key has to say */
    {RSA, DKIM_PASS, "", "p="},
    {RSA, DKIM_PASS, "", "v=DKIM1; k=rsa; h=sha1:sha256; s=email; t=s; p="},
    {ED "; i=@far.example", DKIM_PASS, "", "k=ed25519; t=s; p="},
    {ED "; i=@sub.far.example", DKIM_PERMERROR, "the key is not for subdomains",
     "k=ed25519; t=s; p="},
    {RSA, DKIM_PERMERROR, "the key is for another algorithm", "h=sha1; p="},
    {RSA, DKIM_PERMERROR, "the key is not for mail", "s=web; p="},
    {RSA, DKIM_PERMERROR, "the key is revoked", "p=; x="},
    {RSA, DKIM_PERMERROR, "the key is of another version", "v=DKIM2; p="},
    {ED, DKIM_PERMERROR, "the key is broken", "k=rsa; p="},
    {RSA, DKIM_PERMERROR, "the key is broken", "k=ed25519; p="},
};

/* One message, one signature, one key. */
static struct dkim_verdict
judge_one(struct str message, struct str record, struct arena *a)
{
    const struct testkit_record at = {STR("k._domainkey.far.example"), record, KEY_FOUND};
    const struct testkit_dns dns = {&at, 1};
    struct testkit_reading r = {.now_s = NOW};
    struct dkim_verdict v[LIMIT_DKIM_SIGNATURES];

    assert_int_equal(testkit_judge(message, &dns, &r, a, v), 1);
    return v[0];
}

static void
rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(4 * DKIM_ARENA);
        bool is_rsa = str_find_str(str_of(rows[i].tags), STR("a=rsa-")) >= 0;
        EVP_PKEY *key = is_rsa ? rsa : ed25519;
        const char *record = is_rsa ? "v=DKIM1; p=" : "v=DKIM1; k=ed25519; p=";
        struct str message = testkit_sign(key, rows[i].tags, STR(MESSAGE), a);
        struct dkim_verdict v = judge_one(
            message, testkit_record(key, rows[i].record != NULL ? rows[i].record : record, a), a);

        if (v.result != rows[i].want || strcmp(v.reason, rows[i].reason) != 0)
            FAIL_AND_STOP("row %zu: %s, %s", i, dkim_result_name(v.result), v.reason);
    }
}

static void
sizes_of_keys(void **state)
{
    AUTO_ARENA *a = arena_new(8 * DKIM_ARENA);
    struct str m = testkit_sign(rsa_short, RSA, STR(MESSAGE), a);
    struct dkim_verdict v = judge_one(m, testkit_record(rsa_short, "p=", a), a);

    (void)state;
    assert_string_equal(v.reason, "the key is too short");
    assert_true(v.result == DKIM_POLICY && v.key_bits == 1016);
    m = testkit_sign(rsa_long, RSA, STR(MESSAGE), a);
    v = judge_one(m, testkit_record(rsa_long, "p=", a), a);
    assert_string_equal(v.reason, "the key is too long");
    assert_true(v.result == DKIM_POLICY && v.key_bits == 4104);
    /* the right size, and somebody else's */
    m = testkit_sign(rsa, RSA, STR(MESSAGE), a);
    EVP_PKEY *other = testkit_key(SIG_RSA, 2048);
    v = judge_one(m, testkit_record(other, "t=y; p=", a), a);
    EVP_PKEY_free(other);
    assert_string_equal(v.reason, "the signature does not fit");
    assert_true(v.result == DKIM_FAIL && v.key_bits == 2048 && v.testing);
}

/* ---- each byte ---- */

/* Changes every byte of a message that is signed whole, in the simple form, which forgives nothing. */
static void
a_changed_byte_does_not_pass(void **state)
{
    static const char *const tags[] = {
        ED ":subject:received:received; c=simple/simple; t=1700000000; i=@far.example",
        ED ":subject:received:received; c=relaxed/relaxed; t=1700000000; i=@far.example"};

    (void)state;
    for (size_t form = 0; form < COUNT_OF(tags); form++) {
        AUTO_ARENA *keep = arena_new(4 * DKIM_ARENA);
        struct str record = testkit_record(ed25519, "k=ed25519; p=", keep);
        struct str m = testkit_sign(ed25519, tags[form], STR(MESSAGE), keep);
        char *copy = arena_z(keep, m);

        assert_true(judge_one(m, record, keep).result == DKIM_PASS);
        for (size_t i = 0; i < m.len; i++) {
            AUTO_ARENA *a = arena_new(DKIM_ARENA);
            struct dkim_verdict v[LIMIT_DKIM_SIGNATURES];
            const struct testkit_record at = {STR("k._domainkey.far.example"), record, KEY_FOUND};
            const struct testkit_dns dns = {&at, 1};
            struct testkit_reading r = {.now_s = NOW};

            copy[i] = (char)(copy[i] ^ 1);
            uint32_t n = testkit_judge(str_from(copy, m.len), &dns, &r, a, v);
            copy[i] = (char)(copy[i] ^ 1);
            /* The relaxed form does not see how many spaces there are, nor what ends the body. */
            bool forgiven = form == 1 && ascii_is_space(m.ptr[i]) && i > m.len - 20;
            ROW(i, n == 0 || v[0].result != DKIM_PASS || forgiven);
        }
    }
}

/* ---- which fields are signed ---- */

static void
fields_from_the_bottom_up(void **state)
{
#define OWN_SIMPLE "DKIM-Signature: v=1; a=rsa-sha256; d=d.example; s=s;\r\n b=;" BH
#define BH         " bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; "
#define FIELD(x) \
    "DKIM-Signature: v=1; a=rsa-sha256; d=d.example; s=s;\r\n b= AA\r\n AA ;" BH x "\r\n"
#define OWN_RELAXED "dkim-signature:v=1; a=rsa-sha256; d=d.example; s=s; b=;" BH
    static const struct {
        const char *header, *signed_text;
    } texts[] = {
        {FIELD("h=from; c=simple") "From: a\r\n", "From: a\r\n" OWN_SIMPLE "h=from; c=simple"},
        {FIELD("h=from") "From: a\r\nFrom: b\r\n", "From: b\r\n" OWN_SIMPLE "h=from"},
        {FIELD("h=from:FROM:from") "From: a\r\nFROM : b\r\n",
         "FROM : b\r\nFrom: a\r\n" OWN_SIMPLE "h=from:FROM:from"},
        {FIELD("h=from:x:from:x") "X: 1\r\nFrom: a\r\nX:2\r\n\tb \r\n",
         "From: a\r\nX:2\r\n\tb \r\nX: 1\r\n" OWN_SIMPLE "h=from:x:from:x"},
        {FIELD("h=from:x; c=relaxed") "X: 1\r\nFrom: a\r\nX :\t2\r\n\tb  c \r\n",
         "from:a\r\nx:2 b c\r\n" OWN_RELAXED "h=from:x; c=relaxed"},
        {FIELD("h=from:x; c=relaxed") "From: a\r\nX:\r\n \r\n",
         "from:a\r\nx:\r\n" OWN_RELAXED "h=from:x; c=relaxed"},
        /* another signature, not its own */
        {FIELD("h=dkim-signature:from") "From: a\r\nDKIM-Signature: other\r\n",
         "DKIM-Signature: other\r\nFrom: a\r\n" OWN_SIMPLE "h=dkim-signature:from"},
        {FIELD("h=dkim-signature:from") "From: a\r\n",
         "From: a\r\n" OWN_SIMPLE "h=dkim-signature:from"},
        /* what is no field is not seen; a name that begins another is another */
        {FIELD("h=from:x") "no field\r\nX-Y: 1\r\nFrom: a\r\n",
         "From: a\r\n" OWN_SIMPLE "h=from:x"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO_ARENA *a = arena_new(DKIM_ARENA);
        unsigned char got[SIG_DIGEST], want[SIG_DIGEST];
        struct field_table t;
        struct sig s;

        field_table_index(str_of(texts[i].header), a, &t);
        sig_parse(&t, 0, (struct sig_form){SIG_DKIM, SIG_RULES_NOW}, a, &s);
        ROW(i, s.wrong == NULL);
        sig_header_digest(&t, &s, got);
        SHA256((const unsigned char *)texts[i].signed_text, strlen(texts[i].signed_text), want);
        ROW(i, memcmp(got, want, sizeof(got)) == 0);
    }
}

/* ---- limits ---- */

static void
many_signatures(void **state)
{
    AUTO_ARENA *a = arena_new(16 * DKIM_ARENA);
    struct str m = STR(MESSAGE), record = testkit_record(ed25519, "k=ed25519; p=", a);
    const struct testkit_record at[] = {{STR("a._domainkey.far.example"), record, KEY_FOUND},
                                        {STR("b._domainkey.far.example"), STR_NONE, KEY_UNKNOWN}};
    const struct testkit_dns dns = {at, COUNT_OF(at)};
    struct testkit_reading r = {.now_s = NOW};
    struct dkim_verdict v[LIMIT_DKIM_SIGNATURES];
    const struct str *names;

    (void)state;
    for (size_t i = 0; i < 4; i++) { /* from the bottom: c b a c b a ... */
        m = testkit_sign(ed25519, "v=1; a=ed25519-sha256; d=far.example; s=c; h=from", m, a);
        m = testkit_sign(ed25519, "v=1; a=ed25519-sha256; d=far.example; s=b; h=from", m, a);
        m = testkit_sign(ed25519, "v=1; a=ed25519-sha256; d=far.example; s=a; h=from", m, a);
    }
    assert_int_equal(testkit_judge(m, &dns, &r, a, v), LIMIT_DKIM_SIGNATURES);
    assert_int_equal(r.beyond, 12 - LIMIT_DKIM_SIGNATURES);
    for (size_t i = 0; i < LIMIT_DKIM_SIGNATURES; i++) {
        static const enum dkim_result want[] = {DKIM_PASS, DKIM_TEMPERROR, DKIM_PERMERROR};
        ROW(i, v[i].result == want[i % 3]);
    }
    AUTO(dkim_free) struct dkim *d = dkim_new(m, SIG_RULES_NOW, a);
    assert_int_equal(dkim_names(d, &names), 3);
    assert_str(names[2], STR("c._domainkey.far.example"));
}

/* One of several records may be the key. */
static void
several_records(void **state)
{
    AUTO_ARENA *a = arena_new(4 * DKIM_ARENA);
    EVP_PKEY *other = testkit_key(SIG_ED25519, 0);
    struct str good = testkit_record(ed25519, "k=ed25519; p=", a);
    struct str bad = testkit_record(other, "k=ed25519; p=", a), none = STR("v=spf1 -all");
    struct str m = testkit_sign(ed25519, ED, STR(MESSAGE), a);
    const struct {
        struct str texts[6];
        size_t count;
        enum dkim_result want;
    } sets[] = {
        {{good}, 1, DKIM_PASS},
        {{none, good}, 2, DKIM_PASS},
        {{bad, good}, 2, DKIM_PASS},
        {{bad, none, none, good}, 4, DKIM_PASS},
        {{none, none, none, none, good}, 5, DKIM_PERMERROR}, /* too many */
        {{none, bad}, 2, DKIM_FAIL},
        {{bad, none}, 2, DKIM_FAIL},
        {{none}, 1, DKIM_PERMERROR},
        {{STR_NONE}, 0, DKIM_PERMERROR},
    };

    (void)state;
    EVP_PKEY_free(other);
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        size_t header = header_block_len(m);
        AUTO(dkim_free) struct dkim *d = dkim_new(str_sub(m, 0, header), SIG_RULES_NOW, a);
        struct key_answer answer = {KEY_FOUND, sets[i].texts, sets[i].count};
        struct dkim_verdict v;

        dkim_body(d, str_skip(m, header));
        dkim_body_end(d);
        dkim_verdict(d, 0, &answer, NOW, &v);
        ROW(i, v.result == sets[i].want);
    }
}

/* Fields and bytes beyond what is looked at: nobody can say what was signed. */
static void
long_headers(void **state)
{
    AUTO_ARENA *a = arena_new(8 * DKIM_ARENA);
    AUTO_BUF b = BUF(4 << 20);
    struct str record = testkit_record(ed25519, "k=ed25519; p=", a);

    (void)state;
    for (size_t i = 0; i < LIMIT_HEADER_FIELDS - 3; i++)
        buf_add_z(&b, "X:\r\n");
    buf_add_z(&b, "From: a\r\n\r\nbody\r\n");
    struct str m = testkit_sign(ed25519, ED ":x:x:x:x", buf_str(&b), a);
    assert_true(judge_one(m, record, a).result == DKIM_PASS);
    buf_reset(&b);
    buf_add(&b, str_sub(m, 0, header_block_len(m) - 2));
    buf_add_z(&b, "X:\r\n\r\nbody\r\n");
    assert_string_equal(judge_one(buf_str(&b), record, a).reason, "the header is too long");
    buf_reset(&b);
    buf_add(&b, str_sub(m, 0, header_block_len(m) - 2));
    buf_add_z(&b, "X: ");
    while (b.len <= LIMIT_HEADER_BYTES)
        buf_add_char(&b, 'x');
    buf_add_z(&b, "\r\n\r\nbody\r\n");
    assert_string_equal(judge_one(buf_str(&b), record, a).reason, "the header is too long");
}

/* Fields of which a message has one: a second one on top would be shown, and nobody signed it. */
static void
doubled_fields(void **state)
{
    static const struct {
        const char *names, *before;
        enum dkim_result want;
    } doubles[] = {
        {"from:subject", "Subject: other\r\n", DKIM_POLICY},
        {"from:subject", "FROM : other\r\n", DKIM_POLICY},
        {"from:subject", "Received: other\r\n", DKIM_PASS},
        {"from:from:subject:subject", "Subject: other\r\n", DKIM_FAIL},
        {"from", "Subject: other\r\n", DKIM_PASS},
    };
    AUTO_ARENA *a = arena_new(16 * DKIM_ARENA);
    struct str record = testkit_record(ed25519, "k=ed25519; p=", a);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(doubles); i++) {
        struct str tags =
            arena_printf(a, "v=1; a=ed25519-sha256; d=far.example; s=k; c=relaxed/relaxed; h=%s",
                         doubles[i].names);
        struct str m = testkit_sign(ed25519, arena_str(a, tags).ptr,
                                    STR("From: a\r\nSubject: b\r\n\r\nbody\r\n"), a);
        m = arena_printf(a, "%s%.*s", doubles[i].before, STR_FMT(m));
        ROW(i, judge_one(m, record, a).result == doubles[i].want);
    }
}

static void
a_long_field(void **state)
{
    AUTO_ARENA *a = arena_new(8 * DKIM_ARENA);
    AUTO_BUF b = BUF(1 << 20);
    struct str record = testkit_record(ed25519, "k=ed25519; p=", a);

    (void)state;
    buf_add_z(&b, ED);
    while (b.len < LIMIT_DKIM_FIELD_BYTES)
        buf_add_z(&b, ":x");
    buf_add_char(&b, '\0');
    struct str m = testkit_sign(ed25519, b.ptr, STR(MESSAGE), a);
    assert_string_equal(judge_one(m, record, a).reason, "the field is too long");
}

/* Without a body, without an end of the header, without anything. */
static void
little(void **state)
{
    AUTO_ARENA *a = arena_new(8 * DKIM_ARENA);
    struct str record = testkit_record(ed25519, "k=ed25519; p=", a);
    struct dkim_verdict v[LIMIT_DKIM_SIGNATURES];
    const struct testkit_dns dns = {NULL, 0};
    struct testkit_reading r = {0};

    (void)state;
    assert_true(judge_one(testkit_sign(ed25519, ED, STR("From: a\r\n\r\n"), a), record, a).result ==
                DKIM_PASS);
    assert_true(
        judge_one(testkit_sign(ed25519, ED "; c=relaxed/relaxed", STR("From: a\r\n"), a), record, a)
            .result == DKIM_PASS);
    assert_int_equal(testkit_judge(STR(""), &dns, &r, a, v), 0);
    assert_int_equal(testkit_judge(STR("\r\n"), &dns, &r, a, v), 0);
    assert_int_equal(testkit_judge(STR("DKIM-Signature:\r\n"), &dns, &r, a, v), 1);
    assert_string_equal(v[0].reason, "syntax error");
    assert_int_equal(v[0].domain.len, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc8463),
        cmocka_unit_test(rules),
        cmocka_unit_test(sizes_of_keys),
        cmocka_unit_test(a_changed_byte_does_not_pass),
        cmocka_unit_test(fields_from_the_bottom_up),
        cmocka_unit_test(many_signatures),
        cmocka_unit_test(several_records),
        cmocka_unit_test(long_headers),
        cmocka_unit_test(doubled_fields),
        cmocka_unit_test(a_long_field),
        cmocka_unit_test(little),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
