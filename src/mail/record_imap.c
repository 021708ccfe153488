/* record_imap.c - ENVELOPE and BODYSTRUCTURE from a record (RFC 9051 sections 7.5.2 and 7.5.3).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "mail/address_list.h"
#include "mail/header.h"
#include "mail/record.h"

enum { QUOTED_MAX = 1000 }; /* longer strings are literals, since some clients bound their lines */

/* string = quoted / literal.  8-bit text is a literal, which every client takes. */
static void
add_string(struct buf *b, struct str s)
{
    bool plain = s.len <= QUOTED_MAX;

    for (size_t i = 0; i < s.len && plain; i++)
        plain = s.ptr[i] >= ' ' && (unsigned char)s.ptr[i] < 0x7f;
    if (!plain) {
        buf_add_char(b, '{');
        buf_add_u64(b, s.len);
        buf_add(b, STR("}\r\n"));
        buf_add(b, s);
        return;
    }
    buf_add_char(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            buf_add_char(b, '\\');
        buf_add_char(b, s.ptr[i]);
    }
    buf_add_char(b, '"');
}

/* nstring: NIL for the empty string */
static void
add_nstring(struct buf *b, struct str s)
{
    if (s.len == 0)
        buf_add(b, STR("NIL"));
    else
        add_string(b, s);
}

/* The value of a field, unfolded, as nstring. */
static void
add_field(struct buf *b, struct str value)
{
    AUTO_BUF text = BUF(value.len + 1);

    header_unfold(&text, value);
    add_nstring(b, str_trim(buf_str(&text)));
}

/* address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")".  Host NIL is kept for the marks of
 * groups, so an address without a domain has an empty one. */
static void
add_address(struct buf *b, const struct address *a)
{
    if (a->kind == ADDRESS_GROUP_END) {
        buf_add(b, STR("(NIL NIL NIL NIL)"));
        return;
    }
    if (a->kind == ADDRESS_GROUP_START) {
        buf_add(b, STR("(NIL NIL "));
        add_string(b, a->mailbox);
        buf_add(b, STR(" NIL)"));
        return;
    }
    buf_add_char(b, '(');
    add_nstring(b, a->name);
    buf_add_char(b, ' ');
    add_nstring(b, a->route);
    buf_add_char(b, ' ');
    add_string(b, a->mailbox);
    buf_add_char(b, ' ');
    add_string(b, a->host);
    buf_add_char(b, ')');
}

/* "(" 1*address ")" / nil; false when it was nil */
static bool
add_addresses(struct buf *b, struct str value)
{
    AUTO_ADDRESS_CURSOR c;
    struct address a;
    bool any = false;

    address_cursor_init(&c, value);
    while (address_next(&c, &a)) {
        if (!any)
            buf_add_char(b, '(');
        any = true;
        add_address(b, &a);
    }
    if (any)
        buf_add_char(b, ')');
    return any;
}

static void
add_addresses_or(struct buf *b, struct str value, struct str instead)
{
    if (!add_addresses(b, value) && !add_addresses(b, instead))
        buf_add(b, STR("NIL"));
}

/* envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP
 *            env-bcc SP env-in-reply-to SP env-message-id ")" */
static void
add_envelope(struct buf *b, struct str fields)
{
    struct str value[HEADER_ID_COUNT] = {STR_NONE};
    struct header_cursor c = header_cursor_of(fields);
    struct header_field f;

    while (header_next(&c, &f)) {
        enum header_id id = header_id_of(f.name);
        if (value[id].ptr == NULL)
            value[id] = f.value;
    }
    struct str from = value[HEADER_FROM];
    buf_add_char(b, '(');
    add_field(b, value[HEADER_DATE]);
    buf_add_char(b, ' ');
    add_field(b, value[HEADER_SUBJECT]);
    buf_add_char(b, ' ');
    add_addresses_or(b, from, STR_NONE);
    buf_add_char(b, ' ');
    add_addresses_or(b, value[HEADER_SENDER], from);
    buf_add_char(b, ' ');
    add_addresses_or(b, value[HEADER_REPLY_TO], from);
    buf_add_char(b, ' ');
    add_addresses_or(b, value[HEADER_TO], STR_NONE);
    buf_add_char(b, ' ');
    add_addresses_or(b, value[HEADER_CC], STR_NONE);
    buf_add_char(b, ' ');
    add_addresses_or(b, value[HEADER_BCC], STR_NONE);
    buf_add_char(b, ' ');
    add_field(b, value[HEADER_IN_REPLY_TO]);
    buf_add_char(b, ' ');
    add_field(b, value[HEADER_MESSAGE_ID]);
    buf_add_char(b, ')');
}

enum status
record_envelope_write(const struct record *r, struct buf *b)
{
    ASSERT(r->part_count > 0);
    add_envelope(b, r->fields);
    return buf_status(b);
}

/* body-fld-param = "(" string SP string *(SP string SP string) ")" / nil */
static void
add_params(struct buf *b, struct str params)
{
    struct param p;
    bool any = false;

    while (params.len > 0 && record_param_next(&params, &p)) {
        buf_add_char(b, any ? ' ' : '(');
        any = true;
        add_string(b, p.name);
        buf_add_char(b, ' ');
        add_string(b, p.value);
    }
    buf_add(b, any ? STR(")") : STR("NIL"));
}

/* body-fld-lang = nstring / "(" string *(SP string) ")" */
static void
add_languages(struct buf *b, struct str list)
{
    struct str rest = list;
    struct str tag = STR_NONE;
    bool any = false;

    while (str_split(&rest, ',', &tag)) {
        tag = str_trim(tag);
        if (tag.len == 0)
            continue;
        buf_add_char(b, any ? ' ' : '(');
        any = true;
        add_string(b, tag);
    }
    buf_add(b, any ? STR(")") : STR("NIL"));
}

/* SP body-fld-dsp SP body-fld-lang SP body-fld-loc, the common end of the extension data */
static void
add_extension(struct buf *b, const struct record_part *p)
{
    buf_add_char(b, ' ');
    if (p->disposition.len > 0) {
        buf_add_char(b, '(');
        add_string(b, p->disposition);
        buf_add_char(b, ' ');
        add_params(b, p->disposition_params);
        buf_add_char(b, ')');
    } else {
        buf_add(b, STR("NIL"));
    }
    buf_add_char(b, ' ');
    add_languages(b, p->language);
    buf_add_char(b, ' ');
    add_nstring(b, p->location);
}

/* What body-type-basic, -text and -msg begin with:
 * media-type SP body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets */
static void
add_one_part(struct buf *b, const struct record_part *p)
{
    buf_add_char(b, '(');
    add_string(b, p->type);
    buf_add_char(b, ' ');
    add_string(b, p->subtype);
    buf_add_char(b, ' ');
    add_params(b, p->params);
    buf_add_char(b, ' ');
    add_nstring(b, p->id);
    buf_add_char(b, ' ');
    add_nstring(b, p->description);
    buf_add_char(b, ' ');
    add_string(b, p->encoding);
    buf_add_char(b, ' ');
    buf_add_u64(b, p->end - p->body_at);
}

static void
add_lines(struct buf *b, const struct record_part *p)
{
    buf_add_char(b, ' ');
    buf_add_u64(b, p->body_lines);
}

static void
add_one_part_end(struct buf *b, const struct record_part *p, bool extended)
{
    if (extended) {
        buf_add_char(b, ' ');
        add_nstring(b, p->md5);
        add_extension(b, p);
    }
    buf_add_char(b, ')');
}

/* What stands before the parts of a container, or all of a leaf. */
static void
open_part(struct buf *b, const struct record_part *p, bool extended)
{
    switch (p->kind) {
    case MIME_MULTIPART: buf_add_char(b, '('); break;
    case MIME_MESSAGE:
        add_one_part(b, p);
        buf_add_char(b, ' ');
        add_envelope(b, p->envelope);
        buf_add_char(b, ' ');
        break;
    case MIME_LEAF:
        add_one_part(b, p);
        if (str_eq_nocase(p->type, STR("text")))
            add_lines(b, p);
        add_one_part_end(b, p, extended);
        break;
    }
}

/* What stands behind the parts of the container that the cursor is before. */
static void
close_part(struct buf *b, struct record_cursor at, bool extended)
{
    struct record_part p;

    if (!record_part_next(&at, &p))
        UNREACHABLE(); /* record_open() has read it */
    if (p.kind == MIME_MESSAGE) {
        add_lines(b, &p);
        add_one_part_end(b, &p, extended);
        return;
    }
    buf_add_char(b, ' ');
    add_string(b, p.subtype);
    if (extended) {
        buf_add_char(b, ' ');
        add_params(b, p.params);
        add_extension(b, &p);
    }
    buf_add_char(b, ')');
}

enum status
record_bodystructure_write(const struct record *r, bool extended, struct buf *b)
{
    struct record_cursor open[MIME_DEPTH_MAX] = {{.index = 0}};
    struct record_cursor c = record_parts(r);
    struct record_cursor before = c;
    struct record_part p;
    uint32_t depth = 0;

    ASSERT(r->part_count > 0);
    while (record_part_next(&c, &p)) {
        while (depth > p.depth)
            close_part(b, open[--depth], extended);
        open_part(b, &p, extended);
        if (p.kind != MIME_LEAF) {
            ASSERT(depth < MIME_DEPTH_MAX);
            open[depth++] = before;
        }
        before = c;
    }
    while (depth > 0)
        close_part(b, open[--depth], extended);
    return buf_status(b);
}
