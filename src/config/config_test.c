/* config_test.c - every setting, and a row for every way to get one wrong.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/size.h"
#include "config/config.h"
#include "config/events.h"

#define HEAD "host mail.example.org\ndomain example.org\n"
#define TWELVE                                                                         \
    "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8 " \
    "192.0.2.9 192.0.2.10 192.0.2.11 192.0.2.12"
/* The longest path that a socket can have, and one more. */
#define PATH_107                                            \
    "/2345678901234567890123456789012345678901234567890123" \
    "456789012345678901234567890123456789012345678901234567"
#define PATH_108 PATH_107 "8"

static void
test_reads_every_setting(void **state)
{
    AUTO(config_free) struct config *c = NULL;
    struct problem why = {0};

    (void)state;
    assert_int_equal(
        config_read(STR(HEAD
                        "data /srv/mail\nrun-dir /run/x\nuser godwit\nengine rocks\n"
                        "listen smtp *:25 # a comment\nlisten imaps [::1]:993\n"
                        "tls cert /a.pem key \"/b c.pem\"\nworkers mx 3\nworkers cook 2\n"
                        "resolver 127.0.0.1:53 [::1]:54 no-dnssec\n"
                        "route elsewhere.example 127.0.0.1:2599\n"
                        "smarthost mx.isp.example:587 user me password-file /p\n"
                        "relay-from 192.0.2.7 192.0.2.32/28\nrelay-from 10.1.0.0/16\n"
                        "proxy-from 127.0.0.1 ::1\nxclient-from 127.0.0.1\n"
                        "outbound none\nplaintext-login loopback\nmessage-size 10M\n"
                        "oauth-issuer https://id.example/a audience mail keys /k username\n"
                        "client-certificates /clients.pem\n"
                        "oauth-introspection https://id.example:8443/i?a=b client c secret /s\n"
                        "source ipv6 none\nlog /var/log/godwit.log\nlog-level debug\n"
                        "trace-days 7\ntrace-size 1G\npop3-login-delay 300\n"),
                    "t", &c, &why),
        OK);
    assert_true(str_eq(c->host, STR("mail.example.org")));
    assert_int_equal(c->listen_count, 3); /* and the API's socket */
    assert_int_equal(c->listen[2].service, SERVICE_API);
    assert_int_equal(c->listen[2].socket.mode, 0600);
    assert_int_equal(c->listen[1].service, SERVICE_IMAPS);
    assert_true(str_eq(c->listen[1].at.host, STR("::1")));
    assert_int_equal(c->listen[1].at.port, 993);
    assert_true(str_eq(c->tls[0].key_file, STR("/b c.pem")));
    assert_int_equal(c->mx_workers, 3);
    assert_int_equal(c->user_workers, 1);
    assert_int_equal(c->resolver.kind, RESOLVER_FORWARD);
    assert_int_equal(c->resolver.forward_count, 2);
    assert_false(c->resolver.dnssec);
    assert_int_equal(c->route_count, 2);
    assert_int_equal(c->routes[0].port, 2599);
    assert_true(str_eq(c->routes[1].domain, STR("*")));
    assert_int_equal(c->routes[1].tls, ROUTE_TLS_VERIFIED);
    assert_int_equal(c->relay_from_count, 3);
    assert_int_equal(c->proxy_from_count, 2);
    assert_int_equal(c->xclient_from_count, 1);
    assert_int_equal(c->relay_from[1].bits, 28);
    assert_int_equal(c->relay_from[2].bytes[0], 10);
    assert_true(c->outbound_none && c->plaintext_loopback);
    assert_true(str_eq(c->oauth.issuer, STR("https://id.example/a")));
    assert_true(str_eq(c->oauth.audience, STR("mail")));
    assert_true(str_eq(c->oauth.keys_file, STR("/k")) && c->oauth.usernames);
    assert_true(str_eq(c->client_certificates, STR("/clients.pem")));
    assert_true(c->introspection.tls && c->introspection.port == 8443);
    assert_true(str_eq(c->introspection.host, STR("id.example")));
    assert_true(str_eq(c->introspection.authority, STR("id.example:8443")));
    assert_true(str_eq(c->introspection.path, STR("/i?a=b")));
    assert_true(str_eq(c->introspection.client, STR("c")));
    assert_true(str_eq(c->introspection.secret_file, STR("/s")));
    assert_int_equal(c->message_bytes_max, 10 * 1024 * 1024);
    assert_int_equal(c->log_level, LOG_DEBUG);
    assert_int_equal(c->trace_days, 7);
    assert_int_equal(c->pop3_login_delay_s, 300);
    assert_int_equal(c->trace_bytes, 1 << 30);
}

static void
test_reads_what_is_against_abuse(void **state)
{
    static const char text[] = HEAD "listen smtp *:25\n"
                                    "greylist doubtful wait 60\n"
                                    "inbound-limits network 7 domain 8 recipient 9\n"
                                    "bounce-signing sign a@b.example @c.example\n"
                                    "bounce-signing require d@e.example\n"
                                    "outbound-limits messages 5000 recipients 0\n";
    AUTO(config_free) struct config *first = NULL, *c = NULL;
    AUTO_BUF written = BUF(65536);
    struct problem why = {0};

    (void)state;
    assert_int_equal(config_read(STR(text), "t", &first, &why), OK);
    config_write(first, &written);
    assert_int_equal(config_read(buf_str(&written), "w", &c, &why), OK);
    assert_int_equal(c->greylist_s, 60);
    assert_int_equal(c->inbound_network, 7);
    assert_int_equal(c->inbound_domain, 8);
    assert_int_equal(c->inbound_recipient, 9);
    assert_int_equal(c->bounce_count, 3);
    assert_true(str_eq(c->bounces[1].who, STR("@c.example")) && !c->bounces[1].require);
    assert_true(c->bounces[2].require);
    assert_int_equal(c->outbound_messages, 5000);
    assert_int_equal(c->outbound_recipients, 0);
    config_free(&c);
    assert_int_equal(config_read(STR(HEAD "listen smtp *:25\noutbound-limits none\n"
                                          "inbound-limits none\ngreylist off\n"),
                                 "t", &c, &why),
                     OK);
    assert_int_equal(c->outbound_messages + c->inbound_network + c->greylist_s, 0);
}

static void
test_reads_routes(void **state)
{
    static const char text[] =
        HEAD "listen smtp *:25\n"
             "route a.example relay.example:587 from @Dept.example after 3 tries after 4 hours "
             "name b-1 user me password-file /p socks [::1] socks-user you password-file /q "
             "socks-names source ipv4 192.0.2.1 source ipv6 none ehlo out.example.org\n"
             "route b.example mx tls-never socks proxy.example:1081 from <>\n"
             "route - h tls-verified name spare from a@b.example\nsmarthost h tls after 1 tries\n";
    AUTO(config_free) struct config *first = NULL, *c = NULL;
    struct problem why = {0};
    AUTO_BUF written = BUF(65536);

    (void)state;
    assert_int_equal(config_read(STR(text), "t", &first, &why), OK);
    config_write(first, &written);
    assert_int_equal(config_read(buf_str(&written), "w", &c, &why), OK);
    assert_int_equal(c->route_count, 4);
    const struct config_route *r = c->routes;
    assert_true(str_eq(r->sender, STR("Dept.example")) && str_eq(r->name, STR("b-1")));
    assert_int_equal(r->after_tries, 3);
    assert_int_equal(r->after_hours, 4);
    assert_true(str_eq(r->user, STR("me")) && str_eq(r->password_file, STR("/p")));
    assert_int_equal(r->tls, ROUTE_TLS_VERIFIED);
    assert_true(str_eq(r->socks.host, STR("::1")) && r->socks.port == 1080 && r->socks.names);
    assert_true(str_eq(r->socks.user, STR("you")) && str_eq(r->socks.password_file, STR("/q")));
    assert_true(str_eq(r->source4, STR("192.0.2.1")) && str_eq(r->source6, STR("none")));
    assert_true(str_eq(r->ehlo, STR("out.example.org")) && !r->by_mx && r->port == 587);
    assert_true(r[1].by_mx && r[1].tls_never && str_eq(r[1].sender, STR("<>")));
    assert_true(r[1].port == 25 && r[1].socks.port == 1081 && !r[1].socks.names);
    assert_true(r[2].tls == ROUTE_TLS_VERIFIED && str_eq(r[2].domain, STR("-")));
    assert_true(str_eq(r[3].domain, STR("*")) && r[3].tls == ROUTE_TLS_REQUIRED);
    assert_int_equal(r[3].after_tries, 1);
}

static void
test_reads_unix_sockets(void **state)
{
    AUTO(config_free) struct config *c = NULL;
    struct problem why = {0};

    (void)state;
    assert_int_equal(config_read(STR(HEAD "listen submission unix /run/godwit/submit.sock\n"
                                          "listen smtp unix " PATH_107 " group mail mode 666 owner "
                                          "\"a user\"\n"
                                          "listen lmtp *:24 from 192.0.2.0/24 ::1\n"
                                          "listen sendmail unix /run/s mode 666\n"
                                          "sendmail-trust www-data backup\nsendmail-trust x\n"),
                                 "t", &c, &why),
                     OK);
    assert_int_equal(c->listen_count, 5);
    assert_int_equal(c->listen[3].service, SERVICE_SENDMAIL);
    assert_int_equal(c->trusted_count, 3);
    assert_true(str_eq(c->trusted[0], STR("www-data")) && str_eq(c->trusted[2], STR("x")));
    assert_int_equal(c->listen[2].from_count, 2);
    assert_int_equal(c->listen[2].from[0].bits, 24);
    assert_int_equal(c->listen[2].from[1].size, 16);
    assert_true(str_eq(c->listen[0].socket.path, STR("/run/godwit/submit.sock")));
    assert_int_equal(c->listen[0].socket.mode, 0600);
    assert_int_equal(c->listen[0].at.port, 0);
    assert_int_equal(c->listen[1].socket.path.len, 107);
    assert_int_equal(c->listen[1].socket.mode, 0666);
    assert_true(str_eq(c->listen[1].socket.owner, STR("a user")));
    assert_true(str_eq(c->listen[1].socket.group, STR("mail")));
}

static void
test_reads_filters(void **state)
{
    AUTO(config_free) struct config *c = NULL;
    struct problem why = {0};

    (void)state;
    assert_int_equal(
        config_read(STR(HEAD "listen smtp *:25\npolicy unix \"/run/a b\" at data on all context x\n"
                             "policy [::1]:10023\nmilter 127.0.0.1:8891 name dkim timeout 600 "
                             "default accept on submission\npolicy unix " PATH_107
                             " default reject\n"),
                    "t", &c, &why),
        OK);
    assert_int_equal(c->filter_count, 4);
    const struct config_filter *f = c->filters;
    assert_true(f[0].kind == FILTER_POLICY && f[0].at_data && f[0].on_mx && f[0].on_submission);
    assert_true(str_eq(f[0].path, STR("/run/a b")) && str_eq(f[0].where, STR("unix /run/a b")));
    assert_true(str_eq(f[0].name, STR("x")) && f[0].otherwise == FILTER_TEMPFAIL);
    assert_true(str_eq(f[1].where, STR("[::1]:10023")) && f[1].timeout_s == 30 && !f[1].at_data);
    assert_true(f[1].on_mx && !f[1].on_submission && f[1].at.port == 10023);
    assert_true(f[2].kind == FILTER_MILTER && str_eq(f[2].name, STR("dkim")));
    assert_true(!f[2].on_mx && f[2].on_submission && f[2].timeout_s == 600);
    assert_true(f[2].otherwise == FILTER_ACCEPT && f[3].otherwise == FILTER_REJECT);
    assert_int_equal(f[3].path.len, 107);
}

static void
test_reads_scanners(void **state)
{
    AUTO(config_free) struct config *c = NULL;
    struct problem why = {0};

    (void)state;
    assert_int_equal(
        config_read(STR(HEAD "listen smtp *:25\nspamd 127.0.0.1:783\nspamd unix /run/s junk-at 7.5 "
                             "refuse-at -0.25 up-to 1M default tempfail on all\nclamd unix /run/c\n"
                             "rspamd [::1]:11333 refuse-at 20 timeout 5 name x\n"),
                    "t", &c, &why),
        OK);
    assert_int_equal(c->filter_count, 4);
    const struct config_filter *f = c->filters;
    assert_true(f[0].kind == FILTER_SPAMD && !f[0].has_junk_at && !f[0].has_refuse_at);
    assert_true(f[0].otherwise == FILTER_ACCEPT && f[0].up_to == 512 * 1024 && f[0].on_mx);
    assert_true(f[1].has_junk_at && f[1].junk_at == 750 && f[1].refuse_at == -25);
    assert_true(f[1].up_to == 1 << 20 && f[1].otherwise == FILTER_TEMPFAIL && f[1].on_submission);
    assert_true(f[2].kind == FILTER_CLAMD && f[2].up_to == 0 && f[2].otherwise == FILTER_TEMPFAIL);
    assert_true(f[3].kind == FILTER_RSPAMD && f[3].refuse_at == 2000 && f[3].timeout_s == 5);
    assert_true(str_eq(f[3].name, STR("x")) && !f[3].has_junk_at);
}

static void
test_reads_lists(void **state)
{
    AUTO(config_free) struct config *c = NULL, *again = NULL;
    AUTO_BUF text = BUF(65536);
    struct problem why = {0};

    (void)state;
    assert_int_equal(
        config_read(STR(HEAD "listen smtp *:25\nchecks off\nreports off\ndnsbl A.list.example\n"
                             "dnswl b.example answer 127.0.0.4/30 127.0.9.1\n"),
                    "t", &c, &why),
        OK);
    config_write(c, &text);
    assert_int_equal(config_read(buf_str(&text), "t", &again, &why), OK);
    for (int turn = 0; turn < 2; turn++) {
        const struct config *of = turn == 0 ? c : again;
        assert_false(of->checks || of->reports);
        assert_int_equal(of->list_count, 2);
        assert_true(str_eq(of->lists[0].zone, STR("a.list.example")) && !of->lists[0].good);
        assert_int_equal(of->lists[0].answer_count, 0);
        assert_true(str_eq(of->lists[1].zone, STR("b.example")) && of->lists[1].good);
        assert_int_equal(of->lists[1].answer_count, 2);
        assert_int_equal(of->lists[1].answers[0].bits, 30);
        assert_int_equal(of->lists[1].answers[1].bytes[2], 9);
    }
    config_free(&c);
    assert_int_equal(config_read(STR(HEAD "listen smtp *:25\n"), "t", &c, &why), OK);
    assert_true(c->checks && c->reports && c->list_count == 0);
}

static void
test_reads_the_api(void **state)
{
    static const struct {
        const char *text;
        size_t count; /* of listen lines, with the one that is smtp */
        bool has;
    } rows[] = {
        {"", 2, true},
        {"listen api none\n", 1, false},
        {"listen api unix /run/x.sock mode 660 group adm\n", 2, true},
        {"listen api 127.0.0.1:8025 token-file /t\n", 3, true}, /* its socket as well */
        {"listen api none\nlisten api [::1]:8025 token-file \"/a b\"\n", 2, true},
        {"listen api none\nlisten metrics 127.0.0.1:9025\n", 2, true},
        {"listen api none\nlisten metrics *:9025 from 192.0.2.0/24\n", 2, true},
        {"listen api none\nlisten metrics unix /run/m.sock\n", 2, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF text = BUF(4096);
        AUTO_BUF written = BUF(4096);
        AUTO_BUF again = BUF(4096);
        AUTO(config_free) struct config *c = NULL;
        AUTO(config_free) struct config *d = NULL;
        struct problem why = {0};
        buf_addf(&text, HEAD "listen smtp *:25\n%s", rows[i].text);
        assert_int_equal(config_read(buf_str(&text), "t", &c, &why), OK);
        assert_int_equal(c->listen_count, rows[i].count);
        assert_int_equal(config_has_api(c), rows[i].has);
        config_write(c, &written);
        assert_int_equal(config_read(buf_str(&written), "t", &d, &why), OK);
        config_write(d, &again);
        assert_true(str_eq(buf_str(&written), buf_str(&again)));
    }
}

#define NINE "policy [::1]:1\n"
#define FOUR(c) \
    "dnsbl " c "1.example\ndnsbl " c "2.example\ndnsbl " c "3.example\ndnswl " c "4.example\n"
#define SIXTEEN FOUR("a") FOUR("b") FOUR("c") FOUR("d")
#define ASK     "oauth-introspection "

static const struct {
    const char *text;
    const char *says; /* part of the sentence */
} refused[] = {
    {"domain example.org\nlisten smtp *:25\n", "host mail.example.org"},
    {"host mail.example.org\nlisten smtp *:25\n", "domain example.org"},
    {HEAD, "listen smtp"},
    {HEAD "listen imaps *:993\n", "tls cert"},
    {HEAD "listen imapz *:993\n", "t:3: read \"imapz\", expected one of smtp"},
    {HEAD "listen smtp 25\n", "ADDRESS:PORT"},
    {HEAD "policy\n", "unix PATH or ADDRESS:PORT"},
    {HEAD "policy unix\n", "at most 107 bytes"},
    {HEAD "policy unix " PATH_108 "\n", "at most 107 bytes"},
    {HEAD "policy unix run/x\n", "begins with /"},
    {HEAD "policy *:25\n", "one machine"},
    {HEAD "policy host.example:25\n", "ADDRESS:PORT"},
    {HEAD "policy [::1]:1 at\n", "rcpt or data"},
    {HEAD "policy [::1]:1 at end\n", "rcpt or data"},
    {HEAD "policy [::1]:1 on imap\n", "mx, submission or all"},
    {HEAD "policy [::1]:1 timeout 0\n", "from 1 to 600"},
    {HEAD "policy [::1]:1 timeout 601\n", "from 0 to 600"},
    {HEAD "policy [::1]:1 default maybe\n", "tempfail, accept or reject"},
    {HEAD "policy [::1]:1 name x\n", "at, on, context"},
    {HEAD "policy [::1]:1 context \"\"\n", "a name of at most"},
    {HEAD "milter [::1]:1 at data\n", "name, on, timeout"},
    {HEAD "outbound-limits\n", "messages NUMBER recipients NUMBER"},
    {HEAD "outbound-limits messages 5 people 5\n", "messages NUMBER recipients NUMBER"},
    {HEAD "outbound-limits messages many recipients 5\n", "a number"},
    {HEAD "inbound-limits network 5 domain 5\n", "network NUMBER domain NUMBER"},
    {HEAD "greylist\n", "greylist doubtful"},
    {HEAD "greylist all\n", "greylist doubtful"},
    {HEAD "greylist doubtful wait\n", "greylist doubtful"},
    {HEAD "greylist doubtful wait 0\n", "at least 1 second"},
    {HEAD "bounce-signing sign\n", "bounce-signing sign ADDRESS"},
    {HEAD "bounce-signing never a@b.example\n", "bounce-signing sign ADDRESS"},
    {HEAD "bounce-signing sign a@\n", "an address, or @ and a domain"},
    {HEAD "checks\n", "checks on, or checks off"},
    {HEAD "reports\n", "reports on, or reports off"},
    {HEAD "reports maybe\n", "on or off"},
    {HEAD "checks yes\n", "on or off"},
    {HEAD "dnsbl\n", "the zone of a list"},
    {HEAD "dnsbl list\n", "a full name"},
    {HEAD "dnsbl list.example 127.0.0.2\n", "answer, and what counts"},
    {HEAD "dnsbl list.example answer\n", "a network such as"},
    {HEAD "dnsbl list.example answer 192.0.2.1\n", "an answer of 127.0.0.0/8"},
    {HEAD "dnsbl list.example answer 126.0.0.0/7\n", "an answer of 127.0.0.0/8"},
    {HEAD "dnswl list.example answer ::1\n", "an answer of 127.0.0.0/8"},
    {HEAD "dnswl list.example answer 127.0.0.2/24\n", "192.0.2.0/24"},
    {HEAD "dnsbl list.example\ndnswl LIST.example\n", "no other line has"},
    {HEAD SIXTEEN "dnsbl one-more.example\n", "at most 16 lists"},
    {HEAD NINE NINE NINE NINE NINE NINE NINE NINE NINE, "at most 8"},
    {HEAD "listen smtp *:0\n", "ADDRESS:PORT"},
    {HEAD "listen smtp *:65536\n", "ADDRESS:PORT"},
    {HEAD "listen smtp name.example:25\n", "ADDRESS:PORT"},
    {HEAD "listen smtp\n", "listen SERVICE"},
    {HEAD "listen smtp *:25 more\n", "read \"more\", expected nothing after"},
    {HEAD "listen smtp *:25 from 192.0.2.1\n", "read \"from\", expected nothing after"},
    {HEAD "listen smtp *:25\nlisten api 127.0.0.1:80\n", "token-file"},
    {HEAD "listen smtp *:25\nlisten api *:80 token-file /t\n", "loopback"},
    {HEAD "listen smtp *:25\nlisten api 192.0.2.1:80 token-file /t\n", "loopback"},
    {HEAD "listen smtp *:25\nlisten api 127.0.0.1:80 token-file t\n", "read \"t\""},
    {HEAD "listen smtp *:25\nlisten metrics *:90\n", "beyond loopback"},
    {HEAD "listen smtp *:25\nlisten metrics 127.0.0.1:90 x\n", "from NETWORK"},
    {HEAD "listen smtp *:25\nlisten metrics none\n", "ADDRESS:PORT"},
    {HEAD "listen api none\n", "listen smtp"},
    {HEAD "listen lmtp *:24\n", "from NETWORK"},
    {HEAD "listen lmtp *:24 from\n", "read \"from\", expected a network"},
    {HEAD "listen lmtp *:24 with 192.0.2.1\n", "from NETWORK"},
    {HEAD "listen lmtp *:24 from localhost\n", "192.0.2.0/24"},
    {HEAD "listen lmtp *:24 from 192.0.2.1/24\n", "192.0.2.0/24"},
    {HEAD "listen lmtp *:24 from 192.0.2.1 0.0.0.0/0\n", "not the whole Internet"},
    {HEAD "listen lmtp *:24 from ::/0\n", "not the whole Internet"},
    {HEAD "listen lmtp *:25 from 192.0.2.1\n", "another port than 25"},
    {HEAD "listen lmtp nowhere from 192.0.2.1\n", "ADDRESS:PORT"},
    {HEAD "listen sendmail *:24\n", "listen sendmail unix PATH"},
    {HEAD "listen smtp *:25\nsendmail-trust\n", "sendmail-trust LOGIN"},
    {HEAD "listen smtp *:25\nsendmail-trust \"\"\n", "the login of a user"},
    {HEAD "listen smtp *:25\nsendmail-trust " PATH_107 "\n", "the login of a user"},
    {HEAD "listen smtp unix\n", "unix PATH"},
    {HEAD "listen smtp unix relative.sock\n", "begins with /"},
    {HEAD "listen smtp unix " PATH_108 "\n", "at most 107 bytes"},
    {HEAD "listen smtp unix /a mode\n", "permissions such as 660"},
    {HEAD "listen smtp unix /a mode 66\n", "permissions such as 660"},
    {HEAD "listen smtp unix /a mode 0660\n", "permissions such as 660"},
    {HEAD "listen smtp unix /a mode 668\n", "permissions such as 660"},
    {HEAD "listen smtp unix /a owner\n", "a user or group"},
    {HEAD "listen smtp unix /a group a23456789012345678901234567890123\n", "a user or group"},
    {HEAD "listen smtp unix /a more 660\n", "mode BITS, owner USER"},
    {HEAD "host other.example\n", "only once"},
    {HEAD "hots other.example\n", "t:3: read \"hots\""},
    {HEAD "data relative/path\n", "begins with /"},
    {HEAD "message-size 1X\n", "50M"},
    {HEAD "message-size 1K\n", "64K to 1G"},
    {HEAD "message-size 99999999999999999999\n", "50M"},
    {HEAD "workers mx 0\n", "1 to 10"},
    {HEAD "workers mx 11\n", "0 to 10"},
    {HEAD "workers boss 1\n", "mx, user, cook, out"},
    {HEAD "tls cert /a key\n", "tls cert FILE key FILE"},
    {HEAD "tls cert \"/a key /b\n", "closing"},
    {HEAD "data /srv/\x01mail\n", "control character"},
    {HEAD "tls cert /a\"b key /b\n", "quotes around"},
    {HEAD "resolver\n", "resolver system"},
    {HEAD "resolver 127.0.0.1\n", "ADDRESS:PORT"},
    {HEAD "route a.example\n", "route DOMAIN"},
    {HEAD "route a.example h:25 user x\n", "password-file"},
    {HEAD "route a.example h:25 user x password /p\n", "password-file"},
    {HEAD "route a.example h:25 tsl\n", "read \"tsl\", expected an option of route"},
    {HEAD "route a.example h:25 tls tls-never\n", "no other word about TLS"},
    {HEAD "route a.example h:25 tls-never user x password-file /p\n", "no log-in"},
    {HEAD "route a.example mx user x password-file /p\n", "a host, when there is a log-in"},
    {HEAD "route a.example h from\n", "from ADDRESS"},
    {HEAD "route a.example h from a@\n", "an address, a domain, or <>"},
    {HEAD "route a.example h from \"\"\n", "an address, a domain, or <>"},
    {HEAD "route a.example h after 3\n", "after NUMBER tries"},
    {HEAD "route a.example h after 3 days\n", "after NUMBER tries"},
    {HEAD "route a.example h after 1001 tries\n", "0 to 1000"},
    {HEAD "route a.example h after 121 hours\n", "0 to 120"},
    {HEAD "route a.example h name default\n", "not \"default\""},
    {HEAD "route a.example h name \"a b\"\n", "letters, digits"},
    {HEAD "route a.example h name a23456789012345678901234567890123\n", "at most 32 bytes"},
    {HEAD "route a.example h name x\nroute b.example h name x\n", "no other route has"},
    {HEAD "route - h\n", "a name for a route"},
    {HEAD "route a.example h socks\n", "socks HOST:PORT"},
    {HEAD "route a.example h socks :1080\n", "HOST or HOST:PORT"},
    {HEAD "route a.example h socks-names\n", "socks HOST:PORT beside it"},
    {HEAD "route a.example h socks-user x password-file /p\n", "socks HOST:PORT beside it"},
    {HEAD "route a.example h socks p socks-user x password-file p\n", "begins with /"},
    {HEAD "route a.example h source ipv5 192.0.2.1\n", "ipv4 or ipv6"},
    {HEAD "route a.example h source ipv4 ::1\n", "an IPv4 address"},
    {HEAD "route a.example h ehlo x\n", "a full name"},
    {HEAD "relay-from\n", "expected a network"},
    {HEAD "relay-from 0.0.0.0/0\n", "not the whole Internet"},
    {HEAD "relay-from 192.0.2.7 ::/0\n", "not the whole Internet"},
    {HEAD "relay-from 127.0.0.1\n", "read \"127.0.0.1\", expected a network without this machine"},
    {HEAD "relay-from 0.0.0.0/1\n", "without this machine itself"},
    {HEAD "relay-from 192.0.2.7 ::1\n", "read \"::1\", expected a network without this machine"},
    {HEAD "relay-from ::/8\n", "without this machine itself"},
    {HEAD "relay-from 10.0.0.0/8\n", "not a whole range"},
    {HEAD "relay-from 192.0.0.0/8\n", "not a whole range"},
    {HEAD "relay-from 172.16.0.0/12\n", "not a whole range"},
    {HEAD "relay-from 192.168.0.0/16\n", "not a whole range"},
    {HEAD "relay-from fc00::/7\n", "not a whole range"},
    {HEAD "relay-from 192.0.2.7/24\n", "192.0.2.0/24"},
    {HEAD "relay-from private\n", "192.0.2.0/24"},
    {HEAD "relay-from " TWELVE "\nrelay-from " TWELVE "\nrelay-from " TWELVE "\nrelay-from " TWELVE
          "\nrelay-from " TWELVE "\nrelay-from 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5\n",
     "at most 64 networks"},
    {HEAD "proxy-from\n", "expected a network"},
    {HEAD "proxy-from 0.0.0.0/0\n", "not the whole Internet"},
    {HEAD "proxy-from proxy.example\n", "192.0.2.0/24"},
    {HEAD "xclient-from\n", "expected a network"},
    {HEAD "xclient-from ::/0\n", "not the whole Internet"},
    {HEAD "dmarc\n", "enforce, junk or off"},
    {HEAD "dmarc reject\n", "enforce, junk or off"},
    {HEAD "dmarc off domain\n", "perhaps domain"},
    {HEAD "dmarc off for a.example\n", "perhaps domain"},
    {HEAD "dmarc off domain x\n", "a full name"},
    {HEAD "outbound some\n", "all or none"},
    {HEAD "listen smtp *:25\noauth-issuer https://i audience a\n", "oauth-introspection URL"},
    {HEAD "oauth-issuer https://i username\n", "oauth-issuer URL"},
    {HEAD "oauth-issuer https://i audience a keys username\n", "oauth-issuer URL"},
    {HEAD "oauth-issuer https://i audience a username keys /k\n", "oauth-issuer URL"},
    {HEAD "listen smtp *:25\n" ASK "https://i/ client c secret /s\n", "oauth-issuer URL"},
    {HEAD ASK "https://i/ client c\n", "secret FILE"},
    {HEAD ASK "https://i/ client c secret /s ca /c\n", "authority FILE"},
    {HEAD ASK "https://i/ client c secret s\n", "begins with /"},
    {HEAD ASK "https://i/#x client c secret /s\n", "https://HOST/PATH"},
    {HEAD ASK "https://i:0/ client c secret /s\n", "https://HOST/PATH"},
    {HEAD ASK "https://u@i/ client c secret /s\n", "https://HOST/PATH"},
    {HEAD ASK "https:///x client c secret /s\n", "https://HOST/PATH"},
    {HEAD ASK "https://[::1]/ client c secret /s\n", "https://HOST/PATH"},
    {HEAD ASK "http://i/ client c secret /s\n", "to a loopback address"},
    {HEAD ASK "http://192.0.2.1/ client c secret /s\n", "to a loopback address"},
    {HEAD ASK "http://localhost.example/ client c secret /s\n", "to a loopback address"},
    {HEAD ASK "http://127.0.0.1@i/ client c secret /s\n", "to a loopback address"},
    {HEAD ASK "\"https://i/ x\" client c secret /s\n", "the URL"},
    {HEAD "client-certificates\n", "client-certificates FILE"},
    {HEAD "client-certificates clients.pem\n", "begins with /"},
    {HEAD "source ipv5 none\n", "ipv4 or ipv6"},
    {HEAD "source ipv4 ::1\n", "an IPv4 address"},
    {HEAD "source ipv6 192.0.2.1\n", "an IPv6 address"},
    {HEAD "source ipv4 mail.example.org\n", "an IPv4 address"},
    {HEAD "trace-days 3651\n", "0 to 3650"},
    {HEAD "pop3-login-delay\n", "pop3-login-delay SECONDS"},
    {HEAD "pop3-login-delay 86401\n", "0 to 86400"},
    {HEAD "trace-size 15M\n", "at least 16M"},
    {HEAD "a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g\n", "32 words"},
};

static const struct {
    const char *url, *host, *authority, *path;
    unsigned port;
    bool tls;
} urls[] = {
    {"https://id.example", "id.example", "id.example", "/", 443, true},
    {"HTTPS://id.example:8443/a/b?c=d", "id.example", "id.example:8443", "/a/b?c=d", 8443, true},
    {"https://id.example?c", "id.example", "id.example", "/?c", 443, true},
    {"https://localhost/", "localhost", "localhost", "/", 443, true},
    {"http://localhost:80/x", "localhost", "localhost:80", "/x", 80, false},
    {"http://127.8.9.1", "127.8.9.1", "127.8.9.1", "/", 80, false},
    {"http://[::1]:8080/", "::1", "[::1]:8080", "/", 8080, false},
};

static void
test_reads_where_to_ask(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        AUTO(config_free) struct config *c = NULL;
        AUTO_BUF text = BUF(4096), again = BUF(8192);
        struct problem why = {0};

        buf_addf(&text,
                 HEAD "listen smtp *:25\noauth-issuer https://i audience a\n" ASK
                      "%s client c secret /s authority /c\n",
                 urls[i].url);
        for (int turn = 0; turn < 2; turn++) {
            if (config_read(buf_str(turn == 0 ? &text : &again), "t", &c, &why) != OK)
                fail_msg("row %zu: %s", i, why.text);
            const struct config_introspection *w = &c->introspection;
            if (!str_eq(w->host, str_of(urls[i].host)) || !str_eq(w->path, str_of(urls[i].path)) ||
                !str_eq(w->authority, str_of(urls[i].authority)) || w->port != urls[i].port ||
                w->tls != urls[i].tls || !str_eq(w->authority_file, STR("/c")))
                fail_msg("row %zu, turn %d", i, turn);
            if (turn == 0)
                config_write(c, &again);
            config_free(&c);
        }
    }
}

static void
test_refuses_with_a_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct config *c = NULL;
        struct problem why = {0};

        assert_int_not_equal(config_read(str_of(refused[i].text), "t", &c, &why), OK);
        assert_null(c);
        if (strstr(why.text, refused[i].says) == NULL)
            fail_msg("row %zu says \"%s\", expected \"%s\"", i, why.text, refused[i].says);
    }
}

static void
test_events_have_unique_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVENT_COUNT; i++)
        for (size_t j = i + 1; j < EVENT_COUNT; j++)
            assert_string_not_equal(events[i].name, events[j].name);
}

static void
test_some_events_are_traced(void **state)
{
    (void)state;
    assert_true(event_is_traced(STR("smtp.message")) && event_is_traced(STR("mail.expunge")));
    assert_false(event_is_traced(STR("auth.login")) || event_is_traced(STR("smtp")) ||
                 event_is_traced(STR("")));
}

/* The last line about a domain counts, and what is written is read as the same. */
static void
test_dmarc(void **state)
{
    AUTO(config_free) struct config *c = NULL, *again = NULL;
    struct problem why = {0};
    AUTO_BUF b = BUF(65536);

    (void)state;
    assert_int_equal(config_read(STR(HEAD "listen smtp *:25\ndmarc junk\n"
                                          "dmarc off domain a.example b.example\n"
                                          "dmarc enforce domain b.example\n"),
                                 "t", &c, &why),
                     OK);
    config_write(c, &b);
    assert_int_equal(config_read(buf_str(&b), "t", &again, &why), OK);
    const struct config *both[] = {c, again};
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        assert_int_equal(config_dmarc_of(both[i], STR("other.example")), DMARC_MODE_JUNK);
        assert_int_equal(config_dmarc_of(both[i], STR("A.example")), DMARC_MODE_OFF);
        assert_int_equal(config_dmarc_of(both[i], STR("b.example")), DMARC_MODE_ENFORCE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_setting),
        cmocka_unit_test(test_reads_what_is_against_abuse),
        cmocka_unit_test(test_dmarc),
        cmocka_unit_test(test_reads_routes),
        cmocka_unit_test(test_reads_unix_sockets),
        cmocka_unit_test(test_reads_where_to_ask),
        cmocka_unit_test(test_reads_filters),
        cmocka_unit_test(test_reads_scanners),
        cmocka_unit_test(test_reads_lists),
        cmocka_unit_test(test_reads_the_api),
        cmocka_unit_test(test_refuses_with_a_sentence),
        cmocka_unit_test(test_events_have_unique_names),
        cmocka_unit_test(test_some_events_are_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
