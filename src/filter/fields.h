/* fields.h - the header of a message as a list that milters change.
 *
 * Promises:  what no milter touched is written as it came, byte by byte.  Fields of our own (Return-Path, Received) are
 *            there and hidden: no milter counts, changes or removes them.
 * Limits:    LIMIT_HEADER_FIELDS fields, LIMIT_HEADER_BYTES in the block and as much again in changes: ERR_LIMIT.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FILTER_FIELDS_H
#define FILTER_FIELDS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

struct field {
    struct str whole;       /* with its line end */
    struct str name, value; /* name empty: a line that is no field */
    bool hidden;
};
struct fields {
    struct arena *arena;
    struct field *at;
    size_t count, room;
    size_t spent; /* bytes of changes */
    bool changed;
    bool ended; /* the empty line that ends a header was there */
};
/* block: the header with its empty line, which stays where it is.  hides: the first field (Return-Path) and the first
 * Received are ours. */
MUST_USE enum status fields_read(struct str block, bool hides, struct arena *a, struct fields *out);

/* A field as a milter writes it; leading_space: the value says itself what follows the colon. */
struct field_text {
    struct str name, value;
    bool leading_space;
};
MUST_USE enum status fields_add(struct fields *f, const struct field_text *t); /* as the last one */
/* Before the field number index, from 1 on, of those below our Received; 0: before everything but Return-Path. */
MUST_USE enum status fields_insert(struct fields *f, uint32_t index, const struct field_text *t);
/* The visible field of that name, number index from 1 on; an empty value removes it; one that is not there is added. */
MUST_USE enum status fields_change(struct fields *f, uint32_t index, const struct field_text *t);

#endif
