/* introspection_fuzz.c - only a plain "active": true with a name lets in; the question holds no byte that could end
 * a line of it early.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/introspection.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_answer(struct str in)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    struct introspection r = {.expires_s = 77};
    const struct jwt_wanted wanted = {.issuer = STR("https://i"), .audience = STR("mail")};

    if (introspection_read(in, in.len % 2 == 1, a, &r) != OK) {
        ASSERT(r.expires_s == 77);
        return;
    }
    ASSERT(str_find_str(in, STR("active")) >= 0 || str_find(in, '\\') >= 0);
    ASSERT(r.active || (r.address.len == 0 && r.audience_count == 0));
    ASSERT(r.audience_count <= INTROSPECTION_AUDIENCES_MAX);
    ASSERT(!introspection_fits(&r, &wanted) || (r.active && r.address.len > 0));
}

static void
check_question(struct str in)
{
    AUTO_BUF out = BUF(65536);
    const struct introspection_request r = {.host = STR("h"),
                                            .path = STR("/"),
                                            .client = str_sub(in, 0, 100),
                                            .secret = str_sub(in, 100, 200),
                                            .token = str_sub(in, 0, LIMIT_OAUTH_BYTES)};

    introspection_request_write(&r, &out);
    ASSERT(buf_status(&out) == OK);
    struct str text = buf_str(&out);
    ssize_t head = str_find_str(text, STR("\r\n\r\n"));
    ASSERT(head > 0);
    struct str form = str_skip(text, (size_t)head + 4);
    ASSERT(str_starts(form, STR("token=")) && str_find(form, '\r') < 0 && str_find(form, '\n') < 0);
    for (size_t i = 0; i < text.len; i++)
        ASSERT(text.ptr[i] == '\r' || text.ptr[i] == '\n' ||
               (text.ptr[i] >= ' ' && text.ptr[i] <= '~'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);

    check_answer(in);
    check_question(in);
    return 0;
}
