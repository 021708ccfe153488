/* jwt_test.c - tokens signed with keys made here, and everything that can be wrong with one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "auth/jwt.h"
#include "auth/jwt_testkit.h"
#include "base/size.h"

#define GOOD "{\"iss\":\"https://i\",\"aud\":\"mail\",\"exp\":1000,\"email\":\"anna@a.example\"}"

static EVP_PKEY *rsa, *ec, *ed, *weak, *other;

static int
make_keys(void **state)
{
    (void)state;
    rsa = EVP_RSA_gen(2048);
    weak = EVP_RSA_gen(1024);
    other = EVP_RSA_gen(2048);
    ec = EVP_EC_gen("P-256");
    ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return rsa == NULL || ec == NULL || ed == NULL || weak == NULL || other == NULL;
}

static int
drop_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(weak);
    EVP_PKEY_free(other);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(ed);
    return 0;
}

static void
add_number(struct buf *b, const BIGNUM *n, size_t size)
{
    unsigned char bytes[512];

    assert_true(BN_bn2binpad(n, bytes, (int)size) == (int)size);
    test_add_base64url(b, str_from((const char *)bytes, size));
}

static void
add_member(struct buf *b, EVP_PKEY *key, const char *name, const char *param)
{
    BIGNUM *n = NULL;

    assert_int_equal(EVP_PKEY_get_bn_param(key, param, &n), 1);
    buf_addf(b, ",\"%s\":\"", name);
    add_number(b, n, (size_t)BN_num_bytes(n) < 32 && *name != 'e' ? 32 : (size_t)BN_num_bytes(n));
    buf_add_char(b, '"');
    BN_free(n);
}

static void
add_jwk(struct buf *b, EVP_PKEY *key, const char *more)
{
    unsigned char raw[32];
    size_t n = sizeof(raw);

    buf_addf(b, "{\"kty\":\"%s\"%s",
             key == ed   ? "OKP\",\"crv\":\"Ed25519"
             : key == ec ? "EC\",\"crv\":\"P-256"
                         : "RSA",
             more);
    if (key == ed) {
        assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &n), 1);
        buf_add_z(b, ",\"x\":\"");
        test_add_base64url(b, str_from((const char *)raw, n));
        buf_add_char(b, '"');
    } else if (key == ec) {
        add_member(b, key, "x", OSSL_PKEY_PARAM_EC_PUB_X);
        add_member(b, key, "y", OSSL_PKEY_PARAM_EC_PUB_Y);
    } else {
        add_member(b, key, "n", OSSL_PKEY_PARAM_RSA_N);
        add_member(b, key, "e", OSSL_PKEY_PARAM_RSA_E);
    }
    buf_add_char(b, '}');
}

/* rsa "r", ec without a name, ed "e"; and what is of no use. */
static struct jwt_keys *
all_keys(void)
{
    AUTO_BUF b = BUF(JWT_KEYS_BYTES);
    struct jwt_keys *k = NULL;

    buf_add_z(&b, "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},7,");
    add_jwk(&b, weak, ",\"kid\":\"w\"");
    buf_add_char(&b, ',');
    add_jwk(&b, other, ",\"use\":\"enc\"");
    buf_add_char(&b, ',');
    add_jwk(&b, rsa, ",\"use\":\"sig\",\"kid\":\"r\"");
    buf_add_char(&b, ',');
    add_jwk(&b, ec, "");
    buf_add_char(&b, ',');
    add_jwk(&b, ed, ",\"kid\":\"e\"");
    buf_add_z(&b, "],\"more\":1}");
    assert_int_equal(jwt_keys_read(buf_str(&b), &k), OK);
    assert_int_equal(jwt_keys_count(k), 3);
    return k;
}

static void
sign(EVP_PKEY *key, struct str text, struct buf *out)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned char bytes[512];
    size_t n = sizeof(bytes);

    assert_int_equal(EVP_DigestSignInit(c, NULL, key == ed ? NULL : EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(c, bytes, &n, (const unsigned char *)text.ptr, text.len), 1);
    EVP_MD_CTX_free(c);
    if (key != ec) {
        buf_add(out, str_from((const char *)bytes, n));
        return;
    }
    const unsigned char *p = bytes;
    ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)n);
    unsigned char raw[64];
    BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 32, 32);
    ECDSA_SIG_free(s);
    buf_add(out, str_from((const char *)raw, sizeof(raw)));
}

static void
make(EVP_PKEY *key, const char *header, const char *payload, struct buf *out)
{
    AUTO_BUF signature = BUF(1024);

    test_add_base64url(out, str_of(header));
    buf_add_char(out, '.');
    test_add_base64url(out, str_of(payload));
    sign(key, buf_str(out), &signature);
    buf_add_char(out, '.');
    test_add_base64url(out, buf_str(&signature));
}

static const struct jwt_wanted wanted = {{"https://i", 9}, {"mail", 4}, 900};

static void
test_good_and_bad_signatures(void **state)
{
    const struct {
        EVP_PKEY *key;
        const char *header;
        bool good;
    } rows[] = {
        {rsa, "{\"alg\":\"RS256\",\"kid\":\"r\"}", true},
        {rsa, "{\"alg\":\"RS256\"}", true},
        {ec, "{\"alg\":\"ES256\",\"kid\":\"any\"}", true},
        {ec, "{\"alg\":\"ES256\"}", true},
        {ed, "{\"alg\":\"EdDSA\",\"kid\":\"e\"}", true},
        {rsa, "{\"alg\":\"RS256\",\"kid\":\"e\"}", false}, /* another key's name */
        {rsa, "{\"alg\":\"ES256\"}", false},
        {ec, "{\"alg\":\"RS256\"}", false},
        {ed, "{\"alg\":\"ES256\"}", false},
        {ed, "{\"alg\":\"none\"}", false},
        {other, "{\"alg\":\"RS256\"}", false},
        {weak, "{\"alg\":\"RS256\",\"kid\":\"w\"}", false},
    };
    AUTO(jwt_keys_free) struct jwt_keys *k = all_keys();
    AUTO_ARENA *a = arena_new(1 << 22);
    struct str who;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF t = BUF(8192);
        make(rows[i].key, rows[i].header, GOOD, &t);
        ROW(i, (jwt_check(k, buf_str(&t), &wanted, a, &who) == OK) == rows[i].good);
        if (!rows[i].good)
            continue;
        ROW(i, str_eq(who, STR("anna@a.example")));
        for (size_t at = 0; at < t.len; at += 7) { /* any bit of it */
            t.ptr[at] ^= 1;
            ROW(i, jwt_check(k, buf_str(&t), &wanted, a, &who) == ERR_DENIED);
            t.ptr[at] ^= 1;
        }
    }
}

static void
test_claims(void **state)
{
    static const struct {
        const char *payload, *who; /* NULL: it is refused */
    } rows[] = {
        {GOOD, "anna@a.example"},
        {"{\"iss\":\"https://i\",\"aud\":[\"x\",\"mail\"],\"exp\":841,\"sub\":\"s\"}",
         "s"}, /* leeway */
        {"{\"iss\":\"https://i\",\"aud\":\"mail\",\"exp\":840,\"sub\":\"s\"}", NULL},
        {"{\"iss\":\"https://i\",\"aud\":\"mail\",\"exp\":1000,\"nbf\":960,\"sub\":\"s\"}", "s"},
        {"{\"iss\":\"https://i\",\"aud\":\"mail\",\"exp\":1000,\"nbf\":961,\"sub\":\"s\"}", NULL},
        {"{\"iss\":\"https://i\",\"aud\":\"mail\",\"sub\":\"s\"}", NULL}, /* for ever */
        {"{\"iss\":\"https://i/\",\"aud\":\"mail\",\"exp\":1000,\"sub\":\"s\"}", NULL},
        {"{\"aud\":\"mail\",\"exp\":1000,\"sub\":\"s\"}", NULL},
        {"{\"iss\":\"https://i\",\"aud\":\"web\",\"exp\":1000,\"sub\":\"s\"}", NULL},
        {"{\"iss\":\"https://i\",\"aud\":[],\"exp\":1000,\"sub\":\"s\"}", NULL},
        {"{\"iss\":\"https://i\",\"exp\":1000,\"sub\":\"s\"}", NULL},
        {"{\"iss\":\"https://i\",\"aud\":\"mail\",\"exp\":1000}", NULL}, /* of nobody */
        {"{\"iss\":\"https://i\",\"aud\":\"mail\",\"exp\":1000,\"email\":\"a@b\",\"sub\":\"s\","
         "\"email_verified\":false}",
         "s"},
        {"{\"iss\":\"https://i\",\"aud\":\"mail\",\"exp\":1000,\"email\":\"a@b\",\"sub\":\"s\","
         "\"email_verified\":true}",
         "a@b"},
    };
    AUTO(jwt_keys_free) struct jwt_keys *k = all_keys();
    AUTO_ARENA *a = arena_new(1 << 20);
    struct str who;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF t = BUF(8192);
        make(ed, "{\"alg\":\"EdDSA\"}", rows[i].payload, &t);
        enum status e = jwt_check(k, buf_str(&t), &wanted, a, &who);
        ROW(i, e == (rows[i].who == NULL ? ERR_DENIED : OK));
        if (e == OK)
            ROW(i, str_eq(who, str_of(rows[i].who)));
    }
}

static void
test_what_is_no_set_of_keys(void **state)
{
    static const struct {
        const char *text;
        enum status status;
    } rows[] = {
        {"", ERR_SYNTAX},
        {"{}", ERR_SYNTAX},
        {"{\"keys\":{}}", ERR_SYNTAX},
        {"{\"keys\":[]}", ERR_NOT_FOUND},
        {"{\"keys\":[{}]}", ERR_NOT_FOUND},
        {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}]}", ERR_NOT_FOUND},
        {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", ERR_NOT_FOUND},
        {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}]}",
         ERR_NOT_FOUND},
        {"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
         "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
         "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
         ERR_NOT_FOUND}, /* no point of the curve */
        {"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":"
         "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
         ERR_NOT_FOUND},
        {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", ERR_NOT_FOUND},
        {"{\"keys\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}", ERR_SYNTAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct jwt_keys *k = NULL;
        ROW(i, jwt_keys_read(str_of(rows[i].text), &k) == rows[i].status && k == NULL);
    }
}

static void
test_keys_in_pem(void **state)
{
    BIO *out = BIO_new(BIO_s_mem());
    AUTO(jwt_keys_free) struct jwt_keys *k = NULL;
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF t = BUF(8192);
    struct str who;
    char *text;

    (void)state;
    assert_true(PEM_write_bio_PUBKEY(out, ec) == 1 && PEM_write_bio_PUBKEY(out, weak) == 1 &&
                PEM_write_bio_PUBKEY(out, rsa) == 1);
    long n = BIO_get_mem_data(out, &text);
    assert_int_equal(jwt_keys_read(str_from(text, (size_t)n), &k), OK);
    BIO_free(out);
    assert_int_equal(jwt_keys_count(k), 2);
    make(rsa, "{\"alg\":\"RS256\",\"kid\":\"whatever\"}", GOOD, &t);
    assert_int_equal(jwt_check(k, buf_str(&t), &wanted, a, &who), OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_and_bad_signatures),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_what_is_no_set_of_keys),
        cmocka_unit_test(test_keys_in_pem),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
