/* canon.c - DKIM canonicalisation and the signature field.  See canon.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/canon.h"
#include "base/encode.h"
#include "base/size.h"
#include "mail/header.h"

enum { NAMED_MAX = 10 }; /* instances of one field that are signed */

void
canon_body_init(struct canon_body *c, enum canon_kind kind)
{
    *c = (struct canon_body){.kind = kind};
}

static enum canon_event
give(struct canon_body *c, struct str run, struct str *run_out)
{
    ASSERT(run.len > 0);
    c->size += run.len;
    *run_out = run;
    return CANON_RUN;
}

/* Hands out held line breaks, many at a time: an attacker may send a million. */
static enum canon_event
give_breaks(struct canon_body *c, struct str *run_out)
{
    static const char many[] = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";
    uint64_t n = MIN(c->breaks, (sizeof(many) - 1) / 2);

    c->breaks -= n;
    return give(c, str_from(many, (size_t)n * 2), run_out);
}

/* The first byte that the kind treats in a special way; single spaces inside text are not among them. */
static const char *
plain_end(const struct canon_body *c, const char *p, const char *end)
{
    bool relaxed = c->kind == CANON_RELAXED;

    for (; p < end; p++) {
        if (*p == '\r')
            break;
        if (!relaxed || (*p != ' ' && *p != '\t'))
            continue;
        bool single = *p == ' ' && end - p > 1 && p[1] != ' ' && p[1] != '\t' && p[1] != '\r';
        if (!single)
            break;
    }
    return p;
}

/* A CR was held back; what follows says what it is. */
static enum canon_event
after_cr(struct canon_body *c, struct scan *in, struct str *run_out)
{
    if (*in->pos == '\n') {
        in->pos++;
        c->cr = false;
        c->space = false; /* white space at the end of a line */
        c->breaks++;
        return CANON_MORE;
    }
    if (c->breaks > 0)
        return give_breaks(c, run_out);
    if (c->space) {
        c->space = false;
        return give(c, STR(" "), run_out);
    }
    c->cr = false;
    return give(c, STR("\r"), run_out);
}

/* Text that is not white space: what was held back comes first. */
static enum canon_event
take_text(struct canon_body *c, struct scan *in, struct str *run_out)
{
    if (c->breaks > 0)
        return give_breaks(c, run_out);
    if (c->space) {
        c->space = false;
        return give(c, STR(" "), run_out);
    }
    const char *from = in->pos;
    in->pos = plain_end(c, in->pos, in->end);
    return give(c, str_from(from, (size_t)(in->pos - from)), run_out);
}

enum canon_event
canon_body(struct canon_body *c, struct scan *in, struct str *run_out)
{
    ASSERT(!c->ended);
    while (in->pos < in->end) {
        enum canon_event event = CANON_MORE;

        if (c->cr) {
            event = after_cr(c, in, run_out);
        } else if (*in->pos == '\r') {
            c->cr = true;
            in->pos++;
        } else if (c->kind == CANON_RELAXED && ascii_is_space(*in->pos) &&
                   (c->space || plain_end(c, in->pos, in->end) == in->pos)) {
            c->space = true;
            in->pos++;
        } else {
            event = take_text(c, in, run_out);
        }
        if (event == CANON_RUN)
            return event;
    }
    return CANON_MORE;
}

/* RFC 6376 sections 3.4.3 and 3.4.4: no empty lines at the end, one line break after what is there; nothing at
 * all stays nothing when relaxed and is one line break when simple. */
enum canon_event
canon_body_end(struct canon_body *c, struct str *run_out)
{
    if (c->ended)
        return CANON_MORE;
    if (c->cr) { /* a bare CR ends the body */
        struct scan none = scan_of(STR("x"));
        return after_cr(c, &none, run_out);
    }
    c->ended = true;
    if (c->size == 0 && c->kind == CANON_RELAXED)
        return CANON_MORE;
    c->breaks = 1;
    return give_breaks(c, run_out);
}

/* RFC 6376 section 3.4.2: name in lower case, unfolded, white space runs to one space, none at both ends. */
static void
relaxed_header(struct buf *b, struct str name, struct str value)
{
    bool space = false;
    bool any = false;

    for (size_t i = 0; i < name.len; i++)
        buf_add_char(b, ascii_lower(name.ptr[i]));
    buf_add_char(b, ':');
    for (size_t i = 0; i < value.len; i++) {
        char x = value.ptr[i];
        if (x == '\r' || x == '\n')
            continue;
        if (ascii_is_space(x)) {
            space = any;
            continue;
        }
        if (space)
            buf_add_char(b, ' ');
        buf_add_char(b, x);
        space = false;
        any = true;
    }
}

static void
add_field(struct buf *b, enum canon_kind kind, struct str whole)
{
    struct str rest = whole;
    struct str name = STR_NONE;

    if (kind == CANON_SIMPLE) {
        while (rest.len > 0 && (rest.ptr[rest.len - 1] == '\n' || rest.ptr[rest.len - 1] == '\r'))
            rest.len--;
        buf_add(b, rest);
        return;
    }
    (void)str_split(&rest, ':', &name);
    relaxed_header(b, str_trim(name), rest);
}

void
canon_header(struct buf *b, enum canon_kind kind, struct str whole)
{
    ASSERT(b != NULL);
    add_field(b, kind, whole);
    buf_add(b, STR("\r\n"));
}

/* Named once more than they occur, so that none can be added?  Of how to leave a list only where the author says it:
 * else every list that adds its own would break the signatures of its members. */
enum over { OVER_NOT, OVER_THERE, OVER_ALWAYS };
/* What is signed. */
static const struct {
    struct str name;
    enum header_id id;
    enum over over;
} signed_names[] = {
    {{"from", 4}, HEADER_FROM, OVER_ALWAYS},
    {{"to", 2}, HEADER_TO, OVER_ALWAYS},
    {{"cc", 2}, HEADER_CC, OVER_ALWAYS},
    {{"subject", 7}, HEADER_SUBJECT, OVER_ALWAYS},
    {{"date", 4}, HEADER_DATE, OVER_ALWAYS},
    {{"reply-to", 8}, HEADER_REPLY_TO, OVER_ALWAYS},
    {{"message-id", 10}, HEADER_MESSAGE_ID, OVER_ALWAYS},
    {{"mime-version", 12}, HEADER_MIME_VERSION, OVER_ALWAYS},
    {{"content-type", 12}, HEADER_CONTENT_TYPE, OVER_ALWAYS},
    {{"content-transfer-encoding", 25}, HEADER_CONTENT_TRANSFER_ENCODING, OVER_NOT},
    {{"sender", 6}, HEADER_SENDER, OVER_NOT},
    {{"in-reply-to", 11}, HEADER_IN_REPLY_TO, OVER_NOT},
    {{"references", 10}, HEADER_REFERENCES, OVER_NOT},
    {{"list-id", 7}, HEADER_LIST_ID, OVER_NOT},
    {{"list-post", 9}, HEADER_LIST_POST, OVER_NOT},
    {{"list-help", 9}, HEADER_LIST_HELP, OVER_NOT},
    {{"list-subscribe", 14}, HEADER_LIST_SUBSCRIBE, OVER_NOT},
    {{"list-unsubscribe", 16}, HEADER_LIST_UNSUBSCRIBE, OVER_THERE},
    {{"list-unsubscribe-post", 21}, HEADER_LIST_UNSUBSCRIBE_POST, OVER_THERE},
};

void
dkim_names_write(struct str header, struct arena *a, struct buf *names)
{
    struct header_index x;

    ASSERT(names != NULL);
    header_index(header, a, &x);
    for (size_t i = 0; i < COUNT_OF(signed_names); i++) {
        uint32_t first = x.first[signed_names[i].id];
        enum over over = signed_names[i].over;
        uint32_t count = over == OVER_ALWAYS || (over == OVER_THERE && first != 0) ? 1 : 0;
        for (uint32_t n = first; n != 0 && count < NAMED_MAX; n = x.at[n - 1].next)
            count++;
        for (; count > 0; count--) {
            if (names->len > 0)
                buf_add_char(names, ':');
            buf_add(names, signed_names[i].name);
        }
    }
}

enum { FOLD_AT = 76 };

/* "; tag=value", on a new line when it would pass the margin. */
static void
add_tag(struct buf *b, size_t *line, const char *tag, struct str value)
{
    struct str name = str_of(tag);

    buf_add_char(b, ';');
    if (b->len - *line + name.len + value.len + 3 > FOLD_AT) {
        buf_add(b, STR("\r\n\t"));
        *line = b->len;
    } else {
        buf_add_char(b, ' ');
    }
    buf_add(b, name);
    buf_add_char(b, '=');
    buf_add(b, value);
}

/* h= folds between names (RFC 6376 section 3.5: FWS around the colons). */
static void
add_names(struct buf *b, size_t *line, struct str names)
{
    struct str rest = names;
    struct str name = STR_NONE;
    bool first = true;

    buf_add(b, STR(";\r\n\th="));
    *line = b->len - 2;
    while (str_split(&rest, ':', &name)) {
        if (!first)
            buf_add_char(b, ':');
        first = false;
        if (b->len - *line + name.len + 1 > FOLD_AT) {
            buf_add(b, STR("\r\n\t "));
            *line = b->len;
        }
        buf_add(b, name);
    }
}

void
dkim_header_write(struct buf *b, const struct dkim_signature *s, struct str names)
{
    AUTO_BUF hash = BUF(200);
    AUTO_BUF time = BUF(24);
    size_t line = b->len;

    ASSERT(s->domain.len > 0 && s->selector.len > 0 && s->body_hash.len > 0);
    buf_add_base64(&hash, s->body_hash);
    buf_add_i64(&time, s->time.us / 1000000);
    buf_add(b, STR("DKIM-Signature: v=1"));
    add_tag(b, &line, "a", s->algorithm);
    add_tag(b, &line, "c", STR("relaxed/relaxed"));
    add_tag(b, &line, "d", s->domain);
    add_tag(b, &line, "s", s->selector);
    add_tag(b, &line, "t", buf_str(&time));
    add_names(b, &line, names);
    add_tag(b, &line, "bh", buf_str(&hash));
    buf_add(b, STR(";\r\n\tb="));
}

/* The instance of a field, counted from the bottom; none when there are fewer. */
static bool
find_from_bottom(struct str header, struct str name, uint32_t from_bottom, struct header_field *out)
{
    struct header_cursor c = header_cursor_of(header);
    struct header_field f;
    uint32_t total = 0;

    while (header_next_named(&c, name, &f))
        total++;
    if (from_bottom >= total)
        return false;
    c = header_cursor_of(header);
    for (uint32_t i = total - from_bottom; i > 0; i--)
        (void)header_next_named(&c, name, out);
    return true;
}

void
dkim_header_input(struct str header, struct str names, struct str unsigned_field, struct buf *out)
{
    struct str rest = names;
    struct str name = STR_NONE;
    struct header_field f;

    ASSERT(out != NULL);
    while (str_split(&rest, ':', &name)) {
        /* How often the name stood before says which instance it means. */
        struct str before = str_from(names.ptr, (size_t)(name.ptr - names.ptr));
        struct str earlier = STR_NONE;
        uint32_t seen = 0;

        while (str_split(&before, ':', &earlier))
            seen += str_eq_nocase(str_trim(earlier), str_trim(name));
        if (find_from_bottom(header, str_trim(name), seen, &f))
            canon_header(out, CANON_RELAXED, f.whole);
    }
    if (unsigned_field.len > 0)
        add_field(out, CANON_RELAXED, unsigned_field);
}

void
dkim_header_finish(struct buf *b, struct str signature)
{
    AUTO_BUF text = BUF(2048);

    buf_add_base64(&text, signature);
    ASSERT(buf_status(&text) == OK && text.len > 0);
    struct str rest = buf_str(&text);
    while (rest.len > 0) {
        buf_add(b, str_sub(rest, 0, FOLD_AT - 4));
        rest = str_skip(rest, FOLD_AT - 4);
        buf_add(b, rest.len > 0 ? STR("\r\n\t ") : STR("\r\n"));
    }
}
