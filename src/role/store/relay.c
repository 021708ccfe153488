/* relay.c - answers mx for clients of the networks in relay-from: mail to anywhere without a log-in.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include <arpa/inet.h>

#include "base/mem.h"
#include "ipc/store_serve.h"
#include "role/store/store.h"

bool
store_relay_listed(const struct config *c, struct str peer)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_storage at = {0};
    char z[INET6_ADDRSTRLEN];

    if (!str_to_z(peer, z, sizeof(z)))
        return false;
    if (inet_pton(AF_INET, z, &four.sin_addr) == 1)
        mem_copy(&at, &four, sizeof(four));
    else if (inet_pton(AF_INET6, z, &six.sin6_addr) == 1)
        mem_copy(&at, &six, sizeof(six));
    return subnet_has(c->relay_from, c->relay_from_count, &at);
}

SUSPENDS static enum status
check_sender(struct store *s, struct str sender)
{
    bool ours = false;

    if (sender.len == 0)
        return OK;
    TRY(store_checked(s, directory_is_local_domain(s->directory, store_domain_of(sender), &ours),
                      "look-up"));
    return ours ? OK : ERR_DENIED;
}

enum status
store_serve_relay(struct ipc_peer *from, const struct store_relay *req, struct arena *a,
                  struct store_relay_reply *rep)
{
    struct store *s = store_of(from);
    struct intake_which which = {.source = store_source_of(from),
                                 .handle = req->handle,
                                 .bytes = req->body,
                                 .want_dkim = true,
                                 .tid = req->trace};
    struct store_rcpts all = {0};
    struct intake_body body;
    struct store_sent sent;

    /* mx found so; a server without such a line never sends for it, whatever it says. */
    if (!store_relay_listed(s->config, req->peer))
        return ERR_DENIED;
    TRY(check_sender(s, req->sender));
    TRY(store_take(from, &which, a, &body));
    struct queue_message m = {.sender = req->sender,
                              .smtputf8 = req->smtputf8,
                              .held = req->hold,
                              .terms = store_terms(&req->terms)};
    const struct store_signing signing = {.sender = req->sender, .facts = &body.facts};
    enum status st = store_sign(s, &signing, a, &m.prepend);
    for (size_t i = 0; i < req->rcpts_count && st == OK; i++) {
        struct queue_rcpt r = {.original = req->rcpts[i]};
        st = store_expand(s, &r, a, &all);
    }
    if (st != OK)
        return store_checked(s, store_refused(s, &body, st), "relay");
    m.rcpts = all.list;
    m.rcpt_count = all.count;
    TRY(store_send(s, &m, &body, &sent));
    rep->qid = sent.qid;
    return OK;
}
