/* renew.c - puts a verifier of our own in the place of another server's hash, once a log-in told the password.
 *
 * One at a time, behind the answer: while many move in at once, log-ins keep the other hashing thread.  What is lost on
 * the way (no room, store away, password changed meanwhile) is made up for by a later log-in.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/verifier.h"
#include "base/limits.h"
#include "base/list.h"
#include "config/events.h"
#include "role/auth/auth_internal.h"
#include "role/role.h"
#include "rt/fiber.h"
#include "rt/logger.h"

struct renewal {
    struct list in_waiting;
    struct secret password;
    uint64_t account;
    struct str address, was;
};
static struct list waiting = {&waiting, &waiting};
static size_t count;
static bool at_work;

static FIBER_ENTRY void work(void *unused);
static SUSPENDS enum status renew(const struct renewal *r);
static void drop(struct renewal *r);

void
auth_renew(const struct auth_found *f, const struct secret *password)
{
    if (count >= LIMIT_AUTH_QUEUE)
        return;
    struct renewal *r = MEM_NEW(struct renewal);
    r->password = *password;
    r->account = f->who.account;
    r->address = mem_str(f->who.address);
    r->was = mem_str(f->sealed);
    list_push(&waiting, &r->in_waiting);
    count++;
    if (at_work)
        return;
    at_work = true;
    if (fiber_go(work, NULL) != OK) {
        at_work = false;
        drop(r);
    }
}

static FIBER_ENTRY void
work(void *unused)
{
    (void)unused;
    while (!list_empty(&waiting)) {
        struct renewal *r = LIST_ENTRY(waiting.next, struct renewal, in_waiting);
        enum status e = renew(r);
        {
            AUTO(logger_send) struct log_line l;
            if (event_begin(&l, EVENT_LOGIN_RENEWED)) {
                log_str(&l, "account", r->address);
                log_str(&l, "result", str_of(status_name(e)));
            }
        }
        drop(r);
    }
    at_work = false;
}

static SUSPENDS enum status
renew(const struct renewal *r)
{
    AUTO_BUF sealed = BUF(VERIFIER_MAX + SEAL_OVERHEAD);
    AUTO_ARENA *a = arena_new(8192);
    const struct auth_password p = {.account = r->account, .password = &r->password};
    struct store_verifier_renew req = {.address = r->address, .was = r->was};
    struct store_verifier_renew_reply rep;
    const char *why;

    TRY(auth_make_verifier(&p, &sealed, &why));
    req.verifier = buf_str(&sealed);
    return store_verifier_renew_call(role_peer(ROLE_STORE), &req, a, &rep);
}

static void
drop(struct renewal *r)
{
    list_remove(&r->in_waiting);
    count--;
    secret_wipe(&r->password);
    mem_str_free(&r->address);
    mem_str_free(&r->was);
    mem_free(r);
}
