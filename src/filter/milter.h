/* milter.h - the conversation with one milter about one message.
 *
 * Life:      milter_begin() with all that is known at MAIL; milter_rcpt() for each recipient; milter_data(); then the
 *            message: milter_header() for each field, milter_end_of_header(), milter_body() in pieces,
 *            milter_end(), milter_change() until it says what became of the message; milter_done().
 * Owns:      its connection, which waits for the next message afterwards.
 * Promises:  an answer is one of enum milter_verdict, or a failure with words for the log: then the milter is out of
 *            the game, further questions fail as well, and the caller decides by its line of the configuration.
 *            What the milter does not want to hear is not sent.  After a verdict other than CONTINUE it is not asked
 *            any more.
 * Suspends:  each answer takes at most the milter's time limit, the one to the whole message ten times that, begun
 *            anew when the milter says that it is at work, and LIMIT_MILTER_END_S in all.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FILTER_MILTER_H
#define FILTER_MILTER_H

#include "base/arena.h"
#include "filter/link.h"
#include "filter/milter_packet.h"

enum milter_verdict {
    MILTER_GOES_ON,
    MILTER_ACCEPTED, /* it wants to hear no more of this message */
    MILTER_REFUSED,  /* reply */
    MILTER_DISCARDED,
};
struct milter {
    const struct config_filter *filter;
    struct link *link; /* NULL: out of the game */
    uint32_t actions, steps;
    bool over;    /* it said what becomes of the message, or of this part of it */
    bool refused; /* ... and that was no */
    bool owes;    /* an answer to the whole message is under way */
    bool ended;   /* the whole message was judged */
    bool skips_body;
    int64_t end_ms;      /* of the answer to the whole message */
    struct buf out, in;  /* one packet, with the macros before it; one answer */
    enum status failure; /* once it failed: why; ERR_LIMIT: a limit of our own, not the milter */
    const char *why;     /* ... in words */
    int code;            /* after MILTER_REFUSED */
    char enhanced[12];
    char text[MILTER_TEXT_MAX + 1];
};
/* Names and values of macros; a value may be empty: then the macro is not sent. */
struct milter_macros {
    const struct str *at; /* name, value, name, value ... */
    size_t count;         /* of strings */
};
struct milter_greeting {
    struct milter_client client;
    struct str helo, sender;  /* without brackets */
    const struct str *params; /* of MAIL */
    size_t param_count;
    struct milter_macros on_connect, on_helo, on_mail;
};

void milter_init(struct milter *m, const struct config_filter *f);
/* Negotiation, CONNECT, HELO, MAIL. */
MUST_USE SUSPENDS enum status milter_begin(struct milter *m, const struct milter_greeting *g,
                                           enum milter_verdict *out);
/* refused: the server did not take this recipient; only those are told that asked for it, and nothing is answered. */
struct milter_recipient {
    struct str address;
    bool refused;
    struct milter_macros macros;
};
MUST_USE SUSPENDS enum status milter_rcpt(struct milter *m, const struct milter_recipient *r,
                                          enum milter_verdict *out);
MUST_USE SUSPENDS enum status milter_data(struct milter *m, const struct milter_macros *macros,
                                          enum milter_verdict *out);
MUST_USE SUSPENDS enum status milter_header(struct milter *m, struct str name, struct str value,
                                            enum milter_verdict *out);
MUST_USE SUSPENDS enum status milter_end_of_header(struct milter *m,
                                                   const struct milter_macros *macros,
                                                   enum milter_verdict *out);
/* At most MILTER_CHUNK_MAX bytes. */
MUST_USE SUSPENDS enum status milter_body(struct milter *m, struct str bytes,
                                          enum milter_verdict *out);
bool milter_failed(const struct milter *m); /* and so will every further question */
bool milter_wants_headers(const struct milter *m);
bool milter_wants_body(const struct milter *m);
MUST_USE SUSPENDS enum status milter_end(struct milter *m, const struct milter_macros *macros);
/* *more: *change is to be made, and the next one asked for; its strings live until then.  Else *out is the verdict. */
MUST_USE SUSPENDS enum status milter_change(struct milter *m, struct milter_said *change,
                                            bool *more, enum milter_verdict *out);
SUSPENDS void milter_done(struct milter *m); /* the connection may be used again */
void milter_drop(struct milter *m);          /* closes it; safe twice */

#endif
