/* field_table.h - the fields of a header block in a table that finds them by name, and hashes of some of them.
 *
 * Promises:  building costs n log n, taking a field log n: a header of thousands of fields and a signature that names
 *            thousands of them stay cheap.
 * Limits:    those of mail/header.h; what lies beyond makes the table `cut`, and no signature can be judged by it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_FIELD_TABLE_H
#define POLICY_FIELD_TABLE_H

#include "mail/canon.h"
#include "mail/header.h"

struct field_table {
    const struct header_field *at; /* in the order of the block */
    uint32_t count;
    bool cut;         /* the block is longer than what is in here */
    uint32_t *sorted; /* numbers of fields by name, those of one name from the bottom up */
    uint32_t *
        taken; /* of the first in sorted of its name: so many were taken; scratch of whoever hashes */
};
/* The block must outlive the table; the arena gives at most FIELD_TABLE_ARENA bytes. */
enum { FIELD_TABLE_ARENA = 524288 };
void field_table_index(struct str block, struct arena *a, struct field_table *out);

#define FIELD_NONE UINT32_MAX
/* How often does it occur?  *first_out: where its numbers begin in sorted. */
uint32_t field_table_named(const struct field_table *t, struct str name, uint32_t *first_out);
/* Begins anew: nothing was taken. */
void field_table_take_none(const struct field_table *t);
/* The lowest field of that name that was not taken yet, which is taken now; FIELD_NONE when there is none. */
uint32_t field_table_take(const struct field_table *t, struct str name);

/* A hash over canonical fields. */
struct field_hash {
    void *context; /* of OpenSSL */
    enum canon_kind kind;
    struct buf canonical; /* scratch */
};
void field_hash_init(struct field_hash *h, enum canon_kind kind, bool sha1);
/* One that goes on from here by itself; both end. */
void field_hash_fork(const struct field_hash *h, struct field_hash *out);
/* The field without the part that is cut out of it (empty: all of it), with or without its line end. */
void field_hash_add(struct field_hash *h, struct str whole, struct str cut, bool line_end);
/* Ends it and gives back what it held.  SHA-1 fills 20 bytes. */
void field_hash_end(struct field_hash *h, unsigned char *digest);

#endif
