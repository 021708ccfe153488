/* grants.c - two indexes over the same grants: by session, and by account.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/grants.h"

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"

enum {
    EXPIRE_STEP = 1000, /* looked at in one step of grants_expire() */
    EARLY_ENDS =
        256, /* ends that came before their grants, remembered for the moment between the two */
};

struct holder { /* an account with sessions */
    struct list grants;
    size_t count;
};
struct held {
    struct grant grant;
    struct list of_account;
    struct list of_all; /* next to be looked at by grants_expire() first */
    struct holder *holder;
};
struct session_key {
    char bytes[16];
};
struct grants {
    struct map *sessions; /* incarnation, session -> struct held */
    struct map *accounts; /* account -> struct holder */
    struct list all;
    struct session_key early[EARLY_ENDS];
    size_t early_next;
};

static struct session_key session_key(uint64_t incarnation, uint64_t session);
static struct str session_str(const struct session_key *k);
static bool is_before(uint64_t incarnation, uint64_t session, const struct grant *g);
static size_t list_add(const struct grants_page *p, const struct grant *one, struct grant *out,
                       size_t n);
static bool ended_early(const struct grants *g, const struct session_key *k);
static struct holder *holder_of(struct grants *g, uint64_t account);
static struct held *find(const struct grants *g, uint64_t incarnation, uint64_t session);
static void end(struct grants *g, struct held *h);

struct grants *
grants_new(void)
{
    struct grants *g = MEM_NEW(struct grants);

    g->sessions = map_new();
    g->accounts = map_new();
    list_init(&g->all);
    return g;
}

void
grants_free(struct grants **g)
{
    if (*g == NULL)
        return;
    while (!list_empty(&(*g)->all))
        end(*g, LIST_ENTRY((*g)->all.next, struct held, of_all));
    map_free(&(*g)->sessions);
    map_free(&(*g)->accounts);
    mem_free(*g);
    *g = NULL;
}

size_t
grants_count(const struct grants *g)
{
    return map_count(g->sessions);
}

enum status
grants_add(struct grants *g, const struct grant *new_grant)
{
    struct session_key key = session_key(new_grant->incarnation, new_grant->session);
    struct held *h = map_get(g->sessions, session_str(&key));

    ASSERT(new_grant->account != 0);
    if (h != NULL) {
        if (h->grant.account != new_grant->account)
            return ERR_EXISTS;
        h->grant = *new_grant;
        return OK;
    }
    if (ended_early(g, &key))
        return ERR_DENIED;
    struct holder *holder = holder_of(g, new_grant->account);
    if (holder->count >= LIMIT_SESSIONS_PER_ACCOUNT)
        return ERR_LIMIT;
    h = MEM_NEW(struct held);
    h->grant = *new_grant;
    h->holder = holder;
    list_push(&holder->grants, &h->of_account);
    list_push(&g->all, &h->of_all);
    holder->count++;
    map_put(g->sessions, session_str(&key), h);
    return OK;
}

enum status
grants_find(struct grants *g, uint64_t incarnation, uint64_t session, struct instant now,
            struct grant *out)
{
    struct held *h = find(g, incarnation, session);

    if (h == NULL || h->grant.expires.us <= now.us)
        return ERR_DENIED;
    h->grant.asked = now;
    *out = h->grant;
    return OK;
}

void
grants_end(struct grants *g, uint64_t incarnation, uint64_t session)
{
    struct held *h = find(g, incarnation, session);

    if (h != NULL)
        end(g, h);
    else
        g->early[g->early_next++ % EARLY_ENDS] = session_key(incarnation, session);
}

void
grants_end_incarnation(struct grants *g, uint64_t incarnation)
{
    list_each_safe(l, after, &g->all)
    {
        struct held *h = LIST_ENTRY(l, struct held, of_all);
        if (h->grant.incarnation == incarnation)
            end(g, h);
    }
}

size_t
grants_revoke(struct grants *g, uint64_t incarnation, uint64_t session, uint64_t account)
{
    char key[8];
    size_t n = 0;

    be64_put(key, account);
    struct holder *holder = map_get(g->accounts, str_from(key, sizeof(key)));
    while (holder != NULL) {
        struct held *match = NULL;
        list_each (l, &holder->grants) {
            struct held *h = LIST_ENTRY(l, struct held, of_account);
            if ((incarnation == 0 || h->grant.incarnation == incarnation) &&
                (session == 0 || h->grant.session == session)) {
                match = h;
                break;
            }
        }
        if (match == NULL)
            break;
        bool last = holder->count == 1; /* the holder goes with its last grant */
        end(g, match);
        n++;
        if (last)
            break;
    }
    return n;
}

void
grants_expire(struct grants *g, struct instant now)
{
    size_t n = map_count(g->sessions);

    for (size_t i = 0; i < n && i < EXPIRE_STEP; i++) {
        struct list *oldest = list_pop(&g->all);
        if (oldest == NULL)
            break;
        struct held *h = LIST_ENTRY(oldest, struct held, of_all);
        list_push(&g->all, &h->of_all);
        if (h->grant.expires.us <= now.us)
            end(g, h);
    }
}

size_t
grants_of(const struct grants *g, uint64_t account, struct grant *out, size_t max)
{
    char key[8];
    size_t n = 0;

    be64_put(key, account);
    struct holder *holder = map_get(g->accounts, str_from(key, sizeof(key)));
    if (holder == NULL)
        return 0;
    list_each (l, &holder->grants) {
        if (n == max)
            break;
        out[n++] = LIST_ENTRY(l, struct held, of_account)->grant;
    }
    return n;
}

size_t
grants_list(const struct grants *g, const struct grants_page *p, struct grant *out)
{
    char key[8];
    size_t n = 0;

    be64_put(key, p->account);
    struct holder *holder = map_get(g->accounts, str_from(key, sizeof(key)));
    if (p->account != 0 && holder == NULL)
        return 0;
    if (p->account != 0) {
        list_each (l, &holder->grants)
            n = list_add(p, &LIST_ENTRY(l, struct held, of_account)->grant, out, n);
        return n;
    }
    list_each (l, &g->all)
        n = list_add(p, &LIST_ENTRY(l, struct held, of_all)->grant, out, n);
    return n;
}

static bool
is_before(uint64_t incarnation, uint64_t session, const struct grant *g)
{
    return incarnation < g->incarnation || (incarnation == g->incarnation && session < g->session);
}

/* Keeps the first p->max of those that come, sorted. */
static size_t
list_add(const struct grants_page *p, const struct grant *one, struct grant *out, size_t n)
{
    if (!is_before(p->incarnation, p->session, one) ||
        (n == p->max && is_before(out[n - 1].incarnation, out[n - 1].session, one)))
        return n;
    size_t at = n < p->max ? n : n - 1; /* the last one falls out */
    size_t count = at + 1;
    while (at > 0 && is_before(one->incarnation, one->session, &out[at - 1])) {
        out[at] = out[at - 1];
        at--;
    }
    out[at] = *one;
    return count;
}

static struct session_key
session_key(uint64_t incarnation, uint64_t session)
{
    struct session_key k = {0};

    be64_put(k.bytes, incarnation);
    be64_put(k.bytes + 8, session);
    return k;
}

static struct str
session_str(const struct session_key *k)
{
    return str_from(k->bytes, sizeof(k->bytes));
}

static bool
ended_early(const struct grants *g, const struct session_key *k)
{
    for (size_t i = 0; i < EARLY_ENDS; i++)
        if (str_eq(session_str(&g->early[i]), session_str(k)))
            return true;
    return false;
}

static struct holder *
holder_of(struct grants *g, uint64_t account)
{
    char key[8];

    be64_put(key, account);
    struct holder *h = map_get(g->accounts, str_from(key, sizeof(key)));
    if (h == NULL) {
        h = MEM_NEW(struct holder);
        list_init(&h->grants);
        map_put(g->accounts, str_from(key, sizeof(key)), h);
    }
    return h;
}

static struct held *
find(const struct grants *g, uint64_t incarnation, uint64_t session)
{
    struct session_key key = session_key(incarnation, session);

    return map_get(g->sessions, session_str(&key));
}

static void
end(struct grants *g, struct held *h)
{
    struct session_key key = session_key(h->grant.incarnation, h->grant.session);
    char account[8];

    map_del(g->sessions, session_str(&key));
    list_remove(&h->of_account);
    list_remove(&h->of_all);
    if (--h->holder->count == 0) {
        be64_put(account, h->grant.account);
        map_del(g->accounts, str_from(account, sizeof(account)));
        mem_free(h->holder);
    }
    mem_free(h);
}
