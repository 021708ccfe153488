/* spam.c - what was learned: tokens counted and looked up, authors.  See spam.h.
 *
 * A token is known by 48 bits of its hash, whose upper 6 say in which of 64 pages it stands.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/spam.h"

#include <stdlib.h>

#include "store/hash_page.h"

enum {
    PAGES = 64,
    PAGE_SHIFT = 42,
    PAGE_TOKENS = LIMIT_SPAM_MODEL_TOKENS / PAGES,
    MARKS_MAX = 1000
};
enum { PAGE_KEPT = PAGE_TOKENS - PAGE_TOKENS / 8, DAY_S = 86400 };
#define PAGE_BYTES (1u + (PAGE_TOKENS + LIMIT_SPAM_TOKENS) * SPAM_ENTRY_BYTES)

/* What is added to the count of each token. */
struct step {
    int wanted, unwanted;
    uint16_t day;
};
/* Tokens as they are stored: 48 bits each, ascending. */
struct sorted {
    const uint64_t *at;
    size_t count;
};

static_assert(LIMIT_SPAM_SENDERS == 256 * HASH_PAGE_MAX, "the pages hold what the table says");

static const struct key totals_key = {1, {KEY_SPAM}};

static SUSPENDS enum status note_author(struct work *w, const struct spam_said *said,
                                        bool *changed_out);
static SUSPENDS enum status count_message(struct work *w, const struct spam_said *said,
                                          const struct spam_tokens *t, bool *changed_out);
static SUSPENDS enum status learn_once(struct cell *account, const struct spam_said *said,
                                       const struct spam_tokens *t, struct instant now);
static struct sorted sort(const struct spam_tokens *t, struct arena *a);
static SUSPENDS enum status count_all(struct work *w, struct sorted s, const struct step *step);
static SUSPENDS enum status begin_anew(struct work *w);
static void prune(struct spam_entry *at, size_t *n);

static uint32_t
page_of(uint64_t hash48)
{
    return (uint32_t)(hash48 >> PAGE_SHIFT);
}

/* ---- counting ---- */

enum status
spam_learn(struct cell *account, const struct spam_said *said, const struct spam_tokens *t,
           struct instant now)
{
    enum status s;
    int tries = 0;

    ASSERT(t->count <= LIMIT_SPAM_TOKENS);
    TRY(work_may_grow(account, GROWS_A_LITTLE));
    do {
        s = learn_once(account, said, t, now);
    } while (work_again(&s, &tries));
    return s;
}

static SUSPENDS enum status
totals_of(struct work *w, struct spam_totals *out)
{
    struct str value;

    *out = (struct spam_totals){0};
    TRY(work_peek(w, &totals_key, &value));
    return value.ptr == NULL ? OK : spam_totals_read(value, out);
}

/* What was said of it before. */
static SUSPENDS enum status
kind_of(struct work *w, uint64_t mid, enum spam_kind *out)
{
    struct key k = key_u48(KEY_LEARNED, mid >> PAGE_BITS);
    struct str body;

    *out = SPAM_UNKNOWN;
    enum status s = work_entry(w, &k, mid % PAGE_ENTRIES, &body);
    if (s == ERR_NOT_FOUND)
        return OK;
    TRY(s);
    if (body.len != 1 || body.ptr[0] < SPAM_WANTED || body.ptr[0] > SPAM_UNWANTED)
        return ERR_CORRUPT;
    *out = (enum spam_kind)body.ptr[0];
    return OK;
}

static SUSPENDS enum status
remember(struct work *w, const struct spam_said *said)
{
    struct key k = key_u48(KEY_LEARNED, said->mid >> PAGE_BITS);
    const char kind = (char)said->kind;

    return work_entry_put(w, &k, false, said->mid % PAGE_ENTRIES,
                          said->kind == SPAM_UNKNOWN ? STR_NONE : str_from(&kind, 1));
}

static uint32_t
stepped(uint32_t n, int step)
{
    if (step < 0)
        return n > 0 ? n - 1 : 0;
    return n + (uint32_t)step;
}

static enum status
learn_once(struct cell *account, const struct spam_said *said, const struct spam_tokens *t,
           struct instant now)
{
    AUTO(work_end) struct work w;
    bool author, counted_it;

    TRY(work_begin(&w, account, now));
    TRY(note_author(&w, said, &author));
    TRY(count_message(&w, said, t, &counted_it));
    return author || counted_it ? work_commit(&w) : OK;
}

static enum status
count_message(struct work *w, const struct spam_said *said, const struct spam_tokens *t,
              bool *changed_out)
{
    struct spam_totals totals;
    enum spam_kind was;

    TRY(totals_of(w, &totals));
    if (totals.version != t->version) {
        TRY(begin_anew(w));
        totals = (struct spam_totals){.version = t->version};
    }
    TRY(kind_of(w, said->mid, &was));
    *changed_out = was != said->kind;
    if (was == said->kind)
        return OK;
    const struct step step = {
        .wanted = (said->kind == SPAM_WANTED) - (was == SPAM_WANTED),
        .unwanted = (said->kind == SPAM_UNWANTED) - (was == SPAM_UNWANTED),
        .day = (uint16_t)(w->now.us / 1000000 / DAY_S), /* until 2149 */
    };
    TRY(count_all(w, sort(t, w->a), &step));
    TRY(remember(w, said));
    totals.wanted = stepped(totals.wanted, step.wanted);
    totals.unwanted = stepped(totals.unwanted, step.unwanted);
    buf_reset(&w->entry);
    spam_totals_write(&totals, &w->entry);
    work_put(w, &totals_key, buf_str(&w->entry));
    return OK;
}

/* ---- authors ---- */

/* Of a hash the lowest bit says what was said. */
static uint64_t
author_entry(uint64_t author, enum spam_kind kind)
{
    return (author & ~UINT64_C(1)) | (kind == SPAM_UNWANTED);
}

static struct key
author_key(uint64_t author)
{
    return (struct key){2, {KEY_SPAM_AUTHORS, (char)(uint8_t)(author >> 56)}};
}

static enum status
note_author(struct work *w, const struct spam_said *said, bool *changed_out)
{
    AUTO_BUF value = BUF(HASH_PAGE_BYTES);
    struct key k = author_key(said->author);
    struct hash_page p;
    struct str page;

    *changed_out = false;
    if (said->author == 0 || said->kind == SPAM_UNKNOWN ||
        (said->kind == SPAM_UNWANTED && !said->proven))
        return OK;
    enum spam_kind other = said->kind == SPAM_WANTED ? SPAM_UNWANTED : SPAM_WANTED;
    TRY(work_peek(w, &k, &page));
    TRY(hash_page_read(page, &p));
    bool gone = hash_page_del(&p, author_entry(said->author, other));
    if (!hash_page_add(&p, author_entry(said->author, said->kind), w->now) && !gone)
        return OK;
    hash_page_write(&p, &value);
    TRY(buf_status(&value));
    work_put(w, &k, buf_str(&value));
    *changed_out = true;
    return OK;
}

enum status
spam_of_author(struct cell *account, uint64_t author, enum spam_kind *out)
{
    AUTO_ARENA *a = arena_new(4 * (size_t)HASH_PAGE_BYTES);
    struct key k = author_key(author);
    struct hash_page p;
    struct str value;

    TRY(cell_get(account, key_str(&k), a, &value));
    TRY(hash_page_read(value, &p));
    *out = hash_page_has(&p, author_entry(author, SPAM_UNWANTED)) ? SPAM_UNWANTED
           : hash_page_has(&p, author_entry(author, SPAM_WANTED)) ? SPAM_WANTED
                                                                  : SPAM_UNKNOWN;
    return OK;
}

/* ---- tokens ---- */

/* Counts of tokens that are made in another way say nothing any more. */
static enum status
begin_anew(struct work *w)
{
    const struct cell_entry *e;
    size_t n;

    TRY(tx_range(w->tx, (struct tx_span){STR("X"), STR("Y"), PAGES + 1}, &e, &n));
    for (size_t i = 0; i < n; i++)
        tx_del(w->tx, e[i].key);
    do {
        TRY(tx_range(w->tx, (struct tx_span){STR("Z"), STR("["), MARKS_MAX}, &e, &n));
        for (size_t i = 0; i < n; i++)
            tx_del(w->tx, e[i].key);
    } while (n == MARKS_MAX);
    return OK;
}

static int
compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static struct sorted
sort(const struct spam_tokens *t, struct arena *a)
{
    uint64_t *at = ARENA_ARRAY(a, uint64_t, t->count + 1);
    size_t n = 0;

    for (size_t i = 0; i < t->count; i++)
        at[i] = t->hashes[i] & ID48_MAX;
    if (t->count > 0)
        qsort(at, t->count, sizeof(*at), compare);
    for (size_t i = 0; i < t->count; i++)
        if (i == 0 || at[i] != at[i - 1])
            at[n++] = at[i];
    return (struct sorted){at, n};
}

static uint16_t
counted(uint16_t n, int step)
{
    return (uint16_t)MIN(stepped(n, step), (uint32_t)UINT16_MAX);
}

/* A count that comes to nothing is left out. */
static void
add_entry(struct spam_entry *to, size_t *n, struct spam_entry e)
{
    if (e.count.wanted > 0 || e.count.unwanted > 0)
        to[(*n)++] = e;
}

static struct spam_entry
step_entry(struct spam_entry e, const struct step *step)
{
    e.count.wanted = counted(e.count.wanted, step->wanted);
    e.count.unwanted = counted(e.count.unwanted, step->unwanted);
    e.day = step->day;
    return e;
}

/* Two ascending lists become one; the count of its entries. */
static size_t
merge(struct str page, struct sorted s, const struct step *step, struct spam_entry *to)
{
    size_t count = page.len / SPAM_ENTRY_BYTES, i = 0, j = 0, n = 0;

    while (i < count || j < s.count) {
        struct spam_entry e = {.hash = UINT64_MAX};
        if (i < count)
            e = spam_page_get(page, i);
        if (j < s.count && s.at[j] <= e.hash) {
            i += s.at[j] == e.hash;
            e = step_entry(s.at[j] == e.hash ? e : (struct spam_entry){.hash = s.at[j]}, step);
            j++;
        } else
            i++;
        add_entry(to, &n, e);
    }
    return n;
}

static SUSPENDS enum status
count_page(struct work *w, struct sorted s, const struct step *step)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    struct key k = key_u32(KEY_SPAM, page_of(s.at[0]));
    struct str page;
    size_t count;

    TRY(work_peek(w, &k, &page));
    TRY(spam_page_check(page, &count));
    struct spam_entry *to = ARENA_ARRAY(a, struct spam_entry, count + s.count);
    size_t n = merge(page, s, step, to);
    prune(to, &n);
    buf_reset(&w->entry);
    buf_add_char(&w->entry, VALUE_VERSION);
    for (size_t i = 0; i < n; i++) {
        char b[SPAM_ENTRY_BYTES];
        be48_put(b, to[i].hash);
        be16_put(b + 6, to[i].count.wanted);
        be16_put(b + 8, to[i].count.unwanted);
        be16_put(b + 10, to[i].day);
        buf_add(&w->entry, str_from(b, sizeof(b)));
    }
    TRY(buf_status(&w->entry));
    work_put(w, &k, n > 0 ? buf_str(&w->entry) : STR_NONE);
    return OK;
}

static enum status
count_all(struct work *w, struct sorted s, const struct step *step)
{
    for (size_t from = 0, to; from < s.count; from = to) {
        for (to = from + 1; to < s.count && page_of(s.at[to]) == page_of(s.at[from]); to++)
            ;
        TRY(count_page(w, (struct sorted){s.at + from, to - from}, step));
    }
    return OK;
}

/* What was seen more often is worth more, then what was seen later. */
static uint64_t
worth(const struct spam_entry *e)
{
    uint32_t seen = (uint32_t)e->count.wanted + e->count.unwanted;

    return (uint64_t)MIN(seen, 4u) << 16 | e->day;
}

/* Of a page that is full an eighth goes, so that it is not sorted for every message. */
static void
prune(struct spam_entry *at, size_t *n)
{
    AUTO_ARENA *a = NULL;
    size_t kept = 0, equal = 0;

    if (*n <= PAGE_TOKENS)
        return;
    a = arena_new(1u << 20);
    uint64_t *ranks = ARENA_ARRAY(a, uint64_t, *n);
    for (size_t i = 0; i < *n; i++)
        ranks[i] = worth(&at[i]);
    qsort(ranks, *n, sizeof(*ranks), compare);
    uint64_t least = ranks[*n - PAGE_KEPT];
    for (size_t i = *n - PAGE_KEPT; i < *n && ranks[i] == least; i++)
        equal++;
    for (size_t i = 0; i < *n; i++) {
        uint64_t rank = worth(&at[i]);
        if (rank < least || (rank == least && equal == 0))
            continue;
        equal -= rank == least;
        at[kept++] = at[i];
    }
    *n = kept;
}

/* ---- looking up ---- */

static size_t
find(struct str page, size_t count, uint64_t hash)
{
    size_t lo = 0, hi = count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (spam_page_get(page, mid).hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < count && spam_page_get(page, lo).hash == hash ? lo : count;
}

enum status
spam_look_up(struct cell *account, const struct spam_tokens *t, struct arena *a,
             struct spam_known *out)
{
    AUTO_ARENA *work = arena_new(ARENA_WORK);
    struct key keys[PAGES + 1];
    struct str names[PAGES + 1], values[PAGES + 1];
    size_t counts[PAGES + 1];
    struct spam_totals totals = {0};

    *out = (struct spam_known){0};
    TRY(cell_get(account, key_str(&totals_key), work, &values[PAGES]));
    if (values[PAGES].ptr == NULL)
        return OK;
    TRY(spam_totals_read(values[PAGES], &totals));
    if (totals.version != t->version || totals.wanted + totals.unwanted == 0)
        return OK;
    for (uint32_t i = 0; i < PAGES; i++) {
        keys[i] = key_u32(KEY_SPAM, i);
        names[i] = key_str(&keys[i]);
    }
    TRY(cell_get_many(account, names, PAGES, work, values));
    for (uint32_t i = 0; i < PAGES; i++)
        TRY(spam_page_check(values[i], &counts[i]));
    struct spam_count *found = ARENA_ARRAY(a, struct spam_count, t->count + 1);
    for (size_t i = 0; i < t->count; i++) {
        uint64_t hash = t->hashes[i] & ID48_MAX;
        uint32_t page = page_of(hash);
        size_t at = find(values[page], counts[page], hash);
        if (at < counts[page])
            found[i] = spam_page_get(values[page], at).count;
    }
    *out = (struct spam_known){totals.wanted, totals.unwanted, found};
    return OK;
}
