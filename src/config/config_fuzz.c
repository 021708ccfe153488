/* config_fuzz.c - any text is either refused with a sentence, or survives being written and read again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(config_free) struct config *first = NULL;
    AUTO(config_free) struct config *second = NULL;
    AUTO_BUF once = BUF(4u << 20), twice = BUF(4u << 20);
    struct problem why = {0};

    if (config_read(str_from((const char *)data, size), "fuzz", &first, &why) != OK) {
        ASSERT(first == NULL && why.text[0] != '\0');
        return 0;
    }
    config_write(first, &once);
    ASSERT(buf_status(&once) == OK);
    ASSERT(config_read(buf_str(&once), "again", &second, &why) == OK);
    config_write(second, &twice);
    ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
    return 0;
}
