/* mx.c - SMTP from strangers.
 *
 * May touch:  its listeners, channels to the store and keys, connections to filters that boss begins.  No files, no
 *             outbound connections of its own, no keys.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "filter/link.h"
#include "role/front/front.h"
#include "role/role_dial.h"
#include "smtp/smtp.h"

#define BLOCKWATCH_SERVE_LINKAGE static
#include "ipc/blockwatch_serve.h"
#define CERTWATCH_SERVE_LINKAGE static
#include "ipc/certwatch_serve.h"

static struct smtp_world world;

static const struct front_service services[] = {
    {SERVICE_SMTP, &smtp_ops, "smtp", STR("421 4.7.0 Too many connections, try again later\r\n"),
     STR("421 4.3.2 This server starts anew, try again in a moment\r\n")},
    {SERVICE_LMTP, &smtp_ops, "lmtp", STR("421 4.7.0 Too many connections, try again later\r\n"),
     STR("421 4.3.2 This server starts anew, try again in a moment\r\n")},
    {0},
};

static void
blockwatch_serve_blocks_changed(struct ipc_peer *from, const struct blockwatch_blocks_changed *req,
                                struct arena *a)
{
    (void)from, (void)req, (void)a;
    front_blocks_changed();
}

static void
certwatch_serve_certs_changed(struct ipc_peer *from, const struct certwatch_certs_changed *req,
                              struct arena *a)
{
    (void)from, (void)req, (void)a;
    front_certs_changed();
}

static const struct link_verbs dialler = {.dial = role_dial};

static FIBER_ENTRY enum status
begin(const struct role_start *s, struct problem *why)
{
    world.config = s->config;
    smtp_init(&world);
    link_init(&dialler);
    return front_begin(s, services, why);
}

static void
config_changed(const struct role_start *s)
{
    world.config = s->config;
    front_config_changed(s, services);
}

static void
peer_gone(struct ipc_peer *p)
{
    (void)p;
    world.store = role_peer(ROLE_STORE);
    world.out = role_peer(ROLE_OUT);
}

static void
peer_arrived(struct ipc_peer *p)
{
    peer_gone(p);
    if (ipc_role(p) == ROLE_STORE)
        front_blocks_changed();
}

static const struct ipc_service *const serves[] = {&blockwatch_service, &certwatch_service};

const struct role_verbs role_mx = {
    .serves = serves,
    .serve_count = COUNT_OF(serves),
    .begin = begin,
    .peer_arrived = peer_arrived,
    .peer_gone = peer_gone,
    .stop = front_stop,
    .config_changed = config_changed,
};
