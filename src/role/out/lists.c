/* lists.c - see lists.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/out/lists.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "mail/domain.h"
#include "policy/dnsbl.h"
#include "rt/clock.h"
#include "rt/logger.h"

enum {
    FAMILIES = 2, /* IPv4, IPv6 */
    CODES_MAX = 16,
    TEST_MS = LIMIT_LIST_TEST_S * 1000,
    AGAIN_MS = 60000, /* when a test could not be made */
};

/* What is known of one list. */
struct state {
    const struct config_list *list;
    bool tested[FAMILIES];
    enum dnsbl_health health[FAMILIES];
    int64_t test_ms; /* when to test it; 0: now */
};
static struct state *states;
static size_t state_count;

static SUSPENDS bool test_family(struct resolver *r, const struct config_list *list,
                                 enum dnsbl_kind kind, enum dnsbl_health *out);
static void learn(const struct config_list *list, size_t family, enum dnsbl_health health);
static SUSPENDS bool ask(struct resolver *r, struct str name, int64_t timeout_ms,
                         const struct config_list *list, enum dnsbl_judgement *out);

static struct state *
find(struct str zone)
{
    for (size_t i = 0; i < state_count; i++)
        if (str_eq(states[i].list->zone, zone))
            return &states[i];
    return NULL;
}

void
out_lists_renew(const struct config *c)
{
    struct state *fresh = MEM_ARRAY(struct state, c->list_count + 1);

    for (size_t i = 0; i < c->list_count; i++) {
        const struct state *before = find(c->lists[i].zone);
        if (before != NULL)
            fresh[i] = *before;
        fresh[i].list = &c->lists[i];
    }
    mem_free(states);
    states = fresh;
    state_count = c->list_count;
}

/* ---- tests ---- */

void
out_lists_test(struct resolver *r)
{
    static const enum dnsbl_kind kinds[FAMILIES] = {DNSBL_IPV4, DNSBL_IPV6};

    for (size_t i = 0; i < state_count; i++) {
        const struct config_list *list = states[i].list;
        bool known = true;
        if (states[i].test_ms > clock_mono_ms())
            continue;
        for (size_t k = 0; k < FAMILIES; k++) {
            enum dnsbl_health health;
            if (test_family(r, list, kinds[k], &health))
                learn(list, k, health);
            else
                known = false;
        }
        struct state *s = find(list->zone); /* there may be others by now */
        if (s != NULL)
            s->test_ms = clock_mono_ms() + (known ? TEST_MS : AGAIN_MS);
    }
}

int64_t
out_lists_rest_ms(void)
{
    int64_t now = clock_mono_ms(), rest = FIBER_FOREVER;

    for (size_t i = 0; i < state_count; i++) {
        int64_t left = MAX(states[i].test_ms - now, 0);
        rest = rest == FIBER_FOREVER ? left : MIN(rest, left);
    }
    return rest;
}

/* False: DNS did not answer. */
static SUSPENDS bool
test_family(struct resolver *r, const struct config_list *list, enum dnsbl_kind kind,
            enum dnsbl_health *out)
{
    AUTO_BUF has = BUF(DOMAIN_MAX), has_not = BUF(DOMAIN_MAX);
    const struct config_list any = {.zone = list->zone};
    enum dnsbl_judgement one, other;

    if (dnsbl_test_names(kind, list->zone, &has, &has_not) != OK)
        return false;
    if (!ask(r, buf_str(&has), LIMIT_ASK_MS, &any, &one) ||
        !ask(r, buf_str(&has_not), LIMIT_ASK_MS, &any, &other))
        return false;
    *out = dnsbl_test(one, other);
    return true;
}

/* A list that has no addresses of IPv6 is one of IPv4, and that is no news. */
static void
learn(const struct config_list *list, size_t family, enum dnsbl_health health)
{
    struct state *s = find(list->zone);

    if (s == NULL)
        return;
    bool was_well = s->tested[family] && s->health[family] == DNSBL_WELL;
    bool silent = family > 0 && health == DNSBL_EMPTY && !was_well;
    bool changed = !s->tested[family] || s->health[family] != health;
    s->tested[family] = true;
    s->health[family] = health;
    if (!changed || silent)
        return;
    AUTO(logger_send) struct log_line l;
    if (!event_begin(&l, health == DNSBL_WELL ? EVENT_LIST_ON : EVENT_LIST_OFF))
        return;
    log_str(&l, "list", list->zone);
    log_str(&l, "family", family == 0 ? STR("ipv4") : STR("ipv6"));
    if (health != DNSBL_WELL)
        log_str(&l, "reason", str_of(dnsbl_health_name(health)));
}

/* ---- clients ---- */

static size_t
family_of(const struct subnet *client)
{
    return client->size == 4 ? 0 : 1;
}

size_t
out_lists_for(const struct subnet *client, struct arena *a, const struct config_list ***out)
{
    const struct config_list **lists =
        ARENA_ARRAY(a, const struct config_list *, MAX(state_count, (size_t)1));
    size_t family = family_of(client), n = 0;

    for (size_t i = 0; i < state_count; i++)
        if (states[i].tested[family] && states[i].health[family] == DNSBL_WELL)
            lists[n++] = states[i].list;
    *out = lists;
    return n;
}

bool
out_lists_has(struct resolver *r, const struct config_list *list, const struct subnet *client,
              int64_t until_ms)
{
    AUTO_BUF name = BUF(DOMAIN_MAX);
    enum dnsbl_judgement judged = DNSBL_CLEAR;

    if (dnsbl_address_name(client, list->zone, &name) != OK ||
        !ask(r, buf_str(&name), until_ms - clock_mono_ms(), list, &judged))
        return false;
    if (judged == DNSBL_REFUSED || judged == DNSBL_ALIEN)
        learn(list, family_of(client), DNSBL_DOES_NOT_HEAR);
    return judged == DNSBL_LISTED;
}

/* ---- asking ---- */

static bool
counts(const struct config_list *list, const struct subnet *codes, size_t count)
{
    if (list->answer_count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < list->answer_count; k++)
            if (subnet_covers(&list->answers[k], &codes[i]))
                return true;
    return false;
}

/* False: no answer. */
static SUSPENDS bool
ask(struct resolver *r, struct str name, int64_t timeout_ms, const struct config_list *list,
    enum dnsbl_judgement *out)
{
    AUTO_ARENA *a = arena_new(RESOLVER_RECORDS_ARENA);
    const struct dns_query q = {.name = name, .type = DNS_TYPE_A, .timeout_ms = timeout_ms};
    struct subnet codes[CODES_MAX], code;
    struct dns_records found;
    size_t n = 0;

    if (timeout_ms <= 0 || resolver_records(r, &q, a, &found) != OK)
        return false;
    for (; n < found.count && n < CODES_MAX; n++) {
        codes[n] = (struct subnet){.size = 4, .bits = 32};
        mem_copy(codes[n].bytes, found.data[n].ptr, 4); /* of an A record */
    }
    *out = dnsbl_judge(codes, n, &code);
    if (*out == DNSBL_LISTED && !counts(list, codes, n))
        *out = DNSBL_CLEAR;
    return true;
}
