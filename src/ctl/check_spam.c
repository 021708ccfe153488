/* check_spam.c - godwit check spam: the spam score of a message, and the words that make it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "api/view.h"
#include "ctl/check_mail.h"
#include "policy/bayes.h"

enum { WORDS = 20 };

static int
judge(struct check_mail *m, const json_t *question, json_t *answer)
{
    struct bayes_word words[WORDS];
    struct mime_tree tree;
    struct tokens t;
    struct str text;

    if (!check_read_file(m, question, &text, answer))
        return CHECK_USAGE;
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX + text.len + TOKENS_ARENA);
    mime_parse(text, a, &tree);
    tokens_find(text, &tree, a, &t);
    uint64_t *hashes = ARENA_ARRAY(a, uint64_t, t.count + 1);
    for (uint32_t i = 0; i < t.count; i++)
        hashes[i] = t.at[i].hash;
    double score = bayes_score(hashes, t.count, NULL);
    bool junk = score >= BAYES_JUNK;
    json_object_set_new(answer, "result", json_string(junk ? "junk" : "wanted"));
    json_object_set_new(answer, "score", json_real(score));
    json_object_set_new(answer, "threshold", json_real(BAYES_JUNK));
    json_object_set_new(answer, "tokens", json_integer(t.count));
    json_object_set_new(answer, "cut", json_boolean(t.cut));
    json_t *list = json_array();
    size_t n = bayes_explain(&t, NULL, words, WORDS);
    for (size_t i = 0; i < n; i++) {
        json_t *one = json_object();
        check_put(one, "word", words[i].word);
        json_object_set_new(one, "weight", json_real(words[i].weight));
        json_array_append_new(list, one);
    }
    json_object_set_new(answer, "words", list);
    return junk ? CHECK_BAD : CHECK_GOOD;
}

static double
number(const json_t *o, const char *name)
{
    return json_number_value(json_object_get(o, name));
}

static void
tell(const json_t *answer)
{
    const json_t *words = json_object_get(answer, "words");

    printf("%s: the score is %.2f, junk is from %.2f on\n",
           json_string_value(json_object_get(answer, "result")), number(answer, "score"),
           number(answer, "threshold"));
    for (size_t i = 0; i < json_array_size(words); i++) {
        AUTO_BUF clean = BUF(4096);
        const json_t *one = json_array_get(words, i);
        view_clean(&clean, check_text(one, "word"), false);
        printf("%+7.2f  %.*s\n", number(one, "weight"), STR_FMT(buf_str(&clean)));
    }
}

const struct check_verb check_spam_verb = {
    .name = "spam",
    .usage = "FILE [--json]",
    .about = "The spam score of the message in a file, and the words that weigh most in it",
    .takes_file = true,
    .answer = judge,
    .tell = tell,
};
