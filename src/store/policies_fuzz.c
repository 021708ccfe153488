/* policies_fuzz.c - a value that reads is written as the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/limits.h"
#include "store/policies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF again = BUF(LIMIT_STS_KEPT_BYTES + 128);
    struct policy_kept k, second;

    if (policy_value_read(str_from((const char *)data, size), &k) != OK)
        return 0;
    ASSERT(k.id.len <= POLICY_ID_MAX && k.text.len <= LIMIT_STS_KEPT_BYTES);
    policy_value_write(&k, &again);
    enum status e = policy_value_read(buf_str(&again), &second);
    ASSERT(e == OK && str_eq(k.id, second.id) && str_eq(k.text, second.text));
    ASSERT(k.fetched.us == second.fetched.us && k.until.us == second.until.us);
    return 0;
}
