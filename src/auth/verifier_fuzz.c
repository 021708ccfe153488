/* verifier_fuzz.c - stored bytes that are no verifier are told apart from a wrong password, and none is right.
 *
 * Those of other servers have a target of their own (foreign_fuzz.c).  Costs are cut to what argon2 takes at least:
 * the bytes after the format are two numbers, which stay below 128.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/verifier.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_SECRET password = {0};
    char bytes[VERIFIER_MAX];

    if (size > sizeof(bytes) || verifier_is_foreign(str_from((const char *)data, size)))
        return 0;
    mem_copy(bytes, data, size);
    for (size_t i = 1; i < 3 && i < size; i++)
        bytes[i] &= 15;
    ASSERT(secret_set(&password, STR("p")));
    enum status e = verifier_check(str_from(bytes, size), &password);
    ASSERT(e == ERR_CORRUPT || e == ERR_DENIED);
    ASSERT(e == ERR_CORRUPT || (bytes[0] == 1 && bytes[1] >= 8 && bytes[2] >= 1));
    return 0;
}
