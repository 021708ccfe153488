/* unbinary.h - a message with binary parts as it streams past, made one that every path carries.
 *
 * What BODY=BINARYMIME brings (RFC 3030) is turned into ordinary MIME (RFC 2045), as a gateway does: the body of a
 * part with Content-Transfer-Encoding: binary comes out as base64; a multipart or a message that is marked so is
 * looked into, and is 8bit itself.  Such a field moves to the end of its header; MIME-Version is added if missing.
 * Everything else comes out as it went in, and must have been in order: lines of at most 998 bytes, CRLF, no NUL.
 *
 * Owns:      three buffers, none larger than UNBINARY_OUT_MAX; a few kilobytes as a rule.
 * Promises:  what comes out is whole lines with CRLF of at most 998 bytes, without NUL, however the input was cut,
 *            as long as there is no fault; after the first fault nothing more comes out.  mime_parse() finds the
 *            same parts in it, with the same contents.  Only CRLF "--" boundary, padding, CRLF ends a binary body:
 *            none of its other line ends can.
 * Limits:    parts nest LIMIT_MIME_DEPTH deep, a header has LIMIT_HEADER_FIELDS and LIMIT_HEADER_BYTES, a
 *            Content-Type UNBINARY_FIELD_MAX bytes.  There may be any number of parts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_UNBINARY_H
#define MAIL_UNBINARY_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/scan.h"
#include "mail/header.h"

#define UNBINARY_LINE_MAX  (HEADER_LINE_MAX + 2u)
#define UNBINARY_FIELD_MAX (4u * LIMIT_MIME_PARAM_BYTES)
#define UNBINARY_OUT_MAX   (256u * 1024)

enum unbinary_fault {
    UNBINARY_FINE,
    UNBINARY_LINE,  /* outside of binary parts: a line that is too long, bare CR, bare LF, NUL */
    UNBINARY_FIELD, /* a line of a header is no field: where that header ends is not clear */
    UNBINARY_LIMIT,
};

/* What the header under way says of its part; the first field of each name counts. */
struct unbinary_header {
    int kind;
    bool of_message; /* and so MIME-Version belongs into it */
    bool typed, digest, marked, binary, encoded, versioned;
    uint32_t fields;
    size_t bytes;
    size_t boundary_len; /* of the last bytes of `boundaries` */
};
struct unbinary_level {
    size_t at,
        len; /* of its boundary in `boundaries`; len 0: a message, or a multipart that was closed */
    bool digest;
};

struct unbinary {
    enum unbinary_fault fault;
    /* Below: private. */
    int state;
    struct unbinary_header header;
    uint32_t depth;
    struct unbinary_level level[LIMIT_MIME_DEPTH];
    struct buf boundaries;
    struct buf field; /* one that must be seen as a whole */
    struct buf out;
    bool break_held; /* a line end of a binary body that may be the delimiter's */
    bool encoded;    /* a line of base64 went out for this body */
    size_t line_len, octets_len;
    char line
        [UNBINARY_LINE_MAX]; /* what came of a line; of a binary body, one that may be a delimiter */
    char octets[57];         /* that make a line of base64 */
};

void unbinary_init(struct unbinary *u);
void unbinary_release(struct unbinary *u);
/* Consumes from *in; false when all of it is taken.  The run is valid until the next call. */
bool unbinary_next(struct unbinary *u, struct scan *in, struct str *run_out);
/* The end of the message: what is left of it, its last line completed.  Call once, last. */
struct str unbinary_end(struct unbinary *u);

#endif
