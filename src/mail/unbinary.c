/* unbinary.c - binary parts of a message become base64 as it streams past.  See unbinary.h.
 *
 * Headers, and bodies that are not binary, are read line by line.  A binary body is read up to each CR LF, since a line
 * that begins with "--" behind one may be the delimiter that ends it; its line end belongs to the delimiter then
 * (RFC 2046 section 5.1.1), so it is held back until that is known.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/unbinary.h"

#include "base/encode.h"
#include "base/mem.h"
#include "base/size.h"
#include "mail/mime.h"

enum { SLICE = 16384 }; /* of input at a time */

enum {
    IN_HEADER,
    IN_LINES, /* a body that must be in order: also what stands around the parts of a multipart */
    BINARY_LINE, /* a binary body, where a line begins */
    BINARY_TEXT, /* the same, inside a line */
    BINARY_CR,   /* the same, and a CR was read */
};
enum {
    LEAF,
    MULTIPART,
    MESSAGE,
    COMPOSITE, /* may not be encoded either (RFC 2045 section 6.4), and is not looked into */
};

static void take_slice(struct unbinary *u, struct scan *in);

void
unbinary_init(struct unbinary *u)
{
    *u = (struct unbinary){.state = IN_HEADER, .header = {.of_message = true}};
    buf_init(&u->boundaries, (size_t)LIMIT_MIME_DEPTH * MIME_BOUNDARY_MAX + MIME_BOUNDARY_MAX);
    buf_init(&u->field, UNBINARY_FIELD_MAX);
    buf_init(&u->out, UNBINARY_OUT_MAX);
}

void
unbinary_release(struct unbinary *u)
{
    buf_release(&u->boundaries);
    buf_release(&u->field);
    buf_release(&u->out);
}

bool
unbinary_next(struct unbinary *u, struct scan *in, struct str *run_out)
{
    buf_reset(&u->out);
    while (u->fault == UNBINARY_FINE && u->out.len == 0 && !scan_at_end(in)) {
        struct scan slice = scan_of(str_sub(scan_rest(in), 0, SLICE));
        in->pos = slice.end;
        while (u->fault == UNBINARY_FINE && !scan_at_end(&slice))
            take_slice(u, &slice);
    }
    /* A slice makes at most four times as much, and what was held before is bounded. */
    ASSERT(buf_status(&u->out) == OK);
    if (u->fault != UNBINARY_FINE) {
        in->pos = in->end;
        return false;
    }
    *run_out = buf_str(&u->out);
    return run_out->len > 0;
}

/* ---- output ---- */

static void
fail(struct unbinary *u, enum unbinary_fault fault)
{
    if (u->fault == UNBINARY_FINE)
        u->fault = fault;
}

static void
encode_line(struct unbinary *u)
{
    if (u->octets_len == 0)
        return;
    if (u->encoded)
        buf_add(&u->out, STR("\r\n"));
    buf_add_base64(&u->out, str_from(u->octets, u->octets_len));
    u->encoded = true;
    u->octets_len = 0;
}

static void
encode(struct unbinary *u, struct str bytes)
{
    while (bytes.len > 0) {
        if (u->octets_len == sizeof(u->octets))
            encode_line(u);
        size_t n = MIN(sizeof(u->octets) - u->octets_len, bytes.len);
        mem_copy(u->octets + u->octets_len, bytes.ptr, n);
        u->octets_len += n;
        bytes = str_skip(bytes, n);
    }
}

/* What was held of a binary body is of the body. */
static void
encode_held(struct unbinary *u)
{
    if (u->break_held)
        encode(u, STR("\r\n"));
    u->break_held = false;
    encode(u, str_from(u->line, u->line_len));
    u->line_len = 0;
}

/* ---- parts ---- */

static void
begin_header(struct unbinary *u, bool of_message)
{
    bool digest = u->depth > 0 && u->level[u->depth - 1].digest;

    /* RFC 2046 section 5.1.5 */
    u->header = (struct unbinary_header){.kind = digest ? MESSAGE : LEAF, .of_message = of_message};
    u->state = IN_HEADER;
}

static void
push(struct unbinary *u)
{
    const struct unbinary_header *h = &u->header;

    if (u->depth == COUNT_OF(u->level)) {
        fail(u, UNBINARY_LIMIT);
        return;
    }
    u->level[u->depth++] = (struct unbinary_level){
        .at = u->boundaries.len - h->boundary_len, .len = h->boundary_len, .digest = h->digest};
}

static void
begin_body(struct unbinary *u)
{
    const struct unbinary_header *h = &u->header;

    u->state = IN_LINES;
    if (h->kind == MULTIPART) {
        push(u);
    } else if (h->kind == MESSAGE && !h->encoded) {
        push(u);
        begin_header(u, true);
    } else if (h->kind == LEAF && h->binary) {
        u->state = BINARY_LINE;
        u->encoded = u->break_held = false;
    }
}

/* Up to the empty line, or to what cut it short. */
static void
end_header(struct unbinary *u, struct str empty_line)
{
    const struct unbinary_header *h = &u->header;

    if (h->binary && h->of_message && !h->versioned)
        buf_add(&u->out, STR("MIME-Version: 1.0\r\n"));
    if (h->binary && h->kind == LEAF)
        buf_add(&u->out, STR("Content-Transfer-Encoding: base64\r\n"));
    else if (h->binary)
        buf_add(&u->out, STR("Content-Transfer-Encoding: 8bit\r\n"));
    buf_add(&u->out, empty_line);
    begin_body(u);
}

struct delimiter {
    uint32_t level;
    bool close;
};

/* Is the line a delimiter of an open multipart?  The innermost counts, as in mime.c. */
static bool
find_delimiter(const struct unbinary *u, struct str line, struct delimiter *out)
{
    if (!str_starts(line, STR("--")))
        return false;
    struct str text = str_skip(line, 2);
    while (text.len > 0 && (ascii_is_space(text.ptr[text.len - 1]) ||
                            text.ptr[text.len - 1] == '\r' || text.ptr[text.len - 1] == '\n'))
        text.len--;
    for (int loose = 0; loose <= 1; loose++) {
        for (uint32_t i = u->depth; i-- > 0;) {
            const struct unbinary_level *l = &u->level[i];
            struct str boundary = str_sub(buf_str(&u->boundaries), l->at, l->len);
            out->level = i;
            if (mime_delimits(text, boundary, loose != 0, &out->close))
                return true;
        }
    }
    return false;
}

static void
take_delimiter(struct unbinary *u, const struct delimiter *d, struct str line)
{
    struct unbinary_level *l = &u->level[d->level];

    buf_add(&u->out, line);
    u->depth = d->level + 1;
    if (d->close)
        l->len = 0;
    u->boundaries.len = l->at + l->len;
    if (d->close)
        u->state = IN_LINES;
    else
        begin_header(u, false);
}

/* ---- headers ---- */

/* token of RFC 2045 section 6.1 */
static bool
is_binary(struct str value)
{
    struct scan s = scan_of(value);

    header_skip_cfws(&s);
    const char *from = s.pos;
    while (s.pos < s.end && (ascii_is_alnum(*s.pos) || *s.pos == '-'))
        s.pos++;
    return str_eq_nocase(str_from(from, (size_t)(s.pos - from)), STR("binary"));
}

/* True: it goes out as it is. */
static bool
read_encoding(struct unbinary_header *h, struct str value)
{
    bool binary = is_binary(value);

    if (h->marked) /* a second one must not say otherwise than what comes out */
        return !h->binary && !binary;
    enum transfer t = transfer_of(value);
    h->marked = true;
    h->binary = binary;
    h->encoded = t == TRANSFER_BASE64 || t == TRANSFER_QUOTED_PRINTABLE;
    return !binary;
}

static void
read_type(struct unbinary *u, struct str value)
{
    AUTO_ARENA *a = arena_new(4 * UNBINARY_FIELD_MAX);
    struct unbinary_header *h = &u->header;
    struct str boundary = STR_NONE;
    struct content c;

    if (h->typed)
        return;
    h->typed = true;
    h->kind = LEAF;
    if (!content_type_parse(value, a, &c))
        return;
    h->digest = str_eq_nocase(c.subtype, STR("digest"));
    if (mime_is_message(c.type, c.subtype)) {
        h->kind = MESSAGE;
    } else if (!str_eq_nocase(c.type, STR("multipart"))) {
        h->kind = str_eq_nocase(c.type, STR("message")) ? COMPOSITE : LEAF;
    } else if (!mime_boundary(&c, &boundary)) {
        h->kind = COMPOSITE;
    } else {
        h->kind = MULTIPART;
        h->boundary_len = boundary.len;
        buf_add(&u->boundaries, boundary);
    }
}

static void
end_field(struct unbinary *u)
{
    struct header_cursor c = header_cursor_of(buf_str(&u->field));
    struct header_field f;
    bool keep = true;

    if (u->field.len == 0)
        return;
    if (header_next(&c, &f)) {
        if (header_id_of(f.name) == HEADER_CONTENT_TYPE)
            read_type(u, f.value);
        else
            keep = read_encoding(&u->header, f.value);
    }
    if (keep)
        buf_add(&u->out, buf_str(&u->field));
    buf_reset(&u->field);
}

static void
begin_field(struct unbinary *u, struct str line)
{
    struct header_cursor c = header_cursor_of(line);
    struct header_field f;

    end_field(u);
    if (!header_next(&c, &f)) {
        fail(u, UNBINARY_FIELD);
        return;
    }
    u->header.fields++;
    switch (header_id_of(f.name)) {
    case HEADER_CONTENT_TYPE:
    case HEADER_CONTENT_TRANSFER_ENCODING: buf_add(&u->field, line); return;
    case HEADER_MIME_VERSION: u->header.versioned = true; break;
    default: break;
    }
    buf_add(&u->out, line);
}

static void
continue_field(struct unbinary *u, struct str line)
{
    if (u->header.fields == 0)
        fail(u, UNBINARY_FIELD);
    else if (u->field.len > 0)
        buf_add(&u->field, line);
    else
        buf_add(&u->out, line);
}

static void
header_line(struct unbinary *u, struct str line)
{
    struct unbinary_header *h = &u->header;
    struct delimiter d;

    h->bytes += line.len;
    if (str_eq(line, STR("\r\n"))) {
        end_field(u);
        end_header(u, line);
    } else if (find_delimiter(u, line, &d)) {
        end_field(u);
        end_header(u, STR_NONE);
        /* What began here may have the same boundary. */
        if (u->fault == UNBINARY_FINE && find_delimiter(u, line, &d))
            take_delimiter(u, &d, line);
    } else if (ascii_is_space(line.ptr[0])) {
        continue_field(u, line);
    } else {
        begin_field(u, line);
    }
    if (buf_status(&u->field) != OK || h->bytes > LIMIT_HEADER_BYTES ||
        h->fields > LIMIT_HEADER_FIELDS)
        fail(u, UNBINARY_LIMIT);
}

/* ---- lines ---- */

/* A line of RFC 5322 section 2.1.1 with its CRLF. */
static bool
is_line(struct str line)
{
    struct str text = str_sub(line, 0, line.len - MIN(line.len, (size_t)2));

    return str_ends(line, STR("\r\n")) && text.len <= HEADER_LINE_MAX && str_find(text, '\r') < 0 &&
           str_find(text, '\n') < 0 && str_find(text, '\0') < 0;
}

static void
take_line(struct unbinary *u, struct str line)
{
    struct delimiter d;

    if (!is_line(line))
        fail(u, UNBINARY_LINE);
    else if (u->state == IN_HEADER)
        header_line(u, line);
    else if (find_delimiter(u, line, &d))
        take_delimiter(u, &d, line);
    else
        buf_add(&u->out, line);
}

/* False: there is no room. */
static bool
hold_line(struct unbinary *u, struct str part)
{
    if (part.len > sizeof(u->line) - u->line_len)
        return false;
    mem_copy(u->line + u->line_len, part.ptr, part.len);
    u->line_len += part.len;
    return true;
}

static void
take_lines(struct unbinary *u, struct scan *in)
{
    struct str part = scan_rest(in);
    ssize_t lf = str_find(part, '\n');

    if (lf >= 0)
        part.len = (size_t)lf + 1;
    in->pos += part.len;
    if (u->line_len == 0 && lf >= 0) { /* most are whole in what came */
        take_line(u, part);
        return;
    }
    if (!hold_line(u, part)) {
        fail(u, UNBINARY_LINE);
        return;
    }
    if (lf < 0)
        return;
    struct str line = str_from(u->line, u->line_len);
    u->line_len = 0;
    take_line(u, line);
}

/* ---- binary bodies ---- */

/* The last line of base64, and the line end that is the delimiter's. */
static void
end_binary(struct unbinary *u)
{
    encode_line(u);
    if (u->encoded || u->break_held)
        buf_add(&u->out, STR("\r\n"));
    u->break_held = false;
}

/* A line that began with "--" is whole. */
static void
take_candidate(struct unbinary *u)
{
    struct str line = str_from(u->line, u->line_len);
    struct delimiter d;

    if (is_line(line) && find_delimiter(u, line, &d)) {
        end_binary(u);
        u->line_len = 0;
        take_delimiter(u, &d, line);
        return;
    }
    u->line_len -= 2;
    encode_held(u);
    u->break_held = true;
}

/* Whether the line may still be a delimiter when c is added to it. */
static bool
is_candidate(const struct unbinary *u, char c)
{
    size_t n = u->line_len;
    bool after_cr = n > 0 && u->line[n - 1] == '\r';

    if (n < 2)
        return c == '-';
    return n < sizeof(u->line) && c != '\0' && after_cr == (c == '\n');
}

static void
take_binary_line(struct unbinary *u, struct scan *in)
{
    char c = *in->pos;

    if (!is_candidate(u, c)) {
        encode_held(u);
        u->state = BINARY_TEXT;
        return;
    }
    u->line[u->line_len++] = c;
    in->pos++;
    if (c == '\n')
        take_candidate(u);
}

static void
take_binary_text(struct unbinary *u, struct scan *in)
{
    struct str part = scan_rest(in);
    ssize_t cr = str_find(part, '\r');

    if (cr >= 0)
        part.len = (size_t)cr;
    encode(u, part);
    in->pos += part.len;
    if (cr < 0)
        return;
    in->pos++;
    u->state = BINARY_CR;
}

static void
take_binary_cr(struct unbinary *u, struct scan *in)
{
    u->state = BINARY_TEXT;
    if (*in->pos != '\n') {
        encode(u, STR("\r"));
        return;
    }
    in->pos++;
    u->break_held = true;
    u->state = BINARY_LINE;
}

static void
take_slice(struct unbinary *u, struct scan *in)
{
    switch (u->state) {
    case BINARY_LINE: take_binary_line(u, in); break;
    case BINARY_TEXT: take_binary_text(u, in); break;
    case BINARY_CR: take_binary_cr(u, in); break;
    default: take_lines(u, in);
    }
}

/* A delimiter may lack its line end at the end of a message; all else that is held is of the body. */
static void
end_in_binary(struct unbinary *u)
{
    struct delimiter d;

    if (u->state == BINARY_CR)
        encode(u, STR("\r"));
    else if (u->state == BINARY_LINE && u->line_len > 0 && u->line[u->line_len - 1] != '\r' &&
             hold_line(u, STR("\r\n"))) {
        if (find_delimiter(u, str_from(u->line, u->line_len), &d)) {
            take_candidate(u);
            return;
        }
        u->line_len -= 2;
    }
    encode_held(u);
    end_binary(u);
}

struct str
unbinary_end(struct unbinary *u)
{
    buf_reset(&u->out);
    if (u->fault == UNBINARY_FINE && u->state >= BINARY_LINE) {
        end_in_binary(u);
    } else if (u->fault == UNBINARY_FINE && u->line_len > 0) {
        struct scan rest = scan_of(STR("\r\n"));
        take_lines(u, &rest);
    }
    if (u->fault == UNBINARY_FINE && u->state == IN_HEADER) {
        end_field(u);
        end_header(u, STR_NONE);
    }
    ASSERT(buf_status(&u->out) == OK);
    return u->fault == UNBINARY_FINE ? buf_str(&u->out) : STR_NONE;
}
