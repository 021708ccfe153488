/* absent.c - see absent.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/absent.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"

struct absent {
    int64_t until_ms;
    uint32_t failures;
    char why[ABSENT_WHY_MAX];
};
struct absents {
    struct map *all;
};

struct absents *
absents_new(void)
{
    struct absents *a = MEM_NEW(struct absents);

    a->all = map_new();
    return a;
}

void
absents_free(struct absents **a)
{
    size_t cursor = 0;
    struct str key;
    void *one;

    if (*a == NULL)
        return;
    while (map_next((*a)->all, &cursor, &key, &one))
        mem_free(one);
    map_free(&(*a)->all);
    mem_free(*a);
    *a = NULL;
}

bool
absent_is(struct absents *a, struct str name, int64_t now_ms, const char **why_out)
{
    struct absent *one = map_get(a->all, name);

    if (one == NULL)
        return false;
    if (now_ms >= one->until_ms) {
        one->until_ms = now_ms + LIMIT_OUT_ABSENT_S * INT64_C(1000); /* the one who asks tries it */
        return false;
    }
    if (why_out != NULL)
        *why_out = one->why;
    return true;
}

bool
absent_knows(const struct absents *a, struct str name)
{
    return map_get(a->all, name) != NULL;
}

/* Makes room, when there is any to be made. */
static bool
forget_old(struct absents *a, int64_t now_ms)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    if (map_count(a->all) < LIMIT_OUT_REMEMBERED)
        return true;
    while (map_next(a->all, &cursor, &key, &value)) {
        struct absent *one = value;
        if (one->until_ms > now_ms)
            continue;
        map_del(a->all, key);
        mem_free(one);
    }
    return map_count(a->all) < LIMIT_OUT_REMEMBERED;
}

void
absent_failed(struct absents *a, struct str name, int64_t now_ms, const char *why)
{
    struct absent *one = map_get(a->all, name);
    int64_t rest_s = LIMIT_OUT_ABSENT_S;

    if (one == NULL) {
        if (!forget_old(a, now_ms))
            return;
        one = MEM_NEW(struct absent);
        map_put(a->all, name, one);
    }
    for (uint32_t i = 0; i < one->failures && rest_s < LIMIT_OUT_ABSENT_MAX_S; i++)
        rest_s *= 2;
    one->failures++;
    one->until_ms = now_ms + MIN(rest_s, (int64_t)LIMIT_OUT_ABSENT_MAX_S) * 1000;
    struct str text = str_sub(str_of(why), 0, ABSENT_WHY_MAX - 1);
    mem_copy(one->why, text.ptr, text.len);
    one->why[text.len] = '\0';
}

void
absent_answered(struct absents *a, struct str name)
{
    mem_free(map_del(a->all, name));
}
