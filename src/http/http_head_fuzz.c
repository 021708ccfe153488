/* http_head_fuzz.c - a head that is taken has one meaning.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/limits.h"
#include "http/head.h"
#include "http/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every line feed follows its carriage return, and the other way round. */
static bool
lines_are_clean(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '\n' && (i == 0 || s.ptr[i - 1] != '\r'))
            return false;
        if (s.ptr[i] == '\r' && (i + 1 == s.len || s.ptr[i + 1] != '\n'))
            return false;
    }
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct str text = str_from((const char *)data, size), segments[8], value;
    size_t n = 0, lengths = 0, codings = 0;
    struct http_head h;

    struct http_refusal r = http_head_read(text, a, &h);
    ASSERT((r.status == 0) == (r.why == NULL) && (r.status == 0 || r.status >= 400));
    if (r.status != 0)
        return 0;
    ASSERT(lines_are_clean(text) && h.field_count <= LIMIT_HTTP_FIELDS && h.method.len > 0);
    for (size_t i = 0; i < h.field_count; i++) {
        lengths += str_eq_nocase(h.fields[i].name, STR("content-length")) ? 1u : 0u;
        codings += str_eq_nocase(h.fields[i].name, STR("transfer-encoding")) ? 1u : 0u;
    }
    ASSERT(lengths + codings <= 1 && (h.framing == HTTP_CHUNKED) == (codings == 1));
    ASSERT(h.framing != HTTP_LENGTH || (lengths == 1 && h.length > 0));
    if (http_path_split(h.path, a, segments, 8, &n) == OK)
        ASSERT(n <= 8);
    if (http_query_get(h.query, STR("a"), a, &value) == OK)
        ASSERT(value.len <= h.query.len);
    return 0;
}
