/* imitation_fuzz.c - of any header: few names, in normal form, each once.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "mail/domain.h"
#include "policy/imitation.h"
#include "policy/suffixes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct imitation f;
    bool shown = false;

    if (size > 8192)
        return 0;
    imitation_find(str_from((const char *)data, size), suffixes_built_in(), a, &f);
    ASSERT(f.count <= IMITATION_NAMES);
    for (size_t i = 0; i < f.count; i++) {
        ASSERT(domain_is_normal(f.at[i].domain));
        ASSERT(str_ends(f.at[i].domain, f.at[i].parent) && f.at[i].parent.len < f.at[i].domain.len);
        ASSERT(f.at[i].shown || !shown);
        shown = f.at[i].shown;
        for (size_t j = 0; j < i; j++)
            ASSERT(!str_eq(f.at[j].domain, f.at[i].domain));
    }
    ASSERT(f.mixed.len == 0 || domain_is_normal(f.mixed));
    return 0;
}
