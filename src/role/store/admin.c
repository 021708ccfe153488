/* admin.c - the control socket of the godwit command: who may talk on it; domains, aliases, status.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "config/version.h"
#include "ipc/admin_serve.h"
#include "ipc/keys_ipc.h"
#include "role/role.h"
#include "role/store/admin.h"
#include "role/store/dkim.h"
#include "role/store/stats.h"
#include "rt/clock.h"
#include "rt/disk.h"
#include "rt/logger.h"
#include "rt/loop.h"
#include "rt/spawn.h"

static struct watch control = {.fd = -1};

static void on_connection(struct watch *w, uint32_t ready);
static void on_gone(struct ipc_peer *p);
static bool may_talk(int fd);
SUSPENDS static enum status one_domain(struct store *s, struct str name, struct arena *a,
                                       struct admin_domain *out);
static struct admin_domain domain_reply(const struct directory_domain *d);

enum status
store_admin_start(struct store *s, int fd)
{
    (void)s;
    ASSERT(control.fd < 0);
    control.fd = fd;
    control.ready = on_connection;
    return watch_start(&control, EPOLLIN);
}

void
store_admin_stop(struct store *s)
{
    (void)s;
    if (control.fd < 0)
        return;
    watch_stop(&control);
    fd_close(&control.fd);
}

enum status
store_admin_done(const struct store *s, enum status st, const char *verb, struct str object)
{
    enum status checked = store_checked(s, st, verb);
    struct problem why = {0};

    {
        AUTO(logger_send) struct log_line l;
        if (event_begin(&l, EVENT_ADMIN)) {
            log_str(&l, "verb", str_of(verb));
            log_str(&l, "object", object);
            log_str(&l, "result", str_of(status_name(checked)));
        }
    }
    if (checked == OK)
        return OK;
    store_admin_words(checked, verb, object, &why);
    ipc_fail(&why);
    return checked;
}

void
store_admin_words(enum status st, const char *verb, struct str object, struct problem *why)
{
    struct str o = str_sub(object, 0, 120);

    switch (st) {
    case ERR_NOT_FOUND:
        problem_set(why, 0, "", "%.*s: there is no such thing here", STR_FMT(o));
        break;
    case ERR_EXISTS: problem_set(why, 0, "", "%.*s is taken, or still in use", STR_FMT(o)); break;
    case ERR_SYNTAX: problem_set(why, 0, "", "\"%.*s\" cannot be used", STR_FMT(o)); break;
    default: problem_set(why, 0, "", "%s %.*s: %s", verb, STR_FMT(o), status_name(st)); break;
    }
}

/* ---- domains ---- */

enum status
admin_serve_domain_add(struct ipc_peer *from, const struct admin_domain_add *req, struct arena *a,
                       struct admin_domain_add_reply *rep)
{
    struct store *s = store_of(from);
    struct store_dkim keys;

    enum status st = directory_domain_add(s->directory, req->name, req->admin);
    TRY(store_admin_done(s, st, "domain add", req->name));
    st = store_dkim_keys(s, req->name, false, a, &keys);
    if (st == ERR_CLOSED) /* role keys may be starting: the keys come with the next look at them */
        st = OK;
    TRY(store_admin_done(s, st, "domain key", req->name));
    return store_checked(s, one_domain(s, req->name, a, &rep->domain), "domain");
}

enum status
admin_serve_domain_remove(struct ipc_peer *from, const struct admin_domain_remove *req,
                          struct arena *a, struct admin_domain_remove_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_domain_use use;
    struct problem why = {0};

    (void)rep;
    enum status st = store_admin_done(s, directory_domain_remove(s->directory, req->name),
                                      "domain remove", req->name);
    if (st != ERR_EXISTS)
        return st;
    TRY(store_checked(s, directory_domain_use(s->directory, req->name, a, &use), "domain"));
    problem_set(&why, 0, "",
                "%.*s has %zu accounts and %zu aliases, %.*s first; godwit account remove and "
                "godwit alias remove take them away",
                STR_FMT(str_sub(req->name, 0, 48)), use.accounts, use.aliases,
                STR_FMT(str_sub(use.first, 0, 48)));
    ipc_fail(&why);
    return st;
}

enum status
admin_serve_domain_keys(struct ipc_peer *from, const struct admin_domain_keys *req, struct arena *a,
                        struct admin_domain_keys_reply *rep)
{
    struct store *s = store_of(from);
    struct store_dkim found = {0};
    bool ours = false;

    TRY(store_checked(s, directory_is_local_domain(s->directory, req->name, &ours), "domain"));
    enum status st = ours ? store_dkim_keys(s, req->name, req->next, a, &found) : ERR_NOT_FOUND;
    if (st == OK && req->look)
        st = store_dkim_look(s, req->name, a, &found);
    TRY(store_admin_done(s, st, req->next ? "domain rotate" : "domain keys", req->name));
    struct admin_dkim_key *list = ARENA_ARRAY(a, struct admin_dkim_key, found.count + 1);
    for (size_t i = 0; i < found.count; i++)
        list[i] = (struct admin_dkim_key){.selector = found.keys[i].selector,
                                          .algorithm = found.keys[i].algorithm,
                                          .state = found.keys[i].state,
                                          .seen = found.keys[i].seen,
                                          .since = found.keys[i].since,
                                          .record = found.keys[i].record};
    *rep = (struct admin_domain_keys_reply){
        .keys = list, .keys_count = found.count, .looked = found.looked};
    return OK;
}

enum status
admin_serve_domains(struct ipc_peer *from, const struct admin_domains *req, struct arena *a,
                    struct admin_domains_reply *rep)
{
    struct store *s = store_of(from);
    const struct directory_domain *found;
    struct directory_page page = {
        .after = req->after, .max = ADMIN_DOMAINS_REPLY_DOMAINS_MAX, .a = a};
    size_t n;

    TRY(store_checked(s, directory_domains(s->directory, &page, &found, &n), "domains"));
    struct admin_domain *list = ARENA_ARRAY(a, struct admin_domain, n + 1);
    for (size_t i = 0; i < n; i++)
        list[i] = domain_reply(&found[i]);
    rep->domains = list;
    rep->domains_count = n;
    rep->more = n == page.max;
    return OK;
}

/* ---- aliases ---- */

enum status
admin_serve_alias_set(struct ipc_peer *from, const struct admin_alias_set *req, struct arena *a,
                      struct admin_alias_set_reply *rep)
{
    struct store *s = store_of(from);

    (void)a;
    (void)rep;
    enum status st = directory_alias_set(s->directory, req->alias.address, req->alias.targets,
                                         req->alias.targets_count);
    st = store_admin_done(s, st, "alias set", req->alias.address);
    if (st == ERR_CONFLICT) {
        struct problem why = {0};
        problem_set(&why, 0, "",
                    "%.*s would lead back to itself, at once or by other aliases; nothing was "
                    "changed",
                    STR_FMT(str_sub(req->alias.address, 0, 100)));
        ipc_fail(&why);
    }
    return st;
}

enum status
admin_serve_aliases(struct ipc_peer *from, const struct admin_aliases *req, struct arena *a,
                    struct admin_aliases_reply *rep)
{
    struct store *s = store_of(from);
    const struct directory_entry *found;
    /* 64 targets of 512 bytes each: so many fit into the arena in any case */
    struct directory_page page = {.after = req->after, .max = 64, .a = a};
    size_t n;

    TRY(store_checked(s, directory_list(s->directory, DIRECTORY_ALIAS, &page, &found, &n),
                      "aliases"));
    struct admin_alias *list = ARENA_ARRAY(a, struct admin_alias, n + 1);
    for (size_t i = 0; i < n; i++)
        list[i] = (struct admin_alias){.address = found[i].address,
                                       .targets = found[i].targets,
                                       .targets_count = found[i].target_count};
    rep->aliases = list;
    rep->aliases_count = n;
    rep->more = n == page.max;
    return OK;
}

/* ---- status ---- */

enum status
admin_serve_status(struct ipc_peer *from, const struct admin_status *req, struct arena *a,
                   struct admin_status_reply *rep)
{
    struct store *s = store_of(from);
    struct engine_counters counters = engine_counters(s->engine);
    struct admin_role_state *roles =
        ARENA_ARRAY(a, struct admin_role_state, ADMIN_STATUS_REPLY_ROLES_MAX);
    size_t n = 0;

    (void)req;
    list_each (l, &s->peers) {
        struct ipc_peer *p = LIST_ENTRY(l, struct store_peer, in_store)->peer;
        if (n == ADMIN_STATUS_REPLY_ROLES_MAX)
            break;
        roles[n++] = (struct admin_role_state){
            .name = arena_printf(a, "%s.%u", role_name(ipc_role(p)), ipc_index(p)),
            .connected = ipc_is_open(p),
        };
    }
    *rep = (struct admin_status_reply){
        .roles = roles,
        .roles_count = n,
        .commits = counters.commits,
        .syncs = counters.syncs,
        .queue_length = queue_length(s->queue),
        .version = str_of(godwit_version),
    };
    if (s->start != NULL) {
        rep->reloads = s->start->reloads;
        rep->reload_taken = s->start->reload_taken;
        rep->reload_said = s->start->reload_said;
    }
    return OK;
}

/* ---- stats ---- */

/* Boss has no channel, and this process none to itself. */
static size_t
list_processes(const struct store *s, const struct store_totals *t, struct arena *a,
               struct admin_process *list)
{
    pid_t boss = 0; /* of the socket to us */
    size_t n = 0;

    if (s->start != NULL && s->start->admin_fd >= 0 && !control_listener(s->start->admin_fd, &boss))
        boss = 0;
    list[n++] = (struct admin_process){.name = STR("boss"),
                                       .pid = (uint32_t)boss, /* none is negative */
                                       .memory = s->start != NULL ? role_memory_of_boss() : 0};
    list[n++] = (struct admin_process){.name = STR("store.0"),
                                       .pid = (uint32_t)getpid(),
                                       .memory = s->start != NULL ? role_memory() : 0};
    for (size_t i = 0; i < t->process_count && n < ADMIN_STATS_REPLY_PROCESSES_MAX; i++)
        list[n++] =
            (struct admin_process){.name = arena_printf(a, "%s.%u", role_name(t->processes[i].role),
                                                        t->processes[i].index),
                                   .pid = t->processes[i].pid,
                                   .open = t->processes[i].open,
                                   .memory = t->processes[i].memory};
    return n;
}

enum status
admin_serve_stats(struct ipc_peer *from, const struct admin_stats *req, struct arena *a,
                  struct admin_stats_reply *rep)
{
    const struct store *s = store_of(from);
    struct engine_counters counters = engine_counters(s->engine);
    struct store_totals *t = ARENA_NEW(a, struct store_totals);
    struct admin_process *list =
        ARENA_ARRAY(a, struct admin_process, ADMIN_STATS_REPLY_PROCESSES_MAX);

    (void)req;
    store_stats_sum(clock_mono_ms(), t);
    *rep = (struct admin_stats_reply){
        .version = str_of(godwit_version),
        .started = s->started.us,
        .totals = t->all,
        .totals_count = STAT_COUNT,
        .recent = t->recent,
        .recent_count = STAT_COUNT,
        .recent_s = t->recent_s,
        .queue_length = queue_length(s->queue),
        .sessions = grants_count(s->grants),
        .commits = counters.commits,
        .syncs = counters.syncs,
        .processes = list,
        .processes_count = list_processes(s, t, a, list),
    };
    return OK;
}

/* ---- the socket ---- */

/* One a turn: the descriptor tells again while more wait. */
static void
on_connection(struct watch *w, uint32_t ready)
{
    struct ipc_peer *peer;

    (void)ready;
    int fd = accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (!may_talk(fd)) {
        fd_close(&fd);
        return;
    }
    const struct ipc_channel_end end = {.fd = fd, .ring_fd = -1, .first = true};
    const struct ipc_options o = {
        .own_role = ROLE_STORE,
        .peer_role = ROLE_ADMIN,
        .serves = store_admin_serves,
        .serve_count = 1,
        .gone = on_gone,
    };
    enum status st = ipc_attach(&end, &o, &peer);
    (void)st; /* a failure has closed it: the command sees that */
}

/* Its large bodies that are not yet whole go with it. */
static void
on_gone(struct ipc_peer *p)
{
    struct intake_source *source = ipc_state(p);

    ipc_set_state(p, NULL);
    intake_source_free(&source);
}

/* Root, and whoever this process is. */
static bool
may_talk(int fd)
{
    struct ucred who;
    socklen_t len = sizeof(who);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 || len != sizeof(who))
        return false;
    return who.uid == 0 || who.uid == geteuid();
}

SUSPENDS static enum status
one_domain(struct store *s, struct str name, struct arena *a, struct admin_domain *out)
{
    const struct directory_domain *found;
    struct directory_page page = {.max = 1, .a = a};
    size_t n;

    for (;;) {
        TRY(directory_domains(s->directory, &page, &found, &n));
        if (n == 0)
            return ERR_NOT_FOUND;
        if (str_eq_nocase(found[0].name, name))
            break;
        page.after = found[0].name;
    }
    *out = domain_reply(&found[0]);
    return OK;
}

static struct admin_domain
domain_reply(const struct directory_domain *d)
{
    return (struct admin_domain){.name = d->name,
                                 .accounts = d->accounts,
                                 .selector = d->selector,
                                 .dkim_record = d->dkim_record};
}
