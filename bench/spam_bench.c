/* spam_bench.c - makes the prior of the spam score, and measures the score; bench/spam.py calls it.
 *
 * Run:       spam_bench prior OUT < LIST
 *            spam_bench judge [THRESHOLD] < LIST     the first day; day by day, with what was moved before
 *            spam_bench words < LIST                 score and heaviest words of each message
 * LIST has a line "DAY ham|spam PATH" for each message, in the order in which they came.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "policy/bayes.h"

enum { MESSAGES_MAX = 100000, LINE_BYTES = 1024, PRIOR_TOKENS = 12000, WORDS = 12, LEAST_SEEN = 2 };

struct mail {
    char day[16], path[LINE_BYTES];
    bool spam;
    struct token *at; /* owned, with their words */
    uint32_t count;
    struct arena *a;
};
struct tally {
    uint64_t hash;
    bool personal;
    uint32_t ham, spam;
    double worth;
};
static struct mail *mails;
static size_t mail_count;

static void
read_file(const char *path, struct buf *b)
{
    FILE *f = fopen(path, "rb");
    char piece[2048];
    size_t n;

    if (f == NULL) {
        perror(path);
        exit(1);
    }
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(b, str_from(piece, n));
    fclose(f);
}

static void
read_mail(struct mail *m)
{
    AUTO_BUF b = BUF(64u << 20);
    struct mime_tree t;
    struct tokens k;

    read_file(m->path, &b);
    struct str text = buf_str(&b);
    if (str_starts(text, STR("From ")))
        text = str_skip(text, (size_t)(str_find(text, '\n') + 1));
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX + text.len + TOKENS_ARENA);
    mime_parse(text, a, &t);
    tokens_find(text, &t, a, &k);
    m->a = arena_new(TOKENS_ARENA);
    m->at = ARENA_ARRAY(m->a, struct token, k.count + 1);
    m->count = k.count;
    for (uint32_t i = 0; i < k.count; i++)
        m->at[i] = (struct token){k.at[i].hash, arena_str(m->a, k.at[i].word)};
}

static void
read_list(void)
{
    static char line[LINE_BYTES + 64];

    mails = MEM_ARRAY(struct mail, MESSAGES_MAX);
    while (mail_count < MESSAGES_MAX && fgets(line, sizeof(line), stdin) != NULL) {
        struct mail *m = &mails[mail_count++];
        struct str rest = str_trim(str_of(line)), day, kind;
        if (!str_split(&rest, ' ', &day) || !str_split(&rest, ' ', &kind) ||
            !str_to_z(day, m->day, sizeof(m->day)) || !str_to_z(rest, m->path, sizeof(m->path)))
            exit(2);
        m->spam = str_eq(kind, STR("spam"));
        read_mail(m);
    }
}

/* ---- counting ---- */

static struct tally *
tally_of(struct map *all, const struct token *t)
{
    struct str key = str_from((const char *)&t->hash, sizeof(t->hash));
    struct tally *found = map_get(all, key);

    if (found == NULL) {
        found = MEM_NEW(struct tally);
        found->hash = t->hash;
        found->personal = token_is_personal(t->word);
        map_put(all, key, found);
    }
    return found;
}

static void
count(struct map *all, const struct mail *m)
{
    for (uint32_t i = 0; i < m->count; i++) {
        struct tally *t = tally_of(all, &m->at[i]);
        t->spam += m->spam;
        t->ham += !m->spam;
    }
}

static int
heavier(const void *a, const void *b)
{
    const struct tally *const *x = a, *const *y = b;

    if ((*x)->worth < (*y)->worth || (*x)->worth > (*y)->worth)
        return (*x)->worth < (*y)->worth ? 1 : -1;
    return ((*x)->hash > (*y)->hash) - ((*x)->hash < (*y)->hash);
}

static uint32_t
stored(const struct tally *t)
{
    return (uint32_t)(t->hash >> 16); /* as bayes.c looks for it */
}

static int
by_hash(const void *a, const void *b)
{
    const struct tally *const *x = a, *const *y = b;

    return (stored(*x) > stored(*y)) - (stored(*x) < stored(*y));
}

static void
write_prior(struct tally **list, size_t n, const uint32_t kinds[2], struct buf *b)
{
    uint32_t last = 0;

    buf_add_be32(b, TOKENS_VERSION);
    buf_add_be32(b, kinds[0]);
    buf_add_be32(b, kinds[1]);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && stored(list[i]) == last)
            continue;
        last = stored(list[i]);
        buf_add_be32(b, last);
        buf_add_char(b, (char)(unsigned char)MIN(list[i]->ham, 255u));
        buf_add_char(b, (char)(unsigned char)MIN(list[i]->spam, 255u));
    }
}

static int
make_prior(const char *path)
{
    struct map *all = map_new();
    uint32_t kinds[2] = {0, 0};
    size_t cursor = 0, n = 0;
    struct str key;
    void *value;

    for (size_t i = 0; i < mail_count; i++) {
        count(all, &mails[i]);
        kinds[mails[i].spam]++;
    }
    struct tally **list = MEM_ARRAY(struct tally *, map_count(all));
    while (map_next(all, &cursor, &key, &value)) {
        struct tally *t = value;
        double seen = t->ham + t->spam, ham = (double)t->ham / kinds[0],
               spam = (double)t->spam / kinds[1],
               p = (0.5 + seen * spam / (ham + spam)) / (1 + seen);
        t->worth = fabs(log(p / (1 - p))) * sqrt(seen);
        if (!t->personal && t->ham + t->spam >= LEAST_SEEN)
            list[n++] = t;
    }
    qsort(list, n, sizeof(struct tally *), heavier);
    n = MIN(n, (size_t)PRIOR_TOKENS);
    qsort(list, n, sizeof(struct tally *), by_hash);
    AUTO_BUF b = BUF(1u << 20);
    write_prior(list, n, kinds, &b);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(b.ptr, 1, b.len, f) != b.len || fclose(f) != 0) {
        perror(path);
        return 1;
    }
    printf("%zu tokens of %u wanted and %u unwanted messages, %zu bytes\n", n, kinds[0], kinds[1],
           b.len);
    return 0;
}

/* ---- judging ---- */

struct learned {
    struct map *all;
    uint32_t ham, spam;
};

static double
judge(const struct mail *m, const struct learned *l)
{
    uint64_t *hashes = MEM_ARRAY(uint64_t, m->count + 1);
    struct bayes_count *counts = MEM_ARRAY(struct bayes_count, m->count + 1);
    const struct bayes_own own = {l->ham, l->spam, counts};

    for (uint32_t i = 0; i < m->count; i++) {
        const struct tally *t =
            map_get(l->all, str_from((const char *)&m->at[i].hash, sizeof(uint64_t)));
        hashes[i] = m->at[i].hash;
        if (t != NULL)
            counts[i] = (struct bayes_count){(uint16_t)t->ham, (uint16_t)t->spam};
    }
    double score = bayes_score(hashes, m->count, &own);
    mem_free(hashes);
    mem_free(counts);
    return score;
}

/* Each evening the owner moves what was judged wrongly, and nothing else, when he does. */
static void
run(const char *name, double threshold, bool moves)
{
    struct learned l = {.all = map_new()};
    uint32_t n[2] = {0, 0}, junk[2] = {0, 0};

    for (size_t from = 0, to; from < mail_count; from = to) {
        for (to = from; to < mail_count && str_eq(str_of(mails[to].day), str_of(mails[from].day));
             to++)
            mails[to].day[15] = judge(&mails[to], &l) >= threshold;
        for (size_t i = from; i < to; i++) {
            const struct mail *m = &mails[i];
            bool is_junk = m->day[15] != 0;
            n[m->spam]++;
            junk[m->spam] += is_junk;
            if (is_junk == m->spam || !moves)
                continue;
            count(l.all, m);
            l.spam += m->spam;
            l.ham += !m->spam;
        }
    }
    printf("%-28s %u of %u unwanted caught, %.1f %%; %u of %u wanted taken for junk, %.2f %%\n",
           name, junk[1], n[1], 100.0 * junk[1] / MAX(n[1], 1u), junk[0], n[0],
           100.0 * junk[0] / MAX(n[0], 1u));
}

static void
tell(const struct mail *m)
{
    const struct learned none = {.all = map_new()};
    struct bayes_word words[WORDS];
    const struct tokens t = {.at = m->at, .count = m->count};
    size_t n = bayes_explain(&t, NULL, words, WORDS);

    printf("%s %6.2f", m->path, judge(m, &none));
    for (size_t i = 0; i < n; i++)
        printf("  \"%.*s\" %+.2f", STR_FMT(words[i].word), words[i].weight);
    printf("\n");
}

int
main(int argc, char **argv)
{
    struct str mode = argc > 1 ? str_of(argv[1]) : STR("");
    double threshold = BAYES_JUNK;

    if (argc > 2 && str_eq(mode, STR("judge")))
        threshold = strtod(argv[2], NULL);
    read_list();
    if (str_eq(mode, STR("prior")) && argc == 3)
        return make_prior(argv[2]);
    if (str_eq(mode, STR("judge"))) {
        run("from the first day", threshold, false);
        run("with moves, day by day", threshold, true);
    } else {
        for (size_t i = 0; i < mail_count; i++)
            tell(&mails[i]);
    }
    return 0;
}
