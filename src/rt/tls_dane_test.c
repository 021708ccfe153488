/* tls_dane_test.c - which TLSA records are usable, and which certificates they prove: real handshakes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/size.h"
#include "rt/conn_internal.h"
#include "rt/conn_testing.h"
#include "rt/tls_testing.h"

#define PATIENCE_MS 60000

/* OpenSSL's macros cast const away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

/* An authority, what it signed, what it signed long ago, and one that signed itself. */
enum { AUTHORITY, LEAF, EXPIRED, ALONE, IDENTITIES };
static struct test_identity ids[IDENTITIES];
static struct tls_server *server;

static int
make_identities(void **state)
{
    const struct test_cert authority = {.authority = true},
                           leaf = {.alt = "DNS:mx.example", .use = "serverAuth"},
                           expired = {.alt = "DNS:mx.example",
                                      .use = "serverAuth",
                                      .from_s = -7200,
                                      .to_s = -3600};

    (void)state;
    test_identity_signed(&ids[AUTHORITY], EVP_EC_gen("P-256"), &authority, NULL);
    test_identity_signed(&ids[LEAF], EVP_EC_gen("P-256"), &leaf, &ids[AUTHORITY]);
    test_identity_signed(&ids[EXPIRED], EVP_EC_gen("P-256"), &expired, &ids[AUTHORITY]);
    test_identity_init(&ids[ALONE], EVP_EC_gen("P-256"), "other.example");
    return 0;
}

static int
free_identities(void **state)
{
    (void)state;
    for (size_t i = 0; i < IDENTITIES; i++)
        test_identity_release(&ids[i]);
    return 0;
}

/* What a record of this selector and matching type says of a certificate. */
static struct str
data_of(size_t id, uint8_t selector, uint8_t matching, struct arena *a)
{
    static const char *const digests[] = {NULL, "SHA256", "SHA512"};
    BIO *in = BIO_new_mem_buf(ids[id].cert_pem, -1);
    X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);
    unsigned char *der = NULL, sum[EVP_MAX_MD_SIZE];
    size_t size = 0;

    BIO_free(in);
    assert_non_null(x);
    int n = selector == 0 ? i2d_X509(x, &der) : i2d_PUBKEY(X509_get0_pubkey(x), &der);
    assert_true(n > 0);
    X509_free(x);
    struct str out = str_from((const char *)der, (size_t)n);
    if (matching != 0) {
        assert_int_equal(EVP_Q_digest(NULL, digests[matching], NULL, der, (size_t)n, sum, &size),
                         1);
        out = str_from((const char *)sum, size);
    }
    out = arena_str(a, out);
    OPENSSL_free(der);
    return out;
}

/* ---- usable records ---- */

#define X16 "xxxxxxxxxxxxxxxx"
static const struct {
    struct tls_dane_record record;
    bool usable;
} kinds[] = {
    {{3, 1, 1, STR(X16 X16)}, true},
    {{3, 0, 1, STR(X16 X16)}, true},
    {{2, 0, 1, STR(X16 X16)}, true},
    {{2, 1, 2, STR(X16 X16 X16 X16)}, true},
    {{0, 1, 1, STR(X16 X16)}, false}, /* of PKIX */
    {{1, 1, 1, STR(X16 X16)}, false},
    {{4, 1, 1, STR(X16 X16)}, false},
    {{255, 1, 1, STR(X16 X16)}, false},
    {{3, 2, 1, STR(X16 X16)}, false},
    {{3, 1, 3, STR(X16 X16)}, false},
    {{3, 1, 1, STR(X16 X16 "x")}, false},
    {{3, 1, 1, STR(X16 "xxxxxxxxxxxxxxx")}, false},
    {{3, 1, 2, STR(X16 X16)}, false},
    {{3, 1, 1, STR("")}, false},
    {{3, 1, 0, STR("")}, false},
    {{3, 1, 0, STR(X16 X16)}, false}, /* no key */
    {{2, 0, 0, STR(X16 X16)}, false}, /* no certificate */
};

static void
usable_records(void **state)
{
    AUTO_ARENA *a = arena_new(65536);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        ROW(i, tls_dane_is_usable(&kinds[i].record) == kinds[i].usable);
    for (uint8_t selector = 0; selector < 2; selector++) {
        struct str whole = data_of(LEAF, selector, 0, a);
        struct tls_dane_record r = {3, selector, 0, whole};
        assert_true(tls_dane_is_usable(&r));
        r.data = str_sub(whole, 0, whole.len - 1);
        assert_false(tls_dane_is_usable(&r));
        AUTO_BUF more = BUF(8192);
        buf_add(&more, whole);
        buf_add_char(&more, 'x');
        r.data = buf_str(&more);
        assert_false(tls_dane_is_usable(&r));
        r.selector = (uint8_t)(1 - selector); /* 0 or 1 */
        r.data = whole;
        assert_false(tls_dane_is_usable(&r));
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* ---- handshakes ---- */

static const struct {
    size_t shown; /* by the server */
    uint8_t usage, selector, matching;
    size_t of; /* the record is about this one */
    struct str base, domain;
    bool proven;
} shakes[] = {
    {ALONE, 3, 1, 1, ALONE, STR("mx.example"), STR("x.example"), true}, /* names do not count */
    {ALONE, 3, 0, 1, ALONE, STR("mx.example"), STR(""), true},
    {ALONE, 3, 0, 0, ALONE, STR("mx.example"), STR(""), true},
    {ALONE, 3, 1, 0, ALONE, STR("mx.example"), STR(""), true},
    {ALONE, 3, 1, 2, ALONE, STR("mx.example"), STR(""), true},
    {EXPIRED, 3, 1, 1, EXPIRED, STR("mx.example"), STR(""), true}, /* nor do dates */
    {LEAF, 3, 1, 1, LEAF, STR("else.example"), STR(""), true},
    {ALONE, 3, 1, 1, LEAF, STR("other.example"), STR(""), false}, /* forged */
    {LEAF, 3, 1, 1, AUTHORITY, STR("mx.example"), STR(""), false},
    {LEAF, 2, 0, 1, AUTHORITY, STR("mx.example"), STR(""), true},
    {LEAF, 2, 1, 1, AUTHORITY, STR("mx.example"), STR(""), true},
    {LEAF, 2, 0, 0, AUTHORITY, STR("mx.example"), STR(""), true},
    {LEAF, 2, 1, 2, AUTHORITY, STR("mx.example"), STR(""), true},
    {LEAF, 2, 0, 1, AUTHORITY, STR("else.example"), STR("mx.example"), true},
    {LEAF, 2, 0, 1, AUTHORITY, STR("else.example"), STR("x.example"), false}, /* names count */
    {EXPIRED, 2, 0, 1, AUTHORITY, STR("mx.example"), STR(""), false},         /* and dates */
    {ALONE, 2, 0, 1, AUTHORITY, STR("other.example"), STR(""), false},
};

static size_t row;
static bool second_record;
static struct sockaddr_in where;

static FIBER_ENTRY void
shake(void)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO(tls_client_free) struct tls_client *client = NULL;
    struct conn_target t = {.addr_len = sizeof(where), .timeout_ms = PATIENCE_MS};
    struct conn *c = NULL;
    struct str line;
    struct tls_dane_record records[] = {
        {3, 1, 1, STR(X16 X16)}, /* of nobody */
        {shakes[row].usage, shakes[row].selector, shakes[row].matching,
         data_of(shakes[row].of, shakes[row].selector, shakes[row].matching, a)},
    };
    const struct tls_dane d = {.base = shakes[row].base,
                               .domain = shakes[row].domain,
                               .records = second_record ? records : records + 1,
                               .count = second_record ? 2 : 1};

    mem_copy(&t.addr, &where, sizeof(where));
    assert_int_equal(tls_client_new(TLS_VERIFY_DANE, &client), OK);
    assert_int_equal(conn_connect(&t, &c), OK);
    ROW(row, conn_connect_tls_dane(c, client, &d) == (shakes[row].proven ? OK : ERR_DENIED));
    if (shakes[row].proven) {
        assert_int_equal(conn_write(c, STR("TLS?\r\n")), OK);
        assert_int_equal(conn_read_line(c, PATIENCE_MS, &line), OK);
        assert_str(line, STR("hi"));
    }
    conn_free(&c);
}

static void
proven_certificates(void **state)
{
    char chain[2 * sizeof(ids[0].cert_pem)];

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(shakes); i++) {
        row = i / 2;
        second_record = i % 2 == 1;
        size_t shown = shakes[row].shown;
        loop_init();
        test_deadline_ms = FIBER_FOREVER;
        test_listener = (struct listener){.fd = -1, .implicit_tls = true};
        snprintf(chain, sizeof(chain), "%s%s", ids[shown].cert_pem,
                 shown == ALONE ? "" : ids[AUTHORITY].cert_pem);
        assert_int_equal(tls_server_new(STR(""), NULL, NULL, &server), OK);
        assert_int_equal(tls_server_set_local(server, str_of(chain), str_of(ids[shown].key_pem)),
                         OK);
        test_listener.tls = server;
        where = test_listen();
        test_run(shake);
        tls_server_free(&server);
        ERR_clear_error();
        loop_release();
        close(test_listener.fd);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usable_records),
        cmocka_unit_test(proven_certificates),
    };
    return cmocka_run_group_tests(tests, make_identities, free_identities);
}
