/* imitation.c - see imitation.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/imitation.h"

#include "base/buf.h"
#include "mail/address_list.h"
#include "mail/domain.h"
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "policy/homograph.h"
#include "policy/suffixes.h"

enum {
    AUTHORS_MAX = LIMIT_DMARC_AUTHORS,
    SHOWN_MAX = 1024, /* bytes of a name that are looked at */
    WORD_MAX = 255,
    TOP_MIN = 2
};

struct finder {
    const struct psl_ctx_st *list;
    struct arena *a;
    struct imitation *out;
};

static void find_field(const struct finder *f, struct str value, bool shown);
static void find_shown(const struct finder *f, struct str name);
static void add(const struct finder *f, struct str text, bool shown);
static bool next_word(struct str *rest, struct str *word_out);
static bool is_domain_like(struct str word);

/* All addresses first, so that long names leave room for them. */
void
imitation_find(struct str header, const struct psl_ctx_st *list, struct arena *a,
               struct imitation *out)
{
    struct header_field field;

    *out = (struct imitation){.mixed = STR("")};
    const struct finder f = {list, a, out};
    for (int shown = 0; shown < 2; shown++) {
        struct header_cursor c = header_cursor_of(header);
        while (header_next_named(&c, STR("From"), &field))
            find_field(&f, field.value, shown != 0);
    }
}

static void
find_field(const struct finder *f, struct str value, bool shown)
{
    AUTO_ADDRESS_CURSOR c = {0};
    struct address at;
    size_t n = 0;

    address_cursor_init(&c, value);
    while (n < AUTHORS_MAX && address_next(&c, &at)) {
        if (at.kind != ADDRESS_MAILBOX)
            continue;
        n++;
        if (shown)
            find_shown(f, at.name);
        else
            add(f, at.host, false);
    }
}

/* Words, and the domains among them: of addresses, too. */
static void
find_shown(const struct finder *f, struct str name)
{
    AUTO_BUF text = BUF(4 * SHOWN_MAX);
    struct str word;

    encoded_word_decode(str_sub(name, 0, SHOWN_MAX), &text);
    struct str rest = buf_str(&text);
    while (next_word(&rest, &word)) {
        if (word.len > WORD_MAX)
            continue;
        if (is_domain_like(word))
            add(f, word, true);
        else
            f->out->mixed_shown = f->out->mixed_shown || homograph_word(word);
    }
}

static bool
has(const struct imitation *i, struct str domain)
{
    for (size_t n = 0; n < i->count; n++)
        if (str_eq(i->at[n].domain, domain))
            return true;
    return false;
}

static void
add(const struct finder *f, struct str text, bool shown)
{
    struct imitation *out = f->out;
    AUTO_BUF normal = BUF(DOMAIN_MAX);

    if (out->count == IMITATION_NAMES || domain_normalise(text, &normal) != OK ||
        has(out, buf_str(&normal)))
        return;
    struct imitation_name *n = &out->at[out->count++];
    *n = (struct imitation_name){
        .domain = arena_str(f->a, buf_str(&normal)), .parent = STR(""), .shown = shown};
    n->look = homograph_look(n->domain);
    if (f->list != NULL)
        n->parent = suffixes_registered(f->list, n->domain);
    if (n->parent.len == n->domain.len)
        n->parent = STR("");
    if (n->parent.len > 0)
        n->parent_look = homograph_look(n->parent);
    /* What people write in a name may be anything with a dot in it: only what mixes counts there. */
    enum homograph h = homograph_of(n->domain);
    if (out->mixed.len > 0 || h == HOMOGRAPH_NONE || (shown && !homograph_word(text)))
        return;
    out->mixed = n->domain;
    out->mixed_shown = out->mixed_shown || shown;
}

/* ---- words of a name ---- */

static bool
is_apart(char c)
{
    return ascii_is_space(c) || str_find(STR("@()<>[]{},;:\"'|/\\!?*&=_"), c) >= 0;
}

static bool
next_word(struct str *rest, struct str *word_out)
{
    size_t from = 0, to;

    while (from < rest->len && is_apart(rest->ptr[from]))
        from++;
    to = from;
    while (to < rest->len && !is_apart(rest->ptr[to]))
        to++;
    *word_out = str_sub(*rest, from, to - from);
    *rest = str_skip(*rest, to);
    return word_out->len > 0;
}

/* A dot inside, and a last label of letters: neither "3.5" nor "Inc." */
static bool
is_domain_like(struct str word)
{
    struct str top = str_skip(word, (size_t)(str_rfind(word, '.') + 1));

    if (top.len == word.len || top.len < TOP_MIN || word.ptr[0] == '.')
        return false;
    for (size_t i = 0; i < top.len; i++)
        if (ascii_is_digit(top.ptr[i]))
            return str_starts_nocase(top, STR("xn--"));
    return true;
}
