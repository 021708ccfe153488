/* conn_tls_test.c - TLS: local and remote keys, suspended and failing signers, STARTTLS, policy.
 *
 * The peer is OpenSSL's own client on a socket pair, driven by the test's fiber.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/size.h"
#include "rt/conn_finding.h"
#include "rt/conn_internal.h"
#include "rt/conn_testing.h"
#include "rt/fiber_internal.h"
#include "rt/tls_testing.h"

#define PATIENCE_MS 60000

/* OpenSSL's macros cast const away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static struct test_identity ec_a, ec_b, rsa;
static struct tls_server *server;
static SSL_CTX *peer_ctx;

static int
make_identities(void **state)
{
    (void)state;
    test_identity_init(&ec_a, EVP_EC_gen("P-256"), "a.example");
    test_identity_init(&ec_b, EVP_EC_gen("P-256"), "mail.b.example");
    test_identity_init(&rsa, EVP_RSA_gen(2048), "rsa.example");
    return 0;
}

static int
free_identities(void **state)
{
    (void)state;
    test_identity_release(&ec_a);
    test_identity_release(&ec_b);
    test_identity_release(&rsa);
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    loop_init();
    test_deadline_ms = FIBER_FOREVER;
    peer_ctx = SSL_CTX_new(TLS_client_method());
    test_listener = (struct listener){.fd = -1, .implicit_tls = true};
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    SSL_CTX_free(peer_ctx);
    tls_server_free(&server);
    ERR_clear_error();
    loop_release();
    return 0;
}

static void
use_local(struct str alpn)
{
    assert_int_equal(tls_server_new(alpn, NULL, NULL, &server), OK);
    assert_false(tls_server_ready(server));
    assert_int_equal(tls_server_set_local(server, str_of(ec_a.cert_pem), str_of(ec_a.key_pem)), OK);
    assert_true(tls_server_ready(server));
    test_listener.tls = server;
}

/* The signer, as the keys role would be. */

static int signs, failing_sign;
static bool hung_sign;

static FIBER_ENTRY enum status
signer(void *arg, const struct tls_sign_request *req, struct buf *sig_out)
{
    int mine = ++signs;

    assert_string_equal(arg, "signer");
    assert_int_equal(ERR_peek_error(), 0); /* OpenSSL was asked to forget before we wait */
    ERR_clear_error();
    TRY(fiber_sleep(hung_sign ? 600000 : 20)); /* inside SSL_do_handshake() */
    if (mine == failing_sign)
        return ERR_TEMP;
    const struct test_identity *all[] = {&ec_a, &ec_b, &rsa};
    return test_identity_sign(all[req->key_id], req, sig_out) ? OK : ERR_IO;
}

static void
use_remote(void)
{
    static const struct str b_names[] = {{"*.b.example", 11}, {"b.example", 9}};
    static const struct str rsa_names[] = {{"rsa.example", 11}};
    static char arg[] = "signer";
    const struct tls_cert certs[] = {
        {.key_id = 0, .chain_pem = str_of(ec_a.cert_pem)},
        {.key_id = 1, .chain_pem = str_of(ec_b.cert_pem), .names = b_names, .name_count = 2},
        {.key_id = 2, .chain_pem = str_of(rsa.cert_pem), .names = rsa_names, .name_count = 1},
    };
    struct problem why;

    signs = failing_sign = 0;
    assert_int_equal(tls_server_new(STR(""), signer, arg, &server), OK);
    assert_int_equal(tls_server_set(server, certs, 3, &why), OK);
    test_listener.tls = server;
}

/* The peer. */

static SSL *
peer_new(const char *sni)
{
    int fd = test_connect();
    SSL *ssl = SSL_new(peer_ctx);

    SSL_set_fd(ssl, fd);
    if (sni != NULL)
        SSL_set_tlsext_host_name(ssl, sni);
    return ssl;
}

static void
peer_free(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);

    SSL_free(ssl);
    close(fd);
    ERR_clear_error();
}

/* 1 = done, else the error of the call. */
static FIBER_ENTRY int
peer_wait(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    ERR_clear_error();
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        return error == SSL_ERROR_NONE ? 1 : -error;
    uint32_t events = error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT;
    assert_int_equal(fiber_wait_fd(SSL_get_fd(ssl), events, PATIENCE_MS), OK);
    return 0;
}

static FIBER_ENTRY bool
peer_shake(SSL *ssl)
{
    int r = 0;

    while (r == 0) {
        ERR_clear_error();
        r = peer_wait(ssl, SSL_connect(ssl));
    }
    return r == 1;
}

static FIBER_ENTRY void
peer_say(SSL *ssl, struct str s)
{
    int r = 0;

    while (r == 0) {
        ERR_clear_error();
        r = peer_wait(ssl, SSL_write(ssl, s.ptr, (int)s.len));
    }
    assert_int_equal(r, 1);
}

/* How many bytes came; 0 at the end. */
static FIBER_ENTRY size_t
peer_read(SSL *ssl, char *p, size_t n)
{
    for (;;) {
        ERR_clear_error();
        int got = SSL_read(ssl, p, (int)n);
        if (got > 0)
            return (size_t)got;
        if (peer_wait(ssl, got) != 0)
            return 0;
    }
}

static FIBER_ENTRY void
peer_expect(SSL *ssl, struct str want)
{
    char got[256];
    size_t have = 0, part;

    while (have < want.len && (part = peer_read(ssl, got + have, want.len - have)) > 0)
        have += part;
    assert_str(str_from(got, have), want);
}

/* Handshakes. */

static FIBER_ENTRY void
talk_tls(void)
{
    SSL *ssl = peer_new(NULL);
    char got[64];

    assert_true(peer_shake(ssl));
    assert_int_equal(SSL_version(ssl), TLS1_3_VERSION);
    peer_expect(ssl, STR("hi\r\n"));
    peer_say(ssl, STR("TLS?\r\none\r\n"));
    peer_expect(ssl, STR("yes TLSv1.3 TLS_AES_256_GCM_SHA384\r\nok one\r\n"));
    assert_int_equal(fiber_sleep(10), OK);
    assert_null(test_sessions[0].conn->in.ptr); /* at rest without buffers */
    assert_null(test_sessions[0].conn->out.ptr);
    assert_false(test_sessions[0].conn->busy);
    peer_say(ssl, STR("QUIT\r\n"));
    peer_expect(ssl, STR("bye\r\n"));
    assert_int_equal(peer_read(ssl, got, sizeof(got)), 0);
    assert_int_equal(SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    peer_free(ssl);
}

static void
a_local_key(void **state)
{
    (void)state;
    use_local(STR(""));
    test_run(talk_tls);
}

static FIBER_ENTRY void
shake_with_each_key(void)
{
    static const struct {
        const char *sni, *cn;
        int version;
    } rows[] = {
        {NULL, "a.example", TLS1_3_VERSION},
        {"unknown.example", "a.example", TLS1_3_VERSION},
        {"mail.b.example", "mail.b.example", TLS1_3_VERSION},
        {"MAIL.B.EXAMPLE", "mail.b.example", TLS1_2_VERSION},
        {"b.example", "mail.b.example", TLS1_3_VERSION},
        {"x.mail.b.example", "a.example", TLS1_3_VERSION}, /* a wildcard is one label */
        {"rsa.example", "rsa.example", TLS1_3_VERSION},    /* PSS, padded by OpenSSL */
        {"rsa.example", "rsa.example", TLS1_2_VERSION},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char cn[64] = "";
        SSL *ssl = peer_new(rows[i].sni);
        SSL_set_max_proto_version(ssl, rows[i].version);
        ROW(i, peer_shake(ssl));
        ROW(i, SSL_version(ssl) == rows[i].version);
        X509 *cert = SSL_get1_peer_certificate(ssl);
        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, cn, sizeof(cn));
        X509_free(cert);
        ROW(i, strcmp(cn, rows[i].cn) == 0);
        peer_expect(ssl, STR("hi\r\n"));
        peer_free(ssl);
    }
    assert_int_equal(signs, 8);
}

static void
remote_keys_chosen_by_name(void **state)
{
    (void)state;
    use_remote();
    test_run(shake_with_each_key);
}

static FIBER_ENTRY void
shake_pkcs1(void)
{
    SSL *ssl = peer_new("rsa.example");

    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
    assert_int_equal(SSL_set1_sigalgs_list(ssl, "RSA+SHA256"), 1);
    assert_true(peer_shake(ssl));
    peer_expect(ssl, STR("hi\r\n"));
    peer_free(ssl);
}

static void
remote_rsa_without_pss(void **state)
{
    (void)state;
    use_remote();
    test_run(shake_pkcs1);
    assert_int_equal(signs, 1);
}

static bool second_done;

static FIBER_ENTRY void
second_shakes(void *arg)
{
    SSL *ssl = arg;

    assert_true(peer_shake(ssl));
    peer_expect(ssl, STR("hi\r\n"));
    second_done = true;
}

static FIBER_ENTRY void
shake_two(void)
{
    SSL *failing = peer_new(NULL);
    SSL *good = peer_new(NULL);

    failing_sign = 1;
    second_done = false;
    assert_int_equal(fiber_go(second_shakes, good), OK);
    assert_false(peer_shake(failing)); /* its signature comes first */
    while (!second_done)
        assert_int_equal(fiber_sleep(1), OK);
    assert_int_equal(signs, 2);
    peer_free(failing);
    peer_free(good);
}

static void
two_handshakes_one_failing(void **state)
{
    (void)state;
    use_remote();
    test_run(shake_two);
    assert_string_equal(test_events, "*EC"); /* the failed one never had a session */
}

static FIBER_ENTRY void
vanish_during_sign(void)
{
    SSL *ssl = peer_new(NULL);

    ERR_clear_error();
    assert_int_equal(SSL_connect(ssl), -1); /* the first flight */
    ERR_clear_error();
    while (signs == 0)
        assert_int_equal(fiber_sleep(1), OK);
    peer_free(ssl); /* while the signer waits */
}

static void
a_peer_vanishes_while_the_signer_waits(void **state)
{
    (void)state;
    use_remote();
    test_run(vanish_during_sign);
    assert_true(strcmp(test_events, "") == 0 || strcmp(test_events, "*EC") == 0);
}

static FIBER_ENTRY void
rest_in_handshake(void)
{
    int fd = test_connect();

    test_say(fd, STR("\x16\x03\x01\x02\x00\x01\x00"));
    assert_int_equal(fiber_sleep(10), OK);
    assert_int_equal(fiber_count(), 1); /* this one: the handshake holds no stack */
    assert_int_equal(listener_counts(&test_listener).open, 1);
    close(fd);
}

static void
a_slow_handshake_is_data(void **state)
{
    (void)state;
    use_local(STR(""));
    test_run(rest_in_handshake);
}

static FIBER_ENTRY void
shake_too_long(void)
{
    int fd = test_connect();

    test_say(fd, STR("\x16\x03\x01\x02\x00\x01\x00"));
    test_expect_end(fd);
    close(fd);
    assert_string_equal(test_refused, "handshake: it took too long");
    SSL *ssl = peer_new(NULL);
    assert_false(peer_shake(ssl)); /* its signature never comes */
    assert_int_equal(signs, 1);
    peer_free(ssl);
}

static void
handshakes_have_a_deadline(void **state)
{
    (void)state;
    use_remote();
    hung_sign = true;
    conn_handshake_ms = 300;
    test_run(shake_too_long);
    conn_handshake_ms = 30000;
    hung_sign = false;
    assert_string_equal(test_events, "");
}

static FIBER_ENTRY void
say_nonsense(void)
{
    int fd = test_connect();

    test_say(fd, STR("EHLO plain.example\r\n"));
    assert_true(test_read_all(fd) < 100); /* an alert at most */
    close(fd);
}

static void
plain_text_ends_a_handshake(void **state)
{
    (void)state;
    use_local(STR(""));
    test_run(say_nonsense);
    assert_string_equal(test_events, "");
    assert_string_equal(test_refused, "handshake: wrong version number");
}

static FIBER_ENTRY void
resume(void)
{
    SSL *first = peer_new(NULL);

    assert_true(peer_shake(first));
    peer_expect(first, STR("hi\r\n")); /* the ticket came before */
    SSL_SESSION *session = SSL_get1_session(first);
    SSL_shutdown(first);
    peer_free(first);
    SSL *second = peer_new(NULL);
    SSL_set_session(second, session);
    assert_true(peer_shake(second));
    assert_int_equal(SSL_session_reused(second), 1);
    peer_expect(second, STR("hi\r\n"));
    peer_free(second);
    SSL_SESSION_free(session);
    assert_int_equal(signs, 1);
}

static void
a_ticket_saves_the_signature(void **state)
{
    (void)state;
    use_remote();
    test_run(resume);
}

/* STARTTLS. */

static FIBER_ENTRY void
start_tls(void)
{
    SSL *ssl = peer_new(NULL);
    int fd = SSL_get_fd(ssl);

    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("TLS?\r\nSTARTTLS\r\n"));
    test_expect(fd, STR("no \r\ngo\r\n"));
    assert_int_equal(fiber_sleep(5), OK);
    assert_int_equal(fiber_count(), 1);
    assert_true(peer_shake(ssl));
    peer_say(ssl, STR("one\r\nTLS?\r\n"));
    peer_expect(ssl, STR("ok one\r\nyes TLSv1.3 "));
    peer_free(ssl);
}

static void
starttls_goes_on_inside(void **state)
{
    (void)state;
    use_local(STR(""));
    test_listener.implicit_tls = false;
    test_run(start_tls);
}

static FIBER_ENTRY void
inject(void)
{
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("STARTTLS\r\nMAIL FROM:<evil@example.org>\r\n"));
    test_expect(fd, STR("go\r\nno\r\n"));
    test_expect_end(fd);
    close(fd);
}

static void
injected_bytes_refuse_starttls(void **state)
{
    (void)state;
    use_local(STR(""));
    test_listener.implicit_tls = false;
    test_run(inject);
    assert_string_equal(test_events, "*IC");
}

static FIBER_ENTRY void
fail_after_starttls(void)
{
    int fd = test_connect();

    test_expect(fd, STR("hi\r\n"));
    test_say(fd, STR("STARTTLS\r\n"));
    test_expect(fd, STR("go\r\n"));
    test_say(fd, STR("still plain\r\n"));
    assert_true(test_read_all(fd) < 100); /* no answer in the clear: fails closed */
    close(fd);
}

static void
a_failed_starttls_closes(void **state)
{
    (void)state;
    use_local(STR(""));
    test_listener.implicit_tls = false;
    test_run(fail_after_starttls);
    assert_string_equal(test_events, "*IC");
}

/* Policy. */

static FIBER_ENTRY void
offer_protocols(void)
{
    static const unsigned char h2[] = "\x02h2", both[] = "\x02h2\x04imap";
    const unsigned char *chosen;
    unsigned len;

    SSL *ssl = peer_new(NULL);
    SSL_set_alpn_protos(ssl, h2, sizeof(h2) - 1);
    assert_false(peer_shake(ssl));
    peer_free(ssl);
    ssl = peer_new(NULL);
    SSL_set_alpn_protos(ssl, both, sizeof(both) - 1);
    assert_true(peer_shake(ssl));
    SSL_get0_alpn_selected(ssl, &chosen, &len);
    assert_str(str_from((const char *)chosen, len), STR("imap"));
    peer_expect(ssl, STR("hi\r\n"));
    peer_free(ssl);
    ssl = peer_new(NULL); /* none is required */
    assert_true(peer_shake(ssl));
    peer_expect(ssl, STR("hi\r\n"));
    peer_free(ssl);
}

static void
a_wrong_protocol_is_refused(void **state)
{
    (void)state;
    use_local(STR("imap"));
    test_run(offer_protocols);
}

static FIBER_ENTRY void
offer_old_things(void)
{
    static const struct {
        int version;
        const char *ciphers, *groups;
        bool good;
    } rows[] = {
        {TLS1_1_VERSION, "ALL:@SECLEVEL=0", "P-256", false},
        {TLS1_VERSION, "ALL:@SECLEVEL=0", "P-256", false},
        {TLS1_2_VERSION, "AES128-GCM-SHA256:AES256-SHA", "P-256", false}, /* no forward secrecy */
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", "P-256", false},    /* no AEAD */
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", "P-521", false},
        {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", "P-256", true},
        {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", "X25519:P-256", true},
        {TLS1_3_VERSION, "ALL", "P-384", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SSL *ssl = peer_new(NULL);
        ROW(i, SSL_set_cipher_list(ssl, rows[i].ciphers) == 1);
        SSL_set_min_proto_version(ssl, rows[i].version);
        ROW(i, SSL_set_max_proto_version(ssl, rows[i].version) == 1);
        ROW(i, SSL_set1_groups_list(ssl, rows[i].groups) == 1);
        ROW(i, peer_shake(ssl) == rows[i].good);
        if (rows[i].good)
            peer_expect(ssl, STR("hi\r\n"));
        peer_free(ssl);
    }
}

static void
old_versions_and_ciphers_are_refused(void **state)
{
    (void)state;
    use_local(STR(""));
    test_run(offer_old_things);
}

static FIBER_ENTRY void
truncate_it(void)
{
    SSL *ssl = peer_new(NULL);

    assert_true(peer_shake(ssl));
    peer_expect(ssl, STR("hi\r\n"));
    peer_say(ssl, STR("one\r\nBODY\r\nhalf a body"));
    peer_expect(ssl, STR("ok one\r\n"));
    assert_int_equal(fiber_sleep(5), OK);
    assert_int_equal(shutdown(SSL_get_fd(ssl), SHUT_WR), 0); /* without close_notify */
    while (test_sessions[0].open)
        assert_int_equal(fiber_sleep(1), OK);
    assert_int_equal(test_sessions[0].body_left, 100000 - 11);
    peer_free(ssl);
}

static void
a_truncation_ends_the_connection(void **state)
{
    (void)state;
    use_local(STR(""));
    test_run(truncate_it);
    assert_string_equal(test_events, "*IEC");
}

static FIBER_ENTRY void
read_flood(void)
{
    static char got[65536];
    SSL *ssl = peer_new(NULL);
    size_t total = 0, part;

    assert_true(peer_shake(ssl));
    peer_say(ssl, STR("FLOOD\r\nQUIT\r\n"));
    assert_int_equal(fiber_sleep(20), OK);
    while ((part = peer_read(ssl, got, sizeof(got))) > 0)
        total += part;
    assert_int_equal(total, 4 + 500 * 40000 + 5);
    peer_free(ssl);
}

static void
much_output_through_tls(void **state)
{
    (void)state;
    use_local(STR(""));
    test_run(read_flood);
}

/* Our own client. */

static struct sockaddr_in where;
static struct tls_finding found; /* of the last client that shook */

static FIBER_ENTRY enum status
client_shakes(enum tls_verify verify, bool trust, struct str name)
{
    struct conn_target t = {.addr_len = sizeof(where), .timeout_ms = 30000};
    struct tls_client *client = NULL;
    struct conn *c = NULL;
    struct str line;

    memcpy(&t.addr, &where, sizeof(where));
    assert_int_equal(tls_client_new(verify, &client), OK);
    if (trust)
        assert_int_equal(tls_client_trust(client, str_of(ec_a.cert_pem)), OK);
    assert_int_equal(conn_connect(&t, &c), OK);
    enum status s = conn_connect_tls(c, client, name);
    if (s == OK) {
        assert_int_equal(conn_write(c, STR("TLS?\r\n")), OK);
        assert_int_equal(conn_read_line(c, PATIENCE_MS, &line), OK);
        assert_str(line, STR("hi"));
        assert_int_equal(conn_read_line(c, PATIENCE_MS, &line), OK);
        assert_str(line, STR("yes TLSv1.3 TLS_AES_256_GCM_SHA384"));
        assert_str(conn_tls_name(c), STR("TLSv1.3 TLS_AES_256_GCM_SHA384"));
    }
    found = conn_tls_finding(c);
    conn_free(&c);
    tls_client_free(&client);
    return s;
}

static FIBER_ENTRY void
clients_verify(void)
{
    static const struct {
        enum tls_verify verify;
        bool trust;
        struct str name;
        enum status want;
        enum tls_lack lack;
    } shakes[] = {
        {TLS_OPPORTUNISTIC, false, STR("whoever.example"), OK, TLS_LACKS_NOTHING},
        {TLS_VERIFY_NAME, true, STR("a.example"), OK, TLS_LACKS_NOTHING},
        {TLS_VERIFY_NAME, true, STR("b.example"), ERR_DENIED, TLS_LACKS_NAME},
        {TLS_VERIFY_NAME, false, STR("a.example"), ERR_DENIED, TLS_LACKS_TRUST},
        {TLS_ADVISE_NAME, true, STR("a.example"), OK, TLS_LACKS_NOTHING},
        {TLS_ADVISE_NAME, true, STR("b.example"), OK, TLS_LACKS_NAME},
        {TLS_ADVISE_NAME, false, STR("a.example"), OK, TLS_LACKS_TRUST},
    };

    for (size_t i = 0; i < COUNT_OF(shakes); i++) {
        ROW(i, client_shakes(shakes[i].verify, shakes[i].trust, shakes[i].name) == shakes[i].want);
        ROW(i, found.lack == shakes[i].lack &&
                   (found.why[0] == '\0') == (found.lack == TLS_LACKS_NOTHING));
    }
}

static void
clients_check_names_and_anchors(void **state)
{
    (void)state;
    use_local(STR(""));
    where = test_listen();
    test_run(clients_verify);
}

static void
bad_certificates_are_refused(void **state)
{
    struct problem why = {.text = ""};
    const struct tls_cert bad[] = {{.chain_pem = STR("-----BEGIN CERTIFICATE-----\nAAAA\n")},
                                   {.chain_pem = STR_NONE}};
    char broken[8192];

    (void)state;
    use_remote();
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(tls_server_set(server, &bad[i], 1, &why), ERR_SYNTAX);
    assert_true(why.text[0] != '\0');
    assert_int_equal(tls_server_set(server, NULL, 0, &why), ERR_LIMIT);
    snprintf(broken, sizeof(broken), "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END",
             ec_a.cert_pem);
    const struct tls_cert half = {.chain_pem = str_of(broken)};
    assert_int_equal(tls_server_set(server, &half, 1, &why), ERR_SYNTAX);
    assert_true(tls_server_ready(server)); /* the old ones still serve */
    assert_int_equal(tls_server_set_local(server, str_of(ec_a.cert_pem), str_of(ec_b.key_pem)),
                     ERR_SYNTAX);
    assert_int_equal(ERR_peek_error(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_local_key),
        TEST(remote_keys_chosen_by_name),
        TEST(remote_rsa_without_pss),
        TEST(two_handshakes_one_failing),
        TEST(a_peer_vanishes_while_the_signer_waits),
        TEST(a_slow_handshake_is_data),
        TEST(handshakes_have_a_deadline),
        TEST(plain_text_ends_a_handshake),
        TEST(a_ticket_saves_the_signature),
        TEST(starttls_goes_on_inside),
        TEST(injected_bytes_refuse_starttls),
        TEST(a_failed_starttls_closes),
        TEST(a_wrong_protocol_is_refused),
        TEST(old_versions_and_ciphers_are_refused),
        TEST(a_truncation_ends_the_connection),
        TEST(much_output_through_tls),
        TEST(clients_check_names_and_anchors),
        TEST(bad_certificates_are_refused),
    };
    signal(SIGPIPE, SIG_IGN); /* OpenSSL's client writes with write(2) */
    return cmocka_run_group_tests(tests, make_identities, free_identities);
}
