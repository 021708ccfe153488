/* tokens_text.c - words of texts, pairs of words, links.
 *
 * A word gives itself and a pair with the word before it ("click here"), which often says much more than both alone.
 * Pairs with a word between were tried and made the score worse.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/fold.h"
#include "policy/tokens_internal.h"

enum {
    CHUNK_MAX = 512, /* without white space: what follows is data */
    LONG_WORD = 24,
    SHORT_WORD = 2, /* the pairs alone */
    PATH_WORDS = 4,
    SPREAD_LETTERS = 4,
};

enum script { LATIN, CYRILLIC, GREEK, ARABIC, HEBREW, INDIC, HAN, KANA, HANGUL, OTHER, SCRIPTS };

struct words {
    struct token_set *s;
    struct str kind;
    char before[TOKEN_WORD_MAX];
    size_t before_len;
    uint32_t count, capitals, letters_alone, links;
    uint32_t script[SCRIPTS];
};

static enum script
script_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
        enum script is;
    } ranges[] = {
        {0, 0x36f, LATIN},        {0x370, 0x3ff, GREEK},   {0x400, 0x52f, CYRILLIC},
        {0x590, 0x5ff, HEBREW},   {0x600, 0x77f, ARABIC},  {0x900, 0xdff, INDIC},
        {0x1100, 0x11ff, HANGUL}, {0x1e00, 0x1eff, LATIN}, {0x1f00, 0x1fff, GREEK},
        {0x2000, 0x2bff, LATIN},  {0x2e80, 0x303f, HAN},   {0x3040, 0x30ff, KANA},
        {0x3130, 0x318f, HANGUL}, {0x3400, 0x9fff, HAN},   {0xac00, 0xd7af, HANGUL},
        {0xf900, 0xfaff, HAN},    {0xff00, 0xff60, LATIN}, {0xff61, 0xff9f, KANA},
        {0x20000, 0x3ffff, HAN},
    };

    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return ranges[i].is;
    return OTHER;
}

static bool
is_space(uint32_t c)
{
    return c <= ' ' || c == 0x7f || (c >= 0x80 && c <= 0xa0) || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x3000;
}

/* Shows nothing; put between letters it hides a word from those who count words. */
static bool
is_invisible(uint32_t c)
{
    return c == 0xad || c == 0x34f || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2064) || c == 0xfeff;
}

static bool
is_word_char(uint32_t c)
{
    if (c < 0x80)
        return ascii_is_alnum((char)c) || c == '\'' || c == '-' || c == '$' || c == '%' || c == '_';
    return !is_space(c) && !(c >= 0x2010 && c <= 0x206f) && !(c >= 0x3001 && c <= 0x303f) &&
           !(c >= 0xff00 && c <= 0xff0f) && c != 0xfffd && !(c >= 0xa1 && c <= 0xbf && c != 0xaa);
}

/* ---- one word ---- */

static void
add_pair(struct words *w, struct str word)
{
    AUTO_BUF pair = BUF(3 * TOKEN_WORD_MAX);

    if (w->before_len > 0) {
        buf_add(&pair, str_from(w->before, w->before_len));
        buf_add_char(&pair, ' ');
        buf_add(&pair, word);
        token_add(w->s, w->kind, buf_str(&pair));
    }
    w->before_len = MIN(word.len, sizeof(w->before));
    mem_copy(w->before, word.ptr, w->before_len);
}

/* Scripts that write no spaces: every two neighbouring characters. */
static void
add_grams(struct words *w, struct str word)
{
    struct scan s = scan_of(word);
    const char *last = NULL;
    uint32_t c;

    for (const char *from = s.pos; scan_utf8(&s, &c); last = from, from = s.pos)
        if (last != NULL)
            token_add(w->s, w->kind, str_from(last, (size_t)(s.pos - last)));
}

static bool
all_digits(struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!ascii_is_digit(word.ptr[i]))
            return false;
    return true;
}

static bool
all_capitals(struct str raw)
{
    for (size_t i = 0; i < raw.len; i++)
        if (raw.ptr[i] < 'A' || raw.ptr[i] > 'Z')
            return false;
    return raw.len >= 3;
}

/* Lower case, nothing invisible.  True: the characters of a script without spaces. */
static bool
fold_word(struct words *w, struct str raw, struct buf *out)
{
    struct scan s = scan_of(raw);
    uint32_t c, scripts = 0;

    while (scan_utf8(&s, &c)) {
        if (is_invisible(c)) {
            token_add(w->s, STR("odd"), STR("invisible characters in a word"));
            continue;
        }
        enum script is = script_of(c);
        if (c >= 0x80 || ascii_is_alpha((char)c)) {
            scripts |= 1u << is;
            w->script[is]++;
        }
        buf_add_utf8(out, c);
    }
    if ((scripts & 1u << LATIN) != 0 && (scripts & (1u << CYRILLIC | 1u << GREEK)) != 0)
        token_add(w->s, STR("odd"), STR("two alphabets in a word"));
    return (scripts & (1u << HAN | 1u << KANA)) != 0;
}

static void
add_word(struct words *w, struct str raw)
{
    AUTO_BUF shown = BUF(2 * CHUNK_MAX), word = BUF(4 * CHUNK_MAX);
    bool grams = fold_word(w, raw, &shown);

    if (shown.len == 0)
        return;
    if (str_is_ascii(buf_str(&shown))) {
        buf_add(&word, buf_str(&shown));
        for (size_t i = 0; i < word.len; i++)
            word.ptr[i] = ascii_lower(word.ptr[i]);
    } else
        fold_collate(buf_str(&shown), CHUNK_MAX, &word);
    w->count++;
    w->capitals += all_capitals(raw);
    w->letters_alone = word.len == 1 && ascii_is_alpha(word.ptr[0]) ? w->letters_alone + 1 : 0;
    if (w->letters_alone == SPREAD_LETTERS)
        token_add(w->s, STR("odd"), STR("letters spread out"));
    if (grams) {
        add_grams(w, buf_str(&word));
        return;
    }
    if (all_digits(buf_str(&word)) && word.len > 4) {
        token_add_count(w->s, STR("digits"), word.len);
        return;
    }
    if (word.len > LONG_WORD) {
        token_add_count(w->s, STR("long word"), word.len);
        return;
    }
    if (word.len > SHORT_WORD)
        token_add(w->s, w->kind, buf_str(&word));
    add_pair(w, buf_str(&word));
}

static void
add_words(struct words *w, struct str chunk)
{
    struct scan s = scan_of(chunk);
    const char *from = s.pos;
    uint32_t c;

    for (const char *at = s.pos; scan_utf8(&s, &c); at = s.pos) {
        if (is_word_char(c))
            continue;
        if (at > from)
            add_word(w, str_from(from, (size_t)(at - from)));
        from = s.pos;
    }
    if (s.pos > from)
        add_word(w, str_from(from, (size_t)(s.pos - from)));
}

/* ---- links and addresses ---- */

void
tokens_of_domain(struct token_set *s, struct str kind, struct str domain)
{
    char name[TOKEN_WORD_MAX];
    struct str rest = str_from(name, MIN(domain.len, sizeof(name)));

    /* The end says more than the beginning. */
    domain = str_skip(domain, domain.len - rest.len);
    for (size_t i = 0; i < rest.len; i++)
        name[i] = ascii_lower(domain.ptr[i]);
    for (;;) {
        token_add(s, kind, rest);
        ssize_t dot = str_find(rest, '.');
        if (dot < 0)
            return;
        rest = str_skip(rest, (size_t)dot + 1);
    }
}

static bool
is_host_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '.' || c == '_' || (unsigned char)c >= 0x80;
}

static void
tokens_of_path(struct token_set *s, struct str path)
{
    struct scan in = scan_of(path);

    for (int n = 0; n < PATH_WORDS && !scan_at_end(&in);) {
        const char *from = in.pos;
        while (!scan_at_end(&in) && (ascii_is_alnum(*in.pos) || *in.pos == '-' || *in.pos == '_'))
            in.pos++;
        struct str word = str_from(from, (size_t)(in.pos - from));
        if (word.len > SHORT_WORD && word.len <= LONG_WORD) {
            token_add(s, STR("link path"), word);
            n++;
        }
        if (!scan_at_end(&in))
            in.pos++;
    }
}

void
tokens_of_link(struct token_set *s, struct str link)
{
    struct str rest = str_sub(link, 0, CHUNK_MAX);
    ssize_t scheme = str_find_str(rest, STR("://"));

    if (scheme >= 0) {
        if (!str_eq_nocase(str_sub(rest, 0, (size_t)scheme), STR("http")))
            token_add(s, STR("link scheme"), str_sub(rest, 0, MIN((size_t)scheme, 12u)));
        rest = str_skip(rest, (size_t)scheme + 3);
    }
    ssize_t slash = str_find(rest, '/');
    struct str host = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
    struct str path = str_skip(rest, host.len);
    ssize_t at = str_rfind(host, '@');
    if (at >= 0) {
        token_add(s, STR("odd"), STR("a link with a user name"));
        host = str_skip(host, (size_t)at + 1);
    }
    size_t n = 0;
    bool digits = true;
    for (; n < host.len && is_host_char(host.ptr[n]); n++)
        digits = digits && (ascii_is_digit(host.ptr[n]) || host.ptr[n] == '.');
    if (n < host.len && host.ptr[n] == ':')
        token_add(s, STR("odd"), STR("a link with a port"));
    if (n > 0 && digits)
        token_add(s, STR("odd"), STR("a link to a bare address"));
    else if (n > 0)
        tokens_of_domain(s, STR("link"), str_sub(host, 0, n));
    tokens_of_path(s, path);
}

static bool
is_link(struct str chunk, struct str *link_out)
{
    ssize_t scheme = str_find_str(chunk, STR("://"));
    size_t from = scheme < 0 ? 0 : (size_t)scheme;

    while (scheme >= 0 && from > 0 && ascii_is_alpha(chunk.ptr[from - 1]))
        from--;
    *link_out = str_skip(chunk, from);
    return (scheme >= 0 && from < (size_t)scheme) ||
           (chunk.len > 6 && str_starts_nocase(chunk, STR("www.")));
}

static void
add_chunk(struct words *w, struct str chunk)
{
    struct str link;
    ssize_t at = str_find(chunk, '@');

    if (is_link(chunk, &link)) {
        w->links++;
        tokens_of_link(w->s, link);
    } else if (at > 0 && str_find(str_skip(chunk, (size_t)at), '.') > 0) {
        struct str domain = str_skip(chunk, (size_t)at + 1);
        size_t n = 0;
        while (n < domain.len && is_host_char(domain.ptr[n]))
            n++;
        tokens_of_domain(w->s, STR("address"), str_sub(domain, 0, n));
    } else
        add_words(w, chunk);
}

/* ---- the whole text ---- */

static void
sum_up(struct words *w)
{
    static const char *const names[SCRIPTS] = {"latin", "cyrillic", "greek", "arabic", "hebrew",
                                               "indic", "han",      "kana",  "hangul", "other"};

    for (size_t i = 1; i < SCRIPTS; i++)
        if (w->script[i] > 8)
            token_add(w->s, STR("script"), str_of(names[i]));
    if (w->kind.len > 0)
        return;
    token_add_count(w->s, STR("words"), w->count);
    token_add_count(w->s, STR("links"), w->links);
    if (w->count >= 16)
        token_add_count(w->s, STR("capitals in a hundred"), 100u * w->capitals / w->count);
}

void
tokens_of_text(struct token_set *s, struct str kind, struct str text)
{
    struct words w = {.s = s, .kind = kind};
    struct scan in = scan_of(text);
    const char *from = in.pos;
    uint32_t c;

    while (!scan_at_end(&in)) {
        const char *at = in.pos;
        bool valid = scan_utf8(&in, &c);
        if (!valid)
            in.pos++;
        if (valid && !is_space(c))
            continue;
        if (at > from)
            add_chunk(&w, str_sub(str_from(from, (size_t)(at - from)), 0, CHUNK_MAX));
        from = in.pos;
    }
    if (in.pos > from)
        add_chunk(&w, str_sub(str_from(from, (size_t)(in.pos - from)), 0, CHUNK_MAX));
    sum_up(&w);
}
