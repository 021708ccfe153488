/* values_fuzz.c - the readers of everything in an account's cell.
 *
 * The first byte chooses the reader.  What is accepted is written again and read again, with the same result; nothing
 * that is read breaks the promises that code relies on without looking.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "store/import.h"
#include "store/values.h"

static void
check_head(struct str v)
{
    struct head_value h;
    char bytes[HEAD_BYTES];

    if (head_read(v, &h) != OK)
        return;
    head_write(&h, bytes);
    ASSERT(str_eq(v, str_from(bytes, sizeof(bytes))));
}

static void
check_mailbox(struct str v, struct arena *a)
{
    struct mailbox_value m, again;
    struct buf b = BUF(MAILBOX_VALUE_MAX);

    (void)a;
    if (mailbox_read(v, &m) != OK)
        return;
    ASSERT(m.keyword_count <= LIMIT_KEYWORDS && m.unseen <= m.exists && m.uidnext > 0);
    mailbox_write(&m, &b);
    ASSERT(buf_status(&b) == OK && mailbox_read(buf_str(&b), &again) == OK);
    ASSERT(again.uidnext == m.uidnext && str_eq(again.name, m.name));
    buf_release(&b);
}

static void
check_message(struct str v)
{
    struct message_value m, again;
    struct buf b = BUF(MESSAGE_ENTRY_MAX);

    if (message_entry_read(v, &m) != OK)
        return;
    ASSERT(m.count <= LIMIT_PLACEMENTS && m.tid <= ID48_MAX);
    message_entry_write(&m, &b);
    ASSERT(buf_status(&b) == OK && message_entry_read(buf_str(&b), &again) == OK);
    ASSERT(again.count == m.count && again.received_us == m.received_us);
    buf_release(&b);
}

static void
check_thread(struct str v, struct arena *a)
{
    struct thread_value t, again;
    struct buf b = BUF(1u << 20);

    if (thread_entry_read(v, a, &t) != OK)
        return;
    thread_entry_write(&t, &b);
    ASSERT(buf_status(&b) == OK && thread_entry_read(buf_str(&b), a, &again) == OK);
    ASSERT(again.mid_count == t.mid_count && again.hash_count == t.hash_count);
    buf_release(&b);
}

static void
check_log(struct str v, struct arena *a)
{
    struct log_change c;
    struct buf b = BUF(1u << 22);
    struct scan s;
    int64_t time_us;
    enum status st;

    if (log_scan(v, &time_us, &s) != OK)
        return;
    log_start(time_us, &b);
    while ((st = log_next(&s, a, &c)) == OK) {
        for (size_t i = 0; i < c.uids.count; i++) {
            ASSERT(c.uids.ranges[i].first <= c.uids.ranges[i].last);
            ASSERT(i == 0 || c.uids.ranges[i].first > c.uids.ranges[i - 1].last);
        }
        for (size_t i = 0; i < c.mid_count; i++)
            ASSERT(c.mids[i].first <= c.mids[i].last && c.mids[i].last <= ID48_MAX);
        log_add(&c, &b);
    }
    ASSERT(st == ERR_NOT_FOUND || st == ERR_CORRUPT);
    buf_release(&b);
}

static void
check_job(struct str v, struct arena *a)
{
    struct job_value j, again;
    struct buf b = BUF(1u << 22);

    if (job_read(v, a, &j) != OK)
        return;
    job_write(&j, &b);
    ASSERT(buf_status(&b) == OK && job_read(buf_str(&b), a, &again) == OK);
    ASSERT(again.kind == j.kind && again.mid_count == j.mid_count);
    buf_release(&b);
}

static void
check_quota(struct str v)
{
    struct quota_value q;
    char bytes[QUOTA_BYTES];

    if (quota_read(v, &q) != OK)
        return;
    ASSERT(q.told < QUOTA_LEVELS && q.full_since_us >= 0);
    quota_write(&q, bytes);
    ASSERT(str_eq(v, str_from(bytes, sizeof(bytes))));
}

static void
check_import(struct str v)
{
    struct import_entry e = {0}, again = {0};
    struct buf b = BUF(IMPORT_ENTRY_MAX);

    if (import_entry_read(v, &e) != OK)
        return;
    ASSERT(e.key.len > 0 && e.key.len <= LIMIT_IMPORT_KEY_BYTES && e.uidl.len <= LIMIT_UIDL_BYTES);
    import_entry_write(&e, &b);
    ASSERT(buf_status(&b) == OK && str_eq(buf_str(&b), v));
    ASSERT(import_entry_read(buf_str(&b), &again) == OK && str_eq(again.key, e.key));
    buf_release(&b);
}

static void
check_ranges(struct str v, struct arena *a)
{
    const struct id_range *ids;
    struct uid_set uids;
    uint64_t number;
    size_t n;

    if (vanished_read(v, a, &uids) == OK)
        ASSERT(uids.count == 0 || uids.ranges[0].first <= uids.ranges[uids.count - 1].last);
    if (gone_read(v, a, &ids, &n) == OK)
        ASSERT(n == 0 || ids[n - 1].last <= ID48_MAX);
    if (number_read(v, 1000, &number) == OK)
        ASSERT(number <= 1000);
    check_quota(v);
    check_import(v);
}

/* A page with an entry put in and taken out again is the page that it was. */
static void
check_page(struct str v, struct arena *a)
{
    struct page_entry e = {17, STR("entry")};
    struct str with, without, body;
    struct page_entry at;
    struct scan s;
    enum status st;
    size_t n = 0;

    if (page_scan(v, &s) != OK)
        return;
    while ((st = page_next(&s, &at)) == OK) {
        ASSERT(at.low < PAGE_ENTRIES);
        n++;
    }
    if (st != ERR_NOT_FOUND)
        return;
    ASSERT(n > 0 && n <= PAGE_ENTRIES);
    bool was_there = page_find(v, e.low, &body) == OK;
    ASSERT(page_put(v, e, a, &with) == OK);
    ASSERT(page_find(with, e.low, &body) == OK && str_eq(body, e.body));
    e.body = STR_NONE;
    ASSERT(page_put(with, e, a, &without) == OK);
    ASSERT(page_find(without, e.low, &body) == ERR_NOT_FOUND);
    if (!was_there && n > 0) {
        uint32_t left = 0;
        ASSERT(page_scan(without, &s) == OK);
        while (page_next(&s, &at) == OK)
            left++;
        ASSERT(left == n);
    }
}

static void
check_places(struct str v)
{
    struct places p;
    uint32_t count;

    if (places_check(v, &count) != OK)
        return;
    ASSERT(places_read(v, 3, &p) == OK && p.count == count && str_eq(places_str(&p), v));
    for (uint32_t i = 0; i < count; i++) {
        struct place e = places_get(&p, i);
        ASSERT(e.uid >= 3 * PAGE_ENTRIES && e.uid < 4 * PAGE_ENTRIES && e.mid <= ID48_MAX);
        ASSERT(places_floor(&p, e.uid) == i);
    }
    while (p.count > 0)
        places_remove(&p, p.count / 2);
    ASSERT(places_str(&p).ptr == NULL);
}

static void
check_index(struct str v, struct arena *a)
{
    uint64_t tid, hash = 0x123456;
    struct str with;

    if (index_put(v, hash, 77, a, &with) != OK)
        return;
    ASSERT(index_find(with, hash, &tid) == OK && tid == 77);
    ASSERT(index_put(with, hash, 0, a, &with) == OK);
    ASSERT(index_find(with, hash, &tid) == ERR_NOT_FOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str v = str_from((const char *)data + 1, size - 1);
    struct arena *a = arena_new(64u << 20);

    if (size < 2 || size > 1u << 16) {
        arena_free(&a);
        return 0;
    }
    switch (data[0] % 10) {
    case 0: check_head(v); break;
    case 1: check_mailbox(v, a); break;
    case 2: check_message(v); break;
    case 3: check_thread(v, a); break;
    case 4: check_log(v, a); break;
    case 5: check_job(v, a); break;
    case 6: check_ranges(v, a); break;
    case 7: check_page(v, a); break;
    case 8: check_places(v); break;
    default: check_index(v, a); break;
    }
    arena_free(&a);
    return 0;
}
