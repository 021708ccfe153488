/* head.c - see head.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/head.h"

#include "base/limits.h"
#include "base/scan.h"
#include "base/size.h"

enum { METHOD_MAX = 16 };

static const struct http_refusal fine;

static struct http_refusal read_request_line(struct str line, struct http_head *h);
static struct http_refusal read_field(struct str line, struct http_field *out);
static struct http_refusal judge(struct http_head *h);

static struct http_refusal
bad(const char *why)
{
    return (struct http_refusal){400, why};
}

/* RFC 9110 section 5.6.2 */
static bool
is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && str_find(STR("!#$%&'*+-.^_`|~"), c) >= 0);
}

static bool
is_target_char(char c)
{
    return c > ' ' && c < 0x7f && c != '#';
}

/* RFC 9112 section 5: field-content, RFC 9110 section 5.5 */
static bool
is_value_char(char c)
{
    unsigned char u = (unsigned char)c;

    return u == '\t' || (u >= ' ' && u != 0x7f);
}

static bool
take_line(struct str *text, struct str *line_out)
{
    ssize_t lf = str_find(*text, '\n');

    if (lf < 1 || text->ptr[lf - 1] != '\r')
        return false;
    struct str line = str_sub(*text, 0, (size_t)lf - 1);
    if (str_find(line, '\r') >= 0)
        return false;
    *line_out = line;
    *text = str_skip(*text, (size_t)lf + 1);
    return true;
}

MUST_USE struct http_refusal
http_head_read(struct str text, struct arena *a, struct http_head *out)
{
    struct http_field *fields = ARENA_ARRAY(a, struct http_field, LIMIT_HTTP_FIELDS);
    struct http_head h = {.fields = fields};
    struct http_refusal r;
    struct str line;

    if (text.len > LIMIT_HTTP_HEAD_BYTES)
        return (struct http_refusal){431, "The head of the request is too long"};
    if (!take_line(&text, &line))
        return bad("A line ends with CR LF, and has neither inside");
    if ((r = read_request_line(line, &h)).status != 0)
        return r;
    for (;;) {
        if (!take_line(&text, &line))
            return bad("A line ends with CR LF, and has neither inside");
        if (line.len == 0)
            break;
        if (h.field_count == LIMIT_HTTP_FIELDS)
            return (struct http_refusal){431, "There are too many fields"};
        if ((r = read_field(line, &fields[h.field_count])).status != 0)
            return r;
        h.field_count++;
    }
    if (text.len > 0)
        return bad("Something follows the head");
    if ((r = judge(&h)).status != 0)
        return r;
    *out = h;
    return fine;
}

struct str
http_head_field(const struct http_head *h, struct str name)
{
    for (size_t i = 0; i < h->field_count; i++) {
        if (str_eq_nocase(h->fields[i].name, name))
            return h->fields[i].value;
    }
    return (struct str){NULL, 0};
}

/* ---- the request line ---- */

/* HTTP-version = "HTTP/" DIGIT "." DIGIT; a later minor version is answered as 1.1, RFC 9110 section 6.2. */
static struct http_refusal
read_version(struct str v, struct http_head *h)
{
    if (v.len != 8 || !str_eq(str_sub(v, 0, 5), STR("HTTP/")) || v.ptr[6] != '.' ||
        v.ptr[5] < '0' || v.ptr[5] > '9' || v.ptr[7] < '0' || v.ptr[7] > '9')
        return bad("The request line does not end with an HTTP version");
    if (v.ptr[5] != '1')
        return (struct http_refusal){505, "This server speaks HTTP/1.1"};
    h->old = v.ptr[7] == '0';
    h->close = h->old;
    return fine;
}

/* origin-form, absolute-form, or "*": RFC 9112 section 3.2. */
static struct http_refusal
read_target(struct str target, struct http_head *h)
{
    struct scan s = scan_of(target);
    struct str authority;

    if (str_eq(target, STR("*"))) {
        h->path = target;
        return fine;
    }
    if (scan_str_nocase(&s, STR("http://")) || scan_str_nocase(&s, STR("https://"))) {
        if (!scan_until(&s, '/', &authority) || authority.len == 0)
            return bad("The target of the request has no path");
    }
    struct str rest = scan_rest(&s);
    if (rest.len == 0 || rest.ptr[0] != '/')
        return bad("The target of a request begins with a slash");
    ssize_t mark = str_find(rest, '?');
    h->path = mark < 0 ? rest : str_sub(rest, 0, (size_t)mark);
    h->query = mark < 0 ? STR_NONE : str_skip(rest, (size_t)mark + 1);
    return fine;
}

/* request-line = method SP request-target SP HTTP-version, RFC 9112 section 3; one blank each, no leniency. */
static struct http_refusal
read_request_line(struct str line, struct http_head *h)
{
    struct scan s = scan_of(line);
    struct str target;

    if (!scan_while(&s, is_token_char, METHOD_MAX, &h->method) || h->method.len == 0)
        return bad("The request does not begin with a method");
    if (!scan_char(&s, ' '))
        return (struct http_refusal){501, "There is no such method"};
    if (!scan_while(&s, is_target_char, SIZE_MAX, &target) || target.len == 0 ||
        !scan_char(&s, ' '))
        return bad("The request line is METHOD, target and HTTP/1.1, with one blank between");
    if (target.len > LIMIT_HTTP_TARGET_BYTES)
        return (struct http_refusal){414, "The target of the request is too long"};
    struct http_refusal r = read_version(scan_rest(&s), h);
    return r.status != 0 ? r : read_target(target, h);
}

/* ---- fields ---- */

/* field-line = field-name ":" OWS field-value OWS, RFC 9112 section 5. */
static struct http_refusal
read_field(struct str line, struct http_field *out)
{
    struct scan s = scan_of(line);
    struct str name, value;

    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return bad("A field is not continued on another line");
    if (!scan_while(&s, is_token_char, SIZE_MAX, &name) || name.len == 0 || !scan_char(&s, ':'))
        return bad("A field is NAME: VALUE, without a blank before the colon");
    scan_skip_spaces(&s);
    value = scan_rest(&s);
    while (value.len > 0 && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t'))
        value.len--;
    for (size_t i = 0; i < value.len; i++) {
        if (!is_value_char(value.ptr[i]))
            return bad("There are control characters in a field");
    }
    *out = (struct http_field){name, value};
    return fine;
}

static size_t
count_field(const struct http_head *h, struct str name)
{
    size_t n = 0;

    for (size_t i = 0; i < h->field_count; i++)
        n += str_eq_nocase(h->fields[i].name, name) ? 1u : 0u;
    return n;
}

/* RFC 9112 section 3.2: exactly one, which one may not argue about. */
static struct http_refusal
judge_host(struct http_head *h)
{
    size_t n = count_field(h, STR("Host"));

    if (n > 1 || (n == 0 && !h->old))
        return bad("A request has one Host field");
    h->host = n == 0 ? STR("") : http_head_field(h, STR("Host"));
    for (size_t i = 0; i < h->host.len; i++) {
        char c = h->host.ptr[i];
        if (!is_target_char(c) || str_find(STR("/?@\\,\""), c) >= 0)
            return bad("The Host field is not a host with an optional port");
    }
    return fine;
}

/* RFC 9112 sections 6.1 to 6.3.  What could be read in two ways is refused, not mended. */
static struct http_refusal
judge_framing(struct http_head *h)
{
    size_t lengths = count_field(h, STR("Content-Length"));
    size_t codings = count_field(h, STR("Transfer-Encoding"));
    struct scan s;

    if (lengths + codings > 1)
        return bad("A request has one Content-Length, or one Transfer-Encoding");
    if (lengths == 1) {
        s = scan_of(http_head_field(h, STR("Content-Length")));
        if (!scan_u64(&s, INT64_MAX, &h->length) || !scan_at_end(&s))
            return bad("Content-Length is not a number");
        h->framing = h->length > 0 ? HTTP_LENGTH : HTTP_EMPTY;
    }
    if (codings == 1) {
        if (h->old)
            return bad("HTTP/1.0 has no Transfer-Encoding");
        if (!str_eq_nocase(http_head_field(h, STR("Transfer-Encoding")), STR("chunked")))
            return (struct http_refusal){501, "No other Transfer-Encoding than chunked is known"};
        h->framing = HTTP_CHUNKED;
    }
    return fine;
}

static void
judge_connection(struct http_head *h)
{
    for (size_t i = 0; i < h->field_count; i++) {
        struct str rest = h->fields[i].value, option;
        if (!str_eq_nocase(h->fields[i].name, STR("Connection")))
            continue;
        while (str_split(&rest, ',', &option)) {
            option = str_trim(option);
            if (str_eq_nocase(option, STR("close")))
                h->close = true;
        }
    }
}

static struct http_refusal
judge(struct http_head *h)
{
    struct http_refusal r = judge_host(h);

    if (r.status == 0)
        r = judge_framing(h);
    if (r.status != 0)
        return r;
    judge_connection(h);
    struct str expect = http_head_field(h, STR("Expect"));
    if (expect.ptr == NULL)
        return fine;
    if (!str_eq_nocase(expect, STR("100-continue")))
        return (struct http_refusal){417, "No other expectation than 100-continue is known"};
    h->expects = !h->old;
    return fine;
}
