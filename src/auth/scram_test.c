/* scram_test.c - the arithmetic of SCRAM on the vectors of RFC 7677, what is kept between the steps, SASLprep.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "auth/exchanges.h"
#include "auth/prepare.h"
#include "auth/verifier.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/size.h"
#include "rt/clock_testing.h"

/* RFC 7677 section 3. */
#define CLIENT_FIRST STR("n=user,r=rOprNGfwEbeRWgbNEkqO")
#define CLIENT_NONCE STR("rOprNGfwEbeRWgbNEkqO")
#define SERVER_NONCE STR("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
#define SERVER_FIRST                                           \
    STR("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0" \
        ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
#define CLIENT_FINAL STR("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
#define PROOF        STR("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
#define SIGNATURE    STR("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")

/* What a client computes from the password; the server never does this. */
static void
salted_password(const char *password, struct str salt, uint32_t iterations, unsigned char *out)
{
    assert_int_equal(PKCS5_PBKDF2_HMAC(password, (int)strlen(password),
                                       (const unsigned char *)salt.ptr, (int)salt.len,
                                       (int)iterations, EVP_sha256(), 32, out),
                     1);
}

static void
hmac_of(const unsigned char *key, struct str text, unsigned char *out)
{
    unsigned n = 0;

    assert_non_null(
        HMAC(EVP_sha256(), key, 32, (const unsigned char *)text.ptr, text.len, out, &n));
    assert_int_equal(n, 32);
}

static struct scram_keys
keys_of(const char *password, struct str salt_base64)
{
    AUTO_BUF salt = BUF(64);
    struct scram_keys k = {.iterations = 4096};
    unsigned char salted[32], client[32];

    assert_int_equal(base64_decode(salt_base64, &salt), OK);
    k.salt_len = salt.len;
    mem_copy(k.salt, salt.ptr, salt.len);
    salted_password(password, buf_str(&salt), 4096, salted);
    hmac_of(salted, STR("Client Key"), client);
    hmac_of(salted, STR("Server Key"), k.server);
    assert_non_null(SHA256(client, 32, k.stored));
    return k;
}

static void
message_add(struct buf *m, struct str server_first)
{
    buf_add(m, CLIENT_FIRST);
    buf_add_char(m, ',');
    buf_add(m, server_first);
    buf_add_char(m, ',');
    buf_add(m, CLIENT_FINAL);
}

static void
test_vector(void **state)
{
    struct scram_keys k = keys_of("pencil", STR("W22ZaJ0SNY7soEsUEjb6gQ=="));
    AUTO_BUF first = BUF(1024);
    AUTO_BUF message = BUF(1024);
    AUTO_BUF proof = BUF(64);
    AUTO_BUF signature = BUF(64);
    unsigned char got[SCRAM_KEY_BYTES];

    (void)state;
    scram_server_first(&k, CLIENT_NONCE, SERVER_NONCE, &first);
    assert_str(buf_str(&first), SERVER_FIRST);
    message_add(&message, buf_str(&first));
    assert_int_equal(base64_decode(PROOF, &proof), OK);
    assert_int_equal(scram_check(&k, buf_str(&message), buf_str(&proof), got), OK);
    buf_add_base64(&signature, str_from((const char *)got, sizeof(got)));
    assert_str(buf_str(&signature), SIGNATURE);
}

/* Any bit of the proof, any byte of the messages, and the length count. */
static void
test_wrong_proofs(void **state)
{
    struct scram_keys k = keys_of("pencil", STR("W22ZaJ0SNY7soEsUEjb6gQ=="));
    struct scram_keys other = keys_of("pencim", STR("W22ZaJ0SNY7soEsUEjb6gQ=="));
    AUTO_BUF message = BUF(1024);
    AUTO_BUF proof = BUF(64);
    unsigned char got[SCRAM_KEY_BYTES] = "untouched";

    (void)state;
    message_add(&message, SERVER_FIRST);
    assert_int_equal(base64_decode(PROOF, &proof), OK);
    for (size_t i = 0; i < 8 * proof.len; i++) {
        proof.ptr[i / 8] ^= (char)(1 << i % 8);
        ROW(i, scram_check(&k, buf_str(&message), buf_str(&proof), got) == ERR_DENIED);
        proof.ptr[i / 8] ^= (char)(1 << i % 8);
    }
    for (size_t i = 0; i < message.len; i++) {
        message.ptr[i] ^= 1;
        ROW(i, scram_check(&k, buf_str(&message), buf_str(&proof), got) == ERR_DENIED);
        message.ptr[i] ^= 1;
    }
    for (size_t n = 0; n < proof.len; n++)
        ROW(n,
            scram_check(&k, buf_str(&message), str_sub(buf_str(&proof), 0, n), got) == ERR_DENIED);
    assert_int_equal(scram_check(&other, buf_str(&message), buf_str(&proof), got), ERR_DENIED);
    assert_string_equal((const char *)got, "untouched");
    assert_int_equal(scram_check(&k, buf_str(&message), buf_str(&proof), got), OK);
}

/* The keys that verifier_make() keeps are those of the password, and no others are taken for keys. */
static void
test_keys_of_a_verifier(void **state)
{
    AUTO_SECRET password = {0};
    AUTO_BUF verifier = BUF(VERIFIER_MAX);
    AUTO_BUF salt = BUF(64);
    struct scram_keys k, untouched = {.iterations = 7};

    (void)state;
    assert_true(secret_set(&password, STR("pencil")));
    assert_int_equal(verifier_make(&password, &verifier), OK);
    assert_true(verifier.len >= VERIFIER_USUAL - 8 && verifier.len <= VERIFIER_USUAL + 8);
    assert_int_equal(verifier_scram(buf_str(&verifier), &k), OK);
    buf_add_base64(&salt, str_from(k.salt, k.salt_len));
    struct scram_keys want = keys_of("pencil", buf_str(&salt));
    assert_int_equal(k.iterations, SCRAM_ITERATIONS);
    assert_int_equal(k.salt_len, SCRAM_SALT_BYTES);
    assert_memory_equal(k.stored, want.stored, SCRAM_KEY_BYTES);
    assert_memory_equal(k.server, want.server, SCRAM_KEY_BYTES);
    for (size_t n = 0; n < verifier.len; n++)
        ROW(n, verifier_scram(str_sub(buf_str(&verifier), 0, n), &untouched) == ERR_CORRUPT);
    assert_int_equal(untouched.iterations, 7);
}

/* Nobody's keys: the same each time, others for each name and each installation, and like real ones in form. */
static void
test_nobody(void **state)
{
    static const unsigned char secret[SCRAM_KEY_BYTES] = "one",
                               other_secret[SCRAM_KEY_BYTES] = "two";
    struct scram_keys a, again, b, elsewhere;

    (void)state;
    scram_keys_of_nobody(secret, STR("who@a.example"), &a);
    scram_keys_of_nobody(secret, STR("who@a.example"), &again);
    scram_keys_of_nobody(secret, STR("whom@a.example"), &b);
    scram_keys_of_nobody(other_secret, STR("who@a.example"), &elsewhere);
    assert_int_equal(a.iterations, SCRAM_ITERATIONS);
    assert_int_equal(a.salt_len, SCRAM_SALT_BYTES);
    assert_memory_equal(a.salt, again.salt, SCRAM_SALT_BYTES);
    assert_memory_equal(a.stored, again.stored, SCRAM_KEY_BYTES);
    assert_memory_not_equal(a.salt, b.salt, SCRAM_SALT_BYTES);
    assert_memory_not_equal(a.salt, elsewhere.salt, SCRAM_SALT_BYTES);
    assert_memory_not_equal(a.stored, a.server, SCRAM_KEY_BYTES);
    assert_memory_not_equal(a.stored, a.salt, SCRAM_SALT_BYTES);
}

static struct exchange *
begin(struct exchanges *t, uint64_t worker, uint64_t session, uint64_t account)
{
    struct exchange *x = exchanges_begin(t, worker, session);

    x->account = account;
    x->may = account != 0;
    x->address = mem_str(STR("anna@a.example"));
    buf_add(&x->message, STR("n=anna"));
    return x;
}

static bool
take(struct exchanges *t, uint64_t worker, uint64_t session)
{
    AUTO(exchange_free) struct exchange *x = exchanges_take(t, worker, session);

    return x != NULL;
}

static void
test_exchanges(void **state)
{
    AUTO(exchanges_free) struct exchanges *t = exchanges_new(3);

    (void)state;
    begin(t, 1, 1, 7);
    assert_false(take(t, 1, 2));
    assert_false(take(t, 2, 1));
    assert_true(take(t, 1, 1));
    assert_false(take(t, 1, 1)); /* once */

    begin(t, 1, 1, 7);
    begin(t, 1, 1, 8); /* the second try of a session takes the place of the first */
    assert_int_equal(exchanges_count(t), 1);
    exchanges_forget_account(t, 7);
    assert_int_equal(exchanges_count(t), 1);
    exchanges_forget_account(t, 8);
    assert_int_equal(exchanges_count(t), 0);

    begin(t, 1, 1, 0); /* nobody's belong to no account */
    begin(t, 2, 1, 7);
    exchanges_forget_account(t, 0);
    assert_int_equal(exchanges_count(t), 2);
    exchanges_forget_worker(t, 1);
    assert_false(take(t, 1, 1));
    assert_true(take(t, 2, 1));

    for (uint64_t i = 1; i <= 4; i++)
        begin(t, 1, i, 7);
    assert_int_equal(exchanges_count(t), 3);
    assert_false(take(t, 1, 1)); /* the oldest went */
    assert_true(take(t, 1, 2));

    test_clock_pass(LIMIT_SCRAM_S * 1000 - 1);
    assert_true(take(t, 1, 3));
    test_clock_pass(1);
    assert_false(take(t, 1, 4));
    assert_int_equal(exchanges_count(t), 0);
}

/* RFC 4013 section 3, then what is taken as it came. */
static const struct {
    const char *in, *out;
} passwords[] = {
    {"I\xc2\xadX", "IX"},             /* SOFT HYPHEN mapped to nothing */
    {"user", "user"},                 /* no transformation */
    {"USER", "USER"},                 /* case preserved */
    {"\xc2\xaa", "a"},                /* output is NFKC */
    {"\xe2\x85\xa8", "IX"},           /* output is NFKC */
    {"\x07", "\x07"},                 /* prohibited: as it is */
    {"\xd8\xa7\x31", "\xd8\xa7\x31"}, /* bidirectional check: as it is */
    {"", ""},
    {" a  b ", " a  b "},
    {"\xc2\xa0x", " x"},       /* a non-ASCII space */
    {"a\xcc\x88", "\xc3\xa4"}, /* what Macs write, and what others do */
    {"\xc3\xa4", "\xc3\xa4"},
    {"\xff", "\xff"}, /* Latin-1, or anything */
    {"\xc3\xa4\xff", "\xc3\xa4\xff"},
    {"\xc2\xad", "\xc2\xad"},                 /* would be empty */
    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"}, /* younger than Unicode 3.2 */
    {"\xed\xa0\x80", "\xed\xa0\x80"},         /* a surrogate */
};

static void
test_saslprep(void **state)
{
    (void)state;
    password_preload();
    for (size_t i = 0; i < COUNT_OF(passwords); i++) {
        AUTO_SECRET got = {0};
        ROW(i, password_set(&got, str_of(passwords[i].in)));
        ROW(i, str_eq(secret_str(&got), str_of(passwords[i].out)));
    }
}

/* A password of the longest length is taken whatever it becomes; a longer one is not. */
static void
test_saslprep_limits(void **state)
{
    AUTO_BUF long_one = BUF(2 * SECRET_MAX);
    AUTO_SECRET got = {0};

    (void)state;
    for (size_t i = 0; i < SECRET_MAX / 3; i++)
        buf_add(&long_one, STR("\xef\xb7\xba")); /* U+FDFA: 18 characters when decomposed */
    assert_true(password_set(&got, buf_str(&long_one)));
    assert_str(secret_str(&got), buf_str(&long_one));
    while (long_one.len < SECRET_MAX)
        buf_add_char(&long_one, 'x');
    assert_true(password_set(&got, buf_str(&long_one)));
    buf_add_char(&long_one, 'x');
    assert_false(password_set(&got, buf_str(&long_one)));
    assert_int_equal(got.len, SECRET_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vector),          cmocka_unit_test(test_wrong_proofs),
        cmocka_unit_test(test_nobody),          cmocka_unit_test(test_keys_of_a_verifier),
        cmocka_unit_test(test_exchanges),       cmocka_unit_test(test_saslprep),
        cmocka_unit_test(test_saslprep_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
