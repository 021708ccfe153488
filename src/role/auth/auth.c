/* auth.c - who is who: passwords are checked here, and nowhere else.
 *
 * May touch:  the master key, channels to the store and to user workers.  No files, no network.
 * A password is hashed on its own threads (auth/verifier.h); a good log-in is remembered for some minutes.
 * After a restart of the store the live grants are told again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/prepare.h"
#include "auth/verifier.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/size.h"
#include "ipc/auth_serve.h"
#include "ipc/store_ipc.h"
#include "mail/names.h"
#include "role/auth/auth_internal.h"
#include "role/role.h"
#include "rt/clock.h"
#include "rt/fiber.h"
#include "rt/heap.h"
#include "rt/offload.h"

#define VERIFIER_KIND STR("verifier") /* of auth/seal.h; the name is the account */
#define GRANT_DAYS    30

enum { HASH_THREADS = 2, NAME_BYTES = 16, CHANGES_KEPT = 256 };

/* A session that the store knows, kept to tell a new store about it. */
struct live {
    uint64_t incarnation, session, account, app;
    int64_t expires_us, since_us;
    uint8_t protocol;
    char peer[65], tls_version[17]; /* ended by a zero byte, as all was before */
};

static struct seal *seal;
static struct auth_cache *cache;
static struct offload_pool *hashing;
static struct fiber_lock foreign_turn;
static uint32_t foreign_waiters;
static struct map *grants; /* of struct live, by incarnation and session */

struct exchanges *auth_exchanges;

/* The master key goes no further than this process. */
static enum status
read_master_key(const struct role_start *s, struct problem *why)
{
    AUTO_BUF key = BUF(ROLE_MASTER_KEY_BYTES + 1);

    if (s->master_key_fd < 0 || role_fd_read(s->master_key_fd, &key) != OK ||
        seal_new(buf_str(&key), &seal) != OK) {
        problem_set(why, 0, "", "the master key cannot be read, or is not %u bytes long",
                    ROLE_MASTER_KEY_BYTES);
        return ERR_CORRUPT;
    }
    mem_wipe(key.ptr, key.cap);
    return OK;
}

static enum status
prepare(const struct role_start *s, struct problem *why)
{
    (void)s, (void)why;
    password_preload();
    auth_oauth_prepare();
    return OK;
}

static void
files_changed(const struct role_start *s)
{
    auth_oauth_keys(s);
    auth_external_trust(s);
}

static FIBER_ENTRY enum status
begin(const struct role_start *s, struct problem *why)
{
    TRY(read_master_key(s, why));
    cache = auth_cache_new(LIMIT_AUTH_CACHE_ENTRIES);
    auth_brake_begin();
    TRY(auth_scram_begin(seal));
    TRY(auth_app_begin(seal));
    TRY(auth_invite_begin(seal));
    files_changed(s);
    grants = map_new();
    heap_one_arena();
    fiber_lock_init(&foreign_turn);
    return offload_new("hash", HASH_THREADS, LIMIT_AUTH_QUEUE, &hashing);
}

/* ---- hashing on threads ---- */

struct job {
    const struct secret *password, *raw; /* prepared, and as it came */
    struct str verifier;                 /* empty: nobody has this name */
    struct str hash;                     /* of another server, to be taken */
    struct buf made;
    const char *why; /* it cannot be, or NULL */
    enum status result;
};

static void
check_work(void *arg)
{
    struct job *j = arg;

    if (j->verifier.len > 0) {
        j->result =
            verifier_check(j->verifier, verifier_is_foreign(j->verifier) ? j->raw : j->password);
    } else {
        verifier_check_nobody(j->password);
        j->result = ERR_DENIED;
    }
}

static void
make_work(void *arg)
{
    struct job *j = arg;

    j->result = j->hash.len > 0 ? verifier_take(j->hash, &j->made, &j->why)
                                : verifier_make(j->password, &j->made);
}

/* Of the threads one at most works on hashes of other servers, whose cost others chose: log-ins by our own verifiers
 * always have the other. */
static SUSPENDS enum status
run_check(struct job *j)
{
    if (j->verifier.len == 0 || !verifier_is_foreign(j->verifier))
        return rt_offload(hashing, check_work, j);
    if (foreign_waiters == LIMIT_AUTH_QUEUE)
        return ERR_TEMP;
    foreign_waiters++;
    enum status e = fiber_lock_take(&foreign_turn);
    foreign_waiters--;
    TRY(e);
    e = rt_offload(hashing, check_work, j);
    fiber_lock_give(&foreign_turn);
    return e;
}

static struct str
account_name(uint64_t account, char *name)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < NAME_BYTES; i++)
        name[i] = digits[(account >> (60 - 4 * i)) & 15];
    return str_from(name, NAME_BYTES);
}

/* ---- changes ---- */

/* Passwords that changed, accounts that were shut, while somebody was logging in: what began with the old state must
 * not end well.  The last of them, by their number. */
static struct {
    uint64_t count, account[CHANGES_KEPT];
} changes;

uint64_t
auth_changes(void)
{
    return changes.count;
}

bool
auth_has_changed(uint64_t account, uint64_t since)
{
    if (changes.count - since > CHANGES_KEPT)
        return true; /* cannot tell */
    for (uint64_t i = since; i < changes.count; i++)
        if (changes.account[i % CHANGES_KEPT] == account)
            return true;
    return false;
}

/* ---- grants ---- */

static struct str
grant_key(const struct live *l, char *key)
{
    be64_put(key, l->incarnation);
    be64_put(key + 8, l->session);
    return str_from(key, 16);
}

static SUSPENDS enum status
tell_store(const struct live *l)
{
    AUTO_ARENA *a = arena_new(4096);
    struct store_grant req = {
        .incarnation = l->incarnation,
        .session = l->session,
        .account = l->account,
        .rights = AUTH_RIGHTS_ALL,
        .expires = l->expires_us,
        .app = l->app,
        .since = l->since_us,
        .protocol = l->protocol,
        .peer = str_of(l->peer),
        .tls_version = str_of(l->tls_version),
    };
    struct store_grant_reply rep;

    return store_grant_call(role_peer(ROLE_STORE), &req, a, &rep);
}

static SUSPENDS void
take_back(const struct live *l)
{
    AUTO_ARENA *a = arena_new(4096);
    struct store_revoke req = {
        .incarnation = l->incarnation, .session = l->session, .account = l->account};
    struct store_revoke_reply rep;

    if (store_revoke_call(role_peer(ROLE_STORE), &req, a, &rep) != OK)
        return; /* the store is gone, and its grants with it */
}

enum status
auth_grant(struct ipc_peer *worker, const struct auth_session *s)
{
    struct live *l = MEM_NEW(struct live);
    int64_t now = clock_now().us;
    char key[16];

    *l = (struct live){
        .incarnation = ipc_incarnation(worker),
        .session = s->session,
        .account = s->account,
        .app = s->app,
        .expires_us = now + GRANT_DAYS * 86400LL * 1000000,
        .since_us = now,
        .protocol = s->protocol,
    };
    if (!str_to_z(s->peer, l->peer, sizeof(l->peer)))
        l->peer[0] = '\0'; /* no word of ours */
    if (!str_to_z(s->tls_version, l->tls_version, sizeof(l->tls_version)))
        l->tls_version[0] = '\0';
    uint64_t since = auth_changes();
    enum status e = tell_store(l);
    bool changed = auth_has_changed(s->account, since);
    if (e == OK && changed)
        take_back(l);
    if (e != OK || changed || !ipc_is_open(worker)) {
        mem_free(l);
        return e == ERR_LIMIT ? ERR_LIMIT : ERR_TEMP;
    }
    mem_free(map_put(grants, grant_key(l, key), l));
    return OK;
}

/* Every live grant again, for a store that was started anew. */
static FIBER_ENTRY void
replay(void *arg)
{
    AUTO_BUF all = BUF(64u << 20);
    size_t cursor = 0;
    struct str key;
    void *value;

    (void)arg;
    /* A copy: the map may change while a call is under way. */
    while (map_next(grants, &cursor, &key, &value))
        buf_add(&all, str_from(value, sizeof(struct live)));
    for (size_t at = 0; at + sizeof(struct live) <= all.len; at += sizeof(struct live)) {
        struct live l;
        char k[16];
        mem_copy(&l, all.ptr + at, sizeof(l));
        if (map_get(grants, grant_key(&l, k)) == NULL)
            continue;
        enum status e = tell_store(&l);
        if (e == ERR_CLOSED)
            return; /* the next store hears it */
        if (e == OK && map_get(grants, grant_key(&l, k)) == NULL)
            take_back(&l); /* it ended, or its account was shut, while the store was told */
    }
}

static void
drop_worker(uint64_t incarnation)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    while (map_next(grants, &cursor, &key, &value)) {
        struct live *l = value;
        if (l->incarnation == incarnation)
            mem_free(map_del(grants, key));
    }
}

/* ---- calls ---- */

/* What nobody has is opened like what somebody has: it fails, and takes as long. */
static void
open_nothing(void)
{
    static const char sealed[VERIFIER_USUAL + SEAL_OVERHEAD] = {1, 1};
    AUTO_BUF nothing = BUF(VERIFIER_MAX);

    if (seal_open(seal, VERIFIER_KIND, STR("0123456789abcdef"), str_from(sealed, sizeof(sealed)),
                  &nothing) == OK)
        buf_release(&nothing);
}

enum status
auth_find(struct str login, struct arena *a, struct auth_found *out)
{
    struct store_login_find req = {.login = login};
    struct store_login_find_reply rep;
    char name[NAME_BYTES];

    if (store_login_find_call(role_peer(ROLE_STORE), &req, a, &rep) != OK)
        return ERR_TEMP;
    out->who = (struct auth_known){.account = rep.account, .address = rep.address};
    out->disabled = rep.disabled;
    out->apps = rep.app_passwords;
    out->app_count = rep.app_passwords_count;
    out->invitation = rep.invitation;
    out->invitation_ends = rep.invitation_ends;
    out->verifier = BUF(VERIFIER_MAX);
    if (rep.account == 0 || rep.verifier.len == 0) {
        open_nothing();
        return OK;
    }
    out->sealed = rep.verifier;
    return seal_open(seal, VERIFIER_KIND, account_name(rep.account, name), rep.verifier,
                     &out->verifier);
}

void
auth_found_release(struct auth_found *f)
{
    if (f->verifier.ptr != NULL)
        mem_wipe(f->verifier.ptr, f->verifier.cap);
    buf_release(&f->verifier);
}

enum auth_reason
auth_reason_of(const struct auth_found *f)
{
    return f->who.account == 0 ? AUTH_UNKNOWN : f->disabled ? AUTH_DISABLED : AUTH_PASSWORD;
}

struct given {
    struct secret prepared, raw;
};

static void
given_wipe(struct given *g)
{
    secret_wipe(&g->prepared);
    secret_wipe(&g->raw);
}

static SUSPENDS enum status
check_password(const struct auth_asked *q, const struct given *given, struct arena *a,
               struct auth_checked *out)
{
    AUTO_FOUND found = {0};
    const struct secret *password = &given->prepared;
    struct str login = name_address(q->login, a);

    if (auth_cache_find(cache, login, password, a, &out->who))
        return OK;
    uint64_t since = auth_changes();
    TRY(auth_find(login, a, &found));
    out->why = auth_reason_of(&found);
    enum status app = auth_app_check(&found, password, q->protocol, out);
    if (app == OK)
        out->who = found.who;
    if (app != ERR_NOT_FOUND)
        return app == OK && auth_has_changed(found.who.account, since) ? ERR_TEMP : app;
    struct job j = {.password = password,
                    .raw = &given->raw,
                    .verifier = found.disabled ? STR_NONE : buf_str(&found.verifier)};
    if (run_check(&j) != OK)
        return ERR_TEMP;
    TRY(j.result);
    if (auth_has_changed(found.who.account, since))
        return ERR_TEMP;
    out->who = found.who;
    auth_cache_add(cache, login, password, out->who.account, out->who.address);
    if (verifier_is_foreign(buf_str(&found.verifier)) &&
        verifier_saw_all(buf_str(&found.verifier), &given->raw))
        auth_renew(&found, password);
    return OK;
}

enum status
auth_serve_login(struct ipc_peer *from, const struct auth_login *req, struct arena *a,
                 struct auth_login_reply *rep)
{
    AUTO(given_wipe) struct given given = {0};
    struct auth_checked checked = {.why = AUTH_PASSWORD};
    const struct auth_asked asked = {
        .peer = req->peer, .login = req->login, .protocol = req->protocol};

    AUTO_TRY under_way = {0};
    TRY(auth_try_begin(&asked, &under_way));
    if (!password_set(&given.prepared, req->password) || !secret_set(&given.raw, req->password))
        return auth_brake_refuse(&asked, checked.why);
    enum status e = check_password(&asked, &given, a, &checked);
    if (e == ERR_DENIED)
        return auth_brake_refuse(&asked, checked.why);
    TRY(e);
    auth_brake_right(&asked);
    auth_try_end(&under_way); /* so that what is remembered is never in the air */
    const struct auth_session session = {.session = req->session,
                                         .account = checked.who.account,
                                         .app = checked.app,
                                         .protocol = req->protocol,
                                         .peer = req->peer,
                                         .tls_version = req->tls_version};
    TRY(auth_grant(from, &session));
    *rep = (struct auth_login_reply){.account = checked.who.account,
                                     .address = checked.who.address,
                                     .rights = AUTH_RIGHTS_ALL,
                                     .app = checked.app_name};
    return OK;
}

void
auth_serve_session_end(struct ipc_peer *from, const struct auth_session_end *req, struct arena *a)
{
    struct live l = {.incarnation = ipc_incarnation(from), .session = req->session};
    char key[16];

    (void)a;
    mem_free(map_del(grants, grant_key(&l, key)));
    AUTO(exchange_free)
    struct exchange *x = exchanges_take(auth_exchanges, l.incarnation, l.session);
    (void)x;
}

enum status
auth_make_verifier(const struct auth_password *p, struct buf *sealed, const char **why)
{
    struct job j = {.password = p->password, .hash = p->hash, .made = BUF(VERIFIER_MAX)};
    char name[NAME_BYTES];

    enum status e = rt_offload(hashing, make_work, &j);
    if (e == OK)
        e = j.result;
    if (e == OK)
        e = seal_make(seal, VERIFIER_KIND, account_name(p->account, name), buf_str(&j.made),
                      sealed);
    if (j.made.ptr != NULL)
        mem_wipe(j.made.ptr, j.made.cap);
    buf_release(&j.made);
    *why = j.why;
    return e;
}

enum status
auth_serve_verifier_make(struct ipc_peer *from, const struct auth_verifier_make *req,
                         struct arena *a, struct auth_verifier_make_reply *rep)
{
    AUTO_SECRET password = {0};
    AUTO_BUF sealed = BUF(VERIFIER_MAX + SEAL_OVERHEAD);
    const struct auth_password p = {
        .account = req->account, .password = &password, .hash = req->hash};
    const char *why = NULL;

    (void)from;
    if (!password_set(&password, req->password) || (req->password.len > 0) == (req->hash.len > 0))
        return ERR_SYNTAX;
    enum status e = auth_make_verifier(&p, &sealed, &why);
    if (why != NULL) {
        struct problem said = {0};
        problem_set(&said, 0, "", "the password hash cannot be used: %s", why);
        ipc_fail(&said);
    }
    TRY(e);
    if (req->address.len > 0 && req->hash.len == 0)
        auth_cache_add(cache, req->address, &password, req->account, req->address);
    rep->verifier = arena_str(a, buf_str(&sealed));
    return OK;
}

/* All of the account's, or those of one of its app passwords; who is logging in just now is told to try again. */
static void
forget_sessions(uint64_t account, const uint64_t *app)
{
    size_t cursor = 0;
    struct str key;
    void *value;

    changes.account[changes.count++ % CHANGES_KEPT] = account;
    while (map_next(grants, &cursor, &key, &value)) {
        struct live *l = value;
        if (l->account == account && (app == NULL || l->app == *app))
            mem_free(map_del(grants, key));
    }
}

void
auth_serve_account_changed(struct ipc_peer *from, const struct auth_account_changed *req,
                           struct arena *a)
{
    (void)from, (void)a;
    auth_cache_forget(cache, req->account);
    exchanges_forget_account(auth_exchanges, req->account);
    forget_sessions(req->account, NULL);
}

void
auth_serve_app_password_removed(struct ipc_peer *from, const struct auth_app_password_removed *req,
                                struct arena *a)
{
    (void)from, (void)a;
    forget_sessions(req->account, &req->app);
}

/* ---- peers ---- */

static void
peer_arrived(struct ipc_peer *p)
{
    if (ipc_role(p) == ROLE_STORE && grants != NULL && map_count(grants) > 0 &&
        fiber_go(replay, NULL) != OK)
        role_fail("too many fibers to tell the store its grants");
}

static void
peer_gone(struct ipc_peer *p)
{
    if (ipc_role(p) != ROLE_USER || grants == NULL)
        return;
    drop_worker(ipc_incarnation(p));
    exchanges_forget_worker(auth_exchanges, ipc_incarnation(p));
}

static const struct ipc_service *const serves[] = {&auth_service};

const struct role_verbs role_auth = {
    .serves = serves,
    .serve_count = COUNT_OF(serves),
    .prepare = prepare,
    .begin = begin,
    .peer_arrived = peer_arrived,
    .peer_gone = peer_gone,
    .files_changed = files_changed,
};
