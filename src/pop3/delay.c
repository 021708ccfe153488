/* delay.c - see delay.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "pop3/delay.h"

#include "base/aged.h"
#include "base/mem.h"
#include "base/size.h"

struct last {
    struct aged_node node;
    uint64_t account; /* the key */
    int64_t at_ms;
};
struct delays {
    struct aged all; /* the youngest log-in last */
};

static void
forget(struct delays *d, struct aged_node *n)
{
    struct last *l = AGED_ENTRY(n, struct last, node);

    aged_take(&d->all, n);
    mem_free(l);
}

struct delays *
delays_new(uint32_t max)
{
    struct delays *d = MEM_NEW(struct delays);

    aged_init(&d->all, max);
    return d;
}

void
delays_free(struct delays **d)
{
    struct aged_node *n;

    if (*d == NULL)
        return;
    while ((n = aged_oldest(&(*d)->all)) != NULL)
        forget(*d, n);
    aged_release(&(*d)->all);
    mem_free(*d);
    *d = NULL;
}

uint32_t
delays_log_in(struct delays *d, uint64_t account, uint32_t delay_s, int64_t now_ms)
{
    struct str key = str_from((const char *)&account, sizeof(account)); /* its bytes are its name */
    struct aged_node *n;

    if (delay_s == 0)
        return 0;
    n = aged_get(&d->all, key);
    if (n != NULL) {
        int64_t left_ms =
            AGED_ENTRY(n, struct last, node)->at_ms + delay_s * INT64_C(1000) - now_ms;
        if (left_ms > 0)
            return (uint32_t)((left_ms + 999) / 1000); /* <= delay_s */
        forget(d, n);
    }
    if (aged_is_full(&d->all))
        forget(d, aged_oldest(&d->all));
    struct last *l = MEM_NEW(struct last);
    l->account = account;
    l->at_ms = now_ms;
    aged_add(&d->all, &l->node, str_from((const char *)&l->account, sizeof(l->account)));
    return 0;
}
