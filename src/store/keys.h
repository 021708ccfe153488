/* keys.h - every key of every cell, in one table, and what builds and reads those of an account.
 *
 * A key is one tag byte and fixed big-endian fields (the digit is their size in bytes), so that keys sort as their
 * numbers do.  Values begin with a version byte; values.h and page.h hold their codecs.
 *
 * 'a' an account.  Records (engine_records) are numbered by mid: the parsed-once record of mail/record.h.
 *   H                        head: counters, quota, next numbers, floor of the change log
 *   B mailbox4               mailbox: name, uidvalidity, uidnext, counters, keyword table
 *   N parent4 name           mailbox id; parent 0 is the root, INBOX is mailbox 1
 *   W hash8                  id of the entry of a subscribed name without a mailbox; hash_stable() of the name
 *   S mailbox4 (uid>>6)4     <= 64 placements: uid, flags, modseq, mid; those with uid >= uidnext are not yet there
 *   R (mid>>6)6              <= 64 messages: blob, size, dates, thread, where they are placed
 *   O (mid>>4)6              <= 16 sort entries, opaque; smaller pages, for the last is rewritten by each delivery
 *   T (tid>>6)6              <= 64 threads: their mids, and the message-id hashes that lead to them
 *   I bits1 bucket2          sorted (hash6 of a message-id, tid6); 2^bits buckets, H says how many
 *   L modseq8                change log: what one change touched, for CONDSTORE, IDLE and JMAP
 *   V mailbox4 modseq8       UIDs that vanished, for QRESYNC once L is trimmed
 *   G due4 modseq8           mids whose bodies go at due (seconds since 1970)
 *   J id8                    work begun that must be ended or undone: mailbox to empty, staged copy
 *   D qid8 rcpt4             mid: this queue entry was delivered here already
 *   M mailbox4               the highest UID that was imported into it
 *   M mailbox4 (uid>>6)4     <= 64 imported messages: source, key and flags there, UIDL; import.h
 *   Q                        how full it is: the notice that was given last, since when mail is refused
 *   C bucket1                <= 64 correspondents: whom it wrote to, and when last; hash_page.h
 *   Y                        what it sent to other servers within a day; outbound.h
 *   X                        what it learned of spam: messages of each kind; spam.h
 *   X page4                  <= 512 tokens: how many messages of each kind had it
 *   Z (mid>>6)6              <= 64 messages that it learned of: as what
 *   K bucket1                <= 64 authors whose mail was moved to (lowest bit of hash: 1) or from Junk; hash_page.h
 *   A E F P U                reserved: shares, submissions, search index, settings, uploads
 * 'd' directory, 'q' queue, 'c' sealed records, blocked networks, policies, known senders: directory.h, queue.h, ...
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "base/mem.h"
#include "base/size.h"
#include "base/status.h"

#define CELL_ACCOUNT   'a'
#define CELL_DIRECTORY 'd'
#define CELL_QUEUE     'q'
#define CELL_CONFIG    'c'
#define PAGE_BITS      6u
#define PAGE_ENTRIES   64u
#define SORT_PAGE_BITS 4u
#define ID48_MAX       ((UINT64_C(1) << 48) - 1)
#define KEY_NAME_MAX   480u /* one level of a mailbox name; the engine's keys end at 512 */
#define MAILBOX_ROOT   0u
#define MAILBOX_INBOX  1u
#define KEY_FIXED_MAX  16u

enum key_tag {
    KEY_HEAD = 'H',
    KEY_MAILBOX = 'B',
    KEY_NAME = 'N',
    KEY_WISH = 'W',
    KEY_PLACES = 'S',
    KEY_MESSAGES = 'R',
    KEY_SORT = 'O',
    KEY_THREADS = 'T',
    KEY_INDEX = 'I',
    KEY_LOG = 'L',
    KEY_VANISHED = 'V',
    KEY_GONE = 'G',
    KEY_JOB = 'J',
    KEY_DELIVERED = 'D',
    KEY_QUOTA = 'Q',
    KEY_IMPORTED = 'M',
    KEY_CORRESPONDENTS = 'C',
    KEY_OUTBOUND = 'Y',
    KEY_SPAM = 'X',
    KEY_LEARNED = 'Z',
    KEY_SPAM_AUTHORS = 'K',
};
struct key { /* by value; key_str() borrows it */
    uint8_t len;
    char bytes[KEY_FIXED_MAX];
};
struct name_key {
    uint16_t len;
    char bytes[5 + KEY_NAME_MAX];
};

static inline struct str
key_str(const struct key *k)
{
    return (struct str){k->bytes, k->len};
}

static inline struct str
name_key_str(const struct name_key *k)
{
    return (struct str){k->bytes, k->len};
}

static inline struct key
key_head(void)
{
    return (struct key){1, {KEY_HEAD}};
}

static inline struct key
key_u32(enum key_tag tag, uint32_t a)
{
    struct key k = {5, {(char)tag}};
    be32_put(k.bytes + 1, a);
    return k;
}

static inline struct key
key_u64(enum key_tag tag, uint64_t a)
{
    struct key k = {9, {(char)tag}};
    be64_put(k.bytes + 1, a);
    return k;
}

static inline struct key
key_u48(enum key_tag tag, uint64_t a)
{
    struct key k = {7, {(char)tag}};
    ASSERT(a <= ID48_MAX);
    be48_put(k.bytes + 1, a);
    return k;
}

static inline struct key
key_u32_u64(enum key_tag tag, uint32_t a, uint64_t b)
{
    struct key k = {13, {(char)tag}};
    be32_put(k.bytes + 1, a);
    be64_put(k.bytes + 5, b);
    return k;
}

static inline struct key
key_mailbox(uint32_t mailbox)
{
    return key_u32(KEY_MAILBOX, mailbox);
}

static inline struct key
key_places(uint32_t mailbox, uint32_t page)
{
    struct key k = {9, {KEY_PLACES}};
    be32_put(k.bytes + 1, mailbox);
    be32_put(k.bytes + 5, page);
    return k;
}

static inline struct key
key_index(uint8_t bits, uint16_t bucket)
{
    struct key k = {4, {KEY_INDEX, (char)bits}};
    be16_put(k.bytes + 2, bucket);
    return k;
}

/* The page keys take the id itself. */
static inline struct key
key_messages(uint64_t mid)
{
    return key_u48(KEY_MESSAGES, mid >> PAGE_BITS);
}

static inline struct key
key_sort(uint64_t mid)
{
    return key_u48(KEY_SORT, mid >> SORT_PAGE_BITS);
}

static inline struct key
key_threads(uint64_t tid)
{
    return key_u48(KEY_THREADS, tid >> PAGE_BITS);
}

static inline struct name_key
key_name(uint32_t parent, struct str level) /* 1..KEY_NAME_MAX bytes */
{
    struct name_key k = {.len = (uint16_t)(5 + level.len), .bytes = {KEY_NAME}};
    ASSERT(level.len <= KEY_NAME_MAX);
    be32_put(k.bytes + 1, parent);
    mem_copy(k.bytes + 5, level.ptr, level.len);
    return k;
}

struct key key_delivered(uint64_t qid, uint32_t rcpt);
/* Readers, for walks: false when the key is not of that form. */
bool key_read_u32(struct str key, enum key_tag tag, uint32_t *a_out);
bool key_read_u64(struct str key, enum key_tag tag, uint64_t *a_out);
bool key_read_u48(struct str key, enum key_tag tag, uint64_t *a_out);
bool key_read_u32_u32(struct str key, enum key_tag tag, uint32_t *a_out, uint32_t *b_out);
bool key_read_u32_u64(struct str key, enum key_tag tag, uint32_t *a_out, uint64_t *b_out);
bool key_read_name(struct str key, uint32_t *parent_out, struct str *level_out);

#endif
