/* view.h - what the store answers an administrator, as JSON: one form, for the godwit command and for the API.
 *
 * Promises:  every string is valid UTF-8, whatever strangers wrote; times are microseconds UTC (`..._us`) or as their
 *            name says; what is called bytes is a number of bytes.
 * Owns:      nothing: the caller gets each value, and frees it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef API_VIEW_H
#define API_VIEW_H

#include <jansson.h>

#include "base/buf.h"
#include "ipc/admin_ipc.h"

/* Bytes that are no UTF-8 become U+FFFD. */
json_t *view_str(struct str s);
json_t *view_strings(const struct str *list, size_t n);
/* Valid UTF-8 in any case; control characters become "?" unless they are wanted. */
void view_clean(struct buf *b, struct str s, bool controls);

/* ---- the directory ---- */
json_t *view_account(const struct admin_account *a);
json_t *view_deleted(const struct admin_deleted *d);
json_t *view_domain(const struct admin_domain *d);
json_t *view_dkim_keys(const struct admin_domain_keys_reply *r);
extern const char *const view_dkim_algorithms[2], *const view_dkim_states[3]; /* of admin.ipc */
/* The same as what has to be set in DNS; in the arena. */
struct records_domain;
void view_records_keys(const struct admin_domain_keys_reply *r, struct arena *a,
                       struct records_domain *out);
struct record;
struct records;
json_t *view_record(const struct record *r); /* to set in the DNS: setup/records.h */
json_t *view_records(const struct records *all);
json_t *view_alias(const struct admin_alias *a);
json_t *view_app_password(const struct admin_app_password *p);
extern const char *const view_app_protocols[3]; /* by the bits of admin.ipc */

/* ---- the queue ---- */
extern const char *const view_rcpt_states[4];
enum view_told { VIEW_TOLD_SUCCESS = 2, VIEW_TOLD_FAILURE = 4, VIEW_TOLD_DELAY = 8 };
enum view_by { VIEW_BY_NONE, VIEW_BY_NOTIFY, VIEW_BY_RETURN }; /* by_mode of admin.ipc */
json_t *view_queued(const struct admin_queued *m);
#define VIEW_AGES 10
extern const char *const view_age_names[VIEW_AGES];
json_t *view_queue_summary(const struct admin_queue_summary_reply *rep);

/* ---- who is there, and who may not be ---- */
extern const char *const view_protocols[4];
json_t *view_session(const struct admin_session *s);
extern const char *const view_penalty_kinds[4];
json_t *view_block(const struct admin_block *b);
json_t *view_penalty(const struct admin_penalty *p);

/* ---- the server ---- */
json_t *view_status(const struct admin_status_reply *r);
json_t *view_reload(const struct admin_status_reply *r);
json_t *view_stats(const struct admin_stats_reply *r);
/* The same in the text format of Prometheus; ERR_LIMIT: past b's maximum. */
MUST_USE enum status view_prometheus(const struct admin_stats_reply *r, struct buf *b);

/* ---- what would happen, and why ---- */
enum view_verdict { VIEW_YES, VIEW_NO, VIEW_UNKNOWN };
struct view_judgement {
    enum view_verdict verdict;
    const char *why;
};
/* sender as it was asked for; empty = any */
struct view_judgement view_judge_rcpt(const struct admin_explain_rcpt_reply *r, struct str sender);
struct view_judgement view_judge_login(const struct admin_explain_login_reply *r);
struct view_judgement view_judge_route(const struct admin_explain_route_reply *r);
json_t *view_explain_rcpt(struct str address, const struct admin_explain_rcpt_reply *r);
json_t *view_explain_login(const struct admin_explain_login_reply *r);
json_t *view_explain_route(struct str domain, const struct admin_explain_route_reply *r);
/* Both members that every explanation ends with. */
void view_set_judgement(json_t *j, struct view_judgement v);

#endif
