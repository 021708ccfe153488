/* mark.c - marks by which the store knows its own addresses and messages again.
 *
 * Each purpose has a key of its own, made from the master key: nothing is stored, every host of one master key makes
 * the same marks, and a mark made for one purpose is none for another.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/size.h"
#include "role/keys/keys.h"

#define KEYS_SERVE_HANDLERS_ONLY
#include "ipc/keys_serve.h"

enum { MAC_BYTES = 32 };
/* Kinds of auth/seal.h, by keys_mark.purpose. */
static const struct str kinds[] = {STR("mark return address"), STR("mark forward"),
                                   STR("mark bounce")};
static_assert(COUNT_OF(kinds) == KEYS_MARK_PURPOSE_MAX + 1, "a kind for each purpose");

static unsigned char secrets[COUNT_OF(kinds)][SEAL_KEY_BYTES];

enum status
keys_mark_begin(const struct seal *seal)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        TRY(seal_derive(seal, kinds[i], secrets[i]));
    return OK;
}

enum status
keys_serve_mark(struct ipc_peer *from, const struct keys_mark *req, struct arena *a,
                struct keys_mark_reply *rep)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int n = 0;

    (void)from;
    if (HMAC(EVP_sha256(), secrets[req->purpose], SEAL_KEY_BYTES,
             (const unsigned char *)req->data.ptr, req->data.len, mac, &n) == NULL ||
        n != MAC_BYTES)
        return ERR_IO;
    rep->mac = arena_str(a, str_from((const char *)mac, n));
    return OK;
}
