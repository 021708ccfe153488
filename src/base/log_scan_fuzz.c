/* log_scan_fuzz.c - lines of a log file, which anybody may have written to.
 *
 * Contract:  fields are in order and inside the line; keys and values hold printable bytes only; a value with its
 *            escapes undone is never longer than in the line; what is refused is not consumed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log_scan.h"
#include "base/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        ASSERT(s.ptr[i] >= ' ' && s.ptr[i] < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str line = str_from((const char *)data, size);
    struct scan s = scan_of(line);
    struct log_field f;
    const char *before = s.pos;

    while (scan_log_field(&s, &f)) {
        AUTO_BUF bytes = BUF(size);

        ASSERT(s.pos > before && f.key.len > 0 && f.key.ptr >= before);
        ASSERT(f.value.ptr > f.key.ptr && f.value.ptr + f.value.len <= s.pos);
        check_printable(f.key);
        check_printable(f.value);
        log_value_read(&f, &bytes);
        ASSERT(buf_status(&bytes) == OK && bytes.len <= f.value.len);
        before = s.pos;
    }
    ASSERT(s.pos == before);
    return 0;
}
