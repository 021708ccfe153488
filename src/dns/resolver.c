/* resolver.c - questions to libunbound: its thread answers, a pump fiber wakes who asked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unbound.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "dns/cache.h"
#include "dns/name.h"
#include "dns/resolver_internal.h"
#include "dns/zone.h"
#include "rt/clock.h"
#include "rt/offload.h"

enum { CLASS_IN = 1, RCODE_OK = 0, RCODE_NXDOMAIN = 3 };
enum { ADDRESS_TEXT_MAX = 256, NAME_ESCAPED_MAX = 512 };

struct resolver {
    struct ub_ctx *ctx; /* NULL: the zone file answers */
    struct zone *zone;
    struct dns_cache *cache; /* of what ctx said; NULL with a zone file */
    struct fiber *pump;      /* NULL: nothing was asked yet */
    bool over;               /* the pump frees it */
};
struct question {
    struct fiber *asker; /* NULL: gave up */
    struct ub_result *result;
    bool done;
};

/* What opens the context, on a thread of its own. */
struct opening {
    const struct resolver_options *o;
    struct problem *why;
    struct ub_ctx *ctx;
    enum status result;
};

static void open_context(void *arg);
static void answered(void *arg, int err, struct ub_result *result);
static enum status configure(struct ub_ctx *ctx, const struct resolver_options *o,
                             struct problem *why);
static enum status first_question(struct ub_ctx *ctx, const struct resolver_options *o,
                                  struct problem *why);

static enum status
new_of_zone(struct str text, struct resolver **out, struct problem *why)
{
    struct zone *zone = NULL;

    TRY(zone_read(text, &zone, why));
    struct resolver *r = MEM_NEW(struct resolver);
    r->zone = zone;
    *out = r;
    return OK;
}

enum status
resolver_new(const struct resolver_options *o, struct resolver **out, struct problem *why)
{
    if (o->zone.ptr != NULL)
        return new_of_zone(o->zone, out, why);

    AUTO(offload_free) struct offload_pool *thread = NULL;
    struct opening opening = {.o = o, .why = why, .result = ERR_CANCELLED};

    TRY(offload_new("resolver", 1, 1, &thread));
    enum status e = rt_offload(thread, open_context, &opening);
    if (e == OK)
        e = opening.result;
    if (e != OK) {
        ub_ctx_delete(opening.ctx);
        return e;
    }
    struct resolver *r = MEM_NEW(struct resolver);
    r->ctx = opening.ctx;
    r->cache = dns_cache_new(LIMIT_DNS_CACHE_BYTES);
    *out = r;
    return OK;
}

static void
close_resolver(struct resolver *r)
{
    if (r->ctx != NULL)
        ub_ctx_delete(r->ctx);
    dns_cache_free(&r->cache);
    zone_free(&r->zone);
    mem_free(r);
}

void
resolver_free(struct resolver **r)
{
    struct resolver *gone = *r;

    if (gone == NULL)
        return;
    *r = NULL;
    gone->over = true;
    if (gone->pump != NULL)
        fiber_cancel(gone->pump);
    else
        close_resolver(gone);
}

static int
set_option(struct ub_ctx *ctx, const char *name, const char *value)
{
    return ub_ctx_set_option(ctx, name, value);
}

static int
set_upstream(struct ub_ctx *ctx, const struct resolver_options *o)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < o->forward_count; i++) {
        char address[ADDRESS_TEXT_MAX];
        if (!str_to_z(o->forward[i], address, sizeof(address)))
            return UB_SYNTAX;
        err = ub_ctx_set_fwd(ctx, address);
    }
    if (o->forward_count == 0 && !o->recursive)
        err = ub_ctx_resolvconf(ctx, NULL);
    return err;
}

/* libunbound opens its files with the first question, and wants far more stack for that than a fiber has. */
static void
open_context(void *arg)
{
    struct opening *w = arg;

    w->ctx = ub_ctx_create();
    if (w->ctx == NULL) {
        problem_set(w->why, 0, "", "the resolver cannot start");
        w->result = ERR_IO;
        return;
    }
    w->result = configure(w->ctx, w->o, w->why);
    if (w->result == OK)
        w->result = first_question(w->ctx, w->o, w->why);
}

static enum status
configure(struct ub_ctx *ctx, const struct resolver_options *o, struct problem *why)
{
    /* A forwarder on this machine is usual (systemd-resolved, test zones). */
    int err = set_option(ctx, "do-not-query-localhost:", "no");

    if (err == 0 && !o->dnssec)
        err = set_option(ctx, "module-config:", "iterator");
    if (err == 0 && o->dnssec)
        err =
            ub_ctx_add_ta_file(ctx, o->anchor_file != NULL ? o->anchor_file : RESOLVER_ANCHOR_FILE);
    if (err == 0)
        err = set_option(ctx, "cache-max-negative-ttl:", "300");
    if (err == 0)
        err = set_option(ctx, "msg-cache-size:", "4m");
    if (err == 0)
        err = set_option(ctx, "rrset-cache-size:", "8m");
    if (err == 0)
        err = set_upstream(ctx, o);
    if (err == 0)
        err = ub_ctx_async(ctx, 1);
    /* The first call that works with the context builds it, with 64 KiB of one frame: too much for the stack of a
     * fiber, which asks the first question. */
    if (err == 0)
        err = ub_ctx_data_remove(ctx, "finish.invalid.");
    if (err == 0)
        return OK;
    problem_set(why, 0, "", "the resolver refuses its settings: %s", ub_strerror(err));
    return ERR_SYNTAX;
}

/* Not called when the context ends before. */
static void
ignored(void *arg, int err, struct ub_result *result)
{
    (void)arg, (void)err;
    ub_resolve_free(result);
}

/* One that needs no network; nobody waits for its answer. */
static enum status
first_question(struct ub_ctx *ctx, const struct resolver_options *o, struct problem *why)
{
    const char *anchor = o->anchor_file != NULL ? o->anchor_file : RESOLVER_ANCHOR_FILE;
    int id = 0;
    int err = ub_resolve_async(ctx, "localhost.", DNS_TYPE_A, CLASS_IN, NULL, ignored, &id);

    if (err == 0)
        return OK;
    if (o->dnssec && access(anchor, R_OK) != 0)
        problem_set(why, 0, "",
                    "the DNSSEC trust anchor %s cannot be read: install dns-root-data, or add "
                    "no-dnssec to the resolver's line",
                    anchor);
    else
        problem_set(why, 0, "", "the resolver cannot start: %s", ub_strerror(err));
    return ERR_IO;
}

/* ---- asking ---- */

/* Called by ub_process() on the pump's fiber. */
static void
answered(void *arg, int err, struct ub_result *result)
{
    struct question *q = arg;

    q->done = true;
    q->result = err == 0 ? result : NULL;
    if (q->asker != NULL) {
        fiber_wake(q->asker);
        return;
    }
    ub_resolve_free(result); /* nobody waits any more */
    mem_free(q);
}

static FIBER_ENTRY void
pump(void *arg)
{
    struct resolver *r = arg;

    r->pump = fiber_self();
    while (!r->over && fiber_wait_fd(ub_fd(r->ctx), EPOLLIN, FIBER_FOREVER) == OK)
        if (ub_process(r->ctx) != 0)
            break;
    r->pump = NULL;
    if (r->over)
        close_resolver(r);
}

static SUSPENDS enum status
wait_answer(struct resolver *r, struct question *q, int id, int64_t timeout_ms)
{
    int64_t until = clock_mono_ms() + timeout_ms;

    while (!q->done) {
        enum status e = fiber_park(MAX(until - clock_mono_ms(), 0));
        if (e == OK || q->done)
            continue;
        if (ub_cancel(r->ctx, id) == 0) {
            mem_free(q);
        } else {
            q->asker = NULL; /* the answer is on its way: answered() frees */
        }
        return e == ERR_TIMEOUT ? ERR_TEMP : e;
    }
    return OK;
}

/* For libunbound a backslash begins an escape; here it is a byte like others. */
static bool
escape(struct str name, char *z, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '\0' || n + 3 > size)
            return false;
        if (name.ptr[i] == '\\')
            z[n++] = '\\';
        z[n++] = name.ptr[i];
    }
    z[n] = '\0';
    return true;
}

static enum status
judge(struct ub_result *u, struct dns_answer *out)
{
    struct dns_answer w = {.result = u, .secure = u->secure};
    bool absent = u->nxdomain || u->rcode == RCODE_NXDOMAIN;

    if (u->bogus || (!absent && u->rcode != RCODE_OK))
        return ERR_TEMP;
    w.exists = !absent;
    w.aliased = u->canonname != NULL && dns_name_read(str_of(u->canonname), &w.canonical);
    while (!absent && u->havedata && u->data[w.count] != NULL)
        w.count++;
    *out = w;
    return OK;
}

static SUSPENDS enum status
ask_unbound(struct resolver *r, const char *name, enum dns_type type, int64_t timeout_ms,
            struct dns_answer *out)
{
    int id = 0;

    if (r->pump == NULL)
        TRY(fiber_go(pump, r));
    struct question *q = MEM_NEW(struct question);
    q->asker = fiber_self();
    if (ub_resolve_async(r->ctx, name, (int)type, CLASS_IN, q, answered, &id) != 0) {
        mem_free(q);
        return ERR_TEMP;
    }
    TRY(wait_answer(r, q, id, timeout_ms));
    struct ub_result *u = q->result;
    mem_free(q);
    if (u == NULL)
        return ERR_TEMP;
    enum status e = judge(u, out);
    if (e != OK)
        ub_resolve_free(u);
    return e;
}

/* The state of a server (SOA) is asked afresh, for checks. */
static bool
is_kept(enum dns_type type)
{
    return type != DNS_TYPE_SOA;
}

static void
keep(struct resolver *r, const struct dns_name *name, enum dns_type type,
     const struct dns_answer *got)
{
    struct dns_cached answer = {.exists = got->exists, .secure = got->secure, .count = got->count};
    int64_t now = clock_mono_ms();
    int64_t until = dns_cache_until(&answer, got->result->ttl, now);

    if (!is_kept(type) || until <= now)
        return;
    struct str *data = MEM_ARRAY(struct str, got->count + 1);
    for (size_t i = 0; i < got->count; i++)
        data[i] = str_from(got->result->data[i], (size_t)got->result->len[i]);
    answer.data = data;
    if (got->aliased)
        answer.canonical = dns_name_str(&got->canonical);
    dns_cache_put(r->cache, name, type, &answer, until);
    mem_free(data);
}

static bool
recall(struct resolver *r, const struct dns_name *name, enum dns_type type, struct dns_answer *out)
{
    const struct dns_cached *held = dns_cache_get(r->cache, name, type, clock_mono_ms());

    if (held == NULL)
        return false;
    *out = (struct dns_answer){
        .exists = held->exists, .secure = held->secure, .count = held->count, .cached = held};
    if (held->canonical.ptr != NULL) {
        out->aliased = true;
        out->canonical.len = (uint8_t)held->canonical.len; /* of a name */
        mem_copy(out->canonical.wire, held->canonical.ptr, held->canonical.len);
    }
    return true;
}

static enum status
ask_zone(const struct zone *z, const struct dns_name *name, enum dns_type type,
         struct dns_answer *out)
{
    struct dns_answer w = {.secure = zone_is_secure(z), .canonical = *name};
    enum status e = zone_find(z, name, type, &w.record);

    w.aliased = type != DNS_TYPE_CNAME && zone_follow(z, &w.canonical);

    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    w.exists = e == OK;
    for (const struct zone_record *at = w.record; at != NULL; at = zone_next(at))
        w.count++;
    *out = w;
    return OK;
}

enum status
resolver_ask(struct resolver *r, struct str name, enum dns_type type, int64_t timeout_ms,
             struct dns_answer *out)
{
    char text[NAME_ESCAPED_MAX];
    struct dns_name wire;

    if (!dns_name_read(name, &wire) || !escape(name, text, sizeof(text)))
        return ERR_NOT_FOUND;
    if (r->zone != NULL)
        return ask_zone(r->zone, &wire, type, out);
    if (recall(r, &wire, type, out))
        return OK;
    TRY(ask_unbound(r, text, type, timeout_ms, out));
    keep(r, &wire, type, out);
    return OK;
}

bool
dns_answer_next(struct dns_answer *w, struct str *data_out)
{
    if (w->result != NULL && w->at < w->count) {
        *data_out = str_from(w->result->data[w->at], (size_t)w->result->len[w->at]);
        w->at++;
        return true;
    }
    if (w->cached != NULL && w->at < w->count) {
        *data_out = w->cached->data[w->at++];
        return true;
    }
    if (w->record == NULL)
        return false;
    *data_out = zone_data(w->record);
    w->record = zone_next(w->record);
    return true;
}

void
dns_answer_release(struct dns_answer *w)
{
    if (w->result != NULL)
        ub_resolve_free(w->result);
    if (w->cached != NULL)
        dns_cached_let_go(w->cached);
    w->result = NULL;
    w->cached = NULL;
}
