/* handover_fuzz.c - what is read and written again says the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/boss/handover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct handover h, again;
    AUTO_BUF text = BUF(HANDOVER_BYTES_MAX * 2);
    AUTO_BUF second = BUF(HANDOVER_BYTES_MAX * 2);

    if (handover_read(str_from((const char *)data, size), &h) != OK)
        return 0;
    ASSERT(h.listening.count <= ROLE_LISTENERS_MAX && h.previous_fd != 0 && h.admin_fd != 0);
    for (size_t i = 0; i < h.listening.count; i++)
        ASSERT(h.listening.at[i].fd > 2 && h.listening.of[i] == &h.lines[i]);
    handover_write(&h, &text);
    ASSERT(buf_status(&text) == OK && handover_read(buf_str(&text), &again) == OK);
    handover_write(&again, &second);
    ASSERT(str_eq(buf_str(&text), buf_str(&second)));
    return 0;
}
