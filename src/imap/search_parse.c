/* search_parse.c - the grammar of SEARCH (RFC 3501 section 6.4.4, RFC 4731), with a stack instead of recursion.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/size.h"
#include "imap/search.h"
#include "mail/charset.h"
#include "mail/fold.h"

/* Sets take four times the bytes that they came in, folded text up to nine times: bounded together, so that every
 * command fits its arena. */
enum { TEXT_MAX = 4096, PROGRAM_BYTES_MAX = 1 << 20 };

/* What waits for operands. */
enum frame { FRAME_LIST, FRAME_NOT, FRAME_OR_FIRST, FRAME_OR_SECOND };
struct parser {
    struct imap_cmd *c;
    struct search *out;
    struct str charset;
    struct {
        enum frame frame;
        bool has_operand; /* of FRAME_LIST: the next one is joined by AND */
    } stack[LIMIT_IMAP_DEPTH];
    size_t depth;
    size_t bytes; /* of sets and text */
};

static bool
has_room(struct parser *p, size_t bytes)
{
    p->bytes += bytes; /* each is far below the limit, and the first above it ends the parser */
    return p->bytes <= PROGRAM_BYTES_MAX;
}

static struct search_node *
emit(struct parser *p, enum search_kind kind)
{
    if (p->out->count == SEARCH_NODES_MAX)
        return NULL;
    struct search_node *n = &p->out->nodes[p->out->count++];
    n->kind = kind;
    p->out->needs_record |= kind >= SEARCH_BEFORE;
    p->out->needs_body |= kind >= SEARCH_HEADER;
    return n;
}

static bool
push(struct parser *p, enum frame f)
{
    if (p->depth == COUNT_OF(p->stack))
        return false;
    p->stack[p->depth].frame = f;
    p->stack[p->depth++].has_operand = false;
    return true;
}

/* An operand is complete: closes NOT and OR above it, joins lists by AND. */
static bool
operand_done(struct parser *p)
{
    for (;;) {
        switch (p->stack[p->depth - 1].frame) {
        case FRAME_LIST:
            if (p->stack[p->depth - 1].has_operand)
                return emit(p, SEARCH_AND) != NULL;
            p->stack[p->depth - 1].has_operand = true;
            return true;
        case FRAME_NOT:
            if (emit(p, SEARCH_NOT) == NULL)
                return false;
            p->depth--;
            break;
        case FRAME_OR_FIRST: p->stack[p->depth - 1].frame = FRAME_OR_SECOND; return true;
        case FRAME_OR_SECOND:
            if (emit(p, SEARCH_OR) == NULL)
                return false;
            p->depth--;
            break;
        }
    }
}

/* ---- keys ---- */

enum argument { NO_ARGUMENT, TEXT, DAY, NUMBER, KEYWORD, HEADER_AND_TEXT, UIDS, MODSEQ };
struct key {
    struct str word;
    enum search_kind kind;
    enum argument argument;
    uint32_t mask;
    struct str header;
    bool negated;
};
static const struct key keys[] = {
    {.word = STR("ALL"), .kind = SEARCH_ALL},
    {.word = STR("ANSWERED"), .kind = SEARCH_FLAGS, .mask = IMAP_ANSWERED},
    {.word = STR("DELETED"), .kind = SEARCH_FLAGS, .mask = IMAP_DELETED},
    {.word = STR("DRAFT"), .kind = SEARCH_FLAGS, .mask = IMAP_DRAFT},
    {.word = STR("FLAGGED"), .kind = SEARCH_FLAGS, .mask = IMAP_FLAGGED},
    {.word = STR("SEEN"), .kind = SEARCH_FLAGS, .mask = IMAP_SEEN},
    {.word = STR("UNANSWERED"), .kind = SEARCH_FLAGS, .mask = IMAP_ANSWERED, .negated = true},
    {.word = STR("UNDELETED"), .kind = SEARCH_FLAGS, .mask = IMAP_DELETED, .negated = true},
    {.word = STR("UNDRAFT"), .kind = SEARCH_FLAGS, .mask = IMAP_DRAFT, .negated = true},
    {.word = STR("UNFLAGGED"), .kind = SEARCH_FLAGS, .mask = IMAP_FLAGGED, .negated = true},
    {.word = STR("UNSEEN"), .kind = SEARCH_FLAGS, .mask = IMAP_SEEN, .negated = true},
    {.word = STR("RECENT"), .kind = SEARCH_NOTHING},
    {.word = STR("NEW"), .kind = SEARCH_NOTHING},
    {.word = STR("OLD"), .kind = SEARCH_ALL},
    {.word = STR("KEYWORD"), .kind = SEARCH_KEYWORD, .argument = KEYWORD},
    {.word = STR("UNKEYWORD"), .kind = SEARCH_KEYWORD, .argument = KEYWORD, .negated = true},
    {.word = STR("UID"), .kind = SEARCH_UID, .argument = UIDS},
    {.word = STR("MODSEQ"), .kind = SEARCH_MODSEQ, .argument = MODSEQ},
    {.word = STR("BEFORE"), .kind = SEARCH_BEFORE, .argument = DAY},
    {.word = STR("ON"), .kind = SEARCH_ON, .argument = DAY},
    {.word = STR("SINCE"), .kind = SEARCH_SINCE, .argument = DAY},
    {.word = STR("SENTBEFORE"), .kind = SEARCH_SENT_BEFORE, .argument = DAY},
    {.word = STR("SENTON"), .kind = SEARCH_SENT_ON, .argument = DAY},
    {.word = STR("SENTSINCE"), .kind = SEARCH_SENT_SINCE, .argument = DAY},
    {.word = STR("LARGER"), .kind = SEARCH_LARGER, .argument = NUMBER},
    {.word = STR("SMALLER"), .kind = SEARCH_SMALLER, .argument = NUMBER},
    {.word = STR("BCC"), .kind = SEARCH_HEADER, .argument = TEXT, .header = STR("Bcc")},
    {.word = STR("CC"), .kind = SEARCH_HEADER, .argument = TEXT, .header = STR("Cc")},
    {.word = STR("FROM"), .kind = SEARCH_HEADER, .argument = TEXT, .header = STR("From")},
    {.word = STR("SUBJECT"), .kind = SEARCH_HEADER, .argument = TEXT, .header = STR("Subject")},
    {.word = STR("TO"), .kind = SEARCH_HEADER, .argument = TEXT, .header = STR("To")},
    {.word = STR("HEADER"), .kind = SEARCH_HEADER, .argument = HEADER_AND_TEXT},
    {.word = STR("BODY"), .kind = SEARCH_BODY, .argument = TEXT},
    {.word = STR("TEXT"), .kind = SEARCH_TEXT, .argument = TEXT},
};

/* The words to look for, folded as the message's will be. */
static bool
read_text(struct parser *p, struct search_node *n)
{
    AUTO_BUF utf8 = BUF(3 * TEXT_MAX);
    AUTO_BUF folded = BUF(9 * TEXT_MAX);
    struct str raw;

    if (!imap_scan_sp(&p->c->in) || !imap_scan_astring(&p->c->in, p->c->arena, &raw) ||
        raw.len > TEXT_MAX)
        return false;
    charset_to_utf8(p->charset, raw, &utf8);
    fold_collate(buf_str(&utf8), 9 * TEXT_MAX, &folded);
    if (!has_room(p, folded.len))
        return false;
    n->text = folded.len == 0 ? STR("") : arena_str(p->c->arena, buf_str(&folded));
    return true;
}

/* SEARCH of headers wants the name first, then the text. */
static bool
read_header_name(struct parser *p, struct search_node *n)
{
    return imap_scan_sp(&p->c->in) && imap_scan_astring(&p->c->in, p->c->arena, &n->name) &&
           read_text(p, n);
}

static bool
read_set(struct parser *p, struct imap_set *set)
{
    return imap_scan_set(&p->c->in, p->c->arena, set) && !set->saved &&
           has_room(p, set->count * sizeof(set->at[0]));
}

/* "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence (RFC 7162); only the plain form. */
static bool
read_argument(struct parser *p, enum argument a, struct search_node *n)
{
    struct scan *in = &p->c->in;
    struct civil day;

    switch (a) {
    case NO_ARGUMENT: return true;
    case TEXT: return read_text(p, n);
    case HEADER_AND_TEXT: return read_header_name(p, n);
    case KEYWORD: return imap_scan_sp(in) && imap_scan_atom(in, &n->name);
    case UIDS: return imap_scan_sp(in) && read_set(p, &n->set);
    case MODSEQ:
    case NUMBER: return imap_scan_sp(in) && scan_u64(in, UINT64_MAX >> 1, &n->number);
    case DAY:
        if (!imap_scan_sp(in) || !imap_scan_date(in, &day))
            return false;
        n->number = (uint64_t)unix_from_civil(&day);
        return true;
    }
    UNREACHABLE();
}

static bool
read_key(struct parser *p, struct str word)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        if (!str_eq_nocase(word, keys[i].word))
            continue;
        struct search_node n = {.kind = keys[i].kind, .mask = keys[i].mask, .name = keys[i].header};
        if (!read_argument(p, keys[i].argument, &n))
            return false;
        struct search_node *to = emit(p, n.kind);
        if (to == NULL)
            return false;
        *to = n;
        return !keys[i].negated || emit(p, SEARCH_NOT) != NULL;
    }
    return false;
}

static bool
read_sequence(struct parser *p)
{
    struct search_node *n;
    struct imap_set set;

    if (!read_set(p, &set) || (n = emit(p, SEARCH_SEQUENCE)) == NULL)
        return false;
    n->set = set;
    return true;
}

/* One search-key, or the beginning or the end of a compound one. */
static bool
read_one(struct parser *p)
{
    struct scan *in = &p->c->in;
    struct scan t = *in;
    struct str word;
    char next;

    if (scan_char(in, '('))
        return push(p, FRAME_LIST);
    if (scan_peek(in, &next) && (ascii_is_digit(next) || next == '*'))
        return read_sequence(p) && operand_done(p);
    if (!imap_scan_atom(&t, &word))
        return false;
    *in = t;
    if (str_eq_nocase(word, STR("NOT")))
        return push(p, FRAME_NOT);
    if (str_eq_nocase(word, STR("OR")))
        return push(p, FRAME_OR_FIRST);
    return read_key(p, word) && operand_done(p);
}

static bool
read_program(struct parser *p)
{
    for (;;) {
        scan_skip_spaces(&p->c->in);
        if (scan_char(&p->c->in, ')')) {
            if (p->depth < 2 || p->stack[p->depth - 1].frame != FRAME_LIST ||
                !p->stack[p->depth - 1].has_operand)
                return false;
            p->depth--;
            if (!operand_done(p))
                return false;
            continue;
        }
        if (scan_at_end(&p->c->in))
            return p->depth == 1 && p->stack[0].has_operand;
        if (!read_one(p))
            return false;
    }
}

/* ---- what stands before the keys ---- */

/* "RETURN" SP "(" *(MIN / MAX / ALL / COUNT) ")"      RFC 4731 section 3.1 */
static bool
read_return(struct imap_cmd *c, struct search *out)
{
    static const struct {
        struct str word;
        unsigned bit;
    } words[] = {{STR("MIN"), SEARCH_RETURN_MIN},
                 {STR("MAX"), SEARCH_RETURN_MAX},
                 {STR("ALL"), SEARCH_RETURN_ALL},
                 {STR("COUNT"), SEARCH_RETURN_COUNT}};
    struct str word;

    if (!scan_str_nocase(&c->in, STR("RETURN ")))
        return true;
    out->extended = true;
    if (!scan_char(&c->in, '('))
        return false;
    while (scan_skip_spaces(&c->in), !scan_char(&c->in, ')')) {
        bool known = false;
        if (!imap_scan_atom(&c->in, &word))
            return false;
        for (size_t i = 0; i < COUNT_OF(words); i++) {
            if (!str_eq_nocase(word, words[i].word))
                continue;
            out->returns |= words[i].bit;
            known = true;
        }
        if (!known)
            return false;
    }
    if (out->returns == 0)
        out->returns = SEARCH_RETURN_ALL;
    return imap_scan_sp(&c->in);
}

static bool
read_charset(struct parser *p)
{
    if (!scan_str_nocase(&p->c->in, STR("CHARSET ")))
        return true;
    if (!imap_scan_astring(&p->c->in, p->c->arena, &p->charset))
        return false;
    p->out->bad_charset = !charset_known(p->charset);
    return !p->out->bad_charset && imap_scan_sp(&p->c->in);
}

bool
search_parse(struct imap_cmd *c, struct search *out)
{
    struct parser p = {.c = c, .out = out, .charset = STR("UTF-8")};

    *out = (struct search){.nodes = ARENA_ARRAY(c->arena, struct search_node, SEARCH_NODES_MAX)};
    return imap_scan_sp(&c->in) && read_return(c, out) && read_charset(&p) &&
           push(&p, FRAME_LIST) && read_program(&p);
}
