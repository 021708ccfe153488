/* spam_test.c - what an account learns: lessons of moves and keywords, counts that go up, down and away.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/spam.h"
#include "store/testkit_internal.h"

#define UIDS(first, last) ((struct uid_set){&(const struct uid_range){(first), (last)}, 1})

enum { TOKENS = 1 };

static SUSPENDS uint32_t
box_of(struct kit *k, struct cell *account, enum mailbox_special special)
{
    struct head_value h;

    ASSERT(head_load(account, k->a, &h) == OK && h.special[special] != 0);
    return h.special[special];
}

static SUSPENDS bool
move(struct kit *k, struct cell *account, struct copy_request r)
{
    struct copy_reply reply;

    r.move = true;
    ASSERT(message_copy(account, &r, k->now, k->a, &reply) == OK);
    return reply.lesson;
}

static SUSPENDS bool
give(struct kit *k, struct cell *account, uint32_t uid, enum flag_op op, struct str keyword)
{
    struct flags_request r = {.mailbox = MAILBOX_INBOX,
                              .uids = UIDS(uid, uid),
                              .op = op,
                              .keywords = &keyword,
                              .keyword_count = 1,
                              .unchanged_since = UNCHANGED_ANY};
    struct flags_reply reply;
    AUTO_BUF b = BUF(1u << 20);

    ASSERT(message_flags(account, &r, k->a, &b, &reply) == OK);
    return reply.lesson;
}

/* Takes the next lesson: what it says, of which message; 0 = there is none. */
static SUSPENDS uint64_t
take(struct kit *k, struct cell *account, enum spam_kind kind)
{
    struct spam_lesson l;

    enum status s = spam_lesson_next(account, k->a, &l);
    if (s == ERR_NOT_FOUND)
        return 0;
    ASSERT(s == OK && l.kind == kind && l.count == 1);
    ASSERT(spam_lesson_done(account, l.id, k->now) == OK);
    ASSERT(spam_lesson_done(account, l.id, k->now) == OK);
    return l.mids[0].first;
}

static SUSPENDS void
test_lessons(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    uint32_t junk, trash, other;
    struct account_info before, after;

    ASSERT(mailbox_create(account, STR("Other"), SPECIAL_NONE, &other) == OK);
    junk = box_of(k, account, SPECIAL_JUNK);
    trash = box_of(k, account, SPECIAL_TRASH);
    for (int i = 0; i < 4; i++)
        kit_add(k, account, MAILBOX_INBOX, 100);
    ASSERT(!move(k, account, (struct copy_request){MAILBOX_INBOX, other, UIDS(1, 1)}));
    ASSERT(take(k, account, SPAM_UNWANTED) == 0);
    ASSERT(move(k, account, (struct copy_request){MAILBOX_INBOX, junk, UIDS(2, 2)}));
    ASSERT(take(k, account, SPAM_UNWANTED) == 2);
    ASSERT(take(k, account, SPAM_UNWANTED) == 0);
    ASSERT(move(k, account, (struct copy_request){junk, other, UIDS(1, 1)}));
    ASSERT(take(k, account, SPAM_WANTED) == 2);
    ASSERT(move(k, account, (struct copy_request){other, junk, UIDS(1, 1)}));
    ASSERT(take(k, account, SPAM_UNWANTED) == 1);
    ASSERT(!move(k, account, (struct copy_request){junk, trash, UIDS(2, 2)}));
    ASSERT(!move(k, account, (struct copy_request){junk, other, UIDS(77, 77)}));

    ASSERT(give(k, account, 3, FLAGS_ADD, STR("$junk")));
    ASSERT(take(k, account, SPAM_UNWANTED) == 3);
    ASSERT(!give(k, account, 3, FLAGS_ADD, STR("$Junk"))); /* it has it already */
    ASSERT(!give(k, account, 3, FLAGS_REMOVE, STR("$Junk")));
    ASSERT(!give(k, account, 3, FLAGS_ADD, STR("$Forwarded")));
    ASSERT(give(k, account, 4, FLAGS_SET, STR("NonJunk")));
    ASSERT(take(k, account, SPAM_WANTED) == 4);

    /* More than may wait: the rest is lost, the moves are not. */
    ASSERT(account_info(account, &before) == OK);
    for (uint32_t i = 0; i < LIMIT_SPAM_LESSONS + 2; i++)
        ASSERT(give(k, account, 3, FLAGS_SET, i % 2 == 0 ? STR("$NotJunk") : STR("$Junk")) ==
               (i < LIMIT_SPAM_LESSONS));
    ASSERT(account_info(account, &after) == OK && after.modseq > before.modseq);
    kit_check(k, account);
    cell_close(&account);
}

static SUSPENDS struct spam_known
look(struct kit *k, struct cell *account, const struct spam_tokens *t)
{
    struct spam_known known;

    ASSERT(spam_look_up(account, t, k->a, &known) == OK);
    return known;
}

static SUSPENDS void
say(struct kit *k, struct cell *account, struct spam_said said, const struct spam_tokens *t)
{
    ASSERT(spam_learn(account, &said, t, k->now) == OK);
}

static SUSPENDS void
test_counts(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    const uint64_t hashes[] = {7, UINT64_MAX, UINT64_C(1) << 47, 7 | UINT64_C(1) << 60, 9};
    const struct spam_tokens all = {hashes, 5, TOKENS}, some = {hashes, 2, TOKENS};
    struct account_info before, after;

    ASSERT(look(k, account, &all).counts == NULL);
    ASSERT(account_info(account, &before) == OK);
    say(k, account, (struct spam_said){.mid = 1, .kind = SPAM_UNWANTED}, &some);
    say(k, account, (struct spam_said){.mid = 1, .kind = SPAM_UNWANTED}, &some); /* counts once */
    say(k, account, (struct spam_said){.mid = 2, .kind = SPAM_UNWANTED}, &some);
    say(k, account, (struct spam_said){.mid = 3, .kind = SPAM_WANTED}, &all);
    struct spam_known n = look(k, account, &all);
    ASSERT(n.wanted == 1 && n.unwanted == 2);
    ASSERT(n.counts[0].unwanted == 2 && n.counts[0].wanted == 1);
    ASSERT(n.counts[1].unwanted == 2 && n.counts[1].wanted == 1);
    ASSERT(n.counts[2].unwanted == 0 && n.counts[2].wanted == 1);
    ASSERT(n.counts[3].wanted == 1); /* 48 bits are the same: once of each message */
    say(k, account, (struct spam_said){.mid = 2, .kind = SPAM_WANTED}, &some); /* another mind */
    n = look(k, account, &all);
    ASSERT(n.wanted == 2 && n.unwanted == 1);
    ASSERT(n.counts[1].unwanted == 1 && n.counts[1].wanted == 2);
    say(k, account, (struct spam_said){.mid = 1, .kind = SPAM_UNKNOWN}, &some);
    say(k, account, (struct spam_said){.mid = 2, .kind = SPAM_UNKNOWN}, &some);
    say(k, account, (struct spam_said){.mid = 3, .kind = SPAM_UNKNOWN}, &all);
    n = look(k, account, &all);
    ASSERT(n.counts == NULL && n.wanted == 0 && n.unwanted == 0);
    say(k, account, (struct spam_said){.mid = 3, .kind = SPAM_WANTED}, &all);
    cell_close(&account);

    kit_reopen(k);
    account = account_open(k->cs, 1);
    ASSERT(look(k, account, &all).wanted == 1);
    const struct spam_tokens other = {hashes, 5, TOKENS + 1};
    ASSERT(look(k, account, &other).counts == NULL);
    say(k, account, (struct spam_said){.mid = 3, .kind = SPAM_WANTED}, &other); /* begins anew */
    ASSERT(look(k, account, &other).wanted == 1 && look(k, account, &all).counts == NULL);
    ASSERT(account_info(account, &after) == OK && after.modseq == before.modseq);
    const struct spam_said said = {.mid = 1, .kind = SPAM_WANTED};
    AUTO(cell_close) struct cell *none = account_open(k->cs, 99);
    ASSERT(spam_learn(none, &said, &all, k->now) == ERR_NOT_FOUND);
    cell_close(&account);
}

static SUSPENDS enum spam_kind
author(struct cell *account, uint64_t hash)
{
    enum spam_kind kind;

    ASSERT(spam_of_author(account, hash, &kind) == OK);
    return kind;
}

/* The last word about him counts; what could be forged makes nobody unwanted. */
static SUSPENDS void
test_authors(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    const uint64_t hashes[] = {7}, anna = 77, bert = 1;
    const struct spam_tokens t = {hashes, 1, TOKENS};

    ASSERT(author(account, anna) == SPAM_UNKNOWN);
    say(k, account, (struct spam_said){1, SPAM_UNWANTED, anna, false}, &t);
    ASSERT(author(account, anna) == SPAM_UNKNOWN);
    say(k, account, (struct spam_said){1, SPAM_UNWANTED, anna, true}, &t);
    ASSERT(author(account, anna) == SPAM_UNWANTED && author(account, bert) == SPAM_UNKNOWN);
    say(k, account, (struct spam_said){2, SPAM_WANTED, anna, false}, &t);
    ASSERT(author(account, anna) == SPAM_WANTED);
    say(k, account, (struct spam_said){1, SPAM_UNWANTED, anna, true}, &t);
    ASSERT(author(account, anna) == SPAM_UNWANTED);
    say(k, account, (struct spam_said){1, SPAM_UNKNOWN, anna, true}, &t);
    say(k, account, (struct spam_said){3, SPAM_WANTED, 0, true}, &t);
    ASSERT(author(account, anna) == SPAM_UNWANTED && author(account, 0) == SPAM_UNKNOWN);
    say(k, account, (struct spam_said){4, SPAM_WANTED, bert, true}, &t);
    cell_close(&account);
    kit_reopen(k);
    account = account_open(k->cs, 1);
    ASSERT(author(account, anna) == SPAM_UNWANTED && author(account, bert) == SPAM_WANTED);
    cell_close(&account);
}

/* What is in a message of that number: many tokens that no other has, and one that all have. */
static SUSPENDS void
say_many(struct kit *k, struct cell *account, uint64_t mid)
{
    uint64_t *hashes = ARENA_ARRAY(k->a, uint64_t, LIMIT_SPAM_TOKENS);

    hashes[0] = 5;
    for (uint64_t i = 1; i < LIMIT_SPAM_TOKENS; i++)
        hashes[i] = (mid * LIMIT_SPAM_TOKENS + i) * UINT64_C(0x9e3779b97f4a7c15);
    say(k, account, (struct spam_said){.mid = mid, .kind = SPAM_UNWANTED},
        &(struct spam_tokens){hashes, LIMIT_SPAM_TOKENS, TOKENS});
}

static SUSPENDS void
test_bounds(struct kit *k)
{
    struct cell *account = kit_account(k, 1);
    const struct cell_entry *e;
    size_t n, all = 0, count;
    struct tx *tx;

    for (uint64_t mid = 1; mid <= 12; mid++)
        say_many(k, account, mid);
    const uint64_t common = 5;
    struct spam_known known = look(k, account, &(struct spam_tokens){&common, 1, TOKENS});
    ASSERT(known.unwanted == 12 && known.counts[0].unwanted == 12);
    ASSERT(tx_begin(account, &tx) == OK);
    ASSERT(tx_range(tx, (struct tx_span){STR("X\0"), STR("Y"), 100}, &e, &n) == OK);
    for (size_t i = 0; i < n; i++) {
        ASSERT(spam_page_check(e[i].value, &count) == OK);
        all += count;
    }
    tx_abort(&tx);
    ASSERT(all > LIMIT_SPAM_MODEL_TOKENS / 2 && all <= LIMIT_SPAM_MODEL_TOKENS);
    cell_close(&account);
}

static SUSPENDS void
test_values(struct kit *k)
{
    static const char good[] = "\1\0\0\0\0\0\1\0\1\0\0\0\0\0\0\0\0\0\2\0\1\0\0\0\0";
    static const char twice[] = "\1\0\0\0\0\0\1\0\1\0\0\0\0\0\0\0\0\0\1\0\1\0\0\0\0";
    struct spam_totals t;
    AUTO_BUF b = BUF(64);
    size_t n;

    (void)k;
    ASSERT(spam_page_check(STR_NONE, &n) == OK && n == 0);
    ASSERT(spam_page_check(str_from(good, 25), &n) == OK && n == 2);
    ASSERT(spam_page_check(str_from(good, 24), &n) == ERR_CORRUPT);
    ASSERT(spam_page_check(str_from(good + 1, 13), &n) == ERR_CORRUPT);
    ASSERT(spam_page_check(str_from(twice, 25), &n) == ERR_CORRUPT);
    ASSERT(spam_page_check(STR(""), &n) == ERR_CORRUPT);
    spam_totals_write(&(struct spam_totals){1, 2, UINT32_MAX}, &b);
    ASSERT(spam_totals_read(buf_str(&b), &t) == OK && t.unwanted == UINT32_MAX);
    for (size_t i = 0; i < b.len; i++)
        ASSERT(spam_totals_read(str_sub(buf_str(&b), 0, i), &t) == ERR_CORRUPT);
    buf_add_char(&b, '\1');
    ASSERT(spam_totals_read(buf_str(&b), &t) == ERR_CORRUPT);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"lessons", test_lessons, KIT_ALL}, {"counts", test_counts, KIT_ALL},
        {"authors", test_authors, KIT_ALL}, {"bounds", test_bounds, KIT_ALL},
        {"values", test_values, KIT_MEM},
    };

    (void)argc;
    return kit_main("spam", rows, COUNT_OF(rows), argv);
}
