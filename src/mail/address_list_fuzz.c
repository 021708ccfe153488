/* address_list_fuzz.c - any bytes end in a bounded, balanced list of clean strings.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/address_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(struct str s, size_t size)
{
    ASSERT(s.len <= size);
    for (size_t i = 0; i < s.len; i++)
        ASSERT((unsigned char)s.ptr[i] >= ' ');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ADDRESS_CURSOR c;
    struct address a;
    size_t count = 0;
    bool in_group = false;

    address_cursor_init(&c, str_from((const char *)data, size));
    while (address_next(&c, &a)) {
        count++;
        check_text(a.name, size);
        check_text(a.mailbox, size);
        check_text(a.host, size);
        ASSERT(a.route.len <= size);
        if (a.kind == ADDRESS_GROUP_START) {
            ASSERT(!in_group);
            in_group = true;
        }
        if (a.kind == ADDRESS_GROUP_END) {
            ASSERT(in_group);
            in_group = false;
        }
    }
    ASSERT(!in_group && count <= ADDRESSES_MAX && count <= size + 1);
    return 0;
}
