/* reply.h - what another server says: replies of many lines, enhanced codes, and what EHLO offers.
 *
 * Owns:      nothing.
 * Promises:  a reply has one code from 200 to 599 and at most SMTP_REPLY_LINES_MAX lines; its text is printable ASCII,
 *            its enhanced code is of the same class as its code, or empty.
 * Never:     suspends, reads a connection.
 * RFC:       5321 section 4.2, 2034, 1870, 2852, 4954.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include "base/str.h"

#define SMTP_REPLY_LINES_MAX 100u

/* The last reply, or what happened instead of one (code 0). */
struct smtp_answer {
    int code;
    char enhanced[12]; /* "5.1.1", or "" */
    char text[400];    /* one line, printable */
    bool of_tls;       /* why there is no TLS */
};
enum smtp_extension {
    SMTP_EXT_PIPELINING = 1 << 0,
    SMTP_EXT_SIZE = 1 << 1,
    SMTP_EXT_8BITMIME = 1 << 2,
    SMTP_EXT_STARTTLS = 1 << 3,
    SMTP_EXT_DSN = 1 << 4,
    SMTP_EXT_SMTPUTF8 = 1 << 5,
    SMTP_EXT_AUTH_PLAIN = 1 << 6,
    SMTP_EXT_CHUNKING = 1 << 7,
    SMTP_EXT_DELIVERBY = 1 << 8,
    SMTP_EXT_MT_PRIORITY = 1 << 9,
    SMTP_EXT_REQUIRETLS = 1 << 10,
};
/* What EHLO was answered with. */
struct smtp_offer {
    unsigned extensions; /* of enum smtp_extension */
    uint64_t size_max;   /* 0 = not said */
    uint32_t by_min_s;   /* of DELIVERBY; 0 = not said */
};
/* A reply under way; starts as zeroes. */
struct smtp_reading {
    struct smtp_answer answer;
    size_t used; /* of answer.text */
    unsigned lines;
    bool complete;
};
/* The next line, without its CRLF.  False: this is no reply, and never will be one.
 * offer: noted there when the reply is that to EHLO; else NULL. */
MUST_USE bool smtp_reading_line(struct smtp_reading *r, struct str line, struct smtp_offer *offer);

#endif
