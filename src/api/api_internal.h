/* api_internal.h - what the resources of the API share: a request that was understood, and how it is answered.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef API_API_INTERNAL_H
#define API_API_INTERNAL_H

#include "api/api.h"
#include "api/read.h"
#include "api/view.h"

#define API_SEGMENTS_MAX 6u

extern struct api_world *api_world;

struct api_call {
    struct http_exchange *x;
    struct arena *a;
    struct str at[API_SEGMENTS_MAX]; /* of the path, behind "v1", decoded */
    size_t depth;
    json_t *in; /* the body, an object; NULL = there was none */
};

/* May who asks do all?  Else it is a resource that is open to everybody who can connect. */
bool api_is_known(const struct http_exchange *x);

/* ---- answers; each request gets exactly one ---- */
SUSPENDS void api_json(struct api_call *c, unsigned status, json_t *j); /* frees j */
SUSPENDS void api_done(struct api_call *c);                             /* {"result": "ok"} */
SUSPENDS void api_problem(struct http_exchange *x, unsigned status, const char *code,
                          struct str detail);
/* After a verb that failed; at once, for the store's own words. */
SUSPENDS void api_fail(struct api_call *c, enum status e);

/* ---- input; what is wrong with it is answered ---- */
/* The same of the body. */
MUST_USE SUSPENDS bool api_take(struct api_call *c, const struct api_member *members, size_t n);
/* A word of the query, empty when it is not there. */
MUST_USE SUSPENDS bool api_query(struct api_call *c, const char *name, struct str *out);
MUST_USE SUSPENDS bool api_query_u64(struct api_call *c, const char *name, uint64_t max,
                                     uint64_t *out);
MUST_USE SUSPENDS bool api_query_bool(struct api_call *c, const char *name, bool *out);
/* How many entries a page has: 100, or ?limit up to 1,000. */
MUST_USE SUSPENDS bool api_limit(struct api_call *c, uint64_t *out);
bool api_is_ip(struct str text);
struct str api_address(const struct api_call *c, struct str typed);

/* ---- accounts.c, bulk.c ---- */
SUSPENDS void api_accounts(struct api_call *c);
SUSPENDS void api_account_show(struct api_call *c);
SUSPENDS void api_account_change(struct api_call *c);
SUSPENDS void api_account_delete(struct api_call *c);
SUSPENDS void api_account_password(struct api_call *c);
SUSPENDS void api_account_suspend(struct api_call *c);
SUSPENDS void api_account_resume(struct api_call *c);
SUSPENDS void api_account_undelete(struct api_call *c);
SUSPENDS void api_account_forward(struct api_call *c);
SUSPENDS void api_account_forward_off(struct api_call *c);
SUSPENDS void api_account_send_as(struct api_call *c);
SUSPENDS void api_account_send_as_remove(struct api_call *c);
SUSPENDS void api_app_passwords(struct api_call *c);
SUSPENDS void api_app_password_add(struct api_call *c);
SUSPENDS void api_app_password_remove(struct api_call *c);
SUSPENDS void api_bulk_piece(struct http_exchange *x, struct str bytes);
SUSPENDS void api_bulk_finish(struct http_exchange *x);
SUSPENDS void api_accounts_add(struct api_call *c, json_t *body); /* an object or an array */

/* ---- invite.c ---- */
SUSPENDS void api_account_invite(struct api_call *c);
SUSPENDS void api_invitation_redeem(struct api_call *c);

/* ---- directory.c ---- */
SUSPENDS void api_domains(struct api_call *c);
SUSPENDS void api_domain_add(struct api_call *c);
SUSPENDS void api_domain_show(struct api_call *c);
SUSPENDS void api_domain_rotate(struct api_call *c);
SUSPENDS void api_domain_look(struct api_call *c);
SUSPENDS void api_domain_remove(struct api_call *c);
SUSPENDS void api_aliases(struct api_call *c);
SUSPENDS void api_alias_set(struct api_call *c);
SUSPENDS void api_alias_remove(struct api_call *c);
SUSPENDS void api_aliases_import(struct api_call *c, json_t *list);

/* ---- queue.c ---- */
SUSPENDS void api_queue(struct api_call *c);
SUSPENDS void api_queue_summary(struct api_call *c);
SUSPENDS void api_queue_show(struct api_call *c);
SUSPENDS void api_queue_act(struct api_call *c);
SUSPENDS void api_queue_act_one(struct api_call *c);
SUSPENDS void api_queue_route_one(struct api_call *c);
SUSPENDS void api_queue_drop(struct api_call *c);
SUSPENDS void api_queue_pause(struct api_call *c);

/* ---- live.c: sessions, blocks, the server ---- */
SUSPENDS void api_sessions(struct api_call *c);
SUSPENDS void api_session_end(struct api_call *c);
SUSPENDS void api_account_sessions(struct api_call *c);
SUSPENDS void api_account_kick(struct api_call *c);
SUSPENDS void api_blocks(struct api_call *c);
SUSPENDS void api_block_add(struct api_call *c);
SUSPENDS void api_block_remove(struct api_call *c);
SUSPENDS void api_status(struct api_call *c);
SUSPENDS void api_stats(struct api_call *c);
SUSPENDS void api_reload(struct api_call *c);

/* ---- trace.c ---- */
SUSPENDS void api_trace(struct api_call *c);
SUSPENDS void api_trace_life(struct api_call *c);

/* ---- explain.c ---- */
SUSPENDS void api_explain_rcpt(struct api_call *c);
SUSPENDS void api_explain_login(struct api_call *c);
SUSPENDS void api_explain_route(struct api_call *c);

#endif
