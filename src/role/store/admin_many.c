/* admin_many.c - many accounts in one call.
 *
 * Some are under way at once: what they write goes out in shared commits, and auth hashes on all its threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "base/limits.h"
#include "base/size.h"
#include "ipc/admin_serve.h"
#include "role/store/admin.h"

enum { AT_ONCE = 64 /* well below what auth's queue takes */ };
static_assert(2 * AT_ONCE <= LIMIT_AUTH_QUEUE, "two such calls");

struct crowd {
    struct store *s;
    const struct admin_account_add_many *req;
    struct admin_new_result *results;
    struct arena *a;
    size_t next, workers;
    struct fiber *waiter;
    bool done;
};

SUSPENDS static void
add_one(struct crowd *c, size_t i)
{
    const struct admin_new_account *n = &c->req->accounts[i];
    struct store_admin_made made = {0};
    struct problem why = {0};

    enum status st = c->req->trial ? store_admin_try(c->s, n, c->a, &made)
                                   : store_admin_make(c->s, n, c->a, &made);
    if (!c->req->trial)
        st = store_admin_done(c->s, st, "account add", n->address);
    c->results[i] = (struct admin_new_result){.status = (uint8_t)st, /* fewer than 256 */
                                              .invitation = made.invitation,
                                              .ends = made.ends.us};
    if (st == OK)
        return;
    if (made.why.text[0] != '\0')
        why = made.why;
    else
        store_admin_words(st, "account add", n->address, &why);
    c->results[i].text = arena_str(c->a, str_of(why.text));
}

static FIBER_ENTRY void
work(void *arg)
{
    struct crowd *c = arg;

    while (c->next < c->req->accounts_count)
        add_one(c, c->next++);
    if (--c->workers == 0)
        fiber_done(c->waiter, &c->done);
}

enum status
admin_serve_account_add_many(struct ipc_peer *from, const struct admin_account_add_many *req,
                             struct arena *a, struct admin_account_add_many_reply *rep)
{
    struct crowd c = {.s = store_of(from), .req = req, .a = a, .waiter = fiber_self()};

    c.results = ARENA_ARRAY(a, struct admin_new_result, req->accounts_count + 1);
    for (size_t i = 0; i < req->accounts_count; i++)
        c.results[i].status = ERR_TEMP; /* what nobody comes to is not made */
    for (size_t i = 0; i < MIN(req->accounts_count, (size_t)AT_ONCE); i++) {
        c.workers++;
        if (fiber_go(work, &c) != OK) {
            c.workers--;
            break;
        }
    }
    if (c.workers > 0)
        TRY(fiber_park_for(&c.done, FIBER_FOREVER, true));
    rep->results = c.results;
    rep->results_count = req->accounts_count;
    return OK;
}
