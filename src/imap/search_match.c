/* search_match.c - one message against a search program.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/search.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"
#include "mail/fold.h"
#include "mail/header.h"
#include "mail/transfer.h"

enum { DAY_S = 86400, FIELD_TEXT_MAX = 1 << 18, BODY_TEXT_MAX = 16 << 20 };

static enum search_answer
answer(bool yes)
{
    return yes ? SEARCH_YES : SEARCH_NO;
}

/* ---- text ---- */

/* haystack is UTF-8; needle is folded. */
static bool
folded_has(struct str utf8, struct str needle, size_t max)
{
    AUTO_BUF folded = BUF(max);

    fold_collate(utf8, max, &folded);
    return str_find_str(buf_str(&folded), needle) >= 0;
}

static bool
field_has(struct str raw, struct str needle)
{
    AUTO_BUF plain = BUF(FIELD_TEXT_MAX);
    AUTO_BUF text = BUF(FIELD_TEXT_MAX);

    header_unfold(&plain, raw);
    encoded_word_decode(buf_str(&plain), &text);
    return folded_has(buf_str(&text), needle, FIELD_TEXT_MAX);
}

static bool
header_has(struct str block, struct str name, struct str needle)
{
    struct header_cursor c = header_cursor_of(block);
    struct header_field f;

    while (header_next_named(&c, name, &f))
        if (needle.len == 0 || field_has(f.value, needle))
            return true;
    return false;
}

static enum search_answer
match_header(const struct search_node *n, const struct search_subject *m)
{
    if (m->has_body)
        return answer(header_has(str_sub(m->body, 0, header_block_len(m->body)), n->name, n->text));
    if (m->has_record && record_covers(&m->record, n->name))
        return answer(header_has(m->record.fields, n->name, n->text));
    return SEARCH_UNKNOWN;
}

/* The charset of a part, from its raw parameters. */
static struct str
charset_of(const struct record_part *part)
{
    struct str params = part->params;
    struct param p;

    while (record_param_next(&params, &p))
        if (str_eq_nocase(p.name, STR("charset")))
            return p.value;
    return STR("us-ascii");
}

static bool
part_has(const struct record_part *part, struct str message, struct str needle)
{
    AUTO_BUF decoded = BUF(BODY_TEXT_MAX);
    AUTO_BUF utf8 = BUF(3 * BODY_TEXT_MAX);
    struct transfer_decoder d;
    struct str raw = str_sub(message, (size_t)part->body_at, (size_t)(part->end - part->body_at));

    transfer_decoder_init(&d, transfer_of(part->encoding));
    transfer_decode(&d, str_sub(raw, 0, BODY_TEXT_MAX), &decoded);
    transfer_decode_end(&d, &decoded);
    charset_to_utf8(charset_of(part), buf_str(&decoded), &utf8);
    return folded_has(buf_str(&utf8), needle, 3 * BODY_TEXT_MAX);
}

static bool
any_field_has(struct str block, struct str needle)
{
    struct header_cursor c = header_cursor_of(block);
    struct header_field f;

    while (header_next(&c, &f))
        if (field_has(f.whole, needle))
            return true;
    return false;
}

/* The text parts, and the headers of messages inside: for a reader they are text of this one. */
static bool
body_has(const struct search_subject *m, struct str needle)
{
    struct record_cursor c = record_parts(&m->record);
    struct record_part part;
    bool of_message = false; /* the part before was a message, and this is what is in it */

    while (record_part_next(&c, &part)) {
        if (part.end > m->body.len)
            return false;
        if (of_message && any_field_has(str_sub(m->body, (size_t)part.header_at,
                                                (size_t)(part.body_at - part.header_at)),
                                        needle))
            return true;
        of_message = part.kind == MIME_MESSAGE;
        if (part.kind == MIME_LEAF && str_eq_nocase(part.type, STR("text")) &&
            part_has(&part, m->body, needle))
            return true;
    }
    return false;
}

static enum search_answer
match_text(const struct search_node *n, const struct search_subject *m)
{
    if (!m->has_body || !m->has_record)
        return SEARCH_UNKNOWN;
    if (n->text.len == 0)
        return SEARCH_YES;
    if (n->kind == SEARCH_TEXT &&
        any_field_has(str_sub(m->body, 0, header_block_len(m->body)), n->text))
        return SEARCH_YES;
    return answer(body_has(m, n->text));
}

/* ---- dates and sizes ---- */

/* RFC 3501 section 6.4.4: days are compared, times and zones do not count. */
static enum search_answer
match_day(enum search_kind kind, int64_t day, int64_t at_s)
{
    int64_t of = at_s - (((at_s % DAY_S) + DAY_S) % DAY_S);

    switch (kind) {
    case SEARCH_BEFORE:
    case SEARCH_SENT_BEFORE: return answer(of < day);
    case SEARCH_ON:
    case SEARCH_SENT_ON: return answer(of == day);
    default: return answer(of >= day);
    }
}

static enum search_answer
match_record(const struct search_node *n, const struct search_subject *m)
{
    if (!m->has_record)
        return SEARCH_UNKNOWN;
    switch (n->kind) {
    case SEARCH_LARGER: return answer(m->size > n->number);
    case SEARCH_SMALLER: return answer(m->size < n->number);
    case SEARCH_BEFORE:
    case SEARCH_ON:
    case SEARCH_SINCE: return match_day(n->kind, (int64_t)n->number, m->received_us / 1000000);
    default:
        if ((m->record.flags & RECORD_DATED) == 0)
            return SEARCH_NO;
        /* The day as the sender wrote it. */
        return match_day(n->kind, (int64_t)n->number,
                         m->record.sent.time.us / 1000000 + m->record.sent.zone_min * 60);
    }
}

static enum search_answer
match_keyword(const struct search_node *n, const struct search_subject *m)
{
    const struct box *b = m->s->box;

    for (size_t i = 0; i < b->keyword_count; i++)
        if (str_eq_nocase(b->keywords[i], n->name))
            return answer((m->entry.flags & (1u << (IMAP_KEYWORD_SHIFT + i))) != 0);
    return SEARCH_NO;
}

static enum search_answer
match(const struct search_node *n, const struct search_subject *m)
{
    switch (n->kind) {
    case SEARCH_ALL: return SEARCH_YES;
    case SEARCH_NOTHING: return SEARCH_NO;
    case SEARCH_FLAGS: return answer((m->entry.flags & n->mask) != 0);
    case SEARCH_KEYWORD: return match_keyword(n, m);
    case SEARCH_SEQUENCE: return answer(imap_set_has(&n->set, m->sequence));
    case SEARCH_UID: return answer(imap_set_has(&n->set, m->entry.uid));
    case SEARCH_MODSEQ: return answer(m->entry.modseq >= n->number);
    case SEARCH_HEADER: return match_header(n, m);
    case SEARCH_BODY:
    case SEARCH_TEXT: return match_text(n, m);
    default: return match_record(n, m);
    }
}

/* ---- the program ---- */

static enum search_answer
both(enum search_answer a, enum search_answer b)
{
    if (a == SEARCH_NO || b == SEARCH_NO)
        return SEARCH_NO;
    return a == SEARCH_UNKNOWN || b == SEARCH_UNKNOWN ? SEARCH_UNKNOWN : SEARCH_YES;
}

static enum search_answer
negate(enum search_answer a)
{
    return a == SEARCH_UNKNOWN ? a : answer(a == SEARCH_NO);
}

enum search_answer
search_run(const struct search *p, const struct search_subject *m)
{
    uint8_t stack[SEARCH_NODES_MAX];
    size_t depth = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct search_node *n = &p->nodes[i];
        enum search_answer a;
        switch (n->kind) {
        case SEARCH_NOT:
            ASSERT(depth >= 1);
            a = negate((enum search_answer)stack[--depth]);
            break;
        case SEARCH_AND:
            ASSERT(depth >= 2);
            depth -= 2;
            a = both((enum search_answer)stack[depth], (enum search_answer)stack[depth + 1]);
            break;
        case SEARCH_OR:
            ASSERT(depth >= 2);
            depth -= 2;
            a = negate(both(negate((enum search_answer)stack[depth]),
                            negate((enum search_answer)stack[depth + 1])));
            break;
        default: a = match(n, m); break;
        }
        ASSERT(depth < SEARCH_NODES_MAX);
        stack[depth++] = (uint8_t)a;
    }
    ASSERT(depth == 1);
    return (enum search_answer)stack[0];
}
