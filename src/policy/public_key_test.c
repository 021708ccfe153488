/* public_key_test.c - key records: what they say, and what is none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/public_key.h"

#include "base/encode.h"
#include "base/size.h"
#include "base/testing.h"
#include "policy/dkim_testkit.h"

/* The keys of RFC 8463 appendix A.2. */
#define ED25519 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define RSA                                                           \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY" \
    "6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/B" \
    "C/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3I" \
    "p3G+2kryOTIKT+l/K4w3QIDAQAB"

static const struct {
    const char *text;
    const char *wrong; /* NULL: a key */
    uint32_t bits;
    const char *flags; /* of testing, strict, sha1, sha256 */
} rows[] = {
    {"v=DKIM1; k=rsa; p=" RSA, NULL, 1024, "--12"},
    {"p=" RSA, NULL, 1024, "--12"},
    {"k=rsa; n=what; x=y; p=" RSA ";", NULL, 1024, "--12"},
    {"v=DKIM1; k=ed25519; p=" ED25519, NULL, 256, "--12"},
    {"k=ed25519; t=y; p=" ED25519, NULL, 256, "y-12"},
    {"k=ed25519; t=s:y:future; p=" ED25519, NULL, 256, "ys12"},
    {"k=ed25519; t=yes; p=" ED25519, NULL, 256, "--12"},
    {"k=ed25519; h=sha256; p=" ED25519, NULL, 256, "---2"},
    {"k=ed25519; h=sha1 : sha512; p=" ED25519, NULL, 256, "--1-"},
    {"k=ed25519; s=*; p=" ED25519, NULL, 256, "--12"},
    {"k=ed25519; s=web:email; p=" ED25519, NULL, 256, "--12"},
    {"k=ed25519; g=; p=" ED25519, NULL, 256, "--12"}, /* RFC 6376 knows no g= any more */
    {"k=ed25519; s=web; p=" ED25519, "the key is not for mail", 0, NULL},
    {"k=ed25519; s=; p=" ED25519, "the key is not for mail", 0, NULL},
    {"v=DKIM2; p=" RSA, "the key is of another version", 0, NULL},
    {"v=dkim1; p=" RSA, "the key is of another version", 0, NULL},
    {"v=DKIM1.0; p=" RSA, "the key is of another version", 0, NULL},
    {"p=" RSA "; v=DKIM1", "the key is of another version", 0, NULL},
    {"k=dsa; p=" RSA, "the key is of an unknown kind", 0, NULL},
    {"k=RSA; p=" RSA, "the key is of an unknown kind", 0, NULL},
    {"v=DKIM1; k=rsa", "the key record is broken", 0, NULL},
    {"v=DKIM1; p=" RSA "; p=" RSA, "the key record is broken", 0, NULL},
    {"v=DKIM1; t; p=" RSA, "the key record is broken", 0, NULL},
    {"v=spf1 -all", "the key is of another version", 0, NULL},
    {"some text", "the key record is broken", 0, NULL},
    {"", "the key record is broken", 0, NULL},
    {"v=DKIM1; p=", "the key is revoked", 0, NULL},
    {"k=ed25519; p= ", "the key is revoked", 0, NULL},
    {"k=ed25519; p=" RSA, "the key is broken", 0, NULL},
    {"k=rsa; p=" ED25519, "the key is broken", 0, NULL},
    {"k=ed25519; p=MCowBQYDK2VwAyEA3SUqa9UbfciWkk7tlcJ9P1VD5pXAasg0JUn/OgjVbKE=", /* its DER */
     "the key is broken", 0, NULL},
    {"k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo", "the key is broken", 0, NULL},
    {"p=!", "the key is broken", 0, NULL},
};

static void
records(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(16384);
        struct public_key k = {0};
        const char *wrong = public_key_parse(str_of(rows[i].text), a, &k);
        char flags[] = {k.testing ? 'y' : '-', k.strict ? 's' : '-', k.sha1 ? '1' : '-',
                        k.sha256 ? '2' : '-', '\0'};

        if (rows[i].wrong != NULL) {
            ROW(i, wrong != NULL && strcmp(wrong, rows[i].wrong) == 0);
            continue;
        }
        ROW(i, wrong == NULL && k.bits == rows[i].bits);
        ROW(i, strcmp(flags, rows[i].flags) == 0);
    }
}

static void
same_keys(void **state)
{
    static const struct {
        const char *text, *other;
        bool same;
    } pairs[] = {
        {"v=DKIM1; k=ed25519; p=" ED25519, "p=" ED25519 "; k=ed25519; t=s", true},
        {"p=" RSA, "v=DKIM1; k=rsa; n=note; p=" RSA, true},
        {"p=" RSA, "k=ed25519; p=" ED25519, false},
        {"k=ed25519; p=" ED25519, "k=ed25519; p=", false},
        {"k=ed25519; p=" ED25519,
         "k=ed25519; p=12qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", false},
        {"p=" RSA, "spf1", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        AUTO_ARENA *a = arena_new(65536);
        ROW(i, public_key_same(str_of(pairs[i].text), str_of(pairs[i].other), a) == pairs[i].same);
        ROW(i, public_key_same(str_of(pairs[i].other), str_of(pairs[i].text), a) == pairs[i].same);
    }
}

/* DER in hexadecimal: numbers and frames that are only nearly right. */
static void
frames(void **state)
{
#define HEAD "300d06092a864886f70d0101010500"
    static const struct {
        const char *hex;
        uint32_t bits; /* 0: broken */
    } keys[] = {
        {"3006020101020103", 1},
        {"3007020200fb020103", 8},
        {"30080203008101020103", 16},
        {"301a" HEAD "0309003006020101020103", 1},
        {"301b" HEAD "030a003007020200fb020103", 8},
        {"3006020102020103", 0},                     /* an even modulus */
        {"3006020101020102", 0},                     /* an even exponent */
        {"3006020181020103", 0},                     /* negative */
        {"3006020100020103", 0},                     /* zero */
        {"30050200020103", 0},                       /* no digits */
        {"300702010102010300", 0},                   /* more in the sequence */
        {"300602010102010300", 0},                   /* and behind it */
        {"3007020101020103", 0},                     /* less than it says */
        {"308106020101020103", 0},                   /* a length in too many bytes */
        {"3080020101020103", 0},                     /* an indefinite one */
        {"300f02010102090100000000000000010300", 0}, /* more in the sequence */
        {"300e0201010209010000000000000001", 0},     /* an exponent of nine bytes */
        {"300d020101020800ff0000000000000101", 0},   /* lengths that do not meet */
        {"301a" HEAD "0309013006020101020103", 0},   /* unused bits */
        {"301a300d06092a864886f70d01010b05000309003006020101020103", 0}, /* another algorithm */
        {"", 0},
        {"30", 0},
        {"3000", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        AUTO_ARENA *a = arena_new(16384);
        AUTO_BUF der = BUF(1000);
        AUTO_BUF text = BUF(1000);
        struct public_key k = {0};

        ROW(i, hex_decode(str_of(keys[i].hex), &der) == OK);
        buf_add_z(&text, "p=");
        buf_add_base64(&text, buf_str(&der));
        ROW(i, (public_key_parse(buf_str(&text), a, &k) == NULL) == (keys[i].bits > 0));
        ROW(i, k.bits == keys[i].bits);
    }
}

/* What OpenSSL writes is read with the bits that it has. */
static void
keys_of_openssl(void **state)
{
    static const unsigned sizes[] = {512, 1024, 1027, 2048, 4096};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        AUTO_ARENA *a = arena_new(16384);
        EVP_PKEY *key = testkit_key(SIG_RSA, sizes[i]);
        struct public_key k;

        ROW(i, public_key_parse(testkit_record(key, "p=", a), a, &k) == NULL);
        ROW(i, k.bits == sizes[i] && k.cipher == SIG_RSA);
        EVP_PKEY_free(key);
    }
}

static void
too_long(void **state)
{
    AUTO_ARENA *a = arena_new(16384);
    AUTO_BUF text = BUF(8192);
    struct public_key k;

    (void)state;
    buf_add_z(&text, "k=ed25519; p=" ED25519 "; n=");
    while (text.len < LIMIT_DKIM_KEY_BYTES)
        buf_add_char(&text, 'x');
    assert_null(public_key_parse(buf_str(&text), a, &k));
    buf_add_char(&text, 'x');
    assert_string_equal(public_key_parse(buf_str(&text), a, &k), "the key record is broken");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),         cmocka_unit_test(same_keys), cmocka_unit_test(frames),
        cmocka_unit_test(keys_of_openssl), cmocka_unit_test(too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
