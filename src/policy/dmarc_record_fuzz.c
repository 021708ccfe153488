/* dmarc_record_fuzz.c - of any text a record is read that keeps its promises, and what follows it does not change it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "policy/dmarc_record.h"

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
inside(struct str part, struct str text)
{
    return part.len == 0 || (part.ptr >= text.ptr && part.ptr + part.len <= text.ptr + text.len);
}

static void
check_uris(struct str list)
{
    struct str whole = list, uri;

    while (dmarc_uri_next(&list, &uri)) {
        ASSERT(uri.len > 2 && inside(uri, whole));
        ASSERT(str_find(uri, ':') > 0 && str_find(uri, ',') < 0 && str_find(uri, '!') < 0);
    }
}

static bool
same(const struct dmarc_record *a, const struct dmarc_record *b)
{
    return a->usable == b->usable && a->p == b->p && a->sp == b->sp && a->np == b->np &&
           a->psd == b->psd && a->testing == b->testing && a->failure == b->failure &&
           a->strict_dkim == b->strict_dkim && a->strict_spf == b->strict_spf &&
           str_eq(a->rua, b->rua) && str_eq(a->ruf, b->ruf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size);
    AUTO_BUF longer = BUF(2 * LIMIT_DMARC_RECORD_BYTES);
    struct dmarc_record r, again;

    if (dmarc_record_parse(text, &r) != OK)
        return 0;
    ASSERT(size <= LIMIT_DMARC_RECORD_BYTES && inside(r.rua, text) && inside(r.ruf, text));
    ASSERT(r.usable == (r.p != DMARC_POLICY_UNSAID) && r.failure != 0 && r.failure < 16);
    check_uris(r.rua);
    check_uris(r.ruf);

    buf_add(&longer, text);
    buf_add(&longer, STR(" ; unknown = tag; v=DMARC2 "));
    if (longer.len > LIMIT_DMARC_RECORD_BYTES)
        return 0;
    enum status st = dmarc_record_parse(buf_str(&longer), &again);
    ASSERT(st == OK && same(&r, &again));
    return 0;
}
