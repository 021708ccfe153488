/* srs_fuzz.c - a sender that is wrapped comes back as the same mailbox, and what is read leads somewhere or is refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "mail/address.h"
#include "mail/srs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char mac[SRS_MAC_BYTES] = "0123456789abcdefghijklmnopqrstuv";

static void
wrap(struct str sender, struct arena *a)
{
    struct path from, to;
    struct str address, target;
    struct srs s, back;

    if (srs_wrap(sender, 20000, a, &s) != OK ||
        srs_write(&s, str_from(mac, sizeof(mac)), STR("ours.example"), a, &address) != OK)
        return;
    ASSERT(address.len <= LIMIT_SRS_BYTES && srs_is(address));
    ASSERT(srs_read(address, a, &back) == OK && back.kind == s.kind);
    ASSERT(srs_is_signed(&back, str_from(mac, sizeof(mac))) && srs_is_fresh(&back, 20021));
    ASSERT(srs_target(&back, a, &target) == OK);
    if (s.kind == SRS_SECOND)
        return;
    ASSERT(mailbox_parse(sender, PATH_UTF8, a, &from) == OK);
    ASSERT(mailbox_parse(target, PATH_UTF8, a, &to) == OK && path_eq(&from, &to));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    AUTO_BUF text = BUF(SRS_SIGNED_MAX);
    struct str in = str_from((const char *)data, size), target;
    struct srs s;

    if (size > 1024)
        return 0;
    wrap(in, a);
    if (srs_read(in, a, &s) != OK)
        return 0;
    ASSERT(srs_is(in) && s.hash.len > 0 && s.host.len > 0 && s.local.len > 0);
    srs_signed(&s, &text);
    ASSERT(buf_status(&text) == OK);
    if (srs_target(&s, a, &target) == OK)
        ASSERT(target.len > s.host.len);
    return 0;
}
