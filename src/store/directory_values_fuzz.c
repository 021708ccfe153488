/* directory_values_fuzz.c - what a reader takes, its writer writes back byte for byte or shorter, and reads again.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/directory_app.h"
#include "store/directory_values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
entry(struct str value)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF again = BUF(DIRECTORY_VALUE_MAX);
    struct directory_entry e, second;

    if (directory_entry_read(value, a, &e) != OK)
        return;
    directory_entry_write(&e, &again);
    ASSERT(buf_status(&again) == OK && again.len <= value.len);
    ASSERT(directory_entry_read(buf_str(&again), a, &second) == OK);
    ASSERT(second.suspended == e.suspended);
    ASSERT(str_eq(second.invitation.hash, e.invitation.hash) &&
           second.invitation.expires.us == e.invitation.expires.us);
    ASSERT(second.app_password_count == e.app_password_count &&
           e.app_password_count <= LIMIT_APP_PASSWORDS);
    for (size_t i = 0; i < e.app_password_count; i++)
        ASSERT(str_eq(second.app_passwords[i].hash, e.app_passwords[i].hash) &&
               str_eq(second.app_passwords[i].name, e.app_passwords[i].name));
    ASSERT(second.forward.count == e.forward.count && second.forward.keep == e.forward.keep);
    ASSERT(e.forward.count <= LIMIT_FORWARD_TARGETS && e.send_as_count <= LIMIT_SEND_AS);
    ASSERT(second.send_as_count == e.send_as_count);
    ASSERT(second.kind == e.kind && second.account == e.account && second.epoch == e.epoch);
    ASSERT(str_eq(second.verifier, e.verifier) && second.target_count == e.target_count);
    ASSERT(e.kind != DIRECTORY_ALIAS ||
           (e.target_count > 0 && e.target_count <= LIMIT_ALIAS_TARGETS));
}

static void
domain(struct str value)
{
    AUTO_BUF again = BUF(DIRECTORY_VALUE_MAX);
    struct directory_domain_value v, second;

    if (directory_domain_read(value, &v) != OK)
        return;
    directory_domain_write(&v, &again);
    ASSERT(directory_domain_read(buf_str(&again), &second) == OK);
    ASSERT(second.tenant == v.tenant && str_eq(second.selector, v.selector));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    entry(str_from((const char *)data, size));
    domain(str_from((const char *)data, size));
    return 0;
}
