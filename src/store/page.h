/* page.h - packed pages: up to 64 entries that share the upper bits of their number, in one value.
 *
 * Two forms.  Places (S) have entries of fixed size, so that a flag is changed and a message appended in place and a
 * view is one pass without branches.  All others are: version, then for each entry its low bits (1 byte), its length
 * (varint) and its bytes, by rising low bits; changing one copies the rest as it stands.
 *
 * Promises:  the readers check everything and say ERR_CORRUPT; nothing is decoded that is not asked for.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_PAGE_H
#define STORE_PAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/scan.h"
#include "store/keys.h"

#define PAGE_VERSION 1u

/* ---- pages of entries of any length: R, O, T ---- */
struct page_entry {
    uint8_t low;
    struct str body;
};
/* Starts empty pages too: page.ptr NULL is a page without entries.  Then page_next() until ERR_NOT_FOUND. */
MUST_USE enum status page_scan(struct str page, struct scan *s_out);
MUST_USE enum status page_next(struct scan *s, struct page_entry *out);
/* ERR_NOT_FOUND: no such entry. */
MUST_USE enum status page_find(struct str page, uint8_t low, struct str *body_out);
/* The page with this entry put in place of the one that has its low bits; body.ptr NULL removes it.  The result lives
 * in a; an empty page is STR_NONE. */
MUST_USE enum status page_put(struct str page, struct page_entry e, struct arena *a,
                              struct str *page_out);

/* ---- pages of places: S ---- */
#define PLACE_BYTES     19u /* low bits of uid 1, flags 4, modseq 8, mid 6: big-endian */
#define PLACES_PAGE_MAX (1u + PAGE_ENTRIES * PLACE_BYTES)
struct place {
    uint32_t uid;
    uint32_t flags;
    uint64_t modseq;
    uint64_t mid;
};
/* One entry of a checked page; base: uid of the first possible one. */
static inline struct place
place_read(uint32_t base, const void *bytes)
{
    const unsigned char *p = bytes;
    return (struct place){base + p[0], be32_get(p + 1), be64_get(p + 5), be48_get(p + 13)};
}
/* A page being worked on: a private copy. */
struct places {
    uint32_t base; /* uid of the first possible entry */
    uint32_t count;
    unsigned char bytes[PLACES_PAGE_MAX];
};
/* value.ptr NULL is an empty page. */
MUST_USE enum status places_read(struct str value, uint32_t page, struct places *out);
/* Checks a page without copying it: number of entries. */
MUST_USE enum status places_check(struct str value, uint32_t *count_out);
struct str places_str(const struct places *p); /* STR_NONE when empty */
struct place places_get(const struct places *p, uint32_t i);
void places_set(struct places *p, uint32_t i, const struct place *v); /* keeps the uid */
void places_add(struct places *p, const struct place *v);             /* uid above all others */
void places_remove(struct places *p, uint32_t i);
/* Index of the first entry with uid >= this; count when there is none. */
uint32_t places_floor(const struct places *p, uint32_t uid);

/* ---- pages of the message-id index: I ---- */
#define INDEX_ENTRY_BYTES 12u
/* ERR_NOT_FOUND: the hash is not there.  hash: 48 bits. */
MUST_USE enum status index_find(struct str page, uint64_t hash, uint64_t *tid_out);
/* Adds or replaces; removes when tid is 0.  An empty page is STR_NONE. */
MUST_USE enum status index_put(struct str page, uint64_t hash, uint64_t tid, struct arena *a,
                               struct str *page_out);
MUST_USE enum status index_count(struct str page, size_t *n_out);
void index_get(struct str page, size_t i, uint64_t *hash_out, uint64_t *tid_out); /* checked page */

#endif
