/* mime.c - the tree of MIME parts.  See mime.h.
 *
 * The parser goes from line to line with memchr() and looks closer only at lines that begin with "--".
 * Containers that are open stand on a stack; a delimiter closes all that are above its own.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/size.h"
#include "mail/header.h"
#include "mail/mime.h"

enum { PARTS_START = 8 };

struct open {
    uint32_t part;
    uint32_t last_child;
    uint32_t children;
    struct str boundary; /* empty: a message/rfc822, or a multipart that was closed */
    bool digest; /* its parts are messages unless they say otherwise (RFC 2046 section 5.1.5) */
};

struct parser {
    struct str in;
    size_t pos;   /* at the start of a line */
    size_t lines; /* line ends before pos */
    struct arena *arena;
    struct mime_tree *tree;
    uint32_t cap;
    uint32_t leaf; /* the open leaf, or MIME_NONE */
    uint32_t depth;
    struct open stack[MIME_DEPTH_MAX];
    size_t body_line[MIME_DEPTH_MAX +
                     1]; /* `lines` where the bodies of the stack's parts and the leaf begin */
};

struct delimiter {
    uint32_t level; /* of the stack */
    bool close;     /* "--" follows the boundary */
    size_t at;      /* where the line break before it begins */
    size_t lines;   /* line ends before `at` */
    size_t next;    /* the line after it */
};

static size_t
line_next(const struct parser *p, size_t pos)
{
    const char *lf = memchr(p->in.ptr + pos, '\n', p->in.len - pos);

    return lf != NULL ? (size_t)(lf - p->in.ptr) + 1 : p->in.len;
}

/* The innermost open multipart whose boundary text begins with. */
static bool
match_boundary(struct parser *p, struct str text, bool loose, struct delimiter *d)
{
    for (uint32_t level = p->depth; level-- > 0;) {
        struct str boundary = p->stack[level].boundary;

        p->tree->steps++;
        if (mime_delimits(text, boundary, loose, &d->close)) {
            d->level = level;
            return true;
        }
    }
    return false;
}

/* Is the line at pos a delimiter of an open multipart?
 * delimiter := "--" boundary, transport-padding       RFC 2046 section 5.1.1 */
static bool
find_delimiter(struct parser *p, size_t pos, struct delimiter *out)
{
    const char *start = p->in.ptr + pos;

    if (p->in.len - pos < 3 || start[0] != '-' || start[1] != '-' || p->tree->cut)
        return false;
    size_t next = line_next(p, pos);
    struct str text = str_from(start + 2, next - pos - 2);
    while (text.len > 0 && (ascii_is_space(text.ptr[text.len - 1]) ||
                            text.ptr[text.len - 1] == '\r' || text.ptr[text.len - 1] == '\n'))
        text.len--;
    struct delimiter d = {.at = pos, .next = next};
    if (!match_boundary(p, text, false, &d) && !match_boundary(p, text, true, &d))
        return false;
    *out = d;
    return true;
}

/* Steps back over the line break that belongs to the delimiter. */
static void
place_delimiter(const struct parser *p, struct delimiter *d)
{
    d->lines = p->lines;
    if (d->at > 0) {
        d->at--;
        d->lines--;
        if (d->at > 0 && p->in.ptr[d->at - 1] == '\r')
            d->at--;
    }
}

static uint32_t
add_part(struct parser *p)
{
    struct mime_tree *t = p->tree;
    struct open *in = p->depth > 0 ? &p->stack[p->depth - 1] : NULL;

    ASSERT(t->count < MIME_PARTS_MAX);
    if (t->count == p->cap) {
        uint32_t cap = MIN(p->cap * 4, MIME_PARTS_MAX);
        struct mime_part *wider = ARENA_ARRAY(p->arena, struct mime_part, cap);
        for (uint32_t i = 0; i < t->count; i++)
            wider[i] = t->parts[i];
        t->parts = wider;
        p->cap = cap;
    }
    uint32_t index = t->count++;
    struct mime_part *part = &t->parts[index];
    *part = (struct mime_part){.kind = MIME_LEAF,
                               .depth = p->depth,
                               .number = 1,
                               .parent = MIME_NONE,
                               .first_child = MIME_NONE,
                               .next = MIME_NONE,
                               .header_at = p->pos,
                               .type = STR("text"),
                               .subtype = STR("plain")};
    if (in == NULL)
        return index;
    part->parent = in->part;
    part->number = ++in->children;
    if (in->last_child == MIME_NONE)
        t->parts[in->part].first_child = index;
    else
        t->parts[in->last_child].next = index;
    in->last_child = index;
    return index;
}

static enum mime_field
field_of(struct str name)
{
    switch (header_id_of(name)) {
    case HEADER_CONTENT_TYPE: return MIME_CONTENT_TYPE;
    case HEADER_CONTENT_TRANSFER_ENCODING: return MIME_CONTENT_ENCODING;
    case HEADER_CONTENT_DISPOSITION: return MIME_CONTENT_DISPOSITION;
    case HEADER_CONTENT_ID: return MIME_CONTENT_ID;
    case HEADER_CONTENT_DESCRIPTION: return MIME_CONTENT_DESCRIPTION;
    case HEADER_CONTENT_MD5: return MIME_CONTENT_MD5;
    case HEADER_CONTENT_LANGUAGE: return MIME_CONTENT_LANGUAGE;
    case HEADER_CONTENT_LOCATION: return MIME_CONTENT_LOCATION;
    default: return MIME_FIELD_COUNT;
    }
}

/* The first field of each name counts. */
static void
read_fields(struct mime_part *part, struct str block)
{
    struct header_cursor c = header_cursor_of(block);
    struct header_field f;

    while (header_next(&c, &f)) {
        if (ascii_lower(f.name.ptr[0]) != 'c' || f.name.len < 10)
            continue;
        enum mime_field field = field_of(f.name);
        if (field < MIME_FIELD_COUNT && part->field[field].ptr == NULL)
            part->field[field] = f.value;
    }
}

/* Moves over the header block: to the line after the empty one, or to a delimiter that cuts it short. */
static void
skip_header(struct parser *p)
{
    struct delimiter d;

    while (p->pos < p->in.len) {
        size_t next = line_next(p, p->pos);
        const char *line = p->in.ptr + p->pos;
        bool empty = line[0] == '\n' || (next - p->pos == 2 && line[0] == '\r' && line[1] == '\n');

        if (!empty && find_delimiter(p, p->pos, &d))
            return;
        p->tree->steps++;
        p->lines += p->in.ptr[next - 1] == '\n';
        p->pos = next;
        if (empty)
            return;
    }
}

static void
retype(struct mime_part *part, struct str type, struct str subtype)
{
    part->kind = MIME_LEAF;
    part->retyped = true;
    part->type = type;
    part->subtype = subtype;
}

static void
push(struct parser *p, uint32_t index, struct str boundary)
{
    bool digest = str_eq_nocase(p->tree->parts[index].subtype, STR("digest"));

    p->body_line[p->depth] = p->lines;
    p->stack[p->depth++] = (struct open){
        .part = index, .last_child = MIME_NONE, .boundary = boundary, .digest = digest};
}

static bool
is_encoded(const struct mime_part *part)
{
    enum transfer t = mime_transfer(part);

    return t == TRANSFER_BASE64 || t == TRANSFER_QUOTED_PRINTABLE;
}

/* Sets type and kind from the fields; true when the part is a container, with its boundary. */
static bool
classify(struct parser *p, struct mime_part *part, struct str *boundary_out)
{
    struct str value = part->field[MIME_CONTENT_TYPE];
    bool digest = p->depth > 0 && p->stack[p->depth - 1].digest;
    struct content c;

    if (value.ptr == NULL) {
        part->type = digest ? STR("message") : part->type;
        part->subtype = digest ? STR("rfc822") : part->subtype;
    } else if (content_type_parse(value, p->arena, &c)) {
        part->type = c.type;
        part->subtype = c.subtype;
    }
    bool multipart = value.ptr != NULL && str_eq_nocase(part->type, STR("multipart"));
    bool message = mime_is_message(part->type, part->subtype);
    if (!multipart && !message)
        return false;
    struct str boundary = STR_NONE;
    if (multipart && !mime_boundary(&c, &boundary)) {
        retype(part, STR("text"), STR("plain"));
        return false;
    }
    bool no_room = p->depth == MIME_DEPTH_MAX || (message && p->tree->count == MIME_PARTS_MAX);
    p->tree->cut = p->tree->cut || (message && p->tree->count == MIME_PARTS_MAX);
    if (no_room || (message && is_encoded(part))) {
        retype(part, STR("application"), STR("octet-stream"));
        return false;
    }
    part->kind = multipart ? MIME_MULTIPART : MIME_MESSAGE;
    *boundary_out = boundary;
    return true;
}

/* Reads the header of a part that begins at pos.  True when another part begins where its body does. */
static bool
begin_part(struct parser *p)
{
    uint32_t index = add_part(p);
    size_t header_at = p->pos;
    struct str boundary = STR_NONE;

    skip_header(p);
    struct mime_part *part = &p->tree->parts[index];
    read_fields(part, str_sub(p->in, header_at, p->pos - header_at));
    part->body_at = p->pos;
    if (!classify(p, part, &boundary)) {
        p->leaf = index;
        p->body_line[p->depth] = p->lines;
        return false;
    }
    push(p, index, boundary);
    return part->kind == MIME_MESSAGE;
}

/* A part ends at `at`.  A delimiter right behind a header takes that header's last line break, so all three
 * offsets are held below it. */
static void
end_part(struct mime_part *part, size_t at, size_t lines, size_t body_line)
{
    part->header_at = MIN(part->header_at, at);
    part->body_at = MIN(part->body_at, at);
    part->end = at;
    part->body_lines = lines > body_line ? lines - body_line : 0;
    if (part->kind == MIME_MULTIPART && part->first_child == MIME_NONE)
        retype(part, STR("text"), STR("plain"));
}

/* Ends the open leaf and every container above the first `keep`. */
static void
end_down_to(struct parser *p, uint32_t keep, size_t at, size_t lines)
{
    struct mime_part *parts = p->tree->parts;

    if (p->leaf != MIME_NONE)
        end_part(&parts[p->leaf], at, lines, p->body_line[p->depth]);
    p->leaf = MIME_NONE;
    while (p->depth > keep) {
        p->depth--;
        end_part(&parts[p->stack[p->depth].part], at, lines, p->body_line[p->depth]);
    }
}

static void
take_delimiter(struct parser *p, struct delimiter *d)
{
    if (!d->close && p->tree->count == MIME_PARTS_MAX) {
        p->tree->cut = true; /* from here on all belongs to the part that is open */
        return;
    }
    place_delimiter(p, d);
    end_down_to(p, d->level + 1, d->at, d->lines);
    p->lines += p->in.ptr[d->next - 1] == '\n';
    p->pos = d->next;
    if (d->close) {
        p->stack[d->level].boundary = STR_NONE; /* what follows is the epilogue */
        return;
    }
    while (begin_part(p))
        continue;
}

/* Moves to the next line that begins with "--", or to the end. */
static void
skip_lines(struct parser *p)
{
    const char *from = p->in.ptr + p->pos;
    const char *end = p->in.ptr + p->in.len;
    size_t lines = 0;

    while (from < end) {
        const char *lf = memchr(from, '\n', (size_t)(end - from));
        if (lf == NULL) {
            from = end;
            break;
        }
        from = lf + 1;
        lines++;
        if (end - from > 2 && from[0] == '-' && from[1] == '-')
            break;
    }
    p->pos = (size_t)(from - p->in.ptr);
    p->lines += lines;
    p->tree->steps += lines + 1;
}

void
mime_parse(struct str message, struct arena *a, struct mime_tree *out)
{
    struct parser p = {
        .in = message, .arena = a, .tree = out, .cap = PARTS_START, .leaf = MIME_NONE};
    struct delimiter d;

    ASSERT(a != NULL);
    *out = (struct mime_tree){.parts = ARENA_ARRAY(a, struct mime_part, PARTS_START)};
    while (begin_part(&p))
        continue;
    while (p.pos < message.len) {
        if (find_delimiter(&p, p.pos, &d))
            take_delimiter(&p, &d);
        else
            skip_lines(&p);
    }
    end_down_to(&p, 0, message.len, p.lines);
    ASSERT(out->count > 0 && out->parts[0].end == message.len);
}

/* What follows a boundary on its line decides: nothing, "--", or these and white space. */
bool
mime_delimits(struct str text, struct str boundary, bool loose, bool *close_out)
{
    if (boundary.len == 0 || !str_starts(text, boundary))
        return false;
    struct str tail = str_skip(text, boundary.len);
    bool close = str_starts(tail, STR("--"));
    struct str rest = close ? str_skip(tail, 2) : tail;

    if (rest.len > 0 && !(loose && ascii_is_space(rest.ptr[0])))
        return false;
    *close_out = close || str_eq(str_trim(tail), STR("--"));
    return true;
}

/* boundary := 0*69<bchars> bcharsnospace       RFC 2046 section 5.1.1 */
bool
mime_boundary(const struct content *c, struct str *out)
{
    struct str boundary = STR_NONE;

    (void)param_raw(&c->params, STR("boundary"), &boundary);
    while (boundary.len > 0 && ascii_is_space(boundary.ptr[boundary.len - 1]))
        boundary.len--;
    if (boundary.len == 0 || boundary.len > MIME_BOUNDARY_MAX)
        return false;
    *out = boundary;
    return true;
}

bool
mime_is_message(struct str type, struct str subtype)
{
    return str_eq_nocase(type, STR("message")) &&
           (str_eq_nocase(subtype, STR("rfc822")) || str_eq_nocase(subtype, STR("global")));
}

bool
mime_is(const struct mime_part *p, struct str type, struct str subtype)
{
    return str_eq_nocase(p->type, type) && str_eq_nocase(p->subtype, subtype);
}

enum transfer
mime_transfer(const struct mime_part *p)
{
    return transfer_of(p->field[MIME_CONTENT_ENCODING]);
}

void
mime_content(const struct mime_part *p, struct arena *a, struct content *out)
{
    out->params.count = 0;
    out->params.cut = false;
    if (!p->retyped && p->field[MIME_CONTENT_TYPE].ptr != NULL)
        (void)content_type_parse(p->field[MIME_CONTENT_TYPE], a, out);
    out->type = p->type;
    out->subtype = p->subtype;
}

bool
mime_is_attachment(const struct mime_part *p, struct arena *a)
{
    struct content c;
    struct str name = STR_NONE;

    if (content_disposition_parse(p->field[MIME_CONTENT_DISPOSITION], a, &c))
        return !str_eq_nocase(c.type, STR("inline"));
    mime_content(p, a, &c);
    return !str_eq_nocase(p->type, STR("text")) &&
           (param_raw(&c.params, STR("name"), &name) || param_raw(&c.params, STR("name*"), &name));
}
