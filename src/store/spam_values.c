/* spam_values.c - how the counts of tokens are stored.  See spam.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/spam.h"

enum { TOTALS_VERSION = 1 };

void
spam_totals_write(const struct spam_totals *t, struct buf *b)
{
    buf_add_char(b, TOTALS_VERSION);
    buf_add_varint(b, t->version);
    buf_add_varint(b, t->wanted);
    buf_add_varint(b, t->unwanted);
}

enum status
spam_totals_read(struct str value, struct spam_totals *out)
{
    struct scan s = scan_of(value);
    uint64_t tokens, wanted, unwanted;
    uint8_t version;

    if (!scan_u8(&s, &version) || version != TOTALS_VERSION ||
        !scan_varint(&s, UINT32_MAX, &tokens) || !scan_varint(&s, UINT32_MAX, &wanted) ||
        !scan_varint(&s, UINT32_MAX, &unwanted) || !scan_at_end(&s))
        return ERR_CORRUPT;
    *out = (struct spam_totals){(uint32_t)tokens, (uint32_t)wanted, (uint32_t)unwanted};
    return OK;
}

enum status
spam_page_check(struct str page, size_t *count_out)
{
    uint64_t last = 0;

    *count_out = 0;
    if (page.ptr == NULL)
        return OK;
    if (page.len % SPAM_ENTRY_BYTES != 1 || page.ptr[0] != VALUE_VERSION)
        return ERR_CORRUPT;
    size_t n = page.len / SPAM_ENTRY_BYTES;
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = spam_page_get(page, i).hash;
        if (i > 0 && hash <= last)
            return ERR_CORRUPT;
        last = hash;
    }
    *count_out = n;
    return OK;
}

struct spam_entry
spam_page_get(struct str page, size_t i)
{
    const char *p = page.ptr + 1 + i * SPAM_ENTRY_BYTES;

    return (struct spam_entry){be48_get(p), {be16_get(p + 6), be16_get(p + 8)}, be16_get(p + 10)};
}
