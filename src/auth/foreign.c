/* foreign.c - reads what other servers keep of a password, and bounds what it costs to check it.
 *
 * Facts: Dovecot's page "Password schemes"; crypt(5); the PHC string format.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/foreign.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/scan.h"
#include "base/size.h"

static const char too_costly[] = "checking it would take too long or too much memory";
static const char malformed[] = "the hash is not well formed";
static const char unknown[] = "this kind of hash is not known";

enum encoding { AS_IS, BASE64, HEX };
enum { SALTED = 1 };
struct scheme {
    struct str name;
    enum foreign_kind kind;
    enum foreign_digest digest;
    enum encoding usual;
    unsigned salted;
};
static const struct scheme schemes[] = {
    {STR("PLAIN"), FOREIGN_PLAIN, 0, AS_IS, 0},
    {STR("CLEAR"), FOREIGN_PLAIN, 0, AS_IS, 0},
    {STR("CLEARTEXT"), FOREIGN_PLAIN, 0, AS_IS, 0},
    {STR("CRYPT"), FOREIGN_CRYPT, 0, AS_IS, 0},
    {STR("DES-CRYPT"), FOREIGN_CRYPT, 0, AS_IS, 0},
    {STR("MD5"), FOREIGN_CRYPT, 0, AS_IS, 0},
    {STR("MD5-CRYPT"), FOREIGN_CRYPT, 0, AS_IS, 0},
    {STR("BLF-CRYPT"), FOREIGN_CRYPT, 0, AS_IS, 0},
    {STR("SHA256-CRYPT"), FOREIGN_CRYPT, 0, AS_IS, 0},
    {STR("SHA512-CRYPT"), FOREIGN_CRYPT, 0, AS_IS, 0},
    {STR("PLAIN-MD5"), FOREIGN_DIGEST, FOREIGN_MD5, HEX, 0},
    {STR("LDAP-MD5"), FOREIGN_DIGEST, FOREIGN_MD5, BASE64, 0},
    {STR("SMD5"), FOREIGN_DIGEST, FOREIGN_MD5, BASE64, SALTED},
    {STR("SHA"), FOREIGN_DIGEST, FOREIGN_SHA1, BASE64, 0},
    {STR("SHA1"), FOREIGN_DIGEST, FOREIGN_SHA1, BASE64, 0},
    {STR("SSHA"), FOREIGN_DIGEST, FOREIGN_SHA1, BASE64, SALTED},
    {STR("SHA256"), FOREIGN_DIGEST, FOREIGN_SHA256, BASE64, 0},
    {STR("SSHA256"), FOREIGN_DIGEST, FOREIGN_SHA256, BASE64, SALTED},
    {STR("SHA512"), FOREIGN_DIGEST, FOREIGN_SHA512, BASE64, 0},
    {STR("SSHA512"), FOREIGN_DIGEST, FOREIGN_SHA512, BASE64, SALTED},
    {STR("PBKDF2"), FOREIGN_PBKDF2, FOREIGN_SHA1, AS_IS, 0},
    {STR("ARGON2I"), FOREIGN_ARGON2, 0, AS_IS, 0},
    {STR("ARGON2ID"), FOREIGN_ARGON2, 0, AS_IS, 0},
    {STR("SCRAM-SHA-256"), FOREIGN_SCRAM, 0, AS_IS, 0},
};
static const size_t digest_bytes[] = {16, 20, 32, 64}; /* by enum foreign_digest */

/* What crypt(3) makes that may be taken over: how it begins, and how long its last field is. */
static const struct {
    struct str prefix;
    size_t tail;
} crypts[] = {
    {STR("$1$"), 22},  {STR("$5$"), 43},  {STR("$6$"), 86},  {STR("$2a$"), 53},
    {STR("$2b$"), 53}, {STR("$2y$"), 53}, {STR("$y$j"), 43}, {STR("$gy$j"), 43},
};

static const char *read_name(struct scan *s, const struct scheme **out, enum encoding *how);
static const char *read_body(const struct scheme *m, struct str body, enum encoding how,
                             struct foreign *f);
static const char *read_bare(struct str text, struct foreign *f);
static const char *read_plain(struct str text, struct foreign *f);
static const char *read_crypt(struct str text, struct foreign *f);
static const char *crypt_cost(struct str text, struct str prefix);
static const char *yescrypt_cost(struct scan s);
static bool is_des(struct str text);
static const char *read_digest(const struct scheme *m, struct str bytes, struct foreign *f);
static const char *read_pbkdf2(struct str text, struct foreign *f);
static const char *read_phc_pbkdf2(struct str text, struct foreign *f);
static const char *read_argon2(struct str text, struct foreign *f);
static const char *argon2_cost(const struct foreign *f);
static const char *read_scram(struct str text, struct foreign *f);
static bool take_base64(struct str text, struct buf *out);
static bool take_salt(struct str bytes, struct foreign *f);
static bool take_hash(struct str bytes, struct foreign *f);

const char *
foreign_read(struct str text, struct foreign *out)
{
    AUTO_FOREIGN f = {0};
    const struct scheme *m = NULL;
    enum encoding how = AS_IS;
    struct scan s = scan_of(text);

    if (text.len == 0)
        return "there is none";
    if (text.len > FOREIGN_MAX || str_find(text, '\0') >= 0)
        return malformed;
    const char *fault = read_name(&s, &m, &how);
    if (fault == NULL)
        fault = m != NULL ? read_body(m, scan_rest(&s), how, &f) : read_bare(text, &f);
    if (fault == NULL)
        *out = f;
    return fault;
}

void
foreign_wipe(struct foreign *f)
{
    mem_wipe(f, sizeof(*f));
}

/* "{" name ["." encoding] "}"; *out NULL: there is none. */
static const char *
read_name(struct scan *s, const struct scheme **out, enum encoding *how)
{
    struct str name, encoding;

    if (!scan_char(s, '{'))
        return NULL;
    if (!scan_until(s, '}', &encoding))
        return malformed;
    s->pos++;
    bool said = str_find(encoding, '.') >= 0;
    if (!str_split(&encoding, '.', &name))
        return unknown;
    for (size_t i = 0; i < COUNT_OF(schemes) && *out == NULL; i++)
        if (str_eq_nocase(schemes[i].name, name))
            *out = &schemes[i];
    if (*out == NULL)
        return unknown;
    *how = (*out)->usual;
    if (!said)
        return NULL;
    *how = str_eq_nocase(encoding, STR("hex")) ? HEX : BASE64;
    return *how == HEX || str_eq_nocase(encoding, STR("b64")) ||
                   str_eq_nocase(encoding, STR("base64"))
               ? NULL
               : unknown;
}

static const char *
read_body(const struct scheme *m, struct str body, enum encoding how, struct foreign *f)
{
    AUTO_BUF decoded = BUF(FOREIGN_MAX);

    /* Without salt the length tells, and Dovecot goes by it. */
    if (m->kind == FOREIGN_DIGEST && m->salted == 0 && body.len == 2 * digest_bytes[m->digest])
        how = HEX;
    if (how != AS_IS) {
        if ((how == HEX ? hex_decode(body, &decoded) : base64_decode(body, &decoded)) != OK)
            return malformed;
        body = buf_str(&decoded);
        if (m->kind != FOREIGN_DIGEST && str_find(body, '\0') >= 0)
            return malformed;
    }
    const char *fault = malformed;
    switch (m->kind) {
    case FOREIGN_PLAIN: fault = read_plain(body, f); break;
    case FOREIGN_CRYPT: fault = read_crypt(body, f); break;
    case FOREIGN_DIGEST: fault = read_digest(m, body, f); break;
    case FOREIGN_PBKDF2: fault = read_pbkdf2(body, f); break;
    case FOREIGN_ARGON2: fault = read_argon2(body, f); break;
    case FOREIGN_SCRAM: fault = read_scram(body, f); break;
    }
    if (decoded.ptr != NULL)
        mem_wipe(decoded.ptr, decoded.cap);
    return fault;
}

static const char *
read_bare(struct str text, struct foreign *f)
{
    if (str_starts(text, STR("$argon2")))
        return read_argon2(text, f);
    if (str_starts(text, STR("$pbkdf2")))
        return read_phc_pbkdf2(text, f);
    return read_crypt(text, f);
}

static const char *
read_plain(struct str text, struct foreign *f)
{
    if (text.len == 0)
        return "there is none";
    f->kind = FOREIGN_PLAIN;
    mem_copy(f->text, text.ptr, text.len);
    f->text_len = text.len;
    return NULL;
}

/* ---- crypt(3) ---- */

size_t
foreign_looks_at(const struct foreign *f)
{
    enum { BCRYPT_LOOKS_AT = 72, DES_LOOKS_AT = 8 };

    if (f->kind != FOREIGN_CRYPT || f->text[0] == '_')
        return SIZE_MAX;
    if (f->text[0] != '$')
        return DES_LOOKS_AT;
    return f->text[1] == '2' ? BCRYPT_LOOKS_AT : SIZE_MAX;
}

static const char *
read_crypt(struct str text, struct foreign *f)
{
    const char *fault = is_des(text) ? NULL : unknown;

    for (size_t i = 0; i < COUNT_OF(crypts) && fault == unknown; i++) {
        if (!str_starts(text, crypts[i].prefix))
            continue;
        ssize_t last = str_rfind(text, '$');
        fault = text.len - (size_t)(last + 1) != crypts[i].tail
                    ? malformed
                    : crypt_cost(text, crypts[i].prefix);
    }
    for (size_t i = 0; i < text.len && fault == NULL; i++)
        if (text.ptr[i] <= 0x20 || text.ptr[i] >= 0x7f)
            fault = malformed;
    if (fault != NULL)
        return fault;
    f->kind = FOREIGN_CRYPT;
    mem_copy(f->text, text.ptr, text.len);
    f->text_len = text.len;
    return NULL;
}

static const char *
crypt_cost(struct str text, struct str prefix)
{
    struct scan s = scan_of(str_skip(text, prefix.len));
    uint32_t n;

    switch (prefix.ptr[1]) {
    case '2': /* two digits: passes double with each */
        if (text.len != 60 || !scan_u32(&s, 99, &n) || s.pos != text.ptr + 6 || !scan_char(&s, '$'))
            return malformed;
        return n < 4 ? malformed : n > LIMIT_FOREIGN_BCRYPT_COST ? too_costly : NULL;
    case '5':
    case '6':
        if (!scan_str(&s, STR("rounds=")))
            return NULL;
        if (!scan_u32(&s, UINT32_MAX, &n) || !scan_char(&s, '$'))
            return malformed;
        return n < 1000 ? malformed : n > LIMIT_FOREIGN_SHA_ROUNDS ? too_costly : NULL;
    case 'y':
    case 'g': return yescrypt_cost(s);
    default: return NULL;
    }
}

/* Behind "j": log2 of N, and r, one letter each, as crypt(3) of today makes them; more letters would be other
 * parameters.  It takes 128 * r * N bytes. */
static const char *
yescrypt_cost(struct scan s)
{
    static const struct str digits =
        STR("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    enum { ONE_LETTER = 48 };
    struct str p;

    if (!scan_until(&s, '$', &p) || p.len != 2)
        return malformed;
    ssize_t n = str_find(digits, p.ptr[0]), r = str_find(digits, p.ptr[1]);
    if (n < 0 || r < 0 || n >= ONE_LETTER || r >= ONE_LETTER)
        return malformed;
    if (n + 1 > 20 || ((uint64_t)(r + 1) << (n + 1)) * 128 / 1024 > LIMIT_FOREIGN_YESCRYPT_KIB)
        return too_costly;
    return NULL;
}

static bool
is_des(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_is_alnum(text.ptr[i]) && text.ptr[i] != '.' && text.ptr[i] != '/')
            return false;
    return text.len == 13;
}

/* ---- digests ---- */

static const char *
read_digest(const struct scheme *m, struct str bytes, struct foreign *f)
{
    size_t n = digest_bytes[m->digest];

    f->kind = FOREIGN_DIGEST;
    f->digest = m->digest;
    if (bytes.len < n || (m->salted == 0 && bytes.len > n) || !take_hash(str_sub(bytes, 0, n), f) ||
        !take_salt(str_skip(bytes, n), f))
        return malformed;
    return NULL;
}

/* "$1$" salt "$" rounds "$" hex, by SHA-1 */
static const char *
read_pbkdf2(struct str text, struct foreign *f)
{
    AUTO_BUF hash = BUF(FOREIGN_HASH_MAX);
    struct scan s = scan_of(text);
    struct str salt;

    f->kind = FOREIGN_PBKDF2;
    f->digest = FOREIGN_SHA1;
    if (!scan_str(&s, STR("$1$")) || !scan_until(&s, '$', &salt) || !scan_char(&s, '$') ||
        !scan_u32(&s, INT32_MAX, &f->rounds) || !scan_char(&s, '$') ||
        hex_decode(scan_rest(&s), &hash) != OK || hash.len != digest_bytes[f->digest] ||
        !take_hash(buf_str(&hash), f) || !take_salt(salt, f) || f->rounds == 0)
        return malformed;
    return f->rounds > LIMIT_FOREIGN_PBKDF2_ROUNDS ? too_costly : NULL;
}

/* "$pbkdf2" ["-" digest] "$" ["i="] rounds "$" salt "$" hash, as Python's passlib and others write it */
static const char *
read_phc_pbkdf2(struct str text, struct foreign *f)
{
    static const struct {
        struct str name;
        enum foreign_digest digest;
    } kinds[] = {{STR("$pbkdf2-sha512$"), FOREIGN_SHA512},
                 {STR("$pbkdf2-sha256$"), FOREIGN_SHA256},
                 {STR("$pbkdf2$"), FOREIGN_SHA1}};
    AUTO_BUF salt = BUF(FOREIGN_SALT_MAX);
    AUTO_BUF hash = BUF(FOREIGN_HASH_MAX);
    struct scan s = scan_of(text);
    struct str word;
    size_t i = 0;

    while (i < COUNT_OF(kinds) && !scan_str(&s, kinds[i].name))
        i++;
    if (i == COUNT_OF(kinds))
        return unknown;
    f->kind = FOREIGN_PBKDF2;
    f->digest = kinds[i].digest;
    (void)scan_str(&s, STR("i="));
    if (!scan_u32(&s, INT32_MAX, &f->rounds) || !scan_char(&s, '$') || f->rounds == 0 ||
        !scan_until(&s, '$', &word) || !take_base64(word, &salt) || !take_salt(buf_str(&salt), f))
        return malformed;
    s.pos++;
    if (!take_base64(scan_rest(&s), &hash) || hash.len != digest_bytes[f->digest] ||
        !take_hash(buf_str(&hash), f))
        return malformed;
    return f->rounds > LIMIT_FOREIGN_PBKDF2_ROUNDS ? too_costly : NULL;
}

/* ---- argon2 ---- */

/* "$argon2" ("i" / "id") ["$v=" version] "$m=" KiB ",t=" passes ",p=" lanes "$" salt "$" hash */
static const char *
read_argon2(struct str text, struct foreign *f)
{
    AUTO_BUF salt = BUF(FOREIGN_SALT_MAX);
    AUTO_BUF hash = BUF(FOREIGN_HASH_MAX);
    struct scan s = scan_of(text);
    struct str word;

    f->kind = FOREIGN_ARGON2;
    f->version = 16; /* 1.0, which did not say so */
    if (!scan_str(&s, STR("$argon2i")))
        return unknown;
    f->argon2id = scan_char(&s, 'd');
    if (scan_str(&s, STR("$v=")) && !scan_u32(&s, 19, &f->version))
        return unknown;
    if (f->version != 16 && f->version != 19)
        return unknown;
    if (!scan_str(&s, STR("$m=")) || !scan_u32(&s, UINT32_MAX, &f->memory_kib) ||
        !scan_str(&s, STR(",t=")) || !scan_u32(&s, UINT32_MAX, &f->rounds) ||
        !scan_str(&s, STR(",p=")) || !scan_u32(&s, UINT32_MAX, &f->lanes) || !scan_char(&s, '$') ||
        !scan_until(&s, '$', &word) || !take_base64(word, &salt) || salt.len < 8 ||
        !take_salt(buf_str(&salt), f))
        return malformed;
    s.pos++;
    if (!take_base64(scan_rest(&s), &hash) || hash.len < 12 || !take_hash(buf_str(&hash), f))
        return malformed;
    return argon2_cost(f);
}

static const char *
argon2_cost(const struct foreign *f)
{
    if (f->lanes == 0 || f->rounds == 0)
        return malformed;
    if (f->lanes > LIMIT_FOREIGN_ARGON2_LANES || f->memory_kib > LIMIT_FOREIGN_ARGON2_KIB ||
        (uint64_t)f->memory_kib * f->rounds > LIMIT_FOREIGN_ARGON2_WORK_KIB)
        return too_costly;
    return f->memory_kib < 8 * f->lanes ? malformed : NULL; /* RFC 9106 section 3.1 */
}

/* ---- SCRAM ---- */

/* iterations "," salt "," StoredKey "," ServerKey */
static const char *
read_scram(struct str text, struct foreign *f)
{
    AUTO_BUF salt = BUF(FOREIGN_SALT_MAX);
    AUTO_BUF stored = BUF(FOREIGN_HASH_MAX);
    AUTO_BUF server = BUF(FOREIGN_HASH_MAX);
    struct scan s = scan_of(text);
    struct str word;

    f->kind = FOREIGN_SCRAM;
    if (!scan_u32(&s, INT32_MAX, &f->rounds) || f->rounds == 0 || !scan_char(&s, ',') ||
        !scan_until(&s, ',', &word) || !take_base64(word, &salt) || salt.len == 0 ||
        salt.len > SCRAM_SALT_MAX || !take_salt(buf_str(&salt), f))
        return malformed;
    s.pos++;
    if (!scan_until(&s, ',', &word) || !take_base64(word, &stored) ||
        stored.len != SCRAM_KEY_BYTES || !take_hash(buf_str(&stored), f))
        return malformed;
    s.pos++;
    if (!take_base64(scan_rest(&s), &server) || server.len != SCRAM_KEY_BYTES)
        return malformed;
    mem_copy(f->server, server.ptr, server.len);
    return f->rounds > LIMIT_FOREIGN_PBKDF2_ROUNDS ? too_costly : NULL;
}

/* ---- helpers ---- */

/* With or without padding, and with "." for "+" as passlib has it. */
static bool
take_base64(struct str text, struct buf *out)
{
    AUTO_BUF padded = BUF(FOREIGN_MAX + 4);

    for (size_t i = 0; i < text.len; i++)
        buf_add_char(&padded, text.ptr[i] == '.' ? '+' : text.ptr[i]);
    while (padded.len % 4 != 0 && !padded.over)
        buf_add_char(&padded, '=');
    return buf_status(&padded) == OK && base64_decode(buf_str(&padded), out) == OK;
}

static bool
take_salt(struct str bytes, struct foreign *f)
{
    if (bytes.len > sizeof(f->salt))
        return false;
    mem_copy(f->salt, bytes.ptr, bytes.len);
    f->salt_len = bytes.len;
    return true;
}

static bool
take_hash(struct str bytes, struct foreign *f)
{
    if (bytes.len > sizeof(f->hash))
        return false;
    mem_copy(f->hash, bytes.ptr, bytes.len);
    f->hash_len = bytes.len;
    return true;
}
