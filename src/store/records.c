/* records.c - what is kept about messages, by mid.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/work.h"

#define RECORDS_STEP 32u

static SUSPENDS enum status load_entries(struct cell *account, const uint64_t *mids, size_t n,
                                         struct arena *a, struct message_info *out);
static enum status entry_info(struct str page, uint64_t mid, struct message_info *out);

enum status
message_records(struct cell *account, const struct records_request *r, struct arena *a,
                struct records_reply *out)
{
    struct message_info *found = ARENA_ARRAY(a, struct message_info, r->count + 1);
    struct records_reply reply = {.messages = found};
    struct head_value h;
    size_t bytes = 0;
    bool full = false;

    AUTO_ARENA *scratch = arena_new(ARENA_WORK);
    TRY(head_load(account, scratch, &h));
    while (reply.done < r->count && !full) {
        struct message_info info[RECORDS_STEP];
        struct str records[RECORDS_STEP];
        size_t n = MIN(r->count - reply.done, RECORDS_STEP);
        const uint64_t *mids = r->mids + reply.done;
        arena_reset(scratch);
        TRY(load_entries(account, mids, n, scratch, info));
        TRY(engine_records(cells_engine(cell_home(account)), cell_id_of(account), mids, n, scratch,
                           records));
        for (size_t i = 0; i < n && !full; i++) {
            bytes += info[i].mid != 0 ? records[i].len : 0;
            full = reply.done > 0 && bytes > r->bytes_max;
            if (full)
                break;
            reply.done++;
            if (info[i].mid == 0)
                continue;
            info[i].record = arena_str(a, records[i]);
            found[reply.count++] = info[i];
        }
    }
    *out = reply;
    return OK;
}

enum status
message_find_all(struct cell *account, const uint64_t *mids, size_t n, struct message_info *out)
{
    AUTO_ARENA *scratch = arena_new(ARENA_WORK);
    struct head_value h;

    TRY(head_load(account, scratch, &h));
    for (size_t done = 0; done < n;) {
        size_t step = MIN(n - done, RECORDS_STEP);
        arena_reset(scratch);
        TRY(load_entries(account, mids + done, step, scratch, out + done));
        done += step;
    }
    return OK;
}

enum status
message_sizes(struct cell *account, const uint64_t *mids, size_t n, uint64_t *sizes_out)
{
    struct message_info info[RECORDS_STEP];

    for (size_t done = 0; done < n;) {
        size_t step = MIN(n - done, RECORDS_STEP);
        TRY(message_find_all(account, mids + done, step, info));
        for (size_t i = 0; i < step; i++)
            sizes_out[done + i] = info[i].mid != 0 ? info[i].size : 0;
        done += step;
    }
    return OK;
}

enum status
message_find(struct cell *account, uint64_t mid, struct message_info *out)
{
    struct message_info info;

    TRY(message_find_all(account, &mid, 1, &info));
    if (info.mid == 0)
        return ERR_NOT_FOUND;
    *out = info;
    return OK;
}

/* out[i].mid is 0 when there is no such message. */
static enum status
load_entries(struct cell *account, const uint64_t *mids, size_t n, struct arena *a,
             struct message_info *out)
{
    struct key keys[RECORDS_STEP];
    struct str names[RECORDS_STEP] = {0}, pages[RECORDS_STEP];
    size_t at[RECORDS_STEP];
    size_t count = 0;

    ASSERT(n <= RECORDS_STEP);
    for (size_t i = 0; i < n; i++) {
        /* Mids of one page usually stand together. */
        if (mids[i] > ID48_MAX || i == 0 || mids[i] >> PAGE_BITS != mids[i - 1] >> PAGE_BITS) {
            keys[count] = key_messages(MIN(mids[i], ID48_MAX));
            names[count] = key_str(&keys[count]);
            count++;
        }
        at[i] = count - 1;
    }
    TRY(cell_get_many(account, names, count, a, pages));
    for (size_t i = 0; i < n; i++)
        TRY(entry_info(pages[at[i]], mids[i], &out[i]));
    return OK;
}

static enum status
entry_info(struct str page, uint64_t mid, struct message_info *out)
{
    struct message_value v;
    struct str body;

    *out = (struct message_info){0};
    if (mid > ID48_MAX)
        return OK;
    enum status s = page_find(page, mid % PAGE_ENTRIES, &body);
    if (s == ERR_NOT_FOUND)
        return OK;
    TRY(s);
    TRY(message_entry_read(body, &v));
    if (v.count == 0) /* removed; kept for the grace period */
        return OK;
    *out = (struct message_info){.mid = mid,
                                 .tid = v.tid,
                                 .size = v.size,
                                 .blob = v.blob,
                                 .received = {v.received_us},
                                 .saved = {v.saved_us}};
    return OK;
}
