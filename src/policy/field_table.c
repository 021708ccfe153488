/* field_table.c - see field_table.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/field_table.h"

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/size.h"

/* The order of the table: by name, then from the bottom up. */
static bool
before(const struct header_field *at, uint32_t a, uint32_t b)
{
    int order = str_cmp_nocase(at[a].name, at[b].name);

    return order != 0 ? order < 0 : a > b;
}

/* One pass of a merge sort: runs of `width` numbers of from become runs of twice that in to. */
static void
merge_runs(const struct field_table *t, const uint32_t *from, uint32_t *to, uint32_t width)
{
    for (uint32_t lo = 0; lo < t->count; lo += 2 * width) {
        uint32_t middle = MIN(lo + width, t->count), end = MIN(lo + 2 * width, t->count);
        uint32_t left = lo, right = middle;

        for (uint32_t i = lo; i < end; i++) {
            bool take_left =
                left < middle && (right == end || before(t->at, from[left], from[right]));
            to[i] = take_left ? from[left++] : from[right++];
        }
    }
}

void
field_table_index(struct str block, struct arena *a, struct field_table *out)
{
    struct header_cursor c = header_cursor_of(block);
    struct header_field f;
    uint32_t count = 0;

    ASSERT(out != NULL);
    while (header_next(&c, &f))
        count++;
    *out = (struct field_table){.count = count,
                                .cut = block.len > HEADER_BYTES_MAX || count == HEADER_FIELDS_MAX};
    if (count == 0)
        return;
    struct header_field *at = ARENA_ARRAY(a, struct header_field, count);
    uint32_t *sorted = ARENA_ARRAY(a, uint32_t, count);
    uint32_t *other = ARENA_ARRAY(a, uint32_t, count);
    out->at = at;
    c = header_cursor_of(block);
    for (uint32_t i = 0; i < count && header_next(&c, &at[i]); i++)
        sorted[i] = i;
    for (uint32_t width = 1; width < count; width *= 2) {
        merge_runs(out, sorted, other, width);
        uint32_t *swap = sorted;
        sorted = other;
        other = swap;
    }
    out->sorted = sorted;
    out->taken = other;
}

/* Where in sorted the fields begin that do not stand before the name. */
static uint32_t
lower_bound(const struct field_table *t, struct str name)
{
    uint32_t lo = 0, hi = t->count;

    while (lo < hi) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (str_cmp_nocase(t->at[t->sorted[middle]].name, name) < 0)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo;
}

static bool
is_named(const struct field_table *t, uint32_t i, struct str name)
{
    return i < t->count && str_eq_nocase(t->at[t->sorted[i]].name, name);
}

uint32_t
field_table_named(const struct field_table *t, struct str name, uint32_t *first_out)
{
    uint32_t first = lower_bound(t, name), n = 0;

    while (is_named(t, first + n, name))
        n++;
    *first_out = first;
    return n;
}

void
field_table_take_none(const struct field_table *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        t->taken[i] = 0;
}

uint32_t
field_table_take(const struct field_table *t, struct str name)
{
    uint32_t first = lower_bound(t, name);

    if (!is_named(t, first, name))
        return FIELD_NONE;
    uint32_t next = first + t->taken[first];
    if (!is_named(t, next, name))
        return FIELD_NONE;
    t->taken[first]++;
    return t->sorted[next];
}

/* ---- hashes ---- */

void
field_hash_init(struct field_hash *h, enum canon_kind kind, bool sha1)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();

    ASSERT(c != NULL && EVP_DigestInit_ex(c, sha1 ? EVP_sha1() : EVP_sha256(), NULL) == 1);
    *h = (struct field_hash){
        .context = c, .kind = kind, .canonical = BUF((size_t)HEADER_BYTES_MAX + 8)};
}

void
field_hash_fork(const struct field_hash *h, struct field_hash *out)
{
    field_hash_init(out, h->kind, false);
    int ok = EVP_MD_CTX_copy_ex(out->context, h->context);
    ASSERT(ok == 1);
}

void
field_hash_add(struct field_hash *h, struct str whole, struct str cut, bool line_end)
{
    AUTO_BUF rest = BUF((size_t)HEADER_BYTES_MAX + 8);

    if (cut.ptr != NULL) {
        size_t before_cut = (size_t)(cut.ptr - whole.ptr);

        ASSERT(before_cut <= whole.len && cut.len <= whole.len - before_cut);
        buf_add(&rest, str_sub(whole, 0, before_cut));
        buf_add(&rest, str_skip(whole, before_cut + cut.len));
        whole = buf_str(&rest);
    }
    buf_reset(&h->canonical);
    canon_header(&h->canonical, h->kind, whole);
    ASSERT(buf_status(&h->canonical) == OK && h->canonical.len >= 2);
    int ok =
        EVP_DigestUpdate(h->context, h->canonical.ptr, h->canonical.len - (line_end ? 0u : 2u));
    ASSERT(ok == 1);
}

void
field_hash_end(struct field_hash *h, unsigned char *digest)
{
    int ok = EVP_DigestFinal_ex(h->context, digest, NULL);

    ASSERT(ok == 1);
    EVP_MD_CTX_free(h->context);
    h->context = NULL;
    buf_release(&h->canonical);
}
