/* search.h - a SEARCH as a program in postfix order, and what is known of a message while it runs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_SEARCH_H
#define IMAP_SEARCH_H

#include "imap/commands.h"
#include "mail/record.h"

enum search_kind {
    /* operators */
    SEARCH_AND,
    SEARCH_OR,
    SEARCH_NOT,
    /* known from the entry */
    SEARCH_ALL,
    SEARCH_FLAGS,   /* (flags & mask) != 0 */
    SEARCH_NOTHING, /* RECENT, NEW: no message is recent here */
    SEARCH_KEYWORD,
    SEARCH_SEQUENCE,
    SEARCH_UID,
    SEARCH_MODSEQ,
    /* known from the record */
    SEARCH_BEFORE, /* internal date, by day */
    SEARCH_ON,
    SEARCH_SINCE,
    SEARCH_SENT_BEFORE,
    SEARCH_SENT_ON,
    SEARCH_SENT_SINCE,
    SEARCH_LARGER,
    SEARCH_SMALLER,
    SEARCH_HEADER, /* may need the body's header */
    /* known from the body */
    SEARCH_BODY,
    SEARCH_TEXT,
};
struct search_node {
    enum search_kind kind;
    uint32_t mask;
    uint64_t number; /* size, day (seconds), modseq */
    struct imap_set set;
    struct str name; /* of SEARCH_HEADER, and the keyword */
    struct str text; /* folded */
};
#define SEARCH_NODES_MAX 512u
enum search_return {
    SEARCH_RETURN_MIN = 1,
    SEARCH_RETURN_MAX = 2,
    SEARCH_RETURN_ALL = 4,
    SEARCH_RETURN_COUNT = 8
};
struct search {
    struct search_node *nodes;
    size_t count;
    bool extended;    /* RETURN was said: answer with ESEARCH (RFC 4731) */
    unsigned returns; /* of enum search_return */
    bool bad_charset;
    bool needs_record, needs_body;
};
/* search_parse.c.  False: BAD (or bad_charset). */
MUST_USE bool search_parse(struct imap_cmd *c, struct search *out);

/* Three-valued: a message may be decided before its record or body is read. */
enum search_answer { SEARCH_NO, SEARCH_YES, SEARCH_UNKNOWN };
struct search_subject {
    const struct imap_session *s;
    uint32_t sequence;
    struct box_entry entry;
    bool has_record;
    uint64_t size;
    int64_t received_us;
    struct record record;
    bool has_body;
    struct str body; /* the whole message */
};
/* search_match.c */
enum search_answer search_run(const struct search *p, const struct search_subject *m);

#endif
