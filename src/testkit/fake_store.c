/* fake_store.c - see fake_store.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "testkit/fake_store.h"

#include "base/encode.h"
#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "ipc/auth_serve.h"
#include "ipc/hold.h"
#include "ipc/store_serve.h"
#include "ipc/watch_ipc.h"
#include "ipc/watch_serve.h"
#include "rt/loop.h"
#include "testkit/fake_internal.h"

struct fake fake;

/* ---- mailboxes ---- */

struct fake_mailbox *
fake_find(struct str name)
{
    for (size_t i = 0; i < FAKE_MAILBOXES; i++)
        if (fake.boxes[i].name.ptr != NULL && str_eq(fake.boxes[i].name, name))
            return &fake.boxes[i];
    return NULL;
}

struct fake_mailbox *
fake_by_id(uint32_t id)
{
    return id >= 1 && id <= FAKE_MAILBOXES && fake.boxes[id - 1].name.ptr != NULL
               ? &fake.boxes[id - 1]
               : NULL;
}

uint32_t
fake_id(const struct fake_mailbox *m)
{
    return (uint32_t)(m - fake.boxes) + 1;
}

void
fake_tell(const struct fake_mailbox *m)
{
    uint32_t id = fake_id(m);
    struct watch_changed note = {
        .account = FAKE_ACCOUNT, .modseq = fake.modseq, .mailboxes = &id, .mailboxes_count = 1};

    if (fake.protocol->role == ROLE_USER) /* others do not listen */
        ASSERT(fake.watch == NULL || watch_changed_note(fake.watch, &note) == OK);
}

void
fake_touch(struct fake_mailbox *m)
{
    m->modseq = ++fake.modseq;
}

struct fake_mailbox *
fake_make(struct str name, uint32_t special)
{
    for (size_t i = 0; i < FAKE_MAILBOXES; i++) {
        struct fake_mailbox *m = &fake.boxes[i];
        if (m->name.ptr != NULL || m->uidvalidity != 0) /* ids are never used again */
            continue;
        *m = (struct fake_mailbox){.name = mem_str(name),
                                   .uidvalidity = ++fake.next_validity,
                                   .uidnext = 1,
                                   .special = special,
                                   .selectable = true};
        fake_touch(m);
        return m;
    }
    return NULL;
}

void
fake_unmake(struct fake_mailbox *m)
{
    for (size_t i = 0; i < m->count; i++) {
        mem_str_free(&m->messages[i].body);
        mem_str_free(&m->messages[i].uidl);
    }
    mem_free(m->messages);
    mem_free(m->vanished);
    for (size_t i = 0; i < m->keyword_count; i++)
        mem_str_free(&m->keywords[i]);
    mem_str_free(&m->name);
    *m = (struct fake_mailbox){.uidvalidity = m->uidvalidity};
}

bool
fake_is_below(struct str name, struct str parent)
{
    return name.len > parent.len && str_starts(name, parent) && name.ptr[parent.len] == '/';
}

bool
fake_has_children(const struct fake_mailbox *m)
{
    for (size_t i = 0; i < FAKE_MAILBOXES; i++)
        if (fake.boxes[i].name.ptr != NULL && fake_is_below(fake.boxes[i].name, m->name))
            return true;
    return false;
}

/* ---- messages ---- */

struct fake_message *
fake_add(struct fake_mailbox *m, struct str body, uint32_t flags)
{
    m->messages = mem_resize(m->messages, m->count * sizeof(m->messages[0]),
                             (m->count + 1) * sizeof(m->messages[0]));
    fake_touch(m);
    m->messages[m->count] = (struct fake_message){.uid = m->uidnext++,
                                                  .flags = flags,
                                                  .modseq = m->modseq,
                                                  .mid = ++fake.next_mid,
                                                  .received = 1700000000000000,
                                                  .body = mem_str(body)};
    return &m->messages[m->count++];
}

void
fake_take_out(struct fake_mailbox *m, size_t i)
{
    fake_touch(m);
    m->vanished = mem_resize(m->vanished, m->vanished_count * sizeof(m->vanished[0]),
                             (m->vanished_count + 1) * sizeof(m->vanished[0]));
    m->vanished[m->vanished_count++] =
        (struct fake_vanished){.uid = m->messages[i].uid, .modseq = m->modseq};
    mem_str_free(&m->messages[i].body);
    mem_str_free(&m->messages[i].uidl);
    mem_move(&m->messages[i], &m->messages[i + 1], (m->count - i - 1) * sizeof(m->messages[0]));
    m->count--;
}

uint32_t
fake_keyword_bit(struct fake_mailbox *m, struct str word)
{
    size_t i = 0;

    while (i < m->keyword_count && !str_eq_nocase(m->keywords[i], word))
        i++;
    if (i == LIMIT_KEYWORDS)
        return 0;
    if (i == m->keyword_count)
        m->keywords[m->keyword_count++] = mem_str(word);
    return 1u << (5 + i);
}

/* ---- auth ---- */

SUSPENDS enum status
auth_serve_login(struct ipc_peer *from, const struct auth_login *req, struct arena *a,
                 struct auth_login_reply *rep)
{
    (void)a;
    if (str_eq(req->login, STR("busy")))
        return ERR_TEMP;
    if (str_eq(req->login, STR("fast")))
        return ERR_LIMIT;
    if (str_eq(req->login, STR("lost"))) {
        fake.auth_returns = true;
        ipc_close(from);
        return ERR_TEMP; /* which nobody hears */
    }
    if (req->session == fake.ended_session) /* a number that is over stays over */
        return ERR_TEMP;
    if (!str_eq(req->login, STR("u")) || !str_eq(req->password, STR("secret")))
        return ERR_DENIED;
    *rep = (struct auth_login_reply){.account = FAKE_ACCOUNT, .address = STR("u@test")};
    return OK;
}

/* The conversation of RFC 7677 section 3, whoever asks; the client's nonce must be its. */
SUSPENDS enum status
auth_serve_scram_first(struct ipc_peer *from, const struct auth_scram_first *req, struct arena *a,
                       struct auth_scram_first_reply *rep)
{
    (void)from;
    if (str_eq(req->login, STR("busy")))
        return ERR_TEMP;
    if (str_eq(req->login, STR("fast")))
        return ERR_LIMIT;
    fake.scram_known = str_eq(req->login, STR("user")) &&
                       str_eq(req->message, STR("n=user,r=rOprNGfwEbeRWgbNEkqO"));
    fake.scram_session = req->session;
    rep->message = arena_printf(a,
                                "r=%.*s%%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                                STR_FMT(req->nonce));
    return OK;
}

SUSPENDS enum status
auth_serve_scram_final(struct ipc_peer *from, const struct auth_scram_final *req, struct arena *a,
                       struct auth_scram_final_reply *rep)
{
    static const struct str proof = STR("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    static const struct str signature = STR("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    AUTO_BUF right = BUF(32);
    AUTO_BUF answer = BUF(32);

    (void)from;
    ASSERT(base64_decode(proof, &right) == OK && base64_decode(signature, &answer) == OK);
    if (fake.scram_session != req->session || !fake.scram_known ||
        !str_eq(req->proof, buf_str(&right)))
        return ERR_DENIED;
    fake.scram_session = 0;
    *rep = (struct auth_scram_final_reply){.signature = arena_str(a, buf_str(&answer)),
                                           .account = FAKE_ACCOUNT,
                                           .address = STR("u@test")};
    return OK;
}

SUSPENDS enum status
auth_serve_attempts(struct ipc_peer *from, const struct auth_attempts *req, struct arena *a,
                    struct auth_attempts_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return OK;
}

SUSPENDS enum status
auth_serve_verifier_make(struct ipc_peer *from, const struct auth_verifier_make *req,
                         struct arena *a, struct auth_verifier_make_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

SUSPENDS void
auth_serve_session_end(struct ipc_peer *from, const struct auth_session_end *req, struct arena *a)
{
    (void)from, (void)a;
    if (fake.scram_session == req->session)
        fake.scram_session = 0;
}

SUSPENDS void
auth_serve_account_changed(struct ipc_peer *from, const struct auth_account_changed *req,
                           struct arena *a)
{
    (void)from, (void)req, (void)a;
}

SUSPENDS enum status
auth_serve_oauth(struct ipc_peer *from, const struct auth_oauth *req, struct arena *a,
                 struct auth_oauth_reply *rep)
{
    (void)from, (void)a;
    if (str_eq(req->login, STR("busy")))
        return ERR_TEMP;
    if (str_eq(req->login, STR("fast")))
        return ERR_LIMIT;
    if (!str_eq(req->token, STR("good.token")) ||
        (req->login.len > 0 && !str_eq(req->login, STR("u"))))
        return ERR_DENIED;
    *rep = (struct auth_oauth_reply){.account = FAKE_ACCOUNT, .address = STR("u@test")};
    return OK;
}

/* The sessions of tests have no TLS, so nobody can ask. */
SUSPENDS enum status
auth_serve_external(struct ipc_peer *from, const struct auth_external *req, struct arena *a,
                    struct auth_external_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

SUSPENDS enum status
auth_serve_invitation_make(struct ipc_peer *from, const struct auth_invitation_make *req,
                           struct arena *a, struct auth_invitation_make_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

SUSPENDS enum status
auth_serve_invitation_redeem(struct ipc_peer *from, const struct auth_invitation_redeem *req,
                             struct arena *a, struct auth_invitation_redeem_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

SUSPENDS enum status
auth_serve_app_password_make(struct ipc_peer *from, const struct auth_app_password_make *req,
                             struct arena *a, struct auth_app_password_make_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

SUSPENDS void
auth_serve_app_password_removed(struct ipc_peer *from, const struct auth_app_password_removed *req,
                                struct arena *a)
{
    (void)from, (void)req, (void)a;
}

SUSPENDS enum status
auth_serve_penalties(struct ipc_peer *from, const struct auth_penalties *req, struct arena *a,
                     struct auth_penalties_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

SUSPENDS enum status
auth_serve_forgive(struct ipc_peer *from, const struct auth_forgive *req, struct arena *a,
                   struct auth_forgive_reply *rep)
{
    (void)from, (void)req, (void)a, (void)rep;
    return ERR_DENIED;
}

/* ---- the server's side, as its role has it ---- */

static void
tell_world(void)
{
    fake.world.store = fake.store;
    fake.world.auth = fake.auth;
    fake.protocol->world(&fake.world);
}

void
watch_serve_changed(struct ipc_peer *from, const struct watch_changed *req, struct arena *a)
{
    (void)from, (void)a;
    if (fake.protocol->changed != NULL)
        fake.protocol->changed(req->account, req->modseq, req->mailboxes, req->mailboxes_count);
}

void
watch_serve_revoked(struct ipc_peer *from, const struct watch_revoked *req, struct arena *a)
{
    (void)from, (void)a;
    fake.protocol->revoked(req->account, req->session);
}

static void revive(void);
static void connect_auth(void);

static void
peer_gone(struct ipc_peer *p)
{
    fake.gone++;
    if (p == fake.watch)
        fake.watch = NULL;
    if (p == fake.auth && fake.auth_returns) {
        connect_auth();
        tell_world();
    }
    if (p != fake.store)
        return;
    fake.store = NULL;
    tell_world();
    if (fake.protocol->store_lost != NULL)
        fake.protocol->store_lost();
    if (fake.comes_back)
        revive();
}

static void
connect_pair(const struct ipc_options *near, const struct ipc_options *far, struct ipc_peer **n,
             struct ipc_peer **f)
{
    struct ipc_channel_end ends[2];

    ASSERT(ipc_pair(1u << 20, ends) == OK);
    ASSERT(ipc_attach(&ends[0], near, n) == OK);
    ASSERT(ipc_attach(&ends[1], far, f) == OK);
}

static void
revive(void)
{
    static const struct ipc_service *const watches[] = {&watch_service};
    static const struct ipc_service *const stores[] = {&store_service};
    struct ipc_options near = {.own_role = fake.protocol->role,
                               .peer_role = ROLE_STORE,
                               .peer_incarnation = ++fake.lives,
                               .serves = watches,
                               .serve_count = fake.protocol->role == ROLE_USER,
                               .gone = peer_gone};
    struct ipc_options far = {.own_role = ROLE_STORE,
                              .peer_role = fake.protocol->role,
                              .serves = stores,
                              .serve_count = 1,
                              .gone = peer_gone};

    fake.comes_back = false;
    connect_pair(&near, &far, &fake.store, &fake.watch);
    tell_world();
    if (fake.protocol->store_back != NULL)
        fake.protocol->store_back();
}

static void
connect_auth(void)
{
    static const struct ipc_service *const auths[] = {&auth_service};
    struct ipc_options near = {.own_role = ROLE_USER, .peer_role = ROLE_AUTH, .gone = peer_gone};
    struct ipc_options far = {.own_role = ROLE_AUTH,
                              .peer_role = ROLE_USER,
                              .serves = auths,
                              .serve_count = 1,
                              .gone = peer_gone};

    fake.auth_returns = false;
    connect_pair(&near, &far, &fake.auth, &fake.auth_far);
}

void
fake_begin(const struct fake_protocol *p, struct fake_how how)
{
    static const struct str names[] = {STR("Drafts"), STR("Sent"), STR("Junk"), STR("Trash"),
                                       STR("Archive")};

    mem_wipe(&fake, sizeof(fake));
    hold_testing(INT64_MAX);
    fake.protocol = p;
    fake.config = (struct config){.host = STR("mail.test"),
                                  .domain = STR("test"),
                                  .plaintext_loopback = how.plaintext_login,
                                  .message_bytes_max = 4u << 20};
    if (how.delay)
        fake.config.pop3_login_delay_s = 3600;
    if (how.tokens)
        fake.config.oauth.issuer = STR("https://id.test");
    fake.world.config = &fake.config;
    fake.next_validity = 1000;
    fake.modseq = 1;
    connect_auth();
    revive();
    fake_make(STR("INBOX"), 0)->subscribed = true;
    for (uint32_t i = 0; i < COUNT_OF(names); i++)
        fake_make(names[i], i + 1)->subscribed = true;
}

FIBER_ENTRY void
fake_end(void)
{
    size_t want = fake.gone + 2 + (fake.store != NULL ? 2 : 0);

    ipc_close(fake.auth);
    if (fake.store != NULL)
        ipc_close(fake.store);
    for (int i = 0; i < 10000 && fake.gone < want; i++)
        fiber_yield();
    for (size_t i = 0; i < FAKE_MAILBOXES; i++)
        if (fake.boxes[i].name.ptr != NULL)
            fake_unmake(&fake.boxes[i]);
    for (uint32_t i = 1; i <= FAKE_HANDLES; i++)
        fake_blob_forget(i);
    mem_str_free(&fake.fail_verb);
    mem_str_free(&fake.envelope);
}

/* ---- directives ---- */

static bool
number(struct str *rest, uint32_t *out)
{
    struct str word;
    struct scan s;

    if (!str_split(rest, ' ', &word))
        return false;
    s = scan_of(word);
    return scan_u32(&s, UINT32_MAX, out) && scan_at_end(&s);
}

static bool
set_failure(struct str verb, enum status e, bool dies)
{
    mem_str_free(&fake.fail_verb);
    fake.fail_verb = mem_str(verb);
    fake.fail_status = e;
    fake.fail_dies = dies;
    return true;
}

/* \r and \n for what they say. */
static void
unescape(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        bool escape = text.ptr[i] == '\\' && i + 1 < text.len;
        char c = text.ptr[escape ? ++i : i];
        buf_add_char(out, !escape ? c : c == 'r' ? '\r' : c == 'n' ? '\n' : c);
    }
}

static bool
body_has(struct str body, struct str text, bool at_the_end)
{
    AUTO_BUF want = BUF(1u << 20);

    unescape(text, &want);
    return at_the_end ? str_ends(body, buf_str(&want)) : str_find_str(body, buf_str(&want)) >= 0;
}

/* What is asked about, or done to, the message with that UID. */
static bool
change_message(struct fake_mailbox *m, uint32_t uid, struct str verb, struct str rest)
{
    bool ends = str_eq(verb, STR("ends"));
    bool asks = ends || str_eq(verb, STR("check")) || str_eq(verb, STR("date"));
    uint32_t n = 0;
    size_t i = 0;

    while (i < m->count && m->messages[i].uid != uid)
        i++;
    if (i == m->count)
        return !asks;
    if (ends || str_eq(verb, STR("check")))
        return body_has(m->messages[i].body, rest, ends);
    if (str_eq(verb, STR("date")))
        return number(&rest, &n) && m->messages[i].received == (int64_t)n * 1000000;
    if (str_eq(verb, STR("remove"))) {
        fake_take_out(m, i);
    } else if (str_eq(verb, STR("uidl"))) {
        mem_str_free(&m->messages[i].uidl);
        m->messages[i].uidl = mem_str(rest);
    } else if (str_eq(verb, STR("unread"))) {
        m->messages[i].unread = true;
    } else if (str_eq(verb, STR("flag")) && number(&rest, &n)) {
        fake_touch(m);
        m->messages[i].flags = n;
        m->messages[i].modseq = m->modseq;
    }
    return true;
}

static bool
do_text(struct fake_mailbox *m, struct str text)
{
    AUTO_BUF body = BUF(1u << 20);

    unescape(text, &body);
    fake_add(m, buf_str(&body), 0);
    fake_tell(m);
    return true;
}

static bool
do_message(struct str verb, struct fake_mailbox *m, struct str rest)
{
    uint32_t uid = 0, flags = 0;

    if (m == NULL)
        return false;
    if (str_eq(verb, STR("text")))
        return do_text(m, rest);
    if (str_eq(verb, STR("missed"))) {
        fake_add(m, STR("Subject: missed\r\n\r\nA message.\r\n"), 0);
        return true;
    }
    if (str_eq(verb, STR("deliver"))) {
        (void)number(&rest, &flags);
        fake_add(m, STR("Subject: hello\r\n\r\nA message.\r\n"), flags);
    } else if (str_eq(verb, STR("bulk"))) {
        if (!number(&rest, &uid))
            return false;
        while (uid-- > 0)
            fake_add(m, STR("S: x\r\n\r\n"), 0);
    } else if (str_eq(verb, STR("drop"))) {
        fake_tell(m);
        fake_unmake(m);
        return true;
    } else if (!number(&rest, &uid)) {
        return false;
    }
    bool answer = change_message(m, uid, verb, rest);
    fake_tell(m);
    return answer;
}

bool
fake_do(struct str directive)
{
    struct str rest = directive, verb = STR_NONE, word = STR_NONE;
    uint32_t n = 0;

    str_split(&rest, ' ', &verb);
    if (str_eq(verb, STR("lose"))) {
        ipc_close(fake.store);
        return true;
    }
    if (str_eq(verb, STR("impatient"))) {
        hold_testing(0);
        return true;
    }
    if (str_eq(verb, STR("revive"))) {
        fake.comes_back = fake.store != NULL;
        if (fake.store == NULL)
            revive();
        return true;
    }
    if (str_eq(verb, STR("revoke"))) {
        struct watch_revoked note = {.account = FAKE_ACCOUNT};
        return watch_revoked_note(fake.watch, &note) == OK;
    }
    if (str_eq(verb, STR("ended")))
        return number(&rest, &n) && fake.ended == n;
    if (str_eq(verb, STR("xclient"))) {
        static struct subnet speakers;
        fake.config.xclient_from_count = subnet_read(STR("127.0.0.0/8"), &speakers);
        fake.config.xclient_from = &speakers;
        return fake.config.xclient_from_count == 1;
    }
    if (str_eq(verb, STR("relay"))) {
        static struct subnet loopback;
        fake.config.relay_from_count = subnet_read(STR("127.0.0.0/8"), &loopback);
        fake.config.relay_from = &loopback;
        return fake.config.relay_from_count == 1;
    }
    if (str_eq(verb, STR("envelope")))
        return str_eq(fake.envelope, rest);
    if (str_eq(verb, STR("quota")))
        return number(&rest, &fake.quota_bytes) && number(&rest, &fake.quota_messages);
    str_split(&rest, ' ', &word);
    if (str_eq(verb, STR("die")))
        return set_failure(word, ERR_TEMP, true);
    if (str_eq(verb, STR("fail")))
        return number(&rest, &n) && set_failure(word, (enum status)n, false);
    return do_message(verb, fake_find(word), rest);
}
