/* adopt.c - see adopt.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/adopt.h"

#include "auth/verifier.h"
#include "base/encode.h"
#include "base/scan.h"

enum { SALT_MAX = 64, HASH_BYTES = 32, MEMORY_KIB_LEAST = 8, PASSES_MAX = 16, VERSION = 19 };
/* 256 MiB: a log-in spends no more, whoever made the hash. */
#define MEMORY_KIB_MAX (256u << 10)

struct phc {
    uint32_t memory_kib, passes, lanes;
    struct str salt, hash; /* base64 without padding */
};

static bool
scan_number(struct scan *s, struct str name, uint32_t *out)
{
    return scan_str(s, name) && scan_u32(s, UINT32_MAX, out);
}

/* "$argon2id$v=" version "$m=" KiB ",t=" passes ",p=" lanes "$" salt "$" hash; password-hashing competition, PHC. */
static bool
scan_phc(struct scan *s, struct phc *out)
{
    struct scan t = *s;
    struct phc p;
    uint32_t version;

    if (!scan_str(&t, STR("$argon2id$")) || !scan_number(&t, STR("v="), &version) ||
        version != VERSION || !scan_number(&t, STR("$m="), &p.memory_kib) ||
        !scan_number(&t, STR(",t="), &p.passes) || !scan_number(&t, STR(",p="), &p.lanes) ||
        !scan_char(&t, '$') || !scan_until(&t, '$', &p.salt) || !scan_char(&t, '$'))
        return false;
    p.hash = scan_rest(&t);
    t.pos = t.end;
    *out = p;
    *s = t;
    return true;
}

/* Base64 as PHC has it: no padding. */
static bool
decode(struct str text, struct buf *out)
{
    AUTO_BUF padded = BUF(2 * SALT_MAX);

    buf_add(&padded, text);
    while (padded.len % 4 != 0 && buf_status(&padded) == OK)
        buf_add_char(&padded, '=');
    return buf_status(&padded) == OK && base64_decode(buf_str(&padded), out) == OK;
}

enum status
verifier_take(struct str hash, struct buf *out, const char **why)
{
    AUTO_BUF salt = BUF(SALT_MAX);
    AUTO_BUF bytes = BUF(SALT_MAX);
    struct scan s = scan_of(hash);
    struct phc p;

    (void)scan_str_nocase(&s, STR("{ARGON2ID}"));
    *why = "it is of a scheme that is not known here; argon2id is";
    if (!scan_str(&(struct scan){s.pos, s.end}, STR("$argon2id$")))
        return ERR_SYNTAX;
    *why = "it is not a whole $argon2id$v=19$m=...,t=...,p=...$SALT$HASH";
    if (!scan_phc(&s, &p) || !decode(p.salt, &salt) || !decode(p.hash, &bytes) || salt.len < 8)
        return ERR_SYNTAX;
    *why = "its cost or size is not taken: one lane, 32 bytes, up to 256 MiB and 16 passes";
    if (p.lanes != 1 || bytes.len != HASH_BYTES || p.passes == 0 || p.passes > PASSES_MAX ||
        p.memory_kib < MEMORY_KIB_LEAST || p.memory_kib > MEMORY_KIB_MAX)
        return ERR_SYNTAX;
    const struct verifier_argon2id made = {
        .memory_kib = p.memory_kib,
        .passes = p.passes,
        .salt = buf_str(&salt),
        .hash = buf_str(&bytes),
    };
    return verifier_write(&made, out);
}
