/* tags.h - lists of "name=value" separated by semicolons: signatures of DKIM and ARC, key records, DMARC policies.
 *
 * Promises:  one pass; every string points into the text.  Names are case-sensitive, as RFC 6376 section 3.2 says.
 * Limits:    LIMIT_TAGS tags.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TAGS_H
#define POLICY_TAGS_H

#include "base/buf.h"
#include "base/limits.h"

struct tag {
    struct str name;
    struct str value; /* without white space at both ends; may be folded inside */
    struct str
        raw; /* all between "=" and what ends the tag: what is cut out where a signature covers itself */
};
struct tag_list {
    struct tag at[LIMIT_TAGS];
    uint32_t count;
};

/* ERR_SYNTAX: not such a list; ERR_EXISTS: a name stands twice; ERR_LIMIT: too many tags. */
MUST_USE enum status tags_parse(struct str text, struct tag_list *out);
/* NULL when absent. */
const struct tag *tags_find(const struct tag_list *l, struct str name);
/* The value, empty when absent. */
struct str tags_value(const struct tag_list *l, struct str name);

/* A value that is a list separated by colons: the next piece, without white space around it. */
bool tags_next_piece(struct str *rest, struct str *piece_out);
/* Is that one of the pieces?  ASCII case ignored. */
bool tags_has_piece(struct str value, struct str piece);
/* Decimal digits, at most 12 (RFC 6376 section 3.5, t=). */
bool tags_number(struct str value, uint64_t *out);
/* base64string = ALPHADIGITPS *([FWS] ALPHADIGITPS) [[FWS] "=" [[FWS] "="]]; appends to b, all or nothing. */
MUST_USE enum status tags_base64(struct str value, struct buf *b);

#endif
