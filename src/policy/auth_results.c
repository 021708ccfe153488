/* auth_results.c - Authentication-Results, read.  See auth_results.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/auth_results.h"

#include "mail/domain.h"
#include "mail/header.h"
#include "policy/auth_results_internal.h"

enum { KEYWORD_MAX = 64 };

static bool scan_instance(struct scan *s, uint32_t *out);
static enum status scan_methodspec(struct auth_reader *r, struct auth_result *out);
static enum status scan_details(struct auth_reader *r, struct auth_result *out);
static bool scan_keyword(struct scan *s, struct str *out);
static bool scan_version(struct scan *s);
static bool scan_equals(struct scan *s);
static enum status scan_value(struct scan *s, struct arena *a, struct str *out);
static enum status scan_quoted(struct scan *s, struct arena *a, struct str *out);
static bool same_server(struct str a, struct str b);

/* authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ...; RFC 8617 section 4.1.1: arc-info = instance [CFWS]
 * ";" authres-payload */
enum status
auth_results_open(struct str value, bool arc, struct arena *a, struct auth_reader *out)
{
    struct auth_reader r = {.in = scan_of(value), .a = a};

    ASSERT(a != NULL && out != NULL);
    if (value.len > LIMIT_AUTH_RESULTS_BYTES)
        return ERR_LIMIT;
    if (arc && !scan_instance(&r.in, &r.instance))
        return ERR_SYNTAX;
    header_skip_cfws(&r.in);
    TRY(scan_value(&r.in, a, &r.authserv_id));
    header_skip_cfws(&r.in);
    if (scan_version(&r.in))
        header_skip_cfws(&r.in);
    if (r.authserv_id.len == 0 || (!scan_at_end(&r.in) && *r.in.pos != ';'))
        return ERR_SYNTAX;

    struct scan rest = r.in;
    struct str none;
    if (!scan_char(&rest, ';'))
        return ERR_SYNTAX;
    header_skip_cfws(&rest);
    if (scan_keyword(&rest, &none) && str_eq_nocase(none, STR("none"))) {
        header_skip_cfws(&rest);
        if (scan_at_end(&rest))
            r.in = rest;
    }
    *out = r;
    return OK;
}

enum status
auth_results_next(struct auth_reader *r, struct auth_result *out)
{
    struct auth_result read = {.property_count = 0};

    ASSERT(r != NULL && out != NULL);
    header_skip_cfws(&r->in);
    if (scan_at_end(&r->in))
        return ERR_NOT_FOUND;
    if (!scan_char(&r->in, ';'))
        return ERR_SYNTAX;
    header_skip_cfws(&r->in);
    if (scan_at_end(&r->in) && r->results > 0)
        return ERR_NOT_FOUND;
    if (r->results == LIMIT_AUTH_RESULTS)
        return ERR_LIMIT;
    r->results++;
    TRY(scan_methodspec(r, &read));
    TRY(scan_details(r, &read));
    *out = read;
    return OK;
}

/* Read with more patience than auth_results_open() has: up to what could end the name for anyone. */
static bool
begins_a_name(char c)
{
    return ascii_is_alnum(c) || c == '_' || (unsigned char)c >= 0x80;
}

bool
auth_results_claims(struct str value, struct str authserv_id)
{
    struct scan s = scan_of(value), before;
    AUTO_ARENA *a = arena_new(8 * LIMIT_AUTH_VALUE_BYTES);
    struct str claimed;
    uint32_t instance;

    (void)scan_instance(&s, &instance);
    header_skip_cfws(&s);
    before = s;
    if (scan_char(&s, '"')) {
        s = before;
        if (scan_quoted(&s, a, &claimed) != OK)
            return true;
    } else {
        while (s.pos < s.end && str_find(STR(" \t\r\n;(/\""), *s.pos) < 0)
            s.pos++;
        claimed = str_from(before.pos, (size_t)(s.pos - before.pos));
    }
    /* What does not begin like a name is read by others as they like. */
    return claimed.len == 0 || !begins_a_name(claimed.ptr[0]) ||
           same_server(str_trim(claimed), str_trim(authserv_id));
}

/* RFC 8616 lets the name of a server be international, and no server is another for its case or a final dot. */
static bool
same_server(struct str a, struct str b)
{
    AUTO_BUF one = BUF(DOMAIN_MAX), other = BUF(DOMAIN_MAX);

    if (str_eq_nocase(a, b))
        return true;
    return domain_normalise(a, &one) == OK && domain_normalise(b, &other) == OK &&
           str_eq(buf_str(&one), buf_str(&other));
}

/* instance = [CFWS] "i" [CFWS] "=" [CFWS] 1*2DIGIT [CFWS], then ";"      RFC 8617 section 4.2.1 */
static bool
scan_instance(struct scan *s, uint32_t *out)
{
    struct scan t = *s;
    uint32_t instance;

    header_skip_cfws(&t);
    if (!scan_char(&t, 'i') || !scan_equals(&t) || !scan_u32(&t, LIMIT_ARC_SETS, &instance) ||
        instance == 0)
        return false;
    header_skip_cfws(&t);
    if (!scan_char(&t, ';'))
        return false;
    *s = t;
    *out = instance;
    return true;
}

/* methodspec = [CFWS] method [CFWS] "=" [CFWS] result; method = Keyword [ [CFWS] "/" [CFWS] method-version ] */
static enum status
scan_methodspec(struct auth_reader *r, struct auth_result *out)
{
    if (!scan_keyword(&r->in, &out->method))
        return ERR_SYNTAX;
    header_skip_cfws(&r->in);
    if (scan_char(&r->in, '/')) {
        header_skip_cfws(&r->in);
        if (!scan_version(&r->in))
            return ERR_SYNTAX;
    }
    return scan_equals(&r->in) && scan_keyword(&r->in, &out->result) ? OK : ERR_SYNTAX;
}

/* reasonspec = "reason" [CFWS] "=" [CFWS] value; propspec = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue */
static enum status
scan_details(struct auth_reader *r, struct auth_result *out)
{
    for (;;) {
        struct auth_property p = {.type = STR_NONE};

        header_skip_cfws(&r->in);
        if (scan_at_end(&r->in) || *r->in.pos == ';')
            return OK;
        if (!scan_keyword(&r->in, &p.name))
            return ERR_SYNTAX;
        header_skip_cfws(&r->in);
        if (scan_char(&r->in, '.')) {
            p.type = p.name;
            header_skip_cfws(&r->in);
            if (!scan_keyword(&r->in, &p.name))
                return ERR_SYNTAX;
        }
        if (!scan_equals(&r->in))
            return ERR_SYNTAX;
        TRY(scan_value(&r->in, r->a, &p.value));
        if (p.type.len == 0 && str_eq_nocase(p.name, STR("reason")))
            out->reason = p.value;
        else if (out->property_count == LIMIT_AUTH_PROPERTIES)
            return ERR_LIMIT;
        else
            out->properties[out->property_count++] = p;
    }
}

/* Keyword = Ldh-str      RFC 5321 section 4.1.2 */
static bool
is_ldh(char c)
{
    return ascii_is_alnum(c) || c == '-';
}

static bool
scan_keyword(struct scan *s, struct str *out)
{
    struct scan t = *s;
    struct str word;

    if (!scan_while(&t, is_ldh, KEYWORD_MAX, &word) || !auth_keyword_ok(word))
        return false;
    *s = t;
    *out = word;
    return true;
}

bool
auth_keyword_ok(struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!is_ldh(word.ptr[i]))
            return false;
    return word.len > 0 && word.len <= KEYWORD_MAX && word.ptr[word.len - 1] != '-';
}

/* 1*DIGIT; of the field and of methods there is only version 1, and nothing says what another would mean. */
static bool
scan_version(struct scan *s)
{
    uint32_t version;

    return scan_u32(s, 999, &version);
}

static bool
scan_equals(struct scan *s)
{
    header_skip_cfws(s);
    if (!scan_char(s, '='))
        return false;
    header_skip_cfws(s);
    return true;
}

/* value = token / quoted-string      RFC 2045 section 5.1; and what many write without quotes: base64, addresses */
static bool
is_bare(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte > ' ' && byte != 0x7f && c != ';' && c != '(' && c != ')' && c != '"';
}

static enum status
scan_value(struct scan *s, struct arena *a, struct str *out)
{
    struct str word;

    if (s->pos < s->end && *s->pos == '"')
        return scan_quoted(s, a, out);
    if (!scan_while(s, is_bare, LIMIT_AUTH_VALUE_BYTES, &word))
        return ERR_SYNTAX;
    /* local-part "@" domain-name with a quoted local part is two of these: whoever writes one quotes the whole. */
    *out = word;
    return OK;
}

/* quoted-string without its line ends      RFC 5322 section 3.2.4, RFC 6532 section 3.2 */
static enum status
scan_quoted(struct scan *s, struct arena *a, struct str *out)
{
    AUTO_BUF text = BUF(LIMIT_AUTH_VALUE_BYTES);
    struct scan t = *s;

    for (bool inside = scan_char(&t, '"'); inside;) {
        if (scan_at_end(&t))
            return ERR_SYNTAX;
        char c = *t.pos++;
        if (c == '"') {
            inside = false;
            continue;
        }
        if (c == '\\' && !scan_at_end(&t))
            c = *t.pos++;
        else if (c == '\r' || c == '\n')
            continue;
        if (c == '\t')
            c = ' ';
        if ((unsigned char)c < ' ' || c == 0x7f)
            return ERR_SYNTAX;
        buf_add_char(&text, c);
    }
    TRY(buf_status(&text));
    *out = arena_str(a, buf_str(&text));
    *s = t;
    return OK;
}
