/* rocks_blob_internal.h - where bodies are: locations, segment files, records, the appender.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ROCKS_ROCKS_BLOB_INTERNAL_H
#define ENGINE_ROCKS_ROCKS_BLOB_INTERNAL_H

#include "engine/rocks/rocks_internal.h"

/* ---- rocks_loc.c: where blobs are ---- */
struct rocks_chunk {
    uint32_t segment; /* 0: not yet written */
    uint32_t length;
    uint64_t offset; /* of the record's header */
    uint32_t crc;    /* of the body bytes */
};
struct rocks_loc {
    struct blob_id id;
    uint64_t refs;
    uint64_t size;
    bool known;   /* read, or made here */
    bool exists;  /* false: no such blob */
    bool pending; /* ended, without a reference so far */
    bool stored;  /* RocksDB has it, or will when what was submitted is durable */
    bool counted; /* its chunks stand in the `pending` account of their segments */
    bool inlined;
    uint32_t pins;
    uint64_t number; /* inlined: its key, 0 before the first commit */
    uint32_t crc;    /* inlined */
    struct str body; /* pending and inlined; owned */
    struct rocks_chunk *chunks;
    size_t chunk_count;
    uint32_t writing;    /* chunks under way to the disk */
    enum status written; /* worst of those that came back */
    bool dropped;        /* its writer went away */
    struct list waiters; /* for writing to fall */
};
struct rocks_locs *rocks_locs_new(void);
void rocks_locs_free(struct rocks_locs **l);
struct rocks_loc *rocks_loc_new(struct blob_id id); /* not in the table yet */
void rocks_loc_free(struct rocks *r, struct rocks_loc *loc);
void rocks_loc_settle(struct rocks *r, struct rocks_loc *loc); /* a chunk came back */
void rocks_loc_enter(struct rocks *r, struct rocks_loc *loc);  /* pending from now on */
void rocks_loc_forget(struct rocks *r, struct rocks_loc *loc); /* it was pending */
struct rocks_loc *rocks_loc_find(const struct rocks *r, struct blob_id id);
/* Pinned until rocks_loc_unpin(), also when the blob does not exist. */
SUSPENDS enum status rocks_loc_pin(struct rocks *r, struct blob_id id, struct rocks_loc **out);
void rocks_loc_unpin(struct rocks *r, struct rocks_loc *loc);
void rocks_loc_encode(const struct rocks_loc *loc, struct buf *b);
enum status rocks_loc_decode(struct str value, struct rocks_loc *loc);
SUSPENDS enum status rocks_loc_durable(struct rocks_loc *loc); /* waits for its chunks */
struct rocks_chunk *rocks_loc_chunk_add(struct rocks_loc *loc);

/* A chunk goes from one place to another, the account of pending bytes to that of live ones. */
void rocks_loc_adopt(struct rocks *r, rocksdb_writebatch_t *w, struct rocks_loc *loc,
                     struct rocks_loc *from, size_t index);
/* Writes the new state of a blob that is no longer pending; without references, its end. */
void rocks_loc_write(struct rocks *r, rocksdb_writebatch_t *w, struct rocks_loc *loc);

/* ---- rocks_segment.c: the table of segment files ---- */
struct rocks_segment {
    uint32_t number;
    uint64_t used;    /* end of what a commit refers to */
    uint64_t live;    /* bytes of records with references */
    uint64_t pending; /* bytes of records that no commit refers to yet */
    uint64_t scanned; /* compaction got so far */
    bool sealed, dead;
    bool damaged; /* compaction met what it cannot move */
    int fd;
    uint32_t users; /* readers under way */
};
enum status rocks_segments_load(struct rocks *r, struct problem *why); /* on a pool thread */
void rocks_segments_trim(struct rocks *r); /* at a close: gives back what was never filled */
void rocks_segments_free(struct rocks_segments **s);
struct rocks_segment *rocks_segment_get(struct rocks *r, uint32_t number); /* made when new */
struct rocks_segment *rocks_segment_find(const struct rocks *r, uint32_t number);
bool rocks_segment_next(const struct rocks *r, size_t *cursor, struct rocks_segment **out);
void rocks_segment_forget(struct rocks *r, struct rocks_segment *s);
void rocks_segment_path(const struct rocks *r, uint32_t number, char *out, size_t size);
void rocks_segment_write(struct rocks *r, rocksdb_writebatch_t *w, const struct rocks_segment *s);
uint32_t rocks_segment_first_new(const struct rocks *r);
/* The loop's: opens on the pool; released by rocks_segment_leave(). */
SUSPENDS enum status rocks_segment_use(struct rocks *r, uint32_t number,
                                       struct rocks_segment **out);
void rocks_segment_leave(struct rocks *r, struct rocks_segment *s);

#define ROCKS_SEGMENT_START 4096u /* where records begin */

/* A record: header, body, padding to 8 bytes. */
#define RECORD_HEADER    96u
#define RECORD_SIZE(len) ((RECORD_HEADER + (uint64_t)(len) + 7u) & ~(uint64_t)7u)
struct rocks_record {
    struct blob_id id;
    uint32_t index; /* of the chunk in its blob */
    bool last;
    uint32_t length, crc;
    int64_t time_us;
    uint64_t sequence; /* last acknowledged when it was written */
};
void rocks_record_encode(const struct rocks_record *rec, char out[RECORD_HEADER]);
enum status rocks_record_decode(const char in[RECORD_HEADER], struct rocks_record *out);

/* ---- rocks_append.c: the thread that writes segments ---- */
enum status rocks_append_new(struct rocks *r);
void rocks_append_free(struct rocks_append **a);
struct rocks_place {
    uint32_t index; /* of the chunk in its blob */
    bool last;
    bool reserved; /* its entry in loc was made before, by rocks_loc_chunk_add() */
};
/* Takes data.  The chunk's place is known and durable when loc->writing has fallen. */
void rocks_append_chunk(struct rocks *r, struct rocks_loc *loc, struct str data,
                        struct rocks_place place);

#endif
