/* scram_read_fuzz.c - a message that is taken is, rebuilt from its parts, the same bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/limits.h"
#include "login/scram_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
add_saslname(struct buf *b, struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == ',')
            buf_add(b, STR("=2C"));
        else if (name.ptr[i] == '=')
            buf_add(b, STR("=3D"));
        else
            buf_add_char(b, name.ptr[i]);
    }
}

static void
check_first(struct str message)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF again = BUF(8192);
    struct scram_first f = {.flag = 77};

    if (scram_first_read(message, a, &f) != OK) {
        ASSERT(f.flag == 77);
        return;
    }
    ASSERT(message.len <= LIMIT_SASL_BYTES && f.nonce.len <= LIMIT_SCRAM_NONCE_BYTES);
    ASSERT(f.name.len > 0 && utf8_valid(f.name) && str_find(f.name, '\0') < 0);
    ASSERT((f.flag == SCRAM_BINDS) == str_starts(f.gs2, STR("p=tls-exporter,")));
    ASSERT(f.gs2.len + f.bare.len == message.len && str_ends(f.gs2, STR(",")));
    buf_add(&again, f.gs2);
    buf_add(&again, STR("n="));
    add_saslname(&again, f.name);
    buf_add(&again, STR(",r="));
    buf_add(&again, f.nonce);
    ASSERT(str_starts(message, buf_str(&again)));
    ASSERT(again.len == message.len || message.ptr[again.len] == ',');
}

static void
check_final(struct str message)
{
    AUTO_ARENA *a = arena_new(65536);
    AUTO_BUF again = BUF(8192);
    struct scram_final f = {.nonce = STR("untouched")};

    if (scram_final_read(message, a, &f) != OK) {
        ASSERT(str_eq(f.nonce, STR("untouched")));
        return;
    }
    buf_add(&again, STR("c="));
    buf_add_base64(&again, f.binding);
    buf_add(&again, STR(",r="));
    buf_add(&again, f.nonce);
    ASSERT(str_starts(f.unproved, buf_str(&again)));
    ASSERT(again.len == f.unproved.len || f.unproved.ptr[again.len] == ',');
    buf_reset(&again);
    buf_add(&again, f.unproved);
    buf_add(&again, STR(",p="));
    buf_add_base64(&again, f.proof);
    ASSERT(str_eq(buf_str(&again), message));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);

    check_first(in);
    check_final(in);
    return 0;
}
