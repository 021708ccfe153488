/* rates.c - see rates.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/rates.h"

#include "base/map.h"
#include "base/mem.h"

enum { HOUR_MS = 3600 * 1000 };

struct rates {
    struct map *counts; /* name -> uint32_t */
    int64_t hour;
};

static void begin_hour(struct rates *r, int64_t now_ms);
static void forget(struct rates *r);

struct rates *
rates_new(void)
{
    struct rates *r = MEM_NEW(struct rates);

    r->counts = map_new();
    return r;
}

void
rates_free(struct rates **r)
{
    if (*r == NULL)
        return;
    forget(*r);
    map_free(&(*r)->counts);
    mem_free(*r);
    *r = NULL;
}

uint32_t
rates_count(struct rates *r, struct str name, int64_t now_ms)
{
    begin_hour(r, now_ms);
    const uint32_t *n = map_get(r->counts, name);
    return n == NULL ? 0 : *n;
}

void
rates_add(struct rates *r, struct str name, int64_t now_ms)
{
    begin_hour(r, now_ms);
    uint32_t *n = map_get(r->counts, name);
    if (n == NULL) {
        if (map_count(r->counts) == LIMIT_RATE_KEYS)
            forget(r);
        n = MEM_NEW(uint32_t);
        map_put(r->counts, name, n);
    }
    if (*n < UINT32_MAX)
        ++*n;
}

static void
begin_hour(struct rates *r, int64_t now_ms)
{
    if (now_ms / HOUR_MS == r->hour)
        return;
    r->hour = now_ms / HOUR_MS;
    forget(r);
}

static void
forget(struct rates *r)
{
    size_t cursor = 0;
    struct str name;
    void *n;

    while (map_next(r->counts, &cursor, &name, &n))
        mem_free(n);
    map_free(&r->counts);
    r->counts = map_new();
}
