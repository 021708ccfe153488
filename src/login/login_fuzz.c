/* login_fuzz.c - a PLAIN response that is taken is, rebuilt from its parts, the same bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/limits.h"
#include "login/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct str base64)
{
    AUTO_SECRET_BUF decoded = BUF(1400);
    AUTO_SECRET password = {0};
    AUTO_BUF again = BUF(4096);
    struct str name = STR("untouched");

    if (login_plain_read(base64, &decoded, &name, &password) != OK) {
        ASSERT(str_eq(name, STR("untouched")) && password.len == 0);
        return;
    }
    struct str authzid, plain = buf_str(&decoded);
    ASSERT(name.len > 0 && str_find(name, '\0') < 0);
    ASSERT(password.len <= LIMIT_PASSWORD_BYTES);
    ASSERT(str_split(&plain, '\0', &authzid));
    ASSERT(authzid.len == 0 || str_eq_nocase(authzid, name));
    buf_add(&again, authzid);
    buf_add_char(&again, '\0');
    buf_add(&again, name);
    buf_add_char(&again, '\0');
    buf_add(&again, secret_str(&password));
    ASSERT(str_eq(buf_str(&again), buf_str(&decoded)));
}

/* As it came, and as the base64 of what came. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO_BUF base64 = BUF(4096);

    if (size > 2048)
        return 0;
    check(in);
    buf_add_base64(&base64, in);
    check(buf_str(&base64));
    return 0;
}
