/* strangers_test.c - how often strangers come, and whom that keeps out.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "config/config.h"
#include "policy/spf_record.h"
#include "role/role.h"
#include "role/store/classes.h"
#include "role/store/testkit_store.h"
#include "rt/clock.h"
#include "store/account.h"
#include "store/correspondents.h"

#define LETTER "From: s@far.example\r\n\r\nText\r\n"

/* Of role/role.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

static SUSPENDS void
begin(uint32_t network, uint32_t domain, uint32_t recipient)
{
    static struct config c;

    town_people();
    c = *town.store->config;
    c.inbound_network = network;
    c.inbound_domain = domain;
    c.inbound_recipient = recipient;
    town.store->config = &c;
}

struct visit {
    const char *client, *sender, *rcpt;
    bool proven, allowed;
};

static SUSPENDS int
rcpt(const struct visit *v)
{
    const struct store_rcpt req = {.address = str_of(v->rcpt),
                                   .size = 10,
                                   .null_sender = v->sender[0] == '\0',
                                   .sender = str_of(v->sender),
                                   .client = str_of(v->client),
                                   .proven = v->proven,
                                   .allowed = v->allowed};
    struct store_rcpt_reply rep;

    ASSERT(store_rcpt_call(town.mx, &req, town.a, &rep) == OK);
    return rep.class;
}

/* The whole transaction, and what RCPT was answered. */
static SUSPENDS int
mail(const struct visit *v)
{
    struct str to = str_of(v->rcpt);
    struct store_deliver_reply rep;
    const struct store_deliver req = {.body = STR(LETTER),
                                      .sender = str_of(v->sender),
                                      .rcpts = &to,
                                      .rcpts_count = 1,
                                      .peer = str_of(v->client),
                                      .stranger = true,
                                      .checks = {.spf = v->proven ? SPF_PASS : SPF_FAIL}};

    int class = rcpt(v);
    if (class == DIRECTORY_LOCAL)
        ASSERT(store_deliver_call(town.mx, &req, town.a, &rep) == OK);
    return class;
}

/* By naming a domain or a recipient nobody uses up what others may send. */
static SUSPENDS void
test_names_cost_others_nothing(void)
{
    const struct visit forged = {.client = "192.0.2.1", "x@big.example", "anna@here.example"};
    const struct visit honest = {
        .client = "198.51.100.1", "y@big.example", "anna@here.example", .proven = true};

    begin(100, 4, 8);
    for (int i = 0; i < 50; i++) /* without a message */
        ASSERT(rcpt(&forged) == DIRECTORY_LOCAL);
    ASSERT(rcpt(&honest) == DIRECTORY_LOCAL);
    for (int i = 0; i < 4; i++)
        ASSERT(mail(&forged) == DIRECTORY_LOCAL);
    ASSERT(mail(&forged) == STORE_CLASS_TOO_OFTEN); /* network and recipient, network and domain */
    ASSERT(mail(&honest) == DIRECTORY_LOCAL);
}

static SUSPENDS void
test_a_domain(void)
{
    struct visit v = {.client = "192.0.2.1", "x@Big.example", "anna@here.example", .proven = true};

    begin(0, 3, 0);
    for (int i = 0; i < 3; i++)
        ASSERT(mail(&v) == DIRECTORY_LOCAL);
    v.client = "198.51.100.1";
    v.sender = "y@big.example";
    ASSERT(mail(&v) == STORE_CLASS_TOO_OFTEN); /* wherever it comes from */
    v.allowed = true;
    ASSERT(mail(&v) == DIRECTORY_LOCAL);
    v.allowed = v.proven = false;
    ASSERT(mail(&v) == DIRECTORY_LOCAL); /* who only says so is somebody else */
}

static SUSPENDS void
test_a_network_and_what_it_has_of_a_recipient(void)
{
    struct visit v = {.client = "192.0.2.1", "x@far.example", "anna@here.example"};

    begin(6, 0, 8);
    for (int i = 0; i < 4; i++)
        ASSERT(mail(&v) == DIRECTORY_LOCAL);
    for (int i = 0; i < 10; i++) /* these are not added to the network's */
        ASSERT(mail(&v) == STORE_CLASS_TOO_OFTEN);
    v.rcpt = "bert@here.example";
    ASSERT(mail(&v) == DIRECTORY_LOCAL && rcpt(&v) == DIRECTORY_LOCAL);
    v.client = "192.0.2.200";
    ASSERT(rcpt(&v) == STORE_CLASS_TOO_OFTEN);
}

/* Strangers fill up what a recipient may get; who is known does not wait for them. */
static SUSPENDS void
test_who_is_known(void)
{
    struct visit v = {.client = "192.0.2.1", "x@one.example", "anna@here.example"};
    const struct visit friend = {
        .client = "203.0.113.9", "friend@far.example", "anna@here.example"};
    const uint64_t hash = correspondent_hash(STR("friend@far.example"));

    begin(0, 0, 4);
    for (int i = 0; i < 2; i++)
        ASSERT(mail(&v) == DIRECTORY_LOCAL);
    v.client = "198.51.100.1";
    for (int i = 0; i < 2; i++)
        ASSERT(mail(&v) == DIRECTORY_LOCAL);
    ASSERT(rcpt(&friend) == STORE_CLASS_TOO_OFTEN);
    AUTO(cell_close) struct cell *anna = account_open(town.store->cells, 1);
    ASSERT(correspondents_add(anna, &hash, 1, clock_now()) == OK);
    for (int i = 0; i < 2; i++)
        ASSERT(mail(&friend) == DIRECTORY_LOCAL);
    ASSERT(mail(&friend) == STORE_CLASS_TOO_OFTEN); /* its network's part */
}

int
main(int argc, char **argv)
{
    static const struct town_row rows[] = {
        {"names_cost_others_nothing", test_names_cost_others_nothing},
        {"a_domain", test_a_domain},
        {"a_network", test_a_network_and_what_it_has_of_a_recipient},
        {"who_is_known", test_who_is_known},
    };

    (void)argc;
    return town_main("store_strangers", rows, COUNT_OF(rows), argv);
}
