/* facts_test.c - tables of messages and what is to be known of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/limits.h"
#include "base/size.h"
#include "cook/facts.h"
#include "mail/record.h"
#include "mail/sort_entry.h"

static const struct {
    const char *message;
    const char *from_domain;
    uint32_t received;
    uint64_t header; /* bytes */
    bool eight_bit, has_id;
    size_t references;
} rows[] = {
    {"", "", 0, 0, false, false, 0},
    {"\r\n", "", 0, 2, false, false, 0},
    {"From: a@B.Example\r\n\r\nbody", "b.example", 0, 21, false, false, 0},
    {"From: \"A, B\" <a@b.example>\r\n\r\n", "b.example", 0, 30, false, false, 0},
    {"From: a@b\xc3\xa4.example\r\n\r\n", "xn--b-0fa.example", 0, 23, true, false, 0},
    /* no one domain that says who wrote it */
    {"From: a@b.example, c@b.example\r\n\r\n", "", 0, 34, false, false, 0},
    {"From: a@b.example\r\nFrom: a@b.example\r\n\r\n", "", 0, 40, false, false, 0},
    {"From: a@b.example\r\nfrom : c@d.example\r\n\r\n", "", 0, 41, false, false, 0},
    {"From: a\r\n\r\n", "", 0, 11, false, false, 0},
    {"From: a@-.example\r\n\r\n", "", 0, 21, false, false, 0},
    {"From:\r\n\r\n", "", 0, 9, false, false, 0},
    {"To: a@b.example\r\n\r\nFrom: c@d.example\r\n", "", 0, 19, false, false, 0},
    /* trace and threads */
    {"Received: a\r\nreceived: b\r\nX: y\r\nReceived: c\r\n\r\nReceived: d\r\n", "", 3, 47, false,
     false, 0},
    {"Message-ID: <a@b>\r\nReferences: <c@d> <e@f>\r\nIn-Reply-To: <g@h>\r\n\r\n", "", 0, 66, false,
     true, 2},
    {"In-Reply-To: <g@h>\r\n\r\n", "", 0, 22, false, false, 1},
    /* bytes */
    {"A: b\r\n\r\n\xff", "", 0, 8, true, false, 0},
    {"A: b\r\n\r\n\x7f", "", 0, 8, false, false, 0},
    {"A: b\n\nc\n", "", 0, 6, false, false, 0},
    {"A: b", "", 0, 4, false, false, 0},
};

static void
test_facts(void **state)
{
    struct instant now = {1700000000000000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(FACTS_ARENA_MAX);
        struct cook_facts f;
        struct sort_entry sort;
        struct record r;

        facts_find(str_of(rows[i].message), false, now, a, &f);
        ROW(i, str_eq(f.from_domain, str_of(rows[i].from_domain)));
        ROW(i, f.received_count == rows[i].received);
        ROW(i, f.header_bytes == rows[i].header);
        ROW(i, f.eight_bit == rows[i].eight_bit);
        ROW(i, (f.message_id_hash != 0) == rows[i].has_id);
        ROW(i, f.reference_hashes_count == rows[i].references);
        ROW(i, record_open(f.record, &r) == OK);
        ROW(i, sort_entry_read(f.sort, &sort) == OK && sort.sent_s == now.us / 1000000);
        ROW(i, f.dkim.headers.len == 0 && f.dkim.body_hash.len == 0); /* was not asked for */
    }
}

static const struct {
    const char *header, *id;
} ids[] = {
    {"Message-ID: <a@b>\r\n", "a@b"},  {"Message-ID: a@b\r\n", "a@b"}, {"Message-ID:\r\n", ""},
    {"Message-ID: <a\xff@b>\r\n", ""}, {"Subject: x\r\n", ""},
};

static void
test_message_id(void **state)
{
    AUTO_ARENA *a = arena_new(FACTS_ARENA_MAX);
    AUTO_BUF message = BUF(4096);
    struct cook_facts f;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        buf_reset(&message);
        buf_addf(&message, "%s\r\nMessage-ID: <body@x>\r\n", ids[i].header);
        facts_find(buf_str(&message), false, (struct instant){0}, a, &f);
        ROW(i, str_eq(f.message_id, str_of(ids[i].id)));
    }
    for (size_t length = 255; length <= 256; length++) {
        buf_reset(&message);
        buf_add_z(&message, "Message-ID: <");
        for (size_t i = 0; i < length; i++)
            buf_add_char(&message, 'a');
        buf_add_z(&message, ">\r\n\r\n");
        facts_find(buf_str(&message), false, (struct instant){0}, a, &f);
        ROW(length, f.message_id.len == (length == 255 ? 255 : 0));
    }
}

/* RFC 6376 section 3.4.4 and appendix A.2: SHA-256 of the relaxed body. */
static const struct {
    const char *body;
    const char *hash; /* hexadecimal */
} bodies[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"\r\n\r\n", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    /* "Hi." CRLF CRLF "We lost the game. Are you hungry yet?" CRLF CRLF "Joe." CRLF; bh of the appendix:
     * 2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8= */
    {"Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n",
     "da3512387f4d86d54609058dafd06b2003eb78a4233ba4a7ed72247c954eceff"},
    {"Hi.\r\n\r\nWe lost \t the game. Are you hungry yet? \r\n\r\nJoe.\r\n\r\n\r\n",
     "da3512387f4d86d54609058dafd06b2003eb78a4233ba4a7ed72247c954eceff"},
};

static void
test_dkim(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        AUTO_ARENA *a = arena_new(FACTS_ARENA_MAX);
        AUTO_BUF message = BUF(4096);
        AUTO_BUF hex = BUF(128);
        struct cook_facts f;

        buf_add_z(&message, "From: a@b.example\r\nSubject:  x\r\nX: y\r\n\r\n");
        buf_add_z(&message, bodies[i].body);
        facts_find(buf_str(&message), true, (struct instant){0}, a, &f);
        for (size_t k = 0; k < f.dkim.body_hash.len; k++)
            buf_addf(&hex, "%02x", (unsigned)(unsigned char)f.dkim.body_hash.ptr[k]);
        ROW(i, str_eq(buf_str(&hex), str_of(bodies[i].hash)));
        ROW(i, str_find_str(f.dkim.headers, STR("subject:x\r\n")) >= 0);
        ROW(i, str_find_nocase(f.dkim.header_names, STR("from")) >= 0);
        ROW(i, str_find_str(f.dkim.headers, STR("x:y")) < 0);
    }
}

/* What cook.ipc carries is bounded, whatever the message has. */
static void
test_bounds(void **state)
{
    AUTO_ARENA *a = arena_new(FACTS_ARENA_MAX);
    AUTO_BUF message = BUF(4u << 20);
    struct cook_facts f;

    (void)state;
    buf_add_z(&message, "References:");
    for (unsigned i = 0; i < 1000; i++)
        buf_addf(&message, " <%u@a.example>\r\n", i);
    buf_add_z(&message, "Subject: ");
    for (unsigned i = 0; i < 70000; i++)
        buf_add_char(&message, 's');
    buf_add_z(&message, "\r\nFrom: a@b.example\r\n\r\n");
    facts_find(buf_str(&message), true, (struct instant){0}, a, &f);
    assert_int_equal(f.reference_hashes_count, LIMIT_RECORD_REFERENCES);
    assert_int_equal(f.dkim.headers.len, 0); /* too large to be signed */
    assert_int_equal(f.dkim.body_hash.len, 0);
    assert_str(f.from_domain, STR("b.example"));
    buf_reset(&message);
    for (unsigned i = 0; i < 2 * LIMIT_HEADER_FIELDS; i++)
        buf_add_z(&message, "Received: x\r\n");
    facts_find(buf_str(&message), true, (struct instant){0}, a, &f);
    assert_true(f.received_count >= LIMIT_RECEIVED_FIELDS);
    assert_true(f.received_count <= 2 * LIMIT_HEADER_FIELDS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_message_id),
        cmocka_unit_test(test_dkim),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
