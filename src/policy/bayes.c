/* bayes.c - see bayes.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/bayes.h"

#include <math.h>

#include "base/mem.h"
#include "base/size.h"

/* Measured on the earlier part of the corpus alone: docs/decisions/spam-by-counting.md. */
enum {
    OWN = 5,       /* messages of the prior that one of the account is worth */
    DOUBT = 3,     /* messages that would have to say nothing for a token to weigh half */
    STRUCTURE = 2, /* times that structure weighs more than words */
};
#define NEUTRAL 0.1 /* nearer to one half than this says nothing */

/* Made of spam_prior.bin by tools/embed.py. */
extern const unsigned char spam_prior[];
extern const size_t spam_prior_size;

struct counts {
    double wanted, unwanted;
};
struct model {
    struct str prior;
    const struct bayes_own *own;
    struct counts all;
};

struct str
bayes_prior(void)
{
    return str_from((const char *)spam_prior, spam_prior_size);
}

static size_t
entries(struct str file)
{
    return (file.len - PRIOR_HEAD_BYTES) / PRIOR_ENTRY_BYTES;
}

static const char *
entry(struct str file, size_t i)
{
    return file.ptr + PRIOR_HEAD_BYTES + i * PRIOR_ENTRY_BYTES;
}

bool
bayes_prior_ok(struct str file)
{
    if (file.len < PRIOR_HEAD_BYTES || (file.len - PRIOR_HEAD_BYTES) % PRIOR_ENTRY_BYTES != 0 ||
        be32_get(file.ptr) != TOKENS_VERSION || be32_get(file.ptr + 4) == 0 ||
        be32_get(file.ptr + 8) == 0)
        return false;
    for (size_t i = 1; i < entries(file); i++)
        if (be32_get(entry(file, i)) <= be32_get(entry(file, i - 1)))
            return false;
    return true;
}

static struct model
model_of(const struct bayes_own *own)
{
    struct model m = {.prior = bayes_prior(), .own = own};

    m.all = (struct counts){be32_get(m.prior.ptr + 4), be32_get(m.prior.ptr + 8)};
    if (own != NULL) {
        m.all.wanted += (double)OWN * own->wanted;
        m.all.unwanted += (double)OWN * own->unwanted;
    }
    return m;
}

static struct counts
prior_of(struct str prior, uint64_t hash)
{
    uint32_t want = (uint32_t)(hash >> 16); /* of the lower 48 bits */
    size_t lo = 0, hi = entries(prior);

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (be32_get(entry(prior, mid)) < want)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == entries(prior) || be32_get(entry(prior, lo)) != want)
        return (struct counts){0};
    return (struct counts){(unsigned char)entry(prior, lo)[4], (unsigned char)entry(prior, lo)[5]};
}

/* Of token i, before it is divided by the root of how many there are; 0: it says nothing. */
static double
weight(const struct model *m, uint64_t hash, size_t i)
{
    struct counts c = prior_of(m->prior, hash);

    if (m->own != NULL && m->own->counts != NULL) {
        c.wanted += (double)OWN * m->own->counts[i].wanted;
        c.unwanted += (double)OWN * m->own->counts[i].unwanted;
    }
    double n = c.wanted + c.unwanted;
    if (n <= 0)
        return 0;
    double wanted = c.wanted / m->all.wanted, unwanted = c.unwanted / m->all.unwanted;
    double p = (DOUBT * 0.5 + n * unwanted / (wanted + unwanted)) / (DOUBT + n);
    if (fabs(p - 0.5) < NEUTRAL)
        return 0;
    return log(p / (1 - p)) * (token_is_structure(hash) ? STRUCTURE : 1);
}

double
bayes_score(const uint64_t *hashes, size_t n, const struct bayes_own *own)
{
    const struct model m = model_of(own);
    double sum = 0;
    size_t used = 0;

    for (size_t i = 0; i < n; i++) {
        double w = weight(&m, hashes[i], i);
        sum += w;
        used += w < 0 || w > 0;
    }
    return used == 0 ? 0 : sum / sqrt((double)used);
}

/* Keeps the heaviest: few are asked for. */
static void
put_word(struct bayes_word *out, size_t *n, size_t max, struct bayes_word word)
{
    size_t at = *n;

    while (at > 0 && fabs(out[at - 1].weight) < fabs(word.weight))
        at--;
    if (at == max)
        return;
    size_t last = MIN(*n, max - 1);
    mem_move(&out[at + 1], &out[at], (last - at) * sizeof(*out));
    out[at] = word;
    *n = MIN(*n + 1, max);
}

size_t
bayes_explain(const struct tokens *t, const struct bayes_own *own, struct bayes_word *out,
              size_t max)
{
    const struct model m = model_of(own);
    size_t used = 0, n = 0;

    for (uint32_t i = 0; i < t->count; i++) {
        double w = weight(&m, t->at[i].hash, i);
        if (!(w < 0 || w > 0))
            continue;
        used++;
        put_word(out, &n, max, (struct bayes_word){t->at[i].word, w});
    }
    for (size_t i = 0; i < n; i++)
        out[i].weight /= sqrt((double)used);
    return n;
}
