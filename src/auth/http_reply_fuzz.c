/* http_reply_fuzz.c - a reply that is complete stays what it is when more comes; what began it is not complete before.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/http_reply.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    struct str in = str_from((const char *)data, size);
    struct http_reply r = {.status = 77}, last = {.status = 77};

    if (size > 4096)
        return 0;
    enum status e = http_reply_read(in, false, LIMIT_ASK_BODY_BYTES, a, &r);
    enum status at_end = http_reply_read(in, true, LIMIT_ASK_BODY_BYTES, a, &last);
    ASSERT(at_end != ERR_TEMP);
    if (e != OK)
        ASSERT(r.status == 77);
    if (at_end != OK)
        ASSERT(last.status == 77);
    if (e == OK) {
        ASSERT(at_end == OK && str_eq(r.body, last.body) && r.status == last.status);
        ASSERT(r.status >= 200 && r.status <= 599 && r.body.len <= LIMIT_ASK_BODY_BYTES);
    } else if (e != ERR_TEMP) {
        ASSERT(at_end == e);
    }
    /* Whatever is not wrong by now was not wrong with less. */
    for (size_t n = 0; n < size; n += 1 + size / 16) {
        struct http_reply less;
        enum status before =
            http_reply_read(str_sub(in, 0, n), false, LIMIT_ASK_BODY_BYTES, a, &less);
        ASSERT(before == ERR_TEMP || before == e || (before == OK && e == OK));
    }
    return 0;
}
