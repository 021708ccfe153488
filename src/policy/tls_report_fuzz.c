/* tls_report_fuzz.c - of any bytes a report is read within its bounds, and written again always the same; a record
 * of DNS gives URIs of the two kinds alone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tls_report.h"

#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_record(struct str text)
{
    struct str rua, uri;

    if (!tls_rua_choose(&text, 1, &rua))
        return;
    ASSERT(rua.len > 0 && str_starts(text, STR("v=TLSRPTv1")));
    while (tls_rua_next(&rua, &uri)) {
        AUTO_BUF address = BUF(PATH_MAX_BYTES);
        ASSERT(str_starts_nocase(uri, STR("mailto:")) || str_starts_nocase(uri, STR("https:")));
        if (tls_rua_address(uri, &address))
            ASSERT(str_find(buf_str(&address), '@') > 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(2 * TLS_REPORT_ARENA);
    AUTO_BUF json = BUF(LIMIT_TLS_REPORT_BYTES), once = BUF(LIMIT_TLS_REPORT_BYTES),
             twice = BUF(LIMIT_TLS_REPORT_BYTES);
    struct str bytes = str_from((const char *)data, size);
    struct tls_report r, again;

    try_record(bytes);
    if (tls_report_unpack(bytes, &json) != OK) {
        ASSERT(json.len == 0);
        return 0;
    }
    ASSERT(json.len <= size * LIMIT_REPORT_RATIO);
    if (tls_report_read(buf_str(&json), a, &r) != OK)
        return 0;
    size_t policies = 0, details = 0;
    for (const struct tls_report_policy *p = r.policies; p != NULL; p = p->next) {
        policies++;
        ASSERT(p->text_count <= LIMIT_TLS_REPORT_TEXTS);
        for (const struct tls_report_failure *f = p->details; f != NULL; f = f->next)
            details++;
    }
    ASSERT(policies > 0 && policies == r.policy_count && policies <= LIMIT_TLS_REPORT_POLICIES);
    ASSERT(details <= LIMIT_TLS_REPORT_DETAILS && r.organization.len <= LIMIT_REPORT_TEXT_BYTES);
    if (tls_report_write(&once, &r) != OK)
        return 0;
    enum status st = tls_report_read(buf_str(&once), a, &again);
    ASSERT(st == OK && again.policy_count == policies && again.begin_s == r.begin_s);
    st = tls_report_write(&twice, &again);
    ASSERT(st == OK && str_eq(buf_str(&once), buf_str(&twice)));
    return 0;
}
