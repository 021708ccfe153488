/* record.h - what is kept of a message beside its body, so that it is parsed once in its life.
 *
 * The record is made at delivery from the message and its MIME tree, lies in the store as opaque bytes, and
 * answers ENVELOPE, BODYSTRUCTURE, part offsets, most HEADER.FIELDS, SORT, THREAD and previews.
 *
 * Owns:      nothing: a struct record points into the bytes it was opened on.
 * Promises:  record_write() never fails on any message and never passes RECORD_MAX.  record_open() checks
 *            every length and offset of bytes that another process made; after OK nothing can be out of
 *            bounds.  IMAP text is complete: no NIL where the grammar has none, no negative number.
 * Versions:  RECORD_VERSION grows whenever the bytes or their meaning change; an older record is
 *            ERR_NOT_FOUND to record_open() and is made again from the body.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_RECORD_H
#define MAIL_RECORD_H

#include "mail/date.h"
#include "mail/mime.h"

#define RECORD_VERSION    1u
#define RECORD_MAX        ((uint32_t)LIMIT_RECORD_BYTES)
#define RECORD_FIELDS_MAX ((uint32_t)LIMIT_RECORD_FIELD_BYTES) /* of the message's header fields */
#define RECORD_TEXT_MAX \
    ((uint32_t)LIMIT_RECORD_TEXT_BYTES) /* of all parts' strings and embedded envelopes */
#define RECORD_PATH_MAX (MIME_DEPTH_MAX + 2u)
#define RECORD_REFS_MAX ((uint32_t)LIMIT_RECORD_REFERENCES)

enum record_flag {
    RECORD_ATTACHMENT = 1, /* some part is one */
    RECORD_FIELDS_CUT = 2, /* fields that should be here are not */
    RECORD_PARTS_CUT = 4,  /* part strings were left out, or the MIME limits were reached */
    RECORD_REPLY = 8,      /* the subject was that of a reply or forward */
    RECORD_DATED = 16,     /* there is a valid Date field */
};

/* Writes the record of message; t is its tree.  The arena needs MIME_ARENA_MAX. */
MUST_USE enum status record_write(struct str message, const struct mime_tree *t, struct arena *a,
                                  struct buf *out);

struct record {
    unsigned flags; /* of enum record_flag */
    struct mail_date sent;
    uint64_t size;
    uint32_t part_count;
    struct str fields;  /* the fields that record_covers(), as a header block */
    struct str preview; /* UTF-8, at most PREVIEW_MAX */
    struct str subject; /* base subject, UTF-8 */
    uint64_t subject_hash;
    uint64_t message_id_hash; /* 0 = no id */
    uint32_t ref_count;
    struct str refs;  /* private: see record_ref() */
    struct str parts; /* private: see record_part_next() */
};
/* ERR_NOT_FOUND: of another version; ERR_CORRUPT: not a record. */
MUST_USE enum status record_open(struct str bytes, struct record *out);
/* Hashes of References, else of In-Reply-To, oldest first; hash_stable() of the id without brackets. */
uint64_t record_ref(const struct record *r, uint32_t i);
/* Are all fields of this name in the record, so that their absence is known too? */
bool record_covers(const struct record *r, struct str name);

struct record_part {
    uint32_t index; /* in order of appearance, 0 = the message */
    uint32_t depth;
    enum mime_kind kind;
    uint64_t header_at; /* the part's header is [header_at, body_at), its body [body_at, end) */
    uint64_t body_at;
    uint64_t end;
    uint64_t body_lines;
    struct str type;
    struct str subtype;
    struct str encoding; /* "7BIT" when the part says nothing */
    struct str id;
    struct str description;
    struct str md5;
    struct str language; /* raw list */
    struct str location;
    struct str disposition;        /* empty = none */
    struct str params;             /* for record_param_next() */
    struct str disposition_params; /* for record_param_next() */
    struct str envelope;           /* MIME_MESSAGE: the inner message's fields for its ENVELOPE */
};
struct record_cursor {
    struct scan in;
    uint32_t index;
};
struct record_cursor record_parts(const struct record *r);
bool record_part_next(struct record_cursor *c, struct record_part *out);
bool record_param_next(struct str *params, struct param *out);

/* The part that IMAP numbers 1.2.3 (RFC 9051 section 6.4.5.1); count 0 is the message.  For a part of kind
 * MIME_MESSAGE *inner_out is the message inside: its ranges serve HEADER and TEXT, those of *out MIME and
 * the part itself.  ERR_NOT_FOUND: no such part. */
MUST_USE enum status record_find(const struct record *r, const uint32_t *path, size_t count,
                                 struct record_part *out, struct record_part *inner_out);

/* IMAP text.  record_imap.c */
enum status record_envelope_write(const struct record *r, struct buf *b);
/* extended: BODYSTRUCTURE, else BODY. */
enum status record_bodystructure_write(const struct record *r, bool extended, struct buf *b);

/* What record_write.c and record.c agree on about names. */
bool record_keeps(struct str name);

#endif
