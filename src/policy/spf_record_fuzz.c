/* spf_record_fuzz.c - a record of SPF, read, and its macros expanded.
 *
 * Contract:  terms stand in the record in their order; networks are clean; every domain and modifier expands, to a name
 *            that fits into DNS unless its last label is too long; what does not read says why.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "policy/spf_macro.h"
#include "policy/spf_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct spf_values values = {
    .local = STR("a-b+c"),
    .sender_domain = STR("sender.example"),
    .domain = STR("d.example"),
    .client = {.size = 16, .bits = 128, .bytes = "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"},
    .helo = STR("..h e/l_o.."),
    .now_s = 1,
};

static void
check_domain(struct str domain)
{
    AUTO_ARENA *a = arena_new(LIMIT_SPF_EXPANDED_BYTES + 1024);
    struct str target = STR("");
    bool is_domain = domain.len == 0 || spf_macro_is_domain(domain);

    ASSERT(is_domain);
    enum status e = spf_macro_target(domain, &values, a, &target);
    ASSERT(e == OK || e == ERR_LIMIT);
    ASSERT(target.len <= 253 || str_find(target, '.') < 0);
}

static void
check_record(struct str in, const struct spf_record *r)
{
    const char *after = in.ptr + 6;

    for (size_t i = 0; i < r->count; i++) {
        const struct spf_term *t = &r->terms[i];
        bool network = t->mechanism == SPF_IP4 || t->mechanism == SPF_IP6;
        ASSERT(t->text.ptr > after && t->text.ptr + t->text.len <= in.ptr + in.len);
        ASSERT(t->result >= SPF_NEUTRAL && t->result <= SPF_SOFTFAIL);
        ASSERT(network == (t->network.size > 0) && t->bits4 <= 32 && t->bits6 <= 128);
        ASSERT(!network || subnet_is_clean(&t->network));
        check_domain(t->domain);
        after = t->text.ptr;
    }
    check_domain(r->redirect);
    check_domain(r->explanation);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    AUTO_BUF text = BUF(LIMIT_SPF_EXPANDED_BYTES);
    struct problem why = {0};
    struct spf_record r;

    if (spf_macro_is_text(in)) {
        enum status e = spf_macro_expand(in, &values, &text);
        ASSERT(e == OK || e == ERR_LIMIT);
    }
    if (!spf_record_is(in))
        return 0;
    AUTO_ARENA *a = arena_new(SPF_RECORD_ARENA(in));
    enum status e = spf_record_read(in, a, &r, &why);
    ASSERT(e == OK || why.text[0] != '\0');
    if (e == OK)
        check_record(in, &r);
    return 0;
}
