/* session.h - one SMTP session: data at rest, and the parts that its files share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "config/events.h"
#include "ipc/hold.h"
#include "login/sasl.h"
#include "rt/logger.h"
#include "smtp/body.h"
#include "smtp/command.h"
#include "smtp/smtp.h"

#define SMTP_BODY_READ_MAX (256u * 1024)

/* What the next input means. */
enum smtp_rest {
    SMTP_REST_COMMAND,
    SMTP_REST_BODY,  /* after 354 */
    SMTP_REST_CHUNK, /* after BDAT */
    SMTP_REST_SASL,  /* after 334 */
};

/* What filters decided so far, beside refusals. */
struct smtp_judgement {
    bool hold, discard;
    bool junk;          /* it is delivered as such */
    struct str prepend; /* header fields with their CRLF */
};
/* The texts of the last reply that a filter gave. */
struct smtp_verdict {
    char enhanced[12], text[320];
};

struct store_checks; /* of store.ipc */

/* From MAIL to the end of DATA, RSET, EHLO or STARTTLS; all of it lives in its arena. */
struct smtp_transaction {
    struct arena *arena;
    bool open;    /* MAIL was accepted */
    uint64_t tid; /* its number in the log, and in our Received field */
    struct smtp_mail said;
    struct smtp_rcpt *rcpts;
    size_t rcpt_count;
    struct smtp_judgement judged;
    const struct store_checks
        *checks;                  /* what was found out about a stranger; NULL: not looked at */
    struct smtp_milters *milters; /* owned; NULL: none (milters.h) */
    bool relays; /* some recipient is not here, and the client may send there without a log-in */
    struct smtp_body *body;
};

/* The end of a command: what goes on the wire and into the log. */
struct smtp_reply {
    int code;
    const char *enhanced; /* RFC 2034; NULL for replies that have none */
    const char *text;
};

/* Why somebody gets no mail: at RCPT, at the end of a message, and for each recipient in LMTP in the same words. */
enum smtp_refusal {
    SMTP_NO_RELAY,
    SMTP_NO_USER,
    SMTP_FULL,
    SMTP_OVERFULL, /* for days */
    SMTP_DISABLED,
    SMTP_FORGED, /* these are of rewritten senders */
    SMTP_REPORTS_ONLY,
    SMTP_TOO_MANY_REPORTS,
    SMTP_TOO_OFTEN,
    SMTP_GREYLISTED,
    SMTP_NOT_OURS, /* a report about mail that did not leave here */
    SMTP_NO_SPACE,
    SMTP_NOT_NOW,
};
#define SMTP_REFUSALS (SMTP_NOT_NOW + 1)
extern const struct smtp_reply smtp_refusals[SMTP_REFUSALS];

/* The bytes that follow a BDAT. */
struct smtp_chunk {
    uint64_t size, left;
    bool last;
    struct smtp_reply
        refusal; /* code 0: they are of the message; else they are thrown away, and this said */
};

struct smtp_session {
    struct list node; /* of all sessions of this process */
    struct conn *conn;
    enum service service;
    enum smtp_rest rest;
    uint64_t id; /* number of the session in this worker: what auth grants to */
    bool esmtp;
    struct str helo;                /* owned; empty until greeted */
    uint32_t idle;                  /* commands since the last message */
    uint32_t errors, mails, logins; /* mails: MAIL commands, whatever came of them */
    bool quit;
    bool speaker; /* may say XCLIENT: decided when the connection came */
    struct hold hold;
    uint64_t account;   /* 0 until AUTH succeeded */
    struct str address; /* owned; of the account, or of who calls on the socket of sendmail */
    struct str login;   /* owned; the user of this machine who calls there, else empty */
    bool trusted;       /* who may send as anybody */
    struct sasl sasl;
    struct smtp_verdict *verdict; /* owned; NULL: no filter gave a reply yet */
    struct smtp_transaction mail;
    struct smtp_chunk chunk;
    size_t chunk_owed; /* LMTP: answers that the last chunk of a refused message still gets */
    bool chunk_failed; /* a BDAT was refused: those behind it in the pipeline are its consequence */
};

extern const struct smtp_world *smtp_world;

struct smtp_dialect smtp_dialect_of(const struct smtp_session *s);
bool smtp_is_submission(const struct smtp_session *s);
bool smtp_is_lmtp(const struct smtp_session *s);
bool smtp_may_login(const struct smtp_session *s); /* protected, or loopback with the switch on */
/* Of a network of relay-from, on port 25: may send to anywhere, as a domain of ours. */
bool smtp_may_relay(const struct smtp_session *s);
MUST_USE SUSPENDS enum status smtp_reply(struct smtp_session *s, int code, const char *enhanced,
                                         const char *format, ...) PRINTF(4, 5);
/* The same, and counts an error of the client's; after LIMIT_SMTP_ERRORS the session ends with 421.  Not in LMTP, whose
 * client is one of ours and only passes on what others wrote. */
MUST_USE SUSPENDS enum status smtp_error(struct smtp_session *s, int code, const char *enhanced,
                                         const char *format, ...) PRINTF(4, 5);
/* Counts a command that brings no mail nearer; false: there were LIMIT_SMTP_IDLE_COMMANDS since the last message. */
bool smtp_idle_allowed(struct smtp_session *s);
/* And then: 421, and the end. */
MUST_USE SUSPENDS enum status smtp_idle_end(struct smtp_session *s);
/* A message was kept: what went before it was worth it. */
void smtp_kept(struct smtp_session *s);
/* The reply that a reader of command.h wrote, as an error of the client's. */
MUST_USE SUSPENDS enum status smtp_problem(struct smtp_session *s, const struct problem *why);
/* local.c: finds out who calls on the socket of the sendmail command; false: the kernel does not say. */
MUST_USE bool smtp_local_begin(struct smtp_session *s);
/* Why a command that a client must be known for is not served now; code 0: it is. */
struct smtp_reply smtp_need_login(const struct smtp_session *s);
/* Ends the transaction, if any, and forgets it. */
void smtp_reset(struct smtp_session *s);

/* What milters change in an envelope.  ERR_SYNTAX: no address; ERR_DENIED: not to there, or no more; ERR_TEMP: not now,
 * so the message must come again. */
MUST_USE enum status smtp_sender_change(struct smtp_session *s, struct str address);
MUST_USE SUSPENDS enum status smtp_rcpt_add(struct smtp_session *s, struct str address);
void smtp_rcpt_remove(struct smtp_session *s, struct str address);

size_t smtp_rcpts_max(const struct smtp_session *s);

/* Commands: args is what follows the verb and its blanks. */
SUSPENDS enum status smtp_cmd_mail(struct smtp_session *s, struct str args);
SUSPENDS enum status smtp_cmd_rcpt(struct smtp_session *s, struct str args);
SUSPENDS enum status smtp_cmd_data(struct smtp_session *s, struct str args);
SUSPENDS enum status smtp_cmd_bdat(struct smtp_session *s, struct str args);
SUSPENDS enum status smtp_cmd_auth(struct smtp_session *s, struct str args);
/* xclient.h; may_xclient: the connection is from a network of xclient-from. */
SUSPENDS enum status smtp_cmd_xclient(struct smtp_session *s, struct str args);
bool smtp_may_xclient(const struct smtp_session *s);
/* The first line that a client sees; again after XCLIENT. */
MUST_USE SUSPENDS enum status smtp_greeting(struct smtp_session *s);
/* Input in the other states. */
SUSPENDS enum status smtp_body_input(struct smtp_session *s);
SUSPENDS enum status smtp_chunk_input(struct smtp_session *s);
/* What DATA and BDAT share: why no message can begin now (code 0: it can), its beginning, and its end: the store's
 * answer becomes the reply, and the transaction is over. */
SUSPENDS struct smtp_reply smtp_message_refusal(struct smtp_session *s);
void smtp_message_begin(struct smtp_session *s);
SUSPENDS enum status smtp_message_end(struct smtp_session *s);
/* Whose address does a submission bear whose header is in?  ERR_DENIED: not this user's, and why tells so. */
MUST_USE SUSPENDS enum status smtp_check_writers(struct smtp_session *s, struct arena *a,
                                                 struct problem *why);
/* LMTP's: one answer for each recipient. */
SUSPENDS enum status smtp_lmtp_end(struct smtp_session *s);
struct store_terms; /* of store.ipc */
struct store_terms smtp_terms_of(const struct smtp_session *s);
void smtp_log_message(const struct smtp_session *s, const struct smtp_reply *reply);
/* A recipient that was not taken. */
void smtp_log_refusal(const struct smtp_session *s, struct str address,
                      const struct smtp_reply *no);
/* The reply to a message that the store, or the reader of its bytes, said e to. */
struct smtp_reply smtp_message_reply(enum status e, const struct smtp_body *b);
SUSPENDS enum status smtp_sasl_line(struct smtp_session *s, struct str line);
void smtp_sasl_end(struct smtp_session *s); /* gives an AUTH up, if there is one */

#endif
