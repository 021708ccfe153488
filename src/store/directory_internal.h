/* directory_internal.h - shared by the files of the directory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DIRECTORY_INTERNAL_H
#define STORE_DIRECTORY_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "store/directory_values.h"

enum directory_tag {
    DIRECTORY_TAG_ADDRESS = 'a',
    DIRECTORY_TAG_DOMAIN = 't',
    DIRECTORY_TAG_ID = 'i',
    DIRECTORY_TAG_REAP = 'r',
    DIRECTORY_TAG_GONE = 'g'
};

/* Look at this account then: a cell that no entry names is dropped. */
struct directory_reap_note {
    int64_t due_s;
    uint64_t account;
    struct str address;
    struct str entry; /* of a removed account: its entry as it stood; empty = it is being made */
};
#define DIRECTORY_SETTLED_MAX 16u
#define DIRECTORY_IN_HAND_MAX 8u

struct directory {
    struct cells *cells;
    struct cell
        *shards[DIRECTORY_SHARDS + 1]; /* the last one holds the domains; opened when needed */
    const struct directory_source *source;
    struct str default_domain;
    /* Cache of raw values by key (tag and name); an absent key is remembered, too. */
    struct map *cache;
    struct list recent; /* least recently used first */
    size_t cache_bytes;
    /* Notes of accounts that are complete, or gone: they are deleted by the commit that writes the next note, for each
     * commit is a sync.  What does not fit, or is lost with the process, waits for the reaper.  No addresses. */
    struct directory_reap_note settled[DIRECTORY_SETTLED_MAX];
    size_t settled_count;
    uint64_t in_hand
        [DIRECTORY_IN_HAND_MAX]; /* accounts that are dropped or brought back now; 0 = free */
    uint64_t generation; /* moves with every invalidation: a value read across one is not kept */
};

struct directory_key {
    size_t len;
    char bytes[1 + DIRECTORY_ADDRESS_MAX];
};
/* ERR_SYNTAX when name is too long. */
MUST_USE enum status directory_key_make(enum directory_tag tag, struct str name,
                                        struct directory_key *out);
struct str directory_key_str(const struct directory_key *k);

/* A canonical address whose local part may be empty: the key of a catch-all. */
MUST_USE enum status directory_canonical_key(const struct directory *d, struct str address,
                                             struct arena *a, struct str *address_out,
                                             struct str *domain_out);
/* A valid domain in lower case. */
MUST_USE enum status directory_canonical_domain(struct str domain, struct arena *a,
                                                struct str *out);

struct cell *directory_shard(struct directory *d, struct str address);
struct cell *directory_domains_cell(struct directory *d);
struct cell *directory_cell(struct directory *d, uint32_t index);
/* The committed value in a, or ptr NULL; through the cache. */
MUST_USE SUSPENDS enum status directory_value(struct directory *d, enum directory_tag tag,
                                              struct str name, struct arena *a,
                                              struct str *value_out);
/* Call after the commit and before anyone is told. */
void directory_forget(struct directory *d, enum directory_tag tag, struct str name);

/* ---- directory_resolve.c ---- */
/* Would mail to this alias come back to it?  Its targets are canonical; it need not exist yet. */
MUST_USE SUSPENDS enum status directory_leads_to(struct directory *d,
                                                 const struct directory_entry *alias, bool *out);

/* ---- directory_account.c ---- */
/* The entry of an account in a value of the directory. */
MUST_USE enum status directory_account_read(struct str value, struct arena *a,
                                            struct directory_entry *out);
/* From the account to its address; empty = forget it. */
MUST_USE SUSPENDS enum status directory_id_put(struct directory *d, uint64_t account,
                                               struct str address);

/* The entry again, of an account that has none.  ERR_EXISTS: the address is taken. */
MUST_USE SUSPENDS enum status directory_entry_put_back(struct directory *d,
                                                       const struct directory_entry *e);

/* ---- directory_deleted.c ---- */
/* ERR_TEMP: somebody has it. */
MUST_USE enum status directory_take_in_hand(struct directory *d, uint64_t account);
void directory_let_go(struct directory *d, uint64_t account);

/* ---- directory_reap.c ---- */
/* A removed account has one note of that, the last: it replaces an earlier one. */
MUST_USE SUSPENDS enum status directory_reap_note(struct directory *d,
                                                  const struct directory_reap_note *r, bool add);
/* The note of the removal of this account; strings live in a. */
MUST_USE SUSPENDS enum status directory_reap_find(struct directory *d, uint64_t account,
                                                  struct arena *a, struct directory_reap_note *out);
/* A page of notes after this one, in the order of their times; n = 0 at the end. */
MUST_USE SUSPENDS enum status directory_reap_notes(struct directory *d,
                                                   const struct directory_reap_note *after,
                                                   struct arena *a,
                                                   struct directory_reap_note **out, size_t *n_out);
/* Does an entry name this account? */
MUST_USE SUSPENDS enum status
directory_reap_is_named(struct directory *d, const struct directory_reap_note *r, bool *out);
void directory_reap_settled(struct directory *d, int64_t due_s, uint64_t account);
/* The account's cell, to its end. */
MUST_USE SUSPENDS enum status directory_drop_cell(struct directory *d, uint64_t account);

#endif
