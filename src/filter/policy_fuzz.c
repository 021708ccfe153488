/* policy_fuzz.c - an answer is one of the known verbs with a harmless text, or refused; no value of a request can end
 * its line.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "filter/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    AUTO_BUF b = BUF(1u << 20);
    struct str in = str_from((const char *)data, MIN(size, (size_t)65536));
    struct policy_action out = {.code = -1};
    const struct policy_request r = {.state = STR("RCPT"), .helo = in, .sender = in};
    size_t lines = 0;

    policy_request_write(&b, &r);
    for (size_t i = 0; i < b.len; i++)
        lines += b.ptr[i] == '\n';
    ASSERT(buf_status(&b) == OK && lines == 30);
    if (policy_action_read(in, a, &out) != OK) {
        ASSERT(out.code == -1);
        return 0;
    }
    ASSERT(out.code == 0 || (out.code >= 400 && out.code <= 599));
    ASSERT((out.code == 0) == (out.enhanced[0] == '\0'));
    ASSERT(out.code == 0 || out.enhanced[0] - '0' == out.code / 100);
    ASSERT(out.text.len <= POLICY_TEXT_MAX);
    for (size_t i = 0; i < out.text.len; i++)
        ASSERT(out.text.ptr[i] >= ' ' && out.text.ptr[i] <= '~');
    return 0;
}
