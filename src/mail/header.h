/* header.h - the header block of a message: walking it, finding fields, unfolding.
 *
 * Promises:  one pass over the block, whatever it holds; LF is taken like CRLF, since stored mail from
 *            elsewhere has it.  All strings point into the block.
 *            A line that is neither a field nor a continuation is skipped by header_next(); a block's end
 *            is the first empty line, or the end of the bytes.
 * Limits:    HEADER_FIELDS_MAX fields and HEADER_BYTES_MAX bytes; header_index() remembers what
 *            fits in HEADER_INDEX_MAX bytes.  What lies beyond is not looked at (the message stays whole).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/scan.h"

#define HEADER_FIELDS_MAX ((uint32_t)LIMIT_HEADER_FIELDS)
#define HEADER_BYTES_MAX  ((uint32_t)LIMIT_HEADER_BYTES)
#define HEADER_INDEX_MAX  ((uint32_t)LIMIT_HEADER_INDEX_BYTES)
#define HEADER_LINE_MAX   998u /* RFC 5322 section 2.1.1, without CRLF */

struct header_field {
    struct str name;  /* as written, without white space before the colon */
    struct str value; /* after the colon, still folded, without the final line end */
    struct str whole; /* name to final line end */
};

/* Bytes of the header block of message with the empty line that ends it; all of it when there is none. */
size_t header_block_len(struct str message);

struct header_cursor {
    struct scan in;
    uint32_t fields;
};
struct header_cursor header_cursor_of(struct str block);
/* False at the end of the block and at the limits. */
bool header_next(struct header_cursor *c, struct header_field *out);
/* The next field of that name, ASCII case ignored. */
bool header_next_named(struct header_cursor *c, struct str name, struct header_field *out);
/* The first field of that name in the block. */
bool header_find(struct str block, struct str name, struct header_field *out);

/* Removes line ends (RFC 5322 section 2.2.3) and white space at both ends; NUL becomes a space. */
void header_unfold(struct buf *b, struct str value);
/* CFWS of RFC 5322 section 3.2.2 in a structured value: white space of any kind, line ends, nested comments. */
void header_skip_cfws(struct scan *s);
/* The value of a field name?  ftext = %d33-57 / %d59-126, 1 to 998 bytes. */
bool header_name_ok(struct str name);

/* The names that Godwit itself asks for, so that one pass finds them all. */
enum header_id {
    HEADER_OTHER,
    HEADER_FROM,
    HEADER_SENDER,
    HEADER_REPLY_TO,
    HEADER_TO,
    HEADER_CC,
    HEADER_BCC,
    HEADER_DATE,
    HEADER_SUBJECT,
    HEADER_MESSAGE_ID,
    HEADER_IN_REPLY_TO,
    HEADER_REFERENCES,
    HEADER_RECEIVED,
    HEADER_RETURN_PATH,
    HEADER_RESENT_BCC,
    HEADER_MIME_VERSION,
    HEADER_CONTENT_TYPE,
    HEADER_CONTENT_TRANSFER_ENCODING,
    HEADER_CONTENT_DISPOSITION,
    HEADER_CONTENT_ID,
    HEADER_CONTENT_DESCRIPTION,
    HEADER_CONTENT_MD5,
    HEADER_CONTENT_LANGUAGE,
    HEADER_CONTENT_LOCATION,
    HEADER_LIST_ID,
    HEADER_LIST_POST,
    HEADER_LIST_UNSUBSCRIBE,
    HEADER_LIST_UNSUBSCRIBE_POST,
    HEADER_PRIORITY,
    HEADER_X_PRIORITY,
    HEADER_IMPORTANCE,
    HEADER_PRECEDENCE,
    HEADER_AUTO_SUBMITTED,
    HEADER_DISPOSITION_NOTIFICATION_TO,
    HEADER_DKIM_SIGNATURE,
    HEADER_AUTHENTICATION_RESULTS,
    HEADER_NEWSGROUPS,
    HEADER_LINES,
    HEADER_LIST_HELP,
    HEADER_LIST_SUBSCRIBE,
    HEADER_USER_AGENT,
    HEADER_X_LABEL,
    HEADER_X_MAILER,
    HEADER_X_ORIGINAL_TO,
    HEADER_X_K9MAIL_IDENTITY,
    HEADER_CHAT_VERSION,
    HEADER_ID_COUNT,
};
enum header_id header_id_of(struct str name);
struct str header_id_name(enum header_id id); /* in its usual spelling; empty for HEADER_OTHER */

/* What a message bears that was sent on by an address here: 16 hexadecimal digits that only we can make.  So it is
 * known when it comes back to that address, and nobody who reads it learns the address. */
#define HEADER_FORWARDED "X-Godwit-Forwarded"

/* Every field of a block in order, with its id; first[] makes look-up direct. */
struct header_entry {
    uint32_t id;   /* enum header_id */
    uint32_t next; /* index + 1 of the next field of the same id, 0 = none */
    struct header_field field;
};
struct header_index {
    struct header_entry *at;
    uint32_t count;
    bool cut;                        /* there was more than the limits allow */
    uint32_t first[HEADER_ID_COUNT]; /* index + 1, 0 = absent */
};
void header_index(struct str block, struct arena *a, struct header_index *out);
/* The raw value of the first field, empty when absent. */
struct str header_value(const struct header_index *x, enum header_id id);

#endif
