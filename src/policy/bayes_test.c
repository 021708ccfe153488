/* bayes_test.c - the score: which way words lean, what an account's own word is worth, and its explanation.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/bayes.h"

#include <math.h>

#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"

static const struct str advert =
    STR("From: \"Rich Offers\" <win77777@offers.example>\r\nSubject: MAKE MONEY FAST!!!     x81\r\n"
        "X-Priority: 1\r\nContent-Type: text/html\r\n\r\n"
        "<html><font color=#ff0000>Click here to order now! 100% free money back guarantee.</font> "
        "<a href=http://10.1.2.3/remove>click below to be removed from our mailing list</a>");
static const struct str letter =
    STR("From: Anna <anna@example.org>\r\nTo: bert@example.org\r\nSubject: Re: the patch\r\n"
        "Date: Thu, 22 Aug 2002 12:36:23 +0100\r\nMessage-ID: <1@example.org>\r\n"
        "In-Reply-To: <0@example.org>\r\nReferences: <0@example.org>\r\n\r\n"
        "On Thu, Bert wrote:\r\n> does it work with the new kernel?\r\n"
        "I think so, the bug is in the config file. I'll look at the code again.\r\n");

static void
find(struct str message, struct arena *a, struct tokens *out)
{
    struct mime_tree t;

    mime_parse(message, a, &t);
    tokens_find(message, &t, a, out);
}

static double
score(const struct tokens *t, const struct bayes_own *own, struct arena *a)
{
    uint64_t *hashes = ARENA_ARRAY(a, uint64_t, t->count + 1);

    for (uint32_t i = 0; i < t->count; i++)
        hashes[i] = t->at[i].hash;
    return bayes_score(hashes, t->count, own);
}

static void
prior(void **state)
{
    AUTO_ARENA *a = arena_new(4 * (MIME_ARENA_MAX + TOKENS_ARENA));
    struct tokens bad, good, none = {0};

    (void)state;
    assert_true(bayes_prior_ok(bayes_prior()));
    assert_true(bayes_prior().len <= 256u * 1024);
    find(advert, a, &bad);
    find(letter, a, &good);
    assert_true(score(&bad, NULL, a) > BAYES_JUNK);
    assert_true(score(&good, NULL, a) < -BAYES_JUNK);
    assert_true(fabs(score(&none, NULL, a)) < 1e-9);
}

/* One's own word: seen in unwanted mail it leans there, taken back it does not. */
static void
own(void **state)
{
    AUTO_ARENA *a = arena_new(2 * (MIME_ARENA_MAX + TOKENS_ARENA));
    struct tokens t;

    (void)state;
    find(letter, a, &t);
    struct bayes_count *counts = ARENA_ARRAY(a, struct bayes_count, t.count);
    struct bayes_own o = {0, 0, counts};
    double before = score(&t, NULL, a);
    assert_true(fabs(score(&t, &o, a) - before) < 1e-9);
    for (uint32_t i = 0; i < t.count; i++)
        counts[i].unwanted = 3;
    o.unwanted = 3;
    double hated = score(&t, &o, a);
    assert_true(hated > before + 1);
    for (uint32_t i = 0; i < t.count; i++)
        counts[i] = (struct bayes_count){.wanted = 3};
    o = (struct bayes_own){3, 0, counts};
    assert_true(score(&t, &o, a) < hated);
    for (uint32_t i = 0; i < t.count; i++)
        counts[i] = (struct bayes_count){UINT16_MAX, UINT16_MAX};
    o = (struct bayes_own){UINT32_MAX, UINT32_MAX, counts};
    assert_true(isfinite(score(&t, &o, a)));
    o = (struct bayes_own){0, 0, counts}; /* counts that do not fit each other */
    assert_true(isfinite(score(&t, &o, a)));
}

static void
explained(void **state)
{
    AUTO_ARENA *a = arena_new(2 * (MIME_ARENA_MAX + TOKENS_ARENA));
    struct bayes_word *all = ARENA_ARRAY(a, struct bayes_word, LIMIT_SPAM_TOKENS), few[3];
    struct tokens t;
    double sum = 0;

    (void)state;
    find(advert, a, &t);
    size_t n = bayes_explain(&t, NULL, all, LIMIT_SPAM_TOKENS);
    assert_true(n > 10 && n <= t.count);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || fabs(all[i].weight) <= fabs(all[i - 1].weight));
        sum += all[i].weight;
    }
    assert_true(fabs(sum - score(&t, NULL, a)) < 1e-6);
    assert_int_equal(bayes_explain(&t, NULL, few, 3), 3);
    for (size_t i = 0; i < 3; i++)
        assert_str(few[i].word, all[i].word);
}

static const struct {
    struct str file;
    bool ok;
} files[] = {
    {STR("\0\0\0\1\0\0\0\1\0\0\0\1"), true},
    {STR("\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\1\1"), true},
    {STR("\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\1\1\0\0\0\2\1\1"), true},
    {STR("\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\1\1\0\0\0\1\1\1"), false}, /* twice */
    {STR("\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\2\1\1\0\0\0\1\1\1"), false}, /* not in order */
    {STR("\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\1"), false},               /* cut off */
    {STR("\0\0\0\1\0\0\0\0\0\0\0\1"), false},                         /* of no wanted mail */
    {STR("\0\0\0\1\0\0\0\1\0\0\0\0"), false},                         /* of no unwanted mail */
    {STR("\0\0\0\2\0\0\0\1\0\0\0\1"), false},                         /* of other tokens */
    {STR("\0\0\0\1"), false},
    {STR_NONE, false},
};

static void
prior_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++)
        ROW(i, bayes_prior_ok(files[i].file) == files[i].ok);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prior),
        cmocka_unit_test(own),
        cmocka_unit_test(explained),
        cmocka_unit_test(prior_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
