/* scram.c - the two steps of SCRAM-SHA-256.
 *
 * The keys were made with the password's verifier, so a step costs microseconds and needs neither threads nor the cache
 * of good log-ins.  Nobody's keys are looked for, unsealed and checked like everybody's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define AUTH_SERVE_HANDLERS_ONLY
#include "auth/verifier.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/size.h"
#include "ipc/auth_serve.h"
#include "mail/names.h"
#include "role/auth/auth_internal.h"
#include "rt/ipc.h"
#include "rt/random.h"

#define NOBODY_KIND STR("scram nobody") /* of auth/seal.h */
enum { NONCE_BYTES = 18 };

static unsigned char nobody_secret[SEAL_KEY_BYTES];
static_assert(SEAL_KEY_BYTES == SCRAM_KEY_BYTES, "one key serves as the other");

enum status
auth_scram_begin(const struct seal *seal)
{
    auth_exchanges = exchanges_new(LIMIT_SCRAM_EXCHANGES);
    return seal_derive(seal, NOBODY_KIND, nobody_secret);
}

/* *may: they are the account's. */
static enum status
keys_of(const struct auth_found *f, struct scram_keys *out, bool *may)
{
    struct scram_keys nobody;
    enum status e = ERR_NOT_FOUND;

    /* In any case, so that it takes the same time. */
    scram_keys_of_nobody(nobody_secret, f->who.address, &nobody);
    if (f->verifier.len > 0)
        e = verifier_scram(buf_str(&f->verifier), out);
    *may = e == OK;
    if (e != ERR_NOT_FOUND)
        return e;
    *out = nobody;
    return OK;
}

enum status
auth_serve_scram_first(struct ipc_peer *from, const struct auth_scram_first *req, struct arena *a,
                       struct auth_scram_first_reply *rep)
{
    AUTO_FOUND found = {0};
    AUTO_BUF nonce = BUF(64);
    AUTO_BUF answer = BUF(1024);
    char bytes[NONCE_BYTES];
    struct scram_keys keys;
    bool may;
    const struct auth_asked asked = {
        .peer = req->peer, .login = req->login, .protocol = req->protocol};

    bool slow = auth_brake_is_slow(&asked);
    TRY(auth_brake_try(&asked));
    TRY(auth_find(name_address(req->login, a), a, &found));
    TRY(keys_of(&found, &keys, &may));
    random_fill(bytes, sizeof(bytes));
    buf_add_base64(&nonce, str_from(bytes, sizeof(bytes)));
    scram_server_first(&keys, req->nonce, buf_str(&nonce), &answer);
    TRY(buf_status(&answer));

    struct exchange *x = exchanges_begin(auth_exchanges, ipc_incarnation(from), req->session);
    x->keys = keys;
    mem_wipe(&keys, sizeof(keys));
    x->may = may && !found.disabled;
    x->reason = (uint8_t)(found.verifier.len > 0 && !may ? AUTH_FOREIGN : auth_reason_of(&found));
    x->protocol = req->protocol;
    x->login = mem_str(req->login);
    x->slow = slow;
    x->account = found.who.account;
    x->address = mem_str(found.who.address);
    buf_add(&x->message, req->message);
    buf_add_char(&x->message, ',');
    buf_add(&x->message, buf_str(&answer));
    buf_add_char(&x->message, ',');
    rep->message = arena_str(a, buf_str(&answer));
    return OK;
}

enum status
auth_serve_scram_final(struct ipc_peer *from, const struct auth_scram_final *req, struct arena *a,
                       struct auth_scram_final_reply *rep)
{
    AUTO(exchange_free)
    struct exchange *x = exchanges_take(auth_exchanges, ipc_incarnation(from), req->session);
    unsigned char signature[SCRAM_KEY_BYTES];

    if (x == NULL)
        return ERR_DENIED;
    const struct auth_asked asked = {.peer = req->peer, .login = x->login, .protocol = x->protocol};
    /* Many exchanges may have begun before the first of them failed. */
    if (!x->slow && auth_brake_is_slow(&asked))
        return auth_brake_refuse(&asked, AUTH_SLOWED);
    buf_add(&x->message, req->message);
    TRY(buf_status(&x->message));
    bool right = scram_check(&x->keys, buf_str(&x->message), req->proof, signature) == OK;
    if (!right || !x->may)
        return auth_brake_refuse(&asked, (enum auth_reason)x->reason);
    auth_brake_right(&asked);
    const struct auth_session session = {.session = req->session,
                                         .account = x->account,
                                         .protocol = req->protocol,
                                         .peer = req->peer,
                                         .tls_version = req->tls_version};
    TRY(auth_grant(from, &session));
    *rep = (struct auth_scram_final_reply){
        .signature = arena_str(a, str_from((const char *)signature, sizeof(signature))),
        .account = x->account,
        .address = arena_str(a, x->address),
        .rights = AUTH_RIGHTS_ALL,
    };
    return OK;
}
