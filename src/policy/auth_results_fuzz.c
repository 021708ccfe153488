/* auth_results_fuzz.c - what is read of a field and written again is read as the same, and its server is recognised.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/auth_results.h"

#include "base/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same_result(const struct auth_result *a, const struct auth_result *b)
{
    bool same = str_eq(a->method, b->method) && str_eq(a->result, b->result) &&
                str_eq(a->reason, b->reason) && a->property_count == b->property_count;

    for (size_t i = 0; same && i < a->property_count; i++)
        same = str_eq(a->properties[i].type, b->properties[i].type) &&
               str_eq(a->properties[i].name, b->properties[i].name) &&
               str_eq(a->properties[i].value, b->properties[i].value);
    return same;
}

static bool
writable(const struct auth_result *r)
{
    bool ok = utf8_valid(r->reason);

    for (size_t i = 0; i < r->property_count; i++)
        ok = ok && utf8_valid(r->properties[i].value) && r->properties[i].value.len > 0;
    return ok;
}

static void
write_and_read(const struct auth_reader *first, const struct auth_result *r, struct arena *a)
{
    AUTO_BUF field = BUF(1 << 20);
    struct auth_results all = {first->authserv_id, first->instance, true, r, 1};
    struct auth_reader reader;
    struct auth_result again;

    auth_results_write(&field, &all);
    ASSERT(buf_status(&field) == OK && str_ends(buf_str(&field), STR("\r\n")));
    struct str value = str_skip(buf_str(&field), (size_t)str_find(buf_str(&field), ':') + 1);
    value.len -= 2;
    for (size_t i = 0; i < value.len; i++)
        ASSERT(value.ptr[i] != '\n' || (i + 1 < value.len && value.ptr[i + 1] == '\t'));
    enum status st = auth_results_open(value, first->instance > 0, a, &reader);
    ASSERT(st == OK && str_eq(reader.authserv_id, first->authserv_id));
    ASSERT(auth_results_claims(value, first->authserv_id));
    st = auth_results_next(&reader, &again);
    ASSERT(st == OK && same_result(r, &again));
    st = auth_results_next(&reader, &again);
    ASSERT(st == ERR_NOT_FOUND);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1 << 22);
    struct str text = str_from((const char *)data, size);
    struct auth_reader reader;
    struct auth_result r;

    if (size == 0 || auth_results_open(str_skip(text, 1), data[0] == 'a', a, &reader) != OK)
        return 0;
    ASSERT(size - 1 <= LIMIT_AUTH_RESULTS_BYTES && reader.authserv_id.len > 0);
    while (auth_results_next(&reader, &r) == OK) {
        ASSERT(r.property_count <= LIMIT_AUTH_PROPERTIES);
        if (utf8_valid(reader.authserv_id) && writable(&r))
            write_and_read(&reader, &r, a);
    }
    ASSERT(reader.results <= LIMIT_AUTH_RESULTS);
    return 0;
}
