/* sts_fuzz.c - what is read of a policy lies within its bounds and is written as it was read; a record's id is one.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "smtp/sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_policy(const struct sts_policy *p, struct arena *a)
{
    AUTO_BUF text = BUF(1 << 20);
    struct sts_policy again;

    ASSERT(p->count <= LIMIT_STS_HOSTS && (p->mode == STS_NONE || p->count > 0));
    sts_policy_write(p, &text);
    ASSERT(buf_status(&text) == OK);
    enum status e = sts_policy_read(buf_str(&text), a, &again);
    ASSERT(e == OK && again.mode == p->mode && again.max_age_s == p->max_age_s);
    ASSERT(again.count == p->count);
    for (size_t i = 0; i < p->count; i++) {
        ASSERT(str_eq(again.hosts[i], p->hosts[i]));
        bool star = p->hosts[i].ptr[0] == '*';
        ASSERT(star || sts_covers(p, p->hosts[i]));
    }
    ASSERT(!sts_covers(p, STR("")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct str text = str_from((const char *)data, size), id;
    struct sts_policy p;

    if (size > LIMIT_STS_POLICY_BYTES)
        return 0;
    if (sts_record_choose(&text, 1, &id))
        ASSERT(id.len > 0 && id.len <= STS_ID_MAX && str_starts(text, STR("v=STSv1")));
    enum status e = sts_policy_read(text, a, &p);
    ASSERT(e == OK || e == ERR_SYNTAX || e == ERR_LIMIT);
    if (e == OK)
        check_policy(&p, a);
    return 0;
}
