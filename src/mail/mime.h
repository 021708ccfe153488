/* mime.h - the tree of MIME parts of a message that lies in memory (RFC 2045, RFC 2046).
 *
 * Promises:  one pass, with an explicit stack; never fails.  The range of a part lies inside its parent's;
 *            children stand in order.  CRLF and LF both end lines.  A line break before a delimiter belongs
 *            to the delimiter (RFC 2046 section 5.1.1), so a body may be shorter than what was sent.
 * Limits:    containers nest MIME_DEPTH_MAX deep and there are MIME_PARTS_MAX parts.  Beyond them a
 *            container is an opaque leaf, so that no byte is lost.
 * Kinds:     a multipart without boundary or without parts becomes a text/plain leaf: its text can be read.
 *            An encoded message/rfc822, which RFC 2045 section 6.4 forbids, becomes an opaque leaf.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "base/arena.h"
#include "mail/param.h"
#include "mail/transfer.h"

#define MIME_DEPTH_MAX    ((uint32_t)LIMIT_MIME_DEPTH)
#define MIME_PARTS_MAX    ((uint32_t)LIMIT_MIME_PARTS)
#define MIME_BOUNDARY_MAX ((uint32_t)LIMIT_MIME_BOUNDARY_BYTES)
#define MIME_NONE         UINT32_MAX
/* What a tree can take from its arena; for a message of n bytes add n. */
#define MIME_ARENA_MAX (4u << 20)

enum mime_kind { MIME_LEAF, MIME_MULTIPART, MIME_MESSAGE };

/* Fields that say something of a part. */
enum mime_field {
    MIME_CONTENT_TYPE,
    MIME_CONTENT_ENCODING,
    MIME_CONTENT_DISPOSITION,
    MIME_CONTENT_ID,
    MIME_CONTENT_DESCRIPTION,
    MIME_CONTENT_MD5,
    MIME_CONTENT_LANGUAGE,
    MIME_CONTENT_LOCATION,
    MIME_FIELD_COUNT,
};

struct mime_part {
    enum mime_kind kind;
    bool retyped;    /* type and subtype do not come from the field; its parameters do not count */
    uint32_t depth;  /* 0 = the message itself */
    uint32_t number; /* 1, 2, ... among its siblings */
    uint32_t parent; /* indexes of mime_tree.parts, MIME_NONE = none */
    uint32_t first_child;
    uint32_t next;
    size_t
        header_at; /* offsets in the message: header, with the empty line, is [header_at, body_at) */
    size_t body_at; /* body is [body_at, end) */
    size_t end;
    size_t body_lines; /* line ends in the body */
    struct str type;
    struct str subtype;
    struct str field[MIME_FIELD_COUNT]; /* raw values, empty when absent */
};

struct mime_tree {
    struct mime_part *parts; /* in order of appearance; parts[0] is the message */
    uint32_t count;
    bool cut;       /* a limit was reached */
    uint64_t steps; /* lines and comparisons: grows linearly with the message */
};

void mime_parse(struct str message, struct arena *a, struct mime_tree *out);

bool mime_is(const struct mime_part *p, struct str type, struct str subtype);
enum transfer mime_transfer(const struct mime_part *p);
/* The content type with its parameters; a retyped part has none. */
void mime_content(const struct mime_part *p, struct arena *a, struct content *out);
/* Has a disposition other than inline, or a file name without being asked to be shown inline. */
bool mime_is_attachment(const struct mime_part *p, struct arena *a);

/* What a reader of a stream needs to see the same parts (unbinary.h). */
/* text: a line after its "--", without white space and line end at its end.  loose: anything may follow white space,
 * as RFC 2046 says that the boundary's appearance is enough; for lines that delimit nothing otherwise. */
bool mime_delimits(struct str text, struct str boundary, bool loose, bool *close_out);
/* Of a multipart; false: it has none that counts. */
bool mime_boundary(const struct content *c, struct str *out);
bool mime_is_message(struct str type, struct str subtype); /* another message is its body */

#endif
