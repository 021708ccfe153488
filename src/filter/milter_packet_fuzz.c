/* milter_packet_fuzz.c - whatever a filter sends: strings lie in the packet, codes are refusals with printable texts,
 * and no field can end the header.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "filter/milter_packet.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
lies_in(struct str part, struct str whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, MIN(size, (size_t)65536));
    struct milter_said said = {.code = -1};

    if (milter_read(in, &said) != OK) {
        ASSERT(said.code == -1);
        return 0;
    }
    ASSERT(lies_in(said.name, in) && lies_in(said.value, in));
    ASSERT((said.actions & ~MILTER_ACTIONS) == 0 && (said.steps & ~MILTER_STEPS) == 0);
    ASSERT(said.code == 0 || (said.code >= 400 && said.code <= 599));
    for (const char *p = said.text; *p != '\0'; p++)
        ASSERT(*p >= ' ' && *p <= '~');
    for (int spaced = 0; spaced < 2; spaced++) {
        AUTO_BUF b = BUF(1u << 20);
        struct header_field f;
        if (milter_field_in(&b, said.name, said.value, spaced != 0) != OK)
            continue;
        struct header_cursor c = header_cursor_of(buf_str(&b));
        ASSERT(header_next(&c, &f) && f.whole.len == b.len && str_eq(f.name, said.name));
        ASSERT(str_ends(buf_str(&b), STR("\r\n")) && header_block_len(buf_str(&b)) == b.len);
    }
    return 0;
}
