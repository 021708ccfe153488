/* sort_entry.h - the few bytes by which SORT and THREAD compare messages without reading their records.
 *
 * Promises:  at most SORT_ENTRY_MAX bytes.  Prefixes are folded (fold.h): where two differ, their order is
 *            that of the whole texts; where they are equal and SORT_SUBJECT_PREFIX or SORT_NAME_PREFIX long,
 *            the records decide.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_SORT_ENTRY_H
#define MAIL_SORT_ENTRY_H

#include "mail/record.h"

#define SORT_ENTRY_MAX      128u
#define SORT_SUBJECT_PREFIX 24u
#define SORT_NAME_PREFIX    7u
#define SORT_REFS_MAX       8u

struct sort_entry {
    int64_t sent_s;        /* Date in seconds UTC, or when it was received (RFC 5256 section 2.2) */
    bool reply;            /* the subject was that of a reply or forward */
    uint64_t subject_hash; /* of the base subject */
    uint64_t message_id_hash;
    struct str subject; /* folded prefix of the base subject */
    struct str from;    /* folded prefix of the first address' local part */
    struct str to;
    uint32_t ref_count;
    uint64_t refs[SORT_REFS_MAX]; /* the first and the last ones */
};

void sort_entry_write(const struct record *r, struct instant received, struct buf *b);
/* bytes is exactly one entry; strings of *out point into it.  ERR_CORRUPT. */
MUST_USE enum status sort_entry_read(struct str bytes, struct sort_entry *out);

#endif
