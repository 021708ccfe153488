/* session.h - one POP3 session.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POP3_SESSION_H
#define POP3_SESSION_H

#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "ipc/hold.h"
#include "login/sasl.h"
#include "pop3/ahead.h"
#include "pop3/delay.h"
#include "pop3/pop3.h"

enum pop3_rest { POP3_REST_COMMAND, POP3_REST_SASL };

/* As INBOX was at log-in; numbers are index + 1. */
struct pop3_message {
    uint64_t mid;
    uint64_t size;
    uint32_t uid;
    bool deleted;
};
struct pop3_session {
    struct list node;
    struct conn *conn;
    uint64_t id;
    enum pop3_rest rest;
    uint32_t logins, errors;
    bool quit;
    struct hold hold;
    struct str name; /* owned: USER */
    struct sasl sasl;
    uint64_t account; /* 0 until logged in */
    uint32_t mailbox, uidvalidity;
    struct pop3_message *messages; /* owned */
    size_t count;
    struct pop3_ahead ahead;
};

extern const struct pop3_world *pop3_world;
extern struct delays *pop3_delays;

MUST_USE SUSPENDS enum status pop3_ok(struct pop3_session *s, const char *format, ...) PRINTF(2, 3);
/* code: response code of RFC 2449 with brackets, or "". */
MUST_USE SUSPENDS enum status pop3_err(struct pop3_session *s, const char *code, const char *text);

/* login.c */
SUSPENDS enum status pop3_cmd_user(struct pop3_session *s, struct str args);
SUSPENDS enum status pop3_cmd_pass(struct pop3_session *s, struct str args);
SUSPENDS enum status pop3_cmd_auth(struct pop3_session *s, struct str args);
SUSPENDS enum status pop3_sasl_line(struct pop3_session *s, struct str line);
void pop3_sasl_end(struct pop3_session *s); /* gives an AUTH up, if there is one */

/* messages.c */
MUST_USE SUSPENDS enum status pop3_load(struct pop3_session *s);
SUSPENDS enum status pop3_cmd_stat(struct pop3_session *s, struct str args);
SUSPENDS enum status pop3_cmd_list(struct pop3_session *s, struct str args);
SUSPENDS enum status pop3_cmd_uidl(struct pop3_session *s, struct str args);
SUSPENDS enum status pop3_cmd_retr(struct pop3_session *s, struct str args);
SUSPENDS enum status pop3_cmd_top(struct pop3_session *s, struct str args);
SUSPENDS enum status pop3_cmd_dele(struct pop3_session *s, struct str args);
SUSPENDS enum status pop3_cmd_rset(struct pop3_session *s, struct str args);
MUST_USE SUSPENDS enum status pop3_update(struct pop3_session *s); /* the UPDATE state */

#endif
