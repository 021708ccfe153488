/* resolver.c - questions to libunbound: its thread answers, a pump fiber wakes who asked.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/resolver.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unbound.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "dns/resolver_internal.h"
#include "rt/offload.h"
#include "rt/random.h"

enum { TYPE_A = 1, TYPE_MX = 15, TYPE_AAAA = 28, CLASS_IN = 1, RCODE_OK = 0, RCODE_NXDOMAIN = 3 };
enum { NAME_TEXT_MAX = 256, ADDRESSES_MAX = 16, NAMES_BYTES = 2 * NAME_TEXT_MAX };

struct resolver {
    struct ub_ctx *ctx;
    struct fiber *pump; /* NULL: nothing was asked yet */
    bool over;          /* the pump frees it */
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

enum status
resolver_new(const struct resolver_options *o, struct resolver **out, struct problem *why)
{
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
    *out = r;
    return OK;
}

static void
close_resolver(struct resolver *r)
{
    ub_ctx_delete(r->ctx);
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
        char address[NAME_TEXT_MAX];
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

/* One that needs no network; nobody waits for its answer. */
static enum status
first_question(struct ub_ctx *ctx, const struct resolver_options *o, struct problem *why)
{
    struct question *q = MEM_NEW(struct question);
    const char *anchor = o->anchor_file != NULL ? o->anchor_file : RESOLVER_ANCHOR_FILE;
    int id = 0;
    int err = ub_resolve_async(ctx, "localhost.", TYPE_A, CLASS_IN, q, answered, &id);

    if (err == 0)
        return OK;
    mem_free(q);
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

void
resolver_result_release(struct ub_result **r)
{
    ub_resolve_free(*r);
}

static SUSPENDS enum status
wait_answer(struct resolver *r, struct question *q, int id, struct ub_result **out)
{
    while (!q->done) {
        enum status e = fiber_park(LIMIT_DNS_TIMEOUT_S * 1000);
        if (e == OK)
            continue;
        if (ub_cancel(r->ctx, id) == 0) {
            mem_free(q);
        } else {
            q->asker = NULL; /* the answer is on its way: answered() frees */
        }
        return e == ERR_TIMEOUT ? ERR_TEMP : e;
    }
    *out = q->result;
    mem_free(q);
    return *out == NULL ? ERR_TEMP : OK;
}

enum status
resolver_ask(struct resolver *r, struct str name, int type, struct ub_result **out)
{
    char text[NAME_TEXT_MAX];
    int id = 0;

    if (!str_to_z(name, text, sizeof(text)))
        return ERR_NOT_FOUND;
    if (r->pump == NULL)
        TRY(fiber_go(pump, r));
    struct question *q = MEM_NEW(struct question);
    q->asker = fiber_self();
    if (ub_resolve_async(r->ctx, text, type, CLASS_IN, q, answered, &id) != 0) {
        mem_free(q);
        return ERR_TEMP;
    }
    return wait_answer(r, q, id, out);
}

enum status
resolver_judge(const struct ub_result *u)
{
    if (u->bogus)
        return ERR_TEMP;
    if (u->nxdomain || u->rcode == RCODE_NXDOMAIN)
        return ERR_NOT_FOUND;
    return u->rcode == RCODE_OK ? OK : ERR_TEMP;
}

/* ---- MX ---- */

static bool
is_host_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_';
}

/* False also for what is no name of a host: it would stand in logs, reports and questions. */
bool
resolver_read_name(struct str wire, struct arena *a, struct str *out)
{
    char text[NAME_TEXT_MAX];
    size_t at = 0, n = 0;

    for (;;) {
        if (at >= wire.len)
            return false;
        size_t label = (unsigned char)wire.ptr[at++];
        if (label == 0)
            break;
        if (label > 63 || at + label > wire.len || n + label + 1 > sizeof(text))
            return false;
        if (n > 0)
            text[n++] = '.';
        for (size_t i = 0; i < label; i++) {
            if (!is_host_char(wire.ptr[at + i]))
                return false;
            text[n++] = ascii_lower(wire.ptr[at + i]);
        }
        at += label;
    }
    *out = n == 0 ? STR("") : arena_str(a, str_from(text, n));
    return true;
}

/* The best hosts so far.  Equal preferences stand in random order (RFC 5321 section 5.1). */
struct ranking {
    struct dns_host *hosts;
    uint64_t order[LIMIT_MX_HOSTS]; /* preference, then random bits */
    size_t count;
};

static void
rank_host(struct ranking *r, struct dns_host host)
{
    uint64_t order = (uint64_t)host.preference << 32 | random_below(UINT32_MAX);
    size_t at = r->count;

    if (at == LIMIT_MX_HOSTS && order >= r->order[at - 1])
        return;
    if (at < LIMIT_MX_HOSTS)
        r->count++;
    else
        at--;
    for (; at > 0 && r->order[at - 1] > order; at--) {
        r->order[at] = r->order[at - 1];
        r->hosts[at] = r->hosts[at - 1];
    }
    r->order[at] = order;
    r->hosts[at] = host;
}

/* RFC 7505: the root as the only host says that there is none; beside others it means nothing. */
static void
read_hosts(const struct ub_result *u, struct arena *a, struct dns_mx *mx)
{
    struct ranking r = {.hosts = ARENA_ARRAY(a, struct dns_host, LIMIT_MX_HOSTS)};
    bool root = false;

    for (size_t i = 0; u->data[i] != NULL; i++) {
        struct str wire = str_from(u->data[i], (size_t)u->len[i]);
        struct dns_host host = {0};
        if (arena_left(a) < NAMES_BYTES || wire.len < 3 ||
            !resolver_read_name(str_skip(wire, 2), a, &host.name))
            continue;
        host.preference = be16_get(wire.ptr);
        root |= host.name.len == 0;
        if (host.name.len > 0)
            rank_host(&r, host);
    }
    mx->hosts = r.hosts;
    mx->count = r.count;
    mx->null_mx = r.count == 0 && root;
}

enum status
resolver_mx(struct resolver *r, struct str domain, struct arena *a, struct dns_mx *out)
{
    AUTO(resolver_result_release) struct ub_result *u = NULL;
    struct dns_mx mx = {0};

    TRY(resolver_ask(r, domain, TYPE_MX, &u));
    TRY(resolver_judge(u));
    mx.secure = u->secure;
    if (u->havedata) {
        read_hosts(u, a, &mx);
        if (mx.count == 0 && !mx.null_mx)
            return ERR_NOT_FOUND; /* RFC 5321 section 5.1: MX without a usable one is an error */
    } else {
        struct dns_host *self = ARENA_NEW(a, struct dns_host);
        self->name = arena_str(a, domain);
        mx.hosts = self;
        mx.count = 1;
        mx.implicit = true;
    }
    *out = mx;
    return OK;
}

/* ---- addresses ---- */

static bool
read_numeric(struct str host, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;
    char text[NAME_TEXT_MAX];

    if (!str_to_z(host, text, sizeof(text)))
        return false;
    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        return true;
    }
    return false;
}

static void
add_addresses(const struct ub_result *u, int type, struct sockaddr_storage *to, size_t *n)
{
    for (size_t i = 0; u->havedata && u->data[i] != NULL && *n < ADDRESSES_MAX; i++) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&to[*n];
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&to[*n];
        if (type == TYPE_A && u->len[i] == 4) {
            v4->sin_family = AF_INET;
            mem_copy(&v4->sin_addr, u->data[i], 4);
            (*n)++;
        } else if (type == TYPE_AAAA && u->len[i] == 16) {
            v6->sin6_family = AF_INET6;
            mem_copy(&v6->sin6_addr, u->data[i], 16);
            (*n)++;
        }
    }
}

/* One family's addresses. */
struct family {
    struct sockaddr_storage at[ADDRESSES_MAX];
    size_t count;
    enum status status; /* ERR_NOT_FOUND also when it is not asked for */
    bool secure;
};

static SUSPENDS enum status
add_family(struct resolver *r, struct str host, int type, struct family *f)
{
    AUTO(resolver_result_release) struct ub_result *u = NULL;

    TRY(resolver_ask(r, host, type, &u));
    TRY(resolver_judge(u));
    add_addresses(u, type, f->at, &f->count);
    f->secure = u->secure;
    return OK;
}

/* IPv6, IPv4, IPv6 ...: one dead family then costs one connection attempt, not all. */
static size_t
interleave(const struct family *six, const struct family *four, struct sockaddr_storage *to)
{
    size_t n = 0;

    for (size_t i = 0; i < MAX(six->count, four->count); i++) {
        if (i < six->count)
            to[n++] = six->at[i];
        if (i < four->count)
            to[n++] = four->at[i];
    }
    return n;
}

enum status
resolver_addresses(struct resolver *r, struct str host, unsigned families, struct arena *a,
                   struct dns_addresses *out)
{
    struct sockaddr_storage *all = ARENA_ARRAY(a, struct sockaddr_storage, 2 * ADDRESSES_MAX);
    struct family *six = ARENA_NEW(a, struct family), *four = ARENA_NEW(a, struct family);

    if (read_numeric(host, &all[0])) {
        *out = (struct dns_addresses){.at = all, .count = 1};
        return OK;
    }
    six->status = four->status = ERR_NOT_FOUND;
    if ((families & DNS_IPV6) != 0)
        six->status = add_family(r, host, TYPE_AAAA, six);
    if ((families & DNS_IPV4) != 0)
        four->status = add_family(r, host, TYPE_A, four);
    if (six->count + four->count == 0) {
        /* Whatever kept us from knowing is not the same as that there is nothing. */
        if (four->status != OK && four->status != ERR_NOT_FOUND)
            return four->status;
        return six->status == OK ? ERR_NOT_FOUND : six->status;
    }
    *out = (struct dns_addresses){.at = all,
                                  .count = interleave(six, four, all),
                                  .secure = (six->count == 0 || six->secure) &&
                                            (four->count == 0 || four->secure)};
    return OK;
}
