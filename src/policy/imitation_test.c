/* imitation_test.c - From fields, and which names in them are looked at.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/imitation.h"

#include "base/buf.h"
#include "base/size.h"
#include "base/testing.h"
#include "policy/homograph.h"
#include "policy/suffixes.h"

#define CYRILLIC_A "\xd0\xb0"

/* names: "domain parent,..." with a * before what people read. */
static const struct row {
    const char *from, *names, *mixed;
    bool mixed_shown;
} rows[] = {
    {"a@example.org", "example.org", "", false},
    {"A <a@mail.example.co.uk>", "mail.example.co.uk example.co.uk", "", false},
    {"a@Example.ORG, b@example.org, c@example.net", "example.org,example.net", "", false},
    {"\"ceo@example.org\" <x@evil.test>", "evil.test,*example.org", "", false},
    {"Example.org accounts <x@evil.test>", "evil.test,*example.org", "", false},
    {"=?utf-8?q?b=40ex=C3=A4mple=2Eorg?= <x@evil.test>", "evil.test,*xn--exmple-cua.org", "",
     false},
    /* what is no domain */
    {"Acme Inc. <x@evil.test>", "evil.test", "", false},
    {"Version 3.5 ... and .org <x@evil.test>", "evil.test", "", false},
    {"x", "", "", false},
    {"", "", "", false},
    {"a@[192.0.2.1]", "", "", false},
    /* alphabets */
    {"a@p" CYRILLIC_A "ypal.example", "xn--pypal-4ve.example", "xn--pypal-4ve.example", false},
    {"a@xn--80ak6aa92e.com", "xn--80ak6aa92e.com", "xn--80ak6aa92e.com", false},
    {"P" CYRILLIC_A "yPal Support <a@x.test>", "x.test", "", true},
    {"=?utf-8?q?P=D0=B0yPal?= <a@x.test>", "x.test", "", true},
    {"p" CYRILLIC_A "ypal.com <a@x.test>", "x.test,*xn--pypal-4ve.com", "xn--pypal-4ve.com", true},
    /* as people write: names in one alphabet, an abbreviation with a Russian ending, a Greek letter, a shop's name */
    {"J\xc3\xbcrgen M\xc3\xbcller <a@x.test>", "x.test", "", false},
    {"\xd0\x9f\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0 \xd0\xa0\xd0\xbe\xd1\x81\xd1\x81\xd0\xb8\xd0\xb8 "
     "<a@x.test>",
     "x.test", "", false},
    {"SMS\xd0\xba\xd0\xb0 <a@x.test>", "x.test", "", false},
    {"\xce\xbcTorrent <a@x.test>", "x.test", "", false},
    {"S\xce\x9bMSUNG <a@x.test>", "x.test", "", false},
    {"\xe6\x97\xa5\xe6\x9c\xac"
     "News <a@x.test>",
     "x.test", "", false},
    {"\xd0\xaf\xd0\xbd\xd0\xb4\xd0\xb5\xd0\xba\xd1\x81.Market <a@x.test>",
     "x.test,*xn--d1acpjx3f.market", "", false},
};

static void
write_names(const struct imitation *f, struct buf *b)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct imitation_name *n = &f->at[i];
        buf_addf(b, "%s%s%.*s%s%.*s", i > 0 ? "," : "", n->shown ? "*" : "", STR_FMT(n->domain),
                 n->parent.len > 0 ? " " : "", STR_FMT(n->parent));
        assert_true(n->look == homograph_look(n->domain) && n->look != 0);
        assert_true((n->parent_look != 0) == (n->parent.len > 0));
    }
}

static void
from_fields(void **state)
{
    (void)state;
    assert_true(homograph_open());
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(1 << 20);
        AUTO_BUF names = BUF(4096);
        struct imitation found;
        struct str header = arena_printf(a, "Subject: x\r\nFrom: %s\r\n\r\n", rows[i].from);
        imitation_find(header, suffixes_built_in(), a, &found);
        write_names(&found, &names);
        if (!str_eq(buf_str(&names), str_of(rows[i].names)) ||
            !str_eq(found.mixed, str_of(rows[i].mixed)) || found.mixed_shown != rows[i].mixed_shown)
            fail_msg("%s: %.*s, mixed %.*s %d", rows[i].from, STR_FMT(buf_str(&names)),
                     STR_FMT(found.mixed), found.mixed_shown);
    }
}

static void
looks(void **state)
{
    (void)state;
    assert_true(homograph_look(STR("paypal.com")) == homograph_look(STR("paypa1.com")));
    assert_true(homograph_look(STR("microsoft.com")) == homograph_look(STR("rnicrosoft.com")));
    assert_true(homograph_look(STR("paypal.com")) == homograph_look(STR("xn--pypal-4ve.com")));
    assert_true(homograph_look(STR("google.com")) == homograph_look(STR("g00gle.com")));
    assert_true(homograph_look(STR("paypal.com")) == homograph_look(STR("PayPal.com.")));
    assert_true(homograph_look(STR("example.org")) != homograph_look(STR("example.net")));
    assert_true(homograph_look(STR("not a domain")) == 0);
}

/* However many there are, and however long. */
static void
bounds(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF b = BUF(1 << 18);
    struct imitation found;

    (void)state;
    buf_add_z(&b, "From: ");
    for (int i = 0; i < 50; i++)
        buf_addf(&b, "\"n%d.example w%d.example\" <a@d%d.example>, ", i, i, i);
    for (int i = 0; i < 20000; i++)
        buf_add_z(&b, "x.y ");
    buf_add_z(&b, "\r\n\r\n");
    imitation_find(buf_str(&b), NULL, a, &found);
    assert_int_equal(found.count, IMITATION_NAMES);
    for (int i = 0; i < LIMIT_DMARC_AUTHORS; i++)
        assert_true(!found.at[i].shown && found.at[i].parent.len == 0);
    assert_true(found.at[LIMIT_DMARC_AUTHORS].shown);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(from_fields), cmocka_unit_test(looks),
                                       cmocka_unit_test(bounds)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
