/* spam.c - see spam.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "cook/spam.h"

#include <math.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/scan.h"
#include "base/size.h"
#include "cook/verdict.h"
#include "mail/address_list.h"
#include "mail/header.h"
#include "policy/bayes.h"

enum {
    WORDS = 12,
    FEW = 5,
    LINE = 76,
    WORD_BYTES = 640, /* of one as it is written: 64 bytes, "\u{...}" makes at most 3.5 of each */
    FEW_BYTES = 480,  /* of those for the log */
};
static_assert(COOK_JUDGE_REPLY_FIELD_MAX >= 16384 + SPAM_FIELD_MAX, "both fields fit");
static_assert(LIMIT_SPAM_TOKENS == COOK_SPAM_TOKENS_MAX, "room for every token");
static_assert((int)FEW_BYTES < (int)COOK_SPAM_WORDS_MAX, "a call takes them");

static const char *const standings[] = {[STANDING_DOUBTED] = "doubted",
                                        [STANDING_UNCHECKED] = "unchecked",
                                        [STANDING_PROVEN] = "proven"};

/* "word" +1.23 */
static void
write_word(const struct bayes_word *w, struct buf *b)
{
    struct scan s = scan_of(w->word);
    uint32_t c;

    buf_add_char(b, '"');
    while (scan_utf8(&s, &c)) {
        if (c > 0x7e)
            buf_addf(b, "\\u{%x}", c);
        else if (c == '"' || c == '\\')
            buf_addf(b, "\\%c", (char)c);
        else
            buf_add_char(b, (char)c);
    }
    buf_addf(b, "\" %+.2f", w->weight);
}

/* A word is never broken, so that each can be found again. */
static void
write_words(const struct bayes_word *words, size_t n, struct buf *b)
{
    size_t line = LINE;

    for (size_t i = 0; i < n; i++) {
        AUTO_BUF one = BUF(WORD_BYTES);
        write_word(&words[i], &one);
        if (i > 0)
            buf_add_char(b, ',');
        bool fits = line + one.len + 3 <= LINE;
        buf_add_z(b, fits ? " " : "\r\n\t");
        line = one.len + (fits ? line + 2 : 1);
        buf_add(b, buf_str(&one));
    }
}

/* As many of the heaviest as fit into a line of the log. */
static struct str
few_words(const struct bayes_word *words, size_t n, struct arena *a)
{
    AUTO_BUF b = BUF(FEW_BYTES);

    for (size_t i = 0; i < n; i++) {
        AUTO_BUF one = BUF(WORD_BYTES);
        write_word(&words[i], &one);
        if (b.len + one.len + 2 > FEW_BYTES)
            break;
        buf_add_z(&b, i > 0 ? ", " : "");
        buf_add(&b, buf_str(&one));
    }
    return b.len == 0 ? STR("") : arena_str(a, buf_str(&b));
}

/* Whoever writes several is nobody in particular. */
static struct str
author_of(struct str header, struct arena *a)
{
    AUTO_ADDRESS_CURSOR c = {0};
    struct header_cursor h = header_cursor_of(header);
    struct header_field f, more;
    struct address at, first = {.kind = ADDRESS_MAILBOX};
    size_t n = 0;

    if (!header_next_named(&h, STR("From"), &f) || header_next_named(&h, STR("From"), &more))
        return STR("");
    address_cursor_init(&c, f.value);
    while (address_next(&c, &at)) {
        if (at.kind != ADDRESS_MAILBOX)
            continue;
        if (n++ > 0)
            return STR("");
        first = (struct address){.kind = ADDRESS_MAILBOX,
                                 .mailbox = arena_str(a, at.mailbox),
                                 .host = arena_str(a, at.host)};
    }
    if (n == 0 || first.mailbox.len == 0 || first.host.len == 0 ||
        first.mailbox.len + first.host.len + 1 > COOK_SPAM_AUTHOR_MAX)
        return STR("");
    return arena_printf(a, "%.*s@%.*s", STR_FMT(first.mailbox), STR_FMT(first.host));
}

/* Their words live in own, their hashes in a. */
static const uint64_t *
find_tokens(struct str message, struct arena *own, struct arena *a, struct tokens *t)
{
    struct mime_tree tree;

    mime_parse(message, own, &tree);
    tokens_find(message, &tree, own, t);
    uint64_t *hashes = ARENA_ARRAY(a, uint64_t, t->count + 1);
    for (uint32_t i = 0; i < t->count; i++)
        hashes[i] = t->at[i].hash;
    return hashes;
}

void
spam_judge(struct str message, struct arena *a, struct cook_judge_reply *rep)
{
    AUTO_ARENA *own = arena_new(MIME_ARENA_MAX + message.len + TOKENS_ARENA);
    AUTO_BUF b = BUF(COOK_JUDGE_REPLY_FIELD_MAX);
    struct bayes_word words[WORDS];
    struct tokens t;

    const uint64_t *hashes = find_tokens(message, own, a, &t);
    double score = bayes_score(hashes, t.count, NULL);
    size_t n = bayes_explain(&t, NULL, words, WORDS);
    buf_add(&b, rep->field);
    buf_addf(&b, SPAM_FIELD ": score=%.2f; threshold=%.2f; author=%s;", score, BAYES_JUNK,
             standings[rep->verdict.standing]); /* enum<2> */
    write_words(words, n, &b);
    buf_add_z(&b, "\r\n");
    ASSERT(buf_status(&b) == OK); /* 12 words of at most 240 bytes */
    rep->field = arena_str(a, buf_str(&b));
    rep->spam = (struct cook_spam){
        .scored = true,
        .score = llround(score * 100), /* thousands at most */
        .author = author_of(str_sub(message, 0, header_block_len(message)), a),
        .tokens = hashes,
        .tokens_count = t.count,
        .words = few_words(words, MIN(n, (size_t)FEW), a),
    };
}

/* Of the field that the judge put in front; words of the message stand behind the first quote only. */
static bool
was_proven(struct str header)
{
    struct header_cursor h = header_cursor_of(header);
    struct header_field f;
    struct str said;

    if (!header_next_named(&h, STR(SPAM_FIELD), &f))
        return false;
    str_split(&f.value, '"', &said);
    return str_find_str(said, STR("; author=proven;")) >= 0;
}

void
spam_read(struct str message, struct arena *a, struct cook_learn_reply *rep)
{
    AUTO_ARENA *own = arena_new(MIME_ARENA_MAX + message.len + TOKENS_ARENA);
    struct str header = str_sub(message, 0, header_block_len(message));
    struct tokens t;

    rep->tokens = find_tokens(message, own, a, &t);
    rep->tokens_count = t.count;
    rep->author = author_of(header, a);
    rep->proven = was_proven(header);
}
