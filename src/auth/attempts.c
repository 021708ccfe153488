/* attempts.c - see attempts.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/attempts.h"

#include <openssl/sha.h>

#include "base/aged.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "base/subnet.h"
#include "rt/clock.h"

enum {
    NAME_HASH = 16,
    KEY_MAX = SUBNET_KEY_MAX + NAME_HASH,
    TEXT_MAX = 128, /* of a name, to be shown */
    AT_ONCE = 4,    /* counts that one attempt can touch */
};

/* How a kind is slowed: beyond free 1 s, doubled for each more up to `steps` times; one is forgiven per leak_s. */
static const struct rule {
    unsigned free, steps, leak_s;
    size_t entries;
} rules[ATTEMPT_KINDS] = {
    [ATTEMPT_ADDRESS] = {LIMIT_LOGIN_WRONG_ADDRESS, 8, 120, LIMIT_LOGIN_COUNTS},
    [ATTEMPT_NETWORK] = {LIMIT_LOGIN_WRONG_NETWORK, 6, 30, LIMIT_LOGIN_COUNTS},
    [ATTEMPT_ACCOUNT] = {LIMIT_LOGIN_WRONG_ACCOUNT, 6, 60, LIMIT_LOGIN_COUNTS},
    [ATTEMPT_DEVICE] = {LIMIT_LOGIN_WRONG_DEVICE, 6, 60, LIMIT_LOGIN_COUNTS},
};

struct count {
    struct aged_node node;
    enum attempt_kind kind;
    char key[KEY_MAX];
    struct subnet net; /* size 0: no address */
    struct str name;   /* owned, cut; of an account or a device */
    unsigned level;
    unsigned flying;  /* in the air: not known to be wrong or right */
    int64_t level_ms; /* when it was that */
    int64_t tried_ms; /* what the interval runs from */
};
/* That there was a good log-in. */
struct good {
    struct aged_node node;
    char key[KEY_MAX];
    int64_t until_ms;
};
struct attempts {
    struct aged counts[ATTEMPT_KINDS];
    struct aged devices; /* of struct good, by address and name */
    struct aged vouched; /* of struct good, by address and by network */
};

/* An attempt, taken apart. */
struct who {
    const struct attempt *a;
    struct subnet address, network;
    char name[NAME_HASH];
    char keys[ATTEMPT_KINDS][KEY_MAX];
    size_t lens[ATTEMPT_KINDS];
    bool device, vouched[2]; /* address, network */
};

static void look_at(struct attempts *t, const struct attempt *a, struct who *w);
static struct str key_of(const struct who *w, enum attempt_kind k);
static size_t kinds_of(const struct who *w, enum attempt_kind *out);
static unsigned free_of(const struct who *w, enum attempt_kind k);
static struct count *count_of(struct aged_node *n);
static struct count *find(struct attempts *t, const struct who *w, enum attempt_kind k);
static struct count *make(struct attempts *t, const struct who *w, enum attempt_kind k);
static void drop(struct attempts *t, struct count *c);
static void leak(struct count *c);
static int64_t wait_ms(const struct count *c, unsigned free);
static bool may_use_interval(struct attempts *t, const struct who *w);
static bool use_interval(struct attempts *t, const struct who *w);
static bool is_good(struct aged *t, struct str key);
static void set_good(struct aged *t, struct str key, int64_t for_s);
static void drop_good(struct aged *t, struct good *g);
static bool is_meant(const struct count *c, const struct subnet *net, struct str name);
static struct str text_of(const struct count *c, struct arena *a);
static unsigned free_of_count(struct attempts *t, const struct count *c);
static bool penalty_of(struct attempts *t, struct count *c, struct arena *a,
                       struct attempts_penalty *out);

struct attempts *
attempts_new(void)
{
    struct attempts *t = MEM_NEW(struct attempts);

    for (size_t k = 0; k < ATTEMPT_KINDS; k++)
        aged_init(&t->counts[k], rules[k].entries);
    aged_init(&t->devices, LIMIT_LOGIN_KNOWN);
    aged_init(&t->vouched, LIMIT_LOGIN_KNOWN);
    return t;
}

static void
drop_all_good(struct aged *t)
{
    for (struct aged_node *n; (n = aged_oldest(t)) != NULL;)
        drop_good(t, AGED_ENTRY(n, struct good, node));
    aged_release(t);
}

void
attempts_free(struct attempts **t)
{
    if (*t == NULL)
        return;
    for (size_t k = 0; k < ATTEMPT_KINDS; k++) {
        for (struct aged_node *n; (n = aged_oldest(&(*t)->counts[k])) != NULL;)
            drop(*t, count_of(n));
        aged_release(&(*t)->counts[k]);
    }
    drop_all_good(&(*t)->devices);
    drop_all_good(&(*t)->vouched);
    mem_free(*t);
    *t = NULL;
}

bool
attempts_are_slow(struct attempts *t, const struct attempt *a)
{
    enum attempt_kind kinds[AT_ONCE];
    struct who w;

    look_at(t, a, &w);
    for (size_t i = 0, n = kinds_of(&w, kinds); i < n; i++) {
        const struct count *c = find(t, &w, kinds[i]);
        if (c != NULL && c->level >= free_of(&w, kinds[i]))
            return true;
    }
    return false;
}

unsigned
attempts_state(struct attempts *t, const struct attempt *a, int64_t *wait_ms_out)
{
    enum attempt_kind kinds[AT_ONCE];
    unsigned worst = 0;
    struct who w;

    *wait_ms_out = 0;
    look_at(t, a, &w);
    for (size_t i = 0, n = kinds_of(&w, kinds); i < n; i++) {
        const struct count *c = find(t, &w, kinds[i]);
        unsigned free = free_of(&w, kinds[i]);
        if (c == NULL)
            continue;
        worst = MAX(worst, c->level);
        if (c->level >= free)
            *wait_ms_out = MAX(*wait_ms_out, wait_ms(c, free));
    }
    return worst;
}

bool
attempts_try(struct attempts *t, const struct attempt *a)
{
    struct who w;

    look_at(t, a, &w);
    return use_interval(t, &w);
}

enum attempt_answer
attempts_begin(struct attempts *t, const struct attempt *a, unsigned *counted)
{
    enum attempt_kind kinds[AT_ONCE];
    struct who w;

    look_at(t, a, &w);
    size_t n = kinds_of(&w, kinds);
    for (size_t i = 0; i < n; i++) {
        const struct count *c = find(t, &w, kinds[i]);
        unsigned free = free_of(&w, kinds[i]);
        /* Beyond the number the interval lets one through, whatever is in the air. */
        if (c != NULL && c->level < free && c->level + c->flying >= free)
            return may_use_interval(t, &w) ? ATTEMPT_WAIT : ATTEMPT_SLOWED;
    }
    if (!use_interval(t, &w))
        return ATTEMPT_SLOWED;
    *counted = 0;
    for (size_t i = 0; i < n; i++) {
        struct count *c = find(t, &w, kinds[i]);
        if (c == NULL)
            c = make(t, &w, kinds[i]);
        c->flying++;
        *counted |= 1u << kinds[i];
    }
    return ATTEMPT_MAY;
}

void
attempts_known(struct attempts *t, const struct attempt *a, unsigned counted)
{
    struct who w;

    look_at(t, a, &w);
    for (size_t k = 0; k < ATTEMPT_KINDS; k++) {
        struct count *c = (counted >> k & 1u) != 0 ? find(t, &w, (enum attempt_kind)k) : NULL;
        if (c == NULL || c->flying == 0) /* it was forgiven, or dropped for room, meanwhile */
            continue;
        c->flying--;
        if (c->flying == 0 && c->level == 0)
            drop(t, c);
    }
}

static bool
may_use_interval(struct attempts *t, const struct who *w)
{
    enum attempt_kind kinds[AT_ONCE];

    for (size_t i = 0, n = kinds_of(w, kinds); i < n; i++) {
        const struct count *c = find(t, w, kinds[i]);
        if (c != NULL && c->level >= free_of(w, kinds[i]) && wait_ms(c, free_of(w, kinds[i])) > 0)
            return false;
    }
    return true;
}

static bool
use_interval(struct attempts *t, const struct who *w)
{
    enum attempt_kind kinds[AT_ONCE];

    if (!may_use_interval(t, w))
        return false;
    for (size_t i = 0, n = kinds_of(w, kinds); i < n; i++) {
        struct count *c = find(t, w, kinds[i]);
        if (c != NULL && c->level >= free_of(w, kinds[i]))
            c->tried_ms = clock_mono_ms();
    }
    return true;
}

void
attempts_wrong(struct attempts *t, const struct attempt *a)
{
    enum attempt_kind kinds[AT_ONCE];
    struct who w;

    look_at(t, a, &w);
    size_t n = kinds_of(&w, kinds);
    for (size_t i = 0; i < n; i++) {
        struct count *c = find(t, &w, kinds[i]);
        if (c == NULL)
            c = make(t, &w, kinds[i]);
        else
            aged_renew(&t->counts[kinds[i]], &c->node);
        if (c->level++ == 0)
            c->level_ms = clock_mono_ms();
        c->tried_ms = clock_mono_ms();
    }
}

void
attempts_right(struct attempts *t, const struct attempt *a)
{
    struct who w;

    look_at(t, a, &w);
    struct count *own = find(t, &w, ATTEMPT_DEVICE);
    if (own != NULL && own->flying > 0)
        own->level = 0; /* others of it are in the air */
    else if (own != NULL)
        drop(t, own);
    set_good(&t->devices, key_of(&w, ATTEMPT_DEVICE), LIMIT_LOGIN_KNOWN_S);
    set_good(&t->vouched, key_of(&w, ATTEMPT_ADDRESS), LIMIT_LOGIN_VOUCH_S);
    set_good(&t->vouched, key_of(&w, ATTEMPT_NETWORK), LIMIT_LOGIN_VOUCH_S);
}

size_t
attempts_penalties(struct attempts *t, struct arena *a, struct attempts_penalty *out, size_t max)
{
    size_t n = 0;

    for (size_t k = 0; k < ATTEMPT_KINDS; k++) {
        for (struct aged_node *at = aged_youngest(&t->counts[k]); at != NULL && n < max;
             at = aged_before(&t->counts[k], at))
            n += penalty_of(t, count_of(at), a, &out[n]) ? 1 : 0;
    }
    return n;
}

size_t
attempts_forgive(struct attempts *t, struct str what)
{
    struct subnet net = {0};
    size_t forgiven = 0;

    if (!subnet_read_around(what, &net))
        net.size = 0;
    for (size_t k = 0; k < ATTEMPT_KINDS; k++) {
        for (struct aged_node *n = aged_oldest(&t->counts[k]), *after; n != NULL; n = after) {
            after = aged_after(&t->counts[k], n);
            if (!is_meant(count_of(n), &net, what))
                continue;
            drop(t, count_of(n));
            forgiven++;
        }
    }
    return forgiven;
}

/* ---- an attempt taken apart ---- */

static void
look_at(struct attempts *t, const struct attempt *a, struct who *w)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct subnet n = {0};

    *w = (struct who){.a = a};
    if (subnet_read_around(a->peer, &n)) {
        w->address = subnet_wider(&n, n.size == 4 ? 32 : 64);
        w->network = subnet_wider(&n, n.size == 4 ? 24 : 48);
    }
    SHA256((const unsigned char *)a->name.ptr, a->name.len, digest);
    mem_copy(w->name, digest, NAME_HASH);

    struct str address = subnet_key(&w->address, w->keys[ATTEMPT_ADDRESS]);
    w->lens[ATTEMPT_ADDRESS] = address.len;
    w->lens[ATTEMPT_NETWORK] = subnet_key(&w->network, w->keys[ATTEMPT_NETWORK]).len;
    mem_copy(w->keys[ATTEMPT_ACCOUNT], w->name, NAME_HASH);
    w->lens[ATTEMPT_ACCOUNT] = NAME_HASH;
    mem_copy(w->keys[ATTEMPT_DEVICE], address.ptr, address.len);
    mem_copy(w->keys[ATTEMPT_DEVICE] + address.len, w->name, NAME_HASH);
    w->lens[ATTEMPT_DEVICE] = address.len + NAME_HASH;

    w->device = is_good(&t->devices, key_of(w, ATTEMPT_DEVICE));
    w->vouched[0] = is_good(&t->vouched, key_of(w, ATTEMPT_ADDRESS));
    w->vouched[1] = is_good(&t->vouched, key_of(w, ATTEMPT_NETWORK));
}

static struct str
key_of(const struct who *w, enum attempt_kind k)
{
    return str_from(w->keys[k], w->lens[k]);
}

/* What it is counted under; returns how many. */
static size_t
kinds_of(const struct who *w, enum attempt_kind *out)
{
    size_t n = 0;

    if (w->device) {
        out[n++] = ATTEMPT_DEVICE;
        return n;
    }
    out[n++] = ATTEMPT_ADDRESS;
    out[n++] = ATTEMPT_NETWORK;
    if (!w->vouched[0] && w->a->name.len > 0)
        out[n++] = ATTEMPT_ACCOUNT;
    return n;
}

static unsigned
free_of(const struct who *w, enum attempt_kind k)
{
    bool vouched =
        (k == ATTEMPT_ADDRESS && w->vouched[0]) || (k == ATTEMPT_NETWORK && w->vouched[1]);

    return rules[k].free * (vouched ? ATTEMPTS_VOUCHED : 1);
}

/* ---- counts ---- */

static struct count *
count_of(struct aged_node *n)
{
    return n == NULL ? NULL : AGED_ENTRY(n, struct count, node);
}

static struct count *
find(struct attempts *t, const struct who *w, enum attempt_kind k)
{
    struct count *c = count_of(aged_get(&t->counts[k], key_of(w, k)));

    if (c != NULL)
        leak(c);
    return c;
}

static struct count *
make(struct attempts *t, const struct who *w, enum attempt_kind k)
{
    struct count *c = MEM_NEW(struct count);

    if (aged_is_full(&t->counts[k]))
        drop(t, count_of(aged_oldest(&t->counts[k])));
    c->kind = k;
    if (k != ATTEMPT_ACCOUNT)
        c->net = k == ATTEMPT_NETWORK ? w->network : w->address;
    if (k == ATTEMPT_ACCOUNT || k == ATTEMPT_DEVICE)
        c->name = mem_str(str_sub(w->a->name, 0, TEXT_MAX));
    mem_copy(c->key, w->keys[k], w->lens[k]);
    aged_add(&t->counts[k], &c->node, str_from(c->key, w->lens[k]));
    return c;
}

static void
drop(struct attempts *t, struct count *c)
{
    aged_take(&t->counts[c->kind], &c->node);
    mem_str_free(&c->name);
    mem_free(c);
}

static void
leak(struct count *c)
{
    int64_t leak_ms = rules[c->kind].leak_s * 1000LL;
    int64_t gone = (clock_mono_ms() - c->level_ms) / leak_ms;

    c->level -= (unsigned)MIN(gone, (int64_t)c->level);
    c->level_ms += gone * leak_ms;
}

/* Until the next try; the level has leaked. */
static int64_t
wait_ms(const struct count *c, unsigned free)
{
    if (c->level < free)
        return 0;
    int64_t until = c->tried_ms + (1000LL << MIN(c->level - free, rules[c->kind].steps));
    return MAX(until - clock_mono_ms(), (int64_t)0);
}

/* ---- good log-ins ---- */

static bool
is_good(struct aged *t, struct str key)
{
    struct aged_node *n = aged_get(t, key);

    if (n == NULL)
        return false;
    struct good *g = AGED_ENTRY(n, struct good, node);
    if (clock_mono_ms() < g->until_ms)
        return true;
    drop_good(t, g);
    return false;
}

static void
set_good(struct aged *t, struct str key, int64_t for_s)
{
    struct aged_node *n = aged_get(t, key);
    struct good *g = n == NULL ? NULL : AGED_ENTRY(n, struct good, node);

    if (g == NULL) {
        if (aged_is_full(t))
            drop_good(t, AGED_ENTRY(aged_oldest(t), struct good, node));
        g = MEM_NEW(struct good);
        mem_copy(g->key, key.ptr, key.len);
        aged_add(t, &g->node, str_from(g->key, key.len));
    } else {
        aged_renew(t, &g->node);
    }
    g->until_ms = clock_mono_ms() + for_s * 1000;
}

static void
drop_good(struct aged *t, struct good *g)
{
    aged_take(t, &g->node);
    mem_free(g);
}

/* ---- for people ---- */

static bool
is_meant(const struct count *c, const struct subnet *net, struct str name)
{
    if (net->size == 0)
        return str_eq_nocase(c->name, str_sub(name, 0, TEXT_MAX));
    /* The network around an address as well: it holds the address up. */
    return c->net.size > 0 && (subnet_covers(net, &c->net) || subnet_covers(&c->net, net));
}

static struct str
text_of(const struct count *c, struct arena *a)
{
    AUTO_BUF b = BUF(SUBNET_TEXT_MAX + 1 + TEXT_MAX);

    if (c->net.size > 0)
        subnet_write(&c->net, &b);
    if (c->kind == ATTEMPT_DEVICE)
        buf_add_char(&b, ' ');
    buf_add(&b, c->name);
    return arena_str(a, buf_str(&b));
}

static unsigned
free_of_count(struct attempts *t, const struct count *c)
{
    bool vouched = (c->kind == ATTEMPT_ADDRESS || c->kind == ATTEMPT_NETWORK) &&
                   is_good(&t->vouched, c->node.key);

    return rules[c->kind].free * (vouched ? ATTEMPTS_VOUCHED : 1);
}

/* false: it is none. */
static bool
penalty_of(struct attempts *t, struct count *c, struct arena *a, struct attempts_penalty *out)
{
    unsigned free = free_of_count(t, c);
    int64_t leak_ms = rules[c->kind].leak_s * 1000LL;

    leak(c);
    if (c->level < free)
        return false;
    int64_t ends = c->level_ms + (c->level - free + 1) * leak_ms - clock_mono_ms();
    *out = (struct attempts_penalty){
        .kind = c->kind,
        .what = text_of(c, a),
        .wrong = c->level,
        .next_s = (uint32_t)((wait_ms(c, free) + 999) / 1000),            /* minutes */
        .ends_s = (uint32_t)MIN((ends + 999) / 1000, (int64_t)INT32_MAX), /* days, usually */
    };
    return true;
}
