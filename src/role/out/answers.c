/* answers.c - what role out answers those who judge mail: mx about clients, the store about keys and policies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define OUT_SERVE_HANDLERS_ONLY
#include "ipc/out_serve.h"
#include "role/out/ask.h"
#include "role/out/out_internal.h"
#include "role/out/sender.h"
#include "role/role.h"

/* They hold what asks, not the terms of deliveries: a new configuration with the same resolver must not wait for the
 * names of strangers. */
enum status
out_serve_texts(struct ipc_peer *from, const struct out_texts *req, struct arena *a,
                struct out_texts_reply *rep)
{
    struct upstream *mine = out_upstream_hold();

    (void)from;
    enum status st = out_ask_texts(mine == NULL ? NULL : mine->resolver, req, a, rep);
    out_upstream_let_go(mine);
    return st;
}

enum status
out_serve_sender(struct ipc_peer *from, const struct out_sender *req, struct arena *a,
                 struct out_sender_reply *rep)
{
    struct upstream *mine = out_upstream_hold();

    (void)from;
    enum status st = out_sender_ask(mine == NULL ? NULL : mine->resolver, role_self()->config->host,
                                    req, a, rep);
    out_upstream_let_go(mine);
    return st;
}
