/* scram_read.c - see scram_read.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "login/scram_read.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/scan.h"

#define PROOF_MAX 64u

/* cb-name = 1*(ALPHA / DIGIT / "." / "-") */
static bool
is_binding_char(char c)
{
    return ascii_is_alnum(c) || c == '.' || c == '-';
}

/* printable = %x21-2B / %x2D-7E: all printable ASCII but "," */
static bool
is_nonce_char(char c)
{
    return c > 0x20 && c < 0x7f && c != ',';
}

/* saslname = 1*(value-safe-char / "=2C" / "=3D"), without NUL */
bool
scan_saslname(struct scan *s, struct arena *a, struct str *out)
{
    AUTO_BUF name = BUF(LIMIT_SASL_BYTES);
    struct str raw;

    if (!scan_until(s, ',', &raw) || raw.len == 0 || !utf8_valid(raw) || str_find(raw, '\0') >= 0)
        return false;
    struct scan t = scan_of(raw);
    while (!scan_at_end(&t)) {
        if (scan_str(&t, STR("=2C")))
            buf_add_char(&name, ',');
        else if (scan_str(&t, STR("=3D")))
            buf_add_char(&name, '=');
        else if (*t.pos == '=')
            return false;
        else
            buf_add_char(&name, *t.pos++);
    }
    *out = arena_str(a, buf_str(&name));
    return buf_status(&name) == OK;
}

/* gs2-cbind-flag = ("p=" cb-name) / "n" / "y" */
static bool
scan_flag(struct scan *s, enum scram_flag *out)
{
    struct str type;

    if (scan_char(s, 'n')) {
        *out = SCRAM_CANNOT_BIND;
    } else if (scan_char(s, 'y')) {
        *out = SCRAM_NOT_OFFERED;
    } else {
        if (!scan_str(s, STR("p=")) || !scan_while(s, is_binding_char, 64, &type))
            return false;
        *out = str_eq(type, STR("tls-exporter")) ? SCRAM_BINDS : SCRAM_BINDS_ELSE;
    }
    return scan_char(s, ',');
}

/* extensions = attr-val *("," attr-val): none is known, and those that must be understood come elsewhere. */
static bool
is_extensions(struct str s)
{
    struct str one;

    while (str_split(&s, ',', &one))
        if (one.len < 3 || !ascii_is_alpha(one.ptr[0]) || one.ptr[1] != '=' || !utf8_valid(one) ||
            str_find(one, '\0') >= 0)
            return false;
    return true;
}

/* client-first-message = gs2-cbind-flag "," ["a=" saslname] "," "n=" saslname "," "r=" nonce ["," extensions].
 * "m=" in front of the name is an extension that must be understood: there is none, so it is refused. */
enum status
scram_first_read(struct str message, struct arena *a, struct scram_first *out)
{
    struct scan s = scan_of(message);
    struct scram_first f = {0};

    if (message.len > LIMIT_SASL_BYTES || !scan_flag(&s, &f.flag))
        return ERR_SYNTAX;
    if (scan_str(&s, STR("a=")) && !scan_saslname(&s, a, &f.authzid))
        return ERR_SYNTAX;
    if (!scan_char(&s, ','))
        return ERR_SYNTAX;
    f.gs2 = str_sub(message, 0, message.len - scan_left(&s));
    f.bare = scan_rest(&s);
    if (!scan_str(&s, STR("n=")) || !scan_saslname(&s, a, &f.name) || !scan_str(&s, STR(",r=")) ||
        !scan_while(&s, is_nonce_char, LIMIT_SCRAM_NONCE_BYTES, &f.nonce))
        return ERR_SYNTAX;
    if (!scan_at_end(&s) && (!scan_char(&s, ',') || !is_extensions(scan_rest(&s))))
        return ERR_SYNTAX;
    *out = f;
    return OK;
}

static bool
read_base64(struct str base64, size_t max, struct arena *a, struct str *out)
{
    AUTO_BUF b = BUF(max);

    if (base64.len == 0 || base64_decode(base64, &b) != OK)
        return false;
    *out = arena_str(a, buf_str(&b));
    return true;
}

/* client-final-message = "c=" base64 "," "r=" nonce ["," extensions] "," "p=" base64 */
enum status
scram_final_read(struct str message, struct arena *a, struct scram_final *out)
{
    ssize_t comma = str_rfind(message, ',');
    struct scram_final f = {0};
    struct str binding;

    if (message.len > LIMIT_SASL_BYTES || comma < 0)
        return ERR_SYNTAX;
    f.unproved = str_sub(message, 0, (size_t)comma);
    struct str proof = str_skip(message, (size_t)comma + 1);
    struct scan s = scan_of(f.unproved);
    if (!str_starts(proof, STR("p=")) || !scan_str(&s, STR("c=")) ||
        !scan_until(&s, ',', &binding) || !scan_str(&s, STR(",r=")) ||
        !scan_while(&s, is_nonce_char, 2 * LIMIT_SCRAM_NONCE_BYTES, &f.nonce))
        return ERR_SYNTAX;
    if (!scan_at_end(&s) && (!scan_char(&s, ',') || !is_extensions(scan_rest(&s))))
        return ERR_SYNTAX;
    if (!read_base64(binding, LIMIT_SASL_BYTES, a, &f.binding) ||
        !read_base64(str_skip(proof, 2), PROOF_MAX, a, &f.proof))
        return ERR_SYNTAX;
    *out = f;
    return OK;
}
