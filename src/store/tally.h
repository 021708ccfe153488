/* tally.h - counts of a day, kept until somebody has told them: rows of bytes, by kind, UTC day and domain.
 *
 * Use:       tally_count() as things happen; tally_write() every minute and at the end; of a finished day
 *            tally_groups(), and of each group tally_rows() and tally_drop(), or tally_forget().
 * Owns:      cell 'c' 9, or the one of its options: kind(u8) day(4) domain(u8 length, bytes) hash(8) of the row ->
 *            version, count, row.
 * Promises:  counting costs no commit and never suspends; a crash loses what was counted since the last tally_write().
 *            Never more rows than the options say: what is beyond is counted as dropped.  tally_drop() takes away what
 *            was listed and nothing that was counted meanwhile.
 * Never:     knows what a row means.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_TALLY_H
#define STORE_TALLY_H

#include "base/limits.h"
#include "base/time.h"
#include "store/cell.h"

#define TALLY_CELL 9u /* of struct tally_options, where nothing else is said */

enum tally_kind {                  /* of cell 9 */
                  TALLY_DMARC = 1, /* role/store_report.h */
                  TALLY_TLS = 2,
};
struct tally_options {
    uint64_t cell;
    size_t rows_max;    /* kept, of all groups */
    size_t group_max;   /* of one group */
    size_t waiting_max; /* different rows between two writes */
};
struct tally_group {
    uint8_t kind;      /* not 0 */
    uint32_t day;      /* tally_day() */
    struct str domain; /* in normal form (mail/domain.h), 1 to 253 bytes; others are dropped */
};
struct tally_row {
    struct str bytes; /* at most LIMIT_TALLY_ROW_BYTES; longer ones are dropped */
    uint64_t count;
};
/* What the rows of one group need of an arena at most. */
#define TALLY_GROUP_ARENA(rows) (((size_t)(rows) + 1) * (LIMIT_TALLY_ROW_BYTES + 64) * 2)
struct tally;
struct tally *tally_new(struct cells *c, const struct tally_options *o);
void tally_free(struct tally **t);     /* what was not written is lost */
uint32_t tally_day(struct instant at); /* since 1970, in UTC */

void tally_count(struct tally *t, const struct tally_group *g, const struct tally_row *row);
uint64_t tally_dropped(const struct tally *t); /* since the start */
/* What was counted becomes durable.  When it fails without harm it waits for the next time. */
MUST_USE SUSPENDS enum status tally_write(struct tally *t);

/* Groups of a kind (0: of all) with from <= day < to that have rows, by day, then domain.  Strings live in a. */
struct tally_span {
    uint8_t kind;
    uint32_t from, to;
};
MUST_USE SUSPENDS enum status tally_groups(struct tally *t, const struct tally_span *span,
                                           struct arena *a, const struct tally_group **out,
                                           size_t *n_out);
/* Those that are written. */
MUST_USE SUSPENDS enum status tally_rows(struct tally *t, const struct tally_group *g,
                                         struct arena *a, const struct tally_row **out,
                                         size_t *n_out);
MUST_USE SUSPENDS enum status tally_drop(struct tally *t, const struct tally_group *g,
                                         const struct tally_row *rows, size_t n);
/* All that is written of a group. */
MUST_USE SUSPENDS enum status tally_forget(struct tally *t, const struct tally_group *g);

/* ---- an entry of the cell, as it is kept ---- */
#define TALLY_KEY_MAX 272u
/* row: for its hash */
void tally_key_write(const struct tally_group *g, struct str row, struct buf *key);
void tally_value_write(const struct tally_row *row, struct buf *value);
MUST_USE enum status tally_read(struct str key, struct str value, struct tally_group *g_out,
                                struct tally_row *row_out);

#endif
