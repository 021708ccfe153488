/* testkit_store.c - see testkit_store.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/testkit_store.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/size.h"
#include "cook/facts.h"
#include "cook/spam.h"
#include "cook/verdict.h"
#include "engine/engine_faults.h"
#include "ipc/admin_ipc.h"
#include "rt/clock.h"
#include "rt/loop.h"
#include "rt/random.h"
#include "store/account.h"
#include "store/body.h"
#include "store/message.h"

#define COOK_SERVE_LINKAGE static
#include "ipc/cook_serve.h"
#define AUTH_SERVE_LINKAGE static
#include "ipc/auth_serve.h"
#define KEYS_SERVE_LINKAGE static
#include "ipc/keys_serve.h"
#define WATCH_SERVE_LINKAGE static
#include "ipc/watch_serve.h"
#define OUT_SERVE_LINKAGE static
#include "ipc/out_serve.h"
#include "role/out/ask.h"
#include "role/out/sender.h"

extern const struct role_verbs role_store;
struct town town;
static struct buf pot; /* one larger message at a time is enough here */
static char world[64];

/* ---- cook ---- */

static SUSPENDS enum status
cook_one(struct ipc_peer *from, struct str body, bool want_dkim, struct arena *a,
         struct cook_facts *out)
{
    AUTO_ARENA *own = arena_new(FACTS_ARENA_MAX);
    struct cook_facts f;

    if (town.cook_dies > 0) {
        town.cook_dies--;
        ipc_close(from);
        return ERR_TEMP;
    }
    for (size_t i = 0; i < COUNT_OF(town.cooks); i++)
        town.cooked[i] += town.cooks[i] == from ? 1u : 0u;
    facts_find(body, want_dkim, clock_now(), own, &f);
    *out = f;
    out->record = arena_str(a, f.record);
    out->sort = arena_str(a, f.sort);
    out->from_domain = arena_str(a, f.from_domain);
    out->dkim = (struct cook_dkim_facts){.headers = arena_str(a, f.dkim.headers),
                                         .header_names = arena_str(a, f.dkim.header_names),
                                         .body_hash = arena_str(a, f.dkim.body_hash)};
    if (f.forward_marks_count > 0)
        out->forward_marks = arena_dup(a, f.forward_marks, f.forward_marks_count * 8);
    if (f.reference_hashes_count > 0)
        out->reference_hashes = arena_dup(a, f.reference_hashes, f.reference_hashes_count * 8);
    out->reference_hashes_count = f.reference_hashes_count;
    return OK;
}

static SUSPENDS enum status
cook_serve_whole(struct ipc_peer *from, const struct cook_whole *req, struct arena *a,
                 struct cook_whole_reply *rep)
{
    return cook_one(from, req->body, req->want_dkim, a, &rep->facts);
}

static SUSPENDS enum status
cook_serve_begin(struct ipc_peer *from, const struct cook_begin *req, struct arena *a,
                 struct cook_begin_reply *rep)
{
    (void)from, (void)req, (void)a;
    buf_reset(&pot);
    rep->handle = 1;
    return OK;
}

static SUSPENDS enum status
cook_serve_add(struct ipc_peer *from, const struct cook_add *req, struct arena *a,
               struct cook_add_reply *rep)
{
    (void)from, (void)a, (void)rep;
    if (town.cook_dies > 0) {
        town.cook_dies--;
        ipc_close(from);
    }
    buf_add(&pot, req->body);
    return buf_status(&pot);
}

static SUSPENDS enum status
cook_serve_end(struct ipc_peer *from, const struct cook_end *req, struct arena *a,
               struct cook_end_reply *rep)
{
    (void)req;
    return cook_one(from, buf_str(&pot), false, a, &rep->facts);
}

static SUSPENDS enum status
cook_serve_seal(struct ipc_peer *from, const struct cook_seal *req, struct arena *a,
                struct cook_seal_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_NOT_FOUND;
}

static SUSPENDS void
cook_serve_drop(struct ipc_peer *from, const struct cook_drop *req, struct arena *a)
{
    (void)from, (void)req, (void)a;
}

static SUSPENDS enum status
cook_serve_learn(struct ipc_peer *from, const struct cook_learn *req, struct arena *a,
                 struct cook_learn_reply *rep)
{
    (void)from, (void)req;
    if (town.cook_dies > 0) {
        town.cook_dies--;
        ipc_close(from);
        return ERR_TEMP;
    }
    spam_read(buf_str(&pot), a, rep);
    return OK;
}

/* Strangers' messages between the two steps. */
static struct town_look {
    const struct ipc_peer *of;
    struct str message; /* in the arena of the test */
    struct verdict_look *look;
} looks[16];

static SUSPENDS enum status
cook_serve_look(struct ipc_peer *from, const struct cook_look *req, struct arena *a,
                struct cook_look_reply *rep)
{
    struct town_look *l = looks;

    (void)a;
    if (town.look_dies > 0) {
        town.look_dies--;
        ipc_close(from);
        return ERR_TEMP;
    }
    while (l->look != NULL)
        l++;
    ASSERT(l < looks + COUNT_OF(looks));
    l->of = from;
    l->message = arena_str(town.a, req->handle != 0 ? buf_str(&pot) : req->body);
    l->look = verdict_look(l->message, &req->stranger, NULL, rep);
    rep->handle = 100 + (uint32_t)(l - looks); /* few */
    return OK;
}

static SUSPENDS enum status
cook_serve_judge(struct ipc_peer *from, const struct cook_judge *req, struct arena *a,
                 struct cook_judge_reply *rep)
{
    const struct verdict_host host = {.name = STR("mail.here.example"), .now_s = 1700000000};
    struct town_look *l = &looks[req->handle - 100];

    if (town.judge_dies > 0) {
        town.judge_dies--;
        ipc_close(from);
        return ERR_TEMP;
    }
    ASSERT(l->of == from && l->look != NULL);
    verdict_judge(l->look, req, &host, a, rep);
    if (req->spam)
        spam_judge(l->message, a, rep);
    struct str whole = arena_printf(town.a, "%.*s%.*s", STR_FMT(rep->field), STR_FMT(l->message));
    verdict_look_free(&l->look);
    return cook_one(from, whole, false, a, &rep->facts);
}

/* ---- auth, keys ---- */

static SUSPENDS enum status
auth_serve_login(struct ipc_peer *from, const struct auth_login *req, struct arena *a,
                 struct auth_login_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
auth_serve_scram_first(struct ipc_peer *from, const struct auth_scram_first *req, struct arena *a,
                       struct auth_scram_first_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
auth_serve_scram_final(struct ipc_peer *from, const struct auth_scram_final *req, struct arena *a,
                       struct auth_scram_final_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS void
auth_serve_session_end(struct ipc_peer *from, const struct auth_session_end *req, struct arena *a)
{
    (void)from, (void)req, (void)a;
}

static SUSPENDS enum status
auth_serve_oauth(struct ipc_peer *from, const struct auth_oauth *req, struct arena *a,
                 struct auth_oauth_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
auth_serve_external(struct ipc_peer *from, const struct auth_external *req, struct arena *a,
                    struct auth_external_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
auth_serve_invitation_make(struct ipc_peer *from, const struct auth_invitation_make *req,
                           struct arena *a, struct auth_invitation_make_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
auth_serve_invitation_redeem(struct ipc_peer *from, const struct auth_invitation_redeem *req,
                             struct arena *a, struct auth_invitation_redeem_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
auth_serve_app_password_make(struct ipc_peer *from, const struct auth_app_password_make *req,
                             struct arena *a, struct auth_app_password_make_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS void
auth_serve_app_password_removed(struct ipc_peer *from, const struct auth_app_password_removed *req,
                                struct arena *a)
{
    (void)from, (void)req, (void)a;
}

static SUSPENDS enum status
auth_serve_penalties(struct ipc_peer *from, const struct auth_penalties *req, struct arena *a,
                     struct auth_penalties_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
auth_serve_forgive(struct ipc_peer *from, const struct auth_forgive *req, struct arena *a,
                   struct auth_forgive_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
auth_serve_verifier_make(struct ipc_peer *from, const struct auth_verifier_make *req,
                         struct arena *a, struct auth_verifier_make_reply *rep)
{
    (void)from;
    rep->verifier = req->hash.len > 0 ? arena_printf(a, "sealed of %.*s", STR_FMT(req->hash))
                                      : arena_printf(a, "sealed %.*s", STR_FMT(req->password));
    return OK;
}

static SUSPENDS void
auth_serve_account_changed(struct ipc_peer *from, const struct auth_account_changed *req,
                           struct arena *a)
{
    (void)from, (void)req, (void)a;
}

static SUSPENDS enum status
auth_serve_attempts(struct ipc_peer *from, const struct auth_attempts *req, struct arena *a,
                    struct auth_attempts_reply *rep)
{
    (void)from, (void)req, (void)a;
    *rep = (struct auth_attempts_reply){.wrong = 3};
    return OK;
}

static SUSPENDS enum status
keys_serve_certs(struct ipc_peer *from, const struct keys_certs *req, struct arena *a,
                 struct keys_certs_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
keys_serve_tls_sign(struct ipc_peer *from, const struct keys_tls_sign *req, struct arena *a,
                    struct keys_tls_sign_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

static SUSPENDS enum status
keys_serve_dkim_sign(struct ipc_peer *from, const struct keys_dkim_sign *req, struct arena *a,
                     struct keys_dkim_sign_reply *rep)
{
    (void)from;
    if (town.keys_refuse > 0) {
        town.keys_refuse--;
        return ERR_NOT_FOUND;
    }
    ASSERT(req->headers.len > 0 && req->body_hash.len == 32);
    rep->fields = arena_printf(a, "DKIM-Signature: d=%.*s\r\n", STR_FMT(req->domain));
    return OK;
}

static SUSPENDS enum status
keys_serve_arc_seal(struct ipc_peer *from, const struct keys_arc_seal *req, struct arena *a,
                    struct keys_arc_seal_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_NOT_FOUND;
}

static SUSPENDS enum status
keys_serve_dkim_make(struct ipc_peer *from, const struct keys_dkim_make *req, struct arena *a,
                     struct keys_dkim_make_reply *rep)
{
    static const struct keys_dkim_key keys[] = {
        {.selector = STR("sel1"), .state = 1, .record = STR("v=DKIM1; p=AAAA")},
        {.selector = STR("sel2"), .algorithm = 1, .record = STR("v=DKIM1; k=ed25519; p=BBBB")}};

    (void)from, (void)a, (void)req;
    rep->keys = keys;
    rep->keys_count = COUNT_OF(keys);
    return OK;
}

static SUSPENDS enum status
keys_serve_dkim_seen(struct ipc_peer *from, const struct keys_dkim_seen *req, struct arena *a,
                     struct keys_dkim_seen_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

/* No MAC, but it differs where one does. */
static SUSPENDS enum status
keys_serve_mark(struct ipc_peer *from, const struct keys_mark *req, struct arena *a,
                struct keys_mark_reply *rep)
{
    uint64_t words[4];

    (void)from;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        words[i] = hash_stable(req->data) + req->purpose;
    rep->mac = str_from(arena_dup(a, words, sizeof(words)), sizeof(words));
    return OK;
}

/* ---- user, out ---- */

static SUSPENDS void
watch_serve_changed(struct ipc_peer *from, const struct watch_changed *req, struct arena *a)
{
    (void)from, (void)a;
    town.changed++;
    town.changed_account = req->account;
}

static SUSPENDS void
watch_serve_revoked(struct ipc_peer *from, const struct watch_revoked *req, struct arena *a)
{
    (void)from, (void)req, (void)a;
    town.revoked++;
}

static SUSPENDS void
out_serve_work(struct ipc_peer *from, const struct out_work *req, struct arena *a)
{
    (void)from, (void)a;
    town.out_work += req->count > 0 ? 1u : 0u;
}

static SUSPENDS enum status
out_serve_plan(struct ipc_peer *from, const struct out_plan *req, struct arena *a,
               struct out_plan_reply *rep)
{
    (void)from, (void)req, (void)a;
    *rep = (struct out_plan_reply){0};
    return OK;
}

static SUSPENDS enum status
out_serve_texts(struct ipc_peer *from, const struct out_texts *req, struct arena *a,
                struct out_texts_reply *rep)
{
    (void)from;
    return out_ask_texts(town.resolver, req, a, rep);
}

static SUSPENDS enum status
out_serve_sender(struct ipc_peer *from, const struct out_sender *req, struct arena *a,
                 struct out_sender_reply *rep)
{
    (void)from;
    return out_sender_ask(town.resolver, STR("mail.here.example"), req, a, rep);
}

/* ---- the world ---- */

static void
far_gone(struct ipc_peer *p)
{
    role_store.peer_gone(p);
}

static struct ipc_peer *
peer(enum role r, uint32_t index, const struct ipc_service *const *serves, size_t serve_count)
{
    struct ipc_channel_end ends[2];
    struct ipc_peer *near, *far;
    struct ipc_options o = {.own_role = ROLE_STORE,
                            .peer_role = r,
                            .peer_index = index,
                            .peer_incarnation = 100 + (uint64_t)r * 10 + index,
                            .serves = role_store.serves,
                            .serve_count = role_store.serve_count,
                            .gone = far_gone};

    ASSERT(ipc_pair(1 << 20, ends) == OK);
    ASSERT(ipc_attach(&ends[0], &o, &far) == OK);
    role_store.peer_arrived(far);
    o = (struct ipc_options){.own_role = r,
                             .peer_role = ROLE_STORE,
                             .peer_incarnation = 1,
                             .serves = serves,
                             .serve_count = serve_count};
    ASSERT(ipc_attach(&ends[1], &o, &near) == OK);
    return near;
}

/* As the godwit command does: by way of the socket's path. */
static SUSPENDS struct ipc_peer *
admin(int listening)
{
    struct sockaddr_un at;
    socklen_t len = sizeof(at);
    struct ipc_channel_end end = {.ring_fd = -1};
    const struct ipc_options o = {.own_role = ROLE_ADMIN, .peer_role = ROLE_STORE};
    struct ipc_peer *p;

    ASSERT(getsockname(listening, (struct sockaddr *)&at, &len) == 0);
    end.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ASSERT(end.fd >= 0 && connect(end.fd, (struct sockaddr *)&at, len) == 0);
    ASSERT(ipc_attach(&end, &o, &p) == OK);
    return p;
}

static FIBER_ENTRY void
town_fiber(void *arg)
{
    static const struct ipc_service
        *const cook[] = {&cook_service},
               *const auth[] = {&auth_service}, *const keys[] = {&keys_service},
               *const watch[] = {&watch_service}, *const out[] = {&out_service};
    static struct config config;
    static struct role_start start;
    const struct town_row *row = arg;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct problem why;

    config = (struct config){.host = STR("mail.here.example"),
                             .domain = STR("here.example"),
                             .engine = STR("mem"),
                             .data_dir = str_of(world)};
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ASSERT(listening >= 0 && bind(listening, (struct sockaddr *)&at, sizeof(sa_family_t)) == 0);
    ASSERT(listen(listening, 8) == 0); /* a name of the kernel's choice: tests need no path */
    start = (struct role_start){
        .role = ROLE_STORE, .config = &config, .admin_fd = listening, .master_key_fd = -1};
    town.a = arena_new((size_t)256 << 20);
    town.mx = peer(ROLE_MX, 0, NULL, 0); /* arrives before the data is open */
    ASSERT(role_store.begin(&start, &why) == OK);
    town.store = store_of(town.mx);
    town.user = peer(ROLE_USER, 0, watch, 1);
    town.auth = peer(ROLE_AUTH, 0, auth, 1);
    town.keys = peer(ROLE_KEYS, 0, keys, 1);
    town.out = peer(ROLE_OUT, 0, out, 1);
    for (uint32_t i = 0; i < COUNT_OF(town.cooks); i++)
        town.cooks[i] = peer(ROLE_COOK, i, cook, 1);
    town.admin = admin(listening);
    row->run();
    fflush(NULL);
    _exit(0); /* a role has no end but that of its process */
}

int
town_main(const char *group, const struct town_row *rows, size_t n, char **argv)
{
    int failed = 0;

    for (size_t i = 0; i < n; i++) {
        int result;
        if (argv[1] != NULL && str_find_str(str_of(rows[i].name), str_of(argv[1])) < 0)
            continue;
        fflush(NULL);
        pid_t child = fork();
        ASSERT(child >= 0);
        if (child == 0) {
            snprintf(world, sizeof(world), "/town/%d", getpid());
            alarm(240);
            pot = BUF(64u << 20);
            random_seed_for_tests(7);
            loop_init();
            ASSERT(fiber_go(town_fiber, (void *)(uintptr_t)&rows[i]) == OK);
            loop_run();
            _exit(1);
        }
        ASSERT(waitpid(child, &result, 0) == child);
        bool ok = WIFEXITED(result) && WEXITSTATUS(result) == 0;
        printf("%s %s.%s\n", ok ? "ok" : "FAILED", group, rows[i].name);
        failed += ok ? 0 : 1;
    }
    return failed;
}

void
town_people(void)
{
    static const struct {
        const char *address;
        uint64_t session;
    } people[] = {{"anna@here.example", 11}, {"bert@here.example", 12}};
    struct str team[2] = {STR("anna"), STR("bert")}, away = STR("far@away.example");
    struct directory *d = town.store->directory;

    ASSERT(directory_domain_add(d, STR("here.example"), STR("anna@here.example")) == OK);
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        const struct directory_new_account n = {
            .address = str_of(people[i].address), .account = i + 1, .verifier = STR("sealed")};
        const struct store_grant g = {.incarnation = 100 + (uint64_t)ROLE_USER * 10,
                                      .session = people[i].session,
                                      .account = i + 1,
                                      .expires = INT64_MAX};
        struct store_grant_reply rep;
        ASSERT(directory_account_add(d, &n) == OK);
        ASSERT(store_grant_call(town.auth, &g, town.a, &rep) == OK);
    }
    ASSERT(directory_alias_set(d, STR("team"), team, 2) == OK);
    ASSERT(directory_alias_set(d, STR("away"), &away, 1) == OK);
}

enum status
town_deliver(const char *rcpts, struct str body, struct store_deliver_reply *rep)
{
    struct str list[64], rest = str_of(rcpts);
    size_t n = 0;

    while (n < COUNT_OF(list) && str_split(&rest, ' ', &list[n]))
        n++;
    const struct store_deliver req = {.body = body,
                                      .sender = STR("s@far.example"),
                                      .rcpts = list,
                                      .rcpts_count = n,
                                      .peer = STR("192.0.2.1"),
                                      .helo = STR("h")};
    return store_deliver_call(town.mx, &req, town.a, rep);
}

enum status
town_submit(uint64_t session, const char *from, const char *rcpts, uint64_t *qid_out)
{
    struct store_submit_rcpt list[64];
    struct str rest = str_of(rcpts), one;
    struct store_submit_reply rep;
    size_t n = 0;

    while (n < COUNT_OF(list) && str_split(&rest, ' ', &one))
        list[n++] = (struct store_submit_rcpt){.address = one};
    const struct store_submit req = {
        .session = session,
        .body =
            STR("From: anna@here.example\r\nSubject: hello\r\nMessage-ID: <1@x>\r\n\r\nText\r\n"),
        .sender = str_of(from),
        .rcpts = list,
        .rcpts_count = n,
    };
    TRY(store_submit_call(town.user, &req, town.a, &rep));
    *qid_out = rep.qid;
    return OK;
}

uint64_t
town_inbox(uint64_t id)
{
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, id);
    struct account_info info;

    ASSERT(account_info(account, &info) == OK);
    return info.messages;
}

struct str
town_newest(uint64_t id)
{
    AUTO(cell_close) struct cell *account = account_open(town.store->cells, id);
    AUTO_BUF entries = BUF(1u << 20);
    const struct view_request r = {MAILBOX_INBOX, 1, 1000};
    struct view_reply v;
    const struct body_range whole = {.offset = 0, .max = 1 << 20};
    struct body_reply body;
    uint64_t mid;

    ASSERT(message_view(account, &r, &entries, &v) == OK && v.count > 0);
    mem_copy(&mid, entries.ptr + (v.count - 1) * VIEW_ENTRY_BYTES + 16, sizeof(mid));
    ASSERT(message_body(account, mid, &whole, town.a, &body) == OK);
    return body.bytes;
}
