/* header_filter.h - the header of a submitted message, cleaned as it streams past (RFC 6409 section 8).
 *
 * Drops Bcc and Resent-Bcc with their continuations and a leading mbox "From " line, takes white space out
 * between a field name and its colon, and notes which fields are there.  Everything else, and every byte of
 * the body, comes out exactly as it went in.  A line of the header that is no field ends the header: the
 * filter puts the missing empty line before it, so that it is read as body by everyone alike.  (A run of
 * HEADER_HOLD_MAX name bytes without a colon passes for a field.)
 *
 * Use:       feed the runs of line_decode() (CRLF line ends).  At HEADER_END append what is missing, then go
 *            on; HEADER_END comes exactly once, at the latest from header_filter_end().
 * Promises:  runs point into the chunk, the filter itself or constants; nothing is allocated.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_HEADER_FILTER_H
#define MAIL_HEADER_FILTER_H

#include "base/scan.h"
#include "mail/header.h"

enum header_event {
    HEADER_MORE, /* the chunk is used up */
    HEADER_RUN,  /* *run_out holds bytes to keep, valid until the next call */
    HEADER_END,  /* here the header ends: a good place for more fields */
};

#define HEADER_HOLD_MAX 64u

struct header_filter {
    uint64_t seen;   /* bit (1 << enum header_id) of each field found */
    uint32_t fields; /* more than HEADER_FIELDS_MAX: the caller refuses the message */
    uint32_t from_count;
    uint64_t bytes; /* of the header as it came in */
    bool dropped;   /* a Bcc was removed */
    enum header_id
        at; /* the field that a run is of; HEADER_OTHER for those without an id, and for the body */
    /* Below: private. */
    int state;
    bool started;
    uint32_t name_len; /* of the name in hold, spaces after it not counted */
    uint32_t held;
    uint32_t given; /* bytes of hold already handed out */
    char hold[HEADER_HOLD_MAX];
};

void header_filter_init(struct header_filter *f);
enum header_event header_filter(struct header_filter *f, struct scan *in, struct str *run_out);
/* After the last chunk: call until HEADER_MORE. */
enum header_event header_filter_end(struct header_filter *f, struct str *run_out);
bool header_filter_saw(const struct header_filter *f, enum header_id id);

#endif
