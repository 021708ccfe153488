/* check_mime.c - godwit check mime: the parts of a message, as the server sees them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "api/view.h"
#include "ctl/check_mail.h"
#include "mail/mime.h"

enum { NAME_MAX_BYTES = 1024 };

static const char *
kind_name(enum mime_kind kind)
{
    switch (kind) {
    case MIME_LEAF: return "leaf";
    case MIME_MULTIPART: return "multipart";
    case MIME_MESSAGE: return "message";
    }
    UNREACHABLE();
}

static const char *
transfer_name(enum transfer t)
{
    switch (t) {
    case TRANSFER_IDENTITY: return "identity";
    case TRANSFER_BASE64: return "base64";
    case TRANSFER_QUOTED_PRINTABLE: return "quoted-printable";
    case TRANSFER_UNKNOWN: return "unknown";
    }
    UNREACHABLE();
}

static void
put_parameter(json_t *part, const char *as, const struct params *params, const char *name)
{
    AUTO_BUF value = BUF(NAME_MAX_BYTES);

    if (param_value(params, str_of(name), &value) && value.len > 0)
        check_put(part, as, buf_str(&value));
}

/* RFC 2183: the name of a file stands with the disposition, or in old mail with the type. */
static void
put_names(json_t *part, const struct mime_part *p, struct arena *a)
{
    struct content *content = ARENA_NEW(a, struct content);
    struct content *disposition = ARENA_NEW(a, struct content);

    mime_content(p, a, content);
    put_parameter(part, "charset", &content->params, "charset");
    put_parameter(part, "filename", &content->params, "name");
    if (content_disposition_parse(p->field[MIME_CONTENT_DISPOSITION], a, disposition)) {
        check_put(part, "disposition", disposition->type);
        put_parameter(part, "filename", &disposition->params, "filename");
    }
}

/* "1.2": as IMAP names parts; the message itself has no number. */
static struct str
number_of(const struct mime_tree *t, uint32_t i, const struct str *numbers, struct arena *a)
{
    const struct mime_part *p = &t->parts[i];

    if (p->parent == MIME_NONE)
        return STR("");
    struct str up = numbers[p->parent];
    return arena_printf(a, "%.*s%s%u", STR_FMT(up), up.len > 0 ? "." : "", p->number);
}

static json_t *
view_part(const struct mime_part *p, struct str number, struct arena *a)
{
    json_t *part = json_object();

    check_put(part, "number", number);
    json_object_set_new(part, "depth", json_integer(p->depth));
    json_object_set_new(part, "kind", json_string(kind_name(p->kind)));
    check_put(part, "type", arena_printf(a, "%.*s/%.*s", STR_FMT(p->type), STR_FMT(p->subtype)));
    json_object_set_new(part, "encoding", json_string(transfer_name(mime_transfer(p))));
    put_names(part, p, a);
    json_object_set_new(part, "attachment", json_boolean(mime_is_attachment(p, a)));
    json_object_set_new(part, "header_at", json_integer((json_int_t)p->header_at)); /* bounded */
    json_object_set_new(part, "body_at", json_integer((json_int_t)p->body_at));
    json_object_set_new(part, "end", json_integer((json_int_t)p->end));
    json_object_set_new(part, "lines", json_integer((json_int_t)p->body_lines));
    return part;
}

static int
show(struct check_mail *m, const json_t *question, json_t *answer)
{
    struct mime_tree tree;
    struct str text;

    if (!check_read_file(m, question, &text, answer))
        return CHECK_USAGE;
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX + text.len);
    mime_parse(text, a, &tree);
    struct str *numbers = ARENA_ARRAY(m->a, struct str, tree.count);
    json_t *parts = json_array();
    for (uint32_t i = 0; i < tree.count; i++) {
        AUTO_ARENA *scratch = arena_new(MIME_ARENA_MAX + text.len);
        numbers[i] = number_of(&tree, i, numbers, m->a);
        json_array_append_new(parts, view_part(&tree.parts[i], numbers[i], scratch));
    }
    json_object_set_new(answer, "size", json_integer((json_int_t)text.len)); /* bounded */
    json_object_set_new(answer, "cut", json_boolean(tree.cut));
    json_object_set_new(answer, "parts", parts);
    return CHECK_GOOD;
}

static void
tell_part(const json_t *p)
{
    AUTO_BUF clean = BUF(8192);
    int depth = (int)json_integer_value(json_object_get(p, "depth")); /* at most LIMIT_MIME_DEPTH */
    struct str number = check_text(p, "number");
    long long size = json_integer_value(json_object_get(p, "end")) -
                     json_integer_value(json_object_get(p, "body_at"));

    view_clean(&clean, check_text(p, "type"), false);
    buf_addf(&clean, "  %s  %lld bytes, %lld lines",
             json_string_value(json_object_get(p, "encoding")), size,
             (long long)json_integer_value(json_object_get(p, "lines")));
    if (check_text(p, "charset").len > 0) {
        buf_add_z(&clean, "  ");
        view_clean(&clean, str_sub(check_text(p, "charset"), 0, 80), false);
    }
    if (check_text(p, "filename").len > 0) {
        buf_add_z(&clean, "  \"");
        view_clean(&clean, check_text(p, "filename"), false);
        buf_add_z(&clean, "\"");
    }
    if (json_is_true(json_object_get(p, "attachment")))
        buf_add_z(&clean, "  attachment");
    printf("%*s%-8.*s %.*s\n", 2 * depth, "", STR_FMT(number), STR_FMT(buf_str(&clean)));
}

static void
tell(const json_t *answer)
{
    const json_t *parts = json_object_get(answer, "parts");

    for (size_t i = 0; i < json_array_size(parts); i++)
        tell_part(json_array_get(parts, i));
    if (json_is_true(json_object_get(answer, "cut")))
        printf("a limit was reached: what lies deeper or comes later is one opaque part\n");
}

const struct check_verb check_mime_verb = {
    .name = "mime",
    .usage = "FILE [--json]",
    .about = "The parts of the message in a file, as the server sees them",
    .takes_file = true,
    .answer = show,
    .tell = tell,
};
