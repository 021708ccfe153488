/* socks_fuzz.c - any bytes as the answers of a SOCKS5 proxy: it ends, and never asks for more than it may.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "smtp/socks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
play(const struct socks_wish *w, struct str in)
{
    AUTO_BUF out = BUF(600);
    struct socks s;
    size_t steps = 0;

    ASSERT(socks_begin(w, &s, &out) == OK && out.len >= 3);
    while (s.step != SOCKS_OPEN && s.step != SOCKS_FAILED && in.len >= s.need) {
        struct str now = str_sub(in, 0, s.need);
        steps++;
        ASSERT(s.need > 0 && s.need <= SOCKS_NEED_MAX && steps <= 4);
        in = str_skip(in, now.len);
        buf_reset(&out);
        socks_take(&s, now, &out);
        ASSERT(buf_status(&out) == OK);
    }
    ASSERT((s.step == SOCKS_FAILED) == (s.why[0] != '\0'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sockaddr_storage at = {.ss_family = AF_INET};
    AUTO_SECRET password = {0};
    const struct socks_wish plain = {.at = &at, .port = 25};
    const struct socks_wish all = {
        .name = STR("mail.example"), .port = 25, .user = STR("me"), .password = &password};

    ASSERT(secret_set(&password, STR("secret")));
    play(&plain, str_from((const char *)data, size));
    play(&all, str_from((const char *)data, size));
    return 0;
}
