/* dkim_ring.c - see dkim_ring.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/keys/dkim_ring.h"

#include <openssl/x509.h>

#include "base/encode.h"
#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "base/time.h"

enum { VERSION = 1, ED25519_BYTES = 32 };

static void drop(struct dkim_ring *r, size_t at);
static void retire(struct ring_key *k, int64_t now_s);
static bool is_taken(const struct dkim_ring *r, struct str selector);

static void
key_release(struct ring_key *k)
{
    EVP_PKEY_free(k->key);
    k->key = NULL;
    mem_str_free(&k->selector);
}

void
ring_free(struct dkim_ring **r)
{
    if (*r == NULL)
        return;
    for (size_t i = 0; i < (*r)->count; i++)
        key_release(&(*r)->at[i]);
    mem_free(*r);
    *r = NULL;
}

struct dkim_ring *
ring_copy(const struct dkim_ring *r)
{
    struct dkim_ring *copy = MEM_NEW(struct dkim_ring);

    for (size_t i = 0; i < r->count; i++) {
        struct ring_key *k = &copy->at[copy->count++];
        *k = r->at[i];
        k->selector = mem_str(r->at[i].selector);
        if (k->key != NULL) {
            int held = EVP_PKEY_up_ref(k->key);
            ASSERT(held == 1);
        }
    }
    return copy;
}

/* ---- sealed ---- */

static enum status
add_der(struct buf *b, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int n = key == NULL ? 0 : i2d_PrivateKey(key, &der);

    if (n < 0 || (key != NULL && n == 0))
        return ERR_IO;
    buf_add_bytes(b, str_from((const char *)der, (size_t)n));
    OPENSSL_clear_free(der, (size_t)n);
    return buf_status(b);
}

enum status
ring_write(const struct dkim_ring *r, struct buf *plain)
{
    buf_add_varint(plain, VERSION);
    buf_add_varint(plain, r->count);
    for (size_t i = 0; i < r->count; i++) {
        const struct ring_key *k = &r->at[i];
        buf_add_bytes(plain, k->selector);
        buf_add_varint(plain, k->algorithm);
        buf_add_varint(plain, k->state);
        buf_add_varint(plain, k->seen);
        buf_add_varint(plain, (uint64_t)MAX(k->since_s, 0)); /* never negative */
        TRY(add_der(plain, k->key));
    }
    return buf_status(plain);
}

enum status
ring_write_single(const struct dkim_ring *r, struct buf *plain)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct ring_key *k = &r->at[i];
        if (k->algorithm != RING_RSA || k->state != RING_SIGNS)
            continue;
        buf_add_bytes(plain, k->selector);
        return add_der(plain, k->key);
    }
    return ERR_NOT_FOUND;
}

static bool
read_key(struct str der, enum ring_algorithm algorithm, EVP_PKEY **out)
{
    static const int types[RING_ALGORITHMS] = {
        [RING_RSA] = EVP_PKEY_RSA, [RING_ED25519] = EVP_PKEY_ED25519};
    const unsigned char *p = (const unsigned char *)der.ptr;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.len); /* at most RING_DER_MAX */

    if (key != NULL && EVP_PKEY_get_id(key) == types[algorithm]) {
        *out = key;
        return true;
    }
    EVP_PKEY_free(key);
    return false;
}

static bool
read_one(struct scan *s, struct ring_key *k)
{
    uint64_t algorithm, state, seen, since;
    struct str selector, der;

    if (!scan_bytes(s, RING_SELECTOR_MAX, &selector) || selector.len == 0 ||
        !scan_varint(s, RING_ALGORITHMS - 1, &algorithm) || !scan_varint(s, RING_OLD, &state) ||
        !scan_varint(s, 1, &seen) || !scan_varint(s, INT64_MAX, &since) ||
        !scan_bytes(s, RING_DER_MAX, &der))
        return false;
    *k = (struct ring_key){.algorithm = (enum ring_algorithm)algorithm,
                           .state = (enum ring_state)state,
                           .seen = seen == 1,
                           .since_s = (int64_t)since};
    if ((k->state == RING_OLD) != (der.len == 0) ||
        (der.len > 0 && !read_key(der, k->algorithm, &k->key)))
        return false;
    k->selector = mem_str(selector);
    return true;
}

enum status
ring_read(struct str plain, struct dkim_ring **out)
{
    struct scan s = scan_of(plain);
    uint64_t version, count;

    if (!scan_varint(&s, VERSION, &version) || version != VERSION ||
        !scan_varint(&s, LIMIT_DKIM_KEYS, &count))
        return ERR_CORRUPT;
    struct dkim_ring *r = MEM_NEW(struct dkim_ring);
    bool good = true;
    for (; good && r->count < count; r->count += good) {
        struct ring_key *k = &r->at[r->count];
        good = read_one(&s, k);
        if (good && ((k->state != RING_OLD && ring_find(r, k->algorithm, k->state) != NULL) ||
                     is_taken(r, k->selector))) {
            key_release(k);
            good = false;
        }
    }
    if (!good || !scan_at_end(&s)) {
        ring_free(&r);
        return ERR_CORRUPT;
    }
    *out = r;
    return OK;
}

enum status
ring_read_single(struct str plain, struct dkim_ring **out)
{
    struct scan s = scan_of(plain);
    struct str selector, der;
    EVP_PKEY *key;

    if (!scan_bytes(&s, RING_SELECTOR_MAX, &selector) || selector.len == 0 ||
        !scan_bytes(&s, RING_DER_MAX, &der) || !scan_at_end(&s) || !read_key(der, RING_RSA, &key))
        return ERR_CORRUPT;
    struct dkim_ring *r = MEM_NEW(struct dkim_ring);
    r->at[0] = (struct ring_key){
        .selector = mem_str(selector), .algorithm = RING_RSA, .state = RING_SIGNS, .key = key};
    r->count = 1;
    *out = r;
    return OK;
}

/* ---- what there is ---- */

struct ring_key *
ring_find(struct dkim_ring *r, enum ring_algorithm algorithm, enum ring_state state)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->at[i].algorithm == algorithm && r->at[i].state == state)
            return &r->at[i];
    return NULL;
}

static bool
is_taken(const struct dkim_ring *r, struct str selector)
{
    for (size_t i = 0; i < r->count; i++)
        if (str_eq_nocase(r->at[i].selector, selector))
            return true;
    return false;
}

/* "s20261123" and "e20261123"; a second one of that day is "s20261123b". */
static struct str
name_of(const struct dkim_ring *r, enum ring_algorithm algorithm, int64_t now_s)
{
    static const char letters[RING_ALGORITHMS] = {[RING_RSA] = 's', [RING_ED25519] = 'e'};
    struct civil c = civil_from_unix(now_s);
    AUTO_BUF b = BUF(RING_SELECTOR_MAX);

    buf_addf(&b, "%c%04d%02d%02d", letters[algorithm], c.year, c.month, c.day);
    size_t day = b.len;
    for (char more = 'b'; is_taken(r, buf_str(&b)); more++) {
        b.len = day;
        buf_add_char(&b, more);
    }
    return mem_str(buf_str(&b));
}

static_assert(LIMIT_DKIM_KEYS < 25, "a letter for each of one day");
static_assert(LIMIT_DKIM_KEYS > 2 * RING_ALGORITHMS, "room for old ones");

void
ring_add(struct dkim_ring *r, enum ring_algorithm algorithm, EVP_PKEY *key, int64_t now_s)
{
    bool first = algorithm == RING_RSA &&
                 ring_find(r, algorithm, RING_SIGNS) == NULL; /* see role/keys/dkim_ring.h */

    ASSERT(ring_find(r, algorithm, RING_WAITS) == NULL);
    for (size_t i = 0; r->count == LIMIT_DKIM_KEYS; i++) {
        ASSERT(i < r->count); /* four can be anything else */
        if (r->at[i].state == RING_OLD)
            drop(r, i);
    }
    r->at[r->count] = (struct ring_key){.selector = name_of(r, algorithm, now_s),
                                        .algorithm = algorithm,
                                        .state = first ? RING_SIGNS : RING_WAITS,
                                        .since_s = now_s,
                                        .key = key};
    r->count++;
}

static void
drop(struct dkim_ring *r, size_t at)
{
    key_release(&r->at[at]);
    r->count--;
    for (size_t i = at; i < r->count; i++)
        r->at[i] = r->at[i + 1];
}

static void
retire(struct ring_key *k, int64_t now_s)
{
    EVP_PKEY_free(k->key);
    k->key = NULL;
    k->state = RING_OLD;
    k->since_s = now_s;
}

/* It waits again, unless the next one does. */
static void
lose(struct dkim_ring *r, size_t at, int64_t now_s)
{
    struct ring_key *k = &r->at[at];

    if (ring_find(r, k->algorithm, RING_WAITS) != NULL) {
        drop(r, at);
        return;
    }
    k->state = RING_WAITS;
    k->since_s = now_s;
}

/* An RSA key goes on when its record is gone: without it nothing would be signed, and who reads its signatures now may
 * have the record from before.  Another one waits again. */
bool
ring_tell(struct dkim_ring *r, struct str selector, bool there, int64_t now_s)
{
    for (size_t i = 0; i < r->count; i++) {
        struct ring_key *k = &r->at[i];
        bool other = k->seen != there;
        if (!str_eq_nocase(k->selector, selector))
            continue;
        k->seen = there;
        if (k->state == RING_OLD && !there) {
            drop(r, i);
            return true;
        }
        if (k->state == RING_WAITS && there) {
            struct ring_key *before = ring_find(r, k->algorithm, RING_SIGNS);
            if (before != NULL)
                retire(before, now_s);
            k->state = RING_SIGNS;
            k->since_s = now_s;
            return true;
        }
        if (k->state == RING_SIGNS && !there && k->algorithm != RING_RSA) {
            lose(r, i, now_s);
            return true;
        }
        return other;
    }
    return false;
}

static enum status
add_rsa(struct buf *b, EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);

    if (n <= 0)
        return ERR_IO;
    buf_add_base64(b, str_from((const char *)der, (size_t)n));
    OPENSSL_free(der);
    return buf_status(b);
}

/* RFC 6376 section 3.6.1; RFC 8463 section 4: of Ed25519 the bytes of the key alone. */
enum status
ring_record(const struct ring_key *k, struct buf *b)
{
    unsigned char raw[ED25519_BYTES];
    size_t n = sizeof(raw);

    if (k->key == NULL)
        return OK;
    if (k->algorithm == RING_RSA) {
        buf_add_z(b, "v=DKIM1; k=rsa; p=");
        return add_rsa(b, k->key);
    }
    if (EVP_PKEY_get_raw_public_key(k->key, raw, &n) != 1 || n != sizeof(raw))
        return ERR_IO;
    buf_add_z(b, "v=DKIM1; k=ed25519; p=");
    buf_add_base64(b, str_from((const char *)raw, n));
    return buf_status(b);
}
