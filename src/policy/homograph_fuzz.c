/* homograph_fuzz.c - any bytes are a name or none, and no name looks like itself in disguise.
 *
 * Contract:  the two halves of the input are compared both ways, with one result.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/homograph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    struct str a = str_sub(in, 0, size / 2), b = str_skip(in, size / 2);

    ASSERT(homograph_of(in) <= HOMOGRAPH_LATIN);
    ASSERT(!homograph_alike(in, in));
    ASSERT(homograph_alike(a, b) == homograph_alike(b, a));
    return 0;
}
