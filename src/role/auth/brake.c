/* brake.c - the brake on guessing (auth/attempts.h), for every way of logging in, and the log of refusals.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define AUTH_SERVE_HANDLERS_ONLY
#include "auth/attempts.h"
#include "base/limits.h"
#include "config/events.h"
#include "ipc/auth_serve.h"
#include "mail/names.h"
#include "role/auth/auth_internal.h"
#include "role/role.h"
#include "rt/fiber.h"
#include "rt/logger.h"

enum { ARENA_BYTES = 8192, WAIT_MS = 10000 };

static const char *const protocols[] = {"imap", "pop3", "submission",
                                        "web"}; /* enum<3> of auth.ipc */
static const char *const reasons[] = {
    [AUTH_SLOWED] = "slowed",     [AUTH_UNKNOWN] = "unknown",
    [AUTH_PASSWORD] = "password", [AUTH_DISABLED] = "disabled",
    [AUTH_PROTOCOL] = "protocol", [AUTH_EXPIRED] = "expired",
    [AUTH_TOKEN] = "token",       [AUTH_CERTIFICATE] = "certificate",
    [AUTH_FOREIGN] = "foreign",   [AUTH_NONE] = "none",
    [AUTH_WRONG] = "wrong",
};
static struct attempts *attempts;
/* Invitations that are redeemed by nobody knows whom: else a stranger's wrong ones would slow people's log-ins. */
static struct attempts *nameless;
/* Who may not try before another one's try is known. */
static struct fiber_queue waiting;
static uint32_t waiters;

static struct attempts *table_of(const struct auth_asked *q);
static bool begin_refusal(struct log_line *l, const struct auth_asked *q, enum auth_reason why);
static struct attempt attempt_of(const struct auth_asked *q, struct arena *a);

void
auth_brake_begin(void)
{
    attempts = attempts_new();
    nameless = attempts_new();
    fiber_queue_init(&waiting);
}

bool
auth_brake_is_slow(const struct auth_asked *q)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct attempt t = attempt_of(q, a);

    return attempts_are_slow(table_of(q), &t);
}

enum status
auth_brake_try(const struct auth_asked *q)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct attempt t = attempt_of(q, a);

    return attempts_try(table_of(q), &t) ? OK : auth_brake_refuse(q, AUTH_SLOWED);
}

enum status
auth_try_begin(const struct auth_asked *q, struct auth_try *out)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct attempt t = attempt_of(q, a);
    enum attempt_answer may;

    while ((may = attempts_begin(table_of(q), &t, &out->counted)) == ATTEMPT_WAIT) {
        if (waiters == LIMIT_AUTH_QUEUE)
            return ERR_TEMP;
        waiters++;
        enum status e = fiber_queue_wait(&waiting, WAIT_MS);
        waiters--;
        if (e != OK)
            return ERR_TEMP;
    }
    if (may == ATTEMPT_SLOWED)
        return auth_brake_refuse(q, AUTH_SLOWED);
    out->asked = q;
    return OK;
}

void
auth_try_end(struct auth_try *t)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);

    if (t->asked == NULL)
        return;
    struct attempt tried = attempt_of(t->asked, a);
    attempts_known(table_of(t->asked), &tried, t->counted);
    t->asked = NULL;
    fiber_queue_wake_all(&waiting);
}

enum status
auth_brake_refuse(const struct auth_asked *q, enum auth_reason why)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct attempt t = attempt_of(q, a);
    AUTO(logger_send) struct log_line l;

    if (begin_refusal(&l, q, why)) {
        log_str(&l, "ip", q->peer);
        log_str(&l, "account", q->login);
        if (!q->invitation)
            log_str(&l, "protocol", str_of(protocols[q->protocol]));
        log_str(&l, "reason", str_of(reasons[why]));
    }
    if (why == AUTH_SLOWED)
        return ERR_LIMIT;
    attempts_wrong(table_of(q), &t);
    return ERR_DENIED;
}

void
auth_brake_right(const struct auth_asked *q)
{
    AUTO_ARENA *a = arena_new(ARENA_BYTES);
    struct attempt t = attempt_of(q, a);

    attempts_right(table_of(q), &t);
}

/* ---- calls ---- */

enum status
auth_serve_penalties(struct ipc_peer *from, const struct auth_penalties *req, struct arena *a,
                     struct auth_penalties_reply *rep)
{
    struct attempts_penalty *found =
        ARENA_ARRAY(a, struct attempts_penalty, AUTH_PENALTIES_REPLY_PENALTIES_MAX);
    struct auth_penalty *list =
        ARENA_ARRAY(a, struct auth_penalty, AUTH_PENALTIES_REPLY_PENALTIES_MAX);

    (void)from, (void)req;
    size_t n = attempts_penalties(attempts, a, found, AUTH_PENALTIES_REPLY_PENALTIES_MAX);
    n += attempts_penalties(nameless, a, found + n, AUTH_PENALTIES_REPLY_PENALTIES_MAX - n);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct auth_penalty){
            .kind = (uint8_t)found[i].kind, /* enum<3> */
            .what = found[i].what,
            .wrong = found[i].wrong,
            .next_s = found[i].next_s,
            .ends_s = found[i].ends_s,
        };
    rep->penalties = list;
    rep->penalties_count = n;
    return OK;
}

enum status
auth_serve_forgive(struct ipc_peer *from, const struct auth_forgive *req, struct arena *a,
                   struct auth_forgive_reply *rep)
{
    (void)from, (void)a;
    size_t n = attempts_forgive(attempts, req->what) + attempts_forgive(nameless, req->what);
    rep->count = (uint32_t)n; /* at most 8 * LIMIT_LOGIN_COUNTS */
    return OK;
}

/* ---- statics ---- */

/* A page that does not say for whom it asks is on this machine, as the API is. */
static struct attempts *
table_of(const struct auth_asked *q)
{
    bool here = q->peer.len == 0 || str_starts(q->peer, STR("127.")) || str_eq(q->peer, STR("::1"));

    return q->invitation && here ? nameless : attempts;
}

/* Of an invitation what any stranger may bring about without end stays out of the trace: it would push out the rest. */
static bool
begin_refusal(struct log_line *l, const struct auth_asked *q, enum auth_reason why)
{
    if (!q->invitation)
        return event_begin(l, EVENT_LOGIN_FAIL);
    if (why == AUTH_SLOWED || why == AUTH_UNKNOWN)
        return event_begin_untraced(l, EVENT_INVITE_REFUSED);
    return event_begin(l, EVENT_INVITE_REFUSED);
}

/* The name as it counts.  Who writes it in another way, or uses another alias, gets a count of its own: that does not
 * make the address or the network of a guesser younger. */
static struct attempt
attempt_of(const struct auth_asked *q, struct arena *a)
{
    struct str name = name_address(str_sub(q->login, 0, 512), a);

    if (q->login.len == 0) /* a token alone: else all of those would share one count */
        return (struct attempt){.peer = q->peer, .name = STR("")};
    if (str_find(name, '@') < 0)
        name = arena_printf(a, "%.*s@%.*s", STR_FMT(name), STR_FMT(role_self()->config->domain));
    char *lower = arena_dup(a, name.ptr, name.len);
    for (size_t i = 0; i < name.len; i++)
        lower[i] = ascii_lower(lower[i]);
    return (struct attempt){.peer = q->peer, .name = str_from(lower, name.len)};
}

enum status
auth_serve_attempts(struct ipc_peer *from, const struct auth_attempts *req, struct arena *a,
                    struct auth_attempts_reply *rep)
{
    int64_t wait_ms;

    (void)from;
    const struct attempt who = {.peer = req->peer, .name = name_address(req->login, a)};
    rep->wrong = attempts_state(attempts, &who, &wait_ms);
    rep->wait_ms = (uint32_t)wait_ms; /* at most 64 s */
    return OK;
}
