/* api.h - the JSON API of an administrator, over HTTP: what the godwit command can do, as resources below /v1.
 *
 * Each request is one or more verbs of admin.ipc, which the command says as well; answers are made by api/view.h, as
 * the command's --json is.  docs/api.md describes the resources.
 * Promises:  nobody is heard whom api_init()'s world does not know: by a Unix socket the user who connected, by TCP the
 *            bearer of the token; but anybody may turn an invitation into a password.  Errors are problem details
 *            (RFC 9457) with a sentence for people.
 * Never:     logs or shows a password, but the one that it made and was asked to.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_H
#define API_API_H

#include "config/config.h"
#include "http/server.h"
#include "rt/ipc.h"

#define API_TOKEN_MIN 16u /* bytes */
#define API_TOKEN_MAX 512u

struct api_world {
    const struct config *config;
    struct ipc_peer *store; /* NULL while away */
    uint32_t uid;           /* ours: may do all, as root */
    struct str token;       /* of TCP; empty: nobody has it */
    /* Tells boss to take its configuration anew. */
    void (*reload)(void);
};
/* w is read at every use. */
void api_init(struct api_world *w);
extern const struct http_service api_service;
extern const struct http_service api_metrics_service; /* GET /metrics, and nothing else */

#endif
