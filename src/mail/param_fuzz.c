/* param_fuzz.c - parameters are bounded, on one line, and decode to valid UTF-8.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "mail/param.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct params *p)
{
    ASSERT(p->count <= PARAMS_MAX);
    for (uint32_t i = 0; i < p->count; i++) {
        struct str value = p->at[i].value;
        ASSERT(p->at[i].name.len > 0 && p->at[i].name.len <= PARAM_NAME_BYTES);
        ASSERT(value.len <= PARAM_VALUE_BYTES && str_find(value, '\n') < 0);
        ASSERT(str_find(value, '\0') < 0);
    }
    AUTO_BUF b = BUF(PARAMS_MAX * PARAM_VALUE_BYTES * 16);
    if (param_value(p, STR("filename"), &b))
        ASSERT(buf_status(&b) == OK && utf8_valid(buf_str(&b)) && str_find(buf_str(&b), '\n') < 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO_ARENA *a = arena_new(size * 2 + (1 << 20));
    struct content c;

    (void)content_type_parse(in, a, &c);
    ASSERT(c.type.len > 0 && c.subtype.len > 0);
    check(&c.params);
    if (content_disposition_parse(in, a, &c))
        check(&c.params);
    return 0;
}
