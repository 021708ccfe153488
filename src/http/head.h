/* head.h - the head of an HTTP/1.1 request: request line and fields, judged as a whole.
 *
 * Promises:  what it takes has one meaning: no bare CR or LF, no folded lines, no blank before a colon, one length, and
 *            never a length beside chunks; so nobody in front of us can have read another request in the same bytes.
 *            Every limit and every refusal is a status code with a sentence.
 * Never:     decodes a target (http/path.h) or looks at a body.
 * RFC:       9110, 9112.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/arena.h"
#include "base/status.h"

struct http_field {
    struct str name, value; /* value without the blanks around it */
};
enum http_framing { HTTP_EMPTY, HTTP_LENGTH, HTTP_CHUNKED };
struct http_head {
    struct str method;
    struct str path, query; /* of the target, as sent; the query without "?" */
    struct str host;        /* empty only in HTTP/1.0 */
    const struct http_field *fields;
    size_t field_count;
    enum http_framing framing;
    uint64_t length; /* of HTTP_LENGTH */
    bool old;        /* HTTP/1.0: no chunks to it */
    bool close;      /* the connection ends after the answer */
    bool expects;    /* 100-continue */
};

struct http_refusal {
    unsigned status;
    const char *why;
};
/* text: every line with its CRLF, the empty one at the end too.  {0, NULL}: it is in *out, whose strings point into
 * text.  Else what to answer, and the connection is good for nothing more. */
MUST_USE struct http_refusal http_head_read(struct str text, struct arena *a,
                                            struct http_head *out);
/* The value of a field; ptr NULL: there is none.  Of several the first. */
struct str http_head_field(const struct http_head *h, struct str name);

#endif
