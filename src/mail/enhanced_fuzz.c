/* enhanced_fuzz.c - a code that is taken is of the asked class, and reads the same again; else nothing is taken.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "base/status.h"
#include "mail/enhanced.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, MIN(size, (size_t)4096));

    for (int code = 250; code <= 550; code += 100) {
        char got[ENHANCED_BYTES] = "", again[ENHANCED_BYTES] = "";
        struct str rest = in;

        if (!enhanced_take(&rest, code, got)) {
            ASSERT(rest.ptr == in.ptr && rest.len == in.len && got[0] == '\0');
            continue;
        }
        struct str text = str_of(got);
        ASSERT(got[0] - '0' == code / 100 && text.len < sizeof(got) && rest.len < in.len);
        ASSERT(rest.len == 0 || !ascii_is_space(rest.ptr[0]));
        bool same = enhanced_take(&text, code, again);
        ASSERT(same && text.len == 0 && str_eq(str_of(again), str_of(got)));
    }
    return 0;
}
