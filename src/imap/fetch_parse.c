/* fetch_parse.c - the grammar of FETCH items (RFC 3501 section 6.4.5).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/fetch.h"

enum { PATH_NUMBERS_MAX = RECORD_PATH_MAX, NAMES_MAX = 256, LABEL_MAX = 4096 };

static bool parse_section(struct imap_cmd *c, struct scan *s, struct fetch *f, struct str word);

static bool
add(struct fetch *f, const struct fetch_item *item)
{
    if (f->count == FETCH_ITEMS_MAX)
        return false;
    f->items[f->count++] = *item;
    return true;
}

static bool
add_kind(struct fetch *f, enum fetch_kind kind)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].kind == kind && kind != FETCH_SECTION)
            return true; /* asked twice, told once */
    f->needs_record |= kind == FETCH_ENVELOPE || kind == FETCH_BODY ||
                       kind == FETCH_BODYSTRUCTURE || kind == FETCH_INTERNALDATE;
    f->needs_size |= kind == FETCH_SIZE;
    return add(f, &(struct fetch_item){.kind = kind});
}

/* The old names of sections, and what they stand for. */
static const struct {
    struct str word;
    enum section_part part;
    bool peek;
} old_sections[] = {
    {STR("RFC822"), SECTION_ALL, false},
    {STR("RFC822.HEADER"), SECTION_HEADER, true},
    {STR("RFC822.TEXT"), SECTION_TEXT, false},
};
static const struct {
    struct str word;
    enum fetch_kind kind;
} plain_items[] = {
    {STR("UID"), FETCH_UID},
    {STR("FLAGS"), FETCH_FLAGS},
    {STR("INTERNALDATE"), FETCH_INTERNALDATE},
    {STR("RFC822.SIZE"), FETCH_SIZE},
    {STR("ENVELOPE"), FETCH_ENVELOPE},
    {STR("BODYSTRUCTURE"), FETCH_BODYSTRUCTURE},
    {STR("BODY"), FETCH_BODY},
    {STR("MODSEQ"), FETCH_MODSEQ},
};

static bool
add_section(struct fetch *f, const struct fetch_item *item, bool peek)
{
    f->sets_seen |= !peek;
    f->needs_record = true;
    return add(f, item);
}

static bool
is_item_char(char c)
{
    return ascii_is_alnum(c) || c == '.';
}

/* fetch-att */
static bool
parse_item(struct imap_cmd *c, struct scan *s, struct fetch *f)
{
    struct scan t = *s;
    struct str word;
    char next;

    if (!scan_while(&t, is_item_char, 32, &word))
        return false;
    if (scan_peek(&t, &next) && next == '[') {
        *s = t;
        return parse_section(c, s, f, word);
    }
    *s = t;
    for (size_t i = 0; i < COUNT_OF(plain_items); i++)
        if (str_eq_nocase(word, plain_items[i].word))
            return add_kind(f, plain_items[i].kind);
    for (size_t i = 0; i < COUNT_OF(old_sections); i++)
        if (str_eq_nocase(word, old_sections[i].word))
            return add_section(f,
                               &(struct fetch_item){.kind = FETCH_SECTION,
                                                    .label = old_sections[i].word,
                                                    .part = old_sections[i].part},
                               old_sections[i].peek);
    return false;
}

/* macros: ALL, FAST, FULL stand alone */
static bool
parse_macro(struct scan *s, struct fetch *f)
{
    static const struct {
        struct str word;
        size_t count; /* of the items below */
    } macros[] = {{STR("FAST"), 3}, {STR("ALL"), 4}, {STR("FULL"), 5}};
    static const enum fetch_kind items[] = {FETCH_FLAGS, FETCH_INTERNALDATE, FETCH_SIZE,
                                            FETCH_ENVELOPE, FETCH_BODY};
    struct scan t = *s;
    struct str word;

    if (!scan_while(&t, is_item_char, 32, &word))
        return false;
    for (size_t i = 0; i < COUNT_OF(macros); i++) {
        if (!str_eq_nocase(word, macros[i].word))
            continue;
        for (size_t k = 0; k < macros[i].count; k++)
            if (!add_kind(f, items[k]))
                return false;
        *s = t;
        return true;
    }
    return false;
}

/* "(" "CHANGEDSINCE" SP mod-sequence ")"; iOS sends it to servers that never offered it (RFC 7162). */
static bool
parse_modifiers(struct imap_cmd *c, struct fetch *f)
{
    struct scan t = c->in;
    uint64_t since;

    if (imap_scan_end(&c->in))
        return true;
    if (!imap_scan_sp(&t) || !scan_str_nocase(&t, STR("(CHANGEDSINCE ")) ||
        !scan_u64(&t, UINT64_MAX >> 1, &since) || !scan_char(&t, ')') || !imap_scan_end(&t))
        return false;
    c->in = t;
    f->changed_since = since;
    return since == 0 || add_kind(f, FETCH_MODSEQ);
}

/* UID FETCH always tells the UID, and clients want it first. */
static bool
put_uid_first(struct imap_cmd *c, struct fetch *f)
{
    size_t at = 0;

    while (at < f->count && f->items[at].kind != FETCH_UID)
        at++;
    if (at == f->count && (!c->uid || !add_kind(f, FETCH_UID)))
        return !c->uid;
    for (; at > 0; at--)
        f->items[at] = f->items[at - 1];
    f->items[0] = (struct fetch_item){.kind = FETCH_UID};
    return true;
}

bool
fetch_parse(struct imap_cmd *c, struct fetch *out)
{
    *out = (struct fetch){0};
    if (!parse_macro(&c->in, out)) {
        bool list = scan_char(&c->in, '(');
        do {
            scan_skip_spaces(&c->in);
            if (!parse_item(c, &c->in, out))
                return false;
        } while (scan_peek(&c->in, &(char){0}) && list && *c->in.pos == ' ');
        if (list && !scan_char(&c->in, ')'))
            return false;
    }
    return parse_modifiers(c, out) && put_uid_first(c, out);
}

/* ---- sections ---- */

static const struct str part_words[] = {
    [SECTION_ALL] = STR(""),
    [SECTION_HEADER] = STR("HEADER"),
    [SECTION_TEXT] = STR("TEXT"),
    [SECTION_MIME] = STR("MIME"),
    [SECTION_FIELDS] = STR("HEADER.FIELDS"),
    [SECTION_FIELDS_NOT] = STR("HEADER.FIELDS.NOT"),
};

/* section-part = nz-number *("." nz-number); what follows it begins behind a "." */
static bool
parse_path(struct imap_cmd *c, struct scan *s, struct fetch_item *item)
{
    uint32_t *path = ARENA_ARRAY(c->arena, uint32_t, PATH_NUMBERS_MAX);

    item->path = path;
    for (;;) {
        struct scan t = *s;
        uint32_t n;
        if (item->path_count > 0 && !scan_char(&t, '.'))
            return true;
        if (!scan_u32(&t, UINT32_MAX, &n))
            return true; /* a word follows */
        if (n == 0 || item->path_count == PATH_NUMBERS_MAX)
            return false;
        path[item->path_count++] = n;
        *s = t;
    }
}

/* header-fld-name: what a name of a field may be, RFC 5322 section 3.6.8.  It is told again in the answer. */
static bool
is_field_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == ':')
            return false;
    return name.len > 0;
}

/* header-list = "(" header-fld-name *(SP header-fld-name) ")" */
static bool
parse_names(struct imap_cmd *c, struct scan *s, struct fetch_item *item)
{
    struct str *names = ARENA_ARRAY(c->arena, struct str, NAMES_MAX);

    scan_skip_spaces(s);
    if (!scan_char(s, '('))
        return false;
    do {
        scan_skip_spaces(s);
        if (item->name_count == NAMES_MAX ||
            !imap_scan_astring(s, c->arena, &names[item->name_count]) ||
            !is_field_name(names[item->name_count]))
            return false;
        item->name_count++;
    } while (scan_peek(s, &(char){0}) && *s->pos == ' ');
    item->names = names;
    return scan_char(s, ')');
}

/* section-msgtext / "MIME" */
static bool
parse_part(struct imap_cmd *c, struct scan *s, struct fetch_item *item)
{
    /* Longer words first. */
    static const enum section_part parts[] = {SECTION_FIELDS_NOT, SECTION_FIELDS, SECTION_HEADER,
                                              SECTION_TEXT, SECTION_MIME};

    if (item->path_count > 0 && !scan_char(s, '.'))
        return true;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (!scan_str_nocase(s, part_words[parts[i]]))
            continue;
        item->part = parts[i];
        if (item->part == SECTION_MIME)
            return item->path_count > 0;
        return (item->part != SECTION_FIELDS && item->part != SECTION_FIELDS_NOT) ||
               parse_names(c, s, item);
    }
    return item->path_count == 0; /* BODY[] */
}

/* "<" number "." nz-number ">" */
static bool
parse_partial(struct scan *s, struct fetch_item *item)
{
    if (!scan_char(s, '<'))
        return true;
    item->has_partial = true;
    return scan_u64(s, UINT32_MAX, &item->offset) && scan_char(s, '.') &&
           scan_u64(s, UINT32_MAX, &item->length) && item->length > 0 && scan_char(s, '>');
}

/* The name of the section in the answer: as asked, in capitals and with single blanks.  False: too long to be told. */
static bool
make_label(struct imap_cmd *c, struct fetch_item *item)
{
    AUTO_BUF b = BUF(LABEL_MAX);
    const struct str part = part_words[item->part];

    buf_add_z(&b, "BODY[");
    for (size_t i = 0; i < item->path_count; i++)
        buf_addf(&b, i > 0 ? ".%u" : "%u", item->path[i]);
    if (item->path_count > 0 && part.len > 0)
        buf_add_char(&b, '.');
    buf_add(&b, part);
    for (size_t i = 0; i < item->name_count; i++) {
        buf_add_z(&b, i == 0 ? " (" : " ");
        imap_add_astring(&b, item->names[i]);
    }
    buf_add_z(&b, item->name_count > 0 ? ")]" : "]");
    for (size_t i = 0; i < b.len; i++)
        b.ptr[i] = ascii_upper(b.ptr[i]);
    if (buf_status(&b) != OK)
        return false;
    item->label = arena_str(c->arena, buf_str(&b));
    return true;
}

static bool
parse_section(struct imap_cmd *c, struct scan *s, struct fetch *f, struct str word)
{
    struct fetch_item item = {.kind = FETCH_SECTION};
    bool peek = str_eq_nocase(word, STR("BODY.PEEK"));

    if ((!peek && !str_eq_nocase(word, STR("BODY"))) || !scan_char(s, '['))
        return false;
    if (!parse_path(c, s, &item) || !parse_part(c, s, &item) || !scan_char(s, ']') ||
        !parse_partial(s, &item) || !make_label(c, &item))
        return false;
    return add_section(f, &item, peek);
}
