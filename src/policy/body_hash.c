/* body_hash.c - see body_hash.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/body_hash.h"

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/size.h"

/* Canonical text comes in runs that may be short, so they are gathered. */
enum { GATHERED = 2048 };

void
body_hashes_init(struct body_hashes *b)
{
    *b = (struct body_hashes){0};
    canon_body_init(&b->canon[CANON_SIMPLE], CANON_SIMPLE);
    canon_body_init(&b->canon[CANON_RELAXED], CANON_RELAXED);
}

void
body_hashes_release(struct body_hashes *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        EVP_MD_CTX_free(b->at[i].context);
    b->count = 0;
}

enum status
body_hashes_want(struct body_hashes *b, const struct sig *s, uint32_t *number_out)
{
    uint64_t length = s->has_length ? s->length : BODY_WHOLE;

    for (uint32_t i = 0; i < b->count; i++) {
        const struct body_hash *h = &b->at[i];
        if (h->kind == s->body_canon && h->sha1 == s->sha1 && h->length == length) {
            *number_out = i;
            return OK;
        }
    }
    if (b->count == BODY_HASHES_MAX)
        return ERR_LIMIT;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (c == NULL || EVP_DigestInit_ex(c, s->sha1 ? EVP_sha1() : EVP_sha256(), NULL) != 1)
        UNREACHABLE();
    b->at[b->count] =
        (struct body_hash){.kind = s->body_canon, .sha1 = s->sha1, .length = length, .context = c};
    *number_out = b->count++;
    return OK;
}

static void
hash_run(struct body_hashes *b, enum canon_kind kind, struct str run)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct body_hash *h = &b->at[i];
        if (h->kind != kind || h->hashed >= h->length)
            continue;
        uint64_t n = MIN(h->length - h->hashed, (uint64_t)run.len);
        if (EVP_DigestUpdate(h->context, run.ptr, (size_t)n) != 1)
            UNREACHABLE();
        h->hashed += n;
    }
}

/* Chunk, or the end of the body when there is none, in one canonical form. */
static void
hash_form(struct body_hashes *b, enum canon_kind kind, struct scan *chunk)
{
    char gathered[GATHERED];
    size_t n = 0;
    struct str run;

    for (;;) {
        struct canon_body *c = &b->canon[kind];
        enum canon_event e = chunk != NULL ? canon_body(c, chunk, &run) : canon_body_end(c, &run);
        if (e == CANON_MORE)
            break;
        if (run.len > GATHERED - n) {
            hash_run(b, kind, str_from(gathered, n));
            n = 0;
        }
        if (run.len > GATHERED) {
            hash_run(b, kind, run);
        } else {
            mem_copy(gathered + n, run.ptr, run.len);
            n += run.len;
        }
    }
    hash_run(b, kind, str_from(gathered, n));
}

static bool
is_wanted(const struct body_hashes *b, enum canon_kind kind)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (b->at[i].kind == kind)
            return true;
    return false;
}

void
body_hashes_add(struct body_hashes *b, struct str chunk)
{
    for (enum canon_kind kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++) {
        struct scan s = scan_of(chunk);
        if (is_wanted(b, kind))
            hash_form(b, kind, &s);
    }
}

void
body_hashes_end(struct body_hashes *b)
{
    for (enum canon_kind kind = CANON_SIMPLE; kind <= CANON_RELAXED; kind++)
        if (is_wanted(b, kind))
            hash_form(b, kind, NULL);
    for (uint32_t i = 0; i < b->count; i++) {
        struct body_hash *h = &b->at[i];
        if (EVP_DigestFinal_ex(h->context, h->digest, NULL) != 1)
            UNREACHABLE();
        EVP_MD_CTX_free(h->context);
        h->context = NULL;
    }
}

uint64_t
body_hashes_size(const struct body_hashes *b, enum canon_kind kind)
{
    return b->canon[kind].size;
}

void
body_hash_relaxed(struct str body, unsigned char digest[SIG_DIGEST])
{
    const struct sig s = {.body_canon = CANON_RELAXED};
    struct body_hashes b;
    uint32_t number;

    body_hashes_init(&b);
    if (body_hashes_want(&b, &s, &number) != OK)
        UNREACHABLE(); /* there is room for the first */
    body_hashes_add(&b, body);
    body_hashes_end(&b);
    mem_copy(digest, b.at[number].digest, SIG_DIGEST);
}
