/* jwt_read.c - see jwt_read.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/jwt_read.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/size.h"

#define SECONDS_MAX 1e15 /* beyond what a double counts exactly nobody needs a time */

static enum status read_header(struct str part, struct arena *a, struct jwt *out);
static enum status read_claims(struct str part, struct arena *a, struct jwt *out);
static json_t *part_json(struct str part);

/* header "." payload "." signature */
enum status
jwt_read(struct str token, struct arena *a, struct jwt *out)
{
    AUTO_BUF signature = BUF(LIMIT_OAUTH_BYTES);
    struct str rest = token, header, payload, last;
    struct jwt t = {0};

    if (token.len > LIMIT_OAUTH_BYTES || !str_split(&rest, '.', &header) ||
        !str_split(&rest, '.', &payload) || !str_split(&rest, '.', &last) || rest.ptr != NULL ||
        last.len == 0)
        return ERR_SYNTAX;
    TRY(base64url_decode(last, &signature));
    TRY(read_header(header, a, &t));
    TRY(read_claims(payload, a, &t));
    t.signed_part = str_sub(token, 0, header.len + 1 + payload.len);
    t.signature = arena_str(a, buf_str(&signature));
    *out = t;
    return OK;
}

enum status
base64url_decode(struct str s, struct buf *b)
{
    AUTO_BUF usual = BUF(s.len + 4);

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '+' || c == '/' || c == '=')
            return ERR_SYNTAX;
        buf_add_char(&usual, (char)(c == '-' ? '+' : c == '_' ? '/' : c));
    }
    while (usual.len % 4 != 0)
        buf_add_char(&usual, '=');
    return base64_decode(buf_str(&usual), b);
}

bool
json_member_audiences(const json_t *object, struct arena *a, struct str *list, size_t *count)
{
    const json_t *aud = json_object_get(object, "aud");

    if (json_is_string(aud)) {
        list[(*count)++] = json_member_str(object, "aud", a);
        return true;
    }
    if (aud != NULL && !json_is_array(aud))
        return false;
    for (size_t i = 0; i < json_array_size(aud); i++) {
        const json_t *one = json_array_get(aud, i);
        if (!json_is_string(one) || i == JWT_AUDIENCES_MAX)
            return false;
        list[(*count)++] = arena_str(a, str_from(json_string_value(one), json_string_length(one)));
    }
    return true;
}

bool
json_member_time(const json_t *object, const char *name, bool *has, int64_t *out)
{
    const json_t *j = json_object_get(object, name);

    *has = j != NULL;
    if (j == NULL)
        return true;
    double v = json_number_value(j);
    if (!json_is_number(j) || !(v >= 0 && v <= SECONDS_MAX))
        return false;
    *out = (int64_t)v; /* in range: checked above */
    return true;
}

static json_t *
part_json(struct str part)
{
    AUTO_BUF text = BUF(LIMIT_OAUTH_BYTES);

    if (base64url_decode(part, &text) != OK)
        return NULL;
    json_t *j = json_read_bounded(buf_str(&text), JWT_DEPTH);
    if (json_is_object(j))
        return j;
    json_decref(j);
    return NULL;
}

/* RFC 7515 section 4.1 */
static enum status
read_header(struct str part, struct arena *a, struct jwt *out)
{
    static const struct str names[] = {
        [JWT_RS256] = STR("RS256"), [JWT_ES256] = STR("ES256"), [JWT_EDDSA] = STR("EdDSA")};
    AUTO(json_drop) json_t *j = part_json(part);
    size_t i = 0;

    if (j == NULL || json_object_get(j, "crit") != NULL)
        return ERR_SYNTAX;
    struct str alg = json_member_str(j, "alg", a);
    while (i < COUNT_OF(names) && !str_eq(alg, names[i]))
        i++;
    if (i == COUNT_OF(names))
        return ERR_SYNTAX;
    out->alg = (enum jwt_alg)i;
    out->kid = json_member_str(j, "kid", a);
    return OK;
}

/* RFC 7519 section 4.1, OpenID Connect Core section 5.1 */
static enum status
read_claims(struct str part, struct arena *a, struct jwt *out)
{
    AUTO(json_drop) json_t *j = part_json(part);

    if (j == NULL || !json_member_audiences(j, a, out->audiences, &out->audience_count) ||
        !json_member_time(j, "exp", &out->has_expiry, &out->expires_s) ||
        !json_member_time(j, "nbf", &out->has_not_before, &out->not_before_s))
        return ERR_SYNTAX;
    out->issuer = json_member_str(j, "iss", a);
    out->subject = json_member_str(j, "sub", a);
    const json_t *verified = json_object_get(j, "email_verified");
    out->email =
        verified != NULL && !json_is_true(verified) ? STR("") : json_member_str(j, "email", a);
    return OK;
}
