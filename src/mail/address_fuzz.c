/* address_fuzz.c - a path that is accepted is in normal form and survives being written and read.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "mail/address.h"
#include "mail/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_path(const struct path *p, struct arena *a)
{
    AUTO_BUF text = BUF(PATH_MAX_BYTES);
    struct path again = {.kind = PATH_NULL};

    ASSERT(p->local.len <= LOCAL_MAX && utf8_valid(p->local));
    for (size_t i = 0; i < p->local.len; i++)
        ASSERT((unsigned char)p->local.ptr[i] >= ' ' && p->local.ptr[i] != 0x7f);
    buf_add_char(&text, '<');
    path_write(&text, p);
    buf_add_char(&text, '>');
    ASSERT(buf_status(&text) == OK);
    struct scan s = scan_of(buf_str(&text));
    unsigned flags = PATH_UTF8 | (p->kind == PATH_NULL ? PATH_REVERSE : 0u);
    ASSERT(path_scan(&s, flags, a, &again) == OK && scan_at_end(&s));
    ASSERT(again.kind == p->kind && str_eq(again.local, p->local));
    ASSERT(str_eq(again.domain, p->domain) && again.literal == p->literal);
    if (p->kind == PATH_MAILBOX && !p->literal)
        ASSERT(domain_is_normal(p->domain));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4096)
        return 0;
    AUTO_ARENA *a = arena_new(1 << 20);
    struct str in = str_from((const char *)data + 1, size - 1);
    struct scan s = scan_of(in);
    struct path p = {.kind = PATH_NULL};
    struct esmtp_param param;
    AUTO_BUF plain = BUF(size);
    AUTO_BUF back = BUF(size * 3);

    if (path_scan(&s, data[0] & 7u, a, &p) == OK) {
        check_path(&p, a);
        while (esmtp_param_scan(&s, &param) == OK)
            ASSERT(param.key.len > 0 && param.value.len <= PARAM_VALUE_MAX);
    } else {
        ASSERT(s.pos == in.ptr);
    }
    if (xtext_decode(in, &plain) == OK) {
        xtext_write(&back, buf_str(&plain));
        AUTO_BUF twice = BUF(size);
        ASSERT(xtext_decode(buf_str(&back), &twice) == OK);
        ASSERT(str_eq(buf_str(&plain), buf_str(&twice)));
    }
    return 0;
}
