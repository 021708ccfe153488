/* introspection.c - see introspection.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/introspection.h"

#include "auth/jwt_read.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"

static void add_form(struct buf *b, struct str s);
static void add_basic(struct buf *b, const struct introspection_request *r);
static struct str find_address(const json_t *j, bool by_username, struct arena *a);

void
introspection_request_write(const struct introspection_request *r, struct buf *out)
{
    AUTO_BUF form = BUF(4 * LIMIT_OAUTH_BYTES);

    buf_add(&form, STR("token="));
    add_form(&form, r->token);
    buf_add(&form, STR("&token_type_hint=access_token"));
    ASSERT(buf_status(&form) == OK); /* of a byte at most three become */
    buf_add(out, STR("POST "));
    buf_add(out, r->path);
    buf_add(out, STR(" HTTP/1.1\r\nHost: "));
    buf_add(out, r->host);
    buf_add(out, STR("\r\nAuthorization: Basic "));
    add_basic(out, r);
    buf_add(out, STR("\r\nAccept: application/json\r\nConnection: close\r\n"
                     "Content-Type: application/x-www-form-urlencoded\r\n"));
    buf_addf(out, "Content-Length: %zu\r\n\r\n", form.len);
    buf_add(out, buf_str(&form));
    mem_wipe(form.ptr, form.cap);
}

/* RFC 7662 section 2.2 */
enum status
introspection_read(struct str json, bool by_username, struct arena *a, struct introspection *out)
{
    AUTO(json_drop) json_t *j = json_read_bounded(json, JWT_DEPTH);
    struct introspection r = {0};
    bool has_expiry, has_start;

    if (!json_is_object(j) || !json_is_boolean(json_object_get(j, "active")))
        return ERR_SYNTAX;
    r.active = json_is_true(json_object_get(j, "active"));
    if (r.active) {
        if (!json_member_audiences(j, a, r.audiences, &r.audience_count) ||
            !json_member_time(j, "exp", &has_expiry, &r.expires_s) ||
            !json_member_time(j, "nbf", &has_start, &r.not_before_s))
            return ERR_SYNTAX;
        if (has_expiry && r.expires_s == 0)
            r.expires_s = 1; /* long ago, and not "not said" */
        r.has_audience = json_object_get(j, "aud") != NULL;
        r.issuer = json_member_str(j, "iss", a);
        r.address = find_address(j, by_username, a);
    }
    *out = r;
    return OK;
}

bool
introspection_fits(const struct introspection *r, const struct jwt_wanted *w)
{
    bool for_us = w->audience.len == 0 && !r->has_audience;

    for (size_t i = 0; i < r->audience_count; i++)
        for_us = for_us || str_eq(r->audiences[i], w->audience);
    return r->active && for_us && r->address.len > 0 &&
           (r->issuer.len == 0 || str_eq(r->issuer, w->issuer)) &&
           (r->expires_s == 0 || r->expires_s > w->now_s) &&
           r->not_before_s - JWT_LEEWAY_S <= w->now_s;
}

/* ---- statics ---- */

/* application/x-www-form-urlencoded */
static void
add_form(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (ascii_is_alnum(c) || (c != '\0' && str_find(STR("-._"), c) >= 0))
            buf_add_char(b, c);
        else
            buf_addf(b, "%%%02X", (unsigned)(unsigned char)c);
    }
}

/* Both encoded like a form first, so that a colon in the name is none. */
static void
add_basic(struct buf *b, const struct introspection_request *r)
{
    AUTO_BUF both = BUF(3 * (INTROSPECTION_CLIENT_MAX + SECRET_MAX) + 1);

    add_form(&both, r->client);
    buf_add_char(&both, ':');
    add_form(&both, r->secret);
    ASSERT(buf_status(&both) == OK);
    buf_add_base64(b, buf_str(&both));
    mem_wipe(both.ptr, both.cap);
}

/* The e-mail address, else the name that people know the owner by where the configuration trusts the issuer in that (at
 * many anybody can take any), else the subject; the subject alone where the issuer says that nobody verified the
 * address, which may be the name as well. */
static struct str
find_address(const json_t *j, bool by_username, struct arena *a)
{
    const json_t *verified = json_object_get(j, "email_verified");
    bool doubtful = verified != NULL && !json_is_true(verified);
    struct str found = doubtful ? STR("") : json_member_str(j, "email", a);

    if (found.len == 0 && by_username && !doubtful)
        found = json_member_str(j, "username", a);
    return found.len > 0 ? found : json_member_str(j, "sub", a);
}
