/* line.h - the one place that decides what ends a line and what ends a message on the wire.
 *
 * The decoder takes the bytes that follow DATA, cut anywhere, and hands out runs of message bytes:
 * dot-unstuffed (RFC 5321 section 4.5.2), with CRLF line ends only.  A counted one takes the bytes of
 * BDAT (RFC 3030): no dot means anything there, and the caller says where the end is.  The encoder does
 * the reverse for SMTP DATA, POP3 RETR and TOP.
 *
 * Promises:  only CRLF "." CRLF ends a message, at whatever chunk borders and under every policy.
 *            No run ever holds a bare CR, a bare LF or NUL; a CRLF is never torn into two runs.
 *            What a counted decoder gave is whole lines after line_decode_end(), unless it is to be refused.
 *            Runs point into the caller's chunk or at constants; nothing is copied or allocated.
 * Never:     counts against limits: `size` and `longest` are there for the caller to compare.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_LINE_H
#define MAIL_LINE_H

#include "base/scan.h"

/* What to do with CR, LF and NUL where RFC 5321 section 2.3.8 does not allow them. */
enum line_policy {
    LINE_REFUSE,    /* port 25: no run after the first fault; the message is to be refused */
    LINE_NORMALISE, /* submission: a bare LF becomes CRLF, a bare CR or NUL becomes a space */
};

enum line_event {
    LINE_MORE, /* the chunk is used up; give the next one */
    LINE_RUN,  /* *run_out holds message bytes, valid as long as the chunk; call again */
    LINE_END,  /* the message is complete; the chunk's rest is what the peer sent after it */
};

enum line_fault { LINE_BARE_CR = 1, LINE_BARE_LF = 2, LINE_NUL = 4 };

struct line_decoder {
    enum line_policy policy;
    unsigned faults;  /* of enum line_fault: everything seen so far */
    uint64_t size;    /* message bytes handed out */
    uint64_t lines;   /* line ends handed out */
    uint64_t column;  /* bytes of the unfinished line */
    uint64_t longest; /* bytes of the longest line without its CRLF, after unstuffing */
    bool counted;
    int state;
};

void line_decoder_init(struct line_decoder *d, enum line_policy policy);
void line_decoder_init_counted(struct line_decoder *d, enum line_policy policy);
/* Consumes from *in.  Not to be called after LINE_END, which a counted decoder never says. */
enum line_event line_decode(struct line_decoder *d, struct scan *in, struct str *run_out);
/* The end of a counted message: what completes its last line, or nothing.  A CR that was held back is a
 * fault now.  Call once, last. */
struct str line_decode_end(struct line_decoder *d);

/* Dot-stuffing.  Text that is not clean is normalised as LINE_NORMALISE says. */
struct line_encoder {
    uint64_t size; /* bytes handed out, stuffing included */
    int state;
};

void line_encoder_init(struct line_encoder *e);
/* LINE_RUN or LINE_MORE. */
enum line_event line_encode(struct line_encoder *e, struct scan *in, struct str *run_out);
/* The terminator: finishes an unfinished line, then "." CRLF.  Call once, last. */
struct str line_encode_end(struct line_encoder *e);

#endif
