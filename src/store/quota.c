/* quota.c - room in an account, notices due, and since when it is full.
 *
 * Accounts that are far from full have no key Q, and one without a quota costs no look at it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/quota_internal.h"

static const struct key quota_key = {1, {KEY_QUOTA}};

static uint64_t part(uint64_t limit, uint64_t percent);
static bool reaches(const struct head_value *h, uint64_t percent);
static bool fits(uint64_t used, uint64_t more, uint64_t limit, bool grace);
static SUSPENDS enum status peek(struct work *w, struct quota_value *out);
static void put(struct work *w, const struct quota_value *q);
static bool is_raised(uint64_t before, uint64_t now);
static uint8_t fallen(const struct head_value *h, uint8_t told);

enum status
quota_has_room(const struct head_value *h, const struct quota_more *m)
{
    bool room = fits(h->bytes, m->bytes, h->quota_bytes, m->grace) &&
                fits(h->messages, m->messages, h->quota_messages, m->grace);

    return room ? OK : ERR_QUOTA;
}

enum quota_level
quota_level(const struct head_value *h)
{
    if (reaches(h, LIMIT_QUOTA_URGENT))
        return QUOTA_URGENT;
    return reaches(h, LIMIT_QUOTA_WARN) ? QUOTA_WARN : QUOTA_FINE;
}

enum status
quota_load(struct cell *account, struct arena *a, struct quota_value *out)
{
    struct str value;

    TRY(cell_get(account, key_str(&quota_key), a, &value));
    if (value.ptr != NULL)
        return quota_read(value, out);
    *out = (struct quota_value){0};
    return OK;
}

enum status
quota_due(struct work *w, uint8_t *level_out)
{
    enum quota_level level = quota_level(&w->head);
    struct quota_value q = {0};

    if (level != QUOTA_FINE)
        TRY(peek(w, &q));
    *level_out = level > q.told ? (uint8_t)level : QUOTA_FINE; /* a small enum */
    return OK;
}

enum status
quota_told(struct work *w, uint8_t level, bool *due_out)
{
    struct quota_value q;

    TRY(peek(w, &q));
    *due_out = q.told < level && quota_level(&w->head) >= level;
    if (!*due_out)
        return OK;
    q.told = level;
    put(w, &q);
    return OK;
}

enum status
quota_refused(struct work *w, struct instant *since_out)
{
    struct quota_value q;

    TRY(peek(w, &q));
    if (q.full_since_us == 0) {
        q.full_since_us = MAX(w->now.us, 1);
        put(w, &q);
    }
    since_out->us = q.full_since_us;
    return OK;
}

enum status
quota_follow(struct work *w)
{
    const struct head_value *h = &w->head;
    const struct work_use *b = &w->before;
    bool room = h->bytes < b->bytes || h->messages < b->messages ||
                is_raised(b->quota_bytes, h->quota_bytes) ||
                is_raised(b->quota_messages, h->quota_messages);
    struct quota_value old, q;

    if (!room)
        return OK;
    TRY(peek(w, &old));
    q = (struct quota_value){.told = fallen(h, old.told)};
    if (q.told != old.told || q.full_since_us != old.full_since_us)
        put(w, &q);
    return OK;
}

/* Without overflow. */
static uint64_t
part(uint64_t limit, uint64_t percent)
{
    return limit / 100 * percent + limit % 100 * percent / 100;
}

static bool
reaches(const struct head_value *h, uint64_t percent)
{
    return (h->quota_bytes != 0 && h->bytes >= part(h->quota_bytes, percent)) ||
           (h->quota_messages != 0 && h->messages >= part(h->quota_messages, percent));
}

static bool
fits(uint64_t used, uint64_t more, uint64_t limit, bool grace)
{
    uint64_t most = limit;

    if (limit == 0)
        return true;
    if (grace && __builtin_add_overflow(limit, part(limit, LIMIT_QUOTA_GRACE), &most))
        most = UINT64_MAX;
    return used <= most && more <= most - used;
}

static enum status
peek(struct work *w, struct quota_value *out)
{
    struct str value;

    TRY(work_peek(w, &quota_key, &value));
    if (value.ptr != NULL)
        return quota_read(value, out);
    *out = (struct quota_value){0};
    return OK;
}

static void
put(struct work *w, const struct quota_value *q)
{
    char bytes[QUOTA_BYTES];
    bool empty = q->told == QUOTA_FINE && q->full_since_us == 0;

    quota_write(q, bytes);
    work_put(w, &quota_key, empty ? STR_NONE : str_from(bytes, sizeof(bytes)));
}

static bool
is_raised(uint64_t before, uint64_t now)
{
    return before != 0 && (now == 0 || now > before);
}

/* A notice may come again once the use is well below what it told of. */
static uint8_t
fallen(const struct head_value *h, uint8_t told)
{
    if (told == QUOTA_URGENT && !reaches(h, LIMIT_QUOTA_URGENT - LIMIT_QUOTA_MARGIN))
        told = QUOTA_WARN;
    if (told == QUOTA_WARN && !reaches(h, LIMIT_QUOTA_WARN - LIMIT_QUOTA_MARGIN))
        told = QUOTA_FINE;
    return told;
}
