/* oauth_read_fuzz.c - what is read keeps what oauth_read.h promises.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/limits.h"
#include "login/oauth_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct oauth_first *f, size_t size)
{
    ASSERT(size <= LIMIT_OAUTH_BYTES && f->token.len + f->name.len <= size);
    ASSERT(utf8_valid(f->name) && str_find(f->name, '\0') < 0);
    for (size_t i = 0; i < f->token.len; i++)
        ASSERT(f->token.ptr[i] > ' ' && f->token.ptr[i] < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct str in = str_from((const char *)data, size);
    struct oauth_first f;

    if (oauth_bearer_read(in, a, &f) == OK)
        check(&f, size);
    if (oauth_x_read(in, &f) == OK)
        check(&f, size);
    return 0;
}
