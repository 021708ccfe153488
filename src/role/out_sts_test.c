/* out_sts_test.c - policies of MTA-STS: fetched once, kept by a real store, fetched anew where that kept none.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/out_sts.h"

#include "base/encode.h"
#include "base/size.h"
#include "role/role.h"
#include "role/testkit_store.h"
#include "role/testkit_web.h"
#include "rt/clock.h"
#include "store/policies.h"

#define HOUR_US      INT64_C(3600000000)
#define HTTP         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
#define POLICY(mode) "version: STSv1\r\nmode: " mode "\r\nmx: *.x.example\r\nmax_age: 86400\r\n"
#define RECORDS(d)   "mta-sts." d " A 127.0.0.1\n_mta-sts." d " TXT \"v=STSv1; id=1;\"\n"
#define NAMES(d)     ",DNS:mta-sts." d

static const char zone[] = RECORDS("a.example") RECORDS("b.example") RECORDS("c.example")
    RECORDS("d.example") RECORDS("e.example") RECORDS("f.example")
        RECORDS("thief.example") "mta-sts.silent.example A 127.0.0.1\n";
static const char names[] =
    "DNS:web.example" NAMES("a.example") NAMES("b.example") NAMES("c.example") NAMES("d.example")
        NAMES("e.example") NAMES("f.example") NAMES("silent.example");

static bool store_away;
static struct test_identity id;
static struct resolver *resolver;
static struct tls_client *trusts;

/* Of role/role.c and role_peers.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

struct ipc_peer *
role_peer(enum role r)
{
    ASSERT(r == ROLE_STORE);
    return store_away ? NULL : town.out;
}

static SUSPENDS void
begin(void)
{
    const struct resolver_options o = {.zone = STR(zone)};
    struct problem why;

    web_identity(&id, names);
    web_begin(&id);
    ASSERT(tls_client_new(TLS_VERIFY_NAME, &trusts) == OK);
    ASSERT(tls_client_trust(trusts, str_of(id.cert_pem)) == OK);
    ASSERT(resolver_new(&o, &resolver, &why) == OK);
    out_sts_begin();
}

static SUSPENDS enum status
find(const char *domain, const struct sts_policy **out)
{
    const struct out_sts_ask ask = {
        .resolver = resolver, .tls = trusts, .domain = str_of(domain), .port = web.port};

    return out_sts_find(&ask, town.a, out);
}

/* In force, or there is none. */
static SUSPENDS bool
holds(const char *domain)
{
    const struct sts_policy *p;

    ASSERT(find(domain, &p) == OK);
    ASSERT(p == NULL || p->mode != STS_NONE);
    return p != NULL;
}

static SUSPENDS void
put(const char *domain, const char *text)
{
    const struct policy_kept k = {.id = STR("1"),
                                  .text = str_of(text),
                                  .fetched = clock_now(),
                                  .until = {clock_now().us + HOUR_US}};

    ASSERT(policies_put(town.store->policies, str_of(domain), &k, clock_now()) == OK);
}

static SUSPENDS void
test_fetched_once(void)
{
    const struct sts_policy *p;
    struct policy_kept k;

    begin();
    web.answer = STR(HTTP POLICY("enforce"));
    for (int i = 0; i < 2; i++) {
        ASSERT(find("a.example", &p) == OK && p != NULL && p->mode == STS_ENFORCE);
        ASSERT(p->count == 1 && str_eq(p->hosts[0], STR("*.x.example")) && web.asked == 1);
    }
    ASSERT(str_find_str(str_of(web.request), STR("Host: mta-sts.a.example|")) > 0);
    ASSERT(policies_get(town.store->policies, STR("a.example"), town.a, &k) == OK);
    ASSERT(str_eq(k.id, STR("1")) && k.until.us - k.fetched.us == 86400 * INT64_C(1000000));
    out_sts_begin(); /* as after a restart */
    web.answer = STR("HTTP/1.1 500 No\r\n\r\n");
    ASSERT(holds("a.example") && web.asked == 1);
}

/* Each a domain of its own; after that nothing is kept, and nothing asked again at once. */
static const struct {
    const char *domain, *answer;
    uint32_t asked;
} bad[] = {
    {"a.example",
     "HTTP/1.1 301 Moved\r\nContent-Type: text/plain\r\nLocation: "
     "https://web.example/\r\n\r\n" POLICY("enforce"),
     1},
    {"b.example", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" POLICY("enforce"), 1},
    {"c.example", "HTTP/1.1 200 OK\r\n\r\n" POLICY("enforce"), 1},
    {"d.example", HTTP "version: STSv2\r\nmode: enforce\r\nmx: a\r\nmax_age: 1\r\n", 1},
    {"e.example",
     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 65537\r\n\r\nversion: STSv1",
     1},
    {"thief.example", HTTP POLICY("enforce"), 0},  /* a certificate of others */
    {"silent.example", HTTP POLICY("enforce"), 0}, /* without a record none is looked for */
    {"nothing.example", HTTP POLICY("enforce"), 0},
    {"b\xc3\xbc.example", HTTP POLICY("enforce"), 0},
    {"", HTTP POLICY("enforce"), 0},
};

static SUSPENDS void
test_not_taken(void)
{
    struct policy_kept k;

    begin();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct str domain = str_of(bad[i].domain);
        web.asked = 0;
        web.answer = str_of(bad[i].answer);
        ROW(i, !holds(bad[i].domain) && web.asked == bad[i].asked);
        ROW(i, !holds(bad[i].domain) && web.asked == bad[i].asked);
        ROW(i, domain.len == 0 || !str_is_ascii(domain) ||
                   policies_get(town.store->policies, domain, town.a, &k) == ERR_NOT_FOUND);
    }
    web.answer = STR(HTTP POLICY("none"));
    ASSERT(!holds("f.example") && web.asked == 1); /* there is one, and it asks for nothing */
}

static SUSPENDS void
test_kept_text_that_is_none(void)
{
    begin();
    put("a.example", "version: STSv9\nmode: enforce\nmax_age: 86400\nmx: a.x.example\n");
    put("b.example", "\x01\x02");
    web.answer = STR(HTTP POLICY("enforce"));
    ASSERT(holds("a.example") && web.asked == 1);
    web.answer = STR("HTTP/1.1 500 No\r\n\r\n");
    ASSERT(!holds("b.example") && web.asked == 2); /* fetched anew once, without success: none */
    ASSERT(!holds("b.example") && web.asked == 2);
    out_sts_begin();
    ASSERT(holds("a.example") && web.asked == 2); /* the new text is what is kept */
}

static SUSPENDS void
test_store_away(void)
{
    const struct sts_policy *p;

    begin();
    web.answer = STR(HTTP POLICY("testing"));
    store_away = true;
    ASSERT(find("a.example", &p) == ERR_CLOSED && p == NULL && web.asked == 0);
    store_away = false;
    ASSERT(find("a.example", &p) == OK && p != NULL && p->mode == STS_TESTING);
}

static const struct town_row rows[] = {
    {"fetched once", test_fetched_once},
    {"not taken", test_not_taken},
    {"kept text that is none", test_kept_text_that_is_none},
    {"store away", test_store_away},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return town_main("out: policies of MTA-STS", rows, COUNT_OF(rows), argv);
}
