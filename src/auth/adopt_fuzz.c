/* adopt_fuzz.c - whatever is taken is a verifier, and nothing else leaves a byte behind.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/adopt.h"
#include "auth/verifier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF out = BUF(VERIFIER_MAX);
    struct scram_keys keys;

    const char *why = NULL;
    enum status e = verifier_take(str_from((const char *)data, size), &out, &why);
    ASSERT((e == OK || e == ERR_SYNTAX) && why != NULL);
    ASSERT((out.len > 0) == (e == OK));
    if (e == OK)
        ASSERT(verifier_scram(buf_str(&out), &keys) == ERR_CORRUPT);
    return 0;
}
