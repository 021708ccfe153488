/* trace_fuzz.c - segments and indexes that anybody may have damaged, and words about them.
 *
 * Contract:  an index made of any text leads to whole lines that have its hashes; an index head that is accepted fits
 *            the sizes; words about a line are bounded.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/size.h"
#include "trace/index.h"
#include "trace/life.h"
#include "trace/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
has_key(struct str line, uint64_t hash)
{
    uint64_t keys[TRACE_KEYS_MAX];
    size_t n = trace_keys(line, keys);

    ASSERT(n <= TRACE_KEYS_MAX);
    for (size_t i = 0; i < n; i++)
        if (keys[i] == hash)
            return true;
    return false;
}

static void
check_index(struct str text)
{
    AUTO_BUF index = BUF(TRACE_INDEX_MAX);
    uint64_t count = 0, last = 0;

    trace_index_write(text, &index);
    ASSERT(trace_index_read_head(buf_str(&index), index.len, text.len, &count));
    for (uint64_t i = 0; i < count; i++) {
        struct trace_index_entry e =
            trace_index_entry(index.ptr + TRACE_INDEX_HEAD + i * TRACE_INDEX_ENTRY);
        struct str line = trace_line_at(text, e.offset);
        ASSERT(e.hash >= last && line.len > 0 && line.len <= LOG_LINE_MAX);
        ASSERT(has_key(line, e.hash));
        last = e.hash;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    AUTO_BUF words = BUF(65536);
    uint64_t count = 0;
    size_t range = 0;
    uint32_t offset = 0, uid = 0;

    check_index(text);
    if (trace_index_read_head(text, size, 100, &count))
        ASSERT(size == TRACE_INDEX_HEAD + count * TRACE_INDEX_ENTRY);
    struct str line = str_sub(text, 0, LOG_LINE_MAX);
    trace_words(line, &words);
    ASSERT(buf_status(&words) == OK);
    if (trace_uids_have(text, 7, &range, &offset))
        ASSERT(trace_uid_at(text, range, offset, &uid) && uid == 7);
    return 0;
}
