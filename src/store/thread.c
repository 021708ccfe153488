/* thread.c - which thread a message belongs to, by the message-ids it names.
 *
 * A thread is chosen once, at delivery, and never changes (RFC 8474 section 5.2): messages that arrive later and name
 * two threads do not merge them.  The index leads from the hash of a message-id to a thread; the thread's entry
 * lists its hashes, so that the index forgets what no message uses any more.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/work.h"

#define INDEX_BUCKET_ENTRIES 48u /* average at which the index grows */

struct thread_keys {
    uint64_t hash[THREAD_KEYS_MAX + 1];
    uint64_t tid[THREAD_KEYS_MAX + 1]; /* 0 = not in the index */
    size_t count;
};

static void collect(const struct message_new *m, struct thread_keys *out);
static void collect_one(struct thread_keys *keys, uint64_t hash);
static struct key bucket_of(const struct work *w, uint64_t hash);
static SUSPENDS enum status look_up(struct work *w, struct thread_keys *keys);
static SUSPENDS enum status choose(struct work *w, const struct thread_keys *keys, uint64_t mid,
                                   struct thread_value *t, uint64_t *tid_out);
static SUSPENDS enum status index_change(struct work *w, uint64_t hash, uint64_t tid);
static SUSPENDS enum status index_grow(struct work *w);
static void index_split(struct work *w, uint32_t bucket, struct str page, size_t count);
static SUSPENDS enum status thread_write(struct work *w, uint64_t tid, bool is_new_page,
                                         const struct thread_value *t);

enum status
thread_join(struct work *w, const struct message_new *m, uint64_t mid, uint64_t *tid_out)
{
    struct thread_keys keys = {.count = 0};
    struct thread_value t;
    uint64_t tid;

    collect(m, &keys);
    TRY(look_up(w, &keys));
    TRY(choose(w, &keys, mid, &t, &tid));
    bool is_new = tid == w->head.next_tid;
    if (is_new)
        w->head.next_tid++;
    if (w->head.next_tid > ID48_MAX)
        return ERR_LIMIT;
    t.mids[t.mid_count++] = mid;
    for (size_t i = 0; i < keys.count && t.hash_count < THREAD_HASHES_MAX; i++) {
        if (keys.tid[i] != 0 && !is_new)
            continue;
        TRY(index_change(w, keys.hash[i], tid));
        w->head.index_entries += keys.tid[i] == 0;
        t.hashes[t.hash_count++] = keys.hash[i];
    }
    TRY(thread_write(w, tid, is_new && tid % PAGE_ENTRIES == 0, &t));
    w->head_dirty = true;
    if (w->head.index_bits < INDEX_BITS_MAX &&
        w->head.index_entries > (uint64_t)INDEX_BUCKET_ENTRIES << w->head.index_bits)
        TRY(index_grow(w));
    *tid_out = tid;
    return OK;
}

enum status
thread_leave(struct work *w, uint64_t tid, uint64_t mid)
{
    struct key k = key_threads(tid);
    struct str body;
    struct thread_value t;
    size_t left = 0;

    enum status s = work_entry(w, &k, tid % PAGE_ENTRIES, &body);
    if (s == ERR_NOT_FOUND)
        return OK;
    TRY(s);
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    TRY(thread_entry_read(body, a, &t));
    for (size_t i = 0; i < t.mid_count; i++) {
        if (t.mids[i] != mid)
            t.mids[left++] = t.mids[i];
    }
    t.mid_count = left;
    if (left > 0)
        return thread_write(w, tid, false, &t);
    for (size_t i = 0; i < t.hash_count; i++) {
        uint64_t now = 0;
        struct key bucket = bucket_of(w, t.hashes[i]);
        struct str page;
        TRY(work_peek(w, &bucket, &page));
        s = index_find(page, t.hashes[i], &now);
        if (s == ERR_NOT_FOUND || (s == OK && now != tid))
            continue;
        TRY(s);
        TRY(index_change(w, t.hashes[i], 0));
        w->head.index_entries -= w->head.index_entries > 0;
    }
    w->head_dirty = true;
    return work_entry_put(w, &k, false, tid % PAGE_ENTRIES, STR_NONE);
}

/* Its own message-id, then the references, the nearest (last) first. */
static void
collect(const struct message_new *m, struct thread_keys *out)
{
    collect_one(out, m->message_id_hash);
    for (size_t i = m->reference_count; i-- > 0;)
        collect_one(out, m->reference_hashes[i]);
}

static void
collect_one(struct thread_keys *keys, uint64_t hash)
{
    if (hash == 0 || keys->count == COUNT_OF(keys->hash))
        return;
    hash >>= 16;
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->hash[i] == hash)
            return;
    }
    keys->hash[keys->count++] = hash;
}

static struct key
bucket_of(const struct work *w, uint64_t hash)
{
    uint8_t bits = w->head.index_bits;

    return key_index(bits, (uint16_t)(hash >> (48 - bits)));
}

static enum status
look_up(struct work *w, struct thread_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        struct key k = bucket_of(w, keys->hash[i]);
        struct str page;
        TRY(work_peek(w, &k, &page));
        enum status s = index_find(page, keys->hash[i], &keys->tid[i]);
        if (s != ERR_NOT_FOUND)
            TRY(s);
    }
    return OK;
}

/* The first thread that a key leads to and that has room; else a new one, whose number is head.next_tid. */
static enum status
choose(struct work *w, const struct thread_keys *keys, uint64_t mid, struct thread_value *t,
       uint64_t *tid_out)
{
    struct str body;

    for (size_t i = 0; i < keys->count; i++) {
        uint64_t tid = keys->tid[i];
        if (tid == 0)
            continue;
        struct key k = key_threads(tid);
        enum status s = work_entry(w, &k, tid % PAGE_ENTRIES, &body);
        if (s == ERR_NOT_FOUND)
            continue;
        TRY(s);
        TRY(thread_entry_read(body, w->a, t));
        if (t->mid_count == LIMIT_THREAD_MESSAGES ||
            (t->mid_count > 0 && t->mids[t->mid_count - 1] >= mid))
            continue;
        *tid_out = tid;
        return OK;
    }
    t->mids = ARENA_ARRAY(w->a, uint64_t, 1);
    t->hashes = ARENA_ARRAY(w->a, uint64_t, THREAD_KEYS_MAX + 1);
    t->mid_count = t->hash_count = 0;
    *tid_out = w->head.next_tid;
    return OK;
}

/* tid 0 removes. */
static enum status
index_change(struct work *w, uint64_t hash, uint64_t tid)
{
    struct key k = bucket_of(w, hash);
    struct str page;

    TRY(work_peek(w, &k, &page));
    if (w->scratch == NULL)
        w->scratch = arena_new(ARENA_WORK);
    TRY(index_put(page, hash, tid, w->scratch, &page));
    work_put(w, &k, page);
    arena_reset(w->scratch);
    return OK;
}

/* Buckets are cut by the first bits of sorted hashes, so each falls into runs. */
static enum status
index_grow(struct work *w)
{
    uint8_t bits = w->head.index_bits;
    size_t total = 0, n;

    for (uint32_t i = 0; i < 1u << bits; i++) {
        struct key k = key_index(bits, (uint16_t)i);
        struct str page;
        TRY(work_peek(w, &k, &page));
        TRY(index_count(page, &n));
        total += n;
        if (n > 0)
            index_split(w, i, page, n);
        work_put(w, &k, STR_NONE);
    }
    w->head.index_bits = (uint8_t)(bits + INDEX_BITS_STEP);
    w->head.index_entries = total;
    return OK;
}

static void
index_split(struct work *w, uint32_t bucket, struct str page, size_t count)
{
    uint8_t bits = (uint8_t)(w->head.index_bits + INDEX_BITS_STEP);
    uint64_t hash, tid;
    size_t from = 0;

    for (uint32_t part = 0; part < 1u << INDEX_BITS_STEP; part++) {
        uint32_t to_bucket = (bucket << INDEX_BITS_STEP) + part;
        size_t end = from;
        while (end < count && (index_get(page, end, &hash, &tid), hash >> (48 - bits)) == to_bucket)
            end++;
        if (end == from)
            continue;
        struct key k = key_index(bits, (uint16_t)to_bucket);
        buf_reset(&w->entry);
        buf_add_char(&w->entry, PAGE_VERSION);
        buf_add(&w->entry,
                str_sub(page, 1 + from * INDEX_ENTRY_BYTES, (end - from) * INDEX_ENTRY_BYTES));
        work_put(w, &k, buf_str(&w->entry));
        from = end;
    }
}

static enum status
thread_write(struct work *w, uint64_t tid, bool is_new_page, const struct thread_value *t)
{
    struct key k = key_threads(tid);

    buf_reset(&w->entry);
    thread_entry_write(t, &w->entry);
    TRY(buf_status(&w->entry));
    return work_entry_put(w, &k, is_new_page, tid % PAGE_ENTRIES, buf_str(&w->entry));
}
