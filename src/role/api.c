/* api.c - administrators by HTTP: the JSON API, and figures for Prometheus.
 *
 * May touch:  its listeners, a channel to the store, and the file of its token.  No other files, no outbound
 * connections, no keys.  What it may ask of the store is all that the godwit command may.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api.h"

#include <jansson.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "role/front/front.h"
#include "rt/random.h"

#define BLOCKWATCH_SERVE_LINKAGE static
#include "ipc/blockwatch_serve.h"

static struct api_world world;
static struct buf token = BUF(API_TOKEN_MAX);

static const struct front_service services[] = {
    {SERVICE_API, &http_ops, "http", HTTP_SHED_LINE},
    {SERVICE_METRICS, &http_ops, "http", HTTP_SHED_LINE},
    {0},
};

static void
blockwatch_serve_blocks_changed(struct ipc_peer *from, const struct blockwatch_blocks_changed *req,
                                struct arena *a)
{
    (void)from, (void)req, (void)a;
    front_blocks_changed();
}

/* The last line that names one.  A file that is empty, or that cannot be read, lets nobody in. */
static void
files_changed(const struct role_start *s)
{
    struct str word = STR_NONE;

    buf_reset(&token);
    world.token = STR("");
    for (size_t i = 0; i < s->config->listen_count; i++) {
        if (s->config->listen[i].token_file.len > 0)
            word = s->config->listen[i].token_file;
    }
    if (word.len > 0 && role_file_read(s, word, &token) == OK)
        world.token = str_trim(buf_str(&token));
}

/* Jansson would open a file for it, behind the wall. */
static enum status
prepare(const struct role_start *s, struct problem *why)
{
    (void)s, (void)why;
    json_object_seed((size_t)random_u64() | 1u); /* 0 would mean: do so now */
    return OK;
}

static FIBER_ENTRY enum status
begin(const struct role_start *s, struct problem *why)
{
    world.uid = geteuid();
    world.config = s->config;
    world.reload = role_ask_reload;
    files_changed(s);
    api_init(&world);
    http_serve(SERVICE_API, &api_service);
    http_serve(SERVICE_METRICS, &api_metrics_service);
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
}

static void
peer_arrived(struct ipc_peer *p)
{
    peer_gone(p);
    if (ipc_role(p) == ROLE_STORE)
        front_blocks_changed();
}

static const struct ipc_service *const serves[] = {&blockwatch_service};

const struct role_verbs role_api = {
    .serves = serves,
    .serve_count = COUNT_OF(serves),
    .prepare = prepare,
    .begin = begin,
    .peer_arrived = peer_arrived,
    .peer_gone = peer_gone,
    .config_changed = config_changed,
    .files_changed = files_changed,
};
