/* header.c - walking header blocks.  See header.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/size.h"
#include "mail/header.h"

static const struct str names[HEADER_ID_COUNT] = {
    [HEADER_FROM] = {"From", 4},
    [HEADER_SENDER] = {"Sender", 6},
    [HEADER_REPLY_TO] = {"Reply-To", 8},
    [HEADER_TO] = {"To", 2},
    [HEADER_CC] = {"Cc", 2},
    [HEADER_BCC] = {"Bcc", 3},
    [HEADER_DATE] = {"Date", 4},
    [HEADER_SUBJECT] = {"Subject", 7},
    [HEADER_MESSAGE_ID] = {"Message-ID", 10},
    [HEADER_IN_REPLY_TO] = {"In-Reply-To", 11},
    [HEADER_REFERENCES] = {"References", 10},
    [HEADER_RECEIVED] = {"Received", 8},
    [HEADER_RETURN_PATH] = {"Return-Path", 11},
    [HEADER_RESENT_BCC] = {"Resent-Bcc", 10},
    [HEADER_MIME_VERSION] = {"MIME-Version", 12},
    [HEADER_CONTENT_TYPE] = {"Content-Type", 12},
    [HEADER_CONTENT_TRANSFER_ENCODING] = {"Content-Transfer-Encoding", 25},
    [HEADER_CONTENT_DISPOSITION] = {"Content-Disposition", 19},
    [HEADER_CONTENT_ID] = {"Content-ID", 10},
    [HEADER_CONTENT_DESCRIPTION] = {"Content-Description", 19},
    [HEADER_CONTENT_MD5] = {"Content-MD5", 11},
    [HEADER_CONTENT_LANGUAGE] = {"Content-Language", 16},
    [HEADER_CONTENT_LOCATION] = {"Content-Location", 16},
    [HEADER_LIST_ID] = {"List-ID", 7},
    [HEADER_LIST_POST] = {"List-Post", 9},
    [HEADER_LIST_UNSUBSCRIBE] = {"List-Unsubscribe", 16},
    [HEADER_LIST_UNSUBSCRIBE_POST] = {"List-Unsubscribe-Post", 21},
    [HEADER_PRIORITY] = {"Priority", 8},
    [HEADER_X_PRIORITY] = {"X-Priority", 10},
    [HEADER_IMPORTANCE] = {"Importance", 10},
    [HEADER_PRECEDENCE] = {"Precedence", 10},
    [HEADER_AUTO_SUBMITTED] = {"Auto-Submitted", 14},
    [HEADER_DISPOSITION_NOTIFICATION_TO] = {"Disposition-Notification-To", 27},
    [HEADER_DKIM_SIGNATURE] = {"DKIM-Signature", 14},
    [HEADER_AUTHENTICATION_RESULTS] = {"Authentication-Results", 22},
    [HEADER_NEWSGROUPS] = {"Newsgroups", 10},
    [HEADER_LINES] = {"Lines", 5},
    [HEADER_LIST_HELP] = {"List-Help", 9},
    [HEADER_LIST_SUBSCRIBE] = {"List-Subscribe", 14},
    [HEADER_USER_AGENT] = {"User-Agent", 10},
    [HEADER_X_LABEL] = {"X-Label", 7},
    [HEADER_X_MAILER] = {"X-Mailer", 8},
    [HEADER_X_ORIGINAL_TO] = {"X-Original-To", 13},
    [HEADER_X_K9MAIL_IDENTITY] = {"X-K9mail-Identity", 17},
    [HEADER_CHAT_VERSION] = {"Chat-Version", 12},
};

/* After the LF of this line, or end. */
static const char *
line_end(const char *p, const char *end)
{
    const char *lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;

    return lf != NULL ? lf + 1 : end;
}

static bool
is_empty_line(const char *p, const char *end)
{
    return p < end && (*p == '\n' || (*p == '\r' && end - p > 1 && p[1] == '\n'));
}

size_t
header_block_len(struct str message)
{
    const char *p = message.ptr;
    const char *end = message.ptr + message.len;

    while (p < end && !is_empty_line(p, end))
        p = line_end(p, end);
    if (p < end)
        p = line_end(p, end);
    return (size_t)(p - message.ptr);
}

struct header_cursor
header_cursor_of(struct str block)
{
    return (struct header_cursor){.in = scan_of(str_sub(block, 0, HEADER_BYTES_MAX))};
}

static bool
is_ftext(char c)
{
    unsigned char u = (unsigned char)c;

    return u > ' ' && u < 0x7f && u != ':';
}

void
header_skip_cfws(struct scan *s)
{
    int depth = 0;

    for (; s->pos < s->end; s->pos++) {
        char c = *s->pos;
        if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        else if (c == '\\' && depth > 0 && s->end - s->pos > 1)
            s->pos++;
        else if (depth == 0 && !ascii_is_space(c) && c != '\r' && c != '\n')
            return;
    }
}

bool
header_name_ok(struct str name)
{
    if (name.len == 0 || name.len > HEADER_LINE_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_ftext(name.ptr[i]))
            return false;
    return true;
}

/* The name before the colon, white space before the colon cut off (RFC 5322 section 4.5). */
static bool
field_name(const char *from, const char *to, struct str *name_out)
{
    const char *colon = memchr(from, ':', (size_t)(to - from));

    if (colon == NULL)
        return false;
    while (colon > from && ascii_is_space(colon[-1]))
        colon--;
    *name_out = str_from(from, (size_t)(colon - from));
    return header_name_ok(*name_out);
}

bool
header_next(struct header_cursor *c, struct header_field *out)
{
    const char *end = c->in.end;

    while (c->in.pos < end && !is_empty_line(c->in.pos, end)) {
        const char *from = c->in.pos;
        const char *first_end = line_end(from, end);
        const char *to = first_end;
        struct str name = STR_NONE;

        while (to < end && ascii_is_space(*to))
            to = line_end(to, end);
        c->in.pos = to;
        if (!field_name(from, first_end, &name))
            continue;
        if (c->fields == HEADER_FIELDS_MAX)
            return false;
        c->fields++;
        const char *colon = memchr(from + name.len, ':', (size_t)(to - from) - name.len);
        const char *last = to;
        if (last > colon + 1 && last[-1] == '\n')
            last--;
        if (last > colon + 1 && last[-1] == '\r')
            last--;
        *out = (struct header_field){.name = name,
                                     .value = str_from(colon + 1, (size_t)(last - colon) - 1),
                                     .whole = str_from(from, (size_t)(to - from))};
        return true;
    }
    return false;
}

bool
header_next_named(struct header_cursor *c, struct str name, struct header_field *out)
{
    struct header_field f;

    while (header_next(c, &f)) {
        if (str_eq_nocase(f.name, name)) {
            *out = f;
            return true;
        }
    }
    return false;
}

bool
header_find(struct str block, struct str name, struct header_field *out)
{
    struct header_cursor c = header_cursor_of(block);

    return header_next_named(&c, name, out);
}

void
header_unfold(struct buf *b, struct str value)
{
    struct str v = str_trim(value);
    size_t from = 0;

    ASSERT(b != NULL);
    for (size_t i = 0; i < v.len; i++) {
        char c = v.ptr[i];
        if (c != '\r' && c != '\n' && c != '\0')
            continue;
        buf_add(b, str_sub(v, from, i - from));
        if (c == '\0')
            buf_add_char(b, ' ');
        from = i + 1;
    }
    buf_add(b, str_skip(v, from));
}

/* Length and last letter rule out nearly every name before the comparison. */
enum header_id
header_id_of(struct str name)
{
    if (name.len == 0)
        return HEADER_OTHER;
    for (unsigned id = HEADER_OTHER + 1; id < HEADER_ID_COUNT; id++)
        if (names[id].len == name.len &&
            ((names[id].ptr[name.len - 1] ^ name.ptr[name.len - 1]) & ~0x20) == 0 &&
            str_eq_nocase(names[id], name))
            return (enum header_id)id;
    return HEADER_OTHER;
}

struct str
header_id_name(enum header_id id)
{
    ASSERT((unsigned)id < HEADER_ID_COUNT);
    return names[id];
}

/* The arena keeps outgrown arrays, so this starts where nearly every message ends. */
enum { INDEX_START = 32 };

void
header_index(struct str block, struct arena *a, struct header_index *out)
{
    struct header_cursor c = header_cursor_of(block);
    uint32_t last[HEADER_ID_COUNT] = {0};
    uint32_t cap = INDEX_START;
    const uint32_t most = HEADER_INDEX_MAX / sizeof(struct header_entry);
    struct header_field f;

    ASSERT(a != NULL);
    *out = (struct header_index){.cut = block.len > HEADER_BYTES_MAX};
    out->at = ARENA_ARRAY(a, struct header_entry, cap);
    while (header_next(&c, &f)) {
        if (out->count == most) {
            out->cut = true;
            return;
        }
        if (out->count == cap) {
            struct header_entry *wider = ARENA_ARRAY(a, struct header_entry, MIN(cap * 4, most));
            for (uint32_t i = 0; i < cap; i++)
                wider[i] = out->at[i];
            out->at = wider;
            cap = MIN(cap * 4, most);
        }
        enum header_id id = header_id_of(f.name);
        uint32_t number = ++out->count;
        out->at[number - 1] = (struct header_entry){.id = id, .field = f};
        if (last[id] != 0)
            out->at[last[id] - 1].next = number;
        else
            out->first[id] = number;
        last[id] = number;
    }
    out->cut = out->cut || c.fields == HEADER_FIELDS_MAX;
}

struct str
header_value(const struct header_index *x, enum header_id id)
{
    ASSERT(id > HEADER_OTHER && id < HEADER_ID_COUNT);
    return x->first[id] != 0 ? x->at[x->first[id] - 1].field.value : STR_NONE;
}
