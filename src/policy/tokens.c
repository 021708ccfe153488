/* tokens.c - the set of tokens, and the parts of a message that give some.  See tokens.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tokens.h"

#include "base/encode.h"
#include "base/hash.h"
#include "base/size.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/preview.h"
#include "mail/transfer.h"
#include "policy/tokens_internal.h"

enum { SLOTS = 2 * LIMIT_SPAM_TOKENS, HEADER_TOKENS = LIMIT_SPAM_TOKENS / 4, NAME_BYTES = 256 };
static_assert((SLOTS & (SLOTS - 1)) == 0, "a mask finds the slot");

static void tokens_of_part(struct token_set *s, struct str message, const struct mime_part *p);
static void tokens_of_file(struct token_set *s, const struct mime_part *p, struct arena *a);

void
tokens_find(struct str message, const struct mime_tree *t, struct arena *a, struct tokens *out)
{
    struct token_set s = {.a = a,
                          .max = HEADER_TOKENS,
                          .at = ARENA_ARRAY(a, struct token, LIMIT_SPAM_TOKENS),
                          .slots = ARENA_ARRAY(a, uint32_t, SLOTS),
                          .word = BUF(4 * TOKEN_WORD_MAX),
                          .text_left = LIMIT_SPAM_TEXT_BYTES};

    struct str seen = str_sub(message, 0, LIMIT_SPAM_BYTES);
    uint32_t parts = MIN(t->count, (uint32_t)LIMIT_SPAM_PARTS);
    tokens_of_header(&s, str_sub(seen, 0, header_block_len(seen)));
    s.max = LIMIT_SPAM_TOKENS;
    for (uint32_t i = 0; i < parts && t->parts[i].body_at <= seen.len; i++)
        tokens_of_part(&s, seen, &t->parts[i]);
    buf_release(&s.word);
    *out = (struct tokens){.at = s.at,
                           .count = s.count,
                           .cut = s.cut || t->cut || parts < t->count || seen.len < message.len};
}

bool
token_is_personal(struct str word)
{
    return str_starts(word, STR("from:")) || str_starts(word, STR("to:")) ||
           str_starts(word, STR("list:")) || str_starts(word, STR("address:")) ||
           str_starts(word, STR("from name:"));
}

/* Cut between characters; what is no text becomes "?". */
static void
add_printable(struct buf *b, struct str word)
{
    bool valid = utf8_valid(word);
    size_t n = MIN(word.len, TOKEN_WORD_MAX);

    while (valid && n > 0 && n < word.len && ((unsigned char)word.ptr[n] & 0xc0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)word.ptr[i];
        /* C1 controls are c2 80 to c2 9f in UTF-8. */
        bool c1 = c >= 0x80 && c < 0xa0 && i > 0 && word.ptr[i - 1] == '\xc2';
        if (c1 && b->len > 0)
            b->ptr[b->len - 1] = '?';
        buf_add_char(b, c < ' ' || c == 0x7f || c1 || (c >= 0x80 && !valid) ? '?' : word.ptr[i]);
    }
}

/* The place of a hash in the table: that of strangers' words, so the key is this process's own. */
static uint32_t *
find_slot(struct token_set *s, uint64_t hash)
{
    uint64_t at = hash_seeded(str_from((const char *)&hash, sizeof(hash)));

    for (;; at++) {
        uint32_t *slot = &s->slots[at & (SLOTS - 1)];
        if (*slot == 0 || s->at[*slot - 1].hash == hash)
            return slot;
    }
}

void
token_add(struct token_set *s, struct str kind, struct str word)
{
    if (word.len == 0)
        return;
    buf_reset(&s->word);
    if (kind.len > 0) {
        buf_add(&s->word, kind);
        buf_add_char(&s->word, ':');
    }
    add_printable(&s->word, word);
    uint64_t hash = (hash_stable(buf_str(&s->word)) & ~UINT64_C(1)) | (kind.len > 0);
    uint32_t *slot = find_slot(s, hash);
    if (*slot != 0)
        return;
    if (s->count >= s->max) {
        s->cut = true;
        return;
    }
    s->at[s->count++] = (struct token){hash, arena_str(s->a, buf_str(&s->word))};
    *slot = s->count;
}

void
token_add_count(struct token_set *s, struct str kind, uint64_t n)
{
    AUTO_BUF b = BUF(48);
    uint64_t low = 1;

    while (low <= n / 2)
        low *= 2;
    if (n < 2)
        buf_add_u64(&b, n);
    else
        buf_addf(&b, "%llu-%llu", (unsigned long long)low, (unsigned long long)(2 * low - 1));
    token_add(s, kind, buf_str(&b));
}

/* ---- parts ---- */

static struct str
lower(struct str s, struct arena *a)
{
    char *z = arena_z(a, str_sub(s, 0, NAME_BYTES));

    for (char *c = z; *c != '\0'; c++)
        *c = ascii_lower(*c);
    return str_of(z);
}

/* Decoded text in UTF-8, as much as is still looked at. */
static void
decode(struct token_set *s, struct str body, const struct mime_part *p, struct buf *out)
{
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
    struct content *c = ARENA_NEW(a, struct content);
    size_t most = MIN(body.len, 2 * s->text_left);
    AUTO_BUF bytes = BUF(most + 8);
    struct transfer_decoder d;
    struct str charset = STR_NONE;

    transfer_decoder_init(&d, mime_transfer(p));
    transfer_decode(&d, str_sub(body, 0, most), &bytes);
    transfer_decode_end(&d, &bytes);
    struct str raw = str_sub(buf_str(&bytes), 0, s->text_left);
    s->cut = s->cut || most < body.len || raw.len < bytes.len;
    s->text_left -= raw.len;
    mime_content(p, a, c);
    (void)param_raw(&c->params, STR("charset"), &charset);
    if (charset.len > 0) {
        token_add(s, STR("charset"), lower(charset, a));
        charset_to_utf8(charset, raw, out);
    } else
        charset_guess_to_utf8(raw, out);
}

static void
tokens_of_part(struct token_set *s, struct str message, const struct mime_part *p)
{
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX);
    struct str body = str_sub(message, p->body_at, p->end - p->body_at); /* clamped */
    struct str type =
        arena_printf(a, "%.*s/%.*s", STR_FMT(lower(p->type, a)), STR_FMT(lower(p->subtype, a)));

    token_add(s, p->depth == 0 ? STR("type") : STR("part"), type);
    if (p->kind != MIME_LEAF)
        return;
    if (p->field[MIME_CONTENT_ENCODING].len > 0)
        token_add(s, STR("encoding"), lower(str_trim(p->field[MIME_CONTENT_ENCODING]), a));
    if (mime_is_attachment(p, a) || !str_eq_nocase(p->type, STR("text"))) {
        tokens_of_file(s, p, a);
        return;
    }
    AUTO_BUF text = BUF(4 * LIMIT_SPAM_TEXT_BYTES);
    decode(s, body, p, &text);
    if (!str_eq_nocase(p->subtype, STR("html"))) {
        tokens_of_text(s, STR(""), buf_str(&text));
        return;
    }
    AUTO_BUF plain = BUF(8 * LIMIT_SPAM_TEXT_BYTES);
    tokens_of_html(s, buf_str(&text));
    html_to_text(buf_str(&text), &plain);
    tokens_of_text(s, STR(""), buf_str(&plain));
}

/* How its name ends is what a reader's machine goes by. */
static void
tokens_of_file(struct token_set *s, const struct mime_part *p, struct arena *a)
{
    struct content *c = ARENA_NEW(a, struct content);
    AUTO_BUF name = BUF(NAME_BYTES);

    if (!content_disposition_parse(p->field[MIME_CONTENT_DISPOSITION], a, c) ||
        !param_value(&c->params, STR("filename"), &name)) {
        buf_reset(&name);
        mime_content(p, a, c);
        (void)param_value(&c->params, STR("name"), &name);
    }
    ssize_t dot = str_rfind(buf_str(&name), '.');
    if (dot >= 0)
        token_add(s, STR("file"), lower(str_skip(buf_str(&name), (size_t)dot), a));
    else
        token_add(s, STR("file"), name.len > 0 ? STR("without ending") : STR("without name"));
}
