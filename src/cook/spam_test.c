/* spam_test.c - the spam score of messages, and the field that says it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cook/spam.h"

#include "base/encode.h"
#include "base/size.h"
#include "base/testing.h"
#include "cook/verdict.h"
#include "mail/header.h"
#include "policy/bayes.h"

static const struct str advert =
    STR("From: \"Rich Offers\" <win77777@offers.example>\r\nSubject: MAKE MONEY FAST!!!     x81\r\n"
        "X-Priority: 1\r\nContent-Type: text/html\r\n\r\n"
        "<html><font color=#ff0000>Click here to order now! 100% free money back guarantee.</font> "
        "<a href=http://10.1.2.3/remove>click below to be removed from our mailing list</a>");
static const struct str letter =
    STR("From: Anna <anna@example.org>\r\nTo: bert@example.org\r\nSubject: Re: the patch\r\n"
        "In-Reply-To: <0@example.org>\r\n\r\n> does it work with the kernel?\r\n"
        "I think so, the bug is in the config file. I'll look at the code again.\r\n");

static struct cook_judge_reply
judge(struct str message, struct arena *a)
{
    struct cook_judge_reply rep = {.field = STR("")};

    spam_judge(message, a, &rep);
    struct header_cursor c = header_cursor_of(rep.field);
    struct header_field f = {0};
    assert_true(str_is_ascii(rep.field) && rep.field.len <= SPAM_FIELD_MAX);
    assert_true(str_ends(rep.field, STR("\r\n")) && header_next(&c, &f));
    assert_true(str_eq(f.name, STR(SPAM_FIELD)));
    assert_true(f.whole.len == rep.field.len && !header_next(&c, &f));
    assert_true(rep.spam.scored);
    return rep;
}

static void
test_fields(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);

    (void)state;
    struct cook_judge_reply rep = judge(advert, a);
    assert_true((double)rep.spam.score >= BAYES_JUNK * 100);
    assert_true(str_starts(rep.field, STR("X-Godwit-Spam: score=")));
    assert_true(str_find_str(rep.field, STR("; threshold=5.00; author=doubted;\r\n\t\"")) > 0);
    assert_true(str_find_str(rep.field, STR("\" +")) > 0);
    assert_true(str_starts(rep.spam.words, STR("\"")) && rep.spam.words.len <= 512);
    assert_true(str_eq(rep.spam.author, STR("win77777@offers.example")));
    rep = judge(letter, a);
    assert_true(rep.spam.score < 0 && str_starts(rep.field, STR("X-Godwit-Spam: score=-")));
    rep = judge(STR(""), a);
    assert_true((double)rep.spam.score < BAYES_JUNK * 100 && rep.spam.author.len == 0);
    rep.field = STR("Authentication-Results: x\r\n");
    spam_judge(letter, a, &rep);
    assert_true(str_starts(rep.field, STR("Authentication-Results: x\r\nX-Godwit-Spam: ")));
}

static void
test_authors(void **state)
{
    static const struct {
        struct str header, author;
    } rows[] = {
        {STR("From: a@b.example\r\n"), STR("a@b.example")},
        {STR("From: team: a@b.example;\r\n"), STR("a@b.example")},
        {STR("From: a@b.example, c@b.example\r\n"), STR("")},
        {STR("From: a@b.example\r\nFrom: a@b.example\r\n"), STR("")},
        {STR("From: nobody\r\n"), STR("")},
        {STR("From: undisclosed:;\r\n"), STR("")},
        {STR("Sender: a@b.example\r\n"), STR("")},
    };
    AUTO_ARENA *a = arena_new(1 << 20);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_true(str_eq(judge(rows[i].header, a).spam.author, rows[i].author));
}

/* The same tokens, whatever stands in front by now; whose it is the field says, and no word of it. */
static void
test_reading(void **state)
{
    static const char *const kinds[] = {"doubted", "unchecked", "proven"};
    AUTO_ARENA *a = arena_new(4 << 20);
    struct cook_learn_reply read = {0};

    (void)state;
    for (size_t i = 0; i <= STANDING_PROVEN; i++) {
        struct cook_judge_reply rep = {.field = STR("Authentication-Results: x; none\r\n"),
                                       .verdict.standing = (uint8_t)i}; /* a small enum */
        spam_judge(advert, a, &rep);
        assert_true(str_find_str(rep.field, str_of(kinds[i])) > 0);
        spam_read(arena_printf(a, "%.*s%.*s", STR_FMT(rep.field), STR_FMT(advert)), a, &read);
        assert_true(read.proven == (i == STANDING_PROVEN));
        assert_true(str_eq(read.author, rep.spam.author));
        assert_true(read.tokens_count == rep.spam.tokens_count && read.tokens_count > 20);
        for (size_t t = 0; t < read.tokens_count; t++)
            assert_true(read.tokens[t] == rep.spam.tokens[t]);
    }
    spam_read(STR("X-Godwit-Spam: score=1; \"; author=proven;\" +1\r\nFrom: a@b.example\r\n"), a,
              &read);
    assert_true(!read.proven);
    spam_read(advert, a, &read);
    assert_true(!read.proven);
}

/* Words of a stranger stay inside their quotes. */
static void
test_quoting(void **state)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF b = BUF(65536);

    (void)state;
    buf_add(&b, STR("X-Mailer: \"\\\" +9.99, \"\r\nSubject: \xff\xfe\r\n"));
    buf_add(&b,
            STR("Content-Type: text/\"x\\; charset=\"a\\\"b\"\r\n\r\n\xd0\x9f\xd1\x80\xd0\xb8"));
    struct str field = judge(buf_str(&b), a).field;
    for (size_t i = 0; i < field.len; i++)
        assert_true((field.ptr[i] >= ' ' && field.ptr[i] < 0x7f) || field.ptr[i] == '\r' ||
                    field.ptr[i] == '\n' || field.ptr[i] == '\t');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_authors),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_quoting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
