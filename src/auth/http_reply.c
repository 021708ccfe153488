/* http_reply.c - see http_reply.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "auth/http_reply.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/scan.h"

enum { LINE_MAX_BYTES = 256 /* of a chunk's first line, of the trailer */, INTERIM_MAX = 8 };

/* What a head says of the body. */
struct head {
    unsigned status;
    struct str content_type;
    bool has_length, chunked;
    size_t length;
    size_t body_max; /* of the caller */
};

static enum status take_head(struct scan *s, struct head *out);
static bool take_line(struct scan *s, struct str *out);
static bool read_status_line(struct str line, unsigned *out);
static enum status read_field(struct str line, struct head *h);
static enum status read_body(struct scan *s, bool ended, const struct head *h, struct str *out);
static enum status read_chunks(struct scan *s, size_t body_max, struct arena *a, struct str *out);

enum status
http_reply_read(struct str bytes, bool ended, size_t body_max, struct arena *a,
                struct http_reply *out)
{
    struct scan s = scan_of(bytes);
    struct http_reply r = {0};
    struct head h = {.body_max = body_max};

    ASSERT(body_max < INT32_MAX);
    for (unsigned i = 0;; i++) {
        if (i == INTERIM_MAX)
            return ERR_SYNTAX;
        enum status e = take_head(&s, &h);
        if (e == ERR_TEMP && ended)
            return ERR_SYNTAX;
        TRY(e);
        if (h.status >= 200)
            break;
    }
    r.status = h.status;
    r.content_type = h.content_type;
    enum status e =
        h.chunked ? read_chunks(&s, body_max, a, &r.body) : read_body(&s, ended, &h, &r.body);
    if (e == ERR_TEMP && ended)
        return ERR_SYNTAX;
    TRY(e);
    *out = r;
    return OK;
}

/* HTTP-message = start-line CRLF *( field-line CRLF ) CRLF */
static enum status
take_head(struct scan *s, struct head *out)
{
    struct str rest = scan_rest(s), line;
    struct head h = {.body_max = out->body_max};
    ssize_t end = str_find_str(str_sub(rest, 0, LIMIT_ASK_HEAD_BYTES), STR("\r\n\r\n"));

    if (end < 0)
        return rest.len >= LIMIT_ASK_HEAD_BYTES ? ERR_LIMIT : ERR_TEMP;
    struct scan lines = scan_of(str_sub(rest, 0, (size_t)end + 2));
    if (!take_line(&lines, &line) || !read_status_line(line, &h.status))
        return ERR_SYNTAX;
    while (take_line(&lines, &line))
        TRY(read_field(line, &h));
    if (!scan_at_end(&lines) || (h.has_length && h.chunked))
        return ERR_SYNTAX;
    if (!scan_take(s, (size_t)end + 4, &line))
        UNREACHABLE();
    *out = h;
    return OK;
}

static bool
take_line(struct scan *s, struct str *out)
{
    ssize_t end = str_find_str(scan_rest(s), STR("\r\n"));
    struct str skipped;

    return end >= 0 && scan_take(s, (size_t)end, out) && scan_take(s, 2, &skipped);
}

/* status-line = HTTP-version SP status-code SP [ reason-phrase ]; the last SP is often left out. */
static bool
read_status_line(struct str line, unsigned *out)
{
    struct scan s = scan_of(line);
    struct str digits;
    uint32_t status;

    if ((!scan_str(&s, STR("HTTP/1.1 ")) && !scan_str(&s, STR("HTTP/1.0 "))) ||
        !scan_while(&s, ascii_is_digit, 3, &digits) || digits.len != 3 ||
        (!scan_at_end(&s) && !scan_char(&s, ' ')))
        return false;
    struct scan number = scan_of(digits);
    if (!scan_u32(&number, 599, &status) || status < 100)
        return false;
    *out = status;
    return true;
}

/* field-line = field-name ":" OWS field-value OWS */
static enum status
read_field(struct str line, struct head *h)
{
    struct str value = line, name;

    if (!str_split(&value, ':', &name) || value.ptr == NULL || name.len == 0 ||
        name.len != str_trim(name).len || str_find(line, '\0') >= 0 || str_find(line, '\n') >= 0 ||
        str_find(line, '\r') >= 0)
        return ERR_SYNTAX;
    value = str_trim(value);
    struct scan s = scan_of(value);
    if (str_eq_nocase(name, STR("Content-Length"))) {
        uint64_t length;
        if (h->has_length || !scan_u64(&s, UINT64_MAX, &length) || !scan_at_end(&s))
            return ERR_SYNTAX;
        if (length > h->body_max)
            return ERR_LIMIT;
        h->length = (size_t)length; /* at most body_max */
        h->has_length = true;
    } else if (str_eq_nocase(name, STR("Transfer-Encoding"))) {
        if (h->chunked || !str_eq_nocase(value, STR("chunked")))
            return ERR_SYNTAX; /* we offered no other */
        h->chunked = true;
    } else if (str_eq_nocase(name, STR("Content-Type"))) {
        struct str kind;
        h->content_type = str_split(&value, ';', &kind) ? str_trim(kind) : STR("");
    }
    return OK;
}

/* RFC 9112 section 6.3; without a length it ends with the connection. */
static enum status
read_body(struct scan *s, bool ended, const struct head *h, struct str *out)
{
    size_t have = scan_left(s);

    if (h->status == 204 || h->status == 304) {
        *out = STR("");
        return OK;
    }
    if (!h->has_length && have > h->body_max)
        return ERR_LIMIT;
    if (h->has_length ? have < h->length : !ended)
        return ERR_TEMP;
    *out = str_sub(scan_rest(s), 0, h->has_length ? h->length : have);
    return OK;
}

/* 1*HEXDIG */
static bool
scan_hex(struct scan *s, uint32_t *out)
{
    uint32_t n = 0;
    size_t digits = 0;

    for (; s->pos < s->end; s->pos++, digits++) {
        char c = ascii_lower(*s->pos);
        if (!ascii_is_digit(c) && (c < 'a' || c > 'f'))
            break;
        if (digits == 7)
            return false;
        n = n * 16 + (uint32_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10); /* a digit of hex */
    }
    *out = n;
    return digits > 0;
}

static enum status
take_short_line(struct scan *s, struct str *out)
{
    bool whole = take_line(s, out);

    if (!whole)
        return scan_left(s) > LINE_MAX_BYTES + 1 ? ERR_SYNTAX : ERR_TEMP; /* with a CR */
    return out->len > LINE_MAX_BYTES ? ERR_SYNTAX : OK;
}

/* chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF; the trailer is passed over.  RFC 9112 section 7.1 */
static enum status
read_chunks(struct scan *s, size_t body_max, struct arena *a, struct str *out)
{
    AUTO_BUF body = BUF(body_max);
    struct str line, data;
    uint32_t size;

    for (;;) {
        TRY(take_short_line(s, &line));
        struct scan l = scan_of(line);
        if (!scan_hex(&l, &size))
            return ERR_SYNTAX;
        scan_skip_spaces(&l);
        if (!scan_at_end(&l) && !scan_char(&l, ';'))
            return ERR_SYNTAX;
        if (size == 0)
            break;
        if (size > body_max - body.len)
            return ERR_LIMIT;
        if (scan_left(s) < size + 2u)
            return ERR_TEMP;
        if (!scan_take(s, size, &data) || !scan_str(s, STR("\r\n")))
            return ERR_SYNTAX;
        buf_add(&body, data);
    }
    do {
        TRY(take_short_line(s, &line));
    } while (line.len > 0);
    *out = arena_str(a, buf_str(&body));
    return OK;
}
