/* policy.h - the access policy protocol of Postfix (its SMTPD_POLICY_README): requests, and what an answer says.
 *
 *     request = *( name "=" value LF ) LF              answer = "action=" VERB [ SP text ] LF LF
 *
 * Promises:  no value can end its line.  An answer becomes one of the verbs below, or ERR_SYNTAX: what is not known
 *            here is a mistake of the configuration.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FILTER_POLICY_H
#define FILTER_POLICY_H

#include "base/arena.h"
#include "base/buf.h"
#include "config/config.h"

/* The attributes that Godwit knows.  What is empty here is sent empty. */
struct policy_request {
    struct str state;    /* "RCPT", "END-OF-MESSAGE" */
    struct str protocol; /* "SMTP", "ESMTP" */
    struct str helo, queue_id, sender, recipient;
    uint32_t recipient_count; /* 0 until the end of the message */
    struct str client_address, server_address, instance;
    uint32_t client_port, server_port;
    struct str sasl_username;
    uint64_t size;
    struct str tls_protocol, tls_cipher;
    struct str context;
};
void policy_request_write(struct buf *b, const struct policy_request *r);

enum policy_verb {
    POLICY_DUNNO,           /* go on with the next */
    POLICY_OK,              /* no further policy server is asked at this stage */
    POLICY_REFUSE,          /* with the code: REJECT, DEFER, 4xx and 5xx */
    POLICY_DEFER_IF_PERMIT, /* 4xx, unless a later one refuses */
    POLICY_DEFER_IF_REJECT, /* a later refusal becomes a 4xx */
    POLICY_PREPEND,         /* text: a header field */
    POLICY_WARN,            /* text: for the log */
    POLICY_HOLD,            /* the queue holds the message */
    POLICY_DISCARD,         /* taken, and thrown away */
};
struct policy_action {
    enum policy_verb verb;
    int code; /* of refusals, else 0 */
    char enhanced[12];
    struct str text; /* printable ASCII, into the given arena */
};
#define POLICY_TEXT_MAX 300u
/* value: what follows "action=".  ERR_SYNTAX: nothing that is known here. */
MUST_USE enum status policy_action_read(struct str value, struct arena *a,
                                        struct policy_action *out);

/* Asks; a kept connection that turns out to be dead is replaced by a new one, once.
 * ERR_NOT_FOUND: it said an action that is not known here.  ERR_LIMIT: it was not asked, for a limit of our own.
 * why: words for the log. */
MUST_USE SUSPENDS enum status policy_ask(const struct config_filter *f,
                                         const struct policy_request *r, struct arena *a,
                                         struct policy_action *out, const char **why);

#endif
