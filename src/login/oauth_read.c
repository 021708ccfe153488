/* oauth_read.c - see oauth_read.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "login/oauth_read.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/scan.h"
#include "login/scram_read.h"

#define KVSEP '\x01'

static bool read_pair(struct scan *s, struct str *key_out, struct str *value_out);
static bool read_auth(struct str value, struct str *token_out);
static bool is_name(struct str name);
static bool is_value(struct str value);

/* client-resp = gs2-header kvsep *(key "=" value kvsep) kvsep, where gs2-header = ("n" / "y") "," ["a=" saslname] ",";
 * keys that are not known are passed over, and none comes twice that is. */
enum status
oauth_bearer_read(struct str message, struct arena *a, struct oauth_first *out)
{
    struct scan s = scan_of(message);
    struct oauth_first f = {0};
    struct str value, key;
    bool has_auth = false;

    if (message.len > LIMIT_OAUTH_BYTES || (!scan_char(&s, 'n') && !scan_char(&s, 'y')) ||
        !scan_char(&s, ','))
        return ERR_SYNTAX;
    if (scan_str(&s, STR("a=")) && !scan_saslname(&s, a, &f.name))
        return ERR_SYNTAX;
    if (!scan_char(&s, ',') || !scan_char(&s, KVSEP))
        return ERR_SYNTAX;
    while (!scan_char(&s, KVSEP)) {
        if (!read_pair(&s, &key, &value))
            return ERR_SYNTAX;
        if (!str_eq(key, STR("auth")))
            continue;
        if (has_auth || !read_auth(value, &f.token))
            return ERR_SYNTAX;
        has_auth = true;
    }
    if (!has_auth || !scan_at_end(&s))
        return ERR_SYNTAX;
    *out = f;
    return OK;
}

/* key "=" value kvsep, where key = 1*ALPHA */
static bool
read_pair(struct scan *s, struct str *key_out, struct str *value_out)
{
    struct str pair;

    if (!scan_until(s, KVSEP, &pair) || !scan_char(s, KVSEP) || str_find(pair, '=') < 1 ||
        !str_split(&pair, '=', key_out) || !is_value(pair))
        return false;
    for (size_t i = 0; i < key_out->len; i++)
        if (!ascii_is_alpha(key_out->ptr[i]))
            return false;
    *value_out = pair;
    return true;
}

/* "user=" name kvsep "auth=Bearer " token kvsep kvsep */
enum status
oauth_x_read(struct str message, struct oauth_first *out)
{
    struct scan s = scan_of(message);
    struct oauth_first f = {0};
    struct str value;

    if (message.len > LIMIT_OAUTH_BYTES || !scan_str(&s, STR("user=")) ||
        !scan_until(&s, KVSEP, &f.name) || !scan_char(&s, KVSEP) || !scan_str(&s, STR("auth=")) ||
        !scan_until(&s, KVSEP, &value) || !scan_char(&s, KVSEP) || !scan_char(&s, KVSEP) ||
        !scan_at_end(&s) || !is_name(f.name) || !read_auth(value, &f.token))
        return ERR_SYNTAX;
    *out = f;
    return OK;
}

/* b64token = 1*(ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/") *"=" */
static bool
is_token_char(char c)
{
    return ascii_is_alnum(c) || (c != '\0' && str_find(STR("-._~+/="), c) >= 0);
}

/* "" / ("Bearer" 1*SP b64token) */
static bool
read_auth(struct str value, struct str *token_out)
{
    struct scan s = scan_of(value);

    if (value.len == 0) {
        *token_out = STR("");
        return true;
    }
    return scan_str_nocase(&s, STR("Bearer")) && scan_spaces(&s) &&
           scan_while(&s, is_token_char, LIMIT_OAUTH_BYTES, token_out) && scan_at_end(&s);
}

static bool
is_name(struct str name)
{
    return name.len > 0 && utf8_valid(name) && str_find(name, '\0') < 0;
}

/* VCHAR / SP / HTAB / CR / LF */
static bool
is_value(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if ((c < 0x20 || c > 0x7e) && c != '\t' && c != '\r' && c != '\n')
            return false;
    }
    return true;
}
