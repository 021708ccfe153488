/* learn.c - what owners say of spam by moving messages is learned beside the work: one message after another.
 *
 * The lesson stands in the account since the move (store/spam.h), so that a crash loses none; what is left over is
 * found when the account is looked after.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "base/mem.h"
#include "config/events.h"
#include "policy/tokens.h"
#include "role/store/judge.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "store/account.h"
#include "store/correspondents.h"
#include "store/message.h"
#include "store/spam.h"

enum { ARENA_BYTES = 1 << 20, AGAIN_MS = 1000 };

FIBER_ENTRY static void learner(void *arg);
static bool next_account(struct store *s, uint64_t *account_out);
SUSPENDS static enum status learn_all(struct store *s, uint64_t account);
SUSPENDS static enum status learn_lesson(struct store *s, struct cell *account,
                                         const struct spam_lesson *l);
SUSPENDS static enum status learn_message(struct store *s, struct cell *account,
                                          struct spam_said *said);
static void log_learned(const struct cell *account, const struct spam_said *said);

void
store_learn(struct store *s, uint64_t account)
{
    char key[8];

    be64_put(key, account);
    if (s->stopping)
        return;
    if (s->learning == NULL) {
        s->learning = map_new();
        if (fiber_go(learner, s) != OK) {
            map_free(&s->learning);
            return;
        }
        s->fibers++;
    }
    if (map_get(s->learning, str_from(key, sizeof(key))) == NULL)
        map_put(s->learning, str_from(key, sizeof(key)), s);
}

FIBER_ENTRY static void
learner(void *arg)
{
    struct store *s = arg;
    uint64_t account;

    while (!s->stopping && next_account(s, &account)) {
        enum status st = store_checked(s, learn_all(s, account), "what an owner said of spam");
        if (st == ERR_CANCELLED)
            break; /* any other: the lesson is there the next time */
    }
    map_free(&s->learning);
    s->fibers--;
}

static bool
next_account(struct store *s, uint64_t *account_out)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    if (!map_next(s->learning, &cursor, &key, &value))
        return false;
    *account_out = be64_get(key.ptr);
    map_del(s->learning, key);
    return true;
}

SUSPENDS static enum status
learn_all(struct store *s, uint64_t account)
{
    AUTO(cell_close) struct cell *cell = account_open(s->cells, account);

    while (!s->stopping) {
        AUTO_ARENA *a = arena_new(ARENA_BYTES);
        struct spam_lesson l;
        enum status st = spam_lesson_next(cell, a, &l);
        if (st == ERR_NOT_FOUND)
            return OK;
        TRY(st);
        TRY(learn_lesson(s, cell, &l));
        TRY(spam_lesson_done(cell, l.id, clock_now()));
    }
    return OK;
}

/* A message that is gone, or that no cook can read, teaches nothing. */
SUSPENDS static enum status
learn_lesson(struct store *s, struct cell *account, const struct spam_lesson *l)
{
    for (size_t i = 0; i < l->count; i++)
        for (uint64_t mid = l->mids[i].first; mid <= l->mids[i].last; mid++) {
            struct spam_said said = {.mid = mid, .kind = l->kind};
            enum status st = learn_message(s, account, &said);
            if (st == ERR_TEMP && fiber_sleep(AGAIN_MS) == OK)
                st = learn_message(s, account, &said);
            if (st != OK && st != ERR_NOT_FOUND && st != ERR_CORRUPT && st != ERR_TEMP)
                return st;
            if (st == OK)
                log_learned(account, &said);
        }
    return OK;
}

SUSPENDS static enum status
learn_message(struct store *s, struct cell *account, struct spam_said *said)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct cook_learn_reply rep;
    struct message_info m;
    struct str author;

    TRY(message_find(account, said->mid, &m));
    TRY(intake_learn(s->intake, m.blob, a, &rep));
    if (rep.author.len > 0 &&
        directory_canonical(s->directory, rep.author, a, &author, NULL) == OK) {
        said->author = correspondent_hash(author);
        said->proven = rep.proven;
    }
    const struct spam_tokens t = {rep.tokens, rep.tokens_count, TOKENS_VERSION};
    return spam_learn(account, said, &t, clock_now());
}

static void
log_learned(const struct cell *account, const struct spam_said *said)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_SPAM_LEARN))
        return;
    log_u64(&l, "aid", cell_id_of(account).id);
    log_u64(&l, "mid", said->mid);
    log_str(&l, "kind", said->kind == SPAM_WANTED ? STR("wanted") : STR("unwanted"));
    log_str(&l, "author", said->author != 0 ? STR("yes") : STR("no"));
}
