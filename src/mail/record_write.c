/* record_write.c - making the parsed-once record.  See record.h; the reader is record.c.
 *
 * record  = version flags sent zone size fields preview subject subject-hash id-hash refs part-count *part
 * part    = length kind depth header-at header-size body-size body-lines 9*string params params envelope
 * params  = length *(name value)
 * Numbers are varints, strings varint length and bytes, hashes 8 bytes big-endian.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/size.h"
#include "mail/header.h"
#include "mail/preview.h"
#include "mail/record.h"
#include "mail/subject.h"

/* Longer values than these say nothing. */
enum { REFS_VALUE_MAX = 64 << 10, PART_STRING_MAX = 2048, ENCODING_MAX = 64, SHORT_TYPE_MAX = 24 };

struct writer {
    struct str message;
    struct arena *arena;
    size_t text_left; /* of RECORD_TEXT_MAX */
    bool cut;
    struct content *type; /* two kilobytes each: in the arena, not on the stack */
    struct content *disposition;
};

bool
record_keeps(struct str name)
{
    switch (header_id_of(name)) {
    case HEADER_OTHER:
    case HEADER_RECEIVED:
    case HEADER_RESENT_BCC:
    case HEADER_DKIM_SIGNATURE: return false;
    default: return true;
    }
}

static bool
in_envelope(struct str name)
{
    enum header_id id = header_id_of(name);

    return (id >= HEADER_FROM && id <= HEADER_IN_REPLY_TO);
}

/* A field as it stands, made to end with a line break. */
static void
add_field(struct buf *b, struct str whole)
{
    buf_add(b, whole);
    if (!str_ends(whole, STR("\n")))
        buf_add(b, STR("\r\n"));
}

/* The kept fields of the message's header; false when some did not fit. */
static bool
collect_fields(struct str block, struct buf *fields)
{
    struct header_cursor c = header_cursor_of(block);
    struct header_field f;
    bool all = block.len <= HEADER_BYTES_MAX;

    while (header_next(&c, &f)) {
        if (!record_keeps(f.name))
            continue;
        if (fields->len + f.whole.len + 2 > RECORD_FIELDS_MAX)
            all = false;
        else
            add_field(fields, f.whole);
    }
    return all && c.fields < HEADER_FIELDS_MAX;
}

static struct str
field_value(struct str block, enum header_id id)
{
    struct header_field f;

    return header_find(block, header_id_name(id), &f) ? f.value : STR_NONE;
}

/* The ids of References, else the first of In-Reply-To.  Too many: the first, which is the root of the
 * thread, and the last ones. */
static void
add_refs(struct buf *b, struct str fields)
{
    uint64_t hashes[RECORD_REFS_MAX] = {0};
    uint32_t n = 0;
    struct str value = str_sub(field_value(fields, HEADER_REFERENCES), 0, REFS_VALUE_MAX);
    struct str id = STR_NONE;
    struct scan s = scan_of(value);

    while (scan_message_id(&s, &id)) {
        if (n == RECORD_REFS_MAX) {
            for (uint32_t i = 1; i + 1 < n; i++)
                hashes[i] = hashes[i + 1];
            n--;
        }
        hashes[n++] = hash_stable(id);
    }
    s = scan_of(str_sub(field_value(fields, HEADER_IN_REPLY_TO), 0, REFS_VALUE_MAX));
    if (n == 0 && scan_message_id(&s, &id))
        hashes[n++] = hash_stable(id);
    buf_add_varint(b, n);
    for (uint32_t i = 0; i < n; i++)
        buf_add_be64(b, hashes[i]);
}

/* A string of a part, or the empty one when there is no room left. */
static void
add_text(struct writer *w, struct buf *b, struct str text)
{
    if (text.len > w->text_left) {
        w->cut = true;
        text = STR_NONE;
    }
    w->text_left -= text.len;
    buf_add_bytes(b, text);
}

/* A raw field value, unfolded. */
static void
add_value(struct writer *w, struct buf *b, struct str value)
{
    AUTO_BUF text = BUF(PART_STRING_MAX);

    header_unfold(&text, str_sub(str_trim(value), 0, PART_STRING_MAX));
    add_text(w, b, str_trim(buf_str(&text)));
}

static void
add_encoding(struct writer *w, struct buf *b, const struct mime_part *p)
{
    struct str token = str_trim(p->field[MIME_CONTENT_ENCODING]);
    size_t n = 0;

    while (n < token.len && n < ENCODING_MAX &&
           (ascii_is_alnum(token.ptr[n]) || token.ptr[n] == '-' || token.ptr[n] == '_'))
        n++;
    add_text(w, b, n > 0 ? str_sub(token, 0, n) : STR("7BIT"));
}

static void
add_params(struct writer *w, struct buf *b, const struct params *params)
{
    AUTO_BUF list = BUF(PARAMS_MAX * (PARAM_NAME_BYTES + PARAM_VALUE_BYTES + 8));

    for (uint32_t i = 0; i < params->count; i++) {
        buf_add_bytes(&list, params->at[i].name);
        buf_add_bytes(&list, params->at[i].value);
    }
    add_text(w, b, buf_str(&list));
}

/* The fields of the message inside a message/rfc822 part. */
static void
add_envelope(struct writer *w, struct buf *b, const struct mime_part *inner)
{
    AUTO_BUF fields = BUF(RECORD_TEXT_MAX);
    struct header_field f;
    struct header_cursor c =
        header_cursor_of(str_sub(w->message, inner->header_at, inner->body_at - inner->header_at));

    while (header_next(&c, &f)) {
        if (!in_envelope(f.name))
            continue;
        if (fields.len + f.whole.len + 2 > w->text_left)
            w->cut = true;
        else
            add_field(&fields, f.whole);
    }
    add_text(w, b, buf_str(&fields));
}

static void
add_content(struct writer *w, struct buf *b, const struct mime_part *p)
{
    struct content *c = w->type;

    mime_content(p, w->arena, c);
    if (p->field[MIME_CONTENT_TYPE].ptr == NULL && str_eq_nocase(p->type, STR("text"))) {
        /* RFC 2045 section 5.2: what says nothing is this. */
        c->params.at[0] = (struct param){.name = STR("charset"), .value = STR("us-ascii")};
        c->params.count = 1;
    }
    add_params(w, b, &c->params);
}

/* No structure can be printed without type and subtype, so the usual ones are always there; when there is no room
 * left for longer ones, they become the plainest of their kind. */
static void
add_type(struct writer *w, struct buf *b, const struct mime_part *p)
{
    bool multipart = p->kind == MIME_MULTIPART;
    size_t len = p->type.len + p->subtype.len;

    if (len > SHORT_TYPE_MAX && len > w->text_left) {
        w->cut = true;
        buf_add_bytes(b, multipart ? p->type : STR("application"));
        buf_add_bytes(b, multipart ? STR("mixed") : STR("octet-stream"));
        return;
    }
    w->text_left -= len > SHORT_TYPE_MAX ? len : 0;
    buf_add_bytes(b, p->type);
    buf_add_bytes(b, p->subtype);
}

static void
add_part(struct writer *w, struct buf *b, const struct mime_tree *t, const struct mime_part *p)
{
    AUTO_BUF one = BUF(RECORD_MAX);
    struct content *disposition = w->disposition;

    if (!content_disposition_parse(p->field[MIME_CONTENT_DISPOSITION], w->arena, disposition))
        disposition->type = STR_NONE;
    buf_add_char(&one, (char)p->kind);
    buf_add_char(&one, (char)p->depth);
    buf_add_varint(&one, p->header_at);
    buf_add_varint(&one, p->body_at - p->header_at);
    buf_add_varint(&one, p->end - p->body_at);
    buf_add_varint(&one, p->body_lines);
    add_type(w, &one, p);
    add_encoding(w, &one, p);
    add_value(w, &one, p->field[MIME_CONTENT_ID]);
    add_value(w, &one, p->field[MIME_CONTENT_DESCRIPTION]);
    add_value(w, &one, p->field[MIME_CONTENT_MD5]);
    add_value(w, &one, p->field[MIME_CONTENT_LANGUAGE]);
    add_value(w, &one, p->field[MIME_CONTENT_LOCATION]);
    add_text(w, &one, disposition->type);
    add_content(w, &one, p);
    add_params(w, &one, &disposition->params);
    if (p->kind == MIME_MESSAGE)
        add_envelope(w, &one, &t->parts[p->first_child]);
    else
        add_text(w, &one, STR_NONE);
    buf_add_bytes(b, buf_str(&one));
}

/* Parts in the order of their appearance, which is the order of mime_tree.parts. */
static void
add_parts(struct writer *w, struct buf *b, const struct mime_tree *t)
{
    buf_add_varint(b, t->count);
    for (uint32_t i = 0; i < t->count; i++)
        add_part(w, b, t, &t->parts[i]);
}

static bool
has_attachment(const struct mime_tree *t, struct arena *a)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (t->parts[i].kind != MIME_MULTIPART && mime_is_attachment(&t->parts[i], a))
            return true;
    return false;
}

/* Base subject, its hash and that of the Message-ID; returns flags. */
static unsigned
add_keys(struct buf *b, struct str fields)
{
    AUTO_BUF subject = BUF(SUBJECT_BASE_MAX * 4);
    struct str id = message_id_of(field_value(fields, HEADER_MESSAGE_ID));
    bool reply = subject_base(field_value(fields, HEADER_SUBJECT), &subject);

    buf_add_bytes(b, buf_str(&subject));
    buf_add_be64(b, hash_stable(buf_str(&subject)));
    buf_add_be64(b, id.len > 0 ? hash_stable(id) : 0);
    add_refs(b, fields);
    return reply ? RECORD_REPLY : 0;
}

enum status
record_write(struct str message, const struct mime_tree *t, struct arena *a, struct buf *out)
{
    const struct mime_part *root = &t->parts[0];
    struct writer w = {.message = message,
                       .arena = a,
                       .text_left = RECORD_TEXT_MAX,
                       .type = ARENA_NEW(a, struct content),
                       .disposition = ARENA_NEW(a, struct content)};
    AUTO_BUF fields = BUF(RECORD_FIELDS_MAX + 2);
    AUTO_BUF keys = BUF(8192);
    AUTO_BUF parts = BUF(RECORD_MAX);
    AUTO_BUF preview = BUF(PREVIEW_MAX);
    struct mail_date sent = {.zone_min = 0};
    unsigned flags = 0;

    ASSERT(t->count > 0 && root->end == message.len);
    if (!collect_fields(str_sub(message, 0, root->body_at), &fields))
        flags |= RECORD_FIELDS_CUT;
    if (date_parse(field_value(buf_str(&fields), HEADER_DATE), &sent) == OK)
        flags |= RECORD_DATED;
    flags |= add_keys(&keys, buf_str(&fields));
    if (has_attachment(t, a))
        flags |= RECORD_ATTACHMENT;
    add_parts(&w, &parts, t);
    if (w.cut || t->cut)
        flags |= RECORD_PARTS_CUT;
    preview_write(message, t, a, &preview);

    buf_add_char(out, (char)RECORD_VERSION);
    buf_add_char(out, (char)flags);
    buf_add_zigzag(out, sent.time.us);
    buf_add_zigzag(out, sent.zone_min);
    buf_add_varint(out, message.len);
    buf_add_bytes(out, buf_str(&fields));
    buf_add_bytes(out, buf_str(&preview));
    buf_add(out, buf_str(&keys));
    buf_add(out, buf_str(&parts));
    ASSERT(buf_status(&parts) == OK && buf_status(&keys) == OK);
    return buf_status(out);
}
